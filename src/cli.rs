//! The command line. The comments here are its help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use boot::{Arch, Boot, Display, Firmware};
pub use config::{Merge, Transpile, Validate};
pub use import::{Import, ImportClc, ImportEnv};
pub use init::{Ci, Init};
pub use lock::Lock;
pub use papers::{Completions, Man, Of, Schema};
pub use plan::{Nodes, Plan};
pub use render::Render;
pub use secrets::{Exposed, Secrets};
pub use serve::Serve;
pub use show::{Show, Stage};
pub use status::Status;
pub use stick::{Devices, Flash, Image, Inspect, MadeOf, SectorSize};
pub use sticks::Sticks;
pub use visible::visible;

mod boot;
mod config;
mod import;
mod init;
mod lock;
mod papers;
mod plan;
mod render;
mod secrets;
mod serve;
mod show;
mod status;
mod stick;
mod sticks;
mod visible;

/// Runs a fleet of machines that have no system disk, from one git repository
#[derive(Parser, Debug)]
#[command(
    name = "ephemeros",
    version,
    max_term_width = 100,
    help_expected = true
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Args, Debug)]
pub struct Global {
    /// The fleet's folder, or one inside it
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// Print results as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colour
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true)]
    pub color: Color,
    /// Print results and errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print more
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// When to use colour.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Start a new fleet that plans at once; nothing is asked, and nothing that is there is overwritten
    Init(Init),
    /// Show what a change does to which node, and what it costs
    Plan(Plan),
    /// Write each node's Ignition config and boot script
    Render(Render),
    /// Show one node at any stage of the way
    Show(Show),
    /// Check everything that people wrote, without a key
    Check(Check),
    /// Pin what `current` and `[artifacts]` stand for in `fleet.lock`, with digests
    Lock(Lock),
    /// Ask what nodes are served today, and whether that is what was committed
    Status(Status),
    /// List the drives that may be written, and say why each other one may not
    Devices(Devices),
    /// Make a node's stick as a file, which holds its secrets
    Image(Image),
    /// Write a node's stick to a drive, over all that is on it
    Flash(Flash),
    /// Show whose stick a file is, and what is on it
    Inspect(Inspect),
    /// Keep the record of sticks: which is active, spare or lost
    #[command(subcommand)]
    Sticks(Sticks),
    /// Boot a node in a virtual machine, with what the working tree holds
    Boot(Boot),
    /// Serve over HTTP what nodes fetch, and a mirror of what they boot
    Serve(Serve),
    /// Bring over what another tool's files hold
    #[command(subcommand)]
    Import(Import),
    /// Keep the secrets
    #[command(subcommand)]
    Secrets(Secrets),
    /// Translate one Butane config to Ignition, as `butane` does
    Transpile(Transpile),
    /// Check one Ignition config, as `ignition-validate` does
    Validate(Validate),
    /// Merge one Ignition config over another, as Ignition does at boot
    Merge(Merge),
    /// Print what makes a shell complete this tool's command lines
    ///
    /// It goes where the shell looks for it:
    ///
    /// bash: `~/.local/share/bash-completion/completions/ephemeros`
    ///
    /// fish: `~/.config/fish/completions/ephemeros.fish`
    ///
    /// zsh: `_ephemeros` in a folder of `$fpath`
    Completions(Completions),
    /// Print the manual page of the whole, or write one for each command
    Man(Man),
    /// Print the JSON Schema of `fleet.toml` or of a node file, for an editor to complete and check them; or of what `plan` or `status` prints
    Schema(Schema),
}

/// `check`.
#[derive(Args, Debug)]
pub struct Check {
    /// Open all secrets with this private key, and search everything public for their values
    #[arg(short, long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
}
