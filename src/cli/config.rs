//! What takes the place of other tools for single configs.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// `transpile`: the flags of `butane`, of which the last of two holds. An empty value is none.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
#[allow(clippy::struct_excessive_bools)] // Each is a switch of its own.
pub struct Transpile {
    /// The Butane config; standard input if none is given
    #[arg(value_name = "FILE")]
    pub file: Option<OsString>,
    /// The Butane config, as old versions of `butane` were told it
    #[arg(long, value_name = "FILE", hide = true, conflicts_with = "file")]
    pub input: Option<OsString>,
    /// The folder with the local files that the config may name
    #[arg(short = 'd', long, value_name = "DIR")]
    pub files_dir: Option<OsString>,
    /// The file to write; standard output if none is given
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<OsString>,
    /// Write JSON for people, with line ends and indentation
    #[arg(short, long)]
    pub pretty: bool,
    /// Fail on warnings too
    #[arg(short, long)]
    pub strict: bool,
    /// Write no config, only say what is wrong with it
    #[arg(short, long)]
    pub check: bool,
    /// Say what is wrong in one line each, without excerpts
    #[arg(long)]
    pub raw_errors: bool,
    /// Does nothing here: `butane` needs it for the variant `openshift`, which is not translated
    #[arg(short, long)]
    pub raw: bool,
}

/// `validate`.
#[derive(Args, Debug)]
pub struct Validate {
    /// The Ignition config; standard input if none is given, or `-`
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `merge`.
#[derive(Args, Debug)]
pub struct Merge {
    /// The Ignition config that lies below; `-` for standard input
    pub parent: PathBuf,
    /// The one that lies over it, as if the first named it in `ignition.config.merge`
    pub child: PathBuf,
    /// The file to write; standard output if none is given
    #[arg(short, long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// Write JSON for people, with line ends and indentation
    #[arg(short, long)]
    pub pretty: bool,
}
