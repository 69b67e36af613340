//! The loaders of a node's stick: which it needs, and where they are.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::thread::{Scope, ScopedJoinHandle};

use super::{Loaded, home};
use crate::diagnostic::Diagnostic;
use crate::fleet::file::{Firmware, Loaders, ScriptAt};
use crate::fleet::node::Node;
use crate::ipxe;
use crate::ipxe::loader::{self, Feature, Found, LoaderError, Places, Search, Target};
use crate::os::Arch;
use crate::stick::Sector;
use crate::ui::Ui;

/// Names a folder of loaders.
const IPXE_DIR: &str = "EPHEMEROS_IPXE_DIR";

/// The way out where there is nothing for a BIOS.
const WITHOUT_BIOS: &str =
    "or write `firmware = [\"uefi\"]` under `[stick]` for a stick that no BIOS starts";

/// Loaders by what they are for, so that nodes that need the same share them, and what is said of them is said once.
pub(super) struct Known<'scope> {
    sector: Sector,
    places: Places,
    found: Vec<(Need, Rc<Vec<Found>>)>,
    /// What is looked for already, and by whom.
    ahead: Option<(Vec<Target>, ScopedJoinHandle<'scope, Searched>)>,
}

/// What a node needs, and the files that it names.
type Need = (Vec<Target>, Arch, Loaders);

type Searched = Result<Search, LoaderError>;

impl<'scope> Known<'scope> {
    /// `option` is the folder that the user named.
    pub(super) fn new(sector: Sector, option: Option<PathBuf>) -> Self {
        let places = Places {
            option,
            variable: std::env::var_os(IPXE_DIR).map(PathBuf::from),
            home: home(),
            ..Places::default()
        };
        Self {
            sector,
            places,
            found: Vec::new(),
            ahead: None,
        }
    }

    /// Looks for the loaders of a node while something else is done: to unpack one takes as long as all of that.
    pub(super) fn look_ahead(&mut self, node: &Node, scope: &'scope Scope<'scope, '_>) {
        let mut wanted = targets(node);
        wanted.retain(|target| self.fits(*target) && named(node, *target).is_none());
        if wanted.is_empty() {
            return;
        }
        let (places, targets) = (self.places.clone(), wanted.clone());
        let search = scope.spawn(move || loader::find(&places, &targets));
        self.ahead = Some((wanted, search));
    }

    /// A BIOS starts from no drive with larger sectors.
    fn fits(&self, target: Target) -> bool {
        self.sector == Sector::Of512 || target != Target::Bios
    }

    fn search(&mut self, wanted: &[Target]) -> Searched {
        let ahead = self.ahead.take_if(|(targets, _)| targets == wanted);
        let ahead = ahead.and_then(|(_, search)| search.join().ok());
        ahead.unwrap_or_else(|| loader::find(&self.places, wanted))
    }

    /// As [`find`].
    pub(super) fn find(
        &mut self,
        loaded: &Loaded,
        node: &Node,
        ui: &Ui,
        mistakes: &mut Vec<Diagnostic>,
    ) -> Rc<Vec<Found>> {
        let need = (targets(node), node.os.release.arch, node.stick.ipxe.clone());
        if let Some((_, found)) = self.found.iter().find(|(known, _)| *known == need) {
            return Rc::clone(found);
        }
        let found = Rc::new(find(loaded, node, self, ui, mistakes));
        self.found.push((need, Rc::clone(&found)));
        found
    }
}

/// The file that a node names.
fn named(node: &Node, target: Target) -> Option<&String> {
    let names = &node.stick.ipxe;
    match target {
        Target::Uefi(Arch::Amd64) => names.x86_64_efi.as_ref(),
        Target::Uefi(Arch::Arm64) => names.arm64_efi.as_ref(),
        Target::Bios => names.bios.as_ref(),
    }
}

/// The loaders for all that the stick is to boot on. For UEFI those of both architectures are looked for, and only the
/// node's own must be there.
fn find(
    loaded: &Loaded,
    node: &Node,
    known: &mut Known<'_>,
    ui: &Ui,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<Found> {
    let refuse = |error: LoaderError| Diagnostic::error(error.to_string()).help(suggestion());
    let mut wanted = targets(node);
    let refuse_firmware = |message: String| match node.profile.find(&["stick", "firmware"]) {
        Some(item) => item.error(message),
        None => Diagnostic::error(message),
    };
    if wanted.is_empty() {
        let arch = node.os.release.arch;
        let message = format!("no {arch} machine has the firmware that this stick is for");
        mistakes
            .push(refuse_firmware(message).help("write `firmware = [\"uefi\"]` under `[stick]`"));
        return Vec::new();
    }
    if wanted.iter().any(|target| !known.fits(*target)) {
        wanted.retain(|target| known.fits(*target));
        if wanted.is_empty() {
            let message =
                "this stick is for a BIOS, and none starts from a drive with sectors of 4096 bytes";
            let help = "take a drive with sectors of 512 bytes, or write `firmware = [\"uefi\"]` under `[stick]`";
            mistakes.push(refuse_firmware(message.to_owned()).help(help));
            return Vec::new();
        }
        ui.say("note: from a drive with sectors of 4096 bytes this stick boots by UEFI only");
    }
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for target in wanted {
        match named(node, target) {
            Some(name) => match loader::load(&loaded.fleet.root.join(name), target) {
                Ok(loader) => {
                    mistakes.extend(warn_of_own_script(&loader));
                    found.push(loader);
                }
                Err(error) => mistakes.push(refuse(error)),
            },
            None => missing.push(target),
        }
    }
    if missing.is_empty() {
        return found;
    }
    let mut search = match known.search(&missing) {
        Ok(search) => search,
        Err(error) => {
            mistakes.push(refuse(error));
            return found;
        }
    };
    for passed in &search.passed_over {
        ui.say(&format!("note: {passed}, so it is passed over"));
    }
    for target in missing {
        match search.take(target) {
            Some(loader) => found.push(loader),
            None if target == Target::Bios => {
                let help = format!("{}; {WITHOUT_BIOS}", suggestion());
                mistakes.push(missing_for(target).help(help));
            }
            None if target == Target::Uefi(node.os.release.arch) => {
                mistakes.push(missing_for(target).help(suggestion()));
            }
            None => {}
        }
    }
    found
}

/// What the stick is to boot on.
fn targets(node: &Node) -> Vec<Target> {
    let has = |firmware| node.stick.firmware.contains(&firmware);
    let mut targets = Vec::from(Target::ALL);
    targets.retain(|target| match target {
        Target::Uefi(_) => has(Firmware::Uefi),
        // No arm64 machine has a BIOS.
        Target::Bios => has(Firmware::Bios) && node.os.release.arch == Arch::Amd64,
    });
    targets
}

/// Loaders that can't bring up the network that the node has.
pub(super) fn check_network(node: &Node, loaders: &[Found]) -> Vec<Diagnostic> {
    let is_v6 = |text: &String| text.contains(':');
    let network = &node.network;
    let needs = [
        (
            network.vlan.is_some(),
            ("vlan", Feature::Vlan),
            "VLANs (`vcreate`)",
            "let the switch put the machine's port into the VLAN untagged and take `vlan` out",
        ),
        (
            network.address.is_some(),
            ("address", Feature::Cards),
            "static addresses (`iflinkwait`)",
            "give the machine its address by DHCP and take `address` out",
        ),
        (
            network.address.as_ref().is_some_and(is_v6),
            ("address", Feature::Ipv6),
            "IPv6",
            "give the machine an address of IPv4",
        ),
    ];
    let mut mistakes = Vec::new();
    for (_, (key, feature), what, other) in needs.into_iter().filter(|(is, ..)| *is) {
        for found in loaders.iter().filter(|it| !it.loader.knows(feature)) {
            let message = format!(
                "the iPXE in `{}` was built without {what}, which `{key}` takes",
                found.path.display(),
            );
            let mistake = match node.profile.find(&["network", key]) {
                Some(item) => item.key_error(message),
                None => Diagnostic::error(message),
            };
            let mut help = format!(
                "take another with `--ipxe DIR`: iPXE's own builds and those of the distributions have it; or {other}"
            );
            if found.loader.target == Target::Bios {
                help += &format!(", {WITHOUT_BIOS}");
            }
            mistakes.push(mistake.help(help));
        }
    }
    mistakes
}

/// Loaders that can't fetch the boot script, or nothing of what it names.
pub(super) fn check_https(
    node: &Node,
    loaders: &[Found],
    script_url: &str,
    script: &str,
) -> Vec<Diagnostic> {
    let is_https = |url: &str| url.starts_with("https:");
    let (url, other) = if node.stick.script == ScriptAt::Git && is_https(script_url) {
        let other = "serve the fleet over `http://` too and say so with `raw_url`";
        (script_url.to_owned(), other)
    } else {
        let settings = BTreeMap::from([("config-url".to_owned(), "http:".to_owned())]);
        let fetches = ipxe::run(&ipxe::read(script), &settings, &|_| true).fetches;
        match fetches.first() {
            Some(first) if fetches.iter().all(|fetch| is_https(&fetch.url)) => (
                first.url.clone(),
                "name a server that has it over `http://` in `mirrors`",
            ),
            _ => return Vec::new(),
        }
    };
    let unfit = loaders
        .iter()
        .filter(|found| !found.loader.knows(Feature::Https));
    let mistakes = unfit.map(|found| {
        let mut help = format!("take another with `--ipxe DIR`, or {other}");
        if found.loader.target == Target::Bios {
            help += &format!(", {WITHOUT_BIOS}");
        }
        Diagnostic::error(format!(
            "the iPXE in `{}` can't fetch `{url}`: it was built without HTTPS",
            found.path.display(),
        ))
        .help(help)
    });
    mistakes.collect()
}

fn missing_for(target: Target) -> Diagnostic {
    Diagnostic::error(format!(
        "there is no iPXE for {target} machines here that a stick could take"
    ))
}

fn warn_of_own_script(found: &Found) -> Option<Diagnostic> {
    let help = match found.loader.target {
        Target::Uefi(_) => {
            "let that script end by `chain file:/autoexec.ipxe`, or take a plain build"
        }
        Target::Bios => "take a plain build",
    };
    found.loader.has_own_script.then(|| {
        Diagnostic::warning(format!(
            "the iPXE in `{}` has a script of its own, which runs in place of the stick's",
            found.path.display()
        ))
        .help(help)
    })
}

fn suggestion() -> String {
    let os = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    format!(
        "{}; or name its folder with `--ipxe DIR`",
        loader::suggest_install(&os)
    )
}
