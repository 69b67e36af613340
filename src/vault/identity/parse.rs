//! What is in a file of identities.

use age::Decryptor;
use age::armor::ArmoredReader;

use super::{Key, LONGEST_FILE};
use crate::secrets::plugin::is_plugin_name;
use crate::vault::unlock::{Locked, ssh_tag};

/// What is wrong with a file of identities.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// `AGE-PLUGIN-…` with a name that no plugin may have.
    #[error("is for an age plugin whose name can't be one (line {0}): copy the key again, whole")]
    PluginName(usize),
    /// The `.pub` file was named.
    #[error("is a public key: name the private one")]
    Public,
    /// An SSH key that age does not take.
    #[error(
        "is an SSH key of a type that age can't use: take `ssh-ed25519`, or `ephemeros secrets keygen`"
    )]
    SshType,
    /// An SSH key with a passphrase, in the form of before OpenSSH's own, or in a cipher that age does not know.
    #[error(
        "is an SSH key whose encryption age can't read: write it anew with `ssh-keygen -p -Z aes256-ctr -f FILE`"
    )]
    SshCipher,
    /// It begins like a private key in PEM.
    #[error("is no OpenSSH private key, or a damaged one")]
    Pem,
    /// A line that is neither a key nor a comment.
    #[error("has no age key in line {0}, or a mistyped one")]
    Line(usize),
    /// Nothing but comments.
    #[error("holds no key")]
    Empty,
    /// Binary.
    #[error("is not a text file")]
    NotText,
    /// Longer than any key.
    #[error("is too long for a file of keys")]
    TooLong,
    /// An age file that is for keys, and so needs another identity.
    #[error("is an age file that is encrypted to keys and not with a passphrase: decrypt it first")]
    ForKeys,
    /// An age file that begins well.
    #[error("is a damaged age file: restore it, or name another with `--identity`")]
    Damaged,
    /// More work than the passphrase is worth.
    #[error(
        "takes too much work to open (2^{0}): encrypt it anew with `age -p`, or name another with `--identity`"
    )]
    Work(u8),
}

/// What a file holds.
pub(super) enum Parsed {
    /// Keys that can be used.
    Keys(Vec<Key>),
    /// Keys that a passphrase protects.
    Locked(Locked),
}

pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, Flaw> {
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(Flaw::TooLong);
    }
    if bytes.starts_with(b"age-encryption.org/") {
        return parse_encrypted(bytes);
    }
    let text = str::from_utf8(bytes).map_err(|_| Flaw::NotText)?;
    let start = text.trim();
    if start.starts_with("-----BEGIN AGE ENCRYPTED FILE-----") {
        parse_encrypted(start.as_bytes())
    } else if start.starts_with("-----BEGIN ") {
        parse_ssh(text.trim_start())
    } else {
        Ok(Parsed::Keys(parse_age(text)?))
    }
}

/// An age file that only a passphrase opens, with armor or without.
fn parse_encrypted(bytes: &[u8]) -> Result<Parsed, Flaw> {
    match Decryptor::new(ArmoredReader::new(bytes)) {
        Ok(file) if file.is_scrypt() => Ok(Parsed::Locked(Locked::Age(bytes.to_owned()))),
        Ok(_) => Err(Flaw::ForKeys),
        Err(_) => Err(Flaw::Damaged),
    }
}

fn parse_ssh(text: &str) -> Result<Parsed, Flaw> {
    use age::ssh::{Identity, UnsupportedKey};
    match Identity::from_buffer(text.as_bytes(), None).map_err(|_| Flaw::Pem)? {
        key @ Identity::Unencrypted(_) => Ok(Parsed::Keys(vec![Key::Ssh(Box::new(key))])),
        Identity::Encrypted(key) => Ok(Parsed::Locked(Locked::Ssh {
            key: Box::new(key),
            tag: ssh_tag(text).ok_or(Flaw::Pem)?,
        })),
        Identity::Unsupported(UnsupportedKey::EncryptedPem | UnsupportedKey::EncryptedSsh(_)) => {
            Err(Flaw::SshCipher)
        }
        Identity::Unsupported(_) => Err(Flaw::SshType),
    }
}

pub(in crate::vault) fn parse_age(text: &str) -> Result<Vec<Key>, Flaw> {
    let mut keys = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Ok(key) = line.parse() {
            keys.push(Key::X25519(key));
        } else if let Some(rest) = line.strip_prefix("AGE-PLUGIN-") {
            keys.push(Key::Plugin(parse_plugin(line, rest, number)?));
        } else if line.starts_with("age1") || line.starts_with("ssh-") {
            return Err(Flaw::Public);
        } else {
            return Err(Flaw::Line(number));
        }
    }
    if keys.is_empty() {
        return Err(Flaw::Empty);
    }
    Ok(keys)
}

/// `AGE-PLUGIN-NAME-1…`; `rest` begins with the name.
fn parse_plugin(line: &str, rest: &str, number: usize) -> Result<age::plugin::Identity, Flaw> {
    // There is no `1` behind the last one, in Bech32.
    let (name, _) = rest.rsplit_once("-1").ok_or(Flaw::Line(number))?;
    let key: age::plugin::Identity = match line.parse() {
        _ if !is_plugin_name(&name.to_ascii_lowercase()) => return Err(Flaw::PluginName(number)),
        Ok(key) => key,
        Err(_) => return Err(Flaw::Line(number)),
    };
    // Whatever the age crate takes the name for, it is the one that was looked at.
    if key.plugin() == name.to_ascii_lowercase() {
        Ok(key)
    } else {
        Err(Flaw::PluginName(number))
    }
}
