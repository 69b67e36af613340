//! The drives of this machine: what they are, and what uses them. Nothing is written, and what can't be read is told.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, major, minor, open};
use rustix::io::Errno;

use self::blocks::{Block, Blocks};
use self::mounts::Mounts;
pub use self::signature::Signature;
pub use self::sysfs::Transport;
pub use self::uses::{Use, What};
use super::guard::{GUARDS, Guard};
use super::reason::Never;

mod attribute;
mod blocks;
mod mounts;
mod signature;
mod sysfs;
mod uses;

/// Where the kernel and udev tell of drives, and what guards them. Another tree can stand in for this machine's.
#[derive(Clone, Debug)]
pub struct Roots {
    /// `/sys`
    pub sys: PathBuf,
    /// `/proc`
    pub proc: PathBuf,
    /// `/dev`
    pub dev: PathBuf,
    /// `/run/udev/data`, which may be absent.
    pub udev: PathBuf,
    /// What a path leads to.
    pub node: fn(&Path) -> io::Result<Node>,
    /// All of them, but where it is shown what one of them is for.
    pub guards: Vec<Guard>,
}

impl Default for Roots {
    fn default() -> Self {
        Self {
            sys: "/sys".into(),
            proc: "/proc".into(),
            dev: "/dev".into(),
            udev: "/run/udev/data".into(),
            node: Node::of,
            guards: GUARDS.to_vec(),
        }
    }
}

/// The number of a block device: major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(pub u32, pub u32);

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A block device.
    Block(Number),
    /// Something else, in words.
    Other(&'static str),
}

impl Node {
    /// Asks the file system.
    ///
    /// # Errors
    /// The path leads nowhere, or where this user may not look.
    pub fn of(path: &Path) -> io::Result<Self> {
        let is = fs::metadata(path)?;
        let kind = is.file_type();
        Ok(if kind.is_block_device() {
            Self::Block(Number(major(is.rdev()), minor(is.rdev())))
        } else if kind.is_char_device() {
            Self::Other("a character device")
        } else if kind.is_fifo() {
            Self::Other("a pipe")
        } else if kind.is_socket() {
            Self::Other("a socket")
        } else if kind.is_dir() {
            Self::Other("a folder")
        } else {
            Self::Other("a file")
        })
    }
}

/// What a block device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A drive.
    Drive,
    /// A file that somebody attached as a drive; `None` where it is a number without a file.
    Loop(Option<String>),
    /// Something that looks like one and takes no stick, in words.
    Other(&'static str),
}

/// A drive as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The kernel's name: `sdb`.
    pub name: String,
    /// Where it is opened.
    pub path: PathBuf,
    /// Its number.
    pub number: Number,
    /// What it is.
    pub kind: Kind,
    /// Counts up with each drive that appears and each medium that is put in; kernels before 5.15 have none.
    pub sequence: Option<u64>,
    /// Who made it.
    pub vendor: Option<String>,
    /// What it is called.
    pub model: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// In bytes; 0 where no medium is in it.
    pub size: u64,
    /// What is addressed at once, in bytes.
    pub sector: u64,
    /// What is written at once, in bytes.
    pub physical_sector: u64,
    /// Whether people pull it out: its kernel says so, or it hangs on USB, or it is an SD card.
    pub removable: bool,
    /// Whether nothing can be written to it.
    pub read_only: bool,
    /// What it hangs on.
    pub transport: Transport,
    /// Its partitions.
    pub partitions: Vec<Partition>,
    /// What stands on the drive as a whole.
    pub holds: Vec<Signature>,
    /// What uses it.
    pub uses: Vec<Use>,
    /// Whether another program has it for itself.
    pub taken: bool,
    /// What could not be read of all this.
    pub unread: Vec<String>,
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The kernel's name: `sdb1`.
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// Its name in the partition table.
    pub title: Option<String>,
    /// What its file system is called, as udev has it.
    pub label: Option<String>,
    /// What stands on it.
    pub holds: Vec<Signature>,
}

/// All drives as wholes, by name. Their beginnings and ends are read where this user may.
///
/// # Errors
/// The kernel's list of them can't be read.
pub fn devices(roots: &Roots) -> io::Result<Vec<Device>> {
    let blocks = Blocks::read(roots)?;
    let mounts = Mounts::read(roots, &blocks);
    let drives = blocks.drives();
    Ok(drives
        .map(|drive| read(roots, &blocks, &mounts, drive, Probe::Listed))
        .collect())
}

/// The drive at a path, which may be a link to it.
///
/// # Errors
/// There is none, or it is no drive as a whole.
pub fn device(roots: &Roots, path: &Path) -> Result<Device, Never> {
    find(roots, path, Probe::Asked)
}

/// When it is tried whether another program has a drive for itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Probe {
    /// It is one of many: not a loop device, which nobody asks about, and which somebody else may be about to mount.
    Listed,
    /// It is the one that is asked about.
    Asked,
    /// Not at all: this program has it.
    Ours,
}

impl Probe {
    fn is_for(self, kind: &Kind) -> bool {
        match self {
            Self::Listed => *kind == Kind::Drive,
            Self::Asked => true,
            Self::Ours => false,
        }
    }
}

pub(super) fn find(roots: &Roots, path: &Path, probe: Probe) -> Result<Device, Never> {
    let shown = || path.display().to_string();
    let unread = |cause: io::Error| Never::Unread(format!("`{}`: {cause}", shown()));
    let node = match (roots.node)(path) {
        Err(cause)
            if matches!(
                cause.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Err(Never::Absent(shown()));
        }
        node => node.map_err(unread)?,
    };
    let number = match node {
        Node::Block(number) => number,
        Node::Other(is) => return Err(Never::NoBlockDevice { path: shown(), is }),
    };
    let blocks = Blocks::read(roots).map_err(unread)?;
    let Some(block) = blocks.by_number(number) else {
        let cause = io::Error::other("the kernel does not list it among its drives");
        return Err(unread(cause));
    };
    if block.drive != block.name {
        return Err(Never::Partition {
            path: shown(),
            drive: place(roots, &block.drive).display().to_string(),
        });
    }
    let mounts = Mounts::read(roots, &blocks);
    Ok(read(roots, &blocks, &mounts, block, probe))
}

/// Where a block device is opened: a `/` in its name is a `!` in the kernel's.
fn place(roots: &Roots, name: &str) -> PathBuf {
    roots.dev.join(name.replace('!', "/"))
}

fn read(roots: &Roots, blocks: &Blocks, mounts: &Mounts, drive: &Block, probe: Probe) -> Device {
    let mut device = sysfs::device(roots, blocks, drive);
    device.unread.extend_from_slice(&mounts.unread);
    device.uses = uses::find(blocks, mounts, drive);
    // To open an optical drive closes its tray.
    if device.size == 0 || matches!(device.kind, Kind::Other(_)) {
        return device;
    }
    let parts = device.partitions.iter_mut();
    let parts = parts.map(|part| (part.name.clone(), &mut part.holds));
    let all = [(device.name.clone(), &mut device.holds)];
    for (name, holds) in all.into_iter().chain(parts) {
        let Some(number) = blocks.get(&name).and_then(|block| block.number) else {
            continue;
        };
        let found = reach(roots, &name, number, OFlags::empty()).and_then(|mut file| {
            // Its size as the kernel has it now.
            signature::read(&mut file)
        });
        match found {
            Ok(found) => *holds = found,
            Err(cause) => device.unread.push(format!("what is on `{name}`: {cause}")),
        }
    }
    device.uses.extend(uses::pools(mounts, &device));
    // It is ours for a moment, so it is tried only where nobody is known to use it.
    if probe.is_for(&device.kind) && device.uses.is_empty() && device.unread.is_empty() {
        match reach(roots, &device.name, device.number, OFlags::EXCL) {
            Ok(_) => {}
            Err(cause) if Errno::from_io_error(&cause) == Some(Errno::BUSY) => device.taken = true,
            Err(cause) => device
                .unread
                .push(format!("whether `{}` is in use: {cause}", device.name)),
        }
    }
    device
}

/// Opens a block device for reading. What has its name must have its number too.
fn reach(roots: &Roots, name: &str, number: Number, more: OFlags) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | more;
    let path = place(roots, name);
    let file = File::from(open(&path, flags, Mode::empty())?);
    if opened(roots, &file)? != Node::Block(number) {
        let text = format!("`{}` is another device", path.display());
        return Err(io::Error::other(text));
    }
    Ok(file)
}

/// What an open file is.
pub(super) fn opened(roots: &Roots, file: &File) -> io::Result<Node> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    (roots.node)(Path::new(&path))
}
