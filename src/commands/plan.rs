//! `plan`: what would change, and what it costs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::json;

use super::render::leftover;
use super::{Failure, Loaded, Outcome, load, plan_live, plan_text, records};
use crate::cli;
use crate::fleet::date::Date;
use crate::fleet::expiry;
use crate::git;
use crate::plan::base::{self, Base};
use crate::plan::compare::{Plan, compare, is_same, removed};
use crate::render::rendered::Rendered;
use crate::stick::record::Sticks;
use crate::ui::Ui;

pub(super) fn run(args: &cli::Plan, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let mut loaded = load(start, ui)?;
    loaded.warn_of_url();
    let expiring = expiry::warnings(&loaded.manifest, Date::today());
    loaded.diagnostics.extend(expiring);
    let patterns = args.nodes.patterns();
    let records = loaded.read_records(&patterns)?;
    let rendered = loaded.render(&patterns, ui)?;
    let repo = loaded.repo.as_ref();
    let (base, hint) = if args.live {
        plan_live::base(&loaded, &patterns, &rendered, ui)?
    } else {
        let base = base::find(repo, &loaded.fleet.git, args.against.as_deref())?;
        (base, None)
    };
    let plan = compute(&loaded, &base, &patterns, &rendered, &records)?;
    // What was pushed does not depend on what the user compares with.
    let fetched = if args.live || args.against.is_some() {
        &base::find(repo, &loaded.fleet.git, None)?
    } else {
        &base
    };
    let leftover = if patterns.is_empty() {
        leftover(&loaded)?.len()
    } else {
        0
    };
    let mut notes = pending(&loaded, fetched, &rendered, leftover)?;
    notes.extend(records::notes(&plan));
    notes.extend(hint);
    if ui.json() {
        let text = json!({
            "format": 1,
            "base": plan.base,
            "nodes": plan.nodes,
            "summary": plan.summary(),
            "notes": notes,
        });
        ui.result(&format!("{text:#}\n"))?;
    } else {
        ui.result(&plan_text::write(&plan, ui.styled(), ui.verbose()))?;
        for note in notes {
            ui.say(&format!("note: {note}"));
        }
    }
    Ok(if args.detailed_exitcode && plan.has_changes() {
        Outcome::Changes
    } else {
        Outcome::Done
    })
}

/// What changes from `base` to what was rendered for the nodes that the patterns name, and what it costs.
pub(super) fn compute(
    loaded: &Loaded,
    base: &Base,
    patterns: &[String],
    rendered: &[Rendered],
    records: &BTreeMap<String, Sticks>,
) -> Result<Plan, Failure> {
    let nodes: BTreeSet<String> = loaded.manifest.nodes.keys().cloned().collect();
    let gone = if patterns.is_empty() {
        removed(base, &nodes)
    } else {
        Vec::new()
    };
    let read = |id| match &loaded.repo {
        Some(repo) => repo.blob(id),
        None => Ok(Vec::new()),
    };
    let mut plan = compare(base, rendered, &gone, read)?;
    let before = records::before(loaded, base)?;
    let sticks = records::judge(loaded, before.as_ref(), rendered, records);
    plan.weigh(before.as_ref(), &loaded.fleet, sticks);
    Ok(plan)
}

/// What stands between the rendered files and the nodes: not written, not committed, not pushed.
pub(super) fn pending<'a>(
    loaded: &Loaded,
    base: &Base,
    rendered: impl IntoIterator<Item = &'a Rendered>,
    leftover: usize,
) -> Result<Vec<String>, git::Error> {
    let head = match &loaded.repo {
        Some(repo) => base::head(repo)?,
        None => None,
    };
    let (mut unwritten, mut uncommitted, mut unpushed) = (leftover, 0, 0);
    for node in rendered {
        for (path, text) in node.files() {
            let on_disk = fs::read(loaded.fleet.root.join(&path)).ok();
            let in_head = head.as_ref().and_then(|head| head.files.get(&path));
            if on_disk.as_deref() != Some(text.as_bytes()) {
                unwritten += 1;
            } else if head.is_some() && !is_same(in_head, text.as_bytes()) {
                uncommitted += 1;
            } else if head.is_some()
                && (!base.published || !is_same(base.files.get(&path), text.as_bytes()))
            {
                unpushed += 1;
            }
        }
    }
    let notes = [
        (unwritten, "not rendered yet: run `ephemeros render`"),
        (uncommitted, "rendered and not committed: run `git commit`"),
        (unpushed, "committed and not pushed: run `git push`"),
    ];
    Ok(notes
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(number, note)| match number {
            1 => format!("1 file is {note}"),
            _ => format!("{number} files are {note}"),
        })
        .collect())
}
