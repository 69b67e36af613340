//! A stick as a file.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, fchown};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};
use rustix::io::Errno;
use tempfile::NamedTempFile;

use super::disk::Disk;
use crate::invoker::Invoker;
use crate::progress::{Progress, Stopped};
use crate::write::WriteError;

/// Why there is no file. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// It can't be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The user stopped it.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

/// Writes the image to a file that gets its name when it is whole. Only its owner may read it, since the secrets are
/// in it. What is all zeros takes no room. Under sudo the owner is the user who called it.
///
/// # Errors
/// The file can't be written, or the user stopped it.
pub fn save(
    disk: &Disk,
    path: &Path,
    owner: Option<&Invoker>,
    progress: &dyn Progress,
) -> Result<(), SaveError> {
    let failed = |cause: io::Error| WriteError::Io {
        path: path.to_owned(),
        cause,
    };
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let draft = Draft::open(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    let file = draft.file();
    if let Some(owner) = owner {
        fchown(file, Some(owner.uid), Some(owner.gid)).map_err(failed)?;
    }
    file.set_len(disk.size()).map_err(failed)?;
    for (offset, bytes) in disk.used() {
        if progress.stopped() {
            return Err(Stopped.into());
        }
        file.write_all_at(bytes, offset).map_err(failed)?;
    }
    // Some file systems find only now that they are full.
    file.sync_all().map_err(failed)?;
    draft.name(path).map_err(failed)?;
    Ok(())
}

/// A file on its way.
enum Draft {
    /// Nothing is left of it, even if the machine dies: open(2), `O_TMPFILE`.
    Unnamed(File),
    /// For file systems that have no such files. The name is one that people tell git to ignore.
    Named(NamedTempFile),
}

impl Draft {
    fn open(folder: &Path) -> io::Result<Self> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        match open(folder, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => Ok(Self::Unnamed(file.into())),
            Err(Errno::OPNOTSUPP | Errno::ISDIR) => tempfile::Builder::new()
                .prefix(".ephemeros-")
                .suffix(".img")
                .permissions(Permissions::from_mode(0o600))
                .tempfile_in(folder)
                .map(Self::Named),
            Err(error) => Err(error.into()),
        }
    }

    fn file(&self) -> &File {
        match self {
            Self::Unnamed(file) => file,
            Self::Named(file) => file.as_file(),
        }
    }

    fn name(self, path: &Path) -> io::Result<()> {
        let file = match self {
            Self::Unnamed(file) => file,
            Self::Named(file) => return file.persist(path).map(drop).map_err(|it| it.error),
        };
        // It can't be renamed over an older one.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
        Ok(linkat(CWD, unnamed, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
    }
}
