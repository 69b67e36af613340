//! A mirror of the releases that a fleet's nodes boot, and of its artifacts. Each file is fetched once, and given to
//! nobody before it is whole and is what the fleet pins.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use self::cache::Cache;
pub use self::catalogue::{ARTIFACTS, Catalogue, OS, Of, Wanted, artifact_path, catalogue};
use self::folder::Folder;
use self::job::Job;
use self::store::Store;
use super::content::{Body, Content, Tree, Trouble, kind};
use crate::net::Digest;
use crate::progress::{Progress, Silent};

mod cache;
mod catalogue;
mod folder;
mod job;
mod signed;
mod store;

/// How long a client is let wait for a file that is being fetched, before it is told to come again. Ignition gives up on a
/// connection after 10 seconds without an answer, and comes again by itself; so does iPXE where it is told when.
const WAIT: Duration = Duration::from_secs(8);

/// What the fleet wants now: it is asked at each request.
pub type Source<'a> = dyn Fn() -> Result<Arc<Catalogue>, Trouble> + Sync + 'a;

/// The mirror.
pub struct Mirror<'a> {
    source: &'a Source<'a>,
    folder: Option<Folder>,
    store: Arc<Store>,
    jobs: Mutex<BTreeMap<String, Arc<Job>>>,
    /// Says when nobody is to wait any more.
    until: &'a dyn Progress,
}

impl<'a> Mirror<'a> {
    /// A mirror of what `source` names, with this cache. `own` is the address that it is served at.
    #[must_use]
    pub fn new(source: &'a Source<'a>, cache: Cache, own: Option<SocketAddr>) -> Self {
        Self {
            source,
            folder: None,
            store: Arc::new(Store::new(cache, own)),
            jobs: Mutex::default(),
            until: &Silent,
        }
    }

    /// Lets no client wait any more once this is stopped.
    #[must_use]
    pub fn until(mut self, progress: &'a dyn Progress) -> Self {
        self.until = progress;
        self
    }

    /// Takes the releases from a folder, and fetches artifacts alone.
    ///
    /// # Errors
    /// The folder can't be read.
    pub fn with_folder(mut self, folder: &Path) -> io::Result<Self> {
        self.folder = Some(Folder::open(folder)?);
        Ok(self)
    }

    /// Where what is fetched is kept.
    #[must_use]
    pub fn cache(&self) -> &Path {
        self.store.cache.folder()
    }

    /// What the fleet wants.
    ///
    /// # Errors
    /// It can't be read.
    pub fn catalogue(&self) -> Result<Arc<Catalogue>, Trouble> {
        (self.source)()
    }

    /// Finds out of each file what it must hash to: what the fleet pins, or what the distribution says.
    ///
    /// # Errors
    /// Of some it can't be told; all of them are named.
    pub fn look_up(&self, catalogue: &Catalogue, progress: &dyn Progress) -> Result<(), Trouble> {
        let (mut failed, mut releases) = (Vec::new(), Vec::new());
        for (path, wanted) in catalogue {
            let is_given = self.folder.is_some() && path.starts_with("os/");
            let release = wanted.of.as_ref().map(|of| &of.release);
            // What is wrong with one file of a release is wrong with all of them.
            let is_told = release.is_some_and(|it| releases.contains(&it));
            if is_given || is_told {
                continue;
            }
            if let Err(trouble) = self.store.digest(path, wanted, progress) {
                failed.push(trouble);
                releases.extend(release);
            }
        }
        let messages: Vec<String> = failed
            .iter()
            .map(|it: &Trouble| it.message.clone())
            .collect();
        match failed.pop() {
            None => Ok(()),
            Some(last) => Err(Trouble {
                message: messages.join("\n"),
                ..last
            }),
        }
    }

    /// What a file must hash to, as far as that is known without asking anybody.
    #[must_use]
    pub fn known(&self, path: &str, wanted: &Wanted) -> Option<Digest> {
        self.store.known(path, wanted)
    }

    /// A file, fetched now where it is not there, with its progress. `None`: the fleet has no such file.
    ///
    /// # Errors
    /// It can't be had.
    pub fn fetch(&self, path: &str, progress: &dyn Progress) -> Result<Option<Content>, Trouble> {
        self.give(path, progress, &|wanted| {
            self.store.fetch(path, wanted, progress)
        })
    }

    /// Gives a file. `get` sees to it that it comes into the cache.
    fn give(
        &self,
        path: &str,
        progress: &dyn Progress,
        get: &dyn Fn(&Wanted) -> Result<(), Trouble>,
    ) -> Result<Option<Content>, Trouble> {
        if ![OS, ARTIFACTS]
            .iter()
            .any(|top| path.split('/').next() == Some(top))
        {
            return Ok(None);
        }
        let catalogue = self.catalogue()?;
        let Some(wanted) = catalogue.get(path) else {
            return Ok(None);
        };
        if let Some(folder) = &self.folder {
            let below = match path.strip_prefix("os/") {
                Some(below) => Some(below),
                None => Some(path).filter(|path| folder.has(path)),
            };
            if let Some(below) = below {
                let (file, tag) = folder.find(below, wanted, progress)?;
                return Ok(Some(content(path, file, tag)));
            }
        }
        // A file can be thrown away between two looks, where the cache is far too small.
        for _ in 0..3 {
            if let Some(digest) = self.store.known(path, wanted) {
                let found = self.store.cache.find(&digest, progress);
                if let Some(file) = found.map_err(|error| self.broken(&error))? {
                    return Ok(Some(content(path, file, digest.to_string())));
                }
            }
            get(wanted)?;
        }
        Err(Trouble::here(format!("{path} does not stay in the cache"))
            .help("give it more room with `--cache-size`"))
    }

    /// Has a file fetched by a thread of its own, which goes on when the client has gone, and waits for it for a while.
    fn wait(&self, path: &str, wanted: &Wanted) -> Result<(), Trouble> {
        let job = {
            let mut jobs = self.jobs();
            let job = jobs.entry(path.to_owned()).or_insert_with(|| {
                let job = Arc::new(Job::default());
                let (store, path) = (Arc::clone(&self.store), path.to_owned());
                let wanted = wanted.clone();
                Job::start(&job, move |progress| store.fetch(&path, &wanted, progress));
                job
            });
            Arc::clone(job)
        };
        let Some(result) = job.wait(WAIT, self.until) else {
            return Err(Trouble::soon(format!(
                "{path} is being fetched: {}",
                job.far()
            )));
        };
        // Whoever comes next begins anew.
        let mut jobs = self.jobs();
        if jobs.get(path).is_some_and(|it| Arc::ptr_eq(it, &job)) {
            jobs.remove(path);
        }
        result
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self, error: &io::Error) -> Trouble {
        let cache = self.cache().display();
        Trouble::here(format!("can't read the cache {cache}: {error}"))
            .help("name another folder with `--cache DIR`")
    }
}

impl Drop for Mirror<'_> {
    fn drop(&mut self) {
        self.jobs().values().for_each(|job| job.stop());
    }
}

impl Tree for Mirror<'_> {
    fn find(&self, path: &str) -> Result<Option<Content>, Trouble> {
        self.give(path, self.until, &|wanted| self.wait(path, wanted))
    }
}

fn content(path: &str, file: File, tag: String) -> Content {
    Content {
        body: Body::File(file),
        tag,
        kind: kind(path),
    }
}
