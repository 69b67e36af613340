//! A plan as people read it: each change once, with the nodes that have it, then what it costs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::diagnostic::printable;
use crate::plan::change;
use crate::plan::change::{Attribute, Change, Kind};
use crate::plan::compare::{NodePlan, Plan};
use crate::plan::cost::Cost;
use crate::plan::sticks::Verdict;
use crate::stick::record::{State, short};

/// How many nodes are named in one line.
const NAMED: usize = 8;

pub(super) fn write(plan: &Plan, styled: bool, verbose: bool) -> String {
    let style = Style(styled);
    let mut text = format!("Compared with {}.\n\n", printable(&plan.base));
    for (change, nodes) in by_change(plan) {
        let (sign, colour) = match change.kind {
            Kind::Added => ('+', GREEN),
            Kind::Removed => ('-', RED),
            Kind::Changed => ('~', YELLOW),
        };
        let subject = style.paint(colour, &format!("{sign} {}", printable(&change.subject)));
        // Writing to a string can't fail, here and below.
        let _ = writeln!(text, "{subject}  on {}", names(&nodes));
        for Attribute {
            name,
            before,
            after,
        } in &change.attributes
        {
            let is_list =
                |value: &Option<String>| value.as_ref().is_some_and(|it| it.contains('\n'));
            if is_list(before) || is_list(after) {
                let _ = writeln!(text, "    {name}:");
                let side = |value: &'_ Option<String>| value.clone().unwrap_or_default();
                for line in change::unified(&side(before), &side(after)).lines() {
                    let _ = writeln!(text, "      {}", style.diff_line(line));
                }
                continue;
            }
            let side =
                |value: &Option<String>| value.as_deref().map_or("nothing".to_owned(), printable);
            let _ = match change.kind {
                Kind::Added => writeln!(text, "    {name}: {}", side(after)),
                Kind::Removed => writeln!(text, "    {name}: {}", side(before)),
                Kind::Changed => writeln!(text, "    {name}: {} -> {}", side(before), side(after)),
            };
        }
        for line in change.diff.lines() {
            let _ = writeln!(text, "    {}", style.diff_line(line));
        }
        text.push('\n');
    }
    for (nodes, changes) in new_nodes(plan, verbose) {
        write_new(&mut text, &nodes, changes, style, verbose);
    }
    write_costs(&mut text, plan, style);
    text
}

/// Equal changes of several nodes are one. New nodes are left out: all of theirs is new.
fn by_change(plan: &Plan) -> Vec<(&Change, Vec<&str>)> {
    let mut changes: BTreeMap<&Change, Vec<&str>> = BTreeMap::new();
    for node in plan.nodes.iter().filter(|node| !node.is_new) {
        for change in &node.changes {
            changes.entry(change).or_default().push(&node.node);
        }
    }
    changes.into_iter().collect()
}

/// New nodes, and what is new with them.
type New<'a> = (Vec<&'a str>, &'a [Change]);

/// New nodes that bring the same things are one; where contents are shown, each stands for itself.
fn new_nodes(plan: &Plan, verbose: bool) -> Vec<New<'_>> {
    let mut new: BTreeMap<(Vec<&str>, &str), New<'_>> = BTreeMap::new();
    for node in &plan.nodes {
        if !node.is_new {
            continue;
        }
        let subjects = node.changes.iter().map(|change| change.subject.as_str());
        let apart = if verbose { node.node.as_str() } else { "" };
        let (nodes, _) = new
            .entry((subjects.collect(), apart))
            .or_insert((Vec::new(), &node.changes));
        nodes.push(&node.node);
    }
    let mut new: Vec<_> = new.into_values().collect();
    new.sort();
    new
}

fn write_new(text: &mut String, nodes: &[&str], changes: &[Change], style: Style, verbose: bool) {
    let s = if nodes.len() == 1 { "" } else { "s" };
    let heading = format!("+ node{s} {}", names(nodes));
    let _ = writeln!(text, "{}", style.paint(GREEN, &heading));
    for change in changes {
        let _ = writeln!(text, "    {}", printable(&change.subject));
        for line in change.diff.lines().filter(|_| verbose) {
            let _ = writeln!(text, "        {}", style.diff_line(line));
        }
    }
    text.push('\n');
}

fn write_costs(text: &mut String, plan: &Plan, style: Style) {
    let mut by_cost: BTreeMap<(Cost, &[String]), Vec<&NodePlan>> = BTreeMap::new();
    for node in &plan.nodes {
        let nodes = by_cost.entry((node.cost, node.reasons.as_slice()));
        nodes.or_default().push(node);
    }
    for ((cost, reasons), nodes) in by_cost {
        let what = match cost {
            Cost::Nothing => continue,
            Cost::Reboot => "after a push, a reboot applies it",
            Cost::Reflash => "the stick has to be written anew for it",
            Cost::ReflashFirst => {
                "write the stick anew before the next reboot, which fails without it"
            }
            Cost::FirstFlash if reasons.is_empty() => "no node of this name yet: write its stick",
            Cost::FirstFlash => "it has no stick any more: write one",
            Cost::Removed => "a machine that still runs it fails at its next boot",
        };
        let named: Vec<&str> = nodes.iter().map(|node| node.node.as_str()).collect();
        let _ = writeln!(text, "{}: {what}", style.paint(BOLD, &names(&named)));
        if !reasons.is_empty() {
            let _ = writeln!(text, "    {}", reasons.join(", "));
        }
        let sticks = sticks(&nodes);
        if !sticks.is_empty() {
            let sticks: Vec<&str> = sticks.iter().map(String::as_str).collect();
            let s = if sticks.len() == 1 { "" } else { "s" };
            let _ = writeln!(text, "    stick{s} {}", names(&sticks));
        }
    }
    if !plan.has_changes() {
        text.push_str("No changes: it is all there already.\n");
    }
    let summary = plan.summary();
    let (unchanged, changed): (Vec<_>, Vec<_>) = summary
        .iter()
        .partition(|(cost, _)| **cost == Cost::Nothing);
    let counts: Vec<String> = changed
        .into_iter()
        .chain(unchanged)
        .map(|(cost, count)| format!("{count} {}", cost.words()))
        .collect();
    if counts.is_empty() {
        text.push_str("Plan: there are no nodes.\n");
        return;
    }
    let _ = writeln!(text, "Plan: {}.", counts.join(", "));
}

/// The sticks that are meant, where any are recorded.
fn sticks(nodes: &[&NodePlan]) -> Vec<String> {
    let sticks = nodes
        .iter()
        .flat_map(|node| node.sticks.iter().map(move |it| (node, it)));
    let meant = sticks.filter(|(_, it)| it.verdict != Verdict::Current && it.state != State::Lost);
    let told = meant.map(|(node, stick)| {
        let of = if nodes.len() == 1 {
            String::new()
        } else {
            format!(" of {}", node.node)
        };
        let spare = if stick.state == State::Spare {
            " (spare)"
        } else {
            ""
        };
        format!("{}{of}{spare}", short(stick.id))
    });
    told.collect()
}

fn names(nodes: &[&str]) -> String {
    let named = nodes
        .iter()
        .take(NAMED)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match nodes.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

#[derive(Clone, Copy)]
struct Style(bool);

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn diff_line(self, line: &str) -> String {
        let line = printable(line);
        match line.as_bytes().first() {
            Some(b'+') => self.paint(GREEN, &line),
            Some(b'-') => self.paint(RED, &line),
            Some(b'@') => self.paint(CYAN, &line),
            _ => line,
        }
    }
}
