//! Sets and removes secrets in the text of a TOML file. Every byte that need not change stays: the text is not written
//! anew, the secret is spliced in where the file's own style puts it.

use std::ops::Range;
use std::sync::Arc;

use toml_edit::{Document, Item, Key, TableLike};

use super::document::{self, Table};
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use crate::secrets::value::Secret;
use crate::source::Source;
pub use change::{Change, apply};
use insert::{after_comments, insert_inline, insert_line, insert_table, line_after};

mod change;
mod insert;
mod remove;

/// Whose secret it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// The node whose file it is: `[secrets]`.
    Node,
    /// A role of `fleet.toml`: `[roles.<role>.secrets]`.
    Role(&'a str),
    /// Every node, in `fleet.toml`: `[defaults.secrets]`.
    Defaults,
}

impl<'a> Owner<'a> {
    /// Where its table of this name stands.
    fn path(self, table: &'a str) -> Vec<&'a str> {
        match self {
            Self::Node => vec![table],
            Self::Role(role) => vec!["roles", role, table],
            Self::Defaults => vec!["defaults", table],
        }
    }

    /// Its secrets in the file, by name.
    #[must_use]
    pub fn secrets(self, file: &document::Item) -> Option<&Table> {
        file.find(&self.path("secrets"))?.table()
    }

    /// The day on which one of them expires, as it is written.
    #[must_use]
    pub fn expiry<'f>(self, file: &'f document::Item, name: &str) -> Option<&'f str> {
        let item = file.find(&self.path("expires"))?.get(name)?;
        item.source.text.get(item.span())
    }
}

/// Why a file was not edited.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The file is not what it should be.
    #[error("{}", .0.message)]
    Mistake(Box<Diagnostic>),
    /// No such role; one that was perhaps meant.
    #[error("`fleet.toml` has no role `{role}`")]
    NoRole {
        /// As it was asked for.
        role: String,
        /// The role with the most similar name.
        nearest: Option<String>,
    },
    /// The secret is not there; one that was perhaps meant.
    #[error("there is no secret `{name}`")]
    NoSecret {
        /// As it was asked for.
        name: String,
        /// The secret with the most similar name.
        nearest: Option<String>,
    },
}

/// The file's text with an entry in one of the owner's tables, replaced where it stands already.
fn set_entry(
    source: &Arc<Source>,
    owner: Owner<'_>,
    table: &str,
    name: &str,
    value: &str,
) -> Result<String, EditError> {
    let text = source.text.as_str();
    let document = parse(source)?;
    let path = owner.path(table);
    let found = find(source, &document, owner, &path)?;
    let complete = found.depth == path.len();
    if complete && let Some(item) = found.table.get(name) {
        let span = item.span().unwrap_or_default();
        if item.is_value() && !item.is_table_like() {
            return Ok(splice(text, span, value));
        }
        return Err(mistake(source, span, format!("`{name}` is a table")));
    }
    let entry = |parts: &[&str]| {
        let mut keys: Vec<&str> = parts.to_vec();
        keys.push(name);
        format!("{} = {value}", dotted(&keys))
    };
    let beside = entry(&path[found.home..]);
    Ok(match found.form {
        Form::Inline => insert_inline(text, &found, &beside),
        Form::Dotted => insert_line(text, last_end(found.table, false), &beside),
        Form::Header if complete => insert_line(text, found.own_end(), &beside),
        Form::Header | Form::None => {
            let end = if found.depth == 0 {
                text.len()
            } else {
                after_comments(text, line_after(text, last_end_of(&found)))
            };
            insert_table(text, end, &dotted(&path), &entry(&[]))
        }
    })
}

fn parse(source: &Arc<Source>) -> Result<Document<&str>, EditError> {
    let text = source.text.as_str();
    Document::parse(text).map_err(|error| {
        let span = error.span().unwrap_or(text.len()..text.len());
        mistake(source, span, format!("not valid TOML: {}", error.message()))
    })
}

/// Goes as far towards the secrets as there are tables; a role must be there.
fn find<'d>(
    source: &Arc<Source>,
    document: &'d Document<&str>,
    owner: Owner<'_>,
    path: &[&str],
) -> Result<Found<'d>, EditError> {
    let mut found = Found::root(document.as_table());
    for part in path {
        let Some(item) = found.table.get(part) else {
            break;
        };
        let Some(table) = item.as_table_like() else {
            let span = item.span().unwrap_or_default();
            return Err(mistake(source, span, format!("`{part}` is not a table")));
        };
        found.enter(item, table);
    }
    if let Owner::Role(role) = owner
        && found.depth < 2
    {
        let known = found.table.iter().map(|(known, _)| known);
        let known = known.filter(|_| found.depth == 1);
        return Err(EditError::NoRole {
            role: role.to_owned(),
            nearest: nearest(role, known).map(str::to_owned),
        });
    }
    Ok(found)
}

/// The text with other values in these places, which lie apart from each other.
#[must_use]
pub fn replace_values(text: &str, mut values: Vec<(Range<usize>, &Secret)>) -> String {
    values.sort_by_key(|(span, _)| span.start);
    let mut edited = String::with_capacity(text.len());
    let mut done = 0;
    for (span, secret) in values {
        edited.push_str(&text[done..span.start]);
        edited.push_str(&format!("\"{secret}\""));
        done = span.end;
    }
    edited + &text[done..]
}

/// How the deepest table that is there was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `[a.b]`
    Header,
    /// Only by a header of a table below it; or the document itself.
    None,
    /// `a.b.c = …`
    Dotted,
    /// `a = { … }`, or dotted in there.
    Inline,
}

/// The deepest table on the way to the secrets.
struct Found<'d> {
    table: &'d dyn TableLike,
    /// How many parts of the path lead here.
    depth: usize,
    /// How many of them lead to the table that has a header or braces: a new key is written from there.
    home: usize,
    form: Form,
    /// The header, or the braces with what is in them.
    span: Range<usize>,
}

impl<'d> Found<'d> {
    fn root(table: &'d dyn TableLike) -> Self {
        Self {
            table,
            depth: 0,
            home: 0,
            form: Form::None,
            span: 0..0,
        }
    }

    fn enter(&mut self, item: &Item, table: &'d dyn TableLike) {
        self.table = table;
        self.depth += 1;
        if table.is_dotted() {
            if self.form != Form::Inline {
                self.form = Form::Dotted;
            }
            return;
        }
        self.home = self.depth;
        self.span = item.span().unwrap_or_default();
        self.form = match item.as_table() {
            Some(table) if table.is_implicit() => Form::None,
            Some(_) => Form::Header,
            None => Form::Inline,
        };
    }

    /// Where the last value that stands under the header itself ends, or the header.
    fn own_end(&self) -> usize {
        last_end(self.table, false).max(self.span.end)
    }
}

fn last_end_of(found: &Found<'_>) -> usize {
    last_end(found.table, true).max(found.span.end)
}

/// Where the last value of a table ends; with `deep`, also of the tables below it that have headers of their own.
fn last_end(table: &dyn TableLike, deep: bool) -> usize {
    let ends = table.iter().map(|(_, item)| {
        let own = item.span().map_or(0, |span| span.end);
        match item {
            Item::Table(below) if below.is_dotted() => last_end(below, deep),
            Item::Table(_) | Item::ArrayOfTables(_) if !deep => 0,
            Item::Table(below) => own.max(last_end(below, deep)),
            Item::ArrayOfTables(all) => {
                let ends = all.iter().map(|below| last_end(below, deep));
                ends.max().unwrap_or(0).max(own)
            }
            Item::Value(value) => match value.as_inline_table() {
                Some(below) if below.is_dotted() => last_end(below, deep),
                _ => own,
            },
            Item::None => 0,
        }
    });
    ends.max().unwrap_or(0)
}

fn dotted(keys: &[&str]) -> String {
    let keys = keys
        .iter()
        .map(|key| Key::new(*key).display_repr().into_owned());
    keys.collect::<Vec<_>>().join(".")
}

fn splice(text: &str, span: Range<usize>, new: &str) -> String {
    [&text[..span.start], new, &text[span.end..]].concat()
}

fn mistake(source: &Arc<Source>, span: Range<usize>, message: String) -> EditError {
    EditError::Mistake(Box::new(Diagnostic::error(message).at(source, span)))
}

#[cfg(test)]
mod tests;
