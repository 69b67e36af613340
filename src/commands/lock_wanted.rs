//! What a fleet wants pinned.

use std::collections::BTreeMap;

use crate::fleet::lock::artifact_url;
use crate::fleet::manifest::Manifest;
use crate::fleet::node::Fleet;
use crate::fleet::pins::CURRENT;
use crate::os::{Arch, Distro};

/// `current` of a channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Channel {
    pub(super) distro: Distro,
    pub(super) name: String,
    pub(super) arch: Arch,
}

/// A remote file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RemoteFile {
    pub(super) name: String,
    pub(super) arch: Arch,
}

/// Everything that is to stand in `fleet.lock`.
pub(super) struct Wanted {
    /// With the mirrors of all nodes that boot it.
    pub(super) channels: BTreeMap<Channel, Vec<String>>,
    /// With their URLs.
    pub(super) files: BTreeMap<RemoteFile, String>,
}

impl Wanted {
    /// Of a fleet that was resolved without pins.
    pub(super) fn of(manifest: &Manifest, fleet: &Fleet) -> Self {
        let mut channels: BTreeMap<Channel, Vec<String>> = BTreeMap::new();
        for node in &fleet.nodes {
            let release = &node.os.release;
            // An exact release is a pin by itself.
            if release.version != CURRENT {
                continue;
            }
            let channel = Channel {
                distro: release.distro,
                name: release.channel.clone(),
                arch: release.arch,
            };
            let mirrors = channels.entry(channel).or_default();
            for mirror in &node.os.mirrors {
                if !mirrors.contains(mirror) {
                    mirrors.push(mirror.clone());
                }
            }
        }
        let mut files = BTreeMap::new();
        for (name, artifact) in &manifest.fleet.artifacts {
            for (arch, template) in &artifact.url {
                // What is wrong with either was told when the fleet was resolved.
                let url = artifact_url(template, artifact.version.as_deref());
                if let (Some(arch), Ok(url)) = (Arch::parse(arch), url) {
                    let name = name.clone();
                    files.insert(RemoteFile { name, arch }, url);
                }
            }
        }
        Self { channels, files }
    }
}
