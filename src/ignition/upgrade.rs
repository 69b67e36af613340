//! What a config of an older spec means in a newer one, as Ignition's translations from spec to spec
//! (`config/v3_*/translate/` of coreos/ignition) have it.

use super::rules::node::SPECIAL_BITS;
use super::schema::{DIRECTORY, FILE};
use super::spec::Spec;
use super::value::{Data, Struct, Value};

/// Changes what a newer spec would take otherwise.
pub(super) fn upgrade(structure: &mut Struct, from: Spec, to: Spec) {
    for field in structure.ty.fields {
        // It could not be left out, and may now: it stays as it was.
        let was_empty = structure.get(field.name).is_none();
        if was_empty && field.is_required(from) && !field.is_required(to) {
            structure.set(field.name, "");
        }
    }
    // They had no effect before, and must get none by a merge.
    let has_mode = structure.ty.is(&FILE) || structure.ty.is(&DIRECTORY);
    if has_mode
        && (from < Spec::V3_6 && to >= Spec::V3_6)
        && let Some(mode) = structure.int("mode")
    {
        structure.set("mode", mode & !SPECIAL_BITS);
    }
    for (_, value) in structure.fields_mut() {
        upgrade_value(value, from, to);
    }
}

fn upgrade_value(value: &mut Value, from: Spec, to: Spec) {
    match &mut value.data {
        Data::Struct(structure) => upgrade(structure, from, to),
        Data::List(items) => {
            for item in items {
                upgrade_value(item, from, to);
            }
        }
        _ => {}
    }
}
