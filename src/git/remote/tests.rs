#![allow(clippy::unwrap_used)]

use super::*;
use crate::git::sandbox::Sandbox;

fn with_remotes(remotes: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::with(&["a"]);
    for (name, url) in remotes {
        sandbox.git("fleet", &["remote", "add", name, url]);
    }
    sandbox
}

fn chosen(sandbox: &Sandbox, wanted: Option<&str>) -> Option<Remote> {
    sandbox.open("fleet").remote(wanted).unwrap()
}

fn refused(sandbox: &Sandbox, wanted: Option<&str>) -> Error {
    sandbox.open("fleet").remote(wanted).err().unwrap()
}

#[test]
fn no_remote_is_no_mistake() {
    let sandbox = with_remotes(&[]);
    // A section without a URL is no remote, as in git.
    sandbox.git("fleet", &["config", "remote.origin.prune", "true"]);
    assert!(chosen(&sandbox, None).is_none());
    assert!(chosen(&sandbox, Some("upstream")).is_none());
}

#[test]
fn origin_counts_else_the_only_one() {
    let fork = with_remotes(&[
        ("upstream", "https://e.org/u/r"),
        ("origin", "https://e.org/o/r"),
    ]);
    assert_eq!(chosen(&fork, None).unwrap().url, "https://e.org/o/r");
    assert_eq!(
        chosen(&fork, Some("upstream")).unwrap().url,
        "https://e.org/u/r"
    );
    assert_eq!(
        fork.open("fleet").remotes().unwrap(),
        ["origin", "upstream"]
    );
    let only = with_remotes(&[("up.stream/x", "/srv/r.git")]);
    assert_eq!(chosen(&only, None).unwrap().name, "up.stream/x");
}

#[test]
fn several_remotes_are_refused_with_the_line_to_add() {
    let sandbox = with_remotes(&[("b", "/b"), ("a", "/a")]);
    let error = refused(&sandbox, None);
    assert_eq!(
        error.to_string(),
        "there are several git remotes and none is `origin`: `a`, `b`"
    );
    assert!(error.help().unwrap().ends_with("\n[git]\nremote = \"a\""));
}

#[test]
fn a_remote_that_was_asked_for_is_never_replaced() {
    let sandbox = with_remotes(&[("origin", "https://e.org/fork/r")]);
    let error = refused(&sandbox, Some("upstream"));
    assert_eq!(error.to_string(), "there is no git remote `upstream` here");
    let help = error.help().unwrap();
    assert!(
        help.starts_with("add it with `git remote add upstream URL`"),
        "{help}"
    );
    assert!(help.ends_with("\n[git]\nremote = \"origin\""), "{help}");
}

#[test]
fn the_url_is_what_git_remote_get_url_says() {
    let url = "short:o/r.git";
    for config in [
        "",
        "[url \"git@example.org:\"]\n insteadOf = short:\n",
        "[url \"https://a/\"]\n insteadOf = short:\n[url \"https://b/\"]\n insteadOf = short:o/\n",
        "[url \"https://b/\"]\n insteadOf = short:o/\n[url \"https://a/\"]\n insteadOf = short:\n",
        "[url \"https://a/\"]\n insteadOf = short:\n[url \"https://b/\"]\n insteadOf = short:\n",
        "[url \"https://a/\"]\n insteadOf = other:\n insteadOf = short:\n",
        "[url \"https://A.b/X y/\"]\n INSTEADOF = short:\n",
        "[url \"https://a/\"]\n insteadOf = SHORT:\n",
        "[include]\n path = ~/more\n path = ~/absent\n",
        "[include]\n path = more\n",
        "[remote \"origin\"]\n url = https://from.home/\n",
    ] {
        let sandbox = with_remotes(&[("origin", url)]);
        sandbox.write("home/.gitconfig", config);
        sandbox.write(
            "home/more",
            "[url \"https://more/\"]\n insteadOf = short:\n",
        );
        let git = sandbox.git("fleet", &["remote", "get-url", "origin"]);
        assert_eq!(chosen(&sandbox, None).unwrap().url, git, "{config}");
    }
}

#[test]
fn the_xdg_file_counts_and_so_does_the_repository_s_own() {
    let sandbox = with_remotes(&[("origin", "a:r"), ("second", "b:r")]);
    sandbox.write(
        "home/.config/git/config",
        "[url \"https://a/\"]\n insteadOf = a:\n",
    );
    sandbox.git("fleet", &["config", "url.https://b/.insteadOf", "b:"]);
    for (name, url) in [("origin", "https://a/r"), ("second", "https://b/r")] {
        assert_eq!(sandbox.git("fleet", &["remote", "get-url", name]), url);
        assert_eq!(chosen(&sandbox, Some(name)).unwrap().url, url);
    }
}

#[test]
fn keys_without_a_value_and_files_that_include_themselves_do_no_harm() {
    let sandbox = with_remotes(&[("origin", "short:r")]);
    sandbox.write(
        "home/.gitconfig",
        "[url \"https://a/\"]\n insteadOf\n insteadOf = short:\n[include]\n path\n path = ~/more\n",
    );
    sandbox.write("home/more", "[include]\n path = ~/more\n");
    assert_eq!(chosen(&sandbox, None).unwrap().url, "https://a/r");
}

#[test]
fn a_push_to_another_repository_is_told_and_to_the_same_one_is_not() {
    let sandbox = with_remotes(&[("origin", "https://github.com/o/r.git")]);
    let pushes_to = || chosen(&sandbox, None).unwrap().pushes_to;
    assert_eq!(pushes_to(), None);
    sandbox.write(
        "home/.gitconfig",
        "[url \"git@github.com:\"]\n pushInsteadOf = https://github.com/\n",
    );
    assert_eq!(pushes_to(), None, "ssh to push, https to fetch");
    sandbox.git(
        "fleet",
        &[
            "config",
            "remote.origin.pushurl",
            "https://me:token@github.com/me/r",
        ],
    );
    assert_eq!(pushes_to().as_deref(), Some("https://github.com/me/r"));
}

#[test]
fn the_remote_s_branches_are_those_fetched_last() {
    let sandbox = with_remotes(&[]);
    sandbox.git("fleet", &["branch", "odd/näme"]);
    sandbox.git("home", &["clone", "-q", "../fleet", "../clone"]);
    let commit = sandbox.git("fleet", &["rev-parse", "HEAD"]);
    let repo = sandbox.open("clone");
    let remote = repo.remote(None).unwrap().unwrap();
    assert_eq!(remote.head_branch.as_deref(), Some("main"));
    for branch in ["main", "odd/näme"] {
        let tracked = repo.tracking("origin", branch).unwrap().unwrap();
        assert_eq!(tracked.to_string(), commit);
    }
    assert_eq!(repo.tracking("origin", "absent").unwrap(), None);
    for wrong in ["a b", "../../HEAD", "", "x\u{0}y", "a..b"] {
        let error = repo.tracking("origin", wrong).unwrap_err();
        assert!(
            matches!(error, Error::BranchName { .. }),
            "{wrong:?}: {error}"
        );
    }
}

#[test]
fn a_remote_that_was_never_fetched_has_no_default_branch() {
    let sandbox = with_remotes(&[("origin", "https://e.org/o/r")]);
    assert_eq!(chosen(&sandbox, None).unwrap().head_branch, None);
    assert_eq!(
        sandbox.open("fleet").tracking("origin", "main").unwrap(),
        None
    );
}
