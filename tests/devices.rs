//! Which drives take a stick, on machines that are written down in a folder: sysfs, proc, dev and udev's data. A guard that
//! is taken out lets one of them through.

use std::fs;
use std::io;
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::{Path, PathBuf};

use ephemeros::stick::{
    Device, GUARDS, Kind, NeedsForce, Never, Node, Number, Roots, Signature, Transport, Verdict,
    What, device, devices, judge,
};
use tempfile::TempDir;

const MIB: u64 = 1 << 20;
const GB: u64 = 1_000_000_000;

/// Where a stick hangs on a machine.
const USB: &str = "pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0";
const SATA: &str = "pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0";
const NVME: &str = "pci0000:00/0000:00:1d.0/0000:03:00.0/nvme/nvme0";
const VIRTUAL: &str = "virtual";

/// A machine, written down. The devices are files of their size.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self {
            folder: TempDir::new().unwrap(),
        };
        for path in ["sys/block", "dev/disk/by-id", "udev", "proc/self"] {
            fs::create_dir_all(machine.path(path)).unwrap();
        }
        machine.write("proc/self/mountinfo", "");
        machine.write("proc/swaps", "Filename Type Size Used Priority\n");
        machine
    }

    /// One with a stick that may be written: `sdb`, which has `sdb1`.
    fn with_stick() -> Self {
        Self::new().stick("sdb", "8:16", 16 * GB)
    }

    fn stick(self, name: &str, number: &str, size: u64) -> Self {
        let (major, minor) = number.split_once(':').unwrap();
        let minor: u32 = minor.parse().unwrap();
        let part = format!("{name}1");
        let place = USB.replace("host6", &format!("host{}", 6 + minor));
        self.drive(name, number, &place, size)
            .part(name, &part, &format!("{major}:{}", minor + 1), size - MIB)
            .set(name, "removable", "1")
            .set(name, "device/vendor", "SanDisk ")
            .set(name, "device/model", "Ultra Fit       ")
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn append(&self, path: &str, line: &str) {
        let before = fs::read_to_string(self.path(path)).unwrap_or_default();
        self.write(path, format!("{before}{line}\n"));
    }

    fn block(&self, folder: &str, name: &str, number: &str, size: u64) {
        for (path, text) in [
            ("dev", number.to_owned()),
            ("size", (size / 512).to_string()),
            ("ro", "0".to_owned()),
            ("uevent", format!("DEVNAME={name}\n")),
        ] {
            self.write(&format!("{folder}/{path}"), text + "\n");
        }
        fs::create_dir_all(self.path(&format!("{folder}/holders"))).unwrap();
        let file = fs::File::create(self.path("dev").join(name)).unwrap();
        file.set_len(size).unwrap();
    }

    fn drive(self, name: &str, number: &str, place: &str, size: u64) -> Self {
        let folder = format!("sys/devices/{place}/block/{name}");
        self.block(&folder, name, number, size);
        symlink(self.path(&folder), self.path(&format!("sys/block/{name}"))).unwrap();
        self.set(name, "removable", "0")
            .set(name, "diskseq", "7")
            .set(name, "queue/logical_block_size", "512")
            .set(name, "queue/physical_block_size", "512")
    }

    fn part(self, drive: &str, name: &str, number: &str, size: u64) -> Self {
        let folder = format!("sys/block/{drive}/{name}");
        self.block(&folder, name, number, size);
        self.set(drive, &format!("{name}/partition"), "1")
    }

    /// An attribute of a drive in sysfs.
    fn set(self, name: &str, path: &str, text: &str) -> Self {
        self.write(&format!("sys/block/{name}/{path}"), format!("{text}\n"));
        self
    }

    fn unset(self, name: &str, path: &str) -> Self {
        let path = self.path(&format!("sys/block/{name}/{path}"));
        if path.is_dir() {
            fs::remove_dir(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        self
    }

    /// `holder` stands on `below`, which is a drive, or `drive/partition`.
    fn held(self, below: &str, holder: &str) -> Self {
        self.set(below, &format!("holders/{holder}"), "")
    }

    fn mount(self, number: &str, at: &str, kind: &str, source: &str) -> Self {
        let line = format!("36 25 {number} / {at} rw,relatime shared:1 - {kind} {source} rw");
        self.append("proc/self/mountinfo", &line);
        self
    }

    fn swap(self, path: &str) -> Self {
        self.append("proc/swaps", &format!("{path}   partition 1 0 -2"));
        self
    }

    /// Bytes on a device.
    fn mark(self, name: &str, at: u64, bytes: &[u8]) -> Self {
        let path = self.path("dev").join(name);
        let file = fs::File::options().write(true).open(path).unwrap();
        file.write_all_at(bytes, at).unwrap();
        self
    }

    fn roots(&self) -> Roots {
        Roots {
            sys: self.path("sys"),
            proc: self.path("proc"),
            dev: self.path("dev"),
            udev: self.path("udev"),
            node: recorded,
            guards: GUARDS.to_vec(),
        }
    }

    fn device(&self, name: &str) -> Device {
        let all = devices(&self.roots()).unwrap();
        let mut named = all.into_iter().filter(|it| it.name == name);
        named
            .next()
            .unwrap_or_else(|| panic!("{name} is not listed"))
    }

    fn verdict(&self, name: &str) -> Verdict {
        judge(GUARDS, &self.device(name))
    }

    #[track_caller]
    fn refuses(&self, name: &str, reasons: &[&str]) -> &Self {
        let verdict = self.verdict(name);
        let codes: Vec<&str> = verdict.refused.iter().map(Never::code).collect();
        assert_eq!(codes, reasons, "{name}: {verdict:?}");
        self
    }

    #[track_caller]
    fn forces(&self, name: &str, reasons: &[&str]) -> &Self {
        let verdict = self.verdict(name);
        let codes: Vec<&str> = verdict.forced.iter().map(NeedsForce::code).collect();
        assert_eq!(codes, reasons, "{name}: {verdict:?}");
        self
    }

    #[track_caller]
    fn frees(&self, name: &str) -> &Self {
        assert_eq!(self.verdict(name), Verdict::default(), "{name}");
        self
    }

    fn find(&self, path: &str) -> Result<String, Never> {
        device(&self.roots(), &self.path(path)).map(|it| it.name)
    }
}

/// In a written machine a file in `dev` is the block device whose name it has.
fn recorded(path: &Path) -> io::Result<Node> {
    let path = fs::canonicalize(path)?;
    let place = path.parent().filter(|it| it.ends_with("dev"));
    let block = place.map(|it| it.with_file_name("sys/block"));
    let (Some(block), Some(name)) = (block, path.file_name()) else {
        return Node::of(&path);
    };
    let parts = fs::read_dir(&block)?.map(|drive| drive.unwrap().path().join(name));
    let mut numbers = parts
        .chain([block.join(name)])
        .filter_map(|folder| fs::read_to_string(folder.join("dev")).ok());
    let Some(number) = numbers.next() else {
        return Node::of(&path);
    };
    let (major, minor) = number.trim().split_once(':').unwrap();
    Ok(Node::Block(Number(
        major.parse().unwrap(),
        minor.parse().unwrap(),
    )))
}

const LVM: (u64, &[u8]) = (512, b"LABELONE\x01\0\0\0\0\0\0\0\0\0\0\0\x20\0\0\0LVM2 001");
const MD: (u64, &[u8]) = (4096, b"\xfc\x4e\x2b\xa9\x01\0\0\0");

#[test]
fn a_stick_is_known_with_all_that_stands_on_its_label() {
    let machine = Machine::with_stick()
        .set("sdb", "sdb1/uevent", "DEVNAME=sdb1\nPARTNAME=data")
        .set("sdb", "queue/physical_block_size", "4096")
        .mark("sdb1", 82, b"FAT32   ");
    let usb = "sys/devices/pci0000:00/0000:00:14.0/usb2/2-1";
    machine.write(&format!("{usb}/idVendor"), "0781\n");
    machine.write(&format!("{usb}/serial"), "4C530001230425118064\n");
    machine.write("udev/b8:17", "S:x\nE:ID_FS_LABEL=STICK\n");
    machine.frees("sdb");
    let found = machine.device("sdb");
    assert_eq!(found.path, machine.path("dev/sdb"));
    assert_eq!(found.number, Number(8, 16));
    assert_eq!(found.kind, Kind::Drive);
    assert_eq!(found.sequence, Some(7));
    assert_eq!(found.vendor.as_deref(), Some("SanDisk"));
    assert_eq!(found.model.as_deref(), Some("Ultra Fit"));
    assert_eq!(found.serial.as_deref(), Some("4C530001230425118064"));
    assert_eq!((found.size, found.sector), (16 * GB, 512));
    assert_eq!(found.physical_sector, 4096);
    assert_eq!(found.transport, Transport::Usb);
    assert!(found.removable && !found.read_only);
    let [part] = &found.partitions[..] else {
        panic!("{:?}", found.partitions)
    };
    assert_eq!((part.name.as_str(), part.size), ("sdb1", 16 * GB - MIB));
    assert_eq!(part.title.as_deref(), Some("data"));
    assert_eq!(part.label.as_deref(), Some("STICK"));
    assert_eq!(part.holds, [Signature::Alone("FAT")]);
}

#[test]
fn serial_numbers_are_found_where_each_bus_has_them() {
    let machine = Machine::new()
        .drive("sda", "8:0", SATA, GB)
        .set("sda", "device/vpd_pg80", "\0\u{1}\0\x08  WD-1234 ")
        .set("sda", "device/vendor", "ATA")
        .drive("nvme0n1", "259:0", NVME, GB)
        .set("nvme0n1", "device/serial", "S4EVNX0")
        .drive("vda", "254:0", "pci0000:00/0000:00:02.0/virtio1", GB)
        .set("vda", "serial", "overlay")
        .drive("sdc", "8:32", "pci0/usb1/1-1/host3", GB);
    machine.write(
        "udev/b8:32",
        "E:ID_SERIAL_SHORT=FROM-UDEV\nE:ID_MODEL=Thing\n",
    );
    let told = ["sda", "nvme0n1", "vda", "sdc"].map(|name| {
        let found = machine.device(name);
        (found.serial.unwrap_or_default(), found.transport.name())
    });
    let told = told.each_ref().map(|(serial, bus)| (serial.as_str(), *bus));
    assert_eq!(
        told,
        [
            ("WD-1234", "sata"),
            ("S4EVNX0", "nvme"),
            ("overlay", "virtio"),
            ("FROM-UDEV", "usb")
        ]
    );
    assert_eq!(machine.device("sda").vendor, None);
    assert_eq!(machine.device("sdc").model.as_deref(), Some("Thing"));
}

#[test]
fn what_a_terminal_would_obey_is_taken_out_of_names() {
    let machine = Machine::with_stick()
        .set("sdb", "device/model", "\u{1b}[2Jsda\r\u{202e}x")
        .set("sdb", "sdb1/uevent", "PARTNAME=a\u{7}b");
    machine.write("udev/b8:17", "E:ID_FS_LABEL=a\u{9b}b\n");
    let found = machine.device("sdb");
    assert_eq!(
        found.model.as_deref(),
        Some("\u{fffd}[2Jsda\u{fffd}\u{fffd}x")
    );
    assert_eq!(found.partitions[0].title.as_deref(), Some("a\u{fffd}b"));
    assert_eq!(found.partitions[0].label.as_deref(), Some("a\u{fffd}b"));
}

#[test]
fn a_mounted_stick_is_never_written() {
    for number in ["8:16", "8:17"] {
        let machine = Machine::with_stick().mount(number, "/mnt", "vfat", "/dev/x");
        machine.refuses("sdb", &["mounted"]).forces("sdb", &[]);
    }
    // Where no file system is between: a bind mount of a file in it, at a place with a space in its name.
    let machine = Machine::with_stick();
    let line = "40 25 8:17 /in/it /a\\040b ro,nosuid - ext4 /dev/sdb1 rw";
    machine.append("proc/self/mountinfo", line);
    let Never::Mounted(at) = &machine.verdict("sdb").refused[0] else {
        panic!("not mounted")
    };
    assert_eq!(at[..], ["`/a b` (sdb1)"]);
}

#[test]
fn what_only_another_process_sees_mounted_is_mounted() {
    let machine = Machine::with_stick();
    for (process, namespace) in [("self", "mnt:[1]"), ("17", "mnt:[1]"), ("42", "mnt:[2]")] {
        fs::create_dir_all(machine.path(&format!("proc/{process}/ns"))).unwrap();
        symlink(namespace, machine.path(&format!("proc/{process}/ns/mnt"))).unwrap();
    }
    machine.append(
        "proc/42/mountinfo",
        "40 25 8:17 / /srv/x rw - ext4 /dev/sdb1 rw",
    );
    machine.refuses("sdb", &["mounted"]);
}

#[test]
fn every_drive_of_a_mounted_btrfs_is_mounted() {
    let machine = Machine::with_stick().stick("sdc", "8:32", 16 * GB).mount(
        "0:45",
        "/mnt",
        "btrfs",
        "/dev/sdb1",
    );
    machine.refuses("sdb", &["mounted"]).frees("sdc");
    for name in ["sdb1", "sdc"] {
        machine.write(&format!("sys/fs/btrfs/6b1e/devices/{name}"), "");
    }
    machine
        .refuses("sdb", &["mounted"])
        .refuses("sdc", &["mounted"]);
    // Somebody else has it, whom we can't ask.
    machine.write("proc/self/mountinfo", "");
    machine.refuses("sdb", &["held"]).refuses("sdc", &["held"]);
    let machine = Machine::with_stick().stick("sdc", "8:32", 16 * GB).mount(
        "0:46",
        "/mnt",
        "bcachefs",
        "/dev/sdb:/dev/sdc1",
    );
    machine
        .refuses("sdb", &["mounted"])
        .refuses("sdc", &["mounted"]);
}

#[test]
fn swap_is_never_written() {
    let machine = Machine::with_stick().swap("/dev/sdb1");
    machine.refuses("sdb", &["swap"]);
    let machine = Machine::with_stick().swap("/dev/sdb");
    machine.refuses("sdb", &["swap"]);
    // A file, on the file system that lies on top where it stands.
    let machine = Machine::with_stick()
        .stick("sdc", "8:32", 16 * GB)
        .mount("8:33", "/", "ext4", "/dev/sdc1")
        .mount("8:17", "/mnt/a\\040b", "ext4", "/dev/sdb1")
        .swap("/mnt/a\\040b/swap");
    machine
        .refuses("sdb", &["mounted", "swap"])
        .refuses("sdc", &["system"]);
    assert_eq!(
        machine.verdict("sdb").refused[1].to_string(),
        "it is used as swap: `/mnt/a b/swap` (sdb1)"
    );
}

/// `/` on LVM on LUKS on the third partition, swap beside it.
fn laptop() -> Machine {
    let volume = |machine: Machine, name: &str, minor: u32, id: &str, called: &str| {
        machine
            .drive(name, &format!("253:{minor}"), VIRTUAL, 100 * GB)
            .set(name, "dm/uuid", id)
            .set(name, "dm/name", called)
    };
    let mut machine = Machine::with_stick().drive("nvme0n1", "259:0", NVME, 200 * GB);
    for number in 1..4_u32 {
        let name = format!("nvme0n1p{number}");
        machine = machine.part("nvme0n1", &name, &format!("259:{number}"), GB);
    }
    machine = volume(machine, "dm-0", 0, "CRYPT-LUKS2-1", "cryptroot");
    machine = volume(machine, "dm-1", 1, "LVM-a", "vg-root");
    machine = volume(machine, "dm-2", 2, "LVM-b", "vg-swap");
    machine
        .held("nvme0n1/nvme0n1p3", "dm-0")
        .held("dm-0", "dm-1")
        .held("dm-0", "dm-2")
        .mount("0:22", "/proc", "proc", "proc")
        .mount("253:1", "/", "ext4", "/dev/mapper/vg-root")
        .mount("259:2", "/boot", "ext4", "/dev/nvme0n1p2")
        .mount("259:1", "/boot/efi", "vfat", "/dev/nvme0n1p1")
        .swap("/dev/dm-2")
}

#[test]
fn the_drive_of_the_running_system_is_found_through_all_that_lies_between() {
    let machine = laptop();
    machine
        .frees("sdb")
        .refuses("nvme0n1", &["system", "swap", "held"])
        .forces("nvme0n1", &["not-removable"])
        .refuses("dm-0", &["no-drive", "system", "swap", "held"])
        .refuses("dm-1", &["no-drive", "system"]);
    let said = machine.verdict("nvme0n1").refused;
    assert_eq!(
        said[0].to_string(),
        "the running system is on it: `/boot/efi` (nvme0n1p1), `/boot` (nvme0n1p2), \
         `/` (nvme0n1p3 > dm-0 > dm-1)"
    );
    assert_eq!(
        said[1].to_string(),
        "it is used as swap: nvme0n1p3 > dm-0 > dm-2"
    );
    assert_eq!(
        said[2].to_string(),
        "it is a part of an encrypted volume `cryptroot` (dm-0) (nvme0n1p3), LVM `vg-root` (dm-1) \
         (nvme0n1p3 > dm-0), LVM `vg-swap` (dm-2) (nvme0n1p3 > dm-0)"
    );
}

#[test]
fn a_running_part_is_never_written_and_an_idle_one_only_by_force() {
    let idle = [("sdb", LVM), ("sdb1", LVM), ("sdb", MD), ("sdb1", MD)];
    for (name, (at, mark)) in idle {
        let machine = Machine::with_stick().mark(name, at, mark);
        machine.refuses("sdb", &[]).forces("sdb", &["part"]);
    }
    let machine = Machine::with_stick()
        .drive("md127", "9:127", VIRTUAL, GB)
        .mark("sdb1", MD.0, MD.1)
        .held("sdb/sdb1", "md127");
    machine
        .refuses("sdb", &["held"])
        .forces("sdb", &["part"])
        .refuses("md127", &["no-drive"]);
    let machine = machine.mount("9:127", "/srv/x", "ext4", "/dev/md127");
    machine.refuses("sdb", &["mounted", "held"]);
    // Both paths of one drive.
    let machine = Machine::with_stick()
        .stick("sdc", "8:32", 16 * GB)
        .drive("dm-0", "253:0", VIRTUAL, 16 * GB)
        .set("dm-0", "dm/uuid", "mpath-3600")
        .set("dm-0", "dm/name", "mpatha")
        .held("sdb", "dm-0")
        .held("sdc", "dm-0");
    machine.refuses("sdb", &["held"]).refuses("sdc", &["held"]);
}

#[test]
fn a_pool_of_zfs_that_is_imported_is_never_written() {
    let uberblock = 0x00ba_b10c_u64.to_le_bytes();
    let pool = b"\0\0\0\x04name\0\0\0\x09\0\0\0\x01\0\0\0\x04tank";
    let machine = Machine::with_stick()
        .mark("sdb1", 128 << 10, &uberblock)
        .mark("sdb1", (16 << 10) + 64, pool);
    machine.write("proc/spl/kstat/zfs/other/state", "ONLINE\n");
    machine.refuses("sdb", &[]).forces("sdb", &["part"]);
    machine.write("proc/spl/kstat/zfs/tank/state", "ONLINE\n");
    machine.refuses("sdb", &["held"]).forces("sdb", &["part"]);
}

#[test]
fn a_loop_device_over_something_in_use_counts_for_the_drive_below() {
    // A live system: its root is a file on the stick that it started from.
    let live = Machine::with_stick()
        .drive("loop0", "7:0", VIRTUAL, GB)
        .set("loop0", "loop/backing_file", "/run/live/root.squashfs")
        .mount("8:17", "/run/live", "vfat", "/dev/sdb1")
        .mount("7:0", "/", "squashfs", "/dev/loop0");
    live.refuses("sdb", &["system", "mounted"]);
    live.refuses("loop0", &["system"]);
    // Over the drive itself, of which the kernel knows nothing.
    let over = Machine::with_stick()
        .drive("loop0", "7:0", VIRTUAL, 16 * GB)
        .set("loop0", "loop/backing_file", "/dev/sdb");
    over.refuses("sdb", &["held"])
        .refuses("loop0", &["no-drive"]);
    let over = over.mount("7:0", "/mnt", "ext4", "/dev/loop0");
    over.refuses("sdb", &["mounted", "held"]);
}

#[test]
fn a_loop_device_needs_no_force() {
    let machine = Machine::new()
        .drive("loop0", "7:0", VIRTUAL, GB)
        .set("loop0", "loop/backing_file", "/home/me/a.img")
        .drive("loop1", "7:1", VIRTUAL, 300 << 30)
        .set("loop1", "loop/backing_file", "/home/me/b.img")
        .drive("loop2", "7:2", VIRTUAL, 0);
    machine.frees("loop0");
    machine.refuses("loop1", &[]).forces("loop1", &["large"]);
    machine.refuses("loop2", &["empty"]);
}

#[test]
fn a_card_can_be_pulled_out_and_a_chip_cannot() {
    let place = "platform/soc/mmc_host/mmc0/mmc0:0001";
    let machine = Machine::new()
        .drive("mmcblk0", "179:0", place, 32 * GB)
        .set("mmcblk0", "device/type", "SD")
        .set("mmcblk0", "device/name", "SC32G")
        .drive(
            "mmcblk1",
            "179:8",
            "platform/mmc_host/mmc1/mmc1:0001",
            32 * GB,
        )
        .set("mmcblk1", "device/type", "MMC")
        .drive(
            "mmcblk1boot0",
            "179:16",
            "platform/mmc_host/mmc1/x",
            4 * MIB,
        )
        .set("mmcblk1boot0", "ro", "1");
    machine.frees("mmcblk0");
    assert_eq!(machine.device("mmcblk0").transport, Transport::Mmc);
    assert_eq!(machine.device("mmcblk0").model.as_deref(), Some("SC32G"));
    machine
        .refuses("mmcblk1", &[])
        .forces("mmcblk1", &["not-removable"]);
    machine.refuses("mmcblk1boot0", &["too-small", "read-only"]);
}

#[test]
fn a_drive_that_may_be_built_in_needs_force() {
    let machine = Machine::new().drive("sda", "8:0", SATA, 100 * GB);
    machine
        .refuses("sda", &[])
        .forces("sda", &["not-removable"]);
    // A disk behind USB does not call itself removable, and is.
    let machine = Machine::with_stick().set("sdb", "removable", "0");
    machine.frees("sdb");
}

#[test]
fn what_only_looks_like_a_drive_is_none() {
    let machine = Machine::new()
        .drive("sr0", "11:0", &USB.replace("target6", "target7"), GB)
        .set("sr0", "device/type", "5")
        .set("sr0", "removable", "1")
        .set("sr0", "ro", "1")
        .set("sr0", "queue/logical_block_size", "2048")
        .drive("zram0", "252:0", VIRTUAL, GB)
        .drive("ram0", "1:0", VIRTUAL, GB)
        .drive("md0", "9:0", VIRTUAL, GB)
        .drive("dm-0", "253:0", VIRTUAL, GB)
        .drive("bcache0", "250:0", VIRTUAL, GB)
        .drive("zd0", "230:0", VIRTUAL, GB)
        .drive("fd0", "2:0", "platform/floppy.0", GB)
        .set("fd0", "removable", "1");
    for name in [
        "sr0", "zram0", "ram0", "md0", "dm-0", "bcache0", "zd0", "fd0",
    ] {
        machine.refuses(name, &["no-drive"]).forces(name, &[]);
    }
    // To open an optical drive would close its tray.
    fs::remove_file(machine.path("dev/sr0")).unwrap();
    machine.refuses("sr0", &["no-drive"]);
}

#[test]
fn a_read_only_stick_is_never_written() {
    let machine = Machine::with_stick().set("sdb", "ro", "1");
    machine.refuses("sdb", &["read-only"]).forces("sdb", &[]);
}

#[test]
fn a_stick_must_fit() {
    let sized = |sector: &str, size: u64| {
        Machine::new()
            .stick("sdb", "8:16", size)
            .set("sdb", "queue/logical_block_size", sector)
    };
    sized("512", 128 * MIB).frees("sdb");
    sized("512", 128 * MIB - 512).refuses("sdb", &["too-small"]);
    sized("4096", 512 * MIB).frees("sdb");
    sized("4096", 512 * MIB - 4096).refuses("sdb", &["too-small"]);
    sized("2048", GB).refuses("sdb", &["sectors"]);
    sized("512", 256 << 30).frees("sdb");
    sized("512", (256 << 30) + 512)
        .refuses("sdb", &[])
        .forces("sdb", &["large"]);
    let empty = Machine::new().drive("sdb", "8:16", USB, 0);
    empty.refuses("sdb", &["empty"]);
}

#[test]
fn what_cannot_be_read_is_not_free() {
    for attribute in [
        "size",
        "ro",
        "removable",
        "queue/logical_block_size",
        "dev",
        "holders",
        "sdb1/dev",
        "sdb1/holders",
        "sdb1/size",
    ] {
        let machine = Machine::with_stick().unset("sdb", attribute);
        let verdict = machine.verdict("sdb");
        let unread = verdict.refused.iter().any(|it| it.code() == "unread");
        assert!(unread, "{attribute}: {verdict:?}");
    }
    let machine = Machine::with_stick().set("sdb", "ro", "maybe");
    machine.refuses("sdb", &["unread"]);
    for name in ["sdb", "sdb1"] {
        let machine = Machine::with_stick();
        fs::remove_file(machine.path("dev").join(name)).unwrap();
        machine.refuses("sdb", &["unread"]);
    }
    let machine = Machine::with_stick();
    fs::remove_file(machine.path("proc/self/mountinfo")).unwrap();
    machine.refuses("sdb", &["unread"]);
    for line in [
        "36 25 8:17",
        "a b c d e f - g h",
        "36 25 8:x / / rw - ext4 /dev/sdb1",
    ] {
        let machine = Machine::with_stick();
        machine.append("proc/self/mountinfo", line);
        machine.refuses("sdb", &["unread"]);
    }
    let machine = Machine::with_stick();
    fs::remove_file(machine.path("proc/swaps")).unwrap();
    machine.frees("sdb");
    fs::create_dir(machine.path("proc/swaps")).unwrap();
    machine.refuses("sdb", &["unread"]);
    let nothing = Machine::new();
    fs::remove_dir(nothing.path("sys/block")).unwrap();
    assert!(devices(&nothing.roots()).is_err());
}

#[test]
fn a_name_that_is_anothers_is_not_read() {
    // Both are there, and what is called `sdb` is `sdc`.
    let machine = Machine::with_stick().stick("sdc", "8:32", 16 * GB);
    fs::remove_file(machine.path("dev/sdb")).unwrap();
    symlink("sdc", machine.path("dev/sdb")).unwrap();
    machine.refuses("sdb", &["unread"]).frees("sdc");
}

#[test]
fn paths_behind_a_drive_of_several_paths_are_not_listed() {
    let machine = Machine::with_stick()
        .drive("nvme0c0n1", "259:9", NVME, GB)
        .set("nvme0c0n1", "hidden", "1");
    let names = devices(&machine.roots()).unwrap();
    let names: Vec<String> = names.into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["sdb"]);
}

#[test]
fn a_drive_is_found_by_every_path_that_leads_to_it_and_nothing_else_is() {
    let machine = Machine::with_stick();
    let links = [
        ("usb-SanDisk", "../../sdb"),
        ("usb-SanDisk-part1", "../../sdb1"),
    ];
    for (name, target) in links {
        symlink(target, machine.path("dev/disk/by-id").join(name)).unwrap();
    }
    assert_eq!(machine.find("dev/sdb"), Ok("sdb".to_owned()));
    assert_eq!(
        machine.find("dev/disk/by-id/usb-SanDisk"),
        Ok("sdb".to_owned())
    );
    for path in ["dev/sdb1", "dev/disk/by-id/usb-SanDisk-part1"] {
        let never = machine.find(path).unwrap_err();
        assert_eq!(never.code(), "partition", "{never}");
        let drive = machine.path("dev/sdb").display().to_string();
        assert!(never.help().contains(&drive), "{}", never.help());
    }
    machine.write("dev/a.img", "x");
    let fifo = machine.path("dev/fifo");
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    symlink("/dev/null", machine.path("dev/null")).unwrap();
    for (path, is) in [
        ("dev/a.img", "a file"),
        ("dev/fifo", "a pipe"),
        ("dev/null", "a character device"),
        ("dev/disk", "a folder"),
    ] {
        let never = machine.find(path).unwrap_err();
        let shown = machine.path(path).display().to_string();
        assert_eq!(never, Never::NoBlockDevice { path: shown, is });
    }
    for path in ["dev/sdz", "dev/a.img/x"] {
        assert_eq!(machine.find(path).unwrap_err().code(), "absent");
    }
}

#[test]
fn all_reasons_are_told_at_once() {
    let machine = Machine::new()
        .drive("sda", "8:0", SATA, 300 << 30)
        .part("sda", "sda1", "8:1", GB)
        .part("sda", "sda2", "8:2", GB)
        .part("sda", "sda3", "8:3", GB)
        .set("sda", "ro", "1")
        .mark("sda3", LVM.0, LVM.1)
        .held("sda/sda3", "dm-0")
        .mount("8:1", "/", "ext4", "/dev/sda1")
        .mount("8:1", "/media/x", "ext4", "/dev/sda1")
        .swap("/dev/sda2");
    machine
        .refuses("sda", &["read-only", "system", "mounted", "swap", "held"])
        .forces("sda", &["not-removable", "large", "part"]);
    for never in machine.verdict("sda").refused {
        assert!(!never.help().is_empty());
    }
    // And each by its own guard.
    for guard in GUARDS {
        let Verdict { refused, forced } = judge(&[*guard], &machine.device("sda"));
        let codes = refused.iter().map(Never::code);
        let mut codes = codes.chain(forced.iter().map(NeedsForce::code));
        assert!(codes.all(|it| it == guard.code), "{guard:?}");
    }
    let uses = machine.device("sda").uses;
    let held = uses.iter().find(|it| matches!(it.what, What::Held(_)));
    assert_eq!(held.unwrap().through, ["sda3"]);
}
