//! Ctrl-C and its like.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::Ui;
use super::terminal::restore_echo;

/// The signal that asked the tool to end; 0 as long as none did.
static SIGNAL: AtomicUsize = AtomicUsize::new(0);

/// How many pieces of work want to end in order when a signal comes.
static ORDERLY: AtomicUsize = AtomicUsize::new(0);

/// How many pieces of work must be put away before the process may end.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// Whether the keys of the terminal that make signals are another program's.
static LENT: AtomicBool = AtomicBool::new(false);

/// The signal that asked the tool to end; 0 as long as none did.
#[must_use]
pub fn signal() -> usize {
    SIGNAL.load(Ordering::Relaxed)
}

/// Work that has something to put away, and that asks [`Progress::stopped`] often. While one lives, a first
/// Ctrl-C does not end the process.
pub struct Orderly(());

impl Orderly {
    /// It begins.
    #[must_use]
    pub fn begin() -> Self {
        ORDERLY.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Orderly {
    fn drop(&mut self) {
        ORDERLY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Work that leaves a secret lying about, or some files old and some new, where it is not put away. While one lives no
/// signal ends the process, however often it comes: whoever began it asks [`Progress::stopped`], and ends soon.
pub struct Held(());

impl Held {
    /// It begins.
    #[must_use]
    pub fn begin() -> Self {
        HELD.fetch_add(1, Ordering::SeqCst);
        Self(())
    }

    /// Runs a program to which Ctrl-C and Ctrl-\ at the terminal belong until it is done.
    pub fn lend_terminal<T>(&self, run: impl FnOnce() -> T) -> T {
        LENT.store(true, Ordering::SeqCst);
        let result = run();
        LENT.store(false, Ordering::SeqCst);
        result
    }

    /// All is put away, and what was asked for is done: a first Ctrl-C comes too late from now on, a second one ends the
    /// process.
    pub fn done(self) {
        std::mem::forget(Orderly::begin());
    }

    /// The program ended by Ctrl-C, which meant the tool too.
    pub fn interrupt(&self) {
        let _ = SIGNAL.compare_exchange(0, 2, Ordering::SeqCst, Ordering::SeqCst);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        HELD.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Listens for Ctrl-C and its like, which end the process at once, with the terminal as it was and no progress on it,
/// unless there is [`Orderly`] or [`Held`] work. A second one always does, but for the latter.
///
/// # Errors
/// The system does not let the tool listen.
pub fn listen(ui: &Ui) -> io::Result<()> {
    let bar = ui.bar.watch();
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    std::thread::spawn(move || {
        for number in signals.forever() {
            if LENT.load(Ordering::SeqCst) && [SIGINT, SIGQUIT].contains(&number) {
                continue;
            }
            let is_held = HELD.load(Ordering::SeqCst) > 0;
            if number == SIGQUIT && !is_held {
                bar.wipe();
                restore_echo();
                let _ = emulate_default_handler(number);
            }
            let number = usize::try_from(number).unwrap_or(2);
            let first = SIGNAL.swap(number, Ordering::SeqCst) == 0;
            if is_held || (first && ORDERLY.load(Ordering::SeqCst) > 0) {
                continue;
            }
            bar.wipe();
            restore_echo();
            std::process::exit(exit_code(number));
        }
    });
    Ok(())
}

/// What a shell makes of a signal: 130 for Ctrl-C.
#[must_use]
pub fn exit_code(signal: usize) -> i32 {
    128 + i32::try_from(signal).unwrap_or(2)
}
