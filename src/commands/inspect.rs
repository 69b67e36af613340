//! `inspect`: whose stick a file is, and what is on it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::FileTypeExt as _;

use serde_json::json;

use super::{Failure, Outcome};
use crate::cli;
use crate::stick::{Found, Sector, inspect};
use crate::ui::Ui;

pub(super) fn run(args: &cli::Inspect, ui: &Ui) -> Result<Outcome, Failure> {
    let path = args.file.display();
    let is = fs::metadata(&args.file).map(|it| it.file_type());
    if let Ok(is) = is
        && !is.is_file()
        && !is.is_block_device()
    {
        return Err(Failure::problem(
            format!("`{path}` is neither a file nor a drive"),
            Some("a stick is read from more than one place: a pipe or a folder won't do"),
        ));
    }
    let mut file = File::open(&args.file).map_err(|error| {
        Failure::problem(
            format!("can't open `{path}`: {error}"),
            Some("name a file or a drive that you may read"),
        )
    })?;
    let found = inspect(&mut file).map_err(|error| {
        Failure::problem(
            format!("`{path}`: {error}"),
            Some("`ephemeros image NODE -o FILE` makes one"),
        )
    })?;
    if ui.json() {
        let label = &found.label;
        let text = json!({
            "format": 1,
            "node": label.node,
            "fleet": label.fleet,
            "fleet_id": label.fleet_id,
            "stick": label.stick,
            "sector": found.sector.bytes(),
            "config_url": label.config_url,
            "script_url": label.script_url,
            "loaders": label.loaders,
            "secrets": label.secrets,
            "files": found.efi,
            "secret_files": found.secrets,
            "faults": found.faults,
        });
        ui.result(&format!("{text:#}\n"))?;
    } else {
        ui.text(&describe(&found))?;
    }
    if found.faults.is_empty() {
        return Ok(Outcome::Done);
    }
    for fault in &found.faults {
        ui.error(&format!("`{path}`: {fault}"), None);
    }
    Err(Failure::problem(
        "this stick is not as it was written",
        Some("make it anew with `ephemeros image`"),
    ))
}

fn describe(found: &Found) -> String {
    let label = &found.label;
    let mut text = format!(
        "node         {}\nfleet        {} ({})\n",
        label.node, label.fleet, label.fleet_id
    );
    if label.stick.is_nil() {
        text += "stick        an image\n";
    } else {
        text += &format!("stick        {}\n", label.stick);
    }
    if found.sector != Sector::Of512 {
        text += &format!("sectors      {} bytes\n", found.sector.bytes());
    }
    text += &format!("config       {}\n", label.config_url);
    let script = label.script_url.as_deref().unwrap_or("on the stick");
    text += &format!("boot script  {script}\n");
    for (path, version) in &label.loaders {
        text += &format!("loader       {path}, iPXE {version}\n");
    }
    for (name, version) in &label.secrets {
        text += &format!("secret       {name}, version {version}\n");
    }
    let sections = [
        ("files for the firmware", &found.efi),
        ("files on the secrets volume", &found.secrets),
    ];
    for (what, files) in sections {
        let _ = writeln!(text, "{what}, in bytes:");
        for (path, size) in files {
            let _ = writeln!(text, "{size:>10}  {path}");
        }
    }
    text
}
