//! `devices`: which drives may be written, and why each other one may not.

use std::fs::File;

use serde_json::{Value, json};

use super::devices_text::describe;
use super::{Failure, Outcome, count};
use crate::cli;
use crate::stick::{
    Device, Kind, Label, Roots, Signature, Use, Verdict, What, devices, holds_stick, judge,
    read_label,
};
use crate::ui::Ui;

/// A drive, and all that is to be said of it.
pub(super) struct Row {
    pub(super) device: Device,
    pub(super) verdict: Verdict,
    /// The label of the stick that it is now, or why that can't be told; `None` where it is none.
    pub(super) stick: Option<Result<Label, String>>,
}

pub(super) fn run(args: &cli::Devices, roots: &Roots, ui: &Ui) -> Result<Outcome, Failure> {
    let all = devices(roots).map_err(|error| {
        Failure::problem(
            format!("can't list the drives: `/sys/block`: {error}"),
            Some("mount sysfs: `mount -t sysfs sysfs /sys`"),
        )
    })?;
    let shown = all.into_iter().filter(|device| {
        let hidden = match device.kind {
            Kind::Drive => false,
            Kind::Loop(_) => true,
            Kind::Other(_) => device.transport.name() == "virtual",
        };
        args.all || !hidden
    });
    let rows: Vec<Row> = shown.map(|it| row(roots, it)).collect();
    if ui.json() {
        let list: Vec<Value> = rows.iter().map(to_json).collect();
        let text = json!({ "format": 1, "devices": list });
        ui.result(&format!("{text:#}\n"))?;
        return Ok(Outcome::Done);
    }
    ui.text(&describe(&rows))?;
    if !rows.iter().any(|row| row.verdict.is_free()) {
        ui.say("no drive may be written as it is: put a stick in, and look again");
    }
    let unread = rows.iter().filter(|row| !row.device.unread.is_empty());
    let unread = unread.count();
    if unread > 0 && !rustix::process::geteuid().is_root() {
        ui.say(&format!(
            "note: {} can't be read by you: `sudo ephemeros devices` knows more",
            count(unread, "drive")
        ));
    }
    Ok(Outcome::Done)
}

pub(super) fn row(roots: &Roots, device: Device) -> Row {
    let is_read = device.size > 0 && device.unread.is_empty();
    let stick = match device.kind {
        Kind::Drive | Kind::Loop(_) if is_read => stick_on(&device),
        _ => None,
    };
    Row {
        verdict: judge(&roots.guards, &device),
        device,
        stick,
    }
}

fn stick_on(device: &Device) -> Option<Result<Label, String>> {
    let mut file = File::open(&device.path).ok()?;
    let label = holds_stick(&mut file).then(|| read_label(&mut file))?;
    Some(label.map_err(|error| error.to_string()))
}

fn to_json(row: &Row) -> Value {
    let Device {
        name,
        path,
        number,
        kind,
        sequence,
        vendor,
        model,
        serial,
        size,
        sector,
        physical_sector,
        removable,
        read_only,
        transport,
        partitions,
        holds,
        uses,
        taken,
        unread,
    } = &row.device;
    let (kind, file) = match kind {
        Kind::Drive => ("drive", None),
        Kind::Loop(file) => ("loop", file.as_ref()),
        Kind::Other(_) => ("other", None),
    };
    let names = |holds: &[Signature]| holds.iter().map(Signature::name).collect::<Vec<_>>();
    let partitions = partitions.iter().map(|part| {
        json!({
            "name": part.name,
            "size": part.size,
            "title": part.title,
            "label": part.label,
            "holds": names(&part.holds),
        })
    });
    let refused = row
        .verdict
        .refused
        .iter()
        .map(|it| json!({ "reason": it.code(), "message": it.to_string(), "help": it.help() }));
    let forced = row
        .verdict
        .forced
        .iter()
        .map(|it| json!({ "reason": it.code(), "message": it.to_string(), "help": it.help() }));
    json!({
        "path": path.display().to_string(),
        "name": name,
        "number": number.to_string(),
        "kind": kind,
        "file": file,
        "sequence": sequence,
        "vendor": vendor,
        "model": model,
        "serial": serial,
        "size": size,
        "sector": sector,
        "physical_sector": physical_sector,
        "removable": removable,
        "read_only": read_only,
        "transport": transport.name(),
        "partitions": partitions.collect::<Vec<_>>(),
        "holds": names(holds),
        "uses": uses.iter().map(use_to_json).collect::<Vec<_>>(),
        "taken": taken,
        "unread": unread,
        "stick": row.stick.as_ref().map(stick_to_json),
        "writable": row.verdict.is_free(),
        "refused": refused.collect::<Vec<_>>(),
        "forced": forced.collect::<Vec<_>>(),
    })
}

fn use_to_json(one: &Use) -> Value {
    let (what, detail) = match &one.what {
        What::Mounted(at) => ("mounted", Some(at)),
        What::Swap(file) => ("swap", file.as_ref()),
        What::Held(by) => ("held", Some(by)),
    };
    json!({ "use": what, "by": detail, "through": one.through })
}

fn stick_to_json(stick: &Result<Label, String>) -> Value {
    match stick {
        Ok(label) => json!({
            "node": label.node,
            "fleet": label.fleet,
            "fleet_id": label.fleet_id,
            "stick": label.stick,
        }),
        Err(error) => json!({ "error": error }),
    }
}
