//! The keys of `fleet.toml` and of a node file, as written: everything optional.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::os::{Arch, Distro};

/// `fleet.toml`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct FleetFile {
    /// The fleet's name.
    pub name: Option<String>,
    /// A UUID that `init` writes; partition GUIDs come from it and the node's name.
    pub id: Option<String>,
    /// The versions of the tool that can read this fleet.
    pub requires: Option<String>,
    /// Where the fleet is pushed to and fetched from.
    pub git: Git,
    /// The operating system of every node.
    pub os: Os,
    /// The network of every node.
    pub network: Network,
    /// The sticks of every node.
    pub stick: Stick,
    /// Who can read the secrets, and where the nodes mount them.
    pub vault: Vault,
    /// The profile that every node begins with.
    pub defaults: Defaults,
    /// Components, by name.
    pub roles: BTreeMap<String, Role>,
    /// Remote files, by name.
    pub artifacts: BTreeMap<String, Artifact>,
    /// How nodes boot in a virtual machine.
    pub boot: Boot,
}

/// `[git]`.
#[derive(Deserialize, Default, Clone, PartialEq, Eq)]
#[serde(default)]
pub struct Git {
    /// Where people push. Default: the remote's HEAD branch.
    pub branch: Option<String>,
    /// Where CI commits rendered files and nodes fetch from. Default: `branch`.
    pub publish: Option<String>,
    /// The remote that the raw URL is derived from. Default: `origin`.
    pub remote: Option<String>,
    /// A repository's URL that is used instead of the remote's.
    pub url: Option<String>,
    /// Which forge a self-hosted host runs.
    pub forge: Option<String>,
    /// The raw URL itself, with `{{ path }}`.
    pub raw_url: Option<String>,
}

/// `[os]`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Os {
    /// `flatcar` or `fedora-coreos`.
    pub distro: Option<Distro>,
    /// Flatcar's channel, Fedora CoreOS's stream.
    pub channel: Option<String>,
    /// A release, or `current`, which takes the pin in `fleet.lock`.
    pub version: Option<String>,
    /// `amd64` or `arm64`.
    pub arch: Option<Arch>,
    /// Base URLs that are tried in order before the distribution's own.
    pub mirrors: Vec<String>,
    /// Appended to the kernel's command line.
    pub kernel_args: Vec<String>,
}

/// `[network]`. DHCP on every card unless said.
#[derive(Deserialize, Default, Clone, PartialEq, Eq)]
#[serde(default)]
pub struct Network {
    /// The MAC address of the card that iPXE uses.
    pub mac: Option<String>,
    /// The same card's name in Linux.
    pub interface: Option<String>,
    /// A static address with its prefix length.
    pub address: Option<String>,
    /// The default gateway.
    pub gateway: Option<String>,
    /// Name servers.
    pub dns: Vec<String>,
    /// The VLAN's tag, 1 to 4094.
    pub vlan: Option<i64>,
}

/// `[stick]`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Stick {
    /// Where the boot script's body stands.
    pub script: Option<ScriptAt>,
    /// The firmwares that it boots on.
    pub firmware: Option<Vec<Firmware>>,
    /// Loaders by architecture and firmware.
    pub ipxe: Loaders,
    /// Whether the record of a stick names the drive's model and serial.
    pub record_serial: Option<bool>,
}

/// Where the boot script's body stands.
#[derive(Deserialize, Default, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum ScriptAt {
    /// In git: the stick chains to it.
    #[default]
    Git,
    /// On the stick.
    Stick,
}

/// A kind of firmware.
#[derive(Deserialize, Default, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Firmware {
    /// UEFI.
    #[default]
    Uefi,
    /// The PC BIOS.
    Bios,
}

/// `[stick.ipxe]`.
#[derive(Deserialize, Default, Clone, PartialEq, Eq)]
#[serde(default)]
pub struct Loaders {
    /// `ipxe.efi` for x86-64.
    pub x86_64_efi: Option<String>,
    /// `ipxe.efi` for AArch64.
    pub arm64_efi: Option<String>,
    /// `ipxe.lkrn`.
    pub bios: Option<String>,
}

/// `[vault]`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Vault {
    /// Public keys that every secret is encrypted to.
    pub recipients: Vec<String>,
    /// Where a node mounts its secrets. Default: `/secrets`.
    pub mount: Option<String>,
    /// Further readers, by group.
    pub groups: BTreeMap<String, Vec<String>>,
    /// What looks like a secret and may be public.
    pub allow: Vec<Allow>,
}

/// `[[vault.allow]]`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Allow {
    /// The file that holds it; may have a `*`.
    pub file: Option<String>,
    /// The variable, the secret or the kind.
    pub name: Option<String>,
    /// Why it may be public.
    pub reason: Option<String>,
}

/// `[boot]`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Boot {
    /// Values in place of secrets, by name; public.
    pub env: BTreeMap<String, String>,
}

/// `[artifacts.NAME]`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Artifact {
    /// Its version.
    pub version: Option<String>,
    /// A URL for each architecture; a template that sees `version`.
    pub url: BTreeMap<String, String>,
}

/// Declares the places where a profile stands: the keys that all of them have, then their own.
macro_rules! profiles {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Deserialize, Default)]
        #[serde(default)]
        pub struct $name {
            /// Butane templates and Ignition configs in `templates/`, merged in this order.
            pub templates: Vec<String>,
            /// Keys for the user `core`.
            pub ssh_authorized_keys: Vec<String>,
            /// For `--on @tag`.
            pub tags: Vec<String>,
            /// Values for the templates; public.
            pub vars: BTreeMap<String, serde_json::Value>,
            /// Public variables of services.
            pub env: BTreeMap<String, String>,
            /// Secret variables of services, encrypted.
            pub secrets: BTreeMap<String, String>,
            /// The days on which they expire; `expiry` reads them.
            pub expires: BTreeMap<String, IgnoredAny>,
            /// Overrides the fleet's.
            pub os: Os,
            /// Overrides the fleet's.
            pub network: Network,
            /// Overrides the fleet's.
            pub stick: Stick,
            $($(#[$field_doc])* pub $field: $type,)*
        }
    )*};
}

profiles! {
    /// `[defaults]`.
    Defaults {
        /// The roles of a node whose file lists none.
        roles: Vec<String>,
    }
    /// `[roles.NAME]`: a component.
    Role {
        /// The names that it needs in `env` or `secrets`; a trailing `*` takes all with that prefix.
        variables: Vec<String>,
        /// The env file that takes them.
        env_file: Option<String>,
        /// Secrets that are files of their own: path on the secrets volume to name.
        files: BTreeMap<String, String>,
        /// What happens on a node that lacks one of them.
        on_missing: OnMissing,
    }
    /// `nodes/NODE.toml`, and what a node's layers come to when they are merged.
    NodeFile {
        /// The node's components, in this order.
        roles: Vec<String>,
        /// Default: the node's name.
        hostname: Option<String>,
        /// Groups that may read the secrets in this file.
        readers: Vec<String>,
    }
}

/// What happens when a node lacks what a role needs.
#[derive(Deserialize, Default, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OnMissing {
    /// It is a mistake: it fails closed.
    #[default]
    Error,
    /// The role is left out of the node, with a warning.
    Skip,
}
