//! Which nodes a role leaves wanting for a name.

use super::file::OnMissing;
use super::manifest::Manifest;
use super::merge::merged;
use super::roles;
use super::variables::missing;
use crate::diagnostic::Diagnostic;

/// For each node a warning for each of its roles that needs a name and finds it nowhere.
#[must_use]
pub fn wanting(manifest: &Manifest, name: &str) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    for (node, file) in &manifest.nodes {
        let roles = roles::listed(manifest, file, &mut Vec::new());
        let profile = merged(manifest, file, &roles);
        for role in &roles {
            let missing = missing(manifest, role, &profile);
            let Some(item) = missing.iter().find(|item| item.text() == Some(name)) else {
                continue;
            };
            let message = match manifest.fleet.roles[role].on_missing {
                OnMissing::Error => format!("role `{role}` needs `{name}`, and nothing sets it"),
                OnMissing::Skip => format!("role `{role}` is left out for want of `{name}`"),
            };
            warnings.push(
                Diagnostic::warning(message)
                    .at(&item.source, item.span())
                    .node(node)
                    .help(format!(
                        "set it with `ephemeros secrets set WHERE {name}`, or take the role from the node"
                    )),
            );
        }
    }
    warnings
}
