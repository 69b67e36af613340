//! A fleet's files, read and resolved in one.

use std::path::Path;

use super::files::{Files, Unreadable};
use super::manifest::Manifest;
use super::node::Fleet;
use super::resolve::resolve;
use crate::diagnostic::{Diagnostic, Label};

/// What the files say, and what holds; `None` where nothing in them can be believed.
pub type Read = Option<(Manifest, Fleet)>;

/// Reads a fleet, with all its mistakes.
///
/// # Errors
/// A file that can't be read.
pub fn read(root: &Path, files: &dyn Files) -> Result<(Read, Vec<Diagnostic>), Unreadable> {
    let (manifest, diagnostics) = Manifest::read(root, files)?;
    let Some(manifest) = manifest else {
        return Ok((None, diagnostics));
    };
    let (fleet, diagnostics) = resolve_after(&manifest, diagnostics);
    Ok((Some((manifest, fleet)), diagnostics))
}

/// Resolves what was read with these mistakes; the result has all of them.
#[must_use]
pub fn resolve_after(
    manifest: &Manifest,
    mut diagnostics: Vec<Diagnostic>,
) -> (Fleet, Vec<Diagnostic>) {
    let (fleet, mistakes) = resolve(manifest);
    // A value of a wrong type counts as none, and that this one is no good either is nothing new.
    let told: Vec<Label> = diagnostics
        .iter()
        .filter_map(|it| it.labels.first().cloned())
        .collect();
    let new = |mistake: &Diagnostic| mistake.labels.first().is_none_or(|at| !told.contains(at));
    diagnostics.extend(mistakes.into_iter().filter(new));
    (fleet, diagnostics)
}
