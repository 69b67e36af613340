//! Whether there is nothing in the way of a commit, before anything is written.

use super::super::{Failure, Loaded, fail};
use super::destination::Destination;
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::git::cli::{Program, ProgramError, commit};
use crate::git::repo::Repo;
use crate::git::tree::Pending;
use crate::git::{self, ObjectId};
use crate::invoker::Invoker;
use crate::render::rendered::Rendered;
use crate::ui::Ui;

/// What a fleet is rendered from, and its record of sticks, by which a push is judged.
const INPUTS: [&str; 5] = ["fleet.toml", "fleet.lock", "nodes", "templates", "sticks"];

/// How many paths a mistake names.
pub(super) const NAMED: usize = 10;

/// All that a commit needs.
pub(super) struct Ready<'a> {
    pub(super) repo: &'a Repo,
    /// The commit whose files are rendered.
    pub(super) head: ObjectId,
    pub(super) destination: Destination,
    /// Whether HEAD is detached, and the commit is made where it is.
    pub(super) is_on_no_branch: bool,
}

/// Looks at all of it; the mistakes are told together.
pub(super) fn check<'a>(
    args: &cli::Render,
    loaded: &'a Loaded,
    rendered: &[Rendered],
    program: &Program,
    ui: &Ui,
) -> Result<Ready<'a>, Failure> {
    let Some(repo) = &loaded.repo else {
        return Err(Failure::problem(
            "there is no git repository to commit to",
            Some("run `git init`, or leave `--commit` and `--push` out"),
        ));
    };
    if Invoker::is_unknown() {
        return Err(Failure::problem(
            "sudo was called by a user who is not in `/etc/passwd`, so git can't run as that user",
            Some("run it without sudo"),
        ));
    }
    let at = repo.head()?;
    let mut mistakes = Vec::new();
    let Some(head) = at.commit else {
        let error = "there is no commit yet that the rendered files could belong to";
        let error = Diagnostic::error(error.to_owned());
        mistakes.push(error.help("commit the fleet first: `git add --all && git commit`"));
        mistakes.extend(nameless(program)?);
        return Err(fail(ui, mistakes));
    };
    let destination = Destination::find(args, loaded, repo, &at, &mut mistakes)?;
    mistakes.extend(repo.operation().map(unfinished));
    let is_beside = destination.elsewhere.is_some();
    let staged = if is_beside {
        Vec::new()
    } else {
        commit::staged(program)?
    };
    mistakes.extend(already_staged(&staged));
    mistakes.extend(uncommitted(repo, is_beside)?);
    if !is_beside {
        mistakes.extend(ignored(repo, rendered)?);
    }
    mistakes.extend(nameless(program)?);
    if mistakes.is_empty() {
        return Ok(Ready {
            repo,
            head,
            is_on_no_branch: at.branch.is_none() && !is_beside,
            destination,
        });
    }
    Err(fail(ui, mistakes))
}

fn unfinished(operation: &str) -> Diagnostic {
    let article = if operation == "am" { "an" } else { "a" };
    let help = match operation {
        "bisect" => "end it: `git bisect reset`".to_owned(),
        _ => format!("finish it, or leave it: `git {operation} --abort`"),
    };
    Diagnostic::error(format!("git is in the middle of {article} {operation}")).help(help)
}

fn already_staged(paths: &[String]) -> Option<Diagnostic> {
    let named = named(paths)?;
    let error = Diagnostic::error(format!("something is staged already: {named}"));
    Some(error.help("commit it first, or take it back with `git restore --staged .`"))
}

/// What the nodes would be rendered from, and no commit has.
fn uncommitted(repo: &Repo, is_beside: bool) -> Result<Option<Diagnostic>, git::Error> {
    let pending = repo.pending(&INPUTS)?;
    let inputs = pending.into_iter().filter(|(path, how)| {
        // Otherwise it was told that it is staged.
        is_input(path) && (is_beside || *how != Pending::Staged)
    });
    let (ignored, other): (Vec<_>, Vec<_>) = inputs.partition(|(_, how)| *how == Pending::Ignored);
    let all: Vec<String> = other
        .into_iter()
        .chain(ignored)
        .map(|(path, how)| match how {
            Pending::Ignored => format!("{path} (ignored)"),
            Pending::Untracked => format!("{path} (untracked)"),
            _ => path,
        })
        .collect();
    let Some(named) = named(&all) else {
        return Ok(None);
    };
    let error = Diagnostic::error(format!("not committed as it is on disk: {named}"));
    Ok(Some(error.help(
        "commit it first, or take it away: what is rendered has to be what a commit's files come to",
    )))
}

/// Whether anything reads it.
fn is_input(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_hidden = name.starts_with('.');
    match folder {
        "" => true,
        "nodes" | "sticks" => !is_hidden && name.ends_with(".toml"),
        // Editors leave such copies.
        "templates" => !is_hidden && !name.ends_with('~'),
        below => below == "templates/files" || below.starts_with("templates/files/"),
    }
}

/// Rendered files that git is told to leave out.
fn ignored(repo: &Repo, rendered: &[Rendered]) -> Result<Option<Diagnostic>, git::Error> {
    let mut tracked = repo.tracked("ignition")?;
    tracked.extend(repo.tracked("ipxe")?);
    let mut paths = Vec::new();
    for (path, _) in rendered.iter().flat_map(Rendered::files) {
        if !tracked.contains(&path) && repo.is_ignored(&path)? {
            paths.push(path);
        }
    }
    let Some(named) = named(&paths) else {
        return Ok(None);
    };
    let error = Diagnostic::error(format!("git is told to ignore {named}"));
    Ok(Some(error.help(
        "take it out of .gitignore; or let `[git] publish` name another branch for what is rendered",
    )))
}

fn nameless(program: &Program) -> Result<Option<Diagnostic>, ProgramError> {
    if commit::has_author(program)? {
        return Ok(None);
    }
    let error = Diagnostic::error("git does not know in whose name to commit");
    Ok(Some(error.help(
        "git config --global user.name \"Your Name\"\ngit config --global user.email you@example.org",
    )))
}

fn named(paths: &[String]) -> Option<String> {
    let shown = &paths[..paths.len().min(NAMED)];
    let more = paths.len() - shown.len();
    match (shown, more) {
        ([], _) => None,
        (shown, 0) => Some(shown.join(", ")),
        (shown, more) => Some(format!("{}, and {more} more", shown.join(", "))),
    }
}
