//! `init` makes a fleet that plans at once, of what it finds, and overwrites nothing.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use serde_json::Value;

use crate::fleet::{Fleet, Tool, files_in};
use crate::repository::is_root;
use crate::web::{Answer, Web};

pub(crate) const SSH_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH7R74GRQtVDWNUPY406oYXwQJUagVco5aWUWdZbbOm0";

/// A home with an identity and an SSH key.
fn at_home() -> Fleet {
    let fleet = Fleet::empty();
    fleet.run(&["secrets", "keygen"]).code(0);
    fs::create_dir_all(fleet.home().join(".ssh")).unwrap();
    fs::write(
        fleet.home().join(".ssh/id_ed25519.pub"),
        format!("{SSH_KEY} ada@\"desk\"\n"),
    )
    .unwrap();
    fleet
}

/// Where the network gives no answer, at once.
fn offline(tool: Tool) -> Tool {
    tool.env("https_proxy", "http://127.0.0.1:1")
}

fn init(fleet: &Fleet, args: &[&str]) -> Tool {
    offline(fleet.command(&[&["init"], args].concat()))
}

fn commit(fleet: &Fleet) {
    fleet.git_says(&["add", "--all"]);
    fleet.git_says(&["commit", "--quiet", "--message=begin"]);
}

#[test]
fn a_new_fleet_plans_checks_and_renders_without_an_edit() {
    let fleet = at_home();
    let run = init(&fleet, &[]).run().code(0);
    assert_eq!(
        run.stdout,
        "wrote .gitignore\nwrote README.md\nwrote fleet.lock\nwrote fleet.toml\nwrote nodes/node1.toml\n\
         wrote templates/base.bu\nwrote templates/secrets.bu\n"
    );
    let run = run.says(&[
        "note: fleet.lock pins 4593.2.5, ",
        "`ephemeros lock --update`",
        "note: where nodes fetch is not known yet: `git remote add origin URL` says it\n",
        "next:\n    ephemeros plan\n    ephemeros boot node1 --until online\n    ephemeros render\n",
    ]);
    run.hides("there is no");
    assert_eq!(fleet.git_says(&["symbolic-ref", "HEAD"]), "refs/heads/main");
    fleet.git_says(&[
        "remote",
        "add",
        "origin",
        "https://github.com/acme/fleet.git",
    ]);
    // Nothing is left to warn of.
    let check = fleet.run(&["check"]).code(0);
    assert_eq!(
        (check.stdout.as_str(), check.stderr.as_str()),
        ("1 node, no mistakes\n", "")
    );
    let plan = fleet.run(&["plan"]).code(0);
    plan.prints(&["+ node node1\n", "Plan: 1 to flash for the first time.\n"]);
    fleet.renders();
    commit(&fleet);
    let plan = fleet.run(&["plan", "--detailed-exitcode"]).code(0);
    plan.prints(&["1 unchanged"]);
    let written = ["hostname", "core", SSH_KEY, "ada@\\\"desk\\\""];
    let ignition = fleet.read("ignition/node1.ign");
    for text in written {
        assert!(ignition.contains(text), "{text} in {ignition}");
    }
    assert!(!ignition.contains("secrets.mount"), "{ignition}");
    assert_eq!(fleet.contents("node1", "/etc/hostname"), "node1\n");
}

#[test]
fn a_secret_can_be_set_at_once_and_brings_its_mount() {
    let fleet = at_home();
    init(&fleet, &["--node", "edge1"]).run().code(0);
    // As the comment there says.
    let text = fleet.read("fleet.toml");
    let (before, role) = text.split_once("# [roles.heartbeat]\n").unwrap();
    let role: Vec<&str> = role.lines().map(|line| &line[2..]).collect();
    let role = role.join("\n");
    fleet.write("fleet.toml", format!("{before}[roles.heartbeat]\n{role}\n"));
    let mut text = String::from("variant: flatcar\nversion: 1.0.0\n");
    text.push_str("systemd:\n  units:\n    - name: heartbeat.service\n");
    fleet.write("templates/heartbeat.bu", text);
    fleet.write("nodes/edge1.toml", "roles = [\"heartbeat\"]\n");
    let set = fleet.command(&["secrets", "set", "edge1", "HEARTBEAT_URL"]);
    set.stdin("https://ping.example.net").run().code(0);
    let ignition = fleet.ignition("edge1");
    let units = ignition["systemd"]["units"].as_array().unwrap();
    assert!(
        units.iter().any(|unit| unit["name"] == "secrets.mount"),
        "{ignition:#}"
    );
    let get = fleet.run(&["secrets", "get", "edge1", "HEARTBEAT_URL"]);
    assert_eq!(get.code(0).stdout, "https://ping.example.net");
}

#[test]
fn what_is_not_found_is_explained_and_not_asked() {
    // Nothing in the home, a name that is none, and a terminal that is not there.
    let fleet = Fleet::empty();
    let run = init(&fleet, &["../My Fleet_2"])
        .without_terminal()
        .run()
        .code(0)
        .says(&[
            "note: there is no SSH key in ~/.ssh",
            "note: there is no key for secrets: `ephemeros secrets keygen` makes one",
            "next:\n    cd '../My Fleet_2'\n    ephemeros plan\n",
        ]);
    run.hides("error:");
    let root = fleet.root().with_file_name("My Fleet_2");
    let toml = fs::read_to_string(root.join("fleet.toml")).unwrap();
    assert!(toml.contains("\nname = \"my-fleet-2\"\n"), "{toml}");
    assert!(
        toml.contains("\n# [vault]\n") && toml.contains("\n# ssh_authorized_keys"),
        "{toml}"
    );
    let folder = root.to_str().unwrap();
    fleet.run(&["-C", folder, "check"]).code(0);
    fleet.run(&["-C", folder, "plan"]).code(0);
    // What is commented out is right, too, once it is not.
    let is_setting = |line: &str| {
        let key = line.split(" = ").next().unwrap_or_default();
        key != line
            && key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let opened: String = toml
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if is_setting(rest) || rest.starts_with(['[', ']', ' ']) => rest,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let recipient = fleet.run(&["secrets", "keygen"]).code(0).stdout;
    let opened = opened
        .replace("age1…", recipient.trim())
        .replace("ssh-ed25519 AAAA… you@desk", SSH_KEY);
    assert_ne!(opened, toml);
    fs::write(root.join("fleet.toml"), &opened).unwrap();
    let check = fleet.run(&["-C", folder, "check"]).code(0);
    assert_eq!(check.stdout, "1 node, no mistakes\n");
}

#[test]
fn two_fleets_are_never_one() {
    let fleet = Fleet::empty();
    let id = |folder: &str| {
        init(&fleet, &[folder]).run().code(0);
        let toml = fs::read_to_string(fleet.root().join(folder).join("fleet.toml")).unwrap();
        let line = toml.lines().find(|line| line.starts_with("id = ")).unwrap();
        line.to_owned()
    };
    assert_ne!(id("a"), id("b"));
}

#[test]
fn what_is_there_is_named_and_left_as_it_is() {
    let fleet = at_home()
        .file("fleet.toml", "mine")
        .file("templates/base.bu", "mine")
        .file("README.md", "mine")
        .file(".gitignore", "/target");
    let before = fleet.files();
    let run = init(&fleet, &[]).run().code(1).helps();
    run.says(&[
        "error: `fleet.toml`, `templates/base.bu` are there already: they are not overwritten, and nothing was written\n",
        "`ephemeros init DIR`",
    ]);
    assert_eq!(fleet.files(), before);
    assert!(!fleet.root().join(".git").exists());

    let fleet = fleet.without("fleet.toml").without("templates/base.bu");
    init(&fleet, &[]).run().code(0);
    assert_eq!(fleet.read("README.md"), "mine");
    assert_eq!(
        fleet.read(".gitignore"),
        "/target\n# Sticks as files, which hold secrets in plain text.\n*.img\n"
    );
    // A second run finds a fleet.
    let before = fleet.files();
    init(&fleet, &[])
        .run()
        .code(1)
        .says(&["`fleet.toml`", "`nodes/node1.toml`"]);
    assert_eq!(fleet.files(), before);
}

#[test]
fn a_line_that_is_ignored_already_is_not_added() {
    let fleet = at_home().file(".gitignore", "*.img\n/target\n");
    let run = init(&fleet, &[]).run().code(0);
    run.hides("wrote .gitignore");
    assert_eq!(fleet.read(".gitignore"), "*.img\n/target\n");
}

#[test]
fn a_failure_leaves_nothing_behind() {
    // Nothing can be written below a file, and `nodes` is written late.
    let fleet = at_home().file("nodes", "in the way");
    let before = fleet.files();
    init(&fleet, &[]).run().code(1).helps();
    assert_eq!(fleet.files(), before);
    assert!(!fleet.root().join(".git").exists());
    // Without git.
    let fleet = at_home();
    let run = init(&fleet, &["new"]).env("PATH", "/nowhere").run();
    run.code(1)
        .helps()
        .says(&["error: can't run `git`", "install git"]);
    assert!(files_in(&fleet.root()).is_empty());
    assert!(!fleet.root().join("new").exists());
    // A name that is none.
    let run = init(&fleet, &["--node", "Node_1"]).run();
    run.code(64).says(&["`Node_1` can't be a node's name"]);
    assert!(files_in(&fleet.root()).is_empty());
}

#[test]
fn a_clone_gives_name_branch_and_remote() {
    let fleet = at_home();
    fleet.git_says(&["init", "--quiet", "--initial-branch=trunk"]);
    fleet.git_says(&["remote", "add", "origin", "git@github.com:acme/homelab.git"]);
    let run = init(&fleet, &[]).run().code(0);
    run.hides("where nodes fetch is not known");
    let toml = fleet.read("fleet.toml");
    assert!(toml.contains("\nbranch = \"trunk\""), "{toml}");
    let url = fleet.run(&["show", "node1", "--stage", "url"]).code(0);
    assert_eq!(
        url.stdout,
        "https://raw.githubusercontent.com/acme/homelab/trunk/ignition/node1.ign\n"
    );
    // The remote's HEAD is where people push, whatever is checked out.
    let fleet = at_home();
    fleet.git_says(&["init", "--quiet", "--initial-branch=topic"]);
    fleet.git_says(&["remote", "add", "origin", "git@github.com:acme/homelab.git"]);
    fleet.git_says(&[
        "symbolic-ref",
        "refs/remotes/origin/HEAD",
        "refs/remotes/origin/live",
    ]);
    init(&fleet, &[]).run().code(0);
    assert!(fleet.read("fleet.toml").contains("\nbranch = \"live\""));
}

#[test]
fn the_first_branch_is_the_one_that_git_is_set_to() {
    let fleet = at_home().gitconfig("[init]\n\tdefaultBranch = trunk\n");
    let config = fleet.home().join(".gitconfig");
    let run = init(&fleet, &[]).env("GIT_CONFIG_GLOBAL", config.to_str().unwrap());
    run.run().code(0);
    assert!(fleet.read("fleet.toml").contains("\nbranch = \"trunk\""));
    assert_eq!(
        fleet.git_says(&["symbolic-ref", "HEAD"]),
        "refs/heads/trunk"
    );
}

#[test]
fn a_fleet_in_a_folder_of_a_repository_makes_no_other_one() {
    let fleet = at_home();
    fleet.git_says(&["init", "--quiet", "--initial-branch=main"]);
    let run = init(&fleet, &["sites/north"]).run().code(0);
    run.prints(&["wrote sites/north/fleet.toml\n"]);
    assert!(!fleet.root().join("sites/north/.git").exists());
    fleet.run(&["-C", "sites/north", "check"]).code(0);
    // One inside another would be taken for its files.
    let run = init(&fleet, &["sites"]).run().code(1).helps();
    run.says(&["sites/north is a fleet, which would stand inside the new one"]);
    assert!(!fleet.root().join("sites/fleet.toml").exists());
    let run = init(&fleet, &["sites/north/nodes/more"])
        .run()
        .code(1)
        .helps();
    run.says(&["is inside the fleet"]);
    assert!(!fleet.root().join("sites/north/nodes/more").exists());
}

#[test]
fn json_says_what_was_made() {
    let fleet = at_home();
    let run = init(&fleet, &["--json", "lab"]).run().code(0);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["format"], 1);
    assert_eq!(json["name"], "lab");
    assert_eq!(json["new_repository"], true);
    assert_eq!(json["files"][3], "fleet.toml");
    assert_eq!(json["next"][0], "cd lab");
    let run = init(&fleet, &["--json", "--", "-dash"]).run().code(0);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["next"][0], "cd ./-dash");
    let fleet = at_home();
    let run = init(&fleet, &["--json", "."]).run().code(0);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["next"][0], "ephemeros plan");
}

#[test]
fn a_remote_that_tells_no_url_is_noted() {
    let fleet = at_home();
    fleet.git_says(&["init", "--quiet"]);
    fleet.git_says(&["remote", "add", "origin", "git@git.example.net:a/b.git"]);
    let run = init(&fleet, &[]).run().code(0);
    run.says(&[
        "note: where nodes fetch is not clear: ",
        "`ephemeros plan` tells what to write",
    ]);
}

#[test]
fn an_identity_of_another_kind_is_told() {
    let fleet = at_home();
    let identity = fleet.home().join(".config/ephemeros/identity");
    fs::write(&identity, "age-encryption.org/v1\n-> scrypt broken").unwrap();
    init(&fleet, &[])
        .run()
        .code(0)
        .says(&["note: the identity `"]);
    let toml = fleet.read("fleet.toml");
    assert!(
        toml.contains(&format!("\"{SSH_KEY} ada")) || toml.contains(SSH_KEY),
        "{toml}"
    );
    assert!(!toml.contains("age1"), "{toml}");
}

#[test]
fn a_server_that_never_answers_is_not_waited_for() {
    let web = Web::start(|_| {
        std::thread::sleep(std::time::Duration::from_mins(1));
        Answer::status(500)
    });
    let fleet = at_home();
    let begun = std::time::Instant::now();
    let run = fleet.command(&["init"]).env("https_proxy", &web.url).run();
    run.code(0).says(&["fleet.lock pins 4593.2.5"]);
    assert!(begun.elapsed() < std::time::Duration::from_secs(20));
    assert!(!web.paths().is_empty());
}

/// As root with what sudo sets, for a user whose home the password file does not have.
#[test]
fn under_sudo_all_is_the_users() {
    if !is_root("init under sudo") {
        return;
    }
    let fleet = at_home();
    fs::set_permissions(fleet.home(), fs::Permissions::from_mode(0o755)).unwrap();
    chown(fleet.root(), Some(4242), Some(4243)).unwrap();
    let run = init(&fleet, &["lab"])
        .env("HOME", "/nowhere")
        .env("SUDO_UID", "4242")
        .env("SUDO_GID", "4243")
        .env("SUDO_USER", "ada")
        .env("SUDO_HOME", fleet.home().to_str().unwrap())
        .run()
        .code(0);
    run.hides("there is no");
    let owner = |path: &str| {
        let there = fs::metadata(fleet.root().join("lab").join(path)).unwrap();
        (there.uid(), there.gid())
    };
    for path in [
        "",
        "fleet.toml",
        "nodes",
        "nodes/node1.toml",
        ".git",
        ".git/HEAD",
    ] {
        assert_eq!(owner(path), (4242, 4243), "{path}");
    }
    assert!(Path::new("/nowhere").symlink_metadata().is_err());
}
