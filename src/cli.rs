//! The command line. The comments here are its help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::clc::PLATFORMS;
pub use boot::{Arch, Boot, Display, Firmware};
pub use papers::{Completions, Man, Of, Schema};
pub use secrets::{Exposed, Secrets};
pub use serve::Serve;
pub use stick::{Devices, Flash, Image, Inspect, MadeOf, SectorSize};
pub use sticks::Sticks;
pub use visible::visible;

mod boot;
mod papers;
mod secrets;
mod serve;
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
    /// Print the JSON Schema of `fleet.toml` or of a node file, for an editor to complete and check them
    Schema(Schema),
}

/// Which nodes.
#[derive(Args, Debug)]
pub struct Nodes {
    /// Nodes: a name or a pattern (`edge-*`); all of them if none is given
    #[arg(value_name = "NODE")]
    pub nodes: Vec<String>,
    /// Nodes by name, pattern or `@tag`, with commas between
    #[arg(long, value_name = "PATTERN")]
    pub on: Vec<String>,
}

impl Nodes {
    /// All patterns together.
    #[must_use]
    pub fn patterns(&self) -> Vec<String> {
        [self.nodes.as_slice(), self.on.as_slice()].concat()
    }
}

/// `plan`.
#[derive(Args, Debug)]
pub struct Plan {
    /// Which nodes.
    #[command(flatten)]
    pub nodes: Nodes,
    /// Compare with this revision and not with what nodes fetch now
    #[arg(long, value_name = "REV")]
    pub against: Option<String>,
    /// Exit with 2 when something changes
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// `render`.
#[derive(Args, Debug)]
pub struct Render {
    /// Write nothing; fail when a file is not what would be written
    #[arg(long)]
    pub check: bool,
}

/// `check`.
#[derive(Args, Debug)]
pub struct Check {
    /// Open all secrets with this private key, and search everything public for their values
    #[arg(short, long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
}

/// `lock`.
#[derive(Args, Debug)]
pub struct Lock {
    /// Move every pin to what is published now; else what is pinned stands, and only what is missing is added
    #[arg(long)]
    pub update: bool,
    /// Show what would change, and write nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Flatcar's signing key as a file; default: it is fetched from Flatcar's website
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

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
