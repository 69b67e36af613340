//! Why a release can't be pinned.

use super::release::Release;
use super::verdict::{KeyError, SignatureError};
use crate::net::NetError;

/// A release that nobody can be sure of.
#[derive(Debug, thiserror::Error)]
pub enum Unpublished {
    /// No server answers with it.
    #[error("no server has it:\n{}", lines(.0))]
    Nowhere(Vec<NetError>),
    /// Some of its files are there.
    #[error("{release} is not published as a whole:\n{}", lines(missing))]
    InPart {
        /// The version.
        release: String,
        /// What each server says.
        missing: Vec<NetError>,
    },
    /// A folder holds something else than its name says.
    #[error("{url}: it is of {found}, not of {expected}")]
    OtherRelease {
        /// The file that says so.
        url: String,
        /// The version in it.
        found: String,
        /// The version that was asked for.
        expected: String,
    },
    /// A file that says nothing.
    #[error("{url}: {why}")]
    Unreadable {
        /// Which file.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nobody vouches for it.
    #[error("{url}: {cause}")]
    Unsigned {
        /// The signature.
        url: String,
        /// Why it proves nothing.
        cause: SignatureError,
    },
    /// The key that was given or fetched is not the distribution's.
    #[error("{from}: {cause}")]
    Key {
        /// A file or a URL.
        from: String,
        /// Why not.
        cause: KeyError,
    },
    /// The network does not play along.
    #[error(transparent)]
    Net(#[from] NetError),
}

impl Unpublished {
    /// What to do.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Nowhere(errors) => errors.iter().find_map(NetError::help)?,
            Self::InPart { .. } => "it may be on its way to the servers: try again in an hour",
            Self::OtherRelease { .. } => {
                "the server, or a mirror in `[os]`, is not in order: try again later"
            }
            Self::Unreadable { .. } => "look at the URL, and at the mirrors in `[os]`",
            Self::Unsigned { cause, .. } => match cause {
                SignatureError::UnknownSigner(_) => {
                    "a newer copy of the distribution's key may hold it: leave out `--key`, or fetch the key again"
                }
                _ => "don't use what this server has, and tell the distribution",
            },
            Self::Key { .. } => {
                "get the distribution's key anew; only the one with that fingerprint is taken"
            }
            Self::Net(error) => return error.help(),
        })
    }
}

fn lines(errors: &[NetError]) -> String {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// A failure after which the next server may still have it.
pub(super) fn absent(error: NetError) -> Result<NetError, NetError> {
    match error {
        NetError::Status { .. }
        | NetError::Busy { .. }
        | NetError::Unreachable { .. }
        | NetError::Untrusted { .. }
        | NetError::Redirects { .. } => Ok(error),
        _ => Err(error),
    }
}

/// Where some server at least knows it, it is there in part.
pub(super) fn in_part(release: &Release, missing: Vec<NetError>) -> Unpublished {
    let knows = |error: &NetError| matches!(error, NetError::Status { status: 404, .. });
    if missing.iter().any(knows) {
        Unpublished::InPart {
            release: release.version.clone(),
            missing,
        }
    } else {
        Unpublished::Nowhere(missing)
    }
}
