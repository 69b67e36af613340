use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use uuid::Uuid;

use super::*;
use crate::progress::Silent;
use crate::stick::bios::Bios;
use crate::stick::clock::Clock;
use crate::stick::contents::Contents;
use crate::stick::label::Boot;
use crate::stick::layout::Part;
use crate::stick::{fit, gpt, image, inspect};

/// Of the smallest drive.
const SIZE: u64 = Sector::Of512.stick_size();

/// What the drive below keeps or loses as a whole.
const SECTOR: u64 = 512;

/// A drive in memory. What was written since the last flush may be lost, in any order.
#[derive(Clone)]
struct Fake {
    sector: Sector,
    size: u64,
    sectors: BTreeMap<u64, Vec<u8>>,
    /// What was written since the last flush: the sector, and what was in it.
    unflushed: Vec<(u64, Option<Vec<u8>>)>,
    /// After so many operations it fails.
    fails_after: Option<usize>,
    operations: usize,
    /// Writes half of what it is told to at the failing operation.
    tears: bool,
    /// Says that it wrote, and did not.
    lies_at: Option<u64>,
}

impl Fake {
    fn of(sector: Sector, size: u64) -> Self {
        Self {
            sector,
            size,
            sectors: BTreeMap::new(),
            unflushed: Vec::new(),
            fails_after: None,
            operations: 0,
            tears: false,
            lies_at: None,
        }
    }

    /// A drive that was in use before.
    fn used(sector: Sector, size: u64) -> Self {
        let mut drive = Self::of(sector, size);
        for sector in (0..size / SECTOR).step_by(3) {
            drive.sectors.insert(sector, vec![0xa5; 512]);
        }
        drive
    }

    fn sector(&self, number: u64) -> Vec<u8> {
        self.sectors
            .get(&number)
            .cloned()
            .unwrap_or_else(|| vec![0; 512])
    }

    fn operate(&mut self) -> io::Result<()> {
        self.operations += 1;
        match self.fails_after {
            Some(after) if self.operations > after => Err(io::Error::other("it is gone")),
            _ => Ok(()),
        }
    }

    fn put(&mut self, at: u64, from: &[u8]) {
        for (number, bytes) in (at / SECTOR..).zip(from.chunks(512)) {
            let old = self.sectors.get(&number).cloned();
            self.unflushed.push((number, old));
            if self.lies_at == Some(number) {
                continue;
            }
            if bytes.iter().all(|byte| *byte == 0) {
                self.sectors.remove(&number);
            } else {
                self.sectors.insert(number, bytes.to_vec());
            }
        }
    }

    /// The power goes: of what was not flushed, only some stays, whichever.
    fn lose_power(&mut self, seed: u64) {
        let mut random = seed;
        for (number, old) in std::mem::take(&mut self.unflushed).into_iter().rev() {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            match old {
                _ if random >> 63 == 1 => {}
                Some(old) => drop(self.sectors.insert(number, old)),
                None => drop(self.sectors.remove(&number)),
            }
        }
    }

    fn disk(&self) -> Disk {
        let mut disk = Disk::new(self.sector, self.size);
        for (number, bytes) in &self.sectors {
            disk.seek(SeekFrom::Start(number * SECTOR)).unwrap();
            disk.write_all(bytes).unwrap();
        }
        disk
    }
}

impl Drive for Fake {
    fn size(&self) -> u64 {
        self.size
    }

    fn sector(&self) -> Option<Sector> {
        Some(self.sector)
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.operate()?;
        for (number, bytes) in (at / SECTOR..).zip(into.chunks_mut(512)) {
            let sector = self.sector(number);
            bytes.copy_from_slice(&sector[..bytes.len()]);
        }
        Ok(())
    }

    fn write(&mut self, at: u64, from: &[u8]) -> io::Result<()> {
        let sector = self.sector.bytes();
        assert!(at.is_multiple_of(sector) && (from.len() as u64).is_multiple_of(sector));
        assert!(at + from.len() as u64 <= self.size);
        if let Err(error) = self.operate() {
            if self.tears {
                let half = from.len() / 1024 * 512;
                self.put(at, &from[..half]);
            }
            return Err(error);
        }
        self.put(at, from);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.operate()?;
        self.unflushed.clear();
        Ok(())
    }
}

/// A stick with a file of each kind in which `mark` stands.
fn stick(mark: &str, sector: Sector, size: u64) -> Disk {
    let fleet = Uuid::from_u128(7);
    let mut label = crate::stick::label::Label::new("n1", "f", fleet, "https://h/n1.ign");
    let loader = mark.repeat(50_000).into_bytes();
    label.files = BTreeMap::from([("a".to_owned(), crate::stick::label::digest(&loader))]);
    label.secret_files = BTreeMap::from([("env".to_owned(), mark.len() as u64)]);
    let bios = Bios::new(&loader, mark.as_bytes()).filter(|_| sector == Sector::Of512);
    label.bios = bios
        .as_ref()
        .map(|bios| Boot::of(&bios.code, &bios.partition));
    let contents = Contents {
        volume: Uuid::new_v5(&fleet, b"n1"),
        efi: BTreeMap::from([
            ("a".to_owned(), loader),
            (
                "ephemeros.toml".to_owned(),
                label.write().unwrap().into_bytes(),
            ),
        ]),
        secrets: BTreeMap::from([("env".to_owned(), mark.as_bytes().to_vec().into())]),
        bios,
    };
    let mut disk = image(&contents, sector, Clock::START).unwrap();
    let identity = crate::stick::Identity {
        stick: Uuid::from_u128(9),
        commit: "a".repeat(40),
    };
    fit(&mut disk, size, &identity).unwrap();
    disk
}

/// What a machine makes of a drive.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
enum Boots {
    /// Not at all.
    Nothing,
    /// The whole stick with this mark.
    Stick(String),
    /// Something, and not a whole stick.
    Mixture(Vec<String>),
}

fn boots(drive: &Fake) -> Boots {
    let mut disk = drive.disk();
    // Firmware takes either copy of the table. A BIOS runs the code in the first sector, which needs no table: it finds
    // what there is at its fixed places.
    let has_code = drive.sector(0).iter().any(|byte| *byte != 0);
    if gpt::read(&mut disk).is_none() {
        if !has_code || drive.sector == Sector::Of4096 {
            return Boots::Nothing;
        }
        let node = Uuid::new_v5(&Uuid::from_u128(7), b"n1");
        gpt::write(
            &mut disk,
            Sector::Of512,
            node,
            drive.sector(0).first_chunk(),
        )
        .unwrap();
    }
    let found = match inspect(&mut disk) {
        Ok(found) => found,
        Err(error) => return Boots::Mixture(vec![error.to_string()]),
    };
    let faults: Vec<String> = found
        .faults
        .into_iter()
        .filter(|fault| !fault.contains("partition table"))
        // Some firmware asks for no protective MBR, and none for what else is beside the tables.
        .filter(|fault| !fault.contains(" the partitions is not what was written"))
        // A BIOS starts nothing then, and UEFI asks for no code.
        .filter(|fault| has_code || !fault.contains("boot code"))
        .collect();
    if !faults.is_empty() {
        return Boots::Mixture(faults);
    }
    let place = Part::Secrets.range(drive.sector);
    let secrets = drive
        .sectors
        .range(place.start / SECTOR..place.end / SECTOR);
    let holds = |mark: &str| {
        let mut secrets = secrets.clone();
        secrets.any(|(_, bytes)| bytes.windows(4).any(|it| it == mark.as_bytes()))
    };
    let mut marks: Vec<&str> = ["old!", "new!"]
        .into_iter()
        .filter(|mark| holds(mark))
        .collect();
    match (marks.pop(), marks.pop()) {
        (Some(mark), None) => Boots::Stick(mark.to_owned()),
        marks => Boots::Mixture(vec![format!("secrets of {marks:?}")]),
    }
}

fn stamped(drive: &mut Fake, mark: &str, extent: Extent) -> Result<u64, StampError> {
    written_to(drive, &mut stick(mark, drive.sector, drive.size), extent)
}

fn written_to(drive: &mut Fake, stick: &mut Disk, extent: Extent) -> Result<u64, StampError> {
    let what = to_write(stick, drive, extent, &Silent)?;
    stamp(&what, stick, drive, extent, &Silent)
}

#[test]
fn a_drive_holds_the_stick_and_nothing_of_what_was_at_its_ends_and_among_the_secrets() {
    for (sector, size) in [
        (Sector::Of512, SIZE),
        (Sector::Of512, SIZE + 7 * SECTOR),
        (Sector::Of512, 3 * SIZE),
        (Sector::Of4096, 4 * SIZE),
        (Sector::Of4096, 4 * SIZE + 3 * 4096),
    ] {
        let mut drive = Fake::used(sector, size);
        stamped(&mut drive, "new!", Extent::All).unwrap();
        assert_eq!(boots(&drive), Boots::Stick("new!".to_owned()));
        let mut disk = drive.disk();
        let found = inspect(&mut disk).unwrap();
        assert_eq!((found.faults, found.sector), (vec![], sector));
        let active = if sector == Sector::Of512 { 0x80 } else { 0 };
        assert_eq!(drive.sector(0)[462], active, "an active entry");
        let clean = [0..MIB, Part::Secrets.range(sector), size - MIB..size];
        let dirty = drive.sectors.iter().filter(|(number, bytes)| {
            clean.iter().any(|part| part.contains(&(**number * SECTOR))) && bytes.contains(&0xa5)
        });
        // GUIDs and checksums may hold the byte; a sector full of it is old.
        let dirty = dirty.filter(|(_, bytes)| bytes.iter().all(|byte| *byte == 0xa5));
        assert_eq!(dirty.count(), 0);
    }
}

#[test]
fn a_drive_may_be_larger_than_its_first_sector_can_tell() {
    for (sector, size) in [
        (Sector::Of512, 2_000_398_934_016),
        // The last that has a number for each of its sectors, and one more.
        (Sector::Of512, 2 << 40),
        (Sector::Of512, (2 << 40) + SECTOR),
        (Sector::Of512, 3 << 40),
        (Sector::Of4096, 2 << 40),
        (Sector::Of4096, 3 << 40),
        (Sector::Of4096, 20 << 40),
    ] {
        let mut drive = Fake::of(sector, size);
        stamped(&mut drive, "new!", Extent::All).unwrap();
        assert_eq!(boots(&drive), Boots::Stick("new!".to_owned()));
        assert_eq!(
            inspect(&mut drive.disk()).unwrap().faults,
            Vec::<String>::new()
        );
        let protected = drive.sector(0)[458..462].try_into().unwrap();
        let sectors = u32::try_from(size / sector.bytes() - 1);
        assert_eq!(
            u32::from_le_bytes(protected),
            sectors.unwrap_or(u32::MAX),
            "{size}"
        );
        // The header of the backup is in the last sector.
        let last = drive.sector((size - sector.bytes()) / SECTOR);
        assert_eq!(last[..8], *b"EFI PART");
    }
}

#[test]
fn two_stamps_of_the_same_inputs_leave_the_same_bytes() {
    let (mut one, mut other) = (Fake::of(Sector::Of512, SIZE), Fake::of(Sector::Of512, SIZE));
    stamped(&mut one, "new!", Extent::All).unwrap();
    stamped(&mut other, "old!", Extent::All).unwrap();
    stamped(&mut other, "new!", Extent::All).unwrap();
    assert!(one.sectors == other.sectors);
}

#[test]
fn changes_are_all_that_an_update_writes() {
    let mut drive = Fake::of(Sector::Of512, 2 * SIZE);
    let all = stamped(&mut drive, "old!", Extent::All).unwrap();
    assert_eq!(stamped(&mut drive, "old!", Extent::Changes).unwrap(), 0);
    let before = drive.clone();
    let changes = stamped(&mut drive, "new!", Extent::Changes).unwrap();
    assert_eq!(boots(&drive), Boots::Stick("new!".to_owned()));
    assert!(changes < all / 4, "{changes} of {all}");
    // A stick that lost one sector gets that one back.
    let mut drive = before.clone();
    drive
        .sectors
        .remove(&(Part::Efi.range(Sector::Of512).start / SECTOR));
    stamped(&mut drive, "old!", Extent::Changes).unwrap();
    assert!(drive.sectors == before.sectors);
    let mut drive = before.clone();
    drive.sectors.remove(&0);
    stamped(&mut drive, "old!", Extent::Changes).unwrap();
    assert!(drive.sectors == before.sectors);
}

#[test]
fn whatever_fails_and_whenever_it_is_the_old_stick_the_new_one_or_does_not_boot() {
    for sector in Sector::ALL {
        stays_whole(sector);
    }
}

fn stays_whole(sector: Sector) {
    let mut old = Fake::of(sector, sector.stick_size());
    stamped(&mut old, "old!", Extent::All).unwrap();
    let mut new = stick("new!", sector, sector.stick_size());
    // Nothing but the places differs from sector to sector.
    let (step, ways) = match sector {
        Sector::Of512 => (1, &[(false, None), (true, Some(1)), (true, Some(2))][..]),
        Sector::Of4096 => (3, &[(true, Some(3))][..]),
    };
    for extent in [Extent::All, Extent::Changes] {
        let mut whole = old.clone();
        whole.operations = 0;
        written_to(&mut whole, &mut new, extent).unwrap();
        let mut seen: BTreeMap<Boots, usize> = BTreeMap::new();
        for after in (0..whole.operations).step_by(step) {
            // The reads of a comparison and of what is read back change nothing.
            for (tears, seed) in ways.iter().copied() {
                let mut drive = Fake {
                    fails_after: Some(after),
                    operations: 0,
                    tears,
                    ..old.clone()
                };
                let error = written_to(&mut drive, &mut new, extent).unwrap_err();
                assert!(matches!(error, StampError::Drive { .. }), "{error}");
                if let Some(seed) = seed {
                    drive.lose_power(seed + after as u64);
                }
                let found = boots(&drive);
                assert!(
                    !matches!(found, Boots::Mixture(_)),
                    "{extent:?}, {after}, {tears}, {seed:?}: {found:?}"
                );
                *seen.entry(found).or_default() += 1;
            }
        }
        let least = if sector == Sector::Of512 { 3 } else { 2 };
        assert!(seen.len() >= least, "among them are: {seen:?}");
    }
}

/// A drive that says that it has stored all, and has not: what it holds when it was out of power.
#[test]
fn every_lost_write_is_found_when_the_stick_is_inspected() {
    for sector in Sector::ALL {
        let garbage = Fake::used(sector, sector.stick_size());
        let mut stick = garbage.clone();
        stamped(&mut stick, "old!", Extent::All).unwrap();
        let zeros = Fake::of(sector, sector.stick_size());
        let [efi, secrets] = [Part::Efi, Part::Secrets].map(|part| part.range(sector));
        let near = |start: u64, place: u64| {
            place.is_multiple_of(sector.bytes())
                && (start..start + 8 * sector.bytes()).contains(&place)
        };
        for (old, extent) in [
            (stick, Extent::Changes),
            (garbage, Extent::All),
            (zeros, Extent::All),
        ] {
            let mut new = old.clone();
            stamped(&mut new, "new!", extent).unwrap();
            // All of an update but for most of the loader; of a whole stick what its volumes begin with, and some of the rest.
            let mut lost = written(&old, &new);
            lost.retain(|number| {
                let place = number * SECTOR;
                // What nothing reads stands in no file, and in no table.
                if efi.contains(&place) && is_zero(&new.sector(*number)) {
                    return false;
                }
                match extent {
                    Extent::Changes => secrets.contains(&place) || place < MIB || number % 23 == 0,
                    Extent::All => {
                        near(efi.start, place) || near(secrets.start, place) || number % 4999 == 0
                    }
                }
            });
            assert!(lost.iter().any(|it| secrets.contains(&(it * SECTOR))));
            let mut missed = Vec::new();
            for number in lost {
                let mut drive = new.clone();
                match old.sectors.get(&number) {
                    Some(bytes) => drop(drive.sectors.insert(number, bytes.clone())),
                    None => drop(drive.sectors.remove(&number)),
                }
                let found = inspect(&mut drive.disk());
                let is_well = found.is_ok_and(|found| found.faults.is_empty());
                if is_well {
                    missed.push(number);
                }
            }
            assert_eq!(missed, [0; 0], "{sector:?} {extent:?}");
            // Zeros where a secret was before are a part of it, too.
            let secrets = Part::Secrets.range(sector);
            new.sectors
                .insert((secrets.end - MIB) / SECTOR, vec![7; 512]);
            let faults = inspect(&mut new.disk()).unwrap().faults;
            assert!(
                faults[0].contains("what is on the secrets volume"),
                "{faults:?}"
            );
        }
    }
}

/// The sectors in which two drives differ.
fn written(old: &Fake, new: &Fake) -> BTreeSet<u64> {
    let numbers = old.sectors.keys().chain(new.sectors.keys()).copied();
    numbers
        .filter(|it| old.sector(*it) != new.sector(*it))
        .collect()
}

#[test]
fn a_drive_that_lies_is_found_out_before_it_could_boot() {
    for lies_at in [
        Part::Efi.range(Sector::Of512).start / SECTOR,
        Part::Secrets.range(Sector::Of512).start / SECTOR,
    ] {
        let mut drive = Fake {
            lies_at: Some(lies_at),
            ..Fake::of(Sector::Of512, SIZE)
        };
        let error = stamped(&mut drive, "new!", Extent::All).unwrap_err();
        assert!(
            matches!(error, StampError::Differs(at) if at == lies_at * SECTOR),
            "{error}"
        );
        assert_eq!(boots(&drive), Boots::Nothing);
    }
    let mut drive = Fake {
        lies_at: Some(0),
        ..Fake::of(Sector::Of512, SIZE)
    };
    let error = stamped(&mut drive, "new!", Extent::All).unwrap_err();
    assert!(matches!(error, StampError::Differs(_)), "{error}");
}

#[test]
fn a_drive_of_another_size_or_kind_is_refused_before_anything_is_written() {
    let mut drive = Fake::used(Sector::Of512, 4 * SIZE);
    let before = drive.sectors.clone();
    let mut stick = |sector, size| {
        let mut stick = stick("new!", sector, size);
        written_to(&mut drive, &mut stick, Extent::All).unwrap_err()
    };
    let error = stick(Sector::Of512, SIZE);
    assert!(matches!(error, StampError::Size(..)), "{error}");
    let error = stick(Sector::Of4096, 4 * SIZE);
    assert!(
        matches!(error, StampError::Sector(Sector::Of4096)),
        "{error}"
    );
    assert!(drive.sectors == before);
}
