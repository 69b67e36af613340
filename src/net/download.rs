//! A file that is fetched to the disk: beside its place, checked, then renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;

use rustix::fs::{FlockOperation, flock};

use super::address::without_credentials;
use super::digest::{Digest, Hasher};
use super::exchange::TICK;
use super::sink::Sink;
use super::{Client, NetError};
use crate::progress::{Progress, Stopped};

impl Client {
    /// Fetches a file to `to`. Until it is whole and is what is expected it stands beside, in `to` with `.part`; what an
    /// earlier run left there is gone on from. Two processes that fetch the same file wait for each other. `what`
    /// names it to the user.
    pub fn download(
        &self,
        url: &str,
        to: &Path,
        expected: &Digest,
        what: &str,
        progress: &dyn Progress,
    ) -> Result<(), NetError> {
        let mut part = match Part::open(to, expected, progress)? {
            Opened::Part(part) => part,
            Opened::There => return Ok(()),
        };
        if part.hasher.digest() != *expected {
            let found_before = part.length > 0;
            self.fetch(url, &mut part, Some(what), progress)?;
            if part.hasher.digest() != *expected && found_before {
                // What was there may have been of another file.
                part.restart()?;
                self.fetch(url, &mut part, Some(what), progress)?;
            }
        }
        let found = part.hasher.digest();
        if found != *expected {
            part.discard();
            return Err(NetError::Digest {
                url: without_credentials(url),
                expected: expected.clone(),
                found,
            });
        }
        // Else a loss of power could leave a whole name with half a file.
        part.file.sync_data().map_err(broken(&part.path))?;
        fs::rename(&part.path, to).map_err(broken(to))
    }
}

enum Opened {
    Part(Part),
    /// Another process fetched it while this one waited.
    There,
}

/// A file that is not whole yet. While it is open nobody else writes it.
struct Part {
    file: File,
    path: PathBuf,
    hasher: Hasher,
    length: u64,
}

impl Part {
    fn open(to: &Path, expected: &Digest, progress: &dyn Progress) -> Result<Opened, NetError> {
        let mut name = to.as_os_str().to_owned();
        name.push(".part");
        let path = PathBuf::from(name);
        let mut waited = false;
        let file = loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(broken(&path))?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                // Whoever held it may have renamed it.
                Ok(()) if is_at(&file, &path) => break file,
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    waited = true;
                    if progress.stopped() {
                        return Err(NetError::Stopped);
                    }
                    sleep(TICK);
                }
                Err(error) => return Err(broken(&path)(error.into())),
            }
        };
        let mut part = Self {
            file,
            path,
            hasher: Hasher::new(expected.function()),
            length: 0,
        };
        if waited && let Ok(there) = File::open(to) {
            let found = Digest::of_file(expected.function(), &there, progress);
            if found.map_err(unread(to))? == *expected {
                part.discard();
                return Ok(Opened::There);
            }
        }
        let hashed = part.hasher.update_from(&part.file, progress);
        part.length = hashed.map_err(unread(&part.path))?;
        part.file
            .seek(SeekFrom::Start(part.length))
            .map_err(broken(&part.path))?;
        Ok(Opened::Part(part))
    }

    /// It is no part of what was asked for.
    fn discard(&self) {
        // Where it can't go, the next run finds that it is no good.
        let _ = fs::remove_file(&self.path);
    }
}

impl Sink for Part {
    fn offset(&self) -> u64 {
        self.length
    }

    fn restart(&mut self) -> Result<(), NetError> {
        self.length = 0;
        self.hasher = Hasher::new(self.hasher.function());
        self.file.set_len(0).map_err(broken(&self.path))?;
        self.file
            .seek(SeekFrom::Start(0))
            .map_err(broken(&self.path))?;
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        self.file.write_all(bytes).map_err(broken(&self.path))?;
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// Whether a path still leads to this file.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

fn broken(path: &Path) -> impl FnOnce(io::Error) -> NetError {
    let path = path.to_owned();
    move |cause| NetError::File { path, cause }
}

fn unread(path: &Path) -> impl FnOnce(io::Error) -> NetError {
    let broken = broken(path);
    move |error| match error.get_ref() {
        Some(inner) if inner.is::<Stopped>() => NetError::Stopped,
        _ => broken(error),
    }
}
