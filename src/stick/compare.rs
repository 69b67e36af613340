//! In what a stick differs from the one that would be written now.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek};

use zeroize::Zeroizing;

use super::contents::Contents;
use super::gpt;
use super::inspect::read_volume;
use super::label::{self, Label, LabelError};
use super::layout::Part;
use crate::render::rendered::{ignition_path, script_path};

impl Contents {
    /// The label that goes onto the stick.
    ///
    /// # Errors
    /// None, as it was just written.
    pub fn label(&self) -> Result<Label, LabelError> {
        let text = self.efi.get(label::FILE).map_or(&[][..], Vec::as_slice);
        Label::read(&String::from_utf8_lossy(text))
    }
}

/// What differs by the labels: that of the stick, and that of the one that would be written now. Which stick it is, and of
/// which commit, makes no difference. Of secrets it is their versions and places.
#[must_use]
pub fn differences(there: &Label, now: &Label) -> Vec<String> {
    if (there.fleet_id, &there.node) != (now.fleet_id, &now.node) {
        return vec![format!(
            "it is the stick of {} in {} ({}), and not of {} in {} ({})",
            there.node, there.fleet, there.fleet_id, now.node, now.fleet, now.fleet_id
        )];
    }
    let mut all = Vec::new();
    if there.config_url != now.config_url {
        all.push(format!(
            "the node fetches its config from {}, and now that is {}",
            there.config_url, now.config_url
        ));
    }
    if there.script_url != now.script_url {
        let shown = |url: &Option<String>| match url {
            Some(url) => format!("from {url}"),
            None => "on the stick".to_owned(),
        };
        all.push(format!(
            "the node finds its boot script {}, and now that is {}",
            shown(&there.script_url),
            shown(&now.script_url)
        ));
    }
    // The URLs stand in it.
    if all.is_empty() && !there.prologue.is_empty() && there.prologue != now.prologue {
        all.push("the script that runs first (`autoexec.ipxe`) is another".to_owned());
    }
    let node = &now.node;
    for (path, what) in [
        (script_path(node), "boot script"),
        (ignition_path(node), "config"),
    ] {
        if there.files.get(&path) != now.files.get(&path) {
            all.push(format!("the copy of the {what} (`{path}`) is an older one"));
        }
    }
    let script = "autoexec.ipxe";
    if all.is_empty() && there.files.get(script) != now.files.get(script) {
        all.push(format!("`{script}` is another"));
    }
    all.extend(loaders(there, now));
    all.extend(secrets(there, now));
    all
}

/// The keys of two maps.
fn keys<'a, T, U>(
    one: &'a BTreeMap<String, T>,
    other: &'a BTreeMap<String, U>,
) -> BTreeSet<&'a String> {
    one.keys().chain(other.keys()).collect()
}

fn loaders(there: &Label, now: &Label) -> Vec<String> {
    let build = |label: &Label, place: &str| match &label.bios {
        Some(bios) if !label.files.contains_key(place) => Some(bios.loader.clone()),
        _ => label.files.get(place).cloned(),
    };
    let places = keys(&there.loaders, &now.loaders).into_iter();
    let differences =
        places.filter_map(
            |place| match (there.loaders.get(place), now.loaders.get(place)) {
                (None, Some(version)) => Some(format!(
                    "`{place}` is not on it: it would be iPXE {version}"
                )),
                (Some(version), None) => Some(format!(
                    "`{place}` (iPXE {version}) would not be on it any more"
                )),
                (Some(old), Some(new)) if old != new => {
                    Some(format!("`{place}` is iPXE {old}, and now it is {new}"))
                }
                (Some(version), _) if build(there, place) != build(now, place) => {
                    Some(format!("`{place}` is another build of iPXE {version}"))
                }
                _ => None,
            },
        );
    let mut all: Vec<String> = differences.collect();
    if let (Some(old), Some(new)) = (&there.bios, &now.bios)
        && old.code != new.code
    {
        all.push("the boot code for BIOS is another".to_owned());
    }
    all
}

fn secrets(there: &Label, now: &Label) -> Vec<String> {
    let mut all = Vec::new();
    for name in keys(&there.secrets, &now.secrets) {
        match (there.secrets.get(name), now.secrets.get(name)) {
            (None, _) => all.push(format!("the secret `{name}` is not on it")),
            (_, None) => all.push(format!("the secret `{name}` is the node's no longer")),
            (old, new) if old != new => {
                all.push(format!("the secret `{name}` has another value now"));
            }
            _ => {}
        }
    }
    // Older labels don't say which secrets stand in which file.
    if !there.secret_names.is_empty() || there.secrets.is_empty() {
        for file in keys(&there.secret_names, &now.secret_names) {
            match (there.secret_names.get(file), now.secret_names.get(file)) {
                (None, _) => all.push(format!("the file `{file}` is not on the secrets volume")),
                (_, None) => all.push(format!(
                    "the file `{file}` would not be on the secrets volume any more"
                )),
                (old, new) if old != new => {
                    all.push(format!("the file `{file}` holds other secrets"));
                }
                _ => {}
            }
        }
    }
    all
}

/// The secret files that are on a stick and in `contents`, and not of the same bytes. Only names are told.
///
/// # Errors
/// The volume can't be read.
pub fn secret_differences<D: Read + Seek>(
    disk: &mut D,
    contents: &Contents,
    now: &Label,
) -> io::Result<Vec<String>> {
    let table = gpt::read(disk).ok_or(io::ErrorKind::NotFound)?;
    let place = table.parts.iter().find(|it| it.part == Part::Secrets);
    let place = place.ok_or(io::ErrorKind::NotFound)?;
    let mut all = Vec::new();
    read_volume(disk, place, &mut |path, size, file| {
        let Some(wanted) = contents.secrets.get(&path) else {
            return Ok(());
        };
        // No more than what would be there, and a little to see that there is more.
        let room = wanted.len() + 1;
        let mut is = Zeroizing::new(Vec::with_capacity(room));
        file.take(room as u64).read_to_end(&mut is)?;
        if size == wanted.len() as u64 && **is == **wanted {
            return Ok(());
        }
        let names = now.secret_names.get(&path).map_or(&[][..], Vec::as_slice);
        let (old, new) = (variables(&is), variables(wanted));
        let differs = |name: &&String| {
            let name = name.as_bytes();
            new.get(name).is_some_and(|new| old.get(name) != Some(new))
        };
        let names: Vec<String> = match names {
            [one] => vec![format!("`{one}`")],
            names => names
                .iter()
                .filter(differs)
                .map(|it| format!("`{it}`"))
                .collect(),
        };
        all.push(match names.len() {
            0 => format!("the file `{path}` is not what would be written"),
            _ => format!(
                "the file `{path}` holds another value of {}",
                names.join(", ")
            ),
        });
        Ok(())
    })?;
    Ok(all)
}

/// The variables of an env file as this tool writes it: a name, and all up to the quote that ends its value. What is no
/// such file has none.
fn variables(text: &[u8]) -> BTreeMap<&[u8], &[u8]> {
    let mut all = BTreeMap::new();
    let mut rest = text;
    while let Some(equals) = rest.iter().position(|byte| *byte == b'=') {
        let (name, value) = (&rest[..equals], &rest[equals + 1..]);
        let mut escaped = false;
        let end = value.iter().skip(1).position(|byte| {
            let ends = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            ends
        });
        let Some(end) = end.filter(|_| value.first() == Some(&b'"')) else {
            break;
        };
        all.insert(name, &value[..end + 2]);
        rest = value[end + 2..].strip_prefix(b"\n").unwrap_or_default();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_told_apart_whatever_is_in_them() {
        let text = b"A=\"1\"\nB=\"x=\\\"y\\\\\"\nC=\"two\nlines\"\n";
        let found = variables(text);
        let raw: Vec<&[u8]> = found.values().copied().collect();
        let wanted: [&[u8]; 3] = [b"\"1\"", b"\"x=\\\"y\\\\\"", b"\"two\nlines\""];
        assert_eq!(raw, wanted);
        assert_eq!(
            found.keys().copied().collect::<Vec<_>>(),
            [b"A", b"B", b"C"]
        );
        for text in [&b""[..], b"=", b"A=", b"A=\"", b"A=\"\\\"", b"no env file"] {
            assert!(variables(text).is_empty());
        }
    }
}
