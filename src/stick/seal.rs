//! A digest of the whole secrets volume and of the label, on the secrets volume itself: what a drive lost of them, or somebody
//! changed, is seen. It stands beside the secrets that it is of, so it tells no more than they do.

use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::ops::Range;

use regex::bytes::Regex;
use sha2::{Digest as _, Sha256};

use super::disk::Disk;
use super::label::ID_LINE;
use super::layout::{Part, Sector};
use super::stamp::is_zero;

/// Where it stands in the first sector, in bytes: in the room for code by which a FAT volume would boot.
const PLACE: u64 = 256;

/// What it begins with.
const MARK: &[u8; 16] = b"ephemeros sha256";

/// Its length in bytes.
const LENGTH: usize = MARK.len() + 32;

/// Where FAT32 has a copy of the first sector, in sectors.
const COPY: u64 = 6;

/// A volume is looked at in pieces of so many bytes. Those of zeros count for nothing, and most of a volume is.
const PIECE: usize = 4096;

/// How much is read at once, in bytes.
const BLOCK: u64 = 1 << 20;

/// Seals an image with this label.
pub(super) fn seal(image: &mut Disk, label: &[u8]) -> io::Result<()> {
    let sector = image.sector();
    let (start, length) = Part::Secrets.place(sector);
    let places = places(image, start, sector)?;
    let put = |image: &mut Disk, text: &[u8]| {
        places.iter().try_for_each(|place| {
            image.seek(SeekFrom::Start(start + place))?;
            image.write_all(text)
        })
    };
    put(image, &[0; LENGTH])?;
    let mut digest = Sha256::new_with_prefix(without_id(label));
    let inside = |at: u64| (start..start + length).contains(&at);
    for (at, bytes) in image.used().filter(|(at, _)| inside(*at)) {
        add(&mut digest, at - start, bytes);
    }
    put(image, &[MARK, &digest.finalize()[..]].concat())
}

/// Whether a secrets volume and a label are as they were when they were sealed; `None` where they never were.
pub(super) fn holds<D: Read + Seek>(
    disk: &mut D,
    volume: Range<u64>,
    sector: Sector,
    label: &[u8],
) -> io::Result<Option<bool>> {
    let places = places(disk, volume.start, sector)?;
    let mut sealed = [0; LENGTH];
    disk.seek(SeekFrom::Start(volume.start + PLACE))?;
    disk.read_exact(&mut sealed)?;
    let Some(wanted) = sealed.strip_prefix(MARK) else {
        return Ok(None);
    };
    let mut digest = Sha256::new_with_prefix(without_id(label));
    let mut bytes = Vec::new();
    let mut at = volume.start;
    disk.seek(SeekFrom::Start(at))?;
    while at < volume.end {
        let length = BLOCK.min(volume.end - at);
        bytes.resize(usize::try_from(length).unwrap_or(0), 0);
        disk.read_exact(&mut bytes)?;
        if at == volume.start {
            for place in places
                .iter()
                .filter_map(|place| usize::try_from(*place).ok())
            {
                let seal = &mut bytes[place..place + LENGTH];
                if *seal != sealed {
                    return Ok(Some(false));
                }
                seal.fill(0);
            }
        }
        for (number, piece) in (0..).zip(bytes.chunks(PIECE)) {
            if !is_zero(piece) {
                add(
                    &mut digest,
                    at - volume.start + number * PIECE as u64,
                    piece,
                );
            }
        }
        at += length;
    }
    Ok(Some(*wanted == digest.finalize()[..]))
}

/// The id is another one on each stick, and two of the same inputs differ in nothing else.
fn without_id(label: &[u8]) -> Vec<u8> {
    let mut label = label.to_vec();
    let id = Regex::new(ID_LINE)
        .ok()
        .and_then(|line| line.find(&label).map(|it| it.range()));
    if let Some(id) = id {
        label.drain(id);
    }
    label
}

fn add(digest: &mut Sha256, at: u64, bytes: &[u8]) {
    digest.update(at.to_le_bytes());
    digest.update(bytes);
}

/// Where the seal stands in a volume, in bytes.
fn places<D: Read + Seek>(disk: &mut D, start: u64, sector: Sector) -> io::Result<Vec<u64>> {
    let mut kind = [0; 5];
    // Where FAT32, and no other, says so.
    disk.seek(SeekFrom::Start(start + 82))?;
    disk.read_exact(&mut kind)?;
    let copy = (&kind == b"FAT32").then_some(COPY * sector.bytes() + PLACE);
    Ok([PLACE].into_iter().chain(copy).collect())
}
