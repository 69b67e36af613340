//! A node's network: what can be seen to be wrong before a machine does not come up.

use std::net::IpAddr;

use super::document::Item;
use super::file::Network;
use super::names;
use crate::diagnostic::Diagnostic;
use crate::ipxe::{self, Address};

/// What iPXE is told of it.
#[must_use]
pub fn before_the_os(network: &Network) -> ipxe::Network {
    ipxe::Network {
        mac: network.mac.clone(),
        vlan: network.vlan.and_then(|tag| u16::try_from(tag).ok()),
        address: network
            .address
            .as_deref()
            .and_then(parse)
            .map(|(ip, prefix)| Address {
                ip,
                prefix,
                gateway: network.gateway.as_deref().and_then(|it| it.parse().ok()),
            }),
        dns: network
            .dns
            .iter()
            .filter_map(|it| it.parse().ok())
            .collect(),
    }
}

/// Checks a merged `[network]`; gives it back with the MAC address in lower case.
pub(super) fn check(
    profile: &Item,
    mut network: Network,
    mistakes: &mut Vec<Diagnostic>,
) -> Network {
    let Some(table) = profile.get("network") else {
        return network;
    };
    let mut refuse = |key: &str, wrong: bool, message: &str, help: &str| {
        if let (Some(item), true) = (table.get(key), wrong) {
            mistakes.push(item.error(message).help(help));
        }
    };
    if let Some(mac) = &mut network.mac {
        mac.make_ascii_lowercase();
        refuse(
            "mac",
            !names::is_mac(mac),
            "this is no MAC address",
            "write six pairs of hex digits: `52:54:00:12:34:56`",
        );
    }
    if let Some(interface) = &network.interface {
        refuse(
            "interface",
            !names::is_interface(interface),
            "this can't be the name of a network card",
            "write the name that Linux gives the card, `eno1` for example",
        );
    }
    if let Some(address) = &network.address {
        refuse(
            "address",
            parse(address).is_none(),
            "this is no address with its prefix length",
            "write for example `10.0.0.7/24`",
        );
        refuse(
            "address",
            network.interface.is_none(),
            "a static address needs the card's name in Linux",
            "add `interface = \"eno1\"` beside it",
        );
    }
    if let Some(gateway) = &network.gateway {
        refuse(
            "gateway",
            gateway.parse::<IpAddr>().is_err(),
            "this is no IP address",
            "write for example `10.0.0.1`",
        );
        refuse(
            "gateway",
            network.address.is_none(),
            "a gateway without a static address has no effect",
            "add `address`, or leave `gateway` to DHCP",
        );
        let ip = network.address.as_deref().and_then(parse);
        let families = ip.zip(gateway.parse::<IpAddr>().ok());
        refuse(
            "gateway",
            families.is_some_and(|((ip, _), gateway)| ip.is_ipv4() != gateway.is_ipv4()),
            "the gateway and the address are not both of IPv4 or both of IPv6",
            "write the gateway that this address is used with",
        );
    }
    if let Some(vlan) = network.vlan {
        refuse(
            "vlan",
            !(1..=4094).contains(&vlan),
            "a VLAN's tag is 1 to 4094",
            "write the tag that the switch uses",
        );
        refuse(
            "vlan",
            network.interface.is_none(),
            "a VLAN needs the card's name in Linux, which fetches the config",
            "add `interface = \"eno1\"` beside it",
        );
    }
    for item in table.get("dns").map_or(&[][..], Item::array) {
        if item
            .text()
            .is_some_and(|text| text.parse::<IpAddr>().is_err())
        {
            mistakes.push(
                item.error("this is no IP address")
                    .help("write the address of a name server: `10.0.0.1`"),
            );
        }
    }
    network
}

/// An address with its prefix length.
pub(crate) fn parse(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.parse().ok().filter(|prefix| *prefix <= longest)?;
    Some((address, prefix))
}
