//! What commits, the index and the work tree hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use git2::{ErrorCode, ObjectType, Status, StatusOptions};
use sha1::{Digest, Sha1};

use super::ObjectId;
use super::error::Error;
use super::repo::Repo;
use crate::nearest::nearest;

/// The mode of a file in the index that is neither a link nor another repository.
const REGULAR: u32 = 0o100_000;

/// How a file differs from HEAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pending {
    /// Git does not know it, and it isn't ignored either.
    Untracked,
    /// Git is told to leave it out.
    Ignored,
    /// The next commit takes it as it stands.
    Staged,
    /// The next commit takes it as it was when it was staged or committed last, if at all.
    Unstaged,
}

/// The id that git gives to a file's content.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "it can't")]
pub fn object_id(content: &[u8]) -> ObjectId {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", content.len()));
    hash.update(content);
    ObjectId::from_bytes(&hash.finalize()).expect("a SHA-1 has the 20 bytes of an id")
}

impl Repo {
    /// The commit that a branch, a tag, an id or any expression of gitrevisions(7) names.
    pub fn commit(&self, revision: &str) -> Result<ObjectId, Error> {
        let named = match self.git.revparse_single(revision) {
            Ok(object) => object.peel_to_commit(),
            Err(error) if error.code() == ErrorCode::NotFound => {
                return Err(Error::UnknownRevision {
                    revision: revision.to_owned(),
                    nearest: self.nearest_name(revision)?,
                    shallow: self.git.is_shallow(),
                });
            }
            Err(error) => Err(error),
        };
        named
            .map(|commit| commit.id())
            .map_err(|_| Error::NotACommit {
                revision: revision.to_owned(),
            })
    }

    /// Every file of a commit at the paths: a file itself, or what is in a directory at any depth. What isn't
    /// there is left out.
    pub fn files(
        &self,
        commit: ObjectId,
        paths: &[&str],
    ) -> Result<BTreeMap<String, ObjectId>, Error> {
        let mut files = BTreeMap::new();
        let mut trees = Vec::new();
        for path in paths {
            match self.entry(commit, path)? {
                Some((id, ObjectType::Tree)) => trees.push((path.trim_matches('/').to_owned(), id)),
                Some((id, ObjectType::Blob)) => drop(files.insert((*path).to_owned(), id)),
                _ => {}
            }
        }
        while let Some((directory, id)) = trees.pop() {
            let tree = self.git.find_tree(id).map_err(|e| self.failed(e))?;
            for entry in &tree {
                let name = String::from_utf8_lossy(entry.name_bytes());
                let path = match directory.as_str() {
                    "" => name.into_owned(),
                    directory => format!("{directory}/{name}"),
                };
                match entry.kind() {
                    Some(ObjectType::Tree) => trees.push((path, entry.id())),
                    Some(ObjectType::Blob) => drop(files.insert(path, entry.id())),
                    _ => {}
                }
            }
        }
        Ok(files)
    }

    /// A file's content by its id.
    pub fn blob(&self, id: ObjectId) -> Result<Vec<u8>, Error> {
        let blob = self.git.find_blob(id);
        blob.map(|blob| blob.content().to_vec())
            .map_err(|e| self.failed(e))
    }

    /// A file's text as a commit has it; `None` where that has no such file.
    pub fn text(&self, commit: ObjectId, path: &str) -> Result<Option<String>, Error> {
        let Some((id, ObjectType::Blob)) = self.entry(commit, path)? else {
            return Ok(None);
        };
        let text = String::from_utf8(self.blob(id)?);
        text.map(Some).map_err(|_| Error::NotText {
            path: path.to_owned(),
            commit,
        })
    }

    /// The files in a directory that git tracks, whether they still exist or not.
    pub fn tracked(&self, directory: &str) -> Result<BTreeSet<String>, Error> {
        let index = self.git.index().map_err(|e| self.failed(e))?;
        let mut inside = self.full_path(directory).into_bytes();
        if !inside.is_empty() {
            inside.push(b'/');
        }
        let paths = index.iter().map(|entry| entry.path);
        let paths = paths.filter(|path| path.starts_with(&inside));
        Ok(paths.map(|path| self.relative(&path)).collect())
    }

    /// Whether git tracks a file. It reads the whole index: ask `tracked` for many.
    pub fn is_tracked(&self, path: &str) -> Result<bool, Error> {
        let index = self.git.index().map_err(|e| self.failed(e))?;
        let full = self.full_path(path).into_bytes();
        Ok(index.iter().any(|entry| entry.path == full))
    }

    /// The files that git tracks in the whole work tree, by their full paths, with what the next commit takes of
    /// each; `None` for those of which that is less than `least` bytes.
    pub fn staged(&self, least: u64) -> Result<Vec<(String, Option<ObjectId>)>, Error> {
        let failed = |error| self.failed(error);
        let index = self.git.index().map_err(failed)?;
        let objects = self.git.odb().map_err(failed)?;
        let mut files = Vec::new();
        for entry in index
            .iter()
            .filter(|entry| entry.mode & 0o170_000 == REGULAR)
        {
            // The index has the size of the file on disk, or 0 where it is not sure.
            let may_be_large = entry.file_size == 0 || u64::from(entry.file_size) >= least;
            let is_large = may_be_large && {
                let (size, _) = objects.read_header(entry.id).map_err(failed)?;
                size as u64 >= least
            };
            let path = String::from_utf8_lossy(&entry.path).into_owned();
            files.push((path, is_large.then_some(entry.id)));
        }
        Ok(files)
    }

    /// Whether git's ignore rules leave a path out; they don't for a file that is tracked.
    pub fn is_ignored(&self, path: &str) -> Result<bool, Error> {
        let full = self.full_path(path);
        // libgit2 takes what leads out of the work tree for ignored.
        if full.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Ok(false);
        }
        let ignored = self.git.status_should_ignore(Path::new(&full));
        Ok(ignored.map_err(|e| self.failed(e))? && !self.is_tracked(path)?)
    }

    /// The files in the directories that differ from HEAD, each with how.
    pub fn pending(&self, directories: &[&str]) -> Result<BTreeMap<String, Pending>, Error> {
        let mut options = StatusOptions::new();
        options
            .disable_pathspec_match(true)
            .exclude_submodules(true)
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .include_ignored(true)
            .recurse_ignored_dirs(true);
        for directory in directories {
            options.pathspec(self.full_path(directory));
        }
        let found = self.git.statuses(Some(&mut options));
        let found = found.map_err(|e| self.failed(e))?;
        Ok(found
            .iter()
            .filter_map(|entry| Some((self.relative(entry.path_bytes()), pending(entry.status())?)))
            .collect())
    }

    fn relative(&self, full: &[u8]) -> String {
        let full = String::from_utf8_lossy(full);
        let inside = full.strip_prefix(self.prefix()).unwrap_or(&full);
        inside.trim_start_matches('/').to_owned()
    }

    pub(super) fn entry(
        &self,
        commit: ObjectId,
        path: &str,
    ) -> Result<Option<(ObjectId, ObjectType)>, Error> {
        let tree = self
            .git
            .find_commit(commit)
            .and_then(|commit| commit.tree());
        let tree = tree.map_err(|e| self.failed(e))?;
        let full = self.full_path(path);
        if full.is_empty() {
            return Ok(Some((tree.id(), ObjectType::Tree)));
        }
        match tree.get_path(Path::new(&full)) {
            Ok(entry) => Ok(entry.kind().map(|kind| (entry.id(), kind))),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(self.failed(source)),
        }
    }

    /// A branch or tag that was meant: the remote's branch of that name, else one spelt nearly so.
    fn nearest_name(&self, revision: &str) -> Result<Option<String>, Error> {
        let references = self.git.references().map_err(|e| self.failed(e))?;
        let names: BTreeSet<String> = references
            .filter_map(|reference| {
                let reference = reference.ok()?;
                let short = reference.shorthand().ok()?;
                (!reference.is_note() && reference.name() != Ok("refs/stash"))
                    .then(|| short.to_owned())
            })
            .collect();
        let remote_s =
            |name: &&String| name.split_once('/').is_some_and(|(_, own)| own == revision);
        let found = names.iter().find(remote_s).map(String::as_str);
        Ok(found
            .or_else(|| nearest(revision, names.iter().map(String::as_str)))
            .map(str::to_owned))
    }
}

fn pending(status: Status) -> Option<Pending> {
    let untracked = Status::WT_NEW;
    let in_index = Status::INDEX_NEW
        | Status::INDEX_MODIFIED
        | Status::INDEX_DELETED
        | Status::INDEX_RENAMED
        | Status::INDEX_TYPECHANGE;
    if status.contains(Status::IGNORED) {
        Some(Pending::Ignored)
    } else if status.contains(untracked) {
        Some(Pending::Untracked)
    } else if status.intersects(!(in_index | untracked)) {
        Some(Pending::Unstaged)
    } else if status.intersects(in_index) {
        Some(Pending::Staged)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
