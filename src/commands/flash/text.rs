//! What is to be written and what was, as people read it.

use serde_json::{Value, json};

use super::source::Ready;
use crate::cli;
use crate::stick::{Device, Disk, Label, Part, places};

/// The stick, before anything is written.
pub(super) fn describe(ready: &mut Ready, bytes: u64) -> String {
    let Label { node, fleet, .. } = &ready.label;
    let mut text = format!("the stick of {node} in {fleet}, in MiB:\n");
    for place in places(&mut ready.disk) {
        let (start, length) = (place.start >> 20, place.length >> 20);
        let (name, what) = (place.part.name(), what(place.part, &ready.label));
        text += &format!("{start:>6} to {:<4} {name:<18} {what}\n", start + length);
    }
    text += &match bytes {
        0 => "  all of it stands there already".to_owned(),
        _ => format!("  {} to write and to read back", amount(bytes)),
    };
    text
}

fn what(part: Part, label: &Label) -> String {
    match part {
        Part::Bios if label.bios.is_none() => "empty: it does not boot by a BIOS".to_owned(),
        Part::Bios => "what a BIOS starts".to_owned(),
        Part::Efi => "loaders, boot scripts and config".to_owned(),
        Part::Secrets if label.secret_files.is_empty() => "no secrets".to_owned(),
        Part::Secrets => {
            let files: Vec<&str> = label.secret_files.keys().map(String::as_str).collect();
            format!("secrets: {}", files.join(", "))
        }
    }
}

/// Where each part stands.
pub(super) fn layout(disk: &mut Disk) -> Vec<Value> {
    let places = places(disk).into_iter();
    let places = places.map(|place| {
        json!({
            "name": place.part.name(),
            "start": place.start,
            "size": place.length,
            "guid": place.guid,
        })
    });
    places.collect()
}

/// What became of it.
pub(super) fn done(args: &cli::Flash, label: &Label, device: &Device, bytes: u64) -> String {
    let (node, path) = (&label.node, device.path.display());
    if args.dry_run {
        return format!("{path} was not written: this was a dry run\n");
    }
    if bytes == 0 {
        return format!(
            "{path} is the stick of {node} already, in every byte: nothing was written\n"
        );
    }
    format!(
        "{path} is the stick of {node} now: {} written and read back; it can be pulled\n",
        amount(bytes)
    )
}

fn amount(bytes: u64) -> String {
    match bytes {
        ..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1 << 20)),
    }
}
