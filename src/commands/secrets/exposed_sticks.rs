//! Which values stand on which stick, now and as far as git remembers.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::exposed::Exposed;
use crate::commands::stick_id::{Candidate, pick};
use crate::commands::{Failure, count};
use crate::fleet::readerships::Certainty;
use crate::fleet::timeline::Timeline;
use crate::git::history::Tips;
use crate::git::repo::Repo;
use crate::stick::record::{FOLDER, Recorded, State, Sticks, read, short, source};

/// A stick that carries a value.
pub(super) struct OnStick<'a> {
    pub(super) id: Uuid,
    pub(super) node: &'a str,
    pub(super) state: State,
}

/// The sticks that are recorded, by each version that stands on them.
pub(super) fn by_version(records: &BTreeMap<String, Sticks>) -> BTreeMap<&str, Vec<OnStick<'_>>> {
    let mut sticks: BTreeMap<&str, Vec<OnStick<'_>>> = BTreeMap::new();
    for (node, record) in records {
        for stick in &record.sticks {
            let versions: BTreeSet<&String> = stick.secrets.values().collect();
            for version in versions {
                sticks.entry(version).or_default().push(OnStick {
                    id: stick.id,
                    node,
                    state: stick.state,
                });
            }
        }
    }
    sticks
}

/// All that a stick ever carried.
#[derive(Default)]
struct Carried {
    node: String,
    state: &'static str,
    /// Name and version of each value.
    values: BTreeSet<(String, String)>,
}

/// Adds what the sticks that were asked for carry or carried.
pub(super) fn add<'a>(
    asked: &'a [String],
    records: &BTreeMap<String, Sticks>,
    repo: Option<&Repo>,
    timeline: &Timeline,
    exposed: &mut Exposed<'a>,
    notes: &mut Vec<String>,
) -> Result<(), Failure> {
    if asked.is_empty() {
        return Ok(());
    }
    let mut all: BTreeMap<Uuid, Carried> = BTreeMap::new();
    if let Some(repo) = repo {
        let unread = add_past(repo, &mut all)?;
        if unread > 0 {
            notes.push(format!(
                "{} of `{FOLDER}/` in git can't be read any more; what they say is not counted",
                count(unread, "older file")
            ));
        }
    }
    for (node, record) in records {
        for stick in &record.sticks {
            see(&mut all, node, stick, stick.state.word());
        }
    }
    let candidates = all.iter().map(|(id, carried)| Candidate {
        id: *id,
        node: &carried.node,
        state: carried.state,
    });
    let candidates: Vec<Candidate<'_>> = candidates.collect();
    for text in asked {
        let id = candidates[pick(text, &candidates)?].id;
        for (name, version) in &all[&id].values {
            exposed.add([version.clone()], Certainty::Known, text);
            if !timeline.lives.contains_key(version) {
                notes.push(format!(
                    "the stick {} has a value of {name} that no commit has: version {version}",
                    short(id)
                ));
            }
        }
    }
    Ok(())
}

fn see(all: &mut BTreeMap<Uuid, Carried>, node: &str, stick: &Recorded, state: &'static str) {
    let carried = all.entry(stick.id).or_default();
    node.clone_into(&mut carried.node);
    carried.state = state;
    let secrets = stick.secrets.iter();
    carried
        .values
        .extend(secrets.map(|(name, version)| (name.clone(), version.clone())));
}

/// What every commit says; how many files can't be read.
fn add_past(repo: &Repo, all: &mut BTreeMap<Uuid, Carried>) -> Result<usize, Failure> {
    let history = repo.history(Tips::All, &[FOLDER])?;
    let mut seen = BTreeSet::new();
    let mut unread = 0;
    let changes = history.commits.iter().flat_map(|it| it.changes.iter());
    for change in changes.flatten() {
        let (Some(node), Some(id)) = (node_of(&change.path), change.after) else {
            continue;
        };
        if !seen.insert((node, id)) {
            continue;
        }
        let text = repo.blob(id).map(|bytes| source(&change.path, bytes));
        let Ok(Ok(Ok(sticks))) = text.map(|text| text.map(|source| read(&source))) else {
            unread += 1;
            continue;
        };
        for stick in &sticks {
            see(all, node, stick, "forgotten");
        }
    }
    Ok(unread)
}

fn node_of(path: &str) -> Option<&str> {
    let (_, name) = path.rsplit_once('/')?;
    name.strip_suffix(".toml")
}
