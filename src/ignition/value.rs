//! A config as a tree of values that know their schema and where they came from.

use std::sync::Arc;

pub use super::structure::Struct;
use crate::source::Span;

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
    /// A text; a merge does not copy it.
    Text(Arc<str>),
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
    /// The items by themselves; none for anything but a list.
    #[must_use]
    pub fn into_items(self) -> Vec<Self> {
        match self.data {
            Data::List(items) => items,
            _ => Vec::new(),
        }
    }

    /// The list, to change it.
    pub fn as_list_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.data {
            Data::List(items) => Some(items),
            _ => None,
        }
    }

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

    /// See [`Struct::settle`].
    pub(super) fn settle(&mut self) {
        self.forget_place();
        match &mut self.data {
            Data::Struct(structure) => structure.settle(),
            Data::List(items) => items.iter_mut().for_each(Self::settle),
            _ => {}
        }
    }

    /// Forgets its place and all below it.
    pub(super) fn forget_places(&mut self) {
        self.forget_place();
        match &mut self.data {
            Data::Struct(structure) => structure.forget_places(),
            Data::List(items) => items.iter_mut().for_each(Self::forget_places),
            _ => {}
        }
    }

    fn forget_place(&mut self) {
        self.span = None;
        self.origin = None;
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
        Self::new(Data::Text(value.into()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::new(Data::Text(value.into()))
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
