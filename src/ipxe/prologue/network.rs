//! How the script on the stick brings up the network.

use std::net::{IpAddr, Ipv4Addr};

/// What is asked of the network before there is any script but the stick's. By itself: DHCP on every card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The card's MAC address in lower case; `None` for each card in turn.
    pub mac: Option<String>,
    /// The VLAN's tag.
    pub vlan: Option<u16>,
    /// `None` for DHCP.
    pub address: Option<Address>,
    /// Name servers. iPXE asks one of each family, the first.
    pub dns: Vec<IpAddr>,
}

/// A static address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// How many bits of it are the network's.
    pub prefix: u8,
    /// The default gateway, of the same family.
    pub gateway: Option<IpAddr>,
}

/// One more than the highest number of a card that is looked for. Numbers have gaps where cards went away.
const CARDS: u32 = 32;

/// How long a card may take to have a link, in milliseconds: as long as iPXE itself gives it before DHCP.
const LINK: u32 = 15_000;

impl Network {
    /// The name servers, which beat those of DHCP.
    pub(super) fn set_dns(&self) -> String {
        let v4 = self.dns.iter().find(|server| server.is_ipv4());
        let v6 = self.dns.iter().find(|server| server.is_ipv6());
        let set = |name, server: Option<&IpAddr>| {
            server.map_or_else(String::new, |server| format!("set {name} {server}\n"))
        };
        set("dns", v4) + &set("dns6", v6)
    }

    /// Brings it up, or goes to the label `…_no_network`.
    pub(super) fn bring_up(&self, own: &str) -> String {
        if self.mac.is_none() && self.vlan.is_none() && self.address.is_none() {
            return format!(
                "echo Ephemeros: asking for an address by DHCP, on every card\n\
                 dhcp || goto {own}_no_network\n"
            );
        }
        let number = format!("${{{own}_number}}");
        let card = format!("${{{own}_card}}");
        let next = format!("goto {own}_next");
        let mut lines = vec![
            format!("set {own}_number:int16 0"),
            format!("set {own}_found:int16 0"),
            format!(":{own}_try"),
            match &self.mac {
                Some(mac) => format!("iseq ${{net{number}/mac}} {mac} || {next}"),
                None => format!("isset ${{net{number}/mac}} || {next}"),
            },
            format!("set {own}_found:int16 1"),
            format!("set {own}_card net{number}"),
        ];
        if let Some(vlan) = self.vlan {
            // Where there is one already, of an earlier try, it succeeds.
            lines.push(format!("vcreate --tag {vlan} {card} || {next}"));
            lines.push(format!("set {own}_card {card}-{vlan}"));
        }
        match &self.address {
            None => {
                let what = "echo Ephemeros: asking for an address by DHCP on";
                lines.push(format!("{what} {card}"));
                lines.push(format!("dhcp {card} && goto {own}_up ||"));
            }
            Some(address) => {
                let (ip, prefix) = (address.ip, address.prefix);
                lines.push(format!("echo Ephemeros: taking {ip}/{prefix} on {card}"));
                lines.push(format!("iflinkwait --timeout {LINK} {card} || {next}"));
                let settings = address.settings().into_iter();
                lines.extend(
                    settings.map(|(name, value)| format!("set {card}/{name} {value} || {next}")),
                );
                lines.push(format!("goto {own}_up"));
            }
        }
        lines.extend([
            format!(":{own}_next"),
            format!("inc {own}_number"),
            format!("iseq {number} {CARDS} || goto {own}_try"),
            format!("goto {own}_no_network"),
            format!(":{own}_up"),
        ]);
        lines.join("\n") + "\n"
    }

    /// Why it did not come up, as far as that is known, and what to do.
    pub(super) fn say_failure(&self, own: &str) -> String {
        let on = self
            .vlan
            .map_or_else(String::new, |vlan| format!(" on VLAN {vlan}"));
        let why = match (&self.address, &self.mac) {
            (None, None) => format!("no card got an address{on}."),
            (None, Some(mac)) => format!("the card {mac} got no address{on}."),
            (Some(_), None) => "no card has a link.".to_owned(),
            (Some(_), Some(mac)) => format!("the card {mac} has no link."),
        };
        let question = match &self.address {
            None => format!("Is a cable plugged in, and does anything answer DHCP there{on}?"),
            Some(_) => "Is a cable plugged in?".to_owned(),
        };
        let mut text = String::new();
        if let Some(mac) = &self.mac {
            text = format!(
                "iseq ${{{own}_found}} 1 && goto {own}_no_address ||\n\
                 echo Ephemeros: no card here has the address {mac}. Is this the machine that the stick is for?\n\
                 goto {own}_cards\n\
                 :{own}_no_address\n"
            );
        }
        text += &format!("echo Ephemeros: {why}\necho Ephemeros: {question}\n");
        if self.mac.is_some() {
            text += &format!(":{own}_cards\n");
        }
        text + "echo Ephemeros: the cards that iPXE drives here:\nifstat ||\n"
    }
}

impl Address {
    /// Those of a card that make it up.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let (ip, length, gateway) = match self.ip {
            IpAddr::V4(_) => {
                let host_bits = 32 - u32::from(self.prefix.min(32));
                let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0);
                let mask = Ipv4Addr::from(mask).to_string();
                ("ip", ("netmask", mask), "gateway")
            }
            IpAddr::V6(_) => ("ip6", ("len6", self.prefix.to_string()), "gateway6"),
        };
        let mut settings = vec![(ip, self.ip.to_string()), length];
        settings.extend(self.gateway.map(|it| (gateway, it.to_string())));
        settings
    }
}
