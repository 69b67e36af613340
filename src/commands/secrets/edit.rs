//! `secrets edit`: the values of one place in the user's editor.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{editor, find_place, not_edited};
use crate::commands::{Failure, Outcome, fail, find_root, identities, lock};
use crate::diagnostic::Diagnostic;
use crate::fleet::document::Item;
use crate::fleet::edit::{Change, Owner, apply};
use crate::fleet::files::Folder;
use crate::fleet::manifest::Manifest;
use crate::fleet::volume;
use crate::fleet::wanting::wanting;
use crate::invoker::Invoker;
use crate::progress::Progress as _;
use crate::secrets::recipients::Recipients;
use crate::ui::{Held, Ui};
use crate::vault::dumps::forbid_dumps;
use crate::vault::editable;
use crate::vault::memory::{MemoryError, MemoryFolder};
use crate::vault::seal::SealError;
use crate::write::{Batch, Durability};
use make::{Edited, NotMade, make};
use standing::{Standing, open_all};

mod make;
mod standing;

impl From<MemoryError> for Failure {
    fn from(error: MemoryError) -> Self {
        Self::problem(&error, Some(error.help()))
    }
}

pub(super) fn run(
    place: &str,
    identity: Option<PathBuf>,
    start: &Path,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    if Invoker::detect().is_some() {
        return Err(Failure::problem(
            "under sudo the editor would run as root",
            Some("run it again without sudo"),
        ));
    }
    let _lock = lock(start, "secrets edit")?;
    let root = find_root(start)?;
    let manifest = read(&root, ui)?;
    let (document, owner) = find_place(&manifest, place)?;
    // What can't be written in the end is told before anything is edited.
    let recipients = recipients(&manifest, document, owner, ui)?;
    identities::plugins(ui)
        .check(&recipients)
        .map_err(|error| Failure::problem(&error, Some(error.help())))?;
    let file = document.source.name.clone();
    apply(&document.source, owner, &[])
        .map_err(|error| not_edited(error, &file, std::iter::empty(), ui))?;
    // Where nothing stands yet no identity is read, and what is written is a secret all the same.
    forbid_dumps();
    let standing = open_all(document, owner, identity, ui)?;

    let held = Held::begin();
    let values: Vec<_> = standing
        .iter()
        .map(|it| (it.name.as_str(), &it.value))
        .collect();
    let text = editable::write(&heading(owner, place, &file), &values);
    let folder = MemoryFolder::with("secrets.toml", &text)?;
    drop(text);
    let edited = edit(&root, place, &standing, &folder, &held, ui)?;
    if !edited.changes.is_empty() {
        let mut batch = Batch::new();
        batch.stage(
            &root.join(&file),
            edited.text.as_bytes(),
            Durability::Precious,
        )?;
        if ui.stopped() {
            return Err(Failure::Stopped);
        }
        batch.commit()?;
    }
    let wiped = folder.wipe();
    drop(held);
    tell(&root, &file, &standing, edited, ui)?;
    wiped?;
    Ok(Outcome::Done)
}

fn read(root: &Path, ui: &Ui) -> Result<Manifest, Failure> {
    match Manifest::read(root, &Folder(root.to_owned()))? {
        (Some(manifest), _) => Ok(manifest),
        (None, diagnostics) => Err(fail(ui, diagnostics)),
    }
}

/// Who may read what is written.
fn recipients(
    manifest: &Manifest,
    document: &Item,
    owner: Owner<'_>,
    ui: &Ui,
) -> Result<Recipients, Failure> {
    let mut mistakes = Vec::new();
    let readers = (owner == Owner::Node).then_some(document);
    let recipients = volume::recipients(manifest, readers, &mut mistakes);
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, mistakes));
    }
    if recipients.iter().next().is_none() {
        return Err(Failure::problem(SealError::NoRecipients, None));
    }
    Ok(recipients)
}

fn heading(owner: Owner<'_>, place: &str, file: &str) -> String {
    let whose = match owner {
        Owner::Node => format!("node `{place}`"),
        Owner::Role(role) => format!("role `{role}`"),
        Owner::Defaults => "all nodes, the defaults".to_owned(),
    };
    format!(
        "The secrets of {whose} that stand in {file}, decrypted: `NAME = \"value\"`.\n\
         When you save and close this, what is changed or new is encrypted and written there, and what is\n\
         gone is taken out. Without a change nothing is written.\n\
         This text is in memory only and wiped then; don't save it elsewhere."
    )
}

/// Lets the user edit until it is right or given up.
fn edit(
    root: &Path,
    place: &str,
    standing: &[Standing],
    folder: &MemoryFolder,
    held: &Held,
    ui: &Ui,
) -> Result<Edited, Failure> {
    loop {
        editor::run(folder.path(), held, ui)?;
        let mistakes = match make(root, place, standing, folder, ui) {
            Ok(edited) => return Ok(edited),
            Err(NotMade::Failed(failure)) => return Err(failure),
            Err(NotMade::Mistakes(mistakes)) => mistakes,
        };
        if ui.json() || !ui.can_ask() {
            return Err(fail(ui, mistakes));
        }
        let count = mistakes.len();
        ui.mistakes(mistakes);
        let again = ui
            .confirm("edit again?")
            .map_err(|error| Failure::problem(format!("can't ask: {error}"), None))?;
        if ui.stopped() {
            return Err(Failure::Stopped);
        }
        if !again {
            return Err(Failure::Mistakes(count));
        }
    }
}

fn tell(
    root: &Path,
    file: &str,
    standing: &[Standing],
    edited: Edited,
    ui: &Ui,
) -> Result<(), Failure> {
    let (mut set, mut added, mut removed) = (Vec::new(), Vec::new(), Vec::new());
    for change in &edited.changes {
        match change {
            Change::Set { name, secret, .. } => {
                let version = secret.version();
                if standing.iter().any(|it| it.name == *name) {
                    ui.say(&format!("set {name} in {file}, version {version}"));
                    set.push(name);
                } else {
                    ui.say(&format!("added {name} to {file}, version {version}"));
                    added.push(name);
                }
            }
            Change::Remove { name } => {
                ui.say(&format!("removed {name} from {file}"));
                removed.push(name);
            }
        }
    }
    if edited.changes.is_empty() {
        ui.say(&format!("nothing changed; {file} stays as it is"));
    }
    for note in edited.notes {
        ui.say(&note);
    }
    ui.mistakes(edited.warnings);
    if !removed.is_empty() {
        // What is missing now is seen in the files as they stand now.
        let manifest = read(root, ui)?;
        let wanting = removed.iter().flat_map(|name| wanting(&manifest, name));
        ui.mistakes(wanting.collect());
    }
    if ui.json() {
        let text =
            json!({ "format": 1, "file": file, "set": set, "added": added, "removed": removed });
        ui.result(&format!("{text:#}\n"))?;
    }
    Ok(())
}
