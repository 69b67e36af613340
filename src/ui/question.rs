//! Questions that are answered with yes or no.

use std::io::{self, IsTerminal, Write};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::{Ui, signal};
use crate::diagnostic::printable;

/// How long a signal can go unseen while the user thinks, in nanoseconds.
const LOOK: i64 = 100_000_000;

impl Ui {
    /// Whether somebody sees a question and can answer it.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks at the terminal; just Enter is yes, and a signal is no.
    ///
    /// # Errors
    /// The terminal can't be read.
    pub fn confirm(&self, question: &str) -> io::Result<bool> {
        let stdin = io::stdin();
        self.clear();
        let _ = write!(io::stderr(), "{} [Y/n] ", printable(question));
        let mut answer = Vec::new();
        let mut byte = [0; 1];
        let patience = Timespec {
            tv_sec: 0,
            tv_nsec: LOOK,
        };
        while signal() == 0 {
            let mut waiting = [PollFd::new(&stdin, PollFlags::IN)];
            match poll(&mut waiting, Some(&patience)) {
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            match rustix::io::read(&stdin, &mut byte) {
                Ok(0) => {
                    let _ = writeln!(io::stderr());
                    return Ok(false);
                }
                Ok(_) if byte == *b"\n" => return Ok(is_yes(&answer)),
                Ok(_) => answer.push(byte[0]),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let _ = writeln!(io::stderr());
        Ok(false)
    }
}

fn is_yes(answer: &[u8]) -> bool {
    let answer = answer.trim_ascii().to_ascii_lowercase();
    ["", "y", "yes"].iter().any(|yes| yes.as_bytes() == answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_and_nothing_are_yes() {
        for yes in ["", "y", " Y\r", "yes"] {
            assert!(is_yes(yes.as_bytes()), "{yes:?}");
        }
        for no in ["n", "no", "q", "yy", "\u{e9}"] {
            assert!(!is_yes(no.as_bytes()), "{no:?}");
        }
    }
}
