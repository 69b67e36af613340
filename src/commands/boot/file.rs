//! A file or a drive that is a stick, as it is.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use super::ask::ask;
use super::hardware;
use super::local::Local;
use super::node::{memory, serve};
use super::session::Session;
use crate::boot::Story;
use crate::cli;
use crate::commands::loaded::load;
use crate::commands::{Failure, Loaded, Outcome};
use crate::fleet::root;
use crate::os::Arch;
use crate::render::rendered::{ignition_path, script_path};
use crate::stick::{Label, NoStick, Sector, inspect};
use crate::ui::Ui;

/// The memory of a machine that boots nobody knows what, in MiB.
const MEMORY: u32 = 4096;

pub(super) fn run(
    args: &cli::Boot,
    path: &Path,
    start: &Path,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    refuse_options(args)?;
    let shown = path.display();
    let mut file = open(path)?;
    let (label, sector) = match inspect(&mut file) {
        Ok(found) => {
            for fault in &found.faults {
                ui.say(&format!("note: {shown}: {fault}"));
            }
            (Some(found.label), found.sector)
        }
        Err(NoStick::Foreign) if boots(&mut file) => {
            ui.say(&format!("note: {shown}: {}", NoStick::Foreign));
            (None, Sector::Of512)
        }
        Err(NoStick::Foreign) => {
            return Err(Failure::problem(
                format!("`{shown}` boots nothing: it has neither a boot sector nor partitions"),
                Some("name a file that `image` wrote, or a drive"),
            ));
        }
        // It may carry secrets, and nobody could say which.
        Err(error) => {
            return Err(Failure::problem(
                format!("`{shown}`: {error}"),
                Some("make it anew: `ephemeros image NODE --output FILE`"),
            ));
        }
    };
    let arch = match args.arch {
        Some(cli::Arch::Arm64) => Arch::Arm64,
        Some(cli::Arch::Amd64) | None => Arch::Amd64,
    };
    let loaded = label.as_ref().and_then(|label| fleet_of(label, start, ui));
    let node = match (&label, &loaded) {
        (Some(label), Some(loaded)) => loaded.fleet.node(&label.node),
        _ => None,
    };
    let is_uefi = args.firmware != Some(cli::Firmware::Bios);
    let mut hardware = hardware::find(args, arch, is_uefi, node.map_or(MEMORY, memory))?;
    hardware.machine.stick = path
        .canonicalize()
        .map_err(|error| Failure::problem(format!("can't find `{shown}`: {error}"), None))?;
    hardware.machine.sector = sector;
    if let Some(label) = &label
        && !label.secrets.is_empty()
    {
        let secrets: Vec<&str> = label.secrets.keys().map(String::as_str).collect();
        ask(&label.node, &secrets, ui)?;
    }
    if let (Some(node), Some(loaded)) = (node, &loaded) {
        let mut network = node.network.clone();
        hardware::simplify(&mut network);
        hardware.machine.card = hardware::card(&network, &hardware.machine.card, ui);
        let has_screen = args.display != cli::Display::None;
        let local = Local::new(&loaded.fleet, node, &hardware.machine.card.lan, has_screen)?;
        ui.say(&format!(
            "booting {shown} of {} as it is; the working tree is at {}",
            node.name, local.url
        ));
        return serve(args, loaded, &local, None, hardware, ui);
    }
    ui.say(&format!("booting {shown} as it is"));
    let name = label.map_or_else(|| shown.to_string(), |label| label.node);
    let session = Session {
        args,
        hardware,
        story: Story::new(&script_path(&name), &ignition_path(&name), false),
        name,
        served: None,
        ui,
    };
    session.run()
}

fn refuse_options(args: &cli::Boot) -> Result<(), Failure> {
    let options = [
        (args.ipxe.is_some(), "--ipxe"),
        (args.real_secrets, "--real-secrets"),
    ];
    let wrong = options.into_iter().filter(|(is_given, _)| *is_given);
    let wrong: Vec<String> = wrong.map(|(_, name)| format!("`{name}`")).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage {
        message: format!("what is booted as it is takes no {}", wrong.join(", no ")),
        help: "all of it is in the file or on the drive".to_owned(),
    })
}

/// Whether firmware would find anything: the mark of a boot sector, which a partition table has in front, too.
fn boots(file: &mut File) -> bool {
    let mut first = [0; 512];
    let read = file.rewind().and_then(|()| file.read_exact(&mut first));
    read.is_ok() && first.ends_with(&[0x55, 0xaa])
}

fn open(path: &Path) -> Result<File, Failure> {
    let shown = path.display();
    let is = fs::metadata(path).map(|it| it.file_type());
    if let Ok(is) = is
        && !is.is_file()
        && !is.is_block_device()
    {
        return Err(Failure::problem(
            format!("`{shown}` is neither a file nor a drive"),
            Some("name a file that `image` wrote, or a drive as a whole: `/dev/sdX`"),
        ));
    }
    File::open(path).map_err(|error| {
        let as_root = format!("read it as root: `sudo ephemeros boot {shown}`");
        let help = match error.kind() {
            std::io::ErrorKind::PermissionDenied => as_root.as_str(),
            _ => "name a file or a drive that you may read; a node's name has neither `.` nor `/`",
        };
        Failure::problem(format!("can't open `{shown}`: {error}"), Some(help))
    })
}

/// The fleet here, where the stick is one of its own.
fn fleet_of(label: &Label, start: &Path, ui: &Ui) -> Option<Loaded> {
    root::find(start).ok()?;
    let loaded = load(start, ui).ok()?;
    (loaded.fleet.id == label.fleet_id).then_some(loaded)
}
