//! The new config before it is printed: values that remember which part of the old one they come from.

use std::ops::Range;

use super::read::Said;

/// A value of the new config.
#[derive(Clone, Debug)]
pub(super) enum Yaml {
    /// A text, quoted where it must be.
    Text(String),
    /// Bytes that are no text.
    Bytes(Vec<u8>),
    /// Printed as it is: a number, a mode, a boolean.
    Word(String),
    /// Texts and mappings.
    List(Vec<Piece>),
    /// Keys with their values.
    Map(Map),
}

/// Where a part of the new config stands in the old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// Where its key stands, or the item itself.
    pub(super) start: usize,
    /// The value.
    pub(super) value: Range<usize>,
}

/// A value with its origin; what the new config needs and the old one only implied has none.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) value: Yaml,
    pub(super) from: Option<Origin>,
}

/// A mapping in the order in which it is printed.
#[derive(Clone, Debug, Default)]
pub(super) struct Map {
    pub(super) entries: Vec<(&'static str, Piece)>,
}

/// A mapping and where it comes from.
pub(super) type Part = (Map, Option<Origin>);

impl Map {
    /// Adds what was said, if it was.
    pub(super) fn put<T: Into<Yaml>>(&mut self, key: &'static str, said: Option<Said<T>>) {
        if let Some(said) = said {
            self.entries.push((key, said.into()));
        }
    }

    /// Adds a value that the old config did not say, in the place of another.
    pub(super) fn add(&mut self, key: &'static str, value: impl Into<Yaml>, from: Option<Origin>) {
        let value = value.into();
        self.entries.push((key, Piece { value, from }));
    }

    /// Adds a word that the old config did not say.
    pub(super) fn word(&mut self, key: &'static str, word: impl Into<String>) {
        self.add(key, Yaml::Word(word.into()), None);
    }

    /// Adds a list that is not empty.
    pub(super) fn list(&mut self, key: &'static str, items: Vec<Piece>, from: Option<Origin>) {
        if !items.is_empty() {
            self.add(key, Yaml::List(items), from);
        }
    }

    /// Adds a mapping that is not empty.
    pub(super) fn part(&mut self, key: &'static str, (map, from): Part) {
        if !map.entries.is_empty() {
            self.add(key, map, from);
        }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Yaml> {
        let mut entries = self.entries.iter();
        entries
            .find(|(name, _)| *name == key)
            .map(|(_, piece)| &piece.value)
    }

    /// A text by its key.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Yaml::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl From<String> for Yaml {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Yaml {
    fn from(value: bool) -> Self {
        Self::Word(value.to_string())
    }
}

impl From<i64> for Yaml {
    fn from(value: i64) -> Self {
        Self::Word(value.to_string())
    }
}

impl From<Vec<Said<String>>> for Yaml {
    fn from(texts: Vec<Said<String>>) -> Self {
        Self::List(texts.into_iter().map(Piece::from).collect())
    }
}

impl<T: Into<Yaml>> From<Said<T>> for Piece {
    fn from(said: Said<T>) -> Self {
        Self {
            value: said.value.into(),
            from: Some(said.from),
        }
    }
}

impl From<Map> for Yaml {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<Vec<u8>> for Yaml {
    fn from(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Bytes(error.into_bytes()),
        }
    }
}
