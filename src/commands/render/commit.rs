//! `render --commit` and `--push`: what is rendered becomes a commit, and the commit what nodes fetch.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::comparison::Comparison;
use super::super::{Failure, Loaded, Outcome, count, fail};
use super::destination::Upstream;
use super::message::message;
use super::ready::{self, NAMED, Ready};
use super::{Writer, beside, gate, is_leftover};
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::git::ObjectId;
use crate::git::cli::push::{self, Pushed};
use crate::git::cli::{Program, ProgramError, commit};
use crate::plan::base::{self, Base};
use crate::plan::compare::{NodePlan, is_same};
use crate::plan::cost::Cost;
use crate::progress::Progress as _;
use crate::render::rendered::{Rendered, owner};
use crate::stick::record::Sticks;
use crate::ui::{Orderly, Ui};

const SEE_GIT: &str = "see to what git says, and run this again";

/// What became of it.
pub(super) struct Done {
    /// Files of the fleet, by their paths.
    pub(super) written: Vec<String>,
    /// Files of nodes that are no more.
    pub(super) removed: Vec<String>,
    /// The commit that was made; `None` where there was nothing to commit.
    pub(super) commit: Option<ObjectId>,
    /// The commit that holds all of it, and that is to be pushed.
    pub(super) whole: ObjectId,
}

pub(super) fn run(
    args: &cli::Render,
    loaded: &Loaded,
    rendered: &[Rendered],
    records: &BTreeMap<String, Sticks>,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    // Git ends in order by itself, and what it has done is told.
    let _orderly = Orderly::begin();
    let program = Program::new(&loaded.fleet.root, ui);
    let ready = ready::check(args, loaded, rendered, &program, ui)?;
    let upstream = ready.destination.upstream.as_ref();
    let tip = match upstream {
        Some(upstream) if args.push => ask(&ready, upstream, &program, ui)?,
        Some(upstream) => ready.repo.tracking(&upstream.remote, &upstream.branch)?,
        None => None,
    };
    let is_beside = ready.destination.elsewhere.is_some();
    if let (true, false, Some(upstream), Some(tip)) = (args.push, is_beside, upstream, tip) {
        check_order(&ready, upstream, tip)?;
    }
    let theirs = ready.destination.theirs.as_ref().filter(|_| args.push);
    let of_theirs = match theirs {
        Some(theirs) => ask(&ready, theirs, &program, ui)?,
        None => None,
    };
    if let (Some(theirs), Some(tip)) = (theirs, of_theirs) {
        check_line(&ready, theirs, tip)?;
    }
    let (base, is_cut_off) = base(args, loaded, &ready, tip)?;
    let mut comparison = Comparison::begin(loaded, &base, records)?;
    comparison.add(rendered)?;
    let plan = comparison.end(&[]);
    if args.push && (tip.is_some() || of_theirs.is_some()) {
        let broken = gate::broken(&plan, &args.allow);
        if broken.iter().any(Diagnostic::is_error) {
            return Err(fail(ui, broken));
        }
        ui.mistakes(broken);
        if is_cut_off {
            gate::check_depth(&plan)?;
        }
    }
    let costs = plan.nodes.iter().map(|it| (it.node.as_str(), it.cost));
    let costs: BTreeMap<&str, Cost> = costs.collect();
    let to_flash: Vec<&NodePlan> = plan
        .nodes
        .iter()
        .filter(|it| has_to_be_flashed(it))
        .collect();
    let text = |changed: &BTreeSet<&str>| {
        let cost = |node: &&str| costs.get(node).copied().unwrap_or(Cost::Removed);
        let also = to_flash.iter().map(|it| it.node.as_str());
        let nodes: BTreeSet<&str> = changed.iter().copied().chain(also).collect();
        let nodes: Vec<(&str, Cost)> = nodes.iter().map(|node| (*node, cost(node))).collect();
        message(&nodes, ready.head)
    };
    let done = match &ready.destination.elsewhere {
        Some(branch) => beside::commit(&ready, rendered, (branch, tip), &program, text, ui)?,
        None => here(&ready, loaded, rendered, &program, text, ui)?,
    };
    tell(&ready, rendered.len(), &done, ui)?;
    let pushes = upstream.filter(|_| args.push);
    let pushed = match pushes {
        Some(_) if ui.stopped() => Err(Failure::Stopped),
        Some(upstream) => send(&done, upstream, tip, is_beside, &program, ui),
        None => Ok(Value::Null),
    };
    remind(&to_flash, ui);
    if ui.json() {
        let text = json!({
            "format": 1,
            "written": done.written,
            "removed": done.removed,
            "commit": done.commit.map(|id| id.to_string()),
            "pushed": pushed.as_ref().unwrap_or(&Value::Null),
            "to_flash": to_flash.iter().map(|it| it.node.as_str()).collect::<Vec<_>>(),
        });
        ui.result(&format!("{text:#}\n"))?;
    }
    pushed.map(|_| Outcome::Done)
}

fn has_to_be_flashed(node: &NodePlan) -> bool {
    matches!(node.cost, Cost::Reflash | Cost::ReflashFirst)
}

/// What no commit does: of a stick without a record nothing tells that later.
fn remind(to_flash: &[&NodePlan], ui: &Ui) {
    for node in to_flash.iter().take(NAMED) {
        let (name, reasons) = (&node.node, gate::told(&node.reasons));
        ui.say(&format!(
            "note: the stick of {name} has to be written anew: {reasons}"
        ));
    }
    match to_flash.len().saturating_sub(NAMED) {
        0 => {}
        more => ui.say(&format!("note: and {} more", count(more, "stick"))),
    }
}

/// Which commit the branch of the remote has now. This clone has it too, afterwards.
fn ask(
    ready: &Ready,
    upstream: &Upstream,
    program: &Program,
    ui: &Ui,
) -> Result<Option<ObjectId>, Failure> {
    let (remote, branch) = (&upstream.remote, &upstream.branch);
    let unread = |error| {
        let help = format!("see that `{remote}` can be reached, and that you may read there");
        failed(error, format!("can't ask what {upstream} has"), &help, ui)
    };
    let known = ready.repo.tracking(remote, branch)?;
    let tip = push::tip(program, remote, branch).map_err(unread)?;
    match (tip, known) {
        (None, Some(_)) => push::forget(program, remote, branch)?,
        (Some(tip), known) if known != Some(tip) => {
            push::fetch(program, remote, branch, None).map_err(unread)?;
            // It may have moved since.
            return Ok(ready.repo.tracking(remote, branch)?);
        }
        _ => {}
    }
    Ok(tip)
}

/// A push is refused where the branch has what is not checked out: better before anything is written.
fn check_order(ready: &Ready, upstream: &Upstream, tip: ObjectId) -> Result<(), Failure> {
    let repo = ready.repo;
    if repo.comes_from(ready.head, tip)? || repo.is_shallow() {
        return Ok(());
    }
    Err(outdated(upstream))
}

/// Beside the branch that people push to an older commit of that does no harm, and a newer one is on its way there. One
/// that is neither would give nodes what nobody merged.
fn check_line(ready: &Ready, theirs: &Upstream, tip: ObjectId) -> Result<(), Failure> {
    let repo = ready.repo;
    let is_in_line = repo.comes_from(ready.head, tip)? || repo.comes_from(tip, ready.head)?;
    if is_in_line || repo.is_shallow() {
        return Ok(());
    }
    Err(outdated(theirs))
}

fn outdated(upstream: &Upstream) -> Failure {
    let Upstream { remote, branch } = upstream;
    let help = format!("run `git pull --rebase {remote} {branch}`, and this again");
    Failure::problem(
        format!("{upstream} has commits that what is checked out has not"),
        Some(&help),
    )
}

/// What a plan compares with, and whether what stood on sticks then is not to be known in this clone.
fn base(
    args: &cli::Render,
    loaded: &Loaded,
    ready: &Ready,
    tip: Option<ObjectId>,
) -> Result<(Base, bool), Failure> {
    let (repo, settings) = (ready.repo, &loaded.fleet.git);
    let (true, None, Some(tip)) = (args.push, &ready.destination.elsewhere, tip) else {
        return Ok((base::find(Some(repo), settings, None)?, false));
    };
    // Who merges a change has pushed the files that it is rendered from, so the branch itself does not tell any more what
    // the nodes were made from: the commit that brought its rendered files does.
    let since = repo.since(tip, &base::RENDERED)?;
    let revision = since.commit.to_string();
    let base = base::find(Some(repo), settings, Some(&revision))?;
    Ok((base, since.is_cut_off))
}

/// On the branch that is checked out.
fn here(
    ready: &Ready,
    loaded: &Loaded,
    rendered: &[Rendered],
    program: &Program,
    message: impl FnOnce(&BTreeSet<&str>) -> String,
    ui: &Ui,
) -> Result<Done, Failure> {
    let mut writer = Writer::begin(loaded)?;
    writer.stage(rendered, ui)?;
    let work = writer.commit()?;
    let head = base::at(ready.repo, "HEAD", ready.head)?.files;
    let mut paths: Vec<String> = Vec::new();
    for (path, text) in rendered.iter().flat_map(Rendered::files) {
        if !is_same(head.get(&path), text.as_bytes()) {
            paths.push(path);
        }
    }
    paths.extend(head.into_keys().filter(|path| is_leftover(loaded, path)));
    let nodes: BTreeSet<&str> = paths.iter().filter_map(|path| owner(path)).collect();
    let mut done = Done {
        written: work.write,
        removed: work.remove,
        commit: None,
        whole: ready.head,
    };
    if paths.is_empty() {
        return Ok(done);
    }
    let committed = commit::commit(program, &paths, &message(&nodes));
    let remarks = committed.map_err(|error| {
        let message = "what is rendered is written, and not committed".to_owned();
        failed(error, message, SEE_GIT, ui)
    })?;
    if let (Some(remarks), Some(commit)) = (remarks, ready.repo.head()?.commit) {
        ui.remarks("git", &remarks);
        done.commit = Some(commit);
        done.whole = commit;
    }
    Ok(done)
}

fn tell(ready: &Ready, nodes: usize, done: &Done, ui: &Ui) -> Result<(), Failure> {
    let place = match &ready.destination.elsewhere {
        Some(branch) => format!("{branch}:"),
        None => String::new(),
    };
    if !ui.json() {
        for path in &done.written {
            ui.result(&format!("wrote {place}{path}\n"))?;
        }
        for path in &done.removed {
            ui.result(&format!("removed {place}{path}\n"))?;
        }
        if let Some(commit) = done.commit {
            ui.result(&format!("committed {commit}\n"))?;
        }
    }
    super::say(nodes, done.written.len(), done.removed.len(), ui);
    if done.commit.is_none() {
        ui.say("nothing to commit");
    } else if ready.is_on_no_branch {
        ui.say("note: HEAD is detached, so the commit is on no branch");
    }
    Ok(())
}

/// Pushes. What was pushed, for programs; null where there was nothing to push.
fn send(
    done: &Done,
    upstream: &Upstream,
    tip: Option<ObjectId>,
    is_beside: bool,
    program: &Program,
    ui: &Ui,
) -> Result<Value, Failure> {
    if tip == Some(done.whole) {
        ui.say(&format!("nothing to push: {upstream} has it"));
        return Ok(Value::Null);
    }
    let (remote, branch, whole) = (&upstream.remote, &upstream.branch, done.whole);
    let pushed = push::push(program, remote, branch, whole, tip).map_err(|error| {
        let message = format!("what is committed is not pushed to {upstream}");
        failed(error, message, SEE_GIT, ui)
    })?;
    let Pushed::Done(remarks) = pushed else {
        let help = if is_beside {
            "run this again: it goes on from what is there now".to_owned()
        } else {
            format!(
                "nothing is lost: run `git pull --rebase {remote} {branch}`, and this again; where the two conflict in \
                 rendered files take either, they are rendered anew"
            )
        };
        let message = format!("somebody has pushed to {upstream} meanwhile, so nothing was pushed");
        return Err(Failure::problem(message, Some(&help)));
    };
    ui.remarks("git", &remarks);
    if !ui.json() {
        ui.result(&format!("pushed {whole} to {upstream}\n"))?;
    }
    Ok(json!({ "remote": remote, "branch": branch, "commit": whole.to_string() }))
}

/// What git says is shown as it says it, since it may be a hook that explains itself.
fn failed(error: ProgramError, message: String, help: &str, ui: &Ui) -> Failure {
    match error {
        ProgramError::Failed { command, said } => {
            ui.message(&format!("git {command}"), &said);
            Failure::problem(message, Some(help))
        }
        other => other.into(),
    }
}
