//! The readings of a text: itself, and what its parts say once base64, hex digits, percent signs, backslashes and gzip
//! are taken off them, one over the other too.

use std::borrow::Cow;
use std::io::Read;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use flate2::bufread::MultiGzDecoder;
use memchr::memchr;

use super::words;

/// How many encodings may lie over one another.
const DEEPEST: usize = 5;

/// No node could boot from more, in bytes.
const LARGEST: u64 = 64 << 20;

/// What all readings of a text may come to, in bytes: hostile ones would have no end.
const MOST: u64 = 256 << 20;

/// One way to read a text, or a part of it.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) bytes: &'a [u8],
    /// The part of the text that it comes from; `None` for the text itself.
    pub(super) origin: Option<&'a Range<usize>>,
    /// A `+` was read as a space, which only forms mean by it.
    pub(super) is_form: bool,
    /// People could read it; the text itself is taken for that.
    pub(super) is_text: bool,
}

/// What looks at each reading.
pub(super) type See<'a> = &'a mut dyn FnMut(Reading<'_>);

/// Shows every reading of a text. Says whether that were all of them.
pub(super) fn read(text: &[u8], see: See<'_>) -> bool {
    let whole = Reading {
        bytes: text,
        origin: None,
        is_form: false,
        is_text: true,
    };
    see(whole);
    let mut reader = Reader { see, left: MOST };
    reader.deeper(whole, DEEPEST);
    reader.left > 0
}

struct Reader<'a> {
    see: &'a mut dyn FnMut(Reading<'_>),
    /// How many bytes more are looked at.
    left: u64,
}

impl Reader<'_> {
    /// Shows what a part of a reading says, and goes deeper into it.
    fn show(
        &mut self,
        of: Reading<'_>,
        part: &Range<usize>,
        bytes: &[u8],
        is_form: bool,
        depth: usize,
    ) {
        self.left = self.left.saturating_sub(bytes.len() as u64);
        if self.left == 0 {
            return;
        }
        let reading = Reading {
            bytes,
            origin: Some(of.origin.unwrap_or(part)),
            is_form: of.is_form || is_form,
            is_text: is_text(bytes),
        };
        (self.see)(reading);
        if reading.is_text || is_gzip(bytes) {
            self.deeper(reading, depth - 1);
        }
    }

    fn deeper(&mut self, of: Reading<'_>, depth: usize) {
        let text = of.bytes;
        if depth == 0 || self.left == 0 {
            return;
        }
        if is_gzip(text) {
            let mut unpacked = Vec::new();
            // What was read before it turned out to be damaged counts too.
            let _ = MultiGzDecoder::new(text)
                .take(LARGEST.min(self.left))
                .read_to_end(&mut unpacked);
            self.show(of, &(0..text.len()), &unpacked, false, depth);
            return;
        }
        let mut reading = Vec::new();
        for part in words::base64(text) {
            let word = base64_digits(&text[part.clone()]);
            // Something else may be glued to its front.
            for start in 0..4 {
                let digits = word.get(start..).unwrap_or_default();
                let whole = digits.len() - usize::from(digits.len() % 4 == 1);
                reading.clear();
                if whole + start >= words::SHORTEST_BASE64
                    && BASE64.decode_vec(&digits[..whole], &mut reading).is_ok()
                {
                    self.show(of, &part, &reading, false, depth);
                }
            }
        }
        for part in words::hex(text) {
            for start in 0..2 {
                let digits = text[part.start + start..part.end].chunks_exact(2);
                reading.clear();
                reading.extend(digits.filter_map(hex_byte));
                self.show(of, &part, &reading, false, depth);
            }
        }
        let is_word = |byte: u8| byte.is_ascii_graphic() && byte != b'"';
        for part in words::around(text, b'%', is_word) {
            let word = &text[part.clone()];
            let Some(reading) = without_percents(word) else {
                continue;
            };
            if word.contains(&b'+') {
                let space = |&byte: &u8| if byte == b'+' { b' ' } else { byte };
                let word: Vec<u8> = word.iter().map(space).collect();
                let reading = without_percents(&word).unwrap_or_default();
                self.show(of, &part, &reading, true, depth);
            }
            self.show(of, &part, &reading, false, depth);
        }
        for part in words::around(text, b'\\', |byte| byte != b'\n') {
            // At the end of a line it says nothing. What was shown, and is all there is, is not shown again.
            let is_new = |bytes: &Vec<u8>| part.len() > 1 && (of.origin.is_none() || bytes != text);
            if let Some(reading) = without_backslashes(&text[part.clone()]).filter(is_new) {
                self.show(of, &part, &reading, false, depth);
            }
        }
    }
}

/// Only what people could read holds further words.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    let strange = |byte: &&u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    std::str::from_utf8(bytes).is_ok() && bytes.iter().filter(strange).count() * 16 <= bytes.len()
}

fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b, 8])
}

/// Digits of either alphabet, in the standard one.
fn base64_digits(word: &[u8]) -> Cow<'_, [u8]> {
    let is_other = |byte: &u8| matches!(byte, b'-' | b'_') || byte.is_ascii_whitespace();
    if !word.iter().any(is_other) {
        return Cow::Borrowed(word);
    }
    let digits = word.iter().filter(|byte| !byte.is_ascii_whitespace());
    digits
        .map(|&byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect()
}

pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    if let &[high, low] = digits
        && let (Some(high), Some(low)) = (value(high), value(low))
    {
        return u8::try_from(high << 4 | low).ok();
    }
    // A sign is read too.
    let digits = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(digits, 16).ok()
}

fn hex_number(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// A word with its `%41` read; `None` where there is none.
fn without_percents(word: &[u8]) -> Option<Vec<u8>> {
    let mut read = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some(percent) = memchr(b'%', rest) {
        let (before, after) = rest.split_at(percent);
        read.extend_from_slice(before);
        match after.get(1..3).and_then(hex_byte) {
            Some(byte) => {
                read.push(byte);
                rest = &after[3..];
            }
            None => {
                read.push(b'%');
                rest = &after[1..];
            }
        }
    }
    read.extend_from_slice(rest);
    (read.len() < word.len()).then_some(read)
}

/// A line with its `\n`, `\"`, `\x41` and `\u0041` read; `None` where there is no backslash.
fn without_backslashes(line: &[u8]) -> Option<Vec<u8>> {
    if !line.contains(&b'\\') {
        return None;
    }
    let mut read = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(backslash) = memchr(b'\\', rest) {
        read.extend_from_slice(&rest[..backslash]);
        let Some((&escape, behind)) = rest[backslash + 1..].split_first() else {
            rest = &rest[backslash..];
            break;
        };
        rest = behind;
        let digits = match escape {
            b'x' => 2,
            b'u' => 4,
            _ => 0,
        };
        let code = behind.get(..digits).and_then(hex_number);
        match (escape, code) {
            (b'n', _) => read.push(b'\n'),
            (b't', _) => read.push(b'\t'),
            (b'r', _) => read.push(b'\r'),
            (b'x', Some(code)) => {
                read.extend(u8::try_from(code));
                rest = &behind[2..];
            }
            (b'u', Some(code)) => {
                rest = &behind[4..];
                let low = rest
                    .strip_prefix(b"\\u")
                    .and_then(|it| hex_number(it.get(..4)?));
                // Two halves of one character, as JSON has those beyond 16 bits.
                let character = match low {
                    Some(low)
                        if (0xd800..0xdc00).contains(&code) && (0xdc00..0xe000).contains(&low) =>
                    {
                        rest = &rest[6..];
                        char::from_u32(0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00))
                    }
                    _ => char::from_u32(code),
                };
                let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                read.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            (other, _) => read.push(other),
        }
    }
    read.extend_from_slice(rest);
    Some(read)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;

    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// Where a value is read, if it is.
    fn finds(text: &[u8], value: &[u8]) -> Option<Range<usize>> {
        let mut found = None;
        let all = read(text, &mut |reading| {
            if reading
                .bytes
                .windows(value.len())
                .any(|window| window == value)
            {
                found.get_or_insert_with(|| reading.origin.cloned().unwrap_or(0..text.len()));
            }
        });
        assert!(all);
        found
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn hex(bytes: &[u8], before: &str) -> String {
        let digits: Vec<String> = bytes
            .iter()
            .map(|byte| format!("{before}{byte:02x}"))
            .collect();
        digits.concat()
    }

    #[test]
    fn reads_base64_at_each_alignment_and_with_something_before_it() {
        for value in [&b"s3cr3t-\xff\xfe!"[..], b"8 bytes!"] {
            for before in ["", "a", "ab", "abc"] {
                for after in ["", "z", "zz"] {
                    let whole = [before.as_bytes(), value, after.as_bytes()].concat();
                    for encoded in [STANDARD.encode(&whole), URL_SAFE_NO_PAD.encode(&whole)] {
                        for glued in ["", "x", "/x", "a/x", "key="] {
                            let text = format!("{glued}{encoded}");
                            assert!(finds(text.as_bytes(), value).is_some(), "{text}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn reads_base64_that_was_wrapped() {
        let value = b"a value that is so long that it will not fit into one line of base64";
        let encoded = STANDARD.encode(value);
        let text = format!("  {}\n  {}\n", &encoded[..64], &encoded[64..]);
        assert!(finds(text.as_bytes(), value).is_some());
    }

    #[test]
    fn reads_what_is_encoded_more_than_once() {
        let value = "p4ss\"w\\rd\n/+ \u{e9}\u{1f600}".as_bytes();
        let json = serde_json::to_string(std::str::from_utf8(value).unwrap()).unwrap();
        let percent = hex(value, "%");
        for text in [
            json.clone().into_bytes(),
            percent.clone().into_bytes(),
            hex(value, "").into_bytes(),
            format!("0{}", hex(value, "").to_uppercase()).into_bytes(),
            STANDARD.encode(&json).into_bytes(),
            STANDARD.encode(STANDARD.encode(value)).into_bytes(),
            format!("data:;base64,{}", STANDARD.encode(gzip(json.as_bytes()))).into_bytes(),
            br"p4ss\u0022w\u005crd\n/+ \u00e9\ud83d\ude00".to_vec(),
            format!("\"{}\"", json.replace('\\', "\\\\").replace('"', "\\\"")).into_bytes(),
        ] {
            let text = [&b"before: "[..], &text].concat();
            let origin = finds(&text, value);
            assert!(origin.is_some(), "{}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn reads_a_plus_as_a_space_and_as_itself() {
        assert!(finds(b"?p=hello+w%6Frld+1", b"hello world 1").is_some());
        assert!(finds(b"?p=hello+w%6Frld", b"hello+world").is_some());
        assert!(finds(b"?p=weak+pass%2Fword%2B~ok", b"weak pass/word+~ok").is_some());
    }

    #[test]
    fn says_where_a_reading_comes_from() {
        let encoded = STANDARD.encode("hidden value");
        let text = format!("one two {encoded} three");
        let found = finds(text.as_bytes(), b"hidden value").unwrap();
        assert_eq!(&text[found], encoded.trim_end_matches('='));
    }

    #[test]
    fn ends_with_anything() {
        let bomb = gzip(&gzip(&vec![b'A'; 1 << 20]));
        let mut seen = 0;
        assert!(read(&bomb, &mut |_| seen += 1));
        assert!(seen < 100, "{seen}");
        let one = STANDARD.encode(gzip(&vec![b'A'; 16 << 20])) + " ";
        let many = gzip(one.repeat(40).as_bytes());
        assert!(!read(&many, &mut |_| {}));
        for text in [
            "%",
            "%4",
            "\\",
            "\\x",
            "\\u00",
            "a\\",
            "=====",
            "\\ud83d\\ude00",
        ] {
            read(text.as_bytes(), &mut |_| {});
        }
    }

    #[test]
    fn reads_words_from_the_length_on_at_which_they_hold_a_value() {
        let count = |text: &str| {
            let mut count = 0;
            read(text.as_bytes(), &mut |_| count += 1);
            count
        };
        // Base64 alone, and without one digit or three; without two it ends in one that says nothing.
        for (length, readings) in [(10, 1), (11, 4)] {
            assert_eq!(count(&"z".repeat(length)), readings, "{length}");
        }
        // Digits of hex are also such of base64, and begin at the first or at the second.
        for (length, readings) in [(15, 5), (16, 7)] {
            assert_eq!(count(&"d".repeat(length)), readings, "{length}");
        }
    }

    #[test]
    fn joins_lines_that_are_long_enough_to_be_wrapped_ones() {
        let value = b"a value that is so long that it will not fit into one line of base64";
        let encoded = STANDARD.encode(value);
        for (length, is_joined) in [(59, false), (60, true)] {
            let (line, next) = encoded.split_at(length);
            let text = format!("{line}\n{next}\n");
            assert_eq!(finds(text.as_bytes(), value).is_some(), is_joined);
        }
    }

    #[test]
    fn reads_five_encodings_over_one_another() {
        let mut text = "a value".to_owned();
        for depth in 0..=DEEPEST + 1 {
            let found = finds(text.as_bytes(), b"a value").is_some();
            assert_eq!(found, depth <= 5, "{depth}");
            text = STANDARD.encode(format!("{text} in base64"));
        }
    }
}
