//! What it takes for a change to reach a machine.

use serde::Serialize;

/// What a node's change costs, the dearest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cost {
    /// Nothing changes.
    Nothing,
    /// Git serves it: the node has it after its next boot.
    Reboot,
    /// It stands on the stick, which has to be written anew.
    Reflash,
    /// The node has no stick yet.
    FirstFlash,
    /// No node file any more: a machine that still runs it fails at its next boot.
    Removed,
}

impl Cost {
    /// In the words of the summary line.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Nothing => "unchanged",
            Self::Reboot => "to reboot",
            Self::Reflash => "to re-flash",
            Self::FirstFlash => "to flash for the first time",
            Self::Removed => "removed",
        }
    }
}
