//! `lock`: what `current` and each artifact stand for, looked up once for all who render.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::loaded::load_without_pins;
use super::lock_changes::{self, Change, channel_of, file_of};
pub(super) use super::lock_wanted::Channel;
use super::lock_wanted::{RemoteFile, Wanted};
use super::{Failure, Outcome, count, fail, lock};
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::fleet::lock::{ArtifactPin, Lock, OsPin};
use crate::net::{Client, Digest, Function, NetError};
use crate::os::{Distro, Release, Servers, SigningKey, Unpublished, read_flatcar_key};
use crate::progress::Progress;
use crate::ui::{Held, Ui};
use crate::write::{Batch, Durability};

pub(super) fn run(args: &cli::Lock, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let _lock = if args.dry_run {
        None
    } else {
        Some(lock(start, "lock")?)
    };
    let (loaded, pinned) = load_without_pins(start, ui)?;
    if loaded.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, loaded.diagnostics));
    }
    let key = args.key.as_deref().map(read_key).transpose()?;
    let client = Client::default();
    let wanted = Wanted::of(&loaded.manifest, &loaded.fleet);
    let pins = Resolver {
        client: &client,
        ui,
        update: args.update,
        given_key: key,
        key: OnceCell::new(),
    }
    .resolve(&wanted, &pinned)?;
    let changes = lock_changes::find(&pinned, &pins);
    if !args.dry_run && !changes.is_empty() {
        write(&loaded.fleet.root.join("fleet.lock"), &pins)?;
    }
    report(&changes, args, ui)?;
    Ok(Outcome::Done)
}

fn read_key(path: &Path) -> Result<(PathBuf, Vec<u8>), Failure> {
    let bytes = fs::read(path).map_err(|error| {
        Failure::problem(
            format!("can't read {}: {error}", path.display()),
            Some("`--key` takes the file with Flatcar's signing key"),
        )
    })?;
    Ok((path.to_owned(), bytes))
}

fn write(path: &Path, pins: &Lock) -> Result<(), Failure> {
    let held = Held::begin();
    let mut batch = Batch::new();
    batch.stage(path, pins.to_text().as_bytes(), Durability::Precious)?;
    batch.commit()?;
    held.done();
    Ok(())
}

fn report(changes: &[Change], args: &cli::Lock, ui: &Ui) -> Result<(), Failure> {
    let written = !args.dry_run && !changes.is_empty();
    if ui.json() {
        let changes: Vec<_> = changes.iter().map(Change::to_json).collect();
        let text = json!({ "format": 1, "written": written, "changes": changes });
        ui.result(&format!("{text:#}\n"))?;
        return Ok(());
    }
    for change in changes {
        ui.result(&format!("{}\n", change.to_text()))?;
    }
    let number = count(changes.len(), "pin");
    match (changes.is_empty(), args.dry_run, args.update) {
        (true, _, true) => ui.say("fleet.lock pins what is published now"),
        (true, _, false) => {
            ui.say("fleet.lock pins everything; `ephemeros lock --update` moves it");
        }
        (false, true, _) => ui.say(&format!("{number} would change; nothing was written")),
        (false, false, _) => ui.say(&format!(
            "fleet.lock: {number} changed; `ephemeros plan` says what that costs"
        )),
    }
    Ok(())
}

/// Looks up what is wanted and not pinned yet.
struct Resolver<'a> {
    client: &'a Client,
    ui: &'a Ui,
    update: bool,
    /// From where, and what is in it.
    given_key: Option<(PathBuf, Vec<u8>)>,
    key: OnceCell<SigningKey>,
}

impl Resolver<'_> {
    /// All pins, or all failures.
    fn resolve(&self, wanted: &Wanted, pinned: &Lock) -> Result<Lock, Failure> {
        let mut pins = Lock::default();
        if !self.update {
            // What nobody wants now somebody may want again.
            let unwanted = |pin: &&OsPin| !wanted.channels.contains_key(&channel_of(pin));
            pins.os.extend(pinned.os.iter().filter(unwanted).cloned());
            let unwanted = |pin: &&ArtifactPin| !wanted.files.contains_key(&file_of(pin));
            let unwanted = pinned.artifacts.iter().filter(unwanted);
            pins.artifacts.extend(unwanted.cloned());
        }
        let mut failures = 0;
        let mut failed = |what: &str, error: Unpublished| {
            if matches!(error, Unpublished::Net(NetError::Stopped)) {
                return Err(Failure::Stopped);
            }
            self.ui.error(&format!("{what}: {error}"), error.help());
            failures += 1;
            Ok(())
        };
        for (of, mirrors) in &wanted.channels {
            let what = format!("{} {} on {}", of.distro, of.name, of.arch);
            self.ui.start(&format!("looking up {what}"), 1);
            let pin = pinned.os(of.distro, &of.name, of.arch);
            match self.release(of, mirrors, pin) {
                Ok(pin) => pins.os.push(pin),
                Err(error) => failed(&what, error)?,
            }
            self.ui.advance(1);
        }
        for (of, url) in &wanted.files {
            let what = format!("{} on {}", of.name, of.arch);
            self.ui.start(&format!("asking for {what}"), 1);
            match self.artifact(of, url, pinned.artifact(&of.name, of.arch)) {
                Ok(pin) => pins.artifacts.push(pin),
                Err(error) => failed(&what, error.into())?,
            }
        }
        match failures {
            0 => Ok(pins),
            number => Err(Failure::problem(
                format!("{} not pinned; nothing was written", count(number, "thing")),
                None,
            )),
        }
    }

    fn release(
        &self,
        of: &Channel,
        mirrors: &[String],
        pin: Option<&OsPin>,
    ) -> Result<OsPin, Unpublished> {
        let servers = Servers {
            client: self.client,
            mirrors,
            progress: self.ui,
        };
        let release = match pin {
            Some(pin) if !self.update => Release {
                distro: of.distro,
                channel: of.name.clone(),
                version: pin.version.clone(),
                arch: of.arch,
            },
            _ => servers.newest(of.distro, &of.name, of.arch)?,
        };
        if let Some(pin) = pin
            && is_whole(pin, &release)
        {
            return Ok(pin.clone());
        }
        let files = match of.distro {
            Distro::Flatcar => servers.flatcar_files(&release, self.key(&servers)?)?,
            Distro::FedoraCoreos => servers.fedora_files(&release)?,
        };
        Ok(pin_of(release, files))
    }

    /// Read once, and only where it is needed.
    fn key(&self, servers: &Servers) -> Result<&SigningKey, Unpublished> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let key = match &self.given_key {
            Some((path, bytes)) => read_flatcar_key(bytes, &path.display().to_string())?,
            None => servers.flatcar_key()?,
        };
        Ok(self.key.get_or_init(|| key))
    }

    fn artifact(
        &self,
        of: &RemoteFile,
        url: &str,
        pin: Option<&ArtifactPin>,
    ) -> Result<ArtifactPin, NetError> {
        let pinned = pin.filter(|pin| pin.url == url);
        let digest = pinned.and_then(|pin| Digest::parse(&pin.hash));
        if let (Some(pin), Some(_), false) = (pinned, &digest, self.update) {
            return Ok(pin.clone());
        }
        // By the function of the pin, so that the same bytes are the same pin.
        let function = digest.map_or(Function::Sha512, |digest| digest.function());
        let what = format!("reading {} for {}", of.name, of.arch);
        let hash = self.client.digest(url, function, &what, self.ui)?;
        Ok(ArtifactPin {
            name: of.name.clone(),
            arch: of.arch,
            url: url.to_owned(),
            hash: hash.to_string(),
        })
    }
}

/// The newest release of a channel, looked up at the distribution's own server alone.
pub(super) fn newest(
    of: &Channel,
    client: &Client,
    progress: &dyn Progress,
) -> Result<OsPin, Unpublished> {
    let servers = Servers {
        client,
        mirrors: &[],
        progress,
    };
    let release = servers.newest(of.distro, &of.name, of.arch)?;
    let files = match of.distro {
        Distro::Flatcar => servers.flatcar_files(&release, &servers.flatcar_key()?)?,
        Distro::FedoraCoreos => servers.fedora_files(&release)?,
    };
    Ok(pin_of(release, files))
}

fn pin_of(release: Release, files: BTreeMap<String, Digest>) -> OsPin {
    let files = files.into_iter();
    OsPin {
        distro: release.distro,
        channel: release.channel,
        arch: release.arch,
        version: release.version,
        files: files.map(|(name, it)| (name, it.to_string())).collect(),
    }
}

/// Whether a pin is of this release, and has a digest of each of its files.
fn is_whole(pin: &OsPin, release: &Release) -> bool {
    let digest = |name: &str| pin.files.get(name).and_then(|it| Digest::parse(it));
    pin.version == release.version && release.files().all().all(|name| digest(name).is_some())
}
