//! `plan`, and which nodes any command means.

use clap::Args;

/// Which nodes.
#[derive(Args, Debug)]
pub struct Nodes {
    /// Nodes: a name or a pattern (`edge-*`); all of them if none is given
    #[arg(value_name = "NODE")]
    pub nodes: Vec<String>,
    /// Nodes by name, pattern or `@tag`, with commas between
    #[arg(long, value_name = "PATTERN")]
    pub on: Vec<String>,
}

impl Nodes {
    /// All patterns together.
    #[must_use]
    pub fn patterns(&self) -> Vec<String> {
        [self.nodes.as_slice(), self.on.as_slice()].concat()
    }
}

/// `plan`.
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own.
pub struct Plan {
    /// Which nodes.
    #[command(flatten)]
    pub nodes: Nodes,
    /// Compare with this revision and not with what nodes fetch now
    #[arg(long, value_name = "REV")]
    pub against: Option<String>,
    /// Compare with what the URLs serve that nodes fetch from, now
    #[arg(long, conflicts_with_all = ["against", "fetch"])]
    pub live: bool,
    /// Fetch the branch that nodes fetch from first, with `git`
    #[arg(long, conflicts_with = "against")]
    pub fetch: bool,
    /// Print Markdown, for a comment on a pull request
    #[arg(long)]
    pub markdown: bool,
    /// Fail when more nodes than this change
    #[arg(long, value_name = "NODES", allow_negative_numbers = true)]
    pub max_change: Option<usize>,
    /// Exit with 2 when something changes
    #[arg(long)]
    pub detailed_exitcode: bool,
}
