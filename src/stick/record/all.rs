//! The records of many nodes.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use uuid::Uuid;

use super::{FOLDER, Recorded, read, record_path};
use crate::diagnostic::Diagnostic;
use crate::fleet::document::{Item, guarded};
use crate::fleet::files::{Files, Unreadable};
use crate::fleet::names::is_node_name;
use crate::source::Source;

/// What is recorded for a node.
#[derive(Clone, Debug)]
pub struct Sticks {
    /// The file.
    pub source: Arc<Source>,
    /// The sticks in it, in its order.
    pub sticks: Vec<Recorded>,
}

impl Sticks {
    /// Where a key of the stick with this id stands; the start of the file where it does not.
    #[must_use]
    pub fn place(&self, id: Uuid, key: &str) -> Range<usize> {
        let (document, _) = Item::parse(&self.source);
        let at = self.sticks.iter().position(|stick| stick.id == id);
        let entries = document.get("stick").map_or(&[][..], Item::array);
        let entry = at.and_then(|at| entries.get(at));
        let item = entry.and_then(|entry| entry.get(key));
        item.map_or(0..0, Item::span)
    }
}

/// Reads the records of all nodes that are `wanted`, by node. A file with mistakes is left out, and they are told.
///
/// # Errors
/// A file that can't be read.
pub fn read_all(
    files: &dyn Files,
    wanted: impl Fn(&str) -> bool,
) -> Result<(BTreeMap<String, Sticks>, Vec<Diagnostic>), Unreadable> {
    let mut nodes = Vec::new();
    let mut mistakes = Vec::new();
    for file in files.list(FOLDER)? {
        let Some(node) = file.strip_suffix(".toml") else {
            continue;
        };
        if !is_node_name(node) {
            mistakes.push(
                Diagnostic::error(format!("`{FOLDER}/{file}` is named for no node"))
                    .help("the record of a node's sticks is `sticks/<node>.toml`: rename it or move it away"),
            );
        } else if wanted(node) {
            nodes.push(node.to_owned());
        }
    }
    let read: Result<Vec<_>, Unreadable> = nodes
        .into_par_iter()
        .map(|node| {
            let path = record_path(&node);
            let sticks = read_one(&path, files.read(&path)?);
            Ok((node, sticks))
        })
        .collect();
    let mut records = BTreeMap::new();
    for (node, sticks) in read? {
        match sticks {
            Ok(sticks) => drop(records.insert(node, sticks)),
            Err(found) => mistakes.extend(found),
        }
    }
    mistakes.extend(recorded_twice(&records));
    Ok((records, mistakes))
}

/// A stick is of one node: two branches that were merged may say otherwise.
fn recorded_twice(records: &BTreeMap<String, Sticks>) -> Vec<Diagnostic> {
    let mut known: HashMap<Uuid, &Sticks> = HashMap::new();
    let mut mistakes = Vec::new();
    for record in records.values() {
        for stick in &record.sticks {
            let Some(other) = known.insert(stick.id, record) else {
                continue;
            };
            mistakes.push(
                Diagnostic::error("this stick is recorded for two nodes")
                    .at(&record.source, record.place(stick.id, "id"))
                    .label(&other.source, other.place(stick.id, "id"), "here, too")
                    .help("take out the older entry"),
            );
        }
    }
    mistakes
}

fn read_one(path: &str, bytes: Vec<u8>) -> Result<Sticks, Vec<Diagnostic>> {
    let source = source(path, bytes).map_err(|mistake| vec![*mistake])?;
    let sticks = read(&source)?;
    Ok(Sticks { source, sticks })
}

/// The bytes of a record as a text.
///
/// # Errors
/// They are none.
pub fn source(path: &str, bytes: Vec<u8>) -> Result<Arc<Source>, Box<Diagnostic>> {
    String::from_utf8(bytes)
        .map(|text| guarded(path, text))
        .map_err(|error| {
            let place = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes());
            let source = guarded(path, text.into_owned());
            let mistake = Diagnostic::error("this byte is not UTF-8").at(&source, place..place + 1);
            Box::new(mistake.help("save the file as UTF-8"))
        })
}
