//! `check`: everything that people wrote; without a key, unless one is named.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Cursor;
use std::path::Path;

use serde_json::json;

use super::{Failure, Outcome, count, leaks, load, records, settle};
use crate::cli;
use crate::diagnostic::{Diagnostic, Folded, fold};
use crate::fleet::files::Folder;
use crate::fleet::volume;
use crate::git::{self, repo::Repo};
use crate::render::leaks::Search;
use crate::stick::record::read_all;
use crate::stick::{Part, Sector, holds_stick};
use crate::ui::Ui;

pub(super) fn run(args: &cli::Check, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let mut loaded = load(start, ui)?;
    loaded.warn_of_url();
    let engine = loaded.engine()?;
    let nodes = loaded.fleet.nodes.iter();
    let used: BTreeSet<&String> = nodes.flat_map(|node| node.templates.iter()).collect();
    // Rendering finds the mistakes in the templates that a node uses.
    let unused = loaded
        .manifest
        .templates
        .iter()
        .filter(|it| !used.contains(it));
    let broken: Vec<_> = unused
        .filter(|template| !template.starts_with('.'))
        .filter_map(|template| engine.check(template))
        .collect();
    loaded.diagnostics.extend(broken);
    if let Some(repo) = &loaded.repo {
        loaded.diagnostics.extend(published_sticks(repo)?);
    }
    let outdated = volume::check_sealed(&loaded.manifest);
    loaded.diagnostics.extend(outdated);
    loaded
        .diagnostics
        .extend(volume::check_spare(&loaded.manifest));
    let files = Folder(loaded.fleet.root.clone());
    let (records, mistakes) = read_all(&files, |_| true)?;
    loaded.diagnostics.extend(mistakes);
    let orphans = records::orphans(&loaded.manifest, &records);
    loaded.diagnostics.extend(orphans);
    loaded.diagnostics.extend(records::rivals(&records));
    let values = match &args.identity {
        Some(identity) => leaks::open(&mut loaded, identity, ui)?,
        None => Vec::new(),
    };
    let values = values
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let mut search = Search::of_all(&loaded.manifest, values)?;
    let mut nodes = 0;
    let mut mistakes = loaded.render_each(&[], ui, |rendered| {
        nodes += rendered.len();
        Ok(search.look(&rendered)?)
    })?;
    mistakes.extend(search.end(&mistakes));
    let warnings = mistakes.clone();
    settle(mistakes, ui)?;
    if ui.json() {
        let warnings = fold(warnings);
        let mistakes: Vec<_> = warnings.iter().map(Folded::to_json).collect();
        let text = json!({ "format": 1, "nodes": nodes, "mistakes": mistakes });
        ui.result(&format!("{text:#}\n"))?;
    } else {
        ui.result(&format!("{}, no mistakes\n", count(nodes, "node")))?;
    }
    Ok(Outcome::Done)
}

/// The files of the whole repository that hold a stick, and with it secrets in plain text: as they stand on disk,
/// and as the next commit takes them.
fn published_sticks(repo: &Repo) -> Result<Vec<Diagnostic>, git::Error> {
    // What is shorter holds none of a stick's secrets.
    let (least, _) = Part::Secrets.place(Sector::Of512);
    let mut mistakes = Vec::new();
    for (path, staged) in repo.staged(least)? {
        let on_disk = repo.root().join(&path);
        let is_large =
            fs::symlink_metadata(&on_disk).is_ok_and(|it| it.is_file() && it.len() >= least);
        let is_stick =
            is_large && File::open(&on_disk).is_ok_and(|mut file| holds_stick(&mut file));
        let is_staged = match staged {
            Some(id) if !is_stick => holds_stick(&mut Cursor::new(repo.blob(id)?)),
            _ => false,
        };
        if is_stick || is_staged {
            mistakes.push(
                Diagnostic::error(format!(
                    "git tracks `{path}`, which is a stick and holds its node's secrets in plain text"
                ))
                .help(format!(
                    "run `git rm --cached {path}` and ignore `*.img`; if it was ever pushed, set every secret on it to \
                     another value"
                )),
            );
        }
    }
    Ok(mistakes)
}
