//! The base in the clone of a pipeline, which may hold no more than the commit that it runs for.

use super::base::{Base, Upstream, at, find, upstream};
use crate::fleet::file::Git;
use crate::git;
use crate::git::repo::Repo;

/// The pull request that a pipeline runs for, as far as there is one.
#[derive(Clone, Debug, Default)]
pub struct PullRequest {
    /// The branch that it is to be merged into.
    pub target: Option<String>,
    /// The commit of that branch that it comes from.
    pub base: Option<String>,
}

/// As [`find`]. Where the clone does not have the branch that nodes fetch from, the target of the pull request stands in for
/// it. A clone that is shallow or detached has no other base: its HEAD is what is to be judged.
///
/// # Errors
/// As [`find`]; or there is no base, and the error says which fetch is missing.
pub fn find_in_clone(
    repo: Option<&Repo>,
    settings: &Git,
    against: Option<&str>,
    pull_request: &PullRequest,
) -> Result<Base, git::Error> {
    let found = match (repo, against) {
        (Some(repo), None) => stand_in(repo, settings, pull_request)?,
        _ => None,
    };
    let mut base = match found {
        Some(base) => base,
        None => find(repo, settings, against)?,
    };
    base.merges = pull_request.target.is_some();
    Ok(base)
}

/// What [`find_in_clone`] wants to have.
pub struct Wanted {
    /// The remote's name in this clone.
    pub remote: String,
    /// Its branches: the first that it has is the one.
    pub branches: Vec<String>,
}

/// What is to be fetched; `None` where there is no remote.
///
/// # Errors
/// Nobody says which branch.
pub fn to_fetch(
    repo: &Repo,
    settings: &Git,
    pull_request: &PullRequest,
) -> Result<Option<Wanted>, git::Error> {
    let Some(upstream) = upstream(repo, settings) else {
        return Ok(None);
    };
    let branch = upstream.branch.or_else(|| pull_request.target.clone());
    let branch = branch.ok_or(git::Error::NoBranch)?;
    let theirs = upstream.theirs.filter(|theirs| *theirs != branch);
    Ok(Some(Wanted {
        remote: upstream.remote,
        branches: [branch].into_iter().chain(theirs).collect(),
    }))
}

/// What takes the place of a branch that is not there; `None` where it is there, or HEAD does.
fn stand_in(
    repo: &Repo,
    settings: &Git,
    pull_request: &PullRequest,
) -> Result<Option<Base>, git::Error> {
    let Some(Upstream {
        remote,
        branch,
        theirs,
    }) = upstream(repo, settings)
    else {
        return Ok(None);
    };
    let is_here = |branch: &Option<String>| -> Result<bool, git::Error> {
        let branch = branch.as_deref();
        let found = branch.map(|branch| repo.tracking(&remote, branch));
        Ok(found.transpose()?.flatten().is_some())
    };
    if is_here(&branch)? {
        return Ok(None);
    }
    // A branch that only a pipeline writes has the rendered files; the one that people push to may have none.
    let published = settings.publish.as_deref();
    let target = pull_request.target.as_deref();
    let target = target.filter(|target| published.is_none_or(|it| it == *target));
    if let Some(target) = target {
        let found = match repo.tracking(&remote, target)? {
            Some(commit) => Some((format!("{remote}/{target}"), commit)),
            None => {
                let base = pull_request.base.as_deref();
                let commit = base.and_then(|base| repo.commit(base).ok());
                commit.map(|commit| ("the merge request's base".to_owned(), commit))
            }
        };
        if let Some((name, commit)) = found {
            let mut base = at(repo, &name, commit)?;
            if let Some(branch) = branch.filter(|branch| branch != target) {
                base.name += &format!(", since {remote}/{branch} is not known here");
            }
            return Ok(Some(base));
        }
    }
    // A whole clone that has people's branch may lack the other one because it is not there yet.
    if !repo.is_shallow() && (repo.head()?.branch.is_some() || is_here(&theirs)?) {
        return Ok(None);
    }
    match branch.as_deref().or(target) {
        None => Err(git::Error::NoBranch),
        Some(branch) => Err(git::Error::NotFetched {
            remote,
            branch: branch.to_owned(),
            shallow: repo.is_shallow(),
        }),
    }
}
