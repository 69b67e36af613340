//! What a loader is built for.

use std::fmt;

use crate::os::Arch;

/// The machines that a loader runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// UEFI, by architecture.
    Uefi(Arch),
    /// PCs with a BIOS.
    Bios,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Uefi(Arch::Amd64), Self::Uefi(Arch::Arm64), Self::Bios];
}

/// Before "machines".
impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Uefi(arch) => write!(out, "{arch} UEFI"),
            Self::Bios => out.write_str("BIOS"),
        }
    }
}
