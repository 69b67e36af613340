//! The settings that iPXE has by itself: `SETTING` entries throughout its source, and those of `builtin/`.

/// Sorted.
const NAMES: &[&str] = &[
    "asset",
    "base64",
    "board-serial",
    "bootfile",
    "buildarch",
    "busid",
    "busloc",
    "bustype",
    "cert",
    "chip",
    "cpumodel",
    "cpuvendor",
    "crosscert",
    "cwduri",
    "cwuri",
    "dhcp-server",
    "dns",
    "dns6",
    "dnssl",
    "domain",
    "errno",
    "filename",
    "gateway",
    "gateway6",
    "hostname",
    "hwaddr",
    "ifname",
    "initiator-iqn",
    "ip",
    "ip6",
    "keep-san",
    "key",
    "keymap",
    "len6",
    "linktype",
    "mac",
    "manufacturer",
    "memsize",
    "mtu",
    "netmask",
    "next-server",
    "no-pxedhcp",
    "ntp",
    "password",
    "platform",
    "priority",
    "privkey",
    "product",
    "pxebs",
    "reverse-password",
    "reverse-username",
    "root-path",
    "san-drive",
    "san-filename",
    "san-retries",
    "scriptlet",
    "serial",
    "skip-san-boot",
    "ssid",
    "syslog",
    "syslogs",
    "trust",
    "unixtime",
    "use-cached",
    "user-class",
    "username",
    "uuid",
    "vendor-class",
    "version",
    "vram",
];

/// Whether iPXE can have a value for it without any script that sets one: by its name, in a scope such as
/// `net0/`, or a DHCP option by its number.
pub(super) fn is_builtin(name: &str) -> bool {
    let numbered = name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    numbered || name.contains('/') || NAMES.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(NAMES.is_sorted());
    }

    #[test]
    fn tells_ipxe_settings_from_invented_ones() {
        for name in [
            "net0/mac",
            "ip",
            "buildarch",
            "175.178",
            "66",
            "smbios/0.5.0",
        ] {
            assert!(is_builtin(name), "{name}");
        }
        for name in ["config-url", "base-url", "1a", ""] {
            assert!(!is_builtin(name), "{name}");
        }
    }
}
