//! The old config's mappings: each key is asked for once, and the ones that nobody asked for are told.

use std::ops::Range;

use super::found::Found;
use super::piece::{Map, Origin};
use super::typed::{bytes, gather, is_null, scalar, text};
use crate::nearest::nearest;
use crate::yaml::scalar::{as_bool, as_int};
use crate::yaml::{Content, Node};

/// A value and where it was said.
#[derive(Clone, Debug)]
pub(super) struct Said<T> {
    pub(super) value: T,
    pub(super) from: Origin,
}

impl<T> Said<T> {
    pub(super) fn at(&self) -> Range<usize> {
        self.from.value.clone()
    }

    pub(super) fn map<U>(self, change: impl FnOnce(T) -> U) -> Said<U> {
        Said {
            value: change(self.value),
            from: self.from,
        }
    }
}

/// What a field of the old config holds, where the new one holds the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text; the empty one is the same as none.
    Text,
    /// A text that may be empty on purpose.
    AnyText,
    Bool,
    Int,
    Texts,
}

/// A mapping of the old config.
pub(super) struct Section<'a> {
    from: Origin,
    entries: Vec<(&'a Node, &'a Node)>,
    asked: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The whole document.
    pub(super) fn root(node: &'a Node, found: &mut Found) -> Option<Self> {
        let start = node.span.start;
        Self::open(node, start, "the config", found)
    }

    /// A mapping; `None` for null, and with an error for anything else.
    fn open(node: &'a Node, start: usize, name: &str, found: &mut Found) -> Option<Self> {
        if node.entries().is_none() {
            if !is_null(node) {
                found.wrong_type(node, name, "a mapping");
            }
            return None;
        }
        Some(Self {
            from: Origin {
                start,
                value: node.span.clone(),
            },
            entries: gather(node),
            asked: Vec::new(),
        })
    }

    pub(super) fn place(&self) -> Origin {
        self.from.clone()
    }

    pub(super) fn at(&self) -> Range<usize> {
        self.from.value.clone()
    }

    /// Where a key with its value stands.
    pub(super) fn origin(&self, name: &str) -> Option<Origin> {
        let mut entries = self.entries.iter();
        let (key, value) = entries.find(|(key, _)| key.text() == Some(name))?;
        Some(Origin {
            start: key.span.start,
            value: value.span.clone(),
        })
    }

    /// Whether it has a key, whatever is in it.
    pub(super) fn key(&self, name: &str) -> Option<&'a Node> {
        let mut entries = self.entries.iter();
        entries
            .find(|(key, _)| key.text() == Some(name))
            .map(|(key, _)| *key)
    }

    /// Whether a mapping in it has a key.
    pub(super) fn has_inside(&self, name: &str, key: &str) -> bool {
        let mut entries = self.entries.iter();
        let inner = entries.find(|(key, _)| key.text() == Some(name));
        let inner = inner.and_then(|(_, value)| value.entries());
        let mut keys = inner.unwrap_or_default().iter();
        keys.any(|(inside, _)| inside.text() == Some(key))
    }

    /// Whether a key was asked for.
    pub(super) fn is_asked(&self, name: &str) -> bool {
        self.asked.contains(&name)
    }

    /// Counts a key as asked for: it was told already.
    pub(super) fn ignore(&mut self, name: &'static str) {
        self.asked.push(name);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What stands behind a key, unless that is null.
    fn take(&mut self, name: &'static str) -> Option<(&'a Node, Origin)> {
        self.asked.push(name);
        let mut entries = self.entries.iter();
        let (key, value) = entries.find(|(key, _)| key.text() == Some(name))?;
        let from = Origin {
            start: key.span.start,
            value: value.span.clone(),
        };
        (!is_null(value)).then_some((*value, from))
    }

    pub(super) fn section(&mut self, name: &'static str, found: &mut Found) -> Option<Self> {
        let (node, from) = self.take(name)?;
        Self::open(node, from.start, name, found)
    }

    /// The mappings of a list; empty items are none.
    pub(super) fn sections(&mut self, name: &'static str, found: &mut Found) -> Vec<Self> {
        let items = self.items(name, "a list of mappings", found);
        let items = items.into_iter();
        items
            .filter_map(|item| Self::open(item, item.span.start, name, found))
            .collect()
    }

    fn items(&mut self, name: &'static str, wanted: &str, found: &mut Found) -> Vec<&'a Node> {
        match self.take(name) {
            None => Vec::new(),
            Some((node, _)) => match &node.target().content {
                Content::Sequence(items) => items.iter().filter(|item| !is_null(item)).collect(),
                _ => {
                    found.wrong_type(node, name, wanted);
                    Vec::new()
                }
            },
        }
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, name: &'static str, found: &mut Found) -> Option<Said<String>> {
        self.any_text(name, found)
            .filter(|said| !said.value.is_empty())
    }

    pub(super) fn any_text(
        &mut self,
        name: &'static str,
        found: &mut Found,
    ) -> Option<Said<String>> {
        let (node, from) = self.take(name)?;
        let value = text(bytes(node, name, found)?, node, name, found)?;
        Some(Said { value, from })
    }

    /// A text, or what `!!binary` holds.
    pub(super) fn bytes(&mut self, name: &'static str, found: &mut Found) -> Option<Said<Vec<u8>>> {
        let (node, from) = self.take(name)?;
        let value = bytes(node, name, found)?;
        Some(Said { value, from })
    }

    pub(super) fn bool(&mut self, name: &'static str, found: &mut Found) -> Option<Said<bool>> {
        let (node, from) = self.take(name)?;
        let value = scalar(node, name, "`true` or `false`", found, as_bool)?;
        Some(Said { value, from })
    }

    pub(super) fn int(&mut self, name: &'static str, found: &mut Found) -> Option<Said<i64>> {
        let (node, from) = self.take(name)?;
        let value = scalar(node, name, "a whole number", found, as_int)?;
        Some(Said { value, from })
    }

    /// The texts of a list that is not empty.
    pub(super) fn texts(
        &mut self,
        name: &'static str,
        found: &mut Found,
    ) -> Option<Said<Vec<Said<String>>>> {
        let (_, from) = self.take(name)?;
        let mut value = Vec::new();
        for item in self.items(name, "a list of texts", found) {
            let Some(bytes) = bytes(item, name, found) else {
                continue;
            };
            let Some(text) = text(bytes, item, name, found) else {
                continue;
            };
            value.push(Said {
                value: text,
                from: Origin {
                    start: item.span.start,
                    value: item.span.clone(),
                },
            });
        }
        (!value.is_empty()).then_some(Said { value, from })
    }

    /// Takes fields over that have the same name and meaning.
    pub(super) fn copy(
        &mut self,
        fields: &[(&'static str, Kind)],
        map: &mut Map,
        found: &mut Found,
    ) {
        for (name, kind) in fields {
            match kind {
                Kind::Text => map.put(name, self.text(name, found)),
                Kind::AnyText => map.put(name, self.any_text(name, found)),
                Kind::Bool => map.put(name, self.bool(name, found)),
                Kind::Int => map.put(name, self.int(name, found)),
                Kind::Texts => map.put(name, self.texts(name, found)),
            }
        }
    }

    /// A field that must be there.
    pub(super) fn required(
        &mut self,
        name: &'static str,
        found: &mut Found,
    ) -> Option<Said<String>> {
        let before = found.diagnostics.len();
        let text = self.text(name, found);
        if text.is_none() && found.diagnostics.len() == before {
            let message = format!("`{name}` is missing");
            found.error(self.at(), message, format!("add `{name}`"));
        }
        text
    }

    /// Warns of the keys that nobody asked for: `ct` ignored them, too.
    pub(super) fn finish(self, found: &mut Found) {
        for (key, _) in &self.entries {
            let name = key.text().unwrap_or("?");
            if self.asked.contains(&name) {
                continue;
            }
            let help = match nearest(name, self.asked.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it: ct did nothing with it, and it is not brought over".to_owned(),
            };
            found.warning(key.span.clone(), format!("unknown key `{name}`"), help);
        }
    }
}
