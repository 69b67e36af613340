//! The house is in order: an arrow points only downward, and who must not know whom does not.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The floors from the roof to the ground. Rooms on one floor don't name each other.
const FLOORS: &[&[&str]] = &[
    &["main"],
    &["commands"],
    &["ui", "cli"],
    &["boot", "status"],
    &["plan", "site"],
    &["stick"],
    &["render", "vault"],
    &["fleet"],
    &["butane", "clc"],
    &["ignition", "yaml"],
    &["ipxe"],
    &["secrets"],
    &["os"],
    &["git", "net"],
    &["invoker", "write"],
    &[
        "progress",
        "diagnostic",
        "env_file",
        "nearest",
        "os_release",
        "shell_words",
    ],
    &["source"],
];

/// Rooms that could leave as a crate of their own, and all that they may take along.
const APART: &[&str] = &["yaml", "butane", "clc", "ignition"];
const APART_MAY_NAME: &[&str] = &[
    "yaml",
    "butane",
    "clc",
    "ignition",
    "diagnostic",
    "source",
    "nearest",
];

/// Names that say nothing of what is in a file.
const NO_NAMES: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc"];

/// The longest that a file should be, in lines without its tests.
const LONGEST: usize = 330;

struct File {
    path: String,
    room: String,
    text: String,
}

fn files() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("src/ can be listed") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let inside = path.strip_prefix(&root).expect("it is below");
            let first = inside.iter().next().expect("it has a name");
            files.push(File {
                path: inside.display().to_string(),
                room: first.to_string_lossy().trim_end_matches(".rs").to_owned(),
                text: fs::read_to_string(&path).expect("it is text"),
            });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The rooms that a text names: `crate::room`, `ephemeros::room`, and each of `crate::{a, b::c}`.
fn named_rooms(text: &str) -> Vec<String> {
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join(" ");
    let mut rooms = Vec::new();
    for anchor in ["crate::", "ephemeros::"] {
        for (at, _) in code.match_indices(anchor) {
            let rest = &code[at + anchor.len()..];
            let names: Vec<&str> = match rest.strip_prefix('{') {
                Some(group) => group
                    .split(';')
                    .next()
                    .unwrap_or(group)
                    .split(',')
                    .collect(),
                None => vec![rest],
            };
            rooms.extend(names.iter().map(|name| {
                let other = |c: char| !c.is_ascii_alphanumeric() && c != '_';
                name.trim()
                    .split(other)
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            }));
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

fn complaints(files: &[File]) -> Vec<String> {
    let floor: BTreeMap<&str, usize> = FLOORS
        .iter()
        .enumerate()
        .flat_map(|(floor, rooms)| rooms.iter().map(move |room| (*room, floor)))
        .collect();
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.room != "lib") {
        let Some(own) = floor.get(file.room.as_str()) else {
            complaints.push(format!("{} stands on no floor", file.path));
            continue;
        };
        for room in named_rooms(&file.text) {
            if room == file.room {
                continue;
            }
            match floor.get(room.as_str()) {
                None => complaints.push(format!("{} names `{room}`, no room", file.path)),
                Some(other) if other < own => {
                    complaints.push(format!("{} points up to `{room}`", file.path));
                }
                Some(other) if other == own => {
                    complaints.push(format!("{} names `{room}` beside it", file.path));
                }
                Some(_) => {}
            }
            if APART.contains(&file.room.as_str()) && !APART_MAY_NAME.contains(&room.as_str()) {
                complaints.push(format!("{} can't leave: it names `{room}`", file.path));
            }
            if room == "vault" && file.room != "commands" {
                complaints.push(format!("{} sees private keys", file.path));
            }
            if ["ui", "cli"].contains(&room.as_str())
                && !["main", "commands"].contains(&file.room.as_str())
            {
                complaints.push(format!("{} talks to the user", file.path));
            }
        }
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if NO_NAMES.contains(&name.trim_end_matches(".rs")) {
            complaints.push(format!("{} is named for nothing", file.path));
        }
        let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        let lines = code.lines().count();
        if lines > LONGEST && !name.starts_with("tests") && !file.path.contains("/tests/") {
            complaints.push(format!("{} has {lines} lines: split it", file.path));
        }
    }
    complaints
}

#[test]
fn every_arrow_points_down() {
    let complaints = complaints(&files());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn a_wrong_arrow_is_seen() {
    let told = |room: &str, text: &str| {
        complaints(&[File {
            path: format!("{room}/x.rs"),
            room: room.to_owned(),
            text: text.to_owned(),
        }])
    };
    assert_eq!(
        told("fleet", "use crate::render::all;"),
        ["fleet/x.rs points up to `render`"]
    );
    assert_eq!(
        told("render", "use crate::{\n    git,\n    vault::open,\n};"),
        [
            "render/x.rs names `vault` beside it",
            "render/x.rs sees private keys"
        ]
    );
    assert_eq!(
        told("yaml", "fn f() { crate::os::x() }"),
        ["yaml/x.rs can't leave: it names `os`"]
    );
    assert_eq!(told("plan", "use crate::ui::Ui;").len(), 2);
    assert!(told("plan", "// crate::ui::Ui\nuse crate::fleet::node;").is_empty());
}

#[test]
fn the_tool_prints_in_one_place_and_is_unsafe_in_one_other() {
    for file in files().iter().filter(|file| !file.path.contains("tests")) {
        let may = |word: &str| match word {
            "allow(clippy::print" => file.room == "ui",
            _ => file.path.ends_with("stick/ioctl.rs"),
        };
        for word in ["allow(clippy::print", "allow(unsafe_code"] {
            let has = file.text.contains(word);
            assert!(!has || may(word), "{} has {word}", file.path);
        }
    }
}
