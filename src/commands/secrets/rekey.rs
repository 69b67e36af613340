//! `secrets rekey`: encrypts what is not encrypted to today's readers to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::commands::{Failure, Outcome, count, fail, find_root, identities, lock};
use crate::diagnostic::Diagnostic;
use crate::fleet::edit::replace_values;
use crate::fleet::files::Folder;
use crate::fleet::manifest::Manifest;
use crate::fleet::volume::{self, Outdated};
use crate::progress::Progress as _;
use crate::secrets::value::Secret;
use crate::ui::{Held, Ui};
use crate::vault::rekey::{RekeyError, rekey};
use crate::write::{Batch, Durability, sweep};

/// What is done in each file: its values and what they become.
type Work<'a> = BTreeMap<&'a str, Vec<(&'a Outdated<'a>, Secret)>>;

pub(super) fn run(
    dry_run: bool,
    identity: Option<PathBuf>,
    start: &Path,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    let _lock = if dry_run {
        None
    } else {
        Some(lock(start, "secrets rekey")?)
    };
    let root = find_root(start)?;
    ui.start("reading", 0);
    let (manifest, mut mistakes) = Manifest::read(&root, &Folder(root.clone()))?;
    let Some(manifest) = manifest else {
        return Err(fail(ui, mistakes));
    };
    volume::check_recipients(&manifest, &mut mistakes);
    let outdated = volume::outdated(&manifest, &mut mistakes);
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, mistakes));
    }
    if !dry_run {
        // What a run left that was killed.
        sweep(&root)?;
        sweep(&root.join("nodes"))?;
    }
    if !dry_run && !outdated.is_empty() {
        let work = encrypt(&outdated, identity, ui)?;
        write(&root, &work, ui)?;
    }
    tell(&outdated, dry_run, ui)?;
    Ok(Outcome::Done)
}

/// All new values; with one that can't be made, there are none.
fn encrypt<'a>(
    outdated: &'a [Outdated<'a>],
    identity: Option<PathBuf>,
    ui: &Ui,
) -> Result<Work<'a>, Failure> {
    let secrets = outdated.iter().map(|value| &value.secret);
    let identities = identities::find(identity, secrets, ui)?;
    ui.mistakes(identities.warnings().to_vec());
    let values: Vec<_> = outdated
        .iter()
        .map(|value| (&value.secret, &*value.recipients))
        .collect();
    let mut work = Work::new();
    let mut failed: BTreeMap<String, (RekeyError, Vec<&Outdated<'_>>)> = BTreeMap::new();
    for (value, anew) in outdated.iter().zip(rekey(&values, &identities, ui)?) {
        match anew {
            Ok(anew) => work.entry(value.file()).or_default().push((value, anew)),
            Err(error) => {
                let failed = failed.entry(error.to_string());
                failed.or_insert((error, Vec::new())).1.push(value);
            }
        }
    }
    if failed.is_empty() {
        return Ok(work);
    }
    let mistakes = failed.values().map(|(why, values)| not_done(why, values));
    Err(fail(ui, mistakes.collect()))
}

/// All values that could not be encrypted anew for one reason, and where they are.
fn not_done(why: &RekeyError, values: &[&Outdated<'_>]) -> Diagnostic {
    let mut of_file: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for value in values {
        let names = of_file.entry(value.file()).or_default();
        names.push(format!("`{}`", value.name));
    }
    let mut files: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (file, names) in of_file {
        files.entry(names.join(", ")).or_default().push(file);
    }
    let mut help: Vec<String> = files
        .iter()
        .map(|(names, files)| format!("{names} in {}", files.join(", ")))
        .collect();
    let other_identity = "name an identity that opens all of them with `--identity FILE`; or set those anew, or remove them";
    let (what, todo) = match why {
        RekeyError::Open(error) => ("open", error.help().or(Some(other_identity))),
        RekeyError::Seal(error) => ("encrypt", error.help()),
    };
    help.extend(todo.map(str::to_owned));
    let first = values[0].item;
    Diagnostic::error(format!(
        "can't {what} {}: {why}",
        count(values.len(), "value")
    ))
    .at(&first.source, first.key())
    .help(help.join("\n"))
}

/// Up to the first rename nothing has changed; from there on each file is the old one or the new one.
fn write(root: &Path, work: &Work<'_>, ui: &Ui) -> Result<(), Failure> {
    let held = Held::begin();
    let mut batch = Batch::new();
    ui.start("writing", work.len());
    for (file, values) in work {
        if ui.stopped() {
            return Err(Failure::Stopped);
        }
        let text = &values[0].0.item.source.text;
        let spans = values.iter().map(|(it, anew)| (it.item.span(), anew));
        let text = replace_values(text, spans.collect());
        batch.stage(&root.join(file), text.as_bytes(), Durability::Precious)?;
        ui.advance(1);
    }
    ui.start("bringing to the disk", work.len());
    let goes_on = || {
        ui.advance(1);
        !ui.stopped()
    };
    if !batch.sync(&goes_on)? || ui.stopped() {
        return Err(Failure::Stopped);
    }
    batch.commit()?;
    held.done();
    Ok(())
}

fn tell(outdated: &[Outdated<'_>], dry_run: bool, ui: &Ui) -> Result<(), Failure> {
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for value in outdated {
        files.entry(value.file()).or_default().push(value.name);
    }
    if ui.json() {
        let files: Vec<_> = files
            .iter()
            .map(|(file, names)| json!({ "file": file, "names": names }))
            .collect();
        let text = json!({ "format": 1, "dry_run": dry_run, "files": files });
        ui.result(&format!("{text:#}\n"))?;
        return Ok(());
    }
    let done = if dry_run { "would rekey" } else { "rekeyed" };
    for (file, names) in &files {
        ui.result(&format!(
            "{done} {} in {file}\n",
            count(names.len(), "value")
        ))?;
    }
    if files.is_empty() {
        ui.say("every value is encrypted to those who may read it today");
    } else if !dry_run {
        ui.say(&format!(
            "{} in {}; sticks stay as they are\nwho could read a value still can, in git's history: if somebody left, set other values",
            count(outdated.len(), "value"),
            count(files.len(), "file")
        ));
    }
    Ok(())
}
