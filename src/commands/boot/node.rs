//! A node of the fleet, on a stick that is nowhere but in memory.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, memfd_create};

use super::ask::ask;
use super::hardware::{self, Hardware};
use super::local::{Local, listen};
use super::session::{Served, Session};
use crate::boot::stand_in::{self, FOLDER};
use crate::boot::{Reporting, StandIns, Story};
use crate::cli;
use crate::commands::serve::{cache_folder, with_folder};
use crate::commands::stick_inputs::Keys;
use crate::commands::stick_made::prepare;
use crate::commands::{Failure, Loaded, Outcome, load};
use crate::fleet::file::Firmware;
use crate::fleet::node::{Fleet, Node};
use crate::os::Arch;
use crate::render::rendered::Rendered;
use crate::site::{Cache, Live, Mirror, Rendered as _};
use crate::stick::{Disk, Sector};
use crate::ui::Ui;

/// How large what was fetched may become, as `serve` has it.
const CACHE: u64 = 10 << 30;

pub(super) fn run(
    args: &cli::Boot,
    pattern: &str,
    start: &Path,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    let mut loaded = load(start, ui)?;
    let name = name(&mut loaded, pattern, ui)?;
    let node = loaded.node(&name)?;
    let is_uefi = firmware(args, node)?;
    let mut hardware = hardware::find(args, arch(args, node)?, is_uefi, memory(node))?;
    let mut network = node.network.clone();
    let left_out = hardware::simplify(&mut network);
    hardware.machine.card = hardware::card(&network, &hardware.machine.card, ui);
    let has_screen = args.display != cli::Display::None;
    let local = Local::new(&loaded.fleet, node, &hardware.machine.card.lan, has_screen)?;
    if args.real_secrets {
        let secrets: Vec<&str> = node.secrets.keys().collect();
        ask(&name, &secrets, ui)?;
    }
    if !args.real_secrets {
        note_unused(&loaded, ui);
    }
    local.turn(&mut loaded.fleet);
    let (_, rendered) = loaded.render_one(&name, ui)?;
    let config = rendered.ignition.clone();
    let card = &mut hardware.machine.card;
    card.mac = card.mac.take().or_else(|| hardware::mac_in(&config));
    let disk = stick(args, &loaded, &local, rendered, ui)?;
    let file = in_memory(&disk).map_err(|error| {
        Failure::problem(
            format!("there is no room in memory for the stick: {error}"),
            None,
        )
    })?;
    hardware.machine.stick = PathBuf::from(format!(
        "/proc/{}/fd/{}",
        std::process::id(),
        file.as_raw_fd()
    ));
    for what in left_out {
        ui.say(&format!(
            "note: {what} is left out: QEMU's network has none of that kind"
        ));
    }
    let node = loaded.node(&name)?;
    let secrets = match (node.secrets.is_empty(), args.real_secrets) {
        (true, _) => "",
        (_, true) => ", with its real secrets",
        (_, false) => ", with stand-ins for its secrets",
    };
    ui.say(&format!(
        "booting {name} as the working tree has it{secrets}"
    ));
    serve(args, &loaded, &local, Some(&config), hardware, ui)
}

/// Serves the working tree, and runs the machine. Without the node's config nothing is fetched before.
pub(super) fn serve(
    args: &cli::Boot,
    loaded: &Loaded,
    local: &Local,
    config: Option<&str>,
    mut hardware: Hardware,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    let node = loaded.node(&local.node)?;
    let turn = |fleet: &mut Fleet| local.turn(fleet);
    let live = |adjust| Live {
        root: local.root.clone(),
        prefix: local.prefix.clone(),
        adjust,
    };
    // Where things are fetched from is what the fleet says; where the machine finds them is not.
    let (turned, plain) = (live(&turn), live(&|_| {}));
    let source = || plain.catalogue();
    let cache = Cache::new(cache_folder(args.cache.as_deref())?, CACHE);
    let mirror = with_folder(Mirror::new(&source, cache, None), args.os.as_deref())?;
    if let Some(config) = config {
        local.fetch(node, config, &mirror, ui)?;
    }
    let (listener, port) = listen()?;
    hardware.machine.card.server_port = Some(port);
    let files = Reporting {
        files: &turned,
        config: local.config(),
        url: format!("{}/{}", local.url, local.inbox),
    };
    let session = Session {
        args,
        hardware,
        name: local.node.clone(),
        story: Story::new(&local.script(), &local.config(), true),
        served: Some(Served {
            listener,
            trees: vec![&files, &StandIns, &mirror],
            reports: local.inbox.clone(),
            calls: FOLDER.to_owned(),
        }),
        ui,
    };
    session.run()
}

/// A value for a secret that no node has is a slip of the pen.
fn note_unused(loaded: &Loaded, ui: &Ui) {
    let nodes = &loaded.fleet.nodes;
    for name in loaded.manifest.fleet.boot.env.keys() {
        if !nodes.iter().any(|node| node.secrets.contains_key(name)) {
            ui.say(&format!(
                "note: `[boot.env]` in fleet.toml has `{name}`, which is no secret of any node"
            ));
        }
    }
}

/// The name of the one node that a pattern fits.
fn name(loaded: &mut Loaded, pattern: &str, ui: &Ui) -> Result<String, Failure> {
    let found = loaded.select(&[pattern.to_owned()]);
    let only = found.ok().and_then(|nodes| match nodes[..] {
        [node] => Some(node.name.clone()),
        _ => None,
    });
    match only {
        Some(name) => Ok(name),
        // It says what is wrong.
        None => loaded.render_one(pattern, ui).map(|(name, _)| name),
    }
}

fn arch(args: &cli::Boot, node: &Node) -> Result<Arch, Failure> {
    let own = node.os.release.arch;
    match args.arch {
        Some(cli::Arch::Amd64) if own != Arch::Amd64 => Err(own),
        Some(cli::Arch::Arm64) if own != Arch::Arm64 => Err(own),
        _ => Ok(own),
    }
    .map_err(|own| Failure::Usage {
        message: format!("{} is a node for {own}", node.name),
        help: "leave `--arch` away, or write another `arch` under `[os]`".to_owned(),
    })
}

/// Whether it is UEFI.
fn firmware(args: &cli::Boot, node: &Node) -> Result<bool, Failure> {
    let has = |firmware| node.stick.firmware.contains(&firmware);
    let (wanted, name) = match args.firmware {
        Some(cli::Firmware::Uefi) => (Firmware::Uefi, "UEFI"),
        Some(cli::Firmware::Bios) => (Firmware::Bios, "a BIOS"),
        None => return Ok(has(Firmware::Uefi)),
    };
    if has(wanted) {
        return Ok(wanted == Firmware::Uefi);
    }
    Err(Failure::Usage {
        message: format!("the stick of {} does not boot by {name}", node.name),
        help: "take the other `--firmware`, or add this one to `firmware` under `[stick]`"
            .to_owned(),
    })
}

/// In MiB, with some for what comes in by the network.
pub(super) fn memory(node: &Node) -> u32 {
    node.os.release.distro.min_ram_mib()
}

fn stick(
    args: &cli::Boot,
    loaded: &Loaded,
    local: &Local,
    rendered: Rendered,
    ui: &Ui,
) -> Result<Disk, Failure> {
    let given = &loaded.manifest.fleet.boot.env;
    let values = |node: &Node| stand_in::values(node, given, &local.url);
    let keys = if args.real_secrets {
        Keys::Needed
    } else {
        Keys::StandIns(&values)
    };
    let made_of = cli::MadeOf {
        ipxe: args.ipxe.clone(),
        identity: args.identity.clone(),
        raw_url: Some(local.raw_url()),
    };
    let sector = Sector::Of512;
    let prepared = prepare(
        loaded,
        vec![rendered],
        sector,
        keys,
        &made_of,
        ui,
        |_, _, _| Some(()),
    )?;
    let one = prepared.first();
    let one = one.ok_or_else(|| Failure::problem("there is no stick", None))?;
    Ok(one.make(loaded, ui)?.disk)
}

/// The stick as a file that no folder has, and that is gone with this process.
fn in_memory(disk: &Disk) -> std::io::Result<File> {
    let file = File::from(memfd_create("stick", MemfdFlags::CLOEXEC)?);
    file.set_len(disk.size())?;
    for (offset, bytes) in disk.used() {
        file.write_all_at(bytes, offset)?;
    }
    Ok(file)
}
