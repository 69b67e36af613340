//! Where nodes fetch, as the commands need it: `[git]`, the clone, and what overrides both for once.

use super::{Failure, Loaded};
use crate::diagnostic::{Diagnostic, Severity};
use crate::fleet::file::Git;
use crate::fleet::node::Fleet;
use crate::fleet::publish::{NoUrl, Published, Upstream, asks_for, url};
use crate::git::{self, ObjectId, repo::Repo};
use crate::render::rendered::{ignition_path, sha512};

/// Overrides the URL for once.
const RAW_URL: &str = "EPHEMEROS_RAW_URL";

/// A URL that can't be told.
pub(super) enum Refused {
    /// By the forge or the settings.
    NoUrl(NoUrl),
    /// By the repository.
    Git(git::Error),
}

impl Refused {
    /// What is wrong, and what to do.
    fn said(&self) -> (String, Option<String>) {
        match self {
            Self::NoUrl(error) => (error.to_string(), Some(error.help())),
            Self::Git(error) => (error.to_string(), error.help()),
        }
    }

    /// As a mistake beside others.
    pub(super) fn diagnostic(&self, severity: Severity) -> Diagnostic {
        let (message, help) = self.said();
        let mut diagnostic = Diagnostic::new(severity, message);
        diagnostic.help = help;
        diagnostic
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let (message, help) = refused.said();
        Self::Problem { message, help }
    }
}

/// The URL of a rendered file: of what stands at `path` in the fleet. `raw_url` is the option of that name.
pub(super) fn file_url(
    loaded: &Loaded,
    path: &str,
    text: &str,
    raw_url: Option<&str>,
) -> Result<String, Refused> {
    let (fleet, repo) = (&loaded.fleet, loaded.repo.as_ref());
    derive(fleet, repo, path, &sha512(text), raw_url)
}

fn derive(
    fleet: &Fleet,
    repo: Option<&Repo>,
    path: &str,
    sha512: &str,
    raw_url: Option<&str>,
) -> Result<String, Refused> {
    let publisher = Publisher::find(fleet, repo, raw_url)?;
    publisher.url(path, sha512).map_err(Refused::NoUrl)
}

/// All that the URLs of a fleet come from, found once for many files.
pub(super) struct Publisher<'a> {
    fleet: &'a Fleet,
    settings: Git,
    upstream: Option<Upstream>,
    commit: Option<ObjectId>,
}

impl<'a> Publisher<'a> {
    /// `raw_url` is the option of that name.
    pub(super) fn find(
        fleet: &'a Fleet,
        repo: Option<&Repo>,
        raw_url: Option<&str>,
    ) -> Result<Self, Refused> {
        let from_env = std::env::var(RAW_URL).ok().filter(|url| !url.is_empty());
        let settings = Git {
            raw_url: raw_url
                .map(str::to_owned)
                .or(from_env)
                .or_else(|| fleet.git.raw_url.clone()),
            ..fleet.git.clone()
        };
        // A fleet that fixes its URL does not care for remotes, not even for broken ones.
        let upstream = match repo {
            Some(repo) if settings.raw_url.is_none() && settings.url.is_none() => repo
                .remote(settings.remote.as_deref())
                .map_err(Refused::Git)?
                .map(|remote| Upstream {
                    url: remote.url,
                    head_branch: remote.head_branch,
                }),
            _ => None,
        };
        Ok(Self {
            fleet,
            settings,
            upstream,
            commit: repo.and_then(head_commit),
        })
    }

    /// As of another commit than HEAD.
    pub(super) fn at(self, commit: ObjectId) -> Self {
        Self {
            commit: Some(commit),
            ..self
        }
    }

    /// Whether a URL names what the file holds.
    pub(super) fn asks_for_content(&self) -> bool {
        let template = self.settings.raw_url.as_deref();
        template.is_some_and(|template| asks_for(template, "sha512"))
    }

    /// The URL of what stands at `path` in the fleet.
    pub(super) fn url(&self, path: &str, sha512: &str) -> Result<String, NoUrl> {
        let file = Published {
            path: &self.fleet.path_in_repository(path),
            sha512: &|| sha512.to_owned(),
            commit: self.commit,
        };
        url(&self.settings, self.upstream.as_ref(), &file)
    }
}

fn head_commit(repo: &Repo) -> Option<ObjectId> {
    repo.head().ok()?.commit
}

/// What will be missing when a stick is made.
pub(super) fn warning(fleet: &Fleet, repo: Option<&Repo>) -> Option<Diagnostic> {
    let node = fleet.nodes.first()?;
    let refused = derive(fleet, repo, &ignition_path(&node.name), "", None).err()?;
    Some(refused.diagnostic(Severity::Warning))
}
