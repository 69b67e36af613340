//! Why a stick does not do.

use std::fmt;

use serde::{Serialize, Serializer};

/// One reason, in the words of people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The fleet has another `id`, from which the GUID of the secrets volume comes.
    FleetId,
    /// The stick is told a URL that is no longer the right one.
    Url,
    /// Another network before the operating system.
    Network,
    /// The script that the stick starts with is another one.
    Prologue,
    /// The body of the boot script stands on the stick and no longer in git, or the other way round.
    ScriptPlace,
    /// The body of the boot script, which stands on the stick, is another one.
    Script,
    /// The URL on the stick names a commit.
    Commit,
    /// The stick is made for other firmwares.
    Layout,
    /// The stick is made for the other architecture.
    Arch,
    /// Other secrets are files of their own.
    SecretFiles,
    /// Secrets have moved between env files.
    EnvFiles,
    /// A secret of this name has come.
    New(String),
    /// A secret of this name has another value.
    OtherValue(String),
    /// A secret of this name has gone.
    Gone(String),
    /// A secret is to stand in a file.
    Into {
        /// The secret.
        name: String,
        /// The file, on the secrets volume.
        path: String,
    },
    /// A secret is to stand in a file no more.
    OutOf {
        /// The secret.
        name: String,
        /// The file, on the secrets volume.
        path: String,
    },
    /// Nobody knows who has the only stick.
    Lost,
    /// Only a spare stick does not do.
    Spare(Box<Self>),
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FleetId => out.write_str("the fleet's `id`"),
            Self::Url => out.write_str("where nodes fetch from"),
            Self::Network => out.write_str("the network before the OS"),
            Self::Prologue => out.write_str("the script that the stick starts with"),
            Self::ScriptPlace => out.write_str("where the boot script stands"),
            Self::Script => out.write_str("the boot script"),
            Self::Commit => out.write_str("its URL names a commit"),
            Self::Layout => out.write_str("the layout of the stick"),
            Self::Arch => out.write_str("the architecture of the machine"),
            Self::SecretFiles => out.write_str("which secrets are files of their own"),
            Self::EnvFiles => out.write_str("the secret env files"),
            Self::New(name) => write!(out, "`{name}` is new"),
            Self::OtherValue(name) => write!(out, "`{name}` has another value"),
            Self::Gone(name) => write!(out, "`{name}` is gone"),
            Self::Into { name, path } => write!(out, "`{name}` is to stand in `{path}`"),
            Self::OutOf { name, path } => write!(out, "`{name}` is to stand in `{path}` no more"),
            Self::Lost => out.write_str("its stick is lost"),
            Self::Spare(why) => write!(out, "{why} (the spare stick)"),
        }
    }
}

impl Serialize for Why {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
