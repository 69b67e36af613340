//! Keys that are given twice in one mapping.

use std::collections::HashMap;

use super::node::{Content, Node};
use super::parse::Mistake;

/// All of them, anywhere in a document.
pub(super) fn find(root: &Node) -> Vec<Mistake> {
    let mut found = Vec::new();
    walk(root, &mut found);
    found
}

fn walk(node: &Node, found: &mut Vec<Mistake>) {
    match &node.content {
        Content::Sequence(items) => items.iter().for_each(|item| walk(item, found)),
        Content::Mapping(entries) => {
            let mut seen = HashMap::with_capacity(entries.len());
            for (key, value) in entries {
                if let Content::Scalar { text, .. } = &key.content {
                    let first = *seen.entry(text).or_insert(key);
                    if !std::ptr::eq(first, key) {
                        found.push(Mistake {
                            span: key.span.clone(),
                            message: format!("key `{text}` is given twice"),
                            earlier: Some(first.span.clone()),
                        });
                    }
                }
                walk(value, found);
            }
        }
        Content::Scalar { .. } | Content::Alias(_) => {}
    }
}
