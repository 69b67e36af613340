//! How long is waited, and how often it is tried.

use std::time::Duration;

/// Values, so that a test need not wait as a user would.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a name, a connection, or the first byte of an answer.
    pub connect: Duration,
    /// For the next bytes of a body.
    pub silence: Duration,
    /// How often in a row it may fail; bytes that come begin a new row.
    pub attempts: u32,
    /// Between the first two attempts. It doubles each time.
    pub pause: Duration,
    /// What it doubles up to.
    pub longest_pause: Duration,
    /// The longest that a server may ask to wait (`Retry-After`) before that is a failure.
    pub longest_wait: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            silence: Duration::from_secs(30),
            attempts: 5,
            pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(8),
            longest_wait: Duration::from_mins(2),
        }
    }
}

impl Patience {
    /// The pause after so many failures in a row.
    pub(super) fn after(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.pause.saturating_mul(doubled).min(self.longest_pause)
    }
}
