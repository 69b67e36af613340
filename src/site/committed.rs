//! What a commit holds for nodes, as a forge would serve it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::content::{Body, Content, Tree, Trouble, kind};
use super::live::inside;
use crate::fleet::files::{INPUTS, Snapshot};
use crate::fleet::manifest::Manifest;
use crate::fleet::node::Fleet;
use crate::fleet::read::read;
use crate::git::repo::Repo;
use crate::git::{self, ObjectId};

/// The folders of rendered files.
const RENDERED: [&str; 2] = ["ignition", "ipxe"];

/// Finds the commit. It is asked at each request, so a branch that moves is followed.
pub type Resolve<'a> = dyn Fn(&Repo) -> Result<ObjectId, git::Error> + Send + Sync + 'a;

/// The rendered files of a commit.
pub struct Committed<'a> {
    /// The fleet's folder, by which its files are named in messages.
    root: PathBuf,
    repo: Mutex<Repo>,
    resolve: &'a Resolve<'a>,
    listed: Mutex<Option<Listed>>,
}

/// The files of the commit that was asked for last.
#[derive(Clone)]
struct Listed {
    commit: ObjectId,
    files: Arc<BTreeMap<String, ObjectId>>,
}

impl<'a> Committed<'a> {
    /// Nothing is read yet.
    pub fn new(root: PathBuf, repo: Repo, resolve: &'a Resolve<'a>) -> Self {
        Self {
            root,
            repo: Mutex::new(repo),
            resolve,
            listed: Mutex::default(),
        }
    }

    /// The rendered files by their paths in the fleet.
    ///
    /// # Errors
    /// The repository can't be read.
    pub fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, git::Error> {
        let repo = hold(&self.repo);
        let listed = self.list(&repo)?;
        let files = listed.files.iter();
        let files = files.map(|(path, id)| Ok((path.clone(), repo.blob(*id)?)));
        files.collect()
    }

    /// The commit.
    ///
    /// # Errors
    /// The repository can't be read, or the revision is no more.
    pub fn commit(&self) -> Result<ObjectId, git::Error> {
        (self.resolve)(&hold(&self.repo))
    }

    /// The fleet as the commit has it, as far as it can be understood.
    ///
    /// # Errors
    /// The repository can't be read, or there is no fleet in the commit.
    pub fn read(&self) -> Result<(Manifest, Fleet), Trouble> {
        let repo = hold(&self.repo);
        let commit = (self.resolve)(&repo).map_err(Trouble::here)?;
        let mut files = BTreeMap::new();
        for (path, id) in repo.files(commit, &INPUTS).map_err(Trouble::here)? {
            files.insert(path, repo.blob(id).map_err(Trouble::here)?);
        }
        // That a template exists is all that is asked of it.
        let templates = repo.files(commit, &["templates"]).map_err(Trouble::here)?;
        files.extend(templates.into_keys().map(|path| (path, Vec::new())));
        let (found, mistakes) =
            read(&self.root, &Snapshot(files)).map_err(Trouble::here)?;
        found.ok_or_else(|| Trouble::mistakes(mistakes))
    }

    fn list(&self, repo: &Repo) -> Result<Listed, git::Error> {
        let commit = (self.resolve)(repo)?;
        let mut listed = hold(&self.listed);
        match listed.as_ref() {
            Some(there) if there.commit == commit => Ok(there.clone()),
            _ => {
                let files = Arc::new(repo.files(commit, &RENDERED)?);
                let new = Listed { commit, files };
                *listed = Some(new.clone());
                Ok(new)
            }
        }
    }
}

impl Tree for Committed<'_> {
    fn find(&self, path: &str) -> Result<Option<Content>, Trouble> {
        let repo = hold(&self.repo);
        let Some(path) = inside(repo.prefix(), path) else {
            return Ok(None);
        };
        let listed = self.list(&repo).map_err(trouble)?;
        let Some(id) = listed.files.get(path) else {
            return Ok(None);
        };
        Ok(Some(Content {
            body: Body::Bytes(repo.blob(*id).map_err(trouble)?),
            tag: id.to_string(),
            kind: kind(path),
        }))
    }
}

/// What is in it is read only, so a thread that broke off has left nothing half done.
fn hold<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(clippy::needless_pass_by_value)] // It is handed over whole, in `map_err`.
fn trouble(error: git::Error) -> Trouble {
    Trouble {
        help: error.help(),
        ..Trouble::here(&error)
    }
}
