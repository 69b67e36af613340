//! `image`: a node's stick as a file.

use std::path::Path;

use serde_json::json;

use super::stick_made::make;
use super::{Failure, Outcome, destination, load};
use crate::cli;
use crate::invoker::Invoker;
use crate::stick::{self, Disk, Sector};
use crate::ui::{Orderly, Ui};

pub(super) fn run(args: &cli::Image, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let mut loaded = load(start, ui)?;
    let (made, path) = make(
        &mut loaded,
        &args.node,
        sector(args.sector_size),
        &args.made_of,
        ui,
        |loaded, node, mistakes| {
            destination::check(&args.output, node, &loaded.fleet.root, mistakes)
        },
    )?;
    {
        let _orderly = Orderly::begin();
        stick::save(&made.disk, &path, Invoker::detect().as_ref(), ui)?;
    }
    if ui.json() {
        let text = json!({
            "format": 1,
            "node": made.node,
            "file": path.display().to_string(),
            "size": made.disk.size(),
            "used": used(&made.disk),
            "loaders": made.loaders,
            "notes": made.pending,
        });
        ui.result(&format!("{text:#}\n"))?;
        return Ok(Outcome::Done);
    }
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    ui.text(&format!(
        "wrote {}: the stick of {}, {} MiB, which take {} MiB on disk\n",
        args.output.display(),
        made.node,
        mib(made.disk.size()),
        mib(used(&made.disk))
    ))?;
    if made.has_secrets {
        ui.say("whoever has this file has the node's secrets: only you may read it");
    }
    for note in made.pending {
        ui.say(&format!("note: {note}"));
    }
    Ok(Outcome::Done)
}

fn sector(size: cli::SectorSize) -> Sector {
    match size {
        cli::SectorSize::Of512 => Sector::Of512,
        cli::SectorSize::Of4096 => Sector::Of4096,
    }
}

fn used(disk: &Disk) -> u64 {
    disk.used().map(|(_, bytes)| bytes.len() as u64).sum()
}
