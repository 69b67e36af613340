//! Fetching, by the `git` program: with the user's credentials, proxies and settings.

use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::forge::without_credentials;
use crate::invoker::Invoker;

/// Why nothing was fetched. What `git` said is in it, without credentials.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It can't be run.
    #[error("can't run `git`: {0}")]
    Absent(io::Error),
    /// It did not do it.
    #[error("`git fetch {remote} {branch}` failed: {said}")]
    Failed {
        /// From which remote.
        remote: String,
        /// Which branch.
        branch: String,
        /// In its own words.
        said: String,
    },
}

/// Brings the remote-tracking branch up to date, whatever the clone fetches by itself. `depth` is how many commits are
/// enough, where the whole history is not wanted.
///
/// # Errors
/// There is no `git`, or it refuses.
pub fn fetch(
    root: &Path,
    invoker: Option<&Invoker>,
    remote: &str,
    branch: &str,
    depth: Option<u32>,
) -> Result<(), FetchError> {
    let mut git = Command::new("git");
    git.arg("-C").arg(root);
    git.args(["fetch", "--quiet", "--no-tags"]);
    if let Some(depth) = depth {
        git.arg(format!("--depth={depth}"));
    }
    git.args(["--", remote])
        .arg(format!(
            "+refs/heads/{branch}:refs/remotes/{remote}/{branch}"
        ))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ran = output(git, invoker).map_err(FetchError::Absent)?;
    if ran.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ran.stderr);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    Err(FetchError::Failed {
        remote: remote.to_owned(),
        branch: branch.to_owned(),
        said: hide_credentials(&said),
    })
}

/// Under sudo the credentials are the invoking user's, and so is what is written.
fn output(mut git: Command, invoker: Option<&Invoker>) -> io::Result<Output> {
    let child = match invoker {
        Some(invoker) => invoker.spawn(git)?,
        None => git.spawn()?,
    };
    child.wait_with_output()
}

/// A text in which no URL holds credentials.
fn hide_credentials(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let before =
            rest[..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let ends = |c: char| c.is_whitespace() || "'\"`<>".contains(c);
        let end = rest[at..].find(ends).map_or(rest.len(), |end| at + end);
        shown += before;
        shown += &without_credentials(&rest[before.len()..end]);
        rest = &rest[end..];
    }
    shown + rest
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::git::sandbox::Sandbox;

    #[test]
    fn a_branch_that_the_clone_does_not_follow_is_fetched() {
        let sandbox = Sandbox::with(&["a"]);
        sandbox.git("fleet", &["branch", "live"]);
        let origin = sandbox.path("fleet");
        let origin = format!("file://{}", origin.display());
        let clone = [
            "clone",
            "-q",
            "--depth=1",
            "--branch=main",
            &origin,
            "clone",
        ];
        sandbox.git(".", &clone);
        let root = sandbox.path("clone");
        assert_eq!(
            sandbox.open("clone").tracking("origin", "live").unwrap(),
            None
        );
        fetch(&root, None, "origin", "live", Some(1)).unwrap();
        let head = sandbox.git("fleet", &["rev-parse", "live"]);
        let found = sandbox.open("clone").tracking("origin", "live").unwrap();
        assert_eq!(found.unwrap().to_string(), head);
        // Another history is taken too: nodes fetch what is there, not what was.
        sandbox.git("fleet", &["checkout", "-q", "live"]);
        sandbox.git("fleet", &["commit", "-q", "--amend", "--message=other"]);
        let other = sandbox.git("fleet", &["rev-parse", "live"]);
        fetch(&root, None, "origin", "live", None).unwrap();
        let found = sandbox.open("clone").tracking("origin", "live").unwrap();
        assert_eq!(found.unwrap().to_string(), other);
    }

    #[test]
    fn what_git_says_is_told() {
        let sandbox = Sandbox::with(&["a"]);
        let nowhere = ["remote", "add", "origin", "/nowhere.git"];
        sandbox.git("fleet", &nowhere);
        let error = fetch(&sandbox.path("fleet"), None, "origin", "main", None);
        let error = error.unwrap_err().to_string();
        assert!(
            error.starts_with("`git fetch origin main` failed: "),
            "{error}"
        );
        assert!(error.contains("/nowhere.git"), "{error}");
    }

    #[test]
    fn no_url_shows_credentials() {
        let hidden = |text: &str| hide_credentials(text);
        assert_eq!(
            hidden("fatal: unable to access 'https://me:hunter2@h.example/a.git/': no"),
            "fatal: unable to access 'https://h.example/a.git/': no"
        );
        assert_eq!(
            hidden("https://tok@h/a and http://u:p@i/b?token=x end"),
            "https://h/a and http://i/b end"
        );
        assert_eq!(hidden("ssh://git@h/a: no"), "ssh://git@h/a: no");
    }
}
