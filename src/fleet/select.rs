//! Which nodes a command is about: `node1337`, `edge-*`, `@tag`, with commas between.

use std::collections::BTreeSet;

use super::node::{Fleet, Node};
use crate::nearest::nearest;

/// A pattern that no node fits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no node fits `{pattern}`{}", hint(near.as_deref(), known))]
pub struct NoSuchNode {
    /// As the user wrote it.
    pub pattern: String,
    /// What was probably meant.
    pub near: Option<String>,
    /// What there is of the kind, where that is little.
    pub known: Vec<String>,
}

/// More names than these nobody reads.
const NAMED: usize = 10;

fn hint(near: Option<&str>, known: &[String]) -> String {
    match (near, known) {
        (Some(near), _) => format!("; did you mean `{near}`?"),
        (None, []) => String::new(),
        (None, known) => format!("; there is {}", known.join(", ")),
    }
}

/// The nodes that fit any of the patterns, in the fleet's order; all of them without a pattern.
///
/// # Errors
/// The patterns that no node fits.
pub fn select<'a>(fleet: &'a Fleet, patterns: &[String]) -> Result<Vec<&'a Node>, Vec<NoSuchNode>> {
    let asked = !patterns.is_empty();
    let patterns: Vec<&str> = patterns
        .iter()
        .flat_map(|patterns| patterns.split(','))
        .map(str::trim)
        .filter(|pattern| !pattern.is_empty())
        .collect();
    let unmatched: Vec<NoSuchNode> = patterns
        .iter()
        .filter(|pattern| !fleet.nodes.iter().any(|node| fits(pattern, node)))
        .map(|pattern| NoSuchNode {
            pattern: (*pattern).to_owned(),
            near: near(fleet, pattern),
            known: known(fleet, pattern),
        })
        .collect();
    if asked && patterns.is_empty() {
        return Err(vec![NoSuchNode {
            pattern: String::new(),
            near: None,
            known: known(fleet, ""),
        }]);
    }
    if !unmatched.is_empty() {
        return Err(unmatched);
    }
    Ok(fleet
        .nodes
        .iter()
        .filter(|node| patterns.is_empty() || patterns.iter().any(|pattern| fits(pattern, node)))
        .collect())
}

fn known(fleet: &Fleet, pattern: &str) -> Vec<String> {
    let known: BTreeSet<String> = if pattern.starts_with('@') {
        let tags = fleet.nodes.iter().flat_map(|node| node.tags.iter());
        tags.map(|tag| format!("@{tag}")).collect()
    } else {
        fleet.nodes.iter().map(|node| node.name.clone()).collect()
    };
    if known.len() > NAMED {
        return Vec::new();
    }
    known.into_iter().collect()
}

fn near(fleet: &Fleet, pattern: &str) -> Option<String> {
    match pattern.strip_prefix('@') {
        Some(tag) => {
            let tags = fleet.nodes.iter().flat_map(|node| node.tags.iter());
            nearest(tag, tags.map(String::as_str)).map(|tag| format!("@{tag}"))
        }
        None => {
            let names = fleet.nodes.iter().map(|node| node.name.as_str());
            nearest(pattern, names).map(str::to_owned)
        }
    }
}

fn fits(pattern: &str, node: &Node) -> bool {
    match pattern.strip_prefix('@') {
        Some(tag) => node.tags.iter().any(|there| glob(tag, there)),
        None => glob(pattern, &node.name),
    }
}

/// Whether a name fits a pattern: `*` stands for any characters, also none; `?` for one.
#[must_use]
pub fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|&c| c == '?' || c == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((after, taken)) = star {
            star = Some((after, taken + 1));
            p = after + 1;
            t = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, text) in [
            ("edge-*", "edge-1"),
            ("*", ""),
            ("a*c*e", "abcde"),
            ("n?", "n1"),
            ("*1", "11"),
        ] {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("edge-*", "edge"), ("a*c", "abcd"), ("n?", "n"), ("", "n")] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }
}
