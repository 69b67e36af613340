//! What can go wrong with a repository, and what to do about each.

use std::path::PathBuf;

/// A failure of git or of what it holds. Messages hold no URL, so no credentials.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory can't be read.
    #[error("can't read `{path}`")]
    Unreadable {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Git refuses to read what other people can write.
    #[error("the git repository `{path}` belongs to somebody else")]
    Owner {
        /// The work tree's root, or the bare repository.
        path: PathBuf,
        /// Whether this process runs under sudo: then root's configuration must hold the permission.
        sudo: bool,
    },
    /// A repository without files to plan from.
    #[error("`{path}` is in a git repository, but not in its work tree")]
    NoWorkTree {
        /// The directory.
        path: PathBuf,
    },
    /// A repository format that libgit2 doesn't know.
    #[error("the git repository `{path}` uses `{extension}`, which ephemeros can't read")]
    Unsupported {
        /// The work tree's root, or the bare repository.
        path: PathBuf,
        /// As git's configuration has it: `objectformat = sha256`.
        extension: String,
    },
    /// The fleet's place inside the repository is no text.
    #[error("the path `{path}` is not UTF-8")]
    NotUtf8 {
        /// The directory.
        path: PathBuf,
    },
    /// No such branch, tag or commit.
    #[error("unknown revision `{revision}`")]
    UnknownRevision {
        /// As the user wrote it.
        revision: String,
        /// A branch or tag with a similar name.
        nearest: Option<String>,
        /// Whether the clone holds only the newest commits.
        shallow: bool,
    },
    /// A revision was asked for where there is no repository.
    #[error("there is no git repository that could hold `{revision}`")]
    NoRepository {
        /// As the user wrote it.
        revision: String,
    },
    /// A revision that names a file, a directory or several objects.
    #[error("`{revision}` is not one commit")]
    NotACommit {
        /// As the user wrote it.
        revision: String,
    },
    /// A name that no branch can have.
    #[error("`{branch}` is not a name for a branch")]
    BranchName {
        /// As the user wrote it.
        branch: String,
    },
    /// `[git] remote` names a remote that this clone does not have.
    #[error("there is no git remote `{wanted}` here")]
    NoSuchRemote {
        /// As the user wrote it.
        wanted: String,
        /// What there is.
        names: Vec<String>,
    },
    /// There is no `origin`, and more than one other.
    #[error(
        "there are several git remotes and none is `origin`: {}",
        quoted(names)
    )]
    SeveralRemotes {
        /// What there is.
        names: Vec<String>,
    },
    /// The clone has neither the branch that nodes fetch from nor what could stand in for it.
    #[error("this clone does not have `{remote}/{branch}`, which nodes fetch from")]
    NotFetched {
        /// The remote.
        remote: String,
        /// Its branch.
        branch: String,
        /// Whether the clone holds only the newest commits.
        shallow: bool,
    },
    /// Neither the fleet nor the clone says which branch of the remote counts.
    #[error("which branch nodes fetch from is not known in this clone")]
    NoBranch,
    /// A file in a commit that should be text and isn't.
    #[error("`{path}` in commit {commit} is not UTF-8")]
    NotText {
        /// Relative to the fleet.
        path: String,
        /// The commit.
        commit: super::ObjectId,
    },
    /// The rest: a damaged repository, a missing object, a broken configuration file.
    #[error("can't read the git repository `{path}`: {}", source.message())]
    Git {
        /// The work tree's root, or where the search began.
        path: PathBuf,
        /// Why.
        source: git2::Error,
    },
}

impl Error {
    /// What to do, where that is known.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Owner { path, sudo } => {
                let sudo = if *sudo { "sudo " } else { "" };
                let path = shell_word(&path.to_string_lossy());
                Some(format!(
                    "if you trust what is in it, run\n{sudo}git config --global --add safe.directory {path}"
                ))
            }
            Self::NoWorkTree { .. } => {
                Some("clone the repository, and run ephemeros in the clone".to_owned())
            }
            Self::Unsupported { extension, .. } => Some(convert(extension).to_owned()),
            Self::UnknownRevision {
                nearest, shallow, ..
            } => Some(match (nearest, shallow) {
                (Some(name), _) => format!("a similar name exists: `{name}`"),
                (None, true) => {
                    "this clone is shallow: run `git fetch --unshallow --tags`".to_owned()
                }
                (None, false) => {
                    "name a branch, a tag or a commit of this clone; `git fetch` brings new ones"
                        .to_owned()
                }
            }),
            Self::NoSuchRemote { wanted, names } => Some(format!(
                "add it with `git remote add {} URL`{}",
                shell_word(wanted),
                names.first().map_or(String::new(), |name| format!(
                    ", or write in fleet.toml\n{}",
                    remote_line(name)
                ))
            )),
            Self::SeveralRemotes { names } => names
                .first()
                .map(|name| format!("say which in fleet.toml\n{}", remote_line(name))),
            Self::NoRepository { .. } => {
                Some("run `git init`, or leave out `--against`".to_owned())
            }
            Self::NotFetched {
                remote,
                branch,
                shallow,
            } => {
                let depth = if *shallow { "--depth=1 " } else { "" };
                let refspec = format!("{branch}:refs/remotes/{remote}/{branch}");
                Some(format!(
                    "name what to compare with by `--against REV`, or fetch it\ngit fetch {depth}{} {}",
                    shell_word(remote),
                    shell_word(&refspec)
                ))
            }
            Self::NoBranch => {
                Some("say it in fleet.toml\n[git]\nbranch = \"main\"".to_owned())
            }
            Self::NotACommit { .. } => Some("name a branch, a tag or a commit".to_owned()),
            Self::Git { source, .. } if source.class() == git2::ErrorClass::Odb => Some(
                "an object is missing: run `git fetch --refetch --no-filter` in a clone made with `--filter`, \
                 else `git fsck`"
                    .to_owned(),
            ),
            Self::Unreadable { .. }
            | Self::NotUtf8 { .. }
            | Self::BranchName { .. }
            | Self::NotText { .. }
            | Self::Git { .. } => None,
        }
    }
}

fn convert(extension: &str) -> &'static str {
    match extension.split(' ').next() {
        Some("refstorage") => "run `git refs migrate --ref-format=files`",
        Some("partialclone") => "clone it again without `--filter`",
        Some("objectformat") => "make the repository anew with `git init --object-format=sha1`",
        _ => "clone it again with git's default format",
    }
}

fn remote_line(name: &str) -> String {
    format!("[git]\nremote = {name:?}")
}

fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// A word as a POSIX shell reads it back.
#[must_use]
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_safe_directory_line_survives_the_shell() {
        let help = |path: &str, sudo| {
            let path = path.into();
            Error::Owner { path, sudo }.help().unwrap_or_default()
        };
        assert!(
            help("/srv/fleet", false)
                .ends_with("\ngit config --global --add safe.directory /srv/fleet")
        );
        assert!(
            help("/a b/it's", true)
                .ends_with("\nsudo git config --global --add safe.directory '/a b/it'\\''s'")
        );
    }
}
