//! `secrets rekey`: after a change of readers, what they may read today is encrypted to them, all or nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ephemeros::secrets::recipients::{Recipient, Recipients};
use ephemeros::secrets::value::Secret;
use ephemeros::vault::identity::{Identities, Places, find_identities};
use ephemeros::vault::open::open;
use ephemeros::vault::plugin::Plugins;
use ephemeros::vault::seal::seal;
use serde_json::Value;

use crate::fleet::{Fleet, RECIPIENT, Run};
use crate::repository::{has_program, skipped};
use crate::secrets::{demo, fleet, get, ran, sealed, set};

const ROLE: &str = "[roles.r]\nvariables = [\"S*\"]\nenv_file = \"r_env\"\n";

/// The identity of the one who stays, where anybody can read it.
pub(crate) fn key(fleet: &Fleet) -> PathBuf {
    let path = fleet.home().join("stays.key");
    fs::copy(demo(), &path).unwrap();
    path
}

fn rekey(fleet: &Fleet, more: &[&str]) -> Run {
    let key = key(fleet);
    let args = ["secrets", "rekey", "--identity", key.to_str().unwrap()];
    fleet.run(&[&args, more].concat())
}

/// A second reader, whose key is in the home's `leaves.key`.
fn second(fleet: &Fleet) -> String {
    let path = fleet.home().join("leaves.key");
    let args = ["secrets", "keygen", "-o", path.to_str().unwrap()];
    fleet.run(&args).code(0).stdout.trim().to_owned()
}

fn vault(recipients: &[&str]) -> String {
    format!("[vault]\nrecipients = {recipients:?}\n")
}

/// Values by name as they stand in a file.
fn values(text: &str) -> BTreeMap<String, Secret> {
    let lines = text.lines().filter_map(|line| line.split_once(" = \"age:"));
    let value = |rest: &str| format!("age:{}", rest.split('"').next().unwrap());
    lines
        .map(|(name, rest)| (name.to_owned(), value(rest).parse().unwrap()))
        .collect()
}

fn recipients(keys: &[&str]) -> Recipients {
    let keys = keys.iter().map(|key| key.parse::<Recipient>().unwrap());
    keys.collect()
}

fn identities(path: &Path) -> Identities {
    let places = Places {
        option: Some(path.to_owned()),
        ..Places::default()
    };
    find_identities(&places).unwrap()
}

/// So many nodes with five values each, encrypted to these.
pub(crate) fn large(nodes: usize, keys: &[&str]) -> Fleet {
    let to = recipients(keys);
    let mut fleet = Fleet::new()
        .fleet(&(vault(keys) + ROLE))
        .without("nodes/n1.toml");
    for node in 0..nodes {
        let mut text = "# a node\nroles = [\"r\"]\n\n[secrets]\n".to_owned();
        for name in 0..5 {
            let value = seal(
                format!("{node}/{name}").as_bytes(),
                &to,
                &Plugins::default(),
            )
            .unwrap();
            text += &format!("S{name} = \"{value}\"  # {name}\n");
        }
        fleet = fleet.node(&format!("n{node}"), &text);
    }
    fleet
}

/// Every value of a large fleet is the one that it was, in the version that it was.
#[track_caller]
fn all_there(fleet: &Fleet, before: &BTreeMap<PathBuf, Vec<u8>>, identities: &Identities) {
    for (path, old) in before.iter().filter(|(path, _)| path.starts_with("nodes")) {
        let (old, new) = (
            str::from_utf8(old).unwrap(),
            fleet.read(path.to_str().unwrap()),
        );
        let without = |text: &str| {
            let lines = text.lines().map(|line| match line.split_once("\"age:") {
                Some((key, rest)) => format!("{key}{}", rest.split_once('"').unwrap().1),
                None => line.to_owned(),
            });
            lines.collect::<Vec<_>>()
        };
        assert_eq!(without(old), without(&new));
        let node = path.file_stem().unwrap().to_str().unwrap();
        for ((name, old), (same, new)) in values(old).iter().zip(&values(&new)) {
            assert_eq!((name, old.version()), (same, new.version()));
            let value = open(new, identities).map_err(|error| error.to_string());
            let expected = format!("{}/{}", &node[1..], &name[1..]);
            assert_eq!(value.unwrap().as_bytes(), expected.as_bytes());
        }
    }
}

#[test]
fn only_what_readers_changed_of_is_encrypted_anew_and_as_the_same_version() {
    let fleet = fleet();
    let leaves = second(&fleet);
    fleet.replace(
        "fleet.toml",
        RECIPIENT,
        &format!("{RECIPIENT}\", \"{leaves}"),
    );
    set(&fleet, "role:web", "TOKEN", "of the role").code(0);
    set(&fleet, "n1", "TOKEN", "of n1\n\n").code(0);
    fleet.replace("fleet.toml", &format!("\", \"{leaves}"), "");
    set(&fleet, "n1", "X_A", "fits").code(0);
    set(&fleet, "n2", "X_A", "fits").code(0);
    let before = fleet.files();
    let old = |path, name| sealed(&fleet, path, name);
    let (role, own) = (old("fleet.toml", "TOKEN"), old("nodes/n1.toml", "TOKEN"));
    fleet.run(&["check"]).code(1).says(&[
        "`TOKEN` is not encrypted to those who may read it today",
        "help: run `ephemeros secrets rekey`",
    ]);
    let expected = "rekey 1 value in fleet.toml\nwould rekey 1 value in nodes/n1.toml\n";
    // It needs no key, and no right to write.
    let dry = fleet.run(&["secrets", "rekey", "--dry-run"]).code(0);
    assert_eq!(
        (dry.stdout, dry.stderr),
        (format!("would {expected}"), String::new())
    );
    assert!(before == fleet.files());
    let run = rekey(&fleet, &[])
        .code(0)
        .says(&["2 values in 2 files", "git's history"]);
    assert_eq!(
        run.stdout,
        "rekeyed 1 value in fleet.toml\nrekeyed 1 value in nodes/n1.toml\n"
    );
    // One value in each of two files is all that changed.
    let mut after = before.clone();
    for (path, old) in [("fleet.toml", role), ("nodes/n1.toml", own)] {
        let new = sealed(&fleet, path, "TOKEN");
        let (old_fields, new_fields): (Vec<_>, Vec<_>) =
            (old.split(':').collect(), new.split(':').collect());
        assert_eq!(old_fields[2], new_fields[2]);
        assert!(old_fields[1] != new_fields[1] && old_fields[3] != new_fields[3]);
        let text = String::from_utf8(before[Path::new(path)].clone()).unwrap();
        after.insert(path.into(), text.replace(&old, &new).into_bytes());
    }
    assert!(fleet.files() == after);
    assert_eq!(get(&fleet, "n1", "TOKEN"), b"of n1\n");
    assert_eq!(get(&fleet, "n2", "TOKEN"), b"of the role");
    let gone = fleet.home().join("leaves.key");
    let args = [
        "secrets",
        "get",
        "n1",
        "TOKEN",
        "-i",
        gone.to_str().unwrap(),
    ];
    fleet.run(&args).code(1).says(&["no identity fits"]);
    fleet.run(&["check"]).code(0);
    // A second time there is nothing to do, and no key is needed for that.
    let run = fleet.run(&["secrets", "rekey"]).code(0);
    assert_eq!(run.stdout, "");
    run.says(&["every value is encrypted to those who may read it today"]);
    let json = fleet.run(&["secrets", "rekey", "--json"]).code(0).stdout;
    assert_eq!(
        serde_json::from_str::<Value>(&json).unwrap()["files"],
        serde_json::json!([])
    );
    assert!(fleet.files() == after);
}

#[test]
fn the_stick_need_not_be_written_for_it() {
    let fleet = fleet();
    let leaves = second(&fleet);
    fleet.replace(
        "fleet.toml",
        RECIPIENT,
        &format!("{RECIPIENT}\", \"{leaves}"),
    );
    set(&fleet, "role:web", "TOKEN", "1").code(0);
    fleet.renders();
    let fleet = fleet.git();
    fleet.replace("fleet.toml", &format!("\", \"{leaves}"), "");
    let told = rekey(&fleet, &["--json"]).code(0);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let files = serde_json::json!([{ "file": "fleet.toml", "names": ["TOKEN"] }]);
    assert_eq!(
        (&told["files"], &told["dry_run"]),
        (&files, &Value::Bool(false))
    );
    let run = fleet.run(&["plan", "--detailed-exitcode"]).code(0);
    assert!(!run.stdout.contains("re-flash"), "{}", run.stdout);
}

#[test]
fn with_a_value_that_can_t_be_opened_nothing_changes_and_each_is_named() {
    let fleet = fleet();
    let other = second(&fleet);
    let stays = fleet.read("fleet.toml");
    fleet.replace("fleet.toml", RECIPIENT, &other);
    set(&fleet, "role:web", "TOKEN", "hunter2").code(0);
    for node in ["n1", "n2"] {
        set(&fleet, node, "X_A", "hunter2").code(0);
        set(&fleet, node, "X_B", "hunter2").code(0);
    }
    fleet.replace("fleet.toml", &other, RECIPIENT);
    assert!(fleet.read("fleet.toml").starts_with(&stays[..200]));
    set(&fleet, "n1", "TOKEN", "hunter2").code(0);
    // This one could be opened, the others can't.
    fleet.replace(
        "fleet.toml",
        RECIPIENT,
        &format!("{RECIPIENT}\", \"{other}"),
    );
    let before = fleet.files();
    let run = rekey(&fleet, &[]).code(1).mistakes(1).hides("hunter2");
    assert_eq!(run.stdout, "");
    let run = run.says(&[
        "error: can't open 5 values: no identity fits",
        "`TOKEN` in fleet.toml",
        "`X_A`, `X_B` in nodes/n1.toml, nodes/n2.toml",
        "--identity FILE",
    ]);
    run.hides("nodes/n3");
    assert!(before == fleet.files());
    let run = fleet.run(&["secrets", "rekey"]).code(1);
    run.says(&["error: no identity found"]);
    assert!(before == fleet.files());
    // What the files say must hold before anything is made of it.
    for (file, text, says) in [
        (
            "nodes/n3.toml",
            "[secrets]\nX_A = \"hunter2\"\n",
            "`X_A`: the value is not encrypted",
        ),
        ("nodes/n3.toml", "[secrets]\nX_A = \n", "not TOML"),
        (
            "nodes/n3.toml",
            "readers = [\"opps\"]\n[secrets]\n",
            "unknown group `opps`",
        ),
        ("nodes/n3.toml", "secrets = 1\n", "expected a table"),
    ] {
        fleet.write(file, text);
        let before = fleet.files();
        rekey(&fleet, &[])
            .code(1)
            .says(&["error: ", says])
            .hides("hunter2");
        assert!(before == fleet.files(), "{says}");
    }
}

#[test]
fn age_s_own_tool_opens_what_was_rekeyed() {
    if let Some(absent) = ["age", "age-keygen", "ssh-keygen"]
        .iter()
        .find(|it| !has_program(it))
    {
        return skipped(
            "age's own tool as a witness",
            &format!("there is no `{absent}`"),
        );
    }
    let fleet = fleet();
    let leaves = second(&fleet);
    let ssh = fleet.home().join("ssh.key");
    let args = ["-q", "-t", "ed25519", "-N", "", "-f"];
    ran(fleet.program("ssh-keygen").args(args).arg(&ssh));
    let public = fs::read_to_string(ssh.with_extension("key.pub")).unwrap();
    fleet.replace(
        "fleet.toml",
        RECIPIENT,
        &format!("{RECIPIENT}\", \"{leaves}"),
    );
    set(&fleet, "n1", "TOKEN", "\u{e9} $x \"'").code(0);
    fleet.replace("fleet.toml", &leaves, public.trim());
    rekey(&fleet, &[]).code(0);
    let text = sealed(&fleet, "nodes/n1.toml", "TOKEN");
    let path = fleet.home().join("value.age");
    fs::write(
        &path,
        BASE64_STANDARD
            .decode(text.rsplit(':').next().unwrap())
            .unwrap(),
    )
    .unwrap();
    let age = |key: &Path| {
        let mut age = fleet.program("age");
        age.arg("-d").arg("-i").arg(key).arg(&path);
        age
    };
    for key in [key(&fleet), ssh] {
        assert_eq!(
            ran(&mut age(&key)),
            "\u{e9} $x \"'".as_bytes(),
            "{}",
            key.display()
        );
    }
    let output = age(&fleet.home().join("leaves.key")).output().unwrap();
    assert!(!output.status.success());
}

#[test]
#[cfg_attr(debug_assertions, ignore = "encryption is slow without optimization")]
fn a_thousand_nodes_with_five_values_each_take_seconds() {
    let leaves = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
    let fleet = large(1000, &[RECIPIENT, leaves]);
    fleet.replace("fleet.toml", &format!(", \"{leaves}\""), "");
    let before = fleet.files();
    let begin = Instant::now();
    let run = rekey(&fleet, &[])
        .code(0)
        .says(&["5000 values in 1000 files"]);
    let took = begin.elapsed();
    assert_eq!(run.stdout.lines().count(), 1000);
    tell(&format!("5,000 values in 1,000 files: {took:.1?}"));
    assert!(took < Duration::from_secs(30), "{took:?}");
    all_there(&fleet, &before, &identities(&key(&fleet)));
    fleet.run(&["check"]).code(0);
}

/// How many node files are for the first readers, and how many for the second; none is half of each.
fn sorted<'a>(
    fleet: &Fleet,
    paths: impl Iterator<Item = &'a PathBuf>,
    digests: &[String; 2],
) -> [usize; 2] {
    let mut found = [0, 0];
    for path in paths.filter(|path| path.starts_with("nodes")) {
        let values = values(&fleet.read(path.to_str().unwrap()));
        assert_eq!(values.len(), 5, "{}", path.display());
        let is_of = |set: usize| {
            values
                .values()
                .all(|it| it.recipients_digest() == digests[set])
        };
        assert!(is_of(0) || is_of(1), "{} is half of each", path.display());
        found[usize::from(is_of(1))] += 1;
    }
    found
}

/// Kills it fifty times at moments spread over a whole run, and finishes with a last one.
fn killed(as_nobody: bool) {
    let leaves = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
    let fleet = large(60, &[RECIPIENT, leaves]);
    let toml = fleet.read("fleet.toml");
    let key = key(&fleet);
    if as_nobody {
        let mut chown = Command::new("chown");
        let owned = chown
            .args(["-R", "65534:65534"])
            .arg(fleet.root())
            .arg(&key)
            .status();
        assert!(owned.unwrap().success());
    }
    let args = ["secrets", "rekey", "-q", "-i", key.to_str().unwrap()];
    let command = || {
        let tool = if as_nobody {
            fleet.command_as_nobody(&args)
        } else {
            fleet.command(&args)
        };
        let mut command = tool.process();
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    };
    let before = fleet.files();
    let sets = [vec![RECIPIENT], vec![RECIPIENT, leaves]];
    let finish = |round: usize| {
        fleet.write(
            "fleet.toml",
            toml.replace(&format!("{:?}", sets[1]), &format!("{:?}", sets[round % 2])),
        );
        let begin = Instant::now();
        let output = command().output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        begin.elapsed()
    };
    finish(0);
    finish(1);
    let whole = finish(0);
    let first = fleet.root().join("nodes/n0.toml");
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    let (mut cut, mut mixed, mut round) = (0, 0, 0);
    let digests = sets.each_ref().map(|set| recipients(set).digest());
    for kill in 0..50_u32 {
        round += 1;
        fleet.write(
            "fleet.toml",
            toml.replace(&format!("{:?}", sets[1]), &format!("{:?}", sets[round % 2])),
        );
        let there = inode(&first);
        let mut child = command().spawn().unwrap();
        // 37 and 50 have no common part: each fiftieth of a run comes once, in no order.
        let moment = whole * (kill * 37 % 50) / 50;
        if kill % 2 == 0 {
            sleep(moment);
        } else {
            // The time in which files are renamed is short: it is waited for, and each comes a little later.
            let begin = Instant::now();
            while inode(&first) == there && begin.elapsed() < whole * 4 {
                sleep(Duration::from_micros(50));
            }
            sleep(Duration::from_micros(u64::from(kill) * 20));
        }
        child.kill().unwrap();
        cut += usize::from(!child.wait().unwrap().success());
        let found = sorted(&fleet, before.keys(), &digests);
        mixed += usize::from(found[0] > 0 && found[1] > 0);
        // Whatever it left, a second run finishes it.
        finish(round);
    }
    finish(0);
    assert!(mixed > 0, "none was killed between two files");
    assert!(cut > 20, "only {cut} were killed while they ran");
    let names: Vec<PathBuf> = fleet.files().into_keys().collect();
    assert!(
        names == before.keys().cloned().collect::<Vec<_>>(),
        "{names:?}"
    );
    all_there(&fleet, &before, &identities(&key));
    fleet
        .run(&["secrets", "rekey", "--dry-run"])
        .code(0)
        .hides("would");
    tell(&format!(
        "killed {cut} of 50 while it ran, {mixed} of them between two files"
    ));
}

#[allow(clippy::print_stderr)] // It shows with `--nocapture`.
pub(crate) fn tell(what: &str) {
    eprintln!("{what}");
}

#[test]
fn killed_at_any_moment_each_file_is_old_or_new_and_another_run_finishes() {
    killed(false);
}

#[test]
fn killed_as_somebody_who_is_not_root_too() {
    if rustix::process::geteuid().is_root() && !has_program("setpriv") {
        return skipped("a kill of another user's run", "there is no `setpriv`");
    }
    killed(true);
}
