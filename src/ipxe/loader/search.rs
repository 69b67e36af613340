//! Where loaders are looked for.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::binary::Loader;
use super::file::{Flaw, Found, flaw, read_file};
use super::folder::{Folder, PassedOver};
use super::target::Target;

/// Where the distributions' packages put iPXE: Debian and Ubuntu; Fedora, openSUSE and Arch.
pub const SYSTEM_FOLDERS: [&str; 2] = ["/usr/lib/ipxe", "/usr/share/ipxe"];

/// The tool's own folder in a home directory.
const IN_HOME: &str = ".local/share/ephemeros/ipxe";

/// Where to look for loaders, in this order. The first two are folders that somebody named, so each must hold a
/// loader; those for other machines may come from further on.
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
    found: BTreeMap<Target, Found>,
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
        "the folder `{}`, which {by} names, holds no iPXE that a stick can use: {}",
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

/// Finds a loader for each of these machines: the first place that has one decides, and in a place the drivers do.
pub fn find(places: &Places, wanted: &[Target]) -> Result<Search, LoaderError> {
    let mut search = Search::default();
    let mut told = HashSet::new();
    for (path, by) in places.folders() {
        if wanted.iter().all(|it| search.loader(*it).is_some()) {
            break;
        }
        let folder = match by {
            Some(by) => read_named(path, by)?,
            None => read_usual(path),
        };
        for found in folder.good {
            let target = found.loader.target;
            if wanted.contains(&target) {
                search.found.entry(target).or_insert(found);
            }
        }
        for bad in search.missed(folder.bad, wanted) {
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

/// Reads a loader that the fleet names for some machines. One with a script of its own is taken: whoever built it
/// may have it run `autoexec.ipxe`, so that is a matter of a warning.
pub fn load(path: &Path, wanted: Target) -> Result<Found, LoaderError> {
    let unfit = |flaw| LoaderError::Unfit {
        path: path.to_owned(),
        flaw,
    };
    let found = read_file(path).map_err(unfit)?;
    let is = found.loader.target;
    if is != wanted {
        return Err(unfit(Flaw::OtherTarget { is, wanted }));
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
    /// The loader for some machines.
    #[must_use]
    pub fn loader(&self, target: Target) -> Option<&Found> {
        self.found.get(&target)
    }

    /// The loader for some machines, handed over.
    pub fn take(&mut self, target: Target) -> Option<Found> {
        self.found.remove(&target)
    }

    /// Those of a folder's files that would have been taken had they been good, as far as that can be told.
    fn missed(&self, bad: Vec<PassedOver>, wanted: &[Target]) -> Vec<PassedOver> {
        let missing = wanted.iter().filter(|it| self.loader(**it).is_none());
        let best = missing.map(|target| {
            let loaders = bad.iter().filter_map(PassedOver::loader);
            let ranks = loaders.filter(|loader| loader.target == *target);
            (*target, ranks.map(Loader::rank).min())
        });
        let best: BTreeMap<Target, Option<u8>> = best.collect();
        let is_missed = |bad: &PassedOver| match bad.loader() {
            Some(loader) => best.get(&loader.target) == Some(&Some(loader.rank())),
            None => bad.is_damaged() && !best.is_empty(),
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
        return "no file in it ends in `.efi` or `.lkrn`".to_owned();
    }
    let all: Vec<String> = passed_over.iter().map(ToString::to_string).collect();
    all.join("; ")
}
