//! From what nodes fetch now and what they would fetch to what changes, node by node.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::base::{Base, Content};
use super::change::{self, Attribute, Change, Kind};
use super::cost::{Cost, Reasons, reasons};
use super::meanwhile::{Lack, lacks, sentences};
use super::script;
use super::sticks::{StickPlan, Verdict};
use super::why::Why;
use crate::fleet::file::ScriptAt;
use crate::fleet::names::is_node_name;
use crate::fleet::node::{Fleet, Node};
use crate::fleet::once::Once;
use crate::fleet::publish::asks_for_commit;
use crate::git::ObjectId;
use crate::git::tree::object_id;
use crate::ignition::{self, Config};
use crate::render::rendered::Rendered;
use crate::source::Source;
use crate::stick::record::State;
use crate::stick::secret_names;

/// What would change for each node.
#[derive(Debug)]
pub struct Plan {
    /// What was compared with.
    pub base: String,
    /// Every node that was asked for, sorted by name, the unchanged ones too.
    pub nodes: Vec<NodePlan>,
}

/// What would change for one node.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NodePlan {
    /// Its name.
    pub node: String,
    /// What it costs.
    pub cost: Cost,
    /// Why the stick does not do, where it does not; for people.
    #[schemars(with = "Vec<String>")]
    pub reasons: Vec<Why>,
    /// What becomes of the node when it boots before its stick is written anew, or after it was removed; for people.
    pub meanwhile: Vec<String>,
    /// What changes, sorted by subject.
    pub changes: Vec<Arc<Change>>,
    /// The sticks that are recorded, in the order of the record.
    pub sticks: Vec<StickPlan>,
    /// Whether the base has nothing of it.
    #[serde(skip)]
    pub is_new: bool,
}

impl NodePlan {
    fn new(node: &str, cost: Cost, changes: Vec<Arc<Change>>) -> Self {
        Self {
            node: node.to_owned(),
            cost,
            reasons: Vec::new(),
            meanwhile: Vec::new(),
            changes,
            sticks: Vec::new(),
            is_new: cost == Cost::FirstFlash,
        }
    }

    /// Adds what the sticks that are recorded need; the result is what the one lacks that the node boots from.
    fn settle(&mut self, sticks: Vec<StickPlan>) -> Vec<Lack> {
        let there: Vec<&StickPlan> = sticks.iter().filter(|it| it.state != State::Lost).collect();
        // The one that the node boots from, as far as anybody said.
        let has_active = there.iter().any(|it| it.state == State::Active);
        let (main, spare): (Vec<&StickPlan>, _) = there
            .iter()
            .partition(|it| it.state == State::Active || !has_active);
        let mut reasons: Vec<Why> = Vec::new();
        for reason in main.iter().flat_map(|stick| &stick.reasons) {
            if !reasons.contains(reason) {
                reasons.push(reason.clone());
            }
        }
        for reason in spare.iter().flat_map(|stick| &stick.reasons) {
            let of_spare = Why::Spare(Box::new(reason.clone()));
            if !reasons.contains(reason) && !reasons.contains(&of_spare) {
                reasons.push(of_spare);
            }
        }
        if there.is_empty() {
            self.cost = Cost::FirstFlash;
            reasons.push(Why::Lost);
        } else if main.iter().any(|it| it.verdict == Verdict::ReflashFirst) {
            self.cost = Cost::ReflashFirst;
        } else if there.iter().any(|it| it.verdict != Verdict::Current) {
            self.cost = Cost::Reflash;
        } else if self.is_new {
            self.cost = Cost::Reboot;
        }
        let mut lacks: Vec<Lack> = main.iter().flat_map(|it| it.lacks.clone()).collect();
        lacks.sort();
        lacks.dedup();
        self.reasons = reasons;
        self.sticks = sticks;
        lacks
    }

    /// Adds what a stick needs that is as the fleet of the base would write it; the result is what it lacks.
    fn suppose(&mut self, before: Option<&Fleet>, (after, node): (&Fleet, &Node)) -> Vec<Lack> {
        if self.cost > Cost::Reboot {
            return Vec::new();
        }
        let old = before.and_then(|before| Some((before, before.node(&self.node)?)));
        let mut reasons = old.map_or_else(Reasons::default, |old| reasons(old, (after, node)));
        let script = self.changes.iter().any(|it| script::is_of_script(it));
        reasons.add(
            script && node.stick.script == ScriptAt::Stick,
            Why::Script,
            false,
        );
        let by_commit = after.git.raw_url.as_deref().is_some_and(asks_for_commit);
        reasons.add(by_commit && self.cost == Cost::Reboot, Why::Commit, false);
        if reasons.first {
            self.cost = Cost::ReflashFirst;
        } else if !reasons.why.is_empty() {
            self.cost = Cost::Reflash;
        }
        self.reasons = reasons.why;
        old.map_or_else(Vec::new, |(_, old)| {
            lacks(&secret_names(node), &secret_names(old))
        })
    }
}

impl Plan {
    /// Of nodes that were compared with a base, and of `removed` ones, which the base knows and the fleet does not.
    #[must_use]
    pub fn new(base: &Base, mut nodes: Vec<NodePlan>, removed: &[String]) -> Self {
        let gone = |node: &String| NodePlan {
            meanwhile: sentences(Cost::Removed, &[], &[], None),
            ..NodePlan::new(node, Cost::Removed, Vec::new())
        };
        nodes.extend(removed.iter().map(gone));
        nodes.sort_by(|a, b| a.node.cmp(&b.node));
        Self {
            base: base.name.clone(),
            nodes,
        }
    }

    /// Whether anything changes at all.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.nodes.iter().any(|node| node.cost != Cost::Nothing)
    }

    /// How many nodes there are of each cost, without those of which there is none.
    #[must_use]
    pub fn summary(&self) -> BTreeMap<Cost, usize> {
        let mut counts = BTreeMap::new();
        for node in &self.nodes {
            *counts.entry(node.cost).or_default() += 1;
        }
        counts
    }
}

/// Adds what has to be done to sticks, where any are recorded, and what becomes of nodes until it is; `nodes` are those that
/// were rendered. Other sticks are taken to be as the fleet of the base would write them; `before` is that fleet, or `None`
/// where its nodes are those of today.
pub fn weigh(
    nodes: &mut [NodePlan],
    rendered: &[Rendered],
    before: Option<&Fleet>,
    after: &Fleet,
    mut sticks: BTreeMap<String, Vec<StickPlan>>,
) {
    for (plan, rendered) in nodes.iter_mut().zip(rendered) {
        let Some(node) = after.node(&plan.node) else {
            continue;
        };
        let recorded = sticks.remove(&plan.node).filter(|it| !it.is_empty());
        let lacks = match recorded {
            Some(sticks) => plan.settle(sticks),
            None => plan.suppose(before, (after, node)),
        };
        plan.meanwhile = sentences(plan.cost, &plan.reasons, &lacks, Some((node, rendered)));
    }
}

/// Compares, node by node. `read` gives the bytes of a blob of the base; only blobs that differ are read. `known` are the
/// changes of other nodes.
///
/// # Errors
/// What `read` says.
pub fn compare<E>(
    base: &Base,
    rendered: &[Rendered],
    known: &Once<Change>,
    mut read: impl FnMut(ObjectId) -> Result<Vec<u8>, E>,
) -> Result<Vec<NodePlan>, E> {
    let same: Vec<bool> = rendered
        .par_iter()
        .map(|node| {
            node.files()
                .iter()
                .all(|(path, text)| is_same(base.files.get(path.as_str()), text.as_bytes()))
        })
        .collect();
    // A git repository is read by one thread, so the differing blobs are fetched before they are compared.
    let mut before = Vec::with_capacity(rendered.len());
    for (node, same) in rendered.iter().zip(same) {
        let mut files = Vec::new();
        for (path, _) in node.files().iter().filter(|_| !same) {
            files.push(match base.files.get(path) {
                None => None,
                Some(Content::Bytes(bytes)) => Some(bytes.clone()),
                Some(Content::Object(id)) => Some(read(*id)?),
            });
        }
        before.push((!same).then_some(files));
    }
    let nodes = rendered.par_iter().zip(before);
    let nodes = nodes.map(|(node, before)| match before {
        Some(before) => compare_node(node, &before, known),
        None => NodePlan::new(&node.node, Cost::Nothing, Vec::new()),
    });
    Ok(nodes.collect())
}

/// Whether a file of the base holds exactly these bytes.
#[must_use]
pub fn is_same(content: Option<&Content>, bytes: &[u8]) -> bool {
    match content {
        None => false,
        Some(Content::Object(id)) => *id == object_id(bytes),
        Some(Content::Bytes(there)) => there == bytes,
    }
}

fn compare_node(node: &Rendered, before: &[Option<Vec<u8>>], known: &Once<Change>) -> NodePlan {
    let [ignition, script] = [0, 1].map(|at| {
        before
            .get(at)
            .and_then(Option::as_ref)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    });
    let is_new = ignition.is_none() && script.is_none();
    let mut changes = compare_config(ignition.as_deref(), &node.ignition);
    let script = script::changes(ignition.as_deref(), script.as_deref(), node);
    changes.extend(script);
    if changes.is_empty() {
        changes.push(Change {
            subject: "how it is written".to_owned(),
            kind: Kind::Changed,
            attributes: Vec::new(),
            diff: String::new(),
        });
    }
    let cost = if is_new {
        Cost::FirstFlash
    } else {
        Cost::Reboot
    };
    let changes = changes.into_iter().map(|change| known.one(change));
    NodePlan::new(&node.node, cost, changes.collect())
}

fn compare_config(before: Option<&str>, after: &str) -> Vec<Change> {
    let view = |text: &str| {
        let (config, _) = Config::parse(&Source::file("base", text));
        config.map(|config| ignition::view(&config))
    };
    let old = match before {
        None => Some(BTreeMap::new()),
        Some(text) => view(text),
    };
    match (old, view(after)) {
        (Some(before), Some(after)) => change::between(&before, &after),
        // What nodes fetch now is no Ignition config: nothing of it can be named.
        _ => vec![Change {
            subject: "the whole Ignition config".to_owned(),
            kind: Kind::Changed,
            attributes: vec![Attribute {
                name: "size".to_owned(),
                before: before.map(|text| format!("{} bytes", text.len())),
                after: Some(format!("{} bytes", after.len())),
            }],
            diff: String::new(),
        }],
    }
}

/// The nodes whose rendered files are in the base and of which `is_there` says that the fleet does not have them.
#[must_use]
pub fn removed(base: &Base, is_there: impl Fn(&str) -> bool) -> Vec<String> {
    let owners: BTreeSet<&str> = base
        .files
        .keys()
        .filter_map(|path| {
            let name = path.strip_prefix("ignition/")?;
            name.strip_suffix(".ign")
        })
        .filter(|name| is_node_name(name) && !is_there(name))
        .collect();
    owners.into_iter().map(str::to_owned).collect()
}
