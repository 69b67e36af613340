//! `secrets rm`: a value goes, and nothing else of what people wrote.

use serde_json::Value;

use crate::fleet::Fleet;
use crate::secrets::{fleet, set};

#[test]
fn what_was_set_and_removed_was_never_there() {
    let fleet = fleet();
    let before = fleet.files();
    for place in ["n1", "role:web", "defaults"] {
        for name in ["TOKEN", "X_A", "X_B"] {
            set(&fleet, place, name, "1").code(0);
        }
    }
    for place in ["role:web", "defaults", "n1"] {
        for name in ["X_A", "TOKEN", "X_B"] {
            let run = fleet.run(&["secrets", "rm", place, name]).code(0);
            run.says(&[&format!("removed {name} from ")]);
        }
    }
    assert!(before == fleet.files());
}

#[test]
fn a_role_that_still_needs_the_name_is_warned_of() {
    let fleet = fleet();
    set(&fleet, "role:web", "TOKEN", "1").code(0);
    set(&fleet, "n1", "TOKEN", "2").code(0);
    // The role's own takes its place.
    let run = fleet.run(&["secrets", "rm", "n1", "TOKEN"]).code(0);
    assert_eq!(run.stderr, "removed TOKEN from nodes/n1.toml\n");
    let run = fleet.run(&["secrets", "rm", "role:web", "TOKEN", "--json"]);
    let run = run.code(0).says(&[
        "removed TOKEN from fleet.toml\n",
        "warning: role `web` needs `TOKEN`, and nothing sets it\n",
        "fleet.toml:",
        "note: for n1, and on 1 more: n2",
        "help: set it with `ephemeros secrets set WHERE TOKEN`",
    ]);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told["needed_by"], serde_json::json!(["n1", "n2"]));
    fleet.run(&["render"]).code(1);
    let skipping = fleet
        .read("fleet.toml")
        .replace("env_file", "on_missing = \"skip\"\nenv_file");
    fleet.write("fleet.toml", skipping);
    set(&fleet, "n1", "TOKEN", "1").code(0);
    fleet
        .run(&["secrets", "rm", "n1", "TOKEN"])
        .code(0)
        .says(&["warning: role `web` is left out for want of `TOKEN`"]);
    // A name that the role takes and does not need is no loss.
    set(&fleet, "n1", "X_A", "1").code(0);
    let run = fleet.run(&["secrets", "rm", "n1", "X_A"]).code(0);
    assert_eq!(run.stderr, "removed X_A from nodes/n1.toml\n");
}

#[test]
fn what_can_t_be_removed_is_told_and_changes_nothing() {
    let fleet = fleet();
    set(&fleet, "role:web", "TOKEN", "1").code(0);
    set(&fleet, "n1", "X_A", "1").code(0);
    let before = fleet.files();
    for (place, name, says) in [
        ("n3", "X_A", &["there is no node `n3`", "`n1`"][..]),
        ("role:wbe", "X_A", &["there is no role `wbe`", "`web`"]),
        (
            "n1",
            "X_B",
            &["there is no secret `X_B` in nodes/n1.toml", "`X_A`"],
        ),
        (
            "n1",
            "TOKEN",
            &[
                "there is no secret `TOKEN` in nodes/n1.toml",
                "`role:web` has one: `ephemeros secrets rm role:web TOKEN`",
            ],
        ),
        (
            "defaults",
            "NONE",
            &[
                "there is no secret `NONE` in fleet.toml",
                "`ephemeros secrets list`",
            ],
        ),
    ] {
        let run = fleet.run(&["secrets", "rm", place, name]).code(1);
        let run = run.says(&["error: "]).says(says);
        assert_eq!(run.stdout, "");
        assert!(before == fleet.files(), "{place} {name}");
    }
}

#[test]
fn a_value_that_nobody_encrypted_can_be_removed_and_is_not_shown() {
    let fleet = fleet().node("n1", "[secrets]\nTOKEN = \"hunter2\" # hunter2\n");
    let run = fleet.run(&["secrets", "rm", "n1", "TOKEN"]).code(0);
    run.hides("hunter2");
    assert_eq!(fleet.read("nodes/n1.toml"), "");
    let fleet = fleet.node("n1", "[secrets]\nTOKEN = \"hunter2\nA = 1\n");
    let run = fleet.run(&["secrets", "rm", "n1", "TOKEN"]).code(1);
    run.hides("hunter2").says(&["error: ", "nodes/n1.toml:"]);
}

#[test]
fn two_writers_do_not_meet() {
    let fleet: Fleet = fleet();
    set(&fleet, "n1", "TOKEN", "1").code(0);
    let path = fleet.root().join(".ephemeros.lock");
    let _lock = ephemeros::write::Lock::take(&path, "render").unwrap();
    let run = fleet.run(&["secrets", "rm", "n1", "TOKEN"]).code(1);
    run.says(&["error: another command is writing this fleet: `ephemeros render`"]);
}
