//! What a failed attempt means: whether it may work next time, and what is told of it.

use std::io;
use std::time::Duration;

use rustls::CertificateError;

use super::exchange::Broken;
use super::{NetError, Unanswered};

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
    let why = why(&error);
    let error_of = |attempts| NetError::Unreachable {
        url,
        why,
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

fn why(error: &ureq::Error) -> Unanswered {
    match error {
        ureq::Error::HostNotFound => Unanswered::NoSuchHost,
        ureq::Error::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => Unanswered::Refused,
            io::ErrorKind::TimedOut => Unanswered::TimedOut,
            // The standard library has no kind for it, and this in front of what the resolver says.
            _ if error.to_string().starts_with("failed to lookup address") => {
                Unanswered::NoSuchHost
            }
            _ => Unanswered::Broken,
        },
        ureq::Error::Timeout(_) => Unanswered::TimedOut,
        _ => Unanswered::Broken,
    }
}

/// A failure in the words of the tool.
fn cause(error: &ureq::Error) -> String {
    let tls = match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|it| it.downcast_ref()),
        _ => None,
    };
    if let Some(rustls::Error::InvalidCertificate(why)) = tls {
        return distrust(why);
    }
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

/// What is wrong with a certificate.
fn distrust(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "no authority that is known here vouches for its certificate".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet".to_owned()
        }
        CertificateError::NotValidForName => "its certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            // They come as `DnsName("h.example")`.
            let names = presented
                .iter()
                .map(|it| it.split('"').nth(1).unwrap_or(it));
            let names: Vec<&str> = names.collect();
            format!("its certificate is for another name: {}", names.join(", "))
        }
        why => format!("its certificate is not valid: {why}"),
    }
}
