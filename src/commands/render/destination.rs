//! Where what is rendered is committed, and where it is pushed.

use super::super::Loaded;
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::fleet::publish::{NoUrl, elsewhere, merged, published};
use crate::git::forge::without_credentials;
use crate::git::remote::Remote;
use crate::git::repo::{Head, Repo};
use crate::git::{self};

/// Where it goes.
pub(super) struct Destination {
    /// The branch that nodes fetch from, where it is another one than people push to: then no rendered file is committed
    /// to theirs.
    pub(super) elsewhere: Option<String>,
    /// The branch of a remote that nodes fetch from; always known to who pushes, or commits elsewhere.
    pub(super) upstream: Option<Upstream>,
    /// The one that people push to, where that is another.
    pub(super) theirs: Option<Upstream>,
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
        let checked_out = at.branch.as_deref();
        let head = remote.as_ref().and_then(|it| it.head_branch.as_deref());
        let theirs = merged(settings, head);
        let elsewhere = elsewhere(settings, theirs.or(checked_out)).map(str::to_owned);
        let branch = published(settings, head);
        if args.push || elsewhere.is_some() {
            match (&remote, unclear) {
                (Some(remote), _) => mistakes.extend(pushed_away(remote).filter(|_| args.push)),
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
        let of_remote = |branch: &str| {
            let remote = remote.as_ref()?.name.clone();
            let branch = branch.to_owned();
            Some(Upstream { remote, branch })
        };
        let upstream = branch.and_then(of_remote);
        if let (true, Some(theirs), Some(checked_out), Some(upstream)) =
            (args.push, theirs, checked_out, &upstream)
        {
            let follows = Some((upstream.remote.clone(), theirs.to_owned()));
            if checked_out != theirs && repo.upstream(checked_out)? != follows {
                mistakes.push(
                    Diagnostic::error(format!(
                        "`{checked_out}` is checked out, and nodes are rendered from `{theirs}`"
                    ))
                    .help(format!("merge it first, and run this on `{theirs}`")),
                );
            }
        }
        let other = theirs.filter(|_| elsewhere.is_some());
        if let (Some(publish), true) = (&elsewhere, checked_out == elsewhere.as_deref()) {
            mistakes.push(
                Diagnostic::error(format!(
                    "`{publish}` is checked out, to which nothing but what is rendered is committed"
                ))
                .help("check out the branch that people push to"),
            );
        }
        Ok(Self {
            theirs: other.and_then(of_remote),
            elsewhere,
            upstream,
        })
    }
}

/// A remote that is pushed to another repository than it is fetched from: no node would see what was pushed.
fn pushed_away(remote: &Remote) -> Option<Diagnostic> {
    let to = remote.pushes_to.as_deref()?;
    let (name, from) = (&remote.name, without_credentials(&remote.url));
    let help = format!(
        "name the remote that nodes fetch from (`[git] remote` in fleet.toml), or `git config --unset remote.{name}.pushurl`"
    );
    Some(Diagnostic::error(format!("{name} is fetched from {from}, and pushed to {to}")).help(help))
}
