//! A drive that this program has for itself, and that is still the one that was asked about.

use std::fs::File;
use std::io::{Seek as _, SeekFrom};

use rustix::fs::{Mode, OFlags, ioctl_blksszget, open};
use rustix::io::Errno;

use super::device::{self, Device, Node, Number, Probe, Roots};
use super::guard::judge;
use super::reason::Never;

/// What a drive is told by: another one in its place differs in some of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    number: Number,
    sequence: Option<u64>,
    size: u64,
    sector: u64,
    model: Option<String>,
    serial: Option<String>,
}

impl Fingerprint {
    /// Of a drive.
    #[must_use]
    pub fn of(device: &Device) -> Self {
        Self {
            number: device.number,
            sequence: device.sequence,
            size: device.size,
            sector: device.sector,
            model: device.model.clone(),
            serial: device.serial.clone(),
        }
    }

    /// In what another one differs, in words.
    fn differences(&self, now: &Self) -> Vec<String> {
        let was = |what: &str, was: &str, is: &str| format!("{what} was {was} and is {is}");
        let text = |it: &Option<String>| it.as_deref().unwrap_or("unknown").to_owned();
        let mut all = Vec::new();
        if self.number != now.number {
            let (before, now) = (self.number.to_string(), now.number.to_string());
            all.push(was("its number", &before, &now));
        }
        if self.sequence != now.sequence {
            all.push("it was taken out and put in again, or another one was".to_owned());
        }
        for (what, before, now) in [
            ("its size", self.size, now.size),
            ("the size of its sectors", self.sector, now.sector),
        ] {
            if before != now {
                all.push(was(what, &before.to_string(), &now.to_string()));
            }
        }
        for (what, before, now) in [
            ("its model", &self.model, &now.model),
            ("its serial number", &self.serial, &now.serial),
        ] {
            if before != now {
                all.push(was(what, &text(before), &text(now)));
            }
        }
        all
    }
}

/// Opens a drive for writing that nobody else may use until it is closed, and looks anew whether it may be written: what
/// `asked` says was so when it was looked at. What had to be forced then was; nothing may have come to it.
///
/// # Errors
/// All that speaks against it.
pub fn open_exclusively(roots: &Roots, asked: &Device) -> Result<File, Vec<Never>> {
    let flags = OFlags::RDWR | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = match open(&asked.path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(error) => return Err(refused(roots, asked, error)),
    };
    // From here on the drive can't be exchanged behind the number: the open file keeps it.
    let (now, mut all) = look_again(roots, &file, asked)?;
    let verdict = judge(&roots.guards, &now);
    all.extend(verdict.refused);
    let known = judge(&roots.guards, asked).forced;
    let new = verdict.forced.iter().filter(|it| !known.contains(it));
    all.extend(new.map(|it| Never::Changed(it.to_string())));
    if all.is_empty() { Ok(file) } else { Err(all) }
}

/// Whether an open drive is no longer what `asked` says, as far as that can be seen without being root: it was pulled, or
/// its medium was exchanged.
#[must_use]
pub fn changes(roots: &Roots, drive: &File, asked: &Device) -> Vec<Never> {
    match look_again(roots, drive, asked) {
        Ok((_, changed)) | Err(changed) => changed,
    }
}

/// What a drive is now, and in what it differs.
fn look_again(
    roots: &Roots,
    mut drive: &File,
    asked: &Device,
) -> Result<(Device, Vec<Never>), Vec<Never>> {
    let path = &asked.path;
    let unread =
        |cause: std::io::Error| vec![Never::Unread(format!("`{}`: {cause}", path.display()))];
    match device::opened(roots, drive).map_err(unread)? {
        Node::Block(number) if number == asked.number => {}
        _ => return Err(vec![Never::Changed("its name is another's".to_owned())]),
    }
    let size = drive.seek(SeekFrom::End(0)).map_err(unread)?;
    drive.rewind().map_err(unread)?;
    let sector = ioctl_blksszget(drive).map_err(|error| unread(error.into()))?;
    let now = device::find(roots, path, Probe::Ours).map_err(|never| vec![never])?;
    // The descriptor's own word counts.
    let is = Fingerprint {
        size,
        sector: sector.into(),
        ..Fingerprint::of(&now)
    };
    let differences = Fingerprint::of(asked).differences(&is);
    Ok((now, differences.into_iter().map(Never::Changed).collect()))
}

/// Why it could not be opened: what is known to use it, or else what the kernel says.
fn refused(roots: &Roots, asked: &Device, error: Errno) -> Vec<Never> {
    let known = match device::find(roots, &asked.path, Probe::Asked) {
        Ok(now) => judge(&roots.guards, &now).refused,
        Err(never) => vec![never],
    };
    if !known.is_empty() {
        return known;
    }
    vec![match error {
        Errno::BUSY => Never::Taken,
        Errno::ROFS => Never::ReadOnly,
        _ => Never::Unread(format!("`{}`: {error}", asked.path.display())),
    }]
}
