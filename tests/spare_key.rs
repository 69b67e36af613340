//! `check` warns where one lost key would lose values.

use serde_json::Value;

use crate::exposed::{ALICE, BOB, CAROL, fleet, secret, toml, value};
use crate::fleet::Fleet;

const WARNING: &str = "encrypted to one key alone, and lost with it";

#[test]
fn with_one_recipient_check_warns_and_succeeds() {
    let fleet = fleet(
        &format!("recipients = [\"{ALICE}\"]"),
        &value(&[ALICE]),
        &value(&[ALICE]),
    );
    let run = fleet
        .run(&["check"])
        .code(0)
        .prints(&["2 nodes, no mistakes"]);
    run.says(&[
        &format!("warning: 2 values are {WARNING}\n"),
        "fleet.toml:7:14",
        "add a second key that is kept elsewhere",
        "`ephemeros secrets rekey`",
    ]);
    let told: Value =
        serde_json::from_str(&fleet.run(&["check", "--json"]).code(0).stdout).unwrap();
    assert_eq!(told["mistakes"][0]["severity"], "warning");
    // What is planned and rendered is none the worse for it.
    fleet.renders().hides(WARNING);
    // The same key twice is one.
    let twice = format!("\"{ALICE}\", \"{}\"", ALICE.to_uppercase());
    fleet.replace("fleet.toml", &format!("\"{ALICE}\""), &twice);
    fleet.run(&["check"]).code(0).says(&[WARNING]);
}

#[test]
fn with_two_and_without_a_value_it_does_not() {
    let two = format!("recipients = [\"{ALICE}\", \"{BOB}\"]");
    let fleet = fleet(&two, &value(&[ALICE, BOB]), &value(&[ALICE, BOB]));
    fleet.run(&["check"]).code(0).hides(WARNING);
    let empty = format!("[vault]\nrecipients = [\"{ALICE}\"]\n[defaults.secrets]\n");
    Fleet::new()
        .fleet(&empty)
        .run(&["check"])
        .code(0)
        .hides(WARNING);
}

#[test]
fn a_group_of_readers_is_a_second_key_for_the_values_of_its_nodes() {
    let vault = format!("recipients = [\"{ALICE}\"]\ngroups.ops = [\"{CAROL}\"]");
    let own = value(&[ALICE, CAROL]);
    let fleet = Fleet::new().file("fleet.toml", toml(&vault, "")).node(
        "n1",
        &format!(
            "readers = [\"ops\"]\n{}TOKEN = \"{own}\"\n",
            secret("X_A", &own)
        ),
    );
    fleet.run(&["check"]).code(0).hides(WARNING);
    let alone = value(&[ALICE]);
    let fleet = fleet.node(
        "n2",
        &format!(
            "hostname = \"n2\"\n{}TOKEN = \"{alone}\"\n",
            secret("X_A", &alone)
        ),
    );
    fleet
        .run(&["check"])
        .code(0)
        .says(&["warning: 2 values are "]);
}
