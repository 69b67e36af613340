//! The JSON Schema of what people write, for editors: made of the types that the files are read into, so that it has the
//! same keys.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::file::{FleetFile, NodeFile};
use crate::git::forge::Forge;
use crate::os::Arch;

/// The schema of `fleet.toml`.
#[must_use]
pub fn fleet() -> Value {
    of::<FleetFile>("fleet.toml of an Ephemeros fleet")
}

/// The schema of a node file.
#[must_use]
pub fn node() -> Value {
    of::<NodeFile>("a node file of an Ephemeros fleet")
}

fn of<T: JsonSchema>(title: &str) -> Value {
    // Draft 7 is what editors know for TOML, and some of them follow no reference.
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let settings = settings.with_transform(RecursiveTransform(as_toml));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

/// What serde says of JSON, as it is for TOML.
fn as_toml(schema: &mut Schema) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    // The comments in the code have line ends where the code has them.
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    leave_null_out(schema);
    list_choices(schema);
    // What holds where nothing is written is told in words; for serde it is an empty value.
    schema.remove("default");
    // How many bits an integer has in memory.
    schema.retain(|key, value| key != "format" || value == "date");
    if schema.contains_key("properties") {
        schema.insert("additionalProperties".to_owned(), false.into());
    }
}

/// TOML has no null: what may be left out is just not required.
fn leave_null_out(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|it| it != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
    let any = schema.get("anyOf").and_then(Value::as_array);
    if let Some([Value::Object(only), null]) = any.map(Vec::as_slice)
        && *null == json!({ "type": "null" })
    {
        let only = only.clone();
        schema.remove("anyOf");
        for (key, value) in only {
            schema.entry(key).or_insert(value);
        }
    }
}

/// Words to choose from are one list, which every editor offers; what each means goes into the description.
fn list_choices(schema: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = schema.get("oneOf") else {
        return;
    };
    let words: Option<Vec<&str>> = choices.iter().map(|it| it["const"].as_str()).collect();
    let Some(words) = words else { return };
    let mut description = schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    description.push('\n');
    for (word, choice) in words.iter().zip(choices) {
        let meaning = choice["description"].as_str().unwrap_or_default();
        description += &format!("\n- `{word}`: {meaning}");
    }
    let words = json!(words);
    schema.remove("oneOf");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), words);
    schema.insert("description".to_owned(), description.into());
}

/// What a self-hosted host may run.
pub(super) fn forge(_: &mut SchemaGenerator) -> Schema {
    let names: Vec<&str> = Forge::names().collect();
    json_schema!({ "type": "string", "enum": names, "examples": ["gitea"] })
}

/// A URL for each architecture.
pub(super) fn urls(_: &mut SchemaGenerator) -> Schema {
    let example = |arch: Arch| {
        format!(
            "https://example.net/{{{{ version | urlencode }}}}/{}",
            arch.name()
        )
    };
    let properties = Arch::ALL.map(|arch| {
        let url = json!({ "type": "string", "examples": [example(arch)] });
        (arch.name().to_owned(), url)
    });
    json_schema!({ "type": "object", "properties": Map::from_iter(properties) })
}

/// Dates by name. In JSON a date is a string.
pub(super) fn days(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": { "type": "string", "format": "date" },
        "examples": [{ "K3S_TOKEN": "2027-03-01" }],
    })
}

/// An example of a table with one entry.
pub(super) fn entry(
    name: &'static str,
    value: &'static str,
) -> BTreeMap<&'static str, &'static str> {
    BTreeMap::from([(name, value)])
}

/// An example of groups of readers.
pub(super) fn groups() -> BTreeMap<&'static str, [&'static str; 1]> {
    BTreeMap::from([(
        "ops",
        ["age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa"],
    )])
}
