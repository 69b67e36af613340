//! What holds between the sections of a config.

use std::collections::HashSet;

use crate::ignition::report::{Place, Report};
use crate::ignition::value::Struct;

/// A file at the path of a unit would overwrite it, or be overwritten.
pub(crate) fn check(config: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let (Some(systemd), Some(storage)) = (config.child("systemd"), config.child("storage")) else {
        return;
    };
    let taken = paths_of_units(systemd);
    if taken.is_empty() {
        return;
    }
    let at = at.field(config, "storage");
    for name in ["files", "directories", "links"] {
        let list = at.field(storage, name);
        for (index, value) in storage.list(name).iter().enumerate() {
            let Some(node) = value
                .as_struct()
                .filter(|node| taken.contains(node.text("path").unwrap_or_default()))
            else {
                continue;
            };
            let item = list.item(index, value);
            report.error(
                &item.field(node, "path"),
                (
                    "a unit or drop-in of this config is written to this path",
                    "keep one of them",
                ),
            );
        }
    }
}

fn paths_of_units(systemd: &Struct) -> HashSet<String> {
    let mut paths = HashSet::new();
    for unit in systemd.structs("units") {
        let path = format!(
            "/etc/systemd/system/{}",
            unit.text("name").unwrap_or_default()
        );
        for dropin in unit
            .structs("dropins")
            .filter(|dropin| dropin.filled("contents").is_some())
        {
            paths.insert(format!(
                "{path}.d/{}",
                dropin.text("name").unwrap_or_default()
            ));
        }
        if unit.filled("contents").is_some() {
            paths.insert(path);
        }
    }
    paths
}
