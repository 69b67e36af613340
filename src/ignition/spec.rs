//! Versions of the Ignition spec. Only the minor number differs: all are 3.x.0.

use std::fmt;

/// A version of the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spec(u8);

/// Why a text is no version that this tool knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionError {
    /// No semantic version at all.
    Malformed,
    /// A version of another age.
    Unsupported,
}

impl Spec {
    /// 3.0.0
    pub const V3_0: Self = Self(0);
    /// 3.1.0: HTTP headers, proxy, SHA-256, mount options.
    pub const V3_1: Self = Self(1);
    /// 3.2.0: LUKS, resizing, deletion of users and groups.
    pub const V3_2: Self = Self(2);
    /// 3.3.0: kernel arguments, filesystems of format `none`.
    pub const V3_3: Self = Self(3);
    /// 3.4.0: S3 access points, LUKS discard and open options.
    pub const V3_4: Self = Self(4);
    /// 3.5.0: CEX.
    pub const V3_5: Self = Self(5);
    /// 3.6.0: special mode bits.
    pub const V3_6: Self = Self(6);
    /// 3.7.0-experimental, which has nothing of its own yet.
    const EXPERIMENTAL: Self = Self(7);

    /// Reads a version as Ignition does: leading zeros don't matter, experimental is only the next one.
    ///
    /// # Errors
    /// When it is no version, or none that is known.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let (text, build) = text
            .split_once('+')
            .map_or((text, false), |(text, _)| (text, true));
        let (numbers, label) = text
            .split_once('-')
            .map_or((text, None), |(text, label)| (text, Some(label)));
        let numbers = numbers
            .split('.')
            .map(|part| part.parse::<u32>().map_err(|_| VersionError::Malformed))
            .collect::<Result<Vec<_>, _>>()?;
        let &[major, minor, patch] = numbers.as_slice() else {
            return Err(VersionError::Malformed);
        };
        let spec = u8::try_from(minor)
            .map(Self)
            .map_err(|_| VersionError::Unsupported)?;
        let known = match label {
            None => spec <= Self::V3_6,
            Some(label) => label == "experimental" && spec == Self::EXPERIMENTAL,
        };
        if major == 3 && patch == 0 && known && !build {
            Ok(spec)
        } else {
            Err(VersionError::Unsupported)
        }
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = if *self == Self::EXPERIMENTAL {
            "-experimental"
        } else {
            ""
        };
        write!(formatter, "3.{}.0{label}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_ignition_reads() {
        assert_eq!(Spec::parse("3.4.0"), Ok(Spec::V3_4));
        assert_eq!(Spec::parse("3.04.0"), Ok(Spec::V3_4));
        assert_eq!(Spec::parse("3.7.0-experimental"), Ok(Spec::EXPERIMENTAL));
        for text in [
            "3.7.0",
            "3.4.0-experimental",
            "2.3.0",
            "3.4.0+build",
            "3.4.1",
        ] {
            assert_eq!(Spec::parse(text), Err(VersionError::Unsupported), "{text}");
        }
        for text in ["", "3.4", "v3.4.0", "3.4.0 ", "3.4.0.0"] {
            assert_eq!(Spec::parse(text), Err(VersionError::Malformed), "{text}");
        }
    }
}
