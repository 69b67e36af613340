//! What is shown of work that takes long: a bar on a terminal, elsewhere a line now and then.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Who waits shorter than this sees no progress.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where there is no terminal, a line is written so often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// So often the bar is drawn anew. A step may take longer than that: it is not waited for.
const TICK: Duration = Duration::from_millis(100);

/// What the steps of work are.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Step,
    Byte,
}

/// The work that is shown. A clone is the same one.
#[derive(Clone)]
pub(super) struct Bar {
    is_terminal: bool,
    state: Arc<Mutex<State>>,
}

struct State {
    work: Option<Work>,
    /// When the user last saw something, or began to wait.
    seen: Instant,
    /// Whether a thread draws it.
    is_watched: bool,
}

struct Work {
    what: String,
    /// 0 where nobody knows.
    total: usize,
    done: usize,
    unit: Unit,
    since: Instant,
    /// When a line was last written, where there is no terminal.
    told: Instant,
    shown: Option<ProgressBar>,
}

impl Bar {
    /// Nothing is shown yet, and somebody begins to wait.
    pub(super) fn new(is_terminal: bool) -> Self {
        let state = State {
            work: None,
            seen: Instant::now(),
            is_watched: false,
        };
        Self {
            is_terminal,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Work begins, in the place of what was shown.
    pub(super) fn begin(&self, what: &str, total: usize, unit: Unit) {
        let Ok(mut state) = self.state.lock() else {
            return;
        };
        let now = Instant::now();
        state.work = Some(Work {
            what: what.to_owned(),
            total,
            done: 0,
            unit,
            since: now,
            told: now,
            shown: None,
        });
        if !state.is_watched {
            let (watched, is_terminal) = (self.watch(), self.is_terminal);
            let draw = move || {
                loop {
                    thread::sleep(TICK);
                    let Some(state) = watched.upgrade() else {
                        break;
                    };
                    let Ok(mut state) = state.lock() else { break };
                    state.draw(is_terminal);
                }
            };
            // Without a thread nothing is shown, and all is done just so.
            state.is_watched = thread::Builder::new().spawn(draw).is_ok();
        }
    }

    /// Some steps are done.
    pub(super) fn advance(&self, steps: usize) {
        if let Ok(mut state) = self.state.lock()
            && let Some(work) = &mut state.work
        {
            work.done += steps;
        }
    }

    /// Nothing is shown any more, so that something else can be.
    pub(super) fn clear(&self) {
        if let Ok(state) = self.state.lock() {
            clear(state);
        }
    }

    /// For who may have to wipe it off and must not wait.
    pub(super) fn watch(&self) -> Watch {
        Watch(Arc::downgrade(&self.state))
    }
}

fn clear(mut state: MutexGuard<State>) {
    state.work = None;
    state.seen = Instant::now();
}

/// A bar that somebody else holds.
pub(super) struct Watch(Weak<Mutex<State>>);

impl Watch {
    fn upgrade(&self) -> Option<Arc<Mutex<State>>> {
        self.0.upgrade()
    }

    /// Wipes it off, unless somebody draws and can't go on.
    pub(super) fn wipe(&self) {
        let Some(state) = self.upgrade() else { return };
        for _ in 0..10 {
            if let Ok(state) = state.try_lock() {
                return clear(state);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl State {
    fn draw(&mut self, is_terminal: bool) {
        let Some(work) = &mut self.work else { return };
        if !is_terminal {
            if work.told.elapsed() > LINE_EVERY {
                work.told = Instant::now();
                let _ = writeln!(io::stderr().lock(), "{}", work.line());
            }
            return;
        }
        if work.shown.is_none() && self.seen.elapsed() > PATIENCE {
            work.shown = Some(work.bar());
        }
        if let Some(shown) = &work.shown {
            shown.set_position(work.done as u64);
            shown.tick();
        }
    }
}

impl Work {
    fn line(&self) -> String {
        match self.total {
            0 | 1 => self.what.clone(),
            total => {
                let percent = self.done.saturating_mul(100) / total;
                format!("{}: {percent} %", self.what)
            }
        }
    }

    fn bar(&self) -> ProgressBar {
        let form = match (self.total, self.unit) {
            (0, Unit::Byte) => "{spinner} {msg} {bytes} {bytes_per_sec}",
            // One step has no middle.
            (0 | 1, _) => "{spinner} {msg} {elapsed}",
            (_, Unit::Byte) => "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            (_, Unit::Step) => "{msg} {wide_bar} {pos}/{len} {eta}",
        };
        let bar = ProgressBar::new(self.total as u64)
            .with_message(self.what.clone())
            .with_position(self.done as u64)
            .with_elapsed(self.since.elapsed());
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(total: usize, done: usize) -> Work {
        Work {
            what: "reading".to_owned(),
            total,
            done,
            unit: Unit::Step,
            since: Instant::now(),
            told: Instant::now(),
            shown: None,
        }
    }

    #[test]
    fn a_line_says_how_much_is_done_where_that_is_known() {
        assert_eq!(work(200, 50).line(), "reading: 25 %");
        assert_eq!(work(0, 50).line(), "reading");
        assert_eq!(work(1, 0).line(), "reading");
    }

    #[test]
    fn what_is_said_begins_the_wait_anew() {
        let bar = Bar::new(true);
        let waited = |bar: &Bar| bar.state.lock().expect("whole").seen.elapsed();
        thread::sleep(Duration::from_millis(20));
        bar.begin("reading", 2, Unit::Step);
        bar.begin("writing", 2, Unit::Step);
        assert!(waited(&bar) >= Duration::from_millis(20));
        bar.clear();
        assert!(waited(&bar) < Duration::from_millis(20));
        assert!(bar.state.lock().expect("whole").work.is_none());
    }
}
