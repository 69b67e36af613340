//! Fedora CoreOS, after its pages "Live ISO and PXE image reference" and "Booting live Fedora CoreOS via iPXE".

use super::release::{Arch, Files, Release, numbers};

/// The production streams, the default first.
pub(super) const STREAMS: &[&str] = &["stable", "testing", "next"];

/// Without the platform Ignition does not start.
pub(super) const FIRST_BOOT_ARGS: &[&str] = &["ignition.firstboot", "ignition.platform.id=metal"];

/// 2 GiB where the initrd fetches the root file system itself, as it does here.
pub(super) const MIN_RAM_MIB: u32 = 2048;

/// Of Fedora's own zone in the NTP pool.
pub(super) const TIME_SERVER: &str = "2.fedora.pool.ntp.org";

/// Live images take it from the top of the initrd, as `coreos-installer pxe ignition wrap` puts it.
pub(super) const CONFIG_IN_INITRD: &str = "config.ign";

/// From which build date on it reads Ignition spec 3.x. The project publishes no table: these are the dates
/// of Ignition 2.3, 2.7, 2.11, 2.15 and 2.20, and an estimated six weeks until a release carries them.
#[allow(clippy::unreadable_literal)] // They are dates.
pub(super) const SPECS: &[(u32, u32)] = &[
    (20200101, 0),
    (20200615, 1),
    (20201201, 2),
    (20210815, 3),
    (20230401, 4),
    (20241201, 5),
];

/// HTTPS, as in the documentation. What matters most is safe in either case: the initrd checks the root file
/// system against a digest of its own.
pub(super) fn own_base(release: &Release) -> String {
    format!("https://builds.coreos.fedoraproject.org/{}", path(release))
}

/// The part of a URL that follows the server, and the mirror.
pub(super) fn path(release: &Release) -> String {
    let (stream, version) = (&release.channel, &release.version);
    format!(
        "prod/streams/{stream}/builds/{version}/{}",
        arch(release.arch)
    )
}

pub(super) fn files(release: &Release) -> Files {
    let (version, arch) = (&release.version, arch(release.arch));
    let fedora = numbers(version).and_then(|numbers| numbers.first().copied());
    // Builds before Fedora 42 separated the kernel's architecture by a dash.
    let separator = match fedora {
        Some(..42) => '-',
        _ => '.',
    };
    Files {
        kernel: format!("fedora-coreos-{version}-live-kernel{separator}{arch}"),
        initrd: format!("fedora-coreos-{version}-live-initramfs.{arch}.img"),
        rootfs: Some(format!("fedora-coreos-{version}-live-rootfs.{arch}.img")),
    }
}

/// Only `/var` and `/etc` can be written when mount points are made, and `/etc` is for configuration.
pub(super) fn check_mount(path: &str) -> Result<(), &'static str> {
    if path.starts_with("/var/") {
        Ok(())
    } else {
        Err("Fedora CoreOS can only make a mount point under `/var`")
    }
}

fn arch(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "x86_64",
        Arch::Arm64 => "aarch64",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::Distro;

    #[test]
    fn files_carry_version_and_architecture() {
        let release = Release {
            distro: Distro::FedoraCoreos,
            channel: "stable".into(),
            version: "44.20260707.3.1".into(),
            arch: Arch::Amd64,
        };
        let files = files(&release);
        assert_eq!(
            files.kernel,
            "fedora-coreos-44.20260707.3.1-live-kernel.x86_64"
        );
        assert_eq!(
            files.rootfs.as_deref(),
            Some("fedora-coreos-44.20260707.3.1-live-rootfs.x86_64.img")
        );
    }
}
