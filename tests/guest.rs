//! The drives of a virtual machine with a kernel that has USB, the device mapper and md, as the tool tells of them. It takes
//! `tools/setup test`, which fetches that kernel.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use ephemeros::stick::{Part, Sector};
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

#[test]
fn drives_in_use_on_a_real_kernel_are_never_free() {
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
        let mut all: Told = [("LARGE", "large"), ("DISK", "not-removable")]
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
    // The kernel has read the new table, which is in sectors.
    let table = Part::ALL.map(|part| {
        let (start, length) = part.place(Sector::Of512);
        format!("part {} {} \n", start / 512, length / 512)
    });
    assert!(written.contains(&table.concat()), "{said}");
}
