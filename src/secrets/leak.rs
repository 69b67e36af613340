//! The leak guard: finds in public texts what looks like a secret, and the values that are known to be one.

use std::ops::Range;

use self::reading::See;
use self::rules::Names;
pub use self::search::SHORTEST;
use self::search::Values;

mod marks;
#[cfg(test)]
mod plain;
mod random;
mod reading;
mod rules;
mod search;
#[cfg(test)]
mod texts;
mod words;

/// How many findings of one text are told: whoever has more has a file of them.
const MOST: usize = 50;

/// How many are looked at to find those.
const MANY: usize = 1000;

/// What to look for, beside what any secret looks like.
pub struct Guard<'a> {
    names: Names,
    values: Values<'a>,
    value_names: Vec<&'a str>,
}

/// Something in a public text that should not be there. Not `Debug`: it holds it.
#[derive(Clone)]
pub struct Finding {
    /// The variable or secret, or else what kind of secret it looks like: `private-key`.
    pub name: String,
    /// What it is or looks like, in words.
    pub what: String,
    /// Where it stands in the text; of something encoded, where the encoded part stands.
    pub span: Range<usize>,
    /// Whether it is the value of a secret of the fleet, and no guess.
    pub is_value: bool,
    text: Vec<u8>,
}

impl Finding {
    /// Whether both found the same bytes, however they were encoded.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.text == other.text
    }

    /// Whether the other says nothing new: it found the same in a place around this one.
    fn covers(&self, other: &Self) -> bool {
        let is_around = other.span.start <= self.span.start && self.span.end <= other.span.end;
        let holds = || {
            let mut parts = other.text.windows(self.text.len().max(1));
            parts.any(|part| part == self.text)
        };
        let is_better = self.is_value && !other.is_value;
        is_around && (self.is_same(other) || is_better && (self.span == other.span || holds()))
    }
}

impl<'a> Guard<'a> {
    /// `names` are those of the fleet's secrets; `values` are plain values with their names, which are borrowed and not
    /// copied.
    pub fn new<'n>(
        names: impl IntoIterator<Item = &'n str>,
        values: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        let (value_names, values): (Vec<&str>, Vec<&[u8]>) = values.into_iter().unzip();
        Self {
            names: Names::new(names.into_iter()),
            values: Values::new(&values),
            value_names,
        }
    }

    /// Finds everything, in the order of the text, each once; of very many, the first. Where a text says more in its
    /// encodings than can be looked through, that is a finding too.
    #[must_use]
    pub fn find(&self, text: &[u8]) -> Vec<Finding> {
        self.find_by(text, reading::read)
    }

    fn find_by(&self, text: &[u8], read: impl Fn(&[u8], See<'_>) -> bool) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        let is_whole = read(text, &mut |reading| {
            if findings.len() >= MANY {
                return;
            }
            let bytes = reading.bytes;
            let place = |part: &Range<usize>| reading.origin.unwrap_or(part).clone();
            self.values.find(bytes, |index, part| {
                findings.push(Finding {
                    name: self.value_names[index].to_owned(),
                    what: format!("the value of the secret `{}`", self.value_names[index]),
                    span: place(&part),
                    is_value: true,
                    text: bytes[part].to_owned(),
                });
            });
            if reading.is_form || bytes.len() < rules::SHORTEST {
                return;
            }
            // In what is no text, such as a value that is encrypted, names stand by chance.
            if !reading.is_text && bytes.len() < rules::SHORTEST_MARK {
                return;
            }
            let names = reading.is_text.then_some(&self.names);
            for found in rules::matches(bytes, names) {
                if reading.origin.is_none() && is_in_encrypted(bytes, &found.span) {
                    continue;
                }
                findings.push(Finding {
                    name: found.name,
                    what: format!("what looks like {}", found.what),
                    span: place(&found.span),
                    is_value: false,
                    text: bytes[found.span].to_owned(),
                });
            }
        });
        if !is_whole {
            findings.push(Finding {
                name: "too-much".to_owned(),
                what: "more encoded text than can be looked through".to_owned(),
                span: 0..text.len(),
                is_value: false,
                text: text.to_owned(),
            });
        }
        // What is known says more than a guess, and a short place more than a long one.
        findings.sort_by_key(|it| (!it.is_value, it.span.len(), it.span.start));
        let mut each: Vec<Finding> = Vec::new();
        for finding in findings {
            if each.len() < MOST && !each.iter().any(|it| it.covers(&finding)) {
                each.push(finding);
            }
        }
        each.sort_by_key(|it| (it.span.start, it.span.end));
        each
    }
}

/// Whether a part of a text is one of an encrypted value of a fleet, `age:4f1d0c9a:9c1e5b2270aa41f3:…`: in base64 that is long
/// enough anything stands by chance.
fn is_in_encrypted(text: &[u8], part: &Range<usize>) -> bool {
    const HEAD: &[u8] = b"age:xxxxxxxx:xxxxxxxxxxxxxxxx:";
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let before = text[..part.start].iter().rposition(|byte| !is_digit(byte));
    let Some(start) = before.and_then(|last| (last + 1).checked_sub(HEAD.len())) else {
        return false;
    };
    let fits = |(is, wanted): (&u8, &u8)| match wanted {
        b'x' => matches!(is, b'0'..=b'9' | b'a'..=b'f'),
        wanted => is == wanted,
    };
    text[start..].iter().zip(HEAD).all(fits) && text[part.clone()].iter().all(is_digit)
}

#[cfg(test)]
mod tests;
