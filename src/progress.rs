//! How long work tells where it is, and hears that it must stop.

/// Something that shows progress. It is shared by threads.
pub trait Progress: Sync {
    /// A piece of work begins: `total` steps of what `what` names.
    fn start(&self, what: &str, total: usize);
    /// As [`Progress::start`], where each step is a byte.
    fn start_bytes(&self, what: &str, total: u64) {
        self.start(what, usize::try_from(total).unwrap_or(usize::MAX));
    }
    /// Some steps are done.
    fn advance(&self, steps: usize);
    /// Whether the user wants it to end now.
    fn stopped(&self) -> bool;
}

/// Work that the user stopped. Nothing was changed by it.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("stopped")]
pub struct Stopped;

/// Shows nothing and never stops.
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _: &str, _: usize) {}
    fn advance(&self, _: usize) {}
    fn stopped(&self) -> bool {
        false
    }
}
