//! `boot_device`: the disk that the machine boots from, mirrored, encrypted, or both.
//!
//! The partitions replicate those of the OS image, as coreos-assembler's `create_disk.sh` makes them; what is laid out
//! anew must not be smaller, and the BIOS partition must stay where it is.

use crate::ignition::report::{Names, Place, Report};
use crate::ignition::schema::{CLEVIS, CONFIG, DISK, FILESYSTEM, LUKS, PARTITION, RAID};
use crate::ignition::spec::Spec;
use crate::ignition::value::{Struct, Value};

const RESERVED: (&str, i64, &str) = ("reserved", 1, "8DA63339-0007-60C0-C436-083AC8230908");
const BIOS: (&str, i64, &str) = ("bios", 1, "21686148-6449-6E6F-744E-656564454649");
const PREP: (&str, i64, &str) = ("prep", 4, "9E1A2D38-C612-4316-AA26-8B49521E5A8B");
const ESP: (&str, i64, &str) = ("esp", 127, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
const BOOT_MIB: i64 = 384;

/// Checks the section as it is written.
pub(super) fn check(boot: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    check_layout(boot, at, report);
    check_luks(boot, at, report);
    let Some(mirror) = boot.child("mirror") else {
        return;
    };
    let place = at.field(boot, "mirror");
    match mirror.list("devices").len() {
        0 => return,
        1 => report.error(
            &place.field(mirror, "devices"),
            ("a mirror of one device", "list at least two devices"),
        ),
        _ => {}
    }
    if boot.get("layout").is_none() {
        let message = (
            "a mirror without a layout",
            "set `boot_device.layout`, for example to `x86_64`",
        );
        if report.spec >= Spec::V3_6 {
            report.error(&place, message);
        } else {
            report.warn(&place, message);
        }
    }
}

fn check_layout(boot: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let Some(layout) = boot.text("layout") else {
        return;
    };
    let at = at.key("layout", boot.get("layout").and_then(|layout| layout.span));
    let s390x =
        matches!(layout, "s390x-eckd" | "s390x-virt" | "s390x-zfcp") && report.spec >= Spec::V3_5;
    if !s390x {
        if !matches!(layout, "aarch64" | "ppc64le" | "x86_64") {
            report.error(&at, if report.spec >= Spec::V3_5 { ("unknown layout", "use `aarch64`, `ppc64le`, `s390x-eckd`, `s390x-virt`, `s390x-zfcp` or `x86_64`") } else { ("unknown layout", "use `aarch64`, `ppc64le` or `x86_64`") });
        }
        return;
    }
    let device = boot.child("luks").and_then(|luks| luks.filled("device"));
    let prefix = match layout {
        "s390x-eckd" => Some("/dev/dasd"),
        "s390x-zfcp" => Some("/dev/sd"),
        _ => None,
    };
    match (prefix, device) {
        (Some(_), None) => report.error(
            &at,
            (
                "this layout needs the device",
                "set `luks.device` to the whole disk",
            ),
        ),
        (Some(prefix), Some(device)) if !is_whole_disk(device, prefix) => {
            let message = (
                "the device does not fit the layout",
                "use a whole disk: `/dev/dasda` for `s390x-eckd`, `/dev/sda` for `s390x-zfcp`",
            );
            report.error(&at, message);
        }
        _ => {}
    }
    if boot
        .child("mirror")
        .is_some_and(|mirror| !mirror.list("devices").is_empty())
    {
        report.error(&at, ("this layout can't be mirrored", "remove `mirror`"));
    }
}

/// `/dev/sda`, not `/dev/sda1`.
fn is_whole_disk(device: &str, prefix: &str) -> bool {
    let letter = device
        .as_bytes()
        .last()
        .filter(|byte| byte.is_ascii_lowercase());
    letter.is_some() && device[..device.len() - 1].ends_with(prefix)
}

fn check_luks(boot: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let Some(luks) = boot.child("luks") else {
        return;
    };
    let place = at.field(boot, "luks");
    if !wants_cex(luks) {
        if report.spec >= Spec::V3_6 && luks.filled("device").is_some() && !wants_clevis(luks) {
            report.error(
                &place.key("luks", None),
                ("encryption without a method", "set `tpm2`, `tang` or `cex`"),
            );
        }
        return;
    }
    if wants_clevis(luks) {
        report.error(
            &place,
            ("CEX and clevis exclude each other", "choose one of them"),
        );
    }
    let message = (
        "CEX is for s390x only",
        "set a layout of s390x, or use another method",
    );
    match boot.text("layout") {
        None => report.error(&place.field(luks, "cex"), message),
        Some(layout) if !layout.starts_with("s390x") => {
            report.error(&at.field(boot, "layout"), message);
        }
        Some(_) => {}
    }
}

fn wants_cex(luks: &Struct) -> bool {
    luks.child("cex").is_some_and(|cex| cex.is_true("enabled"))
}

fn wants_clevis(luks: &Struct) -> bool {
    luks.is_true("tpm2") || !luks.list("tang").is_empty()
}

/// What the section stands for; `None` when it asks for nothing.
pub(super) fn generate(boot: &Struct) -> Option<Struct> {
    let luks = boot
        .child("luks")
        .filter(|luks| wants_cex(luks) || wants_clevis(luks));
    let mirror = boot
        .child("mirror")
        .filter(|mirror| !mirror.list("devices").is_empty());
    if luks.is_none() && mirror.is_none() {
        return None;
    }
    let layout = boot.text("layout").unwrap_or("x86_64");
    let mut config = Struct::new(&CONFIG);
    let storage = config.child_mut("storage");
    let root = Place::root(None);
    let at = root.key("boot_device", None);
    let origin = |name: &str| at.key(name, None).path(Names::Yaml);
    let mut filesystems = Vec::new();
    if let (Some(mirror), Some(value)) = (mirror, boot.get("mirror")) {
        let devices = mirror.list("devices");
        let parts = partitions_before_boot(layout);
        let list = at.key("mirror", None);
        let list = list.key("devices", None);
        let mut disks = Vec::new();
        for (index, device) in devices.iter().enumerate() {
            let origin = list.index(index, None).path(Names::Yaml);
            let number = index + 1;
            disks.push(disk(device, number, parts).made_from(&origin, device.span));
            if parts.iter().any(|part| part.0 == ESP.0) {
                let device_of_esp = format!("/dev/disk/by-partlabel/esp-{number}");
                let esp = filesystem(&device_of_esp, "vfat", &format!("esp-{number}"));
                filesystems.push(esp.made_from(&origin, device.span));
            }
        }
        storage.set("disks", disks);
        let raids = ["boot", "root"]
            .map(|name| raid(name, devices.len()).made_from(&origin("mirror"), value.span));
        storage.set("raid", raids.to_vec());
        let boot = filesystem("/dev/md/md-boot", "ext4", "boot");
        filesystems.push(boot.made_from(&origin("mirror"), value.span));
    }
    if let (Some(luks), Some(value)) = (luks, boot.get("luks")) {
        let disk = luks.text("device").unwrap_or_default();
        let device = match layout {
            "s390x-eckd" => format!("{disk}2"),
            "s390x-zfcp" => format!("{disk}4"),
            _ if mirror.is_some() => "/dev/md/md-root".to_owned(),
            _ => "/dev/disk/by-partlabel/root".to_owned(),
        };
        let volume = encrypted(luks, &device, value, &origin("luks"));
        storage.set("luks", vec![volume]);
    }
    let device = if luks.is_some() {
        "/dev/mapper/root"
    } else {
        "/dev/md/md-root"
    };
    filesystems.push(filesystem(device, "xfs", "root").made_from(&at.path(Names::Yaml), None));
    storage.set("filesystems", filesystems);
    Some(config)
}

fn partitions_before_boot(layout: &str) -> [(&'static str, i64, &'static str); 2] {
    match layout {
        "x86_64" => [BIOS, ESP],
        "aarch64" => [RESERVED, ESP],
        "ppc64le" => [PREP, RESERVED],
        _ => [RESERVED, RESERVED],
    }
}

fn disk(device: &Value, number: usize, parts: [(&str, i64, &str); 2]) -> Value {
    let partition = |name: &str| Struct::new(&PARTITION).with("label", format!("{name}-{number}"));
    let mut partitions: Vec<Value> = Vec::new();
    for (name, size, guid) in parts {
        partitions.push(
            partition(name)
                .with("sizeMiB", size)
                .with("typeGuid", guid)
                .into(),
        );
    }
    partitions.push(partition("boot").with("sizeMiB", BOOT_MIB).into());
    partitions.push(partition("root").into());
    Struct::new(&DISK)
        .with("device", device.as_text().unwrap_or_default())
        .with("partitions", partitions)
        .with("wipeTable", true)
        .into()
}

fn raid(name: &str, devices: usize) -> Value {
    let device = |number| Value::from(format!("/dev/disk/by-partlabel/{name}-{number}"));
    let raid = Struct::new(&RAID)
        .with("devices", (1..=devices).map(device).collect::<Vec<_>>())
        .with("level", "raid1")
        .with("name", format!("md-{name}"));
    match name {
        // The superblock at the end, so that the BIOS boot loader need not know RAID.
        "boot" => raid.with("options", vec!["--metadata=1.0".into()]).into(),
        _ => raid.into(),
    }
}

fn filesystem(device: &str, format: &str, label: &str) -> Value {
    Struct::new(&FILESYSTEM)
        .with("device", device)
        .with("format", format)
        .with("label", label)
        .with("wipeFilesystem", true)
        .into()
}

/// The root volume; what unlocks it keeps the places that it has in the section.
fn encrypted(luks: &Struct, device: &str, section: &Value, origin: &str) -> Value {
    let volume = Struct::new(&LUKS)
        .with("device", device)
        .with("label", "luks-root")
        .with("name", "root")
        .with("wipeVolume", true);
    let mut volume = Value::from(volume).made_from(origin, section.span);
    let Some(fields) = volume.as_struct_mut() else {
        return volume;
    };
    if let Some(discard) = luks.get("discard") {
        fields.set("discard", discard.clone());
    }
    if let Some(cex) = luks.get("cex").filter(|_| wants_cex(luks)) {
        fields.set("cex", cex.clone());
    } else {
        let mut clevis = Struct::new(&CLEVIS);
        for name in ["tang", "threshold", "tpm2"] {
            if let Some(value) = luks.get(name) {
                clevis.set(name, value.clone());
            }
        }
        fields.set(
            "clevis",
            Value {
                origin: Some(origin.into()),
                span: section.span,
                ..Value::from(clevis)
            },
        );
    }
    volume
}
