//! The leak guard with all that it needs: names and values of secrets, and everything public.

use std::collections::BTreeSet;

use super::exposure::Exposure;
use super::rendered::Rendered;
use crate::diagnostic::Diagnostic;
use crate::fleet::allowed::Allowed;
use crate::fleet::files::Unreadable;
use crate::fleet::manifest::Manifest;
use crate::fleet::{public, volume};
use crate::secrets::leak::Guard;

/// A search for secrets in what is public.
pub struct Search<'a> {
    manifest: &'a Manifest,
    exposure: Exposure<'a>,
    /// Whether the files that people wrote were looked at.
    knows_inputs: bool,
    names: BTreeSet<&'a str>,
    /// Whether it is for plain values.
    is_for_values: bool,
    mistakes: Vec<Diagnostic>,
}

impl<'a> Search<'a> {
    /// Of what nodes will fetch alone. The files that people wrote are looked at where something is found, since it is told
    /// where it stands there.
    pub fn new(
        manifest: &'a Manifest,
        values: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        let names: BTreeSet<&str> = volume::names(manifest).collect();
        let mut values = values.into_iter().peekable();
        let is_for_values = values.peek().is_some();
        let guard = Guard::new(names.iter().copied(), values);
        let mut mistakes = Vec::new();
        let allowed = Allowed::read(manifest, &mut mistakes);
        Self {
            manifest,
            exposure: Exposure::new(guard, allowed),
            knows_inputs: false,
            names,
            is_for_values,
            mistakes,
        }
    }

    /// Of all that is public; `values` are plain ones, which are borrowed and not copied.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn of_all(
        manifest: &'a Manifest,
        values: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, Unreadable> {
        let mut search = Self::new(manifest, values);
        search.look_at_inputs()?;
        Ok(search)
    }

    fn look_at_inputs(&mut self) -> Result<(), Unreadable> {
        let inputs = public::inputs(self.manifest)?;
        self.mistakes.extend(self.exposure.check_inputs(&inputs));
        self.knows_inputs = true;
        Ok(())
    }

    /// Looks at what some nodes will fetch.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn look(&mut self, rendered: &[Rendered]) -> Result<(), Unreadable> {
        let mut found = self.exposure.check_rendered(rendered);
        if !found.is_empty() && !self.knows_inputs {
            self.look_at_inputs()?;
            found = self.exposure.check_rendered(rendered);
        }
        self.mistakes.extend(found);
        Ok(())
    }

    /// What was found; what `told` has an error for is not told again.
    #[must_use]
    pub fn end(mut self, told: &[Diagnostic]) -> Vec<Diagnostic> {
        let may_be = |name: &str| !self.is_for_values && self.names.contains(name);
        let unused = self.exposure.allowed().unused(may_be);
        self.mistakes.extend(unused);
        let is_told = |it: &Diagnostic| {
            let mut told = told.iter().filter(|told| told.is_error());
            told.any(|told| is_at_one_place(it, told))
        };
        self.mistakes.retain(|it| !is_told(it));
        self.mistakes
    }
}

/// As a [`Search`] of these nodes alone.
///
/// # Errors
/// A file that can't be read.
pub fn find(
    manifest: &Manifest,
    rendered: &[Rendered],
    told: &[Diagnostic],
) -> Result<Vec<Diagnostic>, Unreadable> {
    let mut search = Search::of_all(manifest, [])?;
    search.look(rendered)?;
    Ok(search.end(told))
}

fn is_at_one_place(one: &Diagnostic, other: &Diagnostic) -> bool {
    let (Some(one), Some(other)) = (one.labels.first(), other.labels.first()) else {
        return false;
    };
    let (a, b) = (&one.span, &other.span);
    one.source.name == other.source.name && a.start < b.end && b.start < a.end
}
