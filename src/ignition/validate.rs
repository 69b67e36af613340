//! The walk over a config that applies the rules and finds duplicates.

use std::collections::HashSet;

use super::merge::{key_of, space_of};
use super::report::{Place, Report};
use super::value::{Data, Struct, Value};

/// Checks a struct and all below it.
pub(crate) fn walk(structure: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    // What a rule finds depends on the struct, what is below it and the spec alone.
    if structure.is_sound() {
        return;
    }
    find_duplicates(structure, at, report);
    if let Some(check) = structure.ty.check {
        check(structure, at, report);
    }
    visit_children(structure, at, report, walk);
}

/// What is done with a struct and its place.
pub(crate) type Visit = fn(&Struct, &Place<'_>, &mut Report<'_>);

/// Visits each struct that stands in a struct, also in its lists.
pub(crate) fn visit_children(
    structure: &Struct,
    at: &Place<'_>,
    report: &mut Report<'_>,
    visit: Visit,
) {
    for (field, value) in structure.fields() {
        let here = at.keyed(field, value.span, value.origin.as_deref());
        visit_value(value, &here, report, visit);
    }
}

fn visit_value(value: &Value, at: &Place<'_>, report: &mut Report<'_>, visit: Visit) {
    match &value.data {
        Data::Struct(structure) => visit(structure, at, report),
        Data::List(items) => {
            for (index, item) in items.iter().enumerate() {
                visit_value(item, &at.item(index, item), report, visit);
            }
        }
        _ => {}
    }
}

fn find_duplicates(structure: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let mut seen = HashSet::new();
    for field in structure.ty.fields {
        let (Some(space), Some(value)) = (space_of(field), structure.get(field.name)) else {
            continue;
        };
        let list = at.field(structure, field.name);
        for (index, item) in value.items().iter().enumerate() {
            if !seen.insert((space, key_of(item))) {
                let message = match item.as_struct() {
                    Some(structure) => {
                        format!("an earlier entry has the same `{}`", structure.ty.key)
                    }
                    None => "an earlier entry is the same".to_owned(),
                };
                report.error(&list.item(index, item), (message, "keep one of them"));
            }
        }
    }
}
