//! What a distribution has published: a channel's newest release, and what its files must hash to.

use std::collections::BTreeMap;

use super::release::{Arch, Distro, Release};
use super::signature::SigningKey;
use super::unpublished::{Unpublished, absent, in_part};
use super::{fedora_coreos, flatcar};
use crate::net::{Client, Digest, NetError};
use crate::progress::Progress;

/// No key, list of digests or metadata is longer.
const LIMIT: u64 = 4 << 20;

/// The servers to ask: the mirrors in their order, then the distribution's own.
pub struct Servers<'a> {
    /// Asks them.
    pub client: &'a Client,
    /// Base URLs with the layout of the distribution's own server.
    pub mirrors: &'a [String],
    /// Hears when to stop.
    pub progress: &'a dyn Progress,
}

impl Servers<'_> {
    /// The release that a channel offers now.
    ///
    /// # Errors
    /// No server says so.
    pub fn newest(
        &self,
        distro: Distro,
        channel: &str,
        arch: Arch,
    ) -> Result<Release, Unpublished> {
        let mut release = Release {
            distro,
            channel: channel.to_owned(),
            version: flatcar::CURRENT.to_owned(),
            arch,
        };
        let urls = match distro {
            Distro::Flatcar => self
                .bases(&release)
                .map(|it| format!("{it}/version.txt"))
                .collect(),
            Distro::FedoraCoreos => self.fedora(&fedora_coreos::stream_path(channel)),
        };
        let (url, bytes) = self.first(urls)?;
        let version = match distro {
            Distro::Flatcar => {
                let text = String::from_utf8_lossy(&bytes);
                flatcar::version_in(&text)
                    .map(str::to_owned)
                    .ok_or("it names no release".into())
            }
            Distro::FedoraCoreos => {
                fedora_coreos::read_stream(&bytes, arch).map(|stream| stream.version)
            }
        };
        match version {
            Ok(version) if distro.is_version(&version) => {
                release.version = version;
                Ok(release)
            }
            Ok(version) => Err(Unpublished::Unreadable {
                url,
                why: format!("`{version}` is no version of {distro}"),
            }),
            Err(why) => Err(Unpublished::Unreadable { url, why }),
        }
    }

    /// Flatcar's key, as its website has it; `fingerprint` is the one that its primary key must have.
    ///
    /// # Errors
    /// It can't be fetched, or is another one.
    pub fn flatcar_key(&self) -> Result<SigningKey, Unpublished> {
        let url = flatcar::SIGNING_KEY_URL;
        let bytes = self.client.get(url, LIMIT, self.progress)?;
        read_flatcar_key(&bytes, url)
    }

    /// What a release of Flatcar is made of: digests by file name, each signed by `key`. All files are there.
    ///
    /// # Errors
    /// A file is missing everywhere, or a signature proves nothing.
    pub fn flatcar_files(
        &self,
        release: &Release,
        key: &SigningKey,
    ) -> Result<BTreeMap<String, Digest>, Unpublished> {
        let mut missing = Vec::new();
        for base in self.bases(release) {
            match self.flatcar_files_at(&base, release, key) {
                Err(Unpublished::Net(error)) => missing.push(absent(error)?),
                other => return other,
            }
        }
        Err(in_part(release, missing))
    }

    fn flatcar_files_at(
        &self,
        base: &str,
        release: &Release,
        key: &SigningKey,
    ) -> Result<BTreeMap<String, Digest>, Unpublished> {
        let url = format!("{base}/version.txt");
        let text = self.get(&url)?;
        let found = flatcar::version_in(&String::from_utf8_lossy(&text)).map(str::to_owned);
        if found.as_ref() != Some(&release.version) {
            return Err(Unpublished::OtherRelease {
                url,
                found: found.unwrap_or_else(|| "no release".to_owned()),
                expected: release.version.clone(),
            });
        }
        let mut files = BTreeMap::new();
        for file in release.files().all() {
            let (url, text) = self.signed_digests(&format!("{base}/{file}"), key)?;
            let digest = flatcar::digest_in(&text, file).ok_or(Unpublished::Unreadable {
                url,
                why: format!("it has no SHA-512 of {file}"),
            })?;
            self.client.find(&format!("{base}/{file}"), self.progress)?;
            files.insert(file.to_owned(), digest);
        }
        Ok(files)
    }

    /// The list of a file's digests: with its signature beside it or, where there is none, around it.
    fn signed_digests(
        &self,
        file: &str,
        key: &SigningKey,
    ) -> Result<(String, String), Unpublished> {
        let list = format!("{file}.DIGESTS");
        let url = format!("{list}.sig");
        let unsigned = |url: &str| {
            let url = url.to_owned();
            move |cause| Unpublished::Unsigned { url, cause }
        };
        let text = match self.get(&url) {
            Ok(signature) => {
                let text = self.get(&list)?;
                key.verify(&text, &signature).map_err(unsigned(&url))?;
                String::from_utf8_lossy(&text).into_owned()
            }
            Err(NetError::Status { status: 404, .. }) => {
                let url = format!("{list}.asc");
                let text = self.get(&url)?;
                key.verify_clearsigned(&text).map_err(unsigned(&url))?
            }
            Err(error) => return Err(error.into()),
        };
        Ok((list, text))
    }

    /// What a release of Fedora CoreOS is made of: digests by file name. All files are there. They are as safe as
    /// the connection to the server: HTTPS where it is Fedora's own.
    ///
    /// # Errors
    /// A file is missing everywhere, or has another name than nodes ask for.
    pub fn fedora_files(&self, release: &Release) -> Result<BTreeMap<String, Digest>, Unpublished> {
        let (url, contents) = self.fedora_contents(release)?;
        let names = release.files();
        if let Some(name) = names.all().find(|it| !contents.contains_key(*it)) {
            let why = format!("it has no `{name}`, which nodes would ask for");
            return Err(Unpublished::Unreadable { url, why });
        }
        let mut missing = Vec::new();
        for base in self.bases(release) {
            let found = names
                .all()
                .try_for_each(|name| self.client.find(&format!("{base}/{name}"), self.progress));
            match found {
                Ok(()) => return Ok(contents),
                Err(error) => missing.push(absent(error)?),
            }
        }
        Err(in_part(release, missing))
    }

    /// From the stream's metadata as long as the release is its newest, then from its own; and where that stands.
    fn fedora_contents(
        &self,
        release: &Release,
    ) -> Result<(String, BTreeMap<String, Digest>), Unpublished> {
        let stream = self.first(self.fedora(&fedora_coreos::stream_path(&release.channel)));
        if let Ok((url, bytes)) = stream
            && let Ok(stream) = fedora_coreos::read_stream(&bytes, release.arch)
            && stream.version == release.version
        {
            return Ok((url, stream.files));
        }
        let (url, bytes) = self.first(self.fedora(&fedora_coreos::release_path(release)))?;
        match fedora_coreos::read_release(&bytes, release.arch) {
            Ok(own) if own.version == release.version => Ok((url, own.files)),
            Ok(own) => Err(Unpublished::OtherRelease {
                url,
                found: own.version,
                expected: release.version.clone(),
            }),
            Err(why) => Err(Unpublished::Unreadable { url, why }),
        }
    }

    /// The release's folders. Nodes ask the distribution by HTTP where they must; this need not.
    fn bases(&self, release: &Release) -> impl Iterator<Item = String> {
        let mirrors: Vec<String> = self.mirrors.iter().map(|it| release.base_on(it)).collect();
        let own = release.own_base().replacen("http://", "https://", 1);
        mirrors.into_iter().chain([own])
    }

    fn fedora(&self, path: &str) -> Vec<String> {
        let servers = self.mirrors.iter().map(String::as_str);
        let servers = servers.chain([fedora_coreos::SERVER]);
        servers
            .map(|it| format!("{}/{path}", it.trim_end_matches('/')))
            .collect()
    }

    fn get(&self, url: &str) -> Result<Vec<u8>, NetError> {
        self.client.get(url, LIMIT, self.progress)
    }

    /// The first that is there, and where.
    fn first(&self, urls: Vec<String>) -> Result<(String, Vec<u8>), Unpublished> {
        let mut missing = Vec::new();
        for url in urls {
            match self.get(&url) {
                Ok(bytes) => return Ok((url, bytes)),
                Err(error) => missing.push(absent(error)?),
            }
        }
        Err(Unpublished::Nowhere(missing))
    }
}

/// Reads Flatcar's key; `from` says where it is from.
///
/// # Errors
/// It is another one.
pub fn read_flatcar_key(bytes: &[u8], from: &str) -> Result<SigningKey, Unpublished> {
    SigningKey::read(bytes, flatcar::SIGNING_KEY).map_err(|cause| Unpublished::Key {
        from: from.to_owned(),
        cause,
    })
}
