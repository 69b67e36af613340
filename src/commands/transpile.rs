//! `transpile`: one Butane config, with the flags, results and exit codes of `butane`.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use super::config_file::{self, ConfigFile};
use super::config_output::{self, Form, give};
use super::{Failure, Outcome, count, fail};
use crate::butane::{Options, translate};
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::ui::Ui;
use crate::yaml;

pub(super) fn run(args: &cli::Transpile, ui: &Ui) -> Result<Outcome, Failure> {
    let input = given(args.file.as_ref().or(args.input.as_ref()));
    let output = given(args.output.as_ref()).filter(|_| !args.check);
    config_output::check(output, &[input])?;
    let file = config_file::read(input)?;
    let options = Options {
        files_dir: given(args.files_dir.as_ref()),
        ..Options::default()
    };
    let (config, diagnostics) = match decode(&file) {
        Ok(source) => {
            let translation = translate(&source, &options);
            (translation.config, translation.diagnostics)
        }
        Err(mistake) => (None, vec![*mistake]),
    };
    match config {
        None => Err(refuse(args, diagnostics, ui)),
        Some(_) if args.strict && !diagnostics.is_empty() => {
            Err(refuse_warnings(args, &diagnostics, ui))
        }
        Some(config) => {
            show_warnings(args, &diagnostics, ui);
            let form = Form {
                output,
                pretty: args.pretty,
            };
            match args.check {
                true if ui.json() => config_output::print_json(None, diagnostics, ui)?,
                true => {}
                false => return give(&config, form, diagnostics, ui),
            }
            Ok(Outcome::Done)
        }
    }
}

/// As for `butane`, an empty value is none.
fn given(value: Option<&OsString>) -> Option<&Path> {
    value.filter(|value| !value.is_empty()).map(Path::new)
}

/// The text, or what is wrong with its bytes.
fn decode(file: &ConfigFile) -> Result<Arc<Source>, Box<Diagnostic>> {
    if let Ok(text) = yaml::text::decode(&file.bytes) {
        return Ok(Source::file(file.name.as_str(), text));
    }
    let mistake = Diagnostic::error("the config is no text: it is neither UTF-8 nor UTF-16")
        .help("write it in UTF-8; put bytes that are no text in a local file, or in `!!binary`");
    Err(Box::new(match std::str::from_utf8(&file.bytes) {
        Err(error)
            if !file.bytes.starts_with(b"\xff\xfe") && !file.bytes.starts_with(b"\xfe\xff") =>
        {
            let shown = String::from_utf8_lossy(&file.bytes);
            let at = error.valid_up_to();
            let source = Source::file(file.name.as_str(), shown);
            mistake.label(&source, at..at + '\u{fffd}'.len_utf8(), "not UTF-8")
        }
        _ => mistake,
    }))
}

fn refuse(args: &cli::Transpile, diagnostics: Vec<Diagnostic>, ui: &Ui) -> Failure {
    if !args.raw_errors {
        return fail(ui, diagnostics);
    }
    let errors = diagnostics.iter().filter(|one| one.is_error()).count();
    ui.raw_mistakes(&diagnostics);
    let last = format!("Error translating config: {}", count(errors, "mistake"));
    ui.raw_error(&last);
    said(diagnostics, ui)
}

fn refuse_warnings(args: &cli::Transpile, diagnostics: &[Diagnostic], ui: &Ui) -> Failure {
    show_warnings(args, diagnostics, ui);
    if args.raw_errors {
        ui.raw_error("Config produced warnings and --strict was specified");
    } else {
        ui.error(
            "the config has warnings, and `--strict` takes none",
            Some("mend them, or leave `--strict` out"),
        );
    }
    said(diagnostics.to_vec(), ui)
}

/// All is said to people; to programs not yet.
fn said(diagnostics: Vec<Diagnostic>, ui: &Ui) -> Failure {
    if ui.json()
        && let Err(failure) = config_output::print_json(None, diagnostics, ui)
    {
        return failure;
    }
    Failure::Said
}

fn show_warnings(args: &cli::Transpile, diagnostics: &[Diagnostic], ui: &Ui) {
    if args.raw_errors {
        ui.raw_mistakes(diagnostics);
    } else {
        ui.mistakes(diagnostics.to_vec());
    }
}
