//! An image becomes the stick of one drive: as large as that is, and with an id of its own.

use std::io::{self, Read, Seek, SeekFrom, Write};

use regex::bytes::Regex;
use uuid::Uuid;

use super::bios::CODE;
use super::disk::Disk;
use super::gpt;
use super::label::id_line;
use super::layout::{Part, SECTOR, SIZE};

/// The backup of the partition table, in sectors: 128 entries and a header.
const BACKUP: u64 = 33;

/// Lays the partition table out for a drive of `size` bytes, and gives the stick its id. An image is that of a drive of
/// [`SIZE`] bytes.
///
/// # Errors
/// It is no image of ours, or the drive is smaller.
pub fn fit(image: &mut Disk, size: u64, id: Uuid) -> io::Result<()> {
    let no_image = || io::Error::new(io::ErrorKind::InvalidData, "this is no image of a stick");
    if size < SIZE || !size.is_multiple_of(SECTOR) {
        return Err(io::Error::new(
            io::ErrorKind::StorageFull,
            "the drive is too small",
        ));
    }
    let table = gpt::read(image).ok_or_else(no_image)?;
    let secrets = table.parts.iter().find(|it| it.part == Part::Secrets);
    let node = secrets.ok_or_else(no_image)?.guid;
    name(image, id)?;
    let mut code = [0; CODE];
    image.seek(SeekFrom::Start(0))?;
    image.read_exact(&mut code)?;
    image.seek(SeekFrom::Start(image.size() - BACKUP * SECTOR))?;
    image.write_all(&vec![0; usize::try_from(BACKUP * SECTOR).unwrap_or(0)])?;
    image.grow(size);
    gpt::write(image, node, (code != [0; CODE]).then_some(&code))
}

/// Writes the id into the label, in which it has its place in an image too.
fn name(image: &mut Disk, id: Uuid) -> io::Result<()> {
    let unnamed = Regex::new(&regex::escape(&id_line(Uuid::nil()))).map_err(io::Error::other)?;
    let place = Part::Efi.range();
    image.seek(SeekFrom::Start(place.start))?;
    let mut bytes = vec![0; usize::try_from(place.end - place.start).unwrap_or(0)];
    image.read_exact(&mut bytes)?;
    let mut found = unnamed.find_iter(&bytes);
    let (Some(found), None) = (found.next(), found.next()) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "its label has no one place for an id",
        ));
    };
    image.seek(SeekFrom::Start(place.start + found.start() as u64))?;
    image.write_all(id_line(id).as_bytes())
}
