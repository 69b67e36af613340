//! The files that a fleet's nodes boot from, by what it says and pins. Nothing else is fetched for anybody.

use std::collections::BTreeMap;

use crate::fleet::lock::Lock;
use crate::fleet::names::is_relative_path;
use crate::fleet::node::{Fleet, Node};
use crate::net::Digest;
use crate::os::Release;

/// The folder of the releases: the base URL of a mirror ends in it.
pub const OS: &str = "os";

/// The folder of the artifacts.
pub const ARTIFACTS: &str = "artifacts";

/// The files by their paths in a site.
pub type Catalogue = BTreeMap<String, Wanted>;

/// A file that is to be had somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where, in the order to try.
    pub urls: Vec<String>,
    /// What it must hash to, where the fleet pins it.
    pub digest: Option<Digest>,
    /// Of which release it is, where it is of one: the distribution says what that must hash to.
    pub of: Option<Of>,
}

/// A release, and the mirrors that may have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Of {
    /// The release.
    pub release: Release,
    /// Base URLs, as `[os]` has them.
    pub mirrors: Vec<String>,
}

/// The path of an artifact.
#[must_use]
pub fn artifact_path(name: &str, arch: &str) -> String {
    format!("{ARTIFACTS}/{name}/{arch}")
}

/// All that the nodes of a fleet boot from: their releases in the layout of a mirror, and their artifacts.
#[must_use]
pub fn catalogue(fleet: &Fleet, lock: &Lock) -> Catalogue {
    let mut catalogue = Catalogue::new();
    for node in &fleet.nodes {
        add_release(&mut catalogue, node, lock);
        for (name, artifact) in node.artifacts.iter() {
            let path = artifact_path(name, node.os.release.arch.name());
            let wanted = Wanted {
                urls: vec![artifact.url.clone()],
                digest: Digest::parse(&artifact.hash),
                of: None,
            };
            catalogue.entry(path).or_insert(wanted);
        }
    }
    // What is no path would lead out of a folder that it is written to.
    catalogue.retain(|path, _| is_relative_path(path));
    catalogue
}

fn add_release(catalogue: &mut Catalogue, node: &Node, lock: &Lock) {
    let release = &node.os.release;
    let pin = lock.os(release.distro, &release.channel, release.arch);
    let pin = pin.filter(|pin| pin.version == release.version);
    for name in release.files().all() {
        let path = format!("{}/{name}", release.base_on(OS));
        let wanted = catalogue.entry(path).or_insert_with(|| Wanted {
            urls: Vec::new(),
            digest: pin
                .and_then(|pin| pin.files.get(name))
                .and_then(|digest| Digest::parse(digest)),
            of: Some(Of {
                release: release.clone(),
                mirrors: Vec::new(),
            }),
        });
        if let Some(of) = &mut wanted.of {
            let new = |it: &&String| !of.mirrors.contains(it);
            let new: Vec<String> = node.os.mirrors.iter().filter(new).cloned().collect();
            of.mirrors.extend(new);
            let bases = release.bases(&of.mirrors).into_iter();
            wanted.urls = bases.map(|base| format!("{base}/{name}")).collect();
        }
    }
}
