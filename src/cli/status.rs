//! `status`.

use clap::Args;

use super::plan::Nodes;

/// `status`.
#[derive(Args, Debug)]
pub struct Status {
    /// Which nodes.
    #[command(flatten)]
    pub nodes: Nodes,
    /// Where nodes fetch, with `{{ path }}`: overrides the fleet and the remote for once
    #[arg(long, value_name = "TEMPLATE")]
    pub raw_url: Option<String>,
    /// How long to wait for a file, all in all
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    /// How many files to ask for at a time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
}
