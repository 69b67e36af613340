#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::os::Arch;

/// The smallest binary that is read as iPXE.
struct Sample {
    machine: u16,
    subsystem: u16,
    /// The texts in it, each ended by a NUL.
    texts: Vec<Vec<u8>>,
    sbat: Option<String>,
}

const DRIVERS: &str = "ipxe.efi";

fn sample() -> Sample {
    Sample {
        machine: 0x8664,
        subsystem: 10,
        texts: ["#!ipxe", "file:/autoexec.ipxe", "1.0", "802.11", "HTTPS"]
            .map(Vec::from)
            .into(),
        sbat: Some(sbat(DRIVERS, "2.0.0+dfsg-5")),
    }
}

/// One of before 2021, like Debian 12's.
fn old() -> Sample {
    let mut sample = sample();
    sample.texts = vec![b"#!ipxe".into(), b"1.0.0+git-20190125.36a4c85-5.1".into()];
    sample
        .texts
        .push([b"RSDS", &[0; 20][..], b"ipxe.efi"].concat());
    sample.sbat = None;
    sample
}

fn old_build(build: &[u8]) -> Sample {
    let mut sample = old();
    sample.texts[2] = [b"RSDS", &[0; 20][..], build].concat();
    sample
}

fn sbat(build: &str, version: &str) -> String {
    format!(
        "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n\
         ipxe,1,iPXE,{build},{version},https://ipxe.org\n"
    )
}

fn wide(text: &str) -> Vec<u8> {
    text.bytes().flat_map(|byte| [byte, 0]).collect()
}

impl Sample {
    fn machine(mut self, machine: u16) -> Self {
        self.machine = machine;
        self
    }

    fn arm64(self) -> Self {
        self.machine(0xaa64)
    }

    fn build(mut self, build: &str) -> Self {
        self.sbat = Some(sbat(build, "2.0.0"));
        self
    }

    fn text(mut self, text: &[u8]) -> Self {
        self.texts.push(text.to_vec());
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let data: Vec<u8> = self
            .texts
            .iter()
            .flat_map(|text| [text, &b"\0"[..]].concat())
            .collect();
        let sbat = self.sbat.clone().unwrap_or_default().into_bytes();
        let sections = [(b".rodata\0", data), (b".sbat\0\0\0", sbat)];
        let mut bytes = vec![0; 0x40];
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3c] = 0x40;
        bytes.extend(b"PE\0\0");
        bytes.extend(self.machine.to_le_bytes());
        bytes.extend([2, 0]);
        bytes.extend([0; 12]);
        bytes.extend([112, 0, 0, 0]);
        let mut optional = [0; 112];
        optional[..2].copy_from_slice(&[0x0b, 0x02]);
        optional[68..70].copy_from_slice(&self.subsystem.to_le_bytes());
        bytes.extend(optional);
        let mut start = bytes.len() + 40 * sections.len();
        for (name, data) in &sections {
            bytes.extend(*name);
            bytes.extend([0; 8]);
            bytes.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
            bytes.extend(u32::try_from(start).unwrap().to_le_bytes());
            bytes.extend([0; 16]);
            start += data.len();
        }
        bytes.extend(sections.iter().flat_map(|(_, data)| data));
        bytes
    }

    fn read(&self) -> Result<Loader, NotALoader> {
        read(&self.bytes())
    }
}

/// Folders of loaders, all in one that goes away.
struct Folders(TempDir);

impl Folders {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside)
    }

    fn with(self, inside: &str, sample: &Sample) -> Self {
        self.with_bytes(inside, &sample.bytes())
    }

    fn with_bytes(self, inside: &str, bytes: &[u8]) -> Self {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// `system1` and `system2` as the system's folders, and a home.
    fn places(&self) -> Places {
        Places {
            home: Some(self.path("home")),
            system: vec![self.path("system1"), self.path("system2")],
            ..Places::default()
        }
    }

    fn find(&self, change: impl FnOnce(&mut Places)) -> Result<Search, String> {
        let mut places = self.places();
        change(&mut places);
        find(&places, &Target::ALL).map_err(|error| self.shorten(&error.to_string()))
    }

    fn shorten(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }

    /// Where the two loaders were found, and the notes.
    fn told(&self, search: &Search) -> (String, String, Vec<String>) {
        let path = |arch| match search.loader(Target::Uefi(arch)) {
            Some(found) => self.shorten(&found.path.display().to_string()),
            None => "none".to_owned(),
        };
        let notes = search.passed_over.iter();
        let notes = notes.map(|bad| self.shorten(&bad.to_string())).collect();
        (path(Arch::Amd64), path(Arch::Arm64), notes)
    }

    #[track_caller]
    fn finds(&self, amd64: &str, arm64: &str, notes: &[&str]) {
        let search = self.find(|_| {}).unwrap();
        let (is_amd64, is_arm64, is_notes) = self.told(&search);
        assert_eq!((&*is_amd64, &*is_arm64), (amd64, arm64));
        assert_eq!(is_notes, notes);
    }
}

#[test]
fn reads_what_a_loader_can_do() {
    let expected = Loader {
        target: Target::Uefi(Arch::Amd64),
        version: Some("2.0.0+dfsg-5".into()),
        build: Some("ipxe.efi".into()),
        reads_autoexec: true,
        has_own_script: false,
        features: [Feature::Https].into(),
    };
    assert_eq!(sample().read(), Ok(expected));
    let arm64 = sample().arm64().read().unwrap();
    assert_eq!(arm64.target, Target::Uefi(Arch::Arm64));
}

#[test]
fn reads_an_old_loader() {
    let loader = old().read().unwrap();
    assert_eq!(loader.to_string(), "iPXE 1.0.0+git-20190125.36a4c85-5.1");
    assert_eq!(loader.build.as_deref(), Some("ipxe.efi"));
    assert!(!loader.reads_autoexec && !loader.knows(Feature::Https) && !loader.has_own_script);
}

#[test]
fn knows_the_name_of_the_script_in_each_of_its_forms() {
    let reads = |text: &[u8]| old().text(text).read().unwrap().reads_autoexec;
    assert!(reads(b"autoexec.ipxe"));
    assert!(reads(b"file:autoexec.ipxe"));
    // 2021 to 2024.
    assert!(reads(&wide("autoexec.ipxe\0")));
    assert!(!reads(b"autoexec.ipxe.old"));
    assert!(!reads(b"autoexec"));
}

#[test]
fn sees_a_script_of_its_own() {
    let has = |text: &[u8]| sample().text(text).read().unwrap().has_own_script;
    assert!(has(b"#!ipxe\ndhcp\nchain http://10.0.0.1/boot\n"));
    assert!(has(b"#!ipxe\r\nshell"));
    assert!(!has(b"#!ipxe"));
    assert!(!has(b"#!ipxefoo"));
}

#[test]
fn tells_versions_from_other_texts() {
    let version = |text: &str| {
        old_without_version()
            .text(text.as_bytes())
            .read()
            .unwrap()
            .version
    };
    for good in [
        "1.21.1",
        "2.0.0+",
        "1.21.1+ (g3f43e)",
        "1.20.1-2",
        "10.0.12~rc1",
    ] {
        assert_eq!(version(good).as_deref(), Some(good));
    }
    for wrong in [
        "1.0", "802.11", "10.0.0.1", "1.2.", "1..2", ".1.2", "1.2.x", "v1.2.3", "1.2.3\n",
    ] {
        assert_eq!(version(wrong), None, "{wrong:?}");
    }
    let unknown = old_without_version().read().unwrap();
    assert_eq!(unknown.to_string(), "iPXE of an unknown version");
}

fn old_without_version() -> Sample {
    let mut sample = old();
    sample.texts.remove(1);
    sample
}

#[test]
fn a_version_that_would_move_the_cursor_is_none() {
    let mut sample = sample();
    sample.sbat = Some(sbat("ipxe.efi", "\u{1b}[2J"));
    assert_eq!(sample.read().unwrap().version, None);
}

#[test]
fn says_why_a_file_is_no_loader() {
    let error = |sample: Sample| sample.read().unwrap_err().to_string();
    let mut driver = sample();
    driver.subsystem = 11;
    assert_eq!(
        error(driver),
        "is an EFI driver, and a stick needs a program"
    );
    let mut windows = sample();
    windows.subsystem = 3;
    assert_eq!(
        error(windows),
        "is neither an EFI program nor a Linux kernel for x86"
    );
    assert_eq!(
        error(sample().machine(0x14c)),
        "is for 32-bit x86, and a stick needs one for 64 bits"
    );
    assert_eq!(
        error(sample().machine(0x5064)),
        "is for 64-bit RISC-V, and a stick needs one for amd64 or arm64"
    );
    assert_eq!(
        error(sample().machine(0x1234)),
        "is for an unknown machine (0x1234), and a stick needs one for amd64 or arm64"
    );
    let mut other = sample();
    other.texts.remove(0);
    assert_eq!(error(other), "is an EFI program, but not iPXE");
    let bytes = sample().bytes();
    let cut = read(&bytes[..bytes.len() - 1]).unwrap_err().to_string();
    let [is, should] = [bytes.len() - 1, bytes.len()];
    assert_eq!(
        cut,
        format!("is cut off: it has {is} bytes, and its headers tell of {should}")
    );
    let cut = read(&bytes[..0x40 + 24 + 112]).unwrap_err().to_string();
    assert_eq!(
        cut,
        "is cut off: it has 200 bytes, and its headers tell of 280"
    );
    for bytes in [&b""[..], b"MZ", b"\x7fELF", b"#!ipxe\0"] {
        assert_eq!(read(bytes), Err(NotALoader::NoProgram));
    }
}

#[test]
fn no_part_of_a_loader_is_one() {
    let bytes = sample().bytes();
    for end in 0..bytes.len() {
        assert!(read(&bytes[..end]).is_err(), "the first {end} bytes");
    }
}

/// A kernel for BIOSes with these texts packed in it, in the form of `ipxe.lkrn`.
fn kernel(texts: &[&[u8]]) -> Vec<u8> {
    let mut opened: Vec<u8> = (0..4000_u32)
        .flat_map(|it| (it * it).to_le_bytes())
        .collect();
    opened.extend(texts.iter().flat_map(|text| [text, &b"\0"[..]].concat()));
    let mut packed = Vec::new();
    let options = lzma_rust2::LzmaOptions {
        lc: 2,
        pb: 0,
        ..lzma_rust2::LzmaOptions::with_preset(3)
    };
    let mut writer = lzma_rust2::LzmaWriter::new_no_header(&mut packed, &options, true).unwrap();
    writer.write_all(&opened).unwrap();
    writer.finish().unwrap();
    let mut bytes = vec![0x90; 1024];
    bytes[0x1f1] = 1;
    bytes[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
    bytes[0x202..0x208].copy_from_slice(b"HdrS\x07\x02");
    bytes[0x20e..0x210].copy_from_slice(&[0x80, 0]);
    bytes[0x211] = 1;
    bytes[0x280..0x28e].copy_from_slice(b"2.0.0+dfsg-5\0\0");
    // Code of 16 bits comes first.
    bytes.extend([0, 7, 0, 0xcc].repeat(30));
    bytes.extend(packed);
    let units = (bytes.len() - 1024).div_ceil(16);
    bytes[0x1f4..0x1f8].copy_from_slice(&u32::try_from(units).unwrap().to_le_bytes());
    bytes
}

#[test]
fn reads_what_a_loader_for_bios_can_do() {
    let expected = Loader {
        target: Target::Bios,
        version: Some("2.0.0+dfsg-5".into()),
        build: None,
        reads_autoexec: true,
        has_own_script: false,
        features: [Feature::Https].into(),
    };
    assert_eq!(read(&kernel(&[b"#!ipxe", b"HTTPS"])), Ok(expected));
    let plain = read(&kernel(&[b"#!ipxe", b"HTTP"])).unwrap();
    assert!(!plain.knows(Feature::Https));
    let own = read(&kernel(&[b"#!ipxe", b"#!ipxe\nshell\n"])).unwrap();
    assert!(own.has_own_script);
}

#[test]
fn knows_what_a_loader_was_built_without() {
    let all: [(Feature, &[&[u8]]); 6] = [
        (Feature::Https, &[b"HTTPS"]),
        (Feature::Cards, &[b"iflinkwait"]),
        (Feature::Ipv6, &[b"IPv6", b"gateway6"]),
        (Feature::Vlan, &[b"vcreate"]),
        (
            Feature::Ntp,
            &[b"ntp", b"Could not get time and date: %s\n"],
        ),
        (Feature::InitrdFiles, &[b"mkdir="]),
    ];
    for (feature, texts) in all {
        let mut sample = sample();
        sample.texts = vec![b"#!ipxe".into()];
        sample.texts.extend(texts.iter().map(|text| text.to_vec()));
        assert_eq!(sample.read().unwrap().features, [feature].into());
        let bios = read(&kernel(&[&[&b"#!ipxe"[..]], texts].concat())).unwrap();
        assert_eq!(bios.features, [feature].into());
        // Without any one of its marks there is none.
        sample.texts.pop();
        assert_eq!(sample.read().unwrap().features, [].into());
    }
}

#[test]
fn says_why_a_kernel_is_no_loader() {
    let error = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    let good = kernel(&[b"#!ipxe"]);
    let other = "is neither an EFI program nor a Linux kernel for x86";
    // What its header says: the mark of a boot sector, its own, the version, and that it is loaded high.
    for at in [0x1fe, 0x202, 0x207, 0x211, 0x1f1] {
        let mut wrong = good.clone();
        wrong[at] = if at == 0x1f1 { 64 } else { 0 };
        assert_eq!(error(&wrong), other, "{at:#x}");
    }
    assert_eq!(
        error(&kernel(&[b"vmlinuz"])),
        "is a Linux kernel, but not iPXE"
    );
    let cut = &good[..good.len() - 16];
    assert!(error(cut).starts_with("is cut off: "), "{}", error(cut));
    let mut broken = good;
    broken[1024 + 120..].fill(0xff);
    assert_eq!(error(&broken), "is a Linux kernel, but not iPXE");
}

#[test]
fn a_loader_for_bios_is_found_like_the_others() {
    let folders = Folders::new()
        .with("system1/ipxe.efi", &sample())
        .with_bytes("system1/ipxe.lkrn", &kernel(&[b"#!ipxe"])[..3000])
        .with_bytes("system2/vmlinuz.lkrn", &kernel(&[b"vmlinuz"]))
        .with_bytes("system2/x.LKRN", &kernel(&[b"#!ipxe"]));
    let search = folders.find(|_| {}).unwrap();
    let found = search.loader(Target::Bios).unwrap();
    assert_eq!(found.path, folders.path("system2/x.LKRN"));
    let (_, _, notes) = folders.told(&search);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].starts_with("`system1/ipxe.lkrn` is cut off"),
        "{notes:?}"
    );
    // Who wants none hears nothing of it.
    let uefi = [Target::Uefi(Arch::Amd64)];
    let search = find(&folders.places(), &uefi).unwrap();
    assert!(search.loader(Target::Bios).is_none() && search.passed_over.is_empty());
    // In place of one for UEFI it is refused.
    let error = load(&folders.path("system2/x.LKRN"), uefi[0]).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is for BIOS machines, and one for amd64 UEFI is needed here")
    );
}

proptest! {
    #[test]
    fn reads_any_kernel(at: prop::sample::Index, change: [u8; 4]) {
        let mut changed = kernel(&[b"#!ipxe"]);
        let at = at.index(changed.len() - 4);
        changed[at..at + 4].copy_from_slice(&change);
        let _ = read(&changed);
    }

    #[test]
    fn reads_any_bytes(bytes: Vec<u8>, at: prop::sample::Index, change: [u8; 4]) {
        let _ = read(&bytes);
        let mut changed = sample().bytes();
        let at = at.index(changed.len() - 4);
        changed[at..at + 4].copy_from_slice(&change);
        let _ = read(&changed);
    }
}

#[test]
fn the_first_place_that_has_one_decides_for_each_architecture() {
    let folders = Folders::new()
        .with("system1/ipxe.efi", &sample())
        .with("system2/ipxe.efi", &sample())
        .with("system2/arm.efi", &sample().arm64());
    folders.finds("system1/ipxe.efi", "system2/arm.efi", &[]);
    let folders = folders.with("home/.local/share/ephemeros/ipxe/x.efi", &sample());
    folders.finds(
        "home/.local/share/ephemeros/ipxe/x.efi",
        "system2/arm.efi",
        &[],
    );
    let folders = folders
        .with("v/x.efi", &sample())
        .with("o/x.efi", &sample().arm64());
    let variable = |places: &mut Places| places.variable = Some(folders.path("v"));
    let found = folders.told(&folders.find(variable).unwrap());
    assert_eq!(found, ("v/x.efi".into(), "system2/arm.efi".into(), vec![]));
    let both = |places: &mut Places| {
        variable(places);
        places.option = Some(folders.path("o"));
    };
    let found = folders.told(&folders.find(both).unwrap());
    assert_eq!(found, ("v/x.efi".into(), "o/x.efi".into(), vec![]));
}

#[test]
fn nothing_anywhere_is_no_error() {
    let folders = Folders::new().with_bytes("system2", b"a file");
    folders.finds("none", "none", &[]);
    let empty = |places: &mut Places| places.variable = Some(PathBuf::new());
    assert!(folders.find(empty).is_ok());
}

#[test]
fn what_is_in_a_file_counts_and_not_its_name() {
    // Fedora, with a copy under the name that firmware looks for.
    let folders = Folders::new()
        .with("system1/arm64-efi/ipxe.efi", &sample().arm64())
        .with(
            "system1/arm64-efi/snponly.efi",
            &sample().arm64().build("snponly.efi"),
        )
        .with("system1/ipxe-i386.efi", &sample().machine(0x14c))
        .with(
            "system1/ipxe-snponly-x86_64.efi",
            &sample().build("snponly.efi"),
        )
        .with("system1/BOOTX64.EFI", &sample())
        .with_bytes("system1/ipxe.iso", b"");
    folders.finds("system1/BOOTX64.EFI", "system1/arm64-efi/ipxe.efi", &[]);
}

#[test]
fn the_drivers_decide_in_a_folder() {
    // iPXE's own archive, and openSUSE.
    let folders = Folders::new()
        .with(
            "system1/ipxeboot/x86_64/ipxe-legacy.efi",
            &sample().build("ipxe-legacy.efi"),
        )
        .with("system1/ipxeboot/x86_64/ipxe.efi", &sample())
        .with("system1/ipxeboot/x86_64-sb/ipxe.efi", &sample())
        .with("system1/ipxeboot/x86_64/deeper/ipxe.efi", &sample())
        .with("system1/a-snp-x86_64.efi", &sample().build("snp.efi"))
        .with("system1/snp-arm64.efi", &sample().arm64().build("snp.efi"));
    folders.finds(
        "system1/ipxeboot/x86_64/ipxe.efi",
        "system1/snp-arm64.efi",
        &[],
    );
}

#[test]
fn one_that_is_too_old_is_passed_over_with_a_note() {
    let folders = Folders::new()
        .with("system1/ipxe.efi", &old())
        .with("system1/snponly.efi", &old_build(b"snponly.efi"))
        .with("system2/ipxe.efi", &sample());
    symlink("ipxe.efi", folders.path("system1/link.efi")).unwrap();
    let note = "`system1/ipxe.efi` is iPXE 1.0.0+git-20190125.36a4c85-5.1, which does not read `autoexec.ipxe`; \
                that takes 2.0, or a build newer than 2021-01-25";
    folders.finds("system2/ipxe.efi", "none", &[note]);
    // By another name from another place it is the same file still.
    fs::create_dir_all(folders.path("home/.local/share/ephemeros")).unwrap();
    symlink(
        folders.path("system1"),
        folders.path("home/.local/share/ephemeros/ipxe"),
    )
    .unwrap();
    let own = note.replace("system1", "home/.local/share/ephemeros/ipxe");
    folders.finds("system2/ipxe.efi", "none", &[&own]);
}

#[test]
fn what_would_not_have_been_taken_is_not_told() {
    let folders = Folders::new()
        .with("system1/ipxe.efi", &sample())
        .with("system1/old.efi", &old())
        .with("system1/riscv.efi", &sample().machine(0x5064))
        .with_bytes("system1/grub.efi", b"MZ")
        .with("system2/old.efi", &old());
    folders.finds("system1/ipxe.efi", "none", &[]);
}

#[test]
fn what_else_a_stick_cant_use_is_told_too() {
    let bytes = sample().bytes();
    let folders = Folders::new()
        .with_bytes("system1/cut.efi", &bytes[..bytes.len() - 9])
        .with("system1/own.efi", &sample().text(b"#!ipxe\nshell"))
        .with(
            "system1/snponly.efi",
            &sample().arm64().build("snponly.efi"),
        );
    symlink("nowhere", folders.path("system1/lost.efi")).unwrap();
    fs::create_dir(folders.path("system1/folder.efi")).unwrap();
    let cut = format!(
        "`system1/cut.efi` is cut off: it has {} bytes, and its headers tell of {}",
        bytes.len() - 9,
        bytes.len()
    );
    folders.finds(
        "none",
        "none",
        &[
            &cut,
            "`system1/lost.efi` can't be read: No such file or directory (os error 2)",
            "`system1/own.efi` is iPXE 2.0.0+dfsg-5 with a script of its own, which runs in place of the stick's \
             `autoexec.ipxe`",
            "`system1/snponly.efi` is an `snponly.efi`, which drives only the network card that it was loaded from; \
             a stick takes `ipxe.efi`",
        ],
    );
}

#[test]
fn a_named_folder_must_hold_a_loader() {
    let folders = Folders::new()
        .with("system1/ipxe.efi", &sample())
        .with("old/ipxe.efi", &old())
        .with(
            "old/shimx64.efi",
            &Sample {
                texts: vec![],
                ..sample()
            },
        )
        .with_bytes("bios/ipxe.pxe", b"");
    let named = |folder| {
        let path = Some(folders.path(folder));
        let error = folders
            .find(|places| places.option = path.clone())
            .unwrap_err();
        let other = folders.find(|places| places.variable = path).unwrap_err();
        assert_eq!(other, error.replace("`--ipxe`", "`EPHEMEROS_IPXE_DIR`"));
        error
    };
    assert_eq!(
        named("nowhere"),
        "can't list the folder `nowhere`, which `--ipxe` names: No such file or directory (os error 2)"
    );
    assert_eq!(
        named("system1/ipxe.efi"),
        "can't list the folder `system1/ipxe.efi`, which `--ipxe` names: Not a directory (os error 20)"
    );
    assert_eq!(
        named("bios"),
        "the folder `bios`, which `--ipxe` names, holds no iPXE that a stick can use: \
         no file in it ends in `.efi` or `.lkrn`"
    );
    assert_eq!(
        named("old"),
        "the folder `old`, which `--ipxe` names, holds no iPXE that a stick can use: \
         `old/ipxe.efi` is iPXE 1.0.0+git-20190125.36a4c85-5.1, which does not read `autoexec.ipxe`; that takes 2.0, \
         or a build newer than 2021-01-25; `old/shimx64.efi` is an EFI program, but not iPXE"
    );
}

#[test]
fn a_loader_that_the_fleet_names_must_do() {
    let folders = Folders::new()
        .with("good.efi", &sample())
        .with("own.efi", &sample().text(b"#!ipxe\nchain autoexec.ipxe"))
        .with("old.efi", &old())
        .with("snponly.efi", &sample().build("snponly.efi"))
        .with_bytes("text", b"hello");
    let named = |name: &str, arch| load(&folders.path(name), Target::Uefi(arch));
    let found = named("good.efi", Arch::Amd64).unwrap();
    assert_eq!(found.bytes, sample().bytes());
    assert_eq!(found.path, folders.path("good.efi"));
    assert!(named("own.efi", Arch::Amd64).unwrap().loader.has_own_script);
    let error = |name, arch| folders.shorten(&named(name, arch).unwrap_err().to_string());
    assert_eq!(
        error("good.efi", Arch::Arm64),
        "the loader `good.efi` is for amd64 UEFI machines, and one for arm64 UEFI is needed here"
    );
    assert!(error("old.efi", Arch::Amd64).starts_with("the loader `old.efi` is iPXE 1.0.0+git"));
    assert!(error("snponly.efi", Arch::Amd64).contains("a stick takes `ipxe.efi`"));
    assert_eq!(
        error("text", Arch::Amd64),
        "the loader `text` is neither an EFI program nor a Linux kernel for x86"
    );
    assert_eq!(
        error("", Arch::Amd64)
            .replace("``", "`/`")
            .split(" is ")
            .last(),
        Some("not a file")
    );
    assert_eq!(
        error("nowhere", Arch::Amd64),
        "the loader `nowhere` can't be read: No such file or directory (os error 2)"
    );
}

#[test]
fn a_pipe_and_a_huge_file_are_not_read() {
    let folders = Folders::new();
    let huge = fs::File::create(folders.path("huge.efi")).unwrap();
    huge.set_len(1 << 40).unwrap();
    let error = load(&folders.path("huge.efi"), Target::Bios).unwrap_err();
    assert!(error.to_string().ends_with("is too large for a loader"));
    let error = load(Path::new("/dev/zero"), Target::Bios).unwrap_err();
    assert_eq!(error.to_string(), "the loader `/dev/zero` is not a file");
}

#[test]
fn names_the_package_of_a_distribution() {
    for (os_release, expected) in [
        (
            "PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n",
            "Debian 13",
        ),
        ("ID=ubuntu\nID_LIKE=debian\n", "Ubuntu 22.04"),
        ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "Ubuntu 22.04"),
        ("ID=raspbian\nID_LIKE=debian", "Debian 13"),
        ("ID=fedora\nVARIANT_ID=workstation\n", "`ipxe-bootimgs-x86`"),
        ("ID=arch\n", "the package `ipxe`"),
        ("ID='manjaro'\nID_LIKE='arch'\n", "the package `ipxe`"),
        (
            "ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n",
            "`ipxe-bootimgs`",
        ),
        ("ID=nixos\n", "nixpkgs#ipxe"),
        (
            "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
            "ipxeboot.tar.gz",
        ),
        ("ID=alpine\n", "ipxeboot.tar.gz"),
        ("ID=archaic\n", "ipxeboot.tar.gz"),
        ("", "ipxeboot.tar.gz"),
        ("ID\n=\n", "ipxeboot.tar.gz"),
    ] {
        let told = suggest_install(os_release);
        assert!(told.contains(expected), "{os_release:?}: {told}");
    }
}
