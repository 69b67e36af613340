//! `fleet.lock`: which release of an operating system and which bytes of an artifact the fleet uses.

use std::collections::BTreeMap;

use minijinja::UndefinedBehavior;
use serde::Deserialize;

use super::decode::decode;
use super::document::{self, Item};
use super::files::{Files, Unreadable};
use crate::diagnostic::Diagnostic;
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
    /// Whether this tool is too old to read it: what is missing then says nothing.
    pub too_new: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LockFile {
    format: i64,
    os: Vec<OsPin>,
    artifact: Vec<ArtifactPin>,
}

/// `[[os]]`: the release that `version = "current"` stands for.
#[derive(Deserialize, Default, Clone)]
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
#[derive(Deserialize, Default, Clone)]
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
                too_new: true,
                ..Self::default()
            });
        }
        let file: LockFile = decode(&document, &mut mistakes);
        if mistakes.is_empty() {
            if file.format != FORMAT {
                mistakes.push(document.error("`fleet.lock` does not say its format").help(
                    format!("its first line is `format = {FORMAT}`; `ephemeros lock` writes it"),
                ));
            }
            check_hashes(&document, &mut mistakes);
        }
        diagnostics.append(&mut mistakes);
        Ok(Self {
            os: file.os,
            artifacts: file.artifact,
            too_new: false,
        })
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

/// A pin that pins nothing would fail on the node, so it fails here.
fn check_hashes(document: &Item, mistakes: &mut Vec<Diagnostic>) {
    for pin in document.get("artifact").map_or(&[][..], Item::array) {
        match pin.get("hash") {
            Some(hash) if !hash.text().is_some_and(is_hash) => {
                mistakes.push(hash.error("this is no digest").help(
                    "write `sha256-` with 64 hex digits or `sha512-` with 128, or run `ephemeros lock`",
                ));
            }
            Some(_) => {}
            None => mistakes.push(
                pin.error("this artifact has no `hash`")
                    .help("run `ephemeros lock`"),
            ),
        }
    }
}

/// Ignition's form of a digest.
fn is_hash(text: &str) -> bool {
    let (function, digits) = text.split_once('-').unwrap_or_default();
    let length = match function {
        "sha256" => 64,
        "sha512" => 128,
        _ => return false,
    };
    digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
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
    fn a_hash_is_what_ignition_takes() {
        assert!(is_hash(&format!("sha256-{}", "0a".repeat(32))));
        assert!(!is_hash(&format!("sha512-{}", "0a".repeat(32))));
        assert!(!is_hash("md5-00"));
    }
}
