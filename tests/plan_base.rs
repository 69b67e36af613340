//! What `plan` compares with in the clones that pipelines make, and what it fetches.

use crate::fleet::Fleet;
use crate::render_push::colleague;
use crate::repository::THREE_LINES;

/// As a forge has it: `main` as it was pushed, and a pull request that changes a line.
fn forge(fleet_toml: &str) -> Fleet {
    let fleet = Fleet::new()
        .fleet(fleet_toml)
        .butane("base.bu", THREE_LINES);
    fleet.renders();
    let fleet = fleet.git().published();
    fleet.git_says(&["switch", "--quiet", "--create", "change"]);
    fleet.replace("templates/base.bu", "two", "zwei");
    fleet.commit();
    fleet.git_says(&["push", "--quiet", "origin", "change:refs/pull/7/merge"]);
    fleet
}

const MAIN: &str = "[git]\nbranch = \"main\"\nurl = \"https://github.com/acme/fleet\"\n";
const NO_BRANCH: &str = "[git]\nurl = \"https://github.com/acme/fleet\"\npublish = \"main\"\n";

/// A clone as `actions/checkout` makes it of a pull request: nothing but its newest commits.
fn checked_out(forge: &Fleet, depth: u32) -> Fleet {
    let clone = Fleet::empty();
    let origin = format!("file://{}", forge.origin().display());
    clone.git_says(&["init", "--quiet"]);
    let clone = clone.remote("origin", &origin);
    let depth = format!("--depth={depth}");
    let merge = "+refs/pull/7/merge:refs/remotes/pull/7/merge";
    clone.git_says(&["fetch", "--quiet", "--no-tags", &depth, "origin", merge]);
    clone.git_says(&[
        "checkout",
        "--quiet",
        "--detach",
        "refs/remotes/pull/7/merge",
    ]);
    clone
}

fn fetched(clone: &Fleet, branch: &str) {
    let refspec = format!("{branch}:refs/remotes/origin/{branch}");
    clone.git_says(&["fetch", "--quiet", "--depth=1", "origin", &refspec]);
}

fn base(plan: &str) -> &str {
    let line = plan.lines().next().unwrap();
    line.strip_prefix("Compared with ").unwrap()
}

#[test]
fn a_clone_without_the_branch_that_nodes_fetch_says_which_fetch_is_missing() {
    let forge = forge(MAIN);
    let clone = checked_out(&forge, 1);
    let run = clone.run(&["plan"]).code(1);
    let fetch = "git fetch --depth=1 origin main:refs/remotes/origin/main";
    let run = run.says(&[
        "error: this clone does not have `origin/main`, which nodes fetch from\n",
        "--against",
        fetch,
    ]);
    assert_eq!(run.stdout, "");
    // The line is one to be run as it stands.
    let line = run.stderr.lines().find(|line| line.contains(fetch));
    let mut shell = clone.program("sh");
    let status = shell.args(["-c", line.unwrap()]).status();
    assert!(status.unwrap().success());
    let plan = clone.plans(&[]);
    assert!(base(&plan).starts_with("origin/main ("), "{plan}");
    assert!(plan.contains("\n    -two\n    +zwei\n"), "{plan}");
}

#[test]
fn in_such_a_clone_another_revision_can_be_named() {
    let clone = checked_out(&forge(MAIN), 1);
    let plan = clone.plans(&["--against", "HEAD"]);
    assert!(base(&plan).starts_with("HEAD ("), "{plan}");
}

#[test]
fn the_target_of_the_pull_request_stands_in_for_a_branch_that_is_not_there() {
    let forge = forge(MAIN);
    forge.git_says(&["push", "--quiet", "origin", "main:next"]);
    let clone = checked_out(&forge, 1);
    fetched(&clone, "next");
    for (name, value) in [
        ("GITHUB_BASE_REF", "next"),
        ("GITHUB_BASE_REF", "refs/heads/next"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "next"),
    ] {
        let run = clone.command(&["plan"]).env(name, value).run().code(0);
        let base = base(&run.stdout);
        assert!(base.starts_with("origin/next ("), "{base}");
        assert!(
            base.ends_with("), since origin/main is not known here."),
            "{base}"
        );
        assert!(run.stdout.contains("-two\n    +zwei\n"), "{}", run.stdout);
    }
    // What nodes fetch from is better.
    fetched(&clone, "main");
    let run = clone
        .command(&["plan"])
        .env("GITHUB_BASE_REF", "next")
        .run();
    assert!(base(&run.code(0).stdout).starts_with("origin/main ("));
}

#[test]
fn where_nobody_says_the_branch_the_pull_request_does() {
    let forge = forge(MAIN);
    // Neither `branch` nor what a clone would know of the remote's HEAD.
    let raw_url = "[git]\nraw_url = \"https://cdn.example.net/{{ path }}\"\n";
    forge.write(
        "fleet.toml",
        forge.read("fleet.toml").replace(MAIN, raw_url),
    );
    forge.commit();
    forge.git_says(&["push", "--quiet", "origin", "change:refs/pull/7/merge"]);
    let clone = checked_out(&forge, 1);
    clone.run(&["plan"]).code(1).says(&[
        "error: which branch nodes fetch from is not known in this clone\n",
        "[git]\n",
        "branch = \"main\"\n",
    ]);
    let plan = || {
        clone
            .command(&["plan"])
            .env("GITHUB_BASE_REF", "main")
            .run()
    };
    plan().code(1).says(&[
        "does not have `origin/main`",
        "git fetch --depth=1 origin main:",
    ]);
    fetched(&clone, "main");
    let run = plan().code(0);
    let base = base(&run.stdout);
    assert!(
        base.starts_with("origin/main (") && base.ends_with(")."),
        "{base}"
    );
}

#[test]
fn gitlab_s_merge_requests_have_the_commit_that_they_come_from() {
    let forge = forge(MAIN);
    let main = forge.git_says(&["rev-parse", "main"]);
    let plan = |depth| {
        let clone = checked_out(&forge, depth);
        let plan = clone.command(&["plan"]);
        plan.env("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")
            .env("CI_MERGE_REQUEST_DIFF_BASE_SHA", &main)
            .run()
    };
    let run = plan(20).code(0);
    let base = base(&run.stdout);
    assert!(
        base.starts_with(&format!("the merge request's base ({})", &main[..7])),
        "{base}"
    );
    assert!(run.stdout.contains("-two\n    +zwei\n"), "{}", run.stdout);
    plan(1).code(1).says(&["git fetch --depth=1 origin main:"]);
}

#[test]
fn a_target_is_no_base_where_nodes_fetch_from_a_branch_of_their_own() {
    let forge = forge(&format!("{MAIN}publish = \"live\"\n"));
    forge.git_says(&["push", "--quiet", "origin", "main:live"]);
    let clone = checked_out(&forge, 20);
    fetched(&clone, "main");
    let main = forge.git_says(&["rev-parse", "main"]);
    let plan = || {
        let plan = clone.command(&["plan"]).env("GITHUB_BASE_REF", "main");
        plan.env("CI_MERGE_REQUEST_DIFF_BASE_SHA", &main).run()
    };
    plan().code(1).says(&[
        "does not have `origin/live`, which nodes fetch from",
        "git fetch --depth=1 origin live:refs/remotes/origin/live\n",
    ]);
    fetched(&clone, "live");
    assert!(base(&plan().code(0).stdout).starts_with("origin/live ("));
}

#[test]
fn a_whole_clone_may_lack_the_branch_since_nobody_has_pushed_it_yet() {
    let forge = forge(&format!("{MAIN}publish = \"live\"\n"));
    let clone = colleague(&forge, &[]);
    clone.git_says(&["checkout", "--quiet", "--detach"]);
    let plan = clone
        .command(&["plan"])
        .env("GITHUB_BASE_REF", "main")
        .run();
    let plan = plan.code(0).stdout;
    assert!(base(&plan).starts_with("origin/main ("), "{plan}");
    assert!(
        base(&plan).ends_with("since origin/live is not known here."),
        "{plan}"
    );
}

#[test]
fn a_pull_request_is_not_told_to_push() {
    let forge = forge(MAIN);
    forge.renders();
    forge.commit();
    forge.git_says(&["push", "--quiet", "origin", "change:refs/pull/7/merge"]);
    let clone = checked_out(&forge, 1);
    fetched(&clone, "main");
    let run = clone
        .command(&["plan"])
        .env("GITHUB_BASE_REF", "main")
        .run();
    run.code(0)
        .says(&["note: 2 files are committed and not merged yet\n"])
        .hides("git push");
    let run = clone
        .command(&["plan", "--against", "HEAD~0"])
        .env("GITHUB_BASE_REF", "main")
        .run();
    run.code(0).says(&["not merged yet\n"]);
    clone
        .run(&["plan"])
        .code(0)
        .says(&["not pushed: run `git push`"]);
}

#[test]
fn a_detached_head_without_a_remote_is_compared_with_itself() {
    let fleet = Fleet::committed();
    fleet.git_says(&["checkout", "--quiet", "--detach"]);
    assert!(base(&fleet.plans(&[])).starts_with("HEAD ("));
}

#[test]
fn an_ordinary_clone_that_was_never_pushed_is_compared_with_head() {
    let fleet = Fleet::committed().remote("origin", "git@github.com:acme/fleet");
    let plan = fleet.plans(&[]);
    assert!(base(&plan).starts_with("HEAD ("), "{plan}");
    assert!(
        base(&plan).ends_with("since origin/main is not known here."),
        "{plan}"
    );
}

#[test]
fn fetch_brings_what_others_pushed_and_touches_nothing_else() {
    let fleet = Fleet::committed().published();
    let other = fleet.cloned();
    other.git_says(&[
        "remote",
        "set-url",
        "origin",
        fleet.origin().to_str().unwrap(),
    ]);
    other.replace("templates/base.bu", "two", "zwei");
    other.renders();
    other.commit();
    other.git_says(&["push", "--quiet", "origin", "main", "main:side"]);
    let before = fleet.files();
    let plan = fleet.plans(&[]);
    assert!(plan.contains("Plan: 1 unchanged."), "{plan}");
    let run = fleet.run(&["plan", "--fetch"]).code(0);
    let theirs = other.git_says(&["rev-parse", "--short=7", "HEAD"]);
    assert_eq!(base(&run.stdout), format!("origin/main ({theirs})."));
    assert!(run.stdout.contains("-zwei\n    +two\n"), "{}", run.stdout);
    assert_eq!(before, fleet.files());
    assert_eq!(fleet.git_says(&["branch", "--remotes"]).lines().count(), 2);
}

#[test]
fn fetch_brings_the_base_to_the_clone_of_a_pipeline() {
    let forge = forge(MAIN);
    // What came before is no matter, and may be long.
    forge.git_says(&["switch", "--quiet", "main"]);
    forge.git_says(&["commit", "--quiet", "--allow-empty", "--message=later"]);
    forge.git_says(&["push", "--quiet", "origin", "main"]);
    let clone = checked_out(&forge, 1);
    let plan = clone.plans(&["--fetch"]);
    assert!(base(&plan).starts_with("origin/main ("), "{plan}");
    assert_eq!(clone.git_says(&["rev-list", "--count", "origin/main"]), "1");
    let forge = self::forge(NO_BRANCH);
    let clone = checked_out(&forge, 1);
    let plan = clone.plans(&["--fetch"]);
    assert!(base(&plan).starts_with("origin/main ("), "{plan}");
}

#[test]
fn a_fetch_that_fails_is_told_in_git_s_words_without_credentials() {
    let fleet = Fleet::committed().remote("origin", "/nowhere/at-all.git");
    fleet.run(&["plan", "--fetch"]).code(1).says(&[
        "error: `git ls-remote` failed: ",
        "/nowhere/at-all.git",
        "\n  ",
        "see to what git says",
    ]);
    let url = "http://ada:hunter2@127.0.0.1:9/fleet.git?token=hunter2";
    fleet.git_says(&["remote", "set-url", "origin", url]);
    let run = fleet.run(&["plan", "--fetch"]).code(1);
    run.says(&["failed: ", "127.0.0.1"]).hides("hunter2");
}

#[test]
fn there_has_to_be_something_to_fetch() {
    let fleet = Fleet::committed();
    let run = fleet.run(&["plan", "--fetch"]).code(1);
    run.says(&[
        "error: there is no git remote to fetch from\n",
        "git remote add",
    ]);
    Fleet::new()
        .fleet(MAIN)
        .run(&["plan", "--fetch"])
        .code(1)
        .says(&["error: there is no git remote to fetch from\n"]);
    let run = fleet
        .run(&["plan", "--fetch", "--against", "HEAD"])
        .code(64);
    run.says(&["--fetch", "--against"]);
}

#[test]
fn fetch_needs_git() {
    let fleet = Fleet::committed().published();
    let run = fleet.command(&["plan", "--fetch"]).env("PATH", "/nowhere");
    run.run().code(1).says(&["error: can't run `git`: "]);
}

#[test]
fn other_commands_work_in_the_clone_of_a_pipeline_as_before() {
    let clone = checked_out(&forge(MAIN), 1);
    clone.run(&["check"]).code(0);
    clone.run(&["sticks", "list"]).code(0);
}
