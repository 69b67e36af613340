//! Filesystems.

use super::path;
use crate::ignition::report::{Place, Report};
use crate::ignition::spec::Spec;
use crate::ignition::value::Struct;

pub(crate) fn check(filesystem: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let device = path::check(filesystem.text("device").unwrap_or_default());
    let path = filesystem.text("path").map_or(Ok(()), |path| {
        // In 3.0 a path is checked also when it is empty.
        if path.is_empty() {
            Ok(())
        } else {
            path::check(path)
        }
    });
    let format = check_format(filesystem, report.spec);
    let label = check_label(filesystem);
    for (name, checked) in [
        ("path", path),
        ("device", device),
        ("format", format),
        ("label", label),
    ] {
        if let Err(message) = checked {
            report.error(&at.field(filesystem, name), message);
        }
    }
}

fn check_format(filesystem: &Struct, spec: Spec) -> Result<(), &'static str> {
    match filesystem.text("format").unwrap_or_default() {
        "ext4" | "btrfs" | "xfs" | "swap" | "vfat" => Ok(()),
        "none" if spec >= Spec::V3_3 => Ok(()),
        "" => {
            let described = ["path", "label", "uuid"]
                .iter()
                .any(|name| filesystem.filled(name).is_some())
                || ["options", "mountOptions"]
                    .iter()
                    .any(|name| !filesystem.list(name).is_empty())
                || filesystem.is_true("wipeFilesystem");
            if described {
                Err(
                    "format cannot be empty when path, label, uuid, wipeFilesystem, options, or mountOptions is specified",
                )
            } else {
                Ok(())
            }
        }
        _ => Err("invalid filesystem format"),
    }
}

/// Limits in bytes, from the manual pages of each `mkfs`.
fn check_label(filesystem: &Struct) -> Result<(), &'static str> {
    let Some(label) = filesystem.filled("label") else {
        return Ok(());
    };
    let (limit, message) = match filesystem.text("format").unwrap_or_default() {
        "" => return Err("filesystem must specify format if label is specified"),
        "ext4" => (
            16,
            "filesystem labels cannot be longer than 16 characters when using ext4",
        ),
        "btrfs" => (
            256,
            "filesystem labels cannot be longer than 256 characters when using btrfs",
        ),
        "xfs" => (
            12,
            "filesystem labels cannot be longer than 12 characters when using xfs",
        ),
        "swap" => (
            15,
            "filesystem labels cannot be longer than 15 characters when using swap",
        ),
        "vfat" => (
            11,
            "filesystem labels cannot be longer than 11 characters when using vfat",
        ),
        _ => return Ok(()),
    };
    if label.len() > limit {
        Err(message)
    } else {
        Ok(())
    }
}
