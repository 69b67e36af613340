//! Opens the identities that a passphrase protects: only those that are needed, each once.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::ask::Ask;
use super::identity::{Flaw, Identities, IdentityError, Key, parse_age};
use super::plugin::Plugins;
use crate::secrets::value::Secret;

/// How often the user may type a passphrase.
const TRIES: usize = 3;

/// The most work that opening a file may take, as a power of two: what `age` takes too. It needs 4 GiB.
const MOST_WORK: u8 = 22;

/// Why an identity with a passphrase was not opened. It holds neither the passphrase nor any of the file's text.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// Nobody is there to be asked.
    #[error("the identity `{}` is protected by a passphrase, and there is no terminal to ask for it", .0.display())]
    NoTerminal(PathBuf),
    /// The terminal can't be read.
    #[error("can't ask for the passphrase of the identity `{}`: {source}", path.display())]
    Asking {
        /// The identity.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It was tried often enough.
    #[error("wrong passphrase for the identity `{}`, {TRIES} times", .0.display())]
    Wrong(PathBuf),
    /// Several that could have fitted.
    #[error("{}", join(.0))]
    Several(Vec<UnlockError>),
    /// The passphrase is right, and what it opens is of no use.
    #[error(transparent)]
    Unusable(#[from] IdentityError),
}

impl UnlockError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoTerminal(_) => {
                "run it at a terminal, or name an identity without a passphrase with `--identity FILE`"
            }
            Self::Asking { .. } | Self::Wrong(_) => {
                "run it again, or name another identity with `--identity FILE`"
            }
            Self::Unusable(_) => "name another identity with `--identity FILE`",
            Self::Several(all) => all.first().map_or("", Self::help),
        }
    }
}

fn join(errors: &[UnlockError]) -> String {
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}

/// A key that a passphrase protects.
pub(super) enum Locked {
    /// An age file with keys in it.
    Age(Vec<u8>),
    /// An OpenSSH key.
    Ssh {
        /// The key.
        key: Box<age::ssh::EncryptedKey>,
        /// What an age file calls it.
        tag: String,
    },
}

impl Identities {
    /// Opens those identities with a passphrase that are needed for these values: none where keys without one open all
    /// of them, and none that can't be for any of them. Where one can't be opened, the next that may fit is tried.
    /// Plugins stay for the end: they run where a value is opened, and ask in the same way.
    pub fn unlock_for<'a>(
        &mut self,
        secrets: impl IntoIterator<Item = &'a Secret>,
        ask: &Arc<dyn Ask>,
    ) -> Result<(), UnlockError> {
        self.plugins = Plugins::new(Arc::clone(ask));
        if self.locked.is_empty() {
            return Ok(());
        }
        let secrets = secrets.into_iter();
        let mut closed: Vec<&Secret> = secrets.filter(|secret| !self.fit(secret)).collect();
        let mut failed = Vec::new();
        for (path, locked) in std::mem::take(&mut self.locked) {
            if !closed.iter().any(|secret| locked.may_fit(secret)) {
                self.locked.push((path, locked));
                continue;
            }
            match locked.unlock(&path, &**ask) {
                Ok(keys) => {
                    self.read.push((path, keys));
                    closed.retain(|secret| !self.fit(secret));
                }
                Err(error) => failed.push((locked, error)),
            }
        }
        // Another one may have done instead.
        failed.retain(|(locked, _)| closed.iter().any(|secret| locked.may_fit(secret)));
        let mut failed: Vec<UnlockError> = failed.into_iter().map(|(_, error)| error).collect();
        if failed.is_empty() || !self.of_plugins().is_empty() {
            self.failed = failed;
            return Ok(());
        }
        Err(match failed.len() {
            1 => failed.remove(0),
            _ => UnlockError::Several(failed),
        })
    }

    /// Whether one of the keys is for this value. A damaged one is told where it is opened.
    fn fit(&self, secret: &Secret) -> bool {
        let opened = Decryptor::new_buffered(secret.sealed())
            .and_then(|decryptor| decryptor.decrypt(self.keys()).map(drop));
        !matches!(opened, Err(DecryptError::NoMatchingKeys))
    }
}

impl Locked {
    /// Whether a value may be for this key, as far as it tells. Keys of age and of plugins are not named in what is for
    /// them.
    fn may_fit(&self, secret: &Secret) -> bool {
        match self {
            Self::Age(_) => secret.stanzas().any(|kind| !kind.starts_with("ssh-")),
            Self::Ssh { tag, .. } => secret.ssh_tags().any(|named| named == tag),
        }
    }

    fn unlock(&self, path: &Path, ask: &dyn Ask) -> Result<Vec<Key>, UnlockError> {
        for attempt in 0..TRIES {
            let typed = ask.passphrase(path, attempt > 0);
            let typed = typed.map_err(|source| UnlockError::Asking {
                path: path.to_owned(),
                source,
            })?;
            let typed = typed.ok_or_else(|| UnlockError::NoTerminal(path.to_owned()))?;
            let Ok(typed) = str::from_utf8(&typed) else {
                continue;
            };
            let opened = self.open(typed.into());
            if let Some(keys) = opened.map_err(|flaw| IdentityError::Unusable {
                path: path.to_owned(),
                flaw,
            })? {
                return Ok(keys);
            }
        }
        Err(UnlockError::Wrong(path.to_owned()))
    }

    /// The keys; `None` where the passphrase is wrong.
    fn open(&self, passphrase: SecretString) -> Result<Option<Vec<Key>>, Flaw> {
        match self {
            Self::Age(sealed) => open_age(sealed, passphrase),
            Self::Ssh { key, .. } => Ok(key
                .decrypt(passphrase)
                .ok()
                .map(|key| vec![Key::Ssh(Box::new(key.into()))])),
        }
    }
}

fn open_age(sealed: &[u8], passphrase: SecretString) -> Result<Option<Vec<Key>>, Flaw> {
    let mut identity = age::scrypt::Identity::new(passphrase);
    identity.set_max_work_factor(MOST_WORK);
    let decryptor = Decryptor::new(ArmoredReader::new(sealed)).map_err(|_| Flaw::Damaged)?;
    let keys = std::iter::once(&identity as &dyn age::Identity);
    let mut reader = match decryptor.decrypt(keys) {
        Ok(reader) => reader,
        Err(DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed) => {
            return Ok(None);
        }
        Err(DecryptError::ExcessiveWork { required, .. }) => return Err(Flaw::Work(required)),
        Err(_) => return Err(Flaw::Damaged),
    };
    // Room for all of it, so that no copy is left behind when the buffer grows.
    let mut text = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader.read_to_end(&mut text).map_err(|_| Flaw::Damaged)?;
    let text = str::from_utf8(&text).map_err(|_| Flaw::NotText)?;
    parse_age(text).map(Some)
}

/// What an age file calls an SSH key: 4 bytes of the SHA-256 of the public key, in base64. In OpenSSH's format
/// (PROTOCOL.key) that stands in front of what is encrypted.
pub(super) fn ssh_tag(text: &str) -> Option<String> {
    let lines = text.lines().skip(1);
    let body = lines.take_while(|line| !line.starts_with("-----"));
    let body: String = body.map(str::trim).collect();
    let bytes = BASE64_STANDARD.decode(body).ok()?;
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    for _ in ["cipher", "derivation", "its options"] {
        take_string(&mut rest)?;
    }
    // How many keys there are: one.
    rest = rest.get(4..)?;
    let public = take_string(&mut rest)?;
    Some(BASE64_STANDARD_NO_PAD.encode(&Sha256::digest(public)[..4]))
}

/// A `string` of SSH (RFC 4251, section 5): its length in 4 bytes, then it.
fn take_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk()?;
    let (string, behind) = behind.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *rest = behind;
    Some(string)
}

#[cfg(test)]
mod tests;
