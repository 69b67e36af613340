//! A plan as people read it: each change once, with the nodes that have it, then what it costs.

use std::fmt::Write as _;

use super::style::{BOLD, CYAN, GREEN, RED, Style, YELLOW};
use crate::diagnostic::printable;
use crate::plan::change::{Change, Kind};
use crate::plan::compare::{NodePlan, Plan};
use crate::plan::groups::{Changed, Due, New};

/// How many nodes are named in one line.
const NAMED: usize = 8;

pub(super) fn write(plan: &Plan, styled: bool, verbose: bool) -> String {
    let style = Style(styled);
    let most = if verbose { usize::MAX } else { NAMED };
    let mut text = format!("Compared with {}.\n\n", printable(&plan.base));
    for Changed { change, nodes } in plan.changed() {
        let (sign, colour) = match change.kind {
            Kind::Added => ('+', GREEN),
            Kind::Removed => ('-', RED),
            Kind::Changed => ('~', YELLOW),
        };
        let subject = style.paint(colour, &format!("{sign} {}", printable(&change.subject)));
        // Writing to a string can't fail, here and below.
        let _ = writeln!(text, "{subject}  on {}", names(&nodes, most));
        write_lines(&mut text, change, "    ", style);
        text.push('\n');
    }
    for New { nodes, changes } in plan.new_nodes(verbose) {
        let s = if nodes.len() == 1 { "" } else { "s" };
        let heading = format!("+ node{s} {}", names(&nodes, most));
        let _ = writeln!(text, "{}", style.paint(GREEN, &heading));
        for change in changes {
            let _ = writeln!(text, "    {}", printable(&change.subject));
            if verbose {
                write_lines(&mut text, change, "        ", style);
            }
        }
        text.push('\n');
    }
    for due in plan.due() {
        write_due(&mut text, &due, most, style);
    }
    if !plan.has_changes() {
        text.push_str("No changes: it is all there already.\n");
    }
    text + &plan.summary_line() + "\n"
}

fn write_lines(text: &mut String, change: &Change, indent: &str, style: Style) {
    for line in change.lines() {
        let nested = if line.is_nested { "  " } else { "" };
        let _ = writeln!(text, "{indent}{nested}{}", diff_line(&line.text, style));
    }
}

fn write_due(text: &mut String, due: &Due<'_>, most: usize, style: Style) {
    let who = style.paint(BOLD, &names(&due.nodes, most));
    let _ = writeln!(text, "{who}: {}", due.advice());
    if !due.reasons.is_empty() {
        let reasons: Vec<String> = due.reasons.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "    {}", reasons.join(", "));
    }
    for sentence in due.meanwhile {
        let _ = writeln!(text, "    {}", printable(sentence));
    }
    let sticks = due.sticks();
    if !sticks.is_empty() {
        let s = if sticks.len() == 1 { "" } else { "s" };
        let _ = writeln!(text, "    stick{s} {}", list(&sticks, most));
    }
}

fn names(nodes: &[&NodePlan], most: usize) -> String {
    let names: Vec<&str> = nodes.iter().map(|node| node.node.as_str()).collect();
    list(&names, most)
}

fn list<T: AsRef<str>>(all: &[T], most: usize) -> String {
    let named: Vec<&str> = all.iter().take(most).map(AsRef::as_ref).collect();
    let named = named.join(", ");
    match all.len().saturating_sub(most) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn diff_line(line: &str, style: Style) -> String {
    let line = printable(line);
    match line.as_bytes().first() {
        Some(b'+') => style.paint(GREEN, &line),
        Some(b'-') => style.paint(RED, &line),
        Some(b'@') => style.paint(CYAN, &line),
        _ => line,
    }
}
