//! `flash`: a stick on a drive. The drive is looked at and opened first; under sudo all else runs as the user who called
//! it, in a process of its own.

use std::fs::File;
use std::path::Path;

use rustix::io::Errno;

use self::source::Source;
use super::devices::{Row, row};
use super::devices_text::describe_one;
use super::{Failure, Outcome, fail};
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::invoker::Invoker;
use crate::stick::{
    Device, Never, Roots, Sector, changes, device, open_exclusively, reread_partitions,
};
use crate::ui::Ui;

mod as_user;
mod question;
mod recorded;
mod source;
mod text;
mod work;

/// A drive that this program has for itself.
struct Target<'a> {
    file: File,
    device: Device,
    roots: &'a Roots,
}

pub(super) fn run(
    args: &cli::Flash,
    start: &Path,
    roots: &Roots,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    let source = Source::of(args)?;
    if args.opened {
        let target = as_user::handed_over(roots, &args.device)?;
        return work::run(args, &source, start, &target, ui);
    }
    if Invoker::is_unknown() {
        return Err(Failure::problem(
            "sudo was called by a user who is not in `/etc/passwd`, so the rest can't run as that user",
            Some(
                "let sudo say where that user's home is: `sudo SUDO_HOME=$HOME ephemeros flash …`",
            ),
        ));
    }
    let row = look(args, roots, ui)?;
    let mut about = describe_one(&row);
    for forced in &row.verdict.forced {
        about += &format!("      overridden by --force: {forced}\n");
    }
    if args.yes || args.dry_run {
        ui.say(about.trim_end());
    } else {
        ui.show(about.trim_end());
    }
    let target = Target {
        file: open_exclusively(roots, &row.device).map_err(|never| refused(args, ui, never))?,
        device: row.device,
        roots,
    };
    let done = match Invoker::detect() {
        Some(user) => as_user::run(&user, &target.file)?,
        None => work::run(args, &source, start, &target, ui)?,
    };
    if !args.dry_run
        && let Err(error) = reread_partitions(&target.file)
        // It knows no partitions on it at all, as on most loop devices.
        && Errno::from_io_error(&error) != Some(Errno::INVAL)
    {
        ui.say(&format!(
            "note: this machine knows the old partitions of it until it is pulled: {error}"
        ));
    }
    Ok(done)
}

/// Looks at the drive, and whether it may be written.
fn look(args: &cli::Flash, roots: &Roots, ui: &Ui) -> Result<Row, Failure> {
    let device = device(roots, &args.device).map_err(|never| refused(args, ui, vec![never]))?;
    let row = row(roots, device);
    let verdict = &row.verdict;
    let path = args.device.display();
    let never = verdict.refused.iter();
    let mut mistakes: Vec<Diagnostic> = never.map(|never| mistake(args, never)).collect();
    if !args.force {
        mistakes.extend(
            verdict
                .forced
                .iter()
                .map(|forced| Diagnostic::error(format!("`{path}`: {forced}")).help(forced.help())),
        );
    }
    if mistakes.is_empty() {
        return Ok(row);
    }
    ui.say(describe_one(&row).trim_end());
    Err(fail(ui, mistakes))
}

fn mistake(args: &cli::Flash, never: &Never) -> Diagnostic {
    let message = match never {
        // They name it themselves.
        Never::NoBlockDevice { .. } | Never::Absent(_) | Never::Partition { .. } => {
            never.to_string()
        }
        _ => format!("`{}`: {never}", args.device.display()),
    };
    Diagnostic::error(message).help(never.help())
}

// It is handed over whole, as in `map_err`.
#[allow(clippy::needless_pass_by_value)]
fn refused(args: &cli::Flash, ui: &Ui, never: Vec<Never>) -> Failure {
    fail(ui, never.iter().map(|never| mistake(args, never)).collect())
}

impl Target<'_> {
    /// Its sectors. Of another kind it would have been refused.
    fn sector(&self) -> Sector {
        Sector::of(self.device.sector).unwrap_or(Sector::Of512)
    }

    /// Whether it is still the drive that the user was asked about.
    fn check(&self, args: &cli::Flash, ui: &Ui) -> Result<(), Failure> {
        let changes = changes(self.roots, &self.file, &self.device);
        if changes.is_empty() {
            return Ok(());
        }
        Err(refused(args, ui, changes))
    }
}
