//! The partition table: writing a stick's own, and reading any (UEFI specification, chapter 5).

use std::io;

use gpt::disk::LogicalBlockSize;
use gpt::mbr::ProtectiveMBR;
use gpt::partition::Partition;
use gpt::partition_types::{self, Type};
use gpt::{DiskDevice, GptConfig, GptDisk};
use uuid::Uuid;

use super::disk::Window;
use super::layout::{Part, SECTOR, SIZE, derived};

/// Writes a protective MBR and both copies of the table. `node` is the GUID of the node's secrets volume.
pub(super) fn write<D: DiskDevice>(disk: &mut D, node: Uuid) -> io::Result<()> {
    let sectors = u32::try_from(SIZE / SECTOR).map_err(io::Error::other)?;
    ProtectiveMBR::with_lb_size(sectors - 1)
        .overwrite_lba0(disk)
        .map_err(io::Error::other)?;
    let config = GptConfig::new()
        .writable(true)
        .logical_block_size(LogicalBlockSize::Lb512);
    let mut table = config
        .create_from_device(disk, Some(derived(node, "ephemeros-disk")))
        .map_err(io::Error::other)?;
    let partitions = (1..).zip(Part::ALL.map(|part| {
        let (start, length) = part.place();
        Partition {
            part_type_guid: kind(part),
            part_guid: part.guid(node),
            first_lba: start / SECTOR,
            last_lba: (start + length) / SECTOR - 1,
            flags: 0,
            name: part.name().to_owned(),
        }
    }));
    table
        .update_partitions(partitions.collect())
        .map_err(io::Error::other)?;
    table.write().map_err(io::Error::other)?;
    Ok(())
}

fn kind(part: Part) -> Type {
    match part {
        Part::Bios => partition_types::BIOS,
        Part::Efi => partition_types::EFI,
        Part::Secrets => partition_types::LINUX_FS,
    }
}

/// The table of a drive that may be a stick.
pub(super) struct Table {
    /// Each part that is there, with its first byte, its length in bytes and its GUID.
    pub(super) parts: Vec<(Part, u64, u64, Uuid)>,
    /// What is wrong with either copy.
    pub(super) damage: Option<String>,
}

/// Reads the table; `None` where there is none, or one in which no secrets volume stands.
pub(super) fn read<D: DiskDevice>(disk: &mut D) -> Option<Table> {
    let mut table = open(disk)?;
    if let (Ok(first), Err(_)) = (table.primary_header(), table.backup_header()) {
        // On a drive that is larger than the image it was copied from, the backup stands where that ended.
        let end = first.backup_lba.checked_add(1)?.checked_mul(SECTOR)?;
        let shorter = open(&mut Window::new(disk, 0, end));
        table = shorter
            .filter(|it| it.backup_header().is_ok())
            .or(open(disk))?;
    }
    let headers = [
        ("the first copy", table.primary_header().err()),
        ("the backup copy", table.backup_header().err()),
    ];
    let damage = headers.into_iter().find_map(|(which, error)| {
        error.map(|error| format!("{which} of the partition table is damaged: {error}"))
    });
    let part = |partition: &Partition| {
        let part = Part::ALL
            .into_iter()
            .find(|it| it.name() == partition.name)?;
        let start = partition.bytes_start(LogicalBlockSize::Lb512).ok()?;
        let length = partition.bytes_len(LogicalBlockSize::Lb512).ok()?;
        Some((part, start, length, partition.part_guid))
    };
    let parts: Vec<_> = table.partitions().values().filter_map(part).collect();
    let is_stick = parts.iter().any(|(part, ..)| *part == Part::Secrets);
    is_stick.then_some(Table { parts, damage })
}

fn open<D: DiskDevice>(disk: &mut D) -> Option<GptDisk<()>> {
    let config = GptConfig::new().logical_block_size(LogicalBlockSize::Lb512);
    let table = config.open_from_device(disk).ok()?;
    Some(table.with_disk_device((), false))
}
