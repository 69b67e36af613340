//! How long work tells where it is, and hears that it must stop.

use std::sync::atomic::{AtomicBool, Ordering};

/// Something that shows progress. It is shared by threads.
pub trait Progress: Sync {
    /// A piece of work begins: `total` steps of what `what` names, 0 where nobody knows how many.
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

/// Shows nothing, and ends when somebody says so, or when another one does.
pub struct Endable<'a> {
    other: &'a dyn Progress,
    /// Whether somebody said so.
    pub is_over: AtomicBool,
}

impl<'a> Endable<'a> {
    /// Endable that one ends, at the latest.
    #[must_use]
    pub fn new(other: &'a dyn Progress) -> Self {
        Self {
            other,
            is_over: AtomicBool::new(false),
        }
    }
}

impl Progress for Endable<'_> {
    fn start(&self, _: &str, _: usize) {}
    fn advance(&self, _: usize) {}
    fn stopped(&self) -> bool {
        self.is_over.load(Ordering::Relaxed) || self.other.stopped()
    }
}
