//! The guard done the straightforward way, as which the other one must find the same.

use std::io::Read as _;
use std::ops::Range;

use base64::Engine as _;
use flate2::read::MultiGzDecoder;
use proptest::prelude::*;

use super::reading::{self, Reading};
use super::rules::{self, Names};
use super::texts::texts;
use super::{Finding, Guard};

/// A reading with its own bytes.
#[derive(Debug, PartialEq, Eq)]
struct Plain {
    bytes: Vec<u8>,
    origin: Option<Range<usize>>,
    is_form: bool,
}

impl Plain {
    fn of(reading: Reading<'_>) -> Self {
        Self {
            bytes: reading.bytes.to_owned(),
            origin: reading.origin.cloned(),
            is_form: reading.is_form,
        }
    }

    fn shown(&self) -> Reading<'_> {
        Reading {
            bytes: &self.bytes,
            origin: self.origin.as_ref(),
            is_form: self.is_form,
            is_text: self.origin.is_none() || reading::is_text(&self.bytes),
        }
    }
}

/// All readings. Those that repeat what they come from are shown again, or not.
fn read(text: &[u8], with_repeats: bool) -> Vec<Plain> {
    let mut all = vec![Plain {
        bytes: text.to_owned(),
        origin: None,
        is_form: false,
    }];
    deeper(0, 5, with_repeats, &mut all);
    all
}

fn deeper(of: usize, depth: usize, with_repeats: bool, all: &mut Vec<Plain>) {
    if depth == 0 {
        return;
    }
    let text = all[of].bytes.clone();
    let (is_form, origin) = (all[of].is_form, all[of].origin.clone());
    for (part, bytes, plus) in decoded(&text) {
        if origin.is_some() && bytes == text && !with_repeats {
            continue;
        }
        all.push(Plain {
            origin: Some(origin.clone().unwrap_or(part)),
            is_form: is_form || plus,
            bytes,
        });
        let bytes = &all[all.len() - 1].bytes;
        if reading::is_text(bytes) || bytes.starts_with(&[0x1f, 0x8b, 8]) {
            deeper(all.len() - 1, depth - 1, with_repeats, all);
        }
    }
}

/// What the parts of a text say.
fn decoded(text: &[u8]) -> Vec<(Range<usize>, Vec<u8>, bool)> {
    let mut all = Vec::new();
    if text.starts_with(&[0x1f, 0x8b, 8]) {
        let mut unpacked = Vec::new();
        let _ = MultiGzDecoder::new(text).read_to_end(&mut unpacked);
        return vec![(0..text.len(), unpacked, false)];
    }
    for part in base64_words(text) {
        let digits = text[part.clone()]
            .iter()
            .filter(|it| !it.is_ascii_whitespace());
        let digits = digits.map(|&byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        });
        let word: Vec<u8> = digits.collect();
        for start in 0..4.min(word.len()) {
            let mut digits = word[start..].to_owned();
            if digits.len() % 4 == 1 {
                digits.pop();
            }
            if digits.len() + start < 11 {
                continue;
            }
            if let Ok(bytes) = reading::BASE64.decode(&digits) {
                all.push((part.clone(), bytes, false));
            }
        }
    }
    for part in words(text, 16, |byte| byte.is_ascii_hexdigit()) {
        for start in 0..2 {
            let digits = text[part.start + start..part.end].chunks_exact(2);
            let bytes = digits.map(|it| std::str::from_utf8(it).expect("hex digits"));
            let bytes = bytes.map(|it| u8::from_str_radix(it, 16).expect("hex digits"));
            all.push((part.clone(), bytes.collect(), false));
        }
    }
    for part in words(text, 3, |byte| byte.is_ascii_graphic() && byte != b'"') {
        let word = &text[part.clone()];
        let Some(bytes) = percents(word) else {
            continue;
        };
        if word.contains(&b'+') {
            let space = |&byte: &u8| if byte == b'+' { b' ' } else { byte };
            let word: Vec<u8> = word.iter().map(space).collect();
            all.push((part.clone(), percents(&word).unwrap_or_default(), true));
        }
        all.push((part, bytes, false));
    }
    for part in words(text, 2, |byte| byte != b'\n') {
        if text[part.clone()].contains(&b'\\') {
            let bytes = backslashes(&text[part.clone()]);
            all.push((part, bytes, false));
        }
    }
    all
}

/// The longest runs of bytes of a kind.
fn words(text: &[u8], shortest: usize, is_part: impl Fn(u8) -> bool) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.iter().enumerate().filter(|it| is_part(*it.1)) {
        match all.last_mut() {
            Some(last) if last.end == at => last.end += 1,
            _ => all.push(at..at + 1),
        }
    }
    all.retain(|it| it.len() >= shortest);
    all
}

fn base64_words(text: &[u8]) -> Vec<Range<usize>> {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    let mut all: Vec<Range<usize>> = Vec::new();
    let mut line = 0;
    for word in words(text, 1, is_digit) {
        let between = all
            .last()
            .map_or(&b""[..], |last| &text[last.end..word.start]);
        let is_next =
            line >= 60 && between.contains(&b'\n') && between.iter().all(u8::is_ascii_whitespace);
        line = word.len();
        match all.last_mut() {
            Some(last) if is_next => last.end = word.end,
            _ => all.push(word),
        }
    }
    all.retain(|it| it.len() >= 11);
    all
}

fn percents(word: &[u8]) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    let mut at = 0;
    while at < word.len() {
        let digits = word.get(at + 1..at + 3).filter(|_| word[at] == b'%');
        let digits = digits.and_then(|it| std::str::from_utf8(it).ok());
        match digits.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            Some(byte) => {
                read.push(byte);
                at += 3;
            }
            None => {
                read.push(word[at]);
                at += 1;
            }
        }
    }
    (read.len() < word.len()).then_some(read)
}

fn backslashes(line: &[u8]) -> Vec<u8> {
    let number = |at: usize, length: usize| {
        let digits = line.get(at..at + length)?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut read = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let escape = line.get(at + 1).filter(|_| line[at] == b'\\');
        let Some(&escape) = escape else {
            read.push(line[at]);
            at += 1;
            continue;
        };
        at += 2;
        let code = match escape {
            b'x' => number(at, 2),
            b'u' => number(at, 4),
            _ => None,
        };
        let mut character = None;
        match (escape, code) {
            (b'n', _) => read.push(b'\n'),
            (b't', _) => read.push(b'\t'),
            (b'r', _) => read.push(b'\r'),
            (b'x', Some(code)) => {
                read.extend(u8::try_from(code));
                at += 2;
            }
            (b'u', Some(high)) => {
                at += 4;
                let low = if line[at..].starts_with(b"\\u") {
                    number(at + 2, 4)
                } else {
                    None
                };
                character = Some(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
                if let (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) = (high, low) {
                    at += 6;
                    character = char::from_u32(0x1_0000 + (high - 0xd800) * 0x400 + low - 0xdc00);
                }
            }
            _ => read.push(escape),
        }
        read.extend(character.iter().flat_map(|it| it.to_string().into_bytes()));
    }
    read
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_reading_is_that_of_the_straightforward_way(text in texts()) {
        let mut all = Vec::new();
        prop_assert!(reading::read(&text, &mut |reading| all.push(Plain::of(reading))));
        prop_assert_eq!(all, read(&text, false));
    }

    #[test]
    fn every_match_is_that_of_the_straightforward_way(text in texts()) {
        let own = Names::new(["OWN_URL", "K3S_TOKEN"].into_iter());
        for names in [Some(&own), None] {
            prop_assert_eq!(rules::matches(&text, names), rules::tests::matches(&text, names));
        }
    }

    #[test]
    fn every_finding_is_that_of_the_straightforward_way(text in texts()) {
        let values = ["9c1e5b2270aa41f3", "API_TOKEN=", "-----BEGIN EC"];
        let values = values.map(|it| (it, it.as_bytes()));
        let told = |it: Finding| (it.name, it.what, it.span, it.is_value, it.text);
        for values in [&values[..], &[]] {
            let guard = Guard::new(["OWN_URL", "K3S_TOKEN"], values.iter().copied());
            let plain = guard.find_by(&text, |text, see| {
                for it in &read(text, true) {
                    see(it.shown());
                }
                true
            });
            let found: Vec<_> = guard.find(&text).into_iter().map(told).collect();
            prop_assert_eq!(found, plain.into_iter().map(told).collect::<Vec<_>>());
        }
    }
}
