//! Where the parts of a stick stand. All of them begin and end on whole MiB, and only the backup GPT depends on
//! how large the drive is.

use std::ops::Range;

use uuid::Uuid;

/// One MiB, in bytes.
pub(super) const MIB: u64 = 1 << 20;

/// The drive's size, in bytes, and the smallest one that takes a stick.
pub const SIZE: u64 = 128 * MIB;

/// What a drive reads and writes at once, in bytes.
pub const SECTOR: u64 = 512;

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
    pub const fn place(self) -> (u64, u64) {
        // An EFI system partition is FAT32, which begins at 65,525 clusters: 33 MiB at 512 bytes each.
        let (start, end) = match self {
            Self::Bios => (1, 3),
            Self::Efi => (3, 67),
            Self::Secrets => (67, 127),
        };
        (start * MIB, (end - start) * MIB)
    }

    /// Its bytes.
    #[must_use]
    pub fn range(self) -> Range<u64> {
        let (start, length) = self.place();
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
