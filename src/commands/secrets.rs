//! `secrets`: the only command with private keys.

use std::path::Path;

use super::{Failure, Loaded, Outcome, fail, load};
use crate::cli::Secrets;
use crate::diagnostic::Diagnostic;
use crate::fleet::document::Item;
use crate::fleet::edit::{EditError, Owner};
use crate::fleet::manifest::Manifest;
use crate::nearest::nearest;
use crate::ui::Ui;

mod edit;
mod editor;
mod exposed;
mod exposed_sticks;
mod exposed_text;
mod get;
mod keygen;
mod list;
mod past;
mod rekey;
mod remove;
mod set;

pub(super) fn run(args: &Secrets, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    match args {
        Secrets::Keygen { output } => keygen::run(output.clone(), ui),
        Secrets::Set {
            place,
            name,
            file,
            value: None,
            expires,
        } => set::run(place, name, file.as_deref(), *expires, start, ui),
        Secrets::Set { .. } => Err(Failure::Usage {
            message: "a value is no argument: other users can see those, and the shell remembers them".to_owned(),
            help: "write it at the prompt, to standard input or into a file for `--file`; take another value than that one"
                .to_owned(),
        }),
        Secrets::Edit { place, identity } => edit::run(place, identity.clone(), start, ui),
        Secrets::Rm { place, name } => remove::run(place, name, start, ui),
        Secrets::Rekey { dry_run, identity } => rekey::run(*dry_run, identity.clone(), start, ui),
        Secrets::Get {
            node,
            name,
            identity,
        } => get::run(node, name, identity.clone(), start, ui),
        Secrets::Exposed(args) => exposed::run(args, start, ui),
        Secrets::List { nodes, age } => list::run(&nodes.patterns(), *age, start, ui),
    }
}

/// The file that a secret of this place stands in, and where in it.
fn find_place<'a>(
    manifest: &'a Manifest,
    place: &'a str,
) -> Result<(&'a Item, Owner<'a>), Failure> {
    if place == "defaults" {
        return Ok((&manifest.document, Owner::Defaults));
    }
    if let Some(role) = place.strip_prefix("role:") {
        if manifest.fleet.roles.contains_key(role) {
            return Ok((&manifest.document, Owner::Role(role)));
        }
        let known = manifest.fleet.roles.keys().map(String::as_str);
        return Err(no_role(role, nearest(role, known)));
    }
    if let Some(file) = manifest.nodes.get(place) {
        return Ok((file, Owner::Node));
    }
    let help = match nearest(place, manifest.nodes.keys().map(String::as_str)) {
        Some(near) => format!("a node with a similar name exists: `{near}`"),
        None if manifest.fleet.roles.contains_key(place) => {
            format!("`{place}` is a role: write `role:{place}`")
        }
        None => "name a node, `role:NAME` or `defaults`".to_owned(),
    };
    Err(Failure::problem(
        format!("there is no node `{place}`"),
        Some(&help),
    ))
}

/// What is to be said of a date that went with the value that had it.
fn date_gone(owner: Owner<'_>, file: &Item, name: &str) -> Option<String> {
    let date = owner.expiry(file, name)?;
    Some(format!(
        "the old value of {name} had a date, {date}, which went with it; `secrets set` with `--expires DATE` gives one to the new value"
    ))
}

/// Why a file was not edited; `elsewhere` are places that have what this one lacks.
fn not_edited(
    error: EditError,
    file: &str,
    mut elsewhere: impl Iterator<Item = String>,
    ui: &Ui,
) -> Failure {
    match error {
        EditError::Mistake(mistake) => fail(ui, vec![*mistake]),
        EditError::NoRole { role, nearest } => no_role(&role, nearest.as_deref()),
        EditError::NoSecret { name, nearest } => {
            let help = match (elsewhere.next(), nearest) {
                (Some(place), _) => {
                    format!("`{place}` has one: `ephemeros secrets rm {place} {name}`")
                }
                (None, Some(near)) => format!("a secret with a similar name exists: `{near}`"),
                (None, None) => "`ephemeros secrets list` names them".to_owned(),
            };
            Failure::problem(
                format!("there is no secret `{name}` in {file}"),
                Some(&help),
            )
        }
    }
}

fn no_role(role: &str, near: Option<&str>) -> Failure {
    let help = match near {
        Some(near) => format!("a role with a similar name exists: `{near}`"),
        None => format!("add `[roles.{role}]` to fleet.toml"),
    };
    Failure::problem(format!("there is no role `{role}`"), Some(&help))
}

/// A fleet whose secrets can be believed: with any error in it, that comes first.
fn load_sound(start: &Path, ui: &Ui) -> Result<Loaded, Failure> {
    let mut loaded = load(start, ui)?;
    if loaded.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, std::mem::take(&mut loaded.diagnostics)));
    }
    Ok(loaded)
}
