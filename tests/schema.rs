//! The schemas of `fleet.toml` and node files know what their reader knows: the same keys, the same types. The reader is
//! asked by a type's own `Deserialize`, so a key that only one of them has is seen.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use ephemeros::fleet::decode::decode;
use ephemeros::fleet::document::Item;
use ephemeros::fleet::file::{FleetFile, NodeFile};
use ephemeros::fleet::schema;
use ephemeros::source::Source;
use jsonschema::Validator;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer as _, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value as Json, json};
use toml::{Table, Value};

use crate::fleet::Fleet;

/// What may stand at a place. Under `*` is any key, under `[]` any item.
type Places = BTreeMap<String, String>;

/// Asks a type what it would read, and gives it nothing.
#[derive(Clone)]
struct Asked<'a> {
    path: String,
    places: &'a RefCell<Places>,
}

impl Asked<'_> {
    fn below(&self, key: &str) -> Self {
        let path = format!("{}.{key}", self.path);
        Self {
            path: path.trim_start_matches('.').to_owned(),
            ..*self
        }
    }

    fn may_be(&self, kind: &str) {
        let mut places = self.places.borrow_mut();
        places.insert(self.path.clone(), kind.to_owned());
    }
}

#[derive(Debug)]
struct Never(String);

impl fmt::Display for Never {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Never {}

impl de::Error for Never {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Never;

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        self.may_be("boolean");
        visitor.visit_bool(false)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        self.may_be("integer");
        visitor.visit_i64(0)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        self.may_be("string");
        visitor.visit_str("")
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        self.may_be("anything");
        visitor.visit_bool(false)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        self.may_be("array");
        let once = Some(self.below("[]"));
        visitor.visit_seq(Once(once))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Never> {
        self.may_be("table");
        let names = ["*"];
        visitor.visit_map(Keys {
            of: &self,
            names: names.iter(),
            last: "",
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Never> {
        self.may_be("table");
        visitor.visit_map(Keys {
            of: &self,
            names: fields.iter(),
            last: "",
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Never> {
        self.may_be(&variants.join("|"));
        visitor.visit_enum(variants[0].into_deserializer())
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct newtype_struct tuple
        tuple_struct identifier
    }
}

struct Once<'a>(Option<Asked<'a>>);

impl<'de> de::SeqAccess<'de> for Once<'_> {
    type Error = Never;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Never> {
        self.0.take().map(|it| seed.deserialize(it)).transpose()
    }
}

struct Keys<'a, 'p> {
    of: &'a Asked<'p>,
    names: std::slice::Iter<'a, &'static str>,
    last: &'static str,
}

impl<'de> de::MapAccess<'de> for Keys<'_, '_> {
    type Error = Never;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Never> {
        let Some(key) = self.names.next() else {
            return Ok(None);
        };
        self.last = key;
        let key: StrDeserializer<'_, Never> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Never> {
        seed.deserialize(self.of.below(self.last))
    }
}

/// What the reader would take, and where.
fn of_reader<T: DeserializeOwned>() -> Places {
    let places = RefCell::default();
    let asked = Asked {
        path: String::new(),
        places: &places,
    };
    let read = T::deserialize(asked);
    assert!(read.is_ok(), "{:?}", read.err());
    places.into_inner()
}

/// What the schema allows, and where.
fn of_schema(schema: &Json, path: &str, places: &mut Places) {
    let words = schema["enum"].as_array();
    let kind = match (&schema["type"], words) {
        (_, Some(words)) => {
            let words: Vec<&str> = words.iter().filter_map(Json::as_str).collect();
            words.join("|")
        }
        (Json::String(kind), None) => kind.replace("object", "table"),
        _ => "anything".to_owned(),
    };
    places.insert(path.to_owned(), kind);
    let below = |key: &str| {
        let path = format!("{path}.{key}");
        path.trim_start_matches('.').to_owned()
    };
    for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
        of_schema(schema, &below(key), places);
    }
    match &schema["additionalProperties"] {
        Json::Null | Json::Bool(false) => {}
        any => of_schema(any, &below("*"), places),
    }
    if schema["items"].is_object() {
        of_schema(&schema["items"], &below("[]"), places);
    }
}

/// Where the schema says more than the types do, for a check that comes after them. The next test holds it to those checks.
fn narrowed(reader: Places) -> Places {
    let forges = "azure|bitbucket|cgit|forgejo|gitea|gitee|github|gitlab|gitweb|sourcehut";
    let narrow = |(path, kind): (String, String)| {
        let string = "string".to_owned();
        match path.strip_suffix('*') {
            Some(table) if path.ends_with("expires.*") => vec![(format!("{table}*"), string)],
            Some(table) if path.ends_with("url.*") => ["amd64", "arm64"]
                .map(|arch| (format!("{table}{arch}"), string.clone()))
                .into(),
            _ if path == "git.forge" => vec![(path, forges.to_owned())],
            _ => vec![(path, kind)],
        }
    };
    reader.into_iter().flat_map(narrow).collect()
}

/// How many mistakes it finds.
type Reader = fn(&Table) -> usize;

/// The two kinds of files: the schema, what the reader knows, the reader.
fn both() -> [(Json, Places, Reader); 2] {
    [
        (
            schema::fleet(),
            of_reader::<FleetFile>(),
            mistakes::<FleetFile>,
        ),
        (
            schema::node(),
            of_reader::<NodeFile>(),
            mistakes::<NodeFile>,
        ),
    ]
}

fn mistakes<T: DeserializeOwned + Default>(document: &Table) -> usize {
    let text = toml::to_string(document).unwrap();
    let (item, mut mistakes) = Item::parse(&Source::file("a.toml", text.as_str()));
    assert!(mistakes.is_empty(), "{text}");
    decode::<T>(&item, &mut mistakes);
    mistakes.len()
}

fn validator(schema: &Json) -> Validator {
    assert!(jsonschema::meta::is_valid(schema));
    jsonschema::validator_for(schema).unwrap()
}

/// A document as JSON, in which a date is a string, as editors take it.
fn json_of(value: &Value) -> Json {
    match value {
        Value::String(text) => json!(text),
        Value::Integer(integer) => json!(integer),
        Value::Float(float) => json!(float),
        Value::Boolean(boolean) => json!(boolean),
        Value::Datetime(date) => json!(date.to_string()),
        Value::Array(items) => items.iter().map(json_of).collect(),
        Value::Table(table) => {
            let entries = table.iter().map(|(key, it)| (key.clone(), json_of(it)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
    }
}

/// A document with one value in it, beside what the schema requires.
fn document(path: &str, value: Value) -> Table {
    let mut value = value;
    for key in path.split('.').rev().filter(|key| !key.is_empty()) {
        value = match key {
            "[]" => Value::Array(vec![value]),
            "*" => Value::Table(Table::from_iter([("x".to_owned(), value)])),
            key => Value::Table(Table::from_iter([(key.to_owned(), value)])),
        };
    }
    let Value::Table(mut document) = value else {
        panic!("{path}")
    };
    let text = |text: &str| Value::from(text);
    if let Some(Value::Array(entries)) =
        document.get_mut("vault").and_then(|it| it.get_mut("allow"))
    {
        for entry in entries.iter_mut().filter_map(Value::as_table_mut) {
            for key in ["file", "name", "reason"] {
                entry.entry(key).or_insert(text("x"));
            }
        }
    }
    document
}

/// The same with what is required at the top of `fleet.toml`.
fn whole(schema: &Json, mut document: Table) -> Table {
    for key in schema["required"].as_array().into_iter().flatten() {
        let key = key.as_str().unwrap();
        document.entry(key).or_insert(Value::from("x"));
    }
    document
}

#[test]
fn the_schema_has_the_readers_keys_and_types() {
    for (schema, reader, _) in both() {
        let mut places = Places::new();
        of_schema(&schema, "", &mut places);
        assert!(reader.len() > 40, "{reader:?}");
        assert_eq!(places, narrowed(reader));
    }
}

#[test]
fn where_the_schema_says_more_the_checks_say_it_too() {
    let schema = validator(&schema::fleet());
    let base = "[os]\nversion = \"4593.2.5\"\n";
    for (key, good, wrong) in [
        ("git.forge", "\"gitea\"", "\"giteaa\""),
        ("network.vlan", "42", "0"),
        ("network.vlan", "4094", "4095"),
        (
            "artifacts.a.url",
            "{}",
            "{ mips = \"https://a.example/b\" }",
        ),
        ("defaults.expires", "{}", "{ A = 5 }"),
        ("vault.allow", "[]", "[{ file = \"a\", name = \"b\" }]"),
    ] {
        for (value, is_good) in [(good, true), (wrong, false)] {
            let interface = if key == "network.vlan" {
                "network.interface = \"eno1\"\n"
            } else {
                ""
            };
            let text = format!("{interface}{key} = {value}\n{base}");
            let fleet = Fleet::new().fleet(&text);
            let document: Table = toml::from_str(&fleet.read("fleet.toml")).unwrap();
            assert_eq!(
                schema.is_valid(&json_of(&Value::Table(document))),
                is_good,
                "{text}"
            );
            fleet.run(&["check"]).code(i32::from(!is_good));
        }
    }
    for without in ["name", "id"] {
        let fleet = Fleet::new();
        let text = fleet.read("fleet.toml");
        let kept = text.lines().filter(|line| !line.starts_with(without));
        let text = kept.collect::<Vec<_>>().join("\n");
        let document: Table = toml::from_str(&text).unwrap();
        assert!(
            !schema.is_valid(&json_of(&Value::Table(document))),
            "{text}"
        );
        fleet.file("fleet.toml", text).run(&["check"]).code(1);
    }
}

#[test]
fn reader_and_schema_take_the_same_types() {
    let kinds = [
        Value::from("x"),
        Value::from(5),
        Value::from(0.5),
        Value::from(true),
        Value::Array(Vec::new()),
        Value::Table(Table::new()),
    ];
    let mut refused = 0;
    for (schema, reader, mistakes) in both() {
        let validator = validator(&schema);
        let places = reader.keys().filter(|path| {
            let narrowed = ["expires.*", "url.*"].iter().any(|it| path.ends_with(it));
            !narrowed && !path.is_empty() && *path != "git.forge"
        });
        for path in places {
            for kind in &kinds {
                let document = whole(&schema, document(path, kind.clone()));
                let is_right = mistakes(&document) == 0;
                let instance = json_of(&Value::Table(document.clone()));
                assert_eq!(
                    validator.is_valid(&instance),
                    is_right,
                    "{path}: {document:?}"
                );
                refused += usize::from(!is_right);
            }
        }
    }
    assert!(refused > 400, "{refused}");
}

#[test]
fn reader_and_schema_refuse_keys_that_nobody_knows() {
    for (schema, reader, mistakes) in both() {
        let validator = validator(&schema);
        let is_fixed = |path: &&String| {
            let begin = format!("{path}.");
            let begin = begin.trim_start_matches('.');
            let mut below = reader
                .keys()
                .filter(|it| it.starts_with(begin) && !it.is_empty());
            reader[*path] == "table" && below.all(|it| !it[begin.len()..].starts_with('*'))
        };
        let tables: Vec<&String> = reader.keys().filter(is_fixed).collect();
        assert!(tables.len() > 4, "{tables:?}");
        for path in tables {
            let key = format!("{path}.nobody-knows-me");
            for (path, is_right) in [(path.as_str(), true), (key.trim_start_matches('.'), false)] {
                let value = if is_right {
                    Value::Table(Table::new())
                } else {
                    Value::from("x")
                };
                let document = whole(&schema, document(path, value));
                let instance = json_of(&Value::Table(document.clone()));
                assert_eq!(mistakes(&document) == 0, is_right, "{path}");
                assert_eq!(validator.is_valid(&instance), is_right, "{path}");
            }
        }
    }
}

/// Every example in a schema, with its place.
fn examples(schema: &Json, path: &str, all: &mut Vec<(String, Json)>) {
    let below = |key: &str| format!("{path}.{key}").trim_start_matches('.').to_owned();
    for example in schema["examples"].as_array().into_iter().flatten() {
        all.push((path.to_owned(), example.clone()));
    }
    for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
        assert!(
            schema["description"].is_string() || path.ends_with("url"),
            "{path}.{key}"
        );
        examples(schema, &below(key), all);
    }
    if schema["additionalProperties"].is_object() {
        examples(&schema["additionalProperties"], &below("*"), all);
    }
    if schema["items"].is_object() {
        examples(&schema["items"], &below("[]"), all);
    }
}

#[test]
fn every_example_is_right_and_every_leaf_has_one() {
    for (schema, reader, mistakes) in both() {
        let validator = validator(&schema);
        let mut all = Vec::new();
        examples(&schema, "", &mut all);
        for (path, example) in &all {
            let document = whole(&schema, document(path, Value::try_from(example).unwrap()));
            let instance = json_of(&Value::Table(document.clone()));
            assert_eq!(mistakes(&document), 0, "{path}");
            assert!(validator.is_valid(&instance), "{path}");
        }
        let leaves = reader.iter().filter(|(path, kind)| {
            *kind != "table"
                && !path.ends_with('*')
                && !path.ends_with("[]")
                && *path != "vault.allow"
        });
        for (path, _) in leaves {
            let has = all.iter().any(|(there, _)| there == path);
            assert!(has || path.ends_with("groups.*"), "{path} has no example");
        }
    }
}

#[test]
fn the_examples_of_fleet_toml_are_a_fleet() {
    let mut all = Vec::new();
    examples(&schema::fleet(), "", &mut all);
    let mut fleet = Table::new();
    let shared = [
        "name", "id", "requires", "git", "os", "network", "stick", "vault",
    ];
    for (path, example) in all {
        let keys: Vec<&str> = path.split('.').collect();
        let (last, above) = keys.split_last().unwrap();
        // A second example of a key is another choice; an example of an item stands in that of the array.
        if !shared.contains(&keys[0]) || keys.iter().any(|key| ["[]", "*"].contains(key)) {
            continue;
        }
        let table = above.iter().fold(&mut fleet, |table, key| {
            let below = table.entry(*key).or_insert(Value::Table(Table::new()));
            below.as_table_mut().unwrap()
        });
        table
            .entry(*last)
            .or_insert(Value::try_from(example).unwrap());
    }
    let text = toml::to_string(&fleet).unwrap();
    let run = Fleet::new().file("fleet.toml", &text).run(&["check"]);
    assert_eq!(run.code, Some(0), "{text}{}", run.stderr);
}

#[test]
fn the_fleets_of_this_repository_fit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = fs::read_dir(root.join("tests/cases")).unwrap();
    let mut fleets: Vec<_> = cases.map(|it| it.unwrap().path().join("in")).collect();
    fleets.push(root.to_owned());
    let (of_fleet, of_node) = (validator(&schema::fleet()), validator(&schema::node()));
    let mut nodes = 0;
    let fits = |path: &Path, validator: &Validator| {
        let document: Table = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let instance = json_of(&Value::Table(document));
        let error = validator.validate(&instance).err();
        assert!(error.is_none(), "{}: {error:?}", path.display());
    };
    assert!(fleets.len() > 4);
    for fleet in fleets {
        fits(&fleet.join("fleet.toml"), &of_fleet);
        for node in fs::read_dir(fleet.join("nodes")).unwrap() {
            fits(&node.unwrap().path(), &of_node);
            nodes += 1;
        }
    }
    assert!(nodes > 10, "{nodes}");
}

#[test]
fn a_schema_is_printed_for_each_kind_of_file() {
    let fleet = Fleet::empty();
    let printed =
        |args: &[&str]| -> Json { serde_json::from_str(&fleet.run(args).code(0).stdout).unwrap() };
    assert_eq!(printed(&["schema"]), schema::fleet());
    assert_eq!(printed(&["schema", "fleet"]), schema::fleet());
    assert_eq!(printed(&["schema", "node"]), schema::node());
    fleet.run(&["schema", "lock"]).code(64);
}
