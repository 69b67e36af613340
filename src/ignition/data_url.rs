//! `data:` URLs: how Butane writes them, and how Ignition reads them.

use std::cell::RefCell;
use std::io::Read as _;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use flate2::Crc;
use flate2::read::GzDecoder;
use miniz_oxide::deflate::core::CompressorOxide;
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

/// Why a `data:` URL can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataUrlError {
    /// It does not begin with `data:`.
    Scheme,
    /// There is no comma before the data.
    NoComma,
    /// The media type is none.
    MediaType,
    /// A parameter of the media type is none.
    Parameter,
    /// The data has a character that must be escaped.
    Character,
    /// A percent sign without two hexadecimal digits.
    Escape,
    /// The data is no base64.
    Base64,
}

impl DataUrlError {
    /// As a diagnostic's message.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Scheme => "data URL does not begin with `data:`",
            Self::NoComma => "data URL without a comma before the data",
            Self::MediaType => "data URL with an invalid media type",
            Self::Parameter => "data URL with an invalid parameter before the data",
            Self::Character => "data URL with a character that must be percent-encoded",
            Self::Escape => "data URL with a percent sign that no two hexadecimal digits follow",
            Self::Base64 => "data URL with invalid base64",
        }
    }
}

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
    let plain = percent_encoded(contents);
    let base64 = base64_len(contents.len());
    let shortest = plain.len().min(base64);
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
    let url = if base64 < plain.len() {
        base64_url(contents)
    } else {
        format!("data:{plain}")
    };
    DataUrl {
        url,
        compressed: false,
    }
}

/// Encodes contents in the way of the oldest Butane spec.
#[must_use]
pub fn encode_percent(contents: &[u8]) -> String {
    format!("data:{}", percent_encoded(contents))
}

const GZIP_OVERHEAD: usize = 18;
const BASE64_MARK: &str = ";base64,";

fn base64_len(bytes: usize) -> usize {
    BASE64_MARK.len() + bytes.div_ceil(3) * 4
}

fn base64_url(bytes: &[u8]) -> String {
    let mut url = format!("data:{BASE64_MARK}");
    STANDARD.encode_string(bytes, &mut url);
    url
}

/// A comma and the data.
fn percent_encoded(bytes: &[u8]) -> String {
    const HEX: [u8; 16] = *b"0123456789ABCDEF";
    let mut text = String::with_capacity(bytes.len() * 3 / 2 + 1);
    text.push(',');
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    text
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
fn gzip(bytes: &[u8]) -> Vec<u8> {
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

/// Decompresses up to `limit` bytes.
///
/// # Errors
/// When it is no gzip, or longer.
pub fn gunzip(bytes: &[u8], limit: usize) -> std::io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    let read = GzDecoder::new(bytes)
        .take(limit as u64 + 1)
        .read_to_end(&mut unpacked)?;
    if read > limit {
        let message = format!("more than {limit} bytes");
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            message,
        ));
    }
    Ok(unpacked)
}

/// The bytes of a `data:` URL. They are never more than the URL has.
///
/// # Errors
/// When it is no valid `data:` URL.
pub fn decode(url: &str) -> Result<Vec<u8>, DataUrlError> {
    let rest = url.strip_prefix("data:").ok_or(DataUrlError::Scheme)?;
    let (base64, data) = parameters(media_type(rest)?)?;
    if !base64 {
        return unescape(data);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    if !data.bytes().all(allowed) {
        return Err(DataUrlError::Character);
    }
    LENIENT.decode(data).map_err(|_| DataUrlError::Base64)
}

/// What follows the media type, which may be absent.
fn media_type(text: &str) -> Result<&str, DataUrlError> {
    const KNOWN: [&str; 7] = [
        "text",
        "application",
        "image",
        "audio",
        "video",
        "message",
        "multipart",
    ];
    if text.starts_with([',', ';']) {
        return Ok(text);
    }
    let (kind, rest) = token(text);
    let rest = rest.strip_prefix('/').ok_or(DataUrlError::MediaType)?;
    if KNOWN.contains(&kind) || kind.starts_with(['x', 'X']) && kind[1..].starts_with('-') {
        Ok(token(rest).1)
    } else {
        Err(DataUrlError::MediaType)
    }
}

/// Whether the parameters end with `;base64`, and the data after them.
fn parameters(mut text: &str) -> Result<(bool, &str), DataUrlError> {
    loop {
        if let Some(data) = text.strip_prefix(',') {
            return Ok((false, data));
        }
        text = text.strip_prefix(';').ok_or(DataUrlError::NoComma)?;
        if let Some(data) = text.strip_prefix("base64,") {
            return Ok((true, data));
        }
        let (name, rest) = token(text);
        let value = rest.strip_prefix('=').filter(|_| !name.is_empty());
        text = parameter_value(value.ok_or(DataUrlError::Parameter)?)?;
    }
}

/// A word, or anything in quotes; gives what follows it.
fn parameter_value(text: &str) -> Result<&str, DataUrlError> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = token(text);
        return match unescape_all(value) {
            Ok(_) if !value.is_empty() => Ok(rest),
            _ => Err(DataUrlError::Parameter),
        };
    };
    let mut escaped = false;
    for (at, character) in quoted.char_indices() {
        match character {
            _ if !character.is_ascii() => return Err(DataUrlError::Parameter),
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Ok(&quoted[at + 1..]),
            _ => {}
        }
    }
    Err(DataUrlError::Parameter)
}

/// A word as RFC 2045 has it, and what follows.
fn token(text: &str) -> (&str, &str) {
    let end = text
        .find(|part: char| !part.is_ascii_alphanumeric() && !"!#$%&'*+-.^_`{|}~".contains(part));
    text.split_at(end.unwrap_or(text.len()))
}

/// Go does not look at the bits that the last digit leaves over.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

fn unescape(text: &str) -> Result<Vec<u8>, DataUrlError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%;/?:@&=+$,-_.!~*'()".contains(&byte);
    if text.bytes().all(plain) {
        unescape_all(text)
    } else {
        Err(DataUrlError::Character)
    }
}

fn unescape_all(text: &str) -> Result<Vec<u8>, DataUrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'%' => {
                let digits = after
                    .get(..2)
                    .and_then(|digits| std::str::from_utf8(digits).ok());
                let digits =
                    digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                bytes.push(byte.ok_or(DataUrlError::Escape)?);
                rest = &after[2..];
            }
            byte => bytes.push(byte),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
