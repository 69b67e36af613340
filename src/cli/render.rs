//! `render`.

use clap::Args;

/// `render`.
#[derive(Args, Debug)]
pub struct Render {
    /// Write nothing; fail when a file is not what would be written
    #[arg(long)]
    pub check: bool,
}
