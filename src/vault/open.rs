//! Decrypts values.

use std::io::Read;
use std::iter;

use age::stream::StreamReader;
use age::{DecryptError, Decryptor};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::identity::Identities;
use super::plugin::PluginError;
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
    /// A plugin that may hold the key did not do its work.
    #[error("{}; the value is encrypted to {made_for}; tried {tried}", join(.failed))]
    Plugins {
        /// Each that failed.
        failed: Vec<PluginError>,
        /// As in [`OpenError::NoIdentityFits`].
        made_for: String,
        /// As in [`OpenError::NoIdentityFits`].
        tried: String,
    },
    /// Changed since it was made, by accident or on purpose.
    #[error("the value is damaged: set it again, or restore it from git")]
    Damaged,
}

impl OpenError {
    /// What to do about it, where there is more to do than to name another identity.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Plugins { failed, .. } => failed.first().map(PluginError::help),
            Self::NoIdentityFits { .. } | Self::Damaged => None,
        }
    }
}

/// Decrypts a value. What comes out is never longer than what goes in.
pub fn open(secret: &Secret, identities: &Identities) -> Result<Plaintext, OpenError> {
    let sealed = secret.sealed();
    let opened =
        Decryptor::new_buffered(sealed).and_then(|decryptor| decryptor.decrypt(identities.keys()));
    let mut reader = match opened {
        Err(DecryptError::NoMatchingKeys) => open_by_plugins(secret, identities)?,
        opened => opened.map_err(|_| OpenError::Damaged)?,
    };
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
    let open = |secret: &&Secret| {
        if progress.stopped() {
            return Err(Stopped);
        }
        let opened = open(secret, identities);
        progress.advance(1);
        Ok(opened)
    };
    // A plugin may ask, or wait for a touch: one after another.
    if identities.of_plugins().is_empty() {
        secrets.par_iter().map(open).collect()
    } else {
        secrets.iter().map(open).collect()
    }
}

/// Only where no key of ours opens it: a plugin may ask the user, and be slow.
fn open_by_plugins<'a>(
    secret: &'a Secret,
    identities: &Identities,
) -> Result<StreamReader<&'a [u8]>, OpenError> {
    let mut failed = Vec::new();
    for (name, keys) in identities.of_plugins() {
        let opened = identities.plugins.decrypt(name, &keys, |plugin| {
            Decryptor::new_buffered(secret.sealed())?.decrypt(iter::once(plugin))
        });
        match opened {
            Ok(Ok(reader)) => return Ok(reader),
            Ok(Err(DecryptError::NoMatchingKeys)) => {}
            Ok(Err(_)) => return Err(OpenError::Damaged),
            Err(error) => failed.push(error),
        }
    }
    let made_for = count(secret.stanzas());
    let tried = identities.to_string();
    Err(if failed.is_empty() {
        OpenError::NoIdentityFits { made_for, tried }
    } else {
        OpenError::Plugins {
            failed,
            made_for,
            tried,
        }
    })
}

fn join(failed: &[PluginError]) -> String {
    let failed: Vec<String> = failed.iter().map(ToString::to_string).collect();
    failed.join("; ")
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
