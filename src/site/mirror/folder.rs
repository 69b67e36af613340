//! Releases that somebody put into a folder.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::catalogue::Wanted;
use crate::net::Digest;
use crate::progress::Progress;
use crate::site::content::Trouble;

/// A folder with releases in the layout of a mirror, or with the files of one release.
pub(super) struct Folder {
    root: PathBuf,
    /// What was read, and hashed: so it need not be again. A file that is written anew has another time.
    hashed: Mutex<Vec<(Stamp, Digest)>>,
}

/// Device, inode, length and time of a file.
type Stamp = (u64, u64, u64, i64, i64);

impl Folder {
    /// A folder that is there.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        fs::read_dir(&root)?;
        Ok(Self {
            root,
            hashed: Mutex::default(),
        })
    }

    /// Whether something stands at a path in it.
    pub(super) fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// A file of a release, by its path below the mirror's base, or another one by its path in the folder; and a tag for it.
    pub(super) fn find(
        &self,
        path: &str,
        wanted: &Wanted,
        progress: &dyn Progress,
    ) -> Result<(File, String), Trouble> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let shown = self.root.join(name);
        let exported = self.root.join("os").join(path);
        let places = [self.root.join(path), self.root.join(name), exported];
        let found = places.iter().find(|place| place.exists());
        let Some(place) = found else {
            let message = format!("there is neither {} nor {path} in it", shown.display());
            return Err(Trouble::here(message).help(format!(
                "put the file `{name}` there, or leave `--os` away to fetch it"
            )));
        };
        let failed =
            |error: io::Error| Trouble::here(format!("can't read {}: {error}", place.display()));
        // A release has links inside itself; one that leads elsewhere would serve what nobody meant to.
        let real = place.canonicalize().map_err(failed)?;
        if !real.starts_with(&self.root) {
            let message = format!("{} leads out of its folder", place.display());
            return Err(Trouble::here(message).help("put the file itself there"));
        }
        let metadata = fs::metadata(&real).map_err(failed)?;
        if !metadata.is_file() {
            return Err(Trouble::here(format!(
                "{} is no regular file",
                place.display()
            )));
        }
        let file = File::open(&real).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let stamp = (
            metadata.dev(),
            metadata.ino(),
            metadata.len(),
            metadata.mtime(),
            metadata.mtime_nsec(),
        );
        let Some(expected) = &wanted.digest else {
            let (dev, ino, length, seconds, nanos) = stamp;
            return Ok((
                file,
                format!("{dev:x}-{ino:x}-{length:x}-{seconds:x}-{nanos:x}"),
            ));
        };
        let hashed = || self.hashed.lock().unwrap_or_else(PoisonError::into_inner);
        let known = hashed()
            .iter()
            .find(|(of, _)| *of == stamp)
            .map(|(_, it)| it.clone());
        let digest = match known {
            Some(digest) if digest.function() == expected.function() => digest,
            _ => {
                let digest =
                    Digest::of_file(expected.function(), &file, progress).map_err(failed)?;
                hashed().push((stamp, digest.clone()));
                digest
            }
        };
        if digest != *expected {
            let message = format!(
                "{} is not the file that fleet.lock pins\nexpected {expected}\nfound    {digest}",
                place.display()
            );
            return Err(Trouble::here(message).help(
                "take the files of the release that the fleet names, or run `ephemeros lock`",
            ));
        }
        Ok((file, digest.to_string()))
    }
}
