//! What stands on a drive or a partition, told by the marks that programs leave there.

use std::io::{self, Read, Seek, SeekFrom};

const KIB: u64 = 1 << 10;

/// As much of the beginning and of the end as any mark is in: ZFS has two labels of 256 KiB at each, and those at the
/// end stand on a whole one.
const HEAD: u64 = 512 * KIB;
const TAIL: u64 = 768 * KIB;

/// ZFS's label, in bytes.
const LABEL: u64 = 256 * KIB;

/// What stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// A part of an LVM volume group.
    Lvm,
    /// A part of a RAID array.
    Raid,
    /// A part of a ZFS pool, with its name where that can be read.
    Zfs(Option<String>),
    /// What one drive holds by itself: a file system, swap, an encrypted volume.
    Alone(&'static str),
}

impl Signature {
    /// Whether other drives may need what is on this one.
    #[must_use]
    pub fn is_part(&self) -> bool {
        !matches!(self, Self::Alone(_))
    }

    /// In a word.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Lvm => "LVM",
            Self::Raid => "md",
            Self::Zfs(_) => "ZFS",
            Self::Alone(name) => name,
        }
    }
}

/// What one drive holds by itself: name, offset in bytes, mark.
const ALONE: &[(&str, u64, &[u8])] = &[
    ("LUKS", 0, b"LUKS\xba\xbe"),
    ("swap", 4086, b"SWAPSPACE2"),
    ("swap", 16_374, b"SWAPSPACE2"),
    ("swap", 65_526, b"SWAPSPACE2"),
    ("btrfs", 65_600, b"_BHRfS_M"),
    ("XFS", 0, b"XFSB"),
    ("ext4", 0x438, b"\x53\xef"),
    ("FAT", 82, b"FAT32   "),
    ("FAT", 54, b"FAT1"),
    ("exFAT", 3, b"EXFAT   "),
    ("NTFS", 3, b"NTFS    "),
    ("ISO 9660", 32_769, b"CD001"),
];

/// Reads the marks. Nothing else is read.
pub(super) fn read<D: Read + Seek>(disk: &mut D) -> io::Result<Vec<Signature>> {
    let size = disk.seek(SeekFrom::End(0))?;
    let mut piece = |from: u64, length: u64| {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        disk.seek(SeekFrom::Start(from))?;
        disk.read_exact(&mut bytes).map(|()| bytes)
    };
    let head = piece(0, HEAD.min(size))?;
    let tail = piece(size - TAIL.min(size), TAIL.min(size))?;
    Ok(Ends { size, head, tail }.signatures())
}

/// Both ends of a drive.
struct Ends {
    size: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Ends {
    fn at(&self, offset: u64, length: u64) -> &[u8] {
        let cut = |bytes: &'_ [u8], from: u64| -> Option<std::ops::Range<usize>> {
            let (from, to) = (
                usize::try_from(from).ok()?,
                usize::try_from(from + length).ok()?,
            );
            (to <= bytes.len()).then_some(from..to)
        };
        let tail = self.size - self.tail.len() as u64;
        if let Some(range) = cut(&self.head, offset) {
            return &self.head[range];
        }
        let inside = offset.checked_sub(tail);
        match inside.and_then(|from| cut(&self.tail, from)) {
            Some(range) => &self.tail[range],
            None => &[],
        }
    }

    fn has(&self, offset: u64, mark: &[u8]) -> bool {
        self.at(offset, mark.len() as u64) == mark
    }

    fn signatures(&self) -> Vec<Signature> {
        let mut found = Vec::new();
        if self.is_lvm() {
            found.push(Signature::Lvm);
        }
        if self.is_raid() {
            found.push(Signature::Raid);
        }
        found.extend(self.zfs());
        let alone = ALONE.iter().filter(|(_, at, mark)| self.has(*at, mark));
        found.extend(alone.map(|(name, ..)| Signature::Alone(name)));
        found
    }

    /// A label in one of the first four sectors: `lib/format_text/layout.h`.
    fn is_lvm(&self) -> bool {
        (0..4).any(|sector| {
            let at = sector * 512;
            self.has(at, b"LABELONE") && self.has(at + 24, b"LVM2 001")
        })
    }

    /// md's superblocks, each with its own place: `Documentation/admin-guide/md.rst`. And those of firmware, which md
    /// takes up: Intel's, and DDF.
    fn is_raid(&self) -> bool {
        const MAGIC: u32 = 0xa92b_4efc;
        let old = (self.size & !0xffff).checked_sub(0x1_0000);
        let last = (self.size / 512).checked_sub(16);
        let last = last.map(|sector| (sector & !7) * 512);
        let new = [Some(0), Some(4 * KIB), last];
        let before_end = |bytes: u64| self.size.checked_sub(bytes);
        let is = |at: Option<u64>, mark: &[u8]| at.is_some_and(|at| self.has(at, mark));
        is(old, &MAGIC.to_le_bytes())
            || is(old, &MAGIC.to_be_bytes())
            || new.into_iter().any(|at| is(at, &MAGIC.to_le_bytes()))
            || [512, 4096].into_iter().any(|sector| {
                is(before_end(2 * sector), b"Intel Raid ISM Cfg Sig. ")
                    || is(before_end(sector), b"\xde\x11\xde\x11")
            })
    }

    /// A label with an uberblock in it: the ZFS on-disk specification, chapter 1.
    fn zfs(&self) -> Option<Signature> {
        const MAGIC: u64 = 0x00ba_b10c;
        let end = self.size / LABEL * LABEL;
        let last = [2, 1].map(|labels| end.checked_sub(labels * LABEL));
        let starts = [Some(0), Some(LABEL)].into_iter().chain(last).flatten();
        let labels: Vec<u64> = starts
            .filter(|start| {
                (128..256).any(|slot| {
                    let at = start + slot * KIB;
                    self.has(at, &MAGIC.to_le_bytes()) || self.has(at, &MAGIC.to_be_bytes())
                })
            })
            .collect();
        let mut names = labels.iter().map(|start| self.pool(*start));
        let name = names.find_map(|name| name);
        (!labels.is_empty()).then_some(Signature::Zfs(name))
    }

    /// The name of the pool, from the list of pairs in a label: XDR, the pair `name` of the type string.
    fn pool(&self, label: u64) -> Option<String> {
        const PAIR: &[u8] = b"\0\0\0\x04name\0\0\0\x09\0\0\0\x01";
        let list = self.at(label + 16 * KIB, 112 * KIB);
        let at = list.windows(PAIR.len()).position(|it| it == PAIR)? + PAIR.len();
        let length = list.get(at..at + 4)?.try_into().ok()?;
        let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
        let name = list.get(at + 4..)?.get(..length.min(256))?;
        Some(String::from_utf8_lossy(name).into_owned())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SIZE: u64 = 64 * 1024 * KIB + 12_800;

    fn with(marks: &[(u64, &[u8])]) -> Vec<Signature> {
        sized(SIZE, marks)
    }

    fn sized(size: u64, marks: &[(u64, &[u8])]) -> Vec<Signature> {
        let mut bytes = vec![0; usize::try_from(size).unwrap()];
        for (at, mark) in marks {
            let at = usize::try_from(*at).unwrap();
            bytes[at..at + mark.len()].copy_from_slice(mark);
        }
        read(&mut io::Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn parts_of_something_larger_are_told_wherever_their_mark_may_stand() {
        for sector in [0, 1, 3] {
            let at = sector * 512;
            let found = with(&[(at, b"LABELONE"), (at + 24, b"LVM2 001")]);
            assert_eq!(found, [Signature::Lvm], "sector {sector}");
        }
        assert_eq!(with(&[(4 * 512, b"LABELONE"), (2072, b"LVM2 001")]), []);
        let md = 0xa92b_4efc_u32.to_le_bytes();
        // Versions 1.1, 1.2, 1.0 and 0.90, where `mdadm` writes them on a drive of this size.
        for at in [0, 4096, 67_112_960, 67_043_328] {
            assert_eq!(with(&[(at, &md)]), [Signature::Raid], "at {at}");
        }
        assert_eq!(with(&[(8192, &md)]), []);
        let intel = b"Intel Raid ISM Cfg Sig. ";
        assert_eq!(with(&[(SIZE - 1024, intel)]), [Signature::Raid]);
        let uberblock = 0x00ba_b10c_u64.to_le_bytes();
        let end = SIZE / LABEL * LABEL;
        for label in [0, LABEL, end - 2 * LABEL, end - LABEL] {
            for slot in [128, 200, 255] {
                let found = with(&[(label + slot * KIB, &uberblock)]);
                assert_eq!(found, [Signature::Zfs(None)], "{label} {slot}");
            }
        }
        let name = b"\0\0\0\x04name\0\0\0\x09\0\0\0\x01\0\0\0\x04tank";
        let found = with(&[(128 * KIB, &uberblock), (16 * KIB + 40, name)]);
        assert_eq!(found, [Signature::Zfs(Some("tank".to_owned()))]);
    }

    #[test]
    fn what_stands_alone_is_told() {
        for (name, at, mark) in ALONE {
            assert_eq!(with(&[(*at, mark)]), [Signature::Alone(name)]);
        }
    }

    #[test]
    fn a_small_drive_is_no_mistake() {
        for size in [0, 1, 511, 4096, 70_000, 300_000, 800_000] {
            assert_eq!(sized(size, &[]), [], "{size}");
        }
        let md = 0xa92b_4efc_u32.to_le_bytes();
        assert_eq!(sized(8192, &[(4096, &md)]), [Signature::Raid]);
    }
}
