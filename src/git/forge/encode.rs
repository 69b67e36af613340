//! Percent-encoding, RFC 3986.

use std::fmt::Write;

/// Encodes all but the unreserved characters: what any forge reads back from a segment or a query's value.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Encodes segment by segment; the slashes stay.
#[must_use]
pub fn encode_path(path: &str) -> String {
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}

/// Decodes; `None` where that is no text. A `%` without two hex digits stays.
pub(super) fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: usize| {
        let byte = bytes.get(at).copied().map(char::from);
        byte.and_then(|c| c.to_digit(16))
    };
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.extend(u8::try_from(high * 16 + low));
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_read_back() {
        let odd = "a b/ü#%41?&;+~'\u{1f9ed}";
        let encoded = encode(odd);
        assert_eq!(
            encoded,
            "a%20b%2F%C3%BC%23%2541%3F%26%3B%2B~%27%F0%9F%A7%AD"
        );
        assert_eq!(decode(&encoded).as_deref(), Some(odd));
        assert_eq!(decode("100%/%4").as_deref(), Some("100%/%4"));
        assert_eq!(decode("%FF"), None);
    }
}
