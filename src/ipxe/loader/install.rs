//! What to install where there is no loader.

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
    let ids = ["ID", "ID_LIKE"].map(|key| value(os_release, key));
    let mut ids = ids.iter().flat_map(|ids| ids.split_whitespace());
    let known = ids.find_map(|id| {
        let known = PACKAGES.iter().find(|(name, _)| {
            let rest = id.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        });
        known.map(|(_, help)| *help)
    });
    known.unwrap_or(ELSEWHERE)
}

/// The last assignment counts, as in a shell.
fn value<'a>(os_release: &'a str, key: &str) -> &'a str {
    let assigned = os_release.lines().rev().find_map(|line| {
        let (name, value) = line.trim().split_once('=')?;
        (name == key).then_some(value)
    });
    assigned.unwrap_or_default().trim_matches(['"', '\''])
}
