//! Ctrl-C and its like.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::restore_echo;

/// The signal that asked the tool to end; 0 as long as none did.
static SIGNAL: AtomicUsize = AtomicUsize::new(0);

/// How many pieces of work want to end in order when a signal comes.
static ORDERLY: AtomicUsize = AtomicUsize::new(0);

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

/// Listens for Ctrl-C and its like, which end the process at once, with the terminal as it was, unless
/// there is [`Orderly`] work. A second one always does.
///
/// # Errors
/// The system does not let the tool listen.
pub fn listen() -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        for number in signals.forever() {
            let number = usize::try_from(number).unwrap_or(2);
            let first = SIGNAL.swap(number, Ordering::SeqCst) == 0;
            if first && ORDERLY.load(Ordering::SeqCst) > 0 {
                continue;
            }
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
