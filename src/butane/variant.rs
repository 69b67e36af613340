//! The kinds of Butane config. A variant and its version are a row of a table: the spec they are translated to, and
//! what they add or forbid.

use crate::ignition::Spec;

/// A variant of Butane in one version.
#[derive(Debug, PartialEq, Eq)]
pub struct Variant {
    /// `variant:`
    pub name: &'static str,
    /// `version:`, a minor number: all are 1.x.0.
    minor: u64,
    /// The spec of the Ignition config that comes out.
    pub spec: Spec,
    /// Whether `boot_device` is known.
    pub boot_device: bool,
    /// What its operating system can't do.
    pub limits: Limits,
}

/// What an operating system can't do with Ignition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limits {
    /// Everything works.
    None,
    /// Flatcar has no clevis.
    NoClevis,
    /// Edge and `IoT` images come with their disks laid out.
    NoDisks,
}

const fn row(name: &'static str, minor: u64, spec: Spec, limits: Limits) -> Variant {
    Variant {
        name,
        minor,
        spec,
        boot_device: false,
        limits,
    }
}

const fn fcos(minor: u64, spec: Spec) -> Variant {
    Variant {
        boot_device: minor >= 3,
        ..row("fcos", minor, spec, Limits::None)
    }
}

static VARIANTS: [Variant; 13] = [
    row("flatcar", 0, Spec::V3_3, Limits::NoClevis),
    row("flatcar", 1, Spec::V3_4, Limits::NoClevis),
    fcos(0, Spec::V3_0),
    fcos(1, Spec::V3_1),
    fcos(2, Spec::V3_2),
    fcos(3, Spec::V3_2),
    fcos(4, Spec::V3_3),
    fcos(5, Spec::V3_4),
    fcos(6, Spec::V3_5),
    fcos(7, Spec::V3_6),
    row("fiot", 0, Spec::V3_4, Limits::NoDisks),
    row("r4e", 0, Spec::V3_3, Limits::NoDisks),
    row("r4e", 1, Spec::V3_4, Limits::NoDisks),
];

/// Why there is no such variant: a message and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// Finds a variant by what the config says of itself.
///
/// # Errors
/// When it says nothing, or something that is not known.
pub fn find(name: &str, version: &str) -> Result<&'static Variant, Unknown> {
    let mut of_name = VARIANTS.iter().filter(|variant| variant.name == name);
    let newest = of_name.clone().next_back();
    let example = newest.map_or_else(|| "1.1.0".to_owned(), Variant::version);
    if name.is_empty() {
        return Err(Unknown {
            message: "`variant` is missing".to_owned(),
            help: "begin with `variant: flatcar` and `version: 1.1.0`".to_owned(),
        });
    }
    let Some(numbers) = numbers(version) else {
        return Err(Unknown {
            message: format!("`version` must be three numbers, found `{version}`"),
            help: format!("write `version: {example}`"),
        });
    };
    of_name
        .find(|variant| numbers == [1, variant.minor, 0])
        .ok_or_else(|| match newest {
            Some(_) => Unknown {
                message: format!("variant `{name}` has no version `{version}`"),
                help: format!("versions up to {example} are supported"),
            },
            None => Unknown {
                message: format!("unknown variant `{name}`"),
                help: "supported are `flatcar`, `fcos`, `fiot` and `r4e`".to_owned(),
            },
        })
}

/// Three numbers; leading zeros don't matter, labels are not known to any variant.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let mut parts = version.split('.').map(|part| part.parse::<u64>().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    (parts.next().is_none() && !version.contains('+')).then_some(numbers)
}

impl Variant {
    /// Whether it is Fedora `CoreOS`, which has rules of its own.
    #[must_use]
    pub fn is_fcos(&self) -> bool {
        self.name == "fcos"
    }

    /// `version:`
    #[must_use]
    pub fn version(&self) -> String {
        format!("1.{}.0", self.minor)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(find("flatcar", "1.01.0").unwrap().spec, Spec::V3_4);
        for version in ["", "1.1", "v1.1.0", "1.1.0.0", "+1.1.0"] {
            assert!(
                find("flatcar", version)
                    .unwrap_err()
                    .message
                    .contains("three numbers"),
                "{version}"
            );
        }
        assert_eq!(
            find("flatcar", "1.9.0").unwrap_err().message,
            "variant `flatcar` has no version `1.9.0`"
        );
        assert_eq!(
            find("gentoo", "1.1.0").unwrap_err().message,
            "unknown variant `gentoo`"
        );
        assert_eq!(find("", "").unwrap_err().message, "`variant` is missing");
    }
}
