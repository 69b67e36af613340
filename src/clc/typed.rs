//! What a node of the old config holds, as Go's yaml.v3 reads it into a type.

use super::found::Found;
use crate::yaml::scalar::{Scalar, resolve};
use crate::yaml::{Content, Node};

/// Keys with what is merged in by `<<`; the first of a name holds.
pub(super) fn gather(node: &Node) -> Vec<(&Node, &Node)> {
    let mut entries = Vec::new();
    add(node, &mut entries, &mut Vec::new());
    entries
}

/// A mapping that was merged already adds nothing, however often it is named.
fn add<'a>(node: &'a Node, entries: &mut Vec<(&'a Node, &'a Node)>, seen: &mut Vec<*const Node>) {
    let node = node.target();
    if seen.contains(&std::ptr::from_ref(node)) {
        return;
    }
    seen.push(node);
    let own = node.entries().unwrap_or_default();
    for (key, value) in own.iter().filter(|(key, _)| !key.is_merge_key()) {
        if !entries.iter().any(|(known, _)| known.text() == key.text()) {
            entries.push((key, value));
        }
    }
    for (_, value) in own.iter().filter(|(key, _)| key.is_merge_key()) {
        match &value.target().content {
            Content::Sequence(items) => items.iter().for_each(|item| add(item, entries, seen)),
            _ => add(value, entries, seen),
        }
    }
}

pub(super) fn is_null(node: &Node) -> bool {
    matches!(resolve(node), Ok(Some(Scalar::Null)))
}

pub(super) fn scalar<T>(
    node: &Node,
    name: &str,
    wanted: &str,
    found: &mut Found,
    read: impl Fn(&Scalar<'_>) -> Option<T>,
) -> Option<T> {
    let value = match resolve(node) {
        Ok(Some(scalar)) => read(&scalar),
        Ok(None) => None,
        Err(error) => {
            found.error(
                node.span.clone(),
                error.message,
                "remove the tag, or change the value",
            );
            return None;
        }
    };
    if value.is_none() {
        found.wrong_type(node, name, wanted);
    }
    value
}

pub(super) fn bytes(node: &Node, name: &str, found: &mut Found) -> Option<Vec<u8>> {
    scalar(node, name, "a text", found, |scalar| match scalar {
        Scalar::Binary(bytes) => Some(bytes.clone()),
        _ => Some(node.text()?.as_bytes().to_vec()),
    })
}

/// What must be text, and is where it was not written as `!!binary`.
pub(super) fn text(bytes: Vec<u8>, node: &Node, name: &str, found: &mut Found) -> Option<String> {
    let text = String::from_utf8(bytes).ok();
    if text.is_none() {
        let message = format!("`{name}` is not UTF-8 text");
        found.error(node.span.clone(), message, "write it as text");
    }
    text
}
