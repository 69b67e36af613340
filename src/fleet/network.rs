//! A node's network: what can be seen to be wrong before a machine does not come up.

use std::net::IpAddr;

use super::document::Item;
use super::file::Network;
use super::names;
use crate::diagnostic::Diagnostic;

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
            !is_address(address),
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
    }
    if let Some(vlan) = network.vlan {
        refuse(
            "vlan",
            !(1..=4094).contains(&vlan),
            "a VLAN's tag is 1 to 4094",
            "write the tag that the switch uses",
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

fn is_address(text: &str) -> bool {
    let Some((address, prefix)) = text.split_once('/') else {
        return false;
    };
    let longest = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    prefix.parse::<u8>().is_ok_and(|prefix| prefix <= longest)
}
