//! From a document to a typed value. A mistake is written down and a default takes its place, so that one
//! run finds them all: unknown keys with the nearest known one, wrong types, unknown variants.

use std::cell::RefCell;
use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::document::{Item, Table, Value};
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;

/// Types an item. The mistakes found on the way are added to `diagnostics`.
pub fn decode<T: DeserializeOwned + Default>(item: &Item, diagnostics: &mut Vec<Diagnostic>) -> T {
    let mistakes = RefCell::new(Vec::new());
    let decoder = Decoder {
        item,
        mistakes: &mistakes,
    };
    let decoded = T::deserialize(decoder).unwrap_or_else(|Failure(message)| {
        mistakes.borrow_mut().push(item.error(message));
        T::default()
    });
    diagnostics.append(&mut mistakes.into_inner());
    decoded
}

/// What serde makes of a value that fits no field; ours fit by construction.
#[derive(Debug)]
struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

#[derive(Clone, Copy)]
struct Decoder<'a> {
    item: &'a Item,
    mistakes: &'a RefCell<Vec<Diagnostic>>,
}

impl<'a> Decoder<'a> {
    fn of(self, item: &'a Item) -> Self {
        Self { item, ..self }
    }

    fn expected(self, what: &str) {
        let found = self.item.value.kind();
        let help = match (what, &self.item.value) {
            ("a string", Value::Array(_) | Value::Table(_)) => "write one value, in quotes",
            ("a string", _) => "write the value in quotes",
            ("an array", _) => "write the values in brackets: `[\"…\"]`",
            ("a table", _) => {
                "write it as a table: a `[header]` with keys below it, or `{ key = … }`"
            }
            _ => "write it without quotes",
        };
        let mistake = self.item.error(format!("expected {what}, found {found}"));
        self.mistakes.borrow_mut().push(mistake.help(help));
    }

    fn unknown_key(self, item: &Item, key: &str, known: &[&str]) {
        let help = match nearest(key, known.iter().copied()) {
            Some(near) => format!("a key with a similar name exists: `{near}`"),
            None => format!("the keys known here are {}", list(known)),
        };
        let mistake = item.key_error(format!("unknown key `{key}`")).help(help);
        self.mistakes.borrow_mut().push(mistake);
    }
}

fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

impl<'de> de::Deserializer<'de> for Decoder<'_> {
    type Error = Failure;

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if let Value::Boolean(boolean) = self.item.value {
            return visitor.visit_bool(boolean);
        }
        self.expected("true or false");
        visitor.visit_bool(false)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if let Value::Integer(integer) = self.item.value {
            return visitor.visit_i64(integer);
        }
        self.expected("an integer");
        visitor.visit_i64(0)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if let Some(text) = self.item.text() {
            return visitor.visit_str(text);
        }
        self.expected("a string");
        visitor.visit_str("")
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if !matches!(self.item.value, Value::Array(_)) {
            self.expected("an array");
        }
        visitor.visit_seq(Items {
            of: self,
            rest: self.item.array().iter(),
        })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        if let Some(table) = self.item.table() {
            return visitor.visit_map(Entries::of(self, table.iter()));
        }
        self.expected("a table");
        visitor.visit_map(Entries::of(self, Table::default().iter()))
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match &self.item.value {
            Value::Written => self.deserialize_string(visitor),
            Value::String(text) | Value::Datetime(text) => visitor.visit_str(text),
            Value::Integer(integer) => visitor.visit_i64(*integer),
            Value::Float(float) => visitor.visit_f64(*float),
            Value::Boolean(boolean) => visitor.visit_bool(*boolean),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Table(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let Some(table) = self.item.table() else {
            self.expected("a table");
            return visitor.visit_map(Entries::of(self, Table::default().iter()));
        };
        let mut known = Vec::new();
        for (key, item) in table {
            if fields.contains(&key) {
                known.push((key, item));
            } else {
                self.unknown_key(item, key, fields);
            }
        }
        visitor.visit_map(Entries::of(self, known.into_iter()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let known = self.item.text().filter(|text| variants.contains(text));
        if known.is_none() {
            let mut mistake = match self.item.text() {
                Some(text) => self.item.error(format!("unknown value `{text}`")),
                None => self.item.error(format!(
                    "expected a string, found {}",
                    self.item.value.kind()
                )),
            };
            mistake = mistake.help(format!("write one of {}", list(variants)));
            self.mistakes.borrow_mut().push(mistake);
        }
        let variant = known.or(variants.first().copied()).unwrap_or_default();
        visitor.visit_enum(variant.into_deserializer())
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_string(visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple
        tuple_struct identifier ignored_any
    }
}

struct Items<'a> {
    of: Decoder<'a>,
    rest: std::slice::Iter<'a, Item>,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Failure> {
        let next = self.rest.next();
        next.map(|item| seed.deserialize(self.of.of(item)))
            .transpose()
    }
}

struct Entries<'a, I> {
    of: Decoder<'a>,
    rest: I,
    value: Option<&'a Item>,
}

impl<'a, I> Entries<'a, I> {
    fn of(of: Decoder<'a>, rest: I) -> Self {
        Self {
            of,
            rest,
            value: None,
        }
    }
}

impl<'de, 'a, I: Iterator<Item = (&'a str, &'a Item)>> de::MapAccess<'de> for Entries<'a, I> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Failure> {
        let Some((key, item)) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(item);
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Failure> {
        let item = self
            .value
            .take()
            .ok_or_else(|| Failure("a value without its key".to_owned()))?;
        seed.deserialize(self.of.of(item))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::source::Source;

    #[derive(Deserialize, Default, Debug, PartialEq)]
    #[serde(default)]
    struct Sample {
        name: Option<String>,
        tags: Vec<String>,
        arch: Arch,
        env: BTreeMap<String, String>,
        vars: BTreeMap<String, serde_json::Value>,
    }

    #[derive(Deserialize, Default, Debug, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Arch {
        #[default]
        Amd64,
        Arm64,
    }

    fn decoded(text: &str) -> (Sample, Vec<(String, String)>) {
        let (item, mut mistakes) = Item::parse(&Source::file("a.toml", text));
        let sample = decode(&item, &mut mistakes);
        let told = mistakes
            .into_iter()
            .map(|mistake| {
                let label = &mistake.labels[0];
                let marked = label.source.text[label.span.clone()].to_owned();
                (mistake.message, marked)
            })
            .collect();
        (sample, told)
    }

    #[test]
    fn types_what_is_right() {
        let (sample, told) = decoded(
            "name = \"n\"\narch = \"arm64\"\ntags = [\"a\"]\n[vars]\nn = 1\nt.u = [true]\n",
        );
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(sample.name.as_deref(), Some("n"));
        assert_eq!(sample.arch, Arch::Arm64);
        assert_eq!(sample.vars["t"], serde_json::json!({"u": [true]}));
    }

    #[test]
    fn tells_every_mistake_with_its_place() {
        let (sample, told) = decoded(
            "nmae = \"n\"\narch = \"amd46\"\ntags = \"a\"\n[env]\nPORT = 6514\nHOST = \"h\"\n",
        );
        let mistakes: Vec<(&str, &str)> = told
            .iter()
            .map(|(m, at)| (m.as_str(), at.as_str()))
            .collect();
        assert_eq!(
            mistakes,
            [
                ("unknown key `nmae`", "nmae"),
                ("unknown value `amd46`", "\"amd46\""),
                ("expected a string, found an integer", "6514"),
                ("expected an array, found a string", "\"a\""),
            ]
        );
        assert_eq!(sample.env["HOST"], "h");
    }
}
