//! A stick as bytes.

use std::io::{self, Write as _};

use fatfs::FatType;

use super::clock::Clock;
use super::contents::Contents;
use super::disk::{Disk, Window};
use super::fat::{self, Volume};
use super::gpt;
use super::label;
use super::layout::{Part, Sector, derived};
use super::seal::seal;

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The files have no room.
    #[error("{what} take more room than a stick has for them, {} MiB", part.place(*sector).1 >> 20)]
    NoRoom {
        /// Which files.
        what: &'static str,
        /// Where they should stand.
        part: Part,
        /// What the stick is laid out for.
        sector: Sector,
    },
    /// Never seen: writing to memory works.
    #[error("can't make the image: {0}")]
    Io(#[from] io::Error),
}

/// Lays everything out for drives with such sectors. The same contents give the same bytes.
///
/// # Errors
/// Something has no room.
pub fn image(contents: &Contents, sector: Sector, clock: Clock) -> Result<Disk, ImageError> {
    let node = contents.volume;
    let mut disk = Disk::new(sector, sector.stick_size());
    let bios = contents.bios.as_ref();
    gpt::write(&mut disk, sector, node, bios.map(|bios| &bios.code))?;
    // Where nothing starts by a BIOS, nothing of an older stick is to be left on the drive.
    let empty = vec![0; usize::try_from(Part::Bios.place(sector).1).unwrap_or(0)];
    let partition = bios.map_or(&empty, |bios| &bios.partition);
    window(&mut disk, Part::Bios).write_all(partition)?;
    let no_room = |what: &'static str, part: Part| {
        move |error: io::Error| match error.kind() {
            io::ErrorKind::StorageFull => ImageError::NoRoom { what, part, sector },
            _ => error.into(),
        }
    };
    let volume = |label, kind, part: Part| Volume {
        label,
        kind,
        sector,
        id: derived(part.guid(node), "volume").as_fields().0,
        clock,
    };
    let efi = volume("EPHEMEROS", FatType::Fat32, Part::Efi);
    fat::write(window(&mut disk, Part::Efi), &efi, &contents.efi)
        .map_err(no_room("loaders, boot scripts and config", Part::Efi))?;
    let kind = match sector {
        Sector::Of512 => FatType::Fat32,
        Sector::Of4096 => FatType::Fat16,
    };
    let secrets = volume("SECRETS", kind, Part::Secrets);
    fat::write(
        window(&mut disk, Part::Secrets),
        &secrets,
        &contents.secrets,
    )
    .map_err(no_room("the secrets", Part::Secrets))?;
    let label = contents.efi.get(label::FILE).map_or(&[][..], Vec::as_slice);
    seal(&mut disk, label)?;
    Ok(disk)
}

fn window(disk: &mut Disk, part: Part) -> Window<'_, Disk> {
    let (start, length) = part.place(disk.sector());
    Window::new(disk, start, length)
}
