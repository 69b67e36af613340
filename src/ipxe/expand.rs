//! `${name}` in a word, as `expand_settings` in iPXE's `src/core/settings.c` does it: innermost first, over and
//! over until none is left, so a value that holds `${…}` is expanded in its turn.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr_iter, memrchr_iter};

/// What a name stands for.
pub(super) enum Value<'a> {
    /// These characters.
    Known(&'a str),
    /// Something that only the machine knows; `${name}` stays in the result.
    OfTheMachine,
    /// Nothing: iPXE puts nothing in its place.
    Unset,
}

/// iPXE would go on for as long as its memory lasts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endless;

/// No kernel command line and no URL that works is anywhere near.
const MAX_LEN: usize = 64 * 1024;
const MAX_EXPANSIONS: usize = 1000;

/// Stands for the `${` of what only the machine knows, so that it isn't looked up again.
const KEPT: &str = "\u{1}";

/// Expands a word.
pub(super) fn expand<'t, 'v>(
    text: &'t str,
    mut lookup: impl FnMut(&str) -> Value<'v>,
) -> Result<Cow<'t, str>, Endless> {
    if memchr(b'$', text.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    let mut text = text.to_owned();
    for _ in 0..MAX_EXPANSIONS {
        let Some(reference) = innermost(&text) else {
            if text.contains(KEPT) {
                text = text.replace(KEPT, "${");
            }
            return Ok(Cow::Owned(text));
        };
        let name = name_in(&text[reference.clone()]);
        match lookup(name) {
            Value::Known(value) => text.replace_range(reference, value),
            Value::OfTheMachine => {
                text.replace_range(reference.start..reference.start + "${".len(), KEPT);
            }
            Value::Unset => text.replace_range(reference, ""),
        }
        if text.len() > MAX_LEN {
            break;
        }
    }
    Err(Endless)
}

/// The names that a word refers to, as far as they are written out, and whether a `${` is never closed.
pub(super) fn references(text: &str) -> (Vec<String>, bool) {
    if memchr(b'$', text.as_bytes()).is_none() {
        return (Vec::new(), false);
    }
    let mut text = text.to_owned();
    let mut names = Vec::new();
    while let Some(reference) = innermost(&text) {
        let name = name_in(&text[reference.clone()]);
        if !name.contains(KEPT) {
            names.push(name.to_owned());
        }
        text.replace_range(reference, KEPT);
    }
    (names, text.contains("${"))
}

/// Up to the first `}` after any `${`, from the last `${` before it.
fn innermost(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let opens = |at: &usize| bytes.get(at + 1) == Some(&b'{');
    let first = memchr_iter(b'$', bytes).find(opens)?;
    let close = first + memchr(b'}', &bytes[first..])?;
    let open = memrchr_iter(b'$', &bytes[..close]).find(opens)?;
    Some(open..close + 1)
}

/// The name in `${name}` or `${name:type}`.
fn name_in(reference: &str) -> &str {
    let inner = reference
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .unwrap_or(reference);
    inner.split_once(':').map_or(inner, |(name, _)| name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<Cow<'_, str>, Endless> {
        expand(text, |name| match name {
            "n" => Value::Known("0"),
            "mirror0" => Value::Known("http://a/${n}"),
            "loop" => Value::Known("${loop}"),
            "grow" => Value::Known("${grow}${grow}"),
            "net0/mac" => Value::OfTheMachine,
            _ => Value::Unset,
        })
    }

    #[test]
    fn the_innermost_comes_first_and_values_are_expanded_too() {
        assert_eq!(expanded("${mirror${n}}/x").unwrap(), "http://a/0/x");
        assert_eq!(expanded("a${none}b$c$${n}${d").unwrap(), "ab$c$0${d");
    }

    #[test]
    fn what_the_machine_knows_stays() {
        assert_eq!(
            expanded("m=${net0/mac:hexhyp}").unwrap(),
            "m=${net0/mac:hexhyp}"
        );
    }

    #[test]
    fn endless_values_end() {
        assert_eq!(expanded("${loop}"), Err(Endless));
        assert_eq!(expanded("${grow}"), Err(Endless));
    }

    #[test]
    fn references_leave_out_names_that_are_put_together() {
        let names = |text| references(text).0;
        assert_eq!(names("${mirror${n}}${x:hex}"), ["n", "x"]);
        assert!(references("${a").1);
    }
}
