//! All block devices, and which stands on which.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::attribute::attribute;
use super::mounts::{block_at, names_below};
use super::{Number, Roots};

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

/// Whether two names are of one file.
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    let number = |path: &Path| fs::metadata(path).map(|it| (it.dev(), it.ino())).ok();
    one == other || number(one).is_some_and(|one| Some(one) == number(other))
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
    /// Its folder in sysfs.
    pub(super) folder: PathBuf,
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
            // They begin with the drive's name; all else in the folder need not be asked.
            let parts = parts.filter(|(name, _)| name.starts_with(&drive));
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

    /// The file behind a loop device.
    pub(super) fn behind(&self, name: &str) -> Option<&Path> {
        let mut loops = self.loops.iter();
        loops.find(|it| it.0 == name).map(|it| it.1.as_path())
    }

    /// The other loop devices over the file behind this one.
    pub(super) fn beside(&self, name: &str) -> impl Iterator<Item = &str> {
        let file = self.behind(name);
        let others = self.loops.iter().filter(move |it| it.0 != name);
        let same = others.filter(move |it| file.is_some_and(|file| is_same_file(file, &it.1)));
        same.map(|it| it.0.as_str())
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
