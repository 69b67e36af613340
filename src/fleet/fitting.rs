//! Which roles fit the variables that a node is to have, and what the fleet gives it before it says anything itself.

use std::collections::BTreeSet;

use super::document::Item;
use super::manifest::Manifest;
use super::merge::merged;
use super::roles;
use super::variables::{is_about, missing};

/// The roles for a node with these variables: of the defaults' those that have a use for one of them or need none, then
/// the others that have a use for one, as they stand in `fleet.toml`.
#[must_use]
pub fn roles_for(manifest: &Manifest, names: &BTreeSet<&str>) -> Vec<String> {
    let uses_one = |role: &String| {
        let role = &manifest.fleet.roles[role];
        names.iter().any(|name| is_about(role, name))
    };
    let needs_none = |role: &String| {
        let profile = inherited(manifest, std::slice::from_ref(role));
        missing(manifest, role, &profile).is_empty()
    };
    let mut roles = default_roles(manifest);
    roles.retain(|role| uses_one(role) || needs_none(role));
    let mut others: Vec<&String> = manifest.fleet.roles.keys().collect();
    others.retain(|role| uses_one(role) && !roles.contains(role));
    others.sort_by_key(|role| {
        let item = manifest.document.find(&["roles", role]);
        item.map(|item| item.key().start)
    });
    roles.extend(others.into_iter().cloned());
    roles
}

/// The roles of a node that names none.
#[must_use]
pub fn default_roles(manifest: &Manifest) -> Vec<String> {
    let silent = Item::empty(&manifest.document.source);
    roles::listed(manifest, &silent, &mut Vec::new())
}

/// The profile of a node that has these roles and says nothing else.
#[must_use]
pub fn inherited(manifest: &Manifest, roles: &[String]) -> Item {
    let silent = Item::empty(&manifest.document.source);
    merged(manifest, &silent, roles)
}
