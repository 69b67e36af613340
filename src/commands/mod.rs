//! The commands, one file each: what the library gives, put together and shown.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::{Cli, Command};
use crate::diagnostic::{Diagnostic, Folded, Label, fold};
use crate::fleet::files::{Folder, Unreadable};
use crate::fleet::manifest::Manifest;
use crate::fleet::node::{Fleet, Node};
use crate::fleet::resolve::resolve;
use crate::fleet::root;
use crate::fleet::select::{NoSuchNode, select};
use crate::git::{self, repo::Repo};
use crate::invoker::Invoker;
use crate::progress::Stopped;
use crate::render::engine::Engine;
use crate::render::rendered::Rendered;
use crate::stick::SaveError;
use crate::ui::Ui;
use crate::write::{Lock, WriteError};

mod check;
mod config_file;
mod config_output;
mod destination;
mod identities;
mod image;
mod import;
mod inspect;
mod merge;
mod plan;
mod plan_text;
mod published;
mod render;
mod secrets;
mod show;
mod stick_inputs;
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

/// Runs the command.
///
/// # Errors
/// How it failed; what is to be said of it is in the failure or was said.
pub fn run(cli: &Cli, ui: &Ui) -> Result<Outcome, Failure> {
    let start = cli.global.directory.as_deref().unwrap_or(Path::new("."));
    match &cli.command {
        Command::Plan(args) => plan::run(args, start, ui),
        Command::Render(args) => render::run(args, start, ui),
        Command::Show(args) => show::run(args, start, ui),
        Command::Check => check::run(start, ui),
        Command::Image(args) => image::run(args, start, ui),
        Command::Inspect(args) => inspect::run(args, ui),
        Command::Import(args) => import::run(args, ui),
        Command::Secrets(args) => secrets::run(args, start, ui),
        Command::Transpile(args) => transpile::run(args, ui),
        Command::Validate(args) => validate::run(args, ui),
        Command::Merge(args) => merge::run(args, ui),
    }
}

/// A fleet that was read and resolved, with the mistakes found so far.
struct Loaded {
    manifest: Manifest,
    fleet: Fleet,
    diagnostics: Vec<Diagnostic>,
    repo: Option<Repo>,
}

/// Reads and resolves the fleet that holds `start`.
fn load(start: &Path, ui: &Ui) -> Result<Loaded, Failure> {
    let root = find_root(start)?;
    let (manifest, mut diagnostics) = Manifest::read(&root, &Folder(root.clone()))?;
    let Some(manifest) = manifest else {
        return Err(fail(ui, diagnostics));
    };
    let (mut fleet, mistakes) = resolve(&manifest);
    // A value of a wrong type counts as none, and that this one is no good either is nothing new.
    let told: Vec<Label> = diagnostics
        .iter()
        .filter_map(|it| it.labels.first().cloned())
        .collect();
    let new = |mistake: &Diagnostic| mistake.labels.first().is_none_or(|at| !told.contains(at));
    diagnostics.extend(mistakes.into_iter().filter(new));
    let repo = git::repo::open(&root, Invoker::detect().as_ref())?;
    if let Some(repo) = &repo {
        repo.prefix().clone_into(&mut fleet.prefix);
    }
    Ok(Loaded {
        manifest,
        fleet,
        diagnostics,
        repo,
    })
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

impl Loaded {
    /// The nodes that the patterns name.
    fn select(&self, patterns: &[String]) -> Result<Vec<&Node>, Vec<NoSuchNode>> {
        select(&self.fleet, patterns)
    }

    /// The node of that name.
    fn node(&self, name: &str) -> Result<&Node, Failure> {
        let node = self.fleet.node(name);
        node.ok_or_else(|| Failure::problem(format!("no node fits `{name}`"), None))
    }

    /// Renders nodes. The warnings are shown; with an error in anything, all is shown and it fails.
    fn render(&mut self, patterns: &[String], ui: &Ui) -> Result<Vec<Rendered>, Failure> {
        let engine = self.engine()?;
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        // A node with a mistake is not in the fleet: that nobody fits then says nothing new.
        let faulty = diagnostics.iter().any(Diagnostic::is_error);
        let nodes = match self.select(patterns) {
            Ok(nodes) => nodes,
            Err(_) if faulty => Vec::new(),
            Err(unmatched) => return Err(unmatched.into()),
        };
        let (rendered, mistakes) = crate::render::all::render(&self.fleet, &nodes, &engine, ui)?;
        diagnostics.extend(mistakes);
        if diagnostics.iter().any(Diagnostic::is_error) {
            return Err(fail(ui, diagnostics));
        }
        let asked: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        diagnostics.retain(|it| it.node.as_deref().is_none_or(|node| asked.contains(&node)));
        self.diagnostics.clone_from(&diagnostics);
        ui.mistakes(diagnostics);
        Ok(rendered)
    }

    /// Renders the one node that a name or pattern fits; the result is its name, too.
    fn render_one(&mut self, pattern: &str, ui: &Ui) -> Result<(String, Rendered), Failure> {
        let patterns = [pattern.to_owned()];
        if let Ok(nodes) = self.select(&patterns)
            && nodes.len() > 1
        {
            return Err(Failure::Usage {
                message: format!("`{pattern}` fits {} nodes", nodes.len()),
                help: "name one".to_owned(),
            });
        }
        // With a mistake in the node, rendering it tells what is wrong.
        let rendered = self.render(&patterns, ui)?.pop();
        let rendered =
            rendered.ok_or_else(|| Failure::problem(format!("no node fits `{pattern}`"), None))?;
        Ok((rendered.node.clone(), rendered))
    }

    /// Warns where nodes can't be told where to fetch.
    fn warn_of_url(&mut self) {
        let warning = published::warning(&self.fleet, self.repo.as_ref());
        self.diagnostics.extend(warning);
    }

    fn engine(&self) -> Result<Engine, Unreadable> {
        let files = Folder(self.fleet.root.clone());
        Engine::read(&files, &[("boot.ipxe", crate::ipxe::BODY)])
    }
}

/// The right to write the fleet that holds `start`. It is taken before anything is read.
fn lock(start: &Path, command: &str) -> Result<Lock, Failure> {
    let root = find_root(start)?;
    let path = match git::repo::open(&root, Invoker::detect().as_ref())? {
        Some(repo) => repo.git_dir().join("ephemeros.lock"),
        None => root.join(".ephemeros.lock"),
    };
    Ok(Lock::take(&path, command)?)
}
