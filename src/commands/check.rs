//! `check`: everything that people wrote, without a key.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use super::{Failure, Outcome, count, load};
use crate::diagnostic::{Folded, fold};
use crate::fleet::volume;
use crate::ui::Ui;

pub(super) fn run(start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let mut loaded = load(start, ui)?;
    loaded.warn_of_url();
    let engine = loaded.engine()?;
    let nodes = loaded.fleet.nodes.iter();
    let used: BTreeSet<&String> = nodes.flat_map(|node| &node.templates).collect();
    // Rendering finds the mistakes in the templates that a node uses.
    let unused = loaded
        .manifest
        .templates
        .iter()
        .filter(|it| !used.contains(it));
    let broken: Vec<_> = unused
        .filter(|template| !template.starts_with('.'))
        .filter_map(|template| engine.check(template))
        .collect();
    loaded.diagnostics.extend(broken);
    let outdated = volume::check_sealed(&loaded.manifest);
    loaded.diagnostics.extend(outdated);
    let rendered = loaded.render(&[], ui)?;
    if ui.json() {
        let warnings = fold(loaded.diagnostics);
        let mistakes: Vec<_> = warnings.iter().map(Folded::to_json).collect();
        let text = json!({ "format": 1, "nodes": rendered.len(), "mistakes": mistakes });
        ui.result(&format!("{text:#}\n"))?;
    } else {
        ui.result(&format!("{}, no mistakes\n", count(rendered.len(), "node")))?;
    }
    Ok(Outcome::Done)
}
