//! Under sudo: the part that runs as the user, in a process of its own that has nothing of root but the open drive.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::super::{Failure, Outcome};
use super::Target;
use crate::invoker::Invoker;
use crate::stick::{Roots, device};
use crate::ui::{Held, exit_code, signal};

/// Where plugins are looked for, after the folders that the user names. What sudo puts into PATH is for root.
const PATH: &str = "/usr/bin:/usr/local/bin";

/// Names folders with plugins.
const PLUGIN_PATH: &str = "EPHEMEROS_PLUGIN_PATH";

/// How often it is looked whether the process has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Runs this command once more as the user, with the drive as its standard input, and waits for it.
pub(super) fn run(user: &Invoker, drive: &File) -> Result<Outcome, Failure> {
    // Whatever ends this process must not leave the other one alone.
    let _held = Held::begin();
    let ran = start(user, drive).and_then(wait);
    let status = ran.map_err(|error| {
        Failure::problem(
            format!("can't go on as {}: {error}", user.name),
            Some("run it as root without sudo: root's own keys and git settings are used then"),
        )
    })?;
    if status.success() {
        return Ok(Outcome::Done);
    }
    Err(match status.code() {
        Some(code) => Failure::Ended(u8::try_from(code).unwrap_or(1)),
        None => Failure::problem(
            format!("what ran as {} was ended: {status}", user.name),
            Some("flash the drive again: as it is now, nothing may boot from it"),
        ),
    })
}

fn start(user: &Invoker, drive: &File) -> io::Result<Child> {
    let mut args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let end = args.iter().position(|arg| arg == "--");
    args.insert(end.unwrap_or(args.len()), "--opened".into());
    let named = std::env::var_os(PLUGIN_PATH).filter(|named| !named.is_empty());
    let mut path = named.map_or_else(OsString::new, |mut named| {
        named.push(":");
        named
    });
    path.push(PATH);
    let mut command = Command::new("/proc/self/exe");
    command
        .args(args)
        .env("PATH", path)
        .stdin(Stdio::from(drive.try_clone()?));
    user.spawn(command)
}

/// Waits. The terminal sends Ctrl-C to both processes; what is sent to this one alone is passed on.
fn wait(mut child: Child) -> io::Result<ExitStatus> {
    let mut passed = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        let sent = [Signal::TERM, Signal::HUP]
            .into_iter()
            .find(|it| exit_code(signal()) == 128 + it.as_raw());
        if let (false, Some(sent), Some(pid)) = (passed, sent, pid(&child)) {
            // It may have ended just now.
            let _ = kill_process(pid, sent);
            passed = true;
        }
        std::thread::sleep(LOOK);
    }
}

fn pid(child: &Child) -> Option<Pid> {
    Pid::from_raw(i32::try_from(child.id()).ok()?)
}

/// The drive that root opened, in the process of the user.
pub(super) fn handed_over<'a>(roots: &'a Roots, path: &Path) -> Result<Target<'a>, Failure> {
    let stdin = io::stdin().as_fd().try_clone_to_owned();
    let file = File::from(stdin.map_err(Failure::from)?);
    let device = device(roots, path);
    let device = device.map_err(|never| Failure::problem(&never, Some(&never.help())))?;
    Ok(Target {
        file,
        device,
        roots,
    })
}
