//! Whether it is this drive: the user has to read what stands on it.

use super::super::Failure;
use super::super::devices_text::size;
use crate::cli;
use crate::stick::Device;
use crate::ui::Ui;

/// How much of a serial number is asked for.
const LENGTH: usize = 4;

/// Asks, unless that was answered with `--yes`.
pub(super) fn ask(args: &cli::Flash, device: &Device, ui: &Ui) -> Result<(), Failure> {
    if args.yes {
        return Ok(());
    }
    let (what, wanted) = wanted(device);
    let path = device.path.display();
    let question = if args.update {
        format!("to update the stick on {path} type {what}")
    } else {
        format!("all that is on {path} will be lost. To go on type {what}")
    };
    let typed = ui
        .ask(&question)
        .map_err(|error| Failure::problem(format!("the terminal can't be read: {error}"), None))?;
    let Some(typed) = typed else {
        return Err(Failure::problem(
            "there is no terminal to ask at whether this is the drive",
            Some("run it at one, or add `--yes` where you are sure"),
        ));
    };
    let typed = String::from_utf8_lossy(&typed);
    if is_answer(&typed, &wanted) {
        return Ok(());
    }
    Err(Failure::problem(
        format!("that is not {what}: nothing was written"),
        Some("`ephemeros devices` lists the drives and their serial numbers"),
    ))
}

/// What is asked for, and the answer.
fn wanted(device: &Device) -> (String, String) {
    let serial = device.serial.as_deref().unwrap_or_default().trim();
    let length = serial.chars().count();
    if length == 0 {
        let size = size(device.size);
        return ("its size, as it stands above".to_owned(), size);
    }
    let answer = serial.chars().skip(length.saturating_sub(LENGTH)).collect();
    let what = match length {
        ..LENGTH => "its serial number".to_owned(),
        _ => format!("the last {LENGTH} characters of its serial number"),
    };
    (what, answer)
}

/// Upper and lower case are hard to tell on small prints, and spaces too.
fn is_answer(typed: &str, wanted: &str) -> bool {
    let plain = |text: &str| {
        let visible = text.chars().filter(|it| !it.is_whitespace());
        visible.collect::<String>().to_lowercase()
    };
    plain(typed) == plain(wanted)
}
