//! How a FAT volume is laid out, as its first sector has it. That may come from anybody, so nothing in it is taken for
//! granted.

use std::io::{self, Read, Seek, SeekFrom};

/// More clusters than a volume of ours has, and as many as are read: their table has 4 MiB.
const MOST_CLUSTERS: u32 = 1 << 20;

/// Where what stands, in bytes from the volume's start.
pub(super) struct Geometry {
    fat: u64,
    /// The table's length, and how many there are of it.
    one_fat: u64,
    fats: u32,
    data: u64,
    /// A cluster's length.
    pub(super) cluster: usize,
    pub(super) clusters: u32,
    is_fat32: bool,
    pub(super) root: Folder,
    /// Where FAT32 has a count of its free clusters, and a copy of the first sector, as long as one.
    info: u64,
    copy: u64,
    sector: usize,
}

/// Where a folder's entries stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folder {
    /// Before all clusters: the first folder of FAT16. Its start and its length in bytes.
    Fixed(u64, usize),
    /// From this cluster on.
    Chain(u32),
}

impl Folder {
    /// By what `..` in a folder calls this one: by 0 where it is the root.
    pub(super) fn number(self, root: Self) -> u32 {
        match self {
            Self::Chain(cluster) if self != root => cluster,
            _ => 0,
        }
    }
}

pub(super) fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// A number of a few bytes, little end first.
pub(super) fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn read_at<D: Read + Seek>(disk: &mut D, place: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    disk.seek(SeekFrom::Start(place))?;
    disk.read_exact(&mut bytes)?;
    Ok(bytes)
}

impl Geometry {
    /// Reads it, and checks that all of it lies within `disk`.
    pub(super) fn read<D: Read + Seek>(disk: &mut D) -> io::Result<Self> {
        let size = disk.seek(SeekFrom::End(0))?;
        let mut boot = [0; 512];
        disk.seek(SeekFrom::Start(0))?;
        disk.read_exact(&mut boot)?;
        let field = |at: usize, length: usize| number(&boot[at..at + length]);
        let either = |short: u32, long: u32| u64::from(if short == 0 { long } else { short });
        let sector = field(11, 2);
        let in_cluster = field(13, 1);
        let is_sound = boot[510..] == [0x55, 0xAA]
            && [512, 1024, 2048, 4096].contains(&sector)
            && in_cluster.is_power_of_two();
        if !is_sound {
            return Err(damaged("there is no FAT volume in its place"));
        }
        let sector = u64::from(sector);
        let sectors = either(field(19, 2), field(32, 4));
        if sectors * sector > size {
            return Err(damaged("its FAT volume is larger than the partition"));
        }
        // Products of 32 bits with 8 and 16 at the most.
        let fat = u64::from(field(14, 2)) * sector;
        let one_fat = either(field(22, 2), field(36, 4)) * sector;
        let root = fat + one_fat * u64::from(field(16, 1));
        let root_length = u64::from(field(17, 2)) * 32;
        let data = root + root_length.next_multiple_of(sector);
        let cluster = u64::from(in_cluster) * sector;
        let clusters = (sectors * sector).saturating_sub(data) / cluster;
        let clusters = u32::try_from(clusters).unwrap_or(u32::MAX);
        if fat == 0 || root == fat || !(4085..=MOST_CLUSTERS).contains(&clusters) {
            return Err(damaged("its FAT volume is none of ephemeros"));
        }
        let is_fat32 = clusters >= 65_525;
        let width = if is_fat32 { 4 } else { 2 };
        if one_fat < (u64::from(clusters) + 2) * width {
            return Err(damaged("its FAT volume has more clusters than its table"));
        }
        let root = match root_length {
            0 if is_fat32 => Folder::Chain(field(44, 4)),
            length if !is_fat32 && length > 0 => {
                Folder::Fixed(root, usize::try_from(length).map_err(io::Error::other)?)
            }
            _ => return Err(damaged("its FAT volume has no first folder")),
        };
        Ok(Self {
            fat,
            one_fat,
            fats: field(16, 1),
            data,
            cluster: usize::try_from(cluster).map_err(io::Error::other)?,
            clusters,
            is_fat32,
            root,
            info: u64::from(field(48, 2)) * sector,
            copy: u64::from(field(50, 2)) * sector,
            sector: usize::try_from(sector).map_err(io::Error::other)?,
        })
    }

    /// Where a cluster begins; `None` where there is none of that number.
    pub(super) fn offset(&self, cluster: u32) -> Option<u64> {
        let index = cluster.checked_sub(2).filter(|it| *it < self.clusters)?;
        Some(self.data + u64::from(index) * self.cluster as u64)
    }

    /// Which cluster follows which, by number. What is none ends a chain.
    pub(super) fn table<D: Read + Seek>(&self, disk: &mut D) -> io::Result<Vec<u32>> {
        Ok(self.numbers(&self.copy_of_table(disk, 0)?))
    }

    fn numbers(&self, bytes: &[u8]) -> Vec<u32> {
        // All of a table is read for a few files: it is worth a fast way for each width.
        if self.is_fat32 {
            let (words, _) = bytes.as_chunks();
            let words = words.iter().map(|word| u32::from_le_bytes(*word));
            words.map(|next| next & 0x0FFF_FFFF).collect()
        } else {
            let (words, _) = bytes.as_chunks();
            let words = words.iter().map(|word| u16::from_le_bytes(*word));
            words.map(u32::from).collect()
        }
    }

    /// What FAT32 keeps beside its table: where it stands, and what is in it. Free clusters are counted from the first one
    /// on, and looked for from the first free one on.
    pub(super) fn info(&self, table: &[u32]) -> Option<(u64, Vec<u8>)> {
        const UNKNOWN: u32 = u32::MAX;
        self.is_fat32.then_some(())?;
        let free = || (0..).zip(table).skip(2).filter(|(_, next)| **next == 0);
        let count = u32::try_from(free().count()).unwrap_or(UNKNOWN);
        let first = free().next().map_or(UNKNOWN, |(number, _)| number);
        let mut bytes = vec![0; self.sector];
        for (at, word) in [
            (0, 0x4161_5252),
            (484, 0x6141_7272),
            (488, count),
            (492, first),
            (508, 0xAA55_0000),
        ] {
            bytes[at..at + 4].copy_from_slice(&u32::to_le_bytes(word));
        }
        Some((self.info, bytes))
    }

    /// What is not as it was written of all that no file is read from.
    pub(super) fn faults<D: Read + Seek>(&self, disk: &mut D) -> io::Result<Vec<&'static str>> {
        let mut faults = Vec::new();
        let table = self.copy_of_table(disk, 0)?;
        if self.fats > 1 && table != self.copy_of_table(disk, 1)? {
            faults.push("the two tables of files differ");
        }
        if let Some((place, info)) = self.info(&self.numbers(&table)) {
            if read_at(disk, place, self.sector)? != info {
                faults.push("the count of free room is wrong");
            }
            if read_at(disk, self.copy, self.sector)? != read_at(disk, 0, self.sector)? {
                faults.push("the first sector and its copy differ");
            }
        }
        Ok(faults)
    }

    /// A copy of the table, by number: as much of it as there are clusters.
    fn copy_of_table<D: Read + Seek>(&self, disk: &mut D, number: u64) -> io::Result<Vec<u8>> {
        let width = if self.is_fat32 { 4 } else { 2 };
        let length = (self.clusters as usize + 2) * width;
        read_at(disk, self.fat + number * self.one_fat, length)
    }

    /// The clusters of a chain.
    ///
    /// # Errors
    /// It leads in a circle, or to no cluster.
    pub(super) fn chain(&self, table: &[u32], first: u32) -> io::Result<Vec<u32>> {
        let last = if self.is_fat32 { 0x0FFF_FFF8 } else { 0xFFF8 };
        let mut chain = Vec::new();
        let mut cluster = first;
        while cluster < last {
            let next = table.get(cluster as usize);
            let (Some(next), Some(_)) = (next, self.offset(cluster)) else {
                return Err(damaged("its clusters lead to no cluster"));
            };
            if chain.len() >= self.clusters as usize {
                return Err(damaged("its clusters lead in a circle"));
            }
            chain.push(cluster);
            cluster = *next;
        }
        Ok(chain)
    }

    /// All entries of a folder.
    pub(super) fn entries<D: Read + Seek>(
        &self,
        disk: &mut D,
        table: &[u32],
        folder: Folder,
    ) -> io::Result<Vec<u8>> {
        let places = match folder {
            Folder::Fixed(start, length) => vec![(start, length)],
            Folder::Chain(first) => self
                .chain(table, first)?
                .into_iter()
                .filter_map(|cluster| Some((self.offset(cluster)?, self.cluster)))
                .collect(),
        };
        let mut entries = Vec::new();
        for (start, length) in places {
            let from = entries.len();
            entries.resize(from + length, 0);
            disk.seek(SeekFrom::Start(start))?;
            disk.read_exact(&mut entries[from..])?;
        }
        Ok(entries)
    }
}
