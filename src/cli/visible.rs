//! The command line as its users know it.

use clap::builder::Resettable::Reset;
use clap::{Arg, Command};

/// The command without what is hidden in it, for those that would show it all the same. Only what can be said is kept,
/// not all that is checked.
#[must_use]
pub fn visible(command: &Command) -> Command {
    let arguments = command.get_arguments().filter(|it| !it.is_hide_set());
    let below = command.get_subcommands().filter(|it| !it.is_hide_set());
    let shown = Command::new(command.get_name().to_owned())
        .args(arguments.map(|it| apart(command, it)))
        .subcommands(below.map(visible));
    let shown = match command.get_version() {
        Some(version) => shown.version(version.to_owned()),
        None => shown,
    };
    match command.get_about() {
        Some(about) => shown.about(about.clone()),
        None => shown,
    }
}

/// An argument that names none that is hidden.
fn apart(command: &Command, arg: &Arg) -> Arg {
    let mut others = command.get_arg_conflicts_with(arg).into_iter();
    let names_hidden = others.any(Arg::is_hide_set);
    let apart = arg.clone().required_unless_present(Reset).requires(Reset);
    if names_hidden {
        apart.conflicts_with(Reset)
    } else {
        apart
    }
}
