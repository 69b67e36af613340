//! A table of a document: values by their keys.

use std::iter::Map;
use std::slice;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::document::Item;

/// A table, sorted by key. A copy of it costs nothing until it is changed: what a node inherits is not there twice.
#[derive(Clone, Default)]
pub struct Table(Arc<Vec<Entry>>);

/// A value and its key.
#[derive(Clone)]
pub struct Entry {
    /// `None` where the file has it as it is, bare or between quotes.
    key: Option<Arc<String>>,
    item: Item,
}

impl Entry {
    /// A value under a key.
    pub(super) fn new(key: &str, item: Item) -> Self {
        let mut entry = Self { key: None, item };
        if entry.key() != key {
            entry.key = Some(Arc::new(key.to_owned()));
        }
        entry
    }

    fn key(&self) -> &str {
        if let Some(key) = &self.key {
            return key;
        }
        let written = self.item.source.text.get(self.item.key());
        let written = written.unwrap_or_default();
        match written.strip_prefix(['"', '\'']) {
            Some(quoted) => quoted.strip_suffix(['"', '\'']).unwrap_or(quoted),
            None => written,
        }
    }
}

impl Table {
    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Item> {
        self.find(key).ok().map(|at| &self.0[at].item)
    }

    /// The value under a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Item> {
        let at = self.find(key).ok()?;
        Some(&mut Arc::make_mut(&mut self.0)[at].item)
    }

    /// Adds what another table has, as far as `counts` says; of a key that both have, `merge` is asked what becomes of it.
    pub fn extend<'a>(
        &mut self,
        other: &'a Self,
        counts: impl Fn(&str) -> bool,
        mut merge: impl FnMut(&mut Item, &'a str, &'a Item),
    ) {
        let table = Arc::make_mut(&mut self.0);
        for entry in other.0.iter().filter(|entry| counts(entry.key())) {
            match table.binary_search_by(|there| there.key().cmp(entry.key())) {
                Ok(at) => merge(&mut table[at].item, entry.key(), &entry.item),
                Err(at) => table.insert(at, entry.clone()),
            }
        }
    }

    /// Keeps what `keep` says. Where that is all of it, nothing is copied.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Item) -> bool) {
        let kept: Vec<bool> = self.iter().map(|(key, item)| keep(key, item)).collect();
        if kept.contains(&false) {
            let mut kept = kept.into_iter();
            Arc::make_mut(&mut self.0).retain(|_| kept.next() == Some(true));
        }
    }

    /// Whether there is a value under a key.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_ok()
    }

    /// How many values are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is in it, sorted by key.
    pub fn iter(&self) -> Iter<'_> {
        self.0.iter().map(|entry| (entry.key(), &entry.item))
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> + use<'_> {
        self.iter().map(|(key, _)| key)
    }

    /// The values, sorted by their keys.
    pub fn values(&self) -> impl Iterator<Item = &Item> + use<'_> {
        self.iter().map(|(_, item)| item)
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|there| there.key().cmp(key))
    }
}

/// Keys and values of a table.
pub(super) type Iter<'a> = Map<slice::Iter<'a, Entry>, fn(&Entry) -> (&str, &Item)>;

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'a> IntoIterator for &'a Table {
    type Item = (&'a str, &'a Item);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl FromIterator<Entry> for Table {
    /// Of equal keys the last counts.
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.reverse();
        entries.sort_by(|one, other| one.key().cmp(other.key()));
        entries.dedup_by(|one, other| one.key() == other.key());
        entries.shrink_to_fit();
        Self(Arc::new(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn a_key_is_what_it_stands_for_however_it_is_written() {
        let text = "a.\"b c\" = 1\n'd' = 2\n\"\\\"e\\u0066\" = 3\n'\"g\"' = 4\n\"\" = 5\n[h.'i']\n";
        let (document, mistakes) = Item::parse(&Source::file("a.toml", text));
        assert!(mistakes.is_empty());
        let table = document.table().expect("it is one");
        let keys: Vec<&str> = table.keys().collect();
        assert_eq!(keys, ["", "\"ef", "\"g\"", "a", "d", "h"]);
        for path in [["a", "b c"], ["h", "i"]] {
            assert!(document.find(&path).is_some(), "{path:?}");
        }
    }

    #[test]
    fn a_copy_is_changed_by_itself() {
        let (document, _) = Item::parse(&Source::file("a.toml", "b = 1\na = 2\n"));
        let table = document.table().expect("it is one").clone();
        let mut copy = table.clone();
        let (other, _) = Item::parse(&Source::file("b.toml", "b = 3\nab = 4\n"));
        let other = other.table().expect("it is one");
        copy.extend(other, |_| true, |there, _, item| *there = item.clone());
        let keys = |table: &Table| table.keys().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(keys(&table), ["a", "b"]);
        assert_eq!(keys(&copy), ["a", "ab", "b"]);
        let name = |table: &Table| table.get("b").map(|item| item.source.name.clone());
        assert_eq!(name(&table).as_deref(), Some("a.toml"));
        assert_eq!(name(&copy).as_deref(), Some("b.toml"));
    }
}
