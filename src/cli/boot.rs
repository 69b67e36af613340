//! The command that boots a node in a virtual machine.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `boot`.
#[derive(Args, Debug)]
pub struct Boot {
    /// The node; or a file or a drive that is a stick, with a `.` or a `/` in its name
    #[arg(value_name = "NODE|FILE|DEVICE", required_unless_present_any = ["relay", "child_of"])]
    pub what: Option<OsString>,
    /// The machine's firmware; default: UEFI where the stick boots by it
    #[arg(long, value_enum)]
    pub firmware: Option<Firmware>,
    /// The machine's processor; default: the node's
    #[arg(long, value_enum)]
    pub arch: Option<Arch>,
    /// The machine's screen; without one, what it says at its serial port is shown here
    #[arg(long, value_enum, default_value_t = Display::None)]
    pub display: Display,
    /// The machine's memory; default: what the distribution asks for
    #[arg(long, value_name = "SIZE", value_parser = super::serve::size)]
    pub memory: Option<u64>,
    /// A port of this machine that leads to the node's ssh: `ssh -p PORT core@localhost`
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub ssh_port: Option<u16>,
    /// Let the machine into the network, and to what listens on this machine's loopback
    #[arg(long)]
    pub network: bool,
    /// End when the node is `online`, when it has `failed`, or when this text appears; fail when it comes to something else
    #[arg(long, value_name = "online|failed|TEXT")]
    pub until: Option<String>,
    /// How long that may take, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 600,
        value_parser = clap::value_parser!(u64).range(1..),
        requires = "until"
    )]
    pub timeout: u64,
    /// Give the machine the node's secrets, and not stand-ins
    #[arg(long)]
    pub real_secrets: bool,
    /// The private key that opens them
    #[arg(short, long, value_name = "FILE", requires = "real_secrets")]
    pub identity: Option<PathBuf>,
    /// A folder with iPXE loaders, which is looked into first
    #[arg(long, value_name = "DIR")]
    pub ipxe: Option<PathBuf>,
    /// Take the release of the operating system, and artifacts that are in it, from this folder
    #[arg(long, value_name = "DIR")]
    pub os: Option<PathBuf>,
    /// The folder that keeps what was fetched; default: as `serve` has it
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
    /// In place of all that: the way from a machine to the local server, at this port
    #[arg(long, value_name = "PORT", hide = true)]
    pub relay: Option<u16>,
    /// In place of all that: become this program, which ends when this process does
    #[arg(long, value_name = "PID", hide = true)]
    pub child_of: Option<u32>,
    /// That program
    #[arg(last = true, hide = true)]
    pub program: Vec<OsString>,
}

/// What starts the machine.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// OVMF
    Uefi,
    /// `SeaBIOS`
    Bios,
}

/// A processor.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    /// x86-64
    Amd64,
    /// `AArch64`
    Arm64,
}

/// Where the screen is.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// There is none
    None,
    /// In this terminal
    Curses,
    /// In a window
    Gtk,
}
