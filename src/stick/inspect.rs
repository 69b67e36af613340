//! Whose stick something is, and whether all of it is there.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Seek, Write};

use uuid::Uuid;

use super::disk::Window;
use super::label::{self, Label, LabelError};
use super::layout::Part;
use super::{fat, gpt};

/// What was found.
pub struct Found {
    /// Whose it is.
    pub label: Label,
    /// The files beside the label, and their lengths in bytes.
    pub efi: BTreeMap<String, u64>,
    /// The files on the secrets volume, and their lengths in bytes. What is in them is not read.
    pub secrets: BTreeMap<String, u64>,
    /// What is not as it was written. Empty where all is well.
    pub faults: Vec<String>,
}

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
pub fn holds_stick<D: Read + Write + Seek + fmt::Debug>(disk: &mut D) -> bool {
    gpt::read(disk).is_some()
}

/// Reads a stick, or a file that is one. Nothing is written to it.
///
/// # Errors
/// It is no stick, or one whose owner can't be told.
pub fn inspect<D: Read + Write + Seek + fmt::Debug>(disk: &mut D) -> Result<Found, NoStick> {
    let table = gpt::read(disk).ok_or(NoStick::Foreign)?;
    let mut faults = Vec::from_iter(table.damage);
    let place = |part: Part| table.parts.iter().find(|(it, ..)| *it == part);
    let Some((_, start, length, _)) = place(Part::Efi) else {
        let missing = format!("there is no partition `{}`", Part::Efi.name());
        return Err(NoStick::NoLabel {
            cause: io::Error::other(missing),
        });
    };
    let mut label = None;
    let mut efi = BTreeMap::new();
    let mut digests = BTreeMap::new();
    fat::read(
        Window::new(disk, *start, *length),
        &mut |path, size, file| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            if path == label::FILE {
                label = Some(String::from_utf8_lossy(&bytes).into_owned());
            } else {
                digests.insert(path.clone(), label::digest(&bytes));
                efi.insert(path, size);
            }
            Ok(())
        },
    )
    .map_err(|cause| NoStick::NoLabel { cause })?;
    let label = label.ok_or_else(|| NoStick::NoLabel {
        cause: io::ErrorKind::NotFound.into(),
    })?;
    let label = Label::read(&label)?;
    for path in label.files.keys().chain(
        digests
            .keys()
            .filter(|path| !label.files.contains_key(*path)),
    ) {
        match (label.files.get(path), digests.get(path)) {
            (_, None) => faults.push(format!("`{path}` is missing")),
            (None, _) => faults.push(format!("`{path}` was added by somebody")),
            (Some(wanted), Some(there)) if wanted != there => {
                faults.push(format!("`{path}` is not what was written"));
            }
            _ => {}
        }
    }
    let mut secrets = BTreeMap::new();
    if let Some((_, start, length, guid)) = place(Part::Secrets) {
        let own = Uuid::new_v5(&label.fleet_id, label.node.as_bytes());
        if *guid != own {
            faults.push(format!(
                "the secrets volume is {guid}, and that of {} is {own}",
                label.node
            ));
        }
        let read = fat::read(Window::new(disk, *start, *length), &mut |path, size, _| {
            secrets.insert(path, size);
            Ok(())
        });
        if let Err(error) = read {
            faults.push(format!("the secrets volume can't be read: {error}"));
        }
    }
    Ok(Found {
        label,
        efi,
        secrets,
        faults,
    })
}
