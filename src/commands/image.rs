//! `image`: a node's stick as a file, or those of many.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::stick_inputs::Keys;
use super::stick_made::{Made, make, pending, prepare, rehearse};
use super::{Failure, Loaded, Outcome, destination, load};
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::invoker::Invoker;
use crate::progress::{Progress as _, Stopped};
use crate::stick::{self, Disk, Sector};
use crate::ui::{Orderly, Ui};

pub(super) fn run(args: &cli::Image, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let mut loaded = load(start, ui)?;
    match &args.node {
        Some(node) => one(&mut loaded, node, args, ui),
        None => many(&mut loaded, args, ui),
    }
}

fn one(loaded: &mut Loaded, pattern: &str, args: &cli::Image, ui: &Ui) -> Result<Outcome, Failure> {
    let sector = sector(args.sector_size);
    let check = |loaded: &Loaded, node: &str, mistakes: &mut Vec<Diagnostic>| {
        destination::check(&args.output, node, &loaded.fleet.root, mistakes)
    };
    let (made, path) = make(loaded, pattern, sector, &args.made_of, ui, check)?;
    {
        let _orderly = Orderly::begin();
        stick::save(&made.disk, &path, Invoker::detect().as_ref(), ui)?;
    }
    if ui.json() {
        let mut text = described(&made, &path);
        text["format"] = 1.into();
        text["notes"] = made.pending.into();
        ui.result(&format!("{text:#}\n"))?;
        return Ok(Outcome::Done);
    }
    ui.text(&wrote(&made, &args.output))?;
    let whose = "whoever has this file has the node's secrets: only you may read it";
    let has_secrets = !made.label.secrets.is_empty();
    say(ui, has_secrets.then_some(whose), &made.pending);
    Ok(Outcome::Done)
}

/// One file a node. All of them are known to be possible before the first is written, and each is there as a whole or
/// not at all.
fn many(loaded: &mut Loaded, args: &cli::Image, ui: &Ui) -> Result<Outcome, Failure> {
    let rendered = loaded.render(&args.on, ui)?;
    let place = |node: &str| args.output.join(format!("{node}.img"));
    let check = |loaded: &Loaded, node: &str, mistakes: &mut Vec<Diagnostic>| {
        let root = &loaded.fleet.root;
        let path = destination::check_folder(&args.output, mistakes)
            .and_then(|()| destination::check(&place(node), node, root, mistakes));
        path.map(|path| (place(node), path))
    };
    let sector = sector(args.sector_size);
    let prepared = prepare(
        loaded,
        rendered,
        sector,
        Keys::Needed,
        &args.made_of,
        ui,
        check,
    )?;
    rehearse(loaded, &prepared, ui)?;
    let notes = pending(loaded, &prepared)?;
    let mut done: Vec<Value> = Vec::new();
    let mut has_secrets = false;
    // What is told of each shows how far it is; a program is told at the end.
    if ui.json() {
        ui.start("writing sticks", prepared.len());
    }
    for one in &prepared {
        let made = one.make(loaded, ui)?;
        let (shown, path): &(PathBuf, PathBuf) = &one.place;
        {
            let _orderly = Orderly::begin();
            if ui.stopped() {
                return Err(Stopped.into());
            }
            stick::save(&made.disk, path, Invoker::detect().as_ref(), ui)?;
        }
        has_secrets |= !made.label.secrets.is_empty();
        if ui.json() {
            done.push(described(&made, path));
            ui.advance(1);
        } else {
            ui.text(&wrote(&made, shown))?;
        }
    }
    if ui.json() {
        let text = json!({ "format": 1, "images": done, "notes": notes });
        ui.result(&format!("{text:#}\n"))?;
        return Ok(Outcome::Done);
    }
    let whose = "whoever has these files has the nodes' secrets: only you may read them";
    say(ui, has_secrets.then_some(whose), &notes);
    Ok(Outcome::Done)
}

fn described(made: &Made, path: &Path) -> Value {
    json!({
        "node": made.label.node,
        "file": path.display().to_string(),
        "size": made.disk.size(),
        "used": used(&made.disk),
        "loaders": made.label.loaders,
    })
}

fn wrote(made: &Made, path: &Path) -> String {
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    format!(
        "wrote {}: the stick of {}, {} MiB, which take {} MiB on disk\n",
        path.display(),
        made.label.node,
        mib(made.disk.size()),
        mib(used(&made.disk))
    )
}

fn say(ui: &Ui, whose: Option<&str>, notes: &[String]) {
    if let Some(whose) = whose {
        ui.say(whose);
    }
    for note in notes {
        ui.say(&format!("note: {note}"));
    }
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
