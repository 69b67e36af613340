//! `ephemeros.toml`: whose stick this is, and what is on it. It holds no secret, and no digest of one.

use std::collections::BTreeMap;
use std::io::{self, Read};

use rustix::rand::{GetRandomFlags, getrandom};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

use crate::fleet::names::is_node_name;
use crate::render::hex;

/// Its name on the stick.
pub(super) const FILE: &str = "ephemeros.toml";

/// The newest format that this version reads, and the one that it writes.
const FORMAT: u32 = 1;

/// Stands above it, for whoever finds a stick.
const HEADER: &str = "# What boots here, written by ephemeros. `ephemeros inspect` reads it.\n";

/// The label of a stick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    format: u32,
    /// Which stick of all: random on a drive, nil in an image.
    pub stick: Uuid,
    /// The commit that it was made from, in 40 hex digits; zeros where none is known, as in an image.
    #[serde(default = "no_commit")]
    pub commit: String,
    /// The node.
    pub node: String,
    /// The fleet's name.
    pub fleet: String,
    /// The fleet's `id`.
    pub fleet_id: Uuid,
    /// Where the node fetches its config.
    pub config_url: String,
    /// Where it fetches the body of its boot script; absent where that stands on the stick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script_url: Option<String>,
    /// The digest of `autoexec.ipxe` as [`super::prologue_digest`] has it; older labels don't say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prologue: String,
    /// The other files beside the label: path, and `sha256-` with hex digits.
    pub files: BTreeMap<String, String>,
    /// The loaders among them: path, and iPXE's version.
    #[serde(default)]
    pub loaders: BTreeMap<String, String>,
    /// The files on the secrets volume: path, and length in bytes.
    #[serde(default)]
    pub secret_files: BTreeMap<String, u64>,
    /// Which secrets stand in each of them; older labels don't say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secret_names: BTreeMap<String, Vec<String>>,
    /// The secrets that the stick carries: name, and the version of the value.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// What a BIOS starts; absent where nothing was made for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bios: Option<Boot>,
}

/// Digests of what a BIOS starts, as those of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// Of the code in the MBR.
    pub code: String,
    /// Of the whole BIOS boot partition.
    pub partition: String,
    /// Of the loader in it; older labels don't say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub loader: String,
}

impl Boot {
    /// What it is now.
    pub(super) fn of(code: &[u8], partition: &[u8]) -> Self {
        Self {
            code: digest(code),
            partition: digest(partition),
            loader: String::new(),
        }
    }
}

/// Why a label can't be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LabelError {
    /// A later version of the tool wrote it.
    #[error("`{FILE}` has format {0}, and this version of ephemeros reads up to {FORMAT}")]
    Newer(u32),
    /// Somebody else wrote it, or damaged it.
    #[error("`{FILE}` is damaged: {0}")]
    Damaged(String),
}

impl Label {
    /// A label for an image, which is no stick yet. The rest is filled in.
    pub(super) fn new(node: &str, fleet: &str, fleet_id: Uuid, config_url: &str) -> Self {
        Self {
            format: FORMAT,
            stick: Uuid::nil(),
            commit: no_commit(),
            node: node.to_owned(),
            fleet: fleet.to_owned(),
            fleet_id,
            config_url: config_url.to_owned(),
            script_url: None,
            prologue: String::new(),
            files: BTreeMap::new(),
            loaders: BTreeMap::new(),
            secret_files: BTreeMap::new(),
            secret_names: BTreeMap::new(),
            secrets: BTreeMap::new(),
            bios: None,
        }
    }

    /// What tells the stick from others that are made of the same.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            stick: self.stick,
            commit: self.commit.clone(),
        }
    }

    /// The text of the file.
    pub(super) fn write(&self) -> Result<String, toml::ser::Error> {
        Ok(format!("{HEADER}{}", toml::to_string(self)?))
    }

    /// Reads the file.
    pub(super) fn read(text: &str) -> Result<Self, LabelError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let damaged = |error: toml::de::Error| LabelError::Damaged(error.message().to_owned());
        // A newer format may have anything else in it.
        let Format { format } = toml::from_str(text).map_err(damaged)?;
        if format > FORMAT {
            return Err(LabelError::Newer(format));
        }
        let label: Self = toml::from_str(text).map_err(damaged)?;
        // It may come from anybody, and is shown.
        let table: toml::Table = toml::from_str(text).map_err(damaged)?;
        let is_commit = label.commit.len() == 40
            && label
                .commit
                .bytes()
                .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        if !is_commit || !is_node_name(&label.node) || holds_control(&table.into()) {
            return Err(LabelError::Damaged("a name in it is none".to_owned()));
        }
        Ok(label)
    }
}

/// What tells a stick from others that are made of the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// As in the label.
    pub stick: Uuid,
    /// As in the label.
    pub commit: String,
}

/// The line with the id of any stick.
pub(super) const ID_LINE: &str = "\nstick = \"[0-9a-f-]{36}\"\n";

impl Identity {
    /// Fits the lines of any.
    pub(super) const LINES: &str = "\nstick = \"[0-9a-f-]{36}\"\ncommit = \"[0-9a-f]{40}\"\n";

    /// That of a new stick, made from a commit where one is known.
    ///
    /// # Errors
    /// The system gave no random numbers.
    pub fn random(commit: Option<String>) -> io::Result<Self> {
        let mut bytes = [0; 16];
        // Linux fills up to 256 bytes whole or not at all (getrandom(2)).
        getrandom(&mut bytes, GetRandomFlags::empty())?;
        Ok(Self {
            stick: Builder::from_random_bytes(bytes).into_uuid(),
            commit: commit.unwrap_or_else(no_commit),
        })
    }

    /// The same stick, made from another commit, where one is known.
    #[must_use]
    pub fn made_from(self, commit: Option<String>) -> Self {
        let commit = commit.unwrap_or_else(no_commit);
        Self { commit, ..self }
    }

    /// The lines of the label with it, the only ones that differ between two sticks of the same inputs. They have a
    /// fixed length.
    pub(super) fn lines(&self) -> String {
        let Self { stick, commit } = self;
        format!("\nstick = \"{stick}\"\ncommit = \"{commit}\"\n")
    }
}

fn no_commit() -> String {
    "0".repeat(40)
}

/// Whether a terminal would obey some of it.
fn holds_control(value: &toml::Value) -> bool {
    match value {
        toml::Value::String(text) => text.contains(char::is_control),
        toml::Value::Array(items) => items.iter().any(holds_control),
        toml::Value::Table(table) => table
            .iter()
            .any(|(key, value)| key.contains(char::is_control) || holds_control(value)),
        _ => false,
    }
}

/// As [`digest`], of what is read piece by piece.
pub(super) fn digest_of(bytes: &mut dyn Read) -> io::Result<String> {
    let mut sha = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match bytes.read(&mut piece)? {
            0 => return Ok(format!("sha256-{}", hex(&sha.finalize()))),
            length => sha.update(&piece[..length]),
        }
    }
}

/// A file's digest, as a label has it.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256-{}", hex(&Sha256::digest(bytes)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn comes_back_as_it_was_written() {
        let mut label = Label::new("n1", "home \"lab\"", Uuid::max(), "https://h/n1.ign");
        label.files.insert("a b".into(), digest(b"x"));
        label.secrets.insert("TOKEN".into(), "00ff".into());
        let text = label.write().unwrap();
        assert_eq!(Label::read(&text).as_ref(), Ok(&label));
        // `flash` replaces it in place.
        let lines = Regex::new(Identity::LINES).unwrap();
        assert_eq!(lines.find_iter(&text).count(), 1);
        let identity = Identity {
            stick: Uuid::max(),
            commit: "b".repeat(40),
        };
        let text = lines.replace(&text, identity.lines());
        assert_eq!(Label::read(&text).unwrap().identity(), identity);
    }

    #[test]
    fn a_newer_format_is_named_whatever_else_is_in_it() {
        assert_eq!(
            Label::read("format = 2\nx = 1\n"),
            Err(LabelError::Newer(2))
        );
        let mut label = Label::new("n1", "f", Uuid::nil(), "https://h/n1.ign");
        for name in ["a\nnode b", "a\u{1b}[31m", "\u{85}"] {
            label.fleet = name.to_owned();
            let text = label.write().unwrap();
            assert!(
                matches!(Label::read(&text), Err(LabelError::Damaged(_))),
                "{text}"
            );
        }
        for text in ["", "format = 1\n", "format = \"1\"\n", "\0", "[["] {
            let error = Label::read(text);
            assert!(matches!(error, Err(LabelError::Damaged(_))), "{text:?}");
        }
    }
}
