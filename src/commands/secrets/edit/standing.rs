//! The values that stand at a place, opened.

use std::path::PathBuf;

use crate::commands::{Failure, fail, identities};
use crate::fleet::document::{Item, Table};
use crate::fleet::edit::Owner;
use crate::secrets::value::Secret;
use crate::ui::Ui;
use crate::vault::open::{Plaintext, open};

/// A value that stands at the place.
pub(super) struct Standing {
    pub(super) name: String,
    /// As it is written in the file.
    pub(super) text: String,
    pub(super) value: Plaintext,
}

/// Every value that stands at the place itself, in the order of the file; with one that can't be opened, none.
pub(super) fn open_all(
    document: &Item,
    owner: Owner<'_>,
    identity: Option<PathBuf>,
    ui: &Ui,
) -> Result<Vec<Standing>, Failure> {
    let mut mistakes = Vec::new();
    let mut sealed = Vec::new();
    for (name, item) in owner.secrets(document).into_iter().flatten() {
        match item.text().map(str::parse::<Secret>) {
            Some(Ok(secret)) => sealed.push((name, item, secret)),
            Some(Err(error)) => {
                mistakes.push(item.error(format!("`{name}`: {error}")).help(error.help()));
            }
            None => mistakes.push(
                item.key_error(format!("`{name}` is not a string"))
                    .help("take it out, or encrypt it with `ephemeros secrets set`"),
            ),
        }
    }
    if !mistakes.is_empty() {
        return Err(fail(ui, mistakes));
    }
    if sealed.is_empty() {
        return Ok(Vec::new());
    }
    sealed.sort_by_key(|(_, item, _)| item.span().start);
    let identities = identities::find(identity, sealed.iter().map(|(_, _, it)| it), ui)?;
    ui.mistakes(identities.warnings().to_vec());
    let mut standing = Vec::new();
    for (name, item, secret) in sealed {
        match open(&secret, &identities) {
            Ok(value) => standing.push(Standing {
                name: name.to_owned(),
                text: item.text().unwrap_or_default().to_owned(),
                value,
            }),
            Err(error) => {
                let other = "name an identity that can with `--identity`, or set the value anew";
                mistakes.push(
                    item.key_error(format!("can't open `{name}`: {error}"))
                        .help(error.help().unwrap_or(other)),
                );
            }
        }
    }
    if mistakes.is_empty() {
        Ok(standing)
    } else {
        Err(fail(ui, mistakes))
    }
}

/// Whether the place holds what it held when it was opened.
pub(super) fn is_as_opened(now: Option<&Table>, standing: &[Standing]) -> bool {
    let now = now.into_iter().flatten();
    let now: std::collections::BTreeMap<_, _> =
        now.map(|(name, item)| (name, item.text())).collect();
    now.len() == standing.len()
        && standing
            .iter()
            .all(|it| now.get(it.name.as_str()).copied().flatten() == Some(it.text.as_str()))
}
