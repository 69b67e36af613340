//! `plan`: what would change, and what it costs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rayon::prelude::*;

use super::render::{elsewhere, leftover};
use super::{
    Failure, Loaded, Outcome, count, fail, leaks, load, pipeline, plan_live, plan_markdown,
    plan_text, records,
};
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::fleet::date::Date;
use crate::fleet::expiry;
use crate::git;
use crate::git::cli::{Program, push};
use crate::git::error::shell_word;
use crate::plan::base::{self, Base};
use crate::plan::compare::{Plan, compare, is_same, removed};
use crate::plan::cost::Cost;
use crate::plan::document::Document;
use crate::plan::pipeline::{PullRequest, Wanted, find_in_clone, to_fetch};
use crate::progress::Progress as _;
use crate::render::rendered::Rendered;
use crate::stick::record::Sticks;
use crate::ui::Ui;

pub(super) fn run(args: &cli::Plan, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    if args.markdown && ui.json() {
        return Err(Failure::Usage {
            message: "`--markdown` and `--json` are two forms of one result".to_owned(),
            help: "leave one of them out".to_owned(),
        });
    }
    let mut loaded = load(start, ui)?;
    loaded.warn_of_url();
    let expiring = expiry::warnings(&loaded.manifest, Date::today());
    loaded.diagnostics.extend(expiring);
    let patterns = args.nodes.patterns();
    let records = loaded.read_records(&patterns)?;
    let rendered = loaded.render(&patterns, ui)?;
    let repo = loaded.repo.as_ref();
    let pull_request = pipeline::pull_request();
    if args.fetch {
        fetch(&loaded, &pull_request, ui)?;
    }
    let (base, hint) = if args.live {
        plan_live::base(&loaded, &patterns, &rendered, ui)?
    } else {
        let against = args.against.as_deref();
        let base = find_in_clone(repo, &loaded.fleet.git, against, &pull_request)?;
        if let Some(against) = against {
            check_rendered(&loaded, &base, against)?;
        }
        (base, None)
    };
    ui.start("comparing", 0);
    let plan = compute(&loaded, &base, &patterns, &rendered, &records)?;
    let changed: BTreeSet<&str> = plan
        .nodes
        .iter()
        .filter(|it| !it.changes.is_empty())
        .map(|it| it.node.as_str())
        .collect();
    let (changed, same): (Vec<Rendered>, Vec<Rendered>) = rendered
        .into_iter()
        .partition(|it| changed.contains(it.node.as_str()));
    check_leaks(&loaded, &changed, ui)?;
    // What was pushed does not depend on what the user compares with.
    let fetched = if args.live || args.against.is_some() {
        &Base {
            merges: base.merges,
            ..base::find(repo, &loaded.fleet.git, None)?
        }
    } else {
        &base
    };
    let leftover = if patterns.is_empty() {
        leftover(&loaded)?.len()
    } else {
        0
    };
    let mut notes = pending(&loaded, fetched, changed.iter().chain(&same), leftover)?;
    notes.extend(records::notes(&loaded.fleet, &plan));
    notes.extend(hint);
    if ui.json() {
        let text = serde_json::json!(Document::new(&plan, &notes));
        ui.result(&format!("{text:#}\n"))?;
    } else if args.markdown {
        let command = again(args);
        let text = plan_markdown::write(&plan, &notes, &command, ui.verbose());
        ui.result(&text)?;
    } else {
        ui.result(&plan_text::write(&plan, ui.styled(), ui.verbose()))?;
        for note in notes {
            ui.say(&format!("note: {note}"));
        }
    }
    check_number(&plan, args.max_change)?;
    let outcome = if args.detailed_exitcode && plan.has_changes() {
        Outcome::Changes
    } else {
        Outcome::Done
    };
    // The process ends here: to take a large fleet apart, piece by piece, would be waited for.
    std::mem::forget((loaded, changed, same));
    Ok(outcome)
}

/// Where nodes fetch from a branch of their own, a commit of people's branch has nothing that they fetch.
fn check_rendered(loaded: &Loaded, base: &Base, against: &str) -> Result<(), Failure> {
    let Some(branch) = elsewhere(loaded)? else {
        return Ok(());
    };
    if base.files.is_empty() {
        return Err(Failure::problem(
            format!("{} holds nothing that is rendered", base.name),
            Some(&format!(
                "nodes fetch from `{branch}`: name a commit of that branch in place of {against}; `git log` tells from which \
                 commit each was rendered"
            )),
        ));
    }
    Ok(())
}

/// Brings the base up to date, and nothing else.
fn fetch(loaded: &Loaded, pull_request: &PullRequest, ui: &Ui) -> Result<(), Failure> {
    let from = match &loaded.repo {
        Some(repo) => to_fetch(repo, &loaded.fleet.git, pull_request)?.map(|from| (repo, from)),
        None => None,
    };
    let Some((repo, Wanted { remote, branches })) = from else {
        return Err(Failure::problem(
            "there is no git remote to fetch from",
            Some("add one with `git remote add origin URL`, or plan without `--fetch`"),
        ));
    };
    let program = Program::new(repo.root(), ui);
    for branch in branches {
        let is_known = repo.tracking(&remote, &branch)?.is_some();
        if push::tip(&program, &remote, &branch)?.is_none() {
            ui.say(&format!("{remote} has no `{branch}`"));
            if is_known {
                push::forget(&program, &remote, &branch)?;
            }
            continue;
        }
        // Of a branch that a shallow clone does not have, the whole history would come.
        let depth = (!is_known && repo.is_shallow()).then_some(1);
        ui.say(&format!("fetching {branch} from {remote}"));
        return Ok(push::fetch(&program, &remote, &branch, depth)?);
    }
    Ok(())
}

/// The command line that shows the same plan as text.
fn again(args: &cli::Plan) -> String {
    let mut command = "ephemeros plan".to_owned();
    let against = args.against.iter().flat_map(|it| ["--against", it]);
    let live = args.live.then_some("--live").into_iter();
    let nodes = args.nodes.nodes.iter().map(String::as_str);
    let on = args.nodes.on.iter().flat_map(|it| ["--on", it]);
    for word in against.chain(live).chain(on).chain(nodes) {
        command.push(' ');
        command += &shell_word(word);
    }
    command
}

/// What changes is shown, to everybody who reads a pull request: nothing that `render` would refuse.
fn check_leaks(loaded: &Loaded, changed: &[Rendered], ui: &Ui) -> Result<(), Failure> {
    if changed.is_empty() {
        return Ok(());
    }
    let mut leaks = leaks::find(loaded, changed, [], &[])?;
    // What is allowed may stand in what does not change.
    leaks.retain(Diagnostic::is_error);
    if leaks.is_empty() {
        return Ok(());
    }
    Err(fail(ui, leaks))
}

/// Fails where more nodes change than the user allows.
fn check_number(plan: &Plan, most: Option<usize>) -> Result<(), Failure> {
    let changed = plan.nodes.iter().filter(|node| node.cost != Cost::Nothing);
    match (changed.count(), most) {
        (changed, Some(most)) if changed > most => Err(Failure::problem(
            format!(
                "{} would change, and `--max-change` allows {most}",
                count(changed, "node")
            ),
            Some("look at the plan, and allow more where that is what you want"),
        )),
        _ => Ok(()),
    }
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
    plan.weigh(before.as_ref(), &loaded.fleet, rendered, sticks);
    Ok(plan)
}

/// How far a rendered file has come.
#[derive(PartialEq)]
enum Stage {
    Unwritten,
    Uncommitted,
    Unpushed,
    Fetched,
}

/// What stands between the rendered files and the nodes: not written, not committed, not pushed. Where nodes fetch from a
/// branch of their own, one command does all three.
pub(super) fn pending<'a>(
    loaded: &Loaded,
    base: &Base,
    rendered: impl IntoIterator<Item = &'a Rendered>,
    leftover: usize,
) -> Result<Vec<String>, git::Error> {
    if let Some(branch) = elsewhere(loaded)? {
        let files = rendered.into_iter().flat_map(Rendered::files);
        let missing = files.filter(|(path, text)| {
            !base.published || !is_same(base.files.get(path), text.as_bytes())
        });
        let notes = told(
            missing.count(),
            &format!("not on `{branch}` yet: run `ephemeros render --push`"),
        );
        return Ok(notes.into_iter().collect());
    }
    let read;
    let head = match &loaded.repo {
        // Its files were read already.
        Some(repo) if base.commit.is_some() && base.commit == repo.head()?.commit => Some(base),
        Some(repo) => {
            read = base::head(repo)?;
            read.as_ref()
        }
        None => None,
    };
    let root = &loaded.fleet.root;
    let stage = |(path, text): &(String, &str)| {
        let on_disk = fs::read(root.join(path)).ok();
        let is_in = |base: &Base| is_same(base.files.get(path), text.as_bytes());
        if on_disk.as_deref() != Some(text.as_bytes()) {
            Stage::Unwritten
        } else if head.is_some_and(|head| !is_in(head)) {
            Stage::Uncommitted
        } else if head.is_some() && !(base.published && is_in(base)) {
            Stage::Unpushed
        } else {
            Stage::Fetched
        }
    };
    let rendered: Vec<&Rendered> = rendered.into_iter().collect();
    let stages: Vec<Stage> = rendered
        .par_iter()
        .flat_map_iter(|node| node.files())
        .map(|file| stage(&file))
        .collect();
    let count = |stage| stages.iter().filter(|it| **it == stage).count();
    let not_there = if base.merges {
        "committed and not merged yet"
    } else {
        "committed and not pushed: run `git push`"
    };
    let notes = [
        (
            count(Stage::Unwritten) + leftover,
            "not rendered yet: run `ephemeros render`",
        ),
        (
            count(Stage::Uncommitted),
            "rendered and not committed: run `git commit`",
        ),
        (count(Stage::Unpushed), not_there),
    ];
    let notes = notes.into_iter();
    Ok(notes
        .filter_map(|(number, note)| told(number, note))
        .collect())
}

fn told(number: usize, note: &str) -> Option<String> {
    match number {
        0 => None,
        1 => Some(format!("1 file is {note}")),
        _ => Some(format!("{number} files are {note}")),
    }
}
