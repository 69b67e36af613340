#![allow(clippy::unwrap_used)]

use std::os::unix::fs::{chown, symlink};
use std::process::Command;

use super::*;
use crate::git::sandbox::Sandbox;

fn fails(sandbox: &Sandbox, directory: &str) -> Error {
    let opened = open(&sandbox.path(directory), Some(&sandbox.invoker()));
    opened.err().unwrap()
}

#[test]
fn no_repository_is_no_mistake() {
    let sandbox = Sandbox::new();
    assert!(open(&sandbox.path("home"), None).unwrap().is_none());
    assert!(matches!(
        fails(&sandbox, "nowhere"),
        Error::Unreadable { path, .. } if path == sandbox.path("nowhere")
    ));
}

#[test]
fn an_unborn_branch_has_a_name_and_no_commit() {
    let repo = Sandbox::new().open("fleet").head().unwrap();
    assert_eq!((repo.branch.as_deref(), repo.commit), (Some("main"), None));
}

#[test]
fn a_branch_and_a_detached_head_have_the_commit() {
    let sandbox = Sandbox::with(&["a"]);
    sandbox.git("fleet", &["checkout", "-qb", "feature/x"]);
    let commit = sandbox.git("fleet", &["rev-parse", "HEAD"]);
    let head = sandbox.open("fleet").head().unwrap();
    assert_eq!(head.branch.as_deref(), Some("feature/x"));
    assert_eq!(head.commit.unwrap().to_string(), commit);
    sandbox.git("fleet", &["checkout", "-q", "--detach"]);
    let detached = sandbox.open("fleet").head().unwrap();
    assert_eq!((detached.branch, detached.commit), (None, head.commit));
}

#[test]
fn a_fleet_in_a_subfolder_has_a_prefix_even_by_a_link() {
    let sandbox = Sandbox::with(&["sites/north/fleet.toml"]);
    symlink(sandbox.path("fleet/sites/north"), sandbox.path("link")).unwrap();
    for directory in ["fleet/sites/north", "link"] {
        let repo = sandbox.open(directory);
        assert_eq!(repo.root(), sandbox.path("fleet"));
        assert_eq!(repo.prefix(), "sites/north");
        assert_eq!(
            repo.full_path("ignition/a.ign"),
            "sites/north/ignition/a.ign"
        );
        assert_eq!(repo.full_path(""), "sites/north");
    }
    assert_eq!(sandbox.open("fleet").full_path("ipxe/"), "ipxe");
}

#[test]
fn a_linked_work_tree_has_its_own_head_and_the_shared_git_directory() {
    let sandbox = Sandbox::with(&["a"]);
    sandbox.git(
        "fleet",
        &["worktree", "add", "-q", "-b", "second", "../second"],
    );
    let repo = sandbox.open("second");
    assert_eq!(repo.root(), sandbox.path("second"));
    assert_eq!(repo.git_dir(), sandbox.path("fleet/.git"));
    assert_eq!(repo.head().unwrap().branch.as_deref(), Some("second"));
}

#[test]
fn a_submodule_is_a_repository_of_its_own() {
    let sandbox = Sandbox::with(&["ignition/a.ign"]);
    std::fs::create_dir(sandbox.path("outer")).unwrap();
    sandbox.git("outer", &["init", "-q"]);
    sandbox.git(
        "outer",
        &["submodule", "--quiet", "add", "../fleet", "inner"],
    );
    let repo = sandbox.open("outer/inner/ignition");
    assert_eq!(repo.root(), sandbox.path("outer/inner"));
    assert_eq!(repo.prefix(), "ignition");
}

#[test]
fn a_shallow_clone_works() {
    let sandbox = Sandbox::with(&["ignition/a.ign"]);
    sandbox.git("fleet", &["commit", "-q", "--allow-empty", "-m", "second"]);
    let url = format!("file://{}", sandbox.path("fleet").display());
    sandbox.git("home", &["clone", "-q", "--depth", "1", &url, "../shallow"]);
    let repo = sandbox.open("shallow");
    let commit = repo.head().unwrap().commit.unwrap();
    assert_eq!(repo.files(commit, &["ignition"]).unwrap().len(), 1);
    let first = sandbox.git("fleet", &["rev-parse", "HEAD~1"]);
    let error = repo.commit(&first).unwrap_err();
    assert!(error.help().unwrap().contains("git fetch --unshallow"));
}

#[test]
fn an_object_that_a_partial_clone_left_out_is_told_with_the_way_to_get_it() {
    let sandbox = Sandbox::with(&["a"]);
    sandbox.git("fleet", &["config", "uploadpack.allowFilter", "true"]);
    sandbox.write("fleet/a", "second");
    sandbox.git("fleet", &["commit", "-qam", "second"]);
    let url = format!("file://{}", sandbox.path("fleet").display());
    let clone = ["clone", "-q", "--filter=blob:none", &url, "../partial"];
    sandbox.git("home", &clone);
    let repo = sandbox.open("partial");
    let text = |revision| repo.text(repo.commit(revision).unwrap(), "a");
    assert_eq!(text("HEAD").unwrap().as_deref(), Some("second"));
    let help = text("HEAD~1").unwrap_err().help().unwrap();
    assert!(help.contains("git fetch --refetch --no-filter"), "{help}");
}

#[test]
fn a_bare_repository_and_a_git_directory_are_refused() {
    let sandbox = Sandbox::with(&["a"]);
    sandbox.git(
        "home",
        &["clone", "-q", "--bare", "../fleet", "../bare.git"],
    );
    for directory in ["bare.git", "fleet/.git", "fleet/.git/refs"] {
        let error = fails(&sandbox, directory);
        assert!(
            matches!(error, Error::NoWorkTree { .. }),
            "{directory}: {error}"
        );
    }
}

#[test]
fn formats_that_libgit2_lacks_are_named_with_the_way_out() {
    let sandbox = Sandbox::with(&["a"]);
    for (format, directory) in [
        ("--object-format=sha256", "sha256"),
        ("--ref-format=reftable", "reftable"),
    ] {
        sandbox.git("home", &["init", "-q", format, &format!("../{directory}")]);
    }
    // Older versions of git wrote this for every `clone --filter`.
    sandbox.git("home", &["clone", "-q", "../fleet", "../partial"]);
    sandbox.git("partial", &["config", "core.repositoryFormatVersion", "1"]);
    sandbox.git("partial", &["config", "extensions.partialClone", "origin"]);
    for (directory, extension, help) in [
        ("sha256", "objectformat = sha256", "--object-format=sha1"),
        ("reftable", "refstorage = reftable", "git refs migrate"),
        ("partial", "partialclone = origin", "without `--filter`"),
    ] {
        let error = fails(&sandbox, directory);
        let path = sandbox.path(directory);
        assert_eq!(
            error.to_string(),
            format!(
                "the git repository `{}` uses `{extension}`, which ephemeros can't read",
                path.display()
            )
        );
        assert!(error.help().unwrap().contains(help), "{directory}");
    }
}

#[test]
fn a_git_file_that_leads_nowhere_is_told() {
    let sandbox = Sandbox::with(&["a"]);
    sandbox.write("fleet/sub/.git", "gitdir: ../nowhere\n");
    let error = fails(&sandbox, "fleet/sub");
    assert!(matches!(error, Error::Git { .. }), "{error}");
}

#[test]
fn a_broken_configuration_is_told_by_path_and_line() {
    let sandbox = Sandbox::with(&["a"]);
    sandbox.write("home/.gitconfig", "[user]\n\tname = x\n[broken\n");
    let text = fails(&sandbox, "fleet").to_string();
    assert!(text.contains(".gitconfig:3"), "{text}");
}

/// Needs root for `chown`, and `SUDO_UID` from its very start: so it runs itself again with that.
#[test]
#[allow(clippy::print_stderr)]
fn somebody_else_s_repository_is_refused_and_the_invoker_s_is_not() {
    const OWNER: u32 = 54321;
    const CHILD: &str = "EPHEMEROS_TEST_OWNED";
    if let Some(owned) = std::env::var_os(CHILD) {
        let owned = Path::new(&owned);
        let invoker = Invoker {
            name: "ada".to_owned(),
            uid: OWNER,
            gid: OWNER,
            home: owned.join("home"),
        };
        let repo = open(&owned.join("fleet"), Some(&invoker)).unwrap().unwrap();
        assert_eq!(
            repo.remote(None).unwrap().unwrap().url,
            "git@example.org:o/r"
        );
        return;
    }
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: giving a repository away needs root");
        return;
    }
    let sandbox = Sandbox::with(&["a"]);
    sandbox.git("fleet", &["remote", "add", "origin", "short:o/r"]);
    sandbox.write(
        "home/.gitconfig",
        "[url \"git@example.org:\"]\ninsteadOf = short:\n",
    );
    sandbox.write(
        "root/.gitconfig",
        "[url \"https://root/\"]\ninsteadOf = short:o\n",
    );
    let owned = sandbox.path("");
    for path in ["fleet", "fleet/.git"] {
        chown(owned.join(path), Some(OWNER), Some(OWNER)).unwrap();
    }
    let error = open(&owned.join("fleet"), None).err().unwrap();
    let line = format!(
        "git config --global --add safe.directory {}",
        owned.join("fleet").display()
    );
    assert!(
        error.help().unwrap().ends_with(&format!("\n{line}")),
        "{error:?}"
    );
    let error = fails(&sandbox, "fleet");
    assert!(
        error.help().unwrap().ends_with(&format!("\nsudo {line}")),
        "{error:?}"
    );

    let (_, module) = module_path!().split_once("::").unwrap();
    let name = format!("{module}::somebody_else_s_repository_is_refused_and_the_invoker_s_is_not");
    let ran = Command::new(std::env::current_exe().unwrap())
        .args([&name, "--exact"])
        .env("SUDO_UID", OWNER.to_string())
        .env("HOME", sandbox.path("root"))
        .env(CHILD, &owned)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}
