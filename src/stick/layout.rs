//! Where the parts of a stick stand. All of them begin and end on whole MiB. It follows from the drive's sectors, and
//! only the backup GPT from how large the drive is.

use std::ops::Range;

use uuid::Uuid;

/// One MiB, in bytes.
pub(super) const MIB: u64 = 1 << 20;

/// What a drive reads and writes at once. Partition tables and FAT count in it, so a stick is for drives of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sector {
    /// 512 bytes: nearly all drives, those that have 4096 inside and hide it too.
    Of512,
    /// 4096 bytes. FAT32 is larger then, and no BIOS starts from such a drive.
    Of4096,
}

impl Sector {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Of512, Self::Of4096];

    /// That of so many bytes; `None` where no stick can be laid out for it.
    #[must_use]
    pub fn of(bytes: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.bytes() == bytes)
    }

    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Of512 => 512,
            Self::Of4096 => 4096,
        }
    }

    /// What an image has, and the smallest drive that takes a stick, in bytes.
    #[must_use]
    pub const fn stick_size(self) -> u64 {
        match self {
            Self::Of512 => 128 * MIB,
            Self::Of4096 => 512 * MIB,
        }
    }
}

/// A part of the stick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// For BIOS machines: what the boot code of the MBR loads.
    Bios,
    /// The EFI system partition.
    Efi,
    /// The secrets volume.
    Secrets,
}

impl Part {
    /// All of them, as they follow each other.
    pub const ALL: [Self; 3] = [Self::Bios, Self::Efi, Self::Secrets];

    /// Its name in the partition table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bios => "ephemeros-bios",
            Self::Efi => "ephemeros-efi",
            Self::Secrets => "ephemeros-secrets",
        }
    }

    /// Its first byte, and how many it has.
    #[must_use]
    pub const fn place(self, sector: Sector) -> (u64, u64) {
        // An EFI system partition is FAT32, which begins at 65,525 clusters: 33 MiB of 512 bytes each, 257 of 4096. The
        // secrets volume is as large on every drive, since all of it is written; with 4096 bytes it is FAT16.
        let (start, end) = match (self, sector) {
            (Self::Bios, _) => (1, 3),
            (Self::Efi, Sector::Of512) => (3, 67),
            (Self::Secrets, Sector::Of512) => (67, 127),
            (Self::Efi, Sector::Of4096) => (3, 451),
            (Self::Secrets, Sector::Of4096) => (451, 511),
        };
        (start * MIB, (end - start) * MIB)
    }

    /// Its bytes.
    #[must_use]
    pub fn range(self, sector: Sector) -> Range<u64> {
        let (start, length) = self.place(sector);
        start..start + length
    }

    /// Its GUID on a node's stick. `node` is that of the node's secrets volume, which templates see as
    /// `vault.partuuid`.
    #[must_use]
    pub fn guid(self, node: Uuid) -> Uuid {
        match self {
            Self::Secrets => node,
            Self::Bios | Self::Efi => derived(node, self.name()),
        }
    }
}

/// A GUID that is the stick's own, the same each time.
pub(super) fn derived(node: Uuid, what: &str) -> Uuid {
    Uuid::new_v5(&node, what.as_bytes())
}
