//! What git holds of the fleet, for the commands that look back.

use std::collections::{BTreeMap, BTreeSet};

use super::exposed::Exposed;
use crate::commands::{Failure, count};
use crate::diagnostic::Diagnostic;
use crate::fleet::carried::carried;
use crate::fleet::manifest::Manifest;
use crate::fleet::readerships::Certainty;
use crate::fleet::timeline::{self, Timeline};
use crate::git::history::{History, Tips};
use crate::git::repo::Repo;
use crate::git::{self, ObjectId};
use crate::nearest::nearest;
use crate::progress::Progress as _;
use crate::ui::Ui;

/// Where the files stand that hold values.
const INPUTS: [&str; 2] = ["fleet.toml", "nodes"];

/// What git holds of the fleet.
pub(super) struct Past<'a> {
    repo: Option<&'a Repo>,
    /// The commits.
    pub(super) history: History,
    head: BTreeMap<String, ObjectId>,
}

impl<'a> Past<'a> {
    pub(super) fn read(repo: Option<&'a Repo>, tips: Tips, ui: &Ui) -> Result<Self, Failure> {
        let mut past = Self {
            repo,
            history: History::default(),
            head: BTreeMap::new(),
        };
        if let Some(repo) = repo {
            past.history = repo.history(tips, &INPUTS)?;
            if let Some(commit) = repo.head()?.commit {
                past.head = repo.files(commit, &INPUTS)?;
            }
        }
        if ui.stopped() {
            return Err(Failure::Stopped);
        }
        Ok(past)
    }

    fn blob(&self, id: ObjectId) -> Result<Vec<u8>, git::Error> {
        self.repo.map_or(Ok(Vec::new()), |repo| repo.blob(id))
    }

    pub(super) fn timeline(&self, ui: &Ui) -> Result<Timeline, Failure> {
        ui.start("reading commits", self.history.commits.len());
        let timeline = timeline::read(
            &self.history,
            &self.head,
            |id| self.blob(id),
            || {
                ui.advance(1);
                !ui.stopped()
            },
        );
        timeline.ok_or(Failure::Stopped)
    }

    /// What stands in the way of a whole answer.
    pub(super) fn notes(&self, timeline: &Timeline, mistakes: &[Diagnostic]) -> Vec<String> {
        let mut notes = Vec::new();
        if self.repo.is_none() {
            notes.push(
                "there is no git repository: only the files as they stand were looked at"
                    .to_owned(),
            );
        }
        if self.history.is_shallow {
            notes.push(
                "this clone is shallow: what older commits held is not known here; run `git fetch --unshallow`"
                    .to_owned(),
            );
        }
        for (path, commit) in &timeline.broken {
            let commit = &self.history.commits[*commit];
            notes.push(format!(
                "{path} could not be read whole as it stood in {} of {}; what was found in it counts",
                commit.short_id(),
                commit.date()
            ));
        }
        let faulty: BTreeSet<_> = mistakes
            .iter()
            .filter(|it| it.is_error())
            .filter_map(|it| it.node.as_ref())
            .collect();
        if !faulty.is_empty() {
            notes.push(format!(
                "{} with mistakes in the fleet today, which sticks are counted without; `ephemeros check` tells them",
                count(faulty.len(), "node")
            ));
        }
        notes
    }

    /// What the sticks of a node carried, commit by commit and as the files stand.
    pub(super) fn of_node<'b>(
        &self,
        manifest: &Manifest,
        node: &'b str,
        exposed: &mut Exposed<'b>,
        notes: &mut Vec<String>,
    ) -> Result<(), Failure> {
        let path = format!("nodes/{node}.toml");
        let fleets = self.history.states("fleet.toml");
        let files = self.history.states(&path);
        let mut seen = BTreeSet::new();
        let mut unresolved: Vec<usize> = Vec::new();
        for (at, both) in fleets.into_iter().zip(&files).enumerate() {
            let (Some(fleet), Some(file)) = both else {
                continue;
            };
            if !seen.insert((fleet, *file)) {
                continue;
            }
            let (Ok(fleet), Ok(file)) = (self.blob(fleet), self.blob(*file)) else {
                unresolved.push(at);
                continue;
            };
            let carried = carried(&manifest.root, node, &fleet, &file);
            if carried.certainty == Certainty::Unknown {
                unresolved.push(at);
            }
            exposed.add(carried.versions, carried.certainty, node);
        }
        match manifest.nodes.get(node) {
            Some(file) => {
                let (fleet, file) = (&manifest.document.source.text, &file.source.text);
                let carried = carried(&manifest.root, node, fleet.as_bytes(), file.as_bytes());
                exposed.add(carried.versions, carried.certainty, node);
            }
            None if files.iter().any(Option::is_some) => {}
            None => return Err(self.no_node(manifest, node)),
        }
        if let Some(first) = unresolved.first() {
            let commit = &self.history.commits[*first];
            notes.push(format!(
                "what {node} had in {} can't be resolved any more, first in {} of {}: all that it could have meant counts",
                count(unresolved.len(), "state"),
                commit.short_id(),
                commit.date()
            ));
        }
        Ok(())
    }

    fn no_node(&self, manifest: &Manifest, node: &str) -> Failure {
        let changes = self.history.commits.iter().flat_map(|it| it.changes.iter());
        let mut known: BTreeSet<&str> = manifest.nodes.keys().map(String::as_str).collect();
        known.extend(changes.flatten().filter_map(|change| {
            let name = change.path.strip_prefix("nodes/")?;
            name.strip_suffix(".toml")
        }));
        let help = match nearest(node, known) {
            Some(near) => format!("a node with a similar name exists or existed: `{near}`"),
            None => "name a node that has or had a file in `nodes/`, without `.toml`".to_owned(),
        };
        Failure::problem(format!("there never was a node `{node}`"), Some(&help))
    }
}
