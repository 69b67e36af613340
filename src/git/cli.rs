//! The `git` program, for what it alone does as the user has set it up: committing and going over the network, with
//! hooks, signatures, credentials and the user's name.

use std::io::{self, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::forge::without_credentials;
use crate::invoker::Invoker;
use crate::progress::Progress;

pub mod commit;
pub mod create;
pub mod push;
pub mod tree;

/// How often it is looked whether the program has ended.
const LOOK: Duration = Duration::from_millis(5);

/// By how much a signal may come later to one process than to another.
const GRACE: Duration = Duration::from_millis(20);

/// By these git would work on another repository than the one it is run in: a hook that runs this tool sets some.
const ELSEWHERE: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// Why git did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It can't be run.
    #[error("can't run `git`: {0}")]
    Absent(io::Error),
    /// It refused, or failed.
    #[error("`git {command}` failed: {}", said.split_whitespace().collect::<Vec<_>>().join(" "))]
    Failed {
        /// The subcommand.
        command: &'static str,
        /// In its own words, and in those of the hooks. It holds no credentials.
        said: String,
    },
    /// The user stopped it.
    #[error("`git {command}` was stopped")]
    Stopped {
        /// The subcommand.
        command: &'static str,
    },
}

/// The program, run in a folder of a work tree; under sudo as the user who called that.
pub struct Program<'a> {
    folder: &'a Path,
    user: Option<Invoker>,
    progress: &'a dyn Progress,
}

/// What it said.
struct Said {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// A run of it, in the making.
struct Call<'a> {
    program: &'a Program<'a>,
    name: &'static str,
    command: Command,
    input: Vec<u8>,
}

impl<'a> Program<'a> {
    /// In this folder. It is ended when the progress is stopped.
    #[must_use]
    pub fn new(folder: &'a Path, progress: &'a dyn Progress) -> Self {
        Self {
            folder,
            user: Invoker::detect(),
            progress,
        }
    }

    fn call(&self, name: &'static str) -> Call<'_> {
        self.call_with(None, name)
    }

    /// As [`Program::call`], with a setting for this once.
    fn call_with(&self, setting: Option<&str>, name: &'static str) -> Call<'_> {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.folder);
        // Paths are paths, whatever is in them.
        command.arg("--literal-pathspecs");
        if let Some(setting) = setting {
            command.args(["-c", setting]);
        }
        command.arg(name);
        for name in ELSEWHERE {
            command.env_remove(name);
        }
        Call {
            program: self,
            name,
            command,
            input: Vec::new(),
        }
    }
}

impl Call<'_> {
    fn args<T: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.command.args(args);
        self
    }

    /// What it reads.
    fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Another index than the user's.
    fn index(mut self, path: &Path) -> Self {
        self.command.env("GIT_INDEX_FILE", path);
        self
    }

    /// Runs it; that it fails is an error.
    fn run(self) -> Result<Said, ProgramError> {
        let command = self.name;
        let said = self.ask()?;
        match said.code {
            Some(0) => Ok(said),
            _ => Err(said.failed(command)),
        }
    }

    /// Runs it, however it ends.
    fn ask(mut self) -> Result<Said, ProgramError> {
        let progress = self.program.progress;
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = match &self.program.user {
            Some(user) => user.spawn(self.command),
            None => self.command.spawn(),
        };
        let said = child.and_then(|child| wait(child, self.input, progress));
        match said.map_err(ProgramError::Absent)? {
            Some(said) => Ok(said),
            None => Err(ProgramError::Stopped { command: self.name }),
        }
    }
}

impl Said {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }

    /// What it told the user: its own words, and those of hooks and of the other side.
    fn remarks(&self) -> String {
        let said = hide_credentials(&String::from_utf8_lossy(&self.stderr));
        // What comes from the other side is filled up to wipe out a line of progress.
        let lines: Vec<&str> = said.lines().map(str::trim_end).collect();
        lines.join("\n").trim_end().to_owned()
    }

    fn failed(mut self, command: &'static str) -> ProgramError {
        self.stderr.append(&mut self.stdout);
        ProgramError::Failed {
            command,
            said: self.remarks(),
        }
    }
}

/// Waits; `None` where the user stopped it. Ctrl-C reaches it at the terminal too; what is sent to this process alone is
/// passed on.
fn wait(mut child: Child, input: Vec<u8>, progress: &dyn Progress) -> io::Result<Option<Said>> {
    if let Some(mut stdin) = child.stdin.take() {
        // It may end before it has read all.
        thread::spawn(move || drop(stdin.write_all(&input)));
    }
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let mut stopped = false;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if progress.stopped() && !stopped {
            stopped = true;
            let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            // It may have ended just now.
            let _ = pid.map(|pid| kill_process(pid, Signal::TERM));
        }
        thread::sleep(LOOK);
    };
    if !status.success() {
        // By a Ctrl-C of which this process is about to hear, maybe.
        thread::sleep(GRACE);
    }
    if stopped || progress.stopped() {
        // A hook may live on and hold the other ends.
        return Ok(None);
    }
    let whole = |part: JoinHandle<Vec<u8>>| part.join().unwrap_or_default();
    Ok(Some(Said {
        code: status.code(),
        stdout: whole(stdout),
        stderr: whole(stderr),
    }))
}

fn collect(from: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        if let Some(mut from) = from {
            let _ = from.read_to_end(&mut all);
        }
        all
    })
}

/// A text in which no URL holds credentials.
fn hide_credentials(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let before = rest[..at].trim_end_matches(is_scheme);
        let ends = |c: char| c.is_whitespace() || "'\"`<>".contains(c);
        let end = rest[at..].find(ends).map_or(rest.len(), |end| at + end);
        shown += before;
        shown += &without_credentials(&rest[before.len()..end]);
        rest = &rest[end..];
    }
    shown + rest
}

/// Paths as git reads them from its standard input.
fn zero_ended<'a>(paths: impl IntoIterator<Item = &'a String>) -> Vec<u8> {
    let mut list = Vec::new();
    for path in paths {
        list.extend(path.as_bytes());
        list.push(0);
    }
    list
}

/// What git wrote so.
fn split_zero_ended(list: &[u8]) -> impl Iterator<Item = String> {
    let paths = list
        .split(|byte| *byte == 0)
        .filter(|path| !path.is_empty());
    paths.map(|path| String::from_utf8_lossy(path).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_is_told_without_credentials() {
        for (said, told) in [
            (
                "fatal: unable to access 'https://me:tok@en@git.example/a': no",
                "fatal: unable to access 'https://git.example/a': no",
            ),
            (
                "To https://git.example/a@b.git\n",
                "To https://git.example/a@b.git\n",
            ),
            (
                "https://tok@h/a and http://u:p@i/b?token=x end",
                "https://h/a and http://i/b end",
            ),
            ("ssh://git@h/a: no", "ssh://git@h/a: no"),
            ("nothing: at all @ here ://", "nothing: at all @ here ://"),
        ] {
            assert_eq!(hide_credentials(said), told);
        }
    }
}
