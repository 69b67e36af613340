//! What to install where there is no loader.

use crate::os_release::find;

/// Where a binary of iPXE that is new enough comes from, by the distribution's name. What the packages hold is from their
/// build files, for Debian from the packages. Without a package here: the Red Hat family, whose own have only
/// `snponly.efi` since release 10, and Alpine, whose iPXE has a script of its own.
const PACKAGES: [(&str, &str); 7] = [
    (
        "debian",
        "install the package `ipxe` (Debian 13 or newer; unpacked with `dpkg -x`, that one serves an older Debian, too)",
    ),
    (
        "ubuntu",
        "install the package `ipxe` (Ubuntu 22.04 or newer)",
    ),
    (
        "fedora",
        "install the package `ipxe-bootimgs-x86`, and `ipxe-bootimgs-aarch64` for arm64",
    ),
    ("arch", "install the package `ipxe`"),
    ("opensuse", "install the package `ipxe-bootimgs`"),
    (
        "nixos",
        "build the package `ipxe` and name its folder: `--ipxe \"$(nix build --no-link --print-out-paths nixpkgs#ipxe)\"`",
    ),
    ("rhel", ELSEWHERE),
];

const ELSEWHERE: &str = "unpack `ipxeboot.tar.gz` of iPXE 2.0 or newer, from https://github.com/ipxe/ipxe/releases, \
                         into `~/.local/share/ephemeros/ipxe`";

/// What to do to get loaders, by the text of `/etc/os-release` (os-release(5)).
#[must_use]
pub fn suggest_install(os_release: &str) -> &'static str {
    find(os_release, &PACKAGES).unwrap_or(&ELSEWHERE)
}
