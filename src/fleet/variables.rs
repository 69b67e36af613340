//! Which variable goes to which env file: what a role needs, what it takes, and what nobody takes.

use std::collections::BTreeMap;

use super::document::{Item, Table};
use super::file::{OnMissing, Role};
use super::manifest::Manifest;
use super::merge::merged;
use super::node::EnvFile;
use super::volume;
use crate::diagnostic::{Diagnostic, Severity};
use crate::env_file;
use crate::nearest::nearest;

/// Splits the roles that a node lists into those that have what they need and those left out for want of
/// it, with the node's layers merged for the former. Where a role must not be left out, what it lacks is a
/// mistake.
pub(super) fn roles_that_hold(
    manifest: &Manifest,
    file: &Item,
    listed: &[String],
    mistakes: &mut Vec<Diagnostic>,
) -> (Vec<String>, Vec<String>, Item) {
    let mut roles = listed.to_vec();
    let mut left_out: Vec<String> = Vec::new();
    loop {
        // A role brings variables of its own, so leaving one out can leave another one wanting.
        let profile = merged(manifest, file, &roles);
        let wanting = roles
            .iter()
            .map(|name| (name.clone(), missing(manifest, name, &profile)))
            .filter(|(_, missing)| !missing.is_empty());
        let (skipped, failed): (Vec<_>, Vec<_>) =
            wanting.partition(|(name, _)| manifest.fleet.roles[name].on_missing == OnMissing::Skip);
        if skipped.is_empty() {
            for (name, missing) in failed {
                mistakes.extend(missing.into_iter().map(|item| missing_error(&name, item)));
            }
            return (roles, left_out, profile);
        }
        for (name, missing) in skipped {
            mistakes.push(left_out_warning(&name, &missing));
            roles.retain(|role| *role != name);
            left_out.push(name);
        }
    }
}

/// The names that a role needs and the profile lacks, where the role says so.
pub(super) fn missing<'a>(manifest: &'a Manifest, role: &str, profile: &Item) -> Vec<&'a Item> {
    let Some(document) = manifest.document.find(&["roles", role]) else {
        return Vec::new();
    };
    let variables = document.get("variables").map_or(&[][..], Item::array);
    let files = document.get("files").and_then(Item::table);
    let lacks = |item: &&Item, tables: &[&str]| {
        item.text().is_some_and(|name| {
            !name.ends_with('*')
                && !tables.iter().any(|table| {
                    // An empty value is none: a service would start with it, and do nothing.
                    profile
                        .find(&[table, name])
                        .is_some_and(|item| item.text() != Some(""))
                })
        })
    };
    variables
        .iter()
        .filter(|item| lacks(item, &["env", "secrets"]))
        .chain(
            files
                .into_iter()
                .flat_map(Table::values)
                .filter(|item| lacks(item, &["secrets"])),
        )
        .collect()
}

fn left_out_warning(role: &str, missing: &[&Item]) -> Diagnostic {
    let names: Vec<String> = missing
        .iter()
        .filter_map(|item| item.text())
        .map(|name| format!("`{name}`"))
        .collect();
    let mut warning = Diagnostic::warning(format!(
        "role `{role}` is left out for want of {}",
        names.join(", ")
    ));
    for item in missing {
        warning = warning.at(&item.source, item.span());
    }
    warning.help(
        "set it on the node, or take the role from its `roles`; `on_missing = \"error\"` makes this an error",
    )
}

fn missing_error(role: &str, item: &Item) -> Diagnostic {
    let name = item.text().unwrap_or_default();
    item.error(format!("role `{role}` needs `{name}`, and nothing sets it"))
        .help(format!(
            "set it with `ephemeros secrets set WHERE {name}`, or under `[env]` if it is public; \
             `on_missing = \"skip\"` leaves the role out instead"
        ))
}

/// Puts every variable into the one env file that takes it.
pub(super) fn distribute(
    manifest: &Manifest,
    file: &Item,
    profile: &Item,
    roles: &[String],
    left_out: &[String],
    mistakes: &mut Vec<Diagnostic>,
) -> (BTreeMap<String, EnvFile>, BTreeMap<String, String>) {
    let mut env_files: BTreeMap<String, EnvFile> = BTreeMap::new();
    let mut secret_files = BTreeMap::new();
    let active = || roles.iter().map(|name| (name, &manifest.fleet.roles[name]));
    for (role, path) in
        active().flat_map(|(name, role)| role.files.keys().map(move |path| (name, path)))
    {
        let name = &manifest.fleet.roles[role].files[path];
        let other = secret_files.insert(path.clone(), name.clone());
        if other.is_some_and(|other| other != *name)
            && let Some(item) = manifest.document.find(&["roles", role, "files", path])
        {
            mistakes.push(
                item.key_error(format!(
                    "another role of this node puts another secret into `{path}`"
                ))
                .help("give one of them another path"),
            );
        }
    }
    let public = table(profile, "env");
    let secret = table(profile, "secrets");
    for (name, item) in public.iter().copied().flatten() {
        check_public(
            name,
            item,
            secret.and_then(|table| table.get(name)),
            mistakes,
        );
    }
    let all = public.iter().copied().flatten().map(|entry| (entry, false));
    let all = all.chain(secret.iter().copied().flatten().map(|entry| (entry, true)));
    for ((name, item), is_secret) in all {
        let takers: Vec<(&String, &Role)> = active()
            .filter(|(_, role)| takes(role, name, is_secret, &secret_files))
            .collect();
        match takers.as_slice() {
            [] if is_secret && secret_files.values().any(|file| file == name) => {}
            [] => {
                let forgiven = left_out
                    .iter()
                    .any(|role| is_about(&manifest.fleet.roles[role], name))
                    || (is_inherited(manifest, file, roles, item)
                        && manifest
                            .fleet
                            .roles
                            .values()
                            .any(|role| is_about(role, name)));
                if !forgiven {
                    mistakes.push(untaken(manifest, roles, name, item));
                }
            }
            [(_, role)] => {
                let file = role.env_file.clone().unwrap_or_default();
                let file = env_files.entry(file).or_default();
                let names = if is_secret {
                    &mut file.secret
                } else {
                    &mut file.public
                };
                names.insert(name.to_owned());
            }
            [(first, _), (second, _), ..] => mistakes.push(
                item.key_error(format!(
                    "the roles `{first}` and `{second}` both take `{name}` into an env file"
                ))
                .help("name it in the `variables` of one role only"),
            ),
        }
    }
    volume::check_paths(manifest, &env_files, &secret_files, mistakes);
    (env_files, secret_files)
}

fn table<'a>(profile: &'a Item, key: &str) -> Option<&'a Table> {
    profile.get(key).and_then(Item::table)
}

/// Whether a role's env file takes a variable. A secret that is a file of its own is taken by name only.
fn takes(role: &Role, name: &str, is_secret: bool, files: &BTreeMap<String, String>) -> bool {
    let is_file = is_secret && files.values().any(|file| file == name);
    role.variables
        .iter()
        .any(|variable| match variable.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix) && !is_file,
            None => variable == name,
        })
}

/// Whether a role has a use for a name at all.
pub(super) fn is_about(role: &Role, name: &str) -> bool {
    takes(role, name, false, &BTreeMap::new()) || role.files.values().any(|file| file == name)
}

/// Whether a value comes from the defaults, which serve nodes of all roles.
fn is_inherited(manifest: &Manifest, file: &Item, roles: &[String], item: &Item) -> bool {
    if std::sync::Arc::ptr_eq(&item.source, &file.source) {
        return false;
    }
    let in_role = |role: &String| {
        let tables = ["env", "secrets"].map(|key| manifest.document.find(&["roles", role, key]));
        tables.into_iter().flatten().any(|table| {
            table
                .table()
                .is_some_and(|table| table.values().any(|there| there.span() == item.span()))
        })
    };
    !roles.iter().any(in_role)
}

/// Whether any role of the fleet has a use for a name.
#[must_use]
pub fn is_taken(manifest: &Manifest, name: &str) -> bool {
    let roles = &manifest.fleet.roles;
    roles.values().any(|role| is_about(role, name))
}

/// Whether a role of the fleet puts a name into an env file.
#[must_use]
pub fn is_in_env_file(manifest: &Manifest, name: &str) -> bool {
    let roles = &manifest.fleet.roles;
    let files = roles.values().flat_map(|role| role.files.clone()).collect();
    roles.values().any(|role| takes(role, name, true, &files))
}

/// The warning that no role of the fleet has a use for a name: `check` will refuse it.
#[must_use]
pub fn taken_by_nobody(manifest: &Manifest, name: &str) -> Diagnostic {
    Diagnostic::warning(format!("no role takes `{name}`")).help(how_to_take(manifest, name))
}

fn untaken(manifest: &Manifest, roles: &[String], name: &str, item: &Item) -> Diagnostic {
    let owner = manifest
        .fleet
        .roles
        .iter()
        .find(|(role, it)| !roles.contains(role) && is_about(it, name));
    let help = match owner {
        Some((role, _)) => format!("role `{role}` takes it: add it to the node's `roles`"),
        None => how_to_take(manifest, name),
    };
    item.key_error(format!("no role of this node takes `{name}`"))
        .help(help)
}

fn how_to_take(manifest: &Manifest, name: &str) -> String {
    let roles = manifest.fleet.roles.values();
    let known = roles.flat_map(|role| role.variables.iter().chain(role.files.values()));
    match nearest(name, known.map(String::as_str)) {
        Some(near) => format!("a variable with a similar name is taken: `{near}`"),
        None => "name it in the `variables` of a role that the node has".to_owned(),
    }
}

fn check_public(name: &str, item: &Item, secret: Option<&Item>, mistakes: &mut Vec<Diagnostic>) {
    if !env_file::is_variable_name(name) {
        mistakes.push(
            item.key_error("this can't be the name of a variable")
                .help("letters, digits and `_`, no digit first"),
        );
    } else if let Some(Err(error)) = item
        .text()
        .map(|text| env_file::check_variable(name, text.as_bytes()))
    {
        mistakes.push(
            item.error(format!("an env file can't hold this value: {error}"))
                .help("put it into a file that a template makes"),
        );
    }
    if let Some(secret) = secret {
        mistakes.push(
            Diagnostic::new(
                Severity::Warning,
                format!("`{name}` is set both as public and as secret; the secret one holds"),
            )
            .at(&item.source, item.key())
            .label(&secret.source, secret.key(), "the secret one")
            .help("remove one of them"),
        );
    }
}
