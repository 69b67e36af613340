//! Flatcar Container Linux, after its page "Booting Flatcar Container Linux with iPXE".

use super::release::{Arch, Files, Release};
use crate::net::{Digest, Function};

/// The primary key of "Flatcar Buildbot (Official Builds)", as the page "Flatcar Container Linux Image Signing Key" has
/// it. Its subkeys change every year; this one stays.
pub(super) const SIGNING_KEY: &str = "F88C FEDE FF29 A5B4 D952 3864 E25D 9AED 0593 B34A";

/// Where that page keeps the key.
pub(super) const SIGNING_KEY_URL: &str =
    "https://www.flatcar.org/security/image-signing-key/Flatcar_Image_Signing_Key.asc";

/// The folder that holds a channel's newest release.
pub(super) const CURRENT: &str = "current";

/// All channels, the default first.
pub(super) const CHANNELS: &[&str] = &["stable", "beta", "alpha", "lts"];

/// `detected` would look for an EFI system partition and must never be used on a diskless machine.
pub(super) const FIRST_BOOT_ARGS: &[&str] = &["flatcar.first_boot=1"];

/// "A minimum of 3 GB of RAM is required".
pub(super) const MIN_RAM_MIB: u32 = 3072;

/// Of Flatcar's own zone in the NTP pool.
pub(super) const TIME_SERVER: &str = "0.flatcar.pool.ntp.org";

/// "Adding a Custom OEM" in Flatcar's page on PXE. Releases since the end of 2025 did not take it, until it was restored in
/// 4593.2.0 (stable) and 4669.0.0 (alpha), as their release notes say. Older ones are not asked for: nobody has tried.
pub(super) fn config_in_initrd(version: &[u32]) -> Option<&'static str> {
    let [build, branch, _] = *version else {
        return None;
    };
    let takes = build >= 4669 || build >= 4593 && branch >= 2;
    takes.then_some("usr/share/oem/config.ign")
}

/// From which build on Flatcar reads Ignition spec 3.x. The first number of a version counts days and is the
/// same in all channels, so one table serves them. From `image_packages.ignition` of the release data in
/// Flatcar's website: 3185 brought Ignition 2.13 (LTS-2022 and older: spec 2 alone), 3549 2.15, 4152 2.20.
pub(super) const SPECS: &[(u32, u32)] = &[(3185, 3), (3549, 4), (4152, 5)];

/// Plain HTTP, as the recipe in Flatcar's documentation has it: iPXE trusts public certificates only with
/// the help of cross-signatures that it downloads from one server, and stock BIOS builds know no HTTPS.
/// So kernel and initrd are as safe as the network they come over; who needs more names a mirror in it.
pub(super) fn own_base(release: &Release) -> String {
    let (channel, path) = (&release.channel, path(release));
    format!("http://{channel}.release.flatcar-linux.net/{path}")
}

/// The part of a URL that follows the channel.
pub(super) fn path(release: &Release) -> String {
    let board = match release.arch {
        Arch::Amd64 => "amd64-usr",
        Arch::Arm64 => "arm64-usr",
    };
    format!("{board}/{}", release.version)
}

/// The release that a `version.txt` is of.
pub(super) fn version_in(text: &str) -> Option<&str> {
    let value = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("FLATCAR_VERSION="))?;
    Some(value.trim_matches('"'))
}

/// The digest of a file in its `.DIGESTS`: lines `# SHA512 HASH`, then digest and name.
pub(super) fn digest_in(text: &str, file: &str) -> Option<Digest> {
    let mut lines = text.lines();
    lines.find(|line| line.trim() == "# SHA512 HASH")?;
    lines
        .take_while(|line| !line.starts_with('#'))
        .find_map(|line| {
            let (digest, name) = line.split_once("  ")?;
            (name.trim() == file).then(|| Digest::new(Function::Sha512, digest))?
        })
}

pub(super) fn files() -> Files {
    Files {
        kernel: "flatcar_production_pxe.vmlinuz".into(),
        initrd: "flatcar_production_pxe_image.cpio.gz".into(),
        rootfs: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read() {
        let text = "FLATCAR_BUILD=4593\nFLATCAR_VERSION=4593.2.5\nFLATCAR_VERSION_ID=4593.2.5\n";
        assert_eq!(version_in(text), Some("4593.2.5"));
        assert_eq!(version_in("<html>"), None);
    }

    #[test]
    fn a_digest_is_taken_of_the_right_function_and_file() {
        let (sha1, sha512) = ("1".repeat(40), "5".repeat(128));
        let text = format!(
            "# MD5 HASH\nabc  kernel\n# SHA1 HASH\n{sha1}  kernel\n# SHA512 HASH\n{sha512}  kernel\n"
        );
        let digest = digest_in(&text, "kernel").expect("it is there");
        assert_eq!(digest.to_string(), format!("sha512-{sha512}"));
        assert_eq!(digest_in(&text, "initrd"), None);
        assert_eq!(digest_in(&text.replace("SHA512", "BLAKE2"), "kernel"), None);
        let of_another = text + "# OTHER HASH\nabc  initrd\n";
        assert_eq!(digest_in(&of_another, "initrd"), None);
    }
}
