//! `secrets list`: names, places, who can read them and since when they stand; no values.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::exposed_text::{moment, shown};
use super::load_sound;
use super::past::Past;
use crate::commands::{Failure, Loaded, Outcome, count};
use crate::fleet::date::Date;
use crate::fleet::document::Item;
use crate::fleet::expiry;
use crate::fleet::keys::{Key, keys};
use crate::fleet::manifest::Manifest;
use crate::fleet::uses::uses;
use crate::fleet::volume;
use crate::fleet::written::{Written, secrets};
use crate::git::history::{Commit, Tips};
use crate::ui::Ui;

/// In seconds.
const DAY: i64 = 24 * 60 * 60;

/// One value, however many nodes have it.
struct Row<'a> {
    value: Written,
    /// File and line.
    origin: String,
    nodes: Vec<&'a str>,
    /// `None` where it is encrypted to others than today's.
    readers: Option<Rc<Readers<'a>>>,
    since: Option<Since<'a>>,
    /// Its last day.
    expires: Option<Date>,
}

/// Who can read a value.
struct Readers<'a> {
    digest: String,
    number: usize,
    keys: Vec<Key<'a>>,
    groups: Vec<&'a str>,
}

/// From when on a value has stood in git.
struct Since<'a> {
    commit: &'a Commit,
    /// Whether older commits, which are not here, may have it too.
    or_before: bool,
    /// In days.
    age: i64,
}

pub(super) fn run(
    patterns: &[String],
    age: bool,
    start: &Path,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    let loaded = load_sound(start, ui)?;
    ui.mistakes(expiry::warnings(&loaded.manifest, Date::today()));
    let past = Past::read(loaded.repo.as_ref(), Tips::Head, ui)?;
    let mut rows = rows(&loaded, patterns, &past, ui)?;
    if age {
        // What is not committed is the youngest.
        rows.sort_by_key(|row| row.since.as_ref().map_or(i64::MAX, |it| it.commit.time));
    }
    if ui.json() {
        let entries: Vec<_> = rows.iter().map(Row::to_json).collect();
        let text = json!({ "format": 1, "secrets": entries });
        ui.result(&format!("{text:#}\n"))?;
        return Ok(Outcome::Done);
    }
    let names = rows.iter().map(|row| shown(&row.value.spot.name).len());
    let names = names.max();
    let origins = rows.iter().map(|row| row.origin.len()).max();
    let (names, origins) = (names.unwrap_or(0), origins.unwrap_or(0));
    for row in &rows {
        let (name, version) = (shown(&row.value.spot.name), &row.value.version);
        let nodes = match row.nodes.as_slice() {
            [] => "no node".to_owned(),
            nodes => nodes.join(", "),
        };
        let until = row.expires;
        let until = until.map_or(String::new(), |date| format!("  expires {date}"));
        ui.result(&format!(
            "{name:names$}  {:origins$}  {version}  {nodes}{until}\n    {}; {}\n",
            row.origin,
            row.told_since(age),
            row.told_readers()
        ))?;
    }
    Ok(Outcome::Done)
}

/// All values, or those of the nodes that were asked for.
fn rows<'a>(
    loaded: &'a Loaded,
    patterns: &[String],
    past: &'a Past<'_>,
    ui: &Ui,
) -> Result<Vec<Row<'a>>, Failure> {
    let selected = loaded.select(patterns)?;
    let timeline = past.timeline(ui)?;
    let manifest = &loaded.manifest;
    let uses = uses(&loaded.fleet);
    let dates: HashMap<(&str, usize), Date> = expiry::dates(manifest)
        .map(|it| {
            (
                (it.secret.source.name.as_str(), it.secret.span().start),
                it.date,
            )
        })
        .collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    let mut rows = Vec::new();
    let nodes = manifest.nodes.values().map(|file| (file, Some(file)));
    for (document, node) in [(&manifest.document, None)].into_iter().chain(nodes) {
        let values = secrets(document).values;
        if values.is_empty() {
            continue;
        }
        let readers = Rc::new(readers(manifest, node));
        for value in values {
            let used = uses.get(&(value.spot.file.as_str(), value.offsets.1));
            let used = used.into_iter().flatten().map(|it| it.node.name.as_str());
            let is_selected = |name: &&str| {
                let found = selected.binary_search_by(|node| node.name.as_str().cmp(name));
                found.is_ok()
            };
            let nodes: Vec<&str> = used.filter(is_selected).collect();
            if nodes.is_empty() && !patterns.is_empty() {
                continue;
            }
            let life = timeline.lives.get(&value.version);
            let first = life.and_then(|life| life.first_of_head);
            let first = first.filter(|_| timeline.head.contains(&value.version));
            let line = document.source.position(value.offsets.0).line;
            let spot = (value.spot.file.as_str(), value.offsets.1);
            rows.push(Row {
                expires: dates.get(&spot).copied(),
                origin: format!("{}:{line}", value.spot.file),
                nodes,
                readers: (readers.digest == value.sealed_to.digest).then(|| Rc::clone(&readers)),
                since: first.map(|at| {
                    let commit = &past.history.commits[at];
                    Since {
                        commit,
                        or_before: past.history.is_shallow && commit.parents.is_empty(),
                        age: (now - commit.time).max(0) / DAY,
                    }
                }),
                value,
            });
        }
    }
    rows.sort_by(|a, b| (&a.value.spot.name, &a.origin).cmp(&(&b.value.spot.name, &b.origin)));
    Ok(rows)
}

fn readers<'a>(manifest: &'a Manifest, node: Option<&'a Item>) -> Readers<'a> {
    let today = volume::recipients(manifest, node, &mut Vec::new());
    let groups = node.and_then(|file| file.get("readers"));
    let groups = groups.map_or(&[][..], Item::array).iter();
    let groups: Vec<&str> = groups.filter_map(Item::text).collect();
    let mut keys = keys(&manifest.document);
    keys.retain(|key| key.group.is_none_or(|group| groups.contains(&group)));
    Readers {
        digest: today.digest(),
        number: today.iter().count(),
        keys,
        groups,
    }
}

impl Row<'_> {
    fn told_since(&self, age: bool) -> String {
        let Some(since) = &self.since else {
            return "uncommitted".to_owned();
        };
        let before = if since.or_before { " or before" } else { "" };
        let age = if age {
            let days = usize::try_from(since.age).unwrap_or(0);
            format!("{}, ", count(days, "day"))
        } else {
            String::new()
        };
        format!("{age}since {}{before}", moment(since.commit))
    }

    fn told_readers(&self) -> String {
        let Some(readers) = &self.readers else {
            return "not encrypted to today's recipients: run `ephemeros secrets rekey`".to_owned();
        };
        let listed = readers.keys.iter().filter(|key| key.group.is_none());
        let listed = listed.map(|key| shown(&key.to_string()));
        let groups = readers.groups.iter();
        let groups = groups.map(|group| format!("the group {}", shown(group)));
        let names: Vec<String> = listed.chain(groups).collect();
        format!(
            "{}: {}",
            count(readers.number, "recipient"),
            names.join(", ")
        )
    }

    fn to_json(&self) -> serde_json::Value {
        let keys = self.readers.as_ref().map(|readers| {
            let keys = readers.keys.iter().map(|key| {
                json!({ "key": key.recipient.to_string(), "label": key.label, "group": key.group })
            });
            keys.collect::<Vec<_>>()
        });
        let since = self.since.as_ref().map(|since| {
            json!({
                "commit": since.commit.id.to_string(),
                "date": since.commit.date(),
                "or_before": since.or_before,
            })
        });
        json!({
            "name": self.value.spot.name,
            "origin": self.origin,
            "version": self.value.version,
            "nodes": self.nodes,
            "recipients": keys,
            "since": since,
            "expires": self.expires.map(|date| date.to_string()),
            "age_days": self.since.as_ref().map(|since| since.age),
        })
    }
}
