//! What `secrets exposed` found, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::json;

use super::exposed::{Plain, Report, State, Value};
use crate::commands::{Failure, count};
use crate::diagnostic::printable;
use crate::fleet::readerships::Certainty;
use crate::fleet::uses::Use;
use crate::fleet::written::Spot;
use crate::git::history::Commit;
use crate::stick::record::short as short_id;
use crate::ui::Ui;

/// How many nodes are named in one line.
const NAMED: usize = 8;

pub(super) fn tell(report: &Report<'_>, ui: &Ui) -> Result<(), Failure> {
    let to_rotate = report.values.iter().filter(|it| it.is_current()).count();
    let older = report.values.len() - to_rotate;
    let sticks = sticks(&report.values);
    if ui.json() {
        let plain: Vec<_> = report.plain.iter().map(plain_json).collect();
        let values = report.values.iter();
        let values: Vec<_> = values.map(|value| value_json(value, report)).collect();
        let text = json!({
            "format": 1,
            "of": report.of,
            "plain": plain,
            "values": values,
            "notes": report.notes,
            "summary": { "rotate": to_rotate, "sticks": sticks, "older": older, "plain": plain.len() },
        });
        ui.result(&format!("{text:#}\n"))?;
    } else {
        ui.result(&text(report))?;
    }
    for note in &report.notes {
        ui.say(&format!("note: {}", shown(note)));
    }
    if report.values.is_empty() {
        ui.say("no value that the fleet has or ever had could be read");
    } else {
        let s = if to_rotate == 0 {
            String::new()
        } else {
            format!(", on {}", count(sticks.len(), "stick"))
        };
        ui.say(&format!(
            "{} to rotate{s}; {}",
            count(to_rotate, "value"),
            count(older, "older value")
        ));
    }
    Ok(())
}

/// The nodes whose sticks carry a value of today.
fn sticks<'a>(values: &'a [Value<'_>]) -> BTreeSet<&'a str> {
    let uses = values.iter().flat_map(|value| match &value.state {
        State::Current { uses, .. } => uses.as_slice(),
        _ => &[],
    });
    uses.map(|it| it.node.name.as_str()).collect()
}

fn text(report: &Report<'_>) -> String {
    let mut text = String::new();
    // Writing to a string can't fail, here and below.
    if !report.plain.is_empty() {
        text.push_str("in plain text, for everybody to read:\n");
    }
    for plain in &report.plain {
        let place = place(&plain.spot, None);
        let stands = if plain.stands {
            "stands there"
        } else {
            "is gone"
        };
        let since = match plain.since {
            Some(commit) => format!("in git since {}", moment(commit)),
            None => "not committed".to_owned(),
        };
        let _ = writeln!(text, "  {place}\n    {since}; {stands} today");
    }
    let (current, older): (Vec<&Value<'_>>, _) =
        report.values.iter().partition(|it| it.is_current());
    if !current.is_empty() {
        text.push_str("to rotate:\n");
    }
    for value in current {
        let State::Current { line, uses } = &value.state else {
            continue;
        };
        let _ = writeln!(text, "  {}", place(&value.spot, Some(*line)));
        let _ = writeln!(
            text,
            "    version {}{}",
            value.version,
            doubt(value, report)
        );
        let _ = writeln!(text, "    {}", command(&value.spot));
        for line in on_sticks(uses, report.has_all_nodes) {
            let _ = writeln!(text, "    {line}");
        }
        text += &recorded(value, report);
    }
    if !older.is_empty() {
        text.push_str("older values; whoever gave them out must have revoked them:\n");
    }
    for value in older {
        let _ = writeln!(text, "  {}", place(&value.spot, None));
        let _ = writeln!(
            text,
            "    version {}, {}{}",
            value.version,
            fate(&value.state),
            doubt(value, report)
        );
        text += &recorded(value, report);
    }
    text
}

/// The line that names the sticks that carry a value, as far as they are recorded.
fn recorded(value: &Value<'_>, report: &Report<'_>) -> String {
    let Some(sticks) = report.on_sticks.get(value.version.as_str()) else {
        return String::new();
    };
    let named: Vec<String> = sticks
        .iter()
        .take(NAMED)
        .map(|it| format!("{} of {} ({})", short_id(it.id), it.node, it.state.word()))
        .collect();
    let more = match sticks.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("    it stands on {}{more}\n", named.join(", "))
}

fn place(spot: &Spot, line: Option<usize>) -> String {
    let line = line.map_or(String::new(), |line| format!(":{line}"));
    let (name, place) = (shown(&spot.name), shown(&spot.place));
    format!("{name}  {place} ({}{line})", shown(&spot.file))
}

/// What is not said where there is nothing to tell apart.
fn doubt(value: &Value<'_>, report: &Report<'_>) -> String {
    let mut text = String::new();
    if report.of.len() > 1 {
        let by: Vec<String> = value.by.iter().map(|it| short(it)).collect();
        let _ = write!(text, ", by {}", by.join(" and "));
    }
    if value.certainty == Certainty::Unknown {
        text.push_str(" (can't be told: no commit says for whom)");
    }
    text
}

fn fate(state: &State<'_>) -> String {
    let word = |is_replaced: &bool| if *is_replaced { "replaced" } else { "removed" };
    match state {
        State::Current { .. } => "current".to_owned(),
        State::Uncommitted { is_replaced } => format!("{}, uncommitted", word(is_replaced)),
        State::Ended {
            commit,
            is_replaced,
        } => format!("{} in {}", word(is_replaced), moment(commit)),
        State::Elsewhere => "not in what is checked out".to_owned(),
    }
}

/// `1a2b3c4 of 2026-01-31`
pub(super) fn moment(commit: &Commit) -> String {
    format!("{} of {}", commit.short_id(), commit.date())
}

fn command(spot: &Spot) -> String {
    format!(
        "ephemeros secrets set {} {}",
        word(&spot.place),
        word(&spot.name)
    )
}

/// A word as a shell takes it.
fn word(text: &str) -> String {
    let text = shown(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.');
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The sticks to write anew, together where the value is in the same files.
fn on_sticks(uses: &[Use<'_>], has_all_nodes: bool) -> Vec<String> {
    let mut nodes: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for used in uses {
        let files: Vec<&str> = used.files().collect();
        let of_files = nodes.entry(files.join(", ")).or_default();
        of_files.push(&used.node.name);
    }
    if nodes.is_empty() {
        let none = if has_all_nodes {
            "no stick has it"
        } else {
            "which sticks have it can't be told: a node has a mistake, and `ephemeros check` says which"
        };
        return vec![none.to_owned()];
    }
    let lines = nodes.iter().map(|(files, nodes)| {
        let named = nodes[..nodes.len().min(NAMED)].join(", ");
        let more = match nodes.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let sticks = if nodes.len() == 1 {
            "then write the stick of".to_owned()
        } else {
            format!("then write {} sticks:", nodes.len())
        };
        format!("{sticks} {named}{more} ({files})")
    });
    lines.collect()
}

/// What stands in git is anybody's: on one line, and without what a terminal would obey.
pub(super) fn shown(text: &str) -> String {
    printable(text).replace(['\n', '\t'], "\u{fffd}")
}

/// How much is shown of what was asked for.
const SHOWN: usize = 24;

fn short(text: &str) -> String {
    let text = shown(text);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn plain_json(plain: &Plain<'_>) -> serde_json::Value {
    json!({
        "name": plain.spot.name,
        "place": plain.spot.place,
        "file": plain.spot.file,
        "since": plain.since.map(commit_json),
        "stands": plain.stands,
    })
}

fn value_json(value: &Value<'_>, report: &Report<'_>) -> serde_json::Value {
    let sticks = report.on_sticks.get(value.version.as_str());
    let sticks = sticks.into_iter().flatten();
    let sticks: Vec<_> = sticks
        .map(|it| json!({ "id": it.id, "node": it.node, "state": it.state }))
        .collect();
    let mut json = json!({
        "name": value.spot.name,
        "place": value.spot.place,
        "file": value.spot.file,
        "line": null,
        "version": value.version,
        "certain": value.certainty == Certainty::Known,
        "exposed_by": value.by,
        "state": match &value.state {
            State::Current { .. } => "current",
            State::Uncommitted { is_replaced: true } | State::Ended { is_replaced: true, .. } => "replaced",
            State::Uncommitted { .. } | State::Ended { .. } => "removed",
            State::Elsewhere => "elsewhere",
        },
        "ended": null,
        "nodes": [],
        "sticks": sticks,
        "command": null,
    });
    match &value.state {
        State::Current { line, uses } => {
            let nodes = uses
                .iter()
                .map(|it| json!({ "node": it.node.name, "files": it.files().collect::<Vec<_>>() }));
            json["nodes"] = nodes.collect();
            json["line"] = (*line).into();
            json["command"] = command(&value.spot).into();
        }
        State::Ended { commit, .. } => json["ended"] = commit_json(commit),
        State::Uncommitted { .. } | State::Elsewhere => {}
    }
    json
}

fn commit_json(commit: &Commit) -> serde_json::Value {
    json!({ "commit": commit.id.to_string(), "date": commit.date() })
}
