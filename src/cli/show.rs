//! `show`.

use clap::{Args, ValueEnum};

/// `show`.
#[derive(Args, Debug)]
pub struct Show {
    /// The node
    pub node: String,
    /// The stage of the way
    #[arg(long, value_enum, default_value_t = Stage::Profile)]
    pub stage: Stage,
    /// Where nodes fetch, with `{{ path }}`: overrides the fleet and the remote for once
    #[arg(long, value_name = "TEMPLATE")]
    pub raw_url: Option<String>,
}

/// The stages from what people write to what a node does.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Every value, with the file that set it
    Profile,
    /// The templates, rendered, with line numbers
    Butane,
    /// The Ignition config
    Ignition,
    /// The body of the boot script
    Ipxe,
    /// The kernel's command line
    Cmdline,
    /// Where the node fetches its config
    Url,
}
