//! What a release hands out: it is made as a release makes it, and installed by dpkg.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::repository::{has_program, skipped};

/// The Debian package and the archive, made once; `None` where something is missing, which it says.
fn made() -> Option<TempDir> {
    for program in ["cargo-deb", "dpkg-shlibdeps"] {
        if !has_program(program) {
            skipped("a release", &format!("there is no {program}"));
            return None;
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if Path::new(env!("CARGO_BIN_EXE_ephemeros")) != root.join("target/release/ephemeros") {
        skipped(
            "a release",
            "it is made of what `cargo build --release` builds",
        );
        return None;
    }
    let dist = TempDir::new().unwrap();
    let script = root.join("tools/package");
    let made = Command::new(script).arg(dist.path()).output().unwrap();
    assert!(made.status.success(), "{}", text(&made));
    Some(dist)
}

fn text(ran: &Output) -> String {
    String::from_utf8_lossy(&[&ran.stdout[..], &ran.stderr[..]].concat()).into_owned()
}

#[test]
fn a_package_is_installed_whole_and_removed_whole() {
    let Some(dist) = made() else { return };
    let sums = Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(dist.path())
        .output()
        .unwrap();
    assert!(sums.status.success(), "{}", text(&sums));
    assert_eq!(text(&sums).lines().count(), 2, "{}", text(&sums));

    // A copy of this system that only this one process sees: dpkg installs for real, and nothing of it stays.
    let layers = TempDir::new().unwrap();
    let installed = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "bash", "-c", INSTALL])
        .arg("bash")
        .args([layers.path(), dist.path()])
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let said = text(&installed);
    assert!(installed.status.success(), "{said}");
    let version = env!("CARGO_PKG_VERSION");
    for told in [
        format!("ephemeros {version}\n"),
        "page /usr/share/man/man1/ephemeros-secrets-set.1.gz\n".to_owned(),
        "offered schema\n".to_owned(),
        "left behind: 0\n".to_owned(),
    ] {
        assert!(said.contains(&told), "{told} in {said}");
    }
    assert!(!Path::new("/usr/share/man/man1/ephemeros.1.gz").exists());
}

/// `$1` is a folder for the copy's layers, `$2` what was made.
const INSTALL: &str = r#"
set -euo pipefail
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mkdir "$1/root/dist"
cp "$2"/*.deb "$1/root/dist"
chroot "$1/root" bash -euo pipefail -c '
    dpkg --install /dist/*.deb
    ephemeros --version
    ls /usr/share/man/man1/ephemeros-secrets-set.1.gz | sed "s/^/page /"
    gzip --test /usr/share/man/man1/ephemeros*.gz
    source /usr/share/bash-completion/completions/ephemeros
    COMP_WORDS=(ephemeros sche) COMP_CWORD=1
    _ephemeros ephemeros sche ephemeros
    echo "offered ${COMPREPLY[*]}"
    ls /usr/share/fish/vendor_completions.d/ephemeros.fish /usr/share/zsh/vendor-completions/_ephemeros
    grep -q "^License: MIT" /usr/share/doc/ephemeros/copyright
    dpkg --purge ephemeros
    # The bytes that dpkg itself keeps are its own.
    echo "left behind: $(find /usr -xdev -path "*ephemeros*" -newer /dist | wc -l)"
'
"#;
