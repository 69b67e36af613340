//! What sysfs tells of block devices, and udev where that is asked.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use super::mounts::{block_at, names_below};
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
    /// NVMe.
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

impl Number {
    /// From `8:16`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (major, minor) = text.trim().split_once(':')?;
        Some(Self(major.parse().ok()?, minor.parse().ok()?))
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.0, self.1)
    }
}

/// A block device: a drive or a partition.
pub(super) struct Block {
    pub(super) name: String,
    /// `None` where it can't be read.
    pub(super) number: Option<Number>,
    /// The drive that it is a part of, or itself.
    pub(super) drive: String,
    /// The block devices that stand on it.
    pub(super) holders: Vec<String>,
    folder: PathBuf,
}

/// All block devices.
pub(super) struct Blocks {
    all: BTreeMap<String, Block>,
    /// Loop devices, and the files behind them.
    pub(super) loops: Vec<(String, PathBuf)>,
}

impl Blocks {
    pub(super) fn read(roots: &Roots) -> io::Result<Self> {
        let root = roots.sys.join("block");
        let mut blocks = Self {
            all: BTreeMap::new(),
            loops: Vec::new(),
        };
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            let drive = entry.file_name().to_string_lossy().into_owned();
            // The paths behind a drive of several paths are no drives of their own.
            if attribute(&entry.path(), "hidden").as_deref() == Some("1") {
                continue;
            }
            let parts = names_below(&entry.path());
            let parts = parts.filter(|(_, path)| path.join("partition").exists());
            let parts: Vec<_> = parts.collect();
            for (name, folder) in parts.into_iter().chain([(drive.clone(), entry.path())]) {
                let block = Block {
                    number: attribute(&folder, "dev").and_then(|it| Number::read(&it)),
                    drive: drive.clone(),
                    holders: names_below(&folder.join("holders"))
                        .map(|it| it.0)
                        .collect(),
                    name: name.clone(),
                    folder,
                };
                blocks.all.insert(name, block);
            }
        }
        blocks.connect(roots);
        Ok(blocks)
    }

    /// A loop device over a drive is no holder to the kernel.
    fn connect(&mut self, roots: &Roots) {
        for name in self.all.keys().filter(|name| name.starts_with("loop")) {
            let folder = &self.all[name].folder;
            if let Some(file) = attribute(folder, "loop/backing_file") {
                self.loops.push((name.clone(), PathBuf::from(file)));
            }
        }
        for (name, file) in &self.loops {
            let below = block_at(roots, self, file.as_os_str().as_encoded_bytes());
            if let Some(below) = below.and_then(|below| self.all.get_mut(&below)) {
                below.holders.push(name.clone());
            }
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Block> {
        self.all.get(name)
    }

    pub(super) fn by_number(&self, number: Number) -> Option<&Block> {
        self.all.values().find(|it| it.number == Some(number))
    }

    /// Those that are no partitions.
    pub(super) fn drives(&self) -> impl Iterator<Item = &Block> {
        self.all.values().filter(|block| block.drive == block.name)
    }

    /// A block device, and the partitions on it.
    pub(super) fn of(&self, name: &str) -> impl Iterator<Item = &Block> {
        let of = move |block: &&Block| block.name == name || block.drive == name;
        self.all.values().filter(of)
    }

    /// A block device that stands on others, in words.
    pub(super) fn described(&self, name: &str) -> String {
        let folder = self.get(name).map(|block| block.folder.as_path());
        let read = |path: &str| folder.and_then(|folder| attribute(folder, path));
        let kind = match read("dm/uuid") {
            Some(id) if id.starts_with("LVM-") => "LVM ",
            Some(id) if id.starts_with("CRYPT-") => "an encrypted volume ",
            Some(id) if id.starts_with("mpath-") => "a multipath drive ",
            _ if name.starts_with("md") => "a RAID array ",
            _ if name.starts_with("dm-") => "the device mapper ",
            _ => "",
        };
        match read("dm/name") {
            Some(called) => format!("{kind}`{called}` ({name})"),
            None => format!("{kind}`{name}`"),
        }
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
        let over = file.as_ref().map(|file| file.as_bytes());
        return match over.and_then(|file| block_at(roots, blocks, file)) {
            Some(_) => Kind::Other("a loop device over another drive"),
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

/// A text that a device gives of itself; it may hold anything, and is shown.
pub(super) fn clean(text: &str) -> String {
    let misleads = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.trim_matches([' ', '\n', '\0'])
        .replace(misleads, "\u{fffd}")
}

/// An attribute; `None` where there is none, or an empty one.
fn attribute(folder: &Path, path: &str) -> Option<String> {
    let bytes = fs::read(folder.join(path)).ok()?;
    Some(clean(&String::from_utf8_lossy(&bytes))).filter(|it| !it.is_empty())
}

/// An attribute without which nothing can be said of a drive.
fn needed<T: FromStr + Default>(folder: &Path, path: &str, unread: &mut Vec<String>) -> T {
    match attribute(folder, path).and_then(|it| it.parse().ok()) {
        Some(value) => value,
        None => {
            unread.push(format!("`{}`", folder.join(path).display()));
            T::default()
        }
    }
}

/// The serial number in page 80h of SCSI's vital product data: four bytes, then text.
fn vital_product_data(folder: &Path) -> Option<String> {
    let page = fs::read(folder.join("device/vpd_pg80")).ok()?;
    let text = String::from_utf8_lossy(page.get(4..)?).into_owned();
    Some(clean(&text)).filter(|it| !it.is_empty())
}

/// The value in a file of lines `NAME=value`.
fn pair(file: &Path, name: &str) -> Option<String> {
    let text = fs::read(file).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name));
    values.next().map(clean).filter(|it| !it.is_empty())
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
