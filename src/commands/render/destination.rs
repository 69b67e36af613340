//! Where what is rendered is committed, and where it is pushed.

use super::super::Loaded;
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::fleet::publish::{NoUrl, elsewhere};
use crate::git::repo::{Head, Repo};
use crate::git::{self};

/// Where it goes.
pub(super) struct Destination {
    /// The branch that nodes fetch from, where it is another one than people push to: then no rendered file is committed
    /// to theirs.
    pub(super) elsewhere: Option<String>,
    /// The branch of a remote that nodes fetch from; always known to who pushes, or commits elsewhere.
    pub(super) upstream: Option<Upstream>,
}

/// A branch of a remote.
pub(super) struct Upstream {
    pub(super) remote: String,
    pub(super) branch: String,
}

impl std::fmt::Display for Upstream {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}/{}", self.remote, self.branch)
    }
}

impl Destination {
    /// Finds it; what is missing is among the mistakes.
    pub(super) fn find(
        args: &cli::Render,
        loaded: &Loaded,
        repo: &Repo,
        at: &Head,
        mistakes: &mut Vec<Diagnostic>,
    ) -> Result<Self, git::Error> {
        let settings = &loaded.fleet.git;
        let (remote, unclear) = match repo.remote(settings.remote.as_deref()) {
            Ok(remote) => (remote, None),
            Err(error) => (None, Some(error)),
        };
        let theirs = settings.branch.clone();
        let theirs = theirs.or_else(|| remote.as_ref()?.head_branch.clone());
        let checked_out = at.branch.as_deref();
        let elsewhere = elsewhere(settings, theirs.as_deref().or(checked_out));
        let elsewhere = elsewhere.map(str::to_owned);
        let branch = settings.publish.clone().or_else(|| theirs.clone());
        if args.push || elsewhere.is_some() {
            match (&remote, unclear) {
                (Some(_), _) => {}
                (None, Some(error)) => {
                    let help = error.help();
                    mistakes.push(Diagnostic {
                        help,
                        ..Diagnostic::error(error.to_string())
                    });
                }
                (None, None) => mistakes.push(
                    Diagnostic::error("there is no git remote to push to")
                        .help("add it: `git remote add origin URL`"),
                ),
            }
            if branch.is_none() {
                let missing = NoUrl::NoBranch;
                mistakes.push(Diagnostic::error(missing.to_string()).help(missing.help()));
            }
        }
        let upstream = remote.map(|it| it.name).zip(branch);
        let upstream = upstream.map(|(remote, branch)| Upstream { remote, branch });
        if let (true, Some(theirs), Some(checked_out), Some(upstream)) =
            (args.push, theirs, checked_out, &upstream)
        {
            let follows = Some((upstream.remote.clone(), theirs.clone()));
            if checked_out != theirs && repo.upstream(checked_out)? != follows {
                mistakes.push(
                    Diagnostic::error(format!(
                        "`{checked_out}` is checked out, and nodes are rendered from `{theirs}`"
                    ))
                    .help(format!("merge it first, and run this on `{theirs}`")),
                );
            }
        }
        Ok(Self {
            elsewhere,
            upstream,
        })
    }
}
