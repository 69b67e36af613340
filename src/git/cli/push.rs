//! What goes over the network: which commit a branch of the remote has, fetching it, pushing to it.

use super::{Program, ProgramError};
use crate::git::ObjectId;

/// `git ls-remote --exit-code` found nothing.
const NONE: i32 = 2;

/// How a push ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The branch is there. With what the hooks and the other side had to say.
    Done(String),
    /// Somebody else pushed since: the branch holds commits that this one does not come from.
    Outdated,
}

/// The commit that a branch of the remote has now; `None` where there is no such branch.
///
/// # Errors
/// There is no `git`, or it does not get there.
pub fn tip(
    program: &Program,
    remote: &str,
    branch: &str,
) -> Result<Option<ObjectId>, ProgramError> {
    let name = format!("refs/heads/{branch}");
    let list = program.call("ls-remote");
    let said = list.args(["--exit-code", "--", remote, &name]).ask()?;
    match said.code {
        Some(NONE) => Ok(None),
        Some(0) => {
            let text = said.text();
            // The name is a pattern, which may fit the end of others.
            let mut lines = text.lines().filter_map(|line| line.split_once('\t'));
            let found = lines.find(|(_, found)| *found == name);
            Ok(found.and_then(|(id, _)| ObjectId::from_str(id).ok()))
        }
        _ => Err(said.failed("ls-remote")),
    }
}

/// Brings a branch of the remote up to date in this clone, whatever else that fetches. `depth` is how many commits are
/// enough, where the whole history is not wanted.
///
/// # Errors
/// There is no `git`, or it does not get there.
pub fn fetch(
    program: &Program,
    remote: &str,
    branch: &str,
    depth: Option<u32>,
) -> Result<(), ProgramError> {
    let refspec = format!("+refs/heads/{branch}:refs/remotes/{remote}/{branch}");
    let fetch = program.call("fetch").args(["--quiet", "--no-tags"]);
    let fetch = fetch.args(depth.map(|depth| format!("--depth={depth}")));
    let fetch = fetch.args(["--no-recurse-submodules", "--", remote, &refspec]);
    fetch.run().map(drop)
}

/// Makes this clone forget a branch that the remote does not have any more.
///
/// # Errors
/// There is no `git`, or it refuses.
pub fn forget(program: &Program, remote: &str, branch: &str) -> Result<(), ProgramError> {
    let name = format!("refs/remotes/{remote}/{branch}");
    let forget = program.call("update-ref").args(["-d", &name]);
    forget.run().map(drop)
}

/// Pushes a commit to a branch of the remote, which had `known` when it was asked: the commit has to come from that.
///
/// # Errors
/// There is no `git`, it does not get there, or a hook or the other side refuses.
pub fn push(
    program: &Program,
    remote: &str,
    branch: &str,
    commit: ObjectId,
    known: Option<ObjectId>,
) -> Result<Pushed, ProgramError> {
    let refspec = format!("{commit}:refs/heads/{branch}");
    let push = program.call("push").args(["--porcelain", "--no-progress"]);
    let mut said = push.args(["--", remote, &refspec]).ask()?;
    if said.code == Some(0) {
        // A clone that fetches other branches only would not note it.
        let name = format!("refs/remotes/{remote}/{branch}");
        let note = program.call("update-ref");
        note.args([&name, &commit.to_string()]).run()?;
        return Ok(Pushed::Done(said.remarks()));
    }
    // A line for each branch, between others: flag, names, outcome. They are the same in every language.
    let text = said.text();
    let refused = text.lines().filter(|line| line.starts_with("!\t"));
    let why: Vec<&str> = refused
        .filter_map(|line| line.rsplit('\t').next())
        .collect();
    let by_git = ["[rejected] (non-fast-forward)", "[rejected] (fetch first)"];
    // Where two push at once the other side refuses the second one, in words of its own.
    let has_moved = || tip(program, remote, branch).is_ok_and(|now| now != known);
    if why.iter().any(|why| by_git.contains(why)) || has_moved() {
        return Ok(Pushed::Outdated);
    }
    said.stdout = why.join("\n").into_bytes();
    Err(said.failed("push"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::git::sandbox::Sandbox;
    use crate::progress::Silent;

    #[test]
    fn a_branch_that_the_clone_does_not_follow_is_fetched() {
        let sandbox = Sandbox::with(&["a"]);
        sandbox.git("fleet", &["branch", "live"]);
        let origin = format!("file://{}", sandbox.path("fleet").display());
        let how = ["clone", "-q", "--depth=1", "--branch=main"];
        sandbox.git(".", &[&how[..], &[&origin, "clone"]].concat());
        let root = sandbox.path("clone");
        let program = Program::new(&root, &Silent);
        let found = || sandbox.open("clone").tracking("origin", "live").unwrap();
        assert_eq!(found(), None);
        fetch(&program, "origin", "live", Some(1)).unwrap();
        let head = sandbox.git("fleet", &["rev-parse", "live"]);
        assert_eq!(found().unwrap().to_string(), head);
        // Another history is taken too: nodes fetch what is there, not what was.
        sandbox.git("fleet", &["checkout", "-q", "live"]);
        sandbox.git("fleet", &["commit", "-q", "--amend", "--message=other"]);
        let other = sandbox.git("fleet", &["rev-parse", "live"]);
        fetch(&program, "origin", "live", None).unwrap();
        assert_eq!(found().unwrap().to_string(), other);
    }

    #[test]
    fn what_git_says_is_told() {
        let sandbox = Sandbox::with(&["a"]);
        sandbox.git("fleet", &["remote", "add", "origin", "/nowhere.git"]);
        let root = sandbox.path("fleet");
        let error = fetch(&Program::new(&root, &Silent), "origin", "main", None);
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("`git fetch` failed: "), "{error}");
        assert!(error.contains("/nowhere.git"), "{error}");
    }
}
