//! Ignition's merge of a child over a parent.

use std::borrow::Cow;

use super::schema::{Field, Kind, PARTITION, Presence, Union};
use super::spec::Spec;
use super::value::{Data, Struct, Value};

/// Merges two structs of one type; places and origins stay.
#[must_use]
pub(crate) fn merge_structs(mut parent: Struct, child: &Struct, spec: Spec) -> Struct {
    let mut merged = Struct::new(child.ty);
    let in_child = ChildKeys::new(child);
    for field in child.ty.fields {
        let (old, new) = (parent.take(field.name), child.get(field.name));
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
            _ => new.cloned().or(old),
        };
        if let Some(value) = value {
            merged.put(field, value);
        }
    }
    merged
}

fn merge_children(old: Option<Value>, new: Option<&Value>, spec: Spec) -> Option<Value> {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => return new.cloned().or(old),
    };
    let (Data::Struct(parent), Some(child)) = (old.data, new.as_struct()) else {
        return Some(new.clone());
    };
    Some(Value {
        data: Data::Struct(merge_structs(parent, child, spec)),
        span: new.span,
        origin: new.origin.clone(),
    })
}

fn concatenate(old: Option<Value>, new: Option<&Value>) -> Option<Value> {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (old, new) => return new.cloned().or(old),
    };
    let new_items = new.items().iter().cloned();
    Some(Value {
        data: Data::List(old.into_items().into_iter().chain(new_items).collect()),
        span: new.span,
        origin: new.origin.clone(),
    })
}

/// The parent's order, items of one key merged, then what only the child has.
fn merge_lists(
    field: &'static Field,
    old: Option<Value>,
    new: Option<&Value>,
    in_child: &ChildKeys<'_>,
    spec: Spec,
) -> Option<Value> {
    let place = new.or(old.as_ref())?;
    let (span, origin) = (place.span, place.origin.clone());
    let old = old.map(Value::into_items).unwrap_or_default();
    let mut merged = Vec::with_capacity(old.len() + new.map_or(0, |new| new.items().len()));
    let mut in_both = Vec::new();
    for item in old {
        let Some(over) = in_child.find(field, &key_of(&item)) else {
            merged.push(item);
            continue;
        };
        // A header without a value removes the parent's.
        if over.list == field.name && !removes(field, over.item) {
            merged.extend(merge_children(Some(item), Some(over.item), spec));
        }
        in_both.push(&over.key);
    }
    let only_child = new.map_or(&[][..], Value::items).iter();
    merged.extend(
        only_child
            .filter(|item| !in_both.contains(&&key_of(item)))
            .cloned(),
    );
    Some(Value {
        data: Data::List(merged),
        span,
        origin,
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

/// The child's items, which are few.
struct ChildKeys<'a>(Vec<ChildItem<'a>>);

struct ChildItem<'a> {
    space: &'static str,
    key: Cow<'a, str>,
    list: &'static str,
    item: &'a Value,
}

impl<'a> ChildKeys<'a> {
    fn new(child: &'a Struct) -> Self {
        let lists = child.fields();
        let lists = lists.filter_map(|(field, value)| Some((field, space_of(field)?, value)));
        let items = lists.flat_map(|(field, space, value)| {
            value.items().iter().map(move |item| ChildItem {
                space,
                key: key_of(item),
                list: field.name,
                item,
            })
        });
        Self(items.collect())
    }

    /// The item of that key in the list's name space; of equal ones the last.
    fn find(&self, field: &'static Field, key: &str) -> Option<&ChildItem<'a>> {
        let space = space_of(field)?;
        let mut items = self.0.iter();
        items.rfind(|it| it.key == key && it.space == space)
    }
}
