//! Local files that a config takes in.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::Options;
use crate::ignition::rules::path;

/// Why a local file is not taken, and what to do.
pub(super) type Refusal = (String, &'static str);

/// How many files are remembered, and of what size.
const KEPT: usize = 64;
const SMALL: usize = 64 << 10;

/// Small files that were read already. Many configs of one directory take in the same ones.
#[derive(Debug, Default)]
pub struct Known(RwLock<HashMap<PathBuf, Arc<[u8]>>>);

impl Known {
    fn find(&self, file: &Path) -> Option<Arc<[u8]>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(file).cloned()
    }

    fn keep(&self, file: &Path, bytes: &Arc<[u8]>) {
        if bytes.len() > SMALL {
            return;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(file.to_owned(), Arc::clone(bytes));
    }
}

/// The directory that local paths are relative to, and what may be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Files<'a> {
    directory: Option<&'a Path>,
    links_may_leave: bool,
    known: Option<&'a Known>,
}

impl<'a> Files<'a> {
    pub(super) fn new(options: &Options<'a>) -> Self {
        Self {
            directory: options.files_dir,
            links_may_leave: options.links_may_leave,
            known: options.known_files,
        }
    }

    /// Whether there is a directory at all.
    pub(super) fn exist(self) -> bool {
        self.directory.is_some()
    }

    /// The bytes of a local file, or what is wrong with it.
    pub(super) fn read(self, local: &str) -> Result<Arc<[u8]>, Refusal> {
        let file = self.locate(local)?;
        self.read_at(&file, local)
    }

    /// The bytes of a file that was found below the directory.
    pub(super) fn read_at(self, file: &Path, shown: &str) -> Result<Arc<[u8]>, Refusal> {
        if let Some(bytes) = self.known.and_then(|known| known.find(file)) {
            return Ok(bytes);
        }
        self.check_links(file, shown)?;
        let metadata = file.metadata().map_err(|error| describe(shown, &error))?;
        if !metadata.is_file() {
            let message = format!("local file `{shown}` is no regular file");
            return Err((message, "for a directory use `trees`"));
        }
        let bytes = std::fs::read(file).map_err(|error| describe(shown, &error))?;
        let bytes = Arc::from(bytes);
        if let Some(known) = self.known {
            known.keep(file, &bytes);
        }
        Ok(bytes)
    }

    /// Where a local path is. It is judged by its text: `..` may not leave the directory.
    pub(super) fn locate(self, local: &str) -> Result<PathBuf, Refusal> {
        let directory = self.directory.ok_or_else(no_directory)?;
        // A leading `..` is only found when the whole path is looked at: `../files/x` is inside of `files`.
        let base = std::path::absolute(directory).map_err(|error| describe(local, &error))?;
        let base = path::clean(&base.to_string_lossy());
        let file = path::join(&base, local);
        if file != base && !file.starts_with(&format!("{}/", base.trim_end_matches('/'))) {
            let message = format!("local path `{local}` leads out of the files directory");
            return Err((message, "move what it names into the files directory"));
        }
        Ok(PathBuf::from(file))
    }

    /// With links followed, a file may be anywhere; a fleet's files may not.
    pub(super) fn check_links(self, file: &Path, shown: &str) -> Result<(), Refusal> {
        let Some(directory) = self.directory.filter(|_| !self.links_may_leave) else {
            return Ok(());
        };
        let base = directory
            .canonicalize()
            .map_err(|error| describe(shown, &error))?;
        let real = file
            .canonicalize()
            .map_err(|error| describe(shown, &error))?;
        if real.starts_with(base) {
            Ok(())
        } else {
            let message = format!("local file `{shown}` is a link out of the files directory");
            Err((message, "copy what it leads to into the files directory"))
        }
    }
}

/// An error of the operating system, with the path as it stands in the config.
pub(super) fn describe(shown: &str, error: &io::Error) -> Refusal {
    match error.kind() {
        io::ErrorKind::NotFound => (
            format!("local file `{shown}` does not exist"),
            "paths are relative to the files directory",
        ),
        _ => (
            format!("can't read local file `{shown}`: {error}"),
            "make it a file that you may read",
        ),
    }
}

/// There is nowhere to look for local files.
pub(super) fn no_directory() -> Refusal {
    let message = "local files are asked for, and there is no files directory";
    (message.to_owned(), "name the directory that they are in")
}
