//! Questions to the user: a passphrase, and whatever an age plugin wants to know.

use std::io;
use std::path::Path;

use zeroize::Zeroizing;

/// Whoever can ask the user. `None` where nobody is there to be asked. `plugin` is the name of a program, and one that
/// was looked at; all other text may be anything.
pub trait Ask: Send + Sync {
    /// The passphrase of the identity in this file, `again` where the last one was wrong.
    fn passphrase(&self, path: &Path, again: bool) -> io::Result<Option<Zeroizing<Vec<u8>>>>;

    /// Shows what a plugin has to say: that a token wants to be touched.
    fn tell(&self, plugin: &str, message: &str);

    /// Whether the user takes the first choice.
    fn choose(&self, plugin: &str, question: &str, yes: &str, no: &str)
    -> io::Result<Option<bool>>;

    /// What the user types, shown.
    fn line(&self, plugin: &str, question: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>>;

    /// What the user types, not shown.
    fn secret(&self, plugin: &str, question: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>>;
}

/// Nobody is there.
pub(super) struct Nobody;

impl Ask for Nobody {
    fn passphrase(&self, _: &Path, _: bool) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        Ok(None)
    }

    fn tell(&self, _: &str, _: &str) {}

    fn choose(&self, _: &str, _: &str, _: &str, _: &str) -> io::Result<Option<bool>> {
        Ok(None)
    }

    fn line(&self, _: &str, _: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        Ok(None)
    }

    fn secret(&self, _: &str, _: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        Ok(None)
    }
}
