//! A stick as a file.

use std::fs::Permissions;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;

use super::disk::Disk;
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

/// Writes the image beside its place and renames it, so that the file is whole or not there. Only its owner may
/// read it, since the secrets are in it. What is all zeros takes no room.
///
/// # Errors
/// The file can't be written, or the user stopped it.
pub fn save(disk: &Disk, path: &Path, progress: &dyn Progress) -> Result<(), SaveError> {
    let failed = |cause| WriteError::Io {
        path: path.to_owned(),
        cause,
    };
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let file = tempfile::Builder::new()
        .prefix(".ephemeros-")
        // As people tell git to ignore, should the machine die now.
        .suffix(".img")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(failed)?;
    file.as_file().set_len(disk.size()).map_err(failed)?;
    for (offset, bytes) in disk.used() {
        if progress.stopped() {
            return Err(Stopped.into());
        }
        file.as_file().write_all_at(bytes, offset).map_err(failed)?;
    }
    // Some file systems find only now that they are full.
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
