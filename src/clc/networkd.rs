//! The section `networkd`, which Ignition no longer has: its units are files.

use super::found::Found;
use super::piece::{Map, Origin, Piece, Yaml};
use super::read::{Said, Section};

/// Where systemd-networkd looks for them.
const FOLDER: &str = "/etc/systemd/network";
const ENDINGS: [&str; 3] = ["link", "netdev", "network"];

/// The files that the units are.
pub(super) fn files(root: &mut Section<'_>, found: &mut Found) -> Vec<Piece> {
    let mut files = Vec::new();
    let Some(mut section) = root.section("networkd", found) else {
        return files;
    };
    for mut unit in section.sections("units", found) {
        let name = unit.required("name", found);
        let contents = unit.text("contents", found);
        let dropins = unit.sections("dropins", found);
        if let Some(name) = name.filter(|name| check_name(name, &ENDINGS, found)) {
            if contents.is_none() && dropins.is_empty() {
                let message = format!("`{}` has no contents, and is left out", name.value);
                found.warning(unit.at(), message, "give it contents, or remove it");
            }
            let path = format!("{FOLDER}/{}", name.value);
            files.extend(contents.map(|it| file(path.clone(), it, unit.place())));
            for dropin in dropins {
                files.extend(read_dropin(dropin, &path, found));
            }
        }
        unit.finish(found);
    }
    section.finish(found);
    files
}

fn read_dropin(mut section: Section<'_>, unit: &str, found: &mut Found) -> Option<Piece> {
    let name = section.required("name", found);
    let contents = section.text("contents", found);
    let from = section.place();
    let at = section.at();
    section.finish(found);
    let name = name.filter(|name| check_name(name, &["conf"], found))?;
    if contents.is_none() {
        let message = format!("`{}` has no contents, and is left out", name.value);
        found.warning(at, message, "give it contents, or remove it");
    }
    Some(file(format!("{unit}.d/{}", name.value), contents?, from))
}

/// The name becomes part of a path.
fn check_name(name: &Said<String>, endings: &[&str], found: &mut Found) -> bool {
    let ending = name.value.rsplit_once('.').map(|(_, ending)| ending);
    let fits = ending.is_some_and(|ending| endings.contains(&ending));
    if !fits || name.value.contains('/') {
        let endings: Vec<String> = endings.iter().map(|it| format!("`.{it}`")).collect();
        found.error(
            name.at(),
            format!("`{}` is no name for a file of networkd", name.value),
            format!("end it with {}", endings.join(", ")),
        );
        return false;
    }
    true
}

fn file(path: String, contents: Said<String>, from: Origin) -> Piece {
    let mut inline = Map::default();
    let place = contents.from.clone();
    inline.put("inline", Some(contents));
    let mut map = Map::default();
    map.add("path", path, None);
    map.word("overwrite", "true");
    map.add("mode", Yaml::Word("0644".to_owned()), None);
    map.part("contents", (inline, Some(place)));
    Piece {
        value: map.into(),
        from: Some(from),
    }
}
