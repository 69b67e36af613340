//! The fields of a struct of the config, by name.

use super::schema::{Field, Type};
use super::value::{Data, Value};
use crate::source::Span;

/// The fields of one struct; an absent field is Go's `nil` or zero value.
#[derive(Clone, Debug)]
pub struct Struct {
    /// What fields it can have.
    pub ty: &'static Type,
    fields: Vec<(&'static Field, Value)>,
    /// Where a field was written as null, which counts as none and is a place all the same.
    nulls: Vec<(&'static str, Span)>,
    /// Whether it is known that nothing is wrong in it and below it. Whoever may change it, for a newer spec too, forgets that.
    sound: bool,
}

impl PartialEq for Struct {
    fn eq(&self, other: &Self) -> bool {
        self.fields.len() == other.fields.len()
            && self
                .fields
                .iter()
                .all(|(field, value)| other.get(field.name) == Some(value))
    }
}

impl Struct {
    /// A struct without fields.
    #[must_use]
    pub fn new(ty: &'static Type) -> Self {
        Self {
            ty,
            fields: Vec::new(),
            nulls: Vec::new(),
            sound: false,
        }
    }

    /// Notes that nothing is wrong in it and below it, and forgets all places.
    pub(super) fn settle(&mut self) {
        self.sound = true;
        self.nulls = Vec::new();
        for (_, value) in &mut self.fields {
            value.settle();
        }
    }

    /// Whether it is known that nothing is wrong in it and below it.
    #[must_use]
    pub(super) fn is_sound(&self) -> bool {
        self.sound
    }

    /// Forgets all places. What is sound has none.
    pub(super) fn forget_places(&mut self) {
        if !self.sound {
            for (_, value) in &mut self.fields {
                value.forget_places();
            }
        }
    }

    /// Notes that a field stands there and is null.
    pub fn note_null(&mut self, field: &'static Field, span: Span) {
        self.nulls.push((field.name, span));
    }

    /// Where a field that is null stands.
    #[must_use]
    pub fn null(&self, name: &str) -> Option<Span> {
        let found = self.nulls.iter().find(|(field, _)| *field == name);
        found.map(|(_, span)| *span)
    }

    /// Adds a field by its name in the schema; made for building structs in code.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    /// Sets a field by its name in the schema.
    ///
    /// # Panics
    /// When the schema has no such field, which is a mistake in the code.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        let field = self.ty.field(name).expect("a field of the schema");
        self.put(field, value.into());
    }

    /// Sets a field, also one that the schema lacks.
    pub fn put(&mut self, field: &'static Field, value: Value) {
        self.sound = false;
        match self
            .fields
            .iter_mut()
            .find(|(found, _)| found.name == field.name)
        {
            Some((_, old)) => *old = value,
            None => self.fields.push((field, value)),
        }
    }

    /// The fields that are set, in no particular order.
    pub fn fields(&self) -> impl Iterator<Item = (&'static Field, &Value)> {
        self.fields.iter().map(|(field, value)| (*field, value))
    }

    /// The fields that are set, to change them.
    pub fn fields_mut(&mut self) -> impl Iterator<Item = (&'static Field, &mut Value)> {
        self.sound = false;
        self.fields.iter_mut().map(|(field, value)| (*field, value))
    }

    /// Whether no field is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// A field's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let found = self.fields.iter().find(|(field, _)| field.name == name);
        found.map(|(_, value)| value)
    }

    /// A field's value, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.sound = false;
        let found = self.fields.iter_mut().find(|(field, _)| field.name == name);
        found.map(|(_, value)| value)
    }

    /// Removes a field.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let at = self
            .fields
            .iter()
            .position(|(field, _)| field.name == name)?;
        self.sound = false;
        Some(self.fields.remove(at).1)
    }

    /// A text field.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    /// A text field that is set and not empty.
    #[must_use]
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// A whole number.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.get(name)?.data {
            Data::Int(value) => Some(value),
            _ => None,
        }
    }

    /// A boolean.
    #[must_use]
    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.get(name)?.data {
            Data::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Whether a boolean is set and true.
    #[must_use]
    pub fn is_true(&self, name: &str) -> bool {
        self.bool(name) == Some(true)
    }

    /// A struct in a field.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.get(name)?.as_struct()
    }

    /// A struct in a field, made when it is absent.
    ///
    /// # Panics
    /// When the schema has no struct there, which is a mistake in the code.
    pub fn child_mut(&mut self, name: &str) -> &mut Self {
        if self.child(name).is_none() {
            let field = self.ty.field(name).expect("a field of the schema");
            let ty = field.kind.structure().expect("a field that holds a struct");
            self.put(field, Self::new(ty).into());
        }
        self.get_mut(name)
            .and_then(Value::as_struct_mut)
            .expect("it was just made")
    }

    /// The items of a list; none when it is absent.
    #[must_use]
    pub fn list(&self, name: &str) -> &[Value] {
        self.get(name).map_or(&[], Value::items)
    }

    /// The items of a list, made when it is absent.
    ///
    /// # Panics
    /// When the schema has no list there, which is a mistake in the code.
    pub fn list_mut(&mut self, name: &str) -> &mut Vec<Value> {
        if self.get(name).is_none() {
            self.set(name, Vec::new());
        }
        self.get_mut(name)
            .and_then(Value::as_list_mut)
            .expect("a field that holds a list")
    }

    /// The structs of a list.
    pub fn structs(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.list(name).iter().filter_map(Value::as_struct)
    }
}
