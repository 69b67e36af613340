//! What a stick needs beside the fleet: URLs, loaders, opened secrets. What is missing is found all at once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::identities::{self, NoKeys};
use super::published::file_url;
use super::{Loaded, home};
use crate::cli;
use crate::diagnostic::{Diagnostic, Severity};
use crate::fleet::file::Firmware;
use crate::fleet::node::Node;
use crate::ipxe::loader::{self, Found, LoaderError, Places};
use crate::os::Arch;
use crate::render::rendered::Rendered;
use crate::stick::{Clock, Loader, Opened, Urls};
use crate::ui::Ui;
use crate::vault::open::{OpenError, open};

/// Names a folder of loaders.
const IPXE_DIR: &str = "EPHEMEROS_IPXE_DIR";

/// The time of the files on a stick, by the convention of reproducible builds.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// All of it.
pub(super) struct Inputs {
    pub(super) urls: Urls,
    pub(super) loaders: Vec<Loader>,
    pub(super) secrets: Opened,
    pub(super) clock: Clock,
}

/// Finds everything; `None` where something is missing, which is among the mistakes then.
pub(super) fn gather(
    loaded: &Loaded,
    node: &Node,
    rendered: &Rendered,
    args: &cli::Image,
    ui: &Ui,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<Inputs> {
    check_network(node, mistakes);
    let urls = find_urls(loaded, rendered, args.raw_url.as_deref(), mistakes);
    let loaders = find_loaders(loaded, node, args.ipxe.clone(), ui, mistakes);
    let secrets = open_secrets(node, args.identity.clone(), ui, mistakes);
    let clock = find_clock(mistakes);
    let (urls, secrets, clock) = (urls?, secrets?, clock?);
    if urls.script.starts_with("https:") {
        mistakes.extend(loaders.iter().filter(|found| !found.loader.knows_https).map(|found| {
            Diagnostic::error(format!(
                "the iPXE in `{}` can't fetch `{}`: it was built without HTTPS",
                found.path.display(),
                urls.script
            ))
            .help("take another with `--ipxe DIR`, or serve the fleet over `http://` too and say so with `raw_url`")
        }));
    }
    for found in loaders.iter().filter(|_| ui.verbose()) {
        ui.say(&format!(
            "loader {}: {}",
            found.path.display(),
            found.loader
        ));
    }
    let loaders = loaders.into_iter().map(|found| Loader {
        path: place_of(found.loader.arch),
        version: found
            .loader
            .version
            .unwrap_or_else(|| "of no known version".to_owned()),
        bytes: found.bytes,
    });
    Some(Inputs {
        urls,
        loaders: loaders.collect(),
        secrets,
        clock,
    })
}

/// Where firmware looks on a removable drive (UEFI specification, 3.5.1.1).
fn place_of(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "EFI/BOOT/BOOTX64.EFI",
        Arch::Arm64 => "EFI/BOOT/BOOTAA64.EFI",
    }
}

/// What the script on the stick can't do yet.
fn check_network(node: &Node, mistakes: &mut Vec<Diagnostic>) {
    for key in ["mac", "address", "vlan"] {
        if let Some(item) = node.profile.find(&["network", key]) {
            mistakes.push(
                item.key_error(format!(
                    "this version makes sticks that ask DHCP on every card, and can't heed `{key}`"
                ))
                .help("give the machine a lease by DHCP, and take the key out, or wait for a later version"),
            );
        }
    }
}

fn find_urls(
    loaded: &Loaded,
    rendered: &Rendered,
    raw_url: Option<&str>,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<Urls> {
    let urls = rendered
        .files()
        .map(|(path, text)| file_url(loaded, &path, text, raw_url));
    match urls {
        [Ok(config), Ok(script)] => Some(Urls { config, script }),
        // Both fail for the same reason.
        [Err(refused), _] | [_, Err(refused)] => {
            mistakes.push(refused.diagnostic(Severity::Error));
            None
        }
    }
}

/// The loaders of both architectures; only the node's own must be there.
fn find_loaders(
    loaded: &Loaded,
    node: &Node,
    option: Option<PathBuf>,
    ui: &Ui,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<Found> {
    let refuse = |error: LoaderError| Diagnostic::error(error.to_string()).help(suggestion());
    if !node.stick.firmware.contains(&Firmware::Uefi) {
        mistakes.push(
            Diagnostic::error("this version makes sticks that boot on UEFI alone")
                .help("write `firmware = [\"uefi\", \"bios\"]` under `[stick]`, or wait for a later version"),
        );
        return Vec::new();
    }
    let names = &node.stick.ipxe;
    let named = [
        (Arch::Amd64, &names.x86_64_efi),
        (Arch::Arm64, &names.arm64_efi),
    ];
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for (arch, name) in named {
        match name {
            Some(name) => match loader::load(&loaded.fleet.root.join(name), arch) {
                Ok(loader) => {
                    mistakes.extend(warn_of_own_script(&loader));
                    found.push(loader);
                }
                Err(error) => mistakes.push(refuse(error)),
            },
            None => missing.push(arch),
        }
    }
    let places = Places {
        option,
        variable: std::env::var_os(IPXE_DIR).map(PathBuf::from),
        home: home(),
        ..Places::default()
    };
    let mut search = match loader::find(&places) {
        Ok(search) if !missing.is_empty() => search,
        Err(error) if !missing.is_empty() => {
            mistakes.push(refuse(error));
            return found;
        }
        _ => return found,
    };
    for passed in &search.passed_over {
        ui.say(&format!("note: {passed}, so it is passed over"));
    }
    for arch in missing {
        match search.take(arch) {
            Some(loader) => found.push(loader),
            None if arch == node.os.release.arch => mistakes.push(
                Diagnostic::error(format!(
                    "there is no iPXE for {arch} machines here that a stick could take"
                ))
                .help(suggestion()),
            ),
            None => {}
        }
    }
    found
}

fn warn_of_own_script(found: &Found) -> Option<Diagnostic> {
    found.loader.has_own_script.then(|| {
        Diagnostic::warning(format!(
            "the iPXE in `{}` has a script of its own, which runs in place of the stick's",
            found.path.display()
        ))
        .help("let that script end by `chain file:/autoexec.ipxe`, or take a plain build")
    })
}

fn suggestion() -> String {
    let os = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    format!(
        "{}; or name its folder with `--ipxe DIR`",
        loader::suggest_install(&os)
    )
}

fn open_secrets(
    node: &Node,
    identity: Option<PathBuf>,
    ui: &Ui,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<Opened> {
    if node.secrets.is_empty() {
        return Some(Opened::new());
    }
    let identities = match identities::find(identity, node.secrets.values(), ui) {
        Ok(identities) => identities,
        Err(NoKeys::Absent(error)) => {
            mistakes.push(
                Diagnostic::error(error.to_string())
                    .help("the stick carries secrets, which only a private key opens: name it with `--identity FILE`"),
            );
            return None;
        }
        Err(NoKeys::Closed(error)) => {
            mistakes.push(Diagnostic::error(error.to_string()).help(error.help()));
            return None;
        }
    };
    mistakes.extend(identities.warnings().to_vec());
    let mut opened = Opened::new();
    let mut failed: BTreeMap<String, (OpenError, Vec<&String>)> = BTreeMap::new();
    for (name, secret) in &node.secrets {
        match open(secret, &identities) {
            Ok(value) => drop(opened.insert(name.clone(), value.into_bytes())),
            Err(error) => {
                let failed = failed.entry(error.to_string());
                failed.or_insert((error, Vec::new())).1.push(name);
            }
        }
    }
    let is_whole = failed.is_empty();
    for (why, names) in failed.into_values() {
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let mut mistake = Diagnostic::error(format!("can't open {}: {why}", quoted.join(", ")));
        for name in names {
            if let Some(item) = node.profile.find(&["secrets", name]) {
                mistake = mistake.at(&item.source, item.key.clone());
            }
        }
        let other = "name an identity that can with `--identity FILE`, or set the values anew";
        mistakes.push(mistake.help(why.help().unwrap_or(other)));
    }
    is_whole.then_some(opened)
}

fn find_clock(mistakes: &mut Vec<Diagnostic>) -> Option<Clock> {
    let Some(text) = std::env::var_os(EPOCH).filter(|text| !text.is_empty()) else {
        return Some(Clock::START);
    };
    let seconds = text.to_str().and_then(|text| text.parse().ok());
    if seconds.is_none() {
        mistakes.push(
            Diagnostic::error(format!("`{EPOCH}` is no number of seconds since 1970"))
                .help("write for example `SOURCE_DATE_EPOCH=1767225600`, or unset it"),
        );
    }
    seconds.map(Clock::at)
}
