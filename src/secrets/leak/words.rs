//! The parts of a text that may be encoded.

use std::ops::Range;

use memchr::memchr;

/// Shorter words hold no value that is searched for: 8 bytes in base64.
pub(super) const SHORTEST_BASE64: usize = 11;

/// The same in hex digits.
pub(super) const SHORTEST_HEX: usize = 16;

/// Which bytes are of a kind.
type Kind = [bool; 256];

/// The digits of base64, in either alphabet.
const BASE64_DIGITS: Kind = {
    let mut digits = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        digits[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
        byte += 1;
    }
    digits
};

const HEX_DIGITS: Kind = {
    let mut digits = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        digits[byte as usize] = byte.is_ascii_hexdigit();
        byte += 1;
    }
    digits
};

/// What may be base64: a word, or lines of one that was wrapped.
pub(super) fn base64(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    /// `base64` wraps at 76 digits, PEM at 64.
    const WRAPPED: usize = 60;
    let mut at = 0;
    std::iter::from_fn(move || {
        let mut word = next_run(text, at, SHORTEST_BASE64, &BASE64_DIGITS)?;
        let mut line = word.len();
        while line >= WRAPPED
            && let Some(next) = next_line(text, word.end)
        {
            line = next.len();
            word.end = next.end;
        }
        at = word.end;
        Some(word)
    })
}

/// What may be hex digits.
pub(super) fn hex(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let word = next_run(text, at, SHORTEST_HEX, &HEX_DIGITS)?;
        at = word.end;
        Some(word)
    })
}

/// The words that hold a byte. They end where `is_part` says no, which it must not say of the byte.
pub(super) fn around(
    text: &[u8],
    byte: u8,
    is_part: impl Fn(u8) -> bool,
) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let found = at + memchr(byte, &text[at..])?;
        let before = text[at..found].iter().rposition(|&byte| !is_part(byte));
        let start = before.map_or(at, |last| at + last + 1);
        let length = text[found..].iter().position(|&byte| !is_part(byte));
        at = length.map_or(text.len(), |length| found + length);
        Some(start..at)
    })
}

/// The next run of bytes of a kind that is long enough. No run begins before `at` and goes on there.
fn next_run(text: &[u8], mut at: usize, shortest: usize, kind: &Kind) -> Option<Range<usize>> {
    loop {
        // It may begin behind the last of these bytes that is of no such kind; most others need no look.
        let least = text.get(at..at + shortest)?;
        match least.iter().rposition(|&byte| !kind[usize::from(byte)]) {
            Some(last) => at += last + 1,
            None => return Some(at..end_of_run(text, at + shortest, kind)),
        }
    }
}

/// The digits in the line behind a word that fills its line.
fn next_line(text: &[u8], end: usize) -> Option<Range<usize>> {
    let space = text[end..]
        .iter()
        .position(|it| !it.is_ascii_whitespace())?;
    let start = end + space;
    let next = start..end_of_run(text, start, &BASE64_DIGITS);
    (!next.is_empty() && text[end..start].contains(&b'\n')).then_some(next)
}

fn end_of_run(text: &[u8], start: usize, kind: &Kind) -> usize {
    let length = text[start..].iter().position(|&it| !kind[usize::from(it)]);
    length.map_or(text.len(), |length| start + length)
}
