//! One file, and whether a stick can use it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::binary::{Loader, NotALoader, read};
use super::target::Target;

/// No loader is larger, in bytes: the partition that it goes to is not.
const LARGEST: u64 = 32 << 20;

/// A loader that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it was read.
    pub path: PathBuf,
    /// What it can do.
    pub loader: Loader,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// What is wrong with a file. It follows the name of the file.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    /// It can't be read.
    #[error("can't be read: {0}")]
    Unreadable(#[from] io::Error),
    /// A folder, a device or the like.
    #[error("is not a file")]
    NotAFile,
    /// Larger than the partition that it would go to.
    #[error("is too large for a loader")]
    TooLarge,
    /// Not iPXE.
    #[error(transparent)]
    NotALoader(#[from] NotALoader),
    /// Built before commit a3f1e8fb6 of iPXE, of 2021-01-25.
    #[error(
        "is {0}, which does not read `autoexec.ipxe`; that takes 2.0, or a build newer than 2021-01-25"
    )]
    TooOld(Loader),
    /// `snponly.efi`.
    #[error(
        "is an `snponly.efi`, which drives only the network card that it was loaded from; a stick takes `ipxe.efi`"
    )]
    OneCard(Loader),
    /// A script was built into it.
    #[error("is {0} with a script of its own, which runs in place of the stick's `autoexec.ipxe`")]
    OwnScript(Loader),
    /// It was named for the other machines.
    #[error("is for {is} machines, and one for {wanted} is needed here")]
    OtherTarget {
        /// For which it is.
        is: Target,
        /// For which it was named.
        wanted: Target,
    },
}

/// Reads a file that must be iPXE.
pub(super) fn read_file(path: &Path) -> Result<Found, Flaw> {
    // Asked before it is opened: opening a named pipe would wait for ever.
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(Flaw::NotAFile);
    }
    if metadata.len() > LARGEST {
        return Err(Flaw::TooLarge);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(Found {
        path: path.to_owned(),
        loader: read(&bytes)?,
        bytes,
    })
}

/// Why a stick can't use a loader.
pub(super) fn flaw(loader: &Loader) -> Option<Flaw> {
    if !loader.reads_autoexec {
        Some(Flaw::TooOld(loader.clone()))
    } else if loader.drives_one_card() {
        Some(Flaw::OneCard(loader.clone()))
    } else if loader.has_own_script {
        Some(Flaw::OwnScript(loader.clone()))
    } else {
        None
    }
}
