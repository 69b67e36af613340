//! `render`: what it writes, what it leaves alone, and the same bytes for everybody.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::fleet::Fleet;
use crate::repository::{KNOWN_URL, THREE_LINES, is_root};

/// The rendered files.
fn rendered(fleet: &Fleet) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = fleet.files();
    files.retain(|path, _| path.starts_with("ignition") || path.starts_with("ipxe"));
    files
}

fn paths(fleet: &Fleet) -> Vec<String> {
    let files = rendered(fleet);
    files
        .keys()
        .map(|path| path.display().to_string())
        .collect()
}

/// The example of this repository: it uses whatever a fleet can use.
fn example() -> Fleet {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut fleet = Fleet::new()
        .without("nodes/n1.toml")
        .without("templates/base.bu");
    for part in ["nodes", "templates"] {
        crate::fleet::copy(&root.join(part), &fleet.root().join(part));
    }
    for file in ["fleet.toml", "fleet.lock"] {
        fleet = fleet.file(file, fs::read(root.join(file)).unwrap());
    }
    fleet
}

#[test]
fn it_lists_what_it_writes_and_a_second_run_writes_nothing() {
    let fleet = Fleet::new().fleet(KNOWN_URL).node("n2", "");
    let run = fleet.renders();
    assert_eq!(
        run.stdout,
        "wrote ignition/n1.ign\nwrote ipxe/n1.ipxe\nwrote ignition/n2.ign\nwrote ipxe/n2.ipxe\n"
    );
    run.says(&["2 nodes rendered, 4 files written, 0 files removed\n"]);
    let time = |fleet: &Fleet| {
        let file = fleet.root().join("ignition/n1.ign");
        fs::metadata(file).unwrap().modified().unwrap()
    };
    let before = (rendered(&fleet), time(&fleet));
    let run = fleet.renders();
    assert_eq!(run.stdout, "");
    run.says(&["2 nodes rendered, 0 files written, 0 files removed\n"]);
    assert_eq!(before, (rendered(&fleet), time(&fleet)));
}

#[test]
fn it_writes_only_what_differs() {
    let fleet = Fleet::new().fleet(KNOWN_URL).node("n2", "");
    fleet.renders();
    let fleet = fleet.node("n2", "hostname = \"second\"\n");
    fleet.write("ipxe/n1.ipxe", "by hand");
    let run = fleet.renders();
    assert!(!run.stdout.contains("ignition/n1.ign"), "{}", run.stdout);
    assert!(
        run.stdout.contains("wrote ipxe/n1.ipxe\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn json_tells_what_was_written_and_removed() {
    let fleet = Fleet::committed().node("n2", "").without("nodes/n1.toml");
    let run = fleet.run(&["render", "--json"]).code(0);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        told,
        json!({
            "format": 1,
            "written": ["ignition/n2.ign", "ipxe/n2.ipxe"],
            "removed": ["ignition/n1.ign", "ipxe/n1.ipxe"],
        })
    );
}

#[test]
fn check_passes_when_everything_is_rendered() {
    let fleet = Fleet::committed();
    let run = fleet.run(&["render", "--check"]).code(0);
    assert_eq!(run.stdout, "");
    let run = fleet.run(&["render", "--check", "--json"]).code(0);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told, json!({ "format": 1, "stale": [] }));
}

#[test]
fn check_lists_what_is_stale_and_writes_nothing() {
    let fleet = Fleet::committed().node("n2", "").without("nodes/n1.toml");
    let before = fleet.files();
    let run = fleet.run(&["render", "--check"]).code(1);
    assert_eq!(
        run.stdout,
        "stale ignition/n2.ign\nstale ipxe/n2.ipxe\nstale ignition/n1.ign\nstale ipxe/n1.ipxe\n"
    );
    run.says(&["error: 4 stale files", "run `ephemeros render`"]);
    let run = fleet.run(&["render", "--check", "--json"]).code(1);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told["stale"].as_array().unwrap().len(), 4);
    assert_eq!(before, fleet.files());
    fleet.write("ignition/n2.ign", "");
    fleet.renders();
    fleet.write("ipxe/n2.ipxe", fleet.read("ipxe/n2.ipxe") + " ");
    let run = fleet.run(&["render", "--check"]).code(1);
    assert_eq!(run.stdout, "stale ipxe/n2.ipxe\n");
    run.says(&["error: 1 stale file"]);
}

#[test]
fn check_needs_no_right_to_write() {
    let fleet = Fleet::committed();
    fleet.command_as_nobody(&["render", "--check"]);
    // Git does not show a repository to others, so this one has none.
    let fleet = fleet_without_git();
    fleet
        .command_as_nobody(&["render", "--check"])
        .run()
        .code(0);
}

fn fleet_without_git() -> Fleet {
    let fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES);
    fleet.renders();
    fleet
}

#[test]
fn only_tracked_files_that_it_could_have_made_are_removed() {
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .file("ignition/gone.ign", "{}")
        .file("ipxe/gone.ipxe", "#!ipxe\n")
        .file("ipxe/script-only.ipxe", "#!ipxe\n")
        .file("ignition/README.md", "by hand")
        .file("ignition/Odd_Name.ign", "{}")
        .file("ignition/-odd.ign", "{}")
        .file("ignition/.ign", "{}")
        .file("ignition/below/gone.ign", "{}")
        .file("ignition/gone.json", "{}")
        .file("ipxe/gone.ign", "{}")
        .file("ignition/gone.ipxe", "{}")
        .file("ignition/g\u{f6}ne.ign", "{}")
        .git()
        .file("ignition/untracked.ign", "{}");
    let run = fleet.renders();
    let removed: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| line.starts_with("removed "))
        .collect();
    assert_eq!(
        removed,
        [
            "removed ignition/gone.ign",
            "removed ipxe/gone.ipxe",
            "removed ipxe/script-only.ipxe"
        ]
    );
    assert_eq!(
        paths(&fleet),
        [
            "ignition/-odd.ign",
            "ignition/.ign",
            "ignition/Odd_Name.ign",
            "ignition/README.md",
            "ignition/below/gone.ign",
            "ignition/gone.ipxe",
            "ignition/gone.json",
            "ignition/g\u{f6}ne.ign",
            "ignition/n1.ign",
            "ignition/untracked.ign",
            "ipxe/gone.ign",
            "ipxe/n1.ipxe",
        ]
    );
}

#[test]
fn without_git_nothing_is_removed() {
    let fleet = fleet_without_git().node("n2", "").without("nodes/n1.toml");
    let run = fleet.renders();
    assert!(!run.stdout.contains("removed"), "{}", run.stdout);
    assert!(fleet.root().join("ignition/n1.ign").exists());
}

#[test]
fn a_node_with_a_mistake_keeps_its_files() {
    let fleet = Fleet::committed().node("n1", "tmplates = []\n");
    fleet.refuses();
}

/// Renders anew, from nothing.
fn renders_anew(fleet: &Fleet) -> BTreeMap<PathBuf, Vec<u8>> {
    for folder in ["ignition", "ipxe"] {
        fs::remove_dir_all(fleet.root().join(folder)).unwrap();
    }
    fleet.renders();
    rendered(fleet)
}

#[test]
fn every_clone_renders_the_same_bytes() {
    for fleet in [example(), Fleet::new().butane("base.bu", THREE_LINES)] {
        fleet.renders();
        let fleet = fleet.git().published();
        let expected = rendered(&fleet);
        assert!(!expected.is_empty());
        let same = |what: &str, clone: &Fleet| {
            clone.run(&["render", "--check"]).code(0);
            assert!(expected == renders_anew(clone), "{what} differs");
        };
        same("a clone from a local path", &fleet.cloned());

        let clone = fleet.cloned();
        clone.git_says(&["remote", "remove", "origin"]);
        same("a clone without a remote", &clone);

        for url in [
            "git@github.com:acme/fleet.git",
            "https://token:x@gitlab.com/group/sub/fleet",
            "git@forge.internal:fleet",
            "ext::sh -c nothing",
            "",
        ] {
            let clone = fleet.cloned();
            clone.git_says(&["config", "remote.origin.url", url]);
            same(url, &clone);
        }

        let fork = fleet.cloned();
        fork.git_says(&["remote", "rename", "origin", "upstream"]);
        same(
            "a fork",
            &fork.remote("origin", "git@github.com:me/fleet.git"),
        );

        let clone = fleet.cloned();
        clone.git_says(&["checkout", "--quiet", "--detach"]);
        same("a detached HEAD", &clone);

        let clone = fleet.cloned();
        clone.git_says(&["checkout", "--quiet", "-b", "feature/x"]);
        clone.git_says(&["commit", "--quiet", "--allow-empty", "--message=other"]);
        same("another branch and commit", &clone);

        let clone = fleet.cloned();
        fs::remove_dir_all(clone.root().join(".git")).unwrap();
        same("an unpacked archive", &clone);
    }
}

#[test]
fn a_fleet_that_fixes_its_url_renders_the_same_bytes_in_every_clone() {
    for url in [
        "url = \"https://github.com/acme/fleet\"\nbranch = \"main\"\n",
        "url = \"https://github.com/acme/fleet\"\npublish = \"live\"\n",
        "raw_url = \"https://cdn.example.net/{{ path }}\"\n",
        "raw_url = \"https://cdn.example.net/{{ commit }}/{{ path }}\"\n",
        "raw_url = \"https://cdn.example.net/{{ sha512 }}/{{ path }}\"\n",
    ] {
        let fleet = Fleet::new()
            .fleet(&format!("[git]\n{url}"))
            .butane("base.bu", THREE_LINES);
        fleet.renders();
        let fleet = fleet.git();
        let clone = fleet.cloned();
        clone.git_says(&["commit", "--quiet", "--allow-empty", "--message=other"]);
        clone.git_says(&["config", "remote.origin.url", "git@gitlab.com:a/b"]);
        assert!(rendered(&fleet) == renders_anew(&clone), "{url}");
    }
}

#[test]
fn a_subfolder_of_a_repository_renders_as_a_repository_of_its_own() {
    let fleet = example();
    fleet.renders();
    let expected = rendered(&fleet);
    let outer = Fleet::new();
    crate::fleet::copy(&fleet.root(), &outer.root().join("sites/north"));
    let outer = outer.git();
    let inner = outer.root().join("sites/north");
    for folder in ["ignition", "ipxe"] {
        fs::remove_dir_all(inner.join(folder)).unwrap();
    }
    // From below, too.
    outer
        .command(&["render"])
        .folder(inner.join("nodes"))
        .run()
        .code(0);
    let mut files = crate::fleet::files_in(&inner);
    files.retain(|path, _| path.starts_with("ignition") || path.starts_with("ipxe"));
    assert!(expected == files);
}

#[test]
fn time_zone_language_home_and_umask_leave_no_trace_in_the_bytes() {
    let fleet = example();
    fleet.renders();
    let expected = rendered(&fleet);
    let elsewhere = tempfile::tempdir().unwrap();
    for (name, value) in [
        ("LC_ALL", "tr_TR.UTF-8"),
        ("LC_ALL", "C"),
        ("TZ", "Pacific/Kiritimati"),
        ("HOME", elsewhere.path().to_str().unwrap()),
        ("HOME", "/nonexistent"),
        ("HOME", ""),
        ("SOURCE_DATE_EPOCH", "1"),
        ("RAYON_NUM_THREADS", "1"),
        ("RAYON_NUM_THREADS", "7"),
        ("EPHEMEROS_RAW_URL", "https://example.com/{{ path }}"),
        ("NODE", "x"),
    ] {
        for folder in ["ignition", "ipxe"] {
            fs::remove_dir_all(fleet.root().join(folder)).unwrap();
        }
        fleet.command(&["render"]).env(name, value).run().code(0);
        assert!(expected == rendered(&fleet), "{name}={value}");
    }
}

/// The tool under a shell that sets something first.
fn under(fleet: &Fleet, first: &str, args: &str) -> Command {
    let mut shell = fleet.program("sh");
    let tool = env!("CARGO_BIN_EXE_ephemeros");
    shell.args(["-c", &format!("{first}; exec '{tool}' {args}")]);
    shell
}

#[test]
fn new_files_take_the_umask_and_old_ones_keep_their_mode() {
    let mode = |fleet: &Fleet, path: &str| {
        let file = fs::metadata(fleet.root().join(path)).unwrap();
        file.permissions().mode() & 0o777
    };
    for (umask, expected) in [("022", 0o644), ("002", 0o664), ("077", 0o600)] {
        let fleet = Fleet::new().fleet(KNOWN_URL);
        let ran = under(&fleet, &format!("umask {umask}"), "render").output();
        assert!(ran.unwrap().status.success());
        assert_eq!(mode(&fleet, "ignition/n1.ign"), expected, "umask {umask}");
    }
    let fleet = fleet_without_git().mode("ignition/n1.ign", 0o640);
    fleet.replace("templates/base.bu", "two", "zwei");
    fleet.renders();
    assert_eq!(mode(&fleet, "ignition/n1.ign"), 0o640);
}

#[test]
fn a_large_fleet_needs_few_open_files() {
    let mut fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES);
    for number in 2..=150 {
        fleet = fleet.node(&format!("n{number}"), "templates = [\"base.bu\"]\n");
    }
    let ran = under(&fleet, "ulimit -n 64", "render").output().unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{stderr}");
    assert_eq!(rendered(&fleet).len(), 300);
}

/// Gives a lock back, also where another test is just starting a process, which holds every file for a moment.
fn let_go(held: &fs::File) {
    flock(held, FlockOperation::Unlock).unwrap();
}

#[test]
fn a_second_writer_is_told_who_holds_the_fleet() {
    for (fleet, lock) in [
        (Fleet::committed(), ".git/ephemeros.lock"),
        (fleet_without_git(), ".ephemeros.lock"),
    ] {
        fleet.replace("templates/base.bu", "two", "zwei");
        let before = rendered(&fleet);
        let path = fleet.root().join(lock);
        fs::write(&path, "`ephemeros render`, process 4711\n").unwrap();
        let held = fs::File::open(&path).unwrap();
        flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
        for args in [&["render"][..], &["secrets", "set", "n1", "A"]] {
            let run = fleet.command(args).stdin("x").run().code(1);
            let run = run.says(&[
                "error: another command is writing this fleet: `ephemeros render`, process 4711\n",
                "wait until it is done",
            ]);
            assert_eq!(run.stdout, "");
        }
        // Reading goes on.
        fleet.run(&["plan"]).code(0);
        fleet
            .run(&["render", "--check"])
            .code(1)
            .prints(&["stale "]);
        assert_eq!(before, rendered(&fleet));
        let_go(&held);
        fleet.renders();
        assert_ne!(before, rendered(&fleet));
    }
}

#[test]
fn the_lock_is_one_for_all_work_trees_and_no_file_of_the_fleet() {
    let fleet = Fleet::committed();
    let tree = fleet.root().with_file_name("tree");
    fleet.git_says(&["worktree", "add", "--quiet", tree.to_str().unwrap()]);
    let path = fleet.root().join(".git/ephemeros.lock");
    let held = fs::File::create(&path).unwrap();
    flock(&held, FlockOperation::NonBlockingLockExclusive).unwrap();
    fleet
        .command(&["render"])
        .folder(&tree)
        .run()
        .code(1)
        .says(&["another command is writing"]);
    let_go(&held);
    fleet.renders();
    assert_eq!(fleet.git_says(&["status", "--porcelain"]), "");
}

#[test]
fn two_runs_at_once_end_with_whole_files() {
    let mut fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES);
    for number in 2..=100 {
        fleet = fleet.node(&format!("n{number}"), "templates = [\"base.bu\"]\n");
    }
    fleet.renders();
    let expected = rendered(&fleet);
    for folder in ["ignition", "ipxe"] {
        fs::remove_dir_all(fleet.root().join(folder)).unwrap();
    }
    let start = || {
        let mut tool = fleet.process(&["render"]);
        tool.stdout(Stdio::null()).stderr(Stdio::piped());
        tool.spawn().unwrap()
    };
    let runs: Vec<_> = (0..4).map(|_| start()).collect();
    let mut done = 0;
    for run in runs {
        let output = run.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => done += 1,
            Some(1) => assert!(stderr.contains("another command is writing"), "{stderr}"),
            other => panic!("{other:?}: {stderr}"),
        }
    }
    assert!(done > 0);
    assert!(expected == rendered(&fleet));
}

#[test]
fn a_signal_ends_a_render_with_every_file_the_old_or_the_new_one() {
    let mut fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES);
    for number in 0..150 {
        fleet = fleet.node(&format!("m{number}"), "templates = [\"base.bu\"]\n");
    }
    fleet.renders();
    let old = rendered(&fleet);
    fleet.replace("templates/base.bu", "two", "zwei");
    fleet.renders();
    let new = rendered(&fleet);
    for (signal, code, step) in [
        (Signal::INT, 130, 3),
        (Signal::TERM, 143, 20),
        (Signal::HUP, 129, 20),
    ] {
        let mut stopped = 0;
        // Later and later, until it is too late.
        for wait in (0..100).map(|number| 5 + number * step) {
            for (path, text) in &old {
                fs::write(fleet.root().join(path), text).unwrap();
            }
            let mut tool = fleet.process(&["render"]);
            let mut child = tool
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(std::time::Duration::from_millis(wait));
            if child.try_wait().unwrap().is_some() {
                break;
            }
            kill_process(Pid::from_child(&child), signal).unwrap();
            let status = child.wait().unwrap();
            let now = rendered(&fleet);
            assert_eq!(now.len(), old.len(), "something was left over");
            for (path, text) in &now {
                let whole = *text == old[path] || *text == new[path];
                assert!(whole, "{} is neither", path.display());
            }
            match status.code() {
                Some(0) => assert!(now == new),
                Some(number) if number == code => {
                    stopped += 1;
                    assert!(now == old, "stopped, and yet something changed");
                }
                // Before it listens, a signal ends it as it ends any process.
                None => assert!(now == old),
                other => panic!("{signal:?} ended it with {other:?}"),
            }
        }
        assert!(stopped > 0, "{signal:?} never came in time");
    }
}

#[test]
fn a_fleet_with_unusual_names_around_it_renders() {
    let fleet = Fleet::new().fleet(KNOWN_URL);
    for name in [
        "with space",
        "\u{fc}mlaut",
        "-dash",
        "quote'\"",
        "new\nline",
    ] {
        let folder = fleet.root().with_file_name(name);
        crate::fleet::copy(&fleet.root(), &folder);
        fleet.command(&["render"]).folder(&folder).run().code(0);
        fleet.command(&["plan"]).folder(&folder).run().code(0);
    }
}

#[test]
fn root_in_somebody_s_repository_is_told_of_safe_directory() {
    if !is_root("a repository of somebody else") {
        return;
    }
    let fleet = Fleet::committed();
    let mut chown = fleet.program("chown");
    let given = chown.args(["-R", "4321:4321", "."]).status().unwrap();
    assert!(given.success());
    let path = fleet.root().canonicalize().unwrap();
    for command in ["plan", "render", "check"] {
        let run = fleet.run(&[command]).code(1).says(&[
            "belongs to somebody else\n",
            &format!(
                "git config --global --add safe.directory {}\n",
                path.display()
            ),
        ]);
        assert_eq!(run.stdout, "");
    }
    let fleet = fleet.gitconfig(&format!("[safe]\n\tdirectory = {}\n", path.display()));
    fleet.run(&["plan"]).code(0);
}
