//! Where a forge serves the files of a repository over HTTP, told from the remote's URL alone.
//!
//! The forms are those of each forge's web interface; FACTS D.6 has the table and its sources.

mod address;
mod base;
mod encode;
mod refusal;

use std::borrow::Cow;

pub use address::without_credentials;
pub use refusal::Refusal;

use super::ObjectId;
use crate::nearest::nearest;
use address::Address;
pub use encode::encode_path;

use encode::encode;

/// A kind of forge, which is a way to write URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forge {
    /// Azure DevOps, Services and Server.
    Azure,
    /// Bitbucket Cloud at `bitbucket.org`, Data Center elsewhere.
    Bitbucket,
    /// cgit.
    Cgit,
    /// Gitea and Forgejo; Codeberg is one.
    Gitea,
    /// Gitee.
    Gitee,
    /// `github.com`, GitHub Enterprise Server elsewhere.
    GitHub,
    /// GitLab.
    GitLab,
    /// gitweb.
    Gitweb,
    /// sourcehut.
    Sourcehut,
}

/// What `forge` in fleet.toml may say.
const NAMES: [(&str, Forge); 10] = [
    ("azure", Forge::Azure),
    ("bitbucket", Forge::Bitbucket),
    ("cgit", Forge::Cgit),
    ("forgejo", Forge::Gitea),
    ("gitea", Forge::Gitea),
    ("gitee", Forge::Gitee),
    ("github", Forge::GitHub),
    ("gitlab", Forge::GitLab),
    ("gitweb", Forge::Gitweb),
    ("sourcehut", Forge::Sourcehut),
];

/// Public hosts. What stands under one of them (`gist.github.com`) is not taken for a forge.
const PUBLIC: [(&str, Forge); 8] = [
    ("bitbucket.org", Forge::Bitbucket),
    ("codeberg.org", Forge::Gitea),
    ("dev.azure.com", Forge::Azure),
    ("git.sr.ht", Forge::Sourcehut),
    ("gitea.com", Forge::Gitea),
    ("gitee.com", Forge::Gitee),
    ("github.com", Forge::GitHub),
    ("gitlab.com", Forge::GitLab),
];

/// What a URL shall name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revision<'a> {
    /// The branch's newest commit, whenever it is asked for.
    Branch(&'a str),
    /// One commit for ever.
    Commit(ObjectId),
}

/// A repository on a forge that serves its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The kind of forge.
    pub forge: Forge,
    base: String,
}

impl Forge {
    /// All names that `parse` takes, sorted.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// The forge that a user names.
    pub fn parse(name: &str) -> Result<Self, Refusal> {
        let known = NAMES.iter().find(|(known, _)| *known == name);
        known
            .map(|(_, forge)| *forge)
            .ok_or_else(|| Refusal::UnknownForge {
                name: name.to_owned(),
                nearest: nearest(name, Self::names()),
            })
    }

    /// The name of it that `parse` takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        let named = |(_, forge): &&(&str, Self)| *forge == self && self != Self::Gitea;
        NAMES.iter().find(named).map_or("gitea", |(name, _)| name)
    }
}

impl Location {
    /// Tells the forge of a remote's URL: by its well-known host, else as the user says, else by a label of
    /// the host that is a forge's name (`gitlab.example.com`). Never by a guess.
    ///
    /// The URL is `https` at the port that the web server has by default; where the remote is `http` or
    /// `https` itself, its scheme and port stay. A public forge is always `https`.
    pub fn of(remote: &str, said: Option<Forge>) -> Result<Self, Refusal> {
        let mut address = Address::parse(remote)?;
        let forge = forge_at(&address.host, said)?;
        if public(&address.host).is_some() {
            address.web = format!("https://{}", address.host);
        }
        let base = base::of(forge, &address)?;
        Ok(Self { forge, base })
    }

    /// The URL of a file: `path` is relative to the repository's root, with `/` between segments.
    pub fn raw_url(&self, revision: Revision<'_>, path: &str) -> Result<String, Refusal> {
        use Revision::{Branch, Commit};
        let base = &self.base;
        let path = encode_path(path);
        let named = match revision {
            Branch(branch) => Cow::from(branch),
            Commit(id) => Cow::from(id.to_string()),
        };
        let segments = encode_path(&named);
        let value = encode(&named);
        Ok(match (self.forge, revision) {
            (Forge::GitHub, Branch(branch)) if may_be_taken_for_a_commit(branch) => {
                format!("{base}/refs/heads/{segments}/{path}")
            }
            (Forge::GitHub, _) => format!("{base}/{segments}/{path}"),
            (Forge::GitLab, _) => format!("{base}/-/raw/{segments}/{path}"),
            (Forge::Gitea, Branch(_)) => format!("{base}/raw/branch/{segments}/{path}"),
            (Forge::Gitea, Commit(_)) => format!("{base}/raw/commit/{segments}/{path}"),
            (Forge::Bitbucket, Branch(_)) if self.is_data_center() => {
                format!("{base}/raw/{path}?at=refs%2Fheads%2F{value}")
            }
            (Forge::Bitbucket, Commit(_)) if self.is_data_center() => {
                format!("{base}/raw/{path}?at={value}")
            }
            (Forge::Bitbucket, Branch(branch)) if branch.contains('/') => {
                return Err(Refusal::BranchWithSlash {
                    branch: branch.to_owned(),
                });
            }
            (Forge::Bitbucket | Forge::Gitee, _) => format!("{base}/raw/{segments}/{path}"),
            (Forge::Sourcehut, _) => format!("{base}/blob/{segments}/{path}"),
            (Forge::Azure, _) => {
                let kind = match revision {
                    Branch(_) => "branch",
                    Commit(_) => "commit",
                };
                format!(
                    "{base}/items?path=/{path}&versionDescriptor.versionType={kind}\
                     &versionDescriptor.version={value}&api-version=7.1&%24format=octetStream"
                )
            }
            (Forge::Cgit, Branch(_)) => format!("{base}/plain/{path}?h={value}"),
            (Forge::Cgit, Commit(_)) => format!("{base}/plain/{path}?id={value}"),
            (Forge::Gitweb, _) => format!("{base};a=blob_plain;f={path};hb={value}"),
        })
    }

    fn is_data_center(&self) -> bool {
        self.forge == Forge::Bitbucket && !self.base.starts_with(base::BITBUCKET_CLOUD)
    }
}

/// Whether two remotes lead to one repository, by whatever protocol.
pub(super) fn same_repository(left: &str, right: &str) -> bool {
    match (Address::parse(left), Address::parse(right)) {
        (Ok(left), Ok(right)) => left.host == right.host && left.path == right.path,
        _ => left == right,
    }
}

fn forge_at(host: &str, said: Option<Forge>) -> Result<Forge, Refusal> {
    match (public(host), said) {
        (Some(is), Some(said)) if is != said => Err(Refusal::Contradiction {
            host: host.to_owned(),
            is,
            said,
        }),
        (Some(is), _) => Ok(is),
        (None, said) => said.or_else(|| hinted(host)).ok_or_else(|| {
            let host = host.to_owned();
            Refusal::UnknownHost { host }
        }),
    }
}

fn public(host: &str) -> Option<Forge> {
    if host.ends_with(".visualstudio.com") {
        return Some(Forge::Azure);
    }
    let known = PUBLIC.iter().find(|(public, _)| host == *public);
    known.map(|(_, forge)| *forge)
}

/// The one forge that labels of a self-hosted host name.
fn hinted(host: &str) -> Option<Forge> {
    let under = |public: &str| {
        host.strip_suffix(public)
            .is_some_and(|sub| sub.ends_with('.'))
    };
    if PUBLIC.iter().any(|(public, _)| under(public)) {
        return None;
    }
    let mut hints = host.split('.').filter_map(|label| {
        let named = NAMES.iter().find(|(name, _)| *name == label);
        named.map(|(_, forge)| *forge)
    });
    let first = hints.next()?;
    hints.all(|other| other == first).then_some(first)
}

/// On GitHub a branch of hex digits alone reads as a commit too, and one with `/` may end anywhere.
fn may_be_taken_for_a_commit(branch: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !branch.chars().all(plain) || branch == "HEAD" || branch.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
