//! What came of going through a script.

use std::ops::Range;

use crate::ipxe::image::Boot;

/// What a script did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// How it ended.
    pub end: End,
    /// The command that ended it; empty where the script ran out.
    pub span: Range<usize>,
    /// What it fetched, in order.
    pub fetches: Vec<Fetch>,
    /// What it said, in order.
    pub screen: Vec<String>,
    /// Every command as it ran, its settings filled in.
    pub commands: Vec<String>,
    /// Whether a condition asked for something that only the machine knows, so that the real one may go
    /// another way.
    pub guessed: bool,
}

/// How a script ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It starts a kernel.
    Boots(Boot),
    /// It comes back to whoever chained to it, and has failed.
    Fails,
    /// It comes back and has succeeded.
    Succeeds,
    /// It hands over to something else by this command: `chain`, `reboot`, `sanboot` and so on.
    Leaves(String),
    /// It would go on for ever.
    Endless,
}

/// A try to fetch something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// From where.
    pub url: String,
    /// Whether it succeeded.
    pub succeeded: bool,
}

impl Run {
    /// The kernel command line, where the script starts a kernel. `${…}` in it is what only the machine knows.
    /// On UEFI the kernel's image name and a space stand before it.
    #[must_use]
    pub fn cmdline(&self) -> Option<&str> {
        match &self.end {
            End::Boots(boot) => Some(&boot.kernel.cmdline),
            _ => None,
        }
    }
}
