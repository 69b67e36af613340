//! One thing that changes on a node, in the terms of the machine: a file, a unit, a line of the boot script.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use similar::TextDiff;

use crate::ignition::Entry;

/// How many unchanged lines are shown around a changed one.
const CONTEXT: usize = 2;

/// A change of one thing. Equal on two nodes means that the same happens there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Change {
    /// What changes: `file /etc/hostname`, `unit k3s.service`, `operating system`.
    pub subject: String,
    /// Whether it comes, goes or changes.
    pub kind: Kind,
    /// Its attributes that differ: mode, owner, source.
    pub attributes: Vec<Attribute>,
    /// A unified diff of its contents; empty where they don't differ.
    pub diff: String,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It comes.
    Added,
    /// It goes.
    Removed,
    /// It is another.
    Changed,
}

/// An attribute before and after; `None` where it is not set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// What nodes have now.
    pub before: Option<String>,
    /// What they will have.
    pub after: Option<String>,
}

/// A line of what a change is shown as.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// As it is; lines of a diff begin as those of a diff do.
    pub text: String,
    /// Whether it belongs to the attribute above it.
    pub is_nested: bool,
}

impl Change {
    /// What is shown below its subject: the attributes, then the contents.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let line = |text: &str, is_nested| Line {
            text: text.to_owned(),
            is_nested,
        };
        let mut lines = Vec::new();
        for attribute in &self.attributes {
            let Attribute {
                name,
                before,
                after,
            } = attribute;
            if attribute.is_list() {
                lines.push(line(&format!("{name}:"), false));
                let side = |value: &Option<String>| value.clone().unwrap_or_default();
                let diff = unified(&side(before), &side(after));
                lines.extend(diff.lines().map(|it| line(it, true)));
                continue;
            }
            let [before, after] = [before, after].map(|value| attribute.words(value.as_deref()));
            let text = match self.kind {
                Kind::Added => format!("{name}: {after}"),
                Kind::Removed => format!("{name}: {before}"),
                Kind::Changed => format!("{name}: {before} -> {after}"),
            };
            lines.push(line(&text, false));
        }
        lines.extend(self.diff.lines().map(|it| line(it, false)));
        lines
    }
}

impl Attribute {
    /// Whether it has a line for each item.
    fn is_list(&self) -> bool {
        let sides = [&self.before, &self.after].into_iter().flatten();
        sides.into_iter().any(|value| value.contains('\n'))
    }

    /// A value of it, for people.
    fn words<'a>(&self, value: Option<&'a str>) -> &'a str {
        match (value, self.name.as_str()) {
            (Some(value), _) => value,
            // Ignition has one for those.
            (None, "mode" | "owner" | "group") => "the default",
            (None, _) => "nothing",
        }
    }
}

/// The changes from one config to another, sorted by subject.
#[must_use]
pub fn between(before: &BTreeMap<String, Entry>, after: &BTreeMap<String, Entry>) -> Vec<Change> {
    let subjects: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    subjects
        .into_iter()
        .filter_map(|subject| of(subject, before.get(subject), after.get(subject)))
        .collect()
}

fn of(subject: &str, before: Option<&Entry>, after: Option<&Entry>) -> Option<Change> {
    if before == after {
        return None;
    }
    let kind = match (before, after) {
        (None, _) => Kind::Added,
        (_, None) => Kind::Removed,
        _ => Kind::Changed,
    };
    Some(Change {
        subject: subject.to_owned(),
        kind,
        attributes: attributes(
            before.map(|entry| &entry.attributes),
            after.map(|entry| &entry.attributes),
        ),
        diff: contents(
            before.and_then(|entry| entry.contents.as_deref()),
            after.and_then(|entry| entry.contents.as_deref()),
        ),
    })
}

fn attributes(
    before: Option<&BTreeMap<String, String>>,
    after: Option<&BTreeMap<String, String>>,
) -> Vec<Attribute> {
    let keys = before.into_iter().chain(after).flat_map(BTreeMap::keys);
    let names: std::collections::BTreeSet<&String> = keys.collect();
    let value = |side: Option<&BTreeMap<String, String>>, name: &String| {
        side.and_then(|attributes| attributes.get(name)).cloned()
    };
    names
        .into_iter()
        .map(|name| Attribute {
            name: name.clone(),
            before: value(before, name),
            after: value(after, name),
        })
        .filter(|attribute| attribute.before != attribute.after)
        .collect()
}

fn contents(before: Option<&[u8]>, after: Option<&[u8]>) -> String {
    let text =
        |bytes: Option<&'_ [u8]>| str::from_utf8(bytes.unwrap_or_default()).map(str::to_owned);
    match (text(before), text(after)) {
        (Ok(before), Ok(after)) => unified(&before, &after),
        _ if before == after => String::new(),
        _ => format!("binary: {} -> {}\n", size(before), size(after)),
    }
}

fn size(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(
        || "nothing".to_owned(),
        |bytes| format!("{} bytes", bytes.len()),
    )
}

/// A unified diff without the file header.
#[must_use]
pub fn unified(before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(CONTEXT)
        .to_string()
}
