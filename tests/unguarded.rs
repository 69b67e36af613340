//! The tool with some guards left out, for the virtual machine in which it is shown what each of them is for (guest.rs). It
//! is never installed: the tool itself has no way to leave one out.

use std::process::ExitCode;

use clap::Parser as _;
use ephemeros::cli::Cli;
use ephemeros::commands::{self, Failure};
use ephemeros::stick::{GUARDS, Roots};
use ephemeros::ui::{Manner, Ui};

/// `unguarded mounted,taken flash …`
fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().collect();
    let without = args.remove(1);
    let mut guards = GUARDS.to_vec();
    for code in without.split(',') {
        assert!(guards.iter().any(|it| it.code == code), "no guard {code}");
        guards.retain(|it| it.code != code);
    }
    let roots = Roots {
        guards,
        ..Roots::default()
    };
    let cli = Cli::parse_from(args);
    let ui = Ui::new(Manner {
        color: Some(false),
        quiet: false,
        verbose: false,
        json: cli.global.json,
    });
    match commands::run(&cli, &roots, &ui) {
        Ok(_) => return ExitCode::SUCCESS,
        Err(Failure::Problem { message, help }) => ui.error(&message, help.as_deref()),
        Err(Failure::Mistakes(_)) => ui.error("nothing was written", None),
        Err(_) => {}
    }
    ExitCode::FAILURE
}
