//! Where loaders are looked for.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::binary::Loader;
use super::file::{Flaw, Found, flaw, read_file};
use super::folder::{Folder, PassedOver};
use crate::os::Arch;

/// Where the distributions' packages put iPXE: Debian and Ubuntu; Fedora, openSUSE and Arch.
pub const SYSTEM_FOLDERS: [&str; 2] = ["/usr/lib/ipxe", "/usr/share/ipxe"];

/// The tool's own folder in a home directory.
const IN_HOME: &str = ".local/share/ephemeros/ipxe";

/// Where to look for loaders, in this order. The first two are folders that somebody named, so each must hold a
/// loader; those for the other architecture may come from further on.
#[derive(Clone, Debug)]
pub struct Places {
    /// `--ipxe`.
    pub option: Option<PathBuf>,
    /// `EPHEMEROS_IPXE_DIR`; an empty one counts as none.
    pub variable: Option<PathBuf>,
    /// The home directory, under sudo the invoking user's: see [`crate::invoker::Invoker`].
    pub home: Option<PathBuf>,
    /// Where packages put them.
    pub system: Vec<PathBuf>,
}

/// Only the system's folders.
impl Default for Places {
    fn default() -> Self {
        Self {
            option: None,
            variable: None,
            home: None,
            system: SYSTEM_FOLDERS.map(PathBuf::from).into(),
        }
    }
}

/// What named a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// `--ipxe`.
    Option,
    /// `EPHEMEROS_IPXE_DIR`.
    Variable,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Search {
    /// For x86-64.
    pub amd64: Option<Found>,
    /// For `AArch64`.
    pub arm64: Option<Found>,
    /// Files before these that would have been taken had they been good, each once.
    pub passed_over: Vec<PassedOver>,
}

/// Why there is no loader.
#[derive(Debug, thiserror::Error)]
pub enum LoaderError {
    /// A folder that was named is not there, or can't be listed.
    #[error("can't list the folder `{}`, which {by} names: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What names it.
        by: NamedBy,
        /// What the system says.
        source: io::Error,
    },
    /// A folder that was named holds none.
    #[error(
        "the folder `{}`, which {by} names, holds no iPXE for UEFI that a stick can use: {}",
        path.display(), told(passed_over)
    )]
    NoneFits {
        /// The folder.
        path: PathBuf,
        /// What names it.
        by: NamedBy,
        /// All the files that could have been one.
        passed_over: Vec<PassedOver>,
    },
    /// A file that was named can't be used.
    #[error("the loader `{}` {flaw}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        flaw: Flaw,
    },
}

/// Finds a loader for each architecture: the first place that has one decides, and in a place the drivers do.
pub fn find(places: &Places) -> Result<Search, LoaderError> {
    let mut search = Search::default();
    let mut told = HashSet::new();
    for (path, by) in places.folders() {
        if Arch::ALL.iter().all(|arch| search.loader(*arch).is_some()) {
            break;
        }
        let folder = match by {
            Some(by) => read_named(path, by)?,
            None => read_usual(path),
        };
        for found in folder.good {
            search.slot(found.loader.arch).get_or_insert(found);
        }
        for bad in search.missed(folder.bad) {
            // A file is told once, whatever its names.
            let file = bad.path.canonicalize().unwrap_or_else(|_| bad.path.clone());
            if told.insert(file) {
                search.passed_over.push(bad);
            }
        }
    }
    Ok(search)
}

/// A folder that somebody named must hold a loader: a slip of the pen is not to end at another iPXE.
fn read_named(path: PathBuf, by: NamedBy) -> Result<Folder, LoaderError> {
    match Folder::read(&path) {
        Err(source) => Err(LoaderError::Folder { path, by, source }),
        Ok(folder) if folder.good.is_empty() => Err(LoaderError::NoneFits {
            path,
            by,
            passed_over: folder.bad,
        }),
        Ok(folder) => Ok(folder),
    }
}

fn read_usual(path: PathBuf) -> Folder {
    Folder::read(&path).unwrap_or_else(|error| {
        let absent = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
        let unreadable = || PassedOver {
            path,
            flaw: Flaw::Unreadable(error),
        };
        Folder {
            good: Vec::new(),
            bad: (!absent).then(unreadable).into_iter().collect(),
        }
    })
}

/// Reads a loader that the fleet names for an architecture. One with a script of its own is taken: whoever built it
/// may have it run `autoexec.ipxe`, so that is a matter of a warning.
pub fn load(path: &Path, wanted: Arch) -> Result<Found, LoaderError> {
    let unfit = |flaw| LoaderError::Unfit {
        path: path.to_owned(),
        flaw,
    };
    let found = read_file(path).map_err(unfit)?;
    let is = found.loader.arch;
    if is != wanted {
        return Err(unfit(Flaw::OtherArch { is, wanted }));
    }
    match flaw(&found.loader) {
        None | Some(Flaw::OwnScript(_)) => Ok(found),
        Some(flaw) => Err(unfit(flaw)),
    }
}

impl Places {
    fn folders(&self) -> Vec<(PathBuf, Option<NamedBy>)> {
        let variable = self.variable.iter();
        let variable = variable.filter(|path| !path.as_os_str().is_empty());
        let named = |path: &PathBuf, by| (path.clone(), Some(by));
        let option = self.option.iter().map(|path| named(path, NamedBy::Option));
        let variable = variable.map(|path| named(path, NamedBy::Variable));
        let home = self.home.iter().map(|home| (home.join(IN_HOME), None));
        let system = self.system.iter().map(|path| (path.clone(), None));
        option.chain(variable).chain(home).chain(system).collect()
    }
}

impl Search {
    /// The loader for an architecture.
    #[must_use]
    pub fn loader(&self, arch: Arch) -> Option<&Found> {
        match arch {
            Arch::Amd64 => self.amd64.as_ref(),
            Arch::Arm64 => self.arm64.as_ref(),
        }
    }

    /// The loader for an architecture, handed over.
    pub fn take(&mut self, arch: Arch) -> Option<Found> {
        self.slot(arch).take()
    }

    fn slot(&mut self, arch: Arch) -> &mut Option<Found> {
        match arch {
            Arch::Amd64 => &mut self.amd64,
            Arch::Arm64 => &mut self.arm64,
        }
    }

    /// Those of a folder's files that would have been taken had they been good, as far as that can be told.
    fn missed(&self, bad: Vec<PassedOver>) -> Vec<PassedOver> {
        let missing = |arch| self.loader(arch).is_none();
        let best = |arch| {
            let loaders = bad.iter().filter_map(PassedOver::loader);
            let ranks = loaders.filter(|loader| loader.arch == arch);
            ranks.map(Loader::rank).min()
        };
        let best = Arch::ALL.map(|arch| (arch, best(arch).filter(|_| missing(arch))));
        let is_missed = |bad: &PassedOver| match bad.loader() {
            Some(loader) => best.contains(&(loader.arch, Some(loader.rank()))),
            None => bad.is_damaged() && Arch::ALL.into_iter().any(missing),
        };
        bad.into_iter().filter(is_missed).collect()
    }
}

impl fmt::Display for NamedBy {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(match self {
            Self::Option => "`--ipxe`",
            Self::Variable => "`EPHEMEROS_IPXE_DIR`",
        })
    }
}

fn told(passed_over: &[PassedOver]) -> String {
    if passed_over.is_empty() {
        return "no file in it ends in `.efi`".to_owned();
    }
    let all: Vec<String> = passed_over.iter().map(ToString::to_string).collect();
    all.join("; ")
}
