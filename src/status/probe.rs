//! Many files asked for at once: so many at a time, each for so long, and no server that wants to be left alone.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::net::{Client, NetError, Patience};
use crate::progress::{Progress, Stopped};

/// More than any config or script has.
const LIMIT: u64 = 16 << 20;

/// After so many failures in a row a server is given up: thousands of nodes would be waited for one by one.
const GIVEN_UP_AFTER: u32 = 20;

/// How it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How many files at a time.
    pub jobs: usize,
    /// How long for one of them, all in all.
    pub timeout: Duration,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            jobs: 16,
            timeout: Duration::from_secs(10),
        }
    }
}

/// What came of asking for a URL.
pub struct Asked {
    /// Where redirects led to, if anywhere. It may be shown.
    pub led_to: Option<String>,
    /// What was answered there.
    pub answer: Answer,
}

/// An answer, or none.
pub enum Answer {
    /// These bytes.
    File(Vec<u8>),
    /// No file.
    Failed(NetError),
    /// Nothing, or not all of it, in time.
    TimedOut,
    /// The server was not asked any more.
    NotAsked,
}

/// Asks for all URLs, and has each answer read as it comes: `read` gets the URL's place, and keeps what is needed of it.
///
/// # Errors
/// The user stopped it.
pub fn probe<T: Send>(
    urls: &[&str],
    manner: Manner,
    progress: &dyn Progress,
    read: impl Fn(usize, Asked) -> T + Sync,
) -> Result<Vec<T>, Stopped> {
    let client = Client::new(Patience {
        // The whole time ends it, and not a part.
        connect: manner.timeout.saturating_mul(2),
        silence: manner.timeout.saturating_mul(2),
        // A connection that broke says little.
        attempts: 2,
        // Who is to wait is told so.
        longest_wait: Duration::ZERO,
        ..Patience::default()
    });
    let servers = Servers::default();
    let next = AtomicUsize::new(0);
    progress.start("asking for what is served", urls.len());
    let work = || {
        let mut answers = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(url) = urls.get(at) else {
                return Ok(answers);
            };
            let asked = ask(&client, url, manner.timeout, &servers, progress)?;
            answers.push((at, read(at, asked)));
            progress.advance(1);
        }
    };
    let workers = manner.jobs.clamp(1, urls.len().max(1));
    let answers = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        // All are waited for, also where one says that it was stopped.
        let ended: Vec<_> = workers.into_iter().map(ScopedJoinHandle::join).collect();
        let answers = ended.into_iter();
        answers
            .map(|it| it.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect::<Result<Vec<_>, Stopped>>()
    })?;
    let mut answers: Vec<_> = answers.into_iter().flatten().collect();
    answers.sort_by_key(|(at, _)| *at);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

fn ask(
    client: &Client,
    url: &str,
    timeout: Duration,
    servers: &Servers,
    progress: &dyn Progress,
) -> Result<Asked, Stopped> {
    if progress.stopped() {
        return Err(Stopped);
    }
    let server = server_of(url);
    if servers.is_given_up(server) {
        return Ok(Asked {
            led_to: None,
            answer: Answer::NotAsked,
        });
    }
    let timed = Timed {
        progress,
        end: Instant::now() + timeout,
    };
    let traced = client.trace(url, LIMIT, &timed);
    let answer = match traced.outcome {
        Ok(bytes) => Answer::File(bytes),
        Err(NetError::Stopped) if progress.stopped() => return Err(Stopped),
        Err(NetError::Stopped) => Answer::TimedOut,
        Err(error) => Answer::Failed(error),
    };
    servers.hear(server, &answer);
    Ok(Asked {
        led_to: traced.led_to,
        answer,
    })
}

/// A URL's scheme, host and port.
#[must_use]
pub fn server_of(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']);
    end.map_or(url, |end| &url[..host + end])
}

/// How often in a row each server failed.
#[derive(Default)]
struct Servers(Mutex<BTreeMap<String, u32>>);

impl Servers {
    fn is_given_up(&self, server: &str) -> bool {
        let servers = self.0.lock();
        servers.is_ok_and(|it| it.get(server).is_some_and(|it| *it >= GIVEN_UP_AFTER))
    }

    fn hear(&self, server: &str, answer: &Answer) {
        let Ok(mut servers) = self.0.lock() else {
            return;
        };
        let failures = servers.entry(server.to_owned()).or_default();
        *failures = match answer {
            Answer::Failed(NetError::Status { status: 429, .. } | NetError::Busy { .. }) => {
                GIVEN_UP_AFTER
            }
            // Others may have been told to wait meanwhile.
            _ if *failures >= GIVEN_UP_AFTER => return,
            Answer::TimedOut
            | Answer::Failed(NetError::Unreachable { .. } | NetError::Untrusted { .. }) => {
                *failures + 1
            }
            _ => 0,
        };
    }
}

/// Lets work end when its time is over.
struct Timed<'a> {
    progress: &'a dyn Progress,
    end: Instant,
}

impl Progress for Timed<'_> {
    fn start(&self, _: &str, _: usize) {}
    fn advance(&self, _: usize) {}
    fn stopped(&self) -> bool {
        self.progress.stopped() || Instant::now() >= self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_told_by_scheme_host_and_port() {
        for (url, server) in [
            ("https://h.example/a/b", "https://h.example"),
            ("http://[::1]:8080/a?b", "http://[::1]:8080"),
            ("https://h?x", "https://h"),
            ("https://h", "https://h"),
        ] {
            assert_eq!(server_of(url), server);
        }
    }
}
