//! The records of sticks, as the commands need them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;

use super::published::Publisher;
use super::{Failure, Loaded, count};
use crate::diagnostic::Diagnostic;
use crate::fleet::files::{Files as _, Folder};
use crate::fleet::manifest::Manifest;
use crate::fleet::node::Fleet;
use crate::fleet::resolve::resolve_some;
use crate::plan::base::{self, Base};
use crate::plan::compare::{NodePlan, Plan};
use crate::plan::cost::Cost;
use crate::plan::sticks::{self, StickPlan};
use crate::render::rendered::Rendered;
use crate::stick::record::{self, Record, State, Sticks, read_all, record_path, short};
use crate::write::{Batch, Durability, WriteError};

/// In place of a digest that is not looked at.
const NO_DIGEST: &str = "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

impl Loaded {
    /// The records of the nodes that the patterns name; their mistakes are added to the others.
    pub(super) fn read_records(
        &mut self,
        patterns: &[String],
    ) -> Result<BTreeMap<String, Sticks>, Failure> {
        // Whether the patterns are good is found when they are rendered.
        let asked = self.select(patterns).unwrap_or_default();
        let asked: BTreeSet<&str> = asked.iter().map(|node| node.name.as_str()).collect();
        let files = Folder(self.fleet.root.clone());
        let (records, mistakes) = read_all(&files, |node| asked.contains(node))?;
        self.diagnostics.extend(mistakes);
        Ok(records)
    }
}

/// The record of a node, to change it; an empty one where there is none.
pub(super) fn open(root: &Path, node: &str) -> Result<Record, Vec<Diagnostic>> {
    let name = record_path(node);
    if !root.join(&name).exists() {
        return Ok(Record::empty());
    }
    let files = Folder(root.to_owned());
    let bytes = files.read(&name).map_err(|error| {
        vec![Diagnostic::error(error.to_string()).help("it must be a file that you may read")]
    })?;
    let source = record::source(&name, bytes).map_err(|mistake| vec![*mistake])?;
    Record::read(&source)
}

/// Prepares the record of a node to be written; one that holds nothing is removed.
pub(super) fn stage(
    batch: &mut Batch,
    root: &Path,
    node: &str,
    record: &Record,
) -> Result<(), WriteError> {
    let path = root.join(record_path(node));
    if record.is_blank() {
        batch.remove(path);
        return Ok(());
    }
    batch.stage(&path, record.text().as_bytes(), Durability::Precious)
}

/// The fleet's files as a base has them; `None` where they are those of today.
pub(super) fn before(loaded: &Loaded, base: &Base) -> Result<Option<Manifest>, Failure> {
    match (&loaded.repo, base.commit) {
        (Some(repo), Some(commit)) => Ok(base::manifest(repo, commit, &loaded.manifest)?),
        _ => Ok(None),
    }
}

/// The nodes that were rendered, as those files have them.
pub(super) fn resolve_before(before: Option<&Manifest>, rendered: &[Rendered]) -> Option<Fleet> {
    before.map(|before| resolve_some(before, rendered.par_iter().map(|it| it.node.as_str())))
}

/// What the sticks need that are recorded for the nodes that were rendered.
pub(super) fn judge(
    loaded: &Loaded,
    before: Option<&Fleet>,
    rendered: &[Rendered],
    records: &BTreeMap<String, Sticks>,
) -> BTreeMap<String, Vec<StickPlan>> {
    if records.is_empty() {
        return BTreeMap::new();
    }
    // That there is no URL was told; then it is no reason.
    let publisher = Publisher::find(&loaded.fleet, loaded.repo.as_ref(), None).ok();
    sticks::judge(&loaded.fleet, before, rendered, records, |path| {
        publisher.as_ref()?.url(path, NO_DIGEST).ok()
    })
}

/// What a plan took for granted, and what is no matter.
pub(super) fn notes(fleet: &Fleet, plan: &Plan) -> Vec<String> {
    let unrecorded: Vec<&NodePlan> = plan
        .nodes
        .iter()
        .filter(|node| node.sticks.is_empty() && node.cost < Cost::FirstFlash)
        .collect();
    let keeps_records = plan.nodes.iter().any(|node| !node.sticks.is_empty());
    let with_secrets = fleet.nodes.iter().filter(|node| !node.secrets.is_empty());
    let with_secrets: BTreeSet<&str> = with_secrets.map(|node| node.name.as_str()).collect();
    // Whether a stick has the secrets of today is what nothing else tells.
    let is_guess =
        |node: &&NodePlan| node.cost > Cost::Reboot || with_secrets.contains(node.node.as_str());
    let is_guess = unrecorded.iter().any(is_guess);
    let mut notes = Vec::new();
    if !unrecorded.is_empty() && (keeps_records || is_guess) {
        notes.push(match unrecorded.len() {
            1 => "no stick is recorded for 1 node: it is taken to have one as the base would make it".to_owned(),
            more => format!(
                "no stick is recorded for {more} nodes: they are taken to have one as the base would make it"
            ),
        });
    }
    let sticks = plan.nodes.iter().flat_map(|node| &node.sticks);
    let old = sticks.filter(|stick| stick.state != State::Lost && !stick.notes.is_empty());
    match old.count() {
        0 => {}
        number => notes.push(format!(
            "the copies on {} are older ones: they count only where git can't be reached",
            count(number, "stick")
        )),
    }
    notes
}

/// Nodes that are gone while a stick of theirs is in use, as far as anybody said.
pub(super) fn orphans(manifest: &Manifest, records: &BTreeMap<String, Sticks>) -> Vec<Diagnostic> {
    let gone = records
        .iter()
        .filter(|(node, _)| !manifest.nodes.contains_key(*node));
    let active = gone.filter_map(|(node, record)| {
        let mut sticks = record.sticks.iter();
        Some((node, record, sticks.find(|it| it.state == State::Active)?))
    });
    let warnings = active.map(|(node, record, stick)| {
        Diagnostic::warning(format!(
            "the fleet has no node `{node}`, and a stick of it is active"
        ))
        .at(&record.source, record.place(stick.id, "state"))
        .help(format!(
            "a machine that boots from it fails: make it another node's, and run `ephemeros sticks forget {}`",
            short(stick.id)
        ))
    });
    warnings.collect()
}

/// Nodes with more than one active stick, as two branches that were merged may have it.
pub(super) fn rivals(records: &BTreeMap<String, Sticks>) -> Vec<Diagnostic> {
    let warnings = records.iter().filter_map(|(node, record)| {
        let mut active = record.sticks.iter().filter(|it| it.state == State::Active);
        let (first, second) = (active.next()?, active.next()?);
        let place = |id| record.place(id, "state");
        let warning = Diagnostic::warning(format!("{node} has two active sticks"));
        let warning = warning.at(&record.source, place(second.id));
        let warning = warning.label(&record.source, place(first.id), "the other one");
        Some(warning.help("say which one the machine boots from: `ephemeros sticks active ID`"))
    });
    warnings.collect()
}
