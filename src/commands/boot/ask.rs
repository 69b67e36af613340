//! Whether a machine may have real secrets.

use crate::commands::Failure;
use crate::ui::Ui;

/// Asks for the node's name, typed. The secrets are named before.
pub(super) fn ask(node: &str, secrets: &[&str], ui: &Ui) -> Result<(), Failure> {
    ui.show(&format!(
        "the machine gets the real secrets of {node}: {}",
        secrets.join(", ")
    ));
    let typed = ui
        .ask("to go on type the node's name")
        .map_err(|error| Failure::problem(format!("the terminal can't be read: {error}"), None))?;
    let Some(typed) = typed else {
        return Err(Failure::problem(
            "there is no terminal to ask at whether the machine may have them",
            Some("run it at one; `ephemeros boot NODE` needs no secret, and so asks for nothing"),
        ));
    };
    if String::from_utf8_lossy(&typed).trim() == node {
        return Ok(());
    }
    Err(Failure::problem(
        "that is not its name: nothing was started",
        Some("`ephemeros boot NODE` boots it with stand-ins"),
    ))
}
