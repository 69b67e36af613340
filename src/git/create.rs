//! A new repository, made by the `git` program as its user has set it up.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::invoker::Invoker;

/// The first branch where git's settings name none.
const BRANCH: &str = "main";

/// Why there is no repository. What `git` said is in it.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// It can't be run.
    #[error("can't run `git`: {0}")]
    Absent(#[source] io::Error),
    /// It did not do it.
    #[error("`git init` failed: {said}")]
    Failed {
        /// In its own words.
        said: String,
    },
}

/// The branch that a new repository begins with: `init.defaultBranch`, else `main`.
#[must_use]
pub fn first_branch(invoker: Option<&Invoker>) -> String {
    let mut git = Command::new("git");
    git.args(["config", "--get", "init.defaultBranch"]);
    let said = run(git, invoker).ok().filter(|it| it.status.success());
    let branch = said.and_then(|it| String::from_utf8(it.stdout).ok());
    let branch = branch.as_deref().map(str::trim).filter(|it| {
        let name = format!("refs/heads/{it}");
        git2::Reference::is_valid_name(&name)
    });
    branch.unwrap_or(BRANCH).to_owned()
}

/// Makes a folder that is there a repository, which belongs to the invoker where there is one.
///
/// # Errors
/// There is no `git`, or it refuses.
pub fn create(folder: &Path, branch: &str, invoker: Option<&Invoker>) -> Result<(), CreateError> {
    let mut git = Command::new("git");
    git.args(["init", "--quiet"])
        .arg(format!("--initial-branch={branch}"))
        .arg("--")
        .arg(folder);
    let ran = run(git, invoker).map_err(CreateError::Absent)?;
    if ran.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ran.stderr);
    Err(CreateError::Failed {
        said: said.split_whitespace().collect::<Vec<_>>().join(" "),
    })
}

fn run(mut git: Command, invoker: Option<&Invoker>) -> io::Result<Output> {
    git.stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = match invoker {
        Some(invoker) => invoker.spawn(git)?,
        None => git.spawn()?,
    };
    child.wait_with_output()
}
