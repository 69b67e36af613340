//! The script run through: with every fetch succeeding, each single one failing, the first few failing, and all.

use std::collections::BTreeMap;

use crate::ipxe::evaluate::{self, Run};
use crate::ipxe::read::Script;

/// How long the URL of a config is taken to be where it is not known, in bytes: longer than any that a
/// forge gives for a node's file.
const ASSUMED_URL_LEN: usize = 200;

/// How many fetches are made to fail one by one.
const MAX_FAILING: usize = 16;

pub(super) struct Runs {
    /// Every fetch succeeds.
    pub(super) good: Run,
    /// Some fail.
    mixed: Vec<Run>,
    /// Every fetch fails.
    pub(super) bad: Run,
}

impl Runs {
    pub(super) fn of(script: &Script, settings: &BTreeMap<String, String>) -> Self {
        let mut settings = settings.clone();
        let assumed = || "u".repeat(ASSUMED_URL_LEN);
        settings.entry("config-url".into()).or_insert_with(assumed);
        let go = |fails: &dyn Fn(usize) -> bool| evaluate::go(script, &settings, fails, false);
        let good = go(&|_| false);
        let single = (0..good.fetches.len().min(MAX_FAILING)).map(|one| go(&|fetch| fetch == one));
        let mut mixed: Vec<Run> = single.collect();
        let mut bad = None;
        for first in 2..MAX_FAILING {
            let run = go(&|fetch| fetch < first);
            if run.fetches.iter().all(|fetch| !fetch.succeeded) {
                bad = Some(run);
                break;
            }
            mixed.push(run);
        }
        let bad = bad.unwrap_or_else(|| go(&|_| true));
        Self { good, mixed, bad }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Run> {
        [&self.good]
            .into_iter()
            .chain(&self.mixed)
            .chain([&self.bad])
    }
}
