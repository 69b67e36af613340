//! The secrets volume: who can read what is on it, and where it is mounted.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::document::{Item, Table};
use super::manifest::{Layer, Manifest};
use super::names;
use super::node::{EnvFile, Node};
use super::resolve::check_readers;
use crate::diagnostic::Diagnostic;
use crate::secrets::recipients::{Recipient, Recipients};
use crate::secrets::value::Secret;

/// Where it is mounted when nobody says.
const MOUNT: &str = "/secrets";

/// A path that every distribution takes.
const MOUNT_ANYWHERE: &str = "/var/secrets";

/// The mount path of the fleet.
pub(super) fn mount(manifest: &Manifest, diagnostics: &mut Vec<Diagnostic>) -> String {
    let mount = manifest.fleet.vault.mount.as_deref().unwrap_or(MOUNT);
    if let (Some(item), false) = (
        manifest.document.find(&["vault", "mount"]),
        names::is_mount_path(mount),
    ) {
        diagnostics.push(
            item.error("this can't be a mount path")
                .help("write an absolute path of letters, digits, `-`, `_` and `.`: `/secrets`"),
        );
    }
    mount.to_owned()
}

/// Each distribution has places where nothing can be mounted.
pub(super) fn check_mount(manifest: &Manifest, node: &Node, mistakes: &mut Vec<Diagnostic>) {
    if !names::is_mount_path(&node.vault.mount) {
        // Told once, for all nodes.
        return;
    }
    let distro = node.os.release.distro;
    let Err(why) = distro.check_mount(&node.vault.mount) else {
        return;
    };
    let mount = &node.vault.mount;
    let mut mistake = Diagnostic::error(format!(
        "{distro} can't mount the secrets volume at `{mount}`, because {why}"
    ));
    let written = manifest.document.find(&["vault", "mount"]);
    if let Some(item) = written.or(node.profile.find(&["os", "distro"])) {
        mistake = mistake.at(&item.source, item.span());
    }
    mistakes.push(mistake.help(format!(
        "write `mount = \"{MOUNT_ANYWHERE}\"` under `[vault]` in fleet.toml"
    )));
}

/// The volume is FAT: names that differ in case only are one, and no file is a folder too.
pub(super) fn check_paths(
    manifest: &Manifest,
    env_files: &BTreeMap<String, EnvFile>,
    secret_files: &BTreeMap<String, String>,
    mistakes: &mut Vec<Diagnostic>,
) {
    let mut taken: BTreeMap<String, &String> = BTreeMap::new();
    let mut refuse = |one: &str, other: &str| {
        let message = if one == other {
            format!("`{one}` is both an env file and a secret file")
        } else {
            format!("`{one}` and `{other}` can't both be on the secrets volume, which is FAT")
        };
        let mut mistake = Diagnostic::error(message);
        if let Some(item) = written(manifest, one) {
            mistake = mistake.at(&item.source, item.key());
        }
        mistakes.push(mistake.help("rename one of them in fleet.toml"));
    };
    for path in env_files.keys().chain(secret_files.keys()) {
        if let Some(other) = taken.insert(path.to_ascii_lowercase(), path) {
            refuse(path, other);
        }
    }
    for (lower, path) in &taken {
        let mut above = lower.match_indices('/').map(|(slash, _)| &lower[..slash]);
        if let Some(other) = above.find_map(|above| taken.get(above)) {
            refuse(path, other);
        }
    }
}

/// Where `fleet.toml` names a file of the secrets volume: as a secret file, or else as an env file.
fn written<'a>(manifest: &'a Manifest, path: &str) -> Option<&'a Item> {
    let find = |keys: &[&str]| manifest.document.find(keys);
    let roles = || manifest.fleet.roles.keys();
    roles()
        .find_map(|role| find(&["roles", role, "files", path]))
        .or_else(|| {
            let env_files = roles().filter_map(|role| find(&["roles", role, "env_file"]));
            env_files.into_iter().find(|item| item.text() == Some(path))
        })
}

/// Every recipient is a public key, and there is one as soon as there is a secret.
pub fn check_recipients(manifest: &Manifest, diagnostics: &mut Vec<Diagnostic>) {
    let document = &manifest.document;
    let listed = document.find(&["vault", "recipients"]);
    let groups = document.find(&["vault", "groups"]).and_then(Item::table);
    let in_groups = groups
        .into_iter()
        .flatten()
        .flat_map(|(_, group)| group.array());
    for item in listed.map_or(&[][..], Item::array).iter().chain(in_groups) {
        let Some(text) = item.text() else { continue };
        if let Err(error) = text.parse::<Recipient>() {
            diagnostics.push(item.error(error.to_string()).help(error.help()));
        }
    }
    if !manifest.fleet.vault.recipients.is_empty() {
        return;
    }
    let secret = manifest
        .layers()
        .filter_map(|layer| layer.item.get("secrets"))
        .find(|secrets| secrets.table().is_some_and(|table| !table.is_empty()));
    if let Some(secrets) = secret {
        let at = listed.unwrap_or(secrets);
        diagnostics.push(
            at.key_error("there are secrets, and nobody is named who could read them")
                .help("add `recipients = [\"age1…\"]` under `[vault]`; `ephemeros secrets keygen` makes a key"),
        );
    }
}

fn written_secrets(manifest: &Manifest) -> impl Iterator<Item = (&str, &Item)> {
    let layers = manifest.layers();
    let tables = layers.filter_map(|layer| layer.item.get("secrets")?.table());
    tables.flatten()
}

/// The names of all secrets of the fleet.
pub fn names(manifest: &Manifest) -> impl Iterator<Item = &str> {
    written_secrets(manifest).map(|(name, _)| name)
}

/// Every encrypted value of the fleet: its name, where it is written, and what it is.
pub fn secrets(manifest: &Manifest) -> impl Iterator<Item = (&str, &Item, Secret)> {
    written_secrets(manifest).filter_map(|(name, item)| {
        let secret = item.text()?.parse().ok()?;
        Some((name, item, secret))
    })
}

/// Who may read the secrets of `fleet.toml`, or those of a node file, which may name further groups.
pub fn recipients(
    manifest: &Manifest,
    node: Option<&Item>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Recipients {
    check_recipients(manifest, diagnostics);
    let vault = &manifest.fleet.vault;
    let readers = node.and_then(|file| file.get("readers"));
    let groups = readers
        .map_or(&[][..], Item::array)
        .iter()
        .filter_map(|group| vault.groups.get(group.text()?));
    vault
        .recipients
        .iter()
        .chain(groups.flatten())
        .filter_map(|text| text.parse::<Recipient>().ok())
        .collect()
}

/// A warning where one lost key would lose values: nobody else can read them.
#[must_use]
pub fn check_spare(manifest: &Manifest) -> Option<Diagnostic> {
    let listed = manifest.document.find(&["vault", "recipients"])?;
    let mut alone = 0;
    for Layer {
        item: layer, node, ..
    } in manifest.layers()
    {
        let secrets = layer.get("secrets").and_then(Item::table);
        let values = secrets.map_or(0, Table::len);
        if values > 0 && recipients(manifest, node, &mut Vec::new()).iter().count() == 1 {
            alone += values;
        }
    }
    let them = match alone {
        0 => return None,
        1 => "1 value is".to_owned(),
        _ => format!("{alone} values are"),
    };
    Some(
        Diagnostic::warning(format!("{them} encrypted to one key alone, and lost with it"))
            .at(&listed.source, listed.span())
            .help(
                "add a second key that is kept elsewhere (`ephemeros secrets keygen -o FILE` makes one), and run \
                 `ephemeros secrets rekey`",
            ),
    )
}

/// A value that is not encrypted to those who may read it today.
pub struct Outdated<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it stands.
    pub item: &'a Item,
    /// The value.
    pub secret: Secret,
    /// Who may read it today.
    pub recipients: Arc<Recipients>,
}

impl Outdated<'_> {
    /// The file that it stands in.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.item.source.name
    }
}

/// The values that are not encrypted to those who may read them today. No key is needed to see that. A value that is none
/// is a mistake, and so is a group of readers that nobody is in.
pub fn outdated<'a>(manifest: &'a Manifest, mistakes: &mut Vec<Diagnostic>) -> Vec<Outdated<'a>> {
    let mut outdated = Vec::new();
    if manifest.fleet.vault.recipients.is_empty() {
        // That there is nobody is told already.
        return outdated;
    }
    // Most node files have the same readers.
    let mut known: HashMap<Vec<&str>, (String, Arc<Recipients>)> = HashMap::new();
    for Layer {
        item: layer, node, ..
    } in manifest.layers()
    {
        let Some(secrets) = layer.get("secrets").and_then(Item::table) else {
            continue;
        };
        let readers = node.and_then(|file| file.get("readers"));
        let readers = readers.map_or(&[][..], Item::array);
        if let Some(file) = node {
            check_readers(manifest, file, mistakes);
        }
        let readers = readers.iter().filter_map(Item::text).collect();
        let (digest, recipients) = known.entry(readers).or_insert_with(|| {
            let recipients = recipients(manifest, node, &mut Vec::new());
            (recipients.digest(), Arc::new(recipients))
        });
        for (name, item) in secrets {
            match item.text().map(str::parse::<Secret>) {
                Some(Ok(secret)) if secret.recipients_digest() != digest => {
                    outdated.push(Outdated {
                        name,
                        item,
                        secret,
                        recipients: Arc::clone(recipients),
                    });
                }
                Some(Err(error)) => {
                    mistakes.push(item.error(format!("`{name}`: {error}")).help(error.help()));
                }
                _ => {}
            }
        }
    }
    outdated
}

/// Every value is encrypted to those who may read it today. No key is needed to see that.
#[must_use]
pub fn check_sealed(manifest: &Manifest) -> Vec<Diagnostic> {
    // What else is wrong with them is told where nodes are resolved.
    let outdated = outdated(manifest, &mut Vec::new());
    let mistakes = outdated.iter().map(|value| {
        let message = format!(
            "`{}` is not encrypted to those who may read it today",
            value.name
        );
        value
            .item
            .error(message)
            .help("run `ephemeros secrets rekey`")
    });
    mistakes.collect()
}
