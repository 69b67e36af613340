//! One folder of loaders.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use rayon::prelude::*;

use super::binary::{Loader, NotALoader};
use super::file::{Flaw, Found, flaw, read_file};

/// How far below a folder files are looked for: iPXE's own archive has `ipxeboot/x86_64/ipxe.efi`.
const DEEPEST: usize = 2;

/// A file that was not taken.
#[derive(Debug)]
pub struct PassedOver {
    /// Where it is.
    pub path: PathBuf,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What a folder and the folders in it hold.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// The loaders, in the order to take them.
    pub(super) good: Vec<Found>,
    /// All other files that end in `.efi` or `.lkrn`.
    pub(super) bad: Vec<PassedOver>,
}

impl Folder {
    /// Reads every file that ends in `.efi` or `.lkrn`; what its name is otherwise says nothing. Names differ from one
    /// distribution to the next, and Fedora's `ipxe-snponly-x86_64.efi` looks like an `ipxe.efi`.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut seen = HashSet::new();
        let mut paths = list(path, DEEPEST)?;
        // Debian's `ipxe.efi` is a link to `ipxe-amd64.efi`.
        paths.retain(|path| path.canonicalize().map_or(true, |file| seen.insert(file)));
        // To unpack one takes as long as all the rest of making a stick.
        let read = paths.into_par_iter().map(|path| {
            let usable = read_file(&path).and_then(|found| match flaw(&found.loader) {
                None => Ok(found),
                Some(flaw) => Err(flaw),
            });
            usable.map_err(|flaw| PassedOver { path, flaw })
        });
        let mut folder = Self::default();
        for usable in read.collect::<Vec<_>>() {
            match usable {
                Ok(found) => folder.good.push(found),
                Err(bad) => folder.bad.push(bad),
            }
        }
        folder.good.sort_by_key(|found| found.loader.rank());
        Ok(folder)
    }
}

impl PassedOver {
    /// What it can do, where it is iPXE.
    #[must_use]
    pub fn loader(&self) -> Option<&Loader> {
        match &self.flaw {
            Flaw::TooOld(loader) | Flaw::OneCard(loader) | Flaw::OwnScript(loader) => Some(loader),
            _ => None,
        }
    }

    /// Whether it may be a loader that could only not be read.
    pub(super) fn is_damaged(&self) -> bool {
        matches!(
            self.flaw,
            Flaw::Unreadable(_) | Flaw::NotALoader(NotALoader::CutOff { .. })
        )
    }
}

impl fmt::Display for PassedOver {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "`{}` {}", self.path.display(), self.flaw)
    }
}

/// The files that end in `.efi` or `.lkrn`, by name, a folder's own before those of the folders in it.
fn list(folder: &Path, depth: usize) -> io::Result<Vec<PathBuf>> {
    let entries: io::Result<Vec<_>> = fs::read_dir(folder)?.collect();
    let mut paths: Vec<PathBuf> = entries?.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    let (folders, mut files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    files.retain(|path| {
        let ending = path.extension().unwrap_or_default();
        ["efi", "lkrn"]
            .iter()
            .any(|it| ending.eq_ignore_ascii_case(it))
    });
    if depth > 0 {
        // A folder in it that can't be listed holds no loader, like all that are not for loaders.
        let below = folders.iter().filter_map(|path| list(path, depth - 1).ok());
        files.extend(below.flatten());
    }
    Ok(files)
}
