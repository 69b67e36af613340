//! Encrypts values. It needs no private key, but it sees the plaintext.

use std::io::{self, Write};

use age::Encryptor;
use rustix::rand::{GetRandomFlags, getrandom};

use crate::secrets::recipients::{Recipient, Recipients};
use crate::secrets::value::Secret;

/// Why a value could not be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Nobody could ever open it.
    #[error(
        "there are no recipients to encrypt to; name them in `[vault] recipients` of fleet.toml"
    )]
    NoRecipients,
    /// The system's source of randomness failed.
    #[error("the system gave no random numbers")]
    Random(#[from] io::Error),
    /// The age crate refused.
    #[error("age could not encrypt the value")]
    Age(#[from] age::EncryptError),
}

/// Encrypts a value to all the recipients, as a new version.
pub fn seal(plaintext: &[u8], recipients: &Recipients) -> Result<Secret, SealError> {
    let sealed = encrypt(plaintext, recipients)?;
    Ok(Secret::new(recipients, new_version()?, sealed))
}

/// The age file of a value.
pub(super) fn encrypt(plaintext: &[u8], recipients: &Recipients) -> Result<Vec<u8>, SealError> {
    let keys = recipients.iter().map(|recipient| match recipient {
        Recipient::X25519(key) => key as &dyn age::Recipient,
        Recipient::Ssh(key) => key,
    });
    let encryptor = Encryptor::with_recipients(keys).map_err(|error| match error {
        age::EncryptError::MissingRecipients => SealError::NoRecipients,
        error => SealError::Age(error),
    })?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed)?;
    writer.write_all(plaintext)?;
    writer.finish()?;
    Ok(sealed)
}

fn new_version() -> io::Result<[u8; 8]> {
    let mut version = [0; 8];
    // Linux fills up to 256 bytes whole or not at all (getrandom(2)).
    getrandom(&mut version, GetRandomFlags::empty())?;
    Ok(version)
}
