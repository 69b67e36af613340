//! Commits of some files of the work tree.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Program, ProgramError, split_zero_ended, zero_ended};
use crate::progress::Silent;

/// Paths that fit beside each other on a command line.
const AT_ONCE: usize = 1000;

/// Commits some files as they are on disk, those that are no more too, whatever else is staged; gives what git and the
/// hooks had to say. Where there is nothing new in them there is no commit, and `None`. When it fails nothing is staged
/// that was not before.
///
/// # Errors
/// There is no `git`, or it refuses.
pub fn commit(
    program: &Program,
    paths: &[String],
    message: &str,
) -> Result<Option<String>, ProgramError> {
    let tracked = tracked(program, paths)?;
    let is_there = |path: &String| program.folder.join(path).symlink_metadata().is_ok();
    let new: Vec<&String> = paths
        .iter()
        .filter(|path| !tracked.contains(*path) && is_there(path))
        .collect();
    let known = paths.iter().filter(|path| tracked.contains(*path));
    let all: Vec<&String> = known.chain(new.iter().copied()).collect();
    if all.is_empty() {
        return Ok(None);
    }
    // Git commits by path only what it tracks.
    let done = add(program, &new).and_then(|()| commit_tracked(program, &all, message));
    if !matches!(done, Ok(Some(_))) && !new.is_empty() {
        // Also where the user stopped it.
        let program = Program::new(program.folder, &Silent);
        let reset = program.call("reset").args(["--quiet"]).args(FROM_STDIN);
        let reset = reset.input(zero_ended(new)).run();
        if done.is_ok() {
            reset?;
        }
    }
    done
}

/// Takes the paths from standard input.
const FROM_STDIN: [&str; 2] = ["--pathspec-from-file=-", "--pathspec-file-nul"];

fn add(program: &Program, new: &[&String]) -> Result<(), ProgramError> {
    if new.is_empty() {
        return Ok(());
    }
    let add = program
        .call("add")
        .args(["--intent-to-add"])
        .args(FROM_STDIN);
    let added = add.input(zero_ended(new.iter().copied())).run();
    added.map(drop)
}

fn commit_tracked(
    program: &Program,
    paths: &[&String],
    message: &str,
) -> Result<Option<String>, ProgramError> {
    let differs = |some: &[&String]| {
        let diff = program.call("diff").args(["--quiet", "HEAD", "--"]);
        diff.args(some).ask().map(|said| said.code != Some(0))
    };
    let mut is_new = false;
    for some in paths.chunks(AT_ONCE) {
        is_new = is_new || differs(some)?;
    }
    if !is_new {
        return Ok(None);
    }
    let commit = program.call("commit");
    let commit = commit.args(["--quiet", "--message", message, "--only"]);
    let commit = commit.args(FROM_STDIN);
    let said = commit.input(zero_ended(paths.iter().copied())).run()?;
    Ok(Some(said.remarks()))
}

/// Those of the paths that are in the index.
fn tracked(program: &Program, paths: &[String]) -> Result<BTreeSet<String>, ProgramError> {
    let folder = |path: &String| Path::new(path).parent().map(Path::to_owned);
    let folders: BTreeSet<_> = paths.iter().filter_map(folder).collect();
    let list = program.call("ls-files").args(["-z", "--"]);
    let list = list.args(folders.iter().map(|folder| Path::new(".").join(folder)));
    Ok(split_zero_ended(&list.run()?.stdout).collect())
}

/// The paths whose change the next commit would take, relative to the work tree's root.
///
/// # Errors
/// There is no `git`, or it refuses.
pub fn staged(program: &Program) -> Result<Vec<String>, ProgramError> {
    let diff = program.call("diff");
    let diff = diff.args([
        "--cached",
        "--name-only",
        "--no-renames",
        "--no-relative",
        "-z",
    ]);
    Ok(split_zero_ended(&diff.run()?.stdout).collect())
}

/// Whether the user has said in whose name to commit. What git would guess does not count.
///
/// # Errors
/// There is no `git`.
pub fn has_author(program: &Program) -> Result<bool, ProgramError> {
    for who in ["GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"] {
        let ask = program.call_with(Some("user.useConfigOnly=true"), "var");
        let said = ask.args([who]).ask()?;
        if said.code != Some(0) || said.text().contains(" <> ") {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::git::sandbox::Sandbox;

    fn sandbox() -> Sandbox {
        let sandbox = Sandbox::with(&["a", "d"]);
        for (name, value) in [("user.name", "Ada"), ("user.email", "ada@example.org")] {
            sandbox.git("fleet", &["config", name, value]);
        }
        sandbox
    }

    fn commits(sandbox: &Sandbox, paths: &[&str]) -> Result<Option<String>, ProgramError> {
        let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
        let root = sandbox.path("fleet");
        commit(&Program::new(&root, &Silent), &paths, "Record it")
    }

    #[test]
    fn commits_these_files_and_nothing_else() {
        let sandbox = sandbox();
        for name in ["a", "b", "c"] {
            sandbox.write(&format!("fleet/{name}"), "new");
        }
        sandbox.git("fleet", &["add", "c"]);
        std::fs::remove_file(sandbox.path("fleet/d")).unwrap();
        let paths = ["a", "b", "d", "never there"];
        assert!(commits(&sandbox, &paths).unwrap().is_some());
        let show = ["show", "--format=%s", "--name-only"];
        assert_eq!(sandbox.git("fleet", &show), "Record it\n\na\nb\nd");
        assert_eq!(sandbox.git("fleet", &["status", "--short"]), "A  c");
        // A second time there is nothing to do.
        assert!(commits(&sandbox, &paths).unwrap().is_none());
        assert_eq!(sandbox.git("fleet", &["rev-list", "--count", "HEAD"]), "2");
    }

    #[test]
    fn a_commit_that_a_hook_refuses_leaves_nothing_staged() {
        let sandbox = sandbox();
        let hook = "fleet/.git/hooks/pre-commit";
        sandbox.write(hook, "#!/bin/sh\necho no >&2\necho 'not  today'\nexit 1\n");
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(sandbox.path(hook), executable).unwrap();
        for name in ["a", "b", "c"] {
            sandbox.write(&format!("fleet/{name}"), "new");
        }
        sandbox.git("fleet", &["add", "c"]);
        let error = commits(&sandbox, &["a", "b"]).unwrap_err();
        assert_eq!(error.to_string(), "`git commit` failed: no not today");
        let status = sandbox.git("fleet", &["status", "--short"]);
        assert_eq!(status, " M a\nA  c\n?? b");
    }

    #[test]
    fn what_git_says_is_told() {
        let sandbox = sandbox();
        sandbox.write("fleet/.git/index.lock", "");
        sandbox.write("fleet/b", "new");
        let error = commits(&sandbox, &["b"]).unwrap_err().to_string();
        assert!(error.starts_with("`git add` failed: "), "{error}");
        assert!(error.contains("index.lock"), "{error}");
    }

    #[test]
    fn only_a_name_that_was_configured_is_one() {
        let sandbox = Sandbox::with(&["a"]);
        let root = sandbox.path("fleet");
        let program = Program::new(&root, &Silent);
        sandbox.git("fleet", &["config", "user.name", "Ada"]);
        sandbox.git("fleet", &["config", "user.email", ""]);
        assert!(!has_author(&program).unwrap());
        sandbox.git("fleet", &["config", "user.email", "ada@example.org"]);
        assert!(has_author(&program).unwrap());
    }
}
