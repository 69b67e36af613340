//! `secrets keygen`: a new identity.

use std::path::PathBuf;

use serde_json::json;

use crate::commands::{Failure, Outcome, identities};
use crate::invoker::Invoker;
use crate::ui::Ui;
use crate::vault::keygen;

pub(super) fn run(output: Option<PathBuf>, ui: &Ui) -> Result<Outcome, Failure> {
    if Invoker::detect().is_some() {
        return Err(Failure::problem(
            "an identity made under sudo would belong to root",
            Some("run it again without sudo"),
        ));
    }
    let path = identities::places(output).own().ok_or_else(|| {
        Failure::problem(
            "there is no home directory",
            Some("name a file with `--output`"),
        )
    })?;
    let recipient =
        keygen::generate_identity(&path).map_err(|error| Failure::problem(error, None))?;
    ui.say(&format!(
        "wrote {}: keep it, nobody can make it again\nits public key, for `[vault] recipients` in fleet.toml:",
        path.display()
    ));
    if ui.json() {
        let text = json!({ "format": 1, "file": path.display().to_string(), "recipient": recipient.to_string() });
        ui.result(&format!("{text:#}\n"))?;
    } else {
        ui.result(&format!("{recipient}\n"))?;
    }
    Ok(Outcome::Done)
}
