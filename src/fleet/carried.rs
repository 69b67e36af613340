//! What a node's stick carried at some time: its secrets, resolved from the files as they stood then.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::document::Item;
use super::files::Snapshot;
use super::manifest::Manifest;
use super::readerships::Certainty;
use super::resolve::own_secrets;
use super::roles;
use super::variables::{distribute, roles_that_hold};
use super::written::secrets;
use crate::diagnostic::Diagnostic;
use crate::secrets::value::version;
use crate::source::Source;

/// The versions of a node's values.
#[derive(Debug, PartialEq, Eq)]
pub struct Carried {
    /// The versions.
    pub versions: BTreeSet<String>,
    /// `Unknown` where this version of the tool can't resolve the files: then it may be less.
    pub certainty: Certainty,
}

/// What the stick of a node carried whose files were these.
#[must_use]
pub fn carried(root: &Path, node: &str, fleet: &[u8], file: &[u8]) -> Carried {
    let path = format!("nodes/{node}.toml");
    let files = BTreeMap::from([
        ("fleet.toml".to_owned(), fleet.to_owned()),
        (path.clone(), file.to_owned()),
    ]);
    if let Ok((Some(manifest), mistakes)) = Manifest::read(root, &Snapshot(files))
        && !mistakes.iter().any(Diagnostic::is_error)
        && let Some(file) = manifest.nodes.get(node)
    {
        return Carried {
            versions: resolved(&manifest, file),
            certainty: Certainty::Known,
        };
    }
    let parse = |path: &str, bytes: &[u8]| {
        Item::parse(&Source::file(path, String::from_utf8_lossy(bytes))).0
    };
    Carried {
        versions: at_most(&parse("fleet.toml", fleet), &parse(&path, file)),
        certainty: Certainty::Unknown,
    }
}

/// That the node has other mistakes says nothing of what was on its stick.
fn resolved(manifest: &Manifest, file: &Item) -> BTreeSet<String> {
    let mistakes = &mut Vec::new();
    let listed = roles::listed(manifest, file, mistakes);
    let (roles, left_out, profile) = roles_that_hold(manifest, file, &listed, mistakes);
    let (env_files, secret_files) =
        distribute(manifest, file, &profile, &roles, &left_out, mistakes);
    let secrets = own_secrets(&profile, &env_files, &secret_files, mistakes);
    let versions = secrets.values().filter_map(|it| version(it.text()?));
    versions.map(str::to_owned).collect()
}

/// All that could have been meant: the node's own values, the defaults', and those of its roles; of all where none can be seen.
fn at_most(fleet: &Item, file: &Item) -> BTreeSet<String> {
    let listed = file
        .get("roles")
        .or_else(|| fleet.find(&["defaults", "roles"]));
    let roles = listed.map_or(&[][..], Item::array).iter();
    let places: BTreeSet<String> = roles
        .filter_map(|role| Some(format!("role:{}", role.text()?)))
        .collect();
    let shared = secrets(fleet).values.into_iter().filter(|value| {
        let place = &value.spot.place;
        !place.starts_with("role:") || places.is_empty() || places.contains(place)
    });
    let values = shared.chain(secrets(file).values);
    values.map(|value| value.version).collect()
}
