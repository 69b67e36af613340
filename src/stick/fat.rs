//! FAT32 volumes, written once and read back (Microsoft, "FAT: General Overview of On-Disk Format").

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::clock::Clock;
use super::layout::SECTOR;
use crate::diagnostic::printable;
use fatfs::{Dir, FatType, FileSystem, FormatVolumeOptions, FsOptions};

/// A directory entry, in bytes.
const ENTRY: usize = 32;

/// A new volume.
pub(super) struct Volume {
    /// At most eleven capital letters.
    pub(super) label: &'static str,
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
    let sector = u16::try_from(SECTOR).map_err(io::Error::other)?;
    let format = FormatVolumeOptions::new()
        .fat_type(FatType::Fat32)
        .bytes_per_sector(sector)
        .bytes_per_cluster(sector.into())
        .volume_id(volume.id)
        .volume_label(label);
    disk.seek(SeekFrom::Start(0))?;
    fatfs::format_volume(&mut disk, format)?;
    // The crate wants a clock that lives for ever: a few bytes that are never given back.
    let clock: &'static Clock = Box::leak(Box::new(volume.clock));
    let volume = FileSystem::new(&mut disk, FsOptions::new().time_provider(clock))?;
    if volume.fat_type() != FatType::Fat32 {
        return Err(io::Error::other("too small for FAT32"));
    }
    for (path, bytes) in files {
        if let Err(error) = add(&volume.root_dir(), path, bytes.as_ref()) {
            // The crate has no kind of error for it.
            let is_full = volume.stats().is_ok_and(|stats| stats.free_clusters() == 0);
            let full = io::ErrorKind::StorageFull;
            return Err(if is_full { full.into() } else { error });
        }
    }
    // Counted now, so that it stands on the volume how many there are.
    volume.stats()?;
    volume.unmount()?;
    repair(&mut disk)
}

/// Adds a file, and the folders that it stands in.
fn add<D: Read + Write + Seek>(root: &Dir<'_, D>, path: &str, bytes: &[u8]) -> io::Result<()> {
    for (slash, _) in path.match_indices('/') {
        root.create_dir(&path[..slash])?;
    }
    root.create_file(path)?.write_all(bytes)
}

/// Goes through the files of a volume: path, length in bytes, and what is in it.
///
/// # Errors
/// It is no FAT volume, or a damaged one; or what `visit` says.
pub(super) fn read<D: Read + Seek>(
    mut disk: D,
    visit: &mut dyn FnMut(String, u64, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    disk.seek(SeekFrom::Start(0))?;
    let volume = FileSystem::new(ReadOnly(disk), FsOptions::new())
        .map_err(|_| io::Error::other("there is no FAT volume in its place, or a damaged one"))?;
    descend(&volume.root_dir(), "", 0, visit)
}

/// No stick of ours has deeper folders; a damaged one may lead in a circle.
const DEEPEST: usize = 128;

fn descend<D: Read + Write + Seek>(
    folder: &Dir<'_, D>,
    above: &str,
    depth: usize,
    visit: &mut dyn FnMut(String, u64, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    if depth > DEEPEST {
        return Err(io::Error::other("folders without end"));
    }
    for entry in folder.iter() {
        let entry = entry?;
        // A terminal would obey some characters.
        let name = printable(&entry.file_name()).replace('\n', "\u{fffd}");
        let path = format!("{above}{name}");
        if entry.is_file() {
            visit(path, entry.len(), &mut entry.to_file())?;
        } else if !matches!(name.as_str(), "." | "..") {
            descend(&entry.to_dir(), &format!("{path}/"), depth + 1, visit)?;
        }
    }
    Ok(())
}

/// The crate writes even where one only reads: the mark that a volume is in use.
struct ReadOnly<D>(D);

impl<D: Read> Read for ReadOnly<D> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl<D> Write for ReadOnly<D> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<D: Seek> Seek for ReadOnly<D> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// What has to be known of a volume to find its folders.
struct Geometry {
    fat: u64,
    data: u64,
    cluster: u64,
    root: u32,
}

impl Geometry {
    fn read<D: Read + Seek>(disk: &mut D) -> io::Result<Self> {
        let mut boot = [0; 512];
        disk.seek(SeekFrom::Start(0))?;
        disk.read_exact(&mut boot)?;
        let reserved = u64::from(u16::from_le_bytes([boot[14], boot[15]]));
        let fats = u64::from(boot[16]) * u64::from(number(&boot[36..40]));
        Ok(Self {
            fat: reserved * SECTOR,
            data: (reserved + fats) * SECTOR,
            cluster: u64::from(boot[13]) * SECTOR,
            root: number(&boot[44..48]),
        })
    }

    fn offset(&self, cluster: u32) -> u64 {
        self.data + u64::from(cluster.saturating_sub(2)) * self.cluster
    }

    /// All entries of the folder that begins at a cluster.
    fn entries<D: Read + Seek>(&self, disk: &mut D, first: u32) -> io::Result<Vec<u8>> {
        let mut entries = Vec::new();
        let mut cluster = first;
        while cluster < 0x0FFF_FFF8 {
            let mut bytes = vec![0; usize::try_from(self.cluster).map_err(io::Error::other)?];
            disk.seek(SeekFrom::Start(self.offset(cluster)))?;
            disk.read_exact(&mut bytes)?;
            entries.extend(bytes);
            let mut next = [0; 4];
            disk.seek(SeekFrom::Start(self.fat + u64::from(cluster) * 4))?;
            disk.read_exact(&mut next)?;
            cluster = u32::from_le_bytes(next) & 0x0FFF_FFFF;
        }
        Ok(entries)
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// fatfs 0.3.6 gives `.` and `..` long names, and calls the root by its cluster where `..` has to say 0. Some
/// firmware then can't leave the folder, and `fsck.fat` complains.
fn repair<D: Read + Write + Seek>(disk: &mut D) -> io::Result<()> {
    let geometry = Geometry::read(disk)?;
    let mut folders = vec![(geometry.root, 0)];
    while let Some((folder, parent)) = folders.pop() {
        let mut entries = geometry.entries(disk, folder)?;
        if folder != geometry.root {
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
            disk.seek(SeekFrom::Start(geometry.offset(folder)))?;
            disk.write_all(&dots)?;
            entries[..4 * ENTRY].copy_from_slice(&dots);
        }
        for entry in entries.chunks_exact(ENTRY) {
            let attributes = entry[11];
            let is_folder = attributes & 0x10 != 0 && attributes & 0x08 == 0;
            if is_folder && !matches!(entry[0], DELETED | b'.') {
                let own = number(&[entry[26], entry[27], entry[20], entry[21]]);
                let above = if folder == geometry.root { 0 } else { folder };
                folders.push((own, above));
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

    fn volume() -> Volume {
        Volume {
            label: "TEST",
            id: 0x1234_5678,
            clock: Clock::START,
        }
    }

    fn written(files: &[(&str, &[u8])]) -> io::Result<Disk> {
        let mut disk = Disk::new(40 << 20);
        let files = files
            .iter()
            .map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()));
        write(&mut disk, &volume(), &files.collect())?;
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
        let mut disk = written(&files).unwrap();
        let back = contents(&mut disk).unwrap();
        assert_eq!(back.len(), files.len());
        for (path, bytes) in files {
            assert!(back[path].as_slice() == bytes, "{path}");
        }
    }

    #[test]
    fn what_has_no_room_is_an_error() {
        let error = written(&[("large", &vec![1; 41 << 20])]).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{error}");
    }

    #[test]
    fn reading_survives_damage() {
        let mut disk = written(&[("a/b", b"x"), ("c", b"y")]).unwrap();
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
