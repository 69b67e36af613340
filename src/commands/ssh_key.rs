//! An SSH public key in a file: that whose path the original was given, or one of the user's own.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

/// The types of keys that OpenSSH lets in, as sshd(8) lists them for `authorized_keys`.
const TYPES: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// No public key is longer, in bytes.
const LONGEST: usize = 1 << 16;

/// Why there is no key. Nothing of the file is in it, nor its path.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("the file that `SSH_KEY_PATH` names can't be read: {cause}")]
    Unreadable { cause: io::Error, has_tilde: bool },
    #[error("`SSH_KEY_PATH` names a private key")]
    Private,
    #[error("the file that `SSH_KEY_PATH` names is no SSH public key")]
    NoKey,
}

impl KeyError {
    pub(super) fn help(&self) -> &'static str {
        match self {
            Self::Unreadable {
                has_tilde: true, ..
            } => "`~` is not expanded here: write the whole path of a public key",
            Self::Unreadable { .. } => {
                "write the whole path of a public key; another one begins at the working directory"
            }
            Self::Private => "name its public half: the file beside it that ends in `.pub`",
            Self::NoKey => "name a file of one line: `ssh-ed25519 AAAA… you@desk`",
        }
    }
}

/// The line of a public key.
pub(super) fn read(path: &Path) -> Result<String, KeyError> {
    let bytes = read_bytes(path).map_err(|cause| KeyError::Unreadable {
        cause,
        has_tilde: path.as_os_str().as_bytes().starts_with(b"~"),
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|_| KeyError::NoKey)?;
    if ["PRIVATE KEY", "AGE-SECRET-KEY-"]
        .iter()
        .any(|mark| text.to_ascii_uppercase().contains(mark))
    {
        return Err(KeyError::Private);
    }
    let line = text.trim();
    if line.contains(char::is_control) || !is_key(line) {
        return Err(KeyError::NoKey);
    }
    Ok(line.to_owned())
}

fn read_bytes(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 64));
    let most = LONGEST as u64;
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a line is a type and a key that says the same of itself (RFC 4253, 6.6).
fn is_key(line: &str) -> bool {
    let mut words = line.split(' ');
    let (Some(kind), Some(blob)) = (words.next(), words.next()) else {
        return false;
    };
    let Ok(blob) = BASE64_STANDARD.decode(blob) else {
        return false;
    };
    let length = u32::try_from(kind.len()).unwrap_or_default();
    let rest = blob
        .strip_prefix(&length.to_be_bytes()[..])
        .and_then(|rest| rest.strip_prefix(kind.as_bytes()));
    TYPES.contains(&kind) && rest.is_some_and(|rest| rest.len() > 4)
}

/// Whether two lines are one key, whatever their comments.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    fn key(line: &str) -> (Option<&str>, Option<&str>) {
        let mut words = line.split_whitespace();
        (words.next(), words.next())
    }
    key(one) == key(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH7R74GRQtVDWNUPY406oYXwQJUagVco5aWUWdZbbOm0";

    #[test]
    fn a_key_says_of_itself_what_its_line_says() {
        assert!(is_key(KEY) && is_key(&format!("{KEY} me@desk (work)")));
        for other in [
            "",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
            "ssh-ed25519 !",
            &KEY.replacen("ssh-ed25519", "ssh-rsa", 1),
            &KEY.replacen("ssh-ed25519", "ssh-dss", 1),
            &format!("from=\"10.0.0.1\" {KEY}"),
        ] {
            assert!(!is_key(other), "{other}");
        }
        assert!(is_same(&format!("{KEY}  a b"), KEY) && !is_same(KEY, "ssh-ed25519 AAAA"));
    }
}
