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

/// Brings a branch of the remote up to date in this clone, whatever else that fetches.
///
/// # Errors
/// There is no `git`, or it does not get there.
pub fn fetch(program: &Program, remote: &str, branch: &str) -> Result<(), ProgramError> {
    let refspec = format!("+refs/heads/{branch}:refs/remotes/{remote}/{branch}");
    let fetch = program.call("fetch").args(["--quiet", "--no-tags"]);
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
