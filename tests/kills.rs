//! `flash` is killed at random moments, on a file that is attached as a drive: what is left is the old stick, the new one, or
//! boots nothing. One of each kind is booted.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ephemeros::stick::{Part, Sector};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::drives::{Attached, MIB};
use crate::fleet::Fleet;
use crate::image::{demo_key, fleet, loaders, outside};
use crate::repository::{has_program, skipped};

const SIZE: u64 = 150 * MIB;

const KILLS: u32 = 100;

/// What a drive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Old,
    New,
    Off,
}

/// Two sticks of a node, as files and as they are on the drive.
struct Sticks {
    fleet: Fleet,
    drive: Attached,
    images: [PathBuf; 2],
    bodies: [Vec<u8>; 2],
    takes: Duration,
}

impl Sticks {
    fn new() -> Option<Self> {
        let (loaders, drive) = (loaders()?, Attached::new(SIZE, &[])?);
        let (fleet, key) = (fleet(), demo_key());
        let images = ["one", "two"].map(|name| {
            let set = fleet.command(&["secrets", "set", "n1", "TOKEN"]);
            set.stdin(name.repeat(3000)).run().code(0);
            let path = outside(&fleet).join(format!("{name}.img"));
            let url = format!("http://10.0.2.100/{name}/{{{{ path }}}}");
            let shown = path.to_str().unwrap().to_owned();
            let args = ["image", "n1", "--output", &shown, "--raw-url", &url];
            let more = [
                "--ipxe",
                loaders.to_str().unwrap(),
                "--identity",
                key.to_str().unwrap(),
            ];
            fleet.run(&[&args[..], &more].concat()).code(0);
            path
        });
        let mut sticks = Self {
            fleet,
            drive,
            images,
            bodies: [Vec::new(), Vec::new()],
            takes: Duration::ZERO,
        };
        let began = Instant::now();
        sticks.bodies = [0, 1].map(|which| {
            assert!(sticks.flash(which, false).status().unwrap().success());
            body(&sticks.bytes())
        });
        sticks.takes = began.elapsed() / 2;
        assert!(sticks.bodies[0] != sticks.bodies[1]);
        Some(sticks)
    }

    fn flash(&self, which: usize, update: bool) -> Command {
        let image = self.images[which].to_str().unwrap();
        let mut args = vec!["flash", image, self.drive.path(), "--yes", "--quiet"];
        if update {
            args.push("--update");
        }
        let mut command = self.fleet.process(&args);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.drive.file()).unwrap()
    }

    /// What the drive is, `new` being the stick that was to be written last.
    #[track_caller]
    fn state(&self, new: usize) -> State {
        let bytes = self.bytes();
        let size = bytes.len();
        // What firmware looks at: the signature of the MBR, and the headers of both partition tables.
        let boots = bytes[510..512] == [0x55, 0xaa]
            || [512, size - 512]
                .iter()
                .any(|at| bytes[*at..].starts_with(b"EFI PART"));
        if !boots {
            return State::Off;
        }
        let body = body(&bytes);
        match self.bodies.iter().position(|it| *it == body) {
            Some(which) if which == new => State::New,
            Some(_) => State::Old,
            None => panic!("it boots a mixture"),
        }
    }
}

/// All partitions, without what tells two sticks of the same apart.
fn body(bytes: &[u8]) -> Vec<u8> {
    let [start, end] = [
        Part::Bios.range(Sector::Of512).start,
        Part::Secrets.range(Sector::Of512).end,
    ];
    let range = usize::try_from(start).unwrap()..usize::try_from(end).unwrap();
    let mut body = bytes[range].to_vec();
    let line = regex::bytes::Regex::new("\nstick = \"([0-9a-f-]{36})\"\n").unwrap();
    let found = line.captures(&body).map(|it| it.get(1).unwrap().range());
    if let Some(found) = found {
        body[found].fill(b'0');
    }
    body
}

/// What the machine says and asks for, until it says `end`.
fn boots(image: &Path, end: &str) -> String {
    let folder = tempfile::TempDir::new().unwrap();
    let mut machine = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tools/boot"))
        .args(["--firmware", "bios"])
        .arg(image)
        .arg(folder.path())
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let lines = BufReader::new(machine.stdout.take().unwrap()).split(b'\n');
    for line in lines {
        said += &String::from_utf8_lossy(&line.unwrap());
        said.push('\n');
        if said.contains(end) {
            break;
        }
    }
    let group = Pid::from_child(&machine);
    let _ = kill_process_group(group, Signal::TERM);
    machine.wait().unwrap();
    said
}

#[test]
fn a_hundred_kills_leave_no_mixture_that_boots() {
    let Some(sticks) = Sticks::new() else { return };
    let kept = |state: State| sticks.images[0].with_file_name(format!("{state:?}.drive"));
    let mut found = std::collections::BTreeMap::new();
    let mut random: u64 = 7;
    let mut last = 1;
    let mut is_whole = true;
    // How long a whole run takes, of late.
    let mut whole = sticks.takes;
    for number in 0..KILLS {
        let (new, update) = (1 - last, is_whole && number % 3 == 0);
        let began = Instant::now();
        let mut child = sticks.flash(new, update).spawn().unwrap();
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let part = u32::try_from((random >> 33) % 1000).unwrap();
        if number % 2 == 0 {
            // Some are done by then.
            std::thread::sleep(whole * 5 / 4 * part / 1000);
        } else {
            // It writes as soon as the boot sector is gone.
            while !sticks.drive.is_off() && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(whole / 2 * part / 1000);
        }
        let _ = child.kill();
        let ended = child.wait().unwrap();
        let state = sticks.state(new);
        assert!(!ended.success() || state == State::New, "{state:?}");
        if !kept(state).exists() {
            // What is kept of the old one must be told from the new one below.
            fs::copy(sticks.drive.file(), kept(state)).unwrap();
            fs::write(
                kept(state).with_extension("which"),
                ["one", "two"][if state == State::Old { last } else { new }],
            )
            .unwrap();
        }
        let inspected = sticks.fleet.run(&["inspect", sticks.drive.path()]).code;
        let is_intact = inspected == Some(0);
        assert!(state != State::Off || !is_intact);
        *found.entry(state).or_insert(0) += 1;
        if state == State::New {
            last = new;
            whole = began.elapsed();
        }
        is_whole = is_intact;
    }
    for state in [State::Old, State::New, State::Off] {
        assert!(found.contains_key(&state), "none was {state:?}: {found:?}");
    }
    if !has_program("qemu-system-x86_64") || !has_program("nc") {
        return skipped("a boot of each", "there is no QEMU: run `tools/setup test`");
    }
    for state in [State::Old, State::New, State::Off] {
        let which = fs::read_to_string(kept(state).with_extension("which")).unwrap();
        let end = match state {
            State::Off => "No bootable device".to_owned(),
            _ => format!("server: GET /{which}/ipxe/n1.ipxe"),
        };
        let said = boots(&kept(state), &end);
        assert!(said.contains(&end), "{state:?}, {which}:\n{said}");
    }
}
