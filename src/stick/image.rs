//! A stick as bytes.

use std::io::{self, Write as _};

use super::clock::Clock;
use super::contents::Contents;
use super::disk::{Disk, Window};
use super::fat::{self, Volume};
use super::gpt;
use super::layout::{Part, SIZE, derived};

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The files have no room.
    #[error("{what} take more room than a stick has for them, {} MiB", part.place().1 >> 20)]
    NoRoom {
        /// Which files.
        what: &'static str,
        /// Where they should stand.
        part: Part,
    },
    /// Never seen: writing to memory works.
    #[error("can't make the image: {0}")]
    Io(#[from] io::Error),
}

/// Lays everything out. The same contents give the same bytes.
///
/// # Errors
/// Something has no room.
pub fn image(contents: &Contents, clock: Clock) -> Result<Disk, ImageError> {
    let node = contents.volume;
    let mut disk = Disk::new(SIZE);
    let bios = contents.bios.as_ref();
    gpt::write(&mut disk, node, bios.map(|bios| &bios.code))?;
    // Where nothing starts by a BIOS, nothing of an older stick is to be left on the drive.
    let empty = vec![0; usize::try_from(Part::Bios.place().1).unwrap_or(0)];
    let partition = bios.map_or(&empty, |bios| &bios.partition);
    window(&mut disk, Part::Bios).write_all(partition)?;
    let no_room = |what: &'static str, part: Part| {
        move |error: io::Error| match error.kind() {
            io::ErrorKind::StorageFull => ImageError::NoRoom { what, part },
            _ => error.into(),
        }
    };
    let volume = |label, part: Part| Volume {
        label,
        id: derived(part.guid(node), "volume").as_fields().0,
        clock,
    };
    let efi = volume("EPHEMEROS", Part::Efi);
    fat::write(window(&mut disk, Part::Efi), &efi, &contents.efi)
        .map_err(no_room("loaders, boot scripts and config", Part::Efi))?;
    let secrets = volume("SECRETS", Part::Secrets);
    fat::write(
        window(&mut disk, Part::Secrets),
        &secrets,
        &contents.secrets,
    )
    .map_err(no_room("the secrets", Part::Secrets))?;
    disk.flush()?;
    Ok(disk)
}

fn window(disk: &mut Disk, part: Part) -> Window<'_, Disk> {
    let (start, length) = part.place();
    Window::new(disk, start, length)
}
