//! The stick is made, laid out for the drive, asked about, written, read back and recorded.

use std::path::Path;

use serde_json::json;

use super::super::{Failure, Outcome};
use super::source::{Ready, Source};
use super::{Target, question, text};
use crate::cli;
use crate::stick::{
    Direct, Extent, Identity, Label, StampError, fit, may_boot, stamp, still_to_write, to_write,
};
use crate::ui::{Orderly, Ui};

pub(super) fn run(
    args: &cli::Flash,
    source: &Source,
    start: &Path,
    target: &Target,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    let mut ready = source.ready(args, start, target, ui)?;
    let there = target.stick().and_then(Result::ok);
    let extent = if args.update {
        Extent::Changes
    } else {
        Extent::All
    };
    let mut drive = Direct::new(&target.file).map_err(|error| {
        Failure::problem(
            format!("the drive can't be read past the cache: {error}"),
            None,
        )
    })?;
    let was = identity(args, there.as_ref(), &ready)?;
    let mut identity = was.clone().made_from(ready.commit.clone());
    lay_out(&mut ready, target, &identity)?;
    let mut what = to_write(&mut ready.disk, &mut drive, extent, ui).map_err(unread)?;
    if args.update && identity != was {
        // That it is another commit is no reason to write; what is written is of this one.
        lay_out(&mut ready, target, &was)?;
        let left = still_to_write(&what, &mut ready.disk, &mut drive, ui).map_err(unread)?;
        if left.bytes() == 0 {
            (what, identity) = (left, was);
        } else {
            lay_out(&mut ready, target, &identity)?;
        }
    }
    let mut bytes = what.bytes();
    ui.say(&text::describe(&mut ready, bytes));
    for note in &ready.notes {
        ui.say(&format!("note: {note}"));
    }
    ready.label.stick = identity.stick;
    ready.label.commit = identity.commit;
    let (label, recorder) = (&ready.label, ready.recorder.as_ref());
    // A signal that comes when the stick is whole ends this after it was recorded.
    let mut _orderly = None;
    if !args.dry_run && bytes > 0 {
        if let Some(recorder) = recorder {
            recorder.rehearse(target, label, there.as_ref(), ui)?;
        }
        question::ask(args, &target.device, ui)?;
        target.check(args, ui)?;
        _orderly = Some(Orderly::begin());
        bytes = match stamp(&what, &mut ready.disk, &mut drive, extent, ui) {
            Ok(bytes) => bytes,
            Err(error) => {
                let is_off = may_boot(&mut drive).is_ok_and(|boots| !boots);
                if let (true, Some(recorder), Some(before)) = (is_off, recorder, &there) {
                    // That it failed is told, and says more.
                    let _ = recorder.forget(before, ui);
                }
                return Err(failed(target, &error, is_off, ui));
            }
        };
    }
    let recorded = match recorder {
        Some(recorder) => recorder.note(target, label, there.as_ref(), ui)?,
        None => Vec::new(),
    };
    if let (true, Some(recorder)) = (args.commit && !recorded.is_empty(), recorder) {
        recorder.commit(label, &recorded)?;
    }
    if ui.json() {
        let text = json!({
            "format": 1,
            "node": label.node,
            "device": target.device.path.display().to_string(),
            "stick": label.stick,
            "commit": label.commit,
            "written": if args.dry_run { 0 } else { bytes },
            "to_write": bytes,
            "layout": text::layout(&mut ready.disk),
            "loaders": label.loaders,
            "notes": ready.notes,
            "recorded": recorded,
        });
        ui.result(&format!("{text:#}\n"))?;
        return Ok(Outcome::Done);
    }
    ui.text(&text::done(args, label, &target.device, bytes))?;
    for file in recorded {
        let way = if args.commit { "" } else { ": commit it" };
        ui.say(&format!("recorded in {file}{way}"));
    }
    Ok(Outcome::Done)
}

/// A stick that is updated stays the stick that it is.
fn identity(args: &cli::Flash, there: Option<&Label>, ready: &Ready) -> Result<Identity, Failure> {
    match there {
        Some(label) if args.update && !label.stick.is_nil() => Ok(label.identity()),
        _ => Identity::random(ready.commit.clone())
            .map_err(|error| Failure::problem(format!("no random numbers: {error}"), None)),
    }
}

fn lay_out(ready: &mut Ready, target: &Target, identity: &Identity) -> Result<(), Failure> {
    fit(&mut ready.disk, target.device.size, identity)
        .map_err(|error| Failure::problem(format!("can't lay the stick out: {error}"), None))
}

/// Up to here nothing was written.
// It is handed over whole, as in `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn unread(error: StampError) -> Failure {
    match error {
        StampError::Stopped(stopped) => stopped.into(),
        error => Failure::problem(
            format!("{error}; nothing was written"),
            Some("try another port, or another drive"),
        ),
    }
}

fn failed(target: &Target, error: &StampError, is_off: bool, ui: &Ui) -> Failure {
    let path = target.device.path.display();
    let state = if is_off {
        format!("{path} boots nothing as it is now: flash it again")
    } else {
        format!(
            "what {path} is now `ephemeros inspect {path}` tells, where it can be read: flash it again"
        )
    };
    if let StampError::Stopped(stopped) = error {
        ui.show(&state);
        return (*stopped).into();
    }
    Failure::problem(
        error,
        Some(&format!(
            "{state}; where that fails too, take another port or another drive"
        )),
    )
}
