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

/// Looks for secrets in all that is public; `values` are plain ones, which are borrowed and not copied. What `told` has an
/// error for is not told again.
///
/// # Errors
/// A file that can't be read.
pub fn find<'a>(
    manifest: &Manifest,
    rendered: &[Rendered],
    values: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    told: &[Diagnostic],
) -> Result<Vec<Diagnostic>, Unreadable> {
    let names: BTreeSet<&str> = volume::secrets(manifest).map(|(name, ..)| name).collect();
    let mut values = values.into_iter().peekable();
    let is_search = values.peek().is_some();
    let guard = Guard::new(names.iter().copied(), values);
    let mut mistakes = Vec::new();
    let allowed = Allowed::read(manifest, &mut mistakes);
    let mut exposure = Exposure::new(&guard, &allowed);
    mistakes.extend(exposure.check_inputs(&public::inputs(manifest)?));
    mistakes.extend(exposure.check_rendered(rendered));
    mistakes.extend(allowed.unused(|name| !is_search && names.contains(name)));
    mistakes.retain(|it| {
        !told
            .iter()
            .any(|told| told.is_error() && is_at_one_place(it, told))
    });
    Ok(mistakes)
}

fn is_at_one_place(one: &Diagnostic, other: &Diagnostic) -> bool {
    let (Some(one), Some(other)) = (one.labels.first(), other.labels.first()) else {
        return false;
    };
    let (a, b) = (&one.span, &other.span);
    one.source.name == other.source.name && a.start < b.end && b.start < a.end
}
