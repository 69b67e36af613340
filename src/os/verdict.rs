//! Why a key or a signature is not taken.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

/// A key that is not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyError {
    /// No OpenPGP key.
    #[error("this is no OpenPGP key: {0}")]
    Unreadable(String),
    /// Somebody else's.
    #[error("this is the key {}, not {expected}", found.join(", "))]
    Other {
        /// Fingerprints of the primary keys that are there.
        found: Vec<String>,
        /// The fingerprint of the one that counts.
        expected: String,
    },
}

/// A signature that proves nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignatureError {
    /// No OpenPGP signature.
    #[error("this is no OpenPGP signature: {0}")]
    Unreadable(String),
    /// It is not over these bytes, or was changed.
    #[error("the signature does not fit: the file or the signature was changed")]
    Wrong,
    /// By a key that is not there.
    #[error("it is signed by the key {0}, which the distribution's key does not hold")]
    UnknownSigner(String),
    /// With a hash function for which somebody can make two files alike.
    #[error("it is signed with {0}, which is broken")]
    Weak(String),
    /// The subkey is there, but the primary key does not vouch for it, or it not for the primary key.
    #[error(
        "it is signed by the subkey {0}, which is not bound to the distribution's key for signing"
    )]
    Unbound(String),
    /// The key was not valid when the signature was made.
    #[error("it was signed on {signed} by the key {key}, which was valid {validity}")]
    NotValid {
        /// The key's fingerprint.
        key: String,
        /// When it was signed.
        signed: Date,
        /// When it was valid.
        validity: Validity,
    },
    /// The key was taken back.
    #[error("it was signed on {signed} by the key {key}, which was revoked on {revoked}")]
    Revoked {
        /// The key's fingerprint.
        key: String,
        /// When it was signed.
        signed: Date,
        /// When the key was taken back.
        revoked: Date,
    },
}

/// A moment, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub(super) u64);

impl fmt::Display for Date {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        // `Sun, 06 Nov 1994 08:49:37 GMT`, without the day of the week.
        let text = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(self.0));
        out.write_str(text.get(5..).unwrap_or(&text))
    }
}

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    pub(super) from: Date,
    pub(super) until: Option<Date>,
}

impl fmt::Display for Validity {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        write!(out, "from {}", self.from)?;
        match self.until {
            Some(until) => write!(out, " until {until}"),
            None => Ok(()),
        }
    }
}
