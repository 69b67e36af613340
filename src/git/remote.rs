//! Remotes: which one counts, where it is, and what of it was fetched last.

use super::ObjectId;
use super::error::Error;
use super::forge::{same_repository, without_credentials};
use super::repo::Repo;
use super::settings::Settings;

/// The remote that counts where nobody says.
const DEFAULT: &str = "origin";

/// A remote of this clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name in this clone.
    pub name: String,
    /// What `git remote get-url` says. It may hold credentials: show it through `without_credentials`.
    pub url: String,
    /// Where a push goes when that is another repository, fit to be shown.
    pub pushes_to: Option<String>,
    /// The branch that the remote's HEAD named when it was cloned.
    pub head_branch: Option<String>,
}

/// Whether a branch can have this name, as `git branch` shows it.
#[must_use]
pub fn is_branch_name(name: &str) -> bool {
    git2::Branch::name_is_valid(name).unwrap_or(false) && !name.starts_with("refs/")
}

impl Repo {
    /// The names of the remotes that have a URL, sorted.
    pub fn remotes(&self) -> Result<Vec<String>, Error> {
        Ok(names(&Settings::read(self)?))
    }

    /// The remote that the fleet names; else `origin`, else the only one there is. `None` without remotes.
    ///
    /// A name that was asked for is never replaced by another: a stick would point at somebody's fork.
    pub fn remote(&self, wanted: Option<&str>) -> Result<Option<Remote>, Error> {
        let settings = Settings::read(self)?;
        let Some(name) = choose(names(&settings), wanted)? else {
            return Ok(None);
        };
        let rewritten = |url: &str| rewrite(&settings, url, "insteadof").unwrap_or(url.to_owned());
        let written = urls(&settings, &name, "url");
        let Some(first) = written.first() else {
            return Ok(None);
        };
        let url = rewritten(first);
        let mut pushed: Vec<String> = urls(&settings, &name, "pushurl")
            .into_iter()
            .map(rewritten)
            .collect();
        if pushed.is_empty() {
            pushed.extend(rewrite(&settings, first, "pushinsteadof"));
        }
        let pushes_to = pushed
            .iter()
            .find(|push| !same_repository(&url, push))
            .map(|push| without_credentials(push).into_owned());
        Ok(Some(Remote {
            head_branch: self.head_branch(&name)?,
            name,
            url,
            pushes_to,
        }))
    }

    /// The commit that a remote's branch had when it was fetched or pushed last.
    pub fn tracking(&self, remote: &str, branch: &str) -> Result<Option<ObjectId>, Error> {
        let name = format!("refs/remotes/{remote}/{branch}");
        if !git2::Reference::is_valid_name(&name) {
            return Err(Error::BranchName {
                branch: branch.to_owned(),
            });
        }
        match self.git.find_reference(&name) {
            Ok(reference) => reference
                .peel_to_commit()
                .map(|commit| Some(commit.id()))
                .map_err(|source| self.failed(source)),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(source) => Err(self.failed(source)),
        }
    }

    fn head_branch(&self, remote: &str) -> Result<Option<String>, Error> {
        let place = format!("refs/remotes/{remote}/");
        match self.git.find_reference(&format!("{place}HEAD")) {
            Ok(head) => Ok(head
                .symbolic_target_bytes()
                .and_then(|target| target.strip_prefix(place.as_bytes()))
                .map(|branch| String::from_utf8_lossy(branch).into_owned())),
            Err(error)
                if matches!(
                    error.code(),
                    git2::ErrorCode::NotFound | git2::ErrorCode::InvalidSpec
                ) =>
            {
                Ok(None)
            }
            Err(source) => Err(self.failed(source)),
        }
    }
}

fn names(settings: &Settings) -> Vec<String> {
    let mut names: Vec<String> = settings
        .subsections("remote", "url")
        .filter(|(_, url)| !url.is_empty())
        .map(|(name, _)| name.to_owned())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn choose(mut names: Vec<String>, wanted: Option<&str>) -> Result<Option<String>, Error> {
    let name = wanted.unwrap_or(DEFAULT);
    if let Some(at) = names.iter().position(|found| found == name) {
        return Ok(Some(names.swap_remove(at)));
    }
    match (wanted, names.len()) {
        (_, 0) => Ok(None),
        (Some(wanted), _) => Err(Error::NoSuchRemote {
            wanted: wanted.to_owned(),
            names,
        }),
        (None, 1) => Ok(names.pop()),
        (None, _) => Err(Error::SeveralRemotes { names }),
    }
}

/// A remote's URLs as they are written; an empty one takes back those before it, as in git since 2.46.
fn urls<'a>(settings: &'a Settings, remote: &str, key: &str) -> Vec<&'a str> {
    let mut urls = Vec::new();
    for (_, url) in settings
        .subsections("remote", key)
        .filter(|(name, _)| *name == remote)
    {
        if url.is_empty() {
            urls.clear();
        } else {
            urls.push(url);
        }
    }
    urls
}

/// Applies `url.<base>.insteadOf`: the longest prefix wins, of equal ones the first.
fn rewrite(settings: &Settings, url: &str, key: &str) -> Option<String> {
    let mut best: Option<(&str, &str)> = None;
    for (base, prefix) in settings.subsections("url", key) {
        if url.starts_with(prefix) && best.is_none_or(|(_, longest)| prefix.len() > longest.len()) {
            best = Some((base, prefix));
        }
    }
    best.map(|(base, prefix)| format!("{base}{}", &url[prefix.len()..]))
}

#[cfg(test)]
mod tests;
