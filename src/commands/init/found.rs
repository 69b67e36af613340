//! What can be found out, and so is not asked.

use std::fs;
use std::path::{Path, PathBuf};

use super::place::Place;
use crate::commands::{home, identities, ssh_key};
use crate::git::cli::{Program, create::first_branch};
use crate::git::forge::Location;
use crate::git::remote::Remote;
use crate::progress::Silent;
use crate::secrets::recipients::Recipient;
use crate::vault::identity::{Places, find_identities};

/// Its name where neither the folder's nor the remote's gives one.
const NAME: &str = "fleet";

/// The longest name, in bytes: that of a DNS label.
const LONGEST: usize = 63;

/// A public key that secrets are encrypted to.
pub(super) struct Reader {
    /// As it is written.
    pub(super) key: String,
    /// What is said of it beside it.
    pub(super) comment: Option<String>,
}

/// What was found.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) branch: String,
    pub(super) has_remote: bool,
    /// Why the remote's URL does not tell where nodes fetch.
    pub(super) no_url: Option<String>,
    pub(super) readers: Vec<Reader>,
    /// Lines for `core`.
    pub(super) ssh_keys: Vec<String>,
    /// What was found and is of no use.
    pub(super) notes: Vec<String>,
}

impl Found {
    pub(super) fn look(place: &Place) -> Self {
        let repo = place.repo.as_ref();
        // Of several remotes none is known to be the one; `plan` says so.
        let remote = repo.and_then(|repo| repo.remote(None).ok().flatten());
        let mut notes = Vec::new();
        let home = home();
        Self {
            name: name(&place.root, remote.as_ref()),
            branch: branch(place, remote.as_ref()),
            has_remote: repo.is_some_and(|it| it.remotes().is_ok_and(|all| !all.is_empty())),
            no_url: remote
                .as_ref()
                .and_then(|it| Some(Location::of(&it.url, None).err()?.to_string())),
            readers: readers(home.as_deref(), &mut notes),
            ssh_keys: ssh_keys(home.as_deref()),
            notes,
        }
    }
}

fn name(root: &Path, remote: Option<&Remote>) -> String {
    let folder = root.file_name().map(|it| it.to_string_lossy().into_owned());
    let repository = remote.and_then(|remote| {
        let url = remote.url.trim_end_matches('/');
        url.rsplit(['/', ':'])
            .next()
            .map(|it| it.trim_end_matches(".git").to_owned())
    });
    let names = [folder, repository].into_iter().flatten();
    let mut names = names.filter_map(|it| label(&it));
    names.next().unwrap_or_else(|| NAME.to_owned())
}

/// A text as a DNS label; `None` where nothing of it can stand in one.
fn label(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let mut label = words
        .filter(|it| !it.is_empty())
        .collect::<Vec<_>>()
        .join("-");
    label.truncate(LONGEST);
    let label = label.trim_end_matches('-');
    (!label.is_empty()).then(|| label.to_owned())
}

/// Where people push: to the remote's HEAD, else to the branch that is checked out.
fn branch(place: &Place, remote: Option<&Remote>) -> String {
    let head = remote.and_then(|it| it.head_branch.clone());
    let checked_out = || place.repo.as_ref()?.head().ok()?.branch;
    head.or_else(checked_out).unwrap_or_else(|| {
        // The folder need not be there yet, and no repository is around it.
        first_branch(&Program::new(Path::new("/"), &Silent))
    })
}

fn readers(home: Option<&Path>, notes: &mut Vec<String>) -> Vec<Reader> {
    let mut readers = Vec::new();
    if let Some(path) = identities::places(None).own().filter(|it| it.exists()) {
        let shown = shown(&path, home);
        let places = Places {
            option: Some(path),
            ..Places::default()
        };
        match find_identities(&places).map(|found| found.recipients()) {
            Ok(keys) if !keys.is_empty() => readers.extend(keys.iter().map(|key| Reader {
                key: key.to_string(),
                comment: Some(shown.clone()),
            })),
            Ok(_) => notes.push(format!(
                "the public key of {shown} can't be read from it: add it to `[vault] recipients`"
            )),
            Err(error) => notes.push(error.to_string()),
        }
    }
    let ssh = home.map(|home| home.join(".ssh/id_ed25519.pub"));
    let key = ssh.and_then(|path| ssh_key::read(&path).ok());
    if let Some(key) = key.filter(|key| key.parse::<Recipient>().is_ok()) {
        readers.push(Reader { key, comment: None });
    }
    readers
}

fn ssh_keys(home: Option<&Path>) -> Vec<String> {
    let folder = home.map(|home| home.join(".ssh"));
    let entries = folder.and_then(|it| fs::read_dir(it).ok());
    let mut paths: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|it| it == "pub") && path.is_file())
        .collect();
    paths.sort();
    let mut keys: Vec<String> = Vec::new();
    // Certificates end in `.pub` too, and are no keys.
    for key in paths.iter().filter_map(|path| ssh_key::read(path).ok()) {
        if !keys.iter().any(|there| ssh_key::is_same(there, &key)) {
            keys.push(key);
        }
    }
    keys
}

/// A path as its owner writes it.
fn shown(path: &Path, home: Option<&Path>) -> String {
    match home.and_then(|home| path.strip_prefix(home).ok()) {
        Some(inside) => format!("~/{}", inside.display()),
        None => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_a_label() {
        for (text, expected) in [
            ("homelab", Some("homelab")),
            ("My Home_Lab.d", Some("my-home-lab-d")),
            ("--x--", Some("x")),
            ("日本", None),
            ("", None),
        ] {
            assert_eq!(label(text).as_deref(), expected, "{text}");
        }
        let long = label(&format!("{}-b", "a".repeat(62)));
        assert_eq!(long, Some("a".repeat(62)));
    }
}
