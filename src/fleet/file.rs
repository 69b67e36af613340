//! The keys of `fleet.toml` and of a node file, as written: everything optional. The comments are what an editor shows;
//! [`super::schema`] makes its schema of these types.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::schema;
use crate::os::{Arch, Distro};

/// `fleet.toml`.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(default)]
#[schemars(extend("required" = ["name", "id"]))]
pub struct FleetFile {
    /// The fleet's name.
    #[schemars(example = &"homelab")]
    pub name: Option<String>,
    /// A UUID: what `uuidgen` prints, once. Sticks are told apart by it and the node's name, so never change it.
    #[schemars(example = &"7c3f3e0e-3a53-4a1b-8d3b-0d0c8f6f2b11")]
    pub id: Option<String>,
    /// The versions of the tool that can read this fleet, as in Cargo. Default: any.
    #[schemars(example = &">=0.1")]
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
#[derive(Deserialize, JsonSchema, Default, Clone, PartialEq, Eq)]
#[serde(default)]
pub struct Git {
    /// Where people push. Default: the remote's HEAD branch.
    #[schemars(example = &"main")]
    pub branch: Option<String>,
    /// The branch that nodes fetch from. Default: `branch`.
    #[schemars(example = &"live")]
    pub publish: Option<String>,
    /// The remote that the URL is derived from. Default: `origin`, or the only one.
    #[schemars(example = &"origin")]
    pub remote: Option<String>,
    /// The repository's URL, instead of the remote's.
    #[schemars(example = &"https://git.example.net/acme/fleet")]
    pub url: Option<String>,
    /// What a self-hosted host runs, where its name doesn't tell.
    #[schemars(schema_with = "schema::forge")]
    pub forge: Option<String>,
    /// The URL of a file itself, with `{{ path }}` in it: overrides all of the others. It may use `{{ commit }}`
    /// and `{{ sha512 }}`.
    #[schemars(example = &"https://cdn.example.net/{{ path }}")]
    pub raw_url: Option<String>,
}

/// `[os]`.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(default)]
pub struct Os {
    /// The distribution. Default: `flatcar`.
    #[schemars(example = &"flatcar")]
    pub distro: Option<Distro>,
    /// Flatcar's channel, Fedora CoreOS's stream. Default: `stable`.
    #[schemars(example = &"stable")]
    pub channel: Option<String>,
    /// An exact release, or `current`: the one that `ephemeros lock` pinned. Default: `current`.
    #[schemars(example = &"4593.2.5", example = &"current")]
    pub version: Option<String>,
    /// The machine's architecture. Default: `amd64`.
    #[schemars(example = &"amd64")]
    pub arch: Option<Arch>,
    /// Base URLs, tried in order before the distribution's own server, with the same layout below them.
    #[schemars(example = ["http://10.0.0.2/flatcar"])]
    pub mirrors: Vec<String>,
    /// Appended to the kernel's command line. The layers of a node append to each other.
    #[schemars(example = ["console=ttyS0,115200n8"])]
    pub kernel_args: Vec<String>,
}

/// `[network]`. DHCP on every card unless said.
#[derive(Deserialize, JsonSchema, Default, Clone, PartialEq, Eq)]
#[serde(default)]
pub struct Network {
    /// The MAC address of the card that iPXE uses. Default: the cards are tried in turn.
    #[schemars(example = &"52:54:00:12:34:56")]
    pub mac: Option<String>,
    /// The same card's name in Linux; needed with `address` and `vlan`.
    #[schemars(example = &"eno1")]
    pub interface: Option<String>,
    /// A static address with its prefix length, of IPv4 or IPv6. Default: DHCP.
    #[schemars(example = &"10.0.0.7/24", example = &"2001:db8::7/64")]
    pub address: Option<String>,
    /// The default gateway, of the same family; needs `address`.
    #[schemars(example = &"10.0.0.1")]
    pub gateway: Option<String>,
    /// Name servers, by address. They beat those of DHCP.
    #[schemars(example = ["10.0.0.1"])]
    pub dns: Vec<String>,
    /// The VLAN's tag, 1 to 4094. Default: none.
    #[schemars(range(min = 1, max = 4094), example = 42)]
    pub vlan: Option<i64>,
}

/// `[stick]`.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(default)]
pub struct Stick {
    /// Where the boot script's body stands, which decides whether a change of it costs a reboot or a re-flash.
    /// Default: `git`.
    #[schemars(example = &"git")]
    pub script: Option<ScriptAt>,
    /// The firmwares that it boots on. Default: both.
    #[schemars(example = ["uefi", "bios"])]
    pub firmware: Option<Vec<Firmware>>,
    /// The iPXE loaders: paths, relative to the fleet's folder. Default: where packages put them.
    pub ipxe: Loaders,
    /// Whether the record of a stick names the drive's model and serial number. Default: `false`.
    #[schemars(example = false)]
    pub record_serial: Option<bool>,
}

/// Where the boot script's body stands.
#[derive(Deserialize, JsonSchema, Default, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum ScriptAt {
    /// In git: the stick chains to it.
    #[default]
    Git,
    /// On the stick.
    Stick,
}

/// A kind of firmware.
#[derive(Deserialize, JsonSchema, Default, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Firmware {
    /// UEFI.
    #[default]
    Uefi,
    /// The PC BIOS.
    Bios,
}

/// `[stick.ipxe]`.
#[derive(Deserialize, JsonSchema, Default, Clone, PartialEq, Eq, Hash)]
#[serde(default)]
pub struct Loaders {
    /// `ipxe.efi` for x86-64.
    #[schemars(example = &"loaders/ipxe.efi")]
    pub x86_64_efi: Option<String>,
    /// `ipxe.efi` for AArch64.
    #[schemars(example = &"loaders/ipxe-arm64.efi")]
    pub arm64_efi: Option<String>,
    /// `ipxe.lkrn`, for the PC BIOS.
    #[schemars(example = &"loaders/ipxe.lkrn")]
    pub bios: Option<String>,
}

/// `[vault]`.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(default)]
pub struct Vault {
    /// Public keys that every secret is encrypted to: `age1…`, `ssh-ed25519 …`, `ssh-rsa …`.
    #[schemars(example = ["age1tzha5pml89m07twagpf3jesrtedseakqmz7hmprhhhe4jquedgdqqm7qsh"])]
    pub recipients: Vec<String>,
    /// Where nodes mount their secrets; under `/var` on Fedora CoreOS. Default: `/secrets`.
    #[schemars(example = &"/secrets")]
    pub mount: Option<String>,
    /// More public keys, by group: those that a node file names in `readers` may read its secrets too.
    #[schemars(example = schema::groups())]
    pub groups: BTreeMap<String, Vec<String>>,
    /// What looks like a secret and may be public.
    pub allow: Vec<Allow>,
}

/// Something that looks like a secret and may be public.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(default)]
#[schemars(extend("required" = ["file", "name", "reason"]))]
pub struct Allow {
    /// The file that holds it; may have a `*` in it.
    #[schemars(example = &"templates/registry.bu")]
    pub file: Option<String>,
    /// The variable or the secret; where there is none the kind, as the message calls it.
    #[schemars(example = &"PULL_TOKEN", example = &"jwt")]
    pub name: Option<String>,
    /// Why it may be public.
    #[schemars(example = &"reads public images only")]
    pub reason: Option<String>,
}

/// `[boot]`.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(default)]
pub struct Boot {
    /// Values in place of secrets, by name, for `ephemeros boot`, which opens none. They are public.
    #[schemars(example = schema::entry("K3S_TOKEN", "a stand-in"))]
    pub env: BTreeMap<String, String>,
}

/// `[artifacts.NAME]`.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(default)]
pub struct Artifact {
    /// Its version, which its URLs may use.
    #[schemars(example = &"v1.24.7+k3s1")]
    pub version: Option<String>,
    /// A URL for each architecture; a template that sees `version`.
    #[schemars(schema_with = "schema::urls")]
    pub url: BTreeMap<String, String>,
}

/// Declares the places where a profile stands: the keys that all of them have, then their own.
macro_rules! profiles {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Deserialize, JsonSchema, Default)]
        #[serde(default)]
        pub struct $name {
            /// Butane templates and Ignition configs, by their names in `templates/`; merged in this order. The layers of a
            /// node append to each other.
            #[schemars(example = ["k3s.bu"])]
            pub templates: Vec<String>,
            /// Public keys for the user `core`. The layers of a node append to each other.
            #[schemars(example = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH7R74GRQtVDWNUPY406oYXwQJUagVco5aWUWdZbbOm0 me"])]
            pub ssh_authorized_keys: Vec<String>,
            /// For `--on @tag`. The layers of a node append to each other.
            #[schemars(example = ["edge"])]
            pub tags: Vec<String>,
            /// Values for the templates, of any type; public.
            #[schemars(example = schema::entry("every", "5min"))]
            pub vars: BTreeMap<String, serde_json::Value>,
            /// Public variables of services. A change costs a reboot.
            #[schemars(example = schema::entry("K3S_CHANNEL", "stable"))]
            pub env: BTreeMap<String, String>,
            /// Secret variables of services, or whole files, encrypted: `ephemeros secrets set` writes them. A change costs a
            /// re-flash.
            #[schemars(example = schema::entry("K3S_TOKEN", "age:…"))]
            pub secrets: BTreeMap<String, String>,
            /// The last days that values in `secrets` beside it are good for: dates, without quotes. `ephemeros secrets set
            /// --expires` writes them.
            // `expiry` reads them.
            #[schemars(schema_with = "schema::days")]
            pub expires: BTreeMap<String, IgnoredAny>,
            /// The operating system: overrides the fleet's, key by key.
            pub os: Os,
            /// The network: overrides the fleet's, key by key. DHCP on every card unless said.
            pub network: Network,
            /// The stick: overrides the fleet's, key by key.
            pub stick: Stick,
            $($(#[$field_doc])* pub $field: $type,)*
        }
    )*};
}

profiles! {
    /// `[defaults]`.
    Defaults {
        /// The roles of a node whose file lists none.
        #[schemars(example = ["k3s"])]
        roles: Vec<String>,
    }
    /// `[roles.NAME]`: a component.
    Role {
        /// The names that it needs in `env` or `secrets`; a trailing `*` takes all with that prefix, and needs none.
        #[schemars(example = ["K3S_TOKEN", "K3S_*"])]
        variables: Vec<String>,
        /// The name of the env file that takes them; required with `variables`.
        #[schemars(example = &"k3s_env")]
        env_file: Option<String>,
        /// Secrets that are files of their own: the path below the mount, and the secret's name.
        #[schemars(example = schema::entry("tls/node.key", "NODE_TLS_KEY"))]
        files: BTreeMap<String, String>,
        /// What happens on a node that lacks one of them. Default: `error`.
        #[schemars(example = &"error")]
        on_missing: OnMissing,
    }
    /// `nodes/NODE.toml`, and what a node's layers come to when they are merged.
    NodeFile {
        /// The node's components, in this order, instead of the defaults'.
        #[schemars(example = ["k3s"])]
        roles: Vec<String>,
        /// The host name: DNS labels with dots between, at most 64 characters. Default: the node's name.
        #[schemars(example = &"node1337.example.net")]
        hostname: Option<String>,
        /// Groups of `[vault.groups]` that may read the secrets in this file too.
        #[schemars(example = ["ops"])]
        readers: Vec<String>,
    }
}

/// What happens when a node lacks what a role needs.
#[derive(Deserialize, JsonSchema, Default, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum OnMissing {
    /// It is a mistake: it fails closed.
    #[default]
    Error,
    /// The role is left out of the node, with a warning.
    Skip,
}
