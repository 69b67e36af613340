#![allow(clippy::unwrap_used)]

use super::*;
use crate::git::sandbox::{Sandbox, hash_object};

const FILES: [&str; 5] = [
    "fleet.toml",
    "ignition/a.ign",
    "ignition/b.ign",
    "ignition/old/c.ign",
    "ipxe/a.ipxe",
];

fn names<T>(found: &BTreeMap<String, T>) -> Vec<&str> {
    found.keys().map(String::as_str).collect()
}

#[test]
fn an_object_id_is_git_s() {
    let sandbox = Sandbox::new();
    for content in ["", "a", "{\"ignition\":{}}\n", &"x".repeat(100_000)] {
        sandbox.write("file", content);
        let git = hash_object(&sandbox.path("file"));
        assert_eq!(object_id(content.as_bytes()).to_string(), git);
    }
}

#[test]
fn a_commit_s_files_are_listed_with_their_ids() {
    let sandbox = Sandbox::with(&FILES);
    let repo = sandbox.open("fleet");
    let commit = repo.commit("HEAD").unwrap();
    let files = repo
        .files(commit, &["ipxe", "ignition/", "absent", "fleet.toml"])
        .unwrap();
    assert_eq!(names(&files), FILES);
    for (path, id) in &files {
        assert_eq!(*id, object_id(path.as_bytes()));
        assert_eq!(repo.blob(*id).unwrap(), path.as_bytes());
    }
    assert_eq!(names(&repo.files(commit, &[""]).unwrap()), FILES);
    assert_eq!(
        repo.text(commit, "fleet.toml").unwrap().as_deref(),
        Some("fleet.toml")
    );
    assert_eq!(repo.text(commit, "absent").unwrap(), None);
    assert_eq!(repo.text(commit, "ignition").unwrap(), None);
}

#[test]
fn a_fleet_in_a_subfolder_sees_its_own_files_by_its_own_paths() {
    let sandbox = Sandbox::with(&[
        "ignition/not.ign",
        "sub/ignition/a.ign",
        "sub2/x",
        "sub/fleet.toml",
    ]);
    let repo = sandbox.open("fleet/sub");
    let commit = repo.commit("main").unwrap();
    assert_eq!(
        names(&repo.files(commit, &["ignition"]).unwrap()),
        ["ignition/a.ign"]
    );
    assert_eq!(
        repo.text(commit, "fleet.toml").unwrap().as_deref(),
        Some("sub/fleet.toml")
    );
    let tracked: Vec<_> = repo.tracked("").unwrap().into_iter().collect();
    assert_eq!(tracked, ["fleet.toml", "ignition/a.ign"]);
    sandbox.write("fleet/sub/ignition/a.ign", "new");
    sandbox.write("fleet/ignition/not.ign", "new");
    let pending = repo.pending(&["ignition", "ipxe"]).unwrap();
    assert_eq!(
        pending,
        [("ignition/a.ign".to_owned(), Pending::Unstaged)].into()
    );
}

#[test]
fn text_that_is_none_is_an_error_with_its_path() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("fleet/x.toml"), [0xff, 0xfe]).unwrap();
    sandbox.git("fleet", &["add", "."]);
    sandbox.git("fleet", &["commit", "-qm", "x"]);
    let repo = sandbox.open("fleet");
    let error = repo
        .text(repo.commit("HEAD").unwrap(), "x.toml")
        .unwrap_err();
    assert!(
        error.to_string().starts_with("`x.toml` in commit "),
        "{error}"
    );
}

#[test]
fn every_form_of_a_revision_is_found() {
    let sandbox = Sandbox::with(&["a"]);
    sandbox.git("fleet", &["tag", "-am", "note", "v1"]);
    sandbox.git("fleet", &["commit", "-q", "--allow-empty", "-m", "second"]);
    let repo = sandbox.open("fleet");
    for revision in [
        "main",
        "HEAD",
        "v1",
        "HEAD~1",
        "main^",
        "refs/tags/v1",
        "HEAD^{/first}",
        "@",
    ] {
        let git = sandbox.git("fleet", &["rev-parse", &format!("{revision}^{{commit}}")]);
        assert_eq!(
            repo.commit(revision).unwrap().to_string(),
            git,
            "{revision}"
        );
        assert_eq!(repo.commit(&git[..10]).unwrap().to_string(), git);
    }
}

#[test]
fn an_unknown_revision_is_told_with_a_near_one() {
    let sandbox = Sandbox::with(&["a"]);
    sandbox.git("fleet", &["branch", "release"]);
    sandbox.git("home", &["clone", "-q", "../fleet", "../clone"]);
    let repo = sandbox.open("clone");
    let help = |revision: &str| repo.commit(revision).unwrap_err().help().unwrap();
    assert_eq!(help("mian"), "a similar name exists: `main`");
    assert_eq!(help("release"), "a similar name exists: `origin/release`");
    assert!(help("0123456789012345678901234567890123456789").contains("git fetch"));
}

#[test]
fn what_is_no_commit_is_refused() {
    let sandbox = Sandbox::with(&["a"]);
    let repo = sandbox.open("fleet");
    for revision in [
        "HEAD:a",
        "HEAD^{tree}",
        "HEAD..main",
        "",
        "-x",
        "\u{0}",
        ":/[",
        "@{-9}",
        "HEAD~99",
        "main@{u}",
    ] {
        let error = repo.commit(revision).unwrap_err();
        assert!(
            matches!(
                error,
                Error::NotACommit { .. } | Error::UnknownRevision { .. }
            ),
            "{revision}: {error:?}"
        );
    }
}

#[test]
fn pending_tells_untracked_staged_changed_deleted_and_ignored() {
    let sandbox = Sandbox::with(&FILES);
    sandbox.write("fleet/.gitignore", "*.tmp\nignored/\n");
    sandbox.write("fleet/ignition/new.ign", "new");
    sandbox.write("fleet/ignition/deep/new.ign", "new");
    sandbox.write("fleet/ignition/x.tmp", "");
    sandbox.write("fleet/ignition/a.ign", "changed");
    sandbox.write("fleet/ignition/b.ign", "staged");
    sandbox.git("fleet", &["add", "ignition/b.ign"]);
    std::fs::remove_file(sandbox.path("fleet/ipxe/a.ipxe")).unwrap();
    sandbox.write("fleet/elsewhere", "");
    let pending = sandbox
        .open("fleet")
        .pending(&["ignition", "ipxe"])
        .unwrap();
    let expected = [
        ("ignition/a.ign", Pending::Unstaged),
        ("ignition/b.ign", Pending::Staged),
        ("ignition/deep/new.ign", Pending::Untracked),
        ("ignition/new.ign", Pending::Untracked),
        ("ignition/x.tmp", Pending::Ignored),
        ("ipxe/a.ipxe", Pending::Unstaged),
    ];
    assert_eq!(
        pending,
        expected.map(|(path, how)| (path.to_owned(), how)).into()
    );
}

#[test]
fn a_directory_s_name_is_no_pattern() {
    let sandbox = Sandbox::with(&["[ab]*/ignition/x", "a/ignition/x"]);
    for directory in ["[ab]*", "a"] {
        sandbox.write(&format!("fleet/{directory}/ignition/x"), "new");
    }
    let pending = sandbox.open("fleet/[ab]*").pending(&["ignition"]).unwrap();
    assert_eq!(names(&pending), ["ignition/x"]);
}

#[test]
fn before_the_first_commit_all_is_pending() {
    let sandbox = Sandbox::new();
    sandbox.write("fleet/ignition/a.ign", "");
    sandbox.write("fleet/ignition/b.ign", "");
    sandbox.git("fleet", &["add", "ignition/b.ign"]);
    let repo = sandbox.open("fleet");
    let pending = repo.pending(&["ignition"]).unwrap();
    assert_eq!(
        pending.into_values().collect::<Vec<_>>(),
        [Pending::Untracked, Pending::Staged]
    );
    assert!(matches!(
        repo.commit("HEAD"),
        Err(Error::UnknownRevision { .. })
    ));
}

#[test]
fn tracked_and_ignored_are_git_s() {
    let sandbox = Sandbox::with(&["ignition/a.ign", "ignition.txt", "kept.img"]);
    sandbox.write("fleet/.gitignore", "*.img\nout/\n");
    sandbox.write("fleet/.git/info/exclude", "private\n");
    std::fs::create_dir(sandbox.path("fleet/out")).unwrap();
    let repo = sandbox.open("fleet");
    assert_eq!(
        repo.tracked("ignition").unwrap(),
        ["ignition/a.ign".to_owned()].into()
    );
    assert!(repo.is_tracked("ignition/a.ign").unwrap());
    assert!(!repo.is_tracked("ignition").unwrap() && !repo.is_tracked("x").unwrap());
    for path in ["stick.img", "deep/stick.img", "out/x", "private"] {
        assert!(repo.is_ignored(path).unwrap(), "{path}");
    }
    for path in ["kept.img", "stick", "ignition/a.ign"] {
        assert!(!repo.is_ignored(path).unwrap(), "{path}");
    }
}

#[test]
fn odd_paths_are_not_there_and_never_panic() {
    let sandbox = Sandbox::with(&["a"]);
    let repo = sandbox.open("fleet");
    let commit = repo.commit("HEAD").unwrap();
    for path in [
        "a/b",
        "..",
        "../a",
        "./a",
        "/etc/passwd",
        "x\u{0}y",
        "\u{0}",
        "*",
        "é\u{301}",
    ] {
        for there in [repo.is_tracked(path), repo.is_ignored(path)] {
            assert!(!there.unwrap_or(false), "{path:?}");
        }
        assert!(repo.tracked(path).unwrap().is_empty(), "{path:?}");
        let _ = (repo.files(commit, &[path]), repo.text(commit, path));
    }
}

#[test]
fn a_conflict_is_tracked_and_pending() {
    let sandbox = Sandbox::with(&["ignition/a.ign"]);
    sandbox.git("fleet", &["checkout", "-qb", "other"]);
    for (branch, text) in [("other", "1"), ("main", "2")] {
        sandbox.git("fleet", &["checkout", "-q", branch]);
        sandbox.write("fleet/ignition/a.ign", text);
        sandbox.git("fleet", &["commit", "-qam", text]);
    }
    // The program fails on a conflict, which is what is wanted.
    let merge = "git merge -q other >/dev/null || true";
    sandbox.git("fleet", &["-c", &format!("alias.m=!{merge}"), "m"]);
    let repo = sandbox.open("fleet");
    assert!(repo.is_tracked("ignition/a.ign").unwrap());
    assert_eq!(repo.tracked("ignition").unwrap().len(), 1);
    assert_eq!(
        repo.pending(&["ignition"]).unwrap()["ignition/a.ign"],
        Pending::Unstaged
    );
}
