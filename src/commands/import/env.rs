//! `import env`: a node of the original Ephemeros becomes a node file with its secrets encrypted.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use self::found::Found;
use self::node_file::NodeFile;
use self::sorted::Sorted;
use crate::cli;
use crate::commands::{Failure, Outcome, fail, find_root, identities, load_from, lock};
use crate::diagnostic::Diagnostic;
use crate::fleet::files::{Folder, With};
use crate::fleet::manifest::Manifest;
use crate::fleet::{names, volume};
use crate::progress::Progress as _;
use crate::render::leaks;
use crate::secrets::value::Secret;
use crate::ui::Ui;
use crate::vault::dumps::forbid_dumps;
use crate::vault::seal::{SealError, seal};
use crate::write::{Batch, Durability};

mod found;
mod node_file;
mod script;
mod sorted;

pub(super) fn run(args: &cli::ImportEnv, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let _lock = lock(start, "import env")?;
    let root = find_root(start)?;
    let (manifest, diagnostics) = Manifest::read(&root, &Folder(root.clone()))?;
    let Some(manifest) = manifest else {
        return Err(fail(ui, diagnostics));
    };
    forbid_dumps();
    let mut mistakes = Vec::new();
    let found = match &args.from {
        Some(path) => Found::in_file(path, &mut mistakes)?,
        None => Found::in_environment(),
    };
    let hostname = hostname(&found, &mut mistakes);
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, mistakes));
    }
    if found.is_empty() {
        return Err(nothing_found(&found));
    }
    let node = node_name(args.node.as_deref(), hostname.as_deref())?;
    let file = format!("nodes/{node}.toml");
    refuse_existing(&root, &file)?;
    let sorted = sorted::sort(&manifest, &found, &args.public, &mut mistakes);
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, mistakes));
    }
    let text = NodeFile {
        origin: &found.origin,
        hostname: hostname.as_deref().filter(|it| *it != node),
        roles: sorted.roles.as_deref(),
        ssh_key: sorted.ssh_key.as_deref(),
        public: &sorted.public,
        secrets: &encrypt(&manifest, &sorted, ui)?,
    }
    .to_string();
    mistakes.extend(check(&root, &node, &file, &text, ui)?);
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, mistakes));
    }
    let mut batch = Batch::new();
    let path = root.join(&file);
    batch.stage(&path, text.as_bytes(), Durability::Precious)?;
    refuse_existing(&root, &file)?;
    if ui.stopped() {
        return Err(Failure::Stopped);
    }
    batch.commit()?;
    tell(&node, &file, &sorted, mistakes, ui)?;
    Ok(Outcome::Done)
}

fn hostname(found: &Found, mistakes: &mut Vec<Diagnostic>) -> Option<String> {
    let variable = found.hostname.as_ref()?;
    match std::str::from_utf8(&variable.value) {
        Ok(text) if names::is_hostname(text) => Some(text.to_owned()),
        _ => {
            mistakes.push(
                found
                    .error(variable, "`NODE_HOSTNAME` can't be a host name")
                    .help(
                        "letters, digits and `-`, with dots between labels, 64 characters at most",
                    ),
            );
            None
        }
    }
}

fn node_name(asked: Option<&str>, hostname: Option<&str>) -> Result<String, Failure> {
    let name = match (asked, hostname) {
        (Some(asked), _) => asked.to_owned(),
        (None, Some(hostname)) => {
            let label = hostname.split('.').next().unwrap_or_default();
            label.to_ascii_lowercase()
        }
        (None, None) => {
            return Err(Failure::Usage {
                message: "which node is it? `NODE_HOSTNAME` is not there to tell".to_owned(),
                help: "name it: `ephemeros import env NODE`".to_owned(),
            });
        }
    };
    if names::is_node_name(&name) {
        return Ok(name);
    }
    Err(Failure::Usage {
        message: format!("`{name}` can't be a node's name"),
        help: "lower-case letters, digits and `-` between them, 63 at most".to_owned(),
    })
}

fn nothing_found(found: &Found) -> Failure {
    Failure::problem(
        format!(
            "no variable of the original Ephemeros is in {}",
            found.origin
        ),
        Some(
            "set what it was run with, `K3S_TOKEN` and so on, as you did for it (`sudo` takes them on its own command line only); \
             or name the `reproduce.sh` of a stick with `--from FILE`",
        ),
    )
}

fn refuse_existing(root: &Path, file: &str) -> Result<(), Failure> {
    if root.join(file).symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Failure::problem(
        format!("`{file}` is there already: it is not overwritten"),
        Some(
            "name another node: `ephemeros import env NODE`; single values go into it with `ephemeros secrets set`",
        ),
    ))
}

/// The secrets as they will stand in the node file.
fn encrypt<'a>(
    manifest: &Manifest,
    sorted: &'a Sorted<'_>,
    ui: &Ui,
) -> Result<BTreeMap<&'a str, Secret>, Failure> {
    if sorted.secrets.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut mistakes = Vec::new();
    let recipients = volume::recipients(manifest, None, &mut mistakes);
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, mistakes));
    }
    if recipients.iter().next().is_none() {
        return Err(SealError::NoRecipients.into());
    }
    let plugins = identities::plugins(ui);
    plugins
        .check(&recipients)
        .map_err(|error| Failure::problem(&error, Some(error.help())))?;
    let mut sealed = BTreeMap::new();
    for (name, value) in &sorted.secrets {
        sealed.insert(*name, seal(value, &recipients, &plugins)?);
    }
    Ok(sealed)
}

/// What `check` would say of the node, were its file written.
fn check(
    root: &Path,
    node: &str,
    file: &str,
    text: &str,
    ui: &Ui,
) -> Result<Vec<Diagnostic>, Failure> {
    let folder = Folder(root.to_owned());
    let files = With {
        files: &folder,
        path: file,
        text,
    };
    let loaded = load_from(root, &files, ui)?;
    let (rendered, mut mistakes) = loaded.try_render(&[node.to_owned()], ui)?;
    let leaks = leaks::find(&loaded.manifest, &rendered, &mistakes)?;
    mistakes.extend(leaks);
    // What is wrong with others was wrong before.
    mistakes.retain(|it| {
        it.node.as_deref() == Some(node) || it.labels.iter().any(|at| at.source.name == file)
    });
    for mistake in &mut mistakes {
        mistake.node = Some(node.to_owned());
        // That file can't be looked into, and it has values in it.
        mistake.labels.retain(|at| at.source.name != file);
    }
    Ok(mistakes)
}

fn tell(
    node: &str,
    file: &str,
    sorted: &Sorted<'_>,
    warnings: Vec<Diagnostic>,
    ui: &Ui,
) -> Result<(), Failure> {
    let encrypted: Vec<&str> = sorted.secrets.keys().copied().collect();
    let public: Vec<&str> = sorted.public.keys().copied().collect();
    if ui.json() {
        let text = json!({
            "format": 1,
            "node": node,
            "file": file,
            "roles": sorted.roles,
            "encrypted": encrypted,
            "public": public,
            "left_out": sorted.left_out,
        });
        ui.result(&format!("{text:#}\n"))?;
    } else {
        ui.result(&format!("wrote {file}\n"))?;
    }
    for (what, names) in [("encrypted", encrypted), ("public", public)] {
        if !names.is_empty() {
            ui.say(&format!("{what}: {}", names.join(", ")));
        }
    }
    for note in &sorted.notes {
        ui.say(&format!("note: {note}"));
    }
    ui.mistakes(warnings);
    ui.say("look at it, and run `ephemeros check`");
    Ok(())
}
