//! An image becomes the stick of one drive: as large as that is, and with an identity of its own.

use std::io::{self, Read, Seek, SeekFrom, Write};

use regex::bytes::Regex;

use super::bios::CODE;
use super::disk::Disk;
use super::gpt;
use super::label::Identity;
use super::layout::{Part, SECTOR, SIZE};

/// The backup of the partition table, in sectors: 128 entries and a header.
const BACKUP: u64 = 33;

/// Lays the partition table out for a drive of `size` bytes, and gives the stick its identity. An image is that of a drive of
/// [`SIZE`] bytes.
///
/// # Errors
/// It is no image of ours, or the drive is smaller.
pub fn fit(image: &mut Disk, size: u64, identity: &Identity) -> io::Result<()> {
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
    name(image, identity)?;
    let mut code = [0; CODE];
    image.seek(SeekFrom::Start(0))?;
    image.read_exact(&mut code)?;
    image.seek(SeekFrom::Start(image.size() - BACKUP * SECTOR))?;
    image.write_all(&vec![0; usize::try_from(BACKUP * SECTOR).unwrap_or(0)])?;
    image.grow(size);
    gpt::write(image, node, (code != [0; CODE]).then_some(&code))
}

/// Writes the identity into the label, in which it has its place in an image too.
fn name(image: &mut Disk, identity: &Identity) -> io::Result<()> {
    let lines = Regex::new(Identity::LINES).map_err(io::Error::other)?;
    let place = Part::Efi.range();
    image.seek(SeekFrom::Start(place.start))?;
    let mut bytes = vec![0; usize::try_from(place.end - place.start).unwrap_or(0)];
    image.read_exact(&mut bytes)?;
    let mut found = lines.find_iter(&bytes);
    let (Some(found), None) = (found.next(), found.next()) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "its label has no one place for an identity",
        ));
    };
    image.seek(SeekFrom::Start(place.start + found.start() as u64))?;
    image.write_all(identity.lines().as_bytes())
}
