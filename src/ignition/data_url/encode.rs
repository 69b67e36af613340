//! How `data:` URLs are written: percent-encoded, in base64, or gzip in base64.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Crc;
use miniz_oxide::deflate::core::CompressorOxide;
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

/// A `data:` URL and whether it holds gzip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataUrl {
    /// The whole URL.
    pub url: String,
    /// Its bytes are compressed with gzip.
    pub compressed: bool,
}

/// Encodes contents as Butane does: percent-encoding, base64 where it is shorter, gzip where that is shorter yet.
#[must_use]
pub fn encode(contents: &[u8], compress: bool) -> DataUrl {
    const GZIP_KEY: usize = "gzip".len();
    let plain = percent_len(contents);
    let base64 = base64_len(contents.len());
    let shortest = plain.min(base64);
    // gzip adds 18 bytes at least, so short contents can't get shorter.
    if compress && shortest > GZIP_KEY + base64_len(GZIP_OVERHEAD) {
        let packed = gzip(contents);
        if base64_len(packed.len()) + GZIP_KEY < shortest {
            return DataUrl {
                url: base64_url(&packed),
                compressed: true,
            };
        }
    }
    let url = if base64 < plain {
        base64_url(contents)
    } else {
        encode_percent(contents)
    };
    DataUrl {
        url,
        compressed: false,
    }
}

/// Encodes contents in the way of the oldest Butane spec.
#[must_use]
pub fn encode_percent(contents: &[u8]) -> String {
    const HEX: [u8; 16] = *b"0123456789ABCDEF";
    let mut url = String::with_capacity(SCHEME.len() + percent_len(contents));
    url.push_str(SCHEME);
    url.push(',');
    for &byte in contents {
        if UNRESERVED[usize::from(byte)] {
            url.push(char::from(byte));
        } else {
            url.push('%');
            url.push(char::from(HEX[usize::from(byte >> 4)]));
            url.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    url
}

pub(super) const SCHEME: &str = "data:";
const GZIP_OVERHEAD: usize = 18;
const BASE64_MARK: &str = ";base64,";

fn base64_len(bytes: usize) -> usize {
    BASE64_MARK.len() + bytes.div_ceil(3) * 4
}

fn base64_url(bytes: &[u8]) -> String {
    let mut url = String::with_capacity(SCHEME.len() + base64_len(bytes.len()));
    url.push_str(SCHEME);
    url.push_str(BASE64_MARK);
    STANDARD.encode_string(bytes, &mut url);
    url
}

/// How long a comma and the data are, percent-encoded.
fn percent_len(bytes: &[u8]) -> usize {
    let escaped = bytes.iter().filter(|byte| !UNRESERVED[usize::from(**byte)]);
    1 + bytes.len() + 2 * escaped.count()
}

/// The bytes that stand for themselves.
const UNRESERVED: [bool; 256] = letters_digits_and(b"-_.!~*'()");

const fn letters_digits_and(others: &[u8]) -> [bool; 256] {
    let mut bytes = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        bytes[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        bytes[others[at] as usize] = true;
        at += 1;
    }
    bytes
}

thread_local! {
    /// To make one anew takes longer than most contents take to compress. It is not flate2's: that takes whatever
    /// another crate asks for, and with zlib-rs it was other bytes, which may differ by the processor too.
    static DEFLATE: RefCell<Box<CompressorOxide>> = {
        let mut deflate = Box::<CompressorOxide>::default();
        deflate.set_format_and_level(DataFormat::Raw, 9);
        RefCell::new(deflate)
    };
}

/// Compresses without a time or a name, so that equal contents give equal bytes.
pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    // Deflate, no flags, no time, compressed best, by an unknown system: RFC 1952, 2.3.
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff];
    DEFLATE.with_borrow_mut(|state| {
        state.reset();
        let mut rest = bytes;
        loop {
            let start = packed.len();
            packed.resize(start + bytes.len() / 2 + 64, 0);
            let done = deflate(state, rest, &mut packed[start..], MZFlush::Finish);
            packed.truncate(start + done.bytes_written);
            rest = &rest[done.bytes_consumed..];
            if done.status.expect("nothing to be wrong with") == MZStatus::StreamEnd {
                break;
            }
        }
    });
    let mut sum = Crc::new();
    sum.update(bytes);
    packed.extend(sum.sum().to_le_bytes());
    packed.extend(sum.amount().to_le_bytes());
    packed
}

/// Whether it is a URL as this tool writes it. It is valid then, and that is told without decoding it.
pub(crate) fn is_own(url: &str) -> bool {
    let Some(data) = url.strip_prefix(SCHEME) else {
        return false;
    };
    if let Some(data) = data.strip_prefix(BASE64_MARK) {
        let digits = data.strip_suffix("==").or_else(|| data.strip_suffix('='));
        let mut digits = digits.unwrap_or(data).bytes();
        return data.len().is_multiple_of(4) && digits.all(|byte| DIGITS[usize::from(byte)]);
    }
    let Some(data) = data.strip_prefix(',') else {
        return false;
    };
    let mut parts = data.split('%');
    let is_plain = |part: &str| part.bytes().all(|byte| UNRESERVED[usize::from(byte)]);
    let is_hex = |part: &str| {
        let digits = part.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    parts.next().is_none_or(is_plain) && parts.all(|part| is_hex(part) && is_plain(part))
}

/// The digits of base64.
const DIGITS: [bool; 256] = letters_digits_and(b"+/");
