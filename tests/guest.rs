//! The drives of a virtual machine with a kernel that has USB, the device mapper and md, as the tool tells of them; and what
//! becomes of each dangerous one where its guard is left out. It takes `tools/setup test`, which fetches that kernel.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use ephemeros::stick::{GUARDS, Part, Sector};
use serde_json::Value;

use crate::image::{fleet, image, loaders};
use crate::repository::{has_program, skipped};

/// What is said of each drive, by serial number: `free`, or the reasons.
type Told = BTreeMap<String, String>;

fn told(drives: &Value) -> Told {
    let reasons = |drive: &Value| {
        let all = ["refused", "forced"].map(|key| drive[key].as_array().unwrap().clone());
        let codes = all
            .iter()
            .flatten()
            .map(|it| it["reason"].as_str().unwrap());
        let codes = codes.collect::<Vec<_>>().join(" ");
        assert_eq!(drive["writable"], codes.is_empty(), "{drive:#}");
        if codes.is_empty() {
            "free".to_owned()
        } else {
            codes
        }
    };
    let drives = drives["devices"].as_array().unwrap().iter();
    drives
        .filter_map(|drive| Some((drive["serial"].as_str()?.to_owned(), reasons(drive))))
        .collect()
}

/// What becomes of a drive whose guards were left out.
enum Without {
    /// The kernel has given it to somebody else.
    Claimed,
    /// It is found to be impossible later, in words.
    Fails(&'static str),
    /// Nothing stands behind the guard.
    Written,
}
use Without::{Claimed, Fails, Written};

const TAKEN: &str = "another program has opened it for itself";
const PART: &str = " is marked as a part of ";

/// As tools/drives tries them: the guards that are left out, what each of them says, and what becomes of it.
const CASES: &[(&str, &[&str], Without)] = &[
    ("system", &["the running system is on it"], Claimed),
    ("mounted", &["it is mounted: `/mnt`"], Claimed),
    ("taken", &[TAKEN], Claimed),
    ("swap", &["it is used as swap"], Claimed),
    ("held", &["the device mapper `mapped`"], Claimed),
    ("no-drive", &["a volume of the device mapper"], Written),
    ("held", &["it is a part of `loop0`"], Written),
    ("no-drive", &["a loop device over another drive"], Written),
    ("held,part", &["a RAID array `md0`", PART], Claimed),
    ("no-drive", &["it is a RAID array"], Written),
    ("part", &["is marked as a part of md"], Written),
    (
        "system,held,part",
        &["the running system is on it", "LVM `vg-root`", PART],
        Claimed,
    ),
    ("held,part", &["LVM `vg-root`", PART], Claimed),
    ("part", &["is marked as a part of LVM"], Written),
    ("part", &["is marked as a part of ZFS"], Written),
    ("no-drive", &["an optical drive"], Fails("it is read-only")),
    ("empty", &["no medium is in it"], Fails("is too small")),
    (
        "too-small",
        &["it has 100 of the 128"],
        Fails("is too small"),
    ),
    (
        "sectors",
        &["its sectors have 2048 bytes"],
        Fails("512 bytes"),
    ),
    ("not-removable", &["it is not removable"], Written),
    ("large", &["more than 256"], Written),
    ("read-only", &["it is read-only"], Fails("not permitted")),
    ("unread", &["it may be in use: can't read "], Written),
];

/// Each reason comes from its own guard, and this is all that stands behind that.
fn check_cases(said: &str) {
    let tried = said.split("== guards ").skip(1);
    let tried: Vec<(&str, &str)> = tried.filter_map(|it| it.split_once('\n')).collect();
    let names: Vec<&str> = tried.iter().map(|it| it.0).collect();
    let wanted: Vec<&str> = CASES.iter().map(|it| it.0).collect();
    assert_eq!(names, wanted, "{said}");
    for ((codes, tried), (_, reasons, expected)) in tried.iter().zip(CASES) {
        let both = tried.split("== end").next().unwrap();
        let (with, without) = both.split_once("== without\n").unwrap();
        let message = format!("{codes}:\n{both}");
        let count = |text: &str| text.matches("error: `/dev/").count();
        assert_eq!(count(with), reasons.len(), "{message}");
        assert!(reasons.iter().all(|it| with.contains(it)), "{message}");
        assert!(with.contains("nothing was written"), "{message}");
        let is_written = without.contains("is the stick of n1 now: ");
        let (is_expected, errors) = match expected {
            Claimed => (without.contains(TAKEN), 1),
            Fails(text) => (without.contains(text), count(without)),
            Written => (is_written, 0),
        };
        assert!(is_expected && count(without) == errors, "{message}");
        if !matches!(expected, Written) {
            let is_changed = is_written || without.contains("it was changed");
            assert!(!is_changed, "{message}");
        }
    }
    let alone: BTreeSet<&str> = wanted.into_iter().collect();
    for guard in GUARDS {
        assert!(alone.contains(guard.code), "no case for {guard:?}");
    }
}

#[test]
fn drives_in_use_on_a_real_kernel_are_never_free_and_each_guard_is_why() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/drives");
    for (is_missing, what) in [
        (!folder.join("vmlinuz").is_file(), "target/drives"),
        (!has_program("qemu-system-x86_64"), "QEMU"),
    ] {
        if is_missing {
            let why = format!("there is no {what}: run `tools/setup test`");
            return skipped("drives in a virtual machine", &why);
        }
    }
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    let image = image(&fleet, "n1.img", &loaders);
    let ran = Command::new(root.join("tools/drives"))
        .arg(&folder)
        .arg(env!("CARGO_BIN_EXE_ephemeros"))
        .arg(&image)
        .arg(Path::new(env!("CARGO_BIN_EXE_ephemeros")).with_file_name("examples/unguarded"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let parts = |name: &str| -> Vec<String> {
        let heading = format!("== {name}\n");
        let parts = said.split(&heading).skip(1);
        let parts = parts.filter_map(|it| it.split("== end").next());
        parts.map(str::to_owned).collect()
    };
    let list = |name: &str| {
        let lists = parts(name);
        let text = lists
            .first()
            .unwrap_or_else(|| panic!("no list `{name}`:\n{said}"));
        serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{error}:\n{said}"))
    };
    let expect = |name: &str, sticks: [&str; 4]| {
        let others = [
            ("LARGE", "large"),
            ("DISK", "not-removable"),
            ("SMALL", "too-small"),
            ("COARSE", "sectors"),
        ];
        let mut all: Told = others
            .map(|(serial, why)| (serial.to_owned(), why.to_owned()))
            .into();
        let numbered = sticks.iter().enumerate();
        all.extend(numbered.map(|(at, why)| (format!("STICK{}", at + 1), (*why).to_owned())));
        let list = list(name);
        assert_eq!(told(&list), all, "{name}:\n{said}");
        let drives = list["devices"].as_array().unwrap().iter();
        let mut discs = drives.filter(|it| it["name"] == "sr0");
        let disc = discs.next().unwrap();
        assert_eq!(disc["refused"][0]["reason"], "no-drive", "{disc:#}");
    };
    expect("free", ["free"; 4]);
    expect("used", ["system held", "held part", "swap", "mounted held"]);
    expect("left", ["free", "part", "free", "free"]);
    let used = list("used");
    let buses = used["devices"].as_array().unwrap().iter();
    let mut buses = buses.filter(|it| it["serial"] == "STICK1");
    let first = buses.next().unwrap();
    assert_eq!(first["transport"], "usb");
    assert_eq!(first["uses"][1]["by"], "/home");
    assert_eq!(first["uses"][1]["through"][1], "dm-0");
    // The four sticks, the disc, the volume and the array, whatever is forced.
    let refused = parts("refused");
    assert_eq!(refused.len(), 7, "{said}");
    for one in refused {
        assert!(
            one.contains("error: ") && one.contains("nothing was written"),
            "{one}"
        );
        assert!(
            !one.contains("it was written") && !one.contains("it was changed"),
            "{one}"
        );
    }
    let written = parts("written").concat();
    assert!(written.contains("is the stick of n1 now"), "{said}");
    assert!(written.contains("node         n1"), "{said}");
    // What the kernel says to who opens it and what the guard does is the same; here nothing is opened for writing.
    for (name, why) in [("contained", "taken"), ("untaken", "free")] {
        assert_eq!(told(&list(name))["STICK1"], why, "{name}:\n{said}");
    }
    check_cases(&said);
    // The kernel has read the new table, which is in sectors.
    let table = Part::ALL.map(|part| {
        let (start, length) = part.place(Sector::Of512);
        format!("part {} {} \n", start / 512, length / 512)
    });
    assert!(written.contains(&table.concat()), "{said}");
}
