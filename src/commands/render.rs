//! `render`: writes what nodes fetch.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rayon::prelude::*;
use serde_json::json;

use super::{Failure, Loaded, Outcome, count, load, lock, settle};
use crate::cli;
use crate::fleet::files::{Files as _, Folder};
use crate::fleet::publish;
use crate::git;
use crate::plan::base;
use crate::plan::compare::is_same;
use crate::progress::Progress as _;
use crate::render::leaks::Search;
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
    let mut search = Search::of_all(&loaded.manifest, [])?;
    if commits {
        let (rendered, mut mistakes) = loaded.try_render(&[], ui)?;
        search.look(&rendered)?;
        mistakes.extend(search.end(&mistakes));
        settle(mistakes, ui)?;
        return commit::run(args, &loaded, &rendered, &records, ui);
    }
    if args.check {
        return check(&loaded, search, ui);
    }
    let mut writer = Writer::begin(&loaded)?;
    let mut nodes = 0;
    let mut mistakes = loaded.render_each(&[], ui, |rendered| {
        nodes += rendered.len();
        search.look(&rendered)?;
        writer.stage(&rendered, ui)
    })?;
    mistakes.extend(search.end(&mistakes));
    settle(mistakes, ui)?;
    let work = writer.commit()?;
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
    say(nodes, work.write.len(), work.remove.len(), ui);
    // The process ends here: to take a large fleet apart, piece by piece, would be waited for.
    std::mem::forget(loaded);
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

/// The files of nodes that are not on disk as they were rendered.
fn stale<'a>(loaded: &Loaded, rendered: &'a [Rendered]) -> Vec<(String, &'a str)> {
    let root = &loaded.fleet.root;
    let is_stale = |(path, text): &(String, &str)| {
        let there = fs::read(root.join(path)).ok();
        there.as_deref() != Some(text.as_bytes())
    };
    let files = rendered.par_iter().flat_map_iter(Rendered::files);
    files.filter(is_stale).collect()
}

/// Rendered files of nodes that are no more.
pub(super) fn leftover(loaded: &Loaded) -> Result<Vec<String>, Failure> {
    let mut leftover = Vec::new();
    let Some(repo) = &loaded.repo else {
        return Ok(leftover);
    };
    let files = Folder(loaded.fleet.root.clone());
    for folder in base::RENDERED {
        let there = files.list(folder)?.into_iter();
        let there = there.map(|name| format!("{folder}/{name}"));
        let mut found: Vec<String> = there.filter(|path| is_leftover(loaded, path)).collect();
        // Only what git can bring back is removed, and only what this command could have made. git's index has every file
        // of the repository, so it waits until there is something to ask.
        if !found.is_empty() {
            let tracked = repo.tracked(folder)?;
            found.retain(|path| tracked.contains(path));
        }
        leftover.extend(found);
    }
    Ok(leftover)
}

/// Whether a rendered file is of no node.
fn is_leftover(loaded: &Loaded, path: &str) -> bool {
    owner(path).is_some_and(|node| !loaded.manifest.nodes.contains_key(node))
}

fn check(loaded: &Loaded, mut search: Search<'_>, ui: &Ui) -> Result<Outcome, Failure> {
    let published = match elsewhere(loaded)? {
        Some(_) => Some(base::find(loaded.repo.as_ref(), &loaded.fleet.git, None)?.fetched()),
        None => None,
    };
    let mut stale = Vec::new();
    let mut mistakes = loaded.render_each(&[], ui, |rendered| {
        search.look(&rendered)?;
        match &published {
            None => stale.extend(self::stale(loaded, &rendered).into_iter().map(|it| it.0)),
            Some(files) => {
                let wanted = rendered.iter().flat_map(Rendered::files);
                let wanted =
                    wanted.filter(|(path, text)| !is_same(files.get(path), text.as_bytes()));
                stale.extend(wanted.map(|(path, _)| path));
            }
        }
        Ok(())
    })?;
    mistakes.extend(search.end(&mistakes));
    settle(mistakes, ui)?;
    let help = match published {
        None => {
            stale.extend(leftover(loaded)?);
            "run `ephemeros render`, and commit what it writes"
        }
        Some(files) => {
            stale.extend(files.into_keys().filter(|path| is_leftover(loaded, path)));
            "run `ephemeros render --push`"
        }
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

/// Writes files beside the old ones while a fleet is rendered, then renames them: up to the first rename nothing has changed.
struct Writer<'a> {
    loaded: &'a Loaded,
    batch: Batch,
    work: Work,
    // The last one to be dropped: until then the batch puts its files away.
    held: Held,
}

impl<'a> Writer<'a> {
    fn begin(loaded: &'a Loaded) -> Result<Self, Failure> {
        let held = Held::begin();
        for folder in base::RENDERED {
            // What a run left that was killed.
            sweep(&loaded.fleet.root.join(folder))?;
        }
        Ok(Self {
            loaded,
            batch: Batch::new(),
            work: Work::default(),
            held,
        })
    }

    fn stage(&mut self, rendered: &[Rendered], ui: &Ui) -> Result<(), Failure> {
        for (path, text) in stale(self.loaded, rendered) {
            if ui.stopped() {
                return Err(Failure::Stopped);
            }
            let place = self.loaded.fleet.root.join(&path);
            let batch = &mut self.batch;
            batch.stage(&place, text.as_bytes(), Durability::Rendered)?;
            self.work.write.push(path);
        }
        Ok(())
    }

    /// Puts them in their places, and removes what is of no node.
    fn commit(mut self) -> Result<Work, Failure> {
        self.work.remove = leftover(self.loaded)?;
        for path in &self.work.remove {
            self.batch.remove(self.loaded.fleet.root.join(path));
        }
        self.batch.commit()?;
        self.held.done();
        Ok(self.work)
    }
}
