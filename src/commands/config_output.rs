//! How a single config is handed over: on standard output, or in a file that is the old one or the new one.

use std::fs::{self, Metadata, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Failure, Outcome};
use crate::diagnostic::{Diagnostic, Folded, fold};
use crate::ignition::Config;
use crate::ui::Ui;
use crate::write::{Batch, Durability};

/// What a new file may be, before the user's mask: as `butane` makes it.
const MODE: u32 = 0o644;

/// The system gives up on as many links in a row.
const MOST_LINKS: usize = 40;

/// Refuses to write over a file that is read.
pub(super) fn check(output: Option<&Path>, inputs: &[Option<&Path>]) -> Result<(), Failure> {
    let Some((path, there)) = output.and_then(|path| Some((path, fs::metadata(path).ok()?))) else {
        return Ok(());
    };
    let is_output = |input: &&Path| {
        let same = |other: Metadata| (other.dev(), other.ino()) == (there.dev(), there.ino());
        there.is_file() && fs::metadata(input).is_ok_and(same)
    };
    if inputs.iter().flatten().any(is_output) {
        return Err(Failure::Usage {
            message: format!("`{}` is the config that is read", path.display()),
            help: "name another file to write".to_owned(),
        });
    }
    Ok(())
}

/// How the config is to be written.
#[derive(Clone, Copy)]
pub(super) struct Form<'a> {
    /// The file; standard output if there is none.
    pub(super) output: Option<&'a Path>,
    /// With line ends and indentation.
    pub(super) pretty: bool,
}

/// Gives the user a config, and to programs what was found in it.
pub(super) fn give(
    config: &Config,
    form: Form<'_>,
    found: Vec<Diagnostic>,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    let text = || {
        if form.pretty {
            config.to_json_pretty()
        } else {
            config.to_json()
        }
    };
    if let Some(path) = form.output {
        write(path, &text())?;
    }
    if ui.json() {
        let config = form.output.is_none().then_some(config);
        print_json(config, found, ui)?;
    } else if form.output.is_none() {
        ui.result(&text())?;
    }
    Ok(Outcome::Done)
}

/// Prints what was found, and a config where there is one to print.
pub(super) fn print_json(
    config: Option<&Config>,
    found: Vec<Diagnostic>,
    ui: &Ui,
) -> Result<(), Failure> {
    let mistakes: Vec<_> = fold(found).iter().map(Folded::to_json).collect();
    let mut text = json!({ "format": 1, "mistakes": mistakes });
    if let Some(config) = config {
        // It is JSON that the tool itself wrote.
        text["config"] = serde_json::from_str(&config.to_json()).unwrap_or_default();
    }
    Ok(ui.result(&format!("{text:#}\n"))?)
}

/// Writes all of the file, or nothing.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if is_stream(path) {
        let file = OpenOptions::new().write(true).open(path);
        return file
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| refuse(path, &error.to_string()));
    }
    let Some(place) = follow(path) else {
        return Err(refuse(path, "its links lead round in a circle"));
    };
    let folder = match place.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        let why = format!("there is no folder `{}`", folder.display());
        return Err(refuse(path, &why));
    }
    let mut batch = Batch::new();
    batch.stage_new(&place, text.as_bytes(), Durability::Rendered, MODE)?;
    Ok(batch.commit()?)
}

fn refuse(path: &Path, why: &str) -> Failure {
    Failure::problem(
        format!("can't write `{}`: {why}", path.display()),
        Some("name a file in a folder that you may write"),
    )
}

/// A device, a pipe, or another name of standard output: nothing can take its place.
fn is_stream(path: &Path) -> bool {
    path.starts_with("/dev/")
        || path.starts_with("/proc/")
        || fs::metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir())
}

/// The file that is meant: a link is written through, also one whose file is not there yet.
fn follow(path: &Path) -> Option<PathBuf> {
    let mut place = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&place) else {
            return Some(place);
        };
        place = place.parent().unwrap_or(Path::new("")).join(target);
    }
    None
}
