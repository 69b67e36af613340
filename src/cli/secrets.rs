//! `secrets`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Nodes;
use crate::fleet::date::Date;

/// `secrets`.
#[derive(Subcommand, Debug)]
pub enum Secrets {
    /// Make a new identity, and print its public key
    Keygen {
        /// The file to write; default: where identities are looked for
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Encrypt a value and write it into the fleet; the value is read from a prompt or standard input
    Set {
        /// A node, `role:NAME` or `defaults`
        #[arg(value_name = "WHERE")]
        place: String,
        /// The secret's name
        name: String,
        /// Read the value from a file, byte for byte
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// No value is an argument: who writes one is told so, without it
        #[arg(value_name = "VALUE", hide = true)]
        value: Option<std::ffi::OsString>,
        /// The last day that it is good for, `YYYY-MM-DD`: `plan` and `list` warn ahead
        #[arg(long, value_name = "DATE")]
        expires: Option<Date>,
    },
    /// Open the values that stand at a place in your editor, decrypted, and write back what changed
    Edit {
        /// A node, `role:NAME` or `defaults`
        #[arg(value_name = "WHERE")]
        place: String,
        /// The private key
        #[arg(short, long, value_name = "FILE")]
        identity: Option<PathBuf>,
    },
    /// Take a value out of the fleet
    Rm {
        /// A node, `role:NAME` or `defaults`
        #[arg(value_name = "WHERE")]
        place: String,
        /// The secret's name
        name: String,
    },
    /// Encrypt the values anew that are not encrypted to those who may read them today
    Rekey {
        /// Write nothing and need no key; say what would be done
        #[arg(long)]
        dry_run: bool,
        /// The private key
        #[arg(short, long, value_name = "FILE")]
        identity: Option<PathBuf>,
    },
    /// Decrypt a node's value and print it
    Get {
        /// A node
        node: String,
        /// The secret's name
        name: String,
        /// The private key
        #[arg(short, long, value_name = "FILE")]
        identity: Option<PathBuf>,
    },
    /// List what a lost key or a lost stick could ever read, from the whole of git's history
    Exposed(Exposed),
    /// List the secrets: names, where each is set, for whom and since when; no values
    List {
        /// Which nodes.
        #[command(flatten)]
        nodes: Nodes,
        /// Say how long each value has stood in git, the oldest first
        #[arg(long)]
        age: bool,
    },
}

/// `secrets exposed`: whose exposure is asked for.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub struct Exposed {
    /// A public key, the comment of one, or a group of readers
    #[arg(long, value_name = "KEY")]
    pub recipient: Vec<String>,
    /// A node, whose sticks are meant; it may be gone from the fleet
    #[arg(long, value_name = "NODE")]
    pub node: Vec<String>,
    /// A stick by its id, or at least four of its first digits; it may be forgotten
    #[arg(long, value_name = "ID")]
    pub stick: Vec<String>,
}
