#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::*;
use crate::diagnostic::Severity;

fn run(yaml: &str, options: &Options<'_>) -> (Option<String>, Vec<Diagnostic>) {
    let text = format!("variant: flatcar\nversion: 1.1.0\n{yaml}");
    let translation = translate(&Source::file("a.bu", text), options);
    (
        translation.config.map(|config| config.to_json()),
        translation.diagnostics,
    )
}

fn json(yaml: &str) -> String {
    let (config, found) = run(yaml, &Options::default());
    assert_eq!(found, []);
    config.unwrap()
}

fn complaint(yaml: &str) -> Diagnostic {
    let (_, mut found) = run(yaml, &Options::default());
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// A directory of its own for one test, removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("butane-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn options(&self) -> Options<'_> {
        Options {
            files_dir: Some(&self.0),
            links_may_leave: false,
            ..Options::default()
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn writes_fields_in_the_order_of_go() {
    let yaml = "storage:\n  files:\n    - {mode: 0644, path: /a, contents: {inline: x}, user: {name: core}, overwrite: yes}\n";
    assert_eq!(
        json(yaml),
        "{\"ignition\":{\"version\":\"3.4.0\"},\"storage\":{\"files\":[{\"overwrite\":true,\"path\":\"/a\",\
         \"user\":{\"name\":\"core\"},\"contents\":{\"compression\":\"\",\"source\":\"data:,x\"},\"mode\":420}]}}\n"
    );
}

#[test]
fn an_unknown_key_is_a_warning_that_offers_the_nearest_known_one() {
    let yaml = "storage:\n  files:\n    - path: /a\n      owerwrite: true\n";
    let (config, found) = run(yaml, &Options::default());
    assert!(config.is_some());
    let [warning] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(warning.severity, Severity::Warning);
    assert_eq!(warning.path.as_deref(), Some("$.storage.files.0.owerwrite"));
    assert_eq!(warning.help.as_deref(), Some("did you mean `overwrite`?"));
    let label = &warning.labels[0];
    assert_eq!(&label.source.text[label.span.clone()], "owerwrite");
}

#[test]
fn a_number_in_quotes_is_told_to_lose_them() {
    let error = complaint("storage:\n  files:\n    - path: /a\n      mode: \"0644\"\n");
    assert_eq!(error.message, "expected a whole number, found `0644`");
    assert_eq!(
        error.help.as_deref(),
        Some("remove the quotes: what is quoted is a text")
    );
}

#[test]
fn a_decimal_mode_is_told_to_be_octal() {
    let yaml = "storage:\n  files:\n    - path: /a\n      mode: 644\n";
    let (_, found) = run(yaml, &Options::default());
    assert_eq!(
        found[0].help.as_deref(),
        Some("modes are octal: write `0644`")
    );
}

#[test]
fn a_mistake_of_the_result_is_shown_where_its_cause_is_written() {
    let error =
        complaint("systemd:\n  units:\n    - name: a.service\n      contents: |\n        [Unit\n");
    assert_eq!(error.path.as_deref(), Some("$.systemd.units.0.contents"));
    let label = &error.labels[0];
    assert_eq!(label.source.position(label.span.start).line, 6);
}

#[test]
fn entries_of_the_user_keep_their_paths_below_generated_ones() {
    let yaml = "storage:\n  filesystems:\n    - {device: /dev/a, format: ext4, path: /var/a, with_mount_unit: true}\n\
                systemd:\n  units:\n    - name: bad\n";
    assert_eq!(
        complaint(yaml).path.as_deref(),
        Some("$.systemd.units.0.name")
    );
}

#[test]
fn aliases_can_not_make_a_bomb() {
    let mut yaml = "x: &a [".to_owned();
    yaml.push_str(&"{path: /a},".repeat(1000));
    yaml.push_str("]\nstorage:\n  files:\n");
    let mut files = String::new();
    for number in 0..400 {
        writeln!(files, "    - {{path: /f{number}, append: *a}}").unwrap();
    }
    let (config, found) = run(&(yaml + &files), &Options::default());
    assert!(config.is_none());
    assert!(
        found
            .iter()
            .any(|one| one.message == "aliases repeat too many values")
    );
}

#[test]
fn merge_keys_can_not_make_a_bomb() {
    let mut yaml = "x:\n  - &a0 {y: z}\n".to_owned();
    for number in 1..60 {
        let before = number - 1;
        writeln!(yaml, "  - &a{number} {{<<: [*a{before}, *a{before}]}}").unwrap();
    }
    yaml.push_str("storage:\n  files:\n    - <<: *a59\n");
    let (config, found) = run(&yaml, &Options::default());
    assert!(config.is_none());
    assert!(
        found
            .iter()
            .any(|one| one.message == "aliases repeat too many values")
    );
}

#[test]
fn a_link_out_of_the_files_directory_is_refused_on_request() {
    let directory = Directory::new("links");
    fs::write(directory.0.join("in.txt"), "in").unwrap();
    symlink("in.txt", directory.0.join("good")).unwrap();
    symlink("/etc/passwd", directory.0.join("bad")).unwrap();
    let local = |name: &str| {
        format!("storage:\n  files:\n    - {{path: /a, contents: {{local: {name}}}}}\n")
    };
    let (config, found) = run(&local("good"), &directory.options());
    assert!(config.unwrap().contains("data:,in"), "{found:?}");
    let (config, found) = run(&local("bad"), &directory.options());
    assert!(config.is_none());
    assert_eq!(
        found[0].message,
        "local file `bad` is a link out of the files directory"
    );
    let as_butane = Options {
        links_may_leave: true,
        ..directory.options()
    };
    assert!(run(&local("bad"), &as_butane).0.is_some());
}

#[test]
fn known_files_are_read_once_and_others_again() {
    let directory = Directory::new("known");
    let known = KnownFiles::default();
    let options = Options {
        known_files: Some(&known),
        compress: false,
        ..directory.options()
    };
    let yaml = "storage:\n  files:\n    - {path: /a, contents: {local: f}}\n";
    let says = |text: &str| {
        let (config, _) = run(yaml, &options);
        config.is_some_and(|config| config.contains(&format!("data:,{text}\"")))
    };
    let write = |text: &str| fs::write(directory.0.join("f"), text).unwrap();
    // Neither that there is none nor a large one is remembered.
    assert!(!says("1"));
    for length in [70_000, 70_001] {
        let large = "x".repeat(length);
        write(&large);
        assert!(says(&large));
    }
    write("1");
    assert!(says("1"));
    write("2");
    assert!(says("1"));
    let (config, _) = run(yaml, &directory.options());
    assert!(config.unwrap().contains("data:,2"));
}

#[test]
fn a_path_out_of_the_files_directory_is_refused() {
    let directory = Directory::new("paths");
    let yaml = "storage:\n  files:\n    - {path: /a, contents: {local: ../x}}\n";
    let (_, found) = run(yaml, &directory.options());
    assert_eq!(
        found[0].message,
        "local path `../x` leads out of the files directory"
    );
}

#[test]
fn trees_are_sorted_and_keep_links() {
    let directory = Directory::new("trees");
    fs::create_dir_all(directory.0.join("t/b")).unwrap();
    fs::write(directory.0.join("t/b/z"), "1").unwrap();
    fs::write(directory.0.join("t/a"), "2").unwrap();
    symlink("/nowhere", directory.0.join("t/l")).unwrap();
    let (config, found) = run(
        "storage:\n  trees:\n    - {local: t, path: /opt}\n",
        &directory.options(),
    );
    assert_eq!(found, []);
    let config = config.unwrap();
    let files = config.find("\"/opt/a\"").unwrap()..config.find("\"/opt/b/z\"").unwrap();
    assert!(!files.is_empty());
    assert!(
        config.contains("{\"path\":\"/opt/l\",\"target\":\"/nowhere\"}"),
        "{config}"
    );
}

#[test]
fn a_device_is_no_file() {
    let directory = Directory::new("devices");
    symlink("/dev/zero", directory.0.join("zero")).unwrap();
    let yaml = "storage:\n  files:\n    - {path: /a, contents: {local: zero}}\n";
    let options = Options {
        links_may_leave: true,
        ..directory.options()
    };
    let (_, found) = run(yaml, &options);
    assert_eq!(found[0].message, "local file `zero` is no regular file");
}

#[test]
fn a_null_beside_a_merge_key_wins_over_it() {
    let yaml = "storage:\n  files:\n    - path: /a\n      mode: ~\n      <<: {mode: 0600}\n    \
                - path: /b\n      <<: [{mode: ~}, {mode: 0600}]\n";
    let (config, _) = run(yaml, &Options::default());
    assert!(!config.unwrap().contains("mode"));
}

#[test]
fn a_field_that_is_null_is_a_place() {
    let found = complaint("storage:\n  luks:\n    - name: a\n      device: ~\n");
    let label = &found.labels[0];
    assert_eq!(&label.source.text[label.span.clone()], "~");
}

#[test]
fn only_what_can_be_octal_gets_the_warning_of_modes() {
    let (_, found) = run(
        "storage:\n  files:\n    - path: /a\n      mode: 10644\n",
        &Options::default(),
    );
    assert!(
        found.iter().all(|one| !one.message.contains("octal")),
        "{found:?}"
    );
}

#[test]
fn a_tree_with_an_owner_of_nothing_brings_no_directories() {
    let directory = Directory::new("blank-owner");
    fs::create_dir_all(directory.0.join("tree/sub")).unwrap();
    fs::write(directory.0.join("tree/sub/file"), "x").unwrap();
    for (owner, directories) in [("user: {}", false), ("group: {name: root}", true)] {
        let text = format!(
            "variant: fcos\nversion: 1.7.0\nstorage:\n  trees:\n    - local: tree\n      path: /t\n      {owner}\n"
        );
        let translation = translate(&Source::file("a.bu", text), &directory.options());
        let json = translation.config.unwrap().to_json();
        assert_eq!(json.contains("directories"), directories, "{json}");
    }
}

#[test]
fn a_mode_that_a_tree_gives_is_reported_at_the_tree() {
    let directory = Directory::new("tree-mode");
    fs::create_dir_all(directory.0.join("tree")).unwrap();
    fs::write(directory.0.join("tree/file"), "x").unwrap();
    let text = "variant: fcos\nversion: 1.7.0\nstorage:\n  trees:\n    - local: tree\n      file_mode: 99999\n";
    let translation = translate(&Source::file("a.bu", text), &directory.options());
    let errors = translation.diagnostics.iter().filter(|one| one.is_error());
    let paths: Vec<_> = errors.map(|one| one.path.as_deref()).collect();
    assert_eq!(paths, [Some("$.storage.trees.0")]);
}

#[test]
fn a_root_partition_of_less_than_nothing_is_small() {
    let text = "variant: fcos\nversion: 1.7.0\nstorage:\n  disks:\n    - device: /dev/disk/by-id/coreos-boot-disk\n      \
                partitions:\n        - label: root\n          number: 4\n          size_mib: -5\n";
    let translation = translate(&Source::file("a.bu", text), &Options::default());
    let found = translation.diagnostics;
    assert!(
        found.iter().any(|one| one.message.contains("is small")),
        "{found:?}"
    );
}
