//! `completions`: what makes a shell complete the command line.

use clap::CommandFactory as _;
use serde_json::json;

use super::{Failure, Outcome};
use crate::cli::{self, Cli, visible};
use crate::ui::Ui;

pub(super) fn run(args: &cli::Completions, ui: &Ui) -> Result<Outcome, Failure> {
    let mut command = visible(&Cli::command());
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    let text = String::from_utf8_lossy(&script);
    if ui.json() {
        let text = json!({ "format": 1, "shell": args.shell.to_string(), "text": text });
        ui.result(&format!("{text:#}\n"))?;
    } else {
        ui.text(&text)?;
    }
    Ok(Outcome::Done)
}
