//! A table of a document: values by their keys.

use std::iter::Map;
use std::slice;
use std::sync::Arc;

use super::document::Item;

/// A table, sorted by key. A copy of it costs nothing until it is changed: what a node inherits is not there twice.
#[derive(Clone, Default)]
pub struct Table(Arc<Vec<Entry>>);

type Entry = (Arc<str>, Item);

impl Table {
    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Item> {
        self.find(key).ok().map(|at| &self.0[at].1)
    }

    /// The value under a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Item> {
        let at = self.find(key).ok()?;
        Some(&mut Arc::make_mut(&mut self.0)[at].1)
    }

    /// Adds what another table has; of a key that both have, `merge` is asked what becomes of it.
    pub fn extend<'a>(
        &mut self,
        entries: impl Iterator<Item = (&'a Arc<str>, &'a Item)>,
        mut merge: impl FnMut(&mut Item, &'a str, &'a Item),
    ) {
        let table = Arc::make_mut(&mut self.0);
        for (key, item) in entries {
            match table.binary_search_by(|(there, _)| there.cmp(key)) {
                Ok(at) => merge(&mut table[at].1, key, item),
                Err(at) => table.insert(at, (Arc::clone(key), item.clone())),
            }
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
        self.0.iter().map(|(key, item)| (key, item))
    }

    /// As [`Table::iter`], with keys that another table can share.
    pub fn entries(&self) -> impl Iterator<Item = (&Arc<str>, &Item)> + use<'_> {
        self.0.iter().map(|(key, item)| (key, item))
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
        self.0.binary_search_by(|(there, _)| (**there).cmp(key))
    }
}

/// Keys and values of a table.
pub(super) type Iter<'a> = Map<slice::Iter<'a, Entry>, fn(&Entry) -> (&str, &Item)>;

impl<'a> IntoIterator for &'a Table {
    type Item = (&'a str, &'a Item);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl FromIterator<(Arc<str>, Item)> for Table {
    /// Of equal keys the last counts.
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Item)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.reverse();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        entries.dedup_by(|(one, _), (other, _)| one == other);
        entries.shrink_to_fit();
        Self(Arc::new(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn a_copy_is_changed_by_itself() {
        let (document, _) = Item::parse(&Source::file("a.toml", "b = 1\na = 2\n"));
        let table = document.table().expect("it is one").clone();
        let mut copy = table.clone();
        let (other, _) = Item::parse(&Source::file("b.toml", "b = 3\nab = 4\n"));
        let other = other.table().expect("it is one");
        copy.extend(other.entries(), |there, _, item| *there = item.clone());
        let keys = |table: &Table| table.keys().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(keys(&table), ["a", "b"]);
        assert_eq!(keys(&copy), ["a", "ab", "b"]);
        let name = |table: &Table| table.get("b").map(|item| item.source.name.clone());
        assert_eq!(name(&table).as_deref(), Some("a.toml"));
        assert_eq!(name(&copy).as_deref(), Some("b.toml"));
    }
}
