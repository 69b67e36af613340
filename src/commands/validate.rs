//! `validate`: one Ignition config, with the verdict of `ignition-validate`.

use super::config_file::{check, read_ignition};
use super::config_output::print_json;
use super::{Failure, Outcome, fail};
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::ui::Ui;

pub(super) fn run(args: &cli::Validate, ui: &Ui) -> Result<Outcome, Failure> {
    let source = read_ignition(args.file.as_deref())?;
    let mut found = Vec::new();
    check(&source, &mut found);
    if found.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, found));
    }
    ui.mistakes(found.clone());
    if ui.json() {
        print_json(None, found, ui)?;
    }
    Ok(Outcome::Done)
}
