//! `plan`: what would change, and what it costs.

use std::path::Path;

use rayon::prelude::*;

use super::comparison::Comparison;
use super::pending::Pending;
use super::render::{elsewhere, leftover};
use super::{
    Failure, Loaded, Outcome, count, fail, load, pipeline, plan_live, plan_markdown, plan_text,
    records, settle,
};
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::fleet::date::Date;
use crate::fleet::expiry;
use crate::git::cli::{Program, push};
use crate::git::error::shell_word;
use crate::plan::base::{self, Base};
use crate::plan::compare::Plan;
use crate::plan::cost::Cost;
use crate::plan::document::Document;
use crate::plan::pipeline::{PullRequest, Wanted, find_in_clone, to_fetch};
use crate::render::leaks::Search;
use crate::render::rendered::Rendered;
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
    let repo = loaded.repo.as_ref();
    let pull_request = pipeline::pull_request();
    if args.fetch {
        fetch(&loaded, &pull_request, ui)?;
    }
    let (base, hint) = if args.live {
        // What is wrong here is told before anybody is asked.
        let mistakes = loaded.render_each(&patterns, ui, |_| Ok(()))?;
        if mistakes.iter().any(Diagnostic::is_error) {
            return Err(fail(ui, mistakes));
        }
        plan_live::base(&loaded, &patterns, ui)?
    } else {
        let against = args.against.as_deref();
        let base = find_in_clone(repo, &loaded.fleet.git, against, &pull_request)?;
        if let Some(against) = against {
            check_rendered(&loaded, &base, against)?;
        }
        (base, None)
    };
    // What was pushed does not depend on what the user compares with.
    let compares_pushed = !args.live && args.against.is_none();
    let fetched = if compares_pushed {
        &base
    } else {
        &Base {
            merges: base.merges,
            ..base::find(repo, &loaded.fleet.git, None)?
        }
    };
    let mut comparison = Comparison::begin(&loaded, &base, &records)?;
    let mut pending = Pending::begin(&loaded, fetched)?;
    // What changes is shown, to everybody who reads a pull request: nothing that `render` would refuse.
    let mut search = None;
    let mut mistakes = loaded.render_each(&patterns, ui, |rendered| {
        let nodes = comparison.add(&rendered)?;
        pending.add(&rendered, |at| {
            compares_pushed && nodes[at].changes.is_empty()
        });
        let changed = rendered.into_par_iter().zip(nodes);
        let changed = changed.filter(|(_, plan)| !plan.changes.is_empty());
        let changed: Vec<Rendered> = changed.map(|(rendered, _)| rendered).collect();
        if !changed.is_empty() {
            let search = search.get_or_insert_with(|| Search::new(&loaded.manifest, []));
            search.look(&changed)?;
        }
        Ok(())
    })?;
    let mut leaks = search.map_or_else(Vec::new, |search| search.end(&mistakes));
    // What is allowed may stand in what does not change.
    leaks.retain(Diagnostic::is_error);
    mistakes.extend(leaks);
    settle(mistakes, ui)?;
    let plan = comparison.end(&patterns);
    let leftover = if patterns.is_empty() {
        leftover(&loaded)?.len()
    } else {
        0
    };
    let mut notes = pending.notes(leftover);
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
    std::mem::forget((loaded, plan));
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
