//! `init`.

use std::path::PathBuf;

use clap::Args;

/// `init`.
#[derive(Args, Debug)]
pub struct Init {
    /// The folder, made where there is none; default: this one
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// What the first node is called
    #[arg(long, value_name = "NAME", default_value = "node1")]
    pub node: String,
}
