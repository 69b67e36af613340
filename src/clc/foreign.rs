//! Files that are something else than a Container Linux Config.

use std::sync::Arc;

use super::found::Found;
use super::read::Section;
use crate::source::Source;
use crate::yaml::Node;

/// The keys that a Container Linux Config can have at its top.
const SECTIONS: [&str; 10] = [
    "docker",
    "etcd",
    "flannel",
    "ignition",
    "locksmith",
    "networkd",
    "passwd",
    "storage",
    "systemd",
    "update",
];

/// What CoreOS had before.
pub(super) fn is_cloud_config(source: &Arc<Source>, found: &mut Found) -> bool {
    let first = source.text.lines().next().unwrap_or_default();
    let is = first.trim_end() == "#cloud-config";
    if is {
        found.error(
            0..first.trim_end().len(),
            "this is a cloud-config, no Container Linux Config",
            "write it anew in Butane: a cloud-config runs at every boot, and has other sections",
        );
    }
    is
}

/// Says what the file is where it is known by its keys.
pub(super) fn is_other_config(root: &Section<'_>, found: &mut Found) -> bool {
    if let Some(key) = root.key("variant") {
        found.error(
            key.span.clone(),
            "this is a Butane config already",
            "put the file into `templates/` as it is",
        );
        return true;
    }
    if root.has_inside("ignition", "version") {
        found.error(
            root.at(),
            "this is an Ignition config, no Container Linux Config",
            "name the file that it was made from; one of spec 3 can stand in `templates/` as `.ign`",
        );
        return true;
    }
    let known = SECTIONS.iter().any(|name| root.key(name).is_some());
    if !known && !root.is_empty() {
        found.error(
            root.at(),
            "this is no Container Linux Config: it has none of its sections",
            format!("name a file with one of them: `{}`", SECTIONS.join("`, `")),
        );
    }
    !known && !root.is_empty()
}

/// Only the first document of a file was ever read.
pub(super) fn warn_of_more(source: &Source, document: &Node, found: &mut Found) {
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        let end = start + line.trim_end().len();
        let is_mark = line.trim_end() == "---" || line.starts_with("--- ");
        if is_mark && start > document.span.start {
            found.warning(
                start..end,
                "a second document begins here, and is not brought over",
                "ct did not read it either: put it into a file of its own",
            );
            return;
        }
        start += line.len();
    }
}
