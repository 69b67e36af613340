//! How one `fleet.lock` differs from another.

use serde_json::{Value, json};

use super::lock_wanted::{Channel, RemoteFile};
use crate::fleet::lock::{ArtifactPin, Lock, OsPin};

/// One pin that is not what it was.
pub(super) enum Change {
    Os {
        of: Channel,
        from: Option<OsPin>,
        to: Option<OsPin>,
    },
    Artifact {
        of: RemoteFile,
        from: Option<ArtifactPin>,
        to: Option<ArtifactPin>,
    },
}

/// Every difference, in the order of the file.
pub(super) fn find(from: &Lock, to: &Lock) -> Vec<Change> {
    let mut channels: Vec<Channel> = [from, to]
        .iter()
        .flat_map(|lock| lock.os.iter().map(channel_of))
        .collect();
    channels.sort();
    channels.dedup();
    let mut files: Vec<RemoteFile> = [from, to]
        .iter()
        .flat_map(|lock| lock.artifacts.iter().map(file_of))
        .collect();
    files.sort();
    files.dedup();
    let os = channels.into_iter().map(|of| {
        let pin = |lock: &Lock| lock.os(of.distro, &of.name, of.arch).cloned();
        let (from, to) = (pin(from), pin(to));
        (from != to).then_some(Change::Os { of, from, to })
    });
    let artifacts = files.into_iter().map(|of| {
        let pin = |lock: &Lock| lock.artifact(&of.name, of.arch).cloned();
        let (from, to) = (pin(from), pin(to));
        (from != to).then_some(Change::Artifact { of, from, to })
    });
    os.chain(artifacts).flatten().collect()
}

pub(super) fn channel_of(pin: &OsPin) -> Channel {
    Channel {
        distro: pin.distro,
        name: pin.channel.clone(),
        arch: pin.arch,
    }
}

pub(super) fn file_of(pin: &ArtifactPin) -> RemoteFile {
    RemoteFile {
        name: pin.name.clone(),
        arch: pin.arch,
    }
}

impl Change {
    /// A line for people.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Os { of, from, to } => {
                let what = format!("{} {} on {}", of.distro, of.name, of.arch);
                match (from, to) {
                    (Some(from), Some(to)) if from.version == to.version => {
                        format!("{what}: digests of {}", to.version)
                    }
                    (Some(from), Some(to)) => {
                        let is_older = is_older(&to.version, &from.version);
                        let older = if is_older { ", which is older" } else { "" };
                        format!("{what}: {} -> {}{older}", from.version, to.version)
                    }
                    (_, Some(to)) => format!("{what}: {}", to.version),
                    (Some(from), None) => format!("{what}: {} is no longer used", from.version),
                    (None, None) => what,
                }
            }
            Self::Artifact { of, from, to } => {
                let what = format!("{} on {}", of.name, of.arch);
                match (from, to) {
                    (Some(from), Some(to)) if from.url == to.url => {
                        format!("{what}: another file at the same URL, {}", to.url)
                    }
                    (Some(from), Some(to)) => format!("{what}: {} -> {}", from.url, to.url),
                    (_, Some(to)) => format!("{what}: {}", to.url),
                    (Some(from), None) => format!("{what}: {} is no longer used", from.url),
                    (None, None) => what,
                }
            }
        }
    }

    /// The same for programs.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Os { of, from, to } => json!({
                "kind": "os",
                "distro": of.distro.name(),
                "channel": of.name,
                "arch": of.arch.name(),
                "from": from.as_ref().map(|pin| json!({ "version": pin.version, "files": pin.files })),
                "to": to.as_ref().map(|pin| json!({ "version": pin.version, "files": pin.files })),
            }),
            Self::Artifact { of, from, to } => json!({
                "kind": "artifact",
                "name": of.name,
                "arch": of.arch.name(),
                "from": from.as_ref().map(|pin| json!({ "url": pin.url, "hash": pin.hash })),
                "to": to.as_ref().map(|pin| json!({ "url": pin.url, "hash": pin.hash })),
            }),
        }
    }
}

/// Both are numbers with dots between.
fn is_older(version: &str, than: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        let parts = version.split('.');
        parts.map(|part| part.parse().unwrap_or(0)).collect()
    };
    numbers(version) < numbers(than)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(is_older("4593.2.9", "4593.2.10"));
        assert!(!is_older("4593.2.10", "4593.2.9"));
        assert!(!is_older("4593.2.10", "4593.2.10"));
    }
}
