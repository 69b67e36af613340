#![allow(clippy::unwrap_used)]

use std::io::{Cursor, SeekFrom, Write as _};

use super::*;
use crate::stick::clock::Clock;
use crate::stick::contents::Contents;
use crate::stick::disk::Disk;
use crate::stick::image;

/// A stick for UEFI with a few files and folders.
fn stick(sector: Sector) -> Disk {
    let fleet = Uuid::from_u128(7);
    let mut label = Label::new("n1", "f", fleet, "https://h/n1.ign");
    let files = [
        ("EFI/BOOT/BOOTX64.EFI", b"loader".repeat(3000)),
        ("autoexec.ipxe", b"#!ipxe\n".to_vec()),
    ];
    let mut efi = BTreeMap::from(files.map(|(path, bytes)| (path.to_owned(), bytes)));
    let digests = efi
        .iter()
        .map(|(path, bytes)| (path.clone(), label::digest(bytes)));
    label.files = digests.collect();
    label.secret_files = BTreeMap::from([("tls/key".to_owned(), 3000)]);
    efi.insert(label::FILE.to_owned(), label.write().unwrap().into_bytes());
    let contents = Contents {
        volume: Uuid::new_v5(&fleet, b"n1"),
        efi,
        secrets: BTreeMap::from([("tls/key".to_owned(), vec![7; 3000].into())]),
        bios: None,
    };
    image(&contents, sector, Clock::START).unwrap()
}

fn put(disk: &mut Disk, at: u64, bytes: &[u8]) {
    disk.seek(SeekFrom::Start(at)).unwrap();
    disk.write_all(bytes).unwrap();
}

fn get(disk: &mut Disk, at: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    disk.seek(SeekFrom::Start(at)).unwrap();
    disk.read_exact(&mut bytes).unwrap();
    bytes
}

/// Where the entry of a file or folder stands, whose short name begins so.
fn entry(disk: &mut Disk, part: Part, name: &[u8]) -> u64 {
    let (start, length) = part.place(disk.sector());
    let bytes = get(disk, start, usize::try_from(length).unwrap());
    let mut entries = (start..).step_by(32).zip(bytes.chunks_exact(32));
    let found = entries.find(|(_, entry)| entry.starts_with(name) && entry[11] & 0x08 == 0);
    found.unwrap().0
}

/// Where the first table of clusters begins, and how wide its numbers are.
fn table(disk: &mut Disk, part: Part) -> (u64, u64) {
    let (start, _) = part.place(disk.sector());
    let boot = get(disk, start, 512);
    let reserved = u64::from(u16::from_le_bytes([boot[14], boot[15]]));
    let width = if boot[22..24] == [0, 0] { 4 } else { 2 };
    (start + reserved * disk.sector().bytes(), width)
}

/// All that is said of it.
fn said(disk: &mut Disk) -> String {
    match inspect(disk) {
        Ok(found) => found.faults.join("; "),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_whole_stick_has_no_faults() {
    for sector in Sector::ALL {
        let mut disk = stick(sector);
        let found = inspect(&mut disk).unwrap();
        assert_eq!((found.faults, found.sector), (vec![], sector));
        assert_eq!(found.secrets["tls/key"], 3000);
    }
}

/// A damage of the boot sector of a volume: where, what, and what is said of it.
const BOOT: &[(u64, &[u8], &str)] = &[
    (11, &[0, 0], "there is no FAT volume in its place"),
    (11, &[0, 3], "there is no FAT volume in its place"),
    (13, &[0], "there is no FAT volume in its place"),
    (13, &[3], "there is no FAT volume in its place"),
    (13, &[128], "its FAT volume is none of ephemeros"),
    (14, &[0, 0], "its FAT volume is none of ephemeros"),
    (16, &[0], "its FAT volume is none of ephemeros"),
    (16, &[255], "its FAT volume"),
    (17, &[255, 255], "its FAT volume has no first folder"),
    (19, &[255, 255], "its FAT volume has no first folder"),
    (
        32,
        &[255, 255, 255, 255],
        "its FAT volume is larger than the partition",
    ),
    (32, &[0, 0, 0, 0], "its FAT volume is none of ephemeros"),
    (36, &[0, 0, 0, 0], "its FAT volume"),
    (
        36,
        &[1, 0, 0, 0],
        "its FAT volume has more clusters than its table",
    ),
    (
        36,
        &[255, 255, 255, 255],
        "its FAT volume is none of ephemeros",
    ),
    (44, &[0, 0, 0, 0], "its clusters lead to no cluster"),
    (44, &[1, 0, 0, 0], "its clusters lead to no cluster"),
    (44, &[255, 255, 255, 7], "its clusters lead to no cluster"),
    (510, &[0, 0], "there is no FAT volume in its place"),
];

/// What is done to the entry of `tls/key`, of 3000 bytes, and of `tls`; or in the table.
type Damage = fn(&mut Disk, u64, u64, (u64, u64));

#[test]
fn every_damage_of_a_volume_is_told() {
    for part in [Part::Efi, Part::Secrets] {
        let (start, _) = part.place(Sector::Of512);
        for (at, bytes, says) in BOOT {
            let mut disk = stick(Sector::Of512);
            put(&mut disk, start + at, bytes);
            let said = said(&mut disk);
            assert!(said.contains(says), "{part:?} {at} {bytes:?}: {said}");
        }
    }
    for sector in Sector::ALL {
        let part = Part::Secrets;
        let damages: [(Damage, &str); 8] = [
            (
                |disk, file, _, _| put(disk, file + 28, &[255; 4]),
                "`tls/key`: its 4294967295 bytes are not in",
            ),
            (
                |disk, file, _, _| put(disk, file + 28, &[0, 0, 1, 0]),
                "`tls/key`: its 65536 bytes are not in",
            ),
            (
                |disk, file, _, _| put(disk, file + 26, &[0, 0]),
                "`tls/key`: its clusters lead to no cluster",
            ),
            // The file is its own folder, and the folder stands in itself.
            (
                |disk, file, folder, _| {
                    let cluster = get(disk, folder + 26, 2);
                    put(disk, file + 26, &cluster);
                },
                "`tls/key`: its clusters belong to something else, too",
            ),
            (
                |disk, file, folder, _| {
                    let cluster = get(disk, folder + 26, 2);
                    put(disk, file + 11, &[0x10]);
                    put(disk, file + 26, &cluster);
                },
                "its clusters belong to something else, too",
            ),
            (
                |disk, _, folder, (fat, width)| {
                    let cluster = get(disk, folder + 26, 2);
                    let at = fat + u64::from(u16::from_le_bytes([cluster[0], cluster[1]])) * width;
                    let next = [&cluster[..], &[0, 0]].concat();
                    put(disk, at, &next[..usize::try_from(width).unwrap()]);
                },
                "`tls/`: its clusters lead in a circle",
            ),
            (
                |disk, _, folder, (fat, width)| {
                    let cluster = get(disk, folder + 26, 2);
                    let at = fat + u64::from(u16::from_le_bytes([cluster[0], cluster[1]])) * width;
                    put(disk, at, &[0xEE, 0x77]);
                },
                "`tls/`: its clusters lead to no cluster",
            ),
            // A second one of the name, with no long name of its own.
            (
                |disk, file, _, _| {
                    let again = get(disk, file, 32);
                    put(disk, file + 32, &again);
                },
                "`tls/KEY`: it is there twice",
            ),
        ];
        for (damage, says) in damages {
            let mut disk = stick(sector);
            let file = entry(&mut disk, part, b"KEY");
            let folder = entry(&mut disk, part, b"TLS");
            let fat = table(&mut disk, part);
            damage(&mut disk, file, folder, fat);
            let said = said(&mut disk);
            assert!(said.contains(says), "{sector:?}: {said}, and not {says}");
        }
    }
}

#[test]
fn names_are_shown_so_that_no_terminal_obeys_them_and_no_path_is_another() {
    let mut disk = stick(Sector::Of512);
    let file = entry(&mut disk, Part::Secrets, b"KEY");
    // No long name is before it then, since the checksum is another one.
    put(&mut disk, file, b"\x1b[31m/..EXE");
    let said = said(&mut disk);
    assert!(said.contains("`tls/key` is missing"), "{said}");
    assert!(said.contains("was added by somebody"), "{said}");
    assert!(!said.contains('\x1b') && !said.contains("/.."), "{said:?}");
}

#[test]
fn a_label_is_not_read_where_it_is_none() {
    let mut disk = stick(Sector::Of512);
    let file = entry(&mut disk, Part::Efi, b"EPHEME");
    put(&mut disk, file + 28, &u32::MAX.to_le_bytes());
    let said = said(&mut disk);
    assert!(
        said.contains("`ephemeros.toml`: its 4294967295 bytes"),
        "{said}"
    );
}

#[test]
fn a_broken_table_is_told_and_the_other_one_is_taken() {
    for sector in Sector::ALL {
        let one = sector.bytes();
        let end = sector.stick_size();
        for (at, says) in [
            (one + 60, "the first copy of the partition table is damaged"),
            (
                2 * one + 3,
                "the first copy of the partition table is damaged",
            ),
            (
                end - one + 60,
                "the backup copy of the partition table is damaged",
            ),
            (
                end - one - 128 * 128 + 3,
                "the backup copy of the partition table is damaged",
            ),
        ] {
            let mut disk = stick(sector);
            put(&mut disk, at, &[0xA5]);
            assert_eq!(said(&mut disk), says, "{sector:?} {at}");
            // As on a drive that is larger than the image was.
            disk.grow(2 * end);
            assert_eq!(said(&mut disk), says, "{sector:?} {at}, larger");
        }
        let mut disk = stick(sector);
        put(&mut disk, one, &[0; 92]);
        put(&mut disk, end - one, &[0; 92]);
        assert!(said(&mut disk).contains("there is no stick of ephemeros"));
    }
}

#[test]
fn a_file_that_was_cut_off_is_told() {
    let mut disk = stick(Sector::Of512);
    let mut bytes = Vec::new();
    disk.seek(SeekFrom::Start(0)).unwrap();
    disk.read_to_end(&mut bytes).unwrap();
    for (mib, says) in [
        (127, "the backup copy of the partition table is damaged"),
        (
            126,
            "the secrets volume can't be read: its partition ends behind",
        ),
        (
            66,
            "`ephemeros.toml` can't be read: its partition ends behind",
        ),
        (
            2,
            "`ephemeros.toml` can't be read: its partition ends behind",
        ),
        (0, "there is no stick of ephemeros"),
    ] {
        let mut cut = Cursor::new(&bytes[..mib << 20]);
        let said = match inspect(&mut cut) {
            Ok(found) => found.faults.join("; "),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(says), "{mib}: {said}");
    }
    for length in (0..20_000).step_by(97) {
        assert!(inspect(&mut Cursor::new(&bytes[..length])).is_err());
    }
}

/// Some thousand damages of the tables, the boot sectors and the folders, always the same. Each is read to its end: no
/// panic, and in so little time that all of them take seconds.
#[test]
fn random_damage_is_read_to_its_end() {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    for sector in Sector::ALL {
        let mut disk = stick(sector);
        let one = sector.bytes();
        let mut places = vec![one..one + 92, 2 * one..2 * one + 3 * 128];
        for part in [Part::Efi, Part::Secrets] {
            let (start, _) = part.place(sector);
            let (fat, width) = table(&mut disk, part);
            places.push(start..start + 90);
            places.push(fat..fat + 60 * width);
            let name: &[u8] = if part == Part::Efi { b"BOOT " } else { b"TLS" };
            let folder = entry(&mut disk, part, name) / 512 * 512;
            places.push(folder..folder + 512);
        }
        for _ in 0..2000 {
            let range = places[usize::try_from(random(places.len() as u64)).unwrap()].clone();
            let mut undo = Vec::new();
            for _ in 0..=random(4) {
                let at = range.start + random(range.end - range.start);
                let value = [0, 1, 0x7F, 0x80, 0xFF, u8::try_from(random(256)).unwrap()];
                let value = value[usize::try_from(random(6)).unwrap()];
                undo.push((at, get(&mut disk, at, 1)));
                put(&mut disk, at, &[value]);
            }
            if let Some(table) = gpt::read(&mut disk) {
                for place in &table.parts {
                    let mut bytes = 0;
                    let _ = read_volume(&mut disk, place, &mut |_, _, file| {
                        bytes += io::copy(file, &mut io::sink())?;
                        Ok(())
                    });
                    assert!(bytes <= place.length, "nothing is read twice");
                }
            }
            for (at, bytes) in undo.into_iter().rev() {
                put(&mut disk, at, &bytes);
            }
        }
        assert_eq!(said(&mut disk), "", "the damage was undone");
    }
}
