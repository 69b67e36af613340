//! `merge`: one Ignition config over another, as Ignition merges what `ignition.config.merge` names.

use std::path::{Path, PathBuf};

use super::config_file::{check, read_ignition};
use super::config_output::{self, Form, give};
use super::{Failure, Outcome, fail};
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::ignition::{self, Config};
use crate::ui::Ui;

pub(super) fn run(args: &cli::Merge, ui: &Ui) -> Result<Outcome, Failure> {
    let inputs = [&args.parent, &args.child].map(PathBuf::as_path);
    if inputs == [Path::new("-"); 2] {
        return Err(Failure::Usage {
            message: "both configs are `-`, and there is one standard input".to_owned(),
            help: "name a file for one of them".to_owned(),
        });
    }
    config_output::check(args.output.as_deref(), &inputs.map(Some))?;
    let mut found = Vec::new();
    let mut configs = Vec::new();
    for input in inputs {
        let source = read_ignition(Some(input))?;
        configs.extend(check(&source, &mut found));
    }
    let merged = match <[_; 2]>::try_from(configs) {
        Ok([parent, child]) if !found.iter().any(Diagnostic::is_error) => {
            let merged = ignition::merge(parent, &child);
            found.extend(check_merged(&merged));
            merged
        }
        _ => return Err(fail(ui, found)),
    };
    if found.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, found));
    }
    ui.mistakes(found.clone());
    let form = Form {
        output: args.output.as_deref(),
        pretty: args.pretty,
    };
    give(&merged, form, found, ui)
}

/// What is wrong only with both together. It stands in neither file, so the path must tell where it is; what is
/// no more than a warning was said of the files.
fn check_merged(merged: &Config) -> Vec<Diagnostic> {
    let mut found = ignition::validate(merged, None);
    found.retain(Diagnostic::is_error);
    for one in &mut found {
        let path = one.path.as_deref().unwrap_or("$");
        one.message = format!("merged, `{path}` is wrong: {}", one.message);
    }
    found
}
