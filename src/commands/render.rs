//! `render`: writes what nodes fetch.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rayon::prelude::*;
use serde_json::json;

use super::{Failure, Loaded, Outcome, count, leaks, load, lock};
use crate::cli;
use crate::fleet::publish;
use crate::git;
use crate::plan::base;
use crate::plan::compare::is_same;
use crate::progress::Progress;
use crate::render::rendered::{Rendered, owner};
use crate::ui::{Held, Ui};
use crate::write::{Batch, Durability, sweep};

mod beside;
mod commit;
mod destination;
mod gate;
mod message;
mod ready;

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
    let commits = args.commit || args.push;
    let records = if commits {
        loaded.read_records(&[])?
    } else {
        BTreeMap::new()
    };
    let (rendered, mut mistakes) = loaded.try_render(&[], ui)?;
    ui.start("looking for secrets", 0);
    let leaks = leaks::find(&loaded, &rendered, [], &mistakes)?;
    mistakes.extend(leaks);
    loaded.settle(mistakes, ui)?;
    if commits {
        return commit::run(args, &loaded, &rendered, &records, ui);
    }
    ui.start("comparing", 0);
    if args.check {
        return check(&loaded, &rendered, ui);
    }
    let work = find_work(&loaded, &rendered)?;
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
    say(rendered.len(), work.write.len(), work.remove.len(), ui);
    // The process ends here: to take a large fleet apart, piece by piece, would be waited for.
    std::mem::forget((loaded, rendered));
    Ok(Outcome::Done)
}

fn say(nodes: usize, written: usize, removed: usize, ui: &Ui) {
    ui.say(&format!(
        "{} rendered, {} written, {} removed",
        count(nodes, "node"),
        count(written, "file"),
        count(removed, "file")
    ));
}

/// The branch that nodes fetch from, where it is another one than people push to.
pub(super) fn elsewhere(loaded: &Loaded) -> Result<Option<String>, git::Error> {
    let settings = &loaded.fleet.git;
    let (Some(repo), Some(_)) = (&loaded.repo, &settings.publish) else {
        return Ok(None);
    };
    // Which remote counts may be unclear; that is told where it is needed.
    let remote = repo.remote(settings.remote.as_deref()).ok().flatten();
    let theirs = match remote.and_then(|remote| remote.head_branch) {
        Some(branch) => Some(branch),
        None => repo.head()?.branch,
    };
    Ok(publish::elsewhere(settings, theirs.as_deref()).map(str::to_owned))
}

fn find_work(loaded: &Loaded, rendered: &[Rendered]) -> Result<Work, git::Error> {
    let root = &loaded.fleet.root;
    let is_stale = |(path, text): &(String, &str)| {
        let there = fs::read(root.join(path)).ok();
        there.as_deref() != Some(text.as_bytes())
    };
    let stale = rendered.par_iter().flat_map_iter(Rendered::files);
    Ok(Work {
        write: stale.filter(is_stale).map(|(path, _)| path).collect(),
        remove: leftover(loaded)?,
    })
}

/// Rendered files of nodes that are no more.
pub(super) fn leftover(loaded: &Loaded) -> Result<Vec<String>, git::Error> {
    let mut leftover = Vec::new();
    let root = &loaded.fleet.root;
    // Only what git can bring back is removed, and only what this command could have made.
    if let Some(repo) = &loaded.repo {
        for folder in base::RENDERED {
            let tracked = repo.tracked(folder)?.into_iter();
            leftover.extend(
                tracked.filter(|path| is_leftover(loaded, path) && root.join(path).exists()),
            );
        }
    }
    Ok(leftover)
}

/// Whether a rendered file is of no node.
fn is_leftover(loaded: &Loaded, path: &str) -> bool {
    owner(path).is_some_and(|node| !loaded.manifest.nodes.contains_key(node))
}

fn check(loaded: &Loaded, rendered: &[Rendered], ui: &Ui) -> Result<Outcome, Failure> {
    let (stale, help) = match elsewhere(loaded)? {
        None => {
            let work = find_work(loaded, rendered)?;
            let stale = [work.write, work.remove].concat();
            (stale, "run `ephemeros render`, and commit what it writes")
        }
        Some(_) => (
            unpublished(loaded, rendered)?,
            "run `ephemeros render --push`",
        ),
    };
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
            Some(help),
        )),
    }
}

/// The files that nodes fetch and that are not what they come to, where nodes fetch from a branch of their own.
fn unpublished(loaded: &Loaded, rendered: &[Rendered]) -> Result<Vec<String>, git::Error> {
    let base = base::find(loaded.repo.as_ref(), &loaded.fleet.git, None)?;
    let files = if base.published {
        base.files
    } else {
        BTreeMap::new()
    };
    let wanted = rendered.iter().flat_map(Rendered::files);
    let stale = wanted.filter(|(path, text)| !is_same(files.get(path), text.as_bytes()));
    let mut stale: Vec<String> = stale.map(|(path, _)| path).collect();
    stale.extend(files.into_keys().filter(|path| is_leftover(loaded, path)));
    Ok(stale)
}

/// Writes beside, then renames: up to the first rename nothing has changed.
fn write(loaded: &Loaded, rendered: &[Rendered], work: &Work, ui: &Ui) -> Result<(), Failure> {
    let held = Held::begin();
    for folder in base::RENDERED {
        // What a run left that was killed.
        sweep(&loaded.fleet.root.join(folder))?;
    }
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
    held.done();
    Ok(())
}
