//! A mirror of the releases that a fleet's nodes boot, and of its artifacts. Each file is fetched once, and given to
//! nobody before it is whole and is what the fleet pins.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use self::cache::Cache;
pub(super) use self::cache::hash;
pub use self::catalogue::{ARTIFACTS, Catalogue, OS, Wanted, artifact_path, catalogue};
use self::folder::Folder;
use self::job::Job;
use super::content::{Body, Content, Tree, Trouble, kind};
use crate::net::{Client, Digest, NetError};
use crate::progress::{Progress, Silent};

mod cache;
mod catalogue;
mod folder;
mod job;

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
    jobs: Mutex<BTreeMap<Digest, Arc<Job>>>,
}

/// Where files come from, and where they are kept.
struct Store {
    cache: Cache,
    client: Client,
    /// The address of the server that the mirror is a part of, which may stand in `[os] mirrors`.
    own: Option<SocketAddr>,
}

impl<'a> Mirror<'a> {
    /// A mirror of what `source` names, with this cache. `own` is the address that it is served at.
    #[must_use]
    pub fn new(source: &'a Source<'a>, cache: Cache, own: Option<SocketAddr>) -> Self {
        let client = Client::default();
        Self {
            source,
            folder: None,
            store: Arc::new(Store { cache, client, own }),
            jobs: Mutex::default(),
        }
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

    /// Whether something says of each file what it must be.
    ///
    /// # Errors
    /// Nothing does of some, which are named.
    pub fn check_pins(&self, catalogue: &Catalogue) -> Result<(), Trouble> {
        let is_given = |path: &str| self.folder.is_some() && path.starts_with("os/");
        let free = catalogue
            .iter()
            .filter(|(path, wanted)| wanted.digest.is_none() && !is_given(path));
        let free: Vec<&str> = free.map(|(path, _)| path.as_str()).collect();
        match free.is_empty() {
            true => Ok(()),
            false => Err(unpinned(&free.join(", "))),
        }
    }

    /// A file, fetched now where it is not there, with its progress. `None`: the fleet has no such file.
    ///
    /// # Errors
    /// It can't be had.
    pub fn fetch(&self, path: &str, progress: &dyn Progress) -> Result<Option<Content>, Trouble> {
        self.give(path, progress, &|digest, wanted| {
            let result = self.store.fetch(path, wanted, digest, progress);
            result.map_err(trouble)
        })
    }

    /// Gives a file. `get` sees to it that it comes into the cache.
    fn give(
        &self,
        path: &str,
        progress: &dyn Progress,
        get: &dyn Fn(&Digest, &Wanted) -> Result<(), Trouble>,
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
        if let (Some(folder), Some(below)) = (&self.folder, path.strip_prefix("os/")) {
            let (file, tag) = folder.find(below, wanted, progress)?;
            return Ok(Some(content(path, file, tag)));
        }
        let Some(digest) = &wanted.digest else {
            return Err(unpinned(path));
        };
        // A file can be thrown away between two looks, where the cache is far too small.
        for _ in 0..3 {
            let found = self.store.cache.find(digest, progress);
            if let Some(file) = found.map_err(|error| self.broken(&error))? {
                return Ok(Some(content(path, file, digest.to_string())));
            }
            get(digest, wanted)?;
        }
        Err(Trouble::here(format!("{path} does not stay in the cache"))
            .help("give it more room with `--cache-size`"))
    }

    /// Has a file fetched by a thread of its own, which goes on when the client has gone, and waits for it for a while.
    fn wait(&self, path: &str, digest: &Digest, wanted: &Wanted) -> Result<(), Trouble> {
        let job = {
            let mut jobs = self.jobs();
            let job = jobs.entry(digest.clone()).or_insert_with(|| {
                let job = Arc::new(Job::default());
                let (store, path) = (Arc::clone(&self.store), path.to_owned());
                let (digest, wanted) = (digest.clone(), wanted.clone());
                Job::start(&job, move |progress| {
                    store.fetch(&path, &wanted, &digest, progress)
                });
                job
            });
            Arc::clone(job)
        };
        let Some(result) = job.wait(WAIT) else {
            return Err(Trouble::soon(format!(
                "{path} is being fetched: {}",
                job.far()
            )));
        };
        // Whoever comes next begins anew.
        let mut jobs = self.jobs();
        if jobs.get(digest).is_some_and(|it| Arc::ptr_eq(it, &job)) {
            jobs.remove(digest);
        }
        result.map_err(|message| Trouble::upstream(message))
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<Digest, Arc<Job>>> {
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
        self.give(path, &Silent, &|digest, wanted| {
            self.wait(path, digest, wanted)
        })
    }
}

impl Store {
    fn fetch(
        &self,
        path: &str,
        wanted: &Wanted,
        digest: &Digest,
        progress: &dyn Progress,
    ) -> Result<(), Vec<NetError>> {
        let others = wanted.urls.iter().filter(|url| !self.is_own(url));
        let others: Vec<String> = others.cloned().collect();
        let name = path.rsplit('/').next().unwrap_or(path);
        self.cache
            .fetch(&self.client, &others, digest, name, progress)
    }

    /// Whether a URL leads back here: then it would wait for itself.
    fn is_own(&self, url: &str) -> bool {
        let Some(own) = self.own else { return false };
        let Some(rest) = url.strip_prefix("http://") else {
            return false;
        };
        let host = rest.split('/').next().unwrap_or_default();
        let with_port = match host.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => host.to_owned(),
            _ => format!("{host}:80"),
        };
        let Ok(mut addresses) = with_port.to_socket_addrs() else {
            return false;
        };
        addresses.any(|it| {
            let same = own.ip().is_unspecified() || it.ip() == own.ip();
            it.port() == own.port() && same && is_local(it.ip())
        })
    }
}

/// Whether an address is one of this machine: only of those a port can be had.
fn is_local(address: IpAddr) -> bool {
    TcpListener::bind((address, 0)).is_ok()
}

fn content(path: &str, file: File, tag: String) -> Content {
    Content {
        body: Body::File(file),
        tag,
        kind: kind(path),
    }
}

fn unpinned(what: &str) -> Trouble {
    let message = format!("fleet.lock has no digest, so nobody can tell what it must be: {what}");
    Trouble::here(message)
        .help("run `ephemeros lock`, which writes it; or give the release's files with `--os DIR`")
}

fn trouble(errors: Vec<NetError>) -> Trouble {
    Trouble::upstream(job::message(&errors))
}
