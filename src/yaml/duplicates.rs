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

/// So many keys are compared with each other faster than they are hashed.
const FEW: usize = 8;

fn is_text(key: &Node, wanted: &str) -> bool {
    matches!(&key.content, Content::Scalar { text, .. } if text == wanted)
}

fn walk(node: &Node, found: &mut Vec<Mistake>) {
    match &node.content {
        Content::Sequence(items) => items.iter().for_each(|item| walk(item, found)),
        Content::Mapping(entries) => {
            let mut seen = HashMap::new();
            for (at, (key, value)) in entries.iter().enumerate() {
                if let Content::Scalar { text, .. } = &key.content {
                    let first = if entries.len() <= FEW {
                        let mut earlier = entries[..at].iter().map(|(key, _)| key);
                        earlier.find(|key| is_text(key, text))
                    } else {
                        let first = *seen.entry(text).or_insert(key);
                        (!std::ptr::eq(first, key)).then_some(first)
                    };
                    found.extend(first.map(|first| Mistake {
                        span: key.span.clone(),
                        message: format!("key `{text}` is given twice"),
                        earlier: Some(first.span.clone()),
                    }));
                }
                walk(value, found);
            }
        }
        Content::Scalar { .. } | Content::Alias(_) => {}
    }
}
