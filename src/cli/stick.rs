//! The commands for sticks and drives.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `devices`.
#[derive(Args, Debug)]
pub struct Devices {
    /// List files that are attached as drives too, and what only looks like a drive
    #[arg(long)]
    pub all: bool,
}

/// `image`.
#[derive(Args, Debug)]
pub struct Image {
    /// The node
    #[arg(required_unless_present = "on", conflicts_with = "on")]
    pub node: Option<String>,
    /// In place of one node: nodes by name, pattern or `@tag`, with commas between
    #[arg(long, value_name = "PATTERN")]
    pub on: Vec<String>,
    /// The file to write; with `--on` the folder in which each node gets one, `NODE.img`
    #[arg(short, long, value_name = "FILE|DIR")]
    pub output: PathBuf,
    /// The sectors of the drive that it is for, in bytes
    #[arg(long, value_enum, value_name = "BYTES", default_value_t = SectorSize::Of512)]
    pub sector_size: SectorSize,
    /// What it is made of.
    #[command(flatten)]
    pub made_of: MadeOf,
}

/// What a drive reads and writes at once.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectorSize {
    /// Nearly all drives
    #[value(name = "512")]
    Of512,
    /// A stick that is larger and boots by UEFI only
    #[value(name = "4096")]
    Of4096,
}

/// What a stick is made of beside the fleet.
#[derive(Args, Debug)]
pub struct MadeOf {
    /// A folder with iPXE loaders, which is looked into first
    #[arg(long, value_name = "DIR")]
    pub ipxe: Option<PathBuf>,
    /// The private key that opens the node's secrets
    #[arg(short, long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Where nodes fetch, with `{{ path }}`: overrides the fleet and the remote for once
    #[arg(long, value_name = "TEMPLATE")]
    pub raw_url: Option<String>,
}

/// `flash`.
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own.
pub struct Flash {
    /// The node; or a file that is a stick, with a `.` or a `/` in its name
    #[arg(value_name = "NODE|FILE")]
    pub what: OsString,
    /// The drive as a whole: `/dev/sdX`
    pub device: PathBuf,
    /// Write nothing; say what would be written where
    #[arg(long)]
    pub dry_run: bool,
    /// Rewrite only what differs on a stick of the node
    #[arg(long)]
    pub update: bool,
    /// Don't ask
    #[arg(short, long)]
    pub yes: bool,
    /// Write to a drive that is not removable, is large, or may be a part of something
    #[arg(long)]
    pub force: bool,
    /// Write a stick for what nodes can't fetch yet
    #[arg(long)]
    pub unpushed: bool,
    /// Record a loop device too
    #[arg(long)]
    pub record: bool,
    /// Commit the record
    #[arg(long)]
    pub commit: bool,
    /// What it is made of.
    #[command(flatten)]
    pub made_of: MadeOf,
    /// Under sudo: the drive was opened by root, and is the standard input of this process, which is the user's
    #[arg(long, hide = true)]
    pub opened: bool,
}

/// `inspect`.
#[derive(Args, Debug)]
pub struct Inspect {
    /// A file that is a stick, or a drive
    pub file: PathBuf,
    /// Compare it with what would be written for this node now
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// With `--node`: exit with 2 when something differs
    #[arg(long, requires = "node")]
    pub detailed_exitcode: bool,
    /// What that would be made of.
    #[command(flatten)]
    pub made_of: MadeOf,
}
