//! One release of one distribution, and the questions that both distributions answer.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{fedora_coreos, flatcar, mount};

/// A distribution that boots without a disk and reads Ignition.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Hash, PartialOrd, Ord,
)]
#[serde(rename_all = "kebab-case")]
pub enum Distro {
    /// Flatcar Container Linux.
    #[default]
    Flatcar,
    /// Fedora CoreOS.
    FedoraCoreos,
}

/// A CPU architecture, by Debian's and Go's names.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Hash, PartialOrd, Ord,
)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// `x86_64`.
    #[default]
    Amd64,
    /// `aarch64`.
    Arm64,
}

/// A version of Ignition's config format, without the patch level, which is always 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spec {
    /// 3 in everything that is supported.
    pub major: u32,
    /// 5 in `3.5.0`.
    pub minor: u32,
}

/// A release: everything that its URL depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Release {
    /// Whose it is.
    pub distro: Distro,
    /// Flatcar's channel, Fedora CoreOS's stream.
    pub channel: String,
    /// An exact version: `current` is resolved before.
    pub version: String,
    /// For which machines.
    pub arch: Arch,
}

/// The names of a release's files, all below one base URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The kernel.
    pub kernel: String,
    /// The initrd; the image's name in iPXE is the same, and `initrd=` must name it.
    pub initrd: String,
    /// What the initrd fetches by itself, where the distribution has it.
    pub rootfs: Option<String>,
}

impl Files {
    /// The names, in the order in which a node asks for them.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let first = [self.kernel.as_str(), self.initrd.as_str()];
        first.into_iter().chain(self.rootfs.as_deref())
    }
}

impl Distro {
    /// Both, in the order they are offered.
    pub const ALL: [Self; 2] = [Self::Flatcar, Self::FedoraCoreos];

    /// The distribution that `fleet.toml` calls so.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|distro| distro.name() == name)
    }

    /// The name in `fleet.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Flatcar => "flatcar",
            Self::FedoraCoreos => "fedora-coreos",
        }
    }

    /// The channels or streams that it publishes, the default first.
    #[must_use]
    pub fn channels(self) -> &'static [&'static str] {
        match self {
            Self::Flatcar => flatcar::CHANNELS,
            Self::FedoraCoreos => fedora_coreos::STREAMS,
        }
    }

    /// Whether a version has the form of this distribution's exact versions.
    #[must_use]
    pub fn is_version(self, version: &str) -> bool {
        let parts = match self {
            Self::Flatcar => 3,
            Self::FedoraCoreos => 4,
        };
        numbers(version).is_some_and(|numbers| numbers.len() == parts)
    }

    /// The kernel arguments that make the first boot read a config; `ignition.config.url=` comes beside them.
    #[must_use]
    pub fn first_boot_args(self) -> &'static [&'static str] {
        match self {
            Self::Flatcar => flatcar::FIRST_BOOT_ARGS,
            Self::FedoraCoreos => fedora_coreos::FIRST_BOOT_ARGS,
        }
    }

    /// A time server of those that the running system asks by itself.
    #[must_use]
    pub fn time_server(self) -> &'static str {
        match self {
            Self::Flatcar => flatcar::TIME_SERVER,
            Self::FedoraCoreos => fedora_coreos::TIME_SERVER,
        }
    }

    /// The least memory that a machine needs, in MiB, as the distribution's documentation says.
    #[must_use]
    pub fn min_ram_mib(self) -> u32 {
        match self {
            Self::Flatcar => flatcar::MIN_RAM_MIB,
            Self::FedoraCoreos => fedora_coreos::MIN_RAM_MIB,
        }
    }

    /// Whether the secrets volume may be mounted at `path`.
    ///
    /// # Errors
    /// Why not, as a clause that follows "because".
    pub fn check_mount(self, path: &str) -> Result<(), &'static str> {
        mount::check(path)?;
        match self {
            Self::Flatcar => Ok(()),
            Self::FedoraCoreos => fedora_coreos::check_mount(path),
        }
    }
}

impl fmt::Display for Distro {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl Arch {
    /// Both, in the order they are offered.
    pub const ALL: [Self; 2] = [Self::Amd64, Self::Arm64];

    /// The architecture that `fleet.toml` calls so.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.name() == name)
    }

    /// The name in `fleet.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "{}.{}.0", self.major, self.minor)
    }
}

impl Release {
    /// The release's base URLs in the order to try: each mirror, then the distribution's own server.
    /// None ends in a slash.
    #[must_use]
    pub fn bases(&self, mirrors: &[String]) -> Vec<String> {
        let mirrors = mirrors.iter().map(|mirror| self.base_on(mirror));
        mirrors.chain([self.own_base()]).collect()
    }

    /// The release's base URL on a mirror, which has the layout of the distribution's own server.
    #[must_use]
    pub fn base_on(&self, mirror: &str) -> String {
        let path = match self.distro {
            Distro::Flatcar => format!("{}/{}", self.channel, flatcar::path(self)),
            Distro::FedoraCoreos => fedora_coreos::path(self),
        };
        format!("{}/{path}", mirror.trim_end_matches('/'))
    }

    /// The release's base URL on the distribution's own server.
    #[must_use]
    pub fn own_base(&self) -> String {
        match self.distro {
            Distro::Flatcar => flatcar::own_base(self),
            Distro::FedoraCoreos => fedora_coreos::own_base(self),
        }
    }

    /// The names of its files.
    #[must_use]
    pub fn files(&self) -> Files {
        match self.distro {
            Distro::Flatcar => flatcar::files(),
            Distro::FedoraCoreos => fedora_coreos::files(self),
        }
    }

    /// Where in its initrd a config is looked for when no kernel argument names one. `None`: this release takes none.
    #[must_use]
    pub fn config_in_initrd(&self) -> Option<&'static str> {
        let version = numbers(&self.version)?;
        match self.distro {
            Distro::Flatcar => flatcar::config_in_initrd(&version),
            Distro::FedoraCoreos => Some(fedora_coreos::CONFIG_IN_INITRD),
        }
    }

    /// The newest Ignition spec that it reads. `None`: it reads no spec 3 at all, or the version can't be
    /// understood (see [`Distro::is_version`]). A release newer than the table reads at least this.
    #[must_use]
    pub fn ignition_spec(&self) -> Option<Spec> {
        let version = numbers(&self.version)?;
        let minor = match self.distro {
            Distro::Flatcar => newest(flatcar::SPECS, *version.first()?),
            Distro::FedoraCoreos => newest(fedora_coreos::SPECS, *version.get(1)?),
        }?;
        Some(Spec { major: 3, minor })
    }
}

/// The minor version of the last row that begins at or before `build`.
fn newest(rows: &[(u32, u32)], build: u32) -> Option<u32> {
    let row = rows.iter().rev().find(|(since, _)| *since <= build)?;
    Some(row.1)
}

/// The numbers of a version; `None` where one of its parts is none.
pub(super) fn numbers(version: &str) -> Option<Vec<u32>> {
    version
        .split('.')
        .map(|part| {
            // `parse` would take a sign.
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn release(distro: Distro, channel: &str, version: &str) -> Release {
        Release {
            distro,
            channel: channel.into(),
            version: version.into(),
            arch: Arch::Amd64,
        }
    }

    #[test]
    fn a_config_in_the_initrd_is_taken_by_some_releases() {
        let place = |distro, version| release(distro, "stable", version).config_in_initrd();
        for (version, takes) in [
            ("4593.2.0", true),
            ("4593.2.5", true),
            ("4593.1.0", false),
            ("4459.2.4", false),
            ("4628.0.0", false),
            ("4669.0.0", true),
            ("4757.1.0", true),
        ] {
            let expected = takes.then_some("usr/share/oem/config.ign");
            assert_eq!(place(Distro::Flatcar, version), expected, "{version}");
        }
        let fedora = place(Distro::FedoraCoreos, "44.20260707.3.1");
        assert_eq!(fedora, Some("config.ign"));
    }

    #[test]
    fn mirrors_come_before_the_own_server_and_share_its_layout() {
        let flatcar = release(Distro::Flatcar, "stable", "4593.2.5");
        assert_eq!(
            flatcar.bases(&["http://10.0.0.2/flatcar/".into()]),
            [
                "http://10.0.0.2/flatcar/stable/amd64-usr/4593.2.5",
                "http://stable.release.flatcar-linux.net/amd64-usr/4593.2.5",
            ]
        );
        let mut fedora = release(Distro::FedoraCoreos, "testing", "44.20260707.3.1");
        fedora.arch = Arch::Arm64;
        assert_eq!(
            fedora.base_on("http://10.0.0.2/fcos"),
            "http://10.0.0.2/fcos/prod/streams/testing/builds/44.20260707.3.1/aarch64"
        );
    }

    #[test]
    fn versions_are_told_by_their_form() {
        assert!(Distro::Flatcar.is_version("4593.2.5"));
        assert!(Distro::FedoraCoreos.is_version("44.20260707.3.1"));
        for wrong in [
            "current",
            "4593.2",
            "4593.2.5.1",
            "4593.2.",
            "4593.+2.5",
            "",
        ] {
            assert!(!Distro::Flatcar.is_version(wrong), "{wrong}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for distro in Distro::ALL {
            assert_eq!(Distro::parse(distro.name()), Some(distro));
        }
        for arch in Arch::ALL {
            assert_eq!(Arch::parse(arch.name()), Some(arch));
        }
        assert_eq!(Arch::parse("x86_64"), None);
    }

    #[test]
    fn ignition_specs_follow_the_release() {
        let spec = |distro, version| {
            let spec = release(distro, "stable", version).ignition_spec();
            spec.map(|spec| spec.to_string())
        };
        let flatcar = |version| spec(Distro::Flatcar, version);
        assert_eq!(flatcar("3033.3.18"), None);
        assert_eq!(flatcar("3185.0.0").as_deref(), Some("3.3.0"));
        assert_eq!(flatcar("3510.3.6").as_deref(), Some("3.3.0"));
        assert_eq!(flatcar("4081.3.4").as_deref(), Some("3.4.0"));
        assert_eq!(flatcar("4593.2.5").as_deref(), Some("3.5.0"));
        assert_eq!(flatcar("9999.0.0").as_deref(), Some("3.5.0"));
        assert_eq!(flatcar("current"), None);
        let fedora = |version| spec(Distro::FedoraCoreos, version);
        assert_eq!(fedora("38.20230709.3.0").as_deref(), Some("3.4.0"));
        assert_eq!(fedora("44.20260707.3.1").as_deref(), Some("3.5.0"));
        assert_eq!(fedora("44"), None);
    }
}
