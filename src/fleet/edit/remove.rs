//! Takes an entry out of a file: its line, or its place between two commas. A comment behind it goes with it, all others
//! stay. A table that is empty then goes too, where nothing but the entry was ever in it.

use std::ops::Range;
use std::sync::Arc;

use toml_edit::{Document, Item};

use super::{EditError, Form, Owner, after_comments, find, line_after, mistake, parse, splice};
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use crate::source::Source;

/// The file's text without an entry of one of the owner's tables.
pub(super) fn remove_entry(
    source: &Arc<Source>,
    owner: Owner<'_>,
    table: &str,
    name: &str,
) -> Result<String, EditError> {
    let text = source.text.as_str();
    let document = parse(source)?;
    let path = owner.path(table);
    let found = find(source, &document, owner, &path)?;
    let entry = (found.depth == path.len())
        .then(|| found.table.get_key_value(name))
        .flatten();
    let Some((key, item)) = entry else {
        let known = found.table.iter().map(|(known, _)| known);
        let known = known.filter(|_| found.depth == path.len());
        return Err(EditError::NoSecret {
            name: name.to_owned(),
            nearest: nearest(name, known).map(str::to_owned),
        });
    };
    let span = item.span().unwrap_or_default();
    if !item.is_value() || item.is_table_like() {
        return Err(mistake(source, span, format!("`{name}` is a table")));
    }
    let key = key.span().unwrap_or_else(|| span.clone());
    let entry = start_of_dotted(text, key.start)..span.end;
    let is_last = found.table.len() == 1;
    let lines = lines_of(text, &entry);
    let (table, alone) = match found.form {
        Form::Inline if found.home == path.len() => {
            let parent = find(source, &document, owner, &path[..path.len() - 1])?;
            let table = around_braces(text, &found.span, &entry);
            let without = table.map(|table| match parent.form {
                Form::Inline => cut_between_commas(text, table),
                _ => cut(text, lines_of(text, &table)),
            });
            (without, cut_between_commas(text, entry))
        }
        Form::Inline => (None, cut_between_commas(text, entry)),
        Form::Dotted => (None, cut(text, lines)),
        Form::Header | Form::None => {
            let table = lines_of_table(text, &found.span, &lines);
            (table.map(|table| cut(text, table)), cut(text, lines))
        }
    };
    let edited = table.filter(|text| is_last && keeps(text, owner));
    let edited = edited.unwrap_or(alone);
    if keeps(&edited, owner) {
        return Ok(edited);
    }
    let mistake = Diagnostic::error(format!("`{name}` is all that is written of this role"))
        .at(source, key)
        .help("give the role another key first, or take all of it out by hand");
    Err(EditError::Mistake(Box::new(mistake)))
}

/// Whether a text is TOML that still has the role whose entry went.
fn keeps(text: &str, owner: Owner<'_>) -> bool {
    let Ok(document) = Document::parse(text) else {
        return false;
    };
    match owner {
        Owner::Role(role) => {
            let roles = document.get("roles").and_then(Item::as_table_like);
            roles.is_some_and(|roles| roles.contains_key(role))
        }
        Owner::Node | Owner::Defaults => true,
    }
}

/// Where a dotted key begins whose last part begins at `last`.
fn start_of_dotted(text: &str, last: usize) -> usize {
    let mut start = last;
    loop {
        let before = text[..start].trim_end_matches([' ', '\t']);
        let Some(before) = before.strip_suffix('.') else {
            return start;
        };
        start = start_of_key(before.trim_end_matches([' ', '\t']));
    }
}

/// Where the key begins with which a text ends.
fn start_of_key(text: &str) -> usize {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let Some(quote) = text.chars().last().filter(|last| !bare(*last)) else {
        return text.trim_end_matches(bare).len();
    };
    let inside = &text[..text.len() - quote.len_utf8()];
    let begins = |at: usize| {
        let escapes = inside[..at].len() - inside[..at].trim_end_matches('\\').len();
        quote == '\'' || escapes.is_multiple_of(2)
    };
    let mut quotes = inside.rmatch_indices(quote).map(|(at, _)| at);
    quotes.find(|at| begins(*at)).unwrap_or(text.len())
}

/// The whole lines that a piece of the text touches.
fn lines_of(text: &str, piece: &Range<usize>) -> Range<usize> {
    let start = text[..piece.start].rfind('\n');
    start.map_or(0, |newline| newline + 1)..line_after(text, piece.end)
}

/// The lines of a table with a header, with one empty line around it, where these lines are all that is in it and nobody
/// wrote a comment to it.
fn lines_of_table(text: &str, header: &Range<usize>, lines: &Range<usize>) -> Option<Range<usize>> {
    let mut table = lines_of(text, header).start..lines.end;
    let above = text[..table.start]
        .lines()
        .last()
        .unwrap_or_default()
        .trim();
    let between = text.get(header.end..lines.start)?;
    let is_commented = above.starts_with('#') || after_comments(text, lines.end) > lines.end;
    if is_commented || !between.trim().is_empty() {
        return None;
    }
    if table.start == 0 {
        let rest = &text[table.end..];
        let first = rest.split_inclusive('\n').next().unwrap_or_default();
        if first.trim().is_empty() {
            table.end += first.len();
        }
    } else if above.is_empty() {
        table.start = lines_of(text, &(table.start - 1..table.start - 1)).start;
    }
    Some(table)
}

/// `secrets = { … }` as a whole, where the entry is all that is between the braces.
fn around_braces(text: &str, braces: &Range<usize>, entry: &Range<usize>) -> Option<Range<usize>> {
    let before = text.get(braces.start + 1..entry.start)?;
    let behind = text.get(entry.end..braces.end - 1)?.trim();
    if !before.trim().is_empty() || !(behind.is_empty() || behind == ",") {
        return None;
    }
    let blank = [' ', '\t'];
    let key = text[..braces.start].trim_end_matches(blank);
    let key = key.strip_suffix('=')?.trim_end_matches(blank);
    Some(start_of_dotted(text, start_of_key(key))..braces.end)
}

/// Without an entry of an inline table, and without the comma that parted it from the next one or the one before.
fn cut_between_commas(text: &str, entry: Range<usize>) -> String {
    let behind = text[entry.end..].trim_start();
    if let Some(rest) = behind.strip_prefix(',') {
        let rest = rest.trim_start_matches([' ', '\t']);
        let piece = entry.start..text.len() - rest.len();
        let lines = lines_of(text, &piece);
        let stands_alone =
            text[lines.start..piece.start].trim().is_empty() && rest.starts_with(['\r', '\n', '#']);
        return cut(text, if stands_alone { lines } else { piece });
    }
    let before = text[..entry.start].trim_end();
    match before.strip_suffix(',') {
        Some(before) => cut(text, before.len()..entry.end),
        None => cut(text, entry.start..text.len() - behind.len()),
    }
}

/// Without this piece; where it was the end, and had no line end, the text has none either.
fn cut(text: &str, piece: Range<usize>) -> String {
    let was_open = piece.end == text.len() && !text.ends_with('\n');
    let edited = splice(text, piece, "");
    if !was_open {
        return edited;
    }
    let without = edited.strip_suffix('\n').unwrap_or(&edited);
    without.strip_suffix('\r').unwrap_or(without).to_owned()
}

#[cfg(test)]
mod tests;
