//! What changes from a base to what is rendered, and what it costs: some nodes at a time.

use std::collections::BTreeMap;

use super::{Failure, Loaded, records};
use crate::fleet::manifest::Manifest;
use crate::fleet::once::Once;
use crate::plan::base::Base;
use crate::plan::change::Change;
use crate::plan::compare::{NodePlan, Plan, compare, removed, weigh};
use crate::render::rendered::Rendered;
use crate::stick::record::Sticks;

/// A plan in the making.
pub(super) struct Comparison<'a> {
    loaded: &'a Loaded,
    base: &'a Base,
    /// The fleet's files as the base has them, where they are others.
    before: Option<Manifest>,
    records: &'a BTreeMap<String, Sticks>,
    nodes: Vec<NodePlan>,
    changes: Once<Change>,
}

impl<'a> Comparison<'a> {
    /// Nothing is compared yet.
    pub(super) fn begin(
        loaded: &'a Loaded,
        base: &'a Base,
        records: &'a BTreeMap<String, Sticks>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            loaded,
            base,
            before: records::before(loaded, base)?,
            records,
            nodes: Vec::new(),
            changes: Once::default(),
        })
    }

    /// Compares nodes; the result is what becomes of each of them.
    pub(super) fn add(&mut self, rendered: &[Rendered]) -> Result<&[NodePlan], Failure> {
        let loaded = self.loaded;
        let read = |id| match &loaded.repo {
            Some(repo) => repo.blob(id),
            None => Ok(Vec::new()),
        };
        let mut nodes = compare(self.base, rendered, &self.changes, read)?;
        let before = records::resolve_before(self.before.as_ref(), rendered);
        let before = before.as_ref();
        let sticks = records::judge(loaded, before, rendered, self.records);
        weigh(&mut nodes, rendered, before, &loaded.fleet, sticks);
        let known = self.nodes.len();
        self.nodes.extend(nodes);
        Ok(&self.nodes[known..])
    }

    /// The plan for the nodes that the patterns name; without one the removed ones are in it too.
    pub(super) fn end(self, patterns: &[String]) -> Plan {
        let nodes = &self.loaded.manifest.nodes;
        let gone = if patterns.is_empty() {
            removed(self.base, |node| nodes.contains_key(node))
        } else {
            Vec::new()
        };
        Plan::new(self.base, self.nodes, &gone)
    }
}
