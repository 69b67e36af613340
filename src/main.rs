//! Parse, run, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use ephemeros::cli::{Cli, Color};
use ephemeros::commands::{self, Failure, Outcome};
use ephemeros::stick::Roots;
use ephemeros::ui::{self, Manner, Ui};

/// A fleet's files come to many small pieces, on all threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Wrong usage, as `sysexits.h` numbers it.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where the output is closed nobody reads the help.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let ui = Ui::new(Manner {
        color: match cli.global.color {
            Color::Auto => None,
            Color::Always => Some(true),
            Color::Never => Some(false),
        },
        quiet: cli.global.quiet,
        verbose: cli.global.verbose,
        json: cli.global.json,
    });
    if let Err(error) = ui::listen(&ui) {
        ui.error(&format!("can't listen for signals: {error}"), None);
        return ExitCode::FAILURE;
    }
    match commands::run(&cli, &Roots::default(), &ui) {
        Ok(Outcome::Done) | Err(Failure::ClosedPipe) => ExitCode::SUCCESS,
        Ok(Outcome::Changes) => ExitCode::from(2),
        Err(Failure::Stopped) => {
            ExitCode::from(u8::try_from(ui::exit_code(ui::signal())).unwrap_or(130))
        }
        Err(Failure::Mistakes(count)) => {
            let s = if count == 1 { "" } else { "s" };
            ui.error(&format!("{count} mistake{s}; nothing was written"), None);
            ExitCode::FAILURE
        }
        Err(Failure::Ended(code)) => ExitCode::from(code),
        Err(Failure::Said) => ExitCode::FAILURE,
        Err(Failure::Problem { message, help }) => {
            ui.error(&message, help.as_deref());
            ExitCode::FAILURE
        }
        Err(Failure::Usage { message, help }) => {
            ui.error(&message, Some(&help));
            ExitCode::from(USAGE)
        }
    }
}
