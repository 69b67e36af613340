//! The user's private keys, opened for what they are needed for.

use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Failure, home};
use crate::secrets::value::Secret;
use crate::ui::Ui;
use crate::vault::identity::{Identities, IdentityError, Places, find_identities};
use crate::vault::unlock::{Ask, UnlockError};

/// Names the identity to use.
const VARIABLE: &str = "EPHEMEROS_IDENTITY";

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
    /// One with a passphrase was not opened.
    Closed(UnlockError),
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
        .unlock_for(secrets, &Terminal(ui))
        .map_err(NoKeys::Closed)?;
    Ok(identities)
}

/// Asks at the terminal.
struct Terminal<'a>(&'a Ui);

impl Ask for Terminal<'_> {
    fn passphrase(&self, path: &Path, again: bool) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let wrong = if again { "wrong passphrase; " } else { "" };
        self.0
            .ask_hidden(&format!("{wrong}passphrase of {}", path.display()))
    }
}
