//! The days on which secrets expire. A date stands beside its value, in `expires` of the same place, and is about that one.

use rayon::prelude::*;

use super::date::Date;
use super::document::{Item, Table, Value};
use super::manifest::Manifest;
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;

/// How many days before it is told.
const AHEAD: i64 = 60;

/// A value with its date.
pub struct Expiring<'a> {
    /// Where both stand, as the command line names places.
    pub place: String,
    /// The value's name.
    pub name: &'a str,
    /// The value.
    pub secret: &'a Item,
    /// The date, where it is written.
    pub item: &'a Item,
    /// The date.
    pub date: Date,
}

/// All values that have a date.
pub fn dates(manifest: &Manifest) -> impl Iterator<Item = Expiring<'_>> {
    entries(manifest)
        .into_iter()
        .filter_map(|(place, layer, name, item)| {
            Some(Expiring {
                place,
                name,
                secret: layer.find(&["secrets", name])?,
                item,
                date: read(item)?,
            })
        })
}

/// What has expired by `today` or soon will, with what to do.
#[must_use]
pub fn warnings(manifest: &Manifest, today: Date) -> Vec<Diagnostic> {
    let soon = dates(manifest).filter(|it| it.date.days_from(today) <= AHEAD);
    let warnings = soon.map(|it| {
        let Expiring {
            place, name, date, ..
        } = &it;
        let message = match date.days_from(today) {
            ..0 => format!("`{name}` expired on {date}"),
            0 => format!("`{name}` expires today, {date}"),
            1 => format!("`{name}` expires tomorrow, {date}"),
            days => format!("`{name}` expires in {days} days, on {date}"),
        };
        Diagnostic::warning(message)
            .at(&it.item.source, it.item.span())
            .help(format!(
                "set another value with `ephemeros secrets set {place} {name} --expires DATE`"
            ))
    });
    warnings.collect()
}

/// Every date is one, and has its value beside it. What day it is doesn't count.
pub(super) fn check(manifest: &Manifest, mistakes: &mut Vec<Diagnostic>) {
    for (place, layer, name, item) in entries(manifest) {
        let secrets = layer.get("secrets").and_then(Item::table);
        if !secrets.is_some_and(|secrets| secrets.contains_key(name)) {
            let known = secrets.into_iter().flat_map(Table::keys);
            let help = match nearest(name, known) {
                Some(near) => format!("a secret with a similar name exists: `{near}`"),
                None => format!(
                    "take the line out; the date of a value stands where the value does, \
                     and `ephemeros secrets set {place} {name} --expires DATE` writes both"
                ),
            };
            let message = format!("there is no secret `{name}` beside its date");
            mistakes.push(item.key_error(message).help(help));
        } else if read(item).is_none() {
            mistakes.push(
                item.error(format!("`{name}` expires on no date"))
                    .help(format!(
                        "write a day, without quotes: `{name} = 2027-03-01`"
                    )),
            );
        }
    }
}

fn read(item: &Item) -> Option<Date> {
    match &item.value {
        Value::Datetime(text) => text.parse().ok(),
        _ => None,
    }
}

/// Every entry of an `expires`: its place, what stands there, its name and what is written.
fn entries(manifest: &Manifest) -> Vec<(String, &Item, &str, &Item)> {
    let layers: Vec<_> = manifest.layers().collect();
    let entries = layers.into_par_iter().flat_map_iter(|layer| {
        let dates = layer.item.get("expires").and_then(Item::table);
        let dates = dates.into_iter().flatten();
        dates.map(move |(name, item)| (layer.place.to_string(), layer.item, name, item))
    });
    entries.collect()
}
