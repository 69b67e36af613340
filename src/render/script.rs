//! The body of a node's boot script: what its template sees besides the rest, and what is wrong with it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use minijinja::Value;

use crate::diagnostic::Diagnostic;
use crate::fleet::network::parse;
use crate::fleet::node::{Fleet, Node};
use crate::fleet::publish::{NoUrl, Published, fixed_url};
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
        sha512: &|| sha512(config),
        commit: None,
    };
    let config_url = match fixed_url(&fleet.git, &published) {
        Some(Ok(url)) => Value::from(url),
        // What is wrong with `raw_url` was told where it stands.
        None | Some(Err(NoUrl::Template(_) | NoUrl::Useless(_))) => Value::from(()),
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

/// dracut's `ip=`, where the node has a static address. It has room for two name servers; the others follow.
fn static_address(node: &Node) -> Vec<String> {
    let network = &node.network;
    let address = network.address.as_deref().and_then(parse);
    let (Some((ip, prefix)), Some(device)) = (address, device(node)) else {
        return Vec::new();
    };
    let mask = match ip {
        IpAddr::V4(_) => {
            let bits = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            Ipv4Addr::from(bits).to_string()
        }
        IpAddr::V6(_) => prefix.to_string(),
    };
    let gateway = network.gateway.as_deref().map(bracketed);
    let mut arg = format!(
        "ip={}::{}:{mask}:{}:{device}:none",
        bracketed(&ip.to_string()),
        gateway.unwrap_or_default(),
        node.hostname
    );
    let (first, others) = network.dns.split_at(network.dns.len().min(2));
    for server in first {
        arg += &format!(":{}", bracketed(server));
    }
    let others = others
        .iter()
        .map(|it| format!("nameserver={}", bracketed(it)));
    [arg].into_iter().chain(others).collect()
}

/// As a part of something else that has colons.
fn bracketed(address: &str) -> String {
    if address.contains(':') {
        format!("[{address}]")
    } else {
        address.to_owned()
    }
}

/// What iPXE would make of it that nobody wants.
pub(super) fn check(script: &Arc<Source>, node: &Node) -> Vec<Diagnostic> {
    ipxe::lint(
        script,
        &BTreeMap::from([("node".to_owned(), node.name.clone())]),
    )
}
