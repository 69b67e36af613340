//! Fetching with patience: again after a failure of the network, on from where a connection broke.

use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use ureq::tls::TlsConfig;
use ureq::{Agent, Proxy, ProxyProtocol};

use super::address::{Address, without_credentials};
use super::digest::{Digest, Function};
use super::exchange::{Answer, Rest, TICK, ask};
use super::failure::{Failed, failed};
use super::sink::{Bounded, Hashed, Sink, Unread};
use super::{NetError, Patience, authorities, proxy};
use crate::progress::Progress;

/// How many redirects are followed.
const REDIRECTS: u32 = 10;

/// Reads a variable of the environment.
type Environment = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Fetches files. It is shared by threads.
pub struct Client {
    environment: Environment,
    pub(super) patience: Patience,
    agent: OnceLock<Agent>,
    secure: OnceLock<Agent>,
}

/// What came of asking for a file.
pub struct Traced {
    /// Where redirects led, if anywhere. It may be shown.
    pub led_to: Option<String>,
    /// The file.
    pub outcome: Result<Vec<u8>, NetError>,
}

impl Default for Client {
    fn default() -> Self {
        Self::new(Patience::default())
    }
}

impl Client {
    /// One that is so patient.
    #[must_use]
    pub fn new(patience: Patience) -> Self {
        Self::in_environment(patience, Box::new(|name| std::env::var(name).ok()))
    }

    /// One that finds its proxies elsewhere than in the environment of the process.
    #[must_use]
    pub fn in_environment(patience: Patience, environment: Environment) -> Self {
        Self {
            environment,
            patience,
            agent: OnceLock::new(),
            secure: OnceLock::new(),
        }
    }

    /// A file of at most `limit` bytes.
    pub fn get(&self, url: &str, limit: u64, progress: &dyn Progress) -> Result<Vec<u8>, NetError> {
        self.trace(url, limit, progress).outcome
    }

    /// As [`Client::get`], and says where redirects led.
    pub fn trace(&self, url: &str, limit: u64, progress: &dyn Progress) -> Traced {
        let mut body = Bounded {
            url,
            limit,
            bytes: Vec::new(),
            from: None,
        };
        let outcome = self.fetch(url, &mut body, None, progress);
        Traced {
            led_to: body.from,
            outcome: outcome.map(|()| body.bytes),
        }
    }

    /// Whether a file is there. Not by `HEAD`, which some servers don't know: the connection ends before the body.
    pub fn find(&self, url: &str, progress: &dyn Progress) -> Result<(), NetError> {
        self.fetch(url, &mut Unread, None, progress)
    }

    /// What a file hashes to, however long it is. `what` names it to the user.
    pub fn digest(
        &self,
        url: &str,
        function: Function,
        what: &str,
        progress: &dyn Progress,
    ) -> Result<Digest, NetError> {
        let mut body = Hashed::new(function);
        self.fetch(url, &mut body, Some(what), progress)?;
        Ok(body.hasher.digest())
    }

    /// Fetches into a sink, and tries again as long as that may help. With `what` its progress is shown.
    pub(super) fn fetch(
        &self,
        url: &str,
        sink: &mut dyn Sink,
        what: Option<&str>,
        progress: &dyn Progress,
    ) -> Result<(), NetError> {
        let address = Address::parse(url)?;
        let shown = without_credentials(url);
        let mut validator = None;
        let mut furthest = sink.offset();
        let mut failures = 0;
        loop {
            let attempt = self.attempt(&address, &shown, sink, &mut validator, what, progress);
            let (mut error, wait) = match attempt {
                Ok(()) => return Ok(()),
                Err(Failed::ForGood(error)) => return Err(error),
                Err(Failed::ForNow(error, wait)) => (error, wait),
            };
            if sink.offset() > furthest {
                furthest = sink.offset();
                failures = 0;
            }
            failures += 1;
            if failures >= self.patience.attempts {
                if let NetError::Unreachable { attempts, .. } = &mut error {
                    *attempts = failures;
                }
                return Err(error);
            }
            pause(wait.unwrap_or(self.patience.after(failures)), progress)?;
        }
    }

    fn attempt(
        &self,
        address: &Address,
        shown: &str,
        sink: &mut dyn Sink,
        validator: &mut Option<String>,
        what: Option<&str>,
        progress: &dyn Progress,
    ) -> Result<(), Failed> {
        let offset = sink.offset();
        let rest = (offset > 0).then(|| Rest {
            offset,
            validator: validator.clone(),
        });
        let answer = self.ask(address, shown, rest.as_ref(), sink, progress)?;
        let head = &answer.head;
        match head.status {
            200 => {
                if offset > 0 {
                    sink.restart()?;
                }
            }
            206 if starts_at(head.header("content-range"), offset) => {}
            // The file is shorter than what there is of it, so that is no part of it; or what came is another part.
            206 | 416 if offset > 0 => {
                sink.restart()?;
                let error = NetError::Status {
                    url: shown.to_owned(),
                    status: head.status,
                };
                return Err(Failed::ForNow(error, Some(Duration::ZERO)));
            }
            status => return Err(self.refused(shown, status, head.header("retry-after"))),
        }
        *validator = head
            .header("etag")
            .filter(|tag| !tag.starts_with("W/"))
            .or(head.header("last-modified"))
            .map(str::to_owned);
        if let Some(what) = what {
            let length = head.header("content-length").and_then(|it| it.parse().ok());
            let done = sink.offset();
            progress.start_bytes(what, length.map_or(0, |it: u64| it.saturating_add(done)));
            progress.advance(usize::try_from(done).unwrap_or(usize::MAX));
        }
        while !sink.has_enough()
            && let Some(bytes) = answer.next().map_err(|broken| failed(shown, broken))?
        {
            sink.take(&bytes)?;
            if what.is_some() {
                progress.advance(bytes.len());
            }
        }
        Ok(())
    }

    /// Asks, and follows redirects.
    fn ask<'a>(
        &self,
        address: &Address,
        shown: &str,
        rest: Option<&Rest>,
        sink: &mut dyn Sink,
        progress: &'a dyn Progress,
    ) -> Result<Answer<'a>, Failed> {
        let mut address = address.clone();
        for _ in 0..=REDIRECTS {
            let proxy = proxy::choose(&address, &self.environment)?;
            let agent = self.agent(&address, proxy.as_ref())?;
            let answer = ask(agent, &address, proxy, rest, progress);
            let answer = answer.map_err(|broken| failed(shown, broken))?;
            let location = match answer.head.status {
                301 | 302 | 303 | 307 | 308 => answer.head.header("location"),
                _ => None,
            };
            match location {
                Some(location) => {
                    address = address.follow(location)?;
                    sink.led_to(&address.shown());
                }
                None => return Ok(answer),
            }
        }
        Err(Failed::ForGood(NetError::Redirects {
            url: shown.to_owned(),
            count: REDIRECTS,
        }))
    }

    fn refused(&self, shown: &str, status: u16, retry_after: Option<&str>) -> Failed {
        let url = shown.to_owned();
        let wait = retry_after.and_then(wait_of);
        match (status, wait) {
            (429 | 503, Some(wait)) if wait > self.patience.longest_wait => {
                NetError::Busy { url, status, wait }.into()
            }
            (408 | 429 | 500.., wait) => Failed::ForNow(NetError::Status { url, status }, wait),
            _ => NetError::Status { url, status }.into(),
        }
    }

    /// Reading who may vouch for a server takes time, so it is done for HTTPS alone.
    fn agent(&self, address: &Address, proxy: Option<&Proxy>) -> Result<&Agent, NetError> {
        let by = proxy.map(Proxy::protocol);
        if !address.is_secure() && by != Some(ProxyProtocol::Https) {
            let new = || self.new_agent(TlsConfig::builder().build());
            return Ok(self.agent.get_or_init(new));
        }
        if let Some(agent) = self.secure.get() {
            return Ok(agent);
        }
        let agent = self.new_agent(authorities::tls()?);
        Ok(self.secure.get_or_init(|| agent))
    }

    fn new_agent(&self, tls: TlsConfig) -> Agent {
        let patience = &self.patience;
        Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("ephemeros/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(patience.connect))
            .timeout_connect(Some(patience.connect))
            .timeout_recv_response(Some(patience.connect))
            .timeout_per_read(Some(patience.silence))
            .timeout_per_write(Some(patience.silence))
            .tls_config(tls)
            .build()
            .new_agent()
    }
}

/// Whether a `Content-Range` begins where it was asked to.
fn starts_at(range: Option<&str>, offset: u64) -> bool {
    let range = range.and_then(|range| range.trim().strip_prefix("bytes "));
    let start = range.and_then(|range| range.split('-').next());
    start.and_then(|start| start.trim().parse().ok()) == Some(offset)
}

/// `Retry-After`: seconds, or a date.
fn wait_of(header: &str) -> Option<Duration> {
    if let Ok(seconds) = header.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(header.trim()).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// Waits, unless the user has enough.
fn pause(wait: Duration, progress: &dyn Progress) -> Result<(), NetError> {
    let end = Instant::now() + wait;
    loop {
        if progress.stopped() {
            return Err(NetError::Stopped);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        sleep(left.min(TICK));
    }
}
