//! `secrets edit`: values in an editor, which is a script here, and every way out of it.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::json;
use tempfile::TempDir;

use crate::dialogue::full_dialogue;
use crate::failures::can_mount;
use crate::fleet::{Fleet, RECIPIENT, Run};
use crate::repository::{has_program, is_root, skipped};
use crate::secrets::{demo, fleet, get, sealed, set, vault};

/// What no message may hold.
const CANARY: &str = "canary";

/// A fleet, and a folder in memory for what is edited.
struct Desk {
    fleet: Fleet,
    runtime: TempDir,
}

impl Desk {
    fn new(fleet: Fleet) -> Self {
        let runtime = tempfile::tempdir_in("/dev/shm").unwrap();
        Self { fleet, runtime }
    }

    /// `n1` has three values, with comments, and `n2` one.
    fn full() -> Self {
        let fleet = fleet();
        set(&fleet, "n1", "TOKEN", "canary-1").code(0);
        set(&fleet, "n1", "X_A", "canary-2").code(0);
        set(&fleet, "n1", "X_B", "canary-3").code(0);
        set(&fleet, "n2", "TOKEN", "canary-4").code(0);
        let text = fleet.read("nodes/n1.toml");
        let text = text.replace("\nX_B", "\n# the last\nX_B");
        fleet.write("nodes/n1.toml", text.trim_end().to_owned() + " # end\n");
        Self::new(fleet)
    }

    /// The editor, as `EDITOR` names it.
    fn editor(&self, script: &str) -> String {
        let path = self.fleet.home().join("editor");
        fs::write(&path, script).unwrap();
        format!("sh '{}'", path.display())
    }

    fn args(place: &str) -> Vec<String> {
        let identity = demo().display().to_string();
        let args = ["secrets", "edit", place, "--identity", &identity];
        args.map(str::to_owned).to_vec()
    }

    /// Runs `edit` with further arguments; whatever comes of it, nothing is left in memory and nothing is said.
    #[track_caller]
    fn edit_with(&self, place: &str, script: &str, more: &[&str]) -> Run {
        let args = Self::args(place);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let run = self
            .fleet
            .command(&[&args, more].concat())
            .env("EDITOR", &self.editor(script))
            .env("XDG_RUNTIME_DIR", self.runtime.path().to_str().unwrap())
            .run();
        assert_eq!(self.left(), Vec::<PathBuf>::new());
        run.hides(CANARY)
    }

    #[track_caller]
    fn edit(&self, place: &str, script: &str) -> Run {
        let run = self.edit_with(place, script, &[]);
        assert_eq!(run.stdout, "");
        run
    }

    /// It fails, and the fleet is as it was.
    #[track_caller]
    fn refuses(&self, place: &str, script: &str) -> Run {
        let before = self.fleet.files();
        let run = self.edit(place, script).code(1).says(&["error: "]);
        assert!(before == self.fleet.files(), "it wrote");
        run
    }

    /// What is in the folder in memory.
    fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.runtime.path()).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// Begins with an editor that leaves a file beside, touches `ready` and then does what `rest` says. The files that
    /// are in memory by then are held open.
    fn begin(&self, first: &str, rest: &str) -> (Child, Vec<File>) {
        let ready = self.fleet.home().join("ready");
        let _ = fs::remove_file(&ready);
        let script = format!(
            "{first}; cp \"$1\" \"${{1%/*}}/.secrets.toml.swp\"; touch '{}'; {rest}\n",
            ready.display()
        );
        let args = Self::args("n1");
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut tool = self.fleet.process(&args);
        let child = tool
            .env("EDITOR", self.editor(&script))
            .env("XDG_RUNTIME_DIR", self.runtime.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        wait_for(&ready);
        let folder = self.left().pop().unwrap();
        let paths = fs::read_dir(folder).unwrap();
        let files: Vec<File> = paths
            .map(|entry| File::open(entry.unwrap().path()).unwrap())
            .collect();
        assert_eq!(files.len(), 2);
        (child, files)
    }

    /// The process ends so, all is wiped, and nothing secret is said.
    #[track_caller]
    fn ends(&self, child: Child, files: Vec<File>, code: i32) {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(!said.contains(CANARY), "{said}");
        assert_eq!(self.left(), Vec::<PathBuf>::new());
        for mut file in files {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            assert!(bytes.len() > 100 && bytes.iter().all(|byte| *byte == 0));
        }
    }
}

#[track_caller]
fn wait_for(path: &Path) {
    let since = Instant::now();
    while !path.exists() {
        assert!(
            since.elapsed() < Duration::from_secs(30),
            "{}",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn what_is_changed_new_or_gone_is_written_and_all_else_stays() {
    let desk = Desk::full();
    let before = desk.fleet.read("nodes/n1.toml");
    let old = sealed(&desk.fleet, "nodes/n1.toml", "TOKEN");
    let script = "sed -i -e 's/canary-1/canary \\\\\\\\ 9/' -e '/^X_A/d' \"$1\"; echo 'X_C = \"new\"' >> \"$1\"";
    let run = desk.edit("n1", script).code(0).says(&[
        "set TOKEN in nodes/n1.toml, version ",
        "added X_C to nodes/n1.toml, version ",
        "removed X_A from nodes/n1.toml\n",
    ]);
    assert!(!run.stderr.contains("X_B"), "{}", run.stderr);
    let new = sealed(&desk.fleet, "nodes/n1.toml", "TOKEN");
    let added = sealed(&desk.fleet, "nodes/n1.toml", "X_C");
    let gone: String = before
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("X_A"))
        .collect();
    let expected = gone.replace(&old, &new) + &format!("X_C = \"{added}\"\n");
    assert_eq!(desk.fleet.read("nodes/n1.toml"), expected);
    assert_ne!(old.split(':').nth(2), new.split(':').nth(2));
    assert_eq!(get(&desk.fleet, "n1", "TOKEN"), b"canary \\ 9");
    assert_eq!(get(&desk.fleet, "n1", "X_B"), b"canary-3");
    assert_eq!(get(&desk.fleet, "n1", "X_C"), b"new");
    desk.fleet.renders();
}

#[test]
fn programs_are_told_names() {
    let desk = Desk::full();
    let told = |script| -> serde_json::Value {
        let run = desk.edit_with("n1", script, &["--json"]).code(0);
        serde_json::from_str(&run.stdout).unwrap()
    };
    // What an editor prints is no result.
    let script = "echo open; sed -i -e 's/canary-3/other/' -e '/^X_A/d' \"$1\"; echo 'X_C = \"x\"' >> \"$1\"";
    assert_eq!(
        told(script),
        json!({ "format": 1, "file": "nodes/n1.toml", "set": ["X_B"], "added": ["X_C"], "removed": ["X_A"] })
    );
    assert_eq!(
        told("true"),
        json!({ "format": 1, "file": "nodes/n1.toml", "set": [], "added": [], "removed": [] })
    );
    let run = desk.edit_with("n1", "echo 'X = canary' >> \"$1\"", &["--json"]);
    let told: serde_json::Value = serde_json::from_str(&run.code(1).stdout).unwrap();
    assert_eq!(told["mistakes"].as_array().unwrap().len(), 1);
}

#[test]
fn the_editor_sees_the_values_of_that_place_and_nobody_else_does() {
    let desk = Desk::full();
    set(&desk.fleet, "role:web", "X_R", "of the role").code(0);
    set(&desk.fleet, "defaults", "X_D", "two\nlines \"q\"\n\n").code(0);
    let look = "stat -c %a \"$1\" \"${1%/*}\" > \"$HOME/modes\"; env > \"$HOME/env\"; echo \"$#\" >> \"$HOME/env\"; \
                cat /proc/$PPID/cmdline /proc/$$/cmdline >> \"$HOME/env\"; cp \"$1\" \"$HOME/seen\"";
    let seen = |place: &str| {
        desk.edit(place, look).code(0).says(&["nothing changed; "]);
        fs::read_to_string(desk.fleet.home().join("seen")).unwrap()
    };
    let own = |text: &str| -> Vec<String> {
        let own = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        own.map(str::to_owned).collect()
    };
    let text = seen("n1");
    assert!(
        text.starts_with("# The secrets of node `n1` that stand in nodes/n1.toml"),
        "{text}"
    );
    assert_eq!(
        own(&text),
        [
            "TOKEN = \"canary-1\"",
            "X_A = \"canary-2\"",
            "X_B = \"canary-3\""
        ]
    );
    let home = desk.fleet.home();
    let read = |name: &str| fs::read_to_string(home.join(name)).unwrap();
    assert_eq!(read("modes"), "600\n700\n");
    assert!(read("env").contains("\n1\n") && !read("env").contains(CANARY));
    assert_eq!(own(&seen("role:web")), ["X_R = \"of the role\""]);
    assert!(seen("defaults").ends_with("\n\nX_D = '''\ntwo\nlines \"q\"\n'''\n"));
}

#[test]
fn a_place_without_secrets_opens_with_its_comment_and_needs_no_key() {
    let desk = Desk::new(fleet());
    set(&desk.fleet, "n2", "TOKEN", "x").code(0);
    let edit = |script: &str| {
        desk.fleet
            .command(&["secrets", "edit", "n1"])
            .env("VISUAL", &desk.editor(script))
            .env("EDITOR", "false")
            .env("XDG_RUNTIME_DIR", desk.runtime.path().to_str().unwrap())
            .run()
            .code(0)
    };
    let before = desk.fleet.files();
    edit("sed '/^#/d' \"$1\" > \"$HOME/seen\"").says(&["nothing changed"]);
    let seen = fs::read(desk.fleet.home().join("seen")).unwrap();
    assert_eq!(String::from_utf8_lossy(&seen).trim(), "");
    assert!(before == desk.fleet.files());
    edit("echo 'TOKEN = \"\"\"\na\nb\"\"\"' > \"$1\"").says(&["added TOKEN to nodes/n1.toml"]);
    assert_eq!(get(&desk.fleet, "n1", "TOKEN"), b"a\nb");
    // All at once: the table does not go and come back.
    desk.edit("n1", "echo 'X_A = \"1\"' > \"$1\"").code(0);
    assert!(
        desk.fleet
            .read("nodes/n1.toml")
            .contains("\n\n[secrets]\nX_A = ")
    );
    desk.edit("n1", "echo '# all gone' > \"$1\"").code(0);
    assert!(before == desk.fleet.files());
}

#[test]
fn nothing_is_written_where_nothing_changed() {
    let desk = Desk::full();
    let path = desk.fleet.root().join("nodes/n1.toml");
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    let before = desk.fleet.files();
    // Another text that says the same.
    for script in [
        "true",
        "sed -i -e '/^#/d' -e \"s/\\\"canary-1\\\"/'canary-1'/\" \"$1\"",
    ] {
        let run = desk.edit("n1", script).code(0);
        run.says(&["nothing changed; nodes/n1.toml stays as it is\n"]);
    }
    assert!(before == desk.fleet.files());
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
}

#[test]
fn an_untouched_value_stays_as_it_is_whoever_may_read_today() {
    let desk = Desk::full();
    let other = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    let text = desk.fleet.read("fleet.toml");
    let more = vault(&[RECIPIENT, other]);
    desk.fleet
        .write("fleet.toml", text.replace(&vault(&[RECIPIENT]), &more));
    let old = sealed(&desk.fleet, "nodes/n1.toml", "TOKEN");
    desk.edit("n1", "sed -i 's/canary-2/x/' \"$1\"").code(0);
    assert_eq!(sealed(&desk.fleet, "nodes/n1.toml", "TOKEN"), old);
    let new = sealed(&desk.fleet, "nodes/n1.toml", "X_A");
    assert_ne!(old.split(':').nth(1), new.split(':').nth(1));
}

#[test]
fn a_value_that_is_no_text_is_named_and_stays() {
    let as_file = fleet().read("fleet.toml").replace(
        "variables = [\"X_*\", \"TOKEN\"]\nenv_file = \"web_env\"",
        "files.token = \"TOKEN\"\nfiles.other = \"OTHER\"",
    );
    let desk = Desk::new(fleet().file("fleet.toml", &as_file));
    set(&desk.fleet, "n1", "TOKEN", b"canary\xff").code(0);
    set(&desk.fleet, "n1", "OTHER", "canary").code(0);
    let old = sealed(&desk.fleet, "nodes/n1.toml", "TOKEN");
    let script = "cp \"$1\" \"$HOME/seen\"; sed -i /^OTHER/d \"$1\"";
    let run = desk.edit("n1", script).code(0);
    run.says(&["removed OTHER from nodes/n1.toml\n"]);
    let seen = fs::read_to_string(desk.fleet.home().join("seen")).unwrap();
    assert!(
        seen.contains("\n# TOKEN stays as it is: its value is not UTF-8\n\nOTHER = \"canary\"\n"),
        "{seen}"
    );
    assert_eq!(sealed(&desk.fleet, "nodes/n1.toml", "TOKEN"), old);
}

#[test]
fn every_mistake_is_told_by_its_place_and_shows_nothing_of_the_text() {
    let desk = Desk::full();
    let mut file = desk.fleet.read("fleet.toml");
    file += "\n[roles.web.files]\nf = \"TLS\"\n";
    desk.fleet.write("fleet.toml", file);
    for (text, says) in [
        (
            "TOKEN = canary\nX_A = \"canary\ncanary-1 = \"x\"\nX_B = 5\n[canary]\na = \"canary\"\n",
            &[
                "line 1, column 9",
                "line 2, column ",
                "line 3, column 1",
                "line 4, column 1",
                "line 5, column 2",
            ][..],
        ),
        (
            "TOKEN = \"canary\"\nTOKEN = \"canary\"\n",
            &["line 2, column 1", "twice"],
        ),
        (
            "TOKEN = \"canary\\u0000\"\n\nX_A = \"\"\nTLS = \"canary\\u0000\"\n",
            &[
                "line 1, column 9 of the text: an env file can't hold this value: its value holds a NUL byte",
                "line 3, column 7 of the text: the value is empty",
            ],
        ),
        ("canary\n", &["line 1"]),
        ("TOKEN = \"\"\"canary\n", &["line "]),
        ("TOKEN = 'canary\u{1}'\n", &["line 1, column "]),
        (
            "\"canary\" = { canary = 1 }\ncanary.canary = 'canary'\n",
            &["line 1, ", "line 2, "],
        ),
    ] {
        fs::write(desk.fleet.home().join("text"), text).unwrap();
        let run = desk.refuses("n1", "cat \"$HOME/text\" > \"$1\"");
        let run = run.says(says).says(&["nothing was written\n"]);
        // Told in words, and no excerpt.
        assert!(!run.stderr.contains(" | "), "{}", run.stderr);
    }
    let run = desk.refuses("n1", "printf '\\377' > \"$1\"");
    run.says(&["line 1, column 1 of the text: this byte is not UTF-8"]);
}

#[test]
fn an_editor_that_fails_writes_nothing() {
    let desk = Desk::full();
    desk.refuses("n1", "sed -i s/canary-1/x/ \"$1\"; exit 3")
        .says(&[
            "error: the editor `sh '",
            "exit status: 3",
            "nothing was written",
        ]);
    desk.refuses("n1", "no-such-editor \"$1\"")
        .says(&["exit status: 127"]);
    desk.refuses("n1", "kill -KILL $$")
        .says(&["exit status: 137"]);
}

#[test]
fn what_can_t_be_edited_opens_no_editor() {
    let desk = Desk::full();
    let other = desk.fleet.home().join("other");
    desk.fleet
        .run(&["secrets", "keygen", "-o", other.to_str().unwrap()])
        .code(0);
    let before = desk.fleet.files();
    let open = |args: &[&str]| {
        let run = desk
            .fleet
            .command(&[&["secrets", "edit"], args].concat())
            .env("EDITOR", "touch ran; true")
            .env("XDG_RUNTIME_DIR", desk.runtime.path().to_str().unwrap())
            .run();
        assert!(before == desk.fleet.files(), "{}", run.stderr);
        run.code(1)
    };
    let run = open(&["n1", "-i", other.to_str().unwrap()]);
    run.says(&[
        "can't open `TOKEN`: no identity fits",
        "nodes/n1.toml:",
        "`X_A`",
    ])
    .mistakes(3);
    open(&["n1"]).says(&["error: ", "--identity"]);
    open(&["n3"]).says(&["error: there is no node `n3`"]);
    open(&["role:wbe"]).says(&["error: there is no role `wbe`"]);
    let plain = desk.fleet.read("nodes/n1.toml") + "X_C = \"canary\"\n";
    let desk = Desk {
        fleet: desk.fleet.file("nodes/n1.toml", plain),
        ..desk
    };
    desk.refuses("n1", "touch ran")
        .says(&["`X_C`: the value is not encrypted"]);
    let nobody = Desk::new(Fleet::new());
    nobody.refuses("n1", "touch ran").says(&["recipients"]);
}

#[test]
fn it_warns_of_names_that_nobody_takes_and_of_those_still_needed() {
    let desk = Desk::full();
    let script = "sed -i /^TOKEN/d \"$1\"; echo 'TOKNE = \"x\"' >> \"$1\"";
    desk.edit("n1", script).code(0).says(&[
        "warning: no role takes `TOKNE`\n",
        "a variable with a similar name is taken: `TOKEN`",
        "warning: role `web` needs `TOKEN`, and nothing sets it\n",
        "for n1",
    ]);
}

#[test]
fn what_others_change_meanwhile_is_kept_or_in_the_way() {
    let desk = Desk::full();
    desk.edit(
        "n1",
        "echo '# mine' >> nodes/n1.toml; sed -i s/canary-1/x/ \"$1\"",
    )
    .code(0);
    assert!(
        desk.fleet
            .read("nodes/n1.toml")
            .ends_with(" # end\n# mine\n")
    );
    assert_eq!(get(&desk.fleet, "n1", "TOKEN"), b"x");
    let old = sealed(&desk.fleet, "nodes/n1.toml", "X_A");
    let run = desk.edit(
        "n1",
        "sed -i /^X_B/d nodes/n1.toml; sed -i s/canary-2/x/ \"$1\"",
    );
    run.code(1)
        .says(&["error: the secrets in nodes/n1.toml changed while"]);
    assert_eq!(sealed(&desk.fleet, "nodes/n1.toml", "X_A"), old);
}

#[test]
fn whatever_lies_in_memory_is_zeros_when_it_is_done() {
    let desk = Desk::full();
    let go = desk.fleet.home().join("go");
    for (rest, code) in [
        ("exit 0", 0),
        ("exit 1", 1),
        ("echo 'X = canary' >> \"$1\"", 1),
    ] {
        let _ = fs::remove_file(&go);
        let wait = format!("while [ ! -e '{}' ]; do sleep 0.02; done", go.display());
        let (child, files) = desk.begin("true", &format!("{wait}; {rest}"));
        fs::write(&go, "").unwrap();
        desk.ends(child, files, code);
    }
}

#[test]
fn a_signal_while_the_editor_runs_wipes_first() {
    let desk = Desk::full();
    let before = desk.fleet.files();
    for (sent, code) in [(Signal::TERM, 143), (Signal::HUP, 129)] {
        let (child, files) = desk.begin("true", "exec sleep 60");
        signal(&child, sent);
        desk.ends(child, files, code);
    }
    // More than one of them, and an editor that takes its time.
    let (child, files) = desk.begin(
        "trap 'sleep 0.5; exit 1' TERM",
        "while :; do sleep 0.05; done",
    );
    for sent in [Signal::TERM, Signal::TERM, Signal::HUP] {
        signal(&child, sent);
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().unwrap();
    assert!(
        [143, 129].contains(&output.status.code().unwrap()),
        "{output:?}"
    );
    assert_eq!(desk.left(), Vec::<PathBuf>::new());
    drop(files);
    assert!(before == desk.fleet.files());
}

#[test]
fn ctrl_c_is_the_editor_s_and_ends_both_where_it_ends_that() {
    let desk = Desk::full();
    let (child, files) = desk.begin("true", "exec sleep 60");
    kill_process_group(Pid::from_child(&child), Signal::INT).unwrap();
    desk.ends(child, files, 130);
    // An editor that takes it for a key.
    let go = desk.fleet.home().join("go");
    let wait = format!(
        "while [ ! -e '{}' ]; do sleep 0.02; done; sed -i s/canary-1/x/ \"$1\"",
        go.display()
    );
    let (child, files) = desk.begin("trap '' INT QUIT", &wait);
    for sent in [Signal::INT, Signal::INT, Signal::QUIT] {
        kill_process_group(Pid::from_child(&child), sent).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    fs::write(&go, "").unwrap();
    desk.ends(child, files, 0);
    assert_eq!(get(&desk.fleet, "n1", "TOKEN"), b"x");
}

#[test]
fn without_a_place_in_memory_nothing_is_opened() {
    if !can_mount("no place in memory") {
        return;
    }
    let desk = Desk::full();
    let script = format!(
        "mount --bind \"$HOME\" /dev/shm; exec '{}' {}",
        env!("CARGO_BIN_EXE_ephemeros"),
        Desk::args("n1").join(" ")
    );
    let mut unshare = desk.fleet.program("unshare");
    let output = unshare
        .args(["--mount", "--propagation", "private", "sh", "-c", &script])
        .env("EDITOR", "touch ran; true")
        .env("XDG_RUNTIME_DIR", desk.fleet.root())
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let place = format!(
        "{} (not a tmpfs), /dev/shm (not a tmpfs)",
        desk.fleet.root().display()
    );
    assert!(stderr.contains(&place), "{stderr}");
    assert!(stderr.contains("XDG_RUNTIME_DIR"), "{stderr}");
    assert!(!desk.fleet.root().join("ran").exists());
}

#[test]
fn under_sudo_no_editor_runs() {
    if !is_root("sudo") {
        return;
    }
    let desk = Desk::full();
    let run = desk
        .fleet
        .command(&["secrets", "edit", "n1"])
        .env("SUDO_UID", "65534")
        .env("SUDO_GID", "65534")
        .env("SUDO_HOME", desk.fleet.home().to_str().unwrap())
        .env("EDITOR", "touch ran; true")
        .run()
        .code(1);
    run.says(&[
        "error: under sudo the editor would run as root",
        "without sudo",
    ]);
    assert!(!desk.fleet.root().join("ran").exists());
}

#[test]
fn what_is_no_file_with_a_text_any_more_is_not_read() {
    let desk = Desk::full();
    let elsewhere = desk.fleet.home().join("elsewhere");
    for (script, says) in [
        (": > \"$1\"", "the text is empty: nothing was written"),
        ("rm \"$1\"", "it is gone"),
        ("rm \"$1\"; mkfifo \"$1\"", "it is no regular file"),
        ("rm \"$1\"; mkdir \"$1\"", "it is no regular file"),
        ("ln -sf /dev/zero \"$1\"", "it is a link now"),
        (
            &format!("touch '{0}'; ln -sf '{0}' \"$1\"", elsewhere.display()),
            "it is a link now",
        ),
        ("truncate -s 65M \"$1\"", "it is far too long"),
    ] {
        desk.refuses("n1", script).says(&[says, "\n  "]);
    }
}

#[test]
fn at_a_terminal_mistakes_can_be_edited_again() {
    if !has_program("python3") {
        skipped("editing again", "there is no `python3`");
        return;
    }
    let desk = Desk::full();
    // Each time it finds what it left: the second time that is put right.
    let editor = desk.editor(
        "if grep -q wrong \"$1\"; then sed -i -e '/wrong/d' -e s/canary-1/x/ \"$1\"; else echo 'wrong canary' >> \"$1\"; fi",
    );
    let before = desk.fleet.files();
    let editor = format!("EDITOR={editor}");
    let runtime = format!("XDG_RUNTIME_DIR={}", desk.runtime.path().display());
    let tool = ["env", &editor, &runtime, env!("CARGO_BIN_EXE_ephemeros")];
    let talk = |typed: &str| {
        let steps = [("edit again? [Y/n] ", typed, true)];
        let args = Desk::args("n1");
        let args = args.iter().map(String::as_str);
        let command: Vec<&str> = tool.into_iter().chain(args).collect();
        let (code, screen) = full_dialogue(&desk.fleet, &steps, &command);
        assert!(!screen.contains(CANARY), "{screen}");
        assert_eq!(desk.left(), Vec::<PathBuf>::new());
        (code, screen)
    };
    for (typed, code, says) in [
        ("n\n", 1, "nothing was written"),
        ("\u{3}", 130, ""),
        ("\u{4}", 1, "nothing was written"),
    ] {
        let (ended, told) = talk(typed);
        assert_eq!(ended, code, "{typed:?}\n{told}");
        assert!(told.contains(says), "{typed:?}\n{told}");
        assert!(
            told.contains("line 11, column 7 of the text: this is not TOML"),
            "{told}"
        );
        assert!(before == desk.fleet.files());
    }
    let (code, told) = talk("\n");
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("set TOKEN in nodes/n1.toml"), "{told}");
    assert_eq!(get(&desk.fleet, "n1", "TOKEN"), b"x");
}

#[test]
fn two_writers_do_not_meet_while_somebody_edits() {
    let desk = Desk::full();
    let go = desk.fleet.home().join("go");
    let wait = format!(
        "while [ ! -e '{}' ]; do sleep 0.02; done; exit 0",
        go.display()
    );
    let (child, files) = desk.begin("true", &wait);
    let run = desk.fleet.run(&["secrets", "rm", "n1", "TOKEN"]).code(1);
    run.says(&["another command is writing this fleet: `ephemeros secrets edit`"]);
    fs::write(&go, "").unwrap();
    desk.ends(child, files, 0);
    let mode = fs::metadata(desk.fleet.root().join("nodes/n1.toml")).unwrap();
    assert_eq!(mode.permissions().mode() & 0o777, 0o644);
}
