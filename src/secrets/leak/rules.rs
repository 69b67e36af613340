//! What secrets look like: the marks that their makers gave them, and random values where a secret's name stands.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use memchr::{memmem, memrchr};
use regex::bytes::{Captures, Regex, RegexBuilder};

use super::marks::{MARKS, Mark};
use super::random::is_random;

/// A name that says that its value is a secret.
const NAME: &str = concat!(
    r"(?i)(?:token|secret|pass(?:w(?:or)?d|wd|phrase|code)?|pwd|credential|cookie|psk|",
    r"(?:api|access|auth|private|encryption|signing|master|secret|shared)[_-]?key)[a-z0-9_.-]*",
);

/// What a name ends in whose value is none.
const NO_SECRETS: [&str; 28] = [
    "hash",
    "digest",
    "sum",
    "fingerprint",
    "fpr",
    "sha256",
    "sha512",
    "file",
    "path",
    "dir",
    "name",
    "names",
    "id",
    "ref",
    "type",
    "version",
    "provider",
    "class",
    "image",
    "commit",
    "pub",
    "public",
    "endpoint",
    "uri",
    "url",
    "issuer",
    "audience",
    "tool",
];

/// In whatever [`NAME`] or [`AUTHORIZATION`] fit stands one of these, once all letters are small.
const NAME_PARTS: [&str; 9] = [
    "token",
    "secret",
    "pass",
    "pwd",
    "credential",
    "cookie",
    "psk",
    "key",
    "authorization",
];

/// What stands in every URL.
const URL: &str = "://";

/// A name's value: `NAME=value`, `name: value`, `"name": "value"`, `name: X, value: Y`, `--name value`, and a block of
/// YAML or TOML that begins in the next line.
const VALUE: &str = concat!(
    r#"(?:["']?\s*(?::=|=>|=|:)\s*|["']?,?\s*["']?value["']?\s*:\s*|(?<flag> +|["'],\s*|["']?\s*\n\s*- +))"#,
    r#"(?:[|>][+-]?[ \t]*\r?\n\s*|"""\s*|'''\s*)?"#,
    r#"(?:"(?<double>[^"\n]{8,})"|'(?<single>[^'\n]{8,})'|(?<bare>[^\s"',;]{8,}))"#,
);

/// What a request is let in by, with its scheme or without.
const AUTHORIZATION: &str = concat!(
    r#"(?i)\bauthorization["']?(?:\s*[:=]\s*|,?\s*["']?value["']?\s*:\s*)["']?"#,
    r#"(?:[a-z]+ +)?(?<bare>[^\s"',;]{6,})"#,
);

/// A password in a URL.
const CREDENTIALS: &str = r#"(?i)[a-z][a-z0-9+.-]*://[^\s/:@"'<>]*:(?<bare>[^\s/@"'<>]{4,})@"#;

/// How a value begins that is none itself: a reference, a public key, what is encrypted, a digest, a URL of data.
const REFERENCES: [&str; 14] = [
    "$", "%", "<", "@", "age:", "age1", "ssh-", "sha256", "sha512", "data:", "op://", "vault:",
    "ENC[", "ref+",
];

/// Parts of a value that is put together somewhere else, or is code, or names an image by its digest.
const FOREIGN: [&str; 7] = ["${", "$(", "{{", "{%", "(", "@sha256:", ":sha-"];

/// No rule fits a shorter text, in bytes: `N=xxxxxxxx`, `a://:xxxx@`.
pub(super) const SHORTEST: usize = 10;

/// No mark stands in a shorter text, in bytes: `xoxb-xxxxxxxxxx`.
pub(super) const SHORTEST_MARK: usize = 15;

/// How many parts of marks are looked at before all marks are.
const ENOUGH: usize = 32;

/// The marks, then the names, then the URLs.
static EACH: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let named = format!("{NAME}{VALUE}");
    let patterns = MARKS.iter().map(|mark| mark.pattern);
    let patterns = patterns.chain([named.as_str(), AUTHORIZATION, CREDENTIALS]);
    let all: Result<_, _> = patterns
        .map(|pattern| RegexBuilder::new(pattern).unicode(false).build())
        .collect();
    all.expect("a test reads the patterns")
});

/// The parts of all marks with their rules; those of URLs apart, since most texts hold one.
static PARTS: LazyLock<(Regex, HashMap<&[u8], usize>)> = LazyLock::new(|| {
    let marks = MARKS.iter().enumerate();
    let parts = marks.flat_map(|(rule, mark)| mark.parts.iter().map(move |it| (*it, rule)));
    let parts: Vec<(&str, usize)> = parts.filter(|it| it.0 != URL).collect();
    let names: Vec<&str> = parts.iter().map(|it| it.0).collect();
    let rules = parts.iter().map(|(part, rule)| (part.as_bytes(), *rule));
    (any(&names), rules.collect())
});

/// [`NAME_PARTS`], to search for.
static NAME_PART: LazyLock<Regex> = LazyLock::new(|| any(&NAME_PARTS));

fn any(parts: &[&str]) -> Regex {
    let parts: Vec<String> = parts.iter().map(|it| regex::escape(it)).collect();
    let any = RegexBuilder::new(&parts.join("|")).unicode(false).build();
    any.expect("a text is a pattern")
}

/// What looks like a secret.
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub(super) struct Match {
    /// The variable that it is the value of, or else what kind of secret it looks like.
    pub(super) name: String,
    /// What it looks like, with its article.
    pub(super) what: String,
    /// The secret itself.
    pub(super) span: Range<usize>,
}

/// The names of the fleet's own secrets, for which no random value may stand either.
pub(super) struct Names(Option<Regex>);

impl Names {
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names: BTreeSet<&str> = names.collect();
        let any: Vec<String> = names.into_iter().map(regex::escape).collect();
        let pattern = format!(r"\b(?:{}){VALUE}", any.join("|"));
        let regex = (!any.is_empty()).then(|| {
            let mut builder = RegexBuilder::new(&pattern);
            // Names of a fleet, however many, are no attack on it.
            builder.unicode(false).size_limit(256 << 20).build()
        });
        Self(regex.and_then(Result::ok))
    }
}

/// Finds what looks like a secret in a text; without names only what has a mark.
pub(super) fn matches(text: &[u8], names: Option<&Names>) -> Vec<Match> {
    // A variable's name says more than a kind does, so it comes first.
    let own = names.and_then(|names| names.0.as_ref());
    let own = own.iter().flat_map(|names| with_values(names, text));
    let mut found: Vec<Match> = own.filter_map(|it| named(text, &it, true)).collect();
    let mut kinds = Vec::new();
    for rule in rules(text, names.is_some()) {
        let pattern = &EACH[rule];
        let captures = || pattern.captures_iter(text);
        match MARKS.get(rule) {
            Some(mark) => kinds.extend(captures().filter_map(|it| marked(mark, &it))),
            None if rule == MARKS.len() => {
                let named = |it| named(text, &it, false);
                found.extend(with_values(pattern, text).filter_map(named));
            }
            None if rule == MARKS.len() + 1 => {
                kinds.extend(captures().filter_map(|it| authorization(&it)));
            }
            None => kinds.extend(captures().filter_map(|it| credentials(&it))),
        }
    }
    found.extend(kinds);
    found
}

/// The rules that may fit a text, in their order. Most texts show by the parts of words that they hold that few do.
fn rules(text: &[u8], with_names: bool) -> BTreeSet<usize> {
    let lower = text.to_ascii_lowercase();
    let mut rules = BTreeSet::new();
    let (part, rule_of) = &*PARTS;
    let mut at = 0;
    for count in 0.. {
        // Parts may overlap, though none begins with another.
        let Some(found) = part.find_at(&lower, at) else {
            break;
        };
        if count == ENOUGH {
            rules.extend(0..MARKS.len());
            break;
        }
        rules.extend(rule_of.get(found.as_bytes()));
        at = found.start() + 1;
    }
    let [named, authorization, credentials] = [0, 1, 2].map(|it| MARKS.len() + it);
    if memmem::find(text, URL.as_bytes()).is_some() {
        let of_urls = MARKS.iter().position(|mark| mark.parts == [URL]);
        rules.extend(of_urls);
        rules.extend(with_names.then_some(credentials));
    }
    if with_names && NAME_PART.is_match(&lower) {
        rules.extend([named, authorization]);
    }
    rules
}

/// The names that a pattern finds with their values. Groups take long to tell, so a quoted value is looked at before.
fn with_values<'a>(names: &Regex, text: &'a [u8]) -> impl Iterator<Item = Captures<'a>> {
    let found = names.find_iter(text);
    let found = found.filter(|it| !quoted(it.as_bytes()).is_some_and(stands_for_another));
    found.filter_map(|it| names.captures_at(text, it.start()))
}

/// The value that [`VALUE`] ends in, if that is a quoted one: no other ends in a quote, and it holds none like it.
fn quoted(matched: &[u8]) -> Option<&[u8]> {
    let (quote, before) = matched.split_last()?;
    let start = memrchr(*quote, before).filter(|_| b"\"'".contains(quote))?;
    Some(&before[start + 1..])
}

fn marked(mark: &Mark, captures: &Captures<'_>) -> Option<Match> {
    let part = captures.get(1);
    let whole = captures.get(0)?;
    let sound = part.is_none_or(|part| is_random(part.as_bytes()));
    sound.then(|| Match {
        name: mark.name.to_owned(),
        what: mark.what.to_owned(),
        span: part.unwrap_or(whole).range(),
    })
}

/// The value of a variable; `is_own` where it is one of the fleet's secrets, whatever its name says.
fn named(text: &[u8], captures: &Captures<'_>, is_own: bool) -> Option<Match> {
    let value = value(captures)?;
    let start = captures.get(0)?.start();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let before = text[..start].iter().rev().take_while(|byte| is_part(byte));
    let begins = start - before.count();
    let behind = text[start..].iter().take_while(|byte| is_part(byte));
    let name = &text[begins..start + behind.count()];
    let name = String::from_utf8_lossy(name).into_owned();
    let lower = name.to_ascii_lowercase();
    let is_flag = captures.name("flag").is_some();
    let sound = is_random(value.as_bytes())
        && (is_own || !NO_SECRETS.iter().any(|end| lower.ends_with(end)))
        && (!is_flag || name.starts_with('-'));
    sound.then(|| Match {
        what: format!("a secret in `{name}`"),
        name,
        span: value.range(),
    })
}

fn authorization(captures: &Captures<'_>) -> Option<Match> {
    Some(Match {
        name: "authorization".to_owned(),
        what: "credentials of an HTTP request".to_owned(),
        span: value(captures)?.range(),
    })
}

fn credentials(captures: &Captures<'_>) -> Option<Match> {
    let value = value(captures)?;
    // What documents write there.
    let is_placeholder = ["pass", "password", "secret", "token", "changeme"]
        .iter()
        .any(|word| value.as_bytes().eq_ignore_ascii_case(word.as_bytes()));
    (!is_placeholder).then(|| Match {
        name: "url-password".to_owned(),
        what: "a password in a URL".to_owned(),
        span: value.range(),
    })
}

/// The value that a rule found, unless it stands for another one.
fn value<'a>(captures: &Captures<'a>) -> Option<regex::bytes::Match<'a>> {
    let parts = ["double", "single", "bare"];
    let value = parts.iter().find_map(|part| captures.name(part))?;
    (!stands_for_another(value.as_bytes())).then_some(value)
}

fn stands_for_another(value: &[u8]) -> bool {
    let holds = |part: &str| value.windows(part.len()).any(|it| it == part.as_bytes());
    REFERENCES.iter().any(|it| value.starts_with(it.as_bytes()))
        || FOREIGN.iter().any(|part| holds(part))
        || is_path(value)
        || is_sealed(value)
}

/// A path of a file system: `/secrets/token`, also behind a name as systemd's `LoadCredential=` has it.
fn is_path(value: &[u8]) -> bool {
    let start = value.iter().position(|byte| *byte == b'/');
    let start = start.unwrap_or(value.len());
    let is_named = start == 0 || value[start - 1] == b':';
    let letters = value.iter().skip(start + 1);
    let word = letters.take_while(|byte| byte.is_ascii_lowercase()).count();
    is_named && word >= 2 && value.get(start + 1 + word) == Some(&b'/')
}

/// A sealed secret of Kubernetes: RSA's 512 bytes behind their length, and what they encrypt.
fn is_sealed(value: &[u8]) -> bool {
    value.len() > 400 && value.starts_with(b"Ag")
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::strategy::{Strategy, ValueTree as _};
    use proptest::test_runner::TestRunner;

    use super::*;

    /// As the other, with each pattern by itself and nothing asked before.
    pub(in super::super) fn matches(text: &[u8], names: Option<&Names>) -> Vec<Match> {
        let mut found = Vec::new();
        let mut kinds = Vec::new();
        let own = names.iter().flat_map(|names| &names.0);
        found.extend(
            own.flat_map(|it| it.captures_iter(text))
                .filter_map(|it| named(text, &it, true)),
        );
        for (rule, pattern) in EACH.iter().enumerate() {
            for it in pattern.captures_iter(text) {
                match rule.checked_sub(MARKS.len()) {
                    None => kinds.extend(marked(&MARKS[rule], &it)),
                    Some(_) if names.is_none() => {}
                    Some(0) => found.extend(named(text, &it, false)),
                    Some(1) => kinds.extend(authorization(&it)),
                    Some(_) => kinds.extend(credentials(&it)),
                }
            }
        }
        found.extend(kinds);
        found
    }

    /// The length of the shortest text that a pattern fits, in bytes.
    fn shortest(pattern: &str) -> usize {
        let mut parser = regex_syntax::ParserBuilder::new();
        let parser = parser.unicode(false).utf8(false);
        let pattern = parser.build().parse(pattern).expect("a pattern");
        let shortest = pattern.properties().minimum_len();
        shortest.expect("it fits something")
    }

    #[test]
    fn no_rule_fits_a_text_under_the_limit_and_one_fits_at_it() {
        let names = Names::new(["N"].into_iter());
        let each = EACH.iter().chain(&names.0).map(|it| shortest(it.as_str()));
        assert_eq!(each.min(), Some(SHORTEST));
    }

    #[test]
    fn no_mark_fits_a_text_under_the_limit_and_one_fits_at_it() {
        let each = MARKS.iter().map(|mark| shortest(mark.pattern));
        assert_eq!(each.min(), Some(SHORTEST_MARK));
    }

    /// Texts that a pattern fits.
    fn texts(pattern: &str) -> impl Strategy<Value = Vec<u8>> {
        let pattern = format!("(?-u){}", pattern.replace(r"\b", ""));
        proptest::string::bytes_regex(&pattern).expect("a pattern")
    }

    #[test]
    fn what_a_pattern_fits_holds_one_of_its_parts() {
        let mut runner = TestRunner::deterministic();
        let each = MARKS.iter().map(|mark| (mark.pattern, any(mark.parts)));
        let names = [NAME, AUTHORIZATION].map(|it| (it, any(&NAME_PARTS)));
        let each = each.chain(names).chain([(CREDENTIALS, any(&[URL]))]);
        for (pattern, part) in each {
            for _ in 0..200 {
                let text = texts(pattern)
                    .new_tree(&mut runner)
                    .expect("a text")
                    .current();
                assert!(part.is_match(&text.to_ascii_lowercase()), "{pattern}");
            }
        }
    }

    #[test]
    fn behind_very_many_parts_every_mark_is_looked_for() {
        let parts = "K10 ".repeat(ENOUGH + 1);
        for token in ["ghp_abcdefghij1234567890abcdefghij123456", ""] {
            let found = super::matches(format!("{parts}{token}").as_bytes(), None);
            assert_eq!(found.len(), usize::from(!token.is_empty()));
        }
    }

    #[test]
    fn no_part_of_a_mark_begins_with_another() {
        let parts: Vec<&str> = MARKS.iter().flat_map(|mark| mark.parts).copied().collect();
        let begins = |part: &&&str| parts.iter().filter(|it| part.starts_with(**it)).count() > 1;
        assert_eq!(parts.iter().find(begins), None);
    }

    #[test]
    fn a_sealed_value_is_longer_than_its_key() {
        let value = |length: usize| format!("Ag{}", "B".repeat(length - 2));
        assert!(!is_sealed(value(400).as_bytes()));
        assert!(is_sealed(value(401).as_bytes()));
    }
}
