//! `secrets`: the only command with private keys.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use zeroize::Zeroizing;

use super::{Failure, Loaded, Outcome, fail, find_root, identities, load, lock};
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::env_file;
use crate::fleet::document::Item;
use crate::fleet::edit::{EditError, Owner, set_secret};
use crate::fleet::files::Folder;
use crate::fleet::manifest::Manifest;
use crate::fleet::{variables, volume};
use crate::invoker::Invoker;
use crate::nearest::nearest;
use crate::secrets::value::{Secret, check_name};
use crate::ui::Ui;
use crate::vault::{keygen, open, seal};
use crate::write::{Batch, Durability};

mod rekey;
mod remove;

pub(super) fn run(args: &cli::Secrets, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    match args {
        cli::Secrets::Keygen { output } => make_identity(output.clone(), ui),
        cli::Secrets::Set { place, name, file } => set(place, name, file.as_deref(), start, ui),
        cli::Secrets::Rm { place, name } => remove::run(place, name, start, ui),
        cli::Secrets::Rekey { dry_run, identity } => {
            rekey::run(*dry_run, identity.clone(), start, ui)
        }
        cli::Secrets::Get {
            node,
            name,
            identity,
        } => get(node, name, identity.clone(), start, ui),
        cli::Secrets::List { nodes } => list(&nodes.patterns(), start, ui),
    }
}

fn make_identity(output: Option<PathBuf>, ui: &Ui) -> Result<Outcome, Failure> {
    if Invoker::detect().is_some() {
        return Err(Failure::problem(
            "an identity made under sudo would belong to root",
            Some("run it again without sudo"),
        ));
    }
    let path = identities::places(output).own().ok_or_else(|| {
        Failure::problem(
            "there is no home directory",
            Some("name a file with `--output`"),
        )
    })?;
    let recipient =
        keygen::generate_identity(&path).map_err(|error| Failure::problem(error, None))?;
    ui.say(&format!(
        "wrote {}: keep it, nobody can make it again\nits public key, for `[vault] recipients` in fleet.toml:",
        path.display()
    ));
    if ui.json() {
        let text = json!({ "format": 1, "file": path.display().to_string(), "recipient": recipient.to_string() });
        ui.result(&format!("{text:#}\n"))?;
    } else {
        ui.result(&format!("{recipient}\n"))?;
    }
    Ok(Outcome::Done)
}

fn set(
    place: &str,
    name: &str,
    file: Option<&Path>,
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
    let mut mistakes = Vec::new();
    let readers = match owner {
        Owner::Node => Some(document),
        Owner::Role(_) | Owner::Defaults => None,
    };
    let recipients = volume::recipients(&manifest, readers, &mut mistakes);
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, mistakes));
    }
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
    let secret = seal::seal(&value, &recipients).map_err(|error| Failure::problem(error, None))?;
    let text = set_secret(&document.source, owner, name, &secret)
        .map_err(|error| not_edited(error, &document.source.name, std::iter::empty(), ui))?;
    let mut batch = Batch::new();
    let path = root.join(&document.source.name);
    batch.stage(&path, text.as_bytes(), Durability::Precious)?;
    batch.commit()?;
    let (file, version) = (&document.source.name, secret.version());
    if ui.json() {
        let text = json!({ "format": 1, "name": name, "file": file, "version": version });
        ui.result(&format!("{text:#}\n"))?;
    }
    ui.say(&format!("set {name} in {file}, version {version}"));
    if !variables::is_taken(&manifest, name) {
        ui.mistakes(vec![variables::taken_by_nobody(&manifest, name)]);
    }
    Ok(Outcome::Done)
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
        None => "name a node, `role:NAME` or `defaults`".to_owned(),
    };
    Err(Failure::problem(
        format!("there is no node `{place}`"),
        Some(&help),
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

fn get(
    node: &str,
    name: &str,
    identity: Option<PathBuf>,
    start: &Path,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    let loaded = load_sound(start, ui)?;
    let nodes = loaded.select(&[node.to_owned()])?;
    let [node] = nodes.as_slice() else {
        return Err(Failure::Usage {
            message: format!("`{node}` fits {} nodes", nodes.len()),
            help: "name one".to_owned(),
        });
    };
    let secret: &Secret = node.secrets.get(name).ok_or_else(|| {
        let help = match nearest(name, node.secrets.keys().map(String::as_str)) {
            Some(near) => format!("a secret with a similar name exists: `{near}`"),
            None => "`ephemeros secrets list` names them".to_owned(),
        };
        Failure::problem(format!("{} has no secret `{name}`", node.name), Some(&help))
    })?;
    let identities = identities::find(identity, [secret], ui)?;
    ui.mistakes(identities.warnings().to_vec());
    let value = open::open(secret, &identities).map_err(|error| {
        let help = "name an identity that can with `--identity`, or set the value anew";
        Failure::problem(format!("can't open `{name}`: {error}"), Some(help))
    })?;
    ui.secret(value.as_bytes())?;
    Ok(Outcome::Done)
}

fn list(patterns: &[String], start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let loaded = load_sound(start, ui)?;
    // One line a value, however many nodes have it.
    let mut values: BTreeMap<(String, String), (String, Vec<&str>)> = BTreeMap::new();
    for node in loaded.select(patterns)? {
        for (name, secret) in &node.secrets {
            let Some(item) = node.profile.find(&["secrets", name]) else {
                continue;
            };
            let line = item.source.position(item.span.start).line;
            let key = (name.clone(), format!("{}:{line}", item.source.name));
            let entry = values.entry(key);
            let (_, nodes) = entry.or_insert_with(|| (secret.version().to_owned(), Vec::new()));
            nodes.push(&node.name);
        }
    }
    if ui.json() {
        let entries: Vec<_> = values
            .iter()
            .map(|((name, origin), (version, nodes))| {
                json!({ "name": name, "origin": origin, "version": version, "nodes": nodes })
            })
            .collect();
        let text = json!({ "format": 1, "secrets": entries });
        ui.result(&format!("{text:#}\n"))?;
        return Ok(Outcome::Done);
    }
    let width = |part: fn(&(String, String)) -> &String| {
        values.keys().map(|key| part(key).len()).max().unwrap_or(0)
    };
    let (names, origins) = (width(|key| &key.0), width(|key| &key.1));
    for ((name, origin), (version, nodes)) in &values {
        let nodes = nodes.join(", ");
        ui.result(&format!(
            "{name:names$}  {origin:origins$}  {version}  {nodes}\n"
        ))?;
    }
    Ok(Outcome::Done)
}

/// A fleet whose secrets can be believed: with any error in it, that comes first.
fn load_sound(start: &Path, ui: &Ui) -> Result<Loaded, Failure> {
    let mut loaded = load(start, ui)?;
    if loaded.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, std::mem::take(&mut loaded.diagnostics)));
    }
    Ok(loaded)
}
