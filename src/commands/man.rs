//! `man`: the manual pages.

use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use serde_json::json;

use super::{Failure, Outcome, count};
use crate::cli::{self, Cli};
use crate::ui::Ui;
use crate::write::{Batch, Durability};

/// A manual page: the name of its file, and what is in it.
struct Page {
    file: String,
    text: String,
}

pub(super) fn run(args: &cli::Man, ui: &Ui) -> Result<Outcome, Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    match &args.folder {
        Some(folder) => write(&command, folder, ui)?,
        None => {
            let page = page(&command)?;
            if ui.json() {
                let text = json!({ "format": 1, "text": page.text });
                ui.result(&format!("{text:#}\n"))?;
            } else {
                ui.text(&page.text)?;
            }
        }
    }
    Ok(Outcome::Done)
}

/// All pages or none.
fn write(command: &Command, folder: &Path, ui: &Ui) -> Result<(), Failure> {
    if folder.exists() && !folder.is_dir() {
        return Err(Failure::problem(
            format!("`{}` is no folder", folder.display()),
            Some("name the folder that the pages go to; without one a page is printed"),
        ));
    }
    let mut pages = Vec::new();
    gather(command, &mut pages)?;
    let mut batch = Batch::new();
    for page in &pages {
        let path = folder.join(&page.file);
        batch.stage(&path, page.text.as_bytes(), Durability::Rendered)?;
    }
    batch.commit()?;
    if ui.json() {
        let files: Vec<_> = pages.iter().map(|page| folder.join(&page.file)).collect();
        let text = json!({ "format": 1, "written": files });
        ui.result(&format!("{text:#}\n"))?;
    }
    let pages = count(pages.len(), "page");
    ui.say(&format!("wrote {pages} to {}", folder.display()));
    Ok(())
}

fn gather(command: &Command, pages: &mut Vec<Page>) -> Result<(), Failure> {
    pages.push(page(command)?);
    for below in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        gather(below, pages)?;
    }
    Ok(())
}

fn page(command: &Command) -> Result<Page, Failure> {
    // The same line of usage as in the help.
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").to_owned();
    let man = Man::new(command.clone().override_usage(usage))
        .manual("Ephemeros")
        .source(concat!("ephemeros ", env!("CARGO_PKG_VERSION")))
        // The same version has the same pages. A date that is empty would be no argument at all.
        .date(" ");
    let mut text = Vec::new();
    man.render(&mut text)?;
    Ok(Page {
        file: man.get_filename(),
        text: String::from_utf8_lossy(&text).into_owned(),
    })
}
