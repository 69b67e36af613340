//! `render`.

use clap::Args;

/// `render`.
#[derive(Args, Debug)]
pub struct Render {
    /// Write nothing; fail when a file is not what would be written
    #[arg(long, conflicts_with_all = ["commit", "push"])]
    pub check: bool,
    /// Commit what is rendered, and nothing else; where nodes fetch from a branch of their own, to that branch
    #[arg(long)]
    pub commit: bool,
    /// Commit, and push to the branch that nodes fetch from, unless that breaks a node
    #[arg(long)]
    pub push: bool,
    /// Push though these nodes have to be re-flashed first, or are removed: names or patterns, with commas between
    #[arg(long, value_name = "NODE", value_delimiter = ',', requires = "push")]
    pub allow: Vec<String>,
}
