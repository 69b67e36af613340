//! From the edited text to the file that will be written.

use std::path::Path;

use super::standing::{Standing, is_as_opened};
use super::{read, recipients};
use crate::commands::secrets::{date_gone, find_place, not_edited};
use crate::commands::{Failure, identities};
use crate::diagnostic::Diagnostic;
use crate::env_file;
use crate::fleet::edit::{Change, EditError, apply};
use crate::fleet::manifest::Manifest;
use crate::fleet::variables;
use crate::ui::Ui;
use crate::vault::editable::{self, Entry};
use crate::vault::memory::MemoryFolder;
use crate::vault::seal::seal;

/// What was made of the edited text.
pub(super) struct Edited {
    pub(super) changes: Vec<Change>,
    /// The file with them.
    pub(super) text: String,
    /// What is to be said beside the changes.
    pub(super) notes: Vec<String>,
    pub(super) warnings: Vec<Diagnostic>,
}

/// Why nothing was made of it.
pub(super) enum NotMade {
    /// The text is wrong, and may be edited again.
    Mistakes(Vec<Diagnostic>),
    /// It would not help to edit it again.
    Failed(Failure),
}

impl From<Failure> for NotMade {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What the edited text comes to in the file as it stands by now.
pub(super) fn make(
    root: &Path,
    place: &str,
    standing: &[Standing],
    folder: &MemoryFolder,
    ui: &Ui,
) -> Result<Edited, NotMade> {
    let bytes = folder.read().map_err(Failure::from)?;
    // What a failed save leaves; and as with git, it is the way to give up.
    if bytes.trim_ascii().is_empty() && !standing.is_empty() {
        return Err(NotMade::Failed(Failure::problem(
            "the text is empty: nothing was written",
            Some("to take values out, delete their lines and leave the comment above"),
        )));
    }
    let entries = editable::read(&bytes).map_err(NotMade::Mistakes)?;
    let manifest = read(root, ui)?;
    let (document, owner) = find_place(&manifest, place)?;
    if !is_as_opened(owner.secrets(document), standing) {
        return Err(NotMade::Failed(Failure::problem(
            format!(
                "the secrets in {} changed while you edited them",
                document.source.name
            ),
            Some("nothing was written; edit them again"),
        )));
    }
    let was = |name: &str| standing.iter().find(|it| it.name == name);
    let is_changed = |entry: &&Entry| {
        was(&entry.name).is_none_or(|it| it.value.as_bytes() != entry.value.as_bytes())
    };
    let changed: Vec<&Entry> = entries.iter().filter(is_changed).collect();
    let mistakes: Vec<_> = changed
        .iter()
        .filter_map(|entry| check(&manifest, entry))
        .collect();
    if !mistakes.is_empty() {
        return Err(NotMade::Mistakes(mistakes));
    }
    let recipients = recipients(&manifest, document, owner, ui)?;
    let plugins = identities::plugins(ui);
    let mut changes = Vec::new();
    let mut warnings = Vec::new();
    let mut notes = Vec::new();
    for entry in changed {
        let name = entry.name.clone();
        if !variables::is_taken(&manifest, &name) {
            warnings.push(variables::taken_by_nobody(&manifest, &name));
        }
        let secret = seal(entry.value.as_bytes(), &recipients, &plugins).map_err(Failure::from)?;
        notes.extend(date_gone(owner, document, &name));
        changes.push(Change::Set {
            name,
            secret,
            expires: None,
        });
    }
    for it in standing {
        let is_there = entries.iter().any(|entry| entry.name == it.name);
        if !is_there && editable::why_not(&it.name, &it.value).is_none() {
            let name = it.name.clone();
            changes.push(Change::Remove { name });
        }
    }
    let text = apply(&document.source, owner, &changes).map_err(|error| match error {
        EditError::Mistake(mistake) => NotMade::Mistakes(vec![*mistake]),
        error => NotMade::Failed(not_edited(
            error,
            &document.source.name,
            std::iter::empty(),
            ui,
        )),
    })?;
    Ok(Edited {
        changes,
        text,
        notes,
        warnings,
    })
}

fn check(manifest: &Manifest, entry: &Entry) -> Option<Diagnostic> {
    if entry.value.is_empty() {
        let help = "write a value, or take the line out to remove the secret";
        return Some(entry.error("the value is empty").help(help));
    }
    if !variables::is_in_env_file(manifest, &entry.name) {
        return None;
    }
    let error = env_file::check_variable(&entry.name, entry.value.as_bytes()).err()?;
    let message = format!("an env file can't hold this value: {error}");
    Some(entry.error(&message).help(error.help()))
}
