//! `render`: writes what nodes fetch.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::json;

use super::{Failure, Loaded, Outcome, count, leaks, load, lock};
use crate::cli;
use crate::git;
use crate::progress::Progress;
use crate::render::rendered::{Rendered, ignition_path, script_path};
use crate::ui::{Orderly, Ui};
use crate::write::{Batch, Durability};

/// Files of the fleet, by their paths.
#[derive(Default)]
struct Work {
    write: Vec<String>,
    remove: Vec<String>,
}

pub(super) fn run(args: &cli::Render, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let _lock = if args.check {
        None
    } else {
        Some(lock(start, "render")?)
    };
    let mut loaded = load(start, ui)?;
    loaded.warn_of_url();
    let (rendered, mut mistakes) = loaded.try_render(&[], ui)?;
    let leaks = leaks::find(&loaded, &rendered, [], &mistakes)?;
    mistakes.extend(leaks);
    loaded.settle(mistakes, ui)?;
    let work = find_work(&loaded, &rendered)?;
    if args.check {
        return check(&work, ui);
    }
    write(&loaded, &rendered, &work, ui)?;
    if ui.json() {
        let text = json!({ "format": 1, "written": work.write, "removed": work.remove });
        ui.result(&format!("{text:#}\n"))?;
        return Ok(Outcome::Done);
    }
    for path in &work.write {
        ui.result(&format!("wrote {path}\n"))?;
    }
    for path in &work.remove {
        ui.result(&format!("removed {path}\n"))?;
    }
    ui.say(&format!(
        "{} rendered, {} written, {} removed",
        count(rendered.len(), "node"),
        count(work.write.len(), "file"),
        count(work.remove.len(), "file")
    ));
    Ok(Outcome::Done)
}

fn find_work(loaded: &Loaded, rendered: &[Rendered]) -> Result<Work, git::Error> {
    let root = &loaded.fleet.root;
    let mut work = Work::default();
    for node in rendered {
        for (path, text) in node.files() {
            let there = fs::read(root.join(&path)).ok();
            if there.as_deref() != Some(text.as_bytes()) {
                work.write.push(path);
            }
        }
    }
    work.remove = leftover(loaded)?;
    Ok(work)
}

/// Rendered files of nodes that are no more.
pub(super) fn leftover(loaded: &Loaded) -> Result<Vec<String>, git::Error> {
    let mut leftover = Vec::new();
    let root = &loaded.fleet.root;
    let owned: BTreeSet<String> = loaded
        .manifest
        .nodes
        .keys()
        .flat_map(|node| [ignition_path(node), script_path(node)])
        .collect();
    // Only what git can bring back is removed, and only what this command could have made.
    if let Some(repo) = &loaded.repo {
        for (folder, suffix) in [("ignition", ".ign"), ("ipxe", ".ipxe")] {
            let tracked = repo.tracked(folder)?;
            leftover.extend(tracked.into_iter().filter(|path| {
                let name = path
                    .strip_prefix(folder)
                    .and_then(|name| name.strip_prefix('/'))
                    .and_then(|name| name.strip_suffix(suffix));
                name.is_some_and(crate::fleet::names::is_node_name)
                    && !owned.contains(path)
                    && root.join(path).exists()
            }));
        }
    }
    Ok(leftover)
}

fn check(work: &Work, ui: &Ui) -> Result<Outcome, Failure> {
    let stale: Vec<&String> = work.write.iter().chain(&work.remove).collect();
    if ui.json() {
        let text = json!({ "format": 1, "stale": stale });
        ui.result(&format!("{text:#}\n"))?;
    } else {
        for path in &stale {
            ui.result(&format!("stale {path}\n"))?;
        }
    }
    match stale.len() {
        0 => {
            ui.say("all rendered files are up to date");
            Ok(Outcome::Done)
        }
        number => Err(Failure::problem(
            format!(
                "{}: not what the fleet's files come to",
                count(number, "stale file")
            ),
            Some("run `ephemeros render`, and commit what it writes"),
        )),
    }
}

/// Writes beside, then renames: up to the first rename nothing has changed.
fn write(loaded: &Loaded, rendered: &[Rendered], work: &Work, ui: &Ui) -> Result<(), Failure> {
    let orderly = Orderly::begin();
    let wanted: BTreeSet<&String> = work.write.iter().collect();
    let mut batch = Batch::new();
    ui.start("writing", wanted.len());
    for node in rendered {
        for (path, text) in node.files() {
            if !wanted.contains(&path) {
                continue;
            }
            if ui.stopped() {
                return Err(Failure::Stopped);
            }
            let place = loaded.fleet.root.join(&path);
            batch.stage(&place, text.as_bytes(), Durability::Rendered)?;
            ui.advance(1);
        }
    }
    for path in &work.remove {
        batch.remove(loaded.fleet.root.join(path));
    }
    batch.commit()?;
    // All is written: a Ctrl-C that comes now is too late to say otherwise.
    std::mem::forget(orderly);
    Ok(())
}
