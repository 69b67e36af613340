//! The commands, one file each: what the library gives, put together and shown.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use self::loaded::{Loaded, load, load_from, settle};
use crate::cli::{Cli, Command};
use crate::diagnostic::{Diagnostic, Folded, fold};
use crate::fleet::files::Unreadable;
use crate::fleet::root;
use crate::fleet::select::NoSuchNode;
use crate::git::cli::ProgramError;
use crate::git::{self};
use crate::invoker::Invoker;
use crate::progress::Stopped;
use crate::stick::{Roots, SaveError};
use crate::ui::Ui;
use crate::write::{Lock, WriteError};

mod boot;
mod check;
mod comparison;
mod completions;
mod config_file;
mod config_output;
mod destination;
mod devices;
mod devices_text;
mod fetched;
mod flash;
mod identities;
mod image;
mod import;
mod init;
mod inspect;
mod leaks;
mod loaded;
mod lock;
mod lock_changes;
mod lock_wanted;
mod man;
mod markdown;
mod merge;
mod pending;
mod pipeline;
mod plan;
mod plan_live;
mod plan_markdown;
mod plan_text;
mod published;
mod records;
mod render;
mod schema;
mod secrets;
mod serve;
mod serve_text;
mod show;
mod ssh_key;
mod status;
mod status_text;
mod stick_id;
mod stick_inputs;
mod stick_loaders;
mod stick_made;
mod sticks;
mod style;
mod transpile;
mod validate;

/// How a command ended well.
pub enum Outcome {
    /// It did what it was asked.
    Done,
    /// It was asked whether something changes, and something does.
    Changes,
}

/// How a command failed.
pub enum Failure {
    /// The user's files have mistakes, and they were shown. How many.
    Mistakes(usize),
    /// What is wrong was said.
    Said,
    /// The world did not play along.
    Problem {
        /// What happened.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// The command can't be used so.
    Usage {
        /// What is wrong.
        message: String,
        /// What to write.
        help: String,
    },
    /// The user stopped it.
    Stopped,
    /// The part of it that ran as the user ended with this code, and said why.
    Ended(u8),
    /// Nobody reads the results any more.
    ClosedPipe,
}

impl Failure {
    // An error is handed over whole, as in `map_err`.
    #[allow(clippy::needless_pass_by_value)]
    fn problem(message: impl ToString, help: Option<&str>) -> Self {
        Self::Problem {
            message: message.to_string(),
            help: help.map(str::to_owned),
        }
    }
}

impl From<Stopped> for Failure {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        Self::problem(error, Some("check that the file is there and may be read"))
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        let help = match &error {
            WriteError::Locked { .. } => "wait until it is done",
            WriteError::Io { .. } => {
                "no file was changed by half; make room or rights, and run it again"
            }
        };
        Self::problem(&error, Some(help))
    }
}

impl From<SaveError> for Failure {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Write(error) => error.into(),
            SaveError::Stopped(stopped) => stopped.into(),
        }
    }
}

impl From<git::Error> for Failure {
    fn from(error: git::Error) -> Self {
        Self::Problem {
            help: error.help(),
            message: error.to_string(),
        }
    }
}

impl From<ProgramError> for Failure {
    fn from(error: ProgramError) -> Self {
        let help = match &error {
            ProgramError::Absent(_) => {
                "install git: it commits, fetches and pushes as you have set it up"
            }
            ProgramError::Failed { .. } => "see to what git says, and run this again",
            ProgramError::Stopped { .. } => return Self::Stopped,
        };
        Self::problem(&error, Some(help))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::ClosedPipe;
        }
        Self::problem(format!("can't write the result: {error}"), None)
    }
}

impl From<Vec<NoSuchNode>> for Failure {
    fn from(unmatched: Vec<NoSuchNode>) -> Self {
        let lines: Vec<String> = unmatched.iter().map(ToString::to_string).collect();
        Self::problem(lines.join("; "), None)
    }
}

/// Runs the command. `roots` is where drives are looked for.
///
/// # Errors
/// How it failed; what is to be said of it is in the failure or was said.
pub fn run(cli: &Cli, roots: &Roots, ui: &Ui) -> Result<Outcome, Failure> {
    let start = cli.global.directory.as_deref().unwrap_or(Path::new("."));
    match &cli.command {
        Command::Init(args) => init::run(args, start, ui),
        Command::Plan(args) => plan::run(args, start, ui),
        Command::Render(args) => render::run(args, start, ui),
        Command::Show(args) => show::run(args, start, ui),
        Command::Check(args) => check::run(args, start, ui),
        Command::Lock(args) => lock::run(args, start, ui),
        Command::Status(args) => status::run(args, start, ui),
        Command::Devices(args) => devices::run(args, roots, ui),
        Command::Image(args) => image::run(args, start, ui),
        Command::Flash(args) => flash::run(args, start, roots, ui),
        Command::Inspect(args) => inspect::run(args, start, ui),
        Command::Sticks(args) => sticks::run(args, start, ui),
        Command::Boot(args) => boot::run(args, start, ui),
        Command::Serve(args) => serve::run(args, start, ui),
        Command::Import(args) => import::run(args, start, ui),
        Command::Secrets(args) => secrets::run(args, start, ui),
        Command::Transpile(args) => transpile::run(args, ui),
        Command::Validate(args) => validate::run(args, ui),
        Command::Merge(args) => merge::run(args, ui),
        Command::Completions(args) => completions::run(args, ui),
        Command::Man(args) => man::run(args, ui),
        Command::Schema(args) => schema::run(args, ui),
    }
}

fn find_root(start: &Path) -> Result<PathBuf, Failure> {
    root::find(start).map_err(|error| {
        Failure::problem(
            error,
            Some("change into a fleet's folder, or name it with `-C DIR`"),
        )
    })
}

/// The user's home: under sudo that of the invoking user, not root's.
fn home() -> Option<PathBuf> {
    match Invoker::detect() {
        Some(invoker) => Some(invoker.home),
        // A relative one would be the fleet's own folder, where the next commit takes what is put there.
        None => std::env::var_os("HOME")
            .map(PathBuf::from)
            .filter(|home| home.is_absolute()),
    }
}

/// A number of things, in words.
fn count(number: usize, thing: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{s}")
}

/// Shows mistakes; the failure counts the errors among them.
fn fail(ui: &Ui, diagnostics: Vec<Diagnostic>) -> Failure {
    let folded = fold(diagnostics.clone());
    let errors = folded.iter().filter(|one| one.diagnostic.is_error());
    let errors = errors.count();
    if ui.json() {
        let mistakes: Vec<_> = folded.iter().map(Folded::to_json).collect();
        let text = json!({ "format": 1, "mistakes": mistakes });
        if let Err(error) = ui.result(&format!("{text:#}\n")) {
            return error.into();
        }
    }
    ui.mistakes(diagnostics);
    Failure::Mistakes(errors)
}

/// The right to write the fleet that holds `start`. It is taken before anything is read.
fn lock(start: &Path, command: &str) -> Result<Lock, Failure> {
    Ok(Lock::take(&lock_file(start)?, command)?)
}

/// The file of that lock.
fn lock_file(start: &Path) -> Result<PathBuf, Failure> {
    let root = find_root(start)?;
    Ok(match git::repo::open(&root, Invoker::detect().as_ref())? {
        Some(repo) => repo.git_dir().join("ephemeros.lock"),
        None => root.join(".ephemeros.lock"),
    })
}
