//! The commands that say what the tool itself takes: to shells, to `man`, to editors.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;

/// `completions`.
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell
    pub shell: Shell,
}

/// `man`.
#[derive(Args, Debug)]
pub struct Man {
    /// The folder to write the pages to, as `~/.local/share/man/man1`; it is made where there is none
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// `schema`.
#[derive(Args, Debug)]
pub struct Schema {
    /// The kind of file, or a command for what it prints with `--json`
    #[arg(value_enum, value_name = "FILE", default_value_t = Of::Fleet)]
    pub of: Of,
}

/// What has a schema.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// `fleet.toml`
    Fleet,
    /// `nodes/NODE.toml`
    Node,
    /// What `plan` prints
    Plan,
    /// What `status` prints
    Status,
}
