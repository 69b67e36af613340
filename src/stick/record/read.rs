//! Reads a record; all mistakes in it at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use uuid::Uuid;

use super::{FORMAT, LoaderOn, Moment, Recorded, State};
use crate::diagnostic::Diagnostic;
use crate::fleet::decode::decode;
use crate::fleet::document::{Item, Value};
use crate::secrets::value::is_version;
use crate::source::Source;
use crate::stick::layout::Sector;

#[derive(Deserialize, Default)]
#[serde(default)]
struct RecordFile {
    format: Option<i64>,
    stick: Vec<Entry>,
}

/// `[[stick]]`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    id: String,
    state: State,
    flashed: IgnoredAny,
    fleet_id: String,
    config_url: String,
    script_url: Option<String>,
    sector: Option<i64>,
    prologue: String,
    body: String,
    config: String,
    model: Option<String>,
    serial: Option<String>,
    secrets: BTreeMap<String, String>,
    secret_files: BTreeMap<String, Vec<String>>,
    loaders: BTreeMap<String, LoaderOn>,
}

/// The keys without which a record says nothing.
const NEEDED: [&str; 7] = [
    "id",
    "state",
    "flashed",
    "fleet_id",
    "config_url",
    "body",
    "config",
];

/// The sticks in a file, in its order.
///
/// # Errors
/// All mistakes in it.
pub fn read(source: &Arc<Source>) -> Result<Vec<Recorded>, Vec<Diagnostic>> {
    let (document, mut mistakes) = Item::parse(source);
    let name = &source.name;
    if let Some(format) = document.get("format")
        && matches!(format.value, Value::Integer(format) if format > FORMAT)
    {
        // A newer format may have anything else in it.
        return Err(vec![
            format
                .error(format!("this tool reads `{name}` up to format {FORMAT}"))
                .help("upgrade ephemeros: `cargo install --locked ephemeros`"),
        ]);
    }
    let file: RecordFile = decode(&document, &mut mistakes);
    if mistakes.is_empty() && file.format != Some(FORMAT) {
        let place = document.get("format").unwrap_or(&document);
        mistakes.push(
            place
                .error(format!("`{name}` does not say its format"))
                .help(format!(
                    "its first line is `format = {FORMAT}`; `ephemeros flash` writes it"
                )),
        );
    }
    let items = document.get("stick").map_or(&[][..], Item::array);
    let mut ids = BTreeSet::new();
    let mut sticks = Vec::with_capacity(items.len());
    for (entry, item) in file.stick.into_iter().zip(items) {
        let stick = complete(entry, item, &mut mistakes);
        if !ids.insert(stick.id)
            && let Some(id) = item.get("id")
        {
            mistakes.push(
                id.error("this stick is recorded twice")
                    .help("take out the older entry"),
            );
        }
        sticks.push(stick);
    }
    if mistakes.is_empty() {
        Ok(sticks)
    } else {
        Err(mistakes)
    }
}

/// Types what has no type of its own in TOML.
fn complete(entry: Entry, item: &Item, mistakes: &mut Vec<Diagnostic>) -> Recorded {
    for key in NEEDED.iter().filter(|key| item.get(key).is_none()) {
        mistakes
            .push(item.error(format!("this stick has no `{key}`")).help(
                "`ephemeros flash` writes it; take the entry out, or bring it back from git",
            ));
    }
    for key in ["prologue", "body", "config"] {
        check_digest(item.get(key), mistakes);
    }
    let loaders = item.get("loaders").and_then(Item::table);
    for loader in loaders.into_iter().flatten().map(|(_, loader)| loader) {
        check_digest(loader.get("digest"), mistakes);
    }
    let versions = item.get("secrets").and_then(Item::table);
    for version in versions.into_iter().flatten().map(|(_, version)| version) {
        check_version(version, mistakes);
    }
    let mut id = |key: &str, text: &str| {
        let id = Uuid::try_parse(text);
        if let (Err(_), Some(place)) = (&id, item.get(key).filter(|it| it.text().is_some())) {
            mistakes.push(
                place
                    .error("this is no UUID")
                    .help("it has 32 hex digits, as `0198c0de-0000-4000-8000-000000000001`"),
            );
        }
        id.unwrap_or_default()
    };
    let (id, fleet_id) = (id("id", &entry.id), id("fleet_id", &entry.fleet_id));
    let flashed = item.get("flashed").and_then(|flashed| {
        let text = match &flashed.value {
            Value::Datetime(text) => text.as_str(),
            _ => "",
        };
        let moment = text.parse::<Moment>();
        if let Err(error) = &moment {
            let mistake = flashed.error("this is no moment");
            mistakes.push(mistake.help(format!("{error}, without quotes")));
        }
        moment.ok()
    });
    let sector = entry.sector.map_or(Ok(512), u64::try_from);
    let sector = sector.ok().and_then(Sector::of);
    if sector.is_none()
        && let Some(place) = item.get("sector")
        && matches!(place.value, Value::Integer(_))
    {
        mistakes.push(
            place
                .error("no drive has such sectors")
                .help("write 512 or 4096"),
        );
    }
    Recorded {
        id,
        state: entry.state,
        flashed: flashed.unwrap_or(Moment::of(0)),
        fleet_id,
        config_url: entry.config_url,
        script_url: entry.script_url,
        sector: sector.unwrap_or(Sector::Of512).bytes(),
        prologue: entry.prologue,
        body: entry.body,
        config: entry.config,
        secrets: entry.secrets,
        secret_files: entry.secret_files,
        loaders: entry.loaders,
        model: entry.model,
        serial: entry.serial,
    }
}

fn check_digest(item: Option<&Item>, mistakes: &mut Vec<Diagnostic>) {
    let is_digest = |text: &str| {
        let digits = text.strip_prefix("sha256-");
        digits.is_some_and(|digits| {
            digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    if let Some(item) = item
        && item.text().is_some_and(|text| !is_digest(text))
    {
        mistakes.push(
            item.error("this is no digest")
                .help("it is `sha256-` with 64 hex digits"),
        );
    }
}

/// What stands there in place of a version is not shown: it may be the value.
fn check_version(item: &Item, mistakes: &mut Vec<Diagnostic>) {
    if item.text().is_some_and(|text| !is_version(text)) {
        mistakes.push(
            item.hidden_error("this is no version of a value")
                .help("it is the second part of the encrypted value, 16 hex digits"),
        );
    }
}
