//! Whose stick something is, and whether all of it is there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use uuid::Uuid;

use super::bios::CODE;
use super::disk::Window;
use super::gpt::Place;
use super::label::{self, Boot, Label, LabelError};
use super::layout::{Part, Sector};
use super::{fat, gpt, seal};

/// What was found.
pub struct Found {
    /// Whose it is.
    pub label: Label,
    /// The drives that it was laid out for.
    pub sector: Sector,
    /// The files beside the label, and their lengths in bytes.
    pub efi: BTreeMap<String, u64>,
    /// The files on the secrets volume, and their lengths in bytes. What is in them is not read.
    pub secrets: BTreeMap<String, u64>,
    /// What is not as it was written. Empty where all is well.
    pub faults: Vec<String>,
}

/// More than sizes tell.
const BROKEN_SEAL: &str =
    "what is on the secrets volume, or in `ephemeros.toml`, is not what was written";

/// Why something is no stick that could be told.
#[derive(Debug, thiserror::Error)]
pub enum NoStick {
    /// It has no partition table, or one without our partitions.
    #[error("there is no stick of ephemeros on it: no partition `{}`", Part::Secrets.name())]
    Foreign,
    /// The label can't be found.
    #[error("it has the partitions of a stick, and its `ephemeros.toml` can't be read: {cause}")]
    NoLabel {
        /// Why.
        cause: io::Error,
    },
    /// The label can't be understood.
    #[error(transparent)]
    Label(#[from] LabelError),
}

/// Whether a partition table with a secrets volume stands on it.
pub fn holds_stick<D: Read + Seek>(disk: &mut D) -> bool {
    gpt::read(disk).is_some()
}

/// Reads a stick, or a file that is one. Nothing is written to it.
///
/// # Errors
/// It is no stick, or one whose owner can't be told.
pub fn inspect<D: Read + Seek>(disk: &mut D) -> Result<Found, NoStick> {
    let table = gpt::read(disk).ok_or(NoStick::Foreign)?;
    let mut faults = Vec::from_iter(table.damage.map(str::to_owned));
    let place = |part: Part| table.parts.iter().find(|place| place.part == part);
    let no_label = |why: &str| NoStick::NoLabel {
        cause: io::Error::other(why),
    };
    let efi_place = place(Part::Efi).ok_or_else(|| no_label("its partition is missing"))?;
    let mut label = None;
    let mut efi = BTreeMap::new();
    let mut digests = BTreeMap::new();
    let window = Window::new(disk, efi_place.start, efi_place.length);
    fat::read(window, &mut |path, size, file| {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        if path == label::FILE {
            label = Some(String::from_utf8_lossy(&bytes).into_owned());
        } else {
            digests.insert(path.clone(), label::digest(&bytes));
            efi.insert(path, size);
        }
        Ok(())
    })
    .map_err(|cause| NoStick::NoLabel { cause })?;
    let text = label.ok_or_else(|| no_label("it is not there"))?;
    let label = Label::read(&text)?;
    faults.extend(differences(&label.files, &digests));
    faults.extend(boot_faults(disk, label.bios.as_ref(), place(Part::Bios)));
    let mut secrets = BTreeMap::new();
    match place(Part::Secrets) {
        None => faults.push("the secrets volume is missing".to_owned()),
        Some(place) => {
            let own = Uuid::new_v5(&label.fleet_id, label.node.as_bytes());
            if place.guid != own {
                faults.push(format!(
                    "the secrets volume is {}, and that of {} is {own}",
                    place.guid, label.node
                ));
            }
            let window = Window::new(disk, place.start, place.length);
            let read = fat::read(window, &mut |path, size, _| {
                secrets.insert(path, size);
                Ok(())
            });
            match read {
                Ok(()) => faults.extend(differences(&label.secret_files, &secrets)),
                Err(error) => faults.push(format!("the secrets volume can't be read: {error}")),
            }
            let volume = place.start..place.start.saturating_add(place.length);
            match seal::holds(disk, volume, table.sector, text.as_bytes()) {
                Ok(None | Some(true)) => {}
                Ok(Some(false)) => faults.push(BROKEN_SEAL.to_owned()),
                Err(error) => faults.push(format!("the secrets volume can't be read: {error}")),
            }
        }
    }
    for part in [Part::Efi, Part::Secrets] {
        let Some(place) = place(part) else { continue };
        let window = Window::new(disk, place.start, place.length);
        // Where it can't be read at all, that was told.
        if matches!(fat::is_mirrored(window), Ok(false)) {
            let name = part.name();
            faults.push(format!("the two tables of files in `{name}` differ"));
        }
    }
    Ok(Found {
        label,
        sector: table.sector,
        efi,
        secrets,
        faults,
    })
}

/// What is not as it was written of what a BIOS starts. Where nothing was, all of it is zeros.
fn boot_faults<D: Read + Seek>(
    disk: &mut D,
    wanted: Option<&Boot>,
    place: Option<&Place>,
) -> Vec<String> {
    let Some(place) = place else {
        return vec!["the BIOS boot partition is missing".to_owned()];
    };
    let size = usize::try_from(Part::Bios.place(Sector::Of512).1).unwrap_or(0);
    let empty = || Boot::of(&[0; CODE], &vec![0; size]);
    let wanted = wanted.map_or_else(|| Cow::Owned(empty()), Cow::Borrowed);
    let mut read = |start, length| {
        let mut bytes = Vec::new();
        let window = Window::new(disk, start, length);
        window.take(size as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let is: io::Result<_> = read(0, CODE as u64)
        .and_then(|code| Ok(Boot::of(&code, &read(place.start, place.length)?)));
    match is {
        Err(error) => vec![format!("what a BIOS starts can't be read: {error}")],
        Ok(is) => {
            let parts = [
                (is.code == wanted.code, "the boot code for BIOS"),
                (is.partition == wanted.partition, "the BIOS boot partition"),
            ];
            let changed = parts.into_iter().filter(|(is_same, _)| !is_same);
            changed
                .map(|(_, what)| format!("{what} is not what was written"))
                .collect()
        }
    }
}

/// What is not as the label has it.
fn differences<T: PartialEq>(
    wanted: &BTreeMap<String, T>,
    there: &BTreeMap<String, T>,
) -> Vec<String> {
    let missing = wanted.keys().filter(|path| !there.contains_key(*path));
    let missing = missing.map(|path| format!("`{path}` is missing"));
    let others = there
        .iter()
        .filter_map(|(path, is)| match wanted.get(path) {
            None => Some(format!("`{path}` was added by somebody")),
            Some(wanted) if wanted != is => Some(format!("`{path}` is not what was written")),
            Some(_) => None,
        });
    missing.chain(others).collect()
}
