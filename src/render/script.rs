//! The body of a node's boot script: what its template sees besides the rest, and what is wrong with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;

use crate::diagnostic::Diagnostic;
use crate::fleet::node::{Fleet, Node};
use crate::fleet::publish::{Published, fixed_url};
use crate::ipxe;
use crate::source::Source;

use super::rendered::{config_digest, ignition_path, sha512};

/// The template's name in `templates/`.
pub(super) const TEMPLATE: &str = "boot.ipxe";

/// Adds `config` and `boot` to what a template sees.
pub(super) fn extend_context(
    context: &mut BTreeMap<&'static str, Value>,
    fleet: &Fleet,
    node: &Node,
    config: &str,
    mistakes: &mut Vec<Diagnostic>,
) {
    let release = &node.os.release;
    let files = release.files();
    let path = fleet.path_in_repository(&ignition_path(&node.name));
    let published = Published {
        path: &path,
        sha512: &sha512(config),
        commit: None,
    };
    let config_url = match fixed_url(&fleet.git, &published) {
        None => Value::from(()),
        Some(Ok(url)) => Value::from(url),
        Some(Err(error)) => {
            mistakes.push(Diagnostic::error(error.to_string()).help(error.help()));
            Value::from(())
        }
    };
    let boot = [
        ("mirrors", Value::from(release.bases(&node.os.mirrors))),
        ("kernel", Value::from(files.kernel)),
        ("initrd", Value::from(files.initrd)),
        ("rootfs", Value::from(files.rootfs)),
        ("kernel_args", kernel_args(node).into_iter().collect()),
        ("config_url", config_url),
    ];
    context.insert("boot", Value::from_pairs(boot));
    context.insert(
        "config",
        Value::from_pairs([("digest", config_digest(config))]),
    );
}

/// First the distribution's, then the network's, then the user's.
fn kernel_args(node: &Node) -> Vec<String> {
    let mut args: Vec<String> = node
        .os
        .release
        .distro
        .first_boot_args()
        .iter()
        .map(|arg| (*arg).to_owned())
        .collect();
    args.extend(vlan(node));
    args.extend(static_address(node));
    args.extend(node.os.kernel_args.iter().cloned());
    args
}

/// The network card in the initrd, or the VLAN on it.
fn device(node: &Node) -> Option<String> {
    let interface = node.network.interface.as_deref()?;
    Some(match node.network.vlan {
        Some(tag) => format!("{interface}.{tag}"),
        None => interface.to_owned(),
    })
}

/// dracut's `vlan=`, and DHCP on it where there is no static address.
fn vlan(node: &Node) -> Vec<String> {
    let network = &node.network;
    let (Some(interface), Some(_), Some(device)) = (&network.interface, network.vlan, device(node))
    else {
        return Vec::new();
    };
    let mut args = vec![format!("vlan={device}:{interface}")];
    if network.address.is_none() {
        args.push(format!("ip={device}:dhcp"));
    }
    args
}

/// dracut's `ip=`, where the node has a static address.
fn static_address(node: &Node) -> Option<String> {
    let network = &node.network;
    let (address, prefix) = network.address.as_deref()?.split_once('/')?;
    let interface = device(node)?;
    let gateway = network.gateway.as_deref().unwrap_or_default();
    let mut arg = match address.parse().ok()? {
        std::net::IpAddr::V4(address) => {
            let prefix: u32 = prefix.parse().ok()?;
            let bits = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            let mask = std::net::Ipv4Addr::from(bits);
            format!(
                "ip={address}::{gateway}:{mask}:{}:{interface}:none",
                node.hostname
            )
        }
        std::net::IpAddr::V6(address) => {
            let gateway = match gateway {
                "" => String::new(),
                gateway => format!("[{gateway}]"),
            };
            format!(
                "ip=[{address}]::{gateway}:{prefix}:{}:{interface}:none",
                node.hostname
            )
        }
    };
    for server in &network.dns {
        arg.push(':');
        if server.contains(':') {
            arg.push('[');
            arg.push_str(server);
            arg.push(']');
        } else {
            arg.push_str(server);
        }
    }
    Some(arg)
}

/// What iPXE would make of it that nobody wants.
pub(super) fn check(script: &Arc<Source>, node: &Node) -> Vec<Diagnostic> {
    ipxe::lint(
        script,
        &BTreeMap::from([("node".to_owned(), node.name.clone())]),
    )
}
