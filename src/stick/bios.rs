//! What starts a stick on a BIOS: `boot.S` with the places that it needs, the kernel that is iPXE, and the script that
//! is its initrd.

use super::boot_code::BOOT_CODE;
use super::layout::{Part, Sector};

/// The bytes of the MBR that are code.
pub(super) const CODE: usize = 440;

/// Where in the code the sector of the second part is told, 8 bytes.
const SECOND_LBA: usize = 432;

/// Where in the code the second part begins.
const SECOND: usize = 512;

/// Where in the second part stand the sector of the kernel (4 bytes), the sectors of its real-mode part, of the rest
/// and of the script (2 each), and the script's length in bytes (4).
const KERNEL_LBA: usize = 8;
const SETUP_SECTORS: usize = 12;
const PAYLOAD_SECTORS: usize = 14;
const SCRIPT_SECTORS: usize = 16;
const SCRIPT_BYTES: usize = 20;

/// What a BIOS reads: it starts from no other drives.
const SECTOR: Sector = Sector::Of512;
const SECTOR_BYTES: usize = 512;

/// Where in a kernel the sectors of its real-mode part are counted, without the first one.
const KERNEL_SETUP: usize = 0x1f1;

/// Boot code for one stick.
pub(super) struct Bios {
    /// Goes into the MBR.
    pub(super) code: [u8; CODE],
    /// The whole BIOS boot partition.
    pub(super) partition: Vec<u8>,
}

impl Bios {
    /// `None` where the kernel and the script have no room.
    pub(super) fn new(kernel: &[u8], script: &[u8]) -> Option<Self> {
        let (start, length) = Part::Bios.place(SECTOR);
        let start = u32::try_from(start / SECTOR.bytes()).ok()?;
        let second = &BOOT_CODE[SECOND..];
        let setup = match kernel.get(KERNEL_SETUP)? {
            // Of Linux before 1.3.
            0 => 5,
            count => u16::from(*count) + 1,
        };
        let kernel_lba = start + u32::from(sectors(second)?);
        let payload = sectors(kernel)?.checked_sub(setup)?;
        let script_bytes = u32::try_from(script.len()).ok()?;

        let mut code = [0; CODE];
        code.copy_from_slice(&BOOT_CODE[..CODE]);
        put(&mut code, SECOND_LBA, &u64::from(start).to_le_bytes());
        let mut partition = second.to_vec();
        put(&mut partition, KERNEL_LBA, &kernel_lba.to_le_bytes());
        put(&mut partition, SETUP_SECTORS, &setup.to_le_bytes());
        put(&mut partition, PAYLOAD_SECTORS, &payload.to_le_bytes());
        let script_sectors = sectors(script)?.to_le_bytes();
        put(&mut partition, SCRIPT_SECTORS, &script_sectors);
        put(&mut partition, SCRIPT_BYTES, &script_bytes.to_le_bytes());
        for part in [kernel, script] {
            partition.extend(part);
            partition.resize(partition.len().next_multiple_of(SECTOR_BYTES), 0);
        }
        let length = usize::try_from(length).ok()?;
        (partition.len() <= length).then(|| {
            partition.resize(length, 0);
            Self { code, partition }
        })
    }
}

/// How many sectors something takes, as the second part counts them.
fn sectors(bytes: &[u8]) -> Option<u16> {
    u16::try_from(bytes.len().div_ceil(SECTOR_BYTES)).ok()
}

fn put(into: &mut [u8], at: usize, bytes: &[u8]) {
    into[at..at + bytes.len()].copy_from_slice(bytes);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;
    use std::process::Command;

    use super::*;

    /// Two sectors of real-mode part, and 700 bytes that follow.
    fn kernel() -> Vec<u8> {
        let mut kernel = vec![0xaa; 1024];
        kernel[KERNEL_SETUP] = 1;
        kernel.extend([0xbb; 700]);
        kernel
    }

    #[test]
    fn tells_the_boot_code_where_everything_stands() {
        let bios = Bios::new(&kernel(), b"#!ipxe\n").unwrap();
        assert_eq!(bios.code[SECOND_LBA..], 2048_u64.to_le_bytes());
        assert_eq!(bios.partition.len(), 2 << 20);
        assert_eq!(bios.partition[4..8], *b"EPH1");
        assert_eq!(
            bios.partition[8..24],
            [0x02, 0x08, 0, 0, 2, 0, 2, 0, 1, 0, 0, 0, 7, 0, 0, 0]
        );
        assert_eq!(bios.partition[1024..2748], kernel());
        assert_eq!(bios.partition[3072..3080], *b"#!ipxe\n\0");
        assert!(bios.partition[3079..].iter().all(|byte| *byte == 0));
        // Nothing else of the code is changed.
        assert_eq!(bios.code[..SECOND_LBA], BOOT_CODE[..SECOND_LBA]);
        assert_eq!(bios.partition[24..1024], BOOT_CODE[SECOND + 24..]);
    }

    #[test]
    fn what_has_no_room_is_none() {
        let mut kernel = kernel();
        kernel.resize((2 << 20) - 1024 - 512, 0xbb);
        assert!(Bios::new(&kernel, &[b'x'; 512]).is_some());
        assert!(Bios::new(&kernel, &[b'x'; 513]).is_none());
        assert!(Bios::new(&kernel, &vec![b'x'; 64 << 20]).is_none());
        assert!(Bios::new(b"short", b"").is_none());
    }

    /// Assembles the source, and compares; the bytes between the two parts belong to the partition table.
    #[test]
    fn the_bytes_are_those_of_the_source() {
        let has_tools = ["as", "ld"]
            .iter()
            .all(|tool| Command::new(tool).arg("--version").output().is_ok());
        if !cfg!(target_arch = "x86_64") || !has_tools {
            let why = "SKIPPED: the boot code can't be assembled: that takes binutils on x86-64";
            let _ = writeln!(std::io::stderr(), "{why}");
            return;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tempfile::tempdir().unwrap();
        let run = |program: &str, args: &[&str]| {
            let ran = Command::new(program)
                .args(args)
                .current_dir(folder.path())
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&ran.stderr).into_owned();
            assert!(ran.status.success(), "{program}: {errors}");
            String::from_utf8(ran.stdout).unwrap()
        };
        let source = root.join("src/stick/boot.S");
        run("as", &["--32", "-o", "boot.o", source.to_str().unwrap()]);
        let link = "-m elf_i386 --oformat binary -Ttext 0x7c00 -e _start -o boot boot.o";
        run("ld", &link.split(' ').collect::<Vec<_>>());
        let assembled = std::fs::read(folder.path().join("boot")).unwrap();
        assert!(
            assembled == BOOT_CODE,
            "boot_code.rs is not what boot.S gives: run tools/boot-code"
        );
        // The names of the source stand where this file takes them to be.
        let names = run("nm", &["boot.o"]);
        for (name, at) in [
            ("second_lba", SECOND_LBA),
            ("second", SECOND),
            ("kernel_lba", SECOND + KERNEL_LBA),
            ("setup_sectors", SECOND + SETUP_SECTORS),
            ("payload_sectors", SECOND + PAYLOAD_SECTORS),
            ("script_sectors", SECOND + SCRIPT_SECTORS),
            ("script_bytes", SECOND + SCRIPT_BYTES),
        ] {
            let mut lines = names.lines();
            let line = lines.find(|line| line.split(' ').nth(2) == Some(name));
            let is = line.and_then(|line| line.split(' ').next());
            assert_eq!(is, Some(format!("{at:08x}").as_str()), "{name}");
        }
        assert!(BOOT_CODE[CODE..SECOND].iter().all(|byte| *byte == 0));
    }
}
