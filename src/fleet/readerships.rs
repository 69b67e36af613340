//! Who could read what, now and ever: the sets of recipients that a fleet had, by the digest that values name them with.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::document::Item;
use super::keys::{abbreviated, keys};
use super::written::SealedTo;
use crate::nearest::nearest;
use crate::secrets::recipients::{Recipient, RecipientError, Recipients};

/// Every set of recipients that the fleet's files could have meant.
#[derive(Default)]
pub struct Readerships {
    vaults: BTreeSet<Vault>,
    readers: BTreeSet<Vec<String>>,
    labels: BTreeMap<String, BTreeMap<String, Recipient>>,
    groups: BTreeMap<String, BTreeMap<String, Recipient>>,
}

/// `[vault]` of one version of `fleet.toml`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Vault {
    recipients: BTreeSet<String>,
    groups: BTreeMap<String, BTreeSet<String>>,
}

/// Why a text names no key. No private key is in it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoKey {
    /// It was meant to be a key.
    #[error(transparent)]
    Mistyped(#[from] RecipientError),
    /// Several keys had that label.
    #[error("`{label}` was the label of {}", listed(keys))]
    Several {
        /// The label.
        label: String,
        /// The keys.
        keys: Vec<String>,
    },
    /// A label and a group.
    #[error("`{0}` was the label of a key and the name of a group")]
    Both(String),
    /// Nothing had that label.
    #[error("no recipient and no group was ever called `{name}`")]
    Unknown {
        /// As the user wrote it.
        name: String,
        /// What was probably meant.
        near: Option<String>,
    },
}

fn listed(keys: &[String]) -> String {
    format!("{} keys: {}", keys.len(), keys.join(", "))
}

impl NoKey {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Mistyped(error) => error.help().to_owned(),
            Self::Several { .. } | Self::Both(_) => {
                "name each key itself: `--recipient` may be given several times".to_owned()
            }
            Self::Unknown {
                near: Some(near), ..
            } => format!("did you mean `{near}`?"),
            Self::Unknown { near: None, .. } => {
                "name a key (`age1…`, `ssh-ed25519 …`), the comment of one, or a group".to_owned()
            }
        }
    }
}

/// How a readable value is known to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Nobody can tell: no commit says who it was encrypted to.
    Unknown,
    /// It was encrypted to the key.
    Known,
}

impl Readerships {
    /// Takes in a version of `fleet.toml` or of a node file.
    pub fn see(&mut self, document: &Item) {
        if document.source.name == "fleet.toml" {
            self.see_fleet(document);
        } else {
            self.see_node(document);
        }
    }

    fn see_fleet(&mut self, document: &Item) {
        let mut vault = Vault {
            recipients: BTreeSet::new(),
            groups: BTreeMap::new(),
        };
        for key in keys(document) {
            let text = key.recipient.to_string();
            if let Some(label) = key.label {
                let keys = self.labels.entry(label).or_default();
                keys.insert(text.clone(), key.recipient.clone());
            }
            let list = match key.group {
                None => &mut vault.recipients,
                Some(group) => {
                    let keys = self.groups.entry(group.to_owned()).or_default();
                    keys.insert(text.clone(), key.recipient);
                    vault.groups.entry(group.to_owned()).or_default()
                }
            };
            list.insert(text);
        }
        self.vaults.insert(vault);
    }

    fn see_node(&mut self, file: &Item) {
        let readers = file.get("readers").map_or(&[][..], Item::array);
        let readers: Vec<String> = readers
            .iter()
            .filter_map(Item::text)
            .map(str::to_owned)
            .collect();
        self.readers.insert(readers);
    }

    /// All sets by digest. Any `readers` may have met any `[vault]`: `rekey` runs before the commit.
    #[must_use]
    pub fn sets(&self) -> Sets {
        let mut sets: HashMap<String, Vec<Recipients>> = HashMap::new();
        let mut parsed: HashMap<&str, Option<Recipient>> = HashMap::new();
        let mut seen: BTreeSet<BTreeSet<&String>> = BTreeSet::new();
        let nobody = Vec::new();
        for vault in &self.vaults {
            for readers in self.readers.iter().chain([&nobody]) {
                let groups = readers.iter().filter_map(|it| vault.groups.get(it));
                let texts: BTreeSet<&String> =
                    vault.recipients.iter().chain(groups.flatten()).collect();
                if texts.is_empty() || !seen.insert(texts.clone()) {
                    continue;
                }
                let keys = texts.iter().filter_map(|text| {
                    let key = parsed.entry(text).or_insert_with(|| text.parse().ok());
                    key.clone()
                });
                let set: Recipients = keys.collect();
                sets.entry(set.digest()).or_default().push(set);
            }
        }
        Sets(sets)
    }

    /// The keys that a text names: one of its own, one by its label, or those that a group ever had.
    ///
    /// # Errors
    /// Why it names none, or too many.
    pub fn find(&self, text: &str) -> Result<Vec<Recipient>, NoKey> {
        let mistake = match text.parse::<Recipient>() {
            Ok(key) => return Ok(vec![key]),
            Err(mistake) => mistake,
        };
        let name = text.trim();
        match (self.labels.get(name), self.groups.get(name)) {
            (Some(_), Some(_)) => Err(NoKey::Both(name.to_owned())),
            (None, Some(keys)) => Ok(keys.values().cloned().collect()),
            (Some(keys), None) if keys.len() == 1 => Ok(keys.values().cloned().collect()),
            (Some(keys), None) => Err(NoKey::Several {
                label: name.to_owned(),
                keys: keys.values().map(abbreviated).collect(),
            }),
            (None, None) if mistake == RecipientError::Unknown => {
                let known = self.labels.keys().chain(self.groups.keys());
                Err(NoKey::Unknown {
                    name: name.to_owned(),
                    near: nearest(name, known.map(String::as_str)).map(str::to_owned),
                })
            }
            (None, None) => Err(mistake.into()),
        }
    }
}

/// Sets of recipients, by their digest.
pub struct Sets(HashMap<String, Vec<Recipients>>);

impl Sets {
    /// Whether one of the keys could read a value that is encrypted so: `None` where not.
    #[must_use]
    pub fn could_read(&self, sealed_to: &SealedTo, keys: &[Recipient]) -> Option<Certainty> {
        let sets = self.0.get(&sealed_to.digest);
        let one = |key: &Recipient| match (sealed_to.names(key), sets) {
            (Some(true), _) => Some(Certainty::Known),
            (_, Some(sets)) => {
                let holds = sets.iter().any(|set| set.holds(key));
                holds.then_some(Certainty::Known)
            }
            (Some(false), None) => None,
            (None, None) => Some(Certainty::Unknown),
        };
        keys.iter().filter_map(one).max()
    }
}
