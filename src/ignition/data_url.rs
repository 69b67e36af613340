//! `data:` URLs: how Butane writes them, and how Ignition reads them.

use std::io::Read as _;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use flate2::read::GzDecoder;

use self::encode::SCHEME;

mod encode;

pub(crate) use self::encode::is_own;
pub use self::encode::{DataUrl, encode, encode_percent};

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
    let rest = url.strip_prefix(SCHEME).ok_or(DataUrlError::Scheme)?;
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
