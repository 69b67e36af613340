//! `data:` URLs: how Butane writes them, and how Ignition reads them.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Why a `data:` URL can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataUrlError {
    /// It does not begin with `data:`.
    Scheme,
    /// There is no comma before the data.
    NoComma,
    /// The media type has no slash.
    MediaType,
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
            Self::MediaType => "data URL with a media type without a slash",
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

/// Compresses without a time or a name, so that equal contents give equal bytes.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .expect("writing to memory can't fail")
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
    let rest = url
        .get(..5)
        .filter(|scheme| scheme.eq_ignore_ascii_case("data:"))
        .map(|_| &url[5..]);
    let rest = rest.ok_or(DataUrlError::Scheme)?;
    let (header, data) = rest.split_once(',').ok_or(DataUrlError::NoComma)?;
    let media_type = header.split(';').next().unwrap_or_default();
    if !media_type.is_empty() && !media_type.contains('/') {
        return Err(DataUrlError::MediaType);
    }
    let bytes = unescape(data)?;
    if header.ends_with(";base64") {
        // Line breaks are allowed, as in Go.
        let packed: Vec<u8> = bytes
            .into_iter()
            .filter(|byte| !b"\r\n".contains(byte))
            .collect();
        LENIENT.decode(packed).map_err(|_| DataUrlError::Base64)
    } else {
        Ok(bytes)
    }
}

/// Go does not look at the bits that the last digit leaves over.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

fn unescape(text: &str) -> Result<Vec<u8>, DataUrlError> {
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
            byte if is_data_character(byte) => bytes.push(byte),
            _ => return Err(DataUrlError::Character),
        }
    }
    Ok(bytes)
}

/// Characters of URLs by RFC 2396: reserved and unreserved.
fn is_data_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b";/?:@&=+$,-_.!~*'()".contains(&byte)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_encoding_wins() {
        assert_eq!(encode(b"a b", true).url, "data:,a%20b");
        assert_eq!(encode(&[0; 6], true).url, "data:;base64,AAAAAAAA");
        assert_eq!(encode(b"", true).url, "data:,");
        let long = encode(&[b'a'; 4000], true);
        assert!(long.compressed && long.url.len() < 100);
        assert!(!encode(&[b'a'; 4000], false).compressed);
    }

    #[test]
    fn decoding_gives_back_what_was_encoded() {
        let all: Vec<u8> = (0..=255).collect();
        for contents in [all.as_slice(), b"", b"%", b"a,b;c"] {
            assert_eq!(decode(&encode(contents, false).url).unwrap(), contents);
            assert_eq!(decode(&encode_percent(contents)).unwrap(), contents);
        }
        let packed = decode(&encode(&[7; 9999], true).url).unwrap();
        assert_eq!(gunzip(&packed, 9999).unwrap(), [7; 9999]);
        assert!(gunzip(&packed, 9998).is_err());
    }

    #[test]
    fn refuses_what_ignition_refuses() {
        assert_eq!(decode("data:text,x"), Err(DataUrlError::MediaType));
        assert_eq!(decode("data:x"), Err(DataUrlError::NoComma));
        assert_eq!(decode("data:,a b"), Err(DataUrlError::Character));
        assert_eq!(decode("data:,%4"), Err(DataUrlError::Escape));
        assert_eq!(decode("data:,%é"), Err(DataUrlError::Escape));
        assert_eq!(decode("data:;base64,A"), Err(DataUrlError::Base64));
        assert_eq!(decode("http://a"), Err(DataUrlError::Scheme));
    }
}
