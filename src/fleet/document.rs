//! A TOML document in which every value knows the file and the bytes it came from.

use std::ops::Range;
use std::sync::Arc;

use memchr::memmem;
use serde::{Serialize, Serializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::files::{Files, Unreadable};
use super::redact::secret_ranges;
use super::table::Entry;
pub use super::table::Table;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};

/// A value with its origin. Not `Debug`: it may hold what somebody forgot to encrypt.
#[derive(Clone)]
pub struct Item {
    /// What is written.
    pub value: Value,
    /// The file that it is written in.
    pub source: Arc<Source>,
    span: Span,
    key: Span,
}

/// What TOML can hold.
#[derive(Clone)]
pub enum Value {
    /// A string that stands in its file as it is, between its quotes, and is not there a second time.
    Written,
    /// Any other string: with an escape in it, or more than a line.
    String(Arc<String>),
    /// An integer; one beyond 64 bits is a mistake.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A boolean.
    Boolean(bool),
    /// A date or time, as it is written.
    Datetime(Arc<String>),
    /// An array.
    Array(Arc<Vec<Item>>),
    /// A table.
    Table(Table),
}

impl Value {
    /// The name of the type with its article.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Written | Self::String(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Datetime(_) => "a date",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}

impl Item {
    /// Reads a document. What could be understood is returned beside all syntax errors.
    #[must_use]
    pub fn parse(source: &Arc<Source>) -> (Self, Vec<Diagnostic>) {
        let (root, errors) = DeTable::parse_recoverable(&source.text);
        let mut diagnostics: Vec<Diagnostic> = match conflict(&source.text) {
            // The marks are no TOML either.
            Some(span) => vec![
                Diagnostic::error("git has left a conflict here")
                    .at(source, span)
                    .help("write what shall hold in place of all between the marks, and `git add` the file"),
            ],
            None => errors
                .iter()
                .map(|error| {
                    Diagnostic::error(error.message())
                        .at(source, error.span().unwrap_or(0..0))
                        .help("this is not TOML; see https://toml.io")
                })
                .collect(),
        };
        let span = root.span();
        let value = table(root.into_inner(), source, &mut diagnostics);
        let item = Self {
            value,
            source: Arc::clone(source),
            key: span.clone().into(),
            span: span.into(),
        };
        (item, diagnostics)
    }

    /// The bytes of the value.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.into()
    }

    /// The bytes of its key; those of the value where it has none.
    #[must_use]
    pub fn key(&self) -> Range<usize> {
        self.key.into()
    }

    /// The value under a key; `None` where there is no such key or no table.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.table().and_then(|table| table.get(key))
    }

    /// The value under a path of keys.
    #[must_use]
    pub fn find(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |item, key| item.get(key))
    }

    /// The table, where it is one.
    #[must_use]
    pub fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The text, where it is a string.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Written => unquoted(&self.source, self.span()),
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The items, where it is an array.
    #[must_use]
    pub fn array(&self) -> &[Self] {
        match &self.value {
            Value::Array(items) => items,
            _ => &[],
        }
    }

    /// A mistake in the value.
    #[must_use]
    pub fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(&self.source, self.span())
    }

    /// A mistake in the value, which is not shown: it may hold a secret.
    #[must_use]
    pub fn hidden_error(&self, message: impl Into<String>) -> Diagnostic {
        let hidden = self.source.hiding_too([self.span()]);
        Diagnostic::error(message).at(&hidden, self.span())
    }

    /// A mistake in the key.
    #[must_use]
    pub fn key_error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(&self.source, self.key())
    }

    /// An empty table that stands nowhere in particular.
    #[must_use]
    pub fn empty(source: &Arc<Source>) -> Self {
        Self {
            value: Value::Table(Table::default()),
            source: Arc::clone(source),
            span: (0..0).into(),
            key: (0..0).into(),
        }
    }
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            Value::Written | Value::String(_) => self.text().serialize(serializer),
            Value::Datetime(text) => text.serialize(serializer),
            Value::Integer(integer) => integer.serialize(serializer),
            // As JSON has it, which knows no others.
            Value::Float(float) => float.is_finite().then_some(float).serialize(serializer),
            Value::Boolean(boolean) => boolean.serialize(serializer),
            Value::Array(items) => items.serialize(serializer),
            Value::Table(table) => table.serialize(serializer),
        }
    }
}

/// Reads a TOML file of the fleet.
pub(super) fn read(files: &dyn Files, name: &str) -> Result<(Item, Vec<Diagnostic>), Unreadable> {
    let bytes = files.read(name)?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let source = guarded(name, text);
            let mistake = Diagnostic::error("this byte is not UTF-8")
                .at(&source, valid..valid + 1)
                .help("save the file as UTF-8");
            return Ok((Item::parse(&source).0, vec![mistake]));
        }
    };
    Ok(Item::parse(&guarded(name, text)))
}

/// A text in which nothing is shown that stands where secrets are named.
#[must_use]
pub fn guarded(name: &str, text: String) -> Arc<Source> {
    let hidden = secret_ranges(&text);
    Source::hiding(name, text, hidden)
}

/// The first of git's conflict marks.
fn conflict(text: &str) -> Option<Range<usize>> {
    let mut marks = memmem::find_iter(text.as_bytes(), "<<<<<<< ");
    let at = marks.find(|&at| at == 0 || text.as_bytes()[at - 1] == b'\n')?;
    let line = text[at..].lines().next().unwrap_or_default();
    Some(at..at + line.trim_end().len())
}

fn table(table: DeTable<'_>, source: &Arc<Source>, diagnostics: &mut Vec<Diagnostic>) -> Value {
    let entries = table
        .into_iter()
        .filter_map(|(key, entry)| {
            let span = key.span();
            let value = item(entry, Some(span), source, diagnostics)?;
            Some(Entry::new(&key.into_inner(), value))
        })
        .collect();
    Value::Table(entries)
}

fn item(
    entry: Spanned<DeValue<'_>>,
    key: Option<Range<usize>>,
    source: &Arc<Source>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Item> {
    let span = entry.span();
    let value = match entry.into_inner() {
        DeValue::String(text) => match unquoted(source, span.clone()) {
            Some(written) if written == text => Value::Written,
            _ => Value::String(Arc::new(text.into_owned())),
        },
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => Value::Integer(integer),
            Err(_) => {
                diagnostics.push(
                    Diagnostic::error("this integer does not fit into 64 bits")
                        .at(source, span)
                        .help("write it in quotes"),
                );
                return None;
            }
        },
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(boolean) => Value::Boolean(boolean),
        DeValue::Datetime(datetime) => Value::Datetime(Arc::new(datetime.to_string())),
        DeValue::Array(items) => {
            let items = items.into_iter();
            let items = items.filter_map(|entry| item(entry, None, source, diagnostics));
            let mut items: Vec<Item> = items.collect();
            items.shrink_to_fit();
            Value::Array(Arc::new(items))
        }
        DeValue::Table(entries) => table(entries, source, diagnostics),
    };
    Some(Item {
        value,
        source: Arc::clone(source),
        key: key.unwrap_or_else(|| span.clone()).into(),
        span: span.into(),
    })
}

/// What stands between the first and the last byte.
fn unquoted(source: &Source, span: Range<usize>) -> Option<&str> {
    source.text.get(span.start + 1..span.end.max(2) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_bytes() {
        let source = Source::file("a.toml", "x = 1\n[t]\ny = \"z\"\n");
        let (root, errors) = Item::parse(&source);
        assert!(errors.is_empty());
        let y = root.find(&["t", "y"]).expect("it is written");
        assert_eq!(&source.text[y.span()], "\"z\"");
        assert_eq!(&source.text[y.key()], "y");
    }

    #[test]
    fn all_syntax_errors_are_reported() {
        let source = Source::file("a.toml", "x = 1\nx = 2\ny = nope\nz = 3\n");
        let (root, errors) = Item::parse(&source);
        assert_eq!(errors.len(), 2);
        assert!(root.get("z").is_some());
    }
}
