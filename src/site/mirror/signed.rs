//! What the files of a release must hash to, where the fleet does not pin them: as its distribution signed or published it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::catalogue::Of;
use crate::net::{Client, Digest};
use crate::os::{Distro, Release, Servers, SigningKey, Unpublished};
use crate::progress::Progress;
use crate::write::{Batch, Durability};

/// Digests by file name.
type Digests = BTreeMap<String, Digest>;

/// What was looked up. It is kept beside the files in the cache, so that a release is looked up once.
#[derive(Default)]
pub(super) struct Signed {
    known: Mutex<BTreeMap<Release, Digests>>,
    key: OnceLock<SigningKey>,
}

impl Signed {
    /// A digest that was looked up before.
    pub(super) fn known(&self, cache: &Path, release: &Release, name: &str) -> Option<Digest> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains_key(release)
            && let Ok(text) = fs::read_to_string(cache.join(file_of(release)))
        {
            known.insert(release.clone(), read(&text));
        }
        known.get(release)?.get(name).cloned()
    }

    /// Looks a release up.
    pub(super) fn look_up(
        &self,
        cache: &Path,
        of: &Of,
        client: &Client,
        progress: &dyn Progress,
    ) -> Result<(), Unpublished> {
        let release = &of.release;
        let servers = Servers {
            client,
            mirrors: &of.mirrors,
            progress,
        };
        let digests = match release.distro {
            Distro::Flatcar => servers.flatcar_files(release, self.key(&servers)?)?,
            Distro::FedoraCoreos => servers.fedora_files(release)?,
        };
        let lines = digests.iter().map(|(name, it)| format!("{name} {it}\n"));
        let text = lines.collect::<Vec<_>>().concat();
        let mut batch = Batch::new();
        // Where it can't be kept it is looked up again.
        let _ = batch
            .stage(
                &cache.join(file_of(release)),
                text.as_bytes(),
                Durability::Rendered,
            )
            .and_then(|()| batch.commit());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(release.clone(), digests);
        Ok(())
    }

    fn key(&self, servers: &Servers) -> Result<&SigningKey, Unpublished> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let key = servers.flatcar_key()?;
        Ok(self.key.get_or_init(|| key))
    }
}

fn file_of(release: &Release) -> String {
    let (distro, channel, version) = (release.distro, &release.channel, &release.version);
    format!("{distro}-{channel}-{version}-{}.digests", release.arch)
}

fn read(text: &str) -> Digests {
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines
        .filter_map(|(name, digest)| Some((name.to_owned(), Digest::parse(digest)?)))
        .collect()
}
