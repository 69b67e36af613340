//! Where a fleet's files are read from: its folder, or a commit.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

/// A file of the fleet that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("can't read {}: {cause}", path.display())]
pub struct Unreadable {
    /// Which one.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub cause: io::Error,
}

impl Unreadable {
    /// Whether there is no such file at all.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.cause.kind() == io::ErrorKind::NotFound
    }
}

/// The files of a fleet, by their paths under its root.
pub trait Files: Sync {
    /// A file's bytes.
    fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable>;
    /// The names of the files in a folder, sorted, without hidden ones; none where there is no such folder.
    fn list(&self, folder: &str) -> Result<Vec<String>, Unreadable>;
}

/// A fleet as it stands on disk.
pub struct Folder(pub PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable> {
        let path = self.0.join(path);
        let read = fs::metadata(&path).and_then(|metadata| {
            if metadata.is_file() || metadata.is_dir() {
                fs::read(&path)
            } else {
                // A pipe would be waited for without end.
                Err(io::Error::other("it is no regular file"))
            }
        });
        read.map_err(|cause| Unreadable { path, cause })
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, Unreadable> {
        let folder = self.0.join(folder);
        let unreadable = |cause| Unreadable {
            path: folder.clone(),
            cause,
        };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(unreadable(cause)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // A folder that is called as a node file would be is told when it is read.
            let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
            let is_meant = !is_folder || name.ends_with(".toml");
            if is_meant && !name.starts_with('.') {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

/// A fleet as it stood in a commit: bytes by path.
pub struct Snapshot(pub BTreeMap<String, Vec<u8>>);

impl Files for Snapshot {
    fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable> {
        self.0.get(path).cloned().ok_or_else(|| Unreadable {
            path: PathBuf::from(path),
            cause: io::ErrorKind::NotFound.into(),
        })
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, Unreadable> {
        let names = self.0.keys().filter_map(|path| {
            let (above, name) = path.rsplit_once('/')?;
            (above == folder && !name.starts_with('.')).then(|| name.to_owned())
        });
        Ok(names.collect())
    }
}

/// A fleet with one more file, which is not written yet.
pub struct With<'a> {
    /// The fleet as it is.
    pub files: &'a dyn Files,
    /// The file's path.
    pub path: &'a str,
    /// What will stand in it.
    pub text: &'a str,
}

impl Files for With<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, Unreadable> {
        if path == self.path {
            return Ok(self.text.as_bytes().to_owned());
        }
        self.files.read(path)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, Unreadable> {
        let mut names = self.files.list(folder)?;
        if let Some((above, name)) = self.path.rsplit_once('/')
            && above == folder
        {
            names.push(name.to_owned());
            names.sort();
            names.dedup();
        }
        Ok(names)
    }
}

/// The files of a fleet that say what its nodes are; the templates are not among them.
pub const INPUTS: [&str; 3] = ["fleet.toml", "fleet.lock", "nodes"];
