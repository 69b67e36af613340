//! A folder for secrets in plain text that is in memory only, closed to others, and wiped when it is done with.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, fstat, open, statfs};
use rustix::io::Errno;
use tempfile::TempDir;
use zeroize::Zeroizing;

/// What the kernel calls the file systems that are in memory (`linux/magic.h`).
const TMPFS: u64 = 0x0102_1994;
const RAMFS: u64 = 0x8584_58f6;

/// Where every Linux has one, but for what takes it away on purpose.
const SHARED_MEMORY: &str = "/dev/shm";

/// No text of secrets is longer, in bytes.
const LONGEST: u64 = 64 << 20;

/// Why there is no such folder.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// None of the places is in memory.
    #[error("there is no place in memory for the text: {0}")]
    Nowhere(String),
    /// There is something else in the place of the file, or nothing.
    #[error("the editor left no file to read: {0}")]
    NoFile(&'static str),
    /// The file in it can't be written, read or wiped.
    #[error("can't {action} {}: {cause}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
}

impl MemoryError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Nowhere(_) => {
                "let XDG_RUNTIME_DIR name a folder on a tmpfs; `ephemeros secrets set` needs none"
            }
            Self::NoFile(_) => {
                "nothing was written; let the editor save to the file that it was given"
            }
            Self::Io { .. } => "see that nothing of it is left there",
        }
    }

    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::Io {
            action,
            path,
            cause,
        }
    }
}

/// A folder with one file in it, and with whatever an editor leaves beside that. All of it is wiped, at the latest when
/// it is dropped.
pub struct MemoryFolder {
    folder: TempDir,
    path: PathBuf,
    /// An editor may put another file into its place: this one is wiped all the same.
    first: File,
}

impl MemoryFolder {
    /// Makes the folder, and the file with this text.
    ///
    /// # Errors
    /// There is no place in memory, or no room in it.
    pub fn with(name: &str, text: &str) -> Result<Self, MemoryError> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let runtime = runtime.filter(|path| path.is_absolute());
        let folder = make(runtime.into_iter().chain([SHARED_MEMORY.into()]))?;
        let path = folder.path().join(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let first = file.map_err(MemoryError::io("make", &path))?;
        let made = Self {
            folder,
            path,
            first,
        };
        (&made.first)
            .write_all(text.as_bytes())
            .map_err(MemoryError::io("write", &made.path))?;
        Ok(made)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in the file now.
    ///
    /// # Errors
    /// It is gone, or no file any more: a link leads out of memory, and a pipe has no end.
    pub fn read(&self) -> Result<Zeroizing<Vec<u8>>, MemoryError> {
        let failed = || MemoryError::io("read", &self.path);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = open(&self.path, flags, Mode::empty()).map_err(|errno| match errno {
            Errno::NOENT => MemoryError::NoFile("it is gone"),
            Errno::LOOP => {
                MemoryError::NoFile("it is a link now, and where that leads may not be in memory")
            }
            errno => failed()(errno.into()),
        })?;
        let mut file = File::from(file);
        let metadata = file.metadata().map_err(failed())?;
        if !metadata.is_file() {
            return Err(MemoryError::NoFile("it is no regular file"));
        }
        if metadata.len() > LONGEST {
            return Err(MemoryError::NoFile("it is far too long for secrets"));
        }
        let length = metadata.len();
        // Room for all of it, so that no copy is left behind when the buffer grows.
        let room = usize::try_from(length).unwrap_or(0).saturating_add(1);
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        file.read_to_end(&mut bytes).map_err(failed())?;
        Ok(bytes)
    }

    /// Overwrites and removes everything.
    ///
    /// # Errors
    /// The first thing that could not be; the rest is wiped all the same.
    pub fn wipe(self) -> Result<(), MemoryError> {
        let done = self.overwrite();
        let path = self.folder.path().to_owned();
        let gone = fs::remove_dir_all(&path);
        done.and(gone).map_err(MemoryError::io("wipe", &path))
    }

    fn overwrite(&self) -> io::Result<()> {
        let mut done = zero(&self.first);
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    done = done.and(zero_file(&entry.path()));
                }
            }
        }
        done
    }
}

impl Drop for MemoryFolder {
    fn drop(&mut self) {
        // The folder goes next, by its own drop.
        let _ = self.overwrite();
    }
}

/// In the first of these places that is in memory and takes it.
fn make(places: impl Iterator<Item = PathBuf>) -> Result<TempDir, MemoryError> {
    let mut refused = Vec::new();
    for place in places {
        let why = match statfs(&place) {
            Ok(system) if is_in_memory(system.f_type) => {
                let made = tempfile::Builder::new()
                    .prefix("ephemeros-")
                    .permissions(Permissions::from_mode(0o700))
                    .tempdir_in(&place);
                match made {
                    Ok(folder) => return Ok(folder),
                    Err(error) => error.to_string(),
                }
            }
            Ok(_) => "not a tmpfs".to_owned(),
            Err(error) => io::Error::from(error).to_string(),
        };
        refused.push(format!("{} ({why})", place.display()));
    }
    Err(MemoryError::Nowhere(refused.join(", ")))
}

/// The type has another width on each architecture.
fn is_in_memory(kind: impl TryInto<u64>) -> bool {
    kind.try_into()
        .is_ok_and(|kind| [TMPFS, RAMFS].contains(&kind))
}

/// Opened anew, whatever the editor made of its mode; never what a link points to.
fn zero_file(path: &Path) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty()).or_else(|_| {
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        open(path, flags, Mode::empty()).map_err(io::Error::from)
    })?;
    zero(&File::from(file))
}

fn zero(file: &File) -> io::Result<()> {
    use std::os::unix::fs::FileExt;

    let length = u64::try_from(fstat(file)?.st_size).unwrap_or(0);
    let zeros = [0; 4096];
    let mut done = 0;
    while done < length {
        let piece = usize::try_from(length - done).map_or(zeros.len(), |it| it.min(zeros.len()));
        file.write_all_at(&zeros[..piece], done)?;
        done += piece as u64;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_a_disk_is_passed_over_and_named() {
        let disk = Path::new(env!("CARGO_MANIFEST_DIR"));
        if is_in_memory(statfs(disk).unwrap().f_type) {
            return;
        }
        let folder = make([disk.to_owned(), SHARED_MEMORY.into()].into_iter()).unwrap();
        assert!(folder.path().starts_with(SHARED_MEMORY));
        let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o700);
        let places = [disk.to_owned(), "/nowhere".into()];
        let error = make(places.into_iter()).unwrap_err().to_string();
        assert!(
            error.contains("(not a tmpfs), /nowhere (No such file"),
            "{error}"
        );
    }

    #[test]
    fn everything_is_zeros_and_gone() {
        let made = MemoryFolder::with("a", "secret").unwrap();
        let place = made.folder.path().to_owned();
        assert_eq!(
            fs::metadata(made.path()).unwrap().permissions().mode() & 0o7777,
            0o600
        );
        let outside = tempfile::NamedTempFile::new().unwrap();
        fs::write(outside.path(), "kept").unwrap();
        std::os::unix::fs::symlink(outside.path(), place.join("link")).unwrap();
        fs::create_dir(place.join("below")).unwrap();
        let long = vec![b'x'; 10_000];
        let mut kept = vec![File::open(made.path()).unwrap()];
        // As editors do: another file in its place.
        fs::write(place.join("new"), "other").unwrap();
        fs::rename(place.join("new"), made.path()).unwrap();
        for (name, bytes) in [("a.swp", &b"secret"[..]), ("below/b", &long)] {
            fs::write(place.join(name), bytes).unwrap();
            fs::set_permissions(place.join(name), Permissions::from_mode(0o400)).unwrap();
            kept.push(File::open(place.join(name)).unwrap());
        }
        kept.push(File::open(made.path()).unwrap());
        made.wipe().unwrap();
        assert!(!place.exists());
        for (mut file, length) in kept.iter().zip([6, 6, 10_000, 5]) {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            assert!(bytes == vec![0; length]);
        }
        assert_eq!(fs::read(outside.path()).unwrap(), b"kept");
    }
}
