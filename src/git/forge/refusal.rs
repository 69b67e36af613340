//! Why no URL can be derived, and the lines to write instead.

use super::Forge;

/// A remote without a URL for its files. Messages hold no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The remote can't be read.
    #[error("can't tell where the git remote `{remote}` is: {why}")]
    Unreadable {
        /// Without credentials.
        remote: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The remote is nothing that a web server stands beside.
    #[error("the git remote is {what}, which serves no files over HTTP")]
    NotServed {
        /// `a local path`.
        what: String,
    },
    /// `forge` in fleet.toml is none that is known.
    #[error("unknown forge `{name}`")]
    UnknownForge {
        /// As the user wrote it.
        name: String,
        /// The known one that looks like it.
        nearest: Option<&'static str>,
    },
    /// The host's name does not say which forge it runs, or says two.
    #[error("can't tell which forge `{host}` is")]
    UnknownHost {
        /// The host.
        host: String,
    },
    /// `forge` in fleet.toml can't be right.
    #[error("`{host}` is {}, not {}", is.name(), said.name())]
    Contradiction {
        /// The host.
        host: String,
        /// What it is.
        is: Forge,
        /// What fleet.toml says.
        said: Forge,
    },
    /// The path names no repository of that forge.
    #[error("`{path}` on `{host}` is no repository of {}: it should be `{wants}`", forge.name())]
    Shape {
        /// The forge.
        forge: Forge,
        /// The host.
        host: String,
        /// The remote's path.
        path: String,
        /// The form of such paths.
        wants: &'static str,
    },
    /// Bitbucket Cloud reads `a/b` as branch `a` and directory `b`.
    #[error("bitbucket serves no files of a branch with a slash, `{branch}`")]
    BranchWithSlash {
        /// The branch.
        branch: String,
    },
}

impl Refusal {
    /// What to write in fleet.toml.
    #[must_use]
    pub fn help(&self) -> String {
        let names = || Forge::names().collect::<Vec<_>>().join(", ");
        match self {
            Self::Unreadable { .. } | Self::Shape { .. } => format!(
                "say in fleet.toml where the repository is\n[git]\nurl = \"https://HOST/OWNER/REPOSITORY\"\n{}",
                or_raw_url("HOST")
            ),
            Self::NotServed { .. } => format!(
                "say in fleet.toml where nodes shall fetch from\n[git]\n{}",
                raw_url("HOST")
            ),
            Self::UnknownForge {
                nearest: Some(name),
                ..
            } => format!("a similar name exists\n[git]\nforge = \"{name}\""),
            Self::UnknownForge { nearest: None, .. } => {
                format!("the known ones are {}", names())
            }
            // A name without a dot is most often an alias of ssh's configuration.
            Self::UnknownHost { host } if !host.contains(['.', ':']) => format!(
                "if `{host}` is an alias for ssh, say in fleet.toml where the repository is\n[git]\n\
                 url = \"https://HOST/OWNER/REPOSITORY\"\n\
                 else say which forge it is, one of {}\nforge = \"gitea\"\n{}",
                names(),
                or_raw_url(host)
            ),
            Self::UnknownHost { host } => format!(
                "say in fleet.toml which forge it is, one of {}\n[git]\nforge = \"gitea\"\n{}",
                names(),
                or_raw_url(host)
            ),
            Self::Contradiction { is, .. } => {
                format!(
                    "remove `forge` from fleet.toml, or write\n[git]\nforge = \"{}\"",
                    is.name()
                )
            }
            Self::BranchWithSlash { .. } => format!(
                "publish to a branch without a slash, in fleet.toml\n[git]\npublish = \"live\"\n{}",
                or_raw_url("HOST")
            ),
        }
    }
}

fn or_raw_url(host: &str) -> String {
    format!("or where it serves files\n{}", raw_url(host))
}

fn raw_url(host: &str) -> String {
    format!("raw_url = \"https://{host}/{{{{ path }}}}\"")
}
