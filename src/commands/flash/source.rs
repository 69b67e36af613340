//! What becomes a stick: a node, or a file that was made of one.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::super::stick_made::make;
use super::super::{Failure, fail, load};
use super::Target;
use super::recorded::Recorder;
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::plan::base;
use crate::stick::{Disk, Label, NoStick, holds_stick, inspect, read_label};
use crate::ui::Ui;

/// What is to be written.
pub(super) enum Source {
    /// The node that a name or pattern fits.
    Node(String),
    /// A file that `image` made.
    File(PathBuf),
}

/// A stick, before it is laid out for a drive.
pub(super) struct Ready {
    pub(super) disk: Disk,
    pub(super) label: Label,
    /// The commit that it is made from, where one is known.
    pub(super) commit: Option<String>,
    pub(super) notes: Vec<String>,
    /// Where it is to be recorded.
    pub(super) recorder: Option<Recorder>,
}

impl Source {
    /// A node's name is a DNS label, in which neither a `.` nor a `/` can stand.
    pub(super) fn of(args: &cli::Flash) -> Result<Self, Failure> {
        let what: &OsStr = &args.what;
        let is_file = what.as_bytes().iter().any(|byte| b"./".contains(byte));
        if !is_file {
            return Ok(Self::Node(what.to_string_lossy().into_owned()));
        }
        let made_of = &args.made_of;
        let options = [
            (made_of.ipxe.is_some(), "--ipxe"),
            (made_of.identity.is_some(), "--identity"),
            (made_of.raw_url.is_some(), "--raw-url"),
            (args.unpushed, "--unpushed"),
            (args.record, "--record"),
            (args.commit, "--commit"),
        ];
        let wrong = options.into_iter().filter(|(is_given, _)| *is_given);
        let wrong: Vec<String> = wrong.map(|(_, name)| format!("`{name}`")).collect();
        if wrong.is_empty() {
            return Ok(Self::File(what.into()));
        }
        Err(Failure::Usage {
            message: format!("a stick from a file takes no {}", wrong.join(", no ")),
            help: "all of it is in the file, and nothing of a fleet is needed".to_owned(),
        })
    }

    /// Makes or reads it, and refuses what can't become this stick.
    pub(super) fn ready(
        &self,
        args: &cli::Flash,
        start: &Path,
        target: &Target,
        ui: &Ui,
    ) -> Result<Ready, Failure> {
        match self {
            Self::Node(pattern) => from_fleet(pattern, args, start, target, ui),
            Self::File(path) => from_file(path, args, target, ui),
        }
    }
}

fn from_fleet(
    pattern: &str,
    args: &cli::Flash,
    start: &Path,
    target: &Target,
    ui: &Ui,
) -> Result<Ready, Failure> {
    let mut loaded = load(start, ui)?;
    let (made, recorder) = make(
        &mut loaded,
        pattern,
        target.sector(),
        &args.made_of,
        ui,
        |loaded, node, mistakes| {
            if args.update {
                mistakes.extend(check_update(target, node, loaded.fleet.id));
            }
            let node = loaded.fleet.node(node)?;
            Some(Recorder::new(args, target, node, loaded, mistakes))
        },
    )?;
    if !args.unpushed && !made.pending.is_empty() {
        let mistakes = made.pending.iter().map(|note| {
            Diagnostic::error(format!(
                "{} would not fetch what its stick is for: {note}",
                made.label.node
            ))
            .help("or add `--unpushed`, and don't boot it before you have pushed")
        });
        return Err(fail(ui, mistakes.collect()));
    }
    // What is not pushed is in no commit that anybody could look up, and so is a secret that is not committed.
    let head = match &loaded.repo {
        Some(repo) if made.pending.is_empty() => repo
            .head()?
            .commit
            .filter(|head| matches!(base::manifest(repo, *head, &loaded.manifest), Ok(None))),
        _ => None,
    };
    Ok(Ready {
        label: made.label,
        disk: made.disk,
        commit: head.map(|head| head.to_string()),
        notes: made.pending,
        recorder,
    })
}

fn from_file(path: &Path, args: &cli::Flash, target: &Target, ui: &Ui) -> Result<Ready, Failure> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        Failure::problem(
            format!("can't read `{shown}`: {error}"),
            Some(
                "name a file that `ephemeros image` made and that you may read; a node has no `.` or `/` in its name",
            ),
        )
    };
    // Opening a pipe would wait for somebody to write to it.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(Failure::problem(
            format!("`{shown}` is no file"),
            Some("a stick is made of a file or of a node, not of another drive"),
        ));
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let remake = "make it anew: `ephemeros image NODE --output FILE`";
    let refuse = |error: NoStick| Failure::problem(format!("`{shown}`: {error}"), Some(remake));
    let sector = target.sector();
    let size = file.metadata().map_err(unreadable)?.len();
    if size != sector.stick_size() {
        let found = inspect(&mut file).map_err(refuse)?;
        let (own, drive) = (found.sector.bytes(), sector.bytes());
        let (message, help) = if own == drive {
            let image = sector.stick_size();
            (
                format!("has {size} bytes, and an image has {image}"),
                remake.to_owned(),
            )
        } else {
            let message =
                format!("is for drives with sectors of {own} bytes, and this one has {drive}");
            let option = format!("--sector-size {drive}");
            (
                message,
                format!("make one for it: `ephemeros image NODE --output FILE {option}`"),
            )
        };
        return Err(Failure::problem(
            format!("`{shown}` {message}"),
            Some(&help),
        ));
    }
    // What is looked at is what is written, whatever becomes of the file.
    let mut disk = Disk::read_from(&file, sector).map_err(unreadable)?;
    let found = inspect(&mut disk).map_err(refuse)?;
    let faults = found.faults.iter().map(|fault| {
        Diagnostic::error(format!("`{shown}` is not as it was written: {fault}")).help(remake)
    });
    let mut mistakes: Vec<Diagnostic> = faults.collect();
    let label = found.label;
    if args.update {
        mistakes.extend(check_update(target, &label.node, label.fleet_id));
    }
    if !mistakes.is_empty() {
        return Err(fail(ui, mistakes));
    }
    Ok(Ready {
        disk,
        commit: None,
        label,
        notes: Vec::new(),
        recorder: None,
    })
}

/// An update is one of a stick of the same node; all else would be lost without a word.
fn check_update(target: &Target, node: &str, fleet: Uuid) -> Option<Diagnostic> {
    let path = target.device.path.display();
    let message = match target.stick() {
        Some(Ok(label)) if label.node == node && label.fleet_id == fleet => return None,
        Some(Ok(label)) => format!(
            "`{path}` holds the stick of {} in {}, and none of {node}",
            label.node, label.fleet
        ),
        Some(Err(error)) => format!("`{path}` holds a stick that is damaged: {error}"),
        None => format!("`{path}` holds no stick that could be updated"),
    };
    Some(
        Diagnostic::error(message)
            .help("take another drive, or leave `--update` out to write all of it"),
    )
}

impl Target<'_> {
    /// The label of the stick that is on it now, or why that can't be told; `None` where it is none.
    pub(super) fn stick(&self) -> Option<Result<Label, String>> {
        let mut file = &self.file;
        holds_stick(&mut file).then(|| read_label(&mut file).map_err(|error| error.to_string()))
    }
}
