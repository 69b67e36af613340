//! What a push would break: nodes that have to be re-flashed first, and nodes that are no more.

use super::super::Failure;
use crate::diagnostic::Diagnostic;
use crate::fleet::select::glob;
use crate::plan::compare::{NodePlan, Plan};
use crate::plan::cost::Cost;
use crate::plan::why::Why;

/// The nodes that would fail at their next boot, but for those that are allowed to: names and patterns. One that fits no
/// node is a warning.
pub(super) fn broken(plan: &Plan, allowed: &[String]) -> Vec<Diagnostic> {
    let patterns: Vec<&str> = allowed.iter().map(|it| it.trim()).collect();
    let fits = |pattern: &str| plan.nodes.iter().any(|node| glob(pattern, &node.node));
    let astray = patterns.iter().filter(|it| !it.is_empty() && !fits(it));
    let astray = astray.map(|pattern| {
        let message = format!("no node fits `{pattern}`, which `--allow` names");
        Diagnostic::warning(message)
            .help("`ephemeros plan` tells which nodes there are, removed ones too")
    });
    let allowed = |node: &&NodePlan| patterns.iter().any(|it| glob(it, &node.node));
    let nodes = plan.nodes.iter().filter(|node| !allowed(node));
    astray.chain(nodes.filter_map(mistake)).collect()
}

fn mistake(node: &NodePlan) -> Option<Diagnostic> {
    let (message, help) = match node.cost {
        // What it fetches already does not change by a push.
        Cost::ReflashFirst if !node.changes.is_empty() => (
            format!(
                "its stick has to be written anew before this is pushed: {}",
                told(&node.reasons)
            ),
            "write it: `sudo ephemeros flash NODE DEVICE --unpushed --commit`; with `--allow NODE` it is pushed first, and \
             the node fails when it boots before its stick is written",
        ),
        Cost::Removed => (
            "a node is removed: a machine that still runs it fails at its next boot".to_owned(),
            "when none runs it any more, `--allow NODE`",
        ),
        _ => return None,
    };
    Some(Diagnostic::error(message).help(help).node(&node.node))
}

/// Why a stick does not do, in a line.
pub(super) fn told(reasons: &[Why]) -> String {
    let told: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    told.join(", ")
}

/// In a clone that holds only the newest commits it may not be known what sticks were made from of which there is no
/// record: then nobody can say whether they do.
pub(super) fn check_depth(plan: &Plan) -> Result<(), Failure> {
    let unknown = |node: &&NodePlan| {
        matches!(node.cost, Cost::Reboot | Cost::Reflash)
            && node.sticks.is_empty()
            && !node.changes.is_empty()
    };
    let Some(node) = plan.nodes.iter().find(unknown) else {
        return Ok(());
    };
    Err(Failure::problem(
        format!(
            "this clone holds only the newest commits, so what the stick of {} was made from is not known",
            node.node
        ),
        Some("run `git fetch --unshallow`; in CI, let the checkout fetch all of the history"),
    ))
}
