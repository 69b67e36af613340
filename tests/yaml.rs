//! What another library writes as YAML is read here as the same.

use ephemeros::yaml::scalar::{Scalar, resolve};
use ephemeros::yaml::{Content, Node, parse};
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Texts that look like something else.
const TRICKY: &[&str] = &[
    "",
    "~",
    "null",
    "yes",
    "0644",
    "1e3",
    "<<",
    "- a",
    "a: b",
    "#",
    " x ",
    "\"'",
    "a\n\n b\n",
    "!t",
    "&a",
    "*a",
    "%",
    "@",
    "|",
    ">",
    "{",
    "]",
    "\u{85}",
    "\u{feff}",
    "\t",
];

/// Those, and texts of any characters.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(TRICKY).prop_map(str::to_owned),
        ".{0,12}",
        "[a-z:#\\-\" \n]{0,20}",
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(texts(), inner, 0..5)
                .prop_map(|entries| Value::from(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Whether a node says what a value says. A text is compared as a text field would take it.
fn says(node: &Node, value: &Value) -> bool {
    match (value, &node.content) {
        (Value::String(text), Content::Scalar { .. }) => node.text() == Some(text),
        (Value::Array(values), Content::Sequence(nodes)) => {
            values.len() == nodes.len()
                && nodes
                    .iter()
                    .zip(values)
                    .all(|(node, value)| says(node, value))
        }
        (Value::Object(values), Content::Mapping(entries)) => {
            let said = |(key, node): &(Node, Node)| {
                let key = key.text().unwrap_or_default();
                values.get(key).is_some_and(|value| says(node, value))
            };
            values.len() == entries.len() && entries.iter().all(said)
        }
        (Value::Null, _) => matches!(resolve(node), Ok(Some(Scalar::Null))),
        (Value::Bool(bool), _) => {
            matches!(resolve(node), Ok(Some(Scalar::Bool(read))) if read == *bool)
        }
        (Value::Number(number), _) => {
            matches!(resolve(node), Ok(Some(Scalar::Int(read))) if number.as_i64().map(i128::from) == Some(read))
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn what_serde_yaml_writes_is_read_as_it_was(value in values()) {
        let text = serde_yaml::to_string(&value).expect("any such value can be written");
        let node = parse(&text).map_err(|mistakes| {
            TestCaseError::fail(format!("{}: {text:?}", mistakes[0].message))
        })?;
        prop_assert!(says(&node, &value), "{text:?} is not {value}");
    }

    #[test]
    fn another_value_is_told_apart(value in values(), other in values()) {
        prop_assume!(value != other);
        let text = serde_yaml::to_string(&value).expect("any such value can be written");
        let node = parse(&text).expect("read above");
        prop_assert!(!says(&node, &other), "{text:?} is not {other}");
    }
}
