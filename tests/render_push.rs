//! `render --push`: what nodes fetch is what is rendered, unless that breaks one of them.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::fleet::{Fleet, RECIPIENT, SECRET};
use crate::render_commit::{hook, refuses, unrendered};
use crate::repository::THREE_LINES;
use crate::sticks;

const PUSH: &[&str] = &["render", "--push"];

/// Nodes fetch from the remote's `main`; two of them, and a role that has no secret yet.
pub(crate) fn two_nodes(settings: &str) -> Fleet {
    let fleet = Fleet::new()
        .fleet(&format!(
            "[git]\nbranch = \"main\"\n{settings}url = \"https://github.com/acme/fleet\"\n[vault]\nrecipients = [\"{RECIPIENT}\"]\n\
             [roles.web]\nvariables = [\"TOKEN\"]\nenv_file = \"web_env\"\ntemplates = [\"web.bu\"]\n"
        ))
        .butane("base.bu", THREE_LINES)
        .butane("web.bu", "storage:\n  files:\n    - path: /etc/web\n      contents: {inline: \"x\"}\n")
        .node("n2", "templates = [\"base.bu\"]\n");
    fleet.git().published()
}

/// `n1` gets a role that reads a secret, and which its stick does not carry.
fn needs_a_secret(fleet: &Fleet) {
    let text =
        format!("roles = [\"web\"]\ntemplates = [\"base.bu\"]\n[secrets]\nTOKEN = \"{SECRET}\"\n");
    fleet.write("nodes/n1.toml", text);
}

/// What a branch of the bare repository has.
pub(crate) fn at_origin(fleet: &Fleet, branch: &str) -> String {
    let origin = fleet.origin();
    fleet.git_says(&[
        "-C",
        origin.to_str().unwrap(),
        "rev-parse",
        &format!("refs/heads/{branch}"),
    ])
}

fn head(fleet: &Fleet) -> String {
    fleet.git_says(&["rev-parse", "HEAD"])
}

/// Another clone of the same bare repository.
pub(crate) fn colleague(fleet: &Fleet, options: &[&str]) -> Fleet {
    let clone = Fleet::new();
    fs::remove_dir_all(clone.root()).unwrap();
    let (origin, place) = (format!("file://{}", fleet.origin().display()), clone.root());
    let places = ["--", &origin, place.to_str().unwrap()];
    fleet.git_says(&[&["clone", "--quiet"], options, &places[..]].concat());
    clone
}

/// Lets another clone push something when this one has asked what the remote has, and pushes.
pub(crate) fn pushes_in_between(fleet: &Fleet, other: &Fleet, what: &str) {
    let place = other.root();
    hook(
        fleet,
        "pre-push",
        &format!(
            "unset GIT_DIR; git -C '{}' push --quiet origin {what}",
            place.display()
        ),
    );
}

/// Commits and pushes all that a clone has.
fn shares(fleet: &Fleet) {
    fleet.commit();
    fleet.git_says(&["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
}

#[test]
fn it_commits_and_pushes() {
    let fleet = two_nodes("");
    let run = fleet.run(PUSH).code(0);
    let commit = head(&fleet);
    let end = format!("committed {commit}\npushed {commit} to origin/main\n");
    assert!(run.stdout.ends_with(&end), "{}", run.stdout);
    assert_eq!(at_origin(&fleet, "main"), commit);
    assert_eq!(fleet.git_says(&["rev-parse", "origin/main"]), commit);
    let run = fleet.run(PUSH).code(0);
    assert_eq!(run.stdout, "");
    run.says(&["nothing to commit\nnothing to push: origin/main has it\n"]);
    let told: Value =
        serde_json::from_str(&fleet.run(&["render", "--push", "--json"]).code(0).stdout).unwrap();
    assert_eq!(told["pushed"], Value::Null);
    // What people committed goes along, and what an earlier run committed and did not push.
    fleet.write("nodes/n1.toml", "hostname = \"other\"\n");
    fleet.commit();
    fleet.run(&["render", "--commit"]).code(0);
    let commit = head(&fleet);
    let told: Value =
        serde_json::from_str(&fleet.run(&["render", "--push", "--json"]).code(0).stdout).unwrap();
    assert_eq!(told["commit"], Value::Null);
    assert_eq!(
        told["pushed"],
        json!({ "remote": "origin", "branch": "main", "commit": commit })
    );
    assert_eq!(at_origin(&fleet, "main"), commit);
}

#[test]
fn a_new_repository_gets_its_branch() {
    let fleet = unrendered();
    let origin = fleet.origin();
    let origin = origin.to_str().unwrap();
    fleet.git_says(&["init", "--quiet", "--bare", origin]);
    let fleet = fleet.remote("origin", origin);
    fleet.run(PUSH).code(0).prints(&["to origin/main\n"]);
    assert_eq!(at_origin(&fleet, "main"), head(&fleet));
    fleet
        .run(&["plan"])
        .code(0)
        .prints(&["origin/main", "1 unchanged"]);
}

#[test]
fn what_others_pushed_is_known_before_anything_is_written() {
    let fleet = two_nodes("");
    let other = colleague(&fleet, &[]);
    other.write("README.md", "theirs");
    shares(&other);
    refuses_and_fetches(
        &fleet,
        &[
            "error: origin/main has commits that what is checked out has not\n",
            "git pull --rebase origin main",
        ],
    );
    fleet.git_says(&["pull", "--quiet", "--rebase", "origin", "main"]);
    fleet.run(PUSH).code(0);
    assert_eq!(at_origin(&fleet, "main"), head(&fleet));
}

/// As `refuses`, but that it asks the remote.
#[track_caller]
fn refuses_and_fetches(fleet: &Fleet, says: &[&str]) {
    let before = (fleet.files(), head(fleet), at_origin(fleet, "main"));
    let run = fleet.run(PUSH).code(1).helps().says(says);
    assert_eq!(run.stdout, "");
    assert!(before == (fleet.files(), head(fleet), at_origin(fleet, "main")));
}

#[test]
fn a_push_in_between_loses_nothing() {
    let fleet = two_nodes("");
    let other = colleague(&fleet, &[]);
    other.write("README.md", "theirs");
    other.commit();
    // Git has asked what the remote has before this runs.
    pushes_in_between(&fleet, &other, "HEAD:main");
    let run = fleet.run(PUSH).code(1);
    run.prints(&["committed "]).says(&[
        "error: somebody has pushed to origin/main meanwhile, so nothing was pushed\n",
        "git pull --rebase origin main",
    ]);
    assert_eq!(at_origin(&fleet, "main"), head(&other));
    fs::remove_file(fleet.root().join(".git/hooks/pre-push")).unwrap();
    fleet.git_says(&["pull", "--quiet", "--rebase", "origin", "main"]);
    fleet.run(PUSH).code(0).says(&["nothing to commit\n"]);
    assert_eq!(at_origin(&fleet, "main"), head(&fleet));
    assert_eq!(fleet.read("README.md"), "theirs");
}

#[test]
fn what_the_forge_refuses_is_told_and_a_second_run_pushes_the_commit_that_is_there() {
    let fleet = two_nodes("");
    let hook = fleet.origin().join("hooks/pre-receive");
    fs::write(&hook, "#!/bin/sh\necho main is protected >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let run = fleet.run(&["render", "--push", "--json"]).code(1);
    let commit = head(&fleet);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&told["commit"], &told["pushed"]),
        (&json!(commit), &Value::Null)
    );
    run.says(&[
        "git push: remote: main is protected\n",
        "git push: [remote rejected] (pre-receive hook declined)\n",
        "error: what is committed is not pushed to origin/main\n",
        "run this again",
    ])
    .hides("Done");
    fs::remove_file(&hook).unwrap();
    let run = fleet.run(PUSH).code(0).says(&["nothing to commit\n"]);
    assert_eq!(run.stdout, format!("pushed {commit} to origin/main\n"));
    assert_eq!(at_origin(&fleet, "main"), commit);
}

#[test]
fn a_run_that_was_killed_before_the_push_is_finished_by_the_next_one() {
    let fleet = two_nodes("");
    // The parent of the hook is git, and that one's is the tool.
    hook(
        &fleet,
        "pre-push",
        "kill -KILL $(cut -d ' ' -f 4 /proc/$PPID/stat)\nexit 1",
    );
    let run = fleet.run(PUSH);
    assert_eq!(run.code, None);
    let commit = head(&fleet);
    assert_eq!(
        fleet.git_says(&["log", "-1", "--format=%s"]),
        "Render n1 and n2"
    );
    fs::remove_file(fleet.root().join(".git/hooks/pre-push")).unwrap();
    let run = fleet.run(PUSH).code(0);
    assert_eq!(run.stdout, format!("pushed {commit} to origin/main\n"));
}

#[test]
fn a_remote_that_is_pushed_elsewhere_reaches_no_node() {
    let fleet = two_nodes("");
    let key = ["config", "remote.origin.pushurl"];
    fleet.git_says(&[&key[..], &["https://name:pass@github.com/me/fork"]].concat());
    refuses(&fleet, PUSH).helps().hides("pass").says(&[
        "error: origin is fetched from ",
        ", and pushed to https://github.com/me/fork\n",
        "git config --unset remote.origin.pushurl",
    ]);
    fleet.run(&["render", "--commit"]).code(0);
    fleet.git_says(&["config", "--unset", "remote.origin.pushurl"]);
    fleet.run(PUSH).code(0);
}

#[test]
fn it_pushes_though_nobody_reads_what_it_lists() {
    let fleet = two_nodes("");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut tool = fleet.command(PUSH).process();
    assert!(tool.stdout(writer).status().unwrap().success());
    assert_eq!(at_origin(&fleet, "main"), head(&fleet));
    fleet.run(&["render", "--check"]).code(0);
}

#[test]
fn sticks_that_have_to_be_written_are_named() {
    for (settings, has_commit) in [("", false), ("publish = \"live\"\n", true)] {
        let fleet = two_nodes(settings);
        fleet.run(PUSH).code(0);
        needs_a_secret(&fleet);
        fleet.commit();
        fleet
            .run(&[PUSH, &["--allow", "n1"]].concat())
            .code(0)
            .says(&["note: the stick of n1 has to be written anew: `TOKEN` is new\n"]);
        let set = fleet.command(&["secrets", "set", "n1", "TOKEN"]);
        set.stdin("another").run().code(0);
        fleet.commit();
        let run = fleet.run(&[PUSH, &["--json"]].concat()).code(0);
        let told: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(told["to_flash"], json!(["n1"]));
        run.says(&["note: the stick of n1 has to be written anew: `TOKEN` has another value\n"]);
        if has_commit {
            let subject = fleet.git_says(&["log", "-1", "--format=%s", "origin/live"]);
            assert_eq!(subject, "Render n1");
        }
        // Nothing tells later what stands on a stick without a record.
        fleet
            .run(&["plan"])
            .code(0)
            .says(&["note: no stick is recorded for "]);
    }
}

#[test]
fn nodes_that_would_break_stop_it() {
    let fleet = two_nodes("");
    fleet.run(PUSH).code(0);
    needs_a_secret(&fleet);
    fs::remove_file(fleet.root().join("nodes/n2.toml")).unwrap();
    fleet.commit();
    let stops = |args: &[&str], says: &[&str]| {
        let args = [PUSH, args].concat();
        refuses(&fleet, &args)
            .helps()
            .mistakes(says.len())
            .says(says)
    };
    let reflash = "error: its stick has to be written anew before this is pushed: `TOKEN` is new\n";
    let removed = "error: a node is removed: a machine that still runs it fails at its next boot\n";
    stops(&[], &[reflash, removed]).says(&["--allow NODE"]);
    stops(&["--allow", ""], &[reflash, removed]);
    stops(&["--allow", "n1"], &[removed]);
    stops(&["--allow", "n2,n3"], &[reflash]);
    stops(&["--allow", "n1*", "--allow", "x"], &[removed])
        .says(&["warning: no node fits `x`, which `--allow` names\n"]);
    // Without a push nothing breaks.
    fleet.run(&["render", "--commit"]).code(0);
    refuses(&fleet, PUSH).mistakes(2);
    fleet.run(&[PUSH, &["--allow", "n1, n2"]].concat()).code(0);
    assert_eq!(at_origin(&fleet, "main"), head(&fleet));
    // What is out breaks nothing more.
    fleet.run(PUSH).code(0);
    fleet.write("README.md", "x");
    fleet.commit();
    fleet.run(PUSH).code(0);
}

#[test]
fn all_of_them_can_be_allowed() {
    let fleet = two_nodes("");
    fleet.run(PUSH).code(0);
    needs_a_secret(&fleet);
    fs::remove_file(fleet.root().join("nodes/n2.toml")).unwrap();
    fleet.commit();
    fleet.run(&[PUSH, &["--allow", "*"]].concat()).code(0);
    assert_eq!(
        fleet
            .git_says(&["log", "-1", "--format=%B"])
            .lines()
            .take(4)
            .collect::<Vec<_>>(),
        [
            "Render n1 and n2",
            "",
            "n1: to re-flash first",
            "n2: removed"
        ]
    );
}

#[test]
fn a_stick_that_was_written_and_recorded_lets_it_pass() {
    let fleet = two_nodes("");
    fleet.run(PUSH).code(0);
    needs_a_secret(&fleet);
    fleet.commit();
    refuses(&fleet, PUSH).mistakes(1);
    sticks::flash(&fleet, "n1", sticks::ONE, None);
    // The record is committed like all else by which a push is judged.
    refuses(&fleet, PUSH).says(&["sticks/n1.toml (untracked)"]);
    fleet.commit();
    fleet.run(PUSH).code(0);
}

#[test]
fn a_job_that_runs_after_the_merge_is_stopped_too() {
    let fleet = two_nodes("");
    fleet.run(PUSH).code(0);
    needs_a_secret(&fleet);
    fleet.write("nodes/n3.toml", "");
    shares(&fleet);
    fleet.write("README.md", "one more commit");
    shares(&fleet);
    // What the remote has is rendered from yet older files than those that stand beside it there.
    let job = colleague(&fleet, &[]);
    job.git_says(&["checkout", "--quiet", "--detach"]);
    refuses(&job, PUSH).says(&["`TOKEN` is new\n"]);
    let run = job.run(&[PUSH, &["--allow", "n1"]].concat()).code(0);
    run.prints(&["to origin/main\n"]);
    assert_eq!(at_origin(&fleet, "main"), head(&job));
}

#[test]
fn a_shallow_clone_in_which_that_is_not_known_is_told_to_fetch() {
    let fleet = two_nodes("");
    fleet.run(PUSH).code(0);
    fleet.replace("templates/base.bu", "three", "four");
    shares(&fleet);
    let job = colleague(&fleet, &["--depth=1"]);
    refuses(&job, PUSH).says(&[
        "error: this clone holds only the newest commits",
        "n1",
        "git fetch --unshallow",
    ]);
    job.git_says(&["fetch", "--quiet", "--unshallow"]);
    job.run(PUSH).code(0);
    assert_eq!(at_origin(&fleet, "main"), head(&job));
    // With nothing to change, or all on record, the newest commit is enough.
    let job = colleague(&fleet, &["--depth=1"]);
    job.run(PUSH).code(0);
    fleet.git_says(&["pull", "--quiet", "origin", "main"]);
    fleet.write("README.md", "x");
    shares(&fleet);
    let job = colleague(&fleet, &["--depth=1"]);
    job.run(PUSH).code(0);
}

#[test]
fn only_the_branch_that_nodes_are_rendered_from_is_pushed() {
    let fleet = two_nodes("");
    fleet.git_says(&["switch", "--quiet", "--create", "feature"]);
    refuses(&fleet, PUSH)
        .says(&["error: `feature` is checked out, and nodes are rendered from `main`\n"]);
    // One that follows it is the same under another name.
    fleet.git_says(&["branch", "--quiet", "--set-upstream-to=origin/main"]);
    fleet.run(PUSH).code(0);
    assert_eq!(at_origin(&fleet, "main"), head(&fleet));
}

#[test]
fn where_to_push_has_to_be_known() {
    let fleet = unrendered();
    refuses(&fleet, PUSH).says(&[
        "error: there is no git remote to push to\n",
        "git remote add origin",
    ]);
    let fleet = fleet.remote("one", "/nowhere").remote("two", "/nowhere");
    refuses(&fleet, PUSH).says(&["there are several git remotes"]);
    fleet.git_says(&["remote", "remove", "two"]);
    let fleet = fleet.fleet("");
    fleet.commit();
    refuses(&fleet, PUSH).says(&[
        "which branch nodes fetch from is not known\n",
        "branch = \"main\"",
    ]);
    let fleet = fleet.fleet("[git]\nbranch = \"main\"\n");
    fleet.commit();
    refuses(&fleet, PUSH).says(&[
        "git ls-remote: ",
        "error: can't ask what one/main has\n",
        "`one` can be reached",
    ]);
}

#[test]
fn credentials_in_a_url_are_not_shown() {
    let fleet = unrendered();
    let fleet = fleet.remote("origin", "http://me:hunter2@127.0.0.1:1/fleet");
    refuses(&fleet, PUSH)
        .says(&["git ls-remote: ", "127.0.0.1"])
        .hides("hunter2");
}

#[test]
fn a_branch_that_is_gone_from_the_remote_is_made_anew() {
    let fleet = two_nodes("");
    fleet.run(PUSH).code(0);
    needs_a_secret(&fleet);
    fleet.commit();
    let origin: PathBuf = fleet.origin();
    fleet.git_says(&[
        "-C",
        origin.to_str().unwrap(),
        "update-ref",
        "-d",
        "refs/heads/main",
    ]);
    // Nothing fetches from it, so nothing can break.
    hook(&fleet, "pre-push", "exit 1");
    fleet
        .run(PUSH)
        .code(1)
        .says(&["is not pushed to origin/main"]);
    let base = fleet.run(&["plan"]).code(0);
    base.prints(&["since origin/main is not known here"]);
    fs::remove_file(fleet.root().join(".git/hooks/pre-push")).unwrap();
    fleet.run(PUSH).code(0);
    assert_eq!(at_origin(&fleet, "main"), head(&fleet));
}
