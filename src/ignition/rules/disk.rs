//! Disks, partitions and RAID arrays.

use std::collections::HashSet;

use super::path;
use crate::ignition::report::{Place, Report};
use crate::ignition::spec::Spec;
use crate::ignition::value::Struct;

/// UTF-16 units of a partition's name in a GPT; Ignition counts bytes.
const LABEL_LIMIT: usize = 36;

pub(crate) fn check(disk: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let device = disk.text("device").unwrap_or_default();
    if device.is_empty() {
        return report.error(
            &at.field(disk, "device"),
            (
                "no device",
                "set `device`, best to a name below `/dev/disk/by-id`",
            ),
        );
    }
    if let Err(message) = path::check(device) {
        report.error(&at.field(disk, "device"), message);
    }
    let partitions: Vec<&Struct> = disk.structs("partitions").collect();
    let list = at.field(disk, "partitions");
    let collisions = [
        (
            repeated(&partitions, |partition| {
                partition.int("number").filter(|number| *number != 0)
            }),
            (
                "an earlier partition has this number",
                "give each partition a number of its own, or 0 for the next free one",
            ),
        ),
        (
            overlapping(&partitions),
            (
                "the partition overlaps an earlier one",
                "move its start past the end of the other",
            ),
        ),
        (
            repeated(&partitions, |partition| partition.text("label")),
            (
                "an earlier partition has this label",
                "give each partition a label of its own",
            ),
        ),
    ];
    for (index, message) in collisions {
        if let Some(index) = index {
            report.error(&list.item(index, &disk.list("partitions")[index]), message);
        }
    }
    let unnumbered = partitions
        .iter()
        .any(|partition| partition.int("number").unwrap_or(0) == 0);
    let removed = partitions
        .iter()
        .any(|partition| partition.bool("shouldExist") == Some(false));
    if unnumbered && removed {
        let message = (
            "a partition that is to be removed stands beside one without a number",
            "give every partition of this disk a number",
        );
        report.error(&list, message);
    }
}

/// The first partition whose key an earlier one has.
fn repeated<'a, K: std::hash::Hash + Eq>(
    partitions: &[&'a Struct],
    key: impl Fn(&'a Struct) -> Option<K>,
) -> Option<usize> {
    let mut seen = HashSet::new();
    partitions
        .iter()
        .position(|partition| key(partition).is_some_and(|key| !seen.insert(key)))
}

/// The first partition that overlaps an earlier one; those without a fixed place are not looked at.
fn overlapping(partitions: &[&Struct]) -> Option<usize> {
    let extents: Vec<Option<(i64, i64)>> = partitions
        .iter()
        .map(|partition| extent(partition))
        .collect();
    extents.iter().enumerate().position(|(index, extent)| {
        extent.is_some_and(|(start, end)| {
            let mut earlier = extents[..index].iter().flatten();
            earlier.any(|(other_start, other_end)| start <= *other_end && *other_start <= end)
        })
    })
}

/// First and last MiB. A size of 0 fills what is free, which can't be known here.
fn extent(partition: &Struct) -> Option<(i64, i64)> {
    let start = partition.int("startMiB").filter(|start| *start != 0)?;
    match partition.int("sizeMiB")? {
        0 => Some((start, start)),
        size => Some((start, start.saturating_add(size).saturating_sub(1))),
    }
}

pub(crate) fn check_partition(partition: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let label = partition.text("label");
    let described = label.is_some()
        || ["typeGuid", "guid"]
            .iter()
            .any(|name| partition.filled(name).is_some())
        || ["startMiB", "sizeMiB"]
            .iter()
            .any(|name| partition.get(name).is_some());
    if partition.bool("shouldExist") == Some(false) && described {
        report.error(
            at,
            (
                "a partition that is to be removed is described",
                "leave only its number, or let it exist",
            ),
        );
    }
    if partition.int("number").unwrap_or(0) == 0 && label.is_none() {
        report.error(
            at,
            (
                "the partition has neither number nor label",
                "set `number`, from 1, or `label`",
            ),
        );
    }
    if let Some(label) = label {
        if label.len() > LABEL_LIMIT {
            report.error(
                &at.field(partition, "label"),
                (
                    "the label is longer than 36 bytes",
                    "shorten it: GPT has no room for more",
                ),
            );
        } else if label.contains(':') {
            let message = (
                "the label has a colon, and would end before it",
                "write it without the colon",
            );
            report.error(&at.field(partition, "label"), message);
        }
    }
    for name in ["guid", "typeGuid"] {
        if partition.text(name).is_some_and(|guid| !is_guid(guid)) {
            let message = (
                "this is no GUID",
                "write 32 hexadecimal digits as `01234567-89AB-CDEF-0123-456789ABCDEF`",
            );
            report.error(&at.field(partition, name), message);
        }
    }
}

fn is_guid(text: &str) -> bool {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    text.is_empty()
        || text.split('-').map(str::len).eq(GROUPS)
            && text
                .bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

pub(crate) fn check_raid(raid: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let spares = raid.int("spares").unwrap_or(0) != 0;
    let message = match raid.text("level").unwrap_or_default() {
        "" if report.spec >= Spec::V3_3 => {
            Some(("no RAID level", "set `level`, for example to `raid1`"))
        }
        "linear" | "raid0" | "0" | "stripe" if spares => Some((
            "an array of this level can't have spares",
            "remove `spares`, or choose a level with redundancy",
        )),
        "linear" | "raid0" | "0" | "stripe" | "raid1" | "1" | "mirror" | "raid4" | "4"
        | "raid5" | "5" | "raid6" | "6" | "raid10" | "10" => None,
        _ => Some((
            "unknown RAID level",
            "use `linear`, `raid0`, `raid1`, `raid4`, `raid5`, `raid6` or `raid10`",
        )),
    };
    if let Some(message) = message {
        report.error(&at.field(raid, "level"), message);
    }
    let devices = at.field(raid, "devices");
    if raid.list("devices").is_empty() {
        report.error(
            &devices,
            ("an array without devices", "list them in `devices`"),
        );
    }
    for (index, device) in raid.list("devices").iter().enumerate() {
        if let Err(message) = path::check(device.as_text().unwrap_or_default()) {
            report.error(&devices.item(index, device), message);
        }
    }
}
