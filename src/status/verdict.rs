//! What is said of a file that nodes fetch, and what to do about it.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::served::Role;
use crate::git::past::Holder;
use crate::net::{NetError, Unanswered, status_text};

/// What became of asking for a file, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The bytes are those of the commit
    Committed,
    /// They are what this clone has and its copy of the branch has not
    Ahead,
    /// They are those of an older commit
    Older,
    /// They are others
    Other,
    /// What came is no Ignition config, or no boot script
    Foreign,
    /// The commit has no such file
    Unpublished,
    /// After failures like those below the server was left alone
    NotAsked,
    /// 404 or 410
    NotFound,
    /// 401, 403 or 407
    Forbidden,
    /// 429
    RateLimited,
    /// Any other status
    ServerError,
    /// Whoever answers can't show that it is the server
    Untrusted,
    /// The name is not known
    NoSuchHost,
    /// Nobody listens there
    ConnectionRefused,
    /// Nothing came, or not all of it, in time
    TimedOut,
    /// Any other failure
    Unreachable,
}

impl Kind {
    /// In the words of the summary line.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Committed => "as committed",
            Self::Ahead => "newer than this clone knows",
            Self::Older => "of an older commit",
            Self::Other => "of no commit that is known",
            Self::Foreign => "not what was rendered at all",
            Self::Unpublished => "not published",
            Self::NotAsked => "not asked",
            Self::NotFound => "not found",
            Self::Forbidden => "refused",
            Self::RateLimited => "rate-limited",
            Self::ServerError => "with an error of the server",
            Self::Untrusted => "without a safe connection",
            Self::NoSuchHost => "at a host that is not known",
            Self::ConnectionRefused => "where nobody listens",
            Self::TimedOut => "timed out",
            Self::Unreachable => "not reached",
        }
    }
}

/// What is said of a file. Equal ones of many nodes are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// See [`Kind`], as for all of these.
    Committed,
    /// Where this clone has it.
    Ahead(Place),
    /// The newest commit that holds it.
    Older(Holder),
    /// Whether the clone is a shallow one, which knows few.
    Other {
        /// It is.
        shallow: bool,
    },
    /// What it should be, and what it is.
    Foreign(Role, Looks),
    /// Nothing was asked for.
    Unpublished,
    /// The others say why.
    NotAsked,
    /// The status.
    NotFound(u16),
    /// The status.
    Forbidden(u16),
    /// How long the server wants to be left alone, if it says so.
    RateLimited(Option<Duration>),
    /// The status, and how long the server wants to be left alone.
    ServerError(u16, Option<Duration>),
    /// Why.
    Untrusted(String),
    /// The name of the host is in the URL.
    NoSuchHost,
    /// So is the port.
    ConnectionRefused,
    /// Within the time that was given.
    TimedOut,
    /// In words.
    Unreachable(String),
}

/// A place in this clone that has what its copy of the branch has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The commit that is checked out.
    Head,
    /// The files on disk.
    WorkTree,
}

/// What a file looks like that is no config and no script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Looks {
    /// HTML: most often somebody's login.
    Page,
    /// No bytes.
    Empty,
    /// Anything else.
    Strange,
}

impl Verdict {
    /// Of a file that did not come.
    #[must_use]
    pub fn of(error: &NetError) -> Self {
        match error {
            NetError::Status { status, .. } => match status {
                404 | 410 => Self::NotFound(*status),
                401 | 403 | 407 => Self::Forbidden(*status),
                429 => Self::RateLimited(None),
                status => Self::ServerError(*status, None),
            },
            NetError::Busy { status, wait, .. } => match *status {
                429 => Self::RateLimited(Some(*wait)),
                status => Self::ServerError(status, Some(*wait)),
            },
            NetError::Untrusted { cause, .. } => Self::Untrusted(cause.clone()),
            NetError::Unreachable { why, cause, .. } => match why {
                Unanswered::NoSuchHost => Self::NoSuchHost,
                Unanswered::Refused => Self::ConnectionRefused,
                Unanswered::TimedOut => Self::TimedOut,
                Unanswered::Broken => Self::Unreachable(cause.clone()),
            },
            NetError::TooLong { .. } => Self::Other { shallow: false },
            NetError::Downgrade { .. } => {
                Self::Unreachable("the server sends from HTTPS to HTTP".to_owned())
            }
            NetError::Redirects { count, .. } => {
                Self::Unreachable(format!("the server sends on and on, {count} times"))
            }
            error => Self::Unreachable(error.to_string()),
        }
    }

    /// What kind of thing it says.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Committed => Kind::Committed,
            Self::Ahead(_) => Kind::Ahead,
            Self::Older(_) => Kind::Older,
            Self::Other { .. } => Kind::Other,
            Self::Foreign(..) => Kind::Foreign,
            Self::Unpublished => Kind::Unpublished,
            Self::NotAsked => Kind::NotAsked,
            Self::NotFound(_) => Kind::NotFound,
            Self::Forbidden(_) => Kind::Forbidden,
            Self::RateLimited(_) => Kind::RateLimited,
            Self::ServerError(..) => Kind::ServerError,
            Self::Untrusted(_) => Kind::Untrusted,
            Self::NoSuchHost => Kind::NoSuchHost,
            Self::ConnectionRefused => Kind::ConnectionRefused,
            Self::TimedOut => Kind::TimedOut,
            Self::Unreachable(_) => Kind::Unreachable,
        }
    }

    /// What to do, in one line or two; `None` where nothing is to be done.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        const ELSEWHERE: &str = "nodes send no credentials: make the repository public,\n\
             or serve the files from elsewhere, as `ephemeros serve` does, and name that with `raw_url`";
        Some(match self {
            Self::Committed => return None,
            Self::Ahead(_) => "it was pushed, and not by this clone: run `git fetch`",
            Self::Older(_) => {
                "nodes boot that for now; after a push the caches of forges take minutes,\n\
                 that of raw.githubusercontent.com about five: ask again then"
            }
            Self::Other { shallow: true } => {
                "this clone is shallow: run `git fetch --unshallow`, and ask again"
            }
            Self::Other { shallow: false } => {
                "where somebody else has pushed, run `git fetch`; else look at who serves that URL"
            }
            Self::Foreign(_, Looks::Page) | Self::Forbidden(_) => ELSEWHERE,
            Self::Foreign(..) => "look at the URL: nodes can't boot that",
            Self::Unpublished => {
                "run `ephemeros render`, commit and push; where somebody else has, run `git fetch`"
            }
            Self::NotAsked => "mend what the others say, and ask again",
            Self::NotFound(_) => {
                "look whether the branch is pushed; of a private repository forges say the same:\n\
                 nodes send no credentials, so make it public, or serve the files from elsewhere (`raw_url`)"
            }
            Self::RateLimited(_) => {
                "ask again later, for fewer nodes or with `status --jobs 1`;\n\
                 nodes that boot from this address are refused too"
            }
            Self::ServerError(500.., _) => "ask again later: nodes try again by themselves",
            Self::ServerError(..) => "look at the URL: nodes take that for a failure",
            Self::Untrusted(_) => {
                "nodes trust public authorities alone and would fail too:\n\
                 look at the certificate, and at the clock here"
            }
            Self::NoSuchHost => "look at the URL, and whether this machine has a network",
            Self::ConnectionRefused | Self::TimedOut | Self::Unreachable(_) => {
                "look whether the server is up, and whether it is reached from here"
            }
        })
    }

    /// How long the server wants to be left alone, in seconds.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::RateLimited(wait) | Self::ServerError(_, wait) => wait.map(|it| it.as_secs()),
            _ => None,
        }
    }

    /// What the server says, where it says that there is no file.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::NotFound(status) | Self::Forbidden(status) | Self::ServerError(status, _) => {
                Some(*status)
            }
            Self::RateLimited(_) => Some(429),
            _ => None,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.kind().words();
        match self {
            Self::Ahead(Place::Head) => write!(f, "{words}: what HEAD holds"),
            Self::Ahead(Place::WorkTree) => write!(f, "{words}: what the working tree holds"),
            Self::Older(Holder { short_id, date }) => write!(f, "{words}: {short_id} of {date}"),
            Self::Foreign(role, looks) => {
                let no = match role {
                    Role::Config => "no Ignition config",
                    Role::Script => "no boot script",
                };
                match looks {
                    Looks::Page => write!(f, "{no}: a web page, as of a login"),
                    Looks::Empty => write!(f, "{no}: an empty file"),
                    Looks::Strange => f.write_str(no),
                }
            }
            Self::NotFound(status) | Self::Forbidden(status) => {
                write!(f, "{words}: {}", status_text(*status))
            }
            Self::RateLimited(wait) | Self::ServerError(_, wait) => {
                let status = self.status().unwrap_or_default();
                write!(f, "the server says {}", status_text(status))?;
                match wait {
                    Some(wait) => write!(f, ", to be asked again in {} s", wait.as_secs()),
                    None => Ok(()),
                }
            }
            Self::Untrusted(cause) => write!(f, "no safe connection: {cause}"),
            Self::NoSuchHost => f.write_str("the name of the host can't be looked up"),
            Self::ConnectionRefused => f.write_str("the connection is refused"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Unreachable(cause) => f.write_str(cause),
            _ => f.write_str(words),
        }
    }
}
