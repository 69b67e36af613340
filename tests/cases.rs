//! Whole fleets, rendered: a folder in and a folder out, byte for byte. `UPDATE_CASES=1` writes what is rendered now.
#![allow(clippy::unwrap_used)] // A test that can't go on fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fleet::{Fleet, copy, files_in};
use crate::repository::{has_program, skipped};

/// Debian's build of Ignition's own check, from the package `ignition`.
const VALIDATE: &str = "ignition-validate";

/// The newest spec that Debian's build knows.
const NEWEST: &str = "3.3.0";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn cases() -> Vec<PathBuf> {
    let folder = root().join("tests/cases");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 5, "where are the cases? {cases:?}");
    cases
}

/// What a fleet renders to.
#[track_caller]
fn rendered(fleet: &Fleet) -> BTreeMap<PathBuf, Vec<u8>> {
    fleet.run(&["render", "--quiet"]).code(0);
    let mut files = fleet.files();
    files.retain(|path, _| path.starts_with("ignition") || path.starts_with("ipxe"));
    assert!(!files.is_empty());
    files
}

#[test]
fn fleets_render_to_what_is_expected_of_them() {
    for case in cases() {
        let fleet = Fleet::copied(&case.join("in"));
        let found = rendered(&fleet);
        let out = case.join("out");
        if std::env::var_os("UPDATE_CASES").is_some() {
            let _ = fs::remove_dir_all(&out);
            for folder in ["ignition", "ipxe"] {
                copy(&fleet.root().join(folder), &out.join(folder));
            }
        }
        let expected = files_in(&out);
        let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&expected), "{}", case.display());
        for (path, bytes) in found {
            let text = String::from_utf8(bytes).unwrap();
            let wanted = String::from_utf8_lossy(&expected[&path]).into_owned();
            snapbox::assert_data_eq!(text, snapbox::Data::text(wanted).raw());
        }
    }
}

#[test]
fn rendering_again_writes_nothing() {
    for case in cases() {
        let fleet = Fleet::copied(&case.join("in"));
        rendered(&fleet);
        fleet
            .run(&["render", "--check"])
            .code(0)
            .says(&["up to date"]);
        let again = fleet.run(&["render"]).code(0);
        assert_eq!(again.stdout, "", "{}", case.display());
    }
}

#[test]
fn a_changed_byte_is_stale() {
    for path in ["ignition/n1.ign", "ipxe/n1.ipxe"] {
        let fleet = Fleet::new();
        fleet.renders();
        let text = fleet.read(path) + " ";
        let fleet = fleet.file(path, &text);
        let stale = format!("stale {path}\n");
        fleet
            .run(&["render", "--check"])
            .code(1)
            .prints(&[&stale])
            .says(&["1 stale file", "ephemeros render"]);
        assert_eq!(fleet.read(path), text);
    }
}

/// Ignition's own verdict on a folder's configs. Without the program there is none, and that is said.
#[track_caller]
fn validate(folder: &Path) {
    if !has_program(VALIDATE) {
        return skipped(
            "Ignition's verdict on configs",
            "there is no `ignition-validate` (package `ignition`)",
        );
    }
    let configs = files_in(folder);
    assert!(!configs.is_empty(), "no configs in {}", folder.display());
    for (path, text) in &configs {
        let config: serde_json::Value = serde_json::from_slice(text).unwrap();
        let version = config["ignition"]["version"].as_str().unwrap();
        if version > NEWEST {
            continue;
        }
        let output = Command::new(VALIDATE)
            .arg(folder.join(path))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{}: {said}", path.display());
        assert_eq!(said, "", "{}", path.display());
    }
}

#[test]
fn ignition_takes_what_is_expected_of_the_cases() {
    for case in cases() {
        validate(&case.join("out/ignition"));
    }
}

#[test]
fn ignition_takes_the_examples_configs() {
    let fleet = example();
    rendered(&fleet);
    validate(&fleet.root().join("ignition"));
}

/// The example at the root of this repository.
fn example() -> Fleet {
    let fleet = Fleet::empty();
    for folder in ["nodes", "templates", "ignition", "ipxe"] {
        copy(&root().join(folder), &fleet.root().join(folder));
    }
    ["fleet.toml", "fleet.lock"]
        .into_iter()
        .fold(fleet, |fleet, file| {
            let text = fs::read(root().join(file)).unwrap();
            fleet.file(file, text)
        })
}

#[test]
fn the_examples_rendered_files_are_up_to_date() {
    example()
        .run(&["render", "--check"])
        .code(0)
        .says(&["up to date"]);
}

#[test]
fn the_example_passes_check_and_tells_the_role_it_leaves_out() {
    example()
        .run(&["check"])
        .code(0)
        .prints(&["4 nodes, no mistakes"])
        .says(&[
            "warning: role `heartbeat` is left out for want of `HEARTBEAT_URL`",
            "for node1340",
        ]);
}
