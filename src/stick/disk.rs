//! A drive in memory, which holds only what was written to it, and a part of a drive.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use rustix::fs::{self, seek};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::layout::Sector;

/// What is kept or left out as a whole, in bytes.
const PAGE: usize = 4096;

/// A drive in memory. It is all zeros until it is written, and wiped when dropped, since it holds secrets.
pub struct Disk {
    sector: Sector,
    size: u64,
    at: u64,
    pages: BTreeMap<u64, Zeroizing<Box<[u8]>>>,
    /// The pages that something was written to, zeros too.
    written: BTreeSet<u64>,
}

impl Disk {
    /// An empty one of so many bytes.
    #[must_use]
    pub fn new(sector: Sector, size: u64) -> Self {
        Self {
            sector,
            size,
            at: 0,
            pages: BTreeMap::new(),
            written: BTreeSet::new(),
        }
    }

    /// All that a file holds, to be written as a whole. It was laid out for such sectors.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn read_from(file: &File, sector: Sector) -> io::Result<Self> {
        let mut disk = Self::new(sector, file.metadata()?.len());
        disk.written = (0..disk.size.div_ceil(PAGE as u64)).collect();
        let mut piece = Zeroizing::new(vec![0; 1 << 20]);
        // Most of an image is holes, which are zeros. A file system that knows none has one piece of data.
        loop {
            let start = match seek(file, fs::SeekFrom::Data(disk.at)) {
                Err(Errno::NXIO) => return Ok(disk),
                start => start?,
            };
            let end = seek(file, fs::SeekFrom::Hole(start))?;
            disk.at = start;
            while disk.at < end {
                let left = usize::try_from(end - disk.at).unwrap_or(usize::MAX);
                let length = piece.len().min(left);
                file.read_exact_at(&mut piece[..length], disk.at)?;
                disk.write_all(&piece[..length])?;
            }
        }
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The sectors that what is on it was laid out for.
    #[must_use]
    pub fn sector(&self) -> Sector {
        self.sector
    }

    /// Everything that isn't zero: offset and bytes, in ascending order, in pieces of at most 4 KiB.
    pub fn used(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let pages = self.pages.iter();
        let pages = pages.filter(|(_, page)| page.iter().any(|byte| *byte != 0));
        pages.map(|(number, page)| (number * PAGE as u64, &page[..]))
    }

    /// The parts of `whole` that a drive must hold as they are here: what was written, if only zeros, and all of `full`.
    /// In ascending order, apart from each other.
    pub(super) fn laid_out(&self, whole: Range<u64>, full: Range<u64>) -> Vec<Range<u64>> {
        let page = PAGE as u64;
        let written = self
            .written
            .iter()
            .map(|number| number * page..(number + 1) * page);
        let mut parts: Vec<Range<u64>> = written.chain([full]).collect();
        parts.sort_by_key(|part| part.start);
        let mut laid_out: Vec<Range<u64>> = Vec::new();
        for part in parts {
            let part = part.start.max(whole.start)..part.end.min(whole.end);
            match laid_out.last_mut() {
                _ if part.is_empty() => {}
                Some(last) if last.end >= part.start => last.end = last.end.max(part.end),
                _ => laid_out.push(part),
            }
        }
        laid_out
    }

    /// Makes it larger; what is there stays where it is.
    pub(super) fn grow(&mut self, size: u64) {
        self.size = self.size.max(size);
    }

    /// The page that holds the current place, where in it that is, and how much of `wanted` it has.
    fn here(&self, wanted: usize) -> (u64, usize, usize) {
        let (page, inside) = (self.at / PAGE as u64, self.at % PAGE as u64);
        let inside = usize::try_from(inside).unwrap_or(0);
        let left = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        (page, inside, wanted.min(PAGE - inside).min(left))
    }
}

impl Read for Disk {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let (page, inside, length) = self.here(into.len());
        match self.pages.get(&page) {
            Some(page) => into[..length].copy_from_slice(&page[inside..inside + length]),
            None => into[..length].fill(0),
        }
        self.at += length as u64;
        Ok(length)
    }
}

impl Write for Disk {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let (page, inside, length) = self.here(from.len());
        let from = &from[..length];
        self.written.insert(page);
        if self.pages.contains_key(&page) || from.iter().any(|byte| *byte != 0) {
            let page = self.pages.entry(page);
            let page = page.or_insert_with(|| Zeroizing::new(vec![0; PAGE].into_boxed_slice()));
            page[inside..inside + length].copy_from_slice(from);
        }
        self.at += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = resolve(to, self.at, self.size)?;
        Ok(self.at)
    }
}

/// Its contents are nobody's business.
impl fmt::Debug for Disk {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Disk of {} bytes", self.size)
    }
}

/// A part of a drive, which can't be left.
pub(super) struct Window<'a, D> {
    disk: &'a mut D,
    start: u64,
    length: u64,
    at: u64,
}

impl<'a, D> Window<'a, D> {
    /// `length` bytes from `start` on.
    pub(super) fn new(disk: &'a mut D, start: u64, length: u64) -> Self {
        Self {
            disk,
            start,
            length,
            at: 0,
        }
    }

    /// Where on the drive it is. What says where a part begins may be damaged.
    fn place(&self) -> io::Result<u64> {
        let place = self.start.checked_add(self.at);
        place.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place behind every end"))
    }

    fn cut(&self, wanted: usize) -> usize {
        let left = self.length.saturating_sub(self.at);
        wanted.min(usize::try_from(left).unwrap_or(usize::MAX))
    }
}

impl<D: Read + Seek> Read for Window<'_, D> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.cut(into.len());
        self.disk.seek(SeekFrom::Start(self.place()?))?;
        let read = self.disk.read(&mut into[..length])?;
        self.at += read as u64;
        Ok(read)
    }
}

impl<D: Write + Seek> Write for Window<'_, D> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let length = self.cut(from.len());
        self.disk.seek(SeekFrom::Start(self.place()?))?;
        let written = self.disk.write(&from[..length])?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.disk.flush()
    }
}

impl<D> Seek for Window<'_, D> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = resolve(to, self.at, self.length)?;
        Ok(self.at)
    }
}

fn resolve(to: SeekFrom, at: u64, end: u64) -> io::Result<u64> {
    let place = match to {
        SeekFrom::Start(place) => Some(place),
        SeekFrom::Current(by) => at.checked_add_signed(by),
        SeekFrom::End(by) => end.checked_add_signed(by),
    };
    place.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the start"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_written_across_pages_and_nothing_else() {
        let mut disk = Disk::new(Sector::Of512, 5 * PAGE as u64);
        disk.seek(SeekFrom::Start(PAGE as u64 - 2)).unwrap();
        disk.write_all(b"abcd").unwrap();
        disk.write_all(&[0; 3 * PAGE]).unwrap();
        let used: Vec<u64> = disk.used().map(|(offset, _)| offset).collect();
        assert_eq!(used, [0, PAGE as u64]);
        let mut all = Vec::new();
        disk.seek(SeekFrom::Start(0)).unwrap();
        disk.read_to_end(&mut all).unwrap();
        assert_eq!(all.len(), 5 * PAGE);
        assert_eq!(&all[PAGE - 3..PAGE + 3], b"\0abcd\0");
    }

    #[test]
    fn ends_where_it_ends() {
        let mut disk = Disk::new(Sector::Of512, 6);
        disk.seek(SeekFrom::End(-2)).unwrap();
        assert!(disk.write_all(b"abc").is_err());
        let mut window = Window::new(&mut disk, 2, 3);
        assert!(window.write_all(b"xyz!").is_err());
        let mut text = Vec::new();
        disk.seek(SeekFrom::Start(0)).unwrap();
        disk.read_to_end(&mut text).unwrap();
        assert_eq!(text, b"\0\0xyzb");
        let mut window = Window::new(&mut disk, 2, 2);
        text.clear();
        window.read_to_end(&mut text).unwrap();
        assert_eq!(text, b"xy");
        assert!(window.seek(SeekFrom::Current(-3)).is_err());
    }
}
