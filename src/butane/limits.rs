//! What a variant's operating system can't do.

use super::variant::Limits;
use crate::ignition::report::{Place, Report};
use crate::ignition::value::Struct;

/// Reports every field that the operating system does not support; present and `false` counts too.
pub(super) fn check(config: &Struct, limits: Limits, report: &mut Report<'_>) {
    let root = Place::root(None);
    let storage = config.child("storage");
    match limits {
        Limits::None => {}
        Limits::NoClevis => {
            let Some(storage) = storage else {
                return;
            };
            let at = root.field(config, "storage");
            let list = at.field(storage, "luks");
            for (index, value) in storage.list("luks").iter().enumerate() {
                let item = list.item(index, value);
                if let Some(luks) = value.as_struct().filter(|luks| is_set(luks, "clevis")) {
                    report.error(
                        &item.field(luks, "clevis"),
                        ("Flatcar has no clevis", "unlock the volume with a key file"),
                    );
                }
            }
        }
        Limits::NoDisks => {
            let name = "kernelArguments";
            if is_set(config, name) {
                report.error(
                    &root.field(config, name),
                    ("this variant can't set kernel arguments", "remove them"),
                );
            }
            let Some(storage) = storage else {
                return;
            };
            let at = root.field(config, "storage");
            for name in ["disks", "filesystems", "luks", "raid"] {
                if is_set(storage, name) {
                    let message = format!("this variant can't set up `storage.{name}`");
                    report.error(&at.field(storage, name), (message, "remove it"));
                }
            }
        }
    }
}

fn is_set(structure: &Struct, name: &str) -> bool {
    structure.get(name).is_some_and(|value| !value.is_blank())
}
