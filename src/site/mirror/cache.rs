//! Files that were fetched, by their digests, in a folder of a limited size.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use rustix::fs::{FlockOperation, flock};

use crate::net::{Client, Digest, NetError};
use crate::progress::Progress;

/// A cache. Several processes may have the same one.
///
/// A file is locked (`flock`) as long as somebody reads it, and what is locked stays. When it was used last stands in its
/// modification time.
pub struct Cache {
    folder: PathBuf,
    limit: u64,
    /// Files that were read and found right since this process began, by device and inode.
    checked: Mutex<BTreeSet<(u64, u64)>>,
}

impl Cache {
    /// In a folder that need not be there yet, of so many bytes.
    #[must_use]
    pub fn new(folder: PathBuf, limit: u64) -> Self {
        Self {
            folder,
            limit,
            checked: Mutex::default(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file that is there, and right. One that is not right any more is thrown away.
    pub(super) fn find(
        &self,
        digest: &Digest,
        progress: &dyn Progress,
    ) -> io::Result<Option<File>> {
        let path = self.path(digest);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // Whoever has it for himself is about to throw it away.
        if flock(&file, FlockOperation::NonBlockingLockShared).is_err() {
            return Ok(None);
        }
        let metadata = file.metadata()?;
        if metadata.nlink() == 0 {
            return Ok(None);
        }
        let id = (metadata.dev(), metadata.ino());
        if !self.checked().contains(&id) {
            if Digest::of_file(digest.function(), &file, progress)? != *digest {
                fs::remove_file(&path)?;
                return Ok(None);
            }
            self.checked().insert(id);
        }
        // Of a cache that may only be read nothing is thrown away either.
        let _ = file.set_modified(SystemTime::now());
        Ok(Some(file))
    }

    /// Fetches a file from the first URL that gives it, and makes room for it afterwards.
    pub(super) fn fetch(
        &self,
        client: &Client,
        urls: &[String],
        digest: &Digest,
        what: &str,
        progress: &dyn Progress,
    ) -> Result<(), Vec<NetError>> {
        let path = self.path(digest);
        if let Err(cause) = fs::create_dir_all(&self.folder) {
            let path = self.folder.clone();
            return Err(vec![NetError::File { path, cause }]);
        }
        let mut errors = Vec::new();
        for url in urls {
            match client.download(url, &path, digest, what, progress) {
                Ok(()) => {
                    if let Ok(metadata) = fs::metadata(&path) {
                        self.checked().insert((metadata.dev(), metadata.ino()));
                    }
                    self.make_room(&path);
                    return Ok(());
                }
                Err(NetError::Stopped) => return Err(vec![NetError::Stopped]),
                Err(error) => errors.push(error),
            }
        }
        let part = self.folder.join(format!("{digest}.part"));
        remove_if(&part, |length| length == 0);
        Err(errors)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(digest.to_string())
    }

    fn checked(&self) -> std::sync::MutexGuard<'_, BTreeSet<(u64, u64)>> {
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Throws away what was not used for the longest time, until all fits. What is read or fetched now stays, and what was
    /// fetched just now, even where it does not fit alone.
    fn make_room(&self, new: &Path) {
        let mut files = Vec::new();
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let digest = name.strip_suffix(".part").unwrap_or(&name);
            // Somebody may have put other files there.
            let is_ours = Digest::parse(digest).is_some();
            if let (true, Ok(metadata)) = (is_ours, entry.metadata()) {
                files.push((metadata.modified().ok(), entry.path(), metadata.len()));
            }
        }
        files.sort();
        let mut total: u64 = files.iter().map(|(.., length)| length).sum();
        for (_, path, length) in files {
            if total <= self.limit {
                return;
            }
            if path == new {
                continue;
            }
            if remove_if(&path, |_| true) {
                total -= length;
            }
        }
    }
}

/// Throws a file away that nobody reads or writes, where its length is one to throw away.
fn remove_if(path: &Path, is_one: impl Fn(u64) -> bool) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok()
        && file.metadata().is_ok_and(|it| is_one(it.len()))
        && fs::remove_file(path).is_ok()
}
