//! QEMU as a process that ends when this one does, however that ends.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// How long the firmware of a machine without a stick may take to say something with KVM. It takes a second.
const TRIAL: Duration = Duration::from_secs(5);

/// What QEMU says where the processor can't go on with KVM.
const STUCK: &str = "KVM internal error";

/// How often it is looked whether the user wants it to end.
const LOOK: Duration = Duration::from_millis(100);

/// A machine that runs. Dropped, it is switched off.
pub struct Qemu {
    child: Child,
}

/// Where its console is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// Its standard input and output.
    Pipes,
    /// Its standard error; the others are the terminal.
    Beside,
}

impl Qemu {
    /// Starts the program. It must be called by the thread that lives as long as the machine may: the system takes that
    /// thread's end for the parent's.
    ///
    /// # Errors
    /// The program can't be started.
    pub fn start(program: &Path, args: &[OsString], console: Console) -> io::Result<Self> {
        let mut command = within(program, args);
        if console == Console::Pipes {
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
        }
        let child = command.stderr(Stdio::piped()).spawn()?;
        Ok(Self { child })
    }

    /// The process with its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// How it ended; `None` as long as it runs.
    ///
    /// # Errors
    /// The system can't tell.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that becomes the program by [`become_program`].
fn within(program: &Path, args: &[OsString]) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command
        .args(["boot", "--child-of", &std::process::id().to_string(), "--"])
        .arg(program)
        .args(args);
    command
}

/// Becomes a program that the system ends when its parent ends. Comes back only where that fails.
#[must_use]
pub fn become_program(parent: u32, command: &[OsString]) -> io::Error {
    let Some((program, args)) = command.split_first() else {
        return io::ErrorKind::InvalidInput.into();
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    let is_there = getppid().map(Pid::as_raw_pid) == i32::try_from(parent).ok();
    if !is_there {
        return io::Error::other("who started it has ended");
    }
    Command::new(program).args(args).exec()
}

/// Why a machine does not run with KVM.
#[derive(Debug, PartialEq, Eq)]
pub enum NoKvm {
    /// In words.
    Because(String),
    /// The user stopped the trial.
    Stopped,
}

/// Tries whether a machine with these arguments shows a sign of life.
///
/// # Errors
/// It does not.
pub fn try_kvm(
    program: &Path,
    args: &[OsString],
    sign: &str,
    stopped: &dyn Fn() -> bool,
) -> Result<(), NoKvm> {
    let failed = |error: io::Error| NoKvm::Because(error.to_string());
    let mut qemu = Qemu::start(program, args, Console::Pipes).map_err(failed)?;
    let (sender, said) = channel();
    if let Some(out) = qemu.child.stdout.take() {
        listen(out, true, sender.clone());
    }
    if let Some(err) = qemu.child.stderr.take() {
        listen(err, false, sender);
    }
    watch(&said, sign, stopped)
}

fn listen(mut from: impl Read + Send + 'static, is_console: bool, to: Sender<(bool, Vec<u8>)>) {
    thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            if to.send((is_console, piece[..length].to_vec())).is_err() {
                return;
            }
        }
    });
}

fn watch(
    said: &Receiver<(bool, Vec<u8>)>,
    sign: &str,
    stopped: &dyn Fn() -> bool,
) -> Result<(), NoKvm> {
    let (mut console, mut errors) = (String::new(), String::new());
    let began = Instant::now();
    while began.elapsed() < TRIAL {
        if stopped() {
            return Err(NoKvm::Stopped);
        }
        match said.recv_timeout(LOOK) {
            Ok((true, piece)) => console.push_str(&String::from_utf8_lossy(&piece)),
            Ok((false, piece)) => errors.push_str(&String::from_utf8_lossy(&piece)),
            Err(RecvTimeoutError::Timeout) => continue,
            // It has ended.
            Err(RecvTimeoutError::Disconnected) => return Err(NoKvm::Because(reason(&errors))),
        }
        if console.contains(sign) {
            return Ok(());
        }
        if errors.contains(STUCK) {
            return Err(NoKvm::Because(
                "the processor can't run the firmware".to_owned(),
            ));
        }
    }
    let seconds = TRIAL.as_secs();
    Err(NoKvm::Because(format!(
        "the firmware said nothing within {seconds} s"
    )))
}

/// What QEMU gave as its reason: its first line that is no warning.
#[must_use]
pub fn reason(errors: &str) -> String {
    let mut lines = errors.lines().filter(|line| !line.contains(": warning: "));
    let first = lines.find(|line| !line.trim().is_empty());
    let first = first.unwrap_or("QEMU ended");
    let told = match first.split_once(": ") {
        Some((program, rest)) if program.contains("qemu-system") => rest,
        _ => first,
    };
    told.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_what_is_no_warning() {
        let said = "qemu-system-x86_64: warning: host doesn't support requested feature\n\
                    qemu-system-x86_64: Could not access KVM kernel module: No such file or directory\n\
                    qemu-system-x86_64: failed to initialize kvm: No such file or directory\n";
        let why = "Could not access KVM kernel module: No such file or directory";
        assert_eq!(reason(said), why);
        assert_eq!(reason(""), "QEMU ended");
    }

    #[test]
    fn a_trial_ends_at_the_first_sign() {
        let seen = |pieces: &[(bool, &str)]| {
            let (sender, said) = channel();
            for (is_console, text) in pieces {
                let sent = sender.send((*is_console, text.as_bytes().to_vec()));
                assert!(sent.is_ok());
            }
            drop(sender);
            watch(&said, "Booting", &|| false)
        };
        assert_eq!(seen(&[(true, "Boo"), (true, "ting")]), Ok(()));
        let stuck = seen(&[
            (false, "KVM internal error. Suberror: 1\n"),
            (true, "Booting"),
        ]);
        let Err(NoKvm::Because(why)) = stuck else {
            panic!("it goes on");
        };
        assert!(why.contains("can't run the firmware"));
        let ended = seen(&[(false, "qemu-system-x86_64: no such machine\n")]);
        assert_eq!(ended, Err(NoKvm::Because("no such machine".to_owned())));
    }
}
