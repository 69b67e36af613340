#![allow(clippy::unwrap_used)]

use super::*;
use crate::git::sandbox::Sandbox;
use crate::git::tree::object_id;

/// What each commit changed against each parent, in short: `+a`, `-b`, `~c`.
fn told(sandbox: &Sandbox, directory: &str, tips: Tips) -> Vec<(String, Vec<Vec<String>>, bool)> {
    let repo = sandbox.open(directory);
    let history = repo.history(tips, &["fleet.toml", "nodes"]).unwrap();
    let commits = history.commits.iter().map(|commit| {
        let changes = commit.changes.iter().map(|changes| {
            let mut changes: Vec<String> = changes
                .iter()
                .map(|change| {
                    let sign = match (change.before, change.after) {
                        (None, _) => '+',
                        (_, None) => '-',
                        _ => '~',
                    };
                    format!("{sign}{}", change.path)
                })
                .collect();
            changes.sort();
            changes
        });
        let message = sandbox.git(
            directory,
            &["log", "-1", "--format=%s", &commit.id.to_string()],
        );
        (message, changes.collect(), commit.of_head)
    });
    commits.collect()
}

fn commit(sandbox: &Sandbox, message: &str, files: &[(&str, &str)]) {
    for (path, text) in files {
        sandbox.write(&format!("fleet/{path}"), text);
    }
    sandbox.git("fleet", &["add", "-A"]);
    sandbox.git("fleet", &["commit", "-qm", message, "--allow-empty"]);
}

#[test]
fn each_commit_says_what_it_changed_against_each_parent() {
    let sandbox = Sandbox::with(&["fleet.toml", "nodes/a.toml", "nodes/below/x", "other"]);
    commit(&sandbox, "other", &[("other", "1")]);
    sandbox.git("fleet", &["checkout", "-qb", "side"]);
    commit(
        &sandbox,
        "side",
        &[("nodes/a.toml", "1"), ("nodes/b.toml", "")],
    );
    sandbox.git("fleet", &["checkout", "-q", "main"]);
    commit(&sandbox, "main", &[("fleet.toml", "1")]);
    sandbox.git("fleet", &["merge", "-qm", "merge", "side"]);
    sandbox.git("fleet", &["rm", "-q", "nodes/a.toml"]);
    commit(&sandbox, "gone", &[]);
    let mut told = told(&sandbox, "fleet", Tips::Head);
    told[2..4].sort();
    let expected = [
        ("first", vec![vec!["+fleet.toml", "+nodes/a.toml"]]),
        ("other", vec![vec![]]),
        ("main", vec![vec!["~fleet.toml"]]),
        ("side", vec![vec!["+nodes/b.toml", "~nodes/a.toml"]]),
        (
            "merge",
            vec![vec!["+nodes/b.toml", "~nodes/a.toml"], vec!["~fleet.toml"]],
        ),
        ("gone", vec![vec!["-nodes/a.toml"]]),
    ];
    let told: Vec<_> = told
        .iter()
        .map(|(message, changes, of_head)| {
            assert!(of_head);
            let changes = changes
                .iter()
                .map(|it| it.iter().map(String::as_str).collect());
            (message.as_str(), changes.collect::<Vec<Vec<_>>>())
        })
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn every_reference_counts_and_only_head_s_commits_are_head_s() {
    let sandbox = Sandbox::with(&["fleet.toml"]);
    for (message, then) in [
        ("branch", &["branch", "kept"][..]),
        ("tagged", &["tag", "-am", "x", "v1"]),
        ("remote", &["update-ref", "refs/remotes/origin/x", "HEAD"]),
        ("lost", &["log", "-1"]),
    ] {
        commit(&sandbox, message, &[("nodes/a.toml", message)]);
        sandbox.git("fleet", then);
        sandbox.git("fleet", &["reset", "-q", "--hard", "HEAD~"]);
    }
    // None of these is a commit.
    sandbox.git("fleet", &["tag", "blob", "HEAD:fleet.toml"]);
    sandbox.git(
        "fleet",
        &[
            "symbolic-ref",
            "refs/remotes/origin/HEAD",
            "refs/remotes/origin/no",
        ],
    );
    sandbox.git("fleet", &["checkout", "-q", "--detach"]);
    commit(&sandbox, "detached", &[]);
    let messages = |tips| {
        let mut told = told(&sandbox, "fleet", tips);
        told.sort();
        told.into_iter()
            .map(|(message, _, of_head)| (message, of_head))
            .collect::<Vec<_>>()
    };
    let all = [
        ("branch", false),
        ("detached", true),
        ("first", true),
        ("remote", false),
        ("tagged", false),
    ];
    assert_eq!(
        messages(Tips::All),
        all.map(|(it, of_head)| (it.to_owned(), of_head))
    );
    assert_eq!(messages(Tips::Head).len(), 2);
}

#[test]
fn a_subfolder_s_history_is_of_its_own_files() {
    let sandbox = Sandbox::with(&["nodes/not.toml", "sub/fleet.toml", "sub/nodes/a.toml"]);
    let told = told(&sandbox, "fleet/sub", Tips::All);
    assert_eq!(told[0].1, [["+fleet.toml", "+nodes/a.toml"]]);
    let repo = sandbox.open("fleet/sub");
    let history = repo.history(Tips::All, &["fleet.toml"]).unwrap();
    let change = &history.commits[0].changes[0][0];
    assert_eq!(change.after, Some(object_id(b"sub/fleet.toml")));
}

#[test]
fn a_history_that_was_cut_says_so_and_begins_with_all_that_there_is() {
    let sandbox = Sandbox::with(&["fleet.toml"]);
    commit(&sandbox, "second", &[("nodes/a.toml", "")]);
    let url = format!("file://{}", sandbox.path("fleet").display());
    sandbox.git("home", &["clone", "-q", "--depth=1", &url, "clone"]);
    let history = sandbox
        .open("home/clone")
        .history(Tips::All, &["fleet.toml", "nodes"]);
    let history = history.unwrap();
    assert!(history.is_shallow);
    assert_eq!(history.commits.len(), 1);
    assert_eq!(history.commits[0].changes[0].len(), 2);
    let whole = sandbox
        .open("fleet")
        .history(Tips::All, &["nodes"])
        .unwrap();
    assert!(!whole.is_shallow);
    let empty = Sandbox::new();
    let none = empty.open("fleet").history(Tips::All, &["nodes"]).unwrap();
    assert!(none.commits.is_empty());
}

#[test]
fn days_are_those_of_the_calendar() {
    for (time, date) in [
        (0, "1970-01-01"),
        (-1, "1969-12-31"),
        (951_782_400, "2000-02-29"),
        (951_868_799, "2000-02-29"),
        (951_868_800, "2000-03-01"),
        (1_735_689_599, "2024-12-31"),
        (4_107_542_400, "2100-03-01"),
    ] {
        let commit = Commit {
            id: object_id(b""),
            time,
            of_head: true,
            parents: Vec::new(),
            changes: Vec::new(),
        };
        assert_eq!(commit.date(), date, "{time}");
    }
}
