//! The leak guard with all that it needs: names and values of secrets, and everything public.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Failure, Loaded, count, identities};
use crate::diagnostic::{Diagnostic, Severity};
use crate::fleet::allowed::Allowed;
use crate::fleet::document::Item;
use crate::fleet::{public, volume};
use crate::render::exposure::Exposure;
use crate::render::rendered::Rendered;
use crate::secrets::leak::{Guard, SHORTEST};
use crate::secrets::value::Secret;
use crate::ui::Ui;
use crate::vault::open::{Plaintext, open_all};

/// Looks for secrets in all that is public; `values` are plain ones, which are borrowed and not copied. What `told` has an
/// error for is not told again.
pub(super) fn find<'a>(
    loaded: &Loaded,
    rendered: &[Rendered],
    values: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    told: &[Diagnostic],
) -> Result<Vec<Diagnostic>, Failure> {
    let names: BTreeSet<&str> = volume::secrets(&loaded.manifest)
        .map(|(name, ..)| name)
        .collect();
    let mut values = values.into_iter().peekable();
    let is_search = values.peek().is_some();
    let guard = Guard::new(names.iter().copied(), values);
    let mut mistakes = Vec::new();
    let allowed = Allowed::read(&loaded.manifest, &mut mistakes);
    let mut exposure = Exposure::new(&guard, &allowed);
    mistakes.extend(exposure.check_inputs(&public::inputs(&loaded.manifest)?));
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

/// Opens every value of the fleet, for the search. Those that are not worth one, and those that can't be opened, are
/// named in warnings.
pub(super) fn open(
    loaded: &mut Loaded,
    identity: &Path,
    ui: &Ui,
) -> Result<Vec<(String, Plaintext)>, Failure> {
    let found: Vec<(&str, &Item, Secret)> = volume::secrets(&loaded.manifest).collect();
    let secrets: Vec<&Secret> = found.iter().map(|(.., secret)| secret).collect();
    let identities = identities::find(Some(identity.to_owned()), secrets.iter().copied(), ui)?;
    let public = public::texts(&loaded.manifest);
    let mut values = Vec::new();
    let mut passed: BTreeMap<(String, &str), Vec<&Item>> = BTreeMap::new();
    for ((name, item, _), opened) in found.iter().zip(open_all(&secrets, &identities, ui)?) {
        let why = match opened {
            Ok(value) => {
                let bytes = value.as_bytes().trim_ascii();
                let text = std::str::from_utf8(bytes).unwrap_or_default();
                if bytes.len() < SHORTEST {
                    format!("it has under {SHORTEST} bytes")
                } else if public.contains_key(text) {
                    "it is equal to a text that is public in this fleet".to_owned()
                } else {
                    values.push(((*name).to_owned(), value));
                    continue;
                }
            }
            Err(error) => error.to_string(),
        };
        passed.entry((why, name)).or_default().push(item);
    }
    let mut warnings = identities.warnings().to_vec();
    warnings.extend(passed.into_iter().map(|((why, name), items)| {
        Diagnostic {
            severity: Severity::Warning,
            ..items[0]
                .error(format!("the value of `{name}` is not searched for: {why}"))
                .help(match items.len() {
                    1 => "look yourself whether it stands somewhere".to_owned(),
                    more => format!(
                        "look yourself whether it stands somewhere; so it is in {}",
                        count(more, "place")
                    ),
                })
        }
    }));
    loaded.diagnostics.extend(warnings);
    Ok(values)
}
