//! The leak guard, as the commands ask it.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Failure, Loaded, count, identities};
use crate::diagnostic::{Diagnostic, Severity};
use crate::fleet::document::Item;
use crate::fleet::{public, volume};
use crate::secrets::leak::SHORTEST;
use crate::secrets::value::Secret;
use crate::ui::Ui;
use crate::vault::open::{Plaintext, open_all};

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
