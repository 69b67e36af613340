//! Several changes to the secrets of one place, made as one.

use std::sync::Arc;

use super::remove::remove_entry;
use super::{EditError, Owner, find, parse, set_entry};
use crate::fleet::redact::secret_ranges;
use crate::secrets::value::Secret;
use crate::source::Source;

/// What becomes of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is set, replaced where it stands already.
    Set {
        /// Its name.
        name: String,
        /// What it is now.
        secret: Secret,
    },
    /// It goes.
    Remove {
        /// Its name.
        name: String,
    },
}

/// The file's text with these changes; what is set comes first, so that no table goes that is needed again. With none it
/// says whether the file can be edited at all.
pub fn apply(
    source: &Arc<Source>,
    owner: Owner<'_>,
    changes: &[Change],
) -> Result<String, EditError> {
    find(source, &parse(source)?, owner, &owner.path("secrets"))?;
    let mut source = Arc::clone(source);
    let (set, removed): (Vec<_>, Vec<_>) = changes
        .iter()
        .partition(|change| matches!(change, Change::Set { .. }));
    for change in set.into_iter().chain(removed) {
        let text = match change {
            Change::Set { name, secret } => {
                set_entry(&source, owner, "secrets", name, &format!("\"{secret}\""))
            }
            Change::Remove { name } => remove_entry(&source, owner, "secrets", name),
        }?;
        let hidden = secret_ranges(&text);
        source = Source::hiding(source.name.clone(), text, hidden);
    }
    Ok(source.text.clone())
}
