//! Roles: which ones a node has, and what a role says of itself, in names that a shell, systemd and the secrets volume can take.

use super::document::Item;
use super::manifest::Manifest;
use super::names;
use crate::diagnostic::Diagnostic;
use crate::env_file::is_variable_name;
use crate::nearest::nearest;

/// Checks what a role says of itself, once for all nodes.
pub(super) fn check(manifest: &Manifest, diagnostics: &mut Vec<Diagnostic>) {
    for (name, role) in &manifest.fleet.roles {
        let at = |path: &[&str]| {
            let role = manifest.document.find(&["roles", name]);
            role.and_then(|role| role.find(path))
        };
        if let (Some(file), Some(item)) = (&role.env_file, at(&["env_file"]))
            && !names::is_file_name(file)
        {
            diagnostics.push(
                item.error("this can't be the name of an env file")
                    .help("letters, digits, `-`, `_` and `.` only: `k3s_env`"),
            );
        }
        if let (None, Some(item)) = (&role.env_file, at(&["variables"])) {
            diagnostics.push(
                item.key_error(format!(
                    "role `{name}` takes variables, and no env file to put them in"
                ))
                .help(format!("add `env_file = \"{name}_env\"`")),
            );
        }
        for item in at(&["variables"]).map_or(&[][..], Item::array) {
            let variable = item.text().unwrap_or("_");
            let name = variable.strip_suffix('*').unwrap_or(variable);
            if !is_variable_name(name) && variable != "*" {
                diagnostics.push(
                    item.error("this can't be the name of a variable")
                        .help("letters, digits and `_`; a `*` may stand at the end"),
                );
            }
        }
        for (path, item) in at(&["files"]).and_then(Item::table).into_iter().flatten() {
            if !names::is_relative_path(path) {
                diagnostics.push(
                    item.key_error("this can't be a file on the secrets volume").help(
                        "write a path under it, of letters, digits, `-`, `_` and `.`: `\"tls/node.key\"`",
                    ),
                );
            }
            if item.text().is_some_and(|text| !is_variable_name(text)) {
                diagnostics.push(
                    item.error("this can't be the name of a secret")
                        .help("letters, digits and `_`"),
                );
            }
        }
    }
}

/// The roles that a node lists, or else the defaults', without those that don't exist.
pub(super) fn listed(
    manifest: &Manifest,
    file: &Item,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<String> {
    let Some(listed) = file
        .get("roles")
        .or_else(|| manifest.document.find(&["defaults", "roles"]))
    else {
        return Vec::new();
    };
    let mut roles: Vec<String> = Vec::new();
    for item in listed.array() {
        let Some(role) = item.text() else { continue };
        if manifest.fleet.roles.contains_key(role) {
            if !roles.iter().any(|there| there == role) {
                roles.push(role.to_owned());
            }
            continue;
        }
        let known = manifest.fleet.roles.keys().map(String::as_str);
        let help = match nearest(role, known) {
            Some(near) => format!("a role with a similar name exists: `{near}`"),
            None => format!("add `[roles.{role}]` to fleet.toml"),
        };
        mistakes.push(item.error(format!("unknown role `{role}`")).help(help));
    }
    roles
}
