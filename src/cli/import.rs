//! `import` and its parts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::clc::PLATFORMS;

/// `import`.
#[derive(Subcommand, Debug)]
pub enum Import {
    /// Turn a Container Linux Config, which ct read, into a Butane template
    Clc(ImportClc),
    /// Make a node file, its secrets encrypted, of the variables that the original Ephemeros was run with
    Env(ImportEnv),
}

/// `import clc`.
#[derive(Args, Debug)]
pub struct ImportClc {
    /// The Container Linux Config
    pub file: PathBuf,
    /// The folder with the local files that it names
    #[arg(short = 'd', long, value_name = "DIR")]
    pub files_dir: Option<PathBuf>,
    /// The file to write, which must not exist; default: standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where the machine runs, which decides what `{PRIVATE_IPV4}` and its like become
    #[arg(long, value_parser = PLATFORMS)]
    pub platform: Option<String>,
    /// Take warnings as errors
    #[arg(long)]
    pub strict: bool,
}

/// `import env`.
#[derive(Args, Debug)]
pub struct ImportEnv {
    /// The node; default: the first label of `NODE_HOSTNAME`
    pub node: Option<String>,
    /// Read the variables from a file, as `reproduce.sh` on a stick, and not from the environment; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// A variable that is no secret: it is not encrypted, and everybody may read it
    #[arg(long, value_name = "NAME")]
    pub public: Vec<String>,
}
