//! `secrets list`: for whom each value is, and since when it stands in git.

use std::fs;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::exposed::{
    ALICE, BOB, CAROL, DAVE, alone, begin, both, commit, fleet, long, secret, toml, value, version,
};
use crate::fleet::Fleet;
use crate::rekey::tell;
use crate::secrets::demo;

#[track_caller]
fn told(fleet: &Fleet, args: &[&str]) -> Vec<Value> {
    let run = fleet.run(&[&["secrets", "list", "--json"], args].concat());
    let run = run.code(0).hides("hunter2").hides("YWdl");
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told["format"], 1);
    told["secrets"].as_array().unwrap().clone()
}

/// The day so many days ago, as git takes it.
fn ago(days: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seconds = now.as_secs() - days * 24 * 60 * 60 - 60;
    let mut date = std::process::Command::new("date");
    let output = date
        .args(["-u", "+%Y-%m-%dT%H:%M:%SZ", "-d", &format!("@{seconds}")])
        .output();
    String::from_utf8(output.unwrap().stdout)
        .unwrap()
        .trim()
        .to_owned()
}

#[test]
fn each_value_says_for_whom_it_is_and_since_which_commit() {
    let vault = format!(
        "recipients = [\n  \"{ALICE}\",  # alice@desk\n  \"{BOB}\",\n]\n[vault.groups]\nops = [\"{CAROL} carol\\u001b[2J\"]\n"
    );
    let (token, own) = (value(&[ALICE, BOB]), value(&[ALICE, BOB, CAROL]));
    let fleet = fleet(&vault, &token, &own);
    let readers = "readers = [\"ops\"]\n";
    let fleet = fleet.node("n1", &format!("{readers}{}", secret("X_A", &own)));
    let first = begin(&fleet, "2026-01-31");
    commit(&fleet, "2026-02-01");
    let run = fleet.run(&["secrets", "list"]).code(0).hides("\u{1b}");
    let since = format!("since {} of 2026-01-31", &first[..7]);
    assert_eq!(
        run.stdout,
        format!(
            "TOKEN  fleet.toml:18    {}  n1, n2\n    {since}; 2 recipients: alice@desk, age1t7rxyev2…\n\
             X_A    nodes/n1.toml:4  {}  n1\n    {since}; 3 recipients: alice@desk, age1t7rxyev2…, the group ops\n",
            version(&token),
            version(&own)
        )
    );
    let rows = told(&fleet, &[]);
    assert_eq!(
        rows[1]["since"],
        json!({"commit": first, "date": "2026-01-31", "or_before": false})
    );
    assert_eq!(
        rows[1]["recipients"],
        json!([
            {"key": ALICE, "label": "alice@desk", "group": null},
            {"key": BOB, "label": null, "group": null},
            {"key": CAROL, "label": "carol\u{1b}[2J", "group": "ops"},
        ])
    );
    // Encrypted to others than today's: who they are `fleet.toml` does not say.
    fleet.replace("fleet.toml", BOB, DAVE);
    let run = fleet.run(&["secrets", "list"]).code(0);
    run.prints(&["; not encrypted to today's recipients: run `ephemeros secrets rekey`\n"]);
    assert_eq!(told(&fleet, &[])[0]["recipients"], Value::Null);
}

#[test]
fn a_version_keeps_its_age_through_rekey_and_rename_and_a_new_one_has_none() {
    let (token, own) = (value(&[ALICE, BOB]), value(&[ALICE, BOB]));
    let fleet = fleet(&both(), &token, &own);
    begin(&fleet, &ago(214));
    fleet.replace("fleet.toml", &both(), &alone());
    let key = demo();
    fleet
        .run(&["secrets", "rekey", "-i", key.to_str().unwrap()])
        .code(0);
    fleet.git_says(&["mv", "nodes/n1.toml", "nodes/m1.toml"]);
    commit(&fleet, &ago(100));
    crate::secrets::set(&fleet, "n2", "X_A", "later").code(0);
    commit(&fleet, &ago(1));
    let ages = |rows: Vec<Value>| {
        let age = |row: &Value| {
            (
                row["origin"].as_str().unwrap().to_owned(),
                row["age_days"].as_u64(),
            )
        };
        rows.iter().map(age).collect::<Vec<_>>()
    };
    let row = |origin: &str, age: u64| (origin.to_owned(), Some(age));
    let by_name = [
        row("fleet.toml:14", 214),
        row("nodes/m1.toml:3", 214),
        row("nodes/n2.toml:4", 1),
    ];
    assert_eq!(ages(told(&fleet, &[])), by_name);
    crate::secrets::set(&fleet, "role:web", "TOKEN", "new").code(0);
    let mut oldest_first = [
        row("nodes/m1.toml:3", 214),
        row("nodes/n2.toml:4", 1),
        row("fleet.toml:14", 0),
    ];
    oldest_first[2].1 = None;
    assert_eq!(ages(told(&fleet, &["--age"])), oldest_first);
    let run = fleet.run(&["secrets", "list", "--age"]).code(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert!(
        lines[1].starts_with("    214 days, since "),
        "{}",
        run.stdout
    );
    assert!(lines[3].starts_with("    1 day, since "), "{}", run.stdout);
    assert_eq!(lines[5], "    uncommitted; 1 recipient: alice@desk");
    // What another branch has committed is not committed here.
    fleet.git_says(&["checkout", "--quiet", "-b", "side"]);
    commit(&fleet, &ago(0));
    let text = fleet.read("fleet.toml");
    fleet.git_says(&["checkout", "--quiet", "main"]);
    fleet.write("fleet.toml", text);
    assert_eq!(told(&fleet, &[])[0]["since"], Value::Null);
    // Nor is what was taken out and is back.
    let old = fleet.read("nodes/n2.toml");
    fleet.write("nodes/n2.toml", "roles = [\"web\"]\n");
    commit(&fleet, &ago(0));
    fleet.write("nodes/n2.toml", old);
    assert_eq!(told(&fleet, &["n2"])[1]["since"], Value::Null);
}

#[test]
fn values_that_no_node_has_are_listed_and_not_where_nodes_are_asked_for() {
    let fleet = fleet(&alone(), &value(&[ALICE]), &value(&[ALICE]));
    let unused = format!(
        "[roles.web.secrets]\nTOKEN = \"{}\"\n[defaults.secrets]\nX_A = \"{0}\"\n[roles.idle.secrets]\nIDLE = \"{0}\"\n",
        value(&[ALICE])
    );
    let fleet = fleet
        .file("fleet.toml", toml(&alone(), &unused))
        .node("n2", &secret("X_A", &value(&[ALICE])));
    let names = |args: &[&str]| {
        let rows = told(&fleet, args);
        let row = |row: &Value| format!("{} {}", row["name"].as_str().unwrap(), row["nodes"]);
        rows.iter().map(row).collect::<Vec<_>>()
    };
    let all = [
        "IDLE []",
        "TOKEN [\"n1\",\"n2\"]",
        "X_A []",
        "X_A [\"n1\"]",
        "X_A [\"n2\"]",
    ];
    assert_eq!(names(&[]), all);
    assert_eq!(names(&["n2"]), ["TOKEN [\"n2\"]", "X_A [\"n2\"]"]);
    fleet
        .run(&["secrets", "list"])
        .code(0)
        .prints(&["  no node\n    uncommitted; 1 recipient: alice@desk\n"]);
}

#[test]
fn in_a_clone_that_is_cut_a_value_may_be_older() {
    let fleet = fleet(&alone(), &value(&[ALICE]), &value(&[ALICE]));
    begin(&fleet, "2026-01-01");
    commit(&fleet, "2026-02-01");
    let clone = Fleet::empty();
    fs::remove_dir_all(clone.root()).unwrap();
    let url = format!("file://{}", fleet.root().display());
    fleet.git_says(&[
        "clone",
        "--quiet",
        "--depth=1",
        &url,
        clone.root().to_str().unwrap(),
    ]);
    clone
        .run(&["secrets", "list"])
        .code(0)
        .prints(&[" of 2026-02-01 or before; "]);
}

#[test]
#[cfg_attr(debug_assertions, ignore = "it is about speed")]
fn a_long_history_of_many_nodes_takes_seconds() {
    let fleet = long(1000, 1000);
    let begin = Instant::now();
    assert_eq!(told(&fleet, &[]).len(), 5000);
    let took = begin.elapsed();
    tell(&format!("secrets list: {took:.1?}"));
    assert!(took < Duration::from_secs(15), "{took:?}");
}
