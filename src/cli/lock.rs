//! `lock`.

use std::path::PathBuf;

use clap::Args;

/// `lock`.
#[derive(Args, Debug)]
pub struct Lock {
    /// Move every pin to what is published now; else what is pinned stands, and only what is missing is added
    #[arg(long)]
    pub update: bool,
    /// Show what would change, and write nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Flatcar's signing key as a file; default: it is fetched from Flatcar's website
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}
