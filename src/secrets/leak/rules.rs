//! What secrets look like: the marks that their makers gave them, and random values where a secret's name stands.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::{Captures, Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::random::is_random;

/// A mark that its maker gave a secret.
struct Mark {
    /// What a fleet names it by, to allow one.
    name: &'static str,
    /// With its article.
    what: &'static str,
    pattern: &'static str,
}

/// From the makers' documentation of their formats. A group, where there is one, is the part that has to look random.
const MARKS: [Mark; 29] = [
    mark(
        "private-key",
        "a private key",
        "-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----",
    ),
    mark(
        "age-identity",
        "an age identity",
        "(?i)AGE-SECRET-KEY-(?:PQ-)?1[a-z0-9]{40,}",
    ),
    mark("putty-key", "a private key", "PuTTY-User-Key-File-[0-9]"),
    mark(
        "k3s-token",
        "a k3s token",
        "K10[0-9a-f]{64}::[A-Za-z0-9_.:-]{6,}",
    ),
    mark(
        "aws-access-key",
        "an AWS access key",
        r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    ),
    mark(
        "github-token",
        "a GitHub token",
        r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{60,}",
    ),
    mark(
        "gitlab-token",
        "a GitLab token",
        r"\b(?:glpat|gldt|glrt|glptt|glcbt|glsoat|glagent|gloas)-[A-Za-z0-9_.-]{20,}",
    ),
    mark(
        "google-api-key",
        "a Google API key",
        r"\bAIza[A-Za-z0-9_-]{35}",
    ),
    mark(
        "google-oauth",
        "a Google OAuth secret",
        r"\bGOCSPX-[A-Za-z0-9_-]{20,}|\bya29\.[A-Za-z0-9_-]{20,}",
    ),
    mark(
        "azure-key",
        "an Azure key",
        r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}=*",
    ),
    mark(
        "digitalocean-token",
        "a DigitalOcean token",
        r"\bdo[opr]_v1_[0-9a-f]{64}",
    ),
    mark(
        "slack-token",
        "a Slack token",
        r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[0-9]-[A-Za-z0-9-]{10,}",
    ),
    mark(
        "slack-webhook",
        "a Slack webhook",
        r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,}",
    ),
    mark(
        "discord-webhook",
        "a Discord webhook",
        r"discord(?:app)?\.com/api/webhooks/[0-9]+/[A-Za-z0-9_-]{20,}",
    ),
    mark(
        "telegram-token",
        "a Telegram bot token",
        r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
    ),
    mark(
        "stripe-key",
        "a Stripe key",
        r"\b[sr]k_live_[A-Za-z0-9]{20,}",
    ),
    mark("npm-token", "an npm token", r"\bnpm_[A-Za-z0-9]{36}"),
    mark(
        "pypi-token",
        "a PyPI token",
        r"\bpypi-AgE[A-Za-z0-9_-]{40,}",
    ),
    mark(
        "docker-token",
        "a Docker Hub token",
        r"\bdckr_[po]at_[A-Za-z0-9_-]{20,}",
    ),
    mark(
        "tailscale-key",
        "a Tailscale key",
        r"\btskey-[a-z]+-[A-Za-z0-9-]{15,}",
    ),
    mark(
        "vault-token",
        "a Vault token",
        r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}",
    ),
    mark(
        "cloudflare-tunnel",
        "a Cloudflare tunnel token",
        r"\beyJhIjoi[A-Za-z0-9+/_-]{80,}",
    ),
    mark(
        "grafana-token",
        "a Grafana token",
        r"\bgl(?:c|sa)_[A-Za-z0-9+/=_-]{32,}",
    ),
    mark(
        "sendgrid-key",
        "a SendGrid key",
        r"\bSG\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{30,}",
    ),
    mark(
        "openai-key",
        "an API key",
        r"\bsk-(?:ant-|proj-)?([A-Za-z0-9_-]{32,})",
    ),
    mark(
        "huggingface-token",
        "a Hugging Face token",
        r"\bhf_([A-Za-z0-9]{30,})",
    ),
    mark(
        "jwt",
        "a signed token",
        r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}",
    ),
    mark(
        "luks-key",
        "the key of an encrypted disk",
        r#""keyFile":\{[^}]*"source":"data:[^"]{8,}"#,
    ),
    mark(
        "authorization",
        "credentials of an HTTP request",
        r#"(?i)\b(?:(?:bearer|basic) +|authorization["']?\s*[:=]\s*["']?(?:token +)?)([a-z0-9._~+/-]{12,}=*)"#,
    ),
];

const fn mark(name: &'static str, what: &'static str, pattern: &'static str) -> Mark {
    Mark {
        name,
        what,
        pattern,
    }
}

/// A name that says that its value is a secret.
const NAME: &str = concat!(
    r"(?i)(?:token|secret|passw(?:or)?d|passphrase|passwd|credential|psk|",
    r"(?:api|access|auth|private|encryption|signing|master|secret|shared)[_-]?key)[a-z0-9_.-]*",
);

/// What a name ends in whose value is none.
const NO_SECRETS: [&str; 17] = [
    "hash",
    "digest",
    "sum",
    "fingerprint",
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
];

/// A name's value: `NAME=value`, `name: value`, `"name": "value"`, `name: X, value: Y`, `--name value`.
const VALUE: &str = concat!(
    r#"(?:["']?\s*(?::=|=>|=|:)\s*|["']?,?\s*["']?value["']?\s*:\s*|(?<flag> +))"#,
    r#"(?:"(?<double>[^"\n]{8,})"|'(?<single>[^'\n]{8,})'|(?<bare>[^\s"',;]{8,}))"#,
);

/// A password in a URL.
const CREDENTIALS: &str = r#"[a-z][a-z0-9+.-]*://[^\s/:@"'<>]*:(?<bare>[^\s/@"'<>]{6,})@"#;

/// How a value begins that is none itself: a reference, a path, a public key, what is encrypted, a digest.
const REFERENCES: [&str; 11] = [
    "$", "/", "%", "<", "@", "age:", "age1", "ssh-", "sha256-", "sha512-", "data:",
];

/// The marks, then the names, then the URLs.
static EACH: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let named = format!("{NAME}{VALUE}");
    let patterns = MARKS.iter().map(|mark| mark.pattern);
    let patterns = patterns.chain([named.as_str(), CREDENTIALS]);
    let all: Result<_, _> = patterns
        .map(|pattern| RegexBuilder::new(pattern).unicode(false).build())
        .collect();
    all.expect("a test reads the patterns")
});

/// Which of them a text holds, in one pass.
static ANY: LazyLock<RegexSet> = LazyLock::new(|| {
    let patterns = EACH.iter().map(Regex::as_str);
    let set = RegexSetBuilder::new(patterns).unicode(false).build();
    set.expect("each is one by itself")
});

/// What looks like a secret.
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

/// Finds what looks like a secret in a text.
pub(super) fn matches(text: &[u8], names: &Names) -> Vec<Match> {
    // A variable's name says more than a kind does, so it comes first.
    let own = names.0.iter().flat_map(|names| names.captures_iter(text));
    let mut found: Vec<Match> = own.filter_map(|it| named(text, &it)).collect();
    let mut kinds = Vec::new();
    for rule in ANY.matches(text) {
        let captures = EACH[rule].captures_iter(text);
        match MARKS.get(rule) {
            Some(mark) => kinds.extend(captures.filter_map(|it| marked(mark, &it))),
            None if rule == MARKS.len() => found.extend(captures.filter_map(|it| named(text, &it))),
            None => kinds.extend(captures.filter_map(|it| credentials(&it))),
        }
    }
    found.extend(kinds);
    found
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

fn named(text: &[u8], captures: &Captures<'_>) -> Option<Match> {
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
        && !NO_SECRETS.iter().any(|end| lower.ends_with(end))
        && (!is_flag || name.starts_with('-'));
    sound.then(|| Match {
        what: format!("a secret in `{name}`"),
        name,
        span: value.range(),
    })
}

fn credentials(captures: &Captures<'_>) -> Option<Match> {
    Some(Match {
        name: "url-password".to_owned(),
        what: "a password in a URL".to_owned(),
        span: value(captures)?.range(),
    })
}

/// The value that a rule found, unless it stands for another one.
fn value<'a>(captures: &Captures<'a>) -> Option<regex::bytes::Match<'a>> {
    let parts = ["double", "single", "bare"];
    let value = parts.iter().find_map(|part| captures.name(part))?;
    let bytes = value.as_bytes();
    let stands_for_another = REFERENCES.iter().any(|it| bytes.starts_with(it.as_bytes()))
        || [&b"${"[..], b"$(", b"{{", b"{%"]
            .iter()
            .any(|mark| bytes.windows(2).any(|it| it == *mark));
    (!stands_for_another).then_some(value)
}
