//! `secrets list`: names and places, and no values.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::load_sound;
use crate::commands::{Failure, Outcome};
use crate::fleet::date::Date;
use crate::fleet::expiry;
use crate::ui::Ui;

pub(super) fn run(patterns: &[String], start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let loaded = load_sound(start, ui)?;
    ui.mistakes(expiry::warnings(&loaded.manifest, Date::today()));
    let dates: BTreeMap<(String, String), String> = expiry::dates(&loaded.manifest)
        .map(|it| {
            let line = it.secret.source.position(it.secret.span.start).line;
            let origin = format!("{}:{line}", it.secret.source.name);
            ((it.name.to_owned(), origin), it.date.to_string())
        })
        .collect();
    // One line a value, however many nodes have it.
    let mut values: BTreeMap<(String, String), (String, Vec<&str>)> = BTreeMap::new();
    for node in loaded.select(patterns)? {
        for (name, secret) in &node.secrets {
            let Some(item) = node.profile.find(&["secrets", name]) else {
                continue;
            };
            let line = item.source.position(item.span.start).line;
            let key = (name.clone(), format!("{}:{line}", item.source.name));
            let entry = values.entry(key);
            let (_, nodes) = entry.or_insert_with(|| (secret.version().to_owned(), Vec::new()));
            nodes.push(&node.name);
        }
    }
    if ui.json() {
        let entries: Vec<_> = values
            .iter()
            .map(|(key, (version, nodes))| {
                let (name, origin) = key;
                json!({ "name": name, "origin": origin, "version": version, "nodes": nodes, "expires": dates.get(key) })
            })
            .collect();
        let text = json!({ "format": 1, "secrets": entries });
        ui.result(&format!("{text:#}\n"))?;
        return Ok(Outcome::Done);
    }
    let width = |part: fn(&(String, String)) -> &String| {
        values.keys().map(|key| part(key).len()).max().unwrap_or(0)
    };
    let (names, origins) = (width(|key| &key.0), width(|key| &key.1));
    for (key, (version, nodes)) in &values {
        let (name, origin) = key;
        let nodes = nodes.join(", ");
        let until = dates
            .get(key)
            .map_or(String::new(), |date| format!("  expires {date}"));
        ui.result(&format!(
            "{name:names$}  {origin:origins$}  {version}  {nodes}{until}\n"
        ))?;
    }
    Ok(Outcome::Done)
}
