//! The user's private keys, opened for what they are needed for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Failure, home};
use crate::secrets::value::Secret;
use crate::ui::Ui;
use crate::vault::ask::Ask;
use crate::vault::identity::{Identities, IdentityError, Places, find_identities};
use crate::vault::plugin::Plugins;
use crate::vault::seal::SealError;
use crate::vault::unlock::UnlockError;

/// Names the identity to use.
const VARIABLE: &str = "EPHEMEROS_IDENTITY";

/// How often a choice may be typed that is none.
const TRIES: usize = 3;

/// Where identities are looked for.
pub(super) fn places(option: Option<PathBuf>) -> Places {
    Places {
        option,
        variable: std::env::var_os(VARIABLE).map(PathBuf::from),
        home: home(),
    }
}

/// Why there are no keys for something.
pub(super) enum NoKeys {
    /// None was found.
    Absent(IdentityError),
    /// Those with a passphrase were not opened.
    Closed(UnlockError),
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        Self::problem(&error, error.help())
    }
}

impl From<NoKeys> for Failure {
    fn from(error: NoKeys) -> Self {
        match error {
            NoKeys::Absent(error) => Self::problem(
                error,
                Some("name a private key that you may read with `--identity FILE`"),
            ),
            NoKeys::Closed(error) => Self::problem(&error, Some(error.help())),
        }
    }
}

/// The keys for these values. Where one with a passphrase is needed, the user is asked for it.
pub(super) fn find<'a>(
    option: Option<PathBuf>,
    secrets: impl IntoIterator<Item = &'a Secret>,
    ui: &Ui,
) -> Result<Identities, NoKeys> {
    let mut identities = find_identities(&places(option)).map_err(NoKeys::Absent)?;
    identities
        .unlock_for(secrets, &terminal(ui))
        .map_err(NoKeys::Closed)?;
    Ok(identities)
}

/// Plugins for the recipients that need them.
pub(super) fn plugins(ui: &Ui) -> Plugins {
    Plugins::new(terminal(ui))
}

fn terminal(ui: &Ui) -> Arc<dyn Ask> {
    Arc::new(Terminal(ui.clone()))
}

/// Asks at the terminal.
struct Terminal(Ui);

type Typed = io::Result<Option<Zeroizing<Vec<u8>>>>;

impl Ask for Terminal {
    fn passphrase(&self, path: &Path, again: bool) -> Typed {
        let wrong = if again { "wrong passphrase; " } else { "" };
        self.0
            .ask_hidden(&format!("{wrong}passphrase of {}", path.display()))
    }

    fn tell(&self, plugin: &str, message: &str) {
        self.0.message(plugin, message);
    }

    fn choose(
        &self,
        plugin: &str,
        question: &str,
        yes: &str,
        no: &str,
    ) -> io::Result<Option<bool>> {
        let prompt = format!("{plugin} asks: {question} [y: {yes}, n: {no}]");
        for _ in 0..TRIES {
            let Some(typed) = self.0.ask(&prompt)? else {
                return Ok(None);
            };
            match typed.to_ascii_lowercase().as_slice() {
                b"y" | b"yes" => return Ok(Some(true)),
                b"n" | b"no" => return Ok(Some(false)),
                _ => {}
            }
        }
        Ok(Some(false))
    }

    fn line(&self, plugin: &str, question: &str) -> Typed {
        self.0.ask(&format!("{plugin} asks: {question}"))
    }

    fn secret(&self, plugin: &str, question: &str) -> Typed {
        self.0.ask_hidden(&format!("{plugin} asks: {question}"))
    }
}
