//! Why a drive is not written to, and what to do about it.

/// Why a drive is never written to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Never {
    /// It is something else.
    #[error("`{path}` is {is} and no drive")]
    NoBlockDevice {
        /// As it was named.
        path: String,
        /// What it is.
        is: &'static str,
    },
    /// It is not there.
    #[error("there is no `{0}`")]
    Absent(String),
    /// It is a part of one.
    #[error("`{path}` is a partition")]
    Partition {
        /// As it was named.
        path: String,
        /// The drive's path.
        drive: String,
    },
    /// It only looks like one.
    #[error("it is {0}")]
    NoDrive(&'static str),
    /// Nothing is in it.
    #[error("no medium is in it")]
    Empty,
    /// It can't be written.
    #[error("it is read-only")]
    ReadOnly,
    /// A stick does not fit.
    #[error("it has {} of the {} MiB that a stick takes", mib(*.size), .least >> 20)]
    TooSmall {
        /// In bytes.
        size: u64,
        /// In bytes.
        least: u64,
    },
    /// A stick can't be laid out for it.
    #[error("its sectors have {0} bytes")]
    Sectors(u64),
    /// The machine runs from it.
    #[error("the running system is on it: {}", listed(.0))]
    System(Vec<String>),
    /// File systems on it are in use.
    #[error("it is mounted: {}", listed(.0))]
    Mounted(Vec<String>),
    /// Memory is swapped to it.
    #[error("it is used as swap: {}", listed(.0))]
    Swap(Vec<String>),
    /// Other block devices stand on it.
    #[error("it is a part of {}", listed(.0))]
    Held(Vec<String>),
    /// Another program has it for itself.
    #[error("another program has opened it for itself")]
    Taken,
    /// It is not known to be free.
    #[error("it may be in use: can't read {0}")]
    Unread(String),
    /// It is not what was asked about.
    #[error("it is not what it was when you were asked: {0}")]
    Changed(String),
}

/// Why a drive is written to only when that is named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NeedsForce {
    /// It may be a part of this machine.
    #[error("it is not removable")]
    NotRemovable,
    /// It may be somebody's archive.
    #[error("it has {} GB, more than 256", .0 / 1_000_000_000)]
    Large(u64),
    /// Other drives may need it, though nothing uses it now.
    #[error("`{on}` is marked as a part of {what}")]
    Part {
        /// The drive or a partition.
        on: String,
        /// `LVM`, `md`, `ZFS`.
        what: &'static str,
    },
}

impl Never {
    /// In a word, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoBlockDevice { .. } => "no-block-device",
            Self::Absent(_) => "absent",
            Self::Partition { .. } => "partition",
            Self::NoDrive(_) => "no-drive",
            Self::Empty => "empty",
            Self::ReadOnly => "read-only",
            Self::TooSmall { .. } => "too-small",
            Self::Sectors(_) => "sectors",
            Self::System(_) => "system",
            Self::Mounted(_) => "mounted",
            Self::Swap(_) => "swap",
            Self::Held(_) => "held",
            Self::Taken => "taken",
            Self::Unread(_) => "unread",
            Self::Changed(_) => "changed",
        }
    }

    /// What to do.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Partition { drive, .. } => {
                return format!("a stick takes the whole drive: `{drive}`");
            }
            Self::NoBlockDevice { .. } | Self::Absent(_) | Self::NoDrive(_) | Self::System(_) => {
                "name another drive: `ephemeros devices` lists them"
            }
            Self::Empty => "put a medium in",
            Self::ReadOnly => {
                "move the switch on its side, or `blockdev --setrw` where it has none"
            }
            Self::TooSmall { .. } => "take a larger one",
            Self::Sectors(_) => "take one with sectors of 512 or 4096 bytes",
            Self::Mounted(_) => "unmount it: `umount`, or eject it in the file manager",
            Self::Swap(_) => "take it out of use: `swapoff`",
            Self::Held(_) => "take that apart first: `lsblk` shows it",
            Self::Taken => "end that program: `fuser -v` finds it",
            Self::Unread(_) => "run it as root; where it was, the drive does not answer",
            Self::Changed(_) => "look which drive it is, and begin anew",
        }
        .to_owned()
    }
}

impl NeedsForce {
    /// In a word, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotRemovable => "not-removable",
            Self::Large(_) => "large",
            Self::Part { .. } => "part",
        }
    }

    /// What to do.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotRemovable | Self::Large(_) => {
                "look twice whether it is the drive you mean; `--force` takes it"
            }
            Self::Part { .. } => {
                "look whether other drives need it; `--force` takes it, `wipefs -a` forgets it"
            }
        }
    }
}

/// The first ones, and how many there are besides.
pub(super) fn listed(all: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = all.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    let shown = shown.join(", ");
    match all.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn mib(bytes: u64) -> u64 {
    bytes >> 20
}
