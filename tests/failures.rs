//! The world does not play along: files that can't be read, folders that can't be written, full disks. Each ends
//! in a clear error and untouched outputs.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::fleet::{Fleet, Run};
use crate::repository::{KNOWN_URL, THREE_LINES, is_root, skipped};

/// A fleet rendered and changed since, so that a render has something to write.
fn changed() -> Fleet {
    let fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES);
    fleet.renders();
    fleet.replace("templates/base.bu", "two", "zwei");
    fleet
}

fn run_of(output: Output) -> Run {
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// It fails over this path, says what to do, and leaves all files as they were.
#[track_caller]
fn fails_over(fleet: &Fleet, before: &BTreeMap<PathBuf, Vec<u8>>, run: Run, path: &str) {
    let run = run.code(1).hides("panicked");
    assert_eq!(run.stdout, "");
    let error = run.stderr.split("error: ").nth(1).unwrap_or_default();
    let first = error.lines().next().unwrap_or_default();
    assert!(first.contains(path), "no `{path}` in: {}", run.stderr);
    assert!(
        error
            .lines()
            .nth(1)
            .is_some_and(|line| !line.trim().is_empty()),
        "no help: {error}"
    );
    let mut after = fleet.files();
    // The file of the lock stays.
    after.retain(|path, _| path != Path::new(".ephemeros.lock"));
    let mut before = before.clone();
    before.retain(|path, _| path != Path::new(".ephemeros.lock"));
    assert!(before == after, "something changed: {:?}", after.keys());
}

#[test]
fn a_file_that_can_t_be_read_is_named() {
    for path in [
        "fleet.toml",
        "fleet.lock",
        "nodes/n1.toml",
        "templates/base.bu",
    ] {
        let fleet = changed().mode(path, 0o000);
        let before = fleet.files();
        for args in [
            &["plan"][..],
            &["render", "--check"],
            &["check"],
            &["show", "n1"],
        ] {
            let run = fleet.command_as_nobody(args).run();
            fails_over(&fleet, &before, run, path);
        }
    }
}

#[test]
fn a_folder_that_can_t_be_read_is_named() {
    for path in ["nodes", "templates"] {
        let fleet = changed().mode(path, 0o000);
        let run = fleet.command_as_nobody(&["plan"]).run();
        let fleet = fleet.mode(path, 0o755);
        fails_over(&fleet, &fleet.files(), run, path);
    }
}

#[test]
fn a_folder_in_a_file_s_place_is_named() {
    for (path, told) in [
        ("fleet.lock", "fleet.lock"),
        ("templates/base.bu", "`base.bu`"),
    ] {
        let fleet = changed().without(path).file(&format!("{path}/x"), "x");
        let before = fleet.files();
        let run = fleet.run(&["render"]);
        let after = fleet.files();
        assert!(before == after);
        run.code(1).says(&["error: ", told]);
    }
}

#[test]
fn a_link_into_nowhere_or_into_itself_is_named() {
    for (path, target) in [
        ("nodes/n1.toml", "nowhere"),
        ("templates/base.bu", "base.bu"),
        ("fleet.lock", "fleet.lock"),
    ] {
        let fleet = changed().without(path).link(path, target);
        let before = fleet.files();
        let run = fleet.run(&["render"]);
        fails_over(&fleet, &before, run, path);
    }
}

#[test]
fn a_folder_that_can_t_be_written_is_named() {
    for folder in ["ignition", "ipxe"] {
        let fleet = changed();
        // Whoever renders may write all but this.
        fs::write(fleet.root().join(".ephemeros.lock"), "").unwrap();
        let fleet = fleet
            .mode(".ephemeros.lock", 0o666)
            .mode("ignition", 0o777)
            .mode("ipxe", 0o777)
            .mode("", 0o777)
            .mode(folder, 0o555);
        let before = fleet.files();
        let run = fleet.command_as_nobody(&["render"]).run();
        fails_over(&fleet, &before, run, &format!("{folder}/n1."));
        let fleet = fleet.mode(folder, 0o777);
        fleet.command_as_nobody(&["render"]).run().code(0);
    }
}

#[test]
fn a_fleet_that_can_t_be_written_at_all_is_named() {
    if !is_root("a fleet of somebody else") {
        return;
    }
    let fleet = changed().without(".ephemeros.lock");
    let before = fleet.files();
    let run = fleet.command_as_nobody(&["render"]).run();
    fails_over(&fleet, &before, run, ".ephemeros.lock");
}

#[test]
fn a_folder_in_a_rendered_file_s_place_changes_nothing() {
    // `a` comes first, and must not be written either.
    let fleet = changed().node("a", "").without("ignition/n1.ign");
    let fleet = fleet.file("ignition/n1.ign/inside", "x");
    let before = fleet.files();
    let run = fleet.run(&["render"]);
    fails_over(&fleet, &before, run, "ignition/n1.ign");
}

#[test]
fn a_file_in_the_place_of_a_rendered_folder_changes_nothing() {
    let fleet = changed();
    fs::remove_dir_all(fleet.root().join("ipxe")).unwrap();
    let fleet = fleet.file("ipxe", "a file");
    let before = fleet.files();
    let run = fleet.run(&["render"]);
    fails_over(&fleet, &before, run, "ipxe");
}

/// A shell with a mount namespace of its own in which `first` ran.
fn private(fleet: &Fleet, first: &str, args: &str) -> Command {
    let mut unshare = fleet.program("unshare");
    let tool = env!("CARGO_BIN_EXE_ephemeros");
    let script = format!("set -e; {first}; exec '{tool}' {args}");
    unshare.args(["--mount", "--propagation", "private", "sh", "-c", &script]);
    unshare
}

pub(crate) fn can_mount(what: &str) -> bool {
    if !is_root(what) {
        return false;
    }
    let probe = "mount -t tmpfs -o size=64k none /mnt";
    let ran = Command::new("unshare")
        .args(["--mount", "sh", "-c", probe])
        .stderr(Stdio::null())
        .status();
    let can = ran.is_ok_and(|status| status.success());
    if !can {
        skipped(what, "no private mounts here");
    }
    can
}

#[test]
fn a_full_disk_leaves_the_outputs_untouched_and_nothing_beside_them() {
    if !can_mount("a full disk") {
        return;
    }
    let fleet = changed();
    // What was on the full disk in the end.
    let out = fleet.root().with_file_name("out");
    fs::create_dir(&out).unwrap();
    let tool = env!("CARGO_BIN_EXE_ephemeros");
    let script = format!(
        "set -e
        cp -a ignition/. ../out/
        mount -t tmpfs -o size=16k none ignition
        cp -a ../out/. ignition/
        cat /dev/zero > ignition/ballast 2>/dev/null || true
        code=0; '{tool}' render || code=$?
        rm ignition/ballast
        rm -rf ../out/*; cp -a ignition/. ../out/
        exit $code"
    );
    let before = fleet.files();
    let ran = fleet
        .program("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", &script])
        .output()
        .unwrap();
    let run = run_of(ran);
    assert!(
        run.stderr.contains("No space left on device"),
        "{}",
        run.stderr
    );
    fails_over(&fleet, &before, run, "ignition/n1.ign");
    let left: Vec<_> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["n1.ign"]);
    let old = &before[Path::new("ignition/n1.ign")];
    assert!(fs::read(out.join("n1.ign")).unwrap() == *old);
}

#[test]
fn a_read_only_file_system_is_named() {
    if !can_mount("a read-only file system") {
        return;
    }
    let fleet = changed();
    let before = fleet.files();
    let first = "mount --bind ignition ignition && mount -o remount,ro,bind ignition";
    let run = run_of(private(&fleet, first, "render").output().unwrap());
    fails_over(&fleet, &before, run, "ignition/n1.ign");
}

#[test]
fn a_result_that_can_t_be_written_is_an_error() {
    let fleet = Fleet::committed();
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    assert!(fs::metadata("/dev/full").unwrap().rdev() != 0);
    let mut tool = fleet.process(&["plan"]);
    let output = tool.stdout(full).output().unwrap();
    run_of(output)
        .code(1)
        .says(&["error: can't write the result: No space left on device"]);
}

#[test]
fn a_damaged_repository_is_an_error() {
    let fleet = Fleet::committed();
    let head = fleet.git_says(&["rev-parse", "HEAD"]);
    let object = format!(".git/objects/{}/{}", &head[..2], &head[2..]);
    let fleet = fleet.mode(&object, 0o644).file(&object, "rubbish");
    fleet
        .run(&["plan"])
        .code(1)
        .says(&["error: can't read the git repository"]);
    let fleet = Fleet::committed().file(".git/HEAD", "rubbish");
    fleet.run(&["plan"]).code(1).says(&["error: "]);
    let fleet = Fleet::committed().file(".git/config", "[rubbish");
    fleet.run(&["plan"]).code(1).says(&["error: "]);
    // Whether a file of no node may be removed is asked of the index.
    let fleet = Fleet::committed().file("ignition/gone.ign", "{}");
    let index = fs::read(fleet.root().join(".git/index")).unwrap();
    let fleet = fleet.file(".git/index", &index[..index.len() / 2]);
    let before = fleet.files();
    fleet.run(&["render"]).code(1).says(&["error: "]);
    assert_eq!(before, fleet.files());
}

#[test]
fn a_fleet_is_looked_for_upward_and_told_where_it_was_missed() {
    let fleet = Fleet::new().fleet(KNOWN_URL);
    for (folder, says) in [
        ("/", "there is no fleet.toml in / "),
        ("/nonexistent", "/nonexistent"),
        ("/dev/null", "/dev/null"),
    ] {
        let run = fleet.command(&["-C", folder, "plan"]).folder("/").run();
        run.code(1).says(&["error: ", says, "-C DIR"]);
    }
    fleet
        .command(&["plan"])
        .folder(fleet.root().join("nodes"))
        .run()
        .code(0);
}

#[test]
fn a_missing_home_is_no_failure() {
    let fleet = Fleet::committed();
    let mut tool = fleet.process(&["plan"]);
    let output = tool.env_remove("HOME").env_remove("PATH").output().unwrap();
    run_of(output).code(0);
}
