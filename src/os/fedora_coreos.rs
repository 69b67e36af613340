//! Fedora CoreOS, after its pages "Live ISO and PXE image reference" and "Booting live Fedora CoreOS via iPXE".

use std::collections::BTreeMap;

use serde::Deserialize;

use super::release::{Arch, Files, Release, numbers};
use crate::net::{Digest, Function};

/// Where everything stands that the project builds.
pub(super) const SERVER: &str = "https://builds.coreos.fedoraproject.org";

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
    format!("{SERVER}/{}", path(release))
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

/// What a stream offers now: "stream metadata" in the project's documentation.
pub(super) fn stream_path(stream: &str) -> String {
    format!("streams/{stream}.json")
}

/// What is in one release, be it current or not.
pub(super) fn release_path(release: &Release) -> String {
    let (stream, version) = (&release.channel, &release.version);
    format!("prod/streams/{stream}/builds/{version}/release.json")
}

/// A release and its files: names and digests.
pub(super) struct Contents {
    pub(super) version: String,
    pub(super) files: BTreeMap<String, Digest>,
}

#[derive(Deserialize)]
struct Stream {
    architectures: BTreeMap<String, StreamArch>,
}

#[derive(Deserialize)]
struct StreamArch {
    artifacts: BTreeMap<String, StreamPlatform>,
}

#[derive(Deserialize)]
struct StreamPlatform {
    release: String,
    formats: Formats,
}

#[derive(Deserialize)]
struct ReleaseFile {
    release: String,
    architectures: BTreeMap<String, ReleaseArch>,
}

#[derive(Deserialize)]
struct ReleaseArch {
    media: BTreeMap<String, Option<ReleasePlatform>>,
}

#[derive(Deserialize)]
struct ReleasePlatform {
    #[serde(default)]
    artifacts: Option<Formats>,
}

/// `pxe` among them is what boots without a disk; others hold other things.
type Formats = BTreeMap<String, serde_json::Value>;

#[derive(Deserialize)]
struct File {
    location: String,
    sha256: String,
}

/// Reads stream metadata.
pub(super) fn read_stream(bytes: &[u8], of: Arch) -> Result<Contents, String> {
    let stream: Stream = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let platform = stream.architectures.get(arch(of));
    let platform = platform.and_then(|it| it.artifacts.get("metal"));
    let platform = platform.ok_or_else(|| nothing_for(of))?;
    Ok(Contents {
        version: platform.release.clone(),
        files: pxe(&platform.formats, of)?,
    })
}

/// Reads a release's own metadata.
pub(super) fn read_release(bytes: &[u8], of: Arch) -> Result<Contents, String> {
    let file: ReleaseFile = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let platform = file.architectures.get(arch(of));
    let platform = platform.and_then(|it| it.media.get("metal")?.as_ref()?.artifacts.as_ref());
    Ok(Contents {
        files: pxe(platform.ok_or_else(|| nothing_for(of))?, of)?,
        version: file.release,
    })
}

fn nothing_for(of: Arch) -> String {
    format!("it has nothing for {}", arch(of))
}

fn pxe(formats: &Formats, of: Arch) -> Result<BTreeMap<String, Digest>, String> {
    let pxe = formats.get("pxe").ok_or_else(|| nothing_for(of))?;
    let mut files = BTreeMap::new();
    for part in ["kernel", "initramfs", "rootfs"] {
        let file = pxe.get(part).ok_or_else(|| format!("it has no {part}"))?;
        let file = File::deserialize(file).map_err(|error| error.to_string())?;
        let name = file.location.rsplit('/').next().unwrap_or_default();
        let digest = Digest::new(Function::Sha256, &file.sha256)
            .ok_or_else(|| format!("the {part} has no digest"))?;
        files.insert(name.to_owned(), digest);
    }
    Ok(files)
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

    #[test]
    fn what_is_no_metadata_is_told() {
        let told = |text: &str| {
            let read = read_stream(text.as_bytes(), Arch::Amd64);
            read.err().unwrap_or_default()
        };
        assert!(told("<html>").contains("expected value"));
        assert_eq!(
            told(r#"{"architectures": {"aarch64": {"artifacts": {}}}}"#),
            "it has nothing for x86_64"
        );
        let with = |pxe: &str| {
            told(&format!(
                r#"{{"architectures": {{"x86_64": {{"artifacts": {{"metal": {{"release": "1", "formats": {pxe}}}}}}}}}}}"#
            ))
        };
        assert_eq!(with("{}"), "it has nothing for x86_64");
        assert_eq!(with(r#"{"pxe": {}}"#), "it has no kernel");
        assert_eq!(
            with(r#"{"pxe": {"kernel": {"location": "https://h/k", "sha256": "00"}}}"#),
            "the kernel has no digest"
        );
    }
}
