//! Questions at the terminal.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Mutex;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// Where the user can be asked.
pub(super) struct Terminal {
    file: File,
    is_stdin: bool,
}

impl Terminal {
    /// Standard input, or else the terminal that controls the process, as ssh and age do it: what comes through a pipe
    /// is a value and no answer.
    pub(super) fn find() -> io::Result<Option<Self>> {
        if let Some(terminal) = Self::stdin()? {
            return Ok(Some(terminal));
        }
        let file = File::options().read(true).write(true).open("/dev/tty");
        Ok(file.ok().map(|file| Self {
            file,
            is_stdin: false,
        }))
    }

    /// Standard input, where it is a terminal.
    pub(super) fn stdin() -> io::Result<Option<Self>> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Ok(None);
        }
        let file = stdin.as_fd().try_clone_to_owned()?.into();
        Ok(Some(Self {
            file,
            is_stdin: true,
        }))
    }

    /// Where that can't be written there is nobody to read it.
    fn write(&self, text: &str) {
        let _ = if self.is_stdin {
            io::stderr().write_all(text.as_bytes())
        } else {
            (&self.file).write_all(text.as_bytes())
        };
    }

    /// A line that the user types.
    pub(super) fn ask(&self, prompt: &str) -> io::Result<Zeroizing<Vec<u8>>> {
        self.write(prompt);
        self.read_line()
    }

    /// A line that is not shown.
    pub(super) fn ask_hidden(&self, prompt: &str) -> io::Result<Zeroizing<Vec<u8>>> {
        self.write(prompt);
        let line = {
            let _quiet = NoEcho::on(&self.file)?;
            self.read_line()?
        };
        self.write("\n");
        Ok(line)
    }

    fn read_line(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut line = Zeroizing::new(Vec::with_capacity(64 * 1024));
        // Not through the buffer of standard input, where a copy would stay.
        let mut piece = Zeroizing::new([0; 4096]);
        while line.last() != Some(&b'\n') {
            match rustix::io::read(&self.file, piece.as_mut_slice()) {
                Ok(0) => break,
                Ok(length) => line.extend_from_slice(&piece[..length]),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        without_line_end(&mut line);
        Ok(line)
    }
}

pub(super) fn without_line_end(value: &mut Vec<u8>) {
    if value.last() == Some(&b'\n') {
        value.pop();
        if value.last() == Some(&b'\r') {
            value.pop();
        }
    }
}

/// The terminal without echo. Dropped, it is as it was.
struct NoEcho;

impl NoEcho {
    fn on(terminal: &File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        let again = terminal.as_fd().try_clone_to_owned()?;
        // First what it was, so that a signal between the two finds it.
        if let Ok(mut echoing) = ECHOING.lock() {
            *echoing = Some((again, before));
        }
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self)
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        restore();
    }
}

/// Standard input as a terminal that hands over each key, Ctrl-C too. Dropped, it is as it was.
pub struct Raw(());

impl Raw {
    /// `None` where standard input is no terminal.
    ///
    /// # Errors
    /// The terminal can't be told so.
    pub fn on() -> io::Result<Option<Self>> {
        let stdin = io::stdin();
        if !stdin.is_terminal() {
            return Ok(None);
        }
        let before = tcgetattr(&stdin)?;
        let mut raw = before.clone();
        raw.make_raw();
        let again = stdin.as_fd().try_clone_to_owned()?;
        if let Ok(mut changed) = ECHOING.lock() {
            *changed = Some((again, before));
        }
        tcsetattr(&stdin, OptionalActions::Flush, &raw)?;
        Ok(Some(Self(())))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore();
    }
}

/// The terminal whose echo is turned off, and how it was before.
static ECHOING: Mutex<Option<(OwnedFd, Termios)>> = Mutex::new(None);

/// Whether there was something to restore.
fn restore() -> bool {
    let echoing = ECHOING.lock().ok().and_then(|mut echoing| echoing.take());
    echoing.is_some_and(|(terminal, before)| {
        let _ = tcsetattr(terminal, OptionalActions::Flush, &before);
        true
    })
}

/// Turns the echo on again when the process ends in the middle of a question.
pub(super) fn restore_echo() {
    if restore() {
        let _ = writeln!(io::stderr());
    }
}
