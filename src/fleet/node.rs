//! A fleet as it holds: complete nodes, nothing optional that has a default.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

use super::document::{Item, Table};
use super::file::{Firmware, Git, Loaders, Network, ScriptAt};
use crate::os::Release;
use crate::secrets::value::{Secret, version};

/// A fleet, resolved.
pub struct Fleet {
    /// The folder that holds `fleet.toml`.
    pub root: PathBuf,
    /// Its name.
    pub name: String,
    /// What partition GUIDs come from.
    pub id: Uuid,
    /// Where it is pushed to and fetched from.
    pub git: Git,
    /// Where the fleet's folder stands in its repository; empty at the root.
    pub prefix: String,
    /// The nodes without a mistake, sorted by name.
    pub nodes: Vec<Node>,
}

impl Fleet {
    /// The node of that name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes
            .binary_search_by(|node| node.name.as_str().cmp(name))
            .ok()
            .map(|at| &self.nodes[at])
    }

    /// The path by which the repository knows a file of the fleet.
    #[must_use]
    pub fn path_in_repository(&self, path: &str) -> String {
        in_repository(&self.prefix, path)
    }
}

/// As [`Fleet::path_in_repository`], of a fleet in that folder.
#[must_use]
pub fn in_repository(prefix: &str, path: &str) -> String {
    match prefix {
        "" => path.to_owned(),
        prefix => format!("{prefix}/{path}"),
    }
}

/// One machine. What is mostly the same on many is there once for all of them.
pub struct Node {
    /// Its name in the fleet.
    pub name: String,
    /// Its host name.
    pub hostname: String,
    /// Its components, without those left out.
    pub roles: Arc<Vec<String>>,
    /// For `--on @tag`.
    pub tags: Arc<Vec<String>>,
    /// Butane templates and Ignition configs, merged in this order.
    pub templates: Arc<Vec<String>>,
    /// Keys for the user `core`.
    pub ssh_authorized_keys: Arc<Vec<String>>,
    /// Values for the templates.
    pub vars: Table,
    /// Public variables of services.
    pub env: Table,
    /// Secret variables of services and secret files, as they are written; each of them is one.
    pub secrets: Table,
    /// The env files, by name.
    pub env_files: Arc<BTreeMap<String, EnvFile>>,
    /// Secrets that are files of their own: path on the secrets volume to name.
    pub secret_files: Arc<BTreeMap<String, String>>,
    /// Its operating system.
    pub os: Arc<Os>,
    /// Its network.
    pub network: Network,
    /// Its stick.
    pub stick: Arc<Stick>,
    /// The secrets volume.
    pub vault: Vault,
    /// Pinned remote files, for its architecture.
    pub artifacts: Arc<BTreeMap<String, Artifact>>,
    /// The merged layers, each leaf with its origin.
    pub profile: Item,
}

impl Node {
    /// A secret, still encrypted.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.secrets.get(name)?.text()?.parse().ok()
    }

    /// All of its secrets, by their names.
    #[must_use]
    pub fn sealed(&self) -> BTreeMap<&str, Secret> {
        let secrets = self.secrets.keys();
        secrets
            .filter_map(|name| Some((name, self.secret(name)?)))
            .collect()
    }

    /// The version of each secret, by its name.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<&str, &str> {
        let secrets = self.secrets.iter();
        secrets
            .filter_map(|(name, item)| Some((name, version(item.text()?)?)))
            .collect()
    }
}

/// The names of the variables in an env file.
#[derive(Default, Debug, PartialEq, Eq, Hash)]
pub struct EnvFile {
    /// Those that are rendered into Ignition.
    pub public: BTreeSet<String>,
    /// Those that go to the stick.
    pub secret: BTreeSet<String>,
}

/// A node's operating system.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Os {
    /// The release; its version is never `current`.
    pub release: Release,
    /// Base URLs that are tried before the distribution's own.
    pub mirrors: Vec<String>,
    /// Appended to the kernel's command line.
    pub kernel_args: Vec<String>,
}

/// What a stick is to be.
#[derive(PartialEq, Eq, Hash)]
pub struct Stick {
    /// Where the boot script's body stands.
    pub script: ScriptAt,
    /// The firmwares that it boots on.
    pub firmware: Vec<Firmware>,
    /// Loaders that are named in the fleet.
    pub ipxe: Loaders,
    /// Whether its record names the drive's model and serial.
    pub record_serial: bool,
}

/// The secrets volume of one node.
pub struct Vault {
    /// Its partition's GUID: UUIDv5 of the fleet's `id` and the node's name.
    pub partuuid: Uuid,
    /// Where it is mounted.
    pub mount: Arc<str>,
}

/// A remote file.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Artifact {
    /// Its version; empty where none is written.
    pub version: String,
    /// Where it is.
    pub url: String,
    /// Its digest in Ignition's form.
    pub hash: String,
}
