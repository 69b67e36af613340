//! What becomes of a node that boots before its stick is written anew.

use std::collections::BTreeMap;

use super::cost::Cost;
use super::why::Why;
use crate::fleet::node::Node;
use crate::ignition::{self, Config};
use crate::render::rendered::Rendered;
use crate::source::Source;

/// A file of the secrets volume that the stick does not have as the new config needs it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lack {
    /// The file.
    path: String,
    /// The secrets that are not in it.
    names: Vec<String>,
    /// Whether it is there at all.
    is_there: bool,
}

/// What a stick lacks of these files, by what each has to hold and what it holds.
pub(super) fn lacks(
    wanted: &BTreeMap<String, Vec<String>>,
    there: &BTreeMap<String, Vec<String>>,
) -> Vec<Lack> {
    let lacks = wanted.iter().filter_map(|(path, names)| {
        let held = there.get(path);
        let has = |name: &&String| held.is_some_and(|held| held.contains(name));
        let names: Vec<String> = names.iter().filter(|name| !has(name)).cloned().collect();
        (!names.is_empty()).then(|| Lack {
            path: path.clone(),
            names,
            is_there: held.is_some(),
        })
    });
    lacks.collect()
}

/// What the node does with the stick that it has, one sentence each.
pub(super) fn sentences(
    cost: Cost,
    reasons: &[Why],
    lacks: &[Lack],
    node: Option<(&Node, &Rendered)>,
) -> Vec<String> {
    match (cost, node) {
        (Cost::Removed, _) => vec![
            "once that is pushed its URLs answer 404: Ignition fails, and Flatcar restarts the machine after 300 s, \
             again and again; a stick that can boot by its own copy does so, with the config of its day"
                .to_owned(),
        ],
        (Cost::ReflashFirst, Some((node, rendered))) => breaks(reasons, lacks, node, rendered),
        (Cost::Reflash, Some(_)) => until(reasons),
        (Cost::FirstFlash, _) if reasons.contains(&Why::Lost) => {
            vec!["until then it boots only from the stick that is lost".to_owned()]
        }
        _ => Vec::new(),
    }
}

/// It boots as before, with what stands on its stick.
fn until(reasons: &[Why]) -> Vec<String> {
    let mut old = Vec::new();
    let mut gone = Vec::new();
    let mut does: Vec<String> = Vec::new();
    for why in reasons {
        let same = match why {
            Why::OtherValue(name) => {
                old.push(format!("`{name}`"));
                continue;
            }
            Why::Gone(name) => {
                gone.push(format!("`{name}`"));
                continue;
            }
            Why::OutOf { name, path } => {
                does.push(format!("has `{name}` in `{path}` too"));
                continue;
            }
            Why::Url => {
                "fetches from the old place, and nothing that is published at the new one alone"
            }
            Why::Network => "gets onto the network by the old settings before the OS",
            Why::Prologue => "starts by the old script on its stick",
            Why::ScriptPlace => "boots by the script in the old place",
            Why::Script => {
                "boots by the old script: system, mirrors and kernel arguments of its day"
            }
            Why::Commit => "fetches what the commit holds that its stick names",
            Why::Layout => "boots on the firmware that its stick is made for",
            Why::Arch => {
                "does not start: loader and kernel are for two architectures where git serves the boot script"
            }
            Why::Spare(_) => "boots as before; from the spare stick with what that one has",
            // Those break it, or leave nothing that matters.
            Why::FleetId
            | Why::SecretFiles
            | Why::EnvFiles
            | Why::New(_)
            | Why::Into { .. }
            | Why::Lost => continue,
        };
        if !does.iter().any(|it| it == same) {
            does.push(same.to_owned());
        }
    }
    if !old.is_empty() {
        does.insert(0, format!("runs with the old value of {}", old.join(", ")));
    }
    if !gone.is_empty() {
        does.push(format!("still has {}", gone.join(", ")));
    }
    if does.is_empty() {
        does.push("boots as before".to_owned());
    }
    does.into_iter()
        .map(|what| format!("until then it {what}"))
        .collect()
}

/// It boots by a config that needs what its stick does not have.
fn breaks(reasons: &[Why], lacks: &[Lack], node: &Node, rendered: &Rendered) -> Vec<String> {
    let mount = &node.vault.mount;
    if reasons.contains(&Why::FleetId) {
        return vec![format!(
            "booted before that it finds no volume for `{mount}`: the mount fails after 90 s, and what needs it"
        )];
    }
    let units = units(rendered);
    let sentences = lacks.iter().map(|lack| {
        let file = format!("{mount}/{}", lack.path);
        let names: Vec<String> = lack.names.iter().map(|it| format!("`{it}`")).collect();
        let what = if lack.is_there {
            format!("has no {} in `{file}`", names.join(", "))
        } else {
            format!("has no `{file}`")
        };
        let readers = Readers::of(&file, &units);
        let who = if lack.is_there {
            let mut all = [readers.must, readers.may].concat();
            all.sort();
            [told(&all, "runs without", "run without"), None]
        } else {
            [
                told(&readers.must, "fails", "fail"),
                told(&readers.may, "does not find it", "do not find it"),
            ]
        };
        let who: Vec<String> = who.into_iter().flatten().collect();
        let who = if who.is_empty() {
            String::new()
        } else {
            format!(": {}", who.join("; "))
        };
        format!("booted before that it {what}{who}")
    });
    sentences.collect()
}

/// What becomes of these units.
fn told(units: &[String], one: &str, several: &str) -> Option<String> {
    let named: Vec<String> = units.iter().map(|unit| format!("`{unit}`")).collect();
    let does = match units.len() {
        0 => return None,
        1 => one,
        _ => several,
    };
    Some(format!("{} {does}", named.join(", ")))
}

/// The texts of a node's units with the names of the units, drop-ins under that of theirs.
fn units(rendered: &Rendered) -> Vec<(String, String)> {
    let source = Source::file("config", rendered.ignition.as_str());
    let Some(config) = Config::parse(&source).0 else {
        return Vec::new();
    };
    let view = ignition::view(&config).into_iter();
    let units = view.filter_map(|(subject, entry)| {
        let text = String::from_utf8(entry.contents?).ok()?;
        let unit = match subject.split_once(' ')? {
            ("unit", unit) => unit,
            ("drop-in", of) => of.rsplit_once(" of ")?.1,
            _ => return None,
        };
        Some((unit.to_owned(), text))
    });
    units.collect()
}

/// The units that name a file.
#[derive(Default)]
struct Readers {
    /// Those that systemd does not start without it.
    must: Vec<String>,
    /// The others.
    may: Vec<String>,
}

impl Readers {
    fn of(file: &str, units: &[(String, String)]) -> Self {
        let mut readers = Self::default();
        for (unit, text) in units {
            let must = text
                .lines()
                .any(|line| line.trim().strip_prefix("EnvironmentFile=") == Some(file));
            let list = if must {
                &mut readers.must
            } else if names(text, file) {
                &mut readers.may
            } else {
                continue;
            };
            if !list.contains(unit) {
                list.push(unit.clone());
            }
        }
        readers.may.retain(|unit| !readers.must.contains(unit));
        readers
    }
}

/// Whether a text names this file, and not one whose name goes on.
fn names(text: &str, file: &str) -> bool {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    text.match_indices(file)
        .any(|(at, _)| !text[at + file.len()..].starts_with(goes_on))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(of: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let files = of.iter().map(|(path, names)| {
            let names = names.iter().map(|it| (*it).to_owned());
            ((*path).to_owned(), names.collect())
        });
        files.collect()
    }

    #[test]
    fn what_a_stick_lacks_is_told_by_file() {
        let wanted = files(&[("a_env", &["A", "B"]), ("b_env", &["C"]), ("key", &["K"])]);
        let there = files(&[("a_env", &["A"]), ("key", &["K", "L"])]);
        let lack = |path: &str, name: &str, is_there| Lack {
            path: path.to_owned(),
            names: vec![name.to_owned()],
            is_there,
        };
        assert_eq!(
            lacks(&wanted, &there),
            [lack("a_env", "B", true), lack("b_env", "C", false)]
        );
    }

    #[test]
    fn units_that_can_not_do_without_a_file_are_told_from_others() {
        let unit = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let units = [
            unit("a.service", "[Service]\nEnvironmentFile=/secrets/env\n"),
            unit("b.service", "[Service]\nEnvironmentFile=-/secrets/env\n"),
            unit("c.service", "[Service]\nEnvironmentFile=/secrets/env_too\n"),
            unit("a.service", "[Service]\nExecStart=/bin/cat /secrets/env\n"),
        ];
        let readers = Readers::of("/secrets/env", &units);
        assert_eq!(
            (readers.must, readers.may),
            (vec!["a.service".to_owned()], vec!["b.service".to_owned()])
        );
    }

    #[test]
    fn reasons_of_one_kind_are_one_sentence() {
        let other = |name: &str| Why::OtherValue(name.to_owned());
        let told = until(&[
            Why::Network,
            other("A"),
            other("B"),
            Why::Gone("C".to_owned()),
        ]);
        assert_eq!(
            told,
            [
                "until then it runs with the old value of `A`, `B`",
                "until then it gets onto the network by the old settings before the OS",
                "until then it still has `C`",
            ]
        );
        assert_eq!(
            until(&[Why::SecretFiles]),
            ["until then it boots as before"]
        );
    }
}
