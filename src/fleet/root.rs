//! Where the fleet is.

use std::io;
use std::path::{Path, PathBuf};

/// There is no fleet.
#[derive(Debug, thiserror::Error)]
pub enum NoFleet {
    /// The folder to begin at.
    #[error("can't look into {}: {cause}", start.display())]
    Unreadable {
        /// Where the search was to begin.
        start: PathBuf,
        /// Why it did not.
        #[source]
        cause: io::Error,
    },
    /// No `fleet.toml`.
    #[error("there is no fleet.toml in {} or above it", .0.display())]
    Absent(PathBuf),
}

/// The folder that holds `fleet.toml`, looking upward.
pub fn find(start: &Path) -> Result<PathBuf, NoFleet> {
    let absolute = start.canonicalize().map_err(|cause| NoFleet::Unreadable {
        start: start.to_owned(),
        cause,
    })?;
    let found = absolute
        .ancestors()
        .find(|folder| folder.join("fleet.toml").is_file());
    match found {
        Some(root) => Ok(root.to_owned()),
        None => Err(NoFleet::Absent(absolute)),
    }
}
