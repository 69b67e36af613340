//! From what is written to complete nodes: the layers of each node merged, typed once, and checked.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use uuid::Uuid;

use super::decode::decode;
use super::document::{Item, Table};
use super::file::{self, Firmware, ScriptAt};
use super::manifest::Manifest;
use super::node::{Artifact, EnvFile, Fleet, Node, Os, Stick, Vault};
use super::once::Once;
use super::{expiry, names, network, pins, publish, roles, variables, volume};
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use crate::secrets::value::Secret;
use serde::de::DeserializeOwned;

/// Resolves all nodes. The fleet holds those without a mistake.
#[must_use]
pub fn resolve(manifest: &Manifest) -> (Fleet, Vec<Diagnostic>) {
    let nodes = manifest.nodes.par_iter();
    let nodes = nodes.map(|(name, file)| (name.as_str(), file));
    let (mut diagnostics, (fleet, mistakes)) =
        rayon::join(|| check(manifest), || resolve_nodes(manifest, nodes));
    diagnostics.extend(mistakes);
    check_hostnames(&fleet.nodes, &mut diagnostics);
    (fleet, diagnostics)
}

/// What can be told of the files without a look at whole nodes.
fn check(manifest: &Manifest) -> Vec<Diagnostic> {
    let mut diagnostics = manifest.lock.mistakes.clone();
    volume::check_recipients(manifest, &mut diagnostics);
    roles::check(manifest, &mut diagnostics);
    expiry::check(manifest, &mut diagnostics);
    publish::check(manifest, &mut diagnostics);
    pins::check_artifacts(manifest, &mut diagnostics);
    diagnostics
}

/// The fleet with some of its nodes alone: those of these names, sorted, that are without a mistake.
#[must_use]
pub fn resolve_some<'a>(
    manifest: &Manifest,
    names: impl IndexedParallelIterator<Item = &'a str>,
) -> Fleet {
    let nodes = names.filter_map(|name| Some((name, manifest.nodes.get(name)?)));
    resolve_nodes(manifest, nodes).0
}

fn resolve_nodes<'a>(
    manifest: &Manifest,
    nodes: impl ParallelIterator<Item = (&'a str, &'a Item)>,
) -> (Fleet, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let (name, id) = identify(manifest, &mut diagnostics);
    let mount: Arc<str> = volume::mount(manifest, &mut diagnostics).into();
    let shared = Shared::default();
    let resolved: Vec<(Option<Node>, Vec<Diagnostic>)> = nodes
        .map(|(name, file)| {
            let mut mistakes = Vec::new();
            let vault = Vault {
                partuuid: Uuid::new_v5(&id, name.as_bytes()),
                mount: Arc::clone(&mount),
            };
            let node = resolve_node(manifest, name, file, vault, &shared, &mut mistakes);
            volume::check_mount(manifest, &node, &mut mistakes);
            let sound = !mistakes.iter().any(Diagnostic::is_error);
            for mistake in &mut mistakes {
                mistake.node = Some(name.to_owned());
            }
            (sound.then_some(node), mistakes)
        })
        .collect();
    let mut nodes = Vec::with_capacity(resolved.len());
    for (node, mistakes) in resolved {
        nodes.extend(node);
        diagnostics.extend(mistakes);
    }
    let fleet = Fleet {
        root: manifest.root.clone(),
        name,
        id,
        git: manifest.fleet.git.clone(),
        prefix: String::new(),
        nodes,
    };
    (fleet, diagnostics)
}

fn identify(manifest: &Manifest, diagnostics: &mut Vec<Diagnostic>) -> (String, Uuid) {
    let document = &manifest.document;
    let at_top = |message: &str| Diagnostic::error(message).at(&document.source, 0..0);
    let name = manifest.fleet.name.clone().unwrap_or_default();
    if name.is_empty() {
        let message = "the fleet has no name";
        let mistake = document
            .get("name")
            .map_or_else(|| at_top(message), |item| item.error(message));
        diagnostics.push(mistake.help("add `name = \"homelab\"` at the top of fleet.toml"));
    }
    let id = match (&manifest.fleet.id, document.get("id")) {
        (Some(text), Some(item)) => Uuid::parse_str(text).map_err(|_| {
            item.error("`id` is no UUID")
                .help("write what `uuidgen` prints, once; partitions are named by it")
        }),
        _ => Err(at_top("the fleet has no `id`")
            .help("add `id = \"…\"` with what `uuidgen` prints, once; partitions are named by it")),
    };
    let id = id.unwrap_or_else(|mistake| {
        diagnostics.push(mistake);
        Uuid::nil()
    });
    (name, id)
}

/// What is mostly the same on many nodes.
#[derive(Default)]
struct Shared {
    lists: Once<Vec<String>>,
    env_files: Once<BTreeMap<String, EnvFile>>,
    secret_files: Once<BTreeMap<String, String>>,
    artifacts: Once<BTreeMap<String, Artifact>>,
    os: Once<Os>,
    sticks: Once<Stick>,
}

/// A part of the merged layers, typed. They were typed one by one when they were read: what is wrong in them is told already.
fn typed<T: DeserializeOwned + Default>(profile: &Item, key: &str) -> T {
    let item = profile.get(key);
    item.map_or_else(T::default, |item| decode(item, &mut Vec::new()))
}

fn resolve_node(
    manifest: &Manifest,
    name: &str,
    file: &Item,
    vault: Vault,
    shared: &Shared,
    mistakes: &mut Vec<Diagnostic>,
) -> Node {
    if !names::is_node_name(name) {
        mistakes.push(
            Diagnostic::error(format!("`{name}` can't be a node's name"))
                .at(&file.source, 0..0)
                .help(
                    "rename the file: lower-case letters, digits and `-` between them, 63 at most",
                ),
        );
    }
    let all_roles = roles::listed(manifest, file, mistakes);
    let (roles, left_out, profile) =
        variables::roles_that_hold(manifest, file, &all_roles, mistakes);
    let hostname: Option<String> = typed(&profile, "hostname");
    let hostname = hostname.unwrap_or_else(|| name.to_owned());
    if let (Some(item), false) = (profile.get("hostname"), names::is_hostname(&hostname)) {
        mistakes.push(
            item.error("this can't be a host name")
                .help("letters, digits and `-`, with dots between labels, 64 characters at most"),
        );
    }
    check_templates(manifest, &profile, mistakes);
    check_readers(manifest, file, mistakes);
    let (env_files, secret_files) =
        variables::distribute(manifest, file, &profile, &roles, &left_out, mistakes);
    let secrets = own_secrets(&profile, &env_files, &secret_files, mistakes);
    let os = pins::release(manifest, &profile, typed(&profile, "os"), mistakes);
    let artifacts = pins::artifacts(manifest, &os, mistakes);
    let network = network::check(&profile, typed(&profile, "network"), mistakes);
    let stick: file::Stick = typed(&profile, "stick");
    let list = |key| shared.lists.one(typed(&profile, key));
    let table = |key| {
        profile
            .get(key)
            .and_then(Item::table)
            .cloned()
            .unwrap_or_default()
    };
    Node {
        name: name.to_owned(),
        hostname,
        tags: list("tags"),
        templates: list("templates"),
        ssh_authorized_keys: list("ssh_authorized_keys"),
        vars: table("vars"),
        env: table("env"),
        roles: shared.lists.one(roles),
        secrets,
        env_files: shared.env_files.one(env_files),
        secret_files: shared.secret_files.one(secret_files),
        os: shared.os.one(os),
        network,
        stick: shared.sticks.one(Stick {
            script: stick.script.unwrap_or(ScriptAt::Git),
            firmware: stick
                .firmware
                .unwrap_or_else(|| vec![Firmware::Uefi, Firmware::Bios]),
            ipxe: stick.ipxe,
            record_serial: stick.record_serial.unwrap_or(false),
        }),
        vault,
        artifacts: shared.artifacts.one(artifacts),
        profile,
    }
}

fn check_templates(manifest: &Manifest, profile: &Item, mistakes: &mut Vec<Diagnostic>) {
    for item in profile.get("templates").map_or(&[][..], Item::array) {
        let Some(template) = item.text() else {
            continue;
        };
        // The names come sorted.
        if manifest
            .templates
            .binary_search_by(|there| there.as_str().cmp(template))
            .is_err()
        {
            let known = manifest.templates.iter().map(String::as_str);
            let help = match nearest(template, known) {
                Some(near) => format!("a template with a similar name exists: `{near}`"),
                None => format!("create `templates/{template}`"),
            };
            mistakes.push(
                item.error(format!("there is no template `{template}` in templates/"))
                    .help(help),
            );
        } else if !template.ends_with(".bu") && !template.ends_with(".ign") {
            mistakes.push(
                item.error(format!("`{template}` is neither Butane nor Ignition"))
                    .help("a template's name ends in `.bu` (Butane) or `.ign` (Ignition)"),
            );
        }
    }
}

pub(super) fn check_readers(manifest: &Manifest, file: &Item, mistakes: &mut Vec<Diagnostic>) {
    let groups = &manifest.fleet.vault.groups;
    for item in file.get("readers").map_or(&[][..], Item::array) {
        let Some(group) = item.text() else { continue };
        if groups.contains_key(group) {
            continue;
        }
        let help = match nearest(group, groups.keys().map(String::as_str)) {
            Some(near) => format!("a group with a similar name exists: `{near}`"),
            None => format!("add `{group} = [\"age1…\"]` under `[vault.groups]` in fleet.toml"),
        };
        mistakes.push(item.error(format!("unknown group `{group}`")).help(help));
    }
}

/// The secrets that a node's stick carries.
pub(super) fn own_secrets(
    profile: &Item,
    env_files: &BTreeMap<String, EnvFile>,
    secret_files: &BTreeMap<String, String>,
    mistakes: &mut Vec<Diagnostic>,
) -> Table {
    let written = profile.get("secrets").and_then(Item::table);
    let mut secrets = written.cloned().unwrap_or_default();
    secrets.retain(|name, item| {
        let Some(text) = item.text() else {
            return false;
        };
        if let Err(error) = text.parse::<Secret>() {
            mistakes.push(item.error(format!("`{name}`: {error}")).help(error.help()));
            return false;
        }
        // The defaults serve nodes of all roles: what none of this node's roles takes is not this node's.
        env_files.values().any(|file| file.secret.contains(name))
            || secret_files.values().any(|file| file == name)
    });
    secrets
}

/// Two machines of one name would answer for each other.
fn check_hostnames(nodes: &[Node], diagnostics: &mut Vec<Diagnostic>) {
    let mut first: BTreeMap<String, &Node> = BTreeMap::new();
    for node in nodes {
        let Some(other) = first.insert(node.hostname.to_ascii_lowercase(), node) else {
            continue;
        };
        let at = |node: &Node| match node.profile.get("hostname") {
            Some(item) => (item.source.clone(), item.span()),
            None => (node.profile.source.clone(), 0..0),
        };
        let ((source, span), (other_source, other_span)) = (at(node), at(other));
        diagnostics.push(
            Diagnostic::error(format!(
                "the nodes `{}` and `{}` have the same host name `{}`",
                other.name, node.name, node.hostname
            ))
            .at(&source, span)
            .label(&other_source, other_span, "the other one")
            .help("give each node a `hostname` of its own"),
        );
    }
}
