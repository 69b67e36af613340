//! What `fleet.lock` says of a node: the release behind `current`, and each artifact's bytes.

use std::collections::BTreeMap;

use super::document::Item;
use super::file;
use super::lock::artifact_url;
use super::manifest::Manifest;
use super::node::{Artifact, Os};
use crate::diagnostic::Diagnostic;
use crate::os::{Arch, Release};

/// The channel of a fleet that names none.
const CHANNEL: &str = "stable";

/// The version that takes the pin.
pub const CURRENT: &str = "current";

/// A node's release, pinned.
pub(super) fn release(
    manifest: &Manifest,
    profile: &Item,
    os: file::Os,
    mistakes: &mut Vec<Diagnostic>,
) -> Os {
    let distro = os.distro.unwrap_or_default();
    let arch = os.arch.unwrap_or_default();
    let channel = os.channel.unwrap_or_else(|| CHANNEL.to_owned());
    let mut version = os.version.unwrap_or_else(|| CURRENT.to_owned());
    if version == CURRENT {
        match manifest.lock.os(distro, &channel, arch) {
            Some(pin) => version.clone_from(&pin.version),
            None if manifest.lock.open => {}
            None => {
                let mistake = Diagnostic::error(format!(
                    "fleet.lock has no release for {} {channel} on {}",
                    distro.name(),
                    arch.name()
                ));
                let at = ["version", "channel", "distro"]
                    .iter()
                    .find_map(|key| profile.find(&["os", key]));
                let mistake = match at {
                    Some(item) => mistake.at(&item.source, item.span()),
                    None => mistake,
                };
                mistakes.push(mistake.help(
                    "run `ephemeros lock`, or write an exact release: `version = \"4593.2.5\"`",
                ));
            }
        }
    }
    check_words(profile, mistakes);
    Os {
        release: Release {
            distro,
            channel,
            version,
            arch,
        },
        mirrors: os
            .mirrors
            .iter()
            .map(|mirror| mirror.trim_end_matches('/').to_owned())
            .collect(),
        kernel_args: os.kernel_args,
    }
}

/// Channel, release, mirrors and kernel arguments end up in a boot script, where a space ends a word.
fn check_words(profile: &Item, mistakes: &mut Vec<Diagnostic>) {
    let words = ["channel", "version"]
        .iter()
        .filter_map(|key| profile.find(&["os", key]));
    for item in words {
        if item
            .text()
            .is_some_and(|text| !super::names::is_file_name(text))
        {
            mistakes.push(
                item.error("this can't be part of a release's URL")
                    .help("letters, digits, `-`, `_` and `.` only"),
            );
        }
    }
    for item in profile
        .find(&["os", "mirrors"])
        .map_or(&[][..], Item::array)
    {
        let Some(text) = item.text() else { continue };
        let http = text.starts_with("http://") || text.starts_with("https://");
        if !is_public(text) {
            mistakes.push(
                item.hidden_error("a mirror's URL is public, and this one holds credentials")
                    .help("take a mirror that asks for none"),
            );
        } else if !http || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            mistakes.push(
                item.error("this is no base URL of a mirror")
                    .help("write for example `http://10.0.0.2/flatcar`"),
            );
        }
    }
    for item in profile
        .find(&["os", "kernel_args"])
        .map_or(&[][..], Item::array)
    {
        if item
            .text()
            .is_some_and(|text| text.chars().any(char::is_control))
        {
            mistakes.push(
                item.error("a kernel argument can't hold a control character")
                    .help("write one argument a string"),
            );
        }
        // In a script that somebody writes they are well-formed, so nothing is said of them there.
        let word = item.text().and_then(|text| {
            let mut words = text.split_whitespace();
            words.find(|word| word.starts_with('#') || matches!(*word, ";" | "||" | "&&"))
        });
        if let Some(word) = word {
            mistakes.push(
                item.error(format!(
                    "iPXE takes `{word}` for the end of the command, and not for an argument"
                ))
                .help("iPXE has no way to write it as a word of its own: leave it out"),
            );
        }
    }
}

/// Whether a URL holds no name and password.
pub(super) fn is_public(url: &str) -> bool {
    let host = url.split('/').nth(2).unwrap_or_default();
    !host.contains('@')
}

/// Whether the pins are those of what `fleet.toml` says today.
pub(super) fn check_artifacts(manifest: &Manifest, diagnostics: &mut Vec<Diagnostic>) {
    for (name, artifact) in &manifest.fleet.artifacts {
        for (arch, template) in &artifact.url {
            let Some(item) = manifest.document.find(&["artifacts", name, "url", arch]) else {
                continue;
            };
            let Some(known) = Arch::parse(arch) else {
                diagnostics.push(
                    item.key_error(format!("unknown architecture `{arch}`"))
                        .help("write one of `amd64`, `arm64`"),
                );
                continue;
            };
            let url = match artifact_url(template, artifact.version.as_deref()) {
                Ok(url) => url,
                Err(error) => {
                    diagnostics.push(
                        item.error(format!("this URL can't be filled in: {error}"))
                            .help("it may use `{{ version }}`"),
                    );
                    continue;
                }
            };
            if !is_public(&url) {
                diagnostics.push(
                    item.hidden_error(
                        "an artifact's URL is public, and this one holds credentials",
                    )
                    .help("take a server that asks for none"),
                );
            }
            if let Some(pin) = manifest.lock.artifact(name, known)
                && pin.url != url
            {
                diagnostics.push(
                    item.error(format!(
                        "fleet.lock pins another URL for `{name}` on {arch}"
                    ))
                    .help("run `ephemeros lock`, which reads it and writes its digest"),
                );
            }
        }
    }
}

/// The artifacts that exist for a node's architecture.
pub(super) fn artifacts(
    manifest: &Manifest,
    os: &Os,
    mistakes: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Artifact> {
    let arch = os.release.arch.name();
    let mut artifacts = BTreeMap::new();
    for (name, artifact) in &manifest.fleet.artifacts {
        if !artifact.url.contains_key(arch) {
            continue;
        }
        if let Some(pin) = manifest.lock.artifact(name, os.release.arch) {
            let pinned = Artifact {
                version: artifact.version.clone().unwrap_or_default(),
                url: pin.url.clone(),
                hash: pin.hash.clone(),
            };
            artifacts.insert(name.clone(), pinned);
        } else if let (false, Some(item)) = (
            manifest.lock.open,
            manifest.document.find(&["artifacts", name, "url", arch]),
        ) {
            mistakes.push(
                item.error(format!("fleet.lock has no digest for `{name}` on {arch}"))
                    .help("run `ephemeros lock`, which reads it and writes its digest"),
            );
        }
    }
    artifacts
}
