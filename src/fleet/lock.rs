//! `fleet.lock`: which release of an operating system and which bytes of an artifact the fleet uses.

use std::collections::BTreeMap;

use minijinja::UndefinedBehavior;
use serde::Deserialize;
use toml_edit::{ArrayOfTables, DocumentMut, Table, value};

use super::decode::decode;
use super::document::{self, Item};
use super::files::{Files, Unreadable};
use crate::diagnostic::Diagnostic;
use crate::net::Digest;
use crate::os::{Arch, Distro};

/// The format that this version writes and the newest that it reads.
const FORMAT: i64 = 1;

/// The pins.
#[derive(Default)]
pub struct Lock {
    /// Releases.
    pub os: Vec<OsPin>,
    /// Artifacts.
    pub artifacts: Vec<ArtifactPin>,
    /// Whether what is missing says nothing: this tool is too old to read it, or is about to write it.
    pub open: bool,
    /// What is wrong with pins that pin nothing; `ephemeros lock` makes them anew.
    pub mistakes: Vec<Diagnostic>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LockFile {
    format: i64,
    os: Vec<OsPin>,
    artifact: Vec<ArtifactPin>,
}

/// `[[os]]`: the release that `version = "current"` stands for.
#[derive(Deserialize, Default, Clone, Debug, PartialEq, Eq)]
#[serde(default)]
pub struct OsPin {
    /// The distribution.
    pub distro: Distro,
    /// Flatcar's channel, Fedora CoreOS's stream.
    pub channel: String,
    /// The architecture.
    pub arch: Arch,
    /// The release.
    pub version: String,
    /// Digests by file name: `sha512-…` or `sha256-…`.
    pub files: BTreeMap<String, String>,
}

/// `[[artifact]]`: where a remote file is and what is in it.
#[derive(Deserialize, Default, Clone, Debug, PartialEq, Eq)]
#[serde(default)]
pub struct ArtifactPin {
    /// The name in `[artifacts]`.
    pub name: String,
    /// The architecture.
    pub arch: Arch,
    /// Where it is.
    pub url: String,
    /// Its digest in Ignition's form: `sha512-…` or `sha256-…`.
    pub hash: String,
}

impl Lock {
    /// Reads `fleet.lock`; a fleet without one has no pins.
    pub(super) fn read(
        files: &dyn Files,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Self, Unreadable> {
        let (document, mut mistakes) = match document::read(files, "fleet.lock") {
            Ok(read) => read,
            Err(error) if error.is_absent() => {
                return Ok(Self::default());
            }
            Err(error) => return Err(error),
        };
        let newer = document.get("format").filter(
            |item| matches!(item.value, super::document::Value::Integer(format) if format > FORMAT),
        );
        if let Some(item) = newer {
            diagnostics.push(
                item.error(format!(
                    "this tool reads `fleet.lock` up to format {FORMAT}"
                ))
                .help("upgrade ephemeros: `cargo install --locked ephemeros`"),
            );
            return Ok(Self {
                open: true,
                ..Self::default()
            });
        }
        let file: LockFile = decode(&document, &mut mistakes);
        let mut unsound = Vec::new();
        if mistakes.is_empty() {
            if file.format != FORMAT {
                mistakes.push(document.error("`fleet.lock` does not say its format").help(
                    format!("its first line is `format = {FORMAT}`; `ephemeros lock` writes it"),
                ));
            }
            check_hashes(&document, &mut unsound);
        }
        diagnostics.append(&mut mistakes);
        Ok(Self {
            os: file.os,
            artifacts: file.artifact,
            open: false,
            mistakes: unsound,
        })
    }

    /// One that has no pin, and minds none that is missing.
    #[must_use]
    pub fn to_fill() -> Self {
        Self {
            open: true,
            ..Self::default()
        }
    }

    /// The file: the same bytes for the same pins, whatever their order.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut os: Vec<&OsPin> = self.os.iter().collect();
        os.sort_by_key(|pin| (pin.distro, &pin.channel, pin.arch));
        let mut artifacts: Vec<&ArtifactPin> = self.artifacts.iter().collect();
        artifacts.sort_by_key(|pin| (&pin.name, pin.arch));
        let mut document = DocumentMut::new();
        document["format"] = value(FORMAT);
        let releases = os.into_iter().map(|pin| {
            let mut table = table_of(&[
                ("distro", pin.distro.name()),
                ("channel", &pin.channel),
                ("arch", pin.arch.name()),
                ("version", &pin.version),
            ]);
            if !pin.files.is_empty() {
                let files = pin.files.iter();
                let files: Vec<_> = files
                    .map(|(name, it)| (name.as_str(), it.as_str()))
                    .collect();
                table["files"] = toml_edit::Item::Table(table_of(&files));
            }
            table
        });
        let artifacts = artifacts.into_iter().map(|pin| {
            table_of(&[
                ("name", &pin.name),
                ("arch", pin.arch.name()),
                ("url", &pin.url),
                ("hash", &pin.hash),
            ])
        });
        for (name, tables) in [
            ("os", releases.collect::<ArrayOfTables>()),
            ("artifact", artifacts.collect()),
        ] {
            if !tables.is_empty() {
                document[name] = toml_edit::Item::ArrayOfTables(tables);
            }
        }
        document.to_string()
    }

    /// The pin of a release.
    #[must_use]
    pub fn os(&self, distro: Distro, channel: &str, arch: Arch) -> Option<&OsPin> {
        self.os
            .iter()
            .find(|pin| pin.distro == distro && pin.channel == channel && pin.arch == arch)
    }

    /// The pin of an artifact.
    #[must_use]
    pub fn artifact(&self, name: &str, arch: Arch) -> Option<&ArtifactPin> {
        self.artifacts
            .iter()
            .find(|pin| pin.name == name && pin.arch == arch)
    }
}

fn table_of(pairs: &[(&str, &str)]) -> Table {
    let mut table = Table::new();
    for (key, text) in pairs {
        table[*key] = value(*text);
    }
    table
}

/// A pin that pins nothing would fail on the node, so it fails here.
fn check_hashes(document: &Item, mistakes: &mut Vec<Diagnostic>) {
    let mut check = |item: &Item| {
        if item.text().and_then(Digest::parse).is_none() {
            mistakes.push(item.error("this is no digest").help(
                "write `sha256-` with 64 hex digits or `sha512-` with 128, or run `ephemeros lock`",
            ));
        }
    };
    let mut without = Vec::new();
    for pin in document.get("artifact").map_or(&[][..], Item::array) {
        match pin.get("hash") {
            Some(hash) => check(hash),
            None => without.push(
                pin.error("this artifact has no `hash`")
                    .help("run `ephemeros lock`"),
            ),
        }
    }
    for pin in document.get("os").map_or(&[][..], Item::array) {
        let files = pin.get("files").and_then(Item::table);
        files
            .into_iter()
            .flatten()
            .for_each(|(_, item)| check(item));
    }
    mistakes.append(&mut without);
}

/// The URL of an artifact: its template with its version filled in.
///
/// # Errors
/// What the template engine says of the template, without any value in it.
pub fn artifact_url(template: &str, version: Option<&str>) -> Result<String, String> {
    let mut engine = minijinja::Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine
        .render_str(template, minijinja::context! { version })
        .map_err(|error| {
            error
                .detail()
                .map_or_else(|| error.kind().to_string(), str::to_owned)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_takes_the_version() {
        let url = artifact_url("https://h/{{ version | urlencode }}/k3s", Some("v1+k3s1"));
        assert_eq!(url.as_deref(), Ok("https://h/v1%2Bk3s1/k3s"));
        assert!(artifact_url("https://h/{{ verson }}", Some("v1")).is_err());
    }

    #[test]
    fn the_order_of_the_pins_does_not_show() {
        let os = |arch, version: &str| OsPin {
            channel: "stable".into(),
            arch,
            version: version.into(),
            files: [("kernel".to_owned(), "sha512-0".to_owned())].into(),
            ..OsPin::default()
        };
        let artifact = |name: &str, arch| ArtifactPin {
            name: name.into(),
            arch,
            url: "https://h/\"x\"".into(),
            hash: "sha256-0".into(),
        };
        let mut lock = Lock {
            os: vec![os(Arch::Arm64, "2.0.0"), os(Arch::Amd64, "1.0.0")],
            artifacts: vec![artifact("b", Arch::Amd64), artifact("a", Arch::Arm64)],
            ..Lock::default()
        };
        let text = lock.to_text();
        assert_eq!(
            text.split("\n\n").last(),
            Some(
                "[[artifact]]\nname = \"b\"\narch = \"amd64\"\nurl = 'https://h/\"x\"'\nhash = \"sha256-0\"\n"
            )
        );
        assert!(text.starts_with(
            "format = 1\n\n[[os]]\ndistro = \"flatcar\"\nchannel = \"stable\"\narch = \"amd64\"\nversion = \"1.0.0\"\n\n\
             [os.files]\nkernel = \"sha512-0\"\n\n[[os]]\n"
        ));
        lock.os.reverse();
        lock.artifacts.reverse();
        assert_eq!(lock.to_text(), text);
    }
}
