//! Every file that a node's stick holds.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use zeroize::Zeroizing;

use super::bios::Bios;
use super::label::{self, Boot, Label};
use super::layout::{Part, Sector};
use super::prologue::prologue_digest;
use crate::diagnostic::Diagnostic;
use crate::env_file::write_env_file;
use crate::fleet::file::ScriptAt;
use crate::fleet::network::before_the_os;
use crate::fleet::node::{Fleet, Node};
use crate::ipxe::loader::{Feature, Target};
use crate::ipxe::{OwnConfig, Prologue};
use crate::os::Arch;
use crate::render::rendered::{Rendered, ignition_path, script_path};

/// The files of a stick by their paths, on each of its two volumes.
pub struct Contents {
    pub(super) volume: Uuid,
    pub(super) efi: BTreeMap<String, Vec<u8>>,
    pub(super) secrets: BTreeMap<String, Zeroizing<Vec<u8>>>,
    pub(super) bios: Option<Bios>,
}

/// Opened secrets, by name.
pub type Opened = BTreeMap<String, Zeroizing<Vec<u8>>>;

/// An iPXE for a stick.
#[derive(Clone)]
pub struct Loader {
    /// The machines that it runs on.
    pub target: Target,
    /// iPXE's version.
    pub version: String,
    /// What it was built with.
    pub features: BTreeSet<Feature>,
    /// The binary.
    pub bytes: Vec<u8>,
}

impl Loader {
    /// Where UEFI looks for it on a removable drive (UEFI specification, 3.5.1.1); for a BIOS it is no file.
    #[must_use]
    pub fn place(&self) -> &'static str {
        loader_place(self.target)
    }
}

/// What a loader for these machines is called on a stick.
#[must_use]
pub fn loader_place(target: Target) -> &'static str {
    match target {
        Target::Uefi(Arch::Amd64) => "EFI/BOOT/BOOTX64.EFI",
        Target::Uefi(Arch::Arm64) => "EFI/BOOT/BOOTAA64.EFI",
        Target::Bios => "ipxe.lkrn",
    }
}

/// Where a node fetches.
pub struct Urls {
    /// Its config.
    pub config: String,
    /// The body of its boot script.
    pub script: String,
}

/// Puts together what stands on the stick of a node.
///
/// # Errors
/// Secrets that no env file can hold, or no room for what a BIOS loads.
pub fn contents(
    fleet: &Fleet,
    node: &Node,
    rendered: &Rendered,
    urls: &Urls,
    loaders: Vec<Loader>,
    opened: &Opened,
) -> Result<Contents, Vec<Diagnostic>> {
    let secrets = secret_files(node, opened)?;
    let script_url = match node.stick.script {
        ScriptAt::Git => Some(urls.script.as_str()),
        ScriptAt::Stick => None,
    };
    let config = ignition_path(&node.name);
    let place = node.os.release.config_in_initrd();
    let can_place = loaders.iter().all(|loader| {
        loader.target == Target::Bios || loader.features.contains(&Feature::InitrdFiles)
    });
    let prologue = Prologue {
        node: &node.name,
        config_url: &urls.config,
        script_url,
        body: &rendered.script.text,
        network: before_the_os(&node.network),
        time_server: loaders
            .iter()
            .any(|loader| loader.features.contains(&Feature::Ntp))
            .then(|| node.os.release.distro.time_server()),
        own_config: place.filter(|_| can_place).map(|place| OwnConfig {
            file: &config,
            place,
        }),
    };
    let mut label = Label::new(&node.name, &fleet.name, fleet.id, &urls.config);
    label.script_url = script_url.map(str::to_owned);
    label.prologue = prologue_digest(node, &urls.config, script_url);
    let versions = node.versions().into_iter();
    let versions = versions.map(|(name, version)| (name.to_owned(), version.to_owned()));
    label.secrets = versions.collect();
    let script = prologue.write().into_bytes();
    let mut bios = None;
    let mut efi = BTreeMap::from([
        ("autoexec.ipxe".to_owned(), script.clone()),
        (
            script_path(&node.name),
            rendered.script.text.clone().into_bytes(),
        ),
        (
            ignition_path(&node.name),
            rendered.ignition.clone().into_bytes(),
        ),
    ]);
    for loader in loaders {
        let place = loader.place().to_owned();
        if loader.target == Target::Bios {
            let made = Bios::new(&loader.bytes, &script).ok_or_else(no_room_for_bios)?;
            label.bios = Some(Boot {
                loader: label::digest(&loader.bytes),
                ..Boot::of(&made.code, &made.partition)
            });
            bios = Some(made);
        } else {
            efi.insert(place.clone(), loader.bytes);
        }
        label.loaders.insert(place, loader.version);
    }
    label.secret_files = secrets
        .iter()
        .map(|(path, bytes)| (path.clone(), bytes.len() as u64))
        .collect();
    label.secret_names = secret_names(node);
    label.files = efi
        .iter()
        .map(|(path, bytes)| (path.clone(), label::digest(bytes)))
        .collect();
    let text = label
        .write()
        .map_err(|error| vec![Diagnostic::error(error.to_string())])?;
    efi.insert(label::FILE.to_owned(), text.into_bytes());
    Ok(Contents {
        volume: node.vault.partuuid,
        efi,
        secrets,
        bios,
    })
}

fn no_room_for_bios() -> Vec<Diagnostic> {
    let room = Part::Bios.place(Sector::Of512).1 >> 20;
    vec![
        Diagnostic::error(format!(
            "the iPXE for BIOS and the boot script take more room than a stick has for them, {room} MiB"
        ))
        .help("take a smaller `ipxe.lkrn`, or write `firmware = [\"uefi\"]` under `[stick]`"),
    ]
}

/// Which secrets stand in which file of the secrets volume.
#[must_use]
pub fn secret_names(node: &Node) -> BTreeMap<String, Vec<String>> {
    let env_files = node.env_files.iter();
    let env_files = env_files.map(|(file, names)| {
        let names = names.secret.iter();
        let names = names.filter(|name| node.secrets.contains_key(name));
        (file.clone(), names.cloned().collect::<Vec<_>>())
    });
    let files = node.secret_files.iter();
    let files = files.filter(|(_, name)| node.secrets.contains_key(name));
    let files = files.map(|(path, name)| (path.clone(), vec![name.clone()]));
    let mut all: BTreeMap<_, _> = env_files.chain(files).collect();
    all.retain(|_, names| !names.is_empty());
    all
}

/// The env files and the secrets that are files of their own.
fn secret_files(node: &Node, opened: &Opened) -> Result<Opened, Vec<Diagnostic>> {
    let mut files = BTreeMap::new();
    let mut mistakes = Vec::new();
    for (file, names) in node.env_files.iter() {
        let variables: BTreeMap<&str, &[u8]> = names
            .secret
            .iter()
            .filter_map(|name| Some((name.as_str(), opened.get(name)?.as_slice())))
            .collect();
        if variables.is_empty() {
            continue;
        }
        match write_env_file(&variables) {
            Ok(text) => {
                let bytes = Zeroizing::new(text.as_bytes().to_vec());
                files.insert(file.clone(), bytes);
            }
            Err(refused) => mistakes.extend(refused.into_iter().map(|(name, error)| {
                let mistake = Diagnostic::error(format!("`{file}` can't hold `{name}`: {error}"));
                let mistake = match node.secrets.get(name) {
                    Some(item) => mistake.at(&item.source, item.span()),
                    None => mistake,
                };
                mistake.help(error.help())
            })),
        }
    }
    for (path, name) in node.secret_files.iter() {
        if let Some(value) = opened.get(name) {
            files.insert(path.clone(), value.clone());
        }
    }
    if mistakes.is_empty() {
        Ok(files)
    } else {
        Err(mistakes)
    }
}
