//! What has to be done to the sticks that are recorded.

use std::collections::BTreeMap;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::cost::Reasons;
use super::meanwhile::{Lack, lacks};
use super::why::Why;
use crate::fleet::file::{Firmware, ScriptAt};
use crate::fleet::node::{Fleet, Node};
use crate::fleet::publish::{asks_for_commit, is_fixed};
use crate::ipxe::loader::Target;
use crate::os::Arch;
use crate::render::rendered::{Rendered, config_digest, ignition_path, script_path};
use crate::stick::record::{Recorded, State, Sticks};
use crate::stick::{Sector, digest, loader_place, prologue_digest, secret_names};

/// A stick that is recorded, and whether it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StickPlan {
    /// Which one.
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub id: Uuid,
    /// What has become of it.
    pub state: State,
    /// When it was written, in UTC.
    pub flashed: String,
    /// Whether it does.
    pub verdict: Verdict,
    /// Why it does not; for people.
    #[schemars(with = "Vec<String>")]
    pub reasons: Vec<Why>,
    /// What is not as a new one would be, and no matter; for people.
    pub notes: Vec<String>,
    /// Files of the secrets volume that are not on it as the new config needs them.
    #[serde(skip)]
    pub lacks: Vec<Lack>,
}

/// Whether a stick does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It does.
    Current,
    /// It has to be written anew; until then the node boots as before.
    Reflash,
    /// It has to be written anew before the node fetches the new config.
    ReflashFirst,
}

/// What stands on the sticks of a node if they are written now.
struct Wanted<'a> {
    fleet: &'a Fleet,
    node: &'a Node,
    /// The node as the base has it, where it differs.
    before: Option<&'a Node>,
    rendered: &'a Rendered,
    /// Where it fetches its config and its boot script; `None` where a stick need not know, or nobody can tell.
    urls: Option<[String; 2]>,
    secret_files: BTreeMap<String, Vec<String>>,
    config: String,
}

/// Judges all sticks of the nodes that were rendered, by node. `url` gives the URL of a rendered file by its path, where
/// it can be derived; `before` is the fleet of the base, for a more exact reason.
#[must_use]
pub fn judge(
    fleet: &Fleet,
    before: Option<&Fleet>,
    rendered: &[Rendered],
    records: &BTreeMap<String, Sticks>,
    url: impl Fn(&str) -> Option<String> + Sync,
) -> BTreeMap<String, Vec<StickPlan>> {
    let is_fixed = is_fixed(&fleet.git);
    rendered
        .par_iter()
        .filter_map(|rendered| {
            let record = records.get(&rendered.node)?;
            let node = fleet.node(&rendered.node)?;
            // What `fleet.toml` fixes the boot script sets anew, whatever the stick says.
            let urls = || {
                let config = url(&ignition_path(&node.name))?;
                Some([config, url(&script_path(&node.name))?])
            };
            let wanted = Wanted {
                fleet,
                node,
                before: before.and_then(|before| before.node(&node.name)),
                rendered,
                urls: if is_fixed { None } else { urls() },
                secret_files: secret_names(node),
                config: digest(rendered.ignition.as_bytes()),
            };
            let sticks = record.sticks.iter().map(|stick| wanted.judge(stick));
            Some((rendered.node.clone(), sticks.collect()))
        })
        .collect()
}

impl Wanted<'_> {
    fn judge(&self, stick: &Recorded) -> StickPlan {
        let mut reasons = Reasons::default();
        let is_same_id = self.fleet.id == stick.fleet_id;
        reasons.add(!is_same_id, Why::FleetId, true);
        self.check_scripts(stick, &mut reasons);
        self.check_layout(stick, &mut reasons);
        self.check_files(stick, &mut reasons);
        let versions = stick.secrets.iter();
        let versions = versions.map(|(name, version)| (name.as_str(), version.as_str()));
        reasons.add_secrets(&versions.collect(), &self.node.versions());
        let is_old_body = self.body(stick) != stick.body;
        let is_old_config = self.config != stick.config;
        let is_on_stick = self.node.stick.script == ScriptAt::Stick;
        reasons.add(is_old_body && is_on_stick, Why::Script, false);
        let by_commit = self.fleet.git.raw_url.as_deref();
        let by_commit = by_commit.is_some_and(asks_for_commit);
        reasons.add(
            by_commit && (is_old_body || is_old_config),
            Why::Commit,
            false,
        );
        let copies = [
            (is_old_body && !is_on_stick, "the boot script"),
            (is_old_config, "the config"),
        ];
        let copies = copies.into_iter().filter(|(is_old, _)| *is_old);
        StickPlan {
            id: stick.id,
            state: stick.state,
            flashed: stick.flashed.to_string(),
            verdict: match &reasons {
                Reasons { first: true, .. } => Verdict::ReflashFirst,
                Reasons { why, .. } if why.is_empty() => Verdict::Current,
                Reasons { .. } => Verdict::Reflash,
            },
            reasons: reasons.why,
            notes: copies
                .map(|(_, what)| format!("its copy of {what} is an older one"))
                .collect(),
            lacks: lacks(&self.secret_files, &stick.secret_files),
        }
    }

    fn check_scripts(&self, stick: &Recorded, reasons: &mut Reasons) {
        let is_in_git = self.node.stick.script == ScriptAt::Git;
        let moves = self.urls.as_ref().is_some_and(|[config, script]| {
            let script = Some(script).filter(|_| is_in_git);
            let both = script.zip(stick.script_url.as_ref());
            !is_same_url(config, &stick.config_url)
                || both.is_some_and(|(is, was)| !is_same_url(is, was))
        });
        reasons.add(moves, Why::Url, false);
        // With the URLs that it has: all else of it is compared.
        let digest = |node| prologue_digest(node, &stick.config_url, stick.script_url.as_deref());
        if digest(self.node) != stick.prologue {
            let was = self.before.map(digest);
            let why = if was.as_ref() == Some(&stick.prologue) {
                Why::Network
            } else {
                Why::Prologue
            };
            reasons.add(true, why, false);
        }
        reasons.add(
            is_in_git != stick.script_url.is_some(),
            Why::ScriptPlace,
            false,
        );
    }

    fn check_layout(&self, stick: &Recorded, reasons: &mut Reasons) {
        let arch = self.node.os.release.arch;
        let wants = |firmware| self.node.stick.firmware.contains(&firmware);
        let has = |target| stick.loaders.contains_key(loader_place(target));
        let has_uefi = [Arch::Amd64, Arch::Arm64].map(|arch| has(Target::Uefi(arch)));
        if has_uefi.contains(&true) && wants(Firmware::Uefi) && !has(Target::Uefi(arch)) {
            reasons.add(true, Why::Arch, false);
            return;
        }
        // No arm64 machine has a BIOS, and none boots from a drive with larger sectors.
        let is_small = stick.sector == Sector::Of512.bytes();
        let wants_bios = wants(Firmware::Bios) && arch == Arch::Amd64 && is_small;
        let is_same =
            has_uefi.contains(&true) == wants(Firmware::Uefi) && has(Target::Bios) == wants_bios;
        reasons.add(!is_same, Why::Layout, false);
    }

    /// A secret that the stick has, but not where the node will look.
    fn check_files(&self, stick: &Recorded, reasons: &mut Reasons) {
        let carried = |name: &&String| stick.secrets.contains_key(*name);
        let needed = |name: &&String| self.node.secrets.contains_key(name);
        for (path, names) in &self.secret_files {
            let there = stick.secret_files.get(path);
            let there = there.map_or(&[][..], Vec::as_slice);
            let lacking = names.iter().filter(|name| !there.contains(name));
            for name in lacking.filter(carried) {
                let (name, path) = (name.clone(), path.clone());
                reasons.add(true, Why::Into { name, path }, true);
            }
        }
        for (path, names) in &stick.secret_files {
            let wanted = self.secret_files.get(path);
            let wanted = wanted.map_or(&[][..], Vec::as_slice);
            let more = names.iter().filter(|name| !wanted.contains(name));
            for name in more.filter(needed) {
                let (name, path) = (name.clone(), path.clone());
                reasons.add(true, Why::OutOf { name, path }, false);
            }
        }
    }

    /// The digest of the body if it named the config that the stick has a copy of: that another config has another
    /// name is no news.
    fn body(&self, stick: &Recorded) -> String {
        let text = &self.rendered.script.text;
        let now = config_digest(&self.rendered.ignition);
        let then = stick.config.strip_prefix("sha256-");
        match then.and_then(|then| then.get(..now.len())) {
            Some(then) if then != now => digest(text.replace(&now, then).as_bytes()),
            _ => digest(text.as_bytes()),
        }
    }
}

/// The digits of the shortest name of a commit in full.
const COMMIT: usize = 40;

/// Whether two URLs are the same but for a commit or a digest in them, which says nothing of the place.
fn is_same_url(one: &str, other: &str) -> bool {
    let without = |url: &str| {
        let is_hex = |c: char| c.is_ascii_hexdigit();
        let mut text = String::new();
        let mut rest = url;
        while let Some(start) = rest.find(is_hex) {
            let digits = rest[start..].find(|c| !is_hex(c));
            let end = digits.map_or(rest.len(), |digits| start + digits);
            text += &rest[..start];
            text += if end - start < COMMIT {
                &rest[start..end]
            } else {
                "#"
            };
            rest = &rest[end..];
        }
        text + rest
    };
    one == other || without(one) == without(other)
}
