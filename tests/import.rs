//! `import clc`: a Container Linux Config becomes a Butane template, and what can't is said.

use ephemeros::source::Source;
use ephemeros::{clc, yaml};
use proptest::prelude::*;

use crate::fleet::{Fleet, Run};

/// The seed's config in short: every section that the original Ephemeros used.
const SEED: &str = include_str!("legacy/seed.yml");

fn import(config: impl AsRef<[u8]>, args: &[&str]) -> Run {
    let fleet = Fleet::empty().file("ignition.yml", config);
    fleet.run(&[&["import", "clc", "ignition.yml"], args].concat())
}

/// A config of files with their contents.
fn with_file(contents: &str) -> String {
    format!(
        "storage:\n  files:\n    - path: /etc/printed\n      mode: 0644\n      contents:\n{contents}"
    )
}

#[test]
fn the_seeds_config_comes_over_whole() {
    let run = import(SEED, &["--strict"]).code(0);
    assert_eq!(run.stderr, "");
    let expected = include_str!("legacy/seed.bu");
    snapbox::assert_data_eq!(run.stdout, snapbox::IntoData::raw(expected));
}

#[test]
fn what_comes_out_is_a_template_of_a_fleet() {
    let config = with_file(
        "        inline: |\n          {{.Names}} {% if %} {# no #} }} ${#a}\n          {{{\n",
    );
    let fleet = Fleet::new().file("old/ignition.yml", config);
    fleet
        .run(&[
            "import",
            "clc",
            "old/ignition.yml",
            "-o",
            "templates/base.bu",
        ])
        .code(1)
        .says(&["`templates/base.bu` is there already", "name another file"]);
    let fleet = fleet.without("templates/base.bu");
    fleet
        .run(&[
            "import",
            "clc",
            "old/ignition.yml",
            "-o",
            "templates/base.bu",
        ])
        .code(0)
        .prints(&["wrote templates/base.bu\n"]);
    assert_eq!(
        fleet.printed(),
        "{{.Names}} {% if %} {# no #} }} ${#a}\n{{{\n"
    );
}

#[test]
fn an_error_writes_nothing() {
    let fleet = Fleet::empty().file("ignition.yml", "storage:\n  files: /a\n");
    let before = fleet.files();
    let run = fleet.run(&["import", "clc", "ignition.yml", "-o", "templates/x.bu"]);
    run.code(1).mistakes(1);
    assert_eq!(fleet.files(), before);
}

#[test]
fn unknown_keys_are_warned_of_and_strict_refuses_them() {
    let config =
        "storage:\n  fils: []\nsystemd:\n  units:\n    - name: a.service\n      enabeld: true\n";
    import(config, &[]).code(0).says(&[
        "warning: unknown key `fils`",
        "ignition.yml:2:3",
        "did you mean `files`?",
        "warning: unknown key `enabeld`",
        "ignition.yml:6:7",
        "did you mean `enabled`?",
    ]);
    let run = import(config, &["--strict"]).code(1).mistakes(2);
    assert_eq!(run.stdout, "");
    import(config, &["-q"]).code(0).hides("enabeld: true");
}

#[test]
fn every_wrong_type_is_told_at_once() {
    let config = "passwd:\n  users: core\nstorage:\n  files:\n    - path: [a]\n      mode: \"0644\"\nsystemd:\n  units:\n    - name: a.service\n      enabled: 1\n";
    import(config, &[])
        .code(1)
        .says(&[
            "`users` must be a list of mappings, and is `core`",
            "ignition.yml:2:10",
            "`path` must be a text, and is a list",
            "`mode` must be a whole number, and is `0644`",
            "ignition.yml:6:13",
            "`enabled` must be `true` or `false`, and is `1`",
        ])
        .mistakes(4);
}

#[test]
fn a_key_that_is_given_twice_is_an_error() {
    import("systemd:\n  units: []\n  units: []\n", &[])
        .code(1)
        .says(&[
            "key `units` is given twice",
            "ignition.yml:3:3",
            "remove one of them",
        ]);
}

#[test]
fn what_is_something_else_is_named() {
    for (config, message) in [
        ("", "the document is empty"),
        ("# only a comment\n", "the document is empty"),
        ("storage: [\n", "error: "),
        ("just text\n", "`the config` must be a mapping"),
        ("#cloud-config\nhostname: a\n", "this is a cloud-config"),
        (
            "variant: flatcar\nversion: 1.0.0\n",
            "this is a Butane config already",
        ),
        (
            "{\"ignition\":{\"version\":\"3.3.0\"}}\n",
            "this is an Ignition config",
        ),
        ("hostname: a\n", "it has none of its sections"),
    ] {
        let run = import(config, &[]).code(1).says(&[message, "= help: "]);
        assert_eq!(run.stdout, "", "{config}");
    }
    import([0xff, 0xfe, 0x00], &[])
        .code(1)
        .says(&["`ignition.yml` is no text"]);
    import("", &["-o", "/"]).code(1).says(&["is a folder"]);
    let fleet = Fleet::empty();
    fleet
        .run(&["import", "clc", "none.yml"])
        .code(1)
        .says(&["can't read `none.yml`"]);
}

#[test]
fn a_second_document_is_not_dropped_in_silence() {
    import("passwd: {}\n---\nsystemd: {}\n", &[])
        .code(0)
        .says(&["warning: a second document begins here", "ignition.yml:2:1"]);
}

#[test]
fn mistakes_that_only_ignition_sees_stand_in_the_old_config() {
    let config = "systemd:\n  units:\n    - name: a.service\n      contents: |\n        [Service\n    - name: a.service\nstorage:\n  files:\n    - path: /a\n      mode: 0644\n      contents:\n        remote: {url: \"ftp://example.com/\"}\n";
    import(config, &[])
        .code(1)
        .says(&["ignition.yml:", "ignition.yml:"])
        .says(&["ignition.yml:4:17"])
        .says(&["ignition.yml:12:"]);
}

#[test]
fn binary_contents_come_over_byte_for_byte() {
    let run = import(with_file("        inline: !!binary /wD+\n"), &[]).code(0);
    assert!(
        run.stdout.contains("inline: !!binary \"/wD+\"\n"),
        "{}",
        run.stdout
    );
    let run = import(with_file("        inline: !!binary aGVsbG8K\n"), &[]).code(0);
    assert!(
        run.stdout.contains("inline: |\n          hello\n"),
        "{}",
        run.stdout
    );
    let run = import(with_file("        inline: \"a\\x00\\e[1m\\r\\n\"\n"), &[]).code(0);
    assert!(
        run.stdout.contains("inline: \"a\\x00\\x1b[1m\\r\\n\"\n"),
        "{}",
        run.stdout
    );
    let unit = "systemd:\n  units:\n    - name: a.service\n      contents: !!binary /wD+\n";
    import(unit, &[])
        .code(1)
        .says(&["`contents` is not UTF-8 text"]);
}

#[test]
fn aliases_and_merged_keys_are_written_out() {
    let mut config = "storage:\n  files:\n    - &f0 {path: /a, mode: 0600}\n".to_owned();
    for level in 1..60 {
        let before = level - 1;
        config.push_str(&format!(
            "    - &f{level} {{<<: [*f{before}, *f{before}], path: /a{level}}}\n"
        ));
    }
    let run = import(config, &["--strict"]).code(0);
    assert_eq!(run.stdout.matches("mode: 0600").count(), 60);
}

#[test]
fn line_ends_of_another_system_make_no_difference() {
    let crlf = SEED.replace('\n', "\r\n");
    let run = import(crlf, &[]).code(0);
    snapbox::assert_data_eq!(
        run.stdout,
        snapbox::IntoData::raw(include_str!("legacy/seed.bu"))
    );
}

#[test]
fn comments_stay_with_what_they_are_about() {
    let config = "# about all\n\n# the users\npasswd:\n  users: # who\n    # first\n    - name: core # me\n      # its keys\n      ssh_authorized_keys: [a] # one\n\n# the network\nnetworkd:\n  units:\n    - name: a.network\n      contents: |\n        # no comment\n        [Match]\n# the end\n";
    let run = import(config, &[]).code(0);
    let expected = "# about all\n\nvariant: flatcar\nversion: 1.0.0\n\n# the users\npasswd:\n  # who\n  users:\n    # first\n    # me\n    - name: core\n      # its keys\n      # one\n      ssh_authorized_keys:\n        - a\n\nstorage:\n  files:\n    # the network\n    - path: /etc/systemd/network/a.network\n      overwrite: true\n      mode: 0644\n      contents:\n        inline: |\n          # no comment\n          [Match]\n\n# the end\n";
    snapbox::assert_data_eq!(run.stdout, snapbox::IntoData::raw(expected));
}

#[test]
fn file_systems_that_files_name_become_paths() {
    let config = "storage:\n  filesystems:\n    - name: data\n      mount: {device: /dev/vdb, format: ext4}\n    - name: early\n      path: /tmp\n  files:\n    - {path: /a, filesystem: data, mode: 0600}\n    - {path: /b, filesystem: none, mode: 0600}\n    - {path: /c, filesystem: early, mode: 0600}\nsystemd:\n  units:\n    - name: var-lib-data.mount\n      contents: |\n        [Mount]\n        What=/dev/vdb\n        Where=/var/lib/data\n";
    import(config, &[]).code(1).mistakes(2);
    let run = import(config, &[]);
    run.says(&[
        "there is no file system `none` in this config",
        "ignition.yml:9:",
        "`/tmp` is outside of the new system",
        "ignition.yml:10:",
    ]);
    let unreachable = ["none", "early", "/tmp"];
    let kept = config
        .split_inclusive('\n')
        .filter(|line| !unreachable.iter().any(|word| line.contains(word)));
    let fixed: String = kept.collect();
    import(fixed, &["--strict"])
        .code(0)
        .prints(&["path: /var/lib/data/a\n", "path: /var/lib/data\n"]);
}

#[test]
fn a_size_that_no_disk_has_is_an_error() {
    let config = "storage:\n  disks:\n    - device: /dev/vda\n      partitions:\n        - {number: 1, size: 999999999999EiB}\n";
    import(config, &[])
        .code(1)
        .says(&["`999999999999EiB` is no size", "ignition.yml:5:29"]);
}

#[test]
fn dynamic_data_needs_a_platform_that_knows_it() {
    let config = "etcd:\n  name: \"{HOSTNAME}\"\n  listen_peer_urls: http://{PUBLIC_IPV6}:2380\n";
    import(config, &[]).code(1).mistakes(2);
    import(config, &["--platform", "ec2"]).code(1).says(&[
        "the platform `ec2` does not know `{PUBLIC_IPV6}`",
        "ignition.yml:3:21",
    ]);
    import(config, &["--platform", "custom"])
        .code(0)
        .prints(&["--name=\"${COREOS_CUSTOM_HOSTNAME}\""]);
    import(config, &["--platform", "moon"]).code(64);
}

#[test]
fn local_files_are_named_on() {
    let fleet = Fleet::empty()
        .file("ignition.yml", with_file("        local: a/b.txt\n"))
        .file("old/a/b.txt", "b");
    let run = |args: &[&str]| fleet.run(&[&["import", "clc", "ignition.yml"], args].concat());
    run(&[])
        .code(1)
        .says(&["the local file `a/b.txt` can't be looked for", "`-d DIR`"]);
    run(&["-d", "old"])
        .code(0)
        .prints(&["local: a/b.txt\n"])
        .says(&["copy 1 local file into templates/files: a/b.txt"]);
    run(&["-d", "old/a"])
        .code(1)
        .says(&["can't read `old/a/a/b.txt`"]);
}

#[test]
fn json_holds_the_text_or_the_mistakes() {
    let run = import("docker: {flags: [a]}\n", &["--json"]).code(0);
    let value: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(value["format"], 1);
    assert!(value["text"].as_str().unwrap().contains("DOCKER_OPTS=a"));
    let run = import("variant: flatcar\n", &["--json"]).code(1);
    let value: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(value["mistakes"].as_array().unwrap().len(), 1);
}

/// Texts as people write them, and as nobody does.
fn texts() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[a-z{}%#: '\"|>-]{0,8}",
        "[ \\t]{0,3}[a-z#]{0,3}[ \\t]{0,3}",
        Just(String::new()),
        "\\PC{0,6}",
        any::<String>(),
    ];
    proptest::collection::vec(line, 0..5).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn every_text_comes_over_byte_for_byte(text in texts()) {
        let json = serde_json::to_string(&text).unwrap();
        let json = json.replace('\u{7f}', "\\u007f");
        // JSON is YAML but for characters that YAML does not take as they are.
        let json: String = json
            .chars()
            .map(|c| match u32::from(c) {
                0x7f..=0xa0 | 0x2028 | 0x2029 | 0xfeff | 0xfffe | 0xffff => {
                    format!("\\u{:04x}", u32::from(c))
                }
                _ => c.to_string(),
            })
            .collect();
        let config = with_file(&format!("        inline: {json}\n"));
        let import = clc::import(&Source::file("ignition.yml", config), &clc::Options::default());
        let butane = import.butane.unwrap();
        let document = yaml::parse(&butane.text).unwrap();
        prop_assert_eq!(inline(&document), Some(text.as_str()), "{}", butane.text);
    }
}

fn inline(node: &yaml::Node) -> Option<&str> {
    match &node.content {
        yaml::Content::Mapping(entries) => entries.iter().find_map(|(key, value)| {
            if key.text() == Some("inline") {
                value.text()
            } else {
                inline(value)
            }
        }),
        yaml::Content::Sequence(items) => items.iter().find_map(inline),
        _ => None,
    }
}
