//! Rules of Fedora `CoreOS` alone: where its image has the root partition and where filesystems may be mounted.

use super::schema::BOOT_DEVICE;
use crate::ignition::report::{Place, Report};
use crate::ignition::spec::Spec;
use crate::ignition::value::Struct;

/// A name for the disk that the OS was installed to; its partitions are known by label.
const BOOT_DISK: &str = "/dev/disk/by-id/coreos-boot-disk";
/// Less is too little for updates, in MiB.
const SMALLEST_ROOT: i64 = 8192;
/// The partitions of the image by number.
const IMAGE_PARTITIONS: [(&str, i64); 5] = [
    ("BIOS-BOOT", 1),
    ("PowerPC-PReP-boot", 1),
    ("EFI-SYSTEM", 2),
    ("boot", 3),
    ("root", 4),
];

/// Checks the storage section as it is written.
pub(super) fn check_source(config: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let Some(storage) = config
        .child("storage")
        .filter(|_| report.spec >= Spec::V3_5)
    else {
        return;
    };
    let mirror = config
        .child(BOOT_DEVICE)
        .and_then(|boot| boot.child("mirror"));
    let mirrored = |device| {
        mirror.is_some_and(|mirror| {
            mirror
                .list("devices")
                .iter()
                .any(|item| item.as_text() == device)
        })
    };
    let at = at.field(config, "storage");
    let list = at.field(storage, "disks");
    for (index, value) in storage.list("disks").iter().enumerate() {
        let Some(disk) = value.as_struct() else {
            continue;
        };
        let device = disk.text("device");
        if device != Some(BOOT_DISK) && !mirrored(device) && !disk.is_true("wipeTable") {
            let item = list.item(index, value);
            warn_of_reuse_by_label(disk, &item, report);
        }
    }
    let list = at.field(storage, "filesystems");
    for (index, value) in storage.list("filesystems").iter().enumerate() {
        let Some(filesystem) = value
            .as_struct()
            .filter(|filesystem| filesystem.is_true("with_mount_unit"))
        else {
            continue;
        };
        let allowed = |path: &str| {
            let top = path
                .strip_prefix('/')
                .and_then(|path| path.split('/').next());
            matches!(top, Some("etc" | "var"))
        };
        if filesystem.text("path").is_some_and(|path| !allowed(path)) {
            let item = list.item(index, value);
            let message = (
                "nothing can be mounted here, the root is read-only",
                "mount it under `/var` or `/etc`",
            );
            report.error(&item.field(filesystem, "path"), message);
        }
    }
}

fn warn_of_reuse_by_label(disk: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let list = at.field(disk, "partitions");
    for (index, value) in disk.list("partitions").iter().enumerate() {
        let Some(partition) = value.as_struct() else {
            continue;
        };
        if partition.int("number").unwrap_or(0) == 0 && partition.get("label").is_some() {
            let item = list.item(index, value);
            let message = (
                "an existing partition is not found by its label",
                "set its number, or `wipe_table`; on the boot disk use `/dev/disk/by-id/coreos-boot-disk`",
            );
            report.warn(&item.field(partition, "number"), message);
        }
    }
}

/// Checks the disks that come out.
pub(super) fn check_result(config: &Struct, report: &mut Report<'_>) {
    let Some(storage) = config.child("storage") else {
        return;
    };
    let root = Place::root(None);
    let at = root.field(config, "storage");
    let list = at.field(storage, "disks");
    for (index, value) in storage.list("disks").iter().enumerate() {
        if let Some(disk) = value.as_struct() {
            let item = list.item(index, value);
            check_partitions(disk, &item, report);
        }
    }
}

fn check_partitions(disk: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let list = at.field(disk, "partitions");
    let partitions: Vec<&Struct> = disk.structs("partitions").collect();
    for (index, partition) in partitions.iter().enumerate() {
        let Some(label) = partition.text("label") else {
            continue;
        };
        let item = list.item(index, &disk.list("partitions")[index]);
        if label == "root" {
            // Older versions of Butane's rules look at what stands before the root partition, too.
            let first = if report.spec < Spec::V3_6 { 0 } else { index };
            let mut others = partitions
                .iter()
                .enumerate()
                .skip(first)
                .filter(|(other, _)| *other != index);
            match partition.int("sizeMiB").unwrap_or(0) {
                0 if others.any(|(_, other)| other.int("startMiB").unwrap_or(0) == 0) => {
                    let message = (
                        "the root partition can't grow: a partition without a place is put behind it",
                        "set `size_mib` of the root partition, or `start_mib` of the other",
                    );
                    report.warn(&item.field(partition, "label"), message);
                }
                0 => {}
                ..SMALLEST_ROOT => report.warn(
                    &item.field(partition, "sizeMiB"),
                    (
                        "the root partition is small",
                        "give it 8192 MiB at least, for updates",
                    ),
                ),
                _ => {}
            }
        }
        let number = partition.int("number").unwrap_or(0);
        let misplaced = IMAGE_PARTITIONS
            .iter()
            .any(|(name, usual)| *name == label && *usual != number);
        if misplaced && !disk.is_true("wipeTable") {
            let message = (
                "this label belongs to another number, so a second partition gets it",
                "use the number that the image has, or another label",
            );
            report.warn(&item.field(partition, "label"), message);
        }
    }
}
