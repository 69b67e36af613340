//! What sysfs tells of a drive, and udev where that is asked.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::attribute::{attribute, needed, pair, vital_product_data};
use super::blocks::{Block, Blocks};
use super::mounts::block_at;
use super::{Device, Kind, Number, Partition, Roots, place};

/// What sysfs counts in, whatever a drive's own sectors are, in bytes.
const UNIT: u64 = 512;

/// What a drive hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// USB.
    Usb,
    /// A slot for SD cards, or a chip on the board.
    Mmc,
    /// A slot for memory on PCI Express.
    Nvme,
    /// SATA, or its elders.
    Sata,
    /// A virtual machine's own.
    Virtio,
    /// The kernel itself.
    Virtual,
    /// Something else.
    Other,
}

impl Transport {
    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Usb => "usb",
            Self::Mmc => "mmc",
            Self::Nvme => "nvme",
            Self::Sata => "sata",
            Self::Virtio => "virtio",
            Self::Virtual => "virtual",
            Self::Other => "other",
        }
    }

    /// From the place of a drive among the machine's devices: the nearest bus counts.
    fn of(name: &str, inside: &Path) -> Self {
        let numbered = |word: &str, bus: &str| {
            let digits = word.strip_prefix(bus);
            digits.is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
        };
        if name.starts_with("mmcblk") {
            return Self::Mmc;
        }
        let words = inside.components().rev().filter_map(|it| match it {
            Component::Normal(word) => word.to_str(),
            _ => None,
        });
        let mut buses = words.filter_map(|word| match word {
            "nvme" => Some(Self::Nvme),
            "virtual" => Some(Self::Virtual),
            _ if numbered(word, "usb") => Some(Self::Usb),
            _ if numbered(word, "ata") => Some(Self::Sata),
            _ if numbered(word, "virtio") => Some(Self::Virtio),
            _ if numbered(word, "mmc") => Some(Self::Mmc),
            _ => None,
        });
        buses.next().unwrap_or(Self::Other)
    }
}

/// A drive as sysfs and udev have it; what uses it and what is on it is found elsewhere.
pub(super) fn device(roots: &Roots, blocks: &Blocks, drive: &Block) -> Device {
    let mut unread = Vec::new();
    let folder = &drive.folder;
    let real = fs::canonicalize(folder).unwrap_or_else(|_| folder.clone());
    let sys = fs::canonicalize(&roots.sys).unwrap_or_else(|_| roots.sys.clone());
    let transport = Transport::of(&drive.name, real.strip_prefix(sys).unwrap_or(&real));
    let size = needed::<u64>(folder, "size", &mut unread) * UNIT;
    let read_only = needed::<u8>(folder, "ro", &mut unread) != 0;
    let pulled = needed::<u8>(folder, "removable", &mut unread) != 0;
    let sector = needed(folder, "queue/logical_block_size", &mut unread);
    for block in blocks.of(&drive.name) {
        if block.number.is_none() {
            unread.push(format!("the number of `{}`", block.name));
        }
        if let Err(cause) = fs::read_dir(block.folder.join("holders")) {
            unread.push(format!("what stands on `{}`: {cause}", block.name));
        }
    }
    let text = |path: &str| attribute(folder, path);
    // An SD card can be pulled out, a chip that is called the same can't.
    let is_card = text("device/type").as_deref() == Some("SD");
    let usb = real.ancestors().find(|it| it.join("idVendor").is_file());
    let usb = |path: &str| usb.and_then(|it| attribute(it, path));
    let udev = Udev::read(roots, drive.number);
    let vendor = text("device/vendor").filter(|it| it != "ATA" && !it.starts_with("0x"));
    let parts = blocks.of(&drive.name).filter(|it| it.name != drive.name);
    let partitions = parts.map(|part| {
        let udev = Udev::read(roots, part.number);
        Partition {
            name: part.name.clone(),
            size: needed::<u64>(&part.folder, "size", &mut unread) * UNIT,
            title: pair(&part.folder.join("uevent"), "PARTNAME="),
            label: udev.value("ID_FS_LABEL"),
            holds: Vec::new(),
        }
    });
    Device {
        partitions: partitions.collect(),
        path: place(roots, &drive.name),
        number: drive.number.unwrap_or(Number(0, 0)),
        kind: kind(roots, blocks, drive),
        sequence: text("diskseq").and_then(|it| it.parse().ok()),
        vendor: vendor.or_else(|| usb("manufacturer")),
        model: ["device/model", "device/name"]
            .iter()
            .find_map(|path| text(path))
            .or_else(|| usb("product"))
            .or_else(|| udev.value("ID_MODEL")),
        // What USB has is on the stick's label, too, more often than what SCSI is told.
        serial: usb("serial")
            .or_else(|| ["serial", "device/serial"].iter().find_map(|it| text(it)))
            .or_else(|| vital_product_data(folder))
            .or_else(|| udev.value("ID_SERIAL_SHORT")),
        size,
        sector,
        physical_sector: text("queue/physical_block_size")
            .and_then(|it| it.parse().ok())
            .unwrap_or(sector),
        removable: pulled || is_card || transport == Transport::Usb,
        read_only,
        transport,
        name: drive.name.clone(),
        holds: Vec::new(),
        uses: Vec::new(),
        taken: false,
        unread,
    }
}

fn kind(roots: &Roots, blocks: &Blocks, drive: &Block) -> Kind {
    let is = |path: &str| drive.folder.join(path).is_dir();
    let named = |start: &str| drive.name.starts_with(start);
    // Type 5 of SCSI reads and writes discs.
    let optical = attribute(&drive.folder, "device/type").as_deref() == Some("5");
    if named("loop") {
        let file = attribute(&drive.folder, "loop/backing_file");
        let over = file.as_ref().map(String::as_bytes);
        return match over.and_then(|file| block_at(roots, blocks, file)) {
            Some(_) => Kind::Other("a loop device over another drive"),
            // So the kernel ends a name that was removed. It may have been a drive's.
            None if over.is_some_and(|file| file.ends_with(b" (deleted)")) => {
                Kind::Other("a loop device over a file that is gone")
            }
            None => Kind::Loop(file),
        };
    }
    let others = [
        (is("dm") || named("dm-"), "a volume of the device mapper"),
        (is("md") || named("md"), "a RAID array"),
        (named("zram") || named("ram"), "a part of the memory"),
        (optical || named("sr"), "an optical drive"),
        (named("fd"), "a floppy drive"),
        (named("bcache"), "a cached volume"),
        (named("zd"), "a volume of ZFS"),
    ];
    let mut others = others.into_iter().filter(|it| it.0);
    others.next().map_or(Kind::Drive, |it| Kind::Other(it.1))
}

/// What udev has found out about a block device.
struct Udev(Option<PathBuf>);

impl Udev {
    fn read(roots: &Roots, number: Option<Number>) -> Self {
        Self(number.map(|number| roots.udev.join(format!("b{number}"))))
    }

    fn value(&self, name: &str) -> Option<String> {
        pair(self.0.as_ref()?, &format!("E:{name}="))
    }
}
