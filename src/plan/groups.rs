//! A plan put together for people: what is equal on several nodes is one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::Change;
use super::compare::{NodePlan, Plan};
use super::cost::Cost;
use super::sticks::Verdict;
use super::why::Why;
use crate::stick::record::{State, short};

/// Nodes that get the same change.
pub struct Changed<'a> {
    /// What changes.
    pub change: &'a Change,
    /// Where, sorted by name.
    pub nodes: Vec<&'a NodePlan>,
}

/// Nodes that are new in the same way.
pub struct New<'a> {
    /// Which, sorted by name.
    pub nodes: Vec<&'a NodePlan>,
    /// What they have. Of several nodes only the subjects are the same.
    pub changes: &'a [Arc<Change>],
}

/// Nodes for which the same has to be done, for the same reasons.
pub struct Due<'a> {
    /// What has to be done.
    pub cost: Cost,
    /// Why the stick does not do.
    pub reasons: &'a [Why],
    /// What becomes of them meanwhile.
    pub meanwhile: &'a [String],
    /// Which, sorted by name.
    pub nodes: Vec<&'a NodePlan>,
}

impl Plan {
    /// Each change once. New nodes are left out: all of theirs is new.
    #[must_use]
    pub fn changed(&self) -> Vec<Changed<'_>> {
        let mut changes: BTreeMap<&Change, Vec<&NodePlan>> = BTreeMap::new();
        for node in self.nodes.iter().filter(|node| !node.is_new) {
            for change in &node.changes {
                changes.entry(change).or_default().push(node);
            }
        }
        let changes = changes.into_iter();
        changes
            .map(|(change, nodes)| Changed { change, nodes })
            .collect()
    }

    /// The new nodes; each for itself where contents are asked for.
    #[must_use]
    pub fn new_nodes(&self, contents: bool) -> Vec<New<'_>> {
        let mut new: BTreeMap<(Vec<&str>, &str), New<'_>> = BTreeMap::new();
        for node in self.nodes.iter().filter(|node| node.is_new) {
            let subjects = node.changes.iter().map(|change| change.subject.as_str());
            let apart = if contents { node.node.as_str() } else { "" };
            let group = new
                .entry((subjects.collect(), apart))
                .or_insert_with(|| New {
                    nodes: Vec::new(),
                    changes: &node.changes,
                });
            group.nodes.push(node);
        }
        let mut new: Vec<_> = new.into_values().collect();
        new.sort_by_key(|group| group.nodes.first().map(|node| &node.node));
        new
    }

    /// What has to be done, the cheapest first, without the nodes of which nothing changes.
    #[must_use]
    pub fn due(&self) -> Vec<Due<'_>> {
        let mut due: BTreeMap<_, Due<'_>> = BTreeMap::new();
        for node in self.nodes.iter().filter(|it| it.cost != Cost::Nothing) {
            let group = due
                .entry((node.cost, &node.reasons, &node.meanwhile))
                .or_insert_with(|| Due {
                    cost: node.cost,
                    reasons: &node.reasons,
                    meanwhile: &node.meanwhile,
                    nodes: Vec::new(),
                });
            group.nodes.push(node);
        }
        due.into_values().collect()
    }

    /// The last line: how many nodes there are of each cost, the unchanged ones last.
    #[must_use]
    pub fn summary_line(&self) -> String {
        let summary = self.summary();
        let (unchanged, changed): (Vec<_>, Vec<_>) = summary
            .iter()
            .partition(|(cost, _)| **cost == Cost::Nothing);
        let counts: Vec<String> = changed
            .into_iter()
            .chain(unchanged)
            .map(|(cost, count)| format!("{count} {}", cost.words()))
            .collect();
        if counts.is_empty() {
            return "Plan: there are no nodes.".to_owned();
        }
        format!("Plan: {}.", counts.join(", "))
    }
}

impl Due<'_> {
    /// The sticks that have to be written, where any are recorded.
    #[must_use]
    pub fn sticks(&self) -> Vec<String> {
        let nodes = self.nodes.iter();
        let sticks = nodes.flat_map(|node| node.sticks.iter().map(move |it| (node, it)));
        let meant =
            sticks.filter(|(_, it)| it.verdict != Verdict::Current && it.state != State::Lost);
        let told = meant.map(|(node, stick)| {
            let of = if self.nodes.len() == 1 {
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

    /// What to do, in a few words.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self.cost {
            Cost::Nothing => "nothing changes",
            Cost::Reboot => "after a push, a reboot applies it",
            Cost::Reflash => "the stick has to be written anew for it",
            Cost::ReflashFirst => {
                "write the stick anew before the next reboot, which fails without it"
            }
            Cost::FirstFlash if self.reasons.is_empty() => {
                "no node of this name yet: write its stick"
            }
            Cost::FirstFlash => "it has no stick any more: write one",
            Cost::Removed => "a machine that still runs it fails at its next boot",
        }
    }
}
