//! Whose stick something is, and whether all of it is there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use uuid::Uuid;

use super::bios::CODE;
use super::disk::Window;
use super::gpt::{Place, Table};
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

/// Whose stick it is. Whether all of it is there is not looked at.
///
/// # Errors
/// It is no stick, or one whose owner can't be told.
pub fn read_label<D: Read + Seek>(disk: &mut D) -> Result<Label, NoStick> {
    let table = gpt::read(disk).ok_or(NoStick::Foreign)?;
    Ok(Label::read(&visit_efi(disk, &table, &mut |_, _, _| {
        Ok(())
    })?)?)
}

/// Goes through the files beside the label, and gives that.
fn visit_efi<D: Read + Seek>(
    disk: &mut D,
    table: &Table,
    visit: &mut dyn FnMut(String, u64, &mut dyn Read) -> io::Result<()>,
) -> Result<String, NoStick> {
    let no_label = |cause| NoStick::NoLabel { cause };
    let missing = |what| no_label(io::Error::other(what));
    let place = table.parts.iter().find(|place| place.part == Part::Efi);
    let place = place.ok_or_else(|| missing("its partition is missing"))?;
    let mut label = None;
    read_volume(disk, place, &mut |path, size, file| {
        if path != label::FILE {
            return visit(path, size, file);
        }
        if size > LARGEST_LABEL {
            return Err(io::Error::other(format!("it has {size} bytes")));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        label = Some(String::from_utf8_lossy(&bytes).into_owned());
        Ok(())
    })
    .map_err(no_label)?;
    label.ok_or_else(|| missing("it is not there"))
}

/// Reads a stick, or a file that is one. Nothing is written to it.
///
/// # Errors
/// It is no stick, or one whose owner can't be told.
pub fn inspect<D: Read + Seek>(disk: &mut D) -> Result<Found, NoStick> {
    let table = gpt::read(disk).ok_or(NoStick::Foreign)?;
    let mut faults = Vec::from_iter(table.damage.map(str::to_owned));
    let place = |part: Part| table.parts.iter().find(|place| place.part == part);
    let mut efi = BTreeMap::new();
    let mut digests = BTreeMap::new();
    let text = visit_efi(disk, &table, &mut |path, size, file| {
        digests.insert(path.clone(), label::digest_of(file)?);
        efi.insert(path, size);
        Ok(())
    })?;
    let label = Label::read(&text)?;
    faults.extend(differences(&label.files, &digests));
    faults.extend(boot_faults(disk, label.bios.as_ref(), place(Part::Bios)));
    let own = Uuid::new_v5(&label.fleet_id, label.node.as_bytes());
    let misplaced = misplaced(&table, own);
    // What is wrong with a table was told.
    if table.damage.is_none() && misplaced.is_empty() {
        match gpt::faults(disk, &table, own) {
            Ok(found) => faults.extend(found.into_iter().map(str::to_owned)),
            Err(error) => faults.push(format!("its ends can't be read: {error}")),
        }
    }
    faults.extend(misplaced);
    let mut secrets = BTreeMap::new();
    match place(Part::Secrets) {
        None => faults.push("the secrets volume is missing".to_owned()),
        Some(place) => {
            if place.guid != own {
                faults.push(format!(
                    "the secrets volume is {}, and that of {} is {own}",
                    place.guid, label.node
                ));
            }
            let read = read_volume(disk, place, &mut |path, size, _| {
                secrets.insert(path, size);
                Ok(())
            });
            let is_read = read.is_ok();
            match read {
                Ok(()) => faults.extend(differences(&label.secret_files, &secrets)),
                Err(error) => faults.push(format!("the secrets volume can't be read: {error}")),
            }
            // Elsewhere it was not sealed, and may be of any length.
            let volume = Part::Secrets.range(table.sector);
            let is_in_place = (place.start, place.length) == Part::Secrets.place(table.sector);
            let sealed = if is_in_place && is_read {
                seal::holds(disk, volume, table.sector, text.as_bytes())
            } else {
                Ok(None)
            };
            match sealed {
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
        let found = fat::faults(window).unwrap_or_default();
        faults.extend(
            found
                .iter()
                .map(|what| format!("in `{}`, {what}", part.name())),
        );
    }
    Ok(Found {
        label,
        sector: table.sector,
        efi,
        secrets,
        faults,
    })
}

/// No label is larger, in bytes.
const LARGEST_LABEL: u64 = 1 << 20;

/// Goes through the files of a part.
pub(super) fn read_volume<D: Read + Seek>(
    disk: &mut D,
    place: &Place,
    visit: &mut dyn FnMut(String, u64, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let size = disk.seek(SeekFrom::End(0))?;
    if place
        .start
        .checked_add(place.length)
        .is_none_or(|end| end > size)
    {
        let why = "its partition ends behind what it stands on, which was cut off";
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, why));
    }
    fat::read(Window::new(disk, place.start, place.length), visit)
}

/// The parts that stand elsewhere than they were written, or have the identity of another stick's.
fn misplaced(table: &Table, node: Uuid) -> Vec<String> {
    let wrong = table.parts.iter().filter_map(|place| {
        let part = place.part;
        let why = if (place.start, place.length) != part.place(table.sector) {
            "does not stand where it was written"
        } else if part != Part::Secrets && place.guid != part.guid(node) {
            "has another GUID than was written"
        } else {
            return None;
        };
        Some(format!("the partition `{}` {why}", part.name()))
    });
    wrong.collect()
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

#[cfg(test)]
mod tests;
