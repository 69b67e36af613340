//! Where the fleet is.

use std::path::{Path, PathBuf};

/// There is no fleet.
#[derive(Debug, thiserror::Error)]
#[error("there is no fleet.toml in {} or above it", start.display())]
pub struct NoFleet {
    /// Where the search began.
    pub start: PathBuf,
}

/// The folder that holds `fleet.toml`, looking upward.
///
/// # Errors
/// There is none.
pub fn find(start: &Path) -> Result<PathBuf, NoFleet> {
    let absolute = start.canonicalize().unwrap_or_else(|_| start.to_owned());
    absolute
        .ancestors()
        .find(|folder| folder.join("fleet.toml").is_file())
        .map(Path::to_owned)
        .ok_or(NoFleet { start: absolute })
}
