//! The repository that holds a directory.

use std::path::{Path, PathBuf};

use git2::{Config, ConfigLevel, ErrorCode, Repository, RepositoryOpenFlags};

use super::ObjectId;
use super::error::Error;
use crate::invoker::Invoker;

/// An opened repository, seen from one directory in its work tree. It stays on one thread.
///
/// Paths that its functions take and give are relative to that directory, with `/` between segments.
pub struct Repo {
    pub(super) git: Repository,
    pub(super) invoker: Option<Invoker>,
    root: PathBuf,
    prefix: String,
}

/// What is checked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The branch; `None` where HEAD is detached.
    pub branch: Option<String>,
    /// Its commit; `None` before the first one.
    pub commit: Option<ObjectId>,
}

/// Opens the repository that holds `dir`, looking upward; `None` where there is none, which is no mistake.
///
/// With an invoker that person's git configuration applies, instead of root's. Of it `includeIf` is not read.
pub fn open(dir: &Path, invoker: Option<&Invoker>) -> Result<Option<Repo>, Error> {
    let dir = dir.canonicalize().map_err(|source| Error::Unreadable {
        path: dir.to_owned(),
        source,
    })?;
    let no_ceiling: [&Path; 0] = [];
    let git = match Repository::open_ext(&dir, RepositoryOpenFlags::empty(), no_ceiling) {
        Ok(git) => git,
        Err(error) if error.code() == ErrorCode::NotFound && !linked(&dir) => return Ok(None),
        Err(error) => return Err(refused(&dir, error, invoker.is_some())),
    };
    let outside = || Error::NoWorkTree { path: dir.clone() };
    let root = git.workdir().ok_or_else(outside)?;
    let root = root.canonicalize().map_err(|source| Error::Unreadable {
        path: root.to_owned(),
        source,
    })?;
    let inside = dir.strip_prefix(&root).map_err(|_| outside())?;
    if dir.starts_with(git.path()) {
        return Err(outside());
    }
    let prefix = inside.to_str().map(str::to_owned);
    let prefix = prefix.ok_or_else(|| Error::NotUtf8 { path: dir.clone() })?;
    let repo = Repo {
        git,
        invoker: invoker.cloned(),
        root,
        prefix,
    };
    if let Some(invoker) = invoker {
        repo.configure_for(&invoker.home)
            .map_err(|source| repo.failed(source))?;
    }
    Ok(Some(repo))
}

impl Repo {
    /// The work tree's root, without symbolic links.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory's own place in the work tree: `sites/north`, or empty at the root.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The path that git knows `path` by, relative to the work tree's root.
    #[must_use]
    pub fn full_path(&self, path: &str) -> String {
        let path = path.trim_matches('/');
        match (self.prefix.as_str(), path) {
            ("", path) => path.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, path) => format!("{prefix}/{path}"),
        }
    }

    /// Where a path of the work tree stands in the directory; `None` where it is outside.
    #[must_use]
    pub fn inside<'a>(&self, full: &'a str) -> Option<&'a str> {
        match self.prefix.as_str() {
            "" => Some(full),
            prefix => full.strip_prefix(prefix)?.strip_prefix('/'),
        }
    }

    /// The git directory that all work trees of the repository share.
    #[must_use]
    pub fn git_dir(&self) -> &Path {
        self.git.commondir()
    }

    /// What is checked out.
    pub fn head(&self) -> Result<Head, Error> {
        let head = self
            .git
            .find_reference("HEAD")
            .map_err(|source| self.failed(source))?;
        let branch = head
            .symbolic_target_bytes()
            .and_then(|target| target.strip_prefix(b"refs/heads/"))
            .map(|branch| String::from_utf8_lossy(branch).into_owned());
        // A branch without a commit is a normal state; a commit without its object is not.
        let commit = match head.resolve() {
            Ok(reference) => Some(reference.peel_to_commit().map_err(|e| self.failed(e))?.id()),
            Err(error) if unborn(&error) => None,
            Err(source) => return Err(self.failed(source)),
        };
        Ok(Head { branch, commit })
    }

    pub(super) fn failed(&self, source: git2::Error) -> Error {
        let path = self.root.clone();
        Error::Git { path, source }
    }

    /// A level that is added again replaces the old one; a file that is absent counts as empty.
    fn configure_for(&self, home: &Path) -> Result<(), git2::Error> {
        let mut config = self.git.config()?;
        for (file, level) in [
            (".config/git/config", ConfigLevel::XDG),
            (".gitconfig", ConfigLevel::Global),
        ] {
            match config.add_file(&home.join(file), level, true) {
                // Git, too, passes over files that it may not read.
                Err(error) if error.code() != ErrorCode::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

fn unborn(error: &git2::Error) -> bool {
    matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound)
}

/// Whether a `.git` file above says that the repository is elsewhere: then it has to be there.
fn linked(dir: &Path) -> bool {
    dir.ancestors().any(|above| above.join(".git").is_file())
}

/// Finds the reason why libgit2 did not open the repository above `dir`.
fn refused(dir: &Path, source: git2::Error, sudo: bool) -> Error {
    let no_ceiling: [&Path; 0] = [];
    let git_dir = Repository::discover_path(dir, no_ceiling).unwrap_or_else(|_| dir.to_owned());
    let path = dir
        .ancestors()
        .find(|above| above.join(".git").exists())
        .unwrap_or(&git_dir)
        .to_owned();
    if source.code() == ErrorCode::Owner {
        return Error::Owner { path, sudo };
    }
    match unsupported(&git_dir) {
        Some(extension) => Error::Unsupported { path, extension },
        None => Error::Git { path, source },
    }
}

/// The format extension, see gitrepository-layout(5), that libgit2 1.9 doesn't read.
fn unsupported(git_dir: &Path) -> Option<String> {
    let common = std::fs::read_to_string(git_dir.join("commondir"));
    let common = common.map_or(git_dir.to_owned(), |path| git_dir.join(path.trim_end()));
    let config = Config::open(&common.join("config")).ok()?;
    let mut entries = config.entries(Some("^extensions\\.")).ok()?;
    while let Some(Ok(entry)) = entries.next() {
        let name = entry.name().ok()?.strip_prefix("extensions.")?.to_owned();
        let value = if entry.has_value() {
            entry.value().unwrap_or_default()
        } else {
            ""
        };
        match name.as_str() {
            "noop" | "preciousobjects" | "worktreeconfig" | "relativeworktrees" => {}
            "objectformat" if value == "sha1" => {}
            _ => return Some(format!("{name} = {value}")),
        }
    }
    None
}

#[cfg(test)]
mod tests;
