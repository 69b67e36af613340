//! A node's layers, laid over each other: tables merge key by key, and of scalars and arrays the later one
//! wins, but for a few arrays that append without repeats.

use std::sync::Arc;

use super::document::{Item, Value};
use super::manifest::Manifest;

/// The arrays that append.
const APPENDED: [&[&str]; 4] = [
    &["templates"],
    &["ssh_authorized_keys"],
    &["tags"],
    &["os", "kernel_args"],
];

/// The keys at the top of `fleet.toml` that every profile overrides.
const FLEET_WIDE: [&str; 3] = ["os", "network", "stick"];

/// The keys of a role that are about the role and not about its nodes.
const OF_ROLES_ALONE: [&str; 4] = ["variables", "env_file", "files", "on_missing"];

/// The key that is about the values beside it, and not about those that other layers lay over them.
const OF_ITS_LAYER: &str = "expires";

/// The layers of a node, laid over each other.
pub(super) fn merged(manifest: &Manifest, file: &Item, roles: &[String]) -> Item {
    let document = &manifest.document;
    let mut profile = Item::empty(&file.source);
    lay_over(&mut profile, document, |key| FLEET_WIDE.contains(&key));
    if let Some(defaults) = document.get("defaults") {
        lay_over(&mut profile, defaults, |_| true);
    }
    for role in roles {
        if let Some(role) = document.find(&["roles", role]) {
            lay_over(&mut profile, role, |key| !OF_ROLES_ALONE.contains(&key));
        }
    }
    lay_over(&mut profile, file, |_| true);
    profile
}

/// Lays one layer over what is there; `keys` says which of its keys count.
fn lay_over(base: &mut Item, layer: &Item, keys: impl Fn(&str) -> bool) {
    let (Value::Table(table), Some(over)) = (&mut base.value, layer.table()) else {
        return;
    };
    table.extend(
        over,
        |key| key != OF_ITS_LAYER && keys(key),
        |below, key, item| merge(below, item, &mut vec![key]),
    );
}

fn merge<'a>(below: &mut Item, over: &'a Item, path: &mut Vec<&'a str>) {
    match (&mut below.value, &over.value) {
        (Value::Table(table), Value::Table(entries)) => {
            let merge = |below: &mut Item, key, item| {
                path.push(key);
                merge(below, item, path);
                path.pop();
            };
            table.extend(entries, |_| true, merge);
        }
        (Value::Array(items), Value::Array(more)) if APPENDED.contains(&path.as_slice()) => {
            let items = Arc::make_mut(items);
            for item in &**more {
                let repeats = |there: &Item| there.text().is_some() && there.text() == item.text();
                if !items.iter().any(repeats) {
                    items.push(item.clone());
                }
            }
        }
        _ => *below = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode;
    use super::super::file::NodeFile;
    use super::*;
    use crate::source::Source;

    fn laid(layers: &[&str]) -> NodeFile {
        let mut base = Item::empty(&Source::file("", ""));
        for layer in layers {
            let (item, mistakes) = Item::parse(&Source::file("a.toml", *layer));
            assert!(mistakes.is_empty());
            lay_over(&mut base, &item, |_| true);
        }
        decode(&base, &mut Vec::new())
    }

    #[test]
    fn tables_merge_and_later_scalars_and_arrays_win() {
        let node = laid(&[
            "roles = [\"a\"]\nvars = { x = 1, y = { z = 1, l = [1] } }\nnetwork.dns = [\"a\"]",
            "roles = [\"b\"]\nvars = { y = { z = 2, l = [2] } }\nnetwork.dns = [\"b\"]",
        ]);
        assert_eq!(node.roles, ["b"]);
        assert_eq!(node.network.dns, ["b"]);
        assert_eq!(node.vars["x"], 1);
        assert_eq!(node.vars["y"], serde_json::json!({"z": 2, "l": [2]}));
    }

    #[test]
    fn four_arrays_append_without_repeats() {
        let node = laid(&[
            "templates = [\"a.bu\", \"b.bu\"]\ntags = [\"x\"]\nos.kernel_args = [\"quiet\"]",
            "templates = [\"b.bu\", \"c.bu\"]\ntags = [\"y\", \"x\"]\nos.kernel_args = [\"debug\"]",
        ]);
        assert_eq!(node.templates, ["a.bu", "b.bu", "c.bu"]);
        assert_eq!(node.tags, ["x", "y"]);
        assert_eq!(node.os.kernel_args, ["quiet", "debug"]);
    }
}
