//! From bytes to text: the encodings that YAML allows.

/// A file that is no text.
#[derive(Debug, PartialEq, Eq)]
pub struct NotText;

/// Decodes UTF-8, or UTF-16 that begins with a byte order mark; the mark is dropped.
///
/// # Errors
/// When the bytes are neither.
pub fn decode(bytes: &[u8]) -> Result<String, NotText> {
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, NotText> {
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|_| NotText)
}

fn utf16(bytes: &[u8], read: fn([u8; 2]) -> u16) -> Result<String, NotText> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(NotText);
    }
    char::decode_utf16(units.iter().map(|unit| read(*unit)))
        .collect::<Result<_, _>>()
        .map_err(|_| NotText)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_utf8_and_utf16_with_and_without_a_mark() {
        assert_eq!(decode("é".as_bytes()), Ok("é".to_owned()));
        assert_eq!(decode(b"\xef\xbb\xbfa"), Ok("a".to_owned()));
        assert_eq!(decode(b"\xff\xfea\0"), Ok("a".to_owned()));
        assert_eq!(decode(b"\xfe\xff\0a"), Ok("a".to_owned()));
    }

    #[test]
    fn refuses_what_is_no_text() {
        assert_eq!(decode(b"a\xff"), Err(NotText));
        assert_eq!(decode(b"\xff\xfea"), Err(NotText));
        assert_eq!(decode(b"\xff\xfe\0\xd8"), Err(NotText));
    }
}
