//! Filesystems.

use super::path;
use crate::ignition::report::{Place, Problem, Report};
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

fn check_format(filesystem: &Struct, spec: Spec) -> Result<(), Problem> {
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
                Err((
                    "the filesystem is described but has no format",
                    "set `format`, or leave only the device",
                ))
            } else {
                Ok(())
            }
        }
        _ => Err((
            "unknown filesystem format",
            "use `ext4`, `btrfs`, `xfs`, `vfat`, `swap`, or `none` where the version knows it",
        )),
    }
}

/// Limits in bytes, from the manual pages of each `mkfs`.
fn check_label(filesystem: &Struct) -> Result<(), Problem> {
    let Some(label) = filesystem.filled("label") else {
        return Ok(());
    };
    let (limit, message) = match filesystem.text("format").unwrap_or_default() {
        "" => return Err(("a label without a format", "set `format` too")),
        "ext4" => (
            16,
            ("the label is too long for ext4", "shorten it to 16 bytes"),
        ),
        "btrfs" => (
            256,
            ("the label is too long for btrfs", "shorten it to 256 bytes"),
        ),
        "xfs" => (
            12,
            ("the label is too long for XFS", "shorten it to 12 bytes"),
        ),
        "swap" => (
            15,
            ("the label is too long for swap", "shorten it to 15 bytes"),
        ),
        "vfat" => (
            11,
            ("the label is too long for FAT", "shorten it to 11 bytes"),
        ),
        _ => return Ok(()),
    };
    if label.len() > limit {
        Err(message)
    } else {
        Ok(())
    }
}
