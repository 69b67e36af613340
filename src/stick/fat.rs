//! FAT volumes, written once and read back (Microsoft, "FAT: General Overview of On-Disk Format").

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::clock::Clock;
use super::layout::Sector;
use fatfs::{Dir, FatType, FileSystem, FormatVolumeOptions, FsOptions};
use geometry::{Folder, Geometry, number};
pub(super) use read::{faults, read};

mod geometry;
mod read;

/// A directory entry, in bytes.
const ENTRY: usize = 32;

/// How many of them the first folder of FAT16 has room for. A file takes one, and another for each 13 letters.
const ROOT_ENTRIES: u16 = 4096;

/// A new volume.
pub(super) struct Volume {
    /// At most eleven capital letters.
    pub(super) label: &'static str,
    /// By the number of its clusters, of which each is a sector: nothing else decides it.
    pub(super) kind: FatType,
    /// What it is counted in.
    pub(super) sector: Sector,
    /// What tells volumes apart.
    pub(super) id: u32,
    /// The time that all files get.
    pub(super) clock: Clock,
}

/// Formats all of `disk` and writes the files into it, which are named by their paths.
///
/// # Errors
/// `StorageFull` where the files have no room.
pub(super) fn write<D, B>(
    mut disk: D,
    volume: &Volume,
    files: &BTreeMap<String, B>,
) -> io::Result<()>
where
    D: Read + Write + Seek,
    B: AsRef<[u8]>,
{
    let mut label = [b' '; 11];
    label[..volume.label.len()].copy_from_slice(volume.label.as_bytes());
    let sector = u16::try_from(volume.sector.bytes()).map_err(io::Error::other)?;
    let format = FormatVolumeOptions::new()
        .fat_type(volume.kind)
        .max_root_dir_entries(ROOT_ENTRIES)
        .bytes_per_sector(sector)
        .bytes_per_cluster(sector.into())
        .volume_id(volume.id)
        .volume_label(label);
    disk.seek(SeekFrom::Start(0))?;
    fatfs::format_volume(&mut disk, format)?;
    // The crate wants a clock that lives for ever: a few bytes that are never given back.
    let clock: &'static Clock = Box::leak(Box::new(volume.clock));
    let made = FileSystem::new(&mut disk, FsOptions::new().time_provider(clock))?;
    if made.fat_type() != volume.kind {
        return Err(io::Error::other("another kind of FAT than was asked for"));
    }
    for (path, bytes) in files {
        if let Err(error) = add(&made.root_dir(), path, bytes.as_ref()) {
            // The crate has no kind of error for it; the first folder of FAT16 ends where it ends.
            let is_full = error.kind() == io::ErrorKind::WriteZero
                || made.stats().is_ok_and(|stats| stats.free_clusters() == 0);
            let full = io::ErrorKind::StorageFull;
            return Err(if is_full { full.into() } else { error });
        }
    }
    made.unmount()?;
    repair(&mut disk)
}

/// Adds a file, and the folders that it stands in.
fn add<D: Read + Write + Seek>(root: &Dir<'_, D>, path: &str, bytes: &[u8]) -> io::Result<()> {
    for (slash, _) in path.match_indices('/') {
        root.create_dir(&path[..slash])?;
    }
    root.create_file(path)?.write_all(bytes)
}

/// fatfs 0.3.6 gives `.` and `..` long names, and calls the root by its cluster where `..` has to say 0. Some
/// firmware then can't leave the folder, and `fsck.fat` complains. Nor does it say how many clusters are free, unless it
/// counts them by reading the table word by word.
fn repair<D: Read + Write + Seek>(disk: &mut D) -> io::Result<()> {
    let geometry = Geometry::read(disk)?;
    let table = geometry.table(disk)?;
    if let Some((place, info)) = geometry.info(&table) {
        disk.seek(SeekFrom::Start(place))?;
        disk.write_all(&info)?;
    }
    let mut folders = vec![(geometry.root, 0)];
    while let Some((folder, parent)) = folders.pop() {
        let mut entries = geometry.entries(disk, &table, folder)?;
        if let Folder::Chain(first) = folder
            && folder != geometry.root
        {
            // As the crate wrote them: a long name and an entry for each of the two.
            let mut dots = [[0; ENTRY]; 4];
            dots[0].copy_from_slice(&entries[ENTRY..2 * ENTRY]);
            dots[1].copy_from_slice(&entries[3 * ENTRY..4 * ENTRY]);
            let [low @ .., high_low, high_high] = u32::to_le_bytes(parent);
            dots[1][20..22].copy_from_slice(&[high_low, high_high]);
            dots[1][26..28].copy_from_slice(&low);
            dots[2][0] = DELETED;
            dots[3][0] = DELETED;
            let dots = dots.concat();
            let place = geometry.offset(first).ok_or(io::ErrorKind::InvalidData)?;
            disk.seek(SeekFrom::Start(place))?;
            disk.write_all(&dots)?;
            entries[..4 * ENTRY].copy_from_slice(&dots);
        }
        for entry in entries.chunks_exact(ENTRY) {
            let attributes = entry[11];
            let is_folder = attributes & 0x10 != 0 && attributes & 0x08 == 0;
            if is_folder && !matches!(entry[0], DELETED | b'.') {
                let own = number(&[entry[26], entry[27], entry[20], entry[21]]);
                folders.push((Folder::Chain(own), folder.number(geometry.root)));
            }
        }
    }
    Ok(())
}

/// The first byte of an entry that counts for none.
const DELETED: u8 = 0xE5;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::stick::disk::Disk;

    fn volume(sector: Sector) -> Volume {
        Volume {
            label: "TEST",
            kind: match sector {
                Sector::Of512 => FatType::Fat32,
                Sector::Of4096 => FatType::Fat16,
            },
            sector,
            id: 0x1234_5678,
            clock: Clock::START,
        }
    }

    fn written(sector: Sector, files: &[(&str, &[u8])]) -> io::Result<Disk> {
        let mut disk = Disk::new(sector, 40 << 20);
        let files = files
            .iter()
            .map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()));
        write(&mut disk, &volume(sector), &files.collect())?;
        Ok(disk)
    }

    fn contents(disk: impl Read + Write + Seek) -> io::Result<BTreeMap<String, Vec<u8>>> {
        let mut files = BTreeMap::new();
        read(disk, &mut |path, length, file| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            assert_eq!(bytes.len() as u64, length, "{path}");
            files.insert(path, bytes);
            Ok(())
        })?;
        Ok(files)
    }

    #[test]
    fn what_goes_in_comes_out() {
        let large = vec![7; 3 << 20];
        // More than one cluster of entries, in the root and further down.
        let many: Vec<String> = (0..40)
            .map(|n| format!("a long name, number {n}"))
            .flat_map(|name| [format!("tls/deep/{name}"), name])
            .collect();
        let mut files: Vec<(&str, &[u8])> = vec![
            ("EFI/BOOT/BOOTX64.EFI", &large),
            ("K3S_ENV", b"A=\"1\"\n"),
            ("empty", b""),
            ("tls/node.key", b"key"),
            ("tls/deep/er", b"x"),
        ];
        files.extend(many.iter().map(|name| (name.as_str(), &b"y"[..])));
        for sector in Sector::ALL {
            let mut disk = written(sector, &files).unwrap();
            let back = contents(&mut disk).unwrap();
            assert_eq!(back.len(), files.len());
            for (path, bytes) in &files {
                assert!(back[*path].as_slice() == *bytes, "{path}");
            }
        }
    }

    #[test]
    fn what_has_no_room_is_an_error() {
        let many: Vec<String> = (0..usize::from(ROOT_ENTRIES))
            .map(|n| n.to_string())
            .collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
        let bytes = vec![1; 41 << 20];
        let large: (&str, &[u8]) = ("large", &bytes);
        for (sector, files) in [
            (Sector::Of512, &[large][..]),
            (Sector::Of4096, &[large]),
            (Sector::Of4096, &many),
        ] {
            let error = written(sector, files).err().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{error}");
        }
    }

    #[test]
    fn reading_survives_damage() {
        let mut disk = written(Sector::Of512, &[("a/b", b"x"), ("c", b"y")]).unwrap();
        let mut bytes = Vec::new();
        disk.seek(SeekFrom::Start(0)).unwrap();
        disk.read_to_end(&mut bytes).unwrap();
        bytes.truncate(2 << 20);
        assert!(contents(io::Cursor::new(vec![0; 1 << 20])).is_err());
        for at in (0..512).chain((32 * 512..40 * 512).step_by(3)) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xFF;
            let _ = read(io::Cursor::new(damaged), &mut |_, _, _| Ok(()));
        }
    }
}
