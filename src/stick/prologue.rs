//! The script on a stick as far as it comes from the fleet and this version of the tool: by this two sticks are compared.

use super::label;
use crate::fleet::network::before_the_os;
use crate::fleet::node::Node;
use crate::ipxe::Prologue;

/// The digest of the script that a node's stick starts with, if it names these URLs. The copy of the body is not in it,
/// which may be an old one, nor what depends on the loaders, which are others on other machines.
#[must_use]
pub fn prologue_digest(node: &Node, config_url: &str, script_url: Option<&str>) -> String {
    let prologue = Prologue {
        node: &node.name,
        config_url,
        script_url,
        body: "",
        network: before_the_os(&node.network),
        time_server: None,
        own_config: None,
    };
    label::digest(prologue.write().as_bytes())
}
