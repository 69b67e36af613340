//! `secrets rm`: takes a value out of the fleet's files.

use std::path::Path;

use serde_json::json;

use super::{find_place, not_edited};
use crate::commands::{Failure, Outcome, fail, find_root, lock};
use crate::fleet::edit::{Change, apply};
use crate::fleet::files::Folder;
use crate::fleet::manifest::Manifest;
use crate::fleet::wanting::wanting;
use crate::ui::Ui;
use crate::write::{Batch, Durability};

pub(super) fn run(place: &str, name: &str, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let _lock = lock(start, "secrets rm")?;
    let root = find_root(start)?;
    let files = Folder(root.clone());
    let (manifest, diagnostics) = Manifest::read(&root, &files)?;
    let Some(manifest) = manifest else {
        return Err(fail(ui, diagnostics));
    };
    let (document, owner) = find_place(&manifest, place)?;
    let file = &document.source.name;
    let change = Change::Remove {
        name: name.to_owned(),
    };
    let text = apply(&document.source, owner, &[change]).map_err(|error| {
        let elsewhere = places_of(&manifest, name).filter(|it| it != place);
        not_edited(error, file, elsewhere, ui)
    })?;
    let mut batch = Batch::new();
    batch.stage(&root.join(file), text.as_bytes(), Durability::Precious)?;
    batch.commit()?;
    // What is missing now is seen in the files as they stand now.
    let wanting = match Manifest::read(&root, &files)? {
        (Some(manifest), _) => wanting(&manifest, name),
        (None, _) => Vec::new(),
    };
    if ui.json() {
        let nodes: Vec<_> = wanting.iter().filter_map(|it| it.node.as_ref()).collect();
        let text = json!({ "format": 1, "name": name, "file": file, "needed_by": nodes });
        ui.result(&format!("{text:#}\n"))?;
    }
    ui.say(&format!("removed {name} from {file}"));
    ui.mistakes(wanting);
    Ok(Outcome::Done)
}

/// Where a secret of that name stands, as the command line names places.
fn places_of(manifest: &Manifest, name: &str) -> impl Iterator<Item = String> {
    let layers = manifest.layers();
    let holding = layers.filter(move |layer| layer.item.find(&["secrets", name]).is_some());
    holding.map(|layer| layer.place.into_owned())
}
