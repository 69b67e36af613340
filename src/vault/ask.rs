//! Questions to the user: a passphrase, and whatever an age plugin wants to know.

use std::io;
use std::path::Path;

use zeroize::Zeroizing;

/// Whoever can ask the user. `None` where nobody is there to be asked, which is so unless one says otherwise. `plugin` is the name of a program, and one that
/// was looked at; all other text may be anything.
pub trait Ask: Send + Sync {
    /// The passphrase of the identity in this file, `again` where the last one was wrong.
    fn passphrase(&self, _path: &Path, _again: bool) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        Ok(None)
    }

    /// Shows what a plugin has to say: that a token wants to be touched.
    fn tell(&self, _plugin: &str, _message: &str) {}

    /// Whether the user takes the first choice.
    fn choose(
        &self,
        _plugin: &str,
        _question: &str,
        _yes: &str,
        _no: &str,
    ) -> io::Result<Option<bool>> {
        Ok(None)
    }

    /// What the user types, shown.
    fn line(&self, _plugin: &str, _question: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        Ok(None)
    }

    /// What the user types, not shown.
    fn secret(&self, _plugin: &str, _question: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        Ok(None)
    }
}

/// Nobody is there.
pub(super) struct Nobody;

impl Ask for Nobody {}
