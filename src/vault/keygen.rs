//! Makes a new identity.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret;
use tempfile::NamedTempFile;

use super::dumps::forbid_dumps;
use crate::secrets::recipients::Recipient;

/// Why no identity was made. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
pub enum KeygenError {
    /// A key that is lost opens nothing any more, so none is ever replaced.
    #[error("`{}` exists and is not overwritten; move it away, or name another file", .0.display())]
    Exists(PathBuf),
    /// The file can't be written.
    #[error("can't write the identity `{}`: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Writes a new age identity that only its owner can read, and gives its public key. Directories that are missing are
/// made, closed to others.
pub fn generate_identity(path: &Path) -> Result<Recipient, KeygenError> {
    forbid_dumps();
    let key = age::x25519::Identity::generate();
    let recipient = Recipient::X25519(key.to_public());
    let failed = |source| KeygenError::Write {
        path: path.to_owned(),
        source,
    };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed)?;
    let file = write_beside(folder, &key, &recipient).map_err(failed)?;
    // Fails when something is there: the identity is whole or not there at all.
    file.persist_noclobber(path)
        .map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => KeygenError::Exists(path.to_owned()),
            _ => failed(error.error),
        })?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed)?;
    Ok(recipient)
}

fn write_beside(
    folder: &Path,
    key: &age::x25519::Identity,
    recipient: &Recipient,
) -> io::Result<NamedTempFile> {
    // A temporary file has mode 0600 from its beginning.
    let mut file = NamedTempFile::new_in(folder)?;
    writeln!(file, "# public key: {recipient}")?;
    writeln!(file, "{}", key.to_string().expose_secret())?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::vault::identity::{Places, find_identities};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn makes_a_closed_file_that_can_be_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/identity");
        let recipient = generate_identity(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&folder.path().join("a")), 0o700);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(&format!("# public key: {recipient}\nAGE-SECRET-KEY-1")));
        let places = Places {
            option: Some(path),
            ..Places::default()
        };
        assert!(find_identities(&places).unwrap().warnings().is_empty());
    }

    #[test]
    fn never_overwrites() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("identity");
        fs::write(&path, "mine").unwrap();
        let error = generate_identity(&path).unwrap_err();
        assert!(matches!(error, KeygenError::Exists(_)));
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = generate_identity(&path.join("below")).unwrap_err();
        assert!(matches!(error, KeygenError::Write { .. }));
    }
}
