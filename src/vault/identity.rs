//! Private keys: where they are, and reading them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::dumps::forbid_dumps;
use super::plugin::Plugins;
use super::unlock::{Locked, UnlockError};
use crate::diagnostic::Diagnostic;
use crate::secrets::recipients::Recipient;
pub use parse::Flaw;
pub(super) use parse::parse_age;
use parse::{Parsed, parse};

mod parse;

/// No key file is longer, in bytes.
const LONGEST_FILE: u64 = 1 << 20;

/// Where to look for identities. The first two, when given, are the only place.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// `--identity`.
    pub option: Option<PathBuf>,
    /// `EPHEMEROS_IDENTITY`; an empty one counts as none.
    pub variable: Option<PathBuf>,
    /// The home directory, under sudo the invoking user's: see [`crate::invoker::Invoker`].
    pub home: Option<PathBuf>,
}

/// The places in a home directory, in their order.
const IN_HOME: [&str; 3] = [
    ".config/ephemeros/identity",
    ".ssh/id_ed25519",
    ".ssh/id_rsa",
];

impl Places {
    /// Where `secrets keygen` writes, where nothing else is said.
    #[must_use]
    pub fn own(&self) -> Option<PathBuf> {
        let named = self.named().map(Path::to_path_buf);
        named.or_else(|| Some(self.home.as_ref()?.join(IN_HOME[0])))
    }

    fn named(&self) -> Option<&Path> {
        let variable = self.variable.as_deref();
        let variable = variable.filter(|path| !path.as_os_str().is_empty());
        self.option.as_deref().or(variable)
    }
}

/// Private keys that were found. They can't be printed; what can is where they were read.
#[derive(Default)]
pub struct Identities {
    pub(super) read: Vec<(PathBuf, Vec<Key>)>,
    /// Those that a passphrase protects, and that were not needed.
    pub(super) locked: Vec<(PathBuf, Locked)>,
    /// Those that were asked for in vain.
    pub(super) failed: Vec<UnlockError>,
    /// What runs the plugins that hold keys.
    pub(super) plugins: Plugins,
    skipped: Vec<IdentityError>,
    warnings: Vec<Diagnostic>,
}

pub(super) enum Key {
    X25519(age::x25519::Identity),
    Ssh(Box<age::ssh::Identity>),
    /// Only the plugin can use it.
    Plugin(age::plugin::Identity),
}

/// Why there is no identity. It never holds any of the file's text.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// No identity in any of the usual places.
    #[error(
        "no identity found: {places}; make one with `ephemeros secrets keygen`, or name one with `--identity`"
    )]
    NoneFound {
        /// Each place, and what is wrong with it.
        places: String,
    },
    /// The file can't be read.
    #[error("can't read the identity `{}`: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file was read, and can't be used.
    #[error("the identity `{}` {flaw}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        flaw: Flaw,
    },
}

/// Finds and reads the identities: the one named by `--identity` or `EPHEMEROS_IDENTITY`, which must be good, or every
/// good one of the usual places in the home directory. Those with a passphrase are opened by
/// [`Identities::unlock_for`].
pub fn find_identities(places: &Places) -> Result<Identities, IdentityError> {
    forbid_dumps();
    let mut identities = Identities::default();
    if let Some(path) = places.named() {
        identities.add(path)?;
        return Ok(identities);
    }
    let homes = places.home.iter();
    let paths: Vec<PathBuf> = homes
        .flat_map(|home| IN_HOME.map(|place| home.join(place)))
        .collect();
    for path in &paths {
        if let Err(error) = identities.add(path) {
            identities.skipped.push(error);
        }
    }
    if identities.read.is_empty() && identities.locked.is_empty() {
        let places = if paths.is_empty() {
            "there is no home directory to look in".to_owned()
        } else {
            identities.to_string()
        };
        return Err(IdentityError::NoneFound { places });
    }
    // A key that is not there is worth a word only when there is none at all.
    identities.skipped.retain(|error| !error.is_absent());
    Ok(identities)
}

impl IdentityError {
    fn is_absent(&self) -> bool {
        matches!(self, Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

impl Identities {
    /// The keys that need no plugin, in the order in which they were found.
    pub(super) fn keys(&self) -> impl Iterator<Item = &dyn age::Identity> {
        let keys = self.read.iter().flat_map(|(_, keys)| keys);
        keys.filter_map(|key| match key {
            Key::X25519(key) => Some(key as &dyn age::Identity),
            Key::Ssh(key) => Some(&**key),
            Key::Plugin(_) => None,
        })
    }

    /// The keys of plugins, by the plugin's name.
    pub(super) fn of_plugins(&self) -> BTreeMap<&str, Vec<age::plugin::Identity>> {
        let mut of_plugins: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for key in self.read.iter().flat_map(|(_, keys)| keys) {
            if let Key::Plugin(key) = key {
                let keys = of_plugins.entry(key.plugin()).or_default();
                keys.push(key.clone());
            }
        }
        of_plugins
    }

    /// Files that others can read too.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The public halves of the age keys among them that were read.
    #[must_use]
    pub fn recipients(&self) -> Vec<Recipient> {
        let keys = self.read.iter().flat_map(|(_, keys)| keys);
        keys.filter_map(|key| match key {
            Key::X25519(key) => Some(Recipient::X25519(key.to_public())),
            Key::Ssh(_) | Key::Plugin(_) => None,
        })
        .collect()
    }

    fn add(&mut self, path: &Path) -> Result<(), IdentityError> {
        let (text, mode) = read_file(path)?;
        let parsed = parse(&text).map_err(|flaw| IdentityError::Unusable {
            path: path.to_owned(),
            flaw,
        })?;
        if mode & 0o077 != 0 {
            let path = path.display();
            self.warnings.push(
                Diagnostic::warning(format!(
                    "the identity `{path}` is open to other users (mode {:04o})",
                    mode & 0o7777
                ))
                .help(format!("close it: `chmod 600 {path}`")),
            );
        }
        match parsed {
            Parsed::Keys(keys) => self.read.push((path.to_owned(), keys)),
            Parsed::Locked(locked) => self.locked.push((path.to_owned(), locked)),
        }
        Ok(())
    }
}

/// The files that were read, and why others were not.
impl fmt::Display for Identities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = self
            .read
            .iter()
            .map(|(path, _)| format!("`{}`", path.display()));
        let locked = self.locked.iter().map(|(path, _)| {
            format!(
                "the identity `{}`, whose passphrase was not asked for, is not for it",
                path.display()
            )
        });
        let failed = self.failed.iter().map(ToString::to_string);
        let skipped = self.skipped.iter().map(ToString::to_string);
        let all: Vec<String> = read.chain(failed).chain(locked).chain(skipped).collect();
        formatter.write_str(&all.join("; "))
    }
}

/// A file's text, and its mode; a pipe's mode says nothing and counts as closed.
fn read_file(path: &Path) -> Result<(Zeroizing<Vec<u8>>, u32), IdentityError> {
    let failed = |source| IdentityError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let mode = if metadata.is_file() {
        metadata.permissions().mode()
    } else {
        0
    };
    // Room for more than any key, so that no copy is left behind when the buffer grows.
    let mut text = Zeroizing::new(Vec::with_capacity(64 << 10));
    file.take(LONGEST_FILE + 1)
        .read_to_end(&mut text)
        .map_err(failed)?;
    Ok((text, mode))
}

#[cfg(test)]
mod tests;
