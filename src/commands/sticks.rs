//! `sticks`: what is recorded of them, and what has become of each.

use std::path::Path;

use super::{Failure, Outcome};
use crate::cli;
use crate::stick::record::State;
use crate::ui::Ui;

mod change;
mod list;

pub(super) fn run(args: &cli::Sticks, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    match args {
        cli::Sticks::List(nodes) => list::run(&nodes.patterns(), start, ui),
        cli::Sticks::Active { id } => change::run("active", id, Some(State::Active), start, ui),
        cli::Sticks::Spare { id } => change::run("spare", id, Some(State::Spare), start, ui),
        cli::Sticks::Lost { id } => change::run("lost", id, Some(State::Lost), start, ui),
        cli::Sticks::Forget { id } => change::run("forget", id, None, start, ui),
    }
}
