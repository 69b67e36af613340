//! The partition table: writing a stick's own, and reading any (UEFI specification, chapter 5).

use std::io::{self, Read, Seek, SeekFrom};

use gpt::disk::LogicalBlockSize;
use gpt::header::{Header, read_header_from_arbitrary_device};
use gpt::mbr::{PartRecord, ProtectiveMBR};
use gpt::partition::{Partition, file_read_partitions};
use gpt::partition_types::{self, Type};
use gpt::{DiskDevice, GptConfig};
use uuid::Uuid;

use super::bios::CODE;
use super::disk::{Disk, Window};
use super::layout::{MIB, Part, Sector, derived};

/// Writes a protective MBR and both copies of the table, the second at the drive's end. `node` is the GUID of the node's
/// secrets volume; `code` is what a BIOS starts.
pub(super) fn write<D: DiskDevice>(
    disk: &mut D,
    sector: Sector,
    node: Uuid,
    code: Option<&[u8; CODE]>,
) -> io::Result<()> {
    let sectors = disk.seek(SeekFrom::End(0))? / sector.bytes();
    // A drive that is larger than the MBR can tell has as many as it can.
    let mut mbr = ProtectiveMBR::with_lb_size(u32::try_from(sectors - 1).unwrap_or(u32::MAX));
    if let Some(code) = code {
        mbr.set_bootcode(*code);
        // Some BIOSes start only from a drive with an active partition. The entry that protects the GPT must not be
        // it: older versions of EDK II, which most UEFI firmware is made from, know no GPT then. So it is one that is
        // otherwise empty.
        let active = PartRecord {
            boot_indicator: 0x80,
            ..PartRecord::zero()
        };
        mbr.set_partition(1, active);
    }
    mbr.overwrite_lba0(disk).map_err(io::Error::other)?;
    let config = GptConfig::new()
        .writable(true)
        .logical_block_size(block(sector));
    let mut table = config
        .create_from_device(disk, Some(derived(node, "ephemeros-disk")))
        .map_err(io::Error::other)?;
    let partitions = (1..).zip(Part::ALL.map(|part| {
        let (start, length) = part.place(sector);
        Partition {
            part_type_guid: kind(part),
            part_guid: part.guid(node),
            first_lba: start / sector.bytes(),
            last_lba: (start + length) / sector.bytes() - 1,
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

fn block(sector: Sector) -> LogicalBlockSize {
    match sector {
        Sector::Of512 => LogicalBlockSize::Lb512,
        Sector::Of4096 => LogicalBlockSize::Lb4096,
    }
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
    /// What it counts in.
    pub(super) sector: Sector,
    /// Each part that is there.
    pub(super) parts: Vec<Place>,
    /// Where it ends, in bytes: behind its backup copy.
    pub(super) end: u64,
    /// What is wrong with either copy.
    pub(super) damage: Option<&'static str>,
}

/// Where a part stands, as a table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which part.
    pub part: Part,
    /// In bytes.
    pub start: u64,
    /// In bytes.
    pub length: u64,
    /// Its partition's GUID.
    pub guid: Uuid,
}

/// What stands before and behind the partitions of `disk`, if it is not what [`write`] has there.
pub(super) fn faults<D: Read + Seek>(
    disk: &mut D,
    table: &Table,
    node: Uuid,
) -> io::Result<Vec<&'static str>> {
    let mut wanted = Disk::new(table.sector, table.end);
    let code = boot_code(disk)?;
    write(&mut wanted, table.sector, node, code.as_ref())?;
    let mut faults = Vec::new();
    for (start, what) in [
        (
            0,
            "what stands before the partitions is not what was written",
        ),
        (
            table.end.saturating_sub(MIB),
            "what stands behind the partitions is not what was written",
        ),
    ] {
        let (mut is, mut should) = (Vec::new(), Vec::new());
        Window::new(disk, start, MIB).read_to_end(&mut is)?;
        Window::new(&mut wanted, start, MIB).read_to_end(&mut should)?;
        if is != should {
            faults.push(what);
        }
    }
    Ok(faults)
}

/// What a BIOS starts; `None` where it starts nothing.
pub(super) fn boot_code<D: Read + Seek>(disk: &mut D) -> io::Result<Option<[u8; CODE]>> {
    let mut code = [0; CODE];
    disk.seek(SeekFrom::Start(0))?;
    disk.read_exact(&mut code)?;
    Ok((code != [0; CODE]).then_some(code))
}

/// Where the parts of a stick stand, in that order; none where it is no stick.
pub fn places<D: Read + Seek>(disk: &mut D) -> Vec<Place> {
    let mut places = read(disk).map_or_else(Vec::new, |table| table.parts);
    places.sort_by_key(|place| place.start);
    places
}

/// Reads the table; `None` where there is none, or one in which no secrets volume stands. One good copy of it is
/// enough. For which sectors it was made shows by where it stands.
pub(super) fn read<D: Read + Seek>(disk: &mut D) -> Option<Table> {
    let size = disk.seek(SeekFrom::End(0)).ok()?;
    let first = Sector::ALL.into_iter().find_map(|sector| {
        let (header, parts) = read_copy(disk, sector, 1)?;
        Some((sector, header.backup_lba, parts))
    });
    let Some((sector, backup, parts)) = first else {
        let (sector, end, parts) = read_backup(disk, size)?;
        let damage = Some("the first copy of the partition table is damaged");
        return Some(Table {
            sector,
            parts,
            end,
            damage,
        });
    };
    // On a drive that is larger than the image it was copied from, the backup stands where that ended.
    let damage = match read_copy(disk, sector, backup) {
        None => Some("the backup copy of the partition table is damaged"),
        Some((_, other)) => {
            (parts != other).then_some("the two copies of the partition table differ")
        }
    };
    Some(Table {
        sector,
        parts,
        end: backup.saturating_add(1).saturating_mul(sector.bytes()),
        damage,
    })
}

/// The backup copy, where the first one does not say where it stands: at the drive's end, or where an image ends.
fn read_backup<D: Read + Seek>(disk: &mut D, size: u64) -> Option<(Sector, u64, Vec<Place>)> {
    Sector::ALL.into_iter().find_map(|sector| {
        [size, sector.stick_size()].into_iter().find_map(|end| {
            let last = (end / sector.bytes()).checked_sub(1)?;
            Some((sector, end, read_copy(disk, sector, last)?.1))
        })
    })
}

/// More entries than this are in no table of ours, and would be read for a long time.
const MOST_ENTRIES: u32 = 1024;

/// The copy whose header is in the sector `at`, with our parts; `None` where it is damaged, or not a stick's.
fn read_copy<D: Read + Seek>(
    disk: &mut D,
    sector: Sector,
    at: u64,
) -> Option<(Header, Vec<Place>)> {
    let block = block(sector);
    // The crate looks for a header in the second sector.
    let before = at.checked_sub(1)?.checked_mul(sector.bytes())?;
    let mut window = Window::new(disk, before, 2 * sector.bytes());
    let header = read_header_from_arbitrary_device(&mut window, block).ok()?;
    // The crate takes these for granted.
    if header.part_size != 128 || header.num_parts > MOST_ENTRIES || header.current_lba != at {
        return None;
    }
    let entries = file_read_partitions(disk, &header, block).ok()?;
    let places = entries.values().filter_map(|entry| {
        let part = Part::ALL.into_iter().find(|it| it.name() == entry.name)?;
        Some(Place {
            part,
            start: entry.bytes_start(block).ok()?,
            length: entry.bytes_len(block).ok()?,
            guid: entry.part_guid,
        })
    });
    let places: Vec<Place> = places.collect();
    let is_stick = places.iter().any(|place| place.part == Part::Secrets);
    is_stick.then_some((header, places))
}
