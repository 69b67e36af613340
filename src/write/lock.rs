//! One writer of a fleet at a time.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::fchown;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::{WriteError, owner};

/// The right to write a fleet. It ends when dropped, or with the process.
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock; `path` names its file, which stays.
    ///
    /// # Errors
    /// Somebody holds it, or its file can't be written.
    pub fn take(path: &Path, command: &str) -> Result<Self, WriteError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(WriteError::io(path))?;
        // What root makes under sudo the user has to be able to take the next time.
        if let Some((user, group)) = path.parent().and_then(owner) {
            let _ = fchown(&file, Some(user), Some(group));
        }
        if let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK {
                return Err(WriteError::io(path)(error.into()));
            }
            let mut holder = String::new();
            file.read_to_string(&mut holder)
                .map_err(WriteError::io(path))?;
            return Err(WriteError::Locked {
                holder: holder.trim().to_owned(),
            });
        }
        file.set_len(0)
            .and_then(|()| {
                writeln!(
                    file,
                    "`ephemeros {command}`, process {}",
                    std::process::id()
                )
            })
            .map_err(WriteError::io(path))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_told_who_writes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let first = Lock::take(&path, "render").expect("free");
        match Lock::take(&path, "plan").map(|_| ()) {
            Err(WriteError::Locked { holder }) => {
                assert!(holder.contains("ephemeros render"), "{holder}");
            }
            other => panic!("{other:?}"),
        }
        drop(first);
        assert!(Lock::take(&path, "plan").is_ok());
    }
}
