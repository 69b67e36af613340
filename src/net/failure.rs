//! What a failed attempt means: whether it may work next time, and what is told of it.

use std::io;
use std::time::Duration;

use super::NetError;
use super::exchange::Broken;

/// Why an attempt failed.
pub(super) enum Failed {
    /// Trying again changes nothing.
    ForGood(NetError),
    /// It may work next time; the server may have said when.
    ForNow(NetError, Option<Duration>),
}

impl From<NetError> for Failed {
    fn from(error: NetError) -> Self {
        Self::ForGood(error)
    }
}

/// What became of asking for the URL `shown`.
pub(super) fn failed(shown: &str, broken: Broken) -> Failed {
    let error = match broken {
        Broken::Stopped => return NetError::Stopped.into(),
        Broken::Failed(error) => error,
    };
    let url = shown.to_owned();
    // A handshake that fails comes as data that can't be read.
    let is_handshake = match &error {
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) | ureq::Error::TlsRequired => true,
        ureq::Error::Io(error) => {
            let cause = error.get_ref();
            cause.is_some_and(|it| it.downcast_ref::<rustls::Error>().is_some())
        }
        _ => false,
    };
    let cause = cause(&error);
    if is_handshake {
        return NetError::Untrusted { url, cause }.into();
    }
    let error_of = |attempts| NetError::Unreachable {
        url,
        cause,
        attempts,
    };
    match error {
        ureq::Error::Io(_) | ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed => {
            Failed::ForNow(error_of(1), None)
        }
        _ => error_of(1).into(),
    }
}

/// A failure in the words of the tool.
fn cause(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the connection was cut".to_owned()
        }
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Timeout(_) => "no answer in time".to_owned(),
        ureq::Error::HostNotFound => "there is no such host".to_owned(),
        error => error.to_string(),
    }
}
