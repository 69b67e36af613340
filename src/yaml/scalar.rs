//! What a scalar means: the rules of Go's yaml.v3 in one place.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::node::{Content, Node};

/// What a scalar says before anybody asks for a type.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number; Go reads up to the largest unsigned one.
    Int(i128),
    /// A number that is no whole one.
    Float(f64),
    /// A date or time; a text wherever one is asked for.
    Timestamp,
    /// Everything else.
    Text(&'a str),
    /// `!!binary`, decoded.
    Binary(Vec<u8>),
}

/// A scalar whose tag and text disagree.
#[derive(Debug, PartialEq, Eq)]
pub struct BadTag {
    /// What is wrong, as a message.
    pub message: String,
}

/// As Go's `StdEncoding`: bits after the last byte are ignored, and of white space only line ends.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Tags whose values are read from the text; with any other it stays a text.
const READ: [&str; 7] = [
    "",
    "!",
    "!!null",
    "!!bool",
    "!!int",
    "!!float",
    "!!timestamp",
];

/// Resolves a scalar node, looking through an alias; `None` for a list or a mapping.
///
/// # Errors
/// When an explicit tag does not fit the text, as in `!!int x`.
pub fn resolve(node: &Node) -> Result<Option<Scalar<'_>>, BadTag> {
    let node = node.target();
    let Content::Scalar { text, plain } = &node.content else {
        return Ok(None);
    };
    let tag = node.tag.as_deref().unwrap_or_default();
    let quoted = !plain && matches!(tag, "" | "!");
    if tag == "!!binary" {
        return match BASE64.decode(text.replace(['\r', '\n'], "")) {
            Ok(bytes) => Ok(Some(Scalar::Binary(bytes))),
            Err(_) => Err(BadTag {
                message: "`!!binary` without valid base64".to_owned(),
            }),
        };
    }
    if quoted || !READ.contains(&tag) {
        return Ok(Some(Scalar::Text(text)));
    }
    let meant = guess(text, matches!(tag, "" | "!!timestamp"));
    let fits = match tag {
        "!!null" => meant == Scalar::Null,
        "!!bool" => matches!(meant, Scalar::Bool(_)),
        "!!int" => matches!(meant, Scalar::Int(_)),
        "!!float" => matches!(meant, Scalar::Float(_) | Scalar::Int(_)),
        "!!timestamp" => meant == Scalar::Timestamp,
        _ => true,
    };
    if fits {
        Ok(Some(meant))
    } else {
        Err(BadTag {
            message: format!("{} does not fit the tag `{tag}`", node.describe()),
        })
    }
}

/// A boolean where one is asked for: YAML 1.1's words too, which are texts elsewhere.
#[must_use]
pub fn as_bool(scalar: &Scalar<'_>) -> Option<bool> {
    match scalar {
        Scalar::Bool(value) => Some(*value),
        Scalar::Text("y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON") => Some(true),
        Scalar::Text("n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF") => Some(false),
        _ => None,
    }
}

/// A whole number where one is asked for. A fraction is cut off, as Go does.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "cutting off is the rule")]
pub fn as_int(scalar: &Scalar<'_>) -> Option<i64> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    match scalar {
        Scalar::Int(value) => i64::try_from(*value).ok(),
        Scalar::Float(value) if (-LIMIT..LIMIT).contains(value) => Some(*value as i64),
        _ => None,
    }
}

fn guess(text: &str, dates: bool) -> Scalar<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Scalar::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return Scalar::Text(text);
    }
    if dates && is_date(text) {
        return Scalar::Timestamp;
    }
    let plain = text.replace('_', "");
    if let Some(value) = int(&plain) {
        return Scalar::Int(value);
    }
    match float(&plain) {
        Some(value) => Scalar::Float(value),
        None => Scalar::Text(text),
    }
}

/// Go's `ParseInt` with base 0: `0x`, `0o`, `0b`, and a leading zero means octal.
fn int(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let prefix = digits.get(..2).unwrap_or_default().to_ascii_lowercase();
    let (radix, digits) = match prefix.as_str() {
        "0x" => (16, &digits[2..]),
        "0o" => (8, &digits[2..]),
        "0b" => (2, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.starts_with(|first: char| first.is_digit(radix)) {
        return None;
    }
    let value = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let value = if negative { -value } else { value };
    (value >= i128::from(i64::MIN)).then_some(value)
}

/// Digits with a fraction or an exponent; Rust alone would also take `inf` and `nan`.
fn float(text: &str) -> Option<f64> {
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
    let numeric = bare.contains(|digit: char| digit.is_ascii_digit())
        && bare
            .chars()
            .all(|part| part.is_ascii_digit() || ".eE+-".contains(part));
    let value = text.parse::<f64>().ok().filter(|_| numeric)?;
    value.is_finite().then_some(value)
}

/// Whether a text has the form of a date, with or without a time.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let digits = |part: &str, allowed: Range| {
        allowed.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let day = rest.split(['T', 't', ' ']).next().unwrap_or_default();
    digits(year, 4..=4) && digits(month, 1..=2) && digits(day, 1..=2)
}

type Range = std::ops::RangeInclusive<usize>;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Scalar<'_> {
        guess(text, true)
    }

    #[test]
    fn whole_numbers_have_every_spelling_of_go() {
        for text in [
            "420",
            "0644",
            "0o644",
            "0O644",
            "00644",
            "0x1a4",
            "0b110100100",
            "4_20",
            "+420",
        ] {
            assert_eq!(plain(text), Scalar::Int(420), "{text}");
        }
        assert_eq!(plain("-0x10"), Scalar::Int(-16));
        assert_eq!(plain("0"), Scalar::Int(0));
    }

    #[test]
    fn what_is_no_octal_number_is_a_decimal_float() {
        assert_eq!(as_int(&plain("0689")), Some(689));
        assert_eq!(as_int(&plain("420.5")), Some(420));
        assert_eq!(as_int(&plain("4.2e2")), Some(420));
        assert_eq!(as_int(&plain("9223372036854775808")), None);
        assert_eq!(as_int(&plain(".inf")), None);
    }

    #[test]
    fn words_of_yaml_1_1_are_booleans_only_where_asked() {
        assert_eq!(plain("yes"), Scalar::Text("yes"));
        assert_eq!(as_bool(&plain("yes")), Some(true));
        assert_eq!(as_bool(&Scalar::Text("true")), None);
    }

    /// What the first value of a mapping says.
    fn said(text: &str) -> Result<String, BadTag> {
        let root = crate::yaml::parse(text).unwrap();
        let value = &root.entries().unwrap()[0].1;
        resolve(value).map(|scalar| format!("{:?}", scalar.unwrap()))
    }

    #[test]
    fn a_tag_that_yaml_does_not_define_keeps_the_text() {
        for text in ["~", "0644", "false", "\"a\"", ".inf", "2024-01-02"] {
            let value = format!("Text(\"{}\")", text.trim_matches('"'));
            assert_eq!(said(&format!("a: !foo {text}")), Ok(value), "{text}");
        }
        assert_eq!(said("a: !!merge 1"), Ok("Text(\"1\")".to_owned()));
        assert_eq!(said("a: ! 1"), Ok("Int(1)".to_owned()));
    }

    #[test]
    fn binary_is_read_as_go_reads_base64() {
        for text in ["aGk=", "aGl=", "|\n  aG\n  k=\n", "\"aG\\r\\nk=\""] {
            let value = "Binary([104, 105])".to_owned();
            assert_eq!(said(&format!("a: !!binary {text}")), Ok(value), "{text}");
        }
        for text in [">\n  aG\n  k=\n", "\"aG k=\"", "\"aG\\tk=\"", "aGk", "a"] {
            assert!(said(&format!("a: !!binary {text}")).is_err(), "{text}");
        }
    }

    #[test]
    fn odd_texts_stay_texts() {
        for text in [
            "12:30", "1e400", "0x", "-", "+", ".", "0b2", "inf", "1.2.3", "é",
        ] {
            assert!(matches!(plain(text), Scalar::Text(_)), "{text}");
        }
        assert_eq!(plain("2024-01-02"), Scalar::Timestamp);
    }
}
