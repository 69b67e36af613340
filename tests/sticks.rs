//! The record of sticks: what `plan` says of each, and the commands that keep it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Seek as _;

use ephemeros::fleet::file::Firmware;
use ephemeros::fleet::files::Folder;
use ephemeros::fleet::manifest::Manifest;
use ephemeros::fleet::resolve::resolve;
use ephemeros::ipxe;
use ephemeros::ipxe::loader::Target;
use ephemeros::os::Arch;
use ephemeros::progress::Silent;
use ephemeros::render::all::render;
use ephemeros::render::engine::Engine;
use ephemeros::source::Source;
use ephemeros::stick::record::{Moment, Record, Recorded, State, record_path};
use ephemeros::stick::{self, Clock, Loader, Sector, Urls};
use serde_json::{Value, json};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::fleet::{Fleet, RECIPIENT, Run};
use crate::image::{demo_key, kernel};
use crate::repository::THREE_LINES;

/// What `flash` records of a stick that is made of the files as they stand.
fn flashed(fleet: &Fleet, node: &str, id: u128) -> Recorded {
    let root = fleet.root();
    let files = Folder(root.clone());
    let (manifest, _) = Manifest::read(&root, &files).unwrap();
    let (resolved, _) = resolve(&manifest.unwrap());
    let engine = Engine::read(&files, &[("boot.ipxe", ipxe::BODY)]).unwrap();
    let node = resolved.node(node).unwrap();
    let (rendered, _) = render(&resolved, &[node], &engine, &Silent).unwrap();
    let url = fleet.run(&["show", &node.name, "--stage", "url"]).code(0);
    let config = url.stdout.trim().to_owned();
    let script = config
        .replace("ignition/", "ipxe/")
        .replace(".ign", ".ipxe");
    let loader = |target, bytes| Loader {
        target,
        version: "2.0.0".into(),
        features: BTreeSet::new(),
        bytes,
    };
    let arch = node.os.release.arch;
    let mut loaders = vec![loader(Target::Uefi(arch), b"a loader".to_vec())];
    if node.stick.firmware.contains(&Firmware::Bios) && arch == Arch::Amd64 {
        loaders.push(loader(Target::Bios, kernel(&[])));
    }
    let secrets = node.secrets.keys();
    let secrets = secrets.map(|name| (name.to_owned(), Zeroizing::new(b"hunter2".to_vec())));
    let urls = Urls { config, script };
    let contents = stick::contents(
        &resolved,
        node,
        &rendered[0],
        &urls,
        loaders,
        &secrets.collect::<BTreeMap<_, _>>(),
    )
    .unwrap();
    let mut disk = stick::image(&contents, Sector::Of512, Clock::START).unwrap();
    disk.rewind().unwrap();
    let mut label = stick::inspect(&mut disk).unwrap().label;
    label.stick = Uuid::from_u128(id);
    Recorded::of(&label, Sector::Of512, Moment::of(1_795_651_034), None)
}

/// A stick is written, and recorded. `replaces` is the one that its drive was.
pub(crate) fn flash(fleet: &Fleet, node: &str, id: u128, replaces: Option<u128>) {
    let stick = flashed(fleet, node, id);
    change(fleet, node, |record| {
        record.add(stick, replaces.map(Uuid::from_u128));
    });
}

fn change(fleet: &Fleet, node: &str, change: impl FnOnce(&mut Record)) {
    let path = record_path(node);
    let mut record = match std::fs::read_to_string(fleet.root().join(&path)) {
        Ok(text) => Record::read(&Source::file(path.as_str(), text)).unwrap(),
        Err(_) => Record::empty(),
    };
    change(&mut record);
    fleet.write(&path, record.text());
}

/// The beginnings of the ids of the sticks below.
pub(crate) const ONE: u128 = 0x1111_0000_0000_0000_0000_0000_0000_0001;
const TWO: u128 = 0x2222_0000_0000_0000_0000_0000_0000_0002;
const THREE: u128 = 0x2222_3333_0000_0000_0000_0000_0000_0003;

/// Roles that take two secrets, and a vault.
const ROLES: &str = "[roles.web]\nvariables = [\"TOKEN\"]\nenv_file = \"web_env\"\n[roles.web.files]\n\"tls/key\" = \"KEY\"\n";

const NODE: &str = "roles = [\"web\"]\ntemplates = [\"base.bu\"]\n";

/// A fleet of one node with two secrets, pushed to a forge that the clone knows; nothing is recorded.
fn pushed() -> Fleet {
    let fleet = Fleet::new()
        .fleet(&format!(
            "[git]\nbranch = \"main\"\n[os]\nversion = \"4593.2.5\"\n[stick]\n[vault]\nrecipients = [\"{RECIPIENT}\"]\n{ROLES}"
        ))
        .butane("base.bu", THREE_LINES)
        .node("n1", NODE);
    for name in ["TOKEN", "KEY"] {
        set(&fleet, "n1", name);
    }
    fleet.renders();
    fleet
        .git()
        .remote("origin", "https://github.com/acme/fleet")
}

fn set(fleet: &Fleet, node: &str, name: &str) {
    let set = fleet.command(&["secrets", "set", node, name]);
    set.stdin("hunter2").run().code(0);
}

fn recorded() -> Fleet {
    let fleet = pushed();
    flash(&fleet, "n1", ONE, None);
    fleet
}

fn json(fleet: &Fleet, args: &[&str]) -> Value {
    let run = fleet.run(&[args, &["--json"]].concat()).code(0);
    serde_json::from_str(&run.stdout).unwrap()
}

/// What a plan says of the first node: cost and reasons.
fn planned(fleet: &Fleet) -> (String, Vec<String>) {
    let plan = json(fleet, &["plan"]);
    let node = &plan["nodes"][0];
    let reasons = node["reasons"].as_array().unwrap().iter();
    (
        node["cost"].as_str().unwrap().to_owned(),
        reasons
            .map(|reason| reason.as_str().unwrap().to_owned())
            .collect(),
    )
}

/// What a plan notes of sticks.
fn notes(fleet: &Fleet, args: &[&str]) -> Value {
    let plan = json(fleet, &[&["plan"], args].concat());
    let notes = plan["notes"].as_array().unwrap().iter();
    notes
        .filter(|note| note.as_str().unwrap().contains("stick"))
        .cloned()
        .collect()
}

#[track_caller]
fn plans(fleet: &Fleet, cost: &str, reasons: &[&str]) {
    let planned = planned(fleet);
    assert_eq!(
        (planned.0.as_str(), planned.1.as_slice()),
        (
            cost,
            &reasons
                .iter()
                .map(|it| (*it).to_owned())
                .collect::<Vec<_>>()[..]
        )
    );
}

#[test]
fn a_stick_that_was_just_written_is_current() {
    let fleet = recorded();
    plans(&fleet, "nothing", &[]);
    let plan = json(&fleet, &["plan"]);
    assert_eq!(
        plan["nodes"][0]["sticks"],
        json!([{
            "id": Uuid::from_u128(ONE),
            "state": "active",
            "flashed": "2026-11-25T23:57:14Z",
            "verdict": "current",
            "reasons": [],
            "notes": [],
        }])
    );
    assert_eq!(notes(&fleet, &[]), json!([]));
    let list = fleet.run(&["sticks", "list"]).code(0);
    assert_eq!(list.stdout, "n1\n  11110000  active  2026-11-25  current\n");
}

/// What is done to a fleet, what it costs, and why.
type Case = (fn(&Fleet), &'static str, &'static [&'static str]);

fn changes_of_the_stick() -> Vec<Case> {
    vec![
        (
            |fleet| {
                fleet.git_says(&[
                    "remote",
                    "set-url",
                    "origin",
                    "https://gitlab.com/acme/fleet",
                ]);
            },
            "reflash",
            &["where nodes fetch from"],
        ),
        (
            |fleet| fleet.replace("fleet.toml", "\"main\"", "\"live\""),
            "reflash",
            &["where nodes fetch from"],
        ),
        (
            |fleet| fleet.replace("fleet.toml", "6b1e2a54", "6b1e2a55"),
            "reflash-first",
            &["the fleet's `id`"],
        ),
        (
            |fleet| {
                let network = "[network]\nmac = \"52:54:00:12:34:56\"\n[stick]";
                fleet.replace("fleet.toml", "[stick]", network);
            },
            "reflash",
            &["the network before the OS"],
        ),
        (
            |fleet| fleet.replace("fleet.toml", "[stick]", "[stick]\nscript = \"stick\""),
            "reflash",
            &["where the boot script stands"],
        ),
        (
            |fleet| fleet.replace("fleet.toml", "[stick]", "[stick]\nfirmware = [\"uefi\"]"),
            "reflash",
            &["the layout of the stick"],
        ),
        (
            |fleet| fleet.replace("fleet.toml", "[os]", "[os]\narch = \"arm64\""),
            "reflash",
            &["the architecture of the machine"],
        ),
    ]
}

fn changes_of_what_is_on_it() -> Vec<Case> {
    vec![
        (
            |fleet| set(fleet, "n1", "TOKEN"),
            "reflash",
            &["`TOKEN` has another value"],
        ),
        (
            |fleet| {
                fleet.replace("fleet.toml", "[\"TOKEN\"]", "[\"TOKEN\", \"MORE\"]");
                set(fleet, "n1", "MORE");
            },
            "reflash-first",
            &["`MORE` is new"],
        ),
        (
            |fleet| {
                fleet.replace(
                    "fleet.toml",
                    "\n[roles.web.files]\n\"tls/key\" = \"KEY\"",
                    "",
                );
                fleet.run(&["secrets", "rm", "n1", "KEY"]).code(0);
            },
            "reflash",
            &["`KEY` is gone"],
        ),
        (
            |fleet| fleet.replace("fleet.toml", "web_env", "www_env"),
            "reflash-first",
            &[
                "`TOKEN` is to stand in `www_env`",
                "`TOKEN` is to stand in `web_env` no more",
            ],
        ),
        (
            |fleet| fleet.replace("fleet.toml", "tls/key", "tls/node.key"),
            "reflash-first",
            &[
                "`KEY` is to stand in `tls/node.key`",
                "`KEY` is to stand in `tls/key` no more",
            ],
        ),
        (
            |fleet| {
                change(fleet, "n1", |record| {
                    let mut stick = record.sticks()[0].clone();
                    stick.prologue.clone_from(&stick.body);
                    record.add(stick, None);
                });
            },
            "reflash",
            &["the script that the stick starts with"],
        ),
        (
            |fleet| fleet.replace("templates/base.bu", "two", "zwei"),
            "reboot",
            &[],
        ),
    ]
}

#[test]
fn each_thing_on_a_stick_that_changes_is_named() {
    let fleet = recorded();
    let cases = [changes_of_the_stick(), changes_of_what_is_on_it()].concat();
    for (change, cost, reasons) in cases {
        let fleet = fleet.duplicate();
        change(&fleet);
        plans(&fleet, cost, reasons);
        // The one before it is not held against the new one.
        flash(&fleet, "n1", TWO, Some(ONE));
        let (cost, reasons) = planned(&fleet);
        assert!(
            reasons.is_empty() && ["nothing", "reboot"].contains(&&*cost),
            "{reasons:?}"
        );
    }
}

#[test]
fn a_stick_is_judged_by_what_was_written_and_not_by_what_was_pushed() {
    let fleet = recorded();
    set(&fleet, "n1", "TOKEN");
    fleet.renders();
    fleet.commit();
    // The base has the new value; the stick has not.
    plans(&fleet, "reflash", &["`TOKEN` has another value"]);
    let plan = fleet.plans(&[]);
    assert!(
        plan.contains(
            "n1: the stick has to be written anew for it\n    `TOKEN` has another value\n    \
             until then it runs with the old value of `TOKEN`\n    stick 11110000\n\
             Plan: 1 to re-flash.\n"
        ),
        "{plan}"
    );
    let list = fleet.run(&["sticks", "list"]).code(0);
    assert_eq!(
        list.stdout,
        "n1\n  11110000  active  2026-11-25  to re-flash: `TOKEN` has another value\n"
    );
    // As long as it lacks what the config needs.
    fleet.replace("fleet.toml", "tls/key", "tls/node.key");
    fleet.renders();
    fleet.commit();
    assert_eq!(planned(&fleet).0, "reflash-first");
}

#[test]
fn a_rekey_moves_nothing() {
    let fleet = recorded();
    fleet.replace(
        "fleet.toml",
        RECIPIENT,
        &format!("{RECIPIENT}\", \"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"),
    );
    let key = demo_key();
    let rekey = ["secrets", "rekey", "--identity", key.to_str().unwrap()];
    fleet.run(&rekey).code(0).says(&["2 "]);
    plans(&fleet, "nothing", &[]);
}

#[test]
fn a_url_that_the_fleet_fixes_moves_no_stick() {
    let fleet = pushed();
    fleet.replace(
        "fleet.toml",
        "[os]",
        "url = \"https://github.com/acme/fleet\"\n[os]",
    );
    flash(&fleet, "n1", ONE, None);
    fleet.replace("fleet.toml", "github.com", "gitlab.com");
    plans(&fleet, "reboot", &[]);
}

#[test]
fn a_url_that_names_a_commit_is_the_same_until_what_it_serves_changes() {
    let fleet = pushed();
    let raw_url = "raw_url = \"https://h.example/{{ commit }}/{{ path }}\"\n[os]";
    fleet.replace("fleet.toml", "[os]", raw_url);
    fleet.renders();
    fleet.commit();
    flash(&fleet, "n1", ONE, None);
    fleet.write("README", "another commit");
    fleet.commit();
    plans(&fleet, "nothing", &[]);
    fleet.replace("templates/base.bu", "two", "zwei");
    plans(&fleet, "reflash", &["its URL names a commit"]);
    fleet.replace("fleet.toml", "h.example", "i.example");
    assert_eq!(
        planned(&fleet).1,
        ["where nodes fetch from", "its URL names a commit"]
    );
}

#[test]
fn a_clone_that_knows_no_url_has_none_to_compare() {
    let fleet = recorded();
    fleet.git_says(&["remote", "remove", "origin"]);
    plans(&fleet, "nothing", &[]);
}

#[test]
fn a_boot_script_on_the_stick_is_old_when_it_says_something_else() {
    let fleet = pushed();
    fleet.replace("fleet.toml", "[stick]", "[stick]\nscript = \"stick\"");
    flash(&fleet, "n1", ONE, None);
    // The script names the config's digest, which is no matter.
    fleet.replace("templates/base.bu", "two", "zwei");
    plans(&fleet, "reboot", &[]);
    fleet.replace("fleet.toml", "[os]", "[os]\nkernel_args = [\"quiet\"]");
    plans(&fleet, "reflash", &["the boot script"]);
}

#[test]
fn an_old_copy_is_a_note() {
    let fleet = recorded();
    fleet.replace("templates/base.bu", "two", "zwei");
    let plan = json(&fleet, &["plan"]);
    let notes = |plan: &Value| plan["nodes"][0]["sticks"][0]["notes"].clone();
    assert_eq!(
        notes(&plan),
        json!(["its copy of the config is an older one"])
    );
    let note = "the copies on 1 stick are older ones: they count only where git can't be reached";
    assert!(
        plan["notes"].as_array().unwrap().contains(&note.into()),
        "{plan}"
    );
    fleet.replace("fleet.toml", "[os]", "[os]\nkernel_args = [\"quiet\"]");
    assert_eq!(
        notes(&json(&fleet, &["plan"])),
        json!([
            "its copy of the boot script is an older one",
            "its copy of the config is an older one"
        ])
    );
    plans(&fleet, "reboot", &[]);
}

#[test]
fn a_spare_stick_is_judged_too_and_breaks_no_node() {
    let fleet = recorded();
    fleet.replace("fleet.toml", "tls/key", "tls/node.key");
    flash(&fleet, "n1", TWO, None);
    let told = "`KEY` is to stand in `tls/node.key` (the spare stick)";
    let (cost, reasons) = planned(&fleet);
    assert_eq!((cost.as_str(), reasons[0].as_str()), ("reflash", told));
    fleet
        .run(&["plan"])
        .prints(&["    stick 11110000 (spare)\n"]);
    // What both lack is said once.
    set(&fleet, "n1", "TOKEN");
    let (_, reasons) = planned(&fleet);
    let told = reasons.iter().filter(|it| it.contains("TOKEN")).count();
    assert_eq!(told, 1, "{reasons:?}");
    fleet
        .run(&["plan"])
        .prints(&["    sticks 11110000 (spare), 22220000\n"]);
    // Where no stick is active, nobody knows which one the node boots from.
    fleet.run(&["sticks", "lost", "2222"]).code(0);
    assert_eq!(planned(&fleet).0, "reflash-first");
}

#[test]
fn a_node_whose_sticks_are_lost_has_none() {
    let fleet = recorded();
    fleet.run(&["sticks", "lost", "1111"]).code(0);
    plans(&fleet, "first-flash", &["its stick is lost"]);
    let plan = fleet.plans(&[]);
    assert!(
        plan.contains("n1: it has no stick any more: write one\n"),
        "{plan}"
    );
    assert!(!plan.contains("+ node"), "{plan}");
    flash(&fleet, "n1", TWO, None);
    plans(&fleet, "nothing", &[]);
}

#[test]
fn a_new_node_whose_stick_is_ready_has_only_to_boot() {
    let fleet = pushed().node("n0", "templates = [\"base.bu\"]\n");
    plans(&fleet, "first-flash", &[]);
    flash(&fleet, "n0", TWO, None);
    plans(&fleet, "reboot", &[]);
    let plan = fleet.plans(&["n0"]);
    assert!(plan.contains("+ node n0\n    file /etc/a\n"), "{plan}");
}

#[test]
fn where_nothing_is_recorded_the_base_counts_and_a_note_says_so() {
    let note = "no stick is recorded for 1 node: it is taken to have one as the base would make it";
    let fleet = pushed();
    // Whether it has the secrets of today is not known.
    assert_eq!(notes(&fleet, &[]), json!([note]));
    set(&fleet, "n1", "TOKEN");
    plans(&fleet, "reflash", &["`TOKEN` has another value"]);
    assert_eq!(notes(&fleet, &[]), json!([note]));
    // A fleet that records its sticks has all of them recorded, or says which not.
    let fleet = pushed().node("n0", "templates = [\"base.bu\"]\n");
    fleet.renders();
    fleet.commit();
    let both = note.replace("1 node: it is", "2 nodes: they are");
    assert_eq!(notes(&fleet, &[]), json!([both]));
    flash(&fleet, "n0", ONE, None);
    assert_eq!(notes(&fleet, &[]), json!([note]));
    assert_eq!(notes(&fleet, &["n0"]), json!([]));
}

#[test]
fn the_loader_that_this_machine_has_is_no_reason() {
    let fleet = recorded();
    change(&fleet, "n1", |record| {
        let mut stick = record.sticks()[0].clone();
        for loader in stick.loaders.values_mut() {
            loader.version = "1.21.1".into();
            loader.digest.clone_from(&stick.body);
        }
        record.add(stick, None);
    });
    plans(&fleet, "nothing", &[]);
}

#[test]
fn a_stick_with_larger_sectors_has_nothing_for_a_bios() {
    let fleet = recorded();
    change(&fleet, "n1", |record| {
        let mut stick = record.sticks()[0].clone();
        stick.loaders.remove("ipxe.lkrn");
        record.add(stick, None);
    });
    plans(&fleet, "reflash", &["the layout of the stick"]);
    fleet.replace("sticks/n1.toml", "sector = 512", "sector = 4096");
    plans(&fleet, "nothing", &[]);
}

#[test]
fn a_broken_record_is_told_with_the_other_mistakes() {
    let fleet = recorded();
    fleet.replace("sticks/n1.toml", "\"active\"", "\"actve\"");
    fleet.write(
        "templates/base.bu",
        "variant: flatcar\nversion: 1.0.0\nstorrage: {}\n",
    );
    for args in [&["plan"][..], &["check"], &["sticks", "list"]] {
        let run = fleet.run(args).code(1).mistakes(2);
        assert!(run.stderr.contains("sticks/n1.toml:5:9"), "{}", run.stderr);
    }
    fleet.write("sticks/n1.toml", b"format = 1 # \xff\n");
    fleet.write("sticks/N 1.toml", "");
    fleet.run(&["check"]).code(1).helps().mistakes(3);
    fleet.write("sticks/n1.toml", "format = 2\nfuture = true\n");
    fleet
        .run(&["check"])
        .code(1)
        .says(&["up to format 1", "upgrade"]);
    // Rendering has no need of it.
    let fleet = recorded();
    fleet.write("sticks/n1.toml", "?");
    fleet.renders();
}

#[test]
fn a_stick_of_a_node_that_is_gone_is_told_by_check() {
    let fleet = recorded()
        .node("n0", "templates = [\"base.bu\"]\n")
        .without("nodes/n1.toml");
    fleet.run(&["check"]).code(0).says(&[
        "warning: the fleet has no node `n1`, and a stick of it is active",
        "sticks/n1.toml:5:9",
        "ephemeros sticks forget 11110000",
    ]);
    let list = fleet.run(&["sticks", "list"]).code(0);
    assert_eq!(
        list.stdout,
        "n1\n  11110000  active  2026-11-25  the fleet has no such node\n"
    );
    fleet.run(&["sticks", "spare", "1111"]).code(0);
    fleet.run(&["check"]).code(0).hides("n1");
}

#[test]
fn one_stick_is_not_two_nodes() {
    let fleet = recorded().node("n0", "templates = [\"base.bu\"]\n");
    flash(&fleet, "n0", ONE, None);
    for args in [&["check"][..], &["plan"], &["sticks", "lost", "1111"]] {
        fleet
            .run(args)
            .code(1)
            .says(&["error: this stick is recorded for two nodes"])
            .mistakes(1);
    }
}

fn several() -> Fleet {
    let fleet = recorded();
    flash(&fleet, "n1", TWO, None);
    flash(&fleet, "n1", THREE, None);
    fleet
}

fn states(fleet: &Fleet) -> Vec<String> {
    let list = json(fleet, &["sticks", "list"]);
    let sticks = list["sticks"].as_array().unwrap().iter();
    sticks
        .map(|stick| stick["state"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn people_say_what_has_become_of_a_stick() {
    let fleet = several();
    assert_eq!(states(&fleet), ["spare", "spare", "active"]);
    fleet.run(&["sticks", "active", "1111"]).code(0).says(&[
        "the stick 11110000 of n1 is active now\n",
        "22223333, which was active, is spare\n",
    ]);
    assert_eq!(states(&fleet), ["active", "spare", "spare"]);
    let whole = Uuid::from_u128(ONE).to_string().to_uppercase();
    let run = fleet.run(&["sticks", "lost", &whole]).code(0).says(&[
        "the stick 11110000 of n1 is lost now\n",
        "n1 has no active stick: `ephemeros sticks active ID` says which it is\n",
        "who has it has 2 secrets: `ephemeros secrets exposed --stick 11110000` says which to set anew\n",
    ]);
    assert_eq!(run.stdout, "");
    assert_eq!(states(&fleet), ["lost", "spare", "spare"]);
    let list = fleet.run(&["sticks", "list"]).code(0);
    assert!(
        list.stdout
            .contains("  11110000  lost    2026-11-25  still good: `KEY`, `TOKEN`\n"),
        "{}",
        list.stdout
    );
    let told = json(&fleet, &["sticks", "spare", "2222-0"]);
    assert_eq!(
        told,
        json!({ "format": 1, "node": "n1", "id": Uuid::from_u128(TWO), "before": "spare", "state": "spare" })
    );
    let before = fleet.read("sticks/n1.toml");
    fleet
        .run(&["sticks", "spare", "22220"])
        .code(0)
        .says(&["the stick 22220000 of n1 was spare before\n"]);
    assert_eq!(fleet.read("sticks/n1.toml"), before);
}

#[test]
fn a_stick_that_is_forgotten_leaves_what_people_wrote() {
    let fleet = several();
    let noted = fleet.read("sticks/n1.toml") + "# the end\n";
    fleet.write("sticks/n1.toml", &noted);
    fleet
        .run(&["sticks", "forget", "1111"])
        .code(0)
        .says(&["forgot the stick 11110000 of n1"]);
    let text = fleet.read("sticks/n1.toml");
    assert!(
        noted.ends_with(text.strip_prefix("format = 1\n").unwrap()),
        "{text}"
    );
    for id in ["2222-0", "2222-3"] {
        fleet.run(&["sticks", "forget", id]).code(0);
    }
    assert_eq!(fleet.read("sticks/n1.toml"), "format = 1\n# the end\n");
    // With the last one goes the file, where nothing else is in it.
    let fleet = recorded();
    fleet.run(&["sticks", "forget", "1111"]).code(0);
    assert!(!fleet.root().join("sticks/n1.toml").exists());
    let list = fleet
        .run(&["sticks", "list"])
        .code(0)
        .says(&["no stick is recorded"]);
    assert_eq!(list.stdout, "");
}

#[test]
fn an_id_that_names_no_stick_or_several_is_told_with_those_that_there_are() {
    let fleet = several();
    for command in ["active", "spare", "lost", "forget"] {
        let run = |id: &str| -> Run { fleet.run(&["sticks", command, id]) };
        for id in ["", "111", "xyzw", "111100000000000000000000000000001"] {
            run(id)
                .code(64)
                .says(&["is no id of a stick", "sticks list"]);
        }
        run("9999").code(1).helps().says(&[
            "error: no stick with the id `9999` is recorded",
            "11110000 of n1 (spare), 22220000 of n1 (spare), 22223333 of n1 (active)",
        ]);
        run("2222").code(1).helps().says(&[
            "error: `2222` fits 2 sticks",
            "22220000-0000-0000-0000-000000000002 of n1 (spare), 22223333-0000-0000-0000-000000000003 of n1 (active)",
        ]);
    }
    assert_eq!(states(&fleet), ["spare", "spare", "active"]);
    pushed()
        .run(&["sticks", "lost", "1111"])
        .code(1)
        .helps()
        .says(&["no stick is recorded at all"]);
}

#[test]
fn who_lost_a_stick_need_not_mend_the_fleet_first() {
    let fleet = recorded().node("n1", "nonsense = 1\n");
    fleet.run(&["sticks", "lost", "1111"]).code(0);
    assert!(fleet.read("sticks/n1.toml").contains("state = \"lost\"\n"));
}

#[test]
fn a_pattern_chooses_whose_sticks_are_listed() {
    let fleet = recorded().node("n0", "templates = [\"base.bu\"]\ntags = [\"a\"]\n");
    flash(&fleet, "n0", TWO, None);
    let listed = |args: &[&str]| {
        let list = json(&fleet, &[&["sticks", "list"], args].concat());
        let sticks = list["sticks"].as_array().unwrap().clone();
        sticks
            .into_iter()
            .map(|it| it["node"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(&[]), ["n0", "n1"]);
    assert_eq!(listed(&["n1"]), ["n1"]);
    assert_eq!(listed(&["--on", "@a"]), ["n0"]);
    fleet.run(&["sticks", "list", "n9"]).code(1);
}

#[test]
fn exposed_tells_what_a_stick_carries_and_on_which_each_value_stands() {
    let fleet = recorded();
    fleet.commit();
    set(&fleet, "n1", "TOKEN");
    fleet.commit();
    flash(&fleet, "n1", TWO, None);
    let args = ["secrets", "exposed", "--stick", "1111"];
    let run = fleet
        .run(&args)
        .code(0)
        .says(&["1 value to rotate, on 1 stick; 1 older value\n"]);
    let at = |text: &str| {
        run.stdout
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {}", run.stdout))
    };
    // What did not change stands on both.
    let both = at("    it stands on 11110000 of n1 (spare), 22220000 of n1 (active)\n");
    let one = at("    it stands on 11110000 of n1 (spare)\n");
    assert!(at("to rotate:\n  KEY  n1") < both && both < at("older values"));
    assert!(at("older values") < one);
    let told = json(&fleet, &args);
    assert_eq!(told["of"], json!(["1111"]));
    let values = told["values"].as_array().unwrap();
    assert_eq!(values[1]["name"], "TOKEN");
    assert_eq!(values[1]["exposed_by"], json!(["1111"]));
    assert_eq!(
        values[1]["sticks"],
        json!([{ "id": Uuid::from_u128(ONE), "node": "n1", "state": "spare" }])
    );
    // Git remembers a stick that is forgotten, as far as it was committed.
    fleet.run(&["sticks", "forget", "1111"]).code(0);
    let told = json(&fleet, &args);
    assert_eq!(told["values"].as_array().unwrap().len(), 2);
    fleet
        .run(&["secrets", "exposed", "--stick", "9999"])
        .code(1)
        .helps()
        .says(&[
            "no stick with the id `9999` is recorded",
            "11110000 of n1 (forgotten), 22220000 of n1 (active)",
        ]);
}

#[test]
fn a_value_that_was_only_ever_on_a_stick_is_told() {
    let fleet = pushed();
    set(&fleet, "n1", "TOKEN");
    flash(&fleet, "n1", ONE, None);
    set(&fleet, "n1", "TOKEN");
    fleet
        .run(&["secrets", "exposed", "--stick", "1111"])
        .code(0)
        .says(&["the stick 11110000 has a value of TOKEN that no commit has: version "]);
}

#[test]
fn the_record_holds_no_secret_and_names_each_by_its_version() {
    let fleet = recorded();
    let text = fleet.read("sticks/n1.toml");
    assert!(!text.contains("hunter2"), "{text}");
    let node = fleet.read("nodes/n1.toml");
    for name in ["TOKEN", "KEY"] {
        let value = node.split(&format!("{name} = \"age:")).nth(1).unwrap();
        let version = value.split(':').nth(1).unwrap();
        assert!(
            text.contains(&format!("{name} = \"{version}\"\n")),
            "{text}"
        );
    }
    for line in ["\"tls/key\" = [\"KEY\"]\n", "web_env = [\"TOKEN\"]\n"] {
        assert!(text.contains(line), "{text}");
    }
    assert_eq!(flashed(&fleet, "n1", ONE).state, State::Active);
    // `check` finds nothing in it that looks like a secret.
    fleet.run(&["check"]).code(0);
}
