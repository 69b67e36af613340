//! `init`: a new fleet, made of what can be found out here. Nothing is asked, and nothing that is there is overwritten.

use std::collections::BTreeSet;
use std::path::Path;

use rustix::rand::{GetRandomFlags, getrandom};
use serde_json::json;
use uuid::{Builder, Uuid};

use self::files::NewFile;
use self::found::Found;
use self::place::Place;
use super::{Failure, Outcome};
use crate::cli::{self, Ci};
use crate::fleet::lock::Lock;
use crate::fleet::names;
use crate::git::cli::{Program, create::create};
use crate::git::error::shell_word;
use crate::progress::Progress as _;
use crate::ui::{Orderly, Ui};
use crate::write::{Batch, Durability};

mod files;
mod found;
mod pin;
mod pipelines;
mod place;

pub(super) fn run(args: &cli::Init, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    if !names::is_node_name(&args.node) {
        return Err(Failure::Usage {
            message: format!("`{}` can't be a node's name", args.node),
            help: "lower-case letters, digits and `-` between them, 63 at most".to_owned(),
        });
    }
    let folder = args.folder.as_deref().unwrap_or(Path::new(""));
    let place = Place::find(&start.join(folder))?;
    let _lock = place.lock()?;
    let mut found = Found::look(&place);
    let mut files = files::of_the_fleet(&place.root, &found, &args.node, new_id()?)?;
    let forges: BTreeSet<Ci> = args.ci.iter().copied().collect();
    for forge in &forges {
        let (top, prefix) = (place.top(), place.prefix());
        files.extend(pipelines::of(*forge, top, prefix, &found.branch)?);
    }
    // What is in it takes a while to find out.
    files.push(NewFile::new(place.root.join("fleet.lock"), String::new()));
    refuse_existing(&place, &files)?;
    let (pin, unknown) = pin::find(ui)?;
    if let Some(why) = unknown {
        found.notes.push(format!(
            "fleet.lock pins {}, which this version of the tool knows, without digests: where there is a network run \
             `ephemeros lock --update` ({why})",
            pin.version
        ));
    }
    let pins = Lock {
        os: vec![pin],
        ..Lock::default()
    };
    if let Some(file) = files.last_mut() {
        file.text = pins.to_text();
    }
    let settings = forges.iter().map(|it| pipelines::settings(*it).to_owned());
    found.notes.extend(settings);
    write(&place, &found, &files, ui)?;
    tell(args, start, &place, &found, &files, ui)?;
    Ok(Outcome::Done)
}

fn new_id() -> Result<Uuid, Failure> {
    let mut bytes = [0; 16];
    // Linux fills up to 256 bytes whole or not at all (getrandom(2)).
    getrandom(&mut bytes, GetRandomFlags::empty())
        .map_err(|error| Failure::problem(format!("there is no random number: {error}"), None))?;
    Ok(Builder::from_random_bytes(bytes).into_uuid())
}

fn refuse_existing(place: &Place, files: &[NewFile]) -> Result<(), Failure> {
    let there = |file: &&NewFile| !file.adds && file.path.symlink_metadata().is_ok();
    let there: Vec<String> = files
        .iter()
        .filter(there)
        .map(|file| format!("`{}`", place.shown(&file.path)))
        .collect();
    if there.is_empty() {
        return Ok(());
    }
    let (is, it) = match there.len() {
        1 => ("is", "it is"),
        _ => ("are", "they are"),
    };
    Err(Failure::problem(
        format!(
            "{} {is} there already: {it} not overwritten, and nothing was written",
            there.join(", ")
        ),
        Some("begin in another folder: `ephemeros init DIR`"),
    ))
}

/// All files or none. A repository is made where there is none.
fn write(place: &Place, found: &Found, files: &[NewFile], ui: &Ui) -> Result<(), Failure> {
    let mut batch = Batch::new();
    for file in files {
        batch.stage(&file.path, file.text.as_bytes(), Durability::Precious)?;
    }
    // Somebody else may have begun here meanwhile.
    refuse_existing(place, files)?;
    if ui.stopped() {
        return Err(Failure::Stopped);
    }
    let orderly = Orderly::begin();
    if place.repo.is_none() {
        create(&Program::new(&place.root, ui), &found.branch)?;
    }
    batch.commit()?;
    // All is written: a Ctrl-C that comes now is too late to say otherwise.
    std::mem::forget(orderly);
    Ok(())
}

fn tell(
    args: &cli::Init,
    start: &Path,
    place: &Place,
    found: &Found,
    files: &[NewFile],
    ui: &Ui,
) -> Result<(), Failure> {
    let mut paths: Vec<String> = files.iter().map(|file| place.shown(&file.path)).collect();
    paths.sort();
    let notes = notes(found);
    let next = next(args, start);
    if ui.json() {
        let text = json!({
            "format": 1,
            "name": found.name,
            "folder": place.root.display().to_string(),
            "node": args.node,
            "branch": found.branch,
            "new_repository": place.repo.is_none(),
            "files": paths,
            "notes": notes,
            "next": next,
        });
        ui.result(&format!("{text:#}\n"))?;
        return Ok(());
    }
    for path in paths {
        ui.result(&format!("wrote {path}\n"))?;
    }
    for note in notes {
        ui.say(&format!("note: {note}"));
    }
    ui.say(&format!("next:\n    {}", next.join("\n    ")));
    Ok(())
}

/// What is to be done before the fleet can do all that it is for.
fn notes(found: &Found) -> Vec<String> {
    let mut notes = found.notes.clone();
    if found.ssh_keys.is_empty() {
        notes.push(
            "there is no SSH key in ~/.ssh: `ssh-keygen -t ed25519` makes one; write its public half into fleet.toml, or nobody can log in"
                .to_owned(),
        );
    }
    if found.readers.is_empty() {
        notes.push(
            "there is no key for secrets: `ephemeros secrets keygen` makes one, for `[vault]` in fleet.toml"
                .to_owned(),
        );
    }
    if let Some(why) = &found.no_url {
        notes.push(format!(
            "where nodes fetch is not clear: {why}; `ephemeros plan` tells what to write into fleet.toml"
        ));
    }
    if !found.has_remote {
        notes.push(
            "where nodes fetch is not known yet: `git remote add origin URL` says it".to_owned(),
        );
    }
    notes
}

/// The next commands, to be run as they stand.
fn next(args: &cli::Init, start: &Path) -> Vec<String> {
    let mut next = Vec::new();
    if let Some(folder) = &args.folder {
        let folder = start.join(folder);
        let folder = folder.strip_prefix(".").unwrap_or(&folder);
        let folder = folder.to_string_lossy();
        // `cd` takes it for an option.
        let here = if folder.starts_with('-') { "./" } else { "" };
        if !folder.is_empty() {
            next.push(format!("cd {here}{}", shell_word(&folder)));
        }
    }
    next.push("ephemeros plan".to_owned());
    next.push(format!("ephemeros boot {} --until online", args.node));
    next.push("ephemeros render".to_owned());
    next
}
