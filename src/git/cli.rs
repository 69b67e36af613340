//! What only the `git` program does as the user has set it up: committing, with hooks, signatures and the user's name.

use std::path::Path;
use std::process::Command;

/// Why there is no commit. What `git` said is in it.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// It can't be run.
    #[error("can't run `git`: {0}")]
    Absent(std::io::Error),
    /// It did not do it.
    #[error("`git {command}` failed: {said}")]
    Failed {
        /// The subcommand.
        command: &'static str,
        /// In its own words.
        said: String,
    },
}

/// Commits some files of the work tree at `root`, whatever else is staged. Where they hold nothing new there is no commit.
///
/// # Errors
/// There is no `git`, or it refuses.
pub fn commit(root: &Path, paths: &[String], message: &str) -> Result<(), CommitError> {
    git(root, "add", &["--intent-to-add"], paths)?;
    if git(root, "diff", &["--quiet", "HEAD"], paths).is_ok() {
        return Ok(());
    }
    git(
        root,
        "commit",
        &["--quiet", "--message", message, "--only"],
        paths,
    )
}

fn git(
    root: &Path,
    command: &'static str,
    options: &[&str],
    paths: &[String],
) -> Result<(), CommitError> {
    let ran = Command::new("git")
        .arg("-C")
        .arg(root)
        // Paths are paths, whatever is in them.
        .arg("--literal-pathspecs")
        .arg(command)
        .args(options)
        .arg("--")
        .args(paths)
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(CommitError::Absent)?;
    if ran.status.success() {
        return Ok(());
    }
    let said = [ran.stderr, ran.stdout].concat();
    let said = String::from_utf8_lossy(&said);
    Err(CommitError::Failed {
        command,
        said: said.split_whitespace().collect::<Vec<_>>().join(" "),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::git::sandbox::Sandbox;

    #[test]
    fn commits_these_files_and_nothing_else() {
        let sandbox = Sandbox::with(&["a"]);
        for (name, value) in [("user.name", "Ada"), ("user.email", "ada@example.org")] {
            sandbox.git("fleet", &["config", name, value]);
        }
        for name in ["a", "b", "c"] {
            sandbox.write(&format!("fleet/{name}"), "new");
        }
        sandbox.git("fleet", &["add", "c"]);
        let paths = ["a", "b"].map(str::to_owned);
        let root = sandbox.path("fleet");
        commit(&root, &paths, "Record it").unwrap();
        let show = ["show", "--format=%s", "--name-only"];
        assert_eq!(sandbox.git("fleet", &show), "Record it\n\na\nb");
        assert_eq!(sandbox.git("fleet", &["status", "--short"]), "A  c");
        // A second time there is nothing to do.
        commit(&root, &paths, "Again").unwrap();
        assert_eq!(
            sandbox.git("fleet", &["log", "-1", "--format=%s"]),
            "Record it"
        );
    }

    #[test]
    fn what_git_says_is_told() {
        let sandbox = Sandbox::with(&["a"]);
        let error = commit(&sandbox.path("fleet"), &["none".to_owned()], "x");
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("`git add` failed: "), "{error}");
        assert!(error.contains("none"), "{error}");
    }
}
