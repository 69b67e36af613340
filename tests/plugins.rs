//! age plugins, by one that speaks the protocol: `tests/plugin/age-plugin-demo`. The programs of age take it too.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::dialogue::full_dialogue;
use crate::drives::{Attached, MIB};
use crate::fleet::{Fleet, HEAD, RECIPIENT, Run, Tool, copy};
use crate::image::loaders;
use crate::interop::{age_file, around, encrypted, piped};
use crate::repository::{has_program, skipped};
use crate::secrets::{demo, fleet, ran, sealed, vault};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/plugin/age-plugin-demo");

/// A fleet, and plugins that are installed in a folder of their own.
struct Desk {
    fleet: Fleet,
}

/// A recipient of a plugin, and a file with its identity.
struct Key {
    recipient: String,
    identity: PathBuf,
}

impl Desk {
    /// `None`, loudly, where there is no Python.
    fn new() -> Option<Self> {
        if !has_program("python3") {
            skipped("age plugins", "there is no `python3`");
            return None;
        }
        let desk = Self { fleet: fleet() };
        desk.install("demo");
        Some(desk)
    }

    fn folder(&self) -> PathBuf {
        self.fleet.root().with_file_name("plugins")
    }

    fn install(&self, name: &str) {
        let folder = self.folder().join(name);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("age-plugin-{name}"));
        fs::copy(SCRIPT, &path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn key(&self, plugin: &str, name: &str) -> Key {
        let folder = self.folder().join(plugin);
        let program = folder.join(format!("age-plugin-{plugin}"));
        let made = ran(self.fleet.program(program).args(["--make", name]));
        let made = String::from_utf8(made).unwrap();
        let (recipient, identity) = made.trim().split_once('\n').unwrap();
        let path = self.fleet.home().join(format!("{plugin}-{name}"));
        fs::write(&path, format!("# {recipient}\n{identity}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        Key {
            recipient: recipient.to_owned(),
            identity: path,
        }
    }

    /// What the plugin does from now on, each with a text.
    fn behaves(&self, lines: &[(&str, &str)]) {
        let lines = lines.iter();
        let lines = lines.map(|(what, text)| format!("{what} {}\n", json!(text)));
        let text: String = lines.collect();
        fs::write(self.folder().join("demo/behaviour"), text).unwrap();
    }

    fn recipients(&self, keys: &[&str]) {
        let text = self.fleet.read("fleet.toml");
        let mut lines = text.lines();
        let line = lines.find(|line| line.starts_with("recipients")).unwrap();
        let new = format!("recipients = {keys:?}");
        self.fleet.replace("fleet.toml", line, &new);
    }

    /// PATH with the folders of plugins at its end, where nothing of this machine's hides them.
    fn path(&self) -> String {
        let mut path = std::env::var("PATH").unwrap();
        for entry in fs::read_dir(self.folder()).unwrap() {
            path += &format!(":{}", entry.unwrap().path().display());
        }
        path
    }

    fn command(&self, args: &[&str]) -> Tool {
        let tool = self.fleet.command(args).without_terminal();
        tool.env("PATH", &self.path())
    }

    fn set(&self, name: &str) -> Run {
        let command = self.command(&["secrets", "set", "defaults", name]);
        command.stdin("hunter2").run()
    }

    fn get(&self, name: &str, identity: &Path) -> Run {
        let identity = identity.to_str().unwrap();
        self.command(&["secrets", "get", "n1", name, "-i", identity])
            .run()
    }

    /// The runs of a plugin since the last call.
    fn runs(&self, plugin: &str) -> Vec<Value> {
        let path = self.folder().join(plugin).join("runs");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(&path);
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The tool on a terminal. With `true` an answer is shown.
    fn dialogue(&self, steps: &[(&str, &str, bool)], args: &str) -> (i32, String) {
        let (path, tool) = (self.path(), env!("CARGO_BIN_EXE_ephemeros"));
        let line = format!("NO_COLOR=1 PATH='{path}' exec '{tool}' {args}");
        full_dialogue(&self.fleet, steps, &["sh", "-c", &line])
    }
}

#[test]
fn values_are_encrypted_to_plugins_and_opened_by_them() {
    let Some(desk) = Desk::new() else { return };
    let key = desk.key("demo", "me");
    desk.recipients(&[&key.recipient]);
    desk.set("TOKEN").code(0).hides("hunter2");
    let runs = desk.runs("demo");
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["args"], json!(["--age-plugin=recipient-v1"]));
    let run = desk.get("TOKEN", &key.identity).code(0);
    assert_eq!(run.stdout, "hunter2");
    let runs = [runs, desk.runs("demo")].concat();
    assert_eq!(runs[1]["args"], json!(["--age-plugin=identity-v1"]));
    let all = json!(runs).to_string();
    assert!(
        !all.contains("hunter2") && !all.contains("AGE-PLUGIN-"),
        "{all}"
    );
    // To other recipients and back; a stick is made with it.
    desk.recipients(&[&key.recipient, RECIPIENT]);
    let identity = key.identity.to_str().unwrap();
    let rekey = ["secrets", "rekey", "-i", identity];
    desk.command(&rekey).run().code(0);
    assert_eq!(desk.get("TOKEN", &demo()).code(0).stdout, "hunter2");
    assert_eq!(desk.get("TOKEN", &key.identity).code(0).stdout, "hunter2");
    desk.command(&["check"]).run().code(0);
    if let Some(loaders) = loaders() {
        desk.fleet.renders();
        let loaders = loaders.to_str().unwrap();
        let stick = desk.fleet.home().join("stick.img");
        let stick = stick.to_str().unwrap();
        let args = [
            "image",
            "n1",
            "-o",
            stick,
            "--raw-url",
            "https://git.example/{{ path }}",
        ];
        let args = [&args[..], &["--ipxe", loaders, "-i", identity]].concat();
        desk.command(&args).run().code(0);
        assert!(
            fs::read(stick)
                .unwrap()
                .windows(7)
                .any(|it| it == b"hunter2")
        );
    }
}

#[test]
fn several_plugins_run_once_each_beside_other_keys() {
    let Some(desk) = Desk::new() else { return };
    desk.install("other-1");
    let keys = [
        desk.key("demo", "a"),
        desk.key("demo", "b"),
        desk.key("other-1", "c"),
    ];
    let mut all: Vec<&str> = keys.iter().map(|key| &*key.recipient).collect();
    all.push(RECIPIENT);
    desk.recipients(&all);
    desk.set("TOKEN").code(0);
    assert_eq!(
        (desk.runs("demo").len(), desk.runs("other-1").len()),
        (1, 1)
    );
    for key in keys.iter().map(|key| &key.identity) {
        assert_eq!(desk.get("TOKEN", key).code(0).stdout, "hunter2");
    }
    desk.runs("demo");
    // A key of ours opens it, so nobody's plugin runs.
    let mut both = fs::read(&keys[0].identity).unwrap();
    both.extend(fs::read(demo()).unwrap());
    fs::write(&keys[0].identity, both).unwrap();
    assert_eq!(
        desk.get("TOKEN", &keys[0].identity).code(0).stdout,
        "hunter2"
    );
    assert!(desk.runs("demo").is_empty());
    // A plugin whose key is another is no failure of it.
    let stranger = desk.key("demo", "stranger");
    let run = desk.get("TOKEN", &stranger.identity).code(1);
    run.says(&["no identity fits: the value is encrypted to 1 X25519, 3 demo"]);
    assert_eq!(desk.runs("demo").len(), 1);
    // A key on a token, of a kind that age knows itself, needs no plugin to be encrypted to.
    let tag = "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e";
    desk.recipients(&[tag, RECIPIENT]);
    desk.set("X_1").code(0);
    let file = age_file(&sealed(&desk.fleet, "fleet.toml", "X_1"));
    assert!(file.windows(11).any(|it| it == b"-> p256tag "));
    assert_eq!(desk.get("X_1", &demo()).code(0).stdout, "hunter2");
    desk.recipients(&all);
    desk.command(&["secrets", "rm", "defaults", "X_1"])
        .run()
        .code(0);
    // In capitals it is the same key.
    all[0] = all[0].to_uppercase().leak();
    desk.recipients(&all);
    desk.command(&["check"]).run().code(0);
}

#[test]
fn what_needs_no_plugin_runs_none() {
    let Some(desk) = Desk::new() else { return };
    let key = desk.key("demo", "me");
    desk.recipients(&[&key.recipient]);
    desk.set("TOKEN").code(0);
    desk.recipients(&[&key.recipient, RECIPIENT]);
    assert_eq!(desk.runs("demo").len(), 1);
    let identity = key.identity.to_str().unwrap();
    for args in [
        &["check"][..],
        &["plan"],
        &["render"],
        &["show", "n1"],
        &["secrets", "list"],
        &["secrets", "rekey", "--dry-run"],
        &["secrets", "rm", "defaults", "TOKEN"],
    ] {
        let tool = desk.command(args).env("EPHEMEROS_IDENTITY", identity);
        let run = tool.run();
        assert!(matches!(run.code, Some(0 | 1)), "{}", run.stderr);
        assert_eq!(desk.runs("demo"), [] as [Value; 0], "{args:?}");
    }
}

#[test]
fn a_plugin_that_is_not_there_is_named() {
    let Some(desk) = Desk::new() else { return };
    let key = desk.key("demo", "me");
    desk.recipients(&[&key.recipient]);
    desk.set("TOKEN").code(0);
    let before = desk.fleet.files();
    let path = std::env::var("PATH").unwrap();
    let without = |args: &[&str]| {
        let tool = desk.command(args).env("PATH", &path);
        let run = tool.stdin("hunter3").run().code(1).hides("hunter");
        run.says(&[
            "there is no `age-plugin-demo` on PATH, which this key needs",
            "install that plugin",
        ])
    };
    let identity = key.identity.to_str().unwrap();
    without(&["secrets", "set", "defaults", "OTHER"]);
    without(&["secrets", "get", "n1", "TOKEN", "-i", identity]);
    desk.recipients(&[RECIPIENT]);
    let run = without(&["secrets", "rekey", "-i", identity]);
    run.says(&["can't open 1 value", "`TOKEN` in fleet.toml"]);
    // A value that others can read is not encrypted to fewer, because a plugin is missing.
    desk.recipients(&[RECIPIENT]);
    desk.set("OTHER").code(0);
    desk.command(&["secrets", "rm", "defaults", "TOKEN"])
        .run()
        .code(0);
    desk.recipients(&[RECIPIENT, &key.recipient]);
    let rekey = ["secrets", "rekey", "-i", demo().to_str().unwrap()].map(str::to_owned);
    let run = without(&rekey.each_ref().map(String::as_str));
    run.says(&["can't encrypt 1 value", "`OTHER` in fleet.toml"]);
    assert!(before != desk.fleet.files());
}

#[test]
fn a_plugin_that_fails_is_quoted_and_nothing_is_written() {
    let Some(desk) = Desk::new() else { return };
    let key = desk.key("demo", "me");
    desk.recipients(&[&key.recipient]);
    desk.set("TOKEN").code(0);
    let hostile = "gone\nerror: all is well\u{1b}[2J\u{7}\u{9b}31m";
    for (behaviour, told) in [
        (("error", hostile), "gone error: all is well"),
        (("crash", ""), "it ended in the middle of its work"),
        (
            ("nonsense", ""),
            "it does not speak the protocol of age plugins",
        ),
    ] {
        desk.behaves(&[("message", hostile), behaviour]);
        let before = desk.fleet.files();
        for run in [desk.set("OTHER"), desk.get("TOKEN", &key.identity)] {
            let run = run.code(1).hides("hunter2").hides("AGE-PLUGIN-");
            let run = run.says(&[
                "age-plugin-demo: gone\nage-plugin-demo: error: all is well\u{fffd}[2J",
                "`age-plugin-demo` failed: ",
                told,
            ]);
            assert_eq!(run.stdout, "");
            let obeyed = |c: char| c.is_control() && c != '\n';
            assert!(!run.stderr.contains(obeyed), "{:?}", run.stderr);
            assert!(!run.stderr.contains("\nerror: all"), "{}", run.stderr);
            assert!(!run.stderr.contains("AGEDEBUG"), "{}", run.stderr);
        }
        assert!(before == desk.fleet.files());
    }
    // One that keeps its recipients apart from others, as those against quantum computers do.
    desk.behaves(&[("apart", "")]);
    desk.set("OTHER").code(0);
    desk.recipients(&[&key.recipient, RECIPIENT]);
    desk.set("OTHER")
        .code(1)
        .says(&["can't stand beside each other"]);
}

#[test]
fn plugins_ask_at_the_terminal() {
    let Some(desk) = Desk::new() else { return };
    let key = desk.key("demo", "me");
    desk.recipients(&[&key.recipient]);
    desk.set("TOKEN").code(0);
    desk.behaves(&[
        ("message", "touch it\u{1b}[2J"),
        ("confirm", "is it\nthere?"),
        ("public", "the word?"),
        ("secret", "the PIN?\u{1b}[2J"),
    ]);
    let get = format!("secrets get n1 TOKEN -i {}", key.identity.display());
    let (confirm, public, secret) = (
        "age-plugin-demo asks: is it there? [y: go on, n: stop]: ",
        "age-plugin-demo asks: the word?: ",
        "age-plugin-demo asks: the PIN?\u{fffd}[2J: ",
    );
    let all = [
        (confirm, "maybe\n", true),
        (confirm, "Y\n", true),
        (public, "open sesame\n", true),
        (secret, "open sesame\n", false),
    ];
    let set = "secrets set defaults X_1 < fleet.toml";
    for args in [
        &*get,
        &format!("-q {get}"),
        &format!("{get} < /dev/null"),
        set,
    ] {
        let (code, screen) = desk.dialogue(&all, args);
        assert_eq!(code, 0, "{screen}");
        assert!(
            screen.contains("age-plugin-demo: touch it\u{fffd}[2J"),
            "{screen}"
        );
        // Once as it was typed at the question that shows it.
        assert_eq!(screen.matches("open sesame").count(), 1, "{screen}");
        assert!(!screen.contains('\u{1b}'), "{screen:?}");
        assert_eq!(args == set, !screen.ends_with("hunter2\r\n"), "{screen}");
    }
    let (code, screen) = desk.dialogue(&[(confirm, "n\n", true)], &get);
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("the user said no"), "{screen}");
    let wrong = [(confirm, "y\n", true), (public, "hunter3\n", true)];
    let (code, screen) = desk.dialogue(&wrong, &get);
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("a wrong word"), "{screen}");
    // Ctrl-C at a question ends it, and the echo is as it was.
    let (code, screen) = desk.dialogue(&[(confirm, "\u{3}", true)], &get);
    assert_eq!(code, 130, "{screen}");
    for (what, question) in [("confirm", "go?"), ("public", "who?"), ("secret", "PIN?")] {
        desk.behaves(&[(what, question)]);
        for run in [desk.set("OTHER"), desk.get("TOKEN", &key.identity)] {
            run.code(1).says(&[
                &format!(
                    "`age-plugin-demo` asks `{question}`, and there is no terminal to answer at"
                ),
                "run it at a terminal",
            ]);
        }
    }
}

#[test]
fn a_plugin_that_fails_is_run_no_second_time() {
    let Some(desk) = Desk::new() else { return };
    let key = desk.key("demo", "me");
    desk.recipients(&[&key.recipient]);
    for name in ["TOKEN", "X_1", "X_2", "X_3", "X_4", "X_5"] {
        desk.set(name).code(0);
    }
    desk.runs("demo");
    desk.recipients(&[&key.recipient, RECIPIENT]);
    let before = desk.fleet.files();
    let rekey = || {
        let identity = key.identity.to_str().unwrap();
        desk.command(&["secrets", "rekey", "-i", identity]).run()
    };
    desk.behaves(&[("error-identity", "no token\u{1b}[2J\u{9b}")]);
    let run = rekey().code(1);
    assert!(
        !run.stderr.contains(['\u{1b}', '\u{9b}']),
        "{:?}",
        run.stderr
    );
    run.says(&[
        "can't open 6 values: `age-plugin-demo` failed: ",
        "no token",
    ]);
    assert_eq!(desk.runs("demo").len(), 1);
    desk.behaves(&[("error-recipient", "no token")]);
    let run = rekey().code(1);
    run.says(&[
        "can't encrypt 6 values: `age-plugin-demo` failed: ",
        "no token",
    ]);
    assert_eq!(desk.runs("demo").len(), 2);
    assert!(before == desk.fleet.files());
    // One after another, and what has ended is put away.
    desk.behaves(&[]);
    rekey().code(0);
    let runs = desk.runs("demo");
    assert_eq!(runs.len(), 12);
    for (at, run) in runs.iter().enumerate() {
        let kind = ["identity", "recipient"][at % 2];
        assert_eq!(run["args"], json!([format!("--age-plugin={kind}-v1")]));
        assert!(run["ended"].as_u64().unwrap() <= 1, "{run}");
    }
}

#[test]
fn plugins_are_tried_after_passphrases_that_nobody_knows() {
    let Some(desk) = Desk::new() else { return };
    if !has_program("ssh-keygen") {
        return skipped("plugins beside passphrases", "there is no `ssh-keygen`");
    }
    let key = desk.key("demo", "me");
    let home = desk.fleet.home();
    fs::create_dir_all(home.join(".ssh")).unwrap();
    fs::create_dir_all(home.join(".config/ephemeros")).unwrap();
    fs::copy(&key.identity, home.join(".config/ephemeros/identity")).unwrap();
    let ssh = home.join(".ssh/id_ed25519");
    let mut keygen = desk.fleet.program("ssh-keygen");
    ran(keygen
        .args(["-q", "-t", "ed25519", "-N", "correct horse", "-f"])
        .arg(&ssh));
    let public = fs::read_to_string(ssh.with_added_extension("pub")).unwrap();
    desk.recipients(&[&key.recipient, public.trim()]);
    desk.set("TOKEN").code(0);
    let get = || desk.command(&["secrets", "get", "n1", "TOKEN"]).run();
    assert_eq!(get().code(0).stdout, "hunter2");
    desk.behaves(&[("error", "no token")]);
    get().code(1).says(&[
        "`age-plugin-demo` failed: ",
        "no token; the value is encrypted to 1 demo, 1 ssh-ed25519; tried ",
        "is protected by a passphrase, and there is no terminal to ask for it",
    ]);
    let asked = "passphrase of ";
    let wrong = [
        (asked, "1\n", false),
        (asked, "2\n", false),
        (asked, "3\n", false),
    ];
    let (code, screen) = desk.dialogue(&wrong, "secrets get n1 TOKEN");
    assert_eq!(code, 1, "{screen}");
    assert!(
        screen.contains("3 times") && screen.contains("no token"),
        "{screen}"
    );
}

#[test]
fn an_age_file_with_a_passphrase_may_hold_the_key_of_a_plugin() {
    let Some(desk) = Desk::new() else { return };
    if !has_program("age") {
        return skipped("a plugin's key with a passphrase", "there is no `age`");
    }
    let key = desk.key("demo", "me");
    desk.recipients(&[&key.recipient]);
    desk.set("TOKEN").code(0);
    let path = encrypted(&desk.fleet, "age", &key.identity);
    let steps = [("passphrase of ", "correct horse\n", false)];
    let get = format!("secrets get n1 TOKEN -i {}", path.display());
    let (code, screen) = desk.dialogue(&steps, &get);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.ends_with("\nhunter2\r\n"), "{screen}");
}

#[test]
fn no_plugin_runs_as_root_by_sudo_or_where_it_would_tell_keys_or_was_put_there_by_others() {
    let Some(desk) = Desk::new() else { return };
    let key = desk.key("demo", "me");
    desk.recipients(&[&key.recipient]);
    desk.set("TOKEN").code(0);
    desk.runs("demo");
    let identity = key.identity.to_str().unwrap();
    let get = ["secrets", "get", "n1", "TOKEN", "-i", identity];
    for args in [&["secrets", "set", "n1", "OTHER"][..], &get] {
        let run = |name: &str, value: &str| {
            let tool = desk.command(args).stdin("x").env(name, value);
            tool.run().code(1)
        };
        if rustix::process::geteuid().is_root() {
            run("SUDO_UID", "1000").says(&[
                "`age-plugin-demo` is not run under sudo",
                "run it without sudo",
            ]);
        }
        run("AGEDEBUG", "plugin").says(&["`AGEDEBUG=plugin` would print keys", "unset"]);
        let relative = "../plugins/demo:".to_owned() + &desk.path();
        run("PATH", &relative).says(&["no absolute path"]);
    }
    assert!(desk.runs("demo").is_empty());
}

#[test]
fn flash_under_sudo_runs_plugins_and_writes_the_record_as_the_user() {
    let (Some(mut desk), Some(loaders)) = (Desk::new(), loaders()) else {
        return;
    };
    let Some(drive) = Attached::new(150 * MIB, &[]) else {
        return;
    };
    let key = desk.key("demo", "me");
    desk.recipients(&[&key.recipient]);
    desk.set("TOKEN").code(0);
    desk.fleet.renders();
    desk.fleet = desk.fleet.git();
    desk.runs("demo");
    let ipxe = desk.folder().join("ipxe");
    copy(&loaders, &ipxe);
    let top = desk.fleet.root().parent().unwrap().to_owned();
    ran(desk
        .fleet
        .program("chown")
        .args(["--recursive", "65534:65534"])
        .arg(&top));
    let args = [
        "flash",
        "n1",
        drive.path(),
        "--yes",
        "--record",
        "--commit",
        "--unpushed",
        "--raw-url",
        "https://git.example/{{ path }}",
        "--ipxe",
        ipxe.to_str().unwrap(),
        "-i",
        key.identity.to_str().unwrap(),
    ];
    let plugins = desk.folder().join("demo");
    let plugins = plugins.to_str().unwrap();
    let sudo = || {
        let tool = desk.fleet.command(&args).without_terminal();
        let tool = tool.env("SUDO_UID", "65534").env("SUDO_USER", "nobody");
        tool.env("EPHEMEROS_PLUGIN_PATH", plugins)
    };
    sudo()
        .run()
        .code(0)
        .hides("hunter2")
        .prints(&["is the stick of n1 now"]);
    let runs = desk.runs("demo");
    assert!(!runs.is_empty());
    for run in &runs {
        assert_eq!(
            run["who"],
            json!([65534, 65534, 65534, 65534, 65534, 65534, 65534, 0])
        );
        let env = run["env"].as_object().unwrap();
        assert_eq!(env["PATH"], format!("{plugins}:/usr/bin:/usr/local/bin"));
        assert_eq!(
            (&env["HOME"], &env["USER"]),
            (&json!("/nonexistent"), &json!("nobody"))
        );
        assert!(!env.keys().any(|name| name.starts_with("SUDO_")), "{env:?}");
    }
    let record = fs::metadata(desk.fleet.root().join("sticks/n1.toml")).unwrap();
    assert_eq!((record.uid(), record.gid()), (65534, 65534));
    desk.fleet.run(&["inspect", drive.path()]).code(0);
    // What the user may not do, root does not do instead.
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "root's").unwrap();
    let mut args = args;
    args[12] = secret.path().to_str().unwrap();
    let tool = desk.fleet.command(&args).without_terminal();
    let tool = tool.env("SUDO_UID", "65534").env("SUDO_USER", "nobody");
    tool.run().code(1).says(&["Permission denied"]);
    // What is sent to root's part alone ends both.
    let mut child = sudo().process().stdin(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(150));
    let pid = Pid::from_child(&child);
    let _ = kill_process(pid, Signal::TERM);
    assert!([Some(143), Some(0)].contains(&child.wait().unwrap().code()));
    let held = drive.device();
    assert!(!held.taken, "the user's part goes on");
}

#[test]
fn names_of_plugins_are_looked_at_first() {
    let Some(desk) = Desk::new() else { return };
    // Had the name been believed, this would have been run.
    let marker = desk.folder().join("marked");
    let script = format!("#!/bin/sh\ntouch '{}'\n", marker.display());
    let below = desk.folder().join("demo/age-plugin-x");
    fs::create_dir_all(&below).unwrap();
    fs::write(below.join("run"), script).unwrap();
    fs::set_permissions(below.join("run"), fs::Permissions::from_mode(0o755)).unwrap();
    let names = ["x/run", "..", "x/../x/run", "\\u001b[31m", "X"];
    for name in names {
        let vault = vault(&["PLACE"]).replace("PLACE", &format!("age1{name}1qqqqqqqqqq"));
        desk.fleet.write("fleet.toml", format!("{HEAD}{vault}"));
        for args in [
            &["check"][..],
            &["plan"],
            &["secrets", "set", "n2", "A"],
            &["secrets", "rekey"],
        ] {
            let run = desk.command(args).stdin("x").run().code(1);
            let run = run.says(&[
                "is not a name of an age plugin",
                "fleet.toml:",
                "lower-case letters",
            ]);
            assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
        }
    }
    assert!(!marker.exists());
    let Some(desk) = Desk::new() else { return };
    let path = desk.fleet.home().join("bad");
    desk.set("TOKEN").code(0);
    for name in ["X/RUN", "..", "X/../X/RUN"] {
        fs::write(&path, format!("# a\nAGE-PLUGIN-{name}-1QQQQQQQQ\n")).unwrap();
        let run = desk.get("TOKEN", &path).code(1);
        run.says(&["/bad` is for an age plugin whose name can't be one (line 2)"]);
    }
}

#[test]
fn age_s_own_programs_take_the_same_keys_of_a_plugin() {
    let Some(desk) = Desk::new() else { return };
    let key = desk.key("demo", "me");
    let identity = key.identity.to_str().unwrap();
    desk.recipients(&[&key.recipient]);
    for name in ["age", "rage"] {
        if !has_program(name) {
            skipped(
                "plugins of age's own programs",
                &format!("there is no `{name}`"),
            );
            continue;
        }
        let program = |args: &[&str]| {
            let mut program = desk.fleet.program(name);
            program.env("PATH", desk.path()).args(args);
            program
        };
        desk.set("TOKEN").code(0);
        let ours = sealed(&desk.fleet, "fleet.toml", "TOKEN");
        let opened = piped(program(&["-d", "-i", identity]), &age_file(&ours));
        assert_eq!(opened, b"hunter2", "{name}");
        let theirs = piped(program(&["-r", &key.recipient]), b"hunter3");
        let theirs = around(&theirs, &key.recipient);
        desk.fleet.replace("fleet.toml", &ours, &theirs);
        desk.command(&["check"]).run().code(0);
        assert_eq!(desk.get("TOKEN", &key.identity).code(0).stdout, "hunter3");
    }
}
