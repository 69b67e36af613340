//! Puts a new entry, or a new table for it, into the text of a TOML file, in the style of what stands around it.

use super::{Found, last_end, splice};

pub(super) fn insert_inline(text: &str, found: &Found<'_>, entry: &str) -> String {
    let last = last_end(found.table, false);
    if last > 0 {
        return splice(text, last..last, &format!(", {entry}"));
    }
    let inside = found.span.start + 1..found.span.end.saturating_sub(1);
    let space = if inside.is_empty() { " " } else { "" };
    splice(
        text,
        inside.start..inside.start,
        &format!(" {entry}{space}"),
    )
}

/// Adds a line below the one on which `anchor` stands, indented like it.
pub(super) fn insert_line(text: &str, anchor: usize, entry: &str) -> String {
    let start = text[..anchor].rfind('\n').map_or(0, |newline| newline + 1);
    let line = &text[start..];
    let indent = &line[..line.len() - line.trim_start_matches([' ', '\t']).len()];
    let at = line_after(text, anchor);
    insert_lines(text, at, &format!("{indent}{entry}"))
}

/// Adds a table with one entry, and an empty line before it.
pub(super) fn insert_table(text: &str, at: usize, header: &str, entry: &str) -> String {
    let newline = newline_of(text);
    let above = text[..at].lines().last().unwrap_or_default();
    let gap = if above.trim().is_empty() { "" } else { newline };
    insert_lines(text, at, &format!("{gap}[{header}]{newline}{entry}"))
}

/// Adds whole lines at the beginning of a line, or after a last line that has no end; the text's end stays as it is.
fn insert_lines(text: &str, at: usize, lines: &str) -> String {
    let newline = newline_of(text);
    let open_end = at == text.len() && !text.is_empty() && !text.ends_with('\n');
    let lines = if open_end {
        format!("{newline}{lines}")
    } else {
        format!("{lines}{newline}")
    };
    splice(text, at..at, &lines)
}

/// The start of the line after the one on which `offset` stands.
pub(super) fn line_after(text: &str, offset: usize) -> usize {
    let rest = &text[offset..];
    rest.find('\n')
        .map_or(text.len(), |newline| offset + newline + 1)
}

/// Past the comments at the start of a line, where they belong to what stands above: an empty line, or nothing, follows.
pub(super) fn after_comments(text: &str, start: usize) -> usize {
    let mut end = start;
    for line in text[start..].split_inclusive('\n') {
        match line.trim() {
            "" => return end,
            comment if comment.starts_with('#') => end += line.len(),
            _ => return start,
        }
    }
    end
}

fn newline_of(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}
