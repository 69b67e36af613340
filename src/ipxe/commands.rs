//! The commands that iPXE has, by where they can be relied on: `src/hci/commands/` and `src/config/general.h`
//! in iPXE 2.0, compared with the builds that distributions ship.

/// In which builds a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// In the usual builds.
    Usual,
    /// Usual too, but it waits for somebody at the keyboard.
    Asks,
    /// Compiled in only where somebody asked for it.
    Rare,
    /// In UEFI builds from iPXE 2.0 on, not in stock BIOS ones.
    UefiOnly,
}

// All of these are sorted.
const USUAL: &[&str] = &[
    "autoboot",
    "boot",
    "certfree",
    "certstat",
    "certstore",
    "chain",
    "clear",
    "colour",
    "console",
    "cpair",
    "cpuid",
    "dhcp",
    "echo",
    "exit",
    "fcels",
    "fcstat",
    "fdt",
    "goto",
    "help",
    "ibstat",
    "ifclose",
    "ifconf",
    "iflinkwait",
    "ifopen",
    "ifstat",
    "imgargs",
    "imgexec",
    "imgextract",
    "imgfetch",
    "imgfree",
    "imgload",
    "imgselect",
    "imgset",
    "imgstat",
    "inc",
    "initrd",
    "iseq",
    "isset",
    "item",
    "iwlist",
    "iwstat",
    "kernel",
    "module",
    "ntp",
    "param",
    "params",
    "poweroff",
    "pxebs",
    "reboot",
    "route",
    "sanboot",
    "sanhook",
    "sanunhook",
    "set",
    "shim",
    "show",
    "sleep",
    "sync",
    "vcreate",
    "vdestroy",
];

const ASKS: &[&str] = &[
    "choose", "config", "form", "login", "menu", "present", "prompt", "read", "shell",
];

const RARE: &[&str] = &[
    "efimap",
    "gdbstub",
    "imgdecrypt",
    "imgmem",
    "imgtrust",
    "imgverify",
    "ipstat",
    "lotest",
    "nslookup",
    "nstat",
    "pciscan",
    "ping",
    "profstat",
    "startpxe",
    "stoppxe",
    "time",
    "usbscan",
];

const UEFI_ONLY: &[&str] = &[
    "md4sum",
    "md5sum",
    "sha1sum",
    "sha224sum",
    "sha256sum",
    "sha384sum",
    "sha512sum",
];

/// What is known of a command; `None`: iPXE has no such command.
pub(super) fn kind(name: &str) -> Option<Kind> {
    [
        (USUAL, Kind::Usual),
        (ASKS, Kind::Asks),
        (RARE, Kind::Rare),
        (UEFI_ONLY, Kind::UefiOnly),
    ]
    .into_iter()
    .find(|(names, _)| names.binary_search(&name).is_ok())
    .map(|(_, kind)| kind)
}

/// Whether the command fetches its first argument.
pub(super) fn fetches(name: &str) -> bool {
    is_kernel(name) || matches!(name, "initrd" | "imgfetch" | "module" | "chain")
}

/// Whether the command fetches the image that `boot` will start.
pub(super) fn is_kernel(name: &str) -> bool {
    matches!(name, "kernel" | "imgselect" | "imgload")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        for names in [USUAL, ASKS, RARE, UEFI_ONLY] {
            assert!(names.is_sorted());
        }
    }
}
