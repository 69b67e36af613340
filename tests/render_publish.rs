//! `render --push` where nodes fetch from a branch of their own: nobody's branch, index or work tree is touched.

use std::fs;

use serde_json::Value;

use crate::fleet::{Fleet, SECRET};
use crate::render_commit::{hook, refuses, signs};
use crate::render_push::{at_origin, colleague, pushes_in_between, two_nodes};

const PUSH: &[&str] = &["render", "--push"];

fn live() -> Fleet {
    two_nodes("publish = \"live\"\n")
}

/// The files of a commit of the bare repository.
fn files(fleet: &Fleet, revision: &str) -> Vec<String> {
    let origin = fleet.origin();
    let list = [
        "-C",
        origin.to_str().unwrap(),
        "ls-tree",
        "-r",
        "--name-only",
        revision,
    ];
    fleet.git_says(&list).lines().map(str::to_owned).collect()
}

fn parents(fleet: &Fleet, revision: &str) -> Vec<String> {
    let parents = fleet.git_says(&["show", "--no-patch", "--format=%P", revision]);
    parents.split(' ').map(str::to_owned).collect()
}

/// All that must stay as it is.
fn own(fleet: &Fleet) -> impl PartialEq + use<> {
    let index = fs::read(fleet.root().join(".git/index")).unwrap();
    let branches = fleet.git_says(&["for-each-ref", "refs/heads"]);
    (
        fleet.files(),
        index,
        branches,
        fleet.git_says(&["rev-parse", "HEAD"]),
    )
}

#[test]
fn it_goes_to_its_branch_and_touches_nothing_else() {
    let fleet = live();
    let before = own(&fleet);
    let run = fleet.run(PUSH).code(0);
    assert!(before == own(&fleet));
    let tip = at_origin(&fleet, "live");
    assert_eq!(
        run.stdout,
        format!(
            "wrote live:ignition/n1.ign\nwrote live:ignition/n2.ign\nwrote live:ipxe/n1.ipxe\nwrote live:ipxe/n2.ipxe\n\
             committed {tip}\npushed {tip} to origin/live\n"
        )
    );
    let head = fleet.git_says(&["rev-parse", "HEAD"]);
    assert_eq!(parents(&fleet, &tip), [head.as_str()]);
    let mut all = files(&fleet, "main");
    all.extend(
        [
            "ignition/n1.ign",
            "ignition/n2.ign",
            "ipxe/n1.ipxe",
            "ipxe/n2.ipxe",
        ]
        .map(str::to_owned),
    );
    all.sort();
    assert_eq!(files(&fleet, "live"), all);
    assert_eq!(
        fleet.git_says(&["log", "-1", "--format=%an%n%B", &tip]),
        format!(
            "Test\nRender n1 and n2\n\nn1: to flash for the first time\nn2: to flash for the first time\n\nRendered from {head}."
        )
    );
    // What is rendered there is what is rendered here.
    let there = fleet.git_says(&["show", &format!("{tip}:ignition/n1.ign")]);
    let told = fleet
        .run(&["show", "n1", "--stage", "ignition"])
        .code(0)
        .stdout;
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(read(&there), read(&told));
    let run = fleet
        .run(PUSH)
        .code(0)
        .says(&["nothing to commit\nnothing to push: origin/live has it\n"]);
    assert_eq!(run.stdout, "");
    assert!(before == own(&fleet));
}

#[test]
fn it_goes_on_from_what_is_published_and_from_what_is_checked_out() {
    let fleet = live();
    fleet.run(PUSH).code(0);
    let first = at_origin(&fleet, "live");
    fleet.write("README.md", "read me");
    fleet.commit();
    let run = fleet.run(PUSH).code(0);
    let second = at_origin(&fleet, "live");
    let head = fleet.git_says(&["rev-parse", "HEAD"]);
    assert_eq!(parents(&fleet, &second), [first, head.clone()]);
    assert_eq!(
        run.stdout,
        format!("committed {second}\npushed {second} to origin/live\n")
    );
    let subject = fleet.git_says(&["log", "-1", "--format=%s", &second]);
    assert_eq!(
        subject,
        format!("Take over {}, which changes no node", &head[..7])
    );
    // A node goes, with its files; what a person put there by hand goes too.
    fs::remove_file(fleet.root().join("nodes/n2.toml")).unwrap();
    fleet.commit();
    refuses(&fleet, PUSH).says(&["error: a node is removed", "--allow NODE"]);
    let run = fleet.run(&[PUSH, &["--allow", "n2"]].concat()).code(0);
    run.prints(&["removed live:ignition/n2.ign\nremoved live:ipxe/n2.ipxe\n"]);
    assert!(!files(&fleet, "live").contains(&"ignition/n2.ign".to_owned()));
    assert_eq!(
        fleet.git_says(&["log", "-1", "--format=%s", "origin/live"]),
        "Remove n2"
    );
}

#[test]
fn what_is_on_disk_and_ignored_or_staged_is_no_matter() {
    let fleet = live();
    fleet.write(".gitignore", "/ignition/\n/ipxe/\n");
    fleet.commit();
    fleet.renders();
    fleet.write("ignition/n1.ign", "edited");
    fleet.write("README.md", "staged");
    fleet.git_says(&["add", "README.md"]);
    let before = own(&fleet);
    fleet.run(PUSH).code(0);
    assert!(before == own(&fleet));
    let there = fleet.git_says(&["show", "origin/live:ignition/n1.ign"]);
    assert!(there.starts_with('{'), "{there}");
    assert!(!files(&fleet, "live").contains(&"README.md".to_owned()));
    // Staged inputs are.
    fleet.write("nodes/n3.toml", "");
    fleet.git_says(&["add", "nodes"]);
    refuses(&fleet, PUSH).says(&["error: not committed as it is on disk: nodes/n3.toml\n"]);
}

#[test]
fn rendered_files_that_people_committed_give_way() {
    let fleet = live();
    fleet.renders();
    fleet.write("ignition/gone.ign", "{}");
    fleet.write("ignition/README.md", "kept");
    fleet.write("ignition/n1.ign", "old");
    fleet.commit();
    fleet.run(PUSH).code(0);
    let there = files(&fleet, "live");
    assert!(
        !there.contains(&"ignition/gone.ign".to_owned()),
        "{there:?}"
    );
    assert!(
        there.contains(&"ignition/README.md".to_owned()),
        "{there:?}"
    );
    assert!(
        fleet
            .git_says(&["show", "origin/live:ignition/n1.ign"])
            .starts_with('{')
    );
}

#[test]
fn without_a_push_the_commit_is_kept_and_the_next_run_pushes_it() {
    let fleet = live();
    let before = own(&fleet);
    fleet
        .run(&["render", "--commit"])
        .code(0)
        .prints(&["committed "]);
    let kept = fleet.git_says(&["rev-parse", "ephemeros/live"]);
    fleet
        .run(&["render", "--commit"])
        .code(0)
        .says(&["nothing to commit\n"]);
    hook(&fleet, "pre-push", "exit 1");
    fleet
        .run(PUSH)
        .code(1)
        .says(&["error: what is committed is not pushed to origin/live\n"]);
    fs::remove_file(fleet.root().join(".git/hooks/pre-push")).unwrap();
    let run = fleet.run(PUSH).code(0);
    assert!(
        run.stdout
            .ends_with(&format!("pushed {kept} to origin/live\n")),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains("committed"), "{}", run.stdout);
    assert!(before == own(&fleet));
}

#[test]
fn a_push_in_between_is_gone_on_from() {
    let fleet = live();
    fleet.run(PUSH).code(0);
    let other = colleague(&fleet, &[]);
    fleet.write("nodes/n1.toml", "hostname = \"mine\"\n");
    fleet.commit();
    other.git_says(&["checkout", "--quiet", "live"]);
    other.write("note", "theirs");
    other.commit();
    pushes_in_between(&fleet, &other, "live");
    fleet.run(PUSH).code(1).says(&[
        "error: somebody has pushed to origin/live meanwhile",
        "run this again",
    ]);
    fs::remove_file(fleet.root().join(".git/hooks/pre-push")).unwrap();
    let theirs = at_origin(&fleet, "live");
    fleet.run(PUSH).code(0).prints(&["committed "]);
    let head = fleet.git_says(&["rev-parse", "HEAD"]);
    assert_eq!(parents(&fleet, "origin/live"), [theirs, head]);
}

#[test]
fn a_job_that_is_late_publishes_nothing_old() {
    let fleet = live();
    let old = fleet.git_says(&["rev-parse", "HEAD"]);
    fleet.run(PUSH).code(0);
    fleet.write("nodes/n1.toml", "hostname = \"new\"\n");
    fleet.commit();
    fleet.run(PUSH).code(0);
    fleet.git_says(&["checkout", "--quiet", "--detach", &old]);
    refuses(&fleet, PUSH).says(&[
        "error: `live` was rendered from a newer commit than the one that is checked out\n",
        "git pull",
    ]);
}

#[test]
fn a_shallow_clone_of_a_job_publishes_too() {
    let fleet = live();
    fleet.run(PUSH).code(0);
    fleet.write("nodes/n1.toml", "hostname = \"new\"\n");
    fleet.commit();
    fleet.git_says(&["push", "--quiet", "origin", "main"]);
    let job = colleague(&fleet, &["--depth=1"]);
    job.git_says(&["checkout", "--quiet", "--detach"]);
    let first = at_origin(&fleet, "live");
    job.run(PUSH).code(0);
    let head = job.git_says(&["rev-parse", "HEAD"]);
    fleet.git_says(&["fetch", "--quiet", "origin"]);
    assert_eq!(parents(&fleet, "origin/live"), [first, head]);
    let last = at_origin(&fleet, "live");
    job.run(PUSH).code(0);
    assert_eq!(at_origin(&fleet, "live"), last);
}

#[test]
fn nodes_that_would_break_stop_it_after_the_merge_too() {
    let fleet = live();
    fleet.run(PUSH).code(0);
    fleet.write(
        "nodes/n1.toml",
        format!("roles = [\"web\"]\ntemplates = [\"base.bu\"]\n[secrets]\nTOKEN = \"{SECRET}\"\n"),
    );
    fleet.commit();
    fleet.git_says(&["push", "--quiet", "origin", "main"]);
    refuses(&fleet, PUSH).says(&["`TOKEN` is new\n"]);
    fleet.run(&[PUSH, &["--allow", "n1"]].concat()).code(0);
}

#[test]
fn what_an_earlier_run_committed_is_not_told_again() {
    let fleet = live();
    let commit = ["render", "--commit"];
    fleet
        .run(&commit)
        .code(0)
        .prints(&["wrote live:ignition/n1.ign\n"]);
    let run = fleet.run(&commit).code(0).says(&["nothing to commit\n"]);
    assert_eq!(run.stdout, "");
    let run = fleet.run(PUSH).code(0);
    let there = at_origin(&fleet, "live");
    assert_eq!(run.stdout, format!("pushed {there} to origin/live\n"));
}

#[test]
fn what_left_the_line_of_people_s_branch_is_not_published() {
    let fleet = live();
    fleet.git_says(&["push", "--quiet", "origin", "main"]);
    let other = colleague(&fleet, &[]);
    other.write("README.md", "theirs");
    other.commit();
    other.git_says(&["push", "--quiet", "origin", "main"]);
    // An older commit of it does no harm.
    fleet.run(PUSH).code(0);
    fleet.write("notes", "mine");
    fleet.commit();
    refuses(&fleet, PUSH).says(&[
        "error: origin/main has commits that what is checked out has not\n",
        "git pull --rebase origin main",
    ]);
    fleet.git_says(&["pull", "--quiet", "--rebase", "origin", "main"]);
    fleet.run(PUSH).code(0);
}

#[test]
fn what_a_person_committed_there_is_told() {
    let fleet = live();
    fleet.run(PUSH).code(0);
    fleet.write("README.md", "more");
    fleet.commit();
    fleet.run(PUSH).code(0).hides("not kept");
    let other = colleague(&fleet, &["--branch=live"]);
    other.write("hack", "mine");
    other.commit();
    let by_hand = other.git_says(&["rev-parse", "HEAD"]);
    other.git_says(&["push", "--quiet", "origin", "live"]);
    fleet.run(PUSH).code(0).says(&[&format!(
        "note: `live` had a commit that nobody rendered, {by_hand}: what that changed there is not kept\n"
    )]);
    fleet.run(PUSH).code(0).hides("not kept");
    // Nor is anything else committed there.
    let other = colleague(&fleet, &["--branch=live"]);
    refuses(&other, &["render", "--commit"]).says(&["error: `live` is checked out"]);
}

#[test]
fn a_plan_against_people_s_branch_says_what_it_lacks() {
    let fleet = live();
    fleet.run(PUSH).code(0);
    fleet
        .run(&["plan", "--against", "HEAD"])
        .code(1)
        .helps()
        .says(&[
            "error: HEAD (",
            ") holds nothing that is rendered\n",
            "nodes fetch from `live`",
        ]);
    fleet.run(&["plan", "--against", "origin/live"]).code(0);
}

#[test]
fn a_fetch_of_a_branch_that_is_not_there_yet_brings_people_s() {
    let fleet = live();
    let other = colleague(&fleet, &[]);
    other.write("README.md", "theirs");
    other.commit();
    other.git_says(&["push", "--quiet", "origin", "main"]);
    let main = other.git_says(&["rev-parse", "HEAD"]);
    let run = fleet.run(&["plan", "--fetch"]).code(0);
    run.says(&["origin has no `live`\n", "fetching main from origin\n"]);
    assert_eq!(fleet.git_says(&["rev-parse", "origin/main"]), main);
    fleet.git_says(&["pull", "--quiet", "origin", "main"]);
    fleet.run(PUSH).code(0);
    let origin = fleet.origin();
    fleet.git_says(&["-C", origin.to_str().unwrap(), "branch", "-D", "live"]);
    fleet
        .run(&["plan", "--fetch"])
        .code(0)
        .prints(&["Compared with origin/main ("]);
}

#[test]
fn nodes_fetch_from_people_s_branch_until_there_is_the_other() {
    let fleet = two_nodes("");
    fleet.run(PUSH).code(0);
    fleet.replace("fleet.toml", "[git]\n", "[git]\npublish = \"live\"\n");
    fs::remove_file(fleet.root().join("nodes/n2.toml")).unwrap();
    fleet.commit();
    let plan = fleet.plans(&[]);
    assert!(
        plan.contains("since origin/live is not known here"),
        "{plan}"
    );
    assert!(
        plan.contains("origin/main (") && plan.contains("1 removed"),
        "{plan}"
    );
    refuses(&fleet, PUSH).says(&["error: a node is removed"]);
    fleet.run(&[PUSH, &["--allow", "n2"]].concat()).code(0);
}

#[test]
fn two_fleets_in_one_repository_keep_each_other_s_files() {
    let fleet = live();
    let south = fleet.root().join("sites/south");
    for part in [
        "fleet.toml",
        "fleet.lock",
        "nodes/n1.toml",
        "templates/base.bu",
        "templates/web.bu",
    ] {
        fleet.write(&format!("sites/south/{part}"), fleet.read(part));
    }
    fleet.commit();
    fleet.run(PUSH).code(0);
    fleet
        .command(PUSH)
        .folder(&south)
        .run()
        .code(0)
        .prints(&["wrote live:ignition/n1.ign\n"]);
    let rendered = |fleet: &Fleet| -> Vec<String> {
        files(fleet, "live")
            .into_iter()
            .filter(|path| path.contains("ignition/"))
            .collect()
    };
    let all = [
        "ignition/n1.ign",
        "ignition/n2.ign",
        "sites/south/ignition/n1.ign",
    ];
    assert_eq!(rendered(&fleet), all);
    fleet.replace("templates/base.bu", "three", "north");
    fleet.replace("sites/south/templates/base.bu", "three", "south");
    fleet.commit();
    for folder in [fleet.root(), south] {
        fleet.command(PUSH).folder(&folder).run().code(0);
        assert_eq!(rendered(&fleet), all);
        fleet
            .command(PUSH)
            .folder(&folder)
            .run()
            .code(0)
            .says(&["nothing to commit\n"]);
    }
    let show = |path: &str| fleet.git_says(&["show", &format!("origin/live:{path}")]);
    assert!(show("ignition/n1.ign") != show("sites/south/ignition/n1.ign"));
}

#[test]
fn check_and_plan_go_by_that_branch() {
    let fleet = live();
    let stale = fleet.run(&["render", "--check"]).code(1);
    assert_eq!(
        stale.stdout,
        "stale ignition/n1.ign\nstale ipxe/n1.ipxe\nstale ignition/n2.ign\nstale ipxe/n2.ipxe\n"
    );
    stale.says(&["run `ephemeros render --push`"]);
    let note = "note: 4 files are not on `live` yet: run `ephemeros render --push`\n";
    fleet
        .run(&["plan"])
        .code(0)
        .says(&[note])
        .hides("not rendered");
    fleet.renders();
    fleet
        .run(&["plan"])
        .code(0)
        .says(&[note])
        .hides("git commit");
    fleet.run(PUSH).code(0);
    fleet.run(&["render", "--check"]).code(0);
    let run = fleet.run(&["plan"]).code(0).hides("note: ");
    assert!(run.stdout.contains("origin/live"), "{}", run.stdout);
    fleet.write("nodes/n1.toml", "hostname = \"new\"\n");
    fs::remove_file(fleet.root().join("nodes/n2.toml")).unwrap();
    let stale = fleet.run(&["render", "--check"]).code(1);
    assert_eq!(
        stale.stdout,
        "stale ignition/n1.ign\nstale ipxe/n1.ipxe\nstale ignition/n2.ign\nstale ipxe/n2.ipxe\n"
    );
    fleet
        .run(&["plan"])
        .code(0)
        .says(&["note: 2 files are not on `live` yet"]);
}

#[test]
fn it_is_signed_where_the_user_has_commits_signed() {
    let fleet = live();
    signs(&fleet);
    fleet.run(PUSH).code(0);
    assert_eq!(
        fleet.git_says(&["log", "-1", "--format=%G?", "origin/live"]),
        "G"
    );
}

#[test]
fn the_remote_has_to_be_known() {
    let fleet = live();
    fleet.git_says(&["remote", "remove", "origin"]);
    for args in [PUSH, &["render", "--commit"]] {
        refuses(&fleet, args).says(&["error: there is no git remote to push to\n"]);
    }
}

#[test]
fn json_names_the_branch() {
    let fleet = live();
    let told = fleet.run(&["render", "--push", "--json"]).code(0).stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    let tip = at_origin(&fleet, "live");
    assert_eq!(told["commit"], tip.as_str());
    assert_eq!(told["pushed"]["branch"], "live");
    assert_eq!(told["written"].as_array().unwrap().len(), 4);
}
