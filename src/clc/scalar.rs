//! Texts as YAML writes them, each in the form that reads best and means the same.

use std::fmt::Write as _;

use crate::yaml::scalar::{Scalar, as_bool, resolve};
use crate::yaml::{Content, Node};

/// How a text is written.
pub(super) enum Form {
    /// In the line of its key.
    Line(String),
    /// As a block below it.
    Block {
        /// `|`, with what is to be known about indentation and the end.
        header: String,
        /// Whether the lines after it would belong to it.
        keeps: bool,
    },
}

/// The form of a text.
pub(super) fn form(text: &str) -> Form {
    if text.contains('\n') && can_be_block(text) {
        let first = text.split('\n').next().unwrap_or_default();
        let indented = first.is_empty() || first.starts_with([' ', '\t']);
        let (end, keeps) = match text.len() - text.trim_end_matches('\n').len() {
            0 => ("-", false),
            1 => ("", false),
            _ => ("+", true),
        };
        let indentation = if indented { "2" } else { "" };
        return Form::Block {
            header: format!("|{indentation}{end}"),
            keeps,
        };
    }
    Form::Line(line(text))
}

/// A text in one line.
pub(super) fn line(text: &str) -> String {
    let plain = text.chars().all(is_printable);
    if plain && can_be_plain(text) {
        text.to_owned()
    } else if plain && text.contains(['"', '\\']) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        quote(text)
    }
}

fn can_be_block(text: &str) -> bool {
    let mut lines = text.trim_end_matches('\n').split('\n');
    let is_blank = |line: Option<&str>| {
        line.is_none_or(|line| !line.is_empty() && line.trim_matches([' ', '\t']).is_empty())
    };
    let odd_end = is_blank(lines.clone().next()) || is_blank(lines.next_back());
    !odd_end
        && !text.trim_matches('\n').is_empty()
        && text
            .chars()
            .all(|c| is_printable(c) || matches!(c, '\n' | '\t'))
}

/// Characters that YAML takes as they are, and that people see.
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

fn can_be_plain(text: &str) -> bool {
    let mut characters = text.chars();
    let begins = match characters.next() {
        Some('-') => characters.next().is_some_and(|next| next != ' '),
        Some(first) => first.is_alphanumeric() || "/._$(<^+".contains(first),
        None => false,
    };
    let marks = ["---", "...", "<<"];
    let node = Node {
        span: 0..0,
        tag: None,
        content: Content::Scalar {
            text: text.to_owned(),
            plain: true,
        },
    };
    let is_text = matches!(resolve(&node), Ok(Some(Scalar::Text(_))))
        && as_bool(&Scalar::Text(text)).is_none();
    begins
        && is_text
        && !marks.iter().any(|mark| text.starts_with(mark))
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
}

fn quote(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if is_printable(c) => quoted.push(c),
            // Writing to a string can't fail.
            c => match u32::from(c) {
                code @ ..0x100 => drop(write!(quoted, "\\x{code:02x}")),
                code => drop(write!(quoted, "\\u{code:04x}")),
            },
        }
    }
    quoted.push('"');
    quoted
}
