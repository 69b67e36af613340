//! Ignition's merge of a child over a parent.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::schema::{Field, Kind, PARTITION, Presence, Union};
use super::spec::Spec;
use super::value::{Data, Struct, Value};

/// Merges two structs of one type; places and origins stay.
#[must_use]
pub(crate) fn merge_structs(parent: &Struct, child: &Struct, spec: Spec) -> Struct {
    let mut merged = Struct::new(child.ty);
    let in_child = ChildKeys::new(child);
    for field in child.ty.fields {
        let (old, new) = (parent.get(field.name), child.get(field.name));
        let value = match field.kind {
            Kind::Struct(_) => merge_children(old, new, spec),
            Kind::Texts(Union::Concatenate) | Kind::Structs(_, Union::Concatenate) => {
                concatenate(old, new)
            }
            Kind::Texts(Union::ByKey) | Kind::Structs(_, Union::ByKey) => {
                merge_lists(field, old, new, &in_child, spec)
            }
            // What is no pointer in Go can't tell absent from empty: the child's value holds.
            _ if field.is_required(spec) || field.presence == Presence::NotZero => new.cloned(),
            _ => new.or(old).cloned(),
        };
        if let Some(value) = value {
            merged.put(field, value);
        }
    }
    merged
}

fn merge_children(old: Option<&Value>, new: Option<&Value>, spec: Spec) -> Option<Value> {
    let (Some(old), Some(new)) = (old, new) else {
        return new.or(old).cloned();
    };
    let (Some(parent), Some(child)) = (old.as_struct(), new.as_struct()) else {
        return Some(new.clone());
    };
    Some(Value {
        data: Data::Struct(merge_structs(parent, child, spec)),
        span: new.span,
        origin: new.origin.clone(),
    })
}

fn concatenate(old: Option<&Value>, new: Option<&Value>) -> Option<Value> {
    let (Some(old), Some(new)) = (old, new) else {
        return new.or(old).cloned();
    };
    Some(Value {
        data: Data::List(old.items().iter().chain(new.items()).cloned().collect()),
        span: new.span,
        origin: new.origin.clone(),
    })
}

/// The parent's order, items of one key merged, then what only the child has.
fn merge_lists(
    field: &'static Field,
    old: Option<&Value>,
    new: Option<&Value>,
    in_child: &ChildKeys<'_>,
    spec: Spec,
) -> Option<Value> {
    let mut merged = Vec::new();
    let mut in_parent = HashSet::new();
    for item in old.map_or(&[][..], Value::items) {
        let key = key_of(item);
        match in_child.find(field, &key) {
            None => merged.push(item.clone()),
            // A header without a value removes the parent's.
            Some((list, over)) if list == field.name && !removes(field, over) => {
                merged.extend(merge_children(Some(item), Some(over), spec));
            }
            Some(_) => {}
        }
        in_parent.insert(key);
    }
    let only_child = new.map_or(&[][..], Value::items).iter();
    merged.extend(
        only_child
            .filter(|item| !in_parent.contains(&key_of(item)))
            .cloned(),
    );
    let origin = new.or(old)?;
    Some(Value {
        data: Data::List(merged),
        span: origin.span,
        origin: origin.origin.clone(),
    })
}

fn removes(field: &Field, child: &Value) -> bool {
    field.name == "httpHeaders"
        && child
            .as_struct()
            .is_some_and(|header| header.get("value").is_none())
}

/// What tells an item from the others of its list; as Ignition, an absent key is the empty one.
pub(crate) fn key_of(item: &Value) -> Cow<'_, str> {
    match &item.data {
        Data::Text(text) => Cow::Borrowed(text),
        Data::Struct(partition) if partition.ty.is(&PARTITION) => {
            match (
                partition.int("number").unwrap_or(0),
                partition.text("label"),
            ) {
                (0, None) => "".into(),
                (0, Some(label)) => format!("label:{label}").into(),
                (number, _) => format!("number:{number}").into(),
            }
        }
        Data::Struct(structure) => structure.text(structure.ty.key).unwrap_or_default().into(),
        _ => "".into(),
    }
}

/// The lists whose keys must differ: those of one name space, or the list alone.
pub(crate) fn space_of(field: &'static Field) -> Option<&'static str> {
    match field.kind {
        Kind::Texts(Union::ByKey) | Kind::Structs(_, Union::ByKey) if field.space.is_empty() => {
            Some(field.name)
        }
        Kind::Texts(Union::ByKey) | Kind::Structs(_, Union::ByKey) => Some(field.space),
        _ => None,
    }
}

/// The child's items by name space and key; of equal ones the last.
struct ChildKeys<'a>(HashMap<(&'static str, Cow<'a, str>), (&'static str, &'a Value)>);

impl<'a> ChildKeys<'a> {
    fn new(child: &'a Struct) -> Self {
        let mut keys = HashMap::new();
        for (field, value) in child.fields() {
            if let Some(space) = space_of(field) {
                keys.extend(
                    value
                        .items()
                        .iter()
                        .map(|item| ((space, key_of(item)), (field.name, item))),
                );
            }
        }
        Self(keys)
    }

    fn find(&self, field: &'static Field, key: &Cow<'a, str>) -> Option<(&'static str, &'a Value)> {
        let space = space_of(field)?;
        self.0.get(&(space, key.clone())).copied()
    }
}
