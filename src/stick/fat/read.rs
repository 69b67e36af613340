//! Reading a FAT volume that anybody may have written, or damaged: every number is checked, every cluster is read once,
//! and so it ends.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};

use super::geometry::{Folder, Geometry, damaged, number};
use super::{DELETED, ENTRY};
use crate::diagnostic::printable;

/// No stick has deeper folders.
const DEEPEST: usize = 128;

/// Nor longer paths in all: they are kept. In bytes.
const MOST_PATHS: usize = 16 << 20;

/// What keeping a path takes besides, in bytes.
const PATH: usize = 64;

/// Goes through the files of a volume: path, length in bytes, and what is in it.
///
/// # Errors
/// It is no FAT volume, or a damaged one; or what `visit` says.
pub(in crate::stick) fn read<D: Read + Seek>(
    mut disk: D,
    visit: &mut dyn FnMut(String, u64, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let geometry = Geometry::read(&mut disk)?;
    let table = geometry.table(&mut disk)?;
    let taken = vec![false; table.len()];
    let root = geometry.root;
    let mut walk = Walk {
        disk,
        geometry,
        table,
        taken,
        paths: 0,
        visit,
    };
    walk.descend(root, "", 0)
}

/// What is not as it was written of all that no file is read from: copies, and what is counted.
///
/// # Errors
/// It is no FAT volume.
pub(in crate::stick) fn faults<D: Read + Seek>(mut disk: D) -> io::Result<Vec<&'static str>> {
    let geometry = Geometry::read(&mut disk)?;
    geometry.faults(&mut disk)
}

struct Walk<'a, D> {
    disk: D,
    geometry: Geometry,
    table: Vec<u32>,
    /// The clusters that something was read from.
    taken: Vec<bool>,
    paths: usize,
    visit: &'a mut dyn FnMut(String, u64, &mut dyn Read) -> io::Result<()>,
}

/// Something in a folder.
struct Entry {
    name: String,
    is_folder: bool,
    first: u32,
    length: u32,
}

impl<D: Read + Seek> Walk<'_, D> {
    fn descend(&mut self, folder: Folder, above: &str, depth: usize) -> io::Result<()> {
        if depth > DEEPEST {
            return Err(damaged("its folders are deeper than any of ephemeros"));
        }
        if let Folder::Chain(first) = folder {
            self.take(first).map_err(|error| at(above, &error))?;
        }
        let bytes = self.geometry.entries(&mut self.disk, &self.table, folder);
        let entries = list(&bytes.map_err(|error| at(above, &error))?);
        let mut names = BTreeSet::new();
        for entry in entries {
            let path = format!("{above}{}", entry.name);
            self.paths += path.len() + PATH;
            if self.paths > MOST_PATHS {
                return Err(damaged("it has more files than any stick"));
            }
            // FAT tells no letters apart by their case, and who finds the first one does not see the other.
            if !names.insert(entry.name.to_lowercase()) {
                return Err(at(&path, &damaged("it is there twice")));
            }
            if entry.is_folder {
                self.descend(Folder::Chain(entry.first), &format!("{path}/"), depth + 1)?;
            } else {
                self.file(path, &entry)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: String, entry: &Entry) -> io::Result<()> {
        let length = u64::from(entry.length);
        let chain = match entry.length {
            0 => Vec::new(),
            _ => self.take(entry.first).map_err(|error| at(&path, &error))?,
        };
        if chain.len() as u64 != length.div_ceil(self.geometry.cluster as u64) {
            let why = format!("its {length} bytes are not in {} clusters", chain.len());
            return Err(at(&path, &damaged(&why)));
        }
        let mut clusters = chain.iter().filter_map(|it| self.geometry.offset(*it));
        let mut contents = Contents {
            disk: &mut self.disk,
            clusters: &mut clusters,
            cluster: self.geometry.cluster,
            here: 0,
            left: length,
        };
        (self.visit)(path, length, &mut contents)
    }

    /// The clusters of a chain, which belong to nothing else.
    fn take(&mut self, first: u32) -> io::Result<Vec<u32>> {
        let chain = self.geometry.chain(&self.table, first)?;
        for cluster in &chain {
            if std::mem::replace(&mut self.taken[*cluster as usize], true) {
                return Err(damaged("its clusters belong to something else, too"));
            }
        }
        Ok(chain)
    }
}

fn at(path: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("`{path}`: {error}"))
}

/// What is in a file.
struct Contents<'a, D> {
    disk: &'a mut D,
    clusters: &'a mut dyn Iterator<Item = u64>,
    cluster: usize,
    /// What is left of the current cluster.
    here: usize,
    /// What is left of the file.
    left: u64,
}

impl<D: Read + Seek> Read for Contents<'_, D> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        if left > 0 && self.here == 0 {
            let next = self.clusters.next().ok_or(io::ErrorKind::UnexpectedEof)?;
            self.disk.seek(SeekFrom::Start(next))?;
            self.here = self.cluster;
        }
        let length = into.len().min(left).min(self.here);
        self.disk.read_exact(&mut into[..length])?;
        self.here -= length;
        self.left -= length as u64;
        Ok(length)
    }
}

/// What a folder's entries say, but for the volume's label, `.` and `..`.
fn list(bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut long = LongName::default();
    for entry in bytes.chunks_exact(ENTRY) {
        let attributes = entry[11];
        match entry[0] {
            0 => break,
            DELETED => long = LongName::default(),
            _ if attributes & 0x3F == 0x0F => long.add(entry),
            _ => {
                let name = std::mem::take(&mut long).name(entry);
                let is_dots = matches!(&entry[..11], b".          " | b"..         ");
                let is_folder = attributes & 0x10 != 0;
                if attributes & 0x08 == 0 && !(is_dots && is_folder) {
                    entries.push(Entry {
                        // A terminal would obey some characters, and a path is parted by others.
                        name: printable(&name.unwrap_or_else(|| short_name(entry)))
                            .replace(['\n', '/'], "\u{fffd}"),
                        is_folder,
                        first: number(&[entry[26], entry[27], entry[20], entry[21]]),
                        length: number(&entry[28..32]),
                    });
                }
            }
        }
    }
    entries
}

/// A name of eight and three letters, of which each half may be said to be small.
fn short_name(entry: &[u8]) -> String {
    let half = |bytes: &[u8], is_small: bool| {
        // 0xE5 marks what is deleted, so a name that begins with it has this instead.
        let letters = bytes.iter().map(|byte| match byte {
            0x05 => '\u{e5}',
            byte if is_small => byte.to_ascii_lowercase().into(),
            byte => char::from(*byte),
        });
        letters.collect::<String>().trim_end().to_owned()
    };
    let name = half(&entry[..8], entry[12] & 0x08 != 0);
    match half(&entry[8..11], entry[12] & 0x10 != 0) {
        extension if extension.is_empty() => name,
        extension => format!("{name}.{extension}"),
    }
}

/// The entries before a file's own that hold its name, the last piece first.
#[derive(Default)]
struct LongName {
    /// From the last piece to the first, each 13 UTF-16 units.
    pieces: Vec<[u16; 13]>,
    /// The number of the piece that has to follow.
    next: u8,
    checksum: u8,
}

impl LongName {
    fn add(&mut self, entry: &[u8]) {
        let (order, is_last) = (entry[0] & 0x3F, entry[0] & 0x40 != 0);
        if is_last {
            *self = Self {
                pieces: Vec::new(),
                next: order,
                checksum: entry[13],
            };
        }
        if order == 0 || order > 20 || order != self.next || entry[13] != self.checksum {
            *self = Self::default();
            return;
        }
        let units = [1..11, 14..26, 28..32].into_iter().flat_map(|at| {
            let units = entry[at].chunks_exact(2);
            units.map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        });
        let mut piece = [0; 13];
        for (place, unit) in piece.iter_mut().zip(units) {
            *place = unit;
        }
        self.pieces.push(piece);
        self.next -= 1;
    }

    /// `None` where there is none that belongs to the entry.
    fn name(self, entry: &[u8]) -> Option<String> {
        let checksum = entry[..11]
            .iter()
            .fold(0_u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
        if self.pieces.is_empty() || self.next != 0 || self.checksum != checksum {
            return None;
        }
        let units = self.pieces.iter().rev().flatten().copied();
        let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
        Some(String::from_utf16_lossy(&units)).filter(|name| !name.is_empty())
    }
}
