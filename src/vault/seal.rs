//! Encrypts values. It needs no private key, but it sees the plaintext.

use std::collections::BTreeMap;
use std::io::{self, Write};

use age::Encryptor;
use rustix::rand::{GetRandomFlags, getrandom};

use super::plugin::{PluginError, PluginRecipients, Plugins};
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
    /// A plugin did not do its part.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// Keys that withstand quantum computers say so: beside others they would not.
    #[error(
        "the recipients can't stand beside each other: some of them are kept apart by their age plugin"
    )]
    Apart,
    /// The age crate refused.
    #[error("age could not encrypt the value")]
    Age(#[from] age::EncryptError),
}

impl SealError {
    /// What to do about it, where that is not in the message.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Plugin(error) => Some(error.help()),
            Self::Apart => Some(
                "take recipients of that plugin only, or none; post-quantum keys are kept apart so",
            ),
            Self::NoRecipients | Self::Random(_) | Self::Age(_) => None,
        }
    }
}

/// Encrypts a value to all the recipients, as a new version.
pub fn seal(
    plaintext: &[u8],
    recipients: &Recipients,
    plugins: &Plugins,
) -> Result<Secret, SealError> {
    let sealed = encrypt(plaintext, recipients, plugins)?;
    Ok(Secret::new(recipients, new_version()?, sealed))
}

/// The age file of a value. Each plugin runs once, for all of its recipients.
pub(super) fn encrypt(
    plaintext: &[u8],
    recipients: &Recipients,
    plugins: &Plugins,
) -> Result<Vec<u8>, SealError> {
    let mut keys: Vec<&dyn age::Recipient> = Vec::new();
    let mut of_plugins: BTreeMap<&str, PluginRecipients<'_>> = BTreeMap::new();
    for recipient in recipients.iter() {
        match recipient {
            Recipient::X25519(key) => keys.push(key),
            Recipient::Ssh(key) => keys.push(key),
            Recipient::Tag(key) => keys.push(&**key),
            Recipient::TagPq(key) => keys.push(&**key),
            Recipient::Plugin(key) => of_plugins
                .entry(key.plugin())
                .or_insert_with(|| PluginRecipients::new(plugins, key.plugin()))
                .keys
                .push(key.clone()),
        }
    }
    keys.extend(of_plugins.values().map(|keys| keys as &dyn age::Recipient));
    let encryptor = Encryptor::with_recipients(keys.into_iter()).map_err(refused)?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed)?;
    writer.write_all(plaintext)?;
    writer.finish()?;
    Ok(sealed)
}

fn refused(error: age::EncryptError) -> SealError {
    match error {
        age::EncryptError::MissingRecipients => SealError::NoRecipients,
        age::EncryptError::IncompatibleRecipients { .. } => SealError::Apart,
        age::EncryptError::Io(error) => match error.downcast::<PluginError>() {
            Ok(error) => SealError::Plugin(error),
            Err(error) => SealError::Age(error.into()),
        },
        error => SealError::Age(error),
    }
}

fn new_version() -> io::Result<[u8; 8]> {
    let mut version = [0; 8];
    // Linux fills up to 256 bytes whole or not at all (getrandom(2)).
    getrandom(&mut version, GetRandomFlags::empty())?;
    Ok(version)
}
