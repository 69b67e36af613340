//! `secrets exposed`: what a lost key, a lost stick or a former colleague could ever read, from all that git remembers.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ephemeros::secrets::recipients::{Recipient, Recipients};
use ephemeros::secrets::value::Secret;
use ephemeros::vault::plugin::Plugins;
use ephemeros::vault::seal::seal;
use serde_json::{Value, json};

use crate::fleet::{Fleet, HEAD, RECIPIENT, Run};
use crate::rekey::tell;
use crate::repository::KNOWN_URL;
use crate::secrets::demo;

/// Keys whose private halves nobody needs here.
pub(crate) const ALICE: &str = RECIPIENT;
pub(crate) const BOB: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
pub(crate) const CAROL: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN";
pub(crate) const DAVE: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

/// A role that takes what tests set.
const ROLE: &str = "[roles.web]\nvariables = [\"X_*\", \"TOKEN\"]\nenv_file = \"web_env\"\n";

/// A value, encrypted to these.
pub(crate) fn value(keys: &[&str]) -> String {
    let keys = keys.iter().map(|key| key.parse::<Recipient>().unwrap());
    seal(
        b"hunter2",
        &keys.collect::<Recipients>(),
        &Plugins::default(),
    )
    .unwrap()
    .to_string()
}

pub(crate) fn version(value: &str) -> &str {
    value.split(':').nth(2).unwrap()
}

/// `fleet.toml` with these lines under `[vault]`, and then more.
pub(crate) fn toml(vault: &str, more: &str) -> String {
    format!("{HEAD}{KNOWN_URL}[vault]\n{vault}\n{ROLE}{more}")
}

pub(crate) fn secret(name: &str, value: &str) -> String {
    format!("roles = [\"web\"]\n[secrets]\n{name} = \"{value}\"\n")
}

/// Two nodes, and a value of the role and one of `n1`.
pub(crate) fn fleet(vault: &str, token: &str, own: &str) -> Fleet {
    Fleet::new()
        .file(
            "fleet.toml",
            toml(
                vault,
                &format!("[roles.web.secrets]\nTOKEN = \"{token}\"\n"),
            ),
        )
        .node("n1", &secret("X_A", own))
        .node("n2", "roles = [\"web\"]\n")
}

/// Everything, at noon of that day where no time is given; its id.
pub(crate) fn commit(fleet: &Fleet, date: &str) -> String {
    fleet.git_says(&["add", "--all"]);
    let mut git = fleet.program("git");
    git.args(["commit", "--quiet", "--allow-empty", "--message=more"])
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{who}_NAME"), "Test")
            .env(format!("GIT_{who}_EMAIL"), "test@example.com")
            .env(
                format!("GIT_{who}_DATE"),
                if date.contains('T') {
                    date.to_owned()
                } else {
                    format!("{date}T12:00:00Z")
                },
            );
    }
    assert!(git.status().unwrap().success());
    fleet.git_says(&["rev-parse", "HEAD"])
}

pub(crate) fn begin(fleet: &Fleet, date: &str) -> String {
    fleet.git_says(&["init", "--quiet", "--initial-branch=main"]);
    commit(fleet, date)
}

#[track_caller]
fn exposed(fleet: &Fleet, args: &[&str]) -> Run {
    let run = fleet.run(&[&["secrets", "exposed"], args].concat()).code(0);
    run.hides("hunter2").hides("YWdl")
}

#[track_caller]
fn told(fleet: &Fleet, args: &[&str]) -> Value {
    let run = exposed(fleet, &[args, &["--json"]].concat());
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told["format"], 1);
    told
}

/// Of each value its place, its name and what became of it.
#[track_caller]
fn states(fleet: &Fleet, args: &[&str]) -> Vec<String> {
    let told = told(fleet, args);
    let values = told["values"].as_array().unwrap().iter();
    let line = values.map(|it| {
        let text = |key: &str| it[key].as_str().unwrap();
        let doubt = if it["certain"] == true { "" } else { "?" };
        format!(
            "{} {} {}{doubt}",
            text("place"),
            text("name"),
            text("state")
        )
    });
    line.collect()
}

pub(crate) fn both() -> String {
    format!("recipients = [\n  \"{ALICE}\",  # alice@desk\n  \"{BOB}\",  # bob@laptop\n]")
}

pub(crate) fn alone() -> String {
    format!("recipients = [\n  \"{ALICE}\",  # alice@desk\n]")
}

#[test]
fn a_lost_key_is_shut_out_in_steps_and_each_says_what_is_left() {
    let (token, own) = (value(&[ALICE, BOB]), value(&[ALICE, BOB]));
    let fleet = fleet(&both(), &token, &own);
    begin(&fleet, "2026-01-01");
    let run = exposed(&fleet, &["--recipient", BOB]).says(&[
        "warning: ",
        "can read what you set from now on, too",
        "fleet.toml:9:3",
        "first take it out here, and run `ephemeros secrets rekey`",
        "2 values to rotate, on 2 sticks; 0 older values",
    ]);
    assert_eq!(
        run.stdout,
        format!(
            "to rotate:\n  TOKEN  role:web (fleet.toml:15)\n    version {}\n    \
             ephemeros secrets set role:web TOKEN\n    then write 2 sticks: n1, n2 (web_env)\n  \
             X_A  n1 (nodes/n1.toml:3)\n    version {}\n    ephemeros secrets set n1 X_A\n    \
             then write the stick of n1 (web_env)\n",
            version(&token),
            version(&own)
        )
    );
    assert!(run.stdout.lines().all(|line| line.len() <= 100));
    // Out, and what stays encrypted anew.
    let key = demo();
    fleet.replace("fleet.toml", &both(), &alone());
    fleet
        .run(&["secrets", "rekey", "-i", key.to_str().unwrap()])
        .code(0);
    commit(&fleet, "2026-02-01");
    let run = exposed(&fleet, &["--recipient", "bob@laptop"]);
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    run.says(&["2 values to rotate, on 2 sticks; 0 older values"]);
    // Another value is none that he could read.
    crate::secrets::set(&fleet, "role:web", "TOKEN", "other").code(0);
    assert_eq!(
        states(&fleet, &["--recipient", BOB]),
        ["n1 X_A current", "role:web TOKEN replaced"]
    );
    exposed(&fleet, &["--recipient", BOB]).prints(&["replaced, uncommitted"]);
    let second = commit(&fleet, "2026-03-01");
    commit(&fleet, "2026-04-01");
    let run = exposed(&fleet, &["--recipient", BOB]).prints(&[
        "older values; whoever gave them out must have revoked them:\n  TOKEN  role:web (fleet.toml)\n",
        &format!("version {}, replaced in {} of 2026-03-01\n", version(&token), &second[..7]),
    ]);
    run.says(&["1 value to rotate, on 1 stick; 1 older value"]);
    fleet.run(&["secrets", "rm", "n1", "X_A"]).code(0);
    let third = commit(&fleet, "2026-05-01");
    let told = told(&fleet, &["--recipient", BOB]);
    assert_eq!(
        told["summary"],
        json!({"rotate": 0, "sticks": [], "older": 2, "plain": 0})
    );
    let last = &told["values"][1];
    assert_eq!(
        (&last["name"], &last["state"]),
        (&json!("X_A"), &json!("removed"))
    );
    assert_eq!(
        last["ended"],
        json!({"commit": third, "date": "2026-05-01"})
    );
    exposed(&fleet, &["--recipient", BOB]).says(&["0 values to rotate; 2 older values"]);
}

#[test]
fn a_program_is_told_every_field() {
    let (token, own) = (value(&[ALICE]), value(&[ALICE]));
    let fleet = fleet(&alone(), &token, &own);
    fleet.replace(
        "fleet.toml",
        "env_file",
        "files.\"tls/key\" = \"TOKEN\"\nenv_file",
    );
    let told = told(&fleet, &["--recipient", ALICE, "--node", "n1"]);
    let expected = json!({
        "name": "TOKEN", "place": "role:web", "file": "fleet.toml", "line": 15, "version": version(&token),
        "certain": true, "exposed_by": [ALICE, "n1"], "state": "current", "ended": null,
        "nodes": [{"node": "n1", "files": ["web_env", "tls/key"]}, {"node": "n2", "files": ["web_env", "tls/key"]}],
        "command": "ephemeros secrets set role:web TOKEN",
        "sticks": [],
    });
    assert_eq!(told["values"][0], expected);
    assert_eq!(told["of"], json!([ALICE, "n1"]));
    assert_eq!(told["summary"]["sticks"], json!(["n1", "n2"]));
    assert_eq!(
        told["notes"],
        json!(["there is no git repository: only the files as they stand were looked at"])
    );
}

#[test]
fn a_key_that_could_read_nothing_is_told_so() {
    let fleet = fleet(&alone(), &value(&[ALICE]), &value(&[ALICE]));
    begin(&fleet, "2026-01-01");
    let run = exposed(&fleet, &["--recipient", BOB]);
    assert_eq!(run.stdout, "");
    run.says(&["no value that the fleet has or ever had could be read"]);
}

#[test]
fn keys_go_by_comment_and_group_too_and_what_names_none_is_refused() {
    let vault = format!(
        "recipients = [\"{ALICE}\", \"{CAROL} carol@desk two\"]\n[vault.groups]\nops = [\"{BOB}\"]\n"
    );
    let (token, own) = (value(&[ALICE, CAROL]), value(&[ALICE, BOB, CAROL]));
    let fleet = fleet(&vault, &token, &own);
    let node = format!("readers = [\"ops\"]\n{}", secret("X_A", &own));
    let fleet = fleet.node("n1", &node);
    begin(&fleet, "2026-01-01");
    fleet.replace("fleet.toml", BOB, DAVE);
    let all = ["role:web TOKEN current", "n1 X_A current"];
    assert_eq!(states(&fleet, &["--recipient", "carol@desk two"]), all);
    assert_eq!(
        states(&fleet, &["--recipient", &format!("{CAROL} other")]),
        all
    );
    // As they stood, too.
    assert_eq!(states(&fleet, &["--recipient", "ops"]), ["n1 X_A current"]);
    assert_eq!(states(&fleet, &["--recipient", BOB]), ["n1 X_A current"]);
    assert_eq!(states(&fleet, &["--recipient", DAVE]), [""; 0]);
    exposed(&fleet, &["--recipient", "ops"]).says(&["warning", "`ops` can read", "fleet.toml:"]);
    let both = told(&fleet, &["--recipient", BOB, "--recipient", ALICE]);
    assert_eq!(both["values"][1]["exposed_by"], json!([BOB, ALICE]));
    exposed(&fleet, &["--recipient", "ops", "--recipient", ALICE])
        .prints(&[", by age1tzha5pml89m07twagpf3… and ops\n"]);
    let refused = |name: &str, says: &[&str]| {
        let run = fleet
            .run(&["secrets", "exposed", "--recipient", name])
            .code(1);
        assert_eq!(run.stdout, "");
        run.says(says);
    };
    refused(
        "carol@dsk two",
        &[
            "no recipient and no group was ever called",
            "did you mean `carol@desk two`?",
        ],
    );
    refused("zebra", &["was ever called `zebra`", "name a key"]);
    refused(
        &BOB[..30],
        &["mistyped or cut short", "copy the public key again"],
    );
    refused("AGE-SECRET-KEY-1QQ", &["private key"]);
    refused("", &["the recipient is empty"]);
    // Two keys of one label, and a group of the same name.
    fleet.replace(
        "fleet.toml",
        DAVE,
        &format!("{CAROL} ops\", \"{DAVE}\", \"{CAROL}\",\n \"{BOB}"),
    );
    fleet.replace(
        "fleet.toml",
        &format!("{BOB}\"]"),
        &format!("{BOB}\"] # carol@desk two"),
    );
    refused("ops", &["the label of a key and the name of a group"]);
    refused(
        "carol@desk two",
        &["was the label of 2 keys: age1t7rxyev2…, ssh-ed25519 …"],
    );
    let usage = fleet.run(&["secrets", "exposed"]).code(64);
    usage.says(&["--recipient <KEY>", "--node <NODE>"]);
}

#[test]
fn who_was_never_committed_is_told_by_the_value_where_that_can_be() {
    let fleet = fleet(&alone(), &value(&[ALICE, CAROL]), &value(&[ALICE, BOB]));
    begin(&fleet, "2026-01-01");
    // An SSH key is named in what is encrypted to it.
    assert_eq!(
        states(&fleet, &["--recipient", CAROL]),
        ["role:web TOKEN current"]
    );
    // An age key isn't: it may be either.
    let maybe = ["role:web TOKEN current?", "n1 X_A current?"];
    assert_eq!(states(&fleet, &["--recipient", BOB]), maybe);
    exposed(&fleet, &["--recipient", BOB]).prints(&["(can't be told: no commit says for whom)"]);
    let only_ssh = secret("X_B", &value(&[CAROL]));
    let fleet = fleet.node("n1", &only_ssh).node("n2", "");
    assert_eq!(
        states(&fleet, &["--recipient", DAVE]),
        ["role:web TOKEN current?", "n1 X_A replaced?"].map(|it| it.replace("replaced", "removed"))
    );
    // The set that it was meant for is known as soon as it stands anywhere.
    fleet.replace("fleet.toml", &alone(), &both());
    assert_eq!(
        states(&fleet, &["--recipient", DAVE]),
        ["role:web TOKEN current?"]
    );
    assert_eq!(
        states(&fleet, &["--recipient", BOB]),
        ["role:web TOKEN current?", "n1 X_A removed"]
    );
}

#[test]
fn everything_that_a_reference_leads_to_counts() {
    let token = value(&[ALICE]);
    let fleet = fleet(&alone(), &token, &value(&[ALICE]));
    begin(&fleet, "2026-01-01");
    let mut versions = Vec::new();
    for (name, then) in [
        ("X_BRANCH", &["branch", "kept"][..]),
        ("X_TAG", &["tag", "-am", "x", "v1"]),
        ("X_REMOTE", &["update-ref", "refs/remotes/origin/x", "HEAD"]),
        ("X_LOST", &["status", "--short"]),
    ] {
        let own = value(&[ALICE, BOB]);
        fleet.write("nodes/n2.toml", secret(name, &own));
        fleet.replace("fleet.toml", &alone(), &both());
        commit(&fleet, "2026-02-01");
        fleet.git_says(then);
        fleet.git_says(&["reset", "--quiet", "--hard", "HEAD~"]);
        versions.push(own);
    }
    assert_eq!(
        states(&fleet, &["--recipient", BOB]),
        [
            "n2 X_BRANCH elsewhere",
            "n2 X_REMOTE elsewhere",
            "n2 X_TAG elsewhere"
        ]
    );
    let run = exposed(&fleet, &["--node", "n2"]);
    run.prints(&[
        "X_TAG  n2 (nodes/n2.toml)",
        "not in what is checked out",
        "TOKEN  role:web",
    ])
    .says(&["1 value to rotate, on 2 sticks; 3 older values"]);
    // A detached HEAD is one, too.
    fleet.git_says(&["checkout", "--quiet", "--detach", "kept"]);
    fleet.git_says(&["branch", "--quiet", "-D", "kept"]);
    let states = states(&fleet, &["--recipient", BOB]);
    assert!(
        states.contains(&"n2 X_BRANCH current".to_owned()),
        "{states:?}"
    );
}

#[test]
fn the_commit_that_ended_a_value_is_found_behind_merges_and_renames() {
    let (token, own) = (value(&[ALICE]), value(&[ALICE]));
    let fleet = fleet(&alone(), &token, &own);
    begin(&fleet, "2026-01-01");
    fleet.git_says(&["checkout", "--quiet", "-b", "side"]);
    fleet.replace("fleet.toml", &token, &value(&[ALICE]));
    let side = commit(&fleet, "2026-02-01");
    fleet.git_says(&["checkout", "--quiet", "main"]);
    fleet.git_says(&["mv", "nodes/n1.toml", "nodes/m1.toml"]);
    commit(&fleet, "2026-03-01");
    fleet.git_says(&["merge", "--quiet", "--no-edit", "side"]);
    let of = |name: &str| {
        let told = told(&fleet, &["--recipient", ALICE]);
        let values = told["values"].as_array().unwrap().clone();
        let named: Vec<Value> = values.into_iter().filter(|it| it["name"] == name).collect();
        named
    };
    let token_s = of("TOKEN");
    assert_eq!(token_s.len(), 2);
    assert_eq!(
        (&token_s[0]["state"], &token_s[1]["state"]),
        (&json!("current"), &json!("replaced"))
    );
    assert_eq!(token_s[1]["ended"]["commit"], json!(side));
    // A value that moved is still the value.
    let own_s = of("X_A");
    assert_eq!(own_s.len(), 1);
    assert_eq!(
        (&own_s[0]["place"], &own_s[0]["state"]),
        (&json!("m1"), &json!("current"))
    );
    fleet.replace("nodes/m1.toml", &own, &value(&[ALICE]));
    let last = commit(&fleet, "2026-04-01");
    let own_s = of("X_A");
    assert_eq!(own_s.len(), 2);
    assert_eq!(
        (&own_s[1]["place"], &own_s[1]["ended"]["commit"]),
        (&json!("m1"), &json!(last))
    );
    // What only a merge let fall, it ended.
    fleet.git_says(&["checkout", "--quiet", "-b", "other", "HEAD~"]);
    fleet.write("nodes/n2.toml", secret("X_B", &value(&[ALICE])));
    commit(&fleet, "2026-05-01");
    fleet.git_says(&["checkout", "--quiet", "main"]);
    fleet.git_says(&["merge", "--quiet", "--strategy=ours", "--no-edit", "other"]);
    let merge = fleet.git_says(&["rev-parse", "HEAD"]);
    assert_eq!(of("X_B")[0]["ended"]["commit"], json!(merge));
}

#[test]
fn a_stick_had_what_its_node_had_at_any_commit() {
    let values: Vec<String> = (0..6).map(|_| value(&[ALICE])).collect();
    let [token, of_all, own, of_other, unused, later] = &values[..] else {
        unreachable!()
    };
    let other = "[roles.db]\nvariables = [\"DB\"]\nenv_file = \"db_env\"\n";
    let defaults = format!("[defaults.secrets]\nX_ALL = \"{of_all}\"\nX_A = \"{unused}\"\n");
    let fleet = fleet(&alone(), token, own)
        .file(
            "fleet.toml",
            toml(
                &alone(),
                &format!("[roles.web.secrets]\nTOKEN = \"{token}\"\n{other}{defaults}"),
            ),
        )
        .node(
            "n2",
            &format!("roles = [\"db\"]\n[secrets]\nDB = \"{of_other}\"\n"),
        )
        .node("n3", &secret("X_A", &value(&[ALICE])));
    begin(&fleet, "2026-01-01");
    let first = [
        "role:web TOKEN current",
        "n1 X_A current",
        "defaults X_ALL current",
    ];
    assert_eq!(states(&fleet, &["--node", "n1"]), first);
    assert_eq!(states(&fleet, &["--node", "n2"]), ["n2 DB current"]);
    // The node loses its role and then its file: its sticks had what they had.
    fleet.write(
        "nodes/n1.toml",
        format!("roles = [\"db\"]\n[secrets]\nDB = \"{later}\"\n"),
    );
    commit(&fleet, "2026-02-01");
    let fleet = fleet.without("nodes/n1.toml");
    let gone = commit(&fleet, "2026-03-01");
    assert_eq!(
        states(&fleet, &["--node", "n1"]),
        [
            "role:web TOKEN current",
            "defaults X_ALL current",
            "n1 DB removed",
            "n1 X_A removed"
        ]
    );
    let run = exposed(&fleet, &["--node", "n1"]).prints(&[
        "then write the stick of n3 (web_env)",
        &format!(
            "version {}, removed in {} of 2026-03-01",
            version(later),
            &gone[..7]
        ),
    ]);
    run.says(&["2 values to rotate, on 1 stick; 2 older values"]);
    let run = fleet.run(&["secrets", "exposed", "--node", "n11"]).code(1);
    run.says(&[
        "error: there never was a node `n11`",
        "exists or existed: `n1`",
    ]);
    let run = fleet
        .run(&["secrets", "exposed", "--node", "zebra"])
        .code(1);
    run.says(&["there never was a node `zebra`", "`nodes/`"]);
}

#[test]
fn a_state_that_no_tool_resolves_counts_with_all_that_it_could_mean() {
    let (token, own, of_other) = (value(&[ALICE]), value(&[ALICE]), value(&[ALICE]));
    let fleet = fleet(&alone(), &token, &own);
    let older = format!(
        "[roles.db.secrets]\nDB = \"{of_other}\"\n[defaults]\nenvfile = \"x\"\n[defaults.secrets]\nX_OLD = \"{}\"\n",
        value(&[ALICE])
    );
    let sound = fleet.read("fleet.toml");
    fleet.write("fleet.toml", format!("{sound}{older}"));
    let first = begin(&fleet, "2026-01-01");
    fleet.write("fleet.toml", &sound);
    commit(&fleet, "2026-02-01");
    assert_eq!(
        states(&fleet, &["--node", "n1"]),
        [
            "role:web TOKEN current",
            "n1 X_A current",
            "defaults X_OLD removed?"
        ]
    );
    exposed(&fleet, &["--node", "n1"]).says(&[&format!(
        "note: what n1 had in 1 state can't be resolved any more, first in {} of 2026-01-01",
        &first[..7]
    )]);
}

#[test]
fn files_that_can_t_be_read_and_plain_text_in_history_are_told_and_never_shown() {
    let (token, own, conflict) = (value(&[ALICE]), value(&[ALICE]), value(&[ALICE]));
    let fleet = fleet(&alone(), &token, &own);
    fleet.write(
        "nodes/n2.toml",
        "roles = [\"web\"]\nvars.secrets.X = \"public\"\n[secrets]\nX_A = \"hunter2\"\n",
    );
    let plain = begin(&fleet, "2026-01-01");
    fleet.write(
        "nodes/n2.toml",
        format!("[secrets]\n<<<<<<< HEAD\nX_C = \"{conflict}\"\n=======\n"),
    );
    let broken = commit(&fleet, "2026-02-01");
    fleet.write(
        "nodes/n2.toml",
        [
            b"a = \"\xff\"\n[secrets]\nX_D = ".as_slice(),
            format!("\"{}\"\n", value(&[ALICE])).as_bytes(),
        ]
        .concat(),
    );
    commit(&fleet, "2026-03-01");
    fleet.write("nodes/n2.toml", "");
    // A name that a terminal would obey.
    fleet.write(
        "nodes/n1.toml",
        "[secrets]\n\"X\\n\\u001b[2J\" = \"hunter2\"\n",
    );
    commit(&fleet, "2026-04-01");
    fleet.write("nodes/n1.toml", secret("X_A", &own));
    commit(&fleet, "2026-05-01");
    let run = exposed(&fleet, &["--recipient", ALICE])
        .hides("\u{1b}")
        .prints(&[
            "X_C  n2 (nodes/n2.toml)",
            "X_D  n2 (nodes/n2.toml)",
            "  X\u{fffd}\u{fffd}[2J  n1 (nodes/n1.toml)\n",
        ]);
    assert!(
        run.stdout.starts_with(
            "in plain text, for everybody to read:\n  X\u{fffd}\u{fffd}[2J  n1 (nodes/n1.toml)\n    in git since "
        ) && run.stdout.contains(&format!(
            "  X_A  n2 (nodes/n2.toml)\n    in git since {} of 2026-01-01; is gone today\n",
            &plain[..7]
        )),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("public"));
    run.says(&[&format!(
        "note: nodes/n2.toml could not be read whole as it stood in {} of 2026-02-01",
        &broken[..7]
    )]);
    let told = told(&fleet, &["--node", "n1"]);
    assert_eq!(told["plain"].as_array().unwrap().len(), 2);
    assert_eq!(
        told["plain"][1]["since"],
        json!({"commit": plain, "date": "2026-01-01"})
    );
    assert_eq!(told["plain"][1]["stands"], false);
    // What is wrong today is told first, and what stands in plain text today, as such.
    fleet.write("nodes/n1.toml", "secrets = 1\n");
    let args = ["secrets", "exposed", "--recipient", ALICE];
    fleet
        .run(&args)
        .code(1)
        .says(&["expected a table", "nodes/n1.toml:1"]);
    fleet.write(
        "nodes/n1.toml",
        "roles = [\"web\"]\n[secrets]\nX_P = \"hunter2\"\n",
    );
    exposed(&fleet, &["--recipient", ALICE])
        .prints(&["X_P  n1 (nodes/n1.toml)\n    not committed; stands there today\n"])
        .says(&["1 node with mistakes in the fleet today"]);
}

#[test]
fn a_fleet_in_a_subfolder_has_a_history_of_its_own() {
    let outer = Fleet::empty()
        .file("fleet.toml", toml(&both(), ""))
        .node("n1", &secret("X_OUTER", &value(&[ALICE, BOB])));
    let (token, own) = (value(&[ALICE, BOB]), value(&[ALICE, BOB]));
    let inner = fleet(&both(), &token, &own);
    for path in [
        "fleet.toml",
        "fleet.lock",
        "nodes/n1.toml",
        "nodes/n2.toml",
        "templates/base.bu",
    ] {
        outer.write(&format!("sites/north/{path}"), inner.read(path));
    }
    begin(&outer, "2026-01-01");
    outer.write("sites/north/nodes/n1.toml", "");
    let run = outer
        .command(&["secrets", "exposed", "--recipient", BOB])
        .folder(outer.root().join("sites/north/nodes"))
        .run()
        .code(0);
    run.hides("X_OUTER")
        .prints(&["TOKEN  role:web (fleet.toml:15)", "removed, uncommitted"]);
}

#[test]
fn a_history_that_is_cut_or_absent_is_told() {
    let fleet = fleet(&both(), &value(&[ALICE, BOB]), &value(&[ALICE, BOB]));
    exposed(&fleet, &["--recipient", BOB])
        .says(&["note: there is no git repository: only the files as they stand"]);
    begin(&fleet, "2026-01-01");
    fleet.replace("fleet.toml", &both(), &alone());
    commit(&fleet, "2026-02-01");
    let clone = Fleet::empty();
    fs::remove_dir_all(clone.root()).unwrap();
    let url = format!("file://{}", fleet.root().display());
    let to = clone.root();
    fleet.git_says(&["clone", "--quiet", "--depth=1", &url, to.to_str().unwrap()]);
    exposed(&clone, &["--recipient", BOB])
        .says(&["note: this clone is shallow", "git fetch --unshallow"]);
    assert_eq!(
        states(&clone, &["--recipient", BOB]),
        ["role:web TOKEN current?", "n1 X_A current?"]
    );
    // A repository without a commit has no history either.
    let fleet = self::fleet(&both(), &value(&[ALICE, BOB]), &value(&[ALICE, BOB]));
    fleet.git_says(&["init", "--quiet"]);
    assert_eq!(states(&fleet, &["--recipient", BOB]).len(), 2);
}

/// So many commits of so many nodes: each commit sets one node's value anew.
pub(crate) fn long(commits: usize, nodes: usize) -> Fleet {
    let fleet = Fleet::new()
        .file("fleet.toml", toml(&both(), ""))
        .without("nodes/n1.toml");
    fleet.git_says(&["init", "--quiet", "--initial-branch=main"]);
    let sample: Secret = value(&[ALICE, BOB]).parse().unwrap();
    let keys: Recipients = [ALICE, BOB]
        .map(|it| it.parse::<Recipient>().unwrap())
        .into_iter()
        .collect();
    let mut count: u64 = 0;
    let mut file = || {
        let values = ["TOKEN", "X_1", "X_2", "X_3", "X_4"].map(|name| {
            count += 1;
            let value = Secret::new(&keys, count.to_be_bytes(), sample.sealed().to_vec());
            format!("{name} = \"{value}\"\n")
        });
        format!("roles = [\"web\"]\n[secrets]\n{}", values.concat())
    };
    let mut stream = String::new();
    for commit in 0..commits {
        stream += &format!(
            "commit refs/heads/main\ncommitter T <t@example.com> {} +0000\ndata 0\n",
            1_700_000_000 + commit * 3600
        );
        let changed = if commit == 0 {
            0..nodes
        } else {
            commit % nodes..commit % nodes + 1
        };
        for node in changed {
            let text = file();
            stream += &format!(
                "M 100644 inline nodes/n{node}.toml\ndata {}\n{text}\n",
                text.len()
            );
        }
        for path in ["fleet.toml", "fleet.lock", "templates/base.bu"]
            .iter()
            .filter(|_| commit == 0)
        {
            let text = fleet.read(path);
            stream += &format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
        }
    }
    let mut import = fleet.program("git");
    let mut import = import
        .args(["fast-import", "--quiet"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    import
        .stdin
        .take()
        .unwrap()
        .write_all(stream.as_bytes())
        .unwrap();
    assert!(import.wait().unwrap().success());
    fleet.git_says(&["reset", "--quiet", "--hard", "main"]);
    fleet
}

#[test]
#[cfg_attr(debug_assertions, ignore = "it is about speed")]
fn a_thousand_commits_of_a_thousand_nodes_take_seconds() {
    let fleet = long(1000, 1000);
    for args in [["--recipient", BOB], ["--node", "n7"]] {
        let begin = Instant::now();
        let told = told(&fleet, &args);
        let took = begin.elapsed();
        tell(&format!("secrets exposed {}: {took:.1?}", args[0]));
        assert!(took < Duration::from_secs(15), "{took:?}");
        let expected = match args[0] {
            "--node" => (5, 5),
            _ => (5000, 999 * 5),
        };
        let summary = &told["summary"];
        assert_eq!(
            (summary["rotate"].as_u64(), summary["older"].as_u64()),
            (Some(expected.0), Some(expected.1))
        );
    }
}
