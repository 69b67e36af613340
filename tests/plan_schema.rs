//! The schema of `plan --json` says what `plan --json` prints: every key, and no other.

use ephemeros::plan::document::schema;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::fleet::{Fleet, LOCK};
use crate::repository::{KNOWN_URL, THREE_LINES};
use crate::sticks::{ONE, flash};

/// The schema, by which no other key is allowed.
fn strict() -> Validator {
    fn close(schema: &mut Value) {
        if let Value::Object(fields) = schema {
            if fields.contains_key("properties") {
                fields.insert("additionalProperties".to_owned(), false.into());
            }
            fields.values_mut().for_each(close);
        } else if let Value::Array(items) = schema {
            items.iter_mut().for_each(close);
        }
    }
    let mut schema = schema();
    close(&mut schema);
    jsonschema::validator_for(&schema).unwrap()
}

fn plan(fleet: &Fleet) -> Value {
    serde_json::from_str(&fleet.plans(&["--json"])).unwrap()
}

/// Plans in which everything occurs that a plan can hold.
fn plans() -> Vec<Value> {
    let new = Fleet::new();
    let unchanged = Fleet::committed();
    let changed = Fleet::committed()
        .node("n2", "templates = [\"base.bu\"]\n")
        .file("fleet.lock", LOCK.replace("2.5", "2.6"));
    changed.replace("templates/base.bu", "          two\n", "");
    changed.replace(
        "templates/base.bu",
        "path: /etc/a\n",
        "path: /etc/a\n      mode: 0600\n",
    );
    let removed = Fleet::committed().node("n2", "").without("nodes/n1.toml");
    let stick = Fleet::committed().remote("origin", "https://github.com/acme/fleet");
    flash(&stick, "n1", ONE, None);
    let current = plan(&stick);
    let toml = stick.read("fleet.toml");
    stick.write(
        "fleet.toml",
        toml.clone() + "[network]\nmac = \"52:54:00:12:34:56\"\n",
    );
    let spare = stick.duplicate();
    spare.run(&["sticks", "spare", "11110000"]).code(0);
    let lost = stick.duplicate();
    lost.run(&["sticks", "lost", "11110000"]).code(0);
    let first = stick.duplicate();
    first.write("fleet.toml", toml.replace("1c11\"", "1c12\""));
    let fleets = [new, unchanged, changed, removed, stick, spare, lost, first];
    let mut plans: Vec<Value> = fleets.iter().map(plan).collect();
    plans.push(current);
    plans
}

#[test]
fn every_plan_fits_the_schema() {
    let validator = strict();
    let plans = plans();
    for plan in &plans {
        let mistakes: Vec<String> = validator
            .iter_errors(plan)
            .map(|it| it.to_string())
            .collect();
        assert!(mistakes.is_empty(), "{mistakes:#?}\n{plan:#}");
    }
    let all = Value::from(plans).to_string();
    for cost in [
        "nothing",
        "reboot",
        "reflash",
        "reflash-first",
        "first-flash",
        "removed",
    ] {
        assert!(
            all.contains(&format!("\"cost\":\"{cost}\"")),
            "no plan with {cost}"
        );
    }
    for word in ["added", "changed", "active", "spare", "lost", "current"] {
        assert!(all.contains(&format!(":\"{word}\"")), "no plan with {word}");
    }
}

#[test]
fn what_is_no_plan_does_not_fit() {
    let schema = schema();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES);
    let good = plan(&fleet);
    assert!(validator.is_valid(&good));
    let broken: [fn(&mut Value); 8] = [
        |plan| plan["format"] = json!(2),
        |plan| drop(plan.as_object_mut().unwrap().remove("base")),
        |plan| plan["summary"] = json!({ "reboot": "1" }),
        |plan| plan["notes"] = json!([1]),
        |plan| plan["nodes"][0]["cost"] = json!("none"),
        |plan| plan["nodes"][0]["changes"][0]["kind"] = json!("moved"),
        |plan| plan["nodes"][0]["meanwhile"] = Value::Null,
        |plan| plan["nodes"][0]["sticks"] = json!([{}]),
    ];
    for (number, break_it) in broken.into_iter().enumerate() {
        let mut plan = good.clone();
        break_it(&mut plan);
        assert!(!validator.is_valid(&plan), "{number}: {plan:#}");
    }
    // A later version of the tool may say more.
    let mut more = good;
    more["more"] = json!(1);
    assert!(validator.is_valid(&more));
}

/// Whoever reads it finds what each key means.
fn assert_described(schema: &Value) {
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        assert!(property["description"].is_string(), "{key} in {schema:#}");
    }
    if let Value::Object(fields) = schema {
        fields.values().for_each(assert_described);
    }
}

#[test]
fn the_command_prints_it() {
    let fleet = Fleet::empty();
    let run = fleet.run(&["schema", "plan"]).code(0);
    let printed: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(printed, schema());
    assert_described(&printed);
}
