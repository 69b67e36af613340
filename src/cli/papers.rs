//! The commands that say what the tool itself takes: to editors.

use clap::{Args, ValueEnum};

/// `schema`.
#[derive(Args, Debug)]
pub struct Schema {
    /// The kind of file
    #[arg(value_enum, value_name = "FILE", default_value_t = Of::Fleet)]
    pub of: Of,
}

/// The files that have a schema.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// `fleet.toml`
    Fleet,
    /// `nodes/NODE.toml`
    Node,
}
