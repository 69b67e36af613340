//! A plan as Markdown, for a comment on a pull request: what it costs first, then each change, folded.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::count;
use super::markdown::{block, code, sentence};
use crate::plan::change::{Change, Kind};
use crate::plan::compare::{NodePlan, Plan};
use crate::plan::cost::Cost;
use crate::plan::groups::Due;

/// The longest that it becomes, in bytes. GitHub takes comments of 65,536 characters.
const LIMIT: usize = 60_000;

/// Of these, the table of costs, what says what was left out, and in that the command that shows it.
const TABLE: usize = 16_000;
const LEFT_OUT: usize = 1_000;
const COMMAND: usize = 600;

/// How many nodes are named in one place, how many reasons, and how long a name is shown, in characters.
const NAMED: usize = 8;
const REASONS: usize = 6;
const LONGEST: usize = 200;

/// A plan with its notes. `command` shows what is left out.
pub(super) fn write(plan: &Plan, notes: &[String], command: &str, verbose: bool) -> String {
    let mut text = format!(
        "**{}** Compared with {}.\n\n",
        plan.summary_line(),
        code(&cut(&plan.base))
    );
    if plan.has_changes() {
        text += &table(&plan.due());
    } else {
        text.push_str("No changes: it is all there already.\n\n");
    }
    let notes = notes.iter().map(|it| format!("- note: {}\n", sentence(it)));
    let notes: String = notes.collect();
    let room = LIMIT.saturating_sub(LEFT_OUT + text.len() + notes.len());
    text += &Parts::fit(&parts(plan, verbose), room).write(command);
    text + &notes
}

/// A row for each thing to do, the dearest first.
fn table(due: &[Due<'_>]) -> String {
    let mut table =
        "| | nodes | why | until the stick is written |\n| --- | --- | --- | --- |\n".to_owned();
    let mut left_out = 0;
    for due in due.iter().rev() {
        let mut why: Vec<String> = due.reasons.iter().map(ToString::to_string).collect();
        let sticks = due.sticks();
        if !sticks.is_empty() {
            why.push(format!("stick {}", some(&sticks, NAMED)));
        }
        let cell = |sentences: &[String]| {
            let shown: Vec<String> = sentences.iter().map(|it| sentence(&cut(it))).collect();
            some(&shown, REASONS).replace('\n', " ")
        };
        let row = format!(
            "| {} | {} | {} | {} |\n",
            due.cost.words(),
            on(&due.nodes),
            cell(&why),
            cell(due.meanwhile)
        );
        if table.len() + row.len() <= TABLE {
            table += &row;
        } else {
            left_out += due.nodes.len();
        }
    }
    if left_out > 0 {
        let _ = writeln!(table, "| … | and {} more | | |", count(left_out, "node"));
    }
    table.push('\n');
    table
}

/// One change, or new nodes.
struct Part<'a> {
    cost: Cost,
    heading: String,
    body: String,
    nodes: Vec<&'a NodePlan>,
}

/// The changes, the dearest first.
fn parts(plan: &Plan, verbose: bool) -> Vec<Part<'_>> {
    let cost = |nodes: &[&NodePlan]| {
        let costs = nodes.iter().map(|node| node.cost);
        costs.max().unwrap_or(Cost::Nothing)
    };
    let mut parts = Vec::new();
    for changed in plan.changed() {
        let Change { subject, kind, .. } = changed.change;
        let what = match kind {
            Kind::Added => "added",
            Kind::Removed => "removed",
            Kind::Changed => "changed",
        };
        let subject = code(&cut(subject));
        let mut body = all(&changed.nodes);
        body.extend(changed.change.lines().into_iter().map(|line| line.text));
        parts.push(Part {
            cost: cost(&changed.nodes),
            heading: format!("{what}: {subject} on {}", on(&changed.nodes)),
            body: body.join("\n"),
            nodes: changed.nodes,
        });
    }
    for new in plan.new_nodes(verbose) {
        let mut body = all(&new.nodes);
        for change in new.changes {
            body.push(change.subject.clone());
            if verbose {
                body.extend(change.lines().into_iter().map(|line| line.text));
            }
        }
        parts.push(Part {
            cost: cost(&new.nodes),
            heading: format!("new: {}", on(&new.nodes)),
            body: body.join("\n"),
            nodes: new.nodes,
        });
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.cost));
    parts
}

/// All nodes by name, where the heading has only some.
fn all(nodes: &[&NodePlan]) -> Vec<String> {
    if nodes.len() <= NAMED {
        return Vec::new();
    }
    let names: Vec<&str> = nodes.iter().map(|node| node.node.as_str()).collect();
    vec![format!("on {}", names.join(", "))]
}

impl Part<'_> {
    fn folded(&self) -> String {
        let Self { heading, body, .. } = self;
        if body.is_empty() {
            return format!("{heading}\n\n");
        }
        let block = block("diff", body);
        format!("<details><summary>{heading}</summary>\n\n{block}\n</details>\n\n")
    }

    fn line(&self) -> String {
        format!("- {}\n", self.heading)
    }
}

/// What fits: first those that are shown with all that they are, then those that are only named. The rest is counted.
struct Parts {
    folded: Vec<String>,
    named: Vec<String>,
    counted: usize,
    counted_nodes: usize,
}

impl Parts {
    fn fit(parts: &[Part<'_>], room: usize) -> Self {
        let folded: Vec<String> = parts.iter().map(Part::folded).collect();
        let lines: Vec<String> = parts.iter().map(Part::line).collect();
        let length = |texts: &[String]| texts.iter().map(String::len).sum::<usize>();
        // The cheapest lose their diffs, then their names.
        let mut shown = parts.len();
        let mut length_now = length(&folded);
        while length_now > room && shown > 0 {
            shown -= 1;
            length_now = length_now - folded[shown].len() + lines[shown].len();
        }
        let mut named = parts.len();
        while length_now > room && named > shown {
            named -= 1;
            length_now -= lines[named].len();
        }
        let counted = &parts[named..];
        let nodes = counted.iter().flat_map(|part| &part.nodes);
        let nodes: BTreeSet<&str> = nodes.map(|node| node.node.as_str()).collect();
        Self {
            folded: folded[..shown].to_vec(),
            named: lines[shown..named].to_vec(),
            counted: counted.len(),
            counted_nodes: nodes.len(),
        }
    }

    fn write(&self, command: &str) -> String {
        let mut text = self.folded.concat();
        let without = self.named.len() + self.counted;
        if without == 0 {
            return text;
        }
        let shows = match code(command) {
            shows if shows.len() <= COMMAND => shows,
            _ => "The same command without <code>--markdown</code>".to_owned(),
        };
        let _ = writeln!(
            text,
            "Left out, to stay below what a forge takes: the contents of {}. {shows} shows them.\n",
            count(without, "change"),
        );
        text += &self.named.concat();
        if self.counted > 0 {
            let _ = writeln!(
                text,
                "- and {} more, on {}",
                count(self.counted, "change"),
                count(self.counted_nodes, "node")
            );
        }
        text.push('\n');
        text
    }
}

fn on(nodes: &[&NodePlan]) -> String {
    let names: Vec<String> = nodes
        .iter()
        .take(NAMED + 1)
        .map(|it| code(&it.node))
        .collect();
    match nodes.len().checked_sub(NAMED) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}

fn some(texts: &[String], most: usize) -> String {
    match texts.len().checked_sub(most) {
        None | Some(0) => texts.join("; "),
        Some(more) => format!("{}; and {more} more", texts[..most].join("; ")),
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let begin: String = text.chars().take(LONGEST).collect();
    format!("{begin}…")
}
