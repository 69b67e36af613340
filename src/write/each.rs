//! Work that waits for the disk, on several files at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use super::WriteError;

/// Does something with each of them, so many at a time, until one fails or says that none is to be begun any more. Says
/// whether it was done with all.
pub(super) fn each<T: Send>(
    items: Vec<T>,
    at_a_time: usize,
    work: &(dyn Fn(T) -> Result<bool, WriteError> + Sync),
) -> Result<bool, WriteError> {
    let others = at_a_time.min(items.len()).saturating_sub(1);
    let items = Mutex::new(items.into_iter());
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let stops = AtomicBool::new(false);
    let work = || {
        while !stops.load(Ordering::Relaxed)
            && let Some(item) = next()
        {
            let goes_on = work(item);
            if !matches!(goes_on, Ok(true)) {
                stops.store(true, Ordering::Relaxed);
            }
            goes_on?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..others).map(|_| scope.spawn(work)).collect();
        let own = work();
        let others = others.into_iter().map(|other| {
            let ended = other.join();
            ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        others.fold(own, Result::and)
    })?;
    Ok(!stops.into_inner())
}
