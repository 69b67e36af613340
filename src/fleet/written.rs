//! The values in one of the fleet's files, whatever else is right or wrong with it: a commit may hold a file of an older
//! version, or one that somebody broke.

use std::collections::BTreeSet;

use super::document::Item;
use crate::secrets::recipients::Recipient;
use crate::secrets::value::Secret;
use crate::source::Source;

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// The file, by its path in the fleet.
    pub file: String,
    /// As the command line names it: a node, `role:NAME` or `defaults`. Else the keys above it.
    pub place: String,
    /// Its name.
    pub name: String,
}

/// An encrypted value, without what is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where it stands.
    pub spot: Spot,
    /// The bytes of its file at which its key and its text begin.
    pub offsets: (usize, usize),
    /// Its version.
    pub version: String,
    /// Who it is encrypted to.
    pub sealed_to: SealedTo,
}

/// What a value tells without a key of those who can open it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealedTo {
    /// The digest of all of them.
    pub digest: String,
    /// The kinds of their keys.
    kinds: BTreeSet<String>,
    /// Which SSH keys are among them.
    ssh_tags: BTreeSet<String>,
}

impl From<&Secret> for SealedTo {
    fn from(secret: &Secret) -> Self {
        Self {
            digest: secret.recipients_digest().to_owned(),
            kinds: secret.stanzas().map(str::to_owned).collect(),
            ssh_tags: secret.ssh_tags().map(str::to_owned).collect(),
        }
    }
}

impl SealedTo {
    /// Whether a key is among them, as far as the age file's header tells: `None` where it doesn't, since `age1…` keys
    /// are not named in it.
    #[must_use]
    pub fn names(&self, key: &Recipient) -> Option<bool> {
        if let Some(tag) = key.ssh_tag() {
            return Some(self.ssh_tags.contains(&tag));
        }
        let is_missing = |kind: &&str| !self.kinds.contains(*kind);
        key.stanza().filter(is_missing).map(|_| false)
    }
}

/// What stands under `secrets` in a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Secrets {
    /// What is encrypted.
    pub values: Vec<Written>,
    /// Where there is plain text. The text itself is not kept.
    pub plain: BTreeSet<Spot>,
}

/// The tables whose values are public by design.
const PUBLIC: [&str; 2] = ["vars", "env"];

/// Every value under a table that is called `secrets`.
#[must_use]
pub fn secrets(document: &Item) -> Secrets {
    let mut found = Secrets::default();
    gather(document, &mut Vec::new(), &mut found);
    found
}

/// The values in a text that could not be read whole: each line is taken by itself.
#[must_use]
pub fn secrets_by_line(source: &Source) -> Vec<Written> {
    let mut values = Vec::new();
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        if let Some((key, rest)) = line.split_once('=')
            && let Some(at) = rest.find("age:")
            && let Some(text) = rest[at..].split(['"', '\'']).next()
            && let Ok(secret) = text.trim_end().parse::<Secret>()
        {
            let name = key.rsplit('.').next().unwrap_or(key);
            let spot = Spot {
                file: source.name.clone(),
                place: file_place(&source.name).to_owned(),
                name: name
                    .trim_matches([' ', '\t', '"', '\'', '{', '+', '-'])
                    .to_owned(),
            };
            values.push(written(spot, (start, start + key.len() + 1 + at), &secret));
        }
        start += line.len();
    }
    values
}

fn gather<'a>(item: &'a Item, path: &mut Vec<&'a str>, found: &mut Secrets) {
    let Some(table) = item.table() else { return };
    for (key, item) in table {
        path.push(key);
        let under = path.iter().position(|key| *key == "secrets");
        match (item.text(), under) {
            (Some(text), Some(at)) if at + 1 < path.len() => {
                let spot = spot(&item.source.name, path, at);
                let is_public = path[..at].iter().any(|key| PUBLIC.contains(key));
                if let Ok(secret) = text.parse::<Secret>() {
                    let offsets = (item.key().start, item.span().start);
                    found.values.push(written(spot, offsets, &secret));
                } else if !text.is_empty() && !text.starts_with("age:") && !is_public {
                    found.plain.insert(spot);
                }
            }
            _ => gather(item, path, found),
        }
        path.pop();
    }
}

fn written(spot: Spot, offsets: (usize, usize), secret: &Secret) -> Written {
    Written {
        spot,
        offsets,
        version: secret.version().to_owned(),
        sealed_to: secret.into(),
    }
}

/// `at` is where `secrets` stands in the path.
fn spot(file: &str, path: &[&str], at: usize) -> Spot {
    let place = match &path[..at] {
        [] if file != FLEET => file_place(file).to_owned(),
        ["defaults"] => "defaults".to_owned(),
        ["roles", role] => format!("role:{role}"),
        above => format!("{}.secrets", above.join("."))
            .trim_start_matches('.')
            .to_owned(),
    };
    Spot {
        file: file.to_owned(),
        place,
        name: path[at + 1..].join("."),
    }
}

const FLEET: &str = "fleet.toml";

/// The node of a node file.
fn file_place(file: &str) -> &str {
    let name = file.strip_prefix("nodes/").unwrap_or(file);
    match name {
        FLEET => name,
        name => name.strip_suffix(".toml").unwrap_or(name),
    }
}
