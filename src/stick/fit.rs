//! An image becomes the stick of one drive: as large as that is, and with an identity of its own.

use std::io::{self, Seek, SeekFrom, Write};

use regex::bytes::Regex;

use super::disk::{Disk, Window};
use super::label::{self, Identity};
use super::layout::Part;
use super::seal::seal;
use super::{fat, gpt};

/// The entries of a partition table, in bytes; the backup has its header behind them.
const ENTRIES: u64 = 128 * 128;

/// Lays the partition table out for a drive of `size` bytes, and gives the stick its identity. An image is that of a drive of
/// the smallest size that takes a stick.
///
/// # Errors
/// It is no image of ours, or the drive is smaller.
pub fn fit(image: &mut Disk, size: u64, identity: &Identity) -> io::Result<()> {
    let no_image = || io::Error::new(io::ErrorKind::InvalidData, "this is no image of a stick");
    let sector = image.sector();
    if size < sector.stick_size() || !size.is_multiple_of(sector.bytes()) {
        return Err(io::Error::new(
            io::ErrorKind::StorageFull,
            "the drive is too small",
        ));
    }
    let table = gpt::read(image)
        .filter(|table| table.sector == sector)
        .ok_or_else(no_image)?;
    let secrets = table.parts.iter().find(|it| it.part == Part::Secrets);
    let node = secrets.ok_or_else(no_image)?.guid;
    name(image, identity)?;
    let code = gpt::boot_code(image)?;
    let backup = ENTRIES + sector.bytes();
    image.seek(SeekFrom::Start(image.size() - backup))?;
    image.write_all(&vec![0; usize::try_from(backup).unwrap_or(0)])?;
    image.grow(size);
    gpt::write(image, sector, node, code.as_ref())
}

/// Writes the identity into the label, in which it has its place in an image too, and seals it anew.
fn name(image: &mut Disk, identity: &Identity) -> io::Result<()> {
    let lines = Regex::new(Identity::LINES).map_err(io::Error::other)?;
    let efi = Part::Efi.range(image.sector());
    // Most of the partition is empty. What stands together in it is looked at together.
    let mut runs: Vec<(u64, Vec<u8>)> = Vec::new();
    for (at, bytes) in image.used().filter(|(at, _)| efi.contains(at)) {
        match runs.last_mut() {
            Some((start, run)) if *start + run.len() as u64 == at => run.extend(bytes),
            _ => runs.push((at, bytes.to_vec())),
        }
    }
    let places = runs.iter().flat_map(|(start, run)| {
        let found = lines.find_iter(run);
        found.map(move |found| start + found.start() as u64)
    });
    let [place] = places.collect::<Vec<_>>()[..] else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "its label has no one place for an identity",
        ));
    };
    image.seek(SeekFrom::Start(place))?;
    image.write_all(identity.lines().as_bytes())?;
    let (start, length) = Part::Efi.place(image.sector());
    let mut label = Vec::new();
    fat::read(Window::new(image, start, length), &mut |path, _, file| {
        if path == label::FILE {
            file.read_to_end(&mut label)?;
        }
        Ok(())
    })?;
    seal(image, &label)
}
