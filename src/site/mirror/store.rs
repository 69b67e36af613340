//! Where the files of a mirror come from, and what they must be.

use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs as _};

use super::cache::Cache;
use super::catalogue::{Of, Wanted};
use super::signed::Signed;
use crate::net::{Client, Digest, NetError};
use crate::progress::Progress;
use crate::site::content::Trouble;

/// Where files come from, and where they are kept.
pub(super) struct Store {
    pub(super) cache: Cache,
    client: Client,
    signed: Signed,
    /// The address of the server that the mirror is a part of, which may stand in `[os] mirrors`.
    own: Option<SocketAddr>,
}

impl Store {
    pub(super) fn new(cache: Cache, own: Option<SocketAddr>) -> Self {
        Self {
            cache,
            client: Client::default(),
            signed: Signed::default(),
            own,
        }
    }

    /// What a file must hash to, as far as that is known here.
    pub(super) fn known(&self, path: &str, wanted: &Wanted) -> Option<Digest> {
        let pinned = wanted.digest.clone();
        pinned.or_else(|| {
            let release = &wanted.of.as_ref()?.release;
            self.signed.known(self.cache.folder(), release, name(path))
        })
    }

    /// What a file must hash to; the distribution is asked where nobody else knows.
    pub(super) fn digest(
        &self,
        path: &str,
        wanted: &Wanted,
        progress: &dyn Progress,
    ) -> Result<Digest, Trouble> {
        if let Some(known) = self.known(path, wanted) {
            return Ok(known);
        }
        if let Some(of) = &wanted.of {
            let others = of.mirrors.iter().filter(|it| !self.is_own(it));
            let others = Of {
                mirrors: others.cloned().collect(),
                release: of.release.clone(),
            };
            let cache = self.cache.folder();
            self.signed
                .look_up(cache, &others, &self.client, progress)
                .map_err(|error| {
                    let release = &of.release;
                    let (distro, version) = (release.distro, &release.version);
                    let message = format!("can't tell what {distro} {version} must be: {error}");
                    let help = error
                        .help()
                        .unwrap_or("run `ephemeros lock` where there is a network");
                    Trouble::upstream(message).help(help)
                })?;
        }
        let message = || format!("nothing says what {path} must be, so it can't be trusted");
        self.known(path, wanted)
            .ok_or_else(|| Trouble::here(message()).help("run `ephemeros lock`"))
    }

    /// Sees to it that a file is in the cache.
    pub(super) fn fetch(
        &self,
        path: &str,
        wanted: &Wanted,
        progress: &dyn Progress,
    ) -> Result<(), Trouble> {
        let digest = self.digest(path, wanted, progress)?;
        let others = wanted.urls.iter().filter(|url| !self.is_own(url));
        let others: Vec<String> = others.cloned().collect();
        let fetched = self
            .cache
            .fetch(&self.client, &others, &digest, name(path), progress);
        fetched.map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            let trouble = Trouble::upstream(if lines.is_empty() {
                format!("no server but this one is named for {path}")
            } else {
                lines.join("\n")
            });
            match errors.iter().find_map(NetError::help) {
                Some(help) => trouble.help(help),
                None => trouble,
            }
        })
    }

    /// Whether a URL leads back here: then it would wait for itself.
    fn is_own(&self, url: &str) -> bool {
        let Some(own) = self.own else { return false };
        let Some(rest) = url.strip_prefix("http://") else {
            return false;
        };
        let host = rest.split('/').next().unwrap_or_default();
        let with_port = match host.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => host.to_owned(),
            _ => format!("{host}:80"),
        };
        let Ok(mut addresses) = with_port.to_socket_addrs() else {
            return false;
        };
        addresses.any(|it| {
            let same = own.ip().is_unspecified() || it.ip() == own.ip();
            it.port() == own.port() && same && is_local(it.ip())
        })
    }
}

/// Whether an address is one of this machine: only of those a port can be had.
fn is_local(address: IpAddr) -> bool {
    TcpListener::bind((address, 0)).is_ok()
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
