//! `secrets`: keys made, values set into the fleet's files, opened and listed; with age's own tool as a witness.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::dialogue::tool;
use crate::fleet::{Fleet, RECIPIENT, Run};
use crate::repository::{KNOWN_URL, has_program, skipped};

/// What no message may hold.
const VALUE: &str = "hunter2-\u{e9}\"'\\ $x";

pub(crate) fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/identity/demo.age.key")
}

pub(crate) fn vault(recipients: &[&str]) -> String {
    format!("{KNOWN_URL}\n[vault]\nrecipients = {recipients:?}\n")
}

/// Two nodes, a role with the variables `TOKEN` and `X_*`, and comments to keep.
pub(crate) fn fleet() -> Fleet {
    Fleet::new()
        .fleet(
            &(vault(&[RECIPIENT])
                + "\n# The web.\n[roles.web]  # a role\nvariables = [\"X_*\", \"TOKEN\"]\nenv_file = \"web_env\"\n\n\
                   # Everybody.\n[defaults]\ntemplates = [\"base.bu\"]  # one\n"),
        )
        .node("n1", "# first\nroles = [\"web\"]\n\n[vars]\nb = 1 # two\na = 2\n")
        .node("n2", "roles = [\"web\"]\n")
}

#[track_caller]
pub(crate) fn set(fleet: &Fleet, place: &str, name: &str, value: impl AsRef<[u8]>) -> Run {
    let run = fleet
        .command(&["secrets", "set", place, name])
        .stdin(value)
        .run();
    assert_eq!(run.stdout, "");
    run.hides(VALUE)
}

/// A node's value, byte for byte.
#[track_caller]
pub(crate) fn get(fleet: &Fleet, node: &str, name: &str) -> Vec<u8> {
    let identity = demo();
    let args = [
        "secrets",
        "get",
        node,
        name,
        "--identity",
        identity.to_str().unwrap(),
    ];
    let output = fleet.process(&args).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    output.stdout
}

/// The encrypted text as it stands in a file.
pub(crate) fn sealed(fleet: &Fleet, path: &str, name: &str) -> String {
    let text = fleet.read(path);
    let line = text
        .lines()
        .find(|line| line.starts_with(&format!("{name} = ")));
    let line = line.unwrap_or_else(|| panic!("no {name} in\n{text}"));
    line.split('"').nth(1).unwrap().to_owned()
}

/// The file's own lines, without those of secrets.
fn without_secrets(text: &str) -> String {
    let own =
        |line: &&str| !line.contains("age:") && !line.contains("secrets]") && !line.is_empty();
    text.lines().filter(own).collect::<Vec<_>>().join("\n")
}

#[test]
fn keygen_writes_a_closed_file_and_prints_the_public_key() {
    let fleet = fleet();
    let run = fleet
        .run(&["secrets", "keygen"])
        .code(0)
        .says(&["wrote ", "[vault] recipients"]);
    let path = fleet.home().join(".config/ephemeros/identity");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let recipient = run.stdout.trim_end();
    assert!(
        recipient.starts_with("age1") && recipient.len() == 62,
        "{recipient}"
    );
    assert_eq!(run.stdout.lines().count(), 1);
    let key = fs::read_to_string(&path).unwrap();
    assert!(key.contains(recipient) && key.contains("\nAGE-SECRET-KEY-1"));
    run.hides("AGE-SECRET-KEY");
    let again = fleet.run(&["secrets", "keygen"]).code(1);
    let again = again.says(&["error: ", "exists and is not overwritten"]);
    assert_eq!(again.stdout, "");
    assert_eq!(fs::read_to_string(&path).unwrap(), key);
}

#[test]
fn keygen_needs_no_fleet_and_takes_a_file() {
    let fleet = fleet();
    let run = |args: &[&str]| {
        let tool = fleet.command(&[&["secrets", "keygen"], args].concat());
        tool.folder(fleet.home()).run()
    };
    let told = run(&["--output", "new/key", "--json"]).code(0);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(told["format"], 1);
    assert!(told["recipient"].as_str().unwrap().starts_with("age1"));
    assert!(fleet.home().join("new/key").is_file());
    run(&["--output", "new/key"]).code(1).says(&["exists"]);
    run(&["--output", "new/key/below"])
        .code(1)
        .says(&["error: can't write "]);
    run(&["--output", "new"]).code(1).says(&["error: "]);
    fs::write(fleet.home().join("empty"), "").unwrap();
    run(&["--output", "empty"]).code(1).says(&["exists"]);
}

#[test]
fn keygen_s_own_key_opens_what_is_set_to_it() {
    let fleet = fleet();
    let recipient = fleet.run(&["secrets", "keygen"]).code(0).stdout;
    let fleet = fleet.fleet(
        &(vault(&[recipient.trim()])
            + "[roles.web]\nvariables = [\"TOKEN\"]\nenv_file = \"web_env\"\n"),
    );
    set(&fleet, "n1", "TOKEN", VALUE).code(0);
    set(&fleet, "n2", "TOKEN", VALUE).code(0);
    // Found where `keygen` wrote it.
    let run = fleet.run(&["secrets", "get", "n1", "TOKEN"]).code(0);
    assert_eq!(run.stdout, VALUE);
    assert_eq!(run.stderr, "");
}

#[test]
fn a_value_set_is_the_value_got_and_the_fleet_renders() {
    let fleet = fleet();
    let run = set(&fleet, "n1", "TOKEN", VALUE).code(0);
    run.says(&["set TOKEN in nodes/n1.toml, version "]);
    set(&fleet, "n2", "TOKEN", "other").code(0);
    assert_eq!(get(&fleet, "n1", "TOKEN"), VALUE.as_bytes());
    assert_eq!(get(&fleet, "n2", "TOKEN"), b"other");
    fleet.renders();
    fleet.run(&["check"]).code(0);
    for text in fleet.files().values() {
        assert!(!String::from_utf8_lossy(text).contains("hunter2"));
    }
}

#[test]
fn node_role_and_defaults_each_take_values_and_the_nearest_wins() {
    let fleet = fleet();
    set(&fleet, "defaults", "TOKEN", "of all")
        .code(0)
        .says(&["in fleet.toml"]);
    assert_eq!(get(&fleet, "n1", "TOKEN"), b"of all");
    set(&fleet, "role:web", "TOKEN", "of the role")
        .code(0)
        .says(&["in fleet.toml"]);
    assert_eq!(get(&fleet, "n1", "TOKEN"), b"of the role");
    set(&fleet, "n1", "TOKEN", "of the node")
        .code(0)
        .says(&["in nodes/n1.toml"]);
    assert_eq!(get(&fleet, "n1", "TOKEN"), b"of the node");
    assert_eq!(get(&fleet, "n2", "TOKEN"), b"of the role");
    let text = fleet.read("fleet.toml");
    assert!(
        text.contains("[roles.web.secrets]") && text.contains("[defaults.secrets]"),
        "{text}"
    );
}

#[test]
fn setting_keeps_every_other_line() {
    let fleet = fleet();
    let before = (fleet.read("fleet.toml"), fleet.read("nodes/n1.toml"));
    for place in ["n1", "role:web", "defaults"] {
        set(&fleet, place, "TOKEN", "1").code(0);
        set(&fleet, place, "X_B", "2").code(0);
        set(&fleet, place, "X_A", "3").code(0);
        set(&fleet, place, "TOKEN", "4").code(0);
    }
    let after = (fleet.read("fleet.toml"), fleet.read("nodes/n1.toml"));
    assert_eq!(without_secrets(&before.0), without_secrets(&after.0));
    assert_eq!(without_secrets(&before.1), without_secrets(&after.1));
    assert_eq!(after.1.matches("TOKEN = ").count(), 1, "{}", after.1);
    assert_eq!(get(&fleet, "n1", "TOKEN"), b"4");
    fleet.run(&["secrets", "set", "n1", "TOKEN"]).code(1);
}

#[test]
fn setting_one_value_again_changes_one_line_and_the_version() {
    let fleet = fleet();
    set(&fleet, "n1", "TOKEN", "1").code(0);
    set(&fleet, "n1", "X_A", "1").code(0);
    let (before, old) = (
        fleet.read("nodes/n1.toml"),
        sealed(&fleet, "nodes/n1.toml", "TOKEN"),
    );
    set(&fleet, "n1", "TOKEN", "1").code(0);
    let (after, new) = (
        fleet.read("nodes/n1.toml"),
        sealed(&fleet, "nodes/n1.toml", "TOKEN"),
    );
    assert_eq!(before.replace(&old, &new), after);
    let fields = |text: &str| text.split(':').map(str::to_owned).collect::<Vec<_>>();
    let (old, new) = (fields(&old), fields(&new));
    assert_eq!(old[..2], new[..2]);
    assert_ne!(old[2], new[2]);
}

#[test]
fn a_value_that_its_env_file_can_t_hold_is_refused() {
    let fleet = fleet();
    let before = fleet.read("nodes/n1.toml");
    for value in [&b"a\xff"[..], b"a\0b", &vec![b'x'; 1 << 20]] {
        set(&fleet, "n1", "TOKEN", value).code(1).says(&[
            "an env file can't hold `TOKEN`",
            "hand it over as a file of its own",
        ]);
    }
    assert_eq!(fleet.read("nodes/n1.toml"), before);
}

#[test]
fn one_line_end_of_standard_input_is_no_part_of_the_value_and_a_file_is_taken_whole() {
    let as_file = fleet().read("fleet.toml").replace(
        "variables = [\"X_*\", \"TOKEN\"]\nenv_file = \"web_env\"",
        "files.token = \"TOKEN\"",
    );
    let fleet = fleet().file("fleet.toml", &as_file);
    set(&fleet, "defaults", "TOKEN", "of all").code(0);
    for (given, kept) in [
        (&b"a\n"[..], &b"a"[..]),
        (b"a\r\n", b"a"),
        (b"a\n\n", b"a\n"),
        (b" a ", b" a "),
        (b"a\nb", b"a\nb"),
        (b"\xff\x00\x80", b"\xff\x00\x80"),
    ] {
        set(&fleet, "n1", "TOKEN", given).code(0);
        assert_eq!(get(&fleet, "n1", "TOKEN"), kept, "{given:?}");
    }
    let long = vec![b'x'; 1 << 20];
    for whole in [&b"a\n"[..], b"\n", b"\x00\xff\r\n", &long] {
        let file = fleet.home().join("value");
        fs::write(&file, whole).unwrap();
        let args = [
            "secrets",
            "set",
            "n1",
            "TOKEN",
            "--file",
            file.to_str().unwrap(),
        ];
        fleet.run(&args).code(0);
        assert!(
            get(&fleet, "n1", "TOKEN") == whole,
            "{:?}",
            &whole[..2.min(whole.len())]
        );
    }
}

#[test]
fn what_can_t_be_set_is_told_and_changes_nothing() {
    let fleet = fleet();
    let before = fleet.files();
    let missing = fleet.home().join("missing");
    for (args, stdin, says) in [
        (
            &["n3", "TOKEN"][..],
            "x",
            &["error: there is no node `n3`", "similar name exists: `n"][..],
        ),
        (
            &["zzz", "TOKEN"],
            "x",
            &["error: there is no node `zzz`", "`role:NAME`"],
        ),
        (
            &["role:wbe", "TOKEN"],
            "x",
            &["error: there is no role `wbe`", "`web`"],
        ),
        (&["role:", "TOKEN"], "x", &["error: there is no role ``"]),
        (
            &["../n1", "TOKEN"],
            "x",
            &["error: there is no node `../n1`"],
        ),
        (&["n1", "BAD NAME"], "x", &["error: "]),
        (&["n1", "1TOKEN"], "x", &["error: "]),
        (&["n1", ""], "x", &["error: "]),
        (&["n1", "A=B"], "x", &["error: "]),
        (&["n1", "TOKEN"], "", &["error: the value is empty"]),
        (&["n1", "TOKEN"], "\n", &["error: the value is empty"]),
        (
            &["n1", "TOKEN", "--file", "/dev/null"],
            "",
            &["error: the value is empty"],
        ),
        (
            &["n1", "TOKEN", "--file", missing.to_str().unwrap()],
            "",
            &["error: can't read ", "missing"],
        ),
    ] {
        let args = [&["secrets", "set"], args].concat();
        let run = fleet.command(&args).stdin(stdin).run().code(1).says(says);
        assert_eq!(run.stdout, "");
        let mut after = fleet.files();
        after.remove(Path::new(".ephemeros.lock"));
        assert!(before == after, "{args:?}");
    }
}

#[test]
fn without_a_recipient_nothing_can_be_set() {
    let fleet = Fleet::new().fleet(KNOWN_URL);
    let run = set(&fleet, "n1", "TOKEN", VALUE).code(1);
    run.says(&["error: ", "recipients", "fleet.toml"]);
    let fleet = Fleet::new().fleet(&vault(&["age1nonsense"]));
    let run = set(&fleet, "n1", "TOKEN", VALUE).code(1);
    run.says(&["error: ", "fleet.toml:8:15"]);
}

#[test]
fn a_secret_that_is_missing_can_be_set_though_the_fleet_does_not_render() {
    let fleet = fleet();
    fleet.run(&["render"]).code(1).says(&["TOKEN"]);
    set(&fleet, "role:web", "TOKEN", VALUE).code(0);
    fleet.renders();
}

#[test]
fn a_file_of_values_keeps_its_mode_and_its_link() {
    let fleet = fleet().mode("nodes/n1.toml", 0o640);
    fs::rename(
        fleet.root().join("nodes/n2.toml"),
        fleet.home().join("n2.toml"),
    )
    .unwrap();
    let fleet = fleet.link("nodes/n2.toml", "../../home/n2.toml");
    set(&fleet, "n1", "TOKEN", "1").code(0);
    set(&fleet, "n2", "TOKEN", "2").code(0);
    let mode = fs::metadata(fleet.root().join("nodes/n1.toml"))
        .unwrap()
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o640);
    assert!(fleet.root().join("nodes/n2.toml").is_symlink());
    assert_eq!(get(&fleet, "n2", "TOKEN"), b"2");
}

#[test]
fn a_wrong_or_missing_identity_is_told_without_the_value() {
    let fleet = fleet();
    set(&fleet, "defaults", "TOKEN", VALUE).code(0);
    let run = fleet
        .run(&["secrets", "get", "n1", "TOKEN"])
        .code(1)
        .hides(VALUE);
    run.says(&[
        "error: no identity found",
        "ephemeros secrets keygen",
        "--identity",
    ]);
    fleet.run(&["secrets", "keygen"]).code(0);
    let run = fleet
        .run(&["secrets", "get", "n1", "TOKEN"])
        .code(1)
        .hides(VALUE);
    let run = run.says(&["error: can't open `TOKEN`: no identity fits", "X25519"]);
    assert_eq!(run.stdout, "");
    let file = |name: &str, text: &str| {
        let path = fleet.home().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    for (path, says) in [
        (
            "/nonexistent".to_owned(),
            "can't read the identity `/nonexistent`",
        ),
        (file("public", RECIPIENT), "public"),
        (file("nothing", "# nothing\n"), "holds no key"),
        (file("other", "hunter2\n"), "line 1"),
    ] {
        let args = ["secrets", "get", "n1", "TOKEN", "--identity", &path];
        fleet
            .run(&args)
            .code(1)
            .says(&["error: ", says])
            .hides("hunter2");
    }
}

#[test]
fn an_identity_may_be_named_by_the_environment_and_an_open_one_is_warned_of() {
    let fleet = fleet();
    set(&fleet, "defaults", "TOKEN", VALUE).code(0);
    let path = fleet.home().join("key");
    fs::copy(demo(), &path).unwrap();
    let get = |mode| {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let tool = fleet.command(&["secrets", "get", "n1", "TOKEN"]);
        let run = tool
            .env("EPHEMEROS_IDENTITY", path.to_str().unwrap())
            .run()
            .code(0);
        assert_eq!(run.stdout, VALUE);
        run.stderr
    };
    assert_eq!(get(0o600), "");
    assert!(
        get(0o644).contains("warning: the identity "),
        "{}",
        get(0o644)
    );
}

#[test]
fn a_damaged_value_is_told() {
    let fleet = fleet();
    set(&fleet, "defaults", "TOKEN", VALUE).code(0);
    let good = sealed(&fleet, "fleet.toml", "TOKEN");
    let fields: Vec<&str> = good.rsplitn(2, ':').collect();
    let mut bytes = {
        use base64::Engine as _;
        base64::prelude::BASE64_STANDARD.decode(fields[0]).unwrap()
    };
    *bytes.last_mut().unwrap() ^= 1;
    let bad = {
        use base64::Engine as _;
        format!(
            "{}:{}",
            fields[1],
            base64::prelude::BASE64_STANDARD.encode(bytes)
        )
    };
    fleet.replace("fleet.toml", &good, &bad);
    let identity = demo();
    let args = [
        "secrets",
        "get",
        "n1",
        "TOKEN",
        "--identity",
        identity.to_str().unwrap(),
    ];
    let run = fleet.run(&args).code(1);
    run.says(&["error: can't open `TOKEN`: the value is damaged"]);
}

#[test]
fn what_is_not_there_can_t_be_got() {
    let fleet = fleet();
    set(&fleet, "defaults", "TOKEN", VALUE).code(0);
    let identity = demo();
    let get = |node, name| {
        let args = [
            "secrets",
            "get",
            node,
            name,
            "--identity",
            identity.to_str().unwrap(),
        ];
        fleet.run(&args)
    };
    get("n1", "TOKNE")
        .code(1)
        .says(&["error: n1 has no secret `TOKNE`", "`TOKEN`"]);
    get("n7", "TOKEN")
        .code(1)
        .says(&["error: no node fits `n7`"]);
    get("n*", "TOKEN")
        .code(64)
        .says(&["error: `n*` fits 2 nodes"]);
}

#[test]
fn list_names_each_value_once_and_never_opens_one() {
    let fleet = fleet();
    set(&fleet, "role:web", "TOKEN", VALUE).code(0);
    set(&fleet, "n2", "X_A", VALUE).code(0);
    let run = fleet
        .run(&["secrets", "list"])
        .code(0)
        .hides(VALUE)
        .hides("YWdl");
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{}", run.stdout);
    assert!(lines[0].starts_with("TOKEN  fleet.toml:") && lines[0].ends_with("  n1, n2"));
    assert!(lines[2].starts_with("X_A    nodes/n2.toml:") && lines[2].ends_with("  n2"));
    let version = sealed(&fleet, "nodes/n2.toml", "X_A");
    assert!(lines[2].contains(version.split(':').nth(2).unwrap()));
    let run = fleet.run(&["secrets", "list", "n1"]).code(0);
    assert_eq!(run.stdout.lines().count(), 2);
    let run = fleet
        .run(&["secrets", "list", "--json"])
        .code(0)
        .hides("YWdl");
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told["format"], 1);
    let secrets = told["secrets"].as_array().unwrap();
    assert_eq!(secrets.len(), 2);
    assert_eq!(secrets[0]["name"], "TOKEN");
    assert_eq!(secrets[0]["nodes"], serde_json::json!(["n1", "n2"]));
    fleet
        .run(&["secrets", "list", "@none"])
        .code(1)
        .says(&["no node fits"]);
}

#[test]
fn check_tells_without_a_key_what_is_not_encrypted_to_today_s_recipients() {
    let fleet = fleet();
    set(&fleet, "defaults", "TOKEN", VALUE).code(0);
    fleet.run(&["check"]).code(0);
    let other = fleet.run(&["secrets", "keygen"]).code(0).stdout;
    fleet.replace("fleet.toml", RECIPIENT, other.trim());
    let run = fleet.run(&["check"]).code(1);
    run.says(&[
        "error: `TOKEN` is not encrypted to those who may read it today",
        "fleet.toml:",
    ]);
    set(&fleet, "defaults", "TOKEN", VALUE).code(0);
    fleet.run(&["check"]).code(0);
}

#[test]
fn readers_of_a_node_file_may_read_its_values() {
    let fleet = fleet();
    let reader = fleet.run(&["secrets", "keygen"]).code(0).stdout;
    let text =
        fleet.read("fleet.toml") + &format!("[vault.groups]\nops = [\"{}\"]\n", reader.trim());
    fleet.write("fleet.toml", text);
    let fleet = fleet.node("n1", "roles = [\"web\"]\nreaders = [\"ops\"]\n");
    set(&fleet, "n1", "TOKEN", "for ops").code(0);
    set(&fleet, "n2", "TOKEN", "not for ops").code(0);
    assert_eq!(get(&fleet, "n1", "TOKEN"), b"for ops");
    fleet
        .run(&["secrets", "get", "n1", "TOKEN"])
        .code(0)
        .prints(&["for ops"]);
    fleet
        .run(&["secrets", "get", "n2", "TOKEN"])
        .code(1)
        .says(&["no identity fits"]);
    fleet.run(&["check"]).code(0);
}

/// What a program of age's or ssh's makes of its input.
pub(crate) fn ran(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    output.stdout
}

#[test]
fn age_s_own_tool_opens_what_is_set_for_age_and_ssh_keys() {
    use base64::Engine as _;
    let programs = ["age", "age-keygen", "ssh-keygen"];
    if let Some(absent) = programs.iter().find(|name| !has_program(name)) {
        return skipped(
            "age's own tool as a witness",
            &format!("there is no `{absent}`"),
        );
    }
    let fleet = fleet();
    let (key, ssh) = (fleet.home().join("age.key"), fleet.home().join("ssh.key"));
    ran(fleet.program("age-keygen").arg("-o").arg(&key));
    let public = ran(fleet.program("age-keygen").arg("-y").arg(&key));
    let args = ["-q", "-t", "ed25519", "-N", "", "-C", "me@desk", "-f"];
    ran(fleet.program("ssh-keygen").args(args).arg(&ssh));
    let ssh_public = fs::read_to_string(ssh.with_extension("key.pub")).unwrap();
    let public = String::from_utf8(public).unwrap();
    let recipients = vault(&[public.trim(), ssh_public.trim()]);
    let fleet = fleet
        .fleet(&(recipients + "[roles.web]\nvariables = [\"TOKEN\"]\nenv_file = \"web_env\"\n"));
    set(&fleet, "n1", "TOKEN", VALUE).code(0);
    set(&fleet, "n2", "TOKEN", VALUE).code(0);
    let text = sealed(&fleet, "nodes/n1.toml", "TOKEN");
    let age_file = base64::prelude::BASE64_STANDARD.decode(text.rsplit(':').next().unwrap());
    let path = fleet.home().join("value.age");
    fs::write(&path, age_file.unwrap()).unwrap();
    for identity in [&key, &ssh] {
        let opened = ran(fleet
            .program("age")
            .arg("-d")
            .arg("-i")
            .arg(identity)
            .arg(&path));
        assert_eq!(opened, VALUE.as_bytes(), "{}", identity.display());
        let args = [
            "secrets",
            "get",
            "n1",
            "TOKEN",
            "-i",
            identity.to_str().unwrap(),
        ];
        let run = fleet.run(&args).code(0);
        assert_eq!(run.stdout, VALUE);
    }
    // And the other way: what age made stands in the fleet as well as what the tool made.
    let recipients = fleet.home().join("recipients");
    fs::write(&recipients, format!("{public}{ssh_public}")).unwrap();
    let plain = fleet.home().join("plain");
    fs::write(&plain, "made by age").unwrap();
    let made = ran(fleet.program("age").arg("-R").arg(&recipients).arg(&plain));
    let fields: Vec<&str> = text.rsplitn(2, ':').collect();
    let made = base64::prelude::BASE64_STANDARD.encode(made);
    fleet.replace("nodes/n1.toml", &text, &format!("{}:{made}", fields[1]));
    let args = ["secrets", "get", "n1", "TOKEN", "-i", ssh.to_str().unwrap()];
    assert_eq!(fleet.run(&args).code(0).stdout, "made by age");
}

#[test]
fn ssh_keys_are_found_in_the_home_directory() {
    if !has_program("ssh-keygen") {
        return skipped(
            "an ssh key in the home directory",
            "there is no `ssh-keygen`",
        );
    }
    let fleet = fleet();
    let ssh = fleet.home().join(".ssh/id_ed25519");
    fs::create_dir(fleet.home().join(".ssh")).unwrap();
    let args = ["-q", "-t", "ed25519", "-N", "", "-f"];
    ran(fleet.program("ssh-keygen").args(args).arg(&ssh));
    let public = fs::read_to_string(ssh.with_extension("pub")).unwrap();
    fleet.replace("fleet.toml", RECIPIENT, public.trim());
    set(&fleet, "defaults", "TOKEN", VALUE).code(0);
    assert_eq!(
        fleet.run(&["secrets", "get", "n1", "TOKEN"]).code(0).stdout,
        VALUE
    );
}

#[test]
fn at_a_prompt_what_is_typed_is_not_shown() {
    if !has_program("python3") {
        return skipped("a prompt on a terminal", "there is no `python3`");
    }
    let fleet = fleet();
    let args = ["secrets", "set", "defaults", "TOKEN"];
    let (code, screen) = tool(&fleet, &[("value of TOKEN: ", "hunter2\n")], &args);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("value of TOKEN: "), "{screen}");
    assert!(!screen.contains("hunter2"), "{screen}");
    assert_eq!(get(&fleet, "n1", "TOKEN"), b"hunter2");
}

#[test]
fn ctrl_c_at_a_prompt_ends_it_with_130_and_sets_nothing() {
    if !has_program("python3") {
        return skipped("Ctrl-C at a prompt", "there is no `python3`");
    }
    let fleet = fleet();
    let before = fleet.read("fleet.toml");
    let args = ["secrets", "set", "defaults", "TOKEN"];
    let (code, screen) = tool(&fleet, &[("value of TOKEN: ", "hunt\u{3}")], &args);
    assert_eq!(code, 130, "{screen}");
    assert!(!screen.contains("hunt"), "{screen}");
    assert_eq!(fleet.read("fleet.toml"), before);
}

#[test]
fn a_value_on_the_command_line_is_refused_and_not_repeated() {
    let fleet = fleet();
    let before = fleet.files();
    let run = fleet
        .run(&["secrets", "set", "n1", "TOKEN", "hunter2secret"])
        .code(64);
    run.hides("hunter2")
        .says(&["a value is no argument", "standard input"]);
    assert!(before == fleet.files());
    let run = fleet.run(&["secrets", "set", "web", "TOKEN"]).code(1);
    run.says(&[
        "there is no node `web`",
        "`web` is a role: write `role:web`",
    ]);
}
