//! What holds between entries of storage.

use super::path;
use crate::ignition::report::{Place, Report};
use crate::ignition::spec::Spec;
use crate::ignition::value::Struct;

pub(crate) fn check(storage: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    check_paths_below_links(storage, at, report);
    check_links(storage, at, report);
    check_filesystems(storage, at, report);
}

fn check_paths_below_links(storage: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let links: Vec<String> = storage
        .structs("links")
        .map(|link| format!("{}/", path_of(link)))
        .collect();
    for (name, message) in [
        (
            "directories",
            (
                "the path of the directory leads through a link of this config",
                "write the path that the link leads to",
            ),
        ),
        (
            "files",
            (
                "the path of the file leads through a link of this config",
                "write the path that the link leads to",
            ),
        ),
        (
            "links",
            (
                "the path of the link leads through another link of this config",
                "write the path that the other leads to",
            ),
        ),
    ] {
        let list = at.field(storage, name);
        for (index, node) in storage.list(name).iter().enumerate() {
            let path = node.as_struct().map_or("", path_of);
            for _ in links.iter().filter(|link| path.starts_with(link.as_str())) {
                report.error(&list.item(index, node), message);
            }
        }
    }
}

fn path_of(node: &Struct) -> &str {
    node.text("path").unwrap_or_default()
}

fn check_links(storage: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let list = at.field(storage, "links");
    for (index, value) in storage.list("links").iter().enumerate() {
        let Some(link) = value.as_struct() else {
            continue;
        };
        let at = list.item(index, value);
        let target = link.text("target").unwrap_or_default();
        if target.is_empty() && report.spec >= Spec::V3_3 {
            report.error(
                &at.field(link, "target"),
                ("a link without a target", "set `target`"),
            );
        } else if link.is_true("hard") {
            check_hard_link(storage, link, &at, report);
        }
    }
}

fn check_hard_link(storage: &Struct, link: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let target = link.text("target").unwrap_or_default();
    let target = if target.starts_with('/') {
        path::clean(target)
    } else {
        path::join(path_of(link), target)
    };
    for _ in storage
        .structs("directories")
        .filter(|directory| path_of(directory) == target)
    {
        report.error(
            at,
            (
                "a hard link to a directory",
                "use a symbolic link: remove `hard`",
            ),
        );
    }
    for owner in ["user", "group"] {
        let Some(fields) = link.child(owner) else {
            continue;
        };
        let at = at.field(link, owner);
        for name in ["id", "name"]
            .into_iter()
            .filter(|name| fields.get(name).is_some())
        {
            report.warn(
                &at.field(fields, name),
                ("a hard link has the owner of its target", "set it there"),
            );
        }
    }
}

fn check_filesystems(storage: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let list = at.field(storage, "filesystems");
    for (index, value) in storage.list("filesystems").iter().enumerate() {
        let Some(filesystem) = value.as_struct() else {
            continue;
        };
        let item = list.item(index, value);
        let at = item.field(filesystem, "device");
        for disk in storage
            .structs("disks")
            .filter(|disk| disk.text("device") == filesystem.text("device"))
        {
            if !disk.list("partitions").is_empty() {
                report.warn(
                    &at,
                    (
                        "the filesystem overwrites a disk that gets partitions",
                        "put it on a partition",
                    ),
                );
            } else if disk.is_true("wipeTable") && !filesystem.is_true("wipeFilesystem") {
                report.warn(
                    &at,
                    (
                        "the filesystem is on a disk whose table is wiped, so it is wiped too",
                        "set `wipe_filesystem` to say that it may go, or don't wipe the table",
                    ),
                );
            }
        }
    }
}
