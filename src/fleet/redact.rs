//! Where a TOML text holds values of secrets that are not encrypted, judged line by line: it must work on
//! a text that does not parse, since that is when lines of it are shown.

use std::ops::Range;

/// How private keys begin, wherever somebody has pasted one.
const PRIVATE: [&str; 2] = ["AGE-SECRET-KEY-", "PRIVATE KEY-----"];

/// The byte ranges that must not be shown: whatever stands as a value in a table of secrets and does not
/// begin as an encrypted value does, and private keys anywhere.
pub(super) fn secret_ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut in_secrets = false;
    let mut in_key = false;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let trimmed = content.trim_start();
        let begins = PRIVATE
            .iter()
            .any(|sign| content.to_uppercase().contains(sign));
        if in_key || begins {
            ranges.push(offset..offset + content.len());
            in_key = (in_key || content.contains("-----BEGIN")) && !content.contains("-----END");
        } else if let Some(header) = trimmed.strip_prefix('[') {
            in_secrets = names_secrets(header.split(']').next().unwrap_or(header));
        } else if !trimmed.starts_with('#') && !trimmed.is_empty() {
            let (key, value_at) = match content.find('=') {
                Some(equals) => (&content[..equals], equals + 1),
                None => (content, 0),
            };
            let value = content[value_at..]
                .trim_start()
                .trim_start_matches(['"', '\'']);
            let hides = in_secrets || (value_at > 0 && names_secrets(key));
            if hides && !value.starts_with("age:") {
                ranges.push(offset + value_at..offset + content.len());
            }
        }
        offset += line.len();
    }
    ranges
}

/// Whether one part of a dotted key is `secrets`.
fn names_secrets(key: &str) -> bool {
    key.split('.')
        .any(|part| part.trim().trim_matches(['"', '\'', '[']) == "secrets")
}

#[cfg(test)]
mod tests {
    use crate::source::Source;

    use super::*;

    #[test]
    fn hides_private_keys_wherever_they_are() {
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
