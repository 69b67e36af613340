//! From what nodes fetch now and what they would fetch to what changes, node by node.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;

use super::base::{Base, Content};
use super::change::{self, Attribute, Change, Kind};
use super::cost::{Cost, Reasons, reasons};
use super::sticks::{StickPlan, Verdict};
use crate::fleet::file::ScriptAt;
use crate::fleet::names::is_node_name;
use crate::fleet::node::Fleet;
use crate::fleet::publish::asks_for_commit;
use crate::git::ObjectId;
use crate::git::tree::object_id;
use crate::ignition::{self, Config};
use crate::render::rendered::{Rendered, config_digest};
use crate::source::Source;
use crate::stick::record::State;

/// What would change for each node.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// What was compared with.
    pub base: String,
    /// Every node that was asked for, sorted by name, the unchanged ones too.
    pub nodes: Vec<NodePlan>,
}

/// What would change for one node.
#[derive(Debug, Serialize)]
pub struct NodePlan {
    /// Its name.
    pub node: String,
    /// What it costs.
    pub cost: Cost,
    /// Why the stick does not do, where it does not.
    pub reasons: Vec<String>,
    /// What changes, sorted by subject.
    pub changes: Vec<Change>,
    /// The sticks that are recorded, in the order of the record.
    pub sticks: Vec<StickPlan>,
    /// Whether the base has nothing of it.
    #[serde(skip)]
    pub is_new: bool,
}

impl NodePlan {
    fn new(node: &str, cost: Cost, changes: Vec<Change>) -> Self {
        Self {
            node: node.to_owned(),
            cost,
            reasons: Vec::new(),
            changes,
            sticks: Vec::new(),
            is_new: cost == Cost::FirstFlash,
        }
    }

    /// Adds what the sticks that are recorded need.
    fn settle(&mut self, sticks: Vec<StickPlan>) {
        let there: Vec<&StickPlan> = sticks.iter().filter(|it| it.state != State::Lost).collect();
        // The one that the node boots from, as far as anybody said.
        let has_active = there.iter().any(|it| it.state == State::Active);
        let (main, spare): (Vec<&StickPlan>, _) = there
            .iter()
            .partition(|it| it.state == State::Active || !has_active);
        let mut reasons: Vec<String> = Vec::new();
        for reason in main.iter().flat_map(|stick| &stick.reasons) {
            if !reasons.contains(reason) {
                reasons.push(reason.clone());
            }
        }
        for reason in spare.iter().flat_map(|stick| &stick.reasons) {
            let of_spare = format!("{reason} (the spare stick)");
            if !reasons.contains(reason) && !reasons.contains(&of_spare) {
                reasons.push(of_spare);
            }
        }
        if there.is_empty() {
            self.cost = Cost::FirstFlash;
            reasons.push("its stick is lost".to_owned());
        } else if main.iter().any(|it| it.verdict == Verdict::ReflashFirst) {
            self.cost = Cost::ReflashFirst;
        } else if there.iter().any(|it| it.verdict != Verdict::Current) {
            self.cost = Cost::Reflash;
        } else if self.is_new {
            self.cost = Cost::Reboot;
        }
        self.reasons = reasons;
        self.sticks = sticks;
    }
}

impl Plan {
    /// Whether anything changes at all.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.nodes.iter().any(|node| node.cost != Cost::Nothing)
    }

    /// Adds what has to be done to sticks, where any are recorded. Others are taken to be as the fleet of the base would
    /// write them; `before` is that fleet, or `None` where its nodes are those of today.
    pub fn weigh(
        &mut self,
        before: Option<&Fleet>,
        after: &Fleet,
        mut sticks: BTreeMap<String, Vec<StickPlan>>,
    ) {
        for plan in &mut self.nodes {
            let Some(node) = after.node(&plan.node) else {
                continue;
            };
            if let Some(sticks) = sticks.remove(&plan.node).filter(|it| !it.is_empty()) {
                plan.settle(sticks);
                continue;
            }
            if plan.cost > Cost::Reboot {
                continue;
            }
            let old = before.and_then(|before| Some((before, before.node(&plan.node)?)));
            let mut reasons = old.map_or_else(Reasons::default, |old| reasons(old, (after, node)));
            let script = plan.changes.iter().any(|change| change.subject == SCRIPT);
            if script && node.stick.script == ScriptAt::Stick {
                reasons.why.push("the boot script".to_owned());
            }
            let by_commit = after.git.raw_url.as_deref().is_some_and(asks_for_commit);
            if by_commit && plan.cost == Cost::Reboot {
                reasons.why.push("its URL names a commit".to_owned());
            }
            if reasons.first {
                plan.cost = Cost::ReflashFirst;
            } else if !reasons.why.is_empty() {
                plan.cost = Cost::Reflash;
            }
            plan.reasons = reasons.why;
        }
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

/// Compares. `read` gives the bytes of a blob of the base; only blobs that differ are read.
/// `removed` are the nodes that the base knows and the fleet does not.
///
/// # Errors
/// What `read` says.
pub fn compare<E>(
    base: &Base,
    rendered: &[Rendered],
    removed: &[String],
    mut read: impl FnMut(ObjectId) -> Result<Vec<u8>, E>,
) -> Result<Plan, E> {
    let same: Vec<bool> = rendered
        .par_iter()
        .map(|node| {
            node.files()
                .iter()
                .all(|(path, text)| is_same(base.files.get(path.as_str()), text.as_bytes()))
        })
        .collect();
    // A git repository is read by one thread, so the differing blobs are fetched before they are compared.
    let mut differing = Vec::new();
    for (node, _) in rendered.iter().zip(&same).filter(|(_, same)| !**same) {
        let mut before = Vec::new();
        for (path, _) in node.files() {
            before.push(match base.files.get(path.as_str()) {
                None => None,
                Some(Content::Bytes(bytes)) => Some(bytes.clone()),
                Some(Content::Object(id)) => Some(read(*id)?),
            });
        }
        differing.push((node, before));
    }
    let mut nodes: Vec<NodePlan> = differing
        .into_par_iter()
        .map(|(node, before)| compare_node(node, &before))
        .collect();
    nodes.extend(
        rendered
            .iter()
            .zip(&same)
            .filter(|(_, same)| **same)
            .map(|(node, _)| NodePlan::new(&node.node, Cost::Nothing, Vec::new())),
    );
    let removed = removed.iter();
    nodes.extend(removed.map(|node| NodePlan::new(node, Cost::Removed, Vec::new())));
    nodes.sort_by(|a, b| a.node.cmp(&b.node));
    Ok(Plan {
        base: base.name.clone(),
        nodes,
    })
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

fn compare_node(node: &Rendered, before: &[Option<Vec<u8>>]) -> NodePlan {
    let [ignition, script] = [0, 1].map(|at| {
        before
            .get(at)
            .and_then(Option::as_ref)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    });
    let is_new = ignition.is_none() && script.is_none();
    let mut changes = compare_config(ignition.as_deref(), &node.ignition);
    changes.extend(compare_script(ignition.as_deref(), script.as_deref(), node));
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
    NodePlan::new(&node.node, cost, changes)
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

/// The boot script names the config's digest, which differs whenever the config does: that alone is no news.
fn compare_script(config: Option<&str>, before: Option<&str>, node: &Rendered) -> Option<Change> {
    let (mut old, mut after) = (
        before.unwrap_or_default().to_owned(),
        node.script.text.clone(),
    );
    if let Some(digest) = config.map(config_digest)
        && old.contains(&digest)
    {
        old = old.replace(&digest, DIGEST);
        after = after.replace(&config_digest(&node.ignition), DIGEST);
    }
    (old != after).then(|| Change {
        subject: SCRIPT.to_owned(),
        kind: if before.is_some() {
            Kind::Changed
        } else {
            Kind::Added
        },
        attributes: Vec::new(),
        diff: change::unified(&old, &after),
    })
}

/// What the body of the boot script is called.
const SCRIPT: &str = "boot script";

/// Stands for the digest of a config.
const DIGEST: &str = "<config digest>";

/// The nodes whose rendered files are in the base and that the fleet does not have.
#[must_use]
pub fn removed(base: &Base, nodes: &BTreeSet<String>) -> Vec<String> {
    let owners: BTreeSet<&str> = base
        .files
        .keys()
        .filter_map(|path| {
            let name = path.strip_prefix("ignition/")?;
            name.strip_suffix(".ign")
        })
        .filter(|name| is_node_name(name) && !nodes.contains(*name))
        .collect();
    owners.into_iter().map(str::to_owned).collect()
}
