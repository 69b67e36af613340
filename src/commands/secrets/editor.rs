//! The user's editor, run as git runs it.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::commands::Failure;
use crate::progress::Progress as _;
use crate::ui::{Held, Ui};

/// How often it is asked whether the editor is done.
const LOOK: Duration = Duration::from_millis(20);

/// How long an editor may take to end when it is told to.
const GRACE: Duration = Duration::from_secs(5);

/// What a shell makes of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Opens a file in the editor, and waits until that is closed. A signal that ends the tool ends the editor first.
pub(super) fn run(path: &Path, held: &Held, ui: &Ui) -> Result<(), Failure> {
    let program = program();
    let name = program.to_string_lossy().into_owned();
    let failed = |why: String| {
        Failure::problem(
            format!("the editor `{name}` failed: {why}"),
            Some("nothing was written; VISUAL or EDITOR names another editor"),
        )
    };
    let before = tcgetattr(io::stdin()).ok();
    let status = held.lend_terminal(|| {
        let mut child = start(&program, path)?;
        wait(&mut child, ui)
    });
    let status = status.map_err(|error| failed(error.to_string()))?;
    if status.success() && !ui.stopped() {
        return Ok(());
    }
    // One that was ended did not put the terminal back.
    if let Some(before) = before {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
    if status.signal() == Some(Signal::INT.as_raw()) || status.code() == Some(INTERRUPTED) {
        held.interrupt();
    }
    if ui.stopped() {
        return Err(Failure::Stopped);
    }
    Err(failed(status.to_string()))
}

fn program() -> OsString {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("VISUAL")
        .or_else(|| set("EDITOR"))
        .unwrap_or_else(|| "vi".into())
}

/// Through a shell, since an editor may be named with options: `code --wait`. The shell itself passes over Ctrl-C, or it
/// would be gone before the editor is.
fn start(program: &OsString, path: &Path) -> io::Result<Child> {
    let mut script = OsString::from("trap : INT QUIT; ");
    script.push(program);
    script.push(" \"$@\"");
    // Results alone go to standard output.
    let stdout = if io::stdout().is_terminal() {
        Stdio::inherit()
    } else {
        io::stderr().as_fd().try_clone_to_owned()?.into()
    };
    Command::new("sh")
        .arg("-c")
        .arg(script)
        .arg(program)
        .arg(path)
        .stdout(stdout)
        .spawn()
}

fn wait(child: &mut Child, ui: &Ui) -> io::Result<ExitStatus> {
    let mut told: Option<(Instant, Vec<Pid>)> = None;
    loop {
        let status = child.try_wait()?;
        match (&told, status) {
            (None, Some(status)) => return Ok(status),
            (None, None) if ui.stopped() => {
                let all = family(Pid::from_child(child));
                send(&all, Signal::TERM);
                told = Some((Instant::now(), all));
            }
            (Some((_, all)), Some(status)) if !all.iter().any(|pid| is_alive(*pid)) => {
                return Ok(status);
            }
            (Some((since, all)), _) if since.elapsed() > GRACE => {
                send(all, Signal::KILL);
                return child.wait();
            }
            _ => {}
        }
        std::thread::sleep(LOOK);
    }
}

/// A process and all that came of it: a signal to the shell alone would leave the editor behind.
fn family(first: Pid) -> Vec<Pid> {
    let mut all = vec![first];
    let mut next = 0;
    while let Some(pid) = all.get(next).map(|pid| pid.as_raw_pid()) {
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        let children = children.split_whitespace();
        all.extend(children.filter_map(|pid| Pid::from_raw(pid.parse().ok()?)));
        next += 1;
    }
    all
}

fn send(all: &[Pid], signal: Signal) {
    for pid in all {
        // It may have ended by itself.
        let _ = kill_process(*pid, signal);
    }
}

/// Whether it still runs, see `proc_pid_stat(5)`. One that has ended may wait for its parent for long.
fn is_alive(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid()));
    stat.is_ok_and(|stat| {
        let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
        state.is_some_and(|state| !state.starts_with(['Z', 'X']))
    })
}
