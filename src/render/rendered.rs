//! One node, rendered: its files, their paths, and the name that a config has for short.

use std::sync::Arc;

use sha2::{Digest, Sha256, Sha512};

use super::filters::hex;
use crate::fleet::names::is_node_name;
use crate::source::Source;

/// What one node fetches.
pub struct Rendered {
    /// The node's name.
    pub node: String,
    /// Its Ignition config: one line of JSON.
    pub ignition: String,
    /// The body of its boot script.
    pub script: Arc<Source>,
}

impl Rendered {
    /// Its files: path in the fleet, and text. The config comes first.
    #[must_use]
    pub fn files(&self) -> [(String, &str); 2] {
        [
            (ignition_path(&self.node), &self.ignition),
            (script_path(&self.node), &self.script.text),
        ]
    }
}

/// Where a node's config stands in the fleet.
#[must_use]
pub fn ignition_path(node: &str) -> String {
    format!("ignition/{node}.ign")
}

/// Where the body of a node's boot script stands in the fleet.
#[must_use]
pub fn script_path(node: &str) -> String {
    format!("ipxe/{node}.ipxe")
}

/// The node whose file stands at a path in the fleet; `None` where this tool would not write one there.
#[must_use]
pub fn owner(path: &str) -> Option<&str> {
    let ignition = path.strip_prefix("ignition/");
    let ignition = ignition.and_then(|name| name.strip_suffix(".ign"));
    let script = path.strip_prefix("ipxe/");
    let script = script.and_then(|name| name.strip_suffix(".ipxe"));
    ignition.or(script).filter(|name| is_node_name(name))
}

/// The short name of a config, by which a node says what it runs: 12 hex digits of its SHA-256.
#[must_use]
pub fn config_digest(ignition: &str) -> String {
    let mut digits = hex(&Sha256::digest(ignition));
    digits.truncate(12);
    digits
}

/// The SHA-512 of a rendered file, as a published URL may name it.
#[must_use]
pub fn sha512(text: &str) -> String {
    hex(&Sha512::digest(text))
}
