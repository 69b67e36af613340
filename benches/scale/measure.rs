//! A command as a process of its own: how long it took, what it used, and that beside its floor, turn by turn.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

/// As often as this, and then until the time is over, but not more often than that.
const LEAST: usize = 3;
const TIME: Duration = Duration::from_secs(4);
const MOST: usize = 15;

/// After so long what was measured must do.
const LONG: Duration = Duration::from_mins(1);

/// What runs of a command came to.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    pub(crate) wall: Duration,
    /// User and system, its children's too.
    pub(crate) cpu: Duration,
    /// The most memory that it had, in bytes. The system counts what this process has, from which it was started.
    pub(crate) peak: u64,
}

/// A command, or some in a row.
pub(crate) struct Work<'a> {
    /// Done before each run, and not measured.
    pub(crate) before: Box<dyn FnMut() + 'a>,
    pub(crate) commands: Box<dyn Fn() -> Vec<Command> + 'a>,
}

impl<'a> Work<'a> {
    pub(crate) fn new(command: impl Fn() -> Command + 'a) -> Self {
        Self::row(move || vec![command()])
    }

    pub(crate) fn row(commands: impl Fn() -> Vec<Command> + 'a) -> Self {
        Self {
            before: Box::new(|| {}),
            commands: Box::new(commands),
        }
    }

    pub(crate) fn before(mut self, before: impl FnMut() + 'a) -> Self {
        self.before = Box::new(before);
        self
    }

    fn run(&mut self) -> Used {
        (self.before)();
        let used = (self.commands)().into_iter().map(run);
        let sum = |sum: Used, one: Used| Used {
            wall: sum.wall + one.wall,
            cpu: sum.cpu + one.cpu,
            peak: sum.peak.max(one.peak),
        };
        used.reduce(sum).expect("there is a command")
    }
}

/// What was measured, in the middle.
pub(crate) struct Measured {
    pub(crate) rounds: usize,
    pub(crate) used: Used,
    pub(crate) floor: Option<Used>,
    /// How many times the floor's time; the middle of each turn's.
    pub(crate) ratio: Option<f64>,
}

/// Runs both in turn, so that what else the machine does falls on both.
pub(crate) fn measure(work: &mut Work<'_>, mut floor: Option<&mut Work<'_>>) -> Measured {
    let (mut all, mut floors) = (Vec::new(), Vec::new());
    let began = Instant::now();
    let more = |done: usize| match done {
        0 => true,
        1..LEAST => began.elapsed() < LONG,
        _ => done < MOST && began.elapsed() < TIME,
    };
    while more(all.len()) {
        floors.extend(floor.as_mut().map(|floor| floor.run()));
        all.push(work.run());
    }
    let ratios = all.iter().zip(&floors);
    let ratios = ratios.map(|(it, floor)| it.wall.as_secs_f64() / floor.wall.as_secs_f64());
    Measured {
        rounds: all.len(),
        ratio: middle(ratios.collect(), f64::total_cmp),
        used: in_the_middle(&all).expect("it ran"),
        floor: in_the_middle(&floors),
    }
}

/// The middle of each, and the most memory.
fn in_the_middle(all: &[Used]) -> Option<Used> {
    Some(Used {
        wall: middle(all.iter().map(|it| it.wall).collect(), Ord::cmp)?,
        cpu: middle(all.iter().map(|it| it.cpu).collect(), Ord::cmp)?,
        peak: all.iter().map(|it| it.peak).max()?,
    })
}

pub(crate) fn middle<T: Copy>(
    mut all: Vec<T>,
    order: impl FnMut(&T, &T) -> std::cmp::Ordering,
) -> Option<T> {
    all.sort_by(order);
    all.get(all.len() / 2).copied()
}

/// Runs it; it must succeed.
pub(crate) fn run(mut command: Command) -> Used {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    let ended = command.spawn().and_then(|mut child| child.wait4());
    let wall = began.elapsed();
    let ended = ended.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(ended.status.success(), "{command:?}: {}", ended.status);
    Used {
        wall,
        cpu: ended.rusage.utime + ended.rusage.stime,
        peak: ended.rusage.maxrss,
    }
}

/// The most memory that this process had, in bytes: nothing smaller can be measured.
pub(crate) fn own_peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let kib = line.and_then(|it| it.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or_default() << 10
}
