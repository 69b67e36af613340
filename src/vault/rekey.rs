//! Encrypts values anew, to other recipients.

use rayon::prelude::*;

use super::identity::Identities;
use super::open::{OpenError, open};
use super::seal::{SealError, encrypt};
use crate::progress::{Progress, Stopped};
use crate::secrets::recipients::Recipients;
use crate::secrets::value::Secret;

/// Why a value could not be encrypted anew.
#[derive(Debug, thiserror::Error)]
pub enum RekeyError {
    /// The old one can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new one can't be made.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Each value encrypted to the recipients beside it, as the version that it was, in the same order.
///
/// # Errors
/// The user stopped it.
pub fn rekey(
    values: &[(&Secret, &Recipients)],
    identities: &Identities,
    progress: &dyn Progress,
) -> Result<Vec<Result<Secret, RekeyError>>, Stopped> {
    progress.start("encrypting anew", values.len());
    let rekey = |(secret, recipients): &(&Secret, &Recipients)| {
        if progress.stopped() {
            return Err(Stopped);
        }
        let anew = rekey_one(secret, recipients, identities);
        progress.advance(1);
        Ok(anew)
    };
    // A plugin may ask, or wait for a touch: one after another.
    let with_plugins = !identities.of_plugins().is_empty()
        || values
            .iter()
            .any(|(_, recipients)| recipients.plugins().next().is_some());
    if with_plugins {
        values.iter().map(rekey).collect()
    } else {
        values.par_iter().map(rekey).collect()
    }
}

fn rekey_one(
    secret: &Secret,
    recipients: &Recipients,
    identities: &Identities,
) -> Result<Secret, RekeyError> {
    identities
        .plugins
        .check(recipients)
        .map_err(SealError::Plugin)?;
    let plaintext = open(secret, identities)?;
    let sealed = encrypt(plaintext.as_bytes(), recipients, &identities.plugins)?;
    Ok(secret.resealed(recipients, sealed))
}
