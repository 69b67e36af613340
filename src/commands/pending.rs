//! What stands between the rendered files and the nodes: not written, not committed, not pushed.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rayon::prelude::*;

use super::Loaded;
use super::render::elsewhere;
use crate::git;
use crate::plan::base::{self, Base};
use crate::plan::compare::is_same;
use crate::render::rendered::Rendered;

/// How far a rendered file has come.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Unwritten,
    Uncommitted,
    Unpushed,
    Fetched,
}

/// How many files have come how far.
pub(super) struct Pending<'a> {
    root: &'a Path,
    base: &'a Base,
    /// What is committed, where that is looked at; borrowed where it is the same.
    head: Option<Cow<'a, Base>>,
    /// The branch that nodes fetch from, where it is another one than people push to: one command does all three.
    elsewhere: Option<String>,
    files: BTreeMap<Stage, usize>,
}

impl<'a> Pending<'a> {
    /// `base` is what was pushed.
    pub(super) fn begin(loaded: &'a Loaded, base: &'a Base) -> Result<Self, git::Error> {
        let elsewhere = elsewhere(loaded)?;
        let head = match &loaded.repo {
            _ if elsewhere.is_some() => None,
            // Its files were read already.
            Some(repo) if base.commit.is_some() && base.commit == repo.head()?.commit => {
                Some(Cow::Borrowed(base))
            }
            Some(repo) => base::head(repo)?.map(Cow::Owned),
            None => None,
        };
        Ok(Self {
            root: &loaded.fleet.root,
            base,
            head,
            elsewhere,
            files: BTreeMap::new(),
        })
    }

    /// Looks at the files of nodes. `is_pushed` says of which it is known, by their place, that the base has them so.
    pub(super) fn add(&mut self, rendered: &[Rendered], is_pushed: impl Fn(usize) -> bool + Sync) {
        let nodes = rendered.par_iter().enumerate();
        let files = nodes.flat_map_iter(|(at, node)| {
            let is_pushed = is_pushed(at);
            node.files()
                .map(|(path, text)| self.stage(&path, text, is_pushed))
        });
        let stages: Vec<Stage> = files.collect();
        for stage in stages {
            *self.files.entry(stage).or_default() += 1;
        }
    }

    fn stage(&self, path: &str, text: &str, is_pushed: bool) -> Stage {
        let is_in = |base: &Base| is_same(base.files.get(path), text.as_bytes());
        let is_in_base = LazyCell::new(|| is_pushed || is_in(self.base));
        let is_fetched = || self.base.published && *is_in_base;
        if self.elsewhere.is_some() {
            return if is_fetched() {
                Stage::Fetched
            } else {
                Stage::Unpushed
            };
        }
        let on_disk = fs::read(self.root.join(path)).ok();
        let is_committed = || match &self.head {
            None => true,
            Some(Cow::Borrowed(_)) => *is_in_base,
            Some(Cow::Owned(head)) => is_in(head),
        };
        if on_disk.as_deref() != Some(text.as_bytes()) {
            Stage::Unwritten
        } else if !is_committed() {
            Stage::Uncommitted
        } else if self.head.is_some() && !is_fetched() {
            Stage::Unpushed
        } else {
            Stage::Fetched
        }
    }

    /// In words; `leftover` files of nodes that are no more are there besides.
    pub(super) fn notes(&self, leftover: usize) -> Vec<String> {
        let count = |stage| self.files.get(&stage).copied().unwrap_or_default();
        if let Some(branch) = &self.elsewhere {
            let note = format!("not on `{branch}` yet: run `ephemeros render --push`");
            return told(count(Stage::Unpushed), &note).into_iter().collect();
        }
        let not_there = if self.base.merges {
            "committed and not merged yet"
        } else {
            "committed and not pushed: run `git push`"
        };
        let notes = [
            (
                count(Stage::Unwritten) + leftover,
                "not rendered yet: run `ephemeros render`",
            ),
            (
                count(Stage::Uncommitted),
                "rendered and not committed: run `git commit`",
            ),
            (count(Stage::Unpushed), not_there),
        ];
        let notes = notes.into_iter();
        notes
            .filter_map(|(number, note)| told(number, note))
            .collect()
    }
}

fn told(number: usize, note: &str) -> Option<String> {
    match number {
        0 => None,
        1 => Some(format!("1 file is {note}")),
        _ => Some(format!("{number} files are {note}")),
    }
}
