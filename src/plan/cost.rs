//! What it takes for a change to reach a machine.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::why::Why;
use crate::fleet::file::Git;
use crate::fleet::node::{Fleet, Node};
use crate::fleet::publish::is_fixed;

/// What a node's change costs, the dearest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cost {
    /// Nothing changes.
    Nothing,
    /// Git serves it: the node has it after its next boot.
    Reboot,
    /// It stands on the stick, which has to be written anew.
    Reflash,
    /// The new config needs what the stick does not carry: a reboot before the flash breaks the node.
    ReflashFirst,
    /// The node has no stick yet.
    FirstFlash,
    /// No node file any more: a machine that still runs it fails at its next boot.
    Removed,
}

impl Cost {
    /// In the words of the summary line.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Nothing => "unchanged",
            Self::Reboot => "to reboot",
            Self::Reflash => "to re-flash",
            Self::ReflashFirst => "to re-flash first",
            Self::FirstFlash => "to flash for the first time",
            Self::Removed => "removed",
        }
    }
}

/// Why a stick that was written from one fleet does not do for another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasons {
    /// Each of them, sorted as the table of costs is.
    pub why: Vec<Why>,
    /// Whether the new config needs one of them to be on the stick.
    pub first: bool,
}

impl Reasons {
    /// Adds one where it `is` one.
    pub(super) fn add(&mut self, is: bool, why: Why, first: bool) {
        if is {
            self.why.push(why);
            self.first |= first;
        }
    }

    /// Adds what became of secrets, of which these versions were there before.
    pub(super) fn add_secrets(
        &mut self,
        before: &BTreeMap<&str, &str>,
        now: &BTreeMap<&str, &str>,
    ) {
        for name in now.keys().copied() {
            self.add(!before.contains_key(name), Why::New(name.to_owned()), true);
        }
        for (name, version) in now {
            let is_other = before.get(name).is_some_and(|it| it != version);
            self.add(is_other, Why::OtherValue((*name).to_owned()), false);
        }
        for name in before.keys() {
            let is_gone = !now.contains_key(*name);
            self.add(is_gone, Why::Gone((*name).to_owned()), false);
        }
    }
}

/// Compares what a node's stick carried with what it has to carry.
#[must_use]
pub fn reasons(before: (&Fleet, &Node), after: (&Fleet, &Node)) -> Reasons {
    let ((old_fleet, old), (fleet, node)) = (before, after);
    let mut reasons = Reasons::default();
    let mut note = |is: bool, why: Why, first: bool| reasons.add(is, why, first);
    note(old_fleet.id != fleet.id, Why::FleetId, true);
    note(moves(&old_fleet.git, &fleet.git), Why::Url, false);
    note(old.network != node.network, Why::Network, false);
    note(
        old.stick.script != node.stick.script,
        Why::ScriptPlace,
        false,
    );
    note(
        old.stick.firmware != node.stick.firmware,
        Why::Layout,
        false,
    );
    let needs = node.secret_files.iter();
    let needs = needs.filter(|(path, name)| old.secret_files.get(*path) != Some(*name));
    note(
        old.secret_files != node.secret_files,
        Why::SecretFiles,
        needs.count() > 0,
    );
    note(
        old.os.release.arch != node.os.release.arch,
        Why::Arch,
        false,
    );
    reasons.add_secrets(&old.versions(), &node.versions());
    let places = |node: &Node| -> Vec<(String, Vec<String>)> {
        let files = node.env_files.iter();
        files
            .map(|(file, names)| (file.clone(), names.secret.iter().cloned().collect()))
            .filter(|(_, names): &(String, Vec<String>)| !names.is_empty())
            .collect()
    };
    let same_names = old.secrets.keys().eq(node.secrets.keys());
    reasons.add(
        same_names && places(old) != places(node),
        Why::EnvFiles,
        true,
    );
    reasons
}

/// Whether a stick is told a URL that is no longer the right one. A URL that `fleet.toml` fixes is set anew by
/// the boot script, which git serves.
fn moves(before: &Git, after: &Git) -> bool {
    // What is written out as the default is no change.
    let place = |git: &Git| {
        let branch = git.publish.clone().or_else(|| git.branch.clone());
        let remote = git.remote.clone().unwrap_or_else(|| "origin".to_owned());
        (
            branch,
            remote,
            git.url.clone(),
            git.forge.clone(),
            git.raw_url.clone(),
        )
    };
    !is_fixed(after) && place(before) != place(after)
}
