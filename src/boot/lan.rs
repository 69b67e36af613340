//! The network that a virtual machine finds itself in.

use std::net::Ipv4Addr;

/// One of IPv4, made by QEMU. On it are the machine, a gateway that leads nowhere unless it is told to, and the local
/// server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lan {
    net: Ipv4Addr,
    prefix: u8,
    gateway: Ipv4Addr,
    dns: Ipv4Addr,
    dhcp: Ipv4Addr,
    /// Where the local server is, at port 80.
    pub server: Ipv4Addr,
}

impl Default for Lan {
    /// The one that QEMU has by itself.
    fn default() -> Self {
        let at = |last| Ipv4Addr::new(10, 0, 2, last);
        Self {
            net: at(0),
            prefix: 24,
            gateway: at(2),
            dns: at(3),
            dhcp: at(15),
            server: at(100),
        }
    }
}

impl Lan {
    /// The one for a machine that has this address by itself; `None` where it has no room for the others.
    #[must_use]
    pub fn around(own: Ipv4Addr, prefix: u8, gateway: Option<Ipv4Addr>) -> Option<Self> {
        let hosts = 1_u32.checked_shl(32_u32.checked_sub(prefix.into())?)?;
        let net = u32::from(own) & !(hosts.checked_sub(1)?);
        let inside = |it: &Ipv4Addr| u32::from(*it).checked_sub(net).is_some_and(|it| it < hosts);
        let taken: Vec<Ipv4Addr> = [own].into_iter().chain(gateway).collect();
        let free = (1..hosts - 1).map(|it| Ipv4Addr::from(net + it));
        let mut free = free.filter(|it| !taken.contains(it));
        let gateway = match gateway {
            Some(gateway) => Some(gateway).filter(inside)?,
            None => free.next()?,
        };
        Some(Self {
            net: net.into(),
            prefix,
            gateway,
            dns: free.next()?,
            server: free.next()?,
            dhcp: free.next()?,
        })
    }

    /// As `-netdev user` takes it.
    pub(super) fn options(&self) -> String {
        let Self {
            net,
            prefix,
            gateway,
            dns,
            dhcp,
            ..
        } = self;
        format!("net={net}/{prefix},host={gateway},dns={dns},dhcpstart={dhcp},ipv6=off")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(own: &str, prefix: u8, gateway: Option<&str>) -> Option<Lan> {
        let parse = |text: &str| text.parse().expect("an address");
        Lan::around(parse(own), prefix, gateway.map(parse))
    }

    #[test]
    fn a_static_address_and_its_gateway_are_in_it_and_nobody_else_has_them() {
        let lan = around("10.7.0.2", 16, Some("10.7.0.1")).expect("there is room");
        assert_eq!(
            lan.options(),
            "net=10.7.0.0/16,host=10.7.0.1,dns=10.7.0.3,dhcpstart=10.7.0.5,ipv6=off"
        );
        assert_eq!(lan.server.to_string(), "10.7.0.4");
        let lan = around("192.168.1.1", 29, None).expect("there is room");
        assert_eq!(
            lan.options(),
            "net=192.168.1.0/29,host=192.168.1.2,dns=192.168.1.3,dhcpstart=192.168.1.5,ipv6=off"
        );
    }

    #[test]
    fn one_without_room_is_none() {
        for (own, prefix, gateway) in [
            ("10.0.0.1", 32, None),
            ("10.0.0.1", 31, None),
            ("10.0.0.1", 30, None),
            ("10.0.0.1", 0, None),
            ("10.0.0.1", 24, Some("10.0.1.1")),
        ] {
            assert_eq!(around(own, prefix, gateway), None, "{own}/{prefix}");
        }
    }
}
