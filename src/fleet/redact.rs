//! Where a TOML text holds values of secrets that are not encrypted, judged line by line: it must work on
//! a text that does not parse, since that is when lines of it are shown.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use crate::nearest::nearest;

/// How private keys begin, wherever somebody has pasted one; each has [`IN_PRIVATE`] in it.
const PRIVATE: [&str; 2] = ["AGE-SECRET-KEY-", "PRIVATE KEY-----"];

/// What is looked for first, since most lines are long and have no private key.
const IN_PRIVATE: &[u8] = b"KEY-";

/// The byte ranges that must not be shown: whatever stands as a value in a table of secrets and does not
/// begin as an encrypted value does, and private keys anywhere. In doubt it hides: a value may go on over
/// several lines, and a text that is broken has no end of it.
pub(super) fn secret_ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut in_secrets = false;
    let mut in_key = false;
    let mut open = Open::default();
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let trimmed = content.trim_start();
        let is_near = |at| {
            let before = content.as_bytes()[..=at].last_chunk();
            before.is_some_and(|it: &[u8; IN_PRIVATE.len()]| it.eq_ignore_ascii_case(IN_PRIVATE))
        };
        let begins = memchr_iter(b'-', content.as_bytes()).any(is_near) && {
            let content = content.to_uppercase();
            PRIVATE.iter().any(|sign| content.contains(sign))
        };
        if in_key || begins {
            ranges.push(offset..offset + content.len());
            in_key = (in_key || content.contains("-----BEGIN")) && !content.contains("-----END");
        } else if open.is_open() {
            ranges.push(offset..offset + content.len());
            open.read(content);
        } else if let Some(header) = trimmed.strip_prefix('[') {
            in_secrets = names_secrets(header.split(']').next().unwrap_or(header));
        } else if !trimmed.starts_with('#') && !trimmed.is_empty() {
            let (key, value_at) = match content.find('=') {
                Some(equals) => (&content[..equals], equals + 1),
                None => (content, 0),
            };
            let written = content[value_at..].trim_start();
            let value = written.trim_start_matches(['"', '\'']);
            let hides = in_secrets || (value_at > 0 && names_secrets(key));
            if hides {
                open.read(written);
                if !value.starts_with("age:") {
                    ranges.push(offset + value_at..offset + content.len());
                }
            }
        }
        offset += line.len();
    }
    ranges
}

/// What a value has left open at the end of a line.
#[derive(Default)]
struct Open {
    quotes: Option<&'static str>,
    brackets: usize,
}

impl Open {
    fn is_open(&self) -> bool {
        self.quotes.is_some() || self.brackets > 0
    }

    /// Reads on; what stands in quotes on one line opens nothing.
    fn read(&mut self, mut rest: &str) {
        while !rest.is_empty() {
            if let Some(quotes) = self.quotes {
                let Some(end) = rest.find(quotes) else { return };
                self.quotes = None;
                rest = &rest[end + quotes.len()..];
                continue;
            }
            let at = rest.find(['"', '\'', '{', '[', '}', ']', '#']);
            let Some(at) = at else { return };
            rest = &rest[at..];
            let opens = ["\"\"\"", "'''"]
                .into_iter()
                .find(|it| rest.starts_with(it));
            match (opens, &rest[..1]) {
                (Some(quotes), _) => {
                    self.quotes = Some(quotes);
                    rest = &rest[quotes.len()..];
                    continue;
                }
                (None, "#") => return,
                (None, "{" | "[") => self.brackets += 1,
                (None, "}" | "]") => self.brackets = self.brackets.saturating_sub(1),
                (None, quote) => {
                    let end = memchr(quote.as_bytes()[0], &rest.as_bytes()[1..]);
                    rest = end.map_or("", |end| &rest[end + 1..]);
                }
            }
            rest = rest.get(1..).unwrap_or_default();
        }
    }
}

/// Whether one part of a dotted key is `secrets`, or was meant to be; an escape in a key may hide it.
fn names_secrets(key: &str) -> bool {
    key.contains('\\')
        || key.split('.').any(|part| {
            let part = part.trim().trim_matches(['"', '\'', '[', ' ']);
            // What is near to it has six letters or begins as it does, and has four of its letters, and so two different
            // ones; most keys have not.
            let begins = part.trim_start_matches(['-', '_']).starts_with(['s', 'S']);
            let has = |letter: &&u8| part.bytes().any(|it| it.eq_ignore_ascii_case(letter));
            let may_be = (begins || part.len() >= 6) && b"secrt".iter().filter(has).count() > 1;
            part == "secrets"
                || (may_be || !part.is_ascii()) && nearest(part, ["secrets"]).is_some()
        })
}

#[cfg(test)]
mod tests {
    use crate::source::Source;

    use super::*;

    #[test]
    fn hides_private_keys_wherever_they_are() {
        let in_private = str::from_utf8(IN_PRIVATE).expect("it is ASCII");
        assert!(in_private.ends_with('-') && PRIVATE.iter().all(|sign| sign.contains(in_private)));
        let text = "a = [\"age-secret-key-1qq\"]\nb = \"\"\"\n-----BEGIN X PRIVATE KEY-----\nsecret\n\
            -----END X PRIVATE KEY-----\n\"\"\"\nc = \"public\"\n";
        let shown = Source::hiding("a", text, secret_ranges(text)).shown();
        assert!(
            !shown.contains("qq") && !shown.contains("secret"),
            "{shown}"
        );
        assert!(shown.contains("public"));
    }

    #[test]
    fn hides_what_is_not_encrypted() {
        let text = "name = \"n\"\nsecrets.A = \"plain\"\nsecrets = { B = \"plain\" }\n\
            [roles.k3s.secrets]\nC = \"plain\nD = '''\nplain\n'''\nE = \"age:1:2:3\"\n[env]\nF = \"public\"\n";
        let shown = Source::hiding("a", text, secret_ranges(text)).shown();
        assert!(!shown.contains("plain"), "{shown}");
        assert!(shown.contains("age:1:2:3") && shown.contains("public") && shown.contains("\"n\""));
    }
}
