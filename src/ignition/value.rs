//! A config as a tree of values that know their schema and where they came from.

use std::ops::Range;
use std::sync::Arc;

use super::schema::{Field, Type};

/// Bytes of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        // A place past 4 GiB is shown at the end; no config is that long.
        let cut = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self {
            start: cut(range.start),
            end: cut(range.end),
        }
    }
}

impl From<Span> for Range<usize> {
    fn from(span: Span) -> Self {
        span.start as usize..span.end as usize
    }
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// What it holds.
    pub data: Data,
    /// Where it was written; `None` after a merge or where it was made.
    pub span: Option<Span>,
    /// Its path in the document it was made from, where that is not its own path in this tree.
    pub origin: Option<Arc<str>>,
}

/// What a value holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// Contents of a file, before they become a URL.
    Bytes(Vec<u8>),
    /// Fields.
    Struct(Struct),
    /// Items.
    List(Vec<Value>),
}

impl Value {
    /// A value without a place.
    #[must_use]
    pub fn new(data: Data) -> Self {
        Self {
            data,
            span: None,
            origin: None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The fields, if it has some.
    #[must_use]
    pub fn as_struct(&self) -> Option<&Struct> {
        match &self.data {
            Data::Struct(structure) => Some(structure),
            _ => None,
        }
    }

    /// The fields, to change them.
    pub fn as_struct_mut(&mut self) -> Option<&mut Struct> {
        match &mut self.data {
            Data::Struct(structure) => Some(structure),
            _ => None,
        }
    }

    /// The items; none for anything but a list.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }
}

impl Value {
    /// The items, to change them.
    pub fn items_mut(&mut self) -> &mut [Self] {
        match &mut self.data {
            Data::List(items) => items,
            _ => &mut [],
        }
    }

    /// Marks a value and all below it as made from another place of the document.
    #[must_use]
    pub fn made_from(mut self, origin: &str, span: Option<Span>) -> Self {
        self.mark(&Arc::from(origin), span);
        self
    }

    fn mark(&mut self, origin: &Arc<str>, span: Option<Span>) {
        self.origin = Some(Arc::clone(origin));
        self.span = span;
        match &mut self.data {
            Data::Struct(structure) => structure
                .fields_mut()
                .for_each(|(_, value)| value.mark(origin, span)),
            Data::List(items) => items.iter_mut().for_each(|item| item.mark(origin, span)),
            _ => {}
        }
    }

    /// Whether it is an empty list, or a struct of nothing else.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match &self.data {
            Data::Struct(structure) => structure.fields().all(|(_, value)| value.is_blank()),
            Data::List(items) => items.is_empty(),
            _ => false,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::new(Data::Bool(value))
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::new(Data::Int(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        value.to_owned().into()
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::new(Data::Text(value))
    }
}

impl From<Struct> for Value {
    fn from(value: Struct) -> Self {
        Self::new(Data::Struct(value))
    }
}

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Self::new(Data::List(value))
    }
}

/// The fields of one struct; an absent field is Go's `nil` or zero value.
#[derive(Clone, Debug)]
pub struct Struct {
    /// What fields it can have.
    pub ty: &'static Type,
    fields: Vec<(&'static Field, Value)>,
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
        }
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
        let found = self.fields.iter_mut().find(|(field, _)| field.name == name);
        found.map(|(_, value)| value)
    }

    /// Removes a field.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let at = self
            .fields
            .iter()
            .position(|(field, _)| field.name == name)?;
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
    /// When the schema has no such field, which is a mistake in the code.
    pub fn list_mut(&mut self, name: &str) -> &mut Vec<Value> {
        if !matches!(
            self.get(name),
            Some(Value {
                data: Data::List(_),
                ..
            })
        ) {
            self.set(name, Vec::new());
        }
        match self.get_mut(name) {
            Some(Value {
                data: Data::List(items),
                ..
            }) => items,
            _ => unreachable!("it was just made"),
        }
    }

    /// The structs of a list.
    pub fn structs(&self, name: &str) -> impl Iterator<Item = &Self> {
        self.list(name).iter().filter_map(Value::as_struct)
    }
}
