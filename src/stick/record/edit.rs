//! Changes the text of a record. What people wrote into it stays where it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml_edit::{
    Array, ArrayOfTables, Datetime, DocumentMut, InlineTable, Item, Table, TableLike, Value,
};

use super::{FORMAT, Recorded, State};
use crate::diagnostic::Diagnostic;
use crate::source::Source;

/// The key of the sticks.
const STICKS: &str = "stick";

/// The text of a record without a stick.
pub(super) fn empty() -> DocumentMut {
    let mut document = DocumentMut::new();
    document.insert("format", toml_edit::value(FORMAT));
    document.insert(STICKS, Item::ArrayOfTables(ArrayOfTables::new()));
    document
}

/// A text that was read without mistakes, to be changed.
pub(super) fn document(source: &Arc<Source>) -> Result<DocumentMut, Box<Diagnostic>> {
    let mut document: DocumentMut =
        source.text.parse().map_err(|error: toml_edit::TomlError| {
            let mistake = Diagnostic::error(error.message().to_owned());
            Box::new(mistake.at(source, error.span().unwrap_or(0..0)))
        })?;
    // An array of inline tables can't be added to without writing it anew.
    let sticks = document.entry(STICKS).or_insert(Item::None);
    if !sticks.is_array_of_tables() {
        let tables = std::mem::take(sticks).into_array_of_tables();
        *sticks = Item::ArrayOfTables(tables.unwrap_or_default());
    }
    Ok(document)
}

fn tables(document: &mut DocumentMut) -> Option<&mut ArrayOfTables> {
    document.get_mut(STICKS)?.as_array_of_tables_mut()
}

pub(super) fn append(document: &mut DocumentMut, stick: &Recorded) {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    write(&mut table, stick);
    if let Some(tables) = tables(document) {
        tables.push(table);
    }
}

pub(super) fn replace(document: &mut DocumentMut, place: usize, stick: &Recorded) {
    if let Some(table) = tables(document).and_then(|tables| tables.get_mut(place)) {
        write(table, stick);
    }
}

pub(super) fn remove(document: &mut DocumentMut, place: usize) {
    if let Some(tables) = tables(document) {
        tables.remove(place);
    }
}

pub(super) fn set_state(document: &mut DocumentMut, place: usize, state: State) {
    if let Some(table) = tables(document).and_then(|tables| tables.get_mut(place)) {
        set(table, "state", Some(state.word().into()));
    }
}

fn write(table: &mut Table, stick: &Recorded) {
    // It is written as TOML has it, so it can be read.
    let flashed: Option<Datetime> = stick.flashed.to_string().parse().ok();
    let text = |text: &str| (!text.is_empty()).then(|| text.into());
    let maybe = |text: &Option<String>| text.as_deref().map(Value::from);
    set(table, "id", Some(stick.id.to_string().into()));
    set(table, "state", Some(stick.state.word().into()));
    set(table, "flashed", flashed.map(Value::from));
    set(table, "fleet_id", Some(stick.fleet_id.to_string().into()));
    set(table, "config_url", text(&stick.config_url));
    set(table, "script_url", maybe(&stick.script_url));
    let sector = i64::try_from(stick.sector).unwrap_or(i64::MAX);
    set(table, "sector", Some(sector.into()));
    set(table, "prologue", text(&stick.prologue));
    set(table, "body", text(&stick.body));
    set(table, "config", text(&stick.config));
    set(table, "model", maybe(&stick.model));
    set(table, "serial", maybe(&stick.serial));
    let secrets = stick.secrets.iter();
    set_table(
        table,
        "secrets",
        secrets
            .map(|(name, version)| (name.as_str(), version.into()))
            .collect(),
    );
    let files = stick.secret_files.iter();
    set_table(
        table,
        "secret_files",
        files
            .map(|(path, names)| (path.as_str(), names.iter().collect::<Array>().into()))
            .collect(),
    );
    let loaders = stick.loaders.iter().map(|(place, loader)| {
        let mut entry = InlineTable::new();
        set(&mut entry, "version", text(&loader.version));
        set(&mut entry, "digest", text(&loader.digest));
        (place.as_str(), entry.into())
    });
    set_table(table, "loaders", loaders.collect());
}

/// Sets a value, or takes it out; what stands behind it on its line stays.
fn set(table: &mut dyn TableLike, key: &str, value: Option<Value>) {
    match (value, table.get_mut(key)) {
        (None, None) => {}
        (None, Some(_)) => drop(table.remove(key)),
        (Some(mut value), Some(Item::Value(old))) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        (Some(value), _) => drop(table.insert(key, Item::Value(value))),
    }
}

fn set_table(table: &mut Table, key: &str, entries: BTreeMap<&str, Value>) {
    if entries.is_empty() {
        table.remove(key);
        return;
    }
    let item = table.entry(key).or_insert(Item::Table(Table::new()));
    let Some(there) = item.as_table_like_mut() else {
        return;
    };
    let gone = there.iter().map(|(key, _)| key.to_owned());
    let gone: Vec<String> = gone
        .filter(|key| !entries.contains_key(key.as_str()))
        .collect();
    for key in gone {
        there.remove(&key);
    }
    for (key, value) in entries {
        set(there, key, Some(value));
    }
}
