//! The machine that is asked for, as far as it can be had here.

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use crate::boot::firmware::{self, Part};
use crate::boot::{Accelerator, Card, Display, Lan, Machine, NoKvm, try_kvm};
use crate::cli;
use crate::commands::Failure;
use crate::fleet::file::Network;
use crate::fleet::names::is_mac;
use crate::fleet::network::parse;
use crate::ignition::data_url;
use crate::os::Arch;
use crate::progress::Progress as _;
use crate::stick::Sector;
use crate::ui::Ui;

/// Where the distribution is named.
const OS_RELEASE: &str = "/etc/os-release";

/// The most that a file of networkd holds, in bytes.
const LONGEST: usize = 64 * 1024;

/// A machine, and the program that is it.
pub(super) struct Hardware {
    pub(super) program: PathBuf,
    pub(super) machine: Machine,
}

/// Finds all that the machine takes; its stick and its card come later.
pub(super) fn find(
    args: &cli::Boot,
    arch: Arch,
    is_uefi: bool,
    memory: u32,
) -> Result<Hardware, Failure> {
    let usage = |message: &str, help: &str| {
        Err(Failure::Usage {
            message: message.to_owned(),
            help: help.to_owned(),
        })
    };
    if arch == Arch::Arm64 && !is_uefi {
        return usage(
            "no arm64 machine has a BIOS",
            "leave `--firmware bios` away",
        );
    }
    if arch == Arch::Arm64 && args.display == cli::Display::Curses {
        let help = "take `--display gtk`, or leave it away and see the serial port";
        return usage("an arm64 machine has no screen of text", help);
    }
    let memory = match args.memory {
        None => memory,
        Some(bytes) => match u32::try_from(bytes >> 20) {
            Ok(mib @ 64..) => mib,
            _ => {
                return usage(
                    "no system starts in so little memory",
                    "write for example `--memory 4GiB`",
                );
            }
        },
    };
    let missing = |what: String, part: Part| {
        let os = std::fs::read_to_string(OS_RELEASE).unwrap_or_default();
        let help = firmware::suggest_install(part, arch, &os);
        Failure::problem(what, Some(&help))
    };
    let name = firmware::program(arch);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = firmware::find_program(name, &path)
        .ok_or_else(|| missing(format!("there is no `{name}` on PATH"), Part::Qemu))?;
    let uefi = if is_uefi {
        let found = firmware::find_uefi(arch, Path::new("/"));
        let what = || format!("there is no UEFI for {arch} machines here");
        Some(found.ok_or_else(|| missing(what(), Part::Uefi))?)
    } else {
        None
    };
    if let Some(port) = args.ssh_port {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            let message = format!("can't listen at port {port}: {error}");
            Failure::problem(message, Some("take another one with `--ssh-port`"))
        })?;
    }
    let machine = Machine {
        arch,
        uefi,
        display: match args.display {
            cli::Display::None => Display::None,
            cli::Display::Curses => Display::Curses,
            cli::Display::Gtk => Display::Gtk,
        },
        memory,
        stick: PathBuf::new(),
        sector: Sector::Of512,
        may_reboot: args.until.is_none(),
        card: Card {
            is_open: args.network,
            ssh_port: args.ssh_port,
            ..Card::default()
        },
    };
    Ok(Hardware { program, machine })
}

impl Hardware {
    /// KVM where it works, which is tried.
    pub(super) fn accelerator(&self, ui: &Ui) -> Result<Accelerator, Failure> {
        let is_same = match self.machine.arch {
            Arch::Amd64 => cfg!(target_arch = "x86_64"),
            Arch::Arm64 => cfg!(target_arch = "aarch64"),
        };
        let why = if is_same {
            let args = self.machine.trial(Accelerator::Kvm);
            let sign = self.machine.sign_of_life();
            match try_kvm(&self.program, &args, sign, &|| ui.stopped()) {
                Ok(()) => return Ok(Accelerator::Kvm),
                Err(NoKvm::Stopped) => return Err(Failure::Stopped),
                Err(NoKvm::Because(why)) => format!("KVM does not work here: {why}"),
            }
        } else {
            "this machine has another processor".to_owned()
        };
        ui.say(&format!(
            "note: {why}; QEMU emulates it, which takes several times as long"
        ));
        Ok(Accelerator::Tcg)
    }
}

/// The card that a node with this network has, and what of the network is left out.
pub(super) fn card(network: &Network, card: &Card, ui: &Ui) -> Card {
    let number = network.interface.as_deref().map(|name| {
        let number = name.strip_prefix("eno").and_then(|it| it.parse().ok());
        if number.is_none() {
            ui.say(&format!(
                "note: the card is called `eno1` here, and not `{name}`"
            ));
        }
        number
    });
    let (own, lan) = around(network).unzip();
    Card {
        mac: network.mac.clone(),
        index: number.flatten().unwrap_or(1),
        own,
        lan: lan.unwrap_or_default(),
        ..card.clone()
    }
}

/// The MAC address that a config gives the node's network, a bond for example. A card that has the same is always given
/// the first address by QEMU, to which ssh is led.
pub(super) fn mac_in(config: &str) -> Option<String> {
    let config: serde_json::Value = serde_json::from_str(config).ok()?;
    let files = config["storage"]["files"].as_array()?.iter();
    let texts = files.filter_map(|file| {
        let path = file["path"].as_str()?;
        let contents = &file["contents"];
        let bytes = data_url::decode(contents["source"].as_str()?).ok()?;
        let bytes = match contents["compression"].as_str() {
            Some("gzip") => data_url::gunzip(&bytes, LONGEST).ok()?,
            _ => bytes,
        };
        let text = String::from_utf8(bytes).ok()?;
        path.starts_with("/etc/systemd/network/").then_some(text)
    });
    let mut macs = texts.filter_map(|text| {
        let mut values = text.lines().filter_map(|line| {
            let value = line.trim().strip_prefix("MACAddress=")?.to_lowercase();
            is_mac(&value).then_some(value)
        });
        values.next()
    });
    macs.next()
}

/// A node's own address, and the network around it; `None` where it has none, or one that QEMU can make no network for.
fn around(network: &Network) -> Option<(Ipv4Addr, Lan)> {
    let gateway = match network.gateway.as_deref().map(str::parse) {
        Some(Ok(gateway)) => Some(gateway),
        Some(Err(_)) => return None,
        None => None,
    };
    match parse(network.address.as_deref()?)? {
        (IpAddr::V4(own), prefix) => Some((own, Lan::around(own, prefix, gateway)?)),
        (IpAddr::V6(_), _) => None,
    }
}

/// Takes out of a node's network what QEMU's has not; what that is.
pub(super) fn simplify(network: &mut Network) -> Vec<&'static str> {
    let mut left_out = Vec::new();
    if network.vlan.take().is_some() {
        left_out.push("the VLAN");
    }
    if network.address.is_some() && around(network).is_none() {
        network.address = None;
        network.gateway = None;
        left_out.push("the static address");
    }
    left_out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_bond_is_found_in_the_config() {
        let file = |path: &str, text: &str| {
            let source = data_url::encode(text.as_bytes(), false).url;
            serde_json::json!({ "path": path, "contents": { "source": source } })
        };
        let config = |files: &[serde_json::Value]| {
            serde_json::json!({ "storage": { "files": files } }).to_string()
        };
        let bond = "[NetDev]\nName=uplink\nMACAddress=00:00:5E:00:53:37\n";
        let elsewhere = file("/etc/bond.netdev", bond);
        let none = file(
            "/etc/systemd/network/a.netdev",
            "[NetDev]\nMACAddress=none\n",
        );
        let own = file("/etc/systemd/network/b.netdev", bond);
        assert_eq!(mac_in(&config(&[elsewhere.clone(), none.clone()])), None);
        let found = mac_in(&config(&[elsewhere, none, own]));
        assert_eq!(found.as_deref(), Some("00:00:5e:00:53:37"));
        assert_eq!(mac_in("{}"), None);
    }

    #[test]
    fn a_network_that_qemu_has_not_is_left_out() {
        let network = |address: &str, gateway: Option<&str>, vlan| Network {
            address: Some(address.to_owned()),
            gateway: gateway.map(str::to_owned),
            vlan,
            ..Network::default()
        };
        let mut fits = network("10.0.0.7/24", Some("10.0.0.1"), Some(42));
        assert_eq!(simplify(&mut fits), ["the VLAN"]);
        let own = around(&fits).map(|(own, _)| own.to_string());
        assert_eq!(own.as_deref(), Some("10.0.0.7"));
        for mut other in [
            network("2001:db8::7/64", None, None),
            network("10.0.0.7/32", None, None),
        ] {
            assert_eq!(simplify(&mut other), ["the static address"]);
            assert!(around(&other).is_none());
        }
    }
}
