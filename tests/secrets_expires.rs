//! Dates of secrets: written with the value, gone with it, and told ahead.

use std::process::Command;

use serde_json::Value;

use crate::fleet::{Fleet, Run};
use crate::secrets::{demo, fleet, get, sealed, set};

/// The day so many days from now, as `date` has it.
fn day(from_now: i64) -> String {
    let mut date = Command::new("date");
    date.args(["-u", "-d", &format!("{from_now} days"), "+%F"]);
    String::from_utf8(date.output().unwrap().stdout)
        .unwrap()
        .trim()
        .to_owned()
}

#[track_caller]
fn set_until(fleet: &Fleet, place: &str, name: &str, date: &str) -> Run {
    let args = ["secrets", "set", place, name, "--expires", date];
    fleet.command(&args).stdin("canary").run().hides("canary")
}

/// Every place has the value, so that the fleet renders.
fn full() -> Fleet {
    let fleet = fleet();
    for place in ["n2", "role:web", "defaults"] {
        set(&fleet, place, "TOKEN", "1").code(0);
    }
    fleet
}

#[test]
fn a_date_is_written_with_its_value_and_goes_with_it() {
    let fleet = full();
    let before = fleet.files();
    let date = day(100);
    for (place, file, table) in [
        ("n1", "nodes/n1.toml", "[expires]"),
        ("role:web", "fleet.toml", "[roles.web.expires]"),
        ("defaults", "fleet.toml", "[defaults.expires]"),
    ] {
        let run = set_until(&fleet, place, "X_A", &date).code(0);
        run.says(&[
            &format!("set X_A in {file}, version "),
            &format!(", expires on {date}\n"),
        ]);
        let text = fleet.read(file);
        assert!(text.contains(&format!("{table}\nX_A = {date}\n")), "{text}");
        fleet.renders();
        // Another value, another date.
        let later = day(200);
        set_until(&fleet, place, "X_A", &later).code(0);
        let text = fleet.read(file);
        assert!(
            text.contains(&format!("{table}\nX_A = {later}\n")),
            "{text}"
        );
        assert!(!text.contains(&date), "{text}");
        // Another value, no date.
        let run = set(&fleet, place, "X_A", "2").code(0);
        run.says(&[
            "set X_A in ",
            &format!("{later}, which went with it"),
            "--expires DATE",
        ]);
        assert!(!fleet.read(file).contains("expires"));
        set_until(&fleet, place, "X_A", &date).code(0);
        set_until(&fleet, place, "X_B", &date).code(0);
        fleet.run(&["secrets", "rm", place, "X_A"]).code(0);
        let text = fleet.read(file);
        assert!(text.contains(&format!("{table}\nX_B = {date}\n")), "{text}");
        fleet.run(&["secrets", "rm", place, "X_B"]).code(0);
        assert!(!fleet.read(file).contains("expires"));
    }
    let mut after = fleet.files();
    after.retain(|path, _| before.contains_key(path));
    assert!(before == after);
}

#[test]
fn a_date_that_is_none_or_has_passed_is_refused() {
    let fleet = full();
    let before = fleet.files();
    for date in [
        "soon",
        "2027-02-30",
        "2027-1-1",
        "01/02/2030",
        "2030-01-01T00:00:00Z",
        "",
    ] {
        set_until(&fleet, "n1", "X_A", date)
            .code(64)
            .says(&["error: ", "--expires", "2027-03-01"]);
    }
    let yesterday = day(-1);
    set_until(&fleet, "n1", "X_A", &yesterday)
        .code(1)
        .says(&[&format!("error: {yesterday} is in the past"), "last day"]);
    assert!(before == fleet.files());
    set_until(&fleet, "n1", "X_A", &day(0)).code(0);
}

#[test]
fn dates_that_are_wrong_are_mistakes_of_the_file() {
    let fleet = full();
    set_until(&fleet, "n1", "X_A", "9000-01-01").code(0);
    let text = fleet.read("nodes/n1.toml");
    for (line, says) in [
        (
            "X_A = \"9000-01-01\"",
            &[
                "`X_A` expires on no date",
                "nodes/n1.toml:",
                "X_A = 2027-03-01",
            ][..],
        ),
        ("X_A = 9000-01-01T00:00:00Z", &["`X_A` expires on no date"]),
        ("X_A = 9000", &["`X_A` expires on no date"]),
        (
            "X_AA = 9000-01-01",
            &[
                "there is no secret `X_AA` beside its date",
                "nodes/n1.toml:",
                "`X_A`",
            ],
        ),
        // Inherited, which is not beside it.
        (
            "TOKEN = 9000-01-01",
            &[
                "there is no secret `TOKEN` beside its date",
                "`ephemeros secrets set n1 TOKEN --expires DATE`",
            ],
        ),
    ] {
        fleet.write("nodes/n1.toml", text.replace("X_A = 9000-01-01", line));
        fleet.refuses().says(says);
        fleet.run(&["check"]).code(1).says(says);
    }
    fleet.write(
        "nodes/n1.toml",
        format!(
            "expires = 5\n{}",
            text.replace("[expires]\nX_A = 9000-01-01\n", "")
        ),
    );
    fleet
        .refuses()
        .says(&["expected a table, found an integer"]);
    fleet.write("nodes/n1.toml", text.replace("[expires]", "[expire]"));
    fleet.refuses().says(&["unknown key `expire`", "`expires`"]);
}

#[test]
fn plan_and_list_warn_sixty_days_ahead_and_afterwards() {
    let fleet = full();
    set_until(&fleet, "role:web", "X_A", &day(30)).code(0);
    let text = fleet.read("fleet.toml");
    fleet.renders();
    let near = |days: i64| {
        fleet.write("fleet.toml", text.replace(&day(30), &day(days)));
        [
            &["plan"][..],
            &["secrets", "list"],
            &["secrets", "list", "--json"],
        ]
        .map(|args| fleet.run(args).code(0))
    };
    for (days, says) in [
        (-400, "`X_A` expired on "),
        (-1, "`X_A` expired on "),
        (0, "`X_A` expires today, "),
        (1, "`X_A` expires tomorrow, "),
        (2, "`X_A` expires in 2 days, on "),
        (60, "`X_A` expires in 60 days, on "),
    ] {
        for run in near(days) {
            run.says(&[
                &format!("warning: {says}{}", day(days)),
                "fleet.toml:",
                "`ephemeros secrets set role:web X_A --expires DATE`",
            ]);
        }
        // What these say depends on the files alone.
        for args in [&["render"][..], &["check"]] {
            fleet.run(args).code(0).hides("expire");
        }
    }
    for days in [61, 100, 10_000] {
        for run in near(days) {
            assert!(!run.stderr.contains("X_A"), "{}", run.stderr);
        }
    }
    fleet.run(&["-q", "plan"]).code(0).hides("expires");
}

#[test]
fn list_shows_the_date_of_the_value_that_holds() {
    let fleet = full();
    set_until(&fleet, "role:web", "TOKEN", "9000-01-01").code(0);
    set(&fleet, "n2", "TOKEN", "its own").code(0);
    let list = fleet.run(&["secrets", "list"]).code(0).stdout;
    let lines: Vec<&str> = list.lines().step_by(2).collect();
    assert!(
        lines[0].contains("fleet.toml") && lines[0].ends_with("n1  expires 9000-01-01"),
        "{list}"
    );
    // The date of the role is not that of the node's own value.
    assert!(
        lines[2].contains("nodes/n2.toml") && lines[2].ends_with("  n2"),
        "{list}"
    );
    let told = fleet.run(&["secrets", "list", "--json"]).code(0).stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["secrets"][0]["expires"], "9000-01-01");
    assert_eq!(told["secrets"][2]["expires"], Value::Null);
    let profile = fleet.run(&["show", "n2"]).code(0);
    profile.hides("expires");
}

#[test]
fn rekey_and_edit_keep_the_dates_of_what_they_keep() {
    let fleet = full();
    for name in ["X_A", "X_B", "X_C"] {
        set_until(&fleet, "n1", name, "9000-01-01").code(0);
    }
    let home = fleet.home();
    let identity = demo();
    let args = ["secrets", "edit", "n1", "-i", identity.to_str().unwrap()];
    let old = sealed(&fleet, "nodes/n1.toml", "X_A");
    let script = "sed -i -e '/^X_B/s/canary/x/' -e '/^X_C/d'";
    let run = fleet.command(&args).env("EDITOR", script).run().code(0);
    run.says(&[
        "set X_B in ",
        "removed X_C from ",
        "the old value of X_B had a date, 9000-01-01",
    ])
    .hides("canary");
    let text = fleet.read("nodes/n1.toml");
    assert!(text.ends_with("\n[expires]\nX_A = 9000-01-01\n"), "{text}");
    assert_eq!(sealed(&fleet, "nodes/n1.toml", "X_A"), old);
    let key = home.join("key");
    let new = fleet
        .run(&["secrets", "keygen", "-o", key.to_str().unwrap()])
        .code(0);
    fleet.replace(
        "fleet.toml",
        "recipients = [",
        &format!("recipients = [{:?}, ", new.stdout.trim()),
    );
    fleet
        .run(&["secrets", "rekey", "-i", identity.to_str().unwrap()])
        .code(0);
    let text = fleet.read("nodes/n1.toml");
    assert!(text.ends_with("\n[expires]\nX_A = 9000-01-01\n"), "{text}");
    assert_ne!(sealed(&fleet, "nodes/n1.toml", "X_A"), old);
    assert_eq!(get(&fleet, "n1", "X_B"), b"x");
}
