//! A file that is being fetched while clients wait for it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::progress::Progress;
use crate::site::content::Trouble;

/// How often whoever waits looks whether to go on.
const SLICE: Duration = Duration::from_millis(200);

/// The work, as those see it who wait for it.
#[derive(Default)]
pub(super) struct Job {
    result: Mutex<Option<Result<(), Trouble>>>,
    is_done: Condvar,
    fetched: AtomicU64,
    total: AtomicU64,
    is_stopped: AtomicBool,
}

impl Job {
    /// Begins the work, in a thread of its own.
    pub(super) fn start(
        job: &Arc<Self>,
        work: impl FnOnce(&dyn Progress) -> Result<(), Trouble> + Send + 'static,
    ) {
        let inside = Arc::clone(job);
        let started = thread::Builder::new().spawn(move || {
            inside.end(work(&*inside));
        });
        if let Err(error) = started {
            let message = format!("can't begin to fetch it: {error}");
            job.end(Err(Trouble::here(message)));
        }
    }

    fn end(&self, result: Result<(), Trouble>) {
        let mut place = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(result);
        self.is_done.notify_all();
    }

    /// How it ended; `None` where it goes on after this time, or where nobody is to wait any more.
    pub(super) fn wait(&self, time: Duration, until: &dyn Progress) -> Option<Result<(), Trouble>> {
        let began = Instant::now();
        let mut result = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        while result.is_none() && began.elapsed() < time && !until.stopped() {
            let waited = self.is_done.wait_timeout(result, SLICE);
            (result, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        result.clone()
    }

    /// Tells it to end soon.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    /// How far it is.
    pub(super) fn far(&self) -> String {
        let mib = |bytes: &AtomicU64| bytes.load(Ordering::Relaxed) >> 20;
        match mib(&self.total) {
            0 => format!("{} MiB so far", mib(&self.fetched)),
            total => format!("{} of {total} MiB", mib(&self.fetched)),
        }
    }
}

impl Progress for Job {
    fn start(&self, _: &str, _: usize) {}

    fn start_bytes(&self, _: &str, total: u64) {
        self.fetched.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    fn advance(&self, steps: usize) {
        self.fetched.fetch_add(steps as u64, Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Relaxed)
    }
}
