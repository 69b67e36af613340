//! Decrypts values.

use std::io::Read;

use age::{DecryptError, Decryptor};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::identity::Identities;
use crate::progress::{Progress, Stopped};
use crate::secrets::value::Secret;

/// A decrypted value. It is wiped when dropped, and can't be printed by mistake.
pub struct Plaintext(Zeroizing<Vec<u8>>);

#[cfg(test)]
impl From<Zeroizing<Vec<u8>>> for Plaintext {
    fn from(value: Zeroizing<Vec<u8>>) -> Self {
        Self(value)
    }
}

impl Plaintext {
    /// The value.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value, still wiped when dropped.
    #[must_use]
    pub fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

/// Why a value could not be decrypted.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was encrypted to other keys.
    #[error("no identity fits: the value is encrypted to {made_for}; tried {tried}")]
    NoIdentityFits {
        /// Kinds of keys and how many of each: `2 X25519, 1 ssh-ed25519`.
        made_for: String,
        /// The identities that were there, and why others were not.
        tried: String,
    },
    /// Changed since it was made, by accident or on purpose.
    #[error("the value is damaged: set it again, or restore it from git")]
    Damaged,
}

/// Decrypts a value. What comes out is never longer than what goes in.
pub fn open(secret: &Secret, identities: &Identities) -> Result<Plaintext, OpenError> {
    let sealed = secret.sealed();
    let reader =
        Decryptor::new_buffered(sealed).and_then(|decryptor| decryptor.decrypt(identities.keys()));
    let mut reader = reader.map_err(|error| match error {
        DecryptError::NoMatchingKeys => OpenError::NoIdentityFits {
            made_for: count(secret.stanzas()),
            tried: identities.to_string(),
        },
        _ => OpenError::Damaged,
    })?;
    // Room for all of it, so that no copy is left behind when the buffer grows.
    let mut plaintext = Zeroizing::new(Vec::with_capacity(sealed.len()));
    reader
        .read_to_end(&mut plaintext)
        .map_err(|_| OpenError::Damaged)?;
    Ok(Plaintext(plaintext))
}

/// Decrypts many values, in their order.
///
/// # Errors
/// The user stopped it.
pub fn open_all(
    secrets: &[&Secret],
    identities: &Identities,
    progress: &dyn Progress,
) -> Result<Vec<Result<Plaintext, OpenError>>, Stopped> {
    progress.start("opening", secrets.len());
    let opened = secrets.par_iter().map(|secret| {
        if progress.stopped() {
            return Err(Stopped);
        }
        let opened = open(secret, identities);
        progress.advance(1);
        Ok(opened)
    });
    opened.collect()
}

/// `2 X25519, 1 ssh-ed25519`, sorted by kind.
fn count<'a>(kinds: impl Iterator<Item = &'a str>) -> String {
    let mut kinds: Vec<&str> = kinds.collect();
    kinds.sort_unstable();
    let counted = kinds
        .chunk_by(|one, next| one == next)
        .map(|group| format!("{} {}", group.len(), group[0].escape_default()));
    counted.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
