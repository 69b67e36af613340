//! `render --commit`: one commit of what is rendered and nothing else, or a refusal before anything is written.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

use crate::fleet::{Fleet, Run, files_in};
use crate::repository::{KNOWN_URL, THREE_LINES, is_root};

const COMMIT: &[&str] = &["render", "--commit"];

/// A fleet whose files are committed, and nothing of it is rendered.
pub(crate) fn unrendered() -> Fleet {
    let fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES);
    fleet.file("README.md", "a fleet\n").git()
}

/// Says how many commits there are.
fn commits(fleet: &Fleet) -> String {
    fleet.git_says(&["rev-list", "--count", "--all"])
}

/// What `render` with these arguments refuses, and leaves everything as it is.
#[track_caller]
pub(crate) fn refuses(fleet: &Fleet, args: &[&str]) -> Run {
    let state = || {
        let refs = fleet.git_says(&["for-each-ref"]);
        (
            fleet.files(),
            refs,
            fleet.git_says(&["status", "--porcelain"]),
        )
    };
    let before = state();
    let run = fleet.run(args).code(1);
    assert!(before == state(), "it changed something\n{}", run.stderr);
    assert_eq!(run.stdout, "");
    run
}

/// A hook of the repository.
pub(crate) fn hook(fleet: &Fleet, name: &str, script: &str) {
    let path = format!(".git/hooks/{name}");
    fleet.write(&path, format!("#!/bin/sh\n{script}\n"));
    let path = fleet.root().join(path);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn it_commits_what_is_rendered_and_nothing_else() {
    let fleet = unrendered().node("n2", "templates = [\"base.bu\"]\n");
    fleet.commit();
    fleet.write("README.md", "changed");
    fleet.write("notes.txt", "untracked");
    let head = fleet.git_says(&["rev-parse", "HEAD"]);
    let run = fleet.run(COMMIT).code(0);
    let commit = fleet.git_says(&["rev-parse", "HEAD"]);
    assert_eq!(
        run.stdout,
        format!(
            "wrote ignition/n1.ign\nwrote ipxe/n1.ipxe\nwrote ignition/n2.ign\nwrote ipxe/n2.ipxe\ncommitted {commit}\n"
        )
    );
    run.says(&["2 nodes rendered, 4 files written, 0 files removed\n"]);
    assert_eq!(
        fleet.git_says(&["show", "--name-only", "--format=%an <%ae>%n%n%B", "HEAD"]),
        format!(
            "Test <test@example.com>\n\nRender n1 and n2\n\nn1: to flash for the first time\nn2: to flash for the first time\n\n\
             Rendered from {head}.\n\n\nignition/n1.ign\nignition/n2.ign\nipxe/n1.ipxe\nipxe/n2.ipxe"
        )
    );
    assert_eq!(fleet.git_says(&["rev-parse", "HEAD^"]), head);
    assert_eq!(
        fleet.git_says(&["status", "--short"]),
        " M README.md\n?? notes.txt"
    );
    // A second run, as CI makes one for the commit of the first, has nothing to do.
    let before = commits(&fleet);
    let run = fleet.run(COMMIT).code(0).says(&["nothing to commit\n"]);
    assert_eq!(run.stdout, "");
    assert_eq!(commits(&fleet), before);
    fleet.run(&["render", "--check"]).code(0);
}

#[test]
fn what_was_rendered_or_removed_before_is_in_the_commit() {
    let fleet = unrendered().node("n2", "").node("n3", "");
    fleet.commit();
    fleet.run(COMMIT).code(0);
    // Rendered before; of one node the files are deleted already.
    let fleet = fleet
        .node("n1", "hostname = \"other\"\n")
        .without("nodes/n2.toml")
        .without("nodes/n3.toml");
    fleet.renders();
    fleet.git_says(&["add", "nodes"]);
    fleet.git_says(&["commit", "--quiet", "--message=inputs"]);
    let run = fleet.run(COMMIT).code(0);
    let commit = fleet.git_says(&["rev-parse", "HEAD"]);
    assert_eq!(run.stdout, format!("committed {commit}\n"));
    assert_eq!(
        fleet.git_says(&["show", "--name-status", "--format=%s"]),
        "Render n1, n2 and n3\n\nM\tignition/n1.ign\nD\tignition/n2.ign\nD\tignition/n3.ign\nM\tipxe/n1.ipxe\nD\tipxe/n2.ipxe\nD\tipxe/n3.ipxe"
    );
    assert_eq!(fleet.git_says(&["status", "--short"]), "");
}

#[test]
fn json_tells_of_the_commit() {
    let fleet = unrendered();
    let told = |fleet: &Fleet| -> Value {
        serde_json::from_str(&fleet.run(&["render", "--commit", "--json"]).code(0).stdout).unwrap()
    };
    let first = told(&fleet);
    let commit = fleet.git_says(&["rev-parse", "HEAD"]);
    assert_eq!(
        first,
        json!({
            "format": 1, "written": ["ignition/n1.ign", "ipxe/n1.ipxe"], "removed": [], "commit": commit, "pushed": null, "to_flash": [],
        })
    );
    assert_eq!(
        told(&fleet),
        json!({ "format": 1, "written": [], "removed": [], "commit": null, "pushed": null, "to_flash": [] })
    );
}

#[test]
fn what_is_staged_is_refused() {
    let fleet = unrendered();
    fleet.write("README.md", "changed");
    fleet.write("ignition/odd.txt", "x");
    fleet.git_says(&["add", "--all"]);
    refuses(&fleet, COMMIT).helps().mistakes(1).says(&[
        "error: something is staged already: README.md, ignition/odd.txt\n",
        "git restore --staged .",
    ]);
    // That a file will come some day takes nothing into the next commit.
    fleet.git_says(&["reset", "--quiet"]);
    fleet.git_says(&["add", "--intent-to-add", "ignition/odd.txt"]);
    fleet.run(COMMIT).code(0);
    assert_eq!(fleet.git_says(&["log", "-1", "--format=%s"]), "Render n1");
}

#[test]
fn files_that_are_rendered_from_have_to_be_committed() {
    let fleet = unrendered().file(".gitignore", "nodes/secret*\n*.swp\n");
    fleet.commit();
    for path in [
        "templates/.base.bu.swp",
        "templates/base.bu~",
        "nodes/.n9.toml",
        "docs/nodes/n9.toml",
        "other.toml",
    ] {
        fleet.write(path, "no input");
    }
    let before = commits(&fleet);
    for (path, told) in [
        ("fleet.toml", "fleet.toml"),
        ("fleet.lock", "fleet.lock"),
        ("nodes/n1.toml", "nodes/n1.toml"),
        ("nodes/n2.toml", "nodes/n2.toml (untracked)"),
        ("nodes/secret.toml", "nodes/secret.toml (ignored)"),
        ("templates/new.bu", "templates/new.bu (untracked)"),
        ("templates/files/a/.b", "templates/files/a/.b (untracked)"),
        ("sticks/n1.toml", "sticks/n1.toml (untracked)"),
    ] {
        let old = fs::read(fleet.root().join(path)).ok();
        let text = old.clone().unwrap_or_default();
        let more = if path.starts_with("sticks") {
            "format = 1\n"
        } else {
            "\n"
        };
        fleet.write(path, [&text[..], more.as_bytes()].concat());
        refuses(&fleet, COMMIT).helps().mistakes(1).says(&[
            &format!("error: not committed as it is on disk: {told}\n"),
            "commit it first",
        ]);
        match old {
            Some(old) => fleet.write(path, old),
            None => fs::remove_file(fleet.root().join(path)).unwrap(),
        }
    }
    fs::remove_file(fleet.root().join("fleet.lock")).unwrap();
    fleet.write(
        "fleet.toml",
        fleet.read("fleet.toml") + "[os]\nversion = \"4593.2.5\"\n",
    );
    refuses(&fleet, COMMIT).says(&["on disk: fleet.lock, fleet.toml\n"]);
    fleet.git_says(&["checkout", "--quiet", "."]);
    assert_eq!(commits(&fleet), before);
    fleet.run(COMMIT).code(0);
}

#[test]
fn of_a_fleet_in_a_folder_only_that_counts() {
    let outer = unrendered();
    crate::fleet::copy(
        &outer.root().join("nodes"),
        &outer.root().join("sites/north/nodes"),
    );
    for part in ["fleet.toml", "fleet.lock", "templates/base.bu"] {
        outer.write(&format!("sites/north/{part}"), outer.read(part));
    }
    outer.commit();
    outer.write("nodes/n2.toml", "");
    let north = outer.root().join("sites/north");
    let run = outer.command(COMMIT).folder(&north).run().code(0);
    run.prints(&["wrote ignition/n1.ign\n", "committed "]);
    assert_eq!(
        outer.git_says(&["show", "--name-only", "--format=%s"]),
        "Render n1\n\nsites/north/ignition/n1.ign\nsites/north/ipxe/n1.ipxe"
    );
    fs::write(north.join("nodes/n2.toml"), "").unwrap();
    let run = outer.command(COMMIT).folder(&north).run().code(1);
    run.says(&["on disk: nodes/n2.toml (untracked)\n"]);
    outer.git_says(&["add", "nodes"]);
    let run = outer.command(COMMIT).folder(&north).run().code(1);
    run.mistakes(2).says(&["staged already: nodes/n2.toml\n"]);
}

#[test]
fn who_has_no_name_is_told_how_to_get_one() {
    let fleet = unrendered();
    let nameless = |args: &[&str]| {
        let output = fleet.process(args).output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let before = fleet.files();
    let (code, said) = nameless(COMMIT);
    assert_eq!(code, Some(1), "{said}");
    for line in [
        "error: git does not know in whose name to commit",
        "git config --global user.name \"Your Name\"",
        "git config --global user.email you@example.org",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert!(before == fleet.files());
    let fleet = fleet.gitconfig("[user]\nname = Ada\nemail = ada@example.org\n");
    assert!(fleet.process(COMMIT).output().unwrap().status.success());
    assert_eq!(
        fleet.git_says(&["log", "-1", "--format=%an %ce"]),
        "Ada ada@example.org"
    );
}

#[test]
fn in_the_middle_of_something_it_is_refused() {
    for (start, name, end) in [
        (&["merge", "other"][..], "a merge", "--abort"),
        (&["rebase", "other"], "a rebase", "--abort"),
        (&["cherry-pick", "other"], "a cherry-pick", "--abort"),
        (&["revert", "HEAD~1"], "a revert", "--abort"),
        (&["bisect", "start"], "a bisect", "git bisect reset"),
    ] {
        let fleet = unrendered();
        fleet.write("README.md", "ours 1");
        fleet.commit();
        fleet.write("README.md", "ours 2");
        fleet.commit();
        fleet.git_says(&["switch", "--quiet", "--create", "other", "HEAD~2"]);
        fleet.write("README.md", "theirs");
        fleet.commit();
        fleet.git_says(&["switch", "--quiet", "main"]);
        let mut git = fleet.program("git");
        git.args(["-c", "user.name=T", "-c", "user.email=t@example.org"]);
        git.args(start).output().unwrap();
        refuses(&fleet, COMMIT)
            .helps()
            .says(&[&format!("error: git is in the middle of {name}\n"), end]);
    }
}

#[test]
fn all_that_is_in_the_way_is_told_at_once() {
    let fleet = unrendered().file(".gitignore", "ignition/\n");
    fleet.commit();
    fleet.write("README.md", "changed");
    fleet.git_says(&["add", "README.md"]);
    fleet.write("nodes/n2.toml", "");
    let output = fleet.process(COMMIT).output().unwrap();
    let run = Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    run.code(1).helps().mistakes(4).says(&[
        "error: something is staged already: README.md\n",
        "error: not committed as it is on disk: nodes/n2.toml (untracked)\n",
        "error: git is told to ignore ignition/n1.ign, ignition/n2.ign\n",
        "error: git does not know in whose name",
    ]);
}

#[test]
fn there_has_to_be_a_commit_to_render_from() {
    let fleet = Fleet::new().fleet(KNOWN_URL);
    let before = fleet.files();
    fleet.run(COMMIT).code(1).says(&[
        "error: there is no git repository to commit to\n",
        "`git init`",
    ]);
    fleet.git_says(&["init", "--quiet", "--initial-branch=main"]);
    refuses(&fleet, COMMIT).says(&[
        "error: there is no commit yet",
        "git add --all && git commit",
    ]);
    let nameless = fleet.process(COMMIT).output().unwrap();
    let said = String::from_utf8(nameless.stderr).unwrap();
    assert!(said.contains("error: there is no commit yet"), "{said}");
    assert!(
        said.contains("error: git does not know in whose name"),
        "{said}"
    );
    assert!(before == fleet.files());
}

#[test]
fn a_detached_head_gets_the_commit() {
    let fleet = unrendered();
    fleet.git_says(&["checkout", "--quiet", "--detach"]);
    fleet.run(COMMIT).code(0);
    assert_eq!(fleet.git_says(&["rev-list", "--count", "main..HEAD"]), "1");
}

#[test]
fn what_a_hook_says_is_told_and_nothing_is_left_staged() {
    let fleet = unrendered();
    hook(
        &fleet,
        "pre-commit",
        "echo \"lint:  line 1\"\necho 'lint: line 2' >&2\nexit 1",
    );
    let before = commits(&fleet);
    let run = fleet.run(COMMIT).code(1);
    assert_eq!(run.stdout, "");
    run.says(&[
        "git commit: lint:  line 1\n",
        "git commit: lint: line 2\n",
        "error: what is rendered is written, and not committed\n",
        "run this again",
    ]);
    assert_eq!(commits(&fleet), before);
    assert_eq!(
        fleet.git_says(&["status", "--short"]),
        "?? ignition/\n?? ipxe/"
    );
    // What it says when all is well is told too.
    hook(
        &fleet,
        "pre-commit",
        "echo fine; echo https://me:hunter2@example.org/x >&2",
    );
    fleet
        .run(COMMIT)
        .code(0)
        .says(&["git: https://example.org/x\n"])
        .hides("hunter2");
}

#[test]
fn a_leak_is_in_no_commit() {
    let fleet = unrendered().butane(
        "base.bu",
        "storage:\n  files:\n    - path: /etc/a\n      contents:\n        inline: AGE-SECRET-KEY-1QQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQPQQQQQQQ\n",
    );
    fleet.commit();
    refuses(&fleet, COMMIT);
}

/// Has the user's commits signed by an SSH key, whose path it gives.
pub(crate) fn signs(fleet: &Fleet) -> String {
    let key = fleet.home().join("key");
    let key = key.to_str().unwrap();
    let mut keygen = fleet.program("ssh-keygen");
    keygen.args(["-q", "-t", "ed25519", "-N", "", "-f", key]);
    assert!(keygen.status().unwrap().success());
    let public = fs::read_to_string(format!("{key}.pub")).unwrap();
    let allowed = fleet.home().join("allowed");
    fs::write(&allowed, format!("test@example.com {public}")).unwrap();
    for (name, value) in [
        ("gpg.format", "ssh"),
        ("user.signingKey", key),
        ("gpg.ssh.allowedSignersFile", allowed.to_str().unwrap()),
        ("commit.gpgSign", "true"),
    ] {
        fleet.git_says(&["config", name, value]);
    }
    key.to_owned()
}

#[test]
fn it_is_signed_where_the_user_has_commits_signed() {
    let fleet = unrendered();
    let key = signs(&fleet);
    fleet.run(COMMIT).code(0);
    assert_eq!(fleet.git_says(&["log", "-1", "--format=%G?"]), "G");
    // Without the key there is no commit.
    fleet.write("nodes/n2.toml", "");
    fleet.git_says(&["-c", "commit.gpgSign=false", "add", "nodes"]);
    fleet.git_says(&[
        "-c",
        "commit.gpgSign=false",
        "commit",
        "--quiet",
        "--message=n2",
    ]);
    fs::remove_file(&key).unwrap();
    fs::remove_file(format!("{key}.pub")).unwrap();
    let before = commits(&fleet);
    fleet
        .run(COMMIT)
        .code(1)
        .says(&["git commit: ", "error: what is rendered is written"]);
    assert_eq!(commits(&fleet), before);
}

/// Whose everything in a folder is.
fn owners(folder: &Path) -> Vec<u32> {
    let mut owners: Vec<u32> = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            owners.push(path.symlink_metadata().unwrap().uid());
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            }
        }
    }
    owners.sort_unstable();
    owners.dedup();
    owners
}

#[test]
fn under_sudo_git_runs_as_the_user() {
    if !is_root("sudo") {
        return;
    }
    for publish in ["", "publish = \"live\"\n"] {
        let fleet = unrendered();
        fleet.write("fleet.toml", fleet.read("fleet.toml") + publish);
        fleet.write("README.md", "changed");
        fleet.commit();
        let fleet = fleet.published();
        hook(&fleet, "post-commit", "id -u >&2; env | grep SUDO_ >&2");
        for place in [fleet.root(), fleet.origin(), fleet.home()] {
            let mut chown = fleet.program("chown");
            let chown = chown.args(["--recursive", "65534:65534"]).arg(place);
            assert!(chown.status().unwrap().success());
        }
        let sudo = fleet.command(&["render", "--push"]);
        let sudo = sudo.env("SUDO_UID", "65534").env("SUDO_GID", "65534");
        let run = sudo.env("SUDO_USER", "nobody").run().code(0);
        if publish.is_empty() {
            run.says(&["git: 65534\n"]).hides("SUDO_");
        }
        assert_eq!(owners(&fleet.root()), [65534]);
        assert_eq!(owners(&fleet.origin()), [65534]);
    }
}

#[test]
fn ctrl_c_ends_git_too_and_a_second_run_finishes() {
    let fleet = unrendered();
    hook(&fleet, "pre-commit", "touch ../started; sleep 60");
    let mut tool = fleet.command(COMMIT).process();
    tool.process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut tool = tool.spawn().unwrap();
    let started = fleet.root().with_file_name("started");
    let began = Instant::now();
    while !started.exists() && began.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(started.exists());
    kill_process_group(Pid::from_child(&tool), Signal::INT).unwrap();
    assert_eq!(tool.wait().unwrap().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(
        fleet.git_says(&["status", "--short"]),
        "?? ignition/\n?? ipxe/"
    );
    let left = files_in(&fleet.root().join(".git"));
    assert!(
        !left
            .keys()
            .any(|path| path.extension().is_some_and(|it| it == "lock")
                && path.to_str() != Some("ephemeros.lock")),
        "{:?}",
        left.keys()
    );
    fs::remove_file(fleet.root().join(".git/hooks/pre-commit")).unwrap();
    fleet.run(COMMIT).code(0);
    assert_eq!(fleet.git_says(&["status", "--short"]), "");
}

#[test]
fn the_environment_of_a_hook_leads_to_no_other_repository() {
    let (fleet, other) = (unrendered(), unrendered());
    let before = commits(&other);
    let git = other.root().join(".git");
    fleet
        .command(COMMIT)
        .env("GIT_DIR", git.to_str().unwrap())
        .env("GIT_INDEX_FILE", git.join("index").to_str().unwrap())
        .run()
        .code(0);
    assert_eq!(commits(&other), before);
    assert_eq!(fleet.git_says(&["log", "-1", "--format=%s"]), "Render n1");
}

#[test]
fn options_that_make_no_sense_together_are_wrong_usage() {
    let fleet = unrendered();
    for args in [
        &["--check", "--commit"][..],
        &["--check", "--push"],
        &["--allow", "n1"],
        &["--commit", "--allow", "n1"],
    ] {
        fleet.run(&[&["render"], args].concat()).code(64);
    }
}
