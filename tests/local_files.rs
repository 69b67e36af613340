//! Files beside the fleet's own: missing, elsewhere, unreadable, or without room.

use crate::fleet::Fleet;

/// A fleet whose template takes `templates/files/motd`.
fn fleet() -> Fleet {
    with("storage:\n  files:\n    - path: /etc/motd\n      contents:\n        local: motd\n")
}

fn with(text: &str) -> Fleet {
    Fleet::new()
        .butane("base.bu", text)
        .file("templates/files/other", "")
}

const PLACE: &str = "templates/base.bu, rendered for n1, line 7";

#[test]
fn a_local_file_is_taken_in() {
    let fleet = fleet().file("templates/files/motd", "hi\n");
    fleet.renders();
    assert!(fleet.read("ignition/n1.ign").contains("data:,hi%0A"));
}

#[test]
fn a_local_file_that_is_missing_is_told() {
    fleet().refuses().says(&["motd", PLACE]).mistakes(1);
}

#[test]
fn a_local_file_can_not_lead_out_of_its_folder() {
    for path in [
        "../base.bu",
        "/etc/passwd",
        "a/../../base.bu",
        "../../fleet.toml",
    ] {
        let text = format!(
            "storage:\n  files:\n    - path: /etc/motd\n      contents:\n        local: {path}\n"
        );
        let run = with(&text).refuses().says(&[PLACE]).hides("root:");
        run.mistakes(1);
    }
}

#[test]
fn a_link_can_not_lead_out_of_the_folder() {
    for target in ["/etc/passwd", "../../fleet.toml", "../../home"] {
        let fleet = fleet().link("templates/files/motd", target);
        fleet
            .refuses()
            .says(&["motd", PLACE])
            .hides("root:")
            .mistakes(1);
    }
    let tree = "storage:\n  trees:\n    - local: tree\n      path: /srv\n";
    let fleet = with(tree)
        .file("templates/files/tree/a", "a")
        .link("templates/files/tree/b", "/etc");
    // A link in a tree stays a link, as in Butane.
    fleet.renders();
    let fleet = with(tree).link("templates/files/tree", "/etc/ssh");
    fleet.refuses().says(&["tree", "line 5"]).mistakes(1);
}

#[test]
fn a_link_inside_the_folder_is_followed() {
    let fleet = fleet().link("templates/files/motd", "other");
    fleet.renders();
}

#[test]
fn a_folder_or_pipe_is_no_file() {
    let fleet = fleet().file("templates/files/motd/x", "");
    fleet.refuses().says(&["motd", PLACE]).mistakes(1);
    let fleet = self::fleet();
    let pipe = fleet.root().join("templates/files/motd");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(pipe)
            .status()
            .unwrap()
            .success()
    );
    fleet
        .run(&["render"])
        .code(1)
        .says(&["motd", PLACE])
        .mistakes(1);
}

/// The fleet in the hands of somebody who may write everything but `path`, where the mode says what is allowed.
fn in_strange_hands(path: &str, mode: u32) -> Fleet {
    fleet()
        .file("templates/files/motd", "")
        .mode("", 0o777)
        .mode(path, mode)
}

#[test]
fn an_unreadable_file_is_told_by_its_path() {
    for path in [
        "fleet.toml",
        "nodes/n1.toml",
        "templates/base.bu",
        "fleet.lock",
        "nodes",
        "templates",
    ] {
        let fleet = in_strange_hands(path, 0o000);
        let run = fleet.command_as_nobody(&["render"]).run();
        assert!(!fleet.root().join("ignition").exists());
        // Who runs the tests must be able to remove it.
        let _fleet = fleet.mode(path, 0o755);
        let place = format!("/{path}: ");
        run.code(1).says(&[
            "error: can't read ",
            &place,
            "ermission denied",
            "may be read",
        ]);
    }
    let fleet = in_strange_hands("templates/files/motd", 0o000);
    let run = fleet.command_as_nobody(&["render"]).run().code(1);
    run.says(&["motd", "ermission denied", PLACE]).mistakes(1);
}

#[test]
fn a_folder_that_may_not_be_written_is_told_and_nothing_is_left() {
    for path in ["", "ipxe"] {
        let fleet = fleet().file("ipxe/n1.ipxe", "old");
        let fleet = fleet
            .file("templates/files/motd", "")
            .mode("", 0o777)
            .mode(path, 0o555);
        let before = fleet.files();
        let run = fleet.command_as_nobody(&["render"]).run();
        let fleet = fleet.mode(path, 0o777);
        run.code(1).says(&[
            "error: can't write ",
            "ermission denied",
            "no file was changed by half",
        ]);
        assert_eq!(before, fleet.files());
    }
}
