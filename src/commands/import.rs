//! `import`: what other tools' files hold, brought over.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::config_file::{self, ConfigFile};
use super::{Failure, Outcome, count, fail};
use crate::butane;
use crate::clc;
use crate::cli;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Source;
use crate::ui::Ui;
use crate::write::{Batch, Durability};
use crate::yaml;

mod env;

pub(super) fn run(args: &cli::Import, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    match args {
        cli::Import::Clc(args) => clc(args, ui),
        cli::Import::Env(args) => env::run(args, start, ui),
    }
}

/// A Container Linux Config becomes a Butane template.
fn clc(args: &cli::ImportClc, ui: &Ui) -> Result<Outcome, Failure> {
    if let Some(path) = &args.output {
        refuse_existing(path)?;
    }
    let source = read(&args.file)?;
    let options = clc::Options {
        files_dir: args.files_dir.as_deref(),
        platform: args.platform.as_deref(),
    };
    let import = clc::import(&source, &options);
    let mut diagnostics = import.diagnostics;
    if let Some(butane) = &import.butane {
        diagnostics.extend(check(butane, args.files_dir.as_deref()));
    }
    if args.strict {
        for diagnostic in &mut diagnostics {
            diagnostic.severity = Severity::Error;
        }
    }
    let butane = import
        .butane
        .filter(|_| !diagnostics.iter().any(Diagnostic::is_error));
    let Some(butane) = butane else {
        return Err(fail(ui, diagnostics));
    };
    ui.mistakes(diagnostics);
    match &args.output {
        Some(path) => write(path, &butane, ui)?,
        None if ui.json() => {
            let text = json!({ "format": 1, "text": butane.template });
            ui.result(&format!("{text:#}\n"))?;
        }
        None => ui.text(&butane.template)?,
    }
    if !butane.local_files.is_empty() {
        ui.say(&format!(
            "copy {} into templates/files: {}",
            count(butane.local_files.len(), "local file"),
            butane.local_files.join(", ")
        ));
    }
    Ok(Outcome::Done)
}

fn read(path: &Path) -> Result<Arc<Source>, Failure> {
    let ConfigFile { name, bytes } = config_file::read(Some(path))?;
    let text = yaml::text::decode(&bytes).map_err(|_| {
        Failure::problem(
            format!("`{name}` is no text"),
            Some("name a file that holds a Container Linux Config, in UTF-8"),
        )
    })?;
    Ok(Source::file(name, text))
}

/// What Butane and Ignition would say of the result, at the places that it comes from.
fn check(butane: &clc::Butane, files_dir: Option<&Path>) -> Vec<Diagnostic> {
    let source = Source::file("imported", butane.text.as_str());
    let options = butane::Options {
        files_dir,
        ..butane::Options::default()
    };
    let mut diagnostics = butane::translate(&source, &options).diagnostics;
    butane.trace(&mut diagnostics);
    diagnostics
}

fn refuse_existing(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    let is_folder = path.is_dir();
    let message = if is_folder {
        format!("`{}` is a folder", path.display())
    } else {
        format!(
            "`{}` is there already: it is not overwritten",
            path.display()
        )
    };
    let help = if is_folder {
        "name a file in it: `-o templates/NAME.bu`"
    } else {
        "name another file, or remove it first"
    };
    Err(Failure::problem(message, Some(help)))
}

fn write(path: &Path, butane: &clc::Butane, ui: &Ui) -> Result<(), Failure> {
    let mut batch = Batch::new();
    batch.stage(path, butane.template.as_bytes(), Durability::Rendered)?;
    refuse_existing(path)?;
    batch.commit()?;
    if ui.json() {
        let text = json!({ "format": 1, "file": path.display().to_string() });
        ui.result(&format!("{text:#}\n"))?;
    } else {
        ui.result(&format!("wrote {}\n", path.display()))?;
    }
    Ok(())
}
