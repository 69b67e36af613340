//! `schema`: what `fleet.toml` and node files may hold, for editors; what a plan holds, for programs.

use super::{Failure, Outcome};
use crate::cli::{self, Of};
use crate::fleet::schema;
use crate::plan::document;
use crate::status;
use crate::ui::Ui;

pub(super) fn run(args: &cli::Schema, ui: &Ui) -> Result<Outcome, Failure> {
    let schema = match args.of {
        Of::Fleet => schema::fleet(),
        Of::Node => schema::node(),
        Of::Plan => document::schema(),
        Of::Status => status::schema(),
    };
    // It is JSON whether the user asks for that or not, in a form that is not the tool's own.
    ui.result(&format!("{schema:#}\n"))?;
    Ok(Outcome::Done)
}
