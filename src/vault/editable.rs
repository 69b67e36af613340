//! Values as a text that people edit, TOML with one name a value, and what that text says afterwards. No mistake shows any
//! of it: not a line, and no name either, since in a broken text a piece of a value may look like one.

use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use super::open::Plaintext;
use crate::diagnostic::Diagnostic;
use crate::secrets::value::check_name;
use crate::source::Position;

/// What a name and a value take at most beside their own bytes: quotes, an equals sign, line ends.
const AROUND: usize = 16;

/// What a byte of a value takes at most: `\u0000`.
const ESCAPED: usize = 6;

/// A value as it stands in the edited text.
pub struct Entry {
    /// Its name.
    pub name: String,
    /// The value.
    pub value: Zeroizing<String>,
    /// Where the value stands.
    pub position: Position,
}

impl Entry {
    /// A mistake in the value.
    #[must_use]
    pub fn error(&self, message: &str) -> Diagnostic {
        error(self.position, message)
    }
}

/// Why a value is not in the text; `None` where it can be.
#[must_use]
pub fn why_not(name: &str, value: &Plaintext) -> Option<&'static str> {
    if check_name(name).is_err() {
        return Some("that is no name for a secret");
    }
    let is_text = str::from_utf8(value.as_bytes()).is_ok();
    (!is_text).then_some("its value is not UTF-8")
}

/// The text for these values: the heading as comments, then what can't be edited, then the rest, in this order.
#[must_use]
pub fn write(heading: &str, values: &[(&str, &Plaintext)]) -> Zeroizing<String> {
    let room = |(name, value): &(&str, &Plaintext)| {
        ESCAPED * (name.len() + value.as_bytes().len()) + 4 * AROUND
    };
    // Room for the worst case, so that no half-written copy of a secret is left behind when the text grows.
    let room = 2 * heading.len() + values.iter().map(room).sum::<usize>() + AROUND;
    let mut text = Zeroizing::new(String::with_capacity(room));
    for line in heading.lines() {
        text.push_str("# ");
        text.push_str(line);
        text.push('\n');
    }
    for (name, value) in values {
        if let Some(why) = why_not(name, value) {
            let name = name.escape_debug();
            text.push_str(&format!("# {name} stays as it is: {why}\n"));
        }
    }
    for (name, value) in values {
        if why_not(name, value).is_some() {
            continue;
        }
        let Ok(value) = str::from_utf8(value.as_bytes()) else {
            continue;
        };
        text.push('\n');
        text.push_str(name);
        text.push_str(" = ");
        push_string(&mut text, value);
        text.push('\n');
    }
    text
}

/// A string of TOML, as it is easiest to read: of many lines where it has some, and without escapes where it can be.
fn push_string(text: &mut String, value: &str) {
    let is_long = value.contains('\n');
    let plain = |c: char| !must_be_escaped(c) || (is_long && matches!(c, '\n' | '\t'));
    let is_literal = value.contains(['"', '\\']) && value.chars().all(plain);
    let quotes = match (is_long, is_literal) {
        (false, true) if !value.contains('\'') => "'",
        (false, _) => "\"",
        (true, true) if !value.contains("'''") && !value.ends_with('\'') => "'''",
        (true, _) => "\"\"\"",
    };
    text.push_str(quotes);
    if is_long {
        // A line end right behind the quotes is no part of the value.
        text.push('\n');
    }
    for character in value.chars() {
        if quotes.starts_with('"') && matches!(character, '"' | '\\') {
            text.push('\\');
            text.push(character);
        } else if plain(character) {
            text.push(character);
        } else {
            match character {
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                other => text.push_str(&format!("\\u{:04X}", u32::from(other))),
            }
        }
    }
    text.push_str(quotes);
}

/// What TOML doesn't take as it is, and what editors don't show or take for the end of a line.
fn must_be_escaped(character: char) -> bool {
    character.is_control() || matches!(character, '\u{feff}' | '\u{2028}' | '\u{2029}')
}

/// What the edited text says, in its order; else all that is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Vec<Entry>, Vec<Diagnostic>> {
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(wrong) => {
            let valid = String::from_utf8_lossy(&bytes[..wrong.valid_up_to()]);
            let valid = Zeroizing::new(valid.into_owned());
            let mistake = error(Position::of(&valid, valid.len()), "this byte is not UTF-8");
            return Err(vec![mistake.help("let the editor save the text as UTF-8")]);
        }
    };
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut mistakes: Vec<(usize, Diagnostic)> = Vec::new();
    let mut refuse = |offset: usize, message: &str, help: &str| {
        let mistake = error(Position::of(text, offset), message).help(help);
        mistakes.push((offset, mistake));
    };
    for wrong in errors {
        let offset = wrong.span().map_or(text.len(), |span| span.start);
        // In words of our own: those of the parser may hold a piece of the text.
        if wrong.message().starts_with("duplicate key") {
            refuse(
                offset,
                "this name stands here twice",
                "take one of them out",
            );
        } else {
            refuse(offset, BROKEN, HOW_TO_WRITE);
        }
    }
    let mut entries = Vec::new();
    for (key, value) in root.into_inner() {
        let (at_key, at_value) = (key.span().start, value.span().start);
        let name = key.into_inner().into_owned();
        if check_name(&name).is_err() {
            let help = "a name is letters, digits and `_`, and begins with no digit: `K3S_TOKEN`";
            refuse(at_key, "this is not a name for a secret", help);
        }
        match value.into_inner() {
            DeValue::String(value) => entries.push((
                at_value,
                Entry {
                    name,
                    value: Zeroizing::new(value.into_owned()),
                    position: Position::of(text, at_value),
                },
            )),
            _ => refuse(
                at_key,
                "the value of this name is not a string",
                HOW_TO_WRITE,
            ),
        }
    }
    if mistakes.is_empty() {
        entries.sort_by_key(|(offset, _)| *offset);
        return Ok(entries.into_iter().map(|(_, entry)| entry).collect());
    }
    mistakes.sort_by_key(|(offset, _)| *offset);
    // A line that is broken is so at many places.
    mistakes.dedup_by_key(|(offset, mistake)| {
        (
            Position::of(text, *offset).line,
            mistake.help.clone(),
            mistake.message.ends_with(BROKEN),
        )
    });
    Err(mistakes.into_iter().map(|(_, mistake)| mistake).collect())
}

const BROKEN: &str = "this is not TOML";

const HOW_TO_WRITE: &str =
    "write `NAME = \"value\"`, or several lines between `\"\"\"` and `\"\"\"`";

fn error(at: Position, message: &str) -> Diagnostic {
    let Position { line, column } = at;
    Diagnostic::error(format!(
        "line {line}, column {column} of the text: {message}"
    ))
}

#[cfg(test)]
mod tests;
