//! What can go wrong with a download, and what to do about each.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::Digest;

/// A file that could not be fetched. No URL in it holds credentials.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// No URL that can be asked.
    #[error("`{url}` is no URL that can be fetched: {why}")]
    Url {
        /// As it was given.
        url: String,
        /// Why not.
        why: String,
    },
    /// The server answers, but not with the file.
    #[error("{url}: the server says {}", status_text(*status))]
    Status {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server asks for a longer wait than there is patience for.
    #[error("{url}: the server says {}, to be asked again in {} s", status_text(*status), wait.as_secs())]
    Busy {
        /// What was asked for.
        url: String,
        /// The HTTP status.
        status: u16,
        /// How long it wants to be left alone.
        wait: Duration,
    },
    /// No connection, or one that ends before the file does.
    #[error("{url}: {cause}{}", tried(*attempts))]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What kind of failure the last one was.
        why: Unanswered,
        /// In words.
        cause: String,
        /// How many were seen in a row.
        attempts: u32,
    },
    /// Whoever answers can't show that it is the server.
    #[error("{url}: no safe connection: {cause}")]
    Untrusted {
        /// What was asked for.
        url: String,
        /// Why not.
        cause: String,
    },
    /// There is no list of who may vouch for a server.
    #[error("no certificate authorities were found on this machine: {cause}")]
    NoAuthorities {
        /// What was said on the way.
        cause: String,
    },
    /// From HTTPS to HTTP, where anybody may answer.
    #[error("{url}: the server sends to `{to}`, which is not HTTPS")]
    Downgrade {
        /// What was asked for.
        url: String,
        /// Where it sends.
        to: String,
    },
    /// From one place to another without an end.
    #[error("{url}: the server sends on and on, {count} times")]
    Redirects {
        /// What was asked for.
        url: String,
        /// How often it was followed.
        count: u32,
    },
    /// More than such a file can be.
    #[error("{url}: longer than {limit} bytes")]
    TooLong {
        /// What was asked for.
        url: String,
        /// The most that is read.
        limit: u64,
    },
    /// Not the bytes that are expected.
    #[error("{url}: not the bytes that were expected\nexpected {expected}\nfetched  {found}")]
    Digest {
        /// What was asked for.
        url: String,
        /// What is pinned or signed.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// The environment names a proxy that is none.
    #[error("`{variable}` in the environment names no proxy")]
    Proxy {
        /// The variable.
        variable: &'static str,
    },
    /// What came can't be kept.
    #[error("can't write {}: {cause}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The user stopped it.
    #[error("stopped")]
    Stopped,
}

/// Why nobody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// The name is not known.
    NoSuchHost,
    /// Nobody listens there.
    Refused,
    /// It took too long.
    TimedOut,
    /// Any other failure of the connection.
    Broken,
}

impl NetError {
    /// What to do.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Url { .. } => "write a URL that begins with `https://` or `http://`",
            Self::Status { status, .. } => match status {
                401 | 403 | 407 => "it wants credentials, and none are ever sent",
                404 | 410 => {
                    "it has no such file: look at the name, and whether it is still published"
                }
                429 | 500.. => "try again later",
                _ => "look at the URL",
            },
            Self::Busy { .. } => "try again then",
            Self::Unreachable { .. } => {
                "look at the network, and at `https_proxy` where there is a proxy"
            }
            Self::Untrusted { .. } => {
                "look at the clock; where a proxy opens connections, set `SSL_CERT_FILE` to its certificate"
            }
            Self::NoAuthorities { .. } => {
                "install the package `ca-certificates`, or set `SSL_CERT_FILE`"
            }
            Self::Downgrade { .. } => "write the URL that it sends to, if that is what you want",
            Self::Redirects { .. } | Self::TooLong { .. } => "look at the URL in a browser",
            Self::Digest { .. } => {
                "whoever serves it has another file, or it was changed on the way: don't use it"
            }
            Self::Proxy { .. } => "write for example `http://proxy.example.net:3128`",
            Self::File { .. } => "make room, or rights",
            Self::Stopped => return None,
        })
    }
}

/// A status as its server means it.
#[must_use]
pub fn status_text(status: u16) -> String {
    let reason = ureq::http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason());
    reason.map_or_else(|| status.to_string(), |reason| format!("{status} {reason}"))
}

fn tried(attempts: u32) -> String {
    match attempts {
        1 => String::new(),
        attempts => format!(", {attempts} times in a row"),
    }
}
