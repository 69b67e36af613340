//! Several changes to the secrets of one place, made as one.

use std::sync::Arc;

use super::remove::remove_entry;
use super::{EditError, Owner, find, parse, set_entry};
use crate::fleet::date::Date;
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
        /// When it expires. A date that the old value had goes with that.
        expires: Option<Date>,
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
            Change::Set { name, secret, .. } => {
                set_entry(&source, owner, "secrets", name, &format!("\"{secret}\""))
            }
            Change::Remove { name } => remove_entry(&source, owner, "secrets", name),
        }?;
        source = hiding(&source, text);
        let text = match change {
            Change::Set {
                name,
                expires: Some(date),
                ..
            } => set_entry(&source, owner, "expires", name, &date.to_string()),
            Change::Set { name, .. } | Change::Remove { name } => {
                without_date(&source, owner, name)
            }
        }?;
        source = hiding(&source, text);
    }
    Ok(source.text.clone())
}

fn hiding(before: &Source, text: String) -> Arc<Source> {
    let hidden = secret_ranges(&text);
    Source::hiding(before.name.clone(), text, hidden)
}

/// The file's text without the date of a secret, where it has one.
fn without_date(source: &Arc<Source>, owner: Owner<'_>, name: &str) -> Result<String, EditError> {
    let document = parse(source)?;
    let path = owner.path("expires");
    let found = find(source, &document, owner, &path)?;
    if found.depth == path.len() && found.table.contains_key(name) {
        remove_entry(source, owner, "expires", name)
    } else {
        Ok(source.text.clone())
    }
}
