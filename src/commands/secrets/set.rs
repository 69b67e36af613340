//! `secrets set`: encrypts a value and writes it into one of the fleet's files.

use std::fs;
use std::path::Path;

use serde_json::json;
use zeroize::Zeroizing;

use super::{date_gone, find_place, not_edited};
use crate::commands::{Failure, Outcome, fail, find_root, identities, lock};
use crate::diagnostic::Diagnostic;
use crate::env_file;
use crate::fleet::date::Date;
use crate::fleet::edit::{Change, Owner, apply};
use crate::fleet::files::Folder;
use crate::fleet::manifest::Manifest;
use crate::fleet::{variables, volume};
use crate::secrets::value::check_name;
use crate::ui::Ui;
use crate::vault::dumps::forbid_dumps;
use crate::vault::seal;
use crate::write::{Batch, Durability};

pub(super) fn run(
    place: &str,
    name: &str,
    file: Option<&Path>,
    expires: Option<Date>,
    start: &Path,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    let _lock = lock(start, "secrets set")?;
    let root = find_root(start)?;
    let (manifest, diagnostics) = Manifest::read(&root, &Folder(root.clone()))?;
    let Some(manifest) = manifest else {
        return Err(fail(ui, diagnostics));
    };
    let (document, owner) = find_place(&manifest, place)?;
    check_name(name)
        .map_err(|error| Failure::problem(error, Some("letters, digits and `_`: `K3S_TOKEN`")))?;
    if let Some(date) = expires
        && date < Date::today()
    {
        return Err(Failure::problem(
            format!("{date} is in the past"),
            Some("name the last day that the value is good for"),
        ));
    }
    let mut mistakes = Vec::new();
    let readers = match owner {
        Owner::Node => Some(document),
        Owner::Role(_) | Owner::Defaults => None,
    };
    let recipients = volume::recipients(&manifest, readers, &mut mistakes);
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, mistakes));
    }
    let plugins = identities::plugins(ui);
    plugins
        .check(&recipients)
        .map_err(|error| Failure::problem(&error, Some(error.help())))?;
    forbid_dumps();
    let value = match file {
        Some(path) => Zeroizing::new(fs::read(path).map_err(|error| {
            Failure::problem(format!("can't read {}: {error}", path.display()), None)
        })?),
        None => ui
            .read_secret(&format!("value of {name}"))
            .map_err(|error| Failure::problem(format!("can't read the value: {error}"), None))?,
    };
    if value.is_empty() {
        return Err(Failure::problem(
            "the value is empty",
            Some("write it at the prompt, to standard input or into a file for `--file`"),
        ));
    }
    if variables::is_in_env_file(&manifest, name)
        && let Err(error) = env_file::check_variable(name, &value)
    {
        return Err(Failure::problem(
            format!("an env file can't hold `{name}`: {error}"),
            Some(error.help()),
        ));
    }
    let secret = seal::seal(&value, &recipients, &plugins)?;
    let version = secret.version().to_owned();
    let change = Change::Set {
        name: name.to_owned(),
        secret,
        expires,
    };
    let text = apply(&document.source, owner, &[change])
        .map_err(|error| not_edited(error, &document.source.name, std::iter::empty(), ui))?;
    let mut batch = Batch::new();
    let path = root.join(&document.source.name);
    batch.stage(&path, text.as_bytes(), Durability::Precious)?;
    batch.commit()?;
    let file = &document.source.name;
    if ui.json() {
        let text = json!({ "format": 1, "name": name, "file": file, "version": version, "expires": expires.map(|date| date.to_string()) });
        ui.result(&format!("{text:#}\n"))?;
    }
    let until = expires.map_or(String::new(), |date| format!(", expires on {date}"));
    ui.say(&format!("set {name} in {file}, version {version}{until}"));
    if expires.is_none()
        && let Some(gone) = date_gone(owner, document, name)
    {
        ui.say(&gone);
    }
    if !variables::is_taken(&manifest, name) {
        ui.mistakes(vec![variables::taken_by_nobody(&manifest, name)]);
    }
    Ok(Outcome::Done)
}
