//! From where a release is fetched back to the release.

use super::release::{Arch, Distro, Release};

/// Who serves a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// The distribution.
    Own,
    /// A mirror, by its base URL.
    Mirror(String),
}

impl Release {
    /// The release whose base URL this is, and who serves it: the way back from [`Release::bases`]. `None` where the URL
    /// has another form.
    #[must_use]
    pub fn located(base: &str) -> Option<(Self, Server)> {
        let parts: Vec<&str> = base.split('/').collect();
        let release = |distro, channel: &str, version: &str, arch| Self {
            distro,
            channel: channel.to_owned(),
            version: version.to_owned(),
            arch,
        };
        // What the parts of the path mean is tried: that all of it fits is seen when the URL is made of them again.
        let candidates: Vec<Self> = match parts[..] {
            [.., "builds", _, _] => Arch::ALL
                .into_iter()
                .filter_map(|arch| {
                    let [.., stream, _, version, _] = parts[..] else {
                        return None;
                    };
                    Some(release(Distro::FedoraCoreos, stream, version, arch))
                })
                .collect(),
            [.., channel, _, version] => {
                let of_host = channel.split('.').next().unwrap_or_default();
                [channel, of_host]
                    .into_iter()
                    .flat_map(|channel| {
                        Arch::ALL.map(|arch| release(Distro::Flatcar, channel, version, arch))
                    })
                    .collect()
            }
            _ => return None,
        };
        candidates.into_iter().find_map(|release| {
            if release.own_base() == base {
                return Some((release, Server::Own));
            }
            let path = release.base_on("");
            let mirror = base.strip_suffix(&path)?;
            // `https://` alone is no mirror.
            let is_one = mirror.contains("://") && !mirror.ends_with('/');
            is_one.then(|| (release, Server::Mirror(mirror.to_owned())))
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_base_url_leads_back_to_its_release() {
        for (distro, channel, version) in [
            (Distro::Flatcar, "stable", "4593.2.5"),
            (Distro::Flatcar, "lts", "4081.3.6"),
            (Distro::FedoraCoreos, "testing", "44.20260707.3.1"),
        ] {
            for arch in Arch::ALL {
                let release = Release {
                    distro,
                    channel: channel.into(),
                    version: version.into(),
                    arch,
                };
                let mirrors = ["http://10.0.0.2", "https://a.example/x/y"].map(str::to_owned);
                let bases = release.bases(&mirrors);
                let servers = bases.iter().map(|base| {
                    let (found, server) = Release::located(base).unwrap();
                    assert_eq!(found, release, "{base}");
                    server
                });
                let [one, two] = mirrors.map(Server::Mirror);
                assert_eq!(servers.collect::<Vec<_>>(), [one, two, Server::Own]);
            }
        }
    }

    #[test]
    fn another_form_is_no_release() {
        for base in [
            "",
            "http://a",
            "http://a/b/c/d",
            "http://a/stable/mips-usr/4593.2.5",
            "http:///stable/amd64-usr/4593.2.5",
            "/stable/amd64-usr/4593.2.5",
            "http://a/prod/streams/stable/builds/44.1.2.3/mips",
        ] {
            assert_eq!(Release::located(base), None, "{base}");
        }
    }
}
