//! JSON as Go prints it: fields in the order of Go's structs, empty ones left out.

use std::fmt::Write as _;

use crate::ignition::schema::{Field, Kind, Presence};
use crate::ignition::spec::Spec;
use crate::ignition::value::{Data, Struct, Value};

/// One line.
pub(crate) fn compact(root: &Struct, spec: Spec) -> String {
    write(root, spec, false)
}

/// Two spaces a level, as `butane --pretty`.
pub(crate) fn pretty(root: &Struct, spec: Spec) -> String {
    write(root, spec, true)
}

fn write(root: &Struct, spec: Spec, pretty: bool) -> String {
    let mut writer = Writer {
        out: String::new(),
        spec,
        pretty,
        depth: 0,
    };
    writer.structure(root);
    writer.out.push('\n');
    writer.out.shrink_to_fit();
    writer.out
}

struct Writer {
    out: String,
    spec: Spec,
    pretty: bool,
    depth: usize,
}

impl Writer {
    fn structure(&mut self, structure: &Struct) {
        self.out.push('{');
        self.depth += 1;
        let mut first = true;
        for field in structure.ty.fields {
            let value = structure.get(field.name);
            if !is_written(field, value, self.spec) {
                continue;
            }
            self.separate(&mut first);
            quote(&mut self.out, field.name);
            self.out.push_str(if self.pretty { ": " } else { ":" });
            match value {
                Some(value) => self.value(value),
                None => self.out.push_str("\"\""),
            }
        }
        self.close(first, '}');
    }

    fn value(&mut self, value: &Value) {
        // Writing to a `String` can't fail.
        let _ = match &value.data {
            Data::Bool(value) => write!(self.out, "{value}"),
            Data::Int(value) => write!(self.out, "{value}"),
            Data::Text(text) => {
                quote(&mut self.out, text);
                Ok(())
            }
            Data::Bytes(bytes) => {
                quote(&mut self.out, &String::from_utf8_lossy(bytes));
                Ok(())
            }
            Data::Struct(structure) => {
                self.structure(structure);
                Ok(())
            }
            Data::List(items) => {
                self.list(items);
                Ok(())
            }
        };
    }

    fn list(&mut self, items: &[Value]) {
        self.out.push('[');
        self.depth += 1;
        let mut first = true;
        for item in items {
            self.separate(&mut first);
            self.value(item);
        }
        self.close(first, ']');
    }

    fn separate(&mut self, first: &mut bool) {
        if !std::mem::replace(first, false) {
            self.out.push(',');
        }
        self.new_line();
    }

    fn close(&mut self, empty: bool, bracket: char) {
        self.depth -= 1;
        if !empty {
            self.new_line();
        }
        self.out.push(bracket);
    }

    fn new_line(&mut self) {
        if self.pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", self.depth));
        }
    }
}

fn is_written(field: &Field, value: Option<&Value>, spec: Spec) -> bool {
    let Some(value) = value else {
        return field.is_required(spec);
    };
    match (&value.data, field.kind) {
        (Data::Int(0), _) => field.presence != Presence::NotZero,
        (Data::Text(text), _) if text.is_empty() => field.presence != Presence::NotZero,
        (Data::List(items), _) => !items.is_empty(),
        (Data::Struct(structure), Kind::Struct(_)) => {
            field.is_kept(spec) || !is_blank(structure, spec)
        }
        _ => true,
    }
}

/// Whether nothing of a struct would be written.
fn is_blank(structure: &Struct, spec: Spec) -> bool {
    let mut fields = structure.ty.fields.iter();
    !fields.any(|field| is_written(field, structure.get(field.name), spec))
}

/// The bytes that may have to be escaped. The last is how U+2028 and U+2029 begin, and others.
const ESCAPED: [bool; 256] = {
    let mut escaped = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        escaped[byte] = true;
        byte += 1;
    }
    escaped[b'"' as usize] = true;
    escaped[b'\\' as usize] = true;
    escaped[b'<' as usize] = true;
    escaped[b'>' as usize] = true;
    escaped[b'&' as usize] = true;
    escaped[0xe2] = true;
    escaped
};

/// A string with what Go escapes, which includes what would matter in HTML.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    let is_escaped = |(_, byte): &(usize, u8)| ESCAPED[usize::from(*byte)];
    for (at, byte) in text.bytes().enumerate().filter(is_escaped) {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            _ => "",
        };
        let character = text[at..].chars().next().unwrap_or_default();
        if byte == 0xe2 && !matches!(character, '\u{2028}' | '\u{2029}') {
            continue;
        }
        out.push_str(&text[plain..at]);
        plain = at + character.len_utf8();
        out.push_str(escape);
        if escape.is_empty() {
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_as_go_does() {
        let mut out = String::new();
        quote(&mut out, "a\"\\\n\u{1}<é\u{2028}>\u{7f}");
        assert_eq!(out, "\"a\\\"\\\\\\n\\u0001\\u003cé\\u2028\\u003e\u{7f}\"");
    }
}
