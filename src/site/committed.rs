//! What a commit holds for nodes, as a forge would serve it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::content::{Body, Content, Rendered, Tree, Trouble, kind};
use super::live::inside;
use super::mirror::{Catalogue, catalogue};
use crate::fleet::files::{INPUTS, Snapshot};
use crate::fleet::read::read;
use crate::git::repo::Repo;
use crate::git::{self, ObjectId};
use crate::progress::{Progress, Stopped};

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
    catalogue: Mutex<Option<(ObjectId, Arc<Catalogue>)>>,
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
            catalogue: Mutex::default(),
        }
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

impl Rendered for Committed<'_> {
    fn all(&self, progress: &dyn Progress) -> Result<BTreeMap<String, Vec<u8>>, Trouble> {
        let repo = hold(&self.repo);
        let listed = self.list(&repo).map_err(trouble)?;
        let mut all = BTreeMap::new();
        for (path, id) in listed.files.iter() {
            if progress.stopped() {
                return Err(Trouble::here(Stopped));
            }
            let bytes = repo.blob(*id).map_err(trouble)?;
            all.insert(repo.full_path(path), bytes);
        }
        Ok(all)
    }

    /// As far as the commit can be understood.
    fn catalogue(&self) -> Result<Arc<Catalogue>, Trouble> {
        let repo = hold(&self.repo);
        let commit = (self.resolve)(&repo).map_err(trouble)?;
        let mut known = hold(&self.catalogue);
        if let Some((of, catalogue)) = known.as_ref()
            && *of == commit
        {
            return Ok(Arc::clone(catalogue));
        }
        let mut files = BTreeMap::new();
        for (path, id) in repo.files(commit, &INPUTS).map_err(trouble)? {
            files.insert(path, repo.blob(id).map_err(trouble)?);
        }
        // That a template exists is all that is asked of it.
        let templates = repo.files(commit, &["templates"]).map_err(trouble)?;
        files.extend(templates.into_keys().map(|path| (path, Vec::new())));
        let found = read(&self.root, &Snapshot(files)).map_err(Trouble::here)?;
        let (Some((manifest, fleet)), _) = found else {
            return Err(Trouble::mistakes(found.1));
        };
        let catalogue = Arc::new(catalogue(&fleet, &manifest.lock));
        *known = Some((commit, Arc::clone(&catalogue)));
        Ok(catalogue)
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
