//! Who can open a secret: public keys, of age, of its plugins and of SSH.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use age::ssh::ParseRecipientKeyError;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

use super::plugin::is_plugin_name;

/// One public key.
#[derive(Clone)]
pub enum Recipient {
    /// `age1…`
    X25519(age::x25519::Recipient),
    /// `ssh-ed25519 …` or `ssh-rsa …`
    Ssh(age::ssh::Recipient),
    /// `age1tag1…`: a key on a token. Only its identity needs a plugin.
    Tag(Box<age::tag::Recipient>),
    /// `age1tagpq1…`: the same, against quantum computers.
    TagPq(Box<age::tagpq::Recipient>),
    /// `age1NAME1…`, which only the plugin `age-plugin-NAME` can encrypt to.
    Plugin(age::plugin::Recipient),
}

/// Why a text is not a recipient. Only public parts of the text are in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// Nothing but white space.
    #[error("the recipient is empty")]
    Empty,
    /// A private key in a file that is made to be public.
    #[error("this is a private key, not a recipient")]
    PrivateKey,
    /// More than one line.
    #[error("the recipient has more than one line")]
    Lines,
    /// `age1…` with something behind it.
    #[error("text stands behind the `age1…` recipient")]
    Behind,
    /// `age1…` that was cut or mistyped.
    #[error("the `age1…` recipient is mistyped or cut short")]
    Age,
    /// `age1NAME1…` with a name that no plugin may have.
    #[error("`{0}` is not a name of an age plugin")]
    PluginName(String),
    /// An SSH key that was cut or mistyped.
    #[error("the `{0}` recipient is mistyped or cut short")]
    Ssh(&'static str),
    /// An RSA key that is too easy to break.
    #[error("the `ssh-rsa` recipient has fewer than 2048 bits")]
    WeakRsa,
    /// An RSA key beyond what age takes.
    #[error("the `ssh-rsa` recipient has more than 4096 bits")]
    LongRsa,
    /// An SSH key of a type that age can't encrypt to.
    #[error("age can't encrypt to an SSH key of type `{0}`")]
    SshType(String),
    /// None of these.
    #[error("this is not a recipient")]
    Unknown,
}

impl RecipientError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::PrivateKey => {
                "write its public key (`age-keygen -y FILE`, `ssh-keygen -y -f FILE`); where it was committed, make a new key"
            }
            Self::Lines | Self::Behind => "write each recipient as a string of its own",
            Self::Age | Self::Ssh(_) => "copy the public key again, whole",
            Self::WeakRsa | Self::LongRsa | Self::SshType(_) => {
                "take an `age1…` key (`ephemeros secrets keygen` makes one) or an `ssh-ed25519` key"
            }
            Self::PluginName(_) => {
                "copy the public key again, whole; the name is lower-case letters, digits, `+`, `-`, `.` and `_`"
            }
            Self::Empty | Self::Unknown => "a recipient is `age1…`, `ssh-ed25519 …` or `ssh-rsa …`",
        }
    }
}

/// How the types of SSH keys begin that age can't encrypt to; a `sk-…` key only signs.
const OTHER_SSH: [&str; 4] = ["ecdsa-sha2-", "ssh-dss", "sk-ssh-", "sk-ecdsa-"];

impl FromStr for Recipient {
    type Err = RecipientError;

    fn from_str(text: &str) -> Result<Self, RecipientError> {
        let text = text.trim();
        let upper = text.to_ascii_uppercase();
        if ["AGE-SECRET-KEY-", "AGE-PLUGIN-", "PRIVATE KEY-----"]
            .iter()
            .any(|mark| upper.contains(mark))
        {
            return Err(RecipientError::PrivateKey);
        }
        if text.contains(['\n', '\r']) {
            return Err(RecipientError::Lines);
        }
        let mut words = text.split_whitespace();
        let kind = words.next().ok_or(RecipientError::Empty)?;
        let key = words.next();
        match kind {
            "ssh-ed25519" => parse_ssh("ssh-ed25519", key),
            "ssh-rsa" => parse_ssh("ssh-rsa", key),
            _ if OTHER_SSH.iter().any(|other| kind.starts_with(other)) => {
                Err(RecipientError::SshType(kind.escape_debug().to_string()))
            }
            _ if !kind.to_ascii_lowercase().starts_with("age1") => Err(RecipientError::Unknown),
            _ if key.is_some() => Err(RecipientError::Behind),
            _ => parse_age(kind),
        }
    }
}

fn parse_age(text: &str) -> Result<Recipient, RecipientError> {
    if let Ok(key) = text.parse() {
        return Ok(Recipient::X25519(key));
    }
    // Bech32 is of one case, and the lower one is canonical.
    let is_upper = !text.bytes().any(|byte| byte.is_ascii_lowercase());
    let text = if is_upper {
        &text.to_ascii_lowercase()
    } else {
        text
    };
    if let Ok(key) = text.parse() {
        return Ok(Recipient::Tag(Box::new(key)));
    }
    if let Ok(key) = text.parse() {
        return Ok(Recipient::TagPq(Box::new(key)));
    }
    // There is no `1` behind the last one, in Bech32.
    let rest = text.get("age1".len()..).unwrap_or_default();
    let (name, _) = rest.rsplit_once('1').ok_or(RecipientError::Age)?;
    if !is_plugin_name(name) {
        let name = name.escape_debug().to_string();
        return Err(RecipientError::PluginName(name));
    }
    let key = text.parse().map_err(|_| RecipientError::Age)?;
    Ok(Recipient::Plugin(key))
}

fn parse_ssh(kind: &'static str, key: Option<&str>) -> Result<Recipient, RecipientError> {
    let broken = RecipientError::Ssh(kind);
    let Some(key) = key else { return Err(broken) };
    let text = format!("{kind} {key}");
    let parsed = text
        .parse::<age::ssh::Recipient>()
        .map_err(|error| match error {
            ParseRecipientKeyError::RsaModulusTooSmall => RecipientError::WeakRsa,
            ParseRecipientKeyError::RsaModulusTooLarge => RecipientError::LongRsa,
            _ => broken.clone(),
        })?;
    // age passes over whatever stands behind the part that it needs.
    if parsed.to_string().trim_end_matches('=') == text.trim_end_matches('=') {
        Ok(Recipient::Ssh(parsed))
    } else {
        Err(broken)
    }
}

/// The canonical form: without a comment, `age1…` in lower case.
impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X25519(key) => key.fmt(formatter),
            Self::Ssh(key) => key.fmt(formatter),
            Self::Tag(key) => key.fmt(formatter),
            Self::TagPq(key) => key.fmt(formatter),
            Self::Plugin(key) => key.fmt(formatter),
        }
    }
}

impl Recipient {
    /// The kind of its line in the header of an age file, where it has one kind alone.
    #[must_use]
    pub fn stanza(&self) -> Option<&'static str> {
        match self {
            Self::X25519(_) => Some("X25519"),
            Self::Ssh(age::ssh::Recipient::SshRsa(..)) => Some("ssh-rsa"),
            Self::Ssh(age::ssh::Recipient::SshEd25519(..)) => Some("ssh-ed25519"),
            Self::Plugin(_) | Self::Tag(_) | Self::TagPq(_) => None,
        }
    }

    /// What that line names an SSH key by: 4 bytes of a SHA-256 of the key, in base64. Other keys are not named.
    #[must_use]
    pub fn ssh_tag(&self) -> Option<String> {
        let Self::Ssh(key) = self else { return None };
        let text = key.to_string();
        let blob = text.split(' ').nth(1)?;
        let digest = Sha256::digest(BASE64_STANDARD.decode(blob).ok()?);
        Some(BASE64_STANDARD_NO_PAD.encode(digest.first_chunk::<4>()?))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Recipient {}

/// A set of public keys, each once, in the order of their canonical form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipients(BTreeMap<String, Recipient>);

impl Recipients {
    /// The keys, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &Recipient> {
        self.0.values()
    }

    /// Whether a key is among them.
    #[must_use]
    pub fn holds(&self, key: &Recipient) -> bool {
        self.0.contains_key(&key.to_string())
    }

    /// The plugins of those that need one; one may be named more than once.
    pub fn plugins(&self) -> impl Iterator<Item = &str> {
        self.iter().filter_map(|recipient| match recipient {
            Recipient::Plugin(key) => Some(key.plugin()),
            _ => None,
        })
    }

    /// The first 8 hex digits of the SHA-256 of the canonical text: each key on a line of its own, sorted. It finds
    /// mistakes, not attackers.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for line in self.0.keys() {
            hasher.update(line);
            hasher.update("\n");
        }
        let [a, b, c, d, ..] = <[u8; 32]>::from(hasher.finalize());
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }
}

impl FromIterator<Recipient> for Recipients {
    fn from_iter<T: IntoIterator<Item = Recipient>>(recipients: T) -> Self {
        let named = |recipient: Recipient| (recipient.to_string(), recipient);
        Self(recipients.into_iter().map(named).collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const AGE: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    const ED25519: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN";

    const TAG: &str = "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e";
    const PLUGIN: &str = "age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt";

    fn parse(text: &str) -> Result<String, RecipientError> {
        text.parse().map(|key: Recipient| key.to_string())
    }

    fn set(texts: &[&str]) -> Recipients {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn drops_comments_and_case() {
        assert_eq!(parse(AGE).unwrap(), AGE);
        assert_eq!(parse(&AGE.to_uppercase()).unwrap(), AGE);
        assert_eq!(parse(PLUGIN).unwrap(), PLUGIN);
        assert_eq!(parse(TAG).unwrap(), TAG);
        assert_eq!(parse(&TAG.to_uppercase()).unwrap(), TAG);
        assert_eq!(set(&[TAG, AGE]).plugins().count(), 0);
        assert_eq!(parse(&PLUGIN.to_uppercase()).unwrap(), PLUGIN);
        assert_eq!(
            parse(&format!("  {ED25519} me@desk and more ")).unwrap(),
            ED25519
        );
    }

    #[test]
    fn says_what_is_wrong_with_each() {
        use RecipientError::{
            Age, Behind, Empty, Lines, PluginName, PrivateKey, Ssh, SshType, Unknown,
        };
        let weak = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDE7nIXTGNuaRBN9toI/wNALuQec8mvlt0iJ7o3OaD2UvoKHJ7S8rmIn4FiQDUed/Vac3OhUibei1k+TBmm16u2Rj3klgWZOIDgi8d4vXKI5N3YBhxr3jsQ+kz1c+iZ4z/tTtz306+4K46XViVMWwyyg9j82Jn41mOAy9vdeDIfQw==";
        for (text, mistake) in [
            (" ", Empty),
            ("AGE-SECRET-KEY-1QQ", PrivateKey),
            ("key: age-secret-key-1qq", PrivateKey),
            ("AGE-PLUGIN-YUBIKEY-1QQ", PrivateKey),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nx", PrivateKey),
            (&format!("{ED25519}\n{ED25519}"), Lines),
            (&format!("{AGE} {AGE}"), Behind),
            (&AGE[..40], Age),
            (&AGE.replace("zvk", "zvl"), Age),
            (&AGE.replace("age1z", "age1Z"), Age),
            ("age1", Age),
            (&PLUGIN[..40], Age),
            (&PLUGIN.replace("q2w", "q2e"), Age),
            (
                &PLUGIN.replace("age1y", "age1Y"),
                PluginName("Yubikey".into()),
            ),
            ("age11qqqqqqqq", PluginName(String::new())),
            (
                "age1a/../../bin/sh1qqqqqqqq",
                PluginName("a/../../bin/sh".into()),
            ),
            ("age1..1qqqqqqqq", PluginName("..".into())),
            ("age1\u{1b}[31m1qqqqqqqq", PluginName("\\u{1b}[31m".into())),
            ("ssh-ed25519", Ssh("ssh-ed25519")),
            (&ED25519[..60], Ssh("ssh-ed25519")),
            (&format!("{ED25519}AAAA"), Ssh("ssh-ed25519")),
            (&ED25519.replace("ed25519 ", "rsa "), Ssh("ssh-rsa")),
            (weak, RecipientError::WeakRsa),
            (
                "ecdsa-sha2-nistp256 AAAA",
                SshType("ecdsa-sha2-nistp256".into()),
            ),
            (
                "sk-ssh-ed25519@openssh.com AAAA",
                SshType("sk-ssh-ed25519@openssh.com".into()),
            ),
            ("ssh-dss AAAA", SshType("ssh-dss".into())),
            ("hunter2", Unknown),
            ("agé1", Unknown),
        ] {
            assert_eq!(parse(text), Err(mistake), "for {text:?}");
        }
    }

    #[test]
    fn the_digest_is_of_the_keys_not_of_their_order_or_comments() {
        let one = set(&[AGE, ED25519]);
        let other = set(&[&format!("{ED25519} me@desk"), AGE, &AGE.to_uppercase()]);
        assert_eq!(one, other);
        assert_eq!(one.digest(), other.digest());
        // printf '%s\n' age1zvk… 'ssh-ed25519 AAAA…' | sha256sum
        assert_eq!(one.digest(), "5b822689");
        assert_ne!(one.digest(), set(&[AGE]).digest());
    }
}
