//! Where a body goes, piece by piece.

use super::NetError;
use super::address::without_credentials;
use super::digest::{Function, Hasher};

/// What takes a body, from its first byte or from where it broke off.
pub(super) trait Sink {
    /// How many bytes it has.
    fn offset(&self) -> u64;
    /// It comes again from its first byte.
    fn restart(&mut self) -> Result<(), NetError>;
    /// The next bytes.
    fn take(&mut self, bytes: &[u8]) -> Result<(), NetError>;
    /// A redirect led here. It may be shown.
    fn led_to(&mut self, _url: &str) {}
    /// Whether the rest may stay where it is.
    fn has_enough(&self) -> bool {
        false
    }
}

/// A file that is read into memory.
pub(super) struct Bounded<'a> {
    pub(super) url: &'a str,
    pub(super) limit: u64,
    pub(super) bytes: Vec<u8>,
    /// Where the last redirect led.
    pub(super) from: Option<String>,
}

impl Sink for Bounded<'_> {
    fn led_to(&mut self, url: &str) {
        self.from = Some(url.to_owned());
    }

    fn offset(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn restart(&mut self) -> Result<(), NetError> {
        self.bytes.clear();
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        self.bytes.extend_from_slice(bytes);
        if self.offset() > self.limit {
            return Err(NetError::TooLong {
                url: without_credentials(self.url),
                limit: self.limit,
            });
        }
        Ok(())
    }
}

/// A file that is only hashed.
pub(super) struct Hashed {
    pub(super) hasher: Hasher,
    length: u64,
}

impl Hashed {
    pub(super) fn new(function: Function) -> Self {
        Self {
            hasher: Hasher::new(function),
            length: 0,
        }
    }
}

impl Sink for Hashed {
    fn offset(&self) -> u64 {
        self.length
    }

    fn restart(&mut self) -> Result<(), NetError> {
        self.length = 0;
        self.hasher = Hasher::new(self.hasher.function());
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), NetError> {
        self.length += bytes.len() as u64;
        self.hasher.update(bytes);
        Ok(())
    }
}

/// A file that is only asked for, to hear whether it is there.
pub(super) struct Unread;

impl Sink for Unread {
    fn offset(&self) -> u64 {
        0
    }

    fn restart(&mut self) -> Result<(), NetError> {
        Ok(())
    }

    fn take(&mut self, _: &[u8]) -> Result<(), NetError> {
        Ok(())
    }

    fn has_enough(&self) -> bool {
        true
    }
}
