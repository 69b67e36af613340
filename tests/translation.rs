//! Mistakes that are found once templates are rendered: Butane, Ignition, and boot scripts.

use snapbox::{assert_data_eq, str};

use crate::fleet::Fleet;

/// A fleet of two nodes with this in the template, from line 3.
fn with(text: &str) -> Fleet {
    Fleet::new().fleet(URL).butane("base.bu", text)
}

/// Where nodes fetch: without it there is a warning that is not at issue here.
const URL: &str = "[git]\nraw_url = \"https://example.com/{{ path }}\"\n";

#[test]
fn a_mistake_after_rendering_is_told_with_template_node_and_line() {
    assert_data_eq!(
        with(
            "{% for name in [\"a\", \"b\"] %}\n# {{ name }}\n{% endfor %}\nstorage:\n  fils: []\n"
        )
        .refuses()
        .stderr,
        str![[r"
error: unused key `fils`
 --> templates/base.bu, rendered for n1, line 6, column 3
  |
6 |   fils: []
  |   ^^^^
  |
 ::: templates/base.bu:7:3
  |
7 |   fils: []
  |   ---- comes from here
  |
  = help: did you mean `files`?

error: 1 mistake; nothing was written

"]]
    );
}

#[test]
fn the_line_is_the_one_that_show_numbers() {
    let fleet = with(
        "{% for name in [\"a\", \"b\"] %}\n# {{ name }}\n{% endfor %}\nstorage:\n  files: []\n",
    );
    fleet
        .run(&["show", "n1", "--stage", "butane"])
        .code(0)
        .prints(&["templates/base.bu\n", "6 |   files: []\n"]);
}

#[test]
fn broken_yaml_is_told_with_its_line() {
    for (text, line) in [
        ("storage: [\n", 3),
        ("storage:\n\tfiles: []\n", 4),
        ("storage:\n  files: a: b\n", 4),
        ("storage: \"open\n", 3),
        ("- a\n", 3),
        ("storage: {}\nstorage: {}\n", 4),
        ("storage: *none\n", 3),
        ("passwd:\n  users:\n  - name: core\n   groups: [a]\n", 6),
    ] {
        let place = format!("templates/base.bu, rendered for n1, line {line}");
        let run = with(text).run(&["render"]).code(1);
        run.says(&["error: ", &place]);
    }
}

#[test]
fn what_butane_refuses_is_refused() {
    for (text, message, line) in [
        ("storage:\n  files:\n    - path: etc/x\n", "path", 5),
        (
            "storage:\n  files:\n    - path: /etc/x\n      mode: abc\n",
            "",
            6,
        ),
        (
            "storage:\n  files:\n    - path: /etc/x\n      contents:\n        inline: a\n        local: b\n",
            "inline",
            7,
        ),
        (
            "storage:\n  files:\n    - path: /etc/x\n      contents:\n        source: ftpx://a\n",
            "",
            7,
        ),
        (
            "storage:\n  files:\n    - path: /etc/x\n      contents:\n        source: https://a/b\n        verification:\n          hash: md5-00\n",
            "hash",
            9,
        ),
        (
            "storage:\n  files:\n    - path: /etc/x\n    - path: /etc/x\n",
            "",
            6,
        ),
        ("storage:\n  links:\n    - path: /etc/x\n", "target", 5),
        (
            "storage:\n  filesystems:\n    - device: /dev/x\n      with_mount_unit: true\n",
            "format",
            5,
        ),
        ("systemd:\n  units:\n    - name: x\n", "", 5),
        (
            "systemd:\n  units:\n    - name: x.service\n      contents: |\n        [Service\n",
            "",
            6,
        ),
        ("ignition:\n  version: 3.0.0\n", "version", 4),
    ] {
        let place = format!("templates/base.bu, rendered for n1, line {line}");
        let run = with(text).run(&["render"]).code(1);
        run.says(&["error: "])
            .says(&[message])
            .says(&[&place])
            .mistakes(1);
    }
}

#[test]
fn every_mistake_of_a_translation_has_help() {
    for text in [
        "storage:\n  files:\n    - path: etc/x\n",
        "storage: [\n",
        "storage: {}\nstorage: {}\n",
        "storage:\n  filesystems:\n    - device: /dev/x\n      with_mount_unit: true\n",
        "storage:\n  files:\n    - path: /etc/x\n      contents:\n        inline: a\n        local: b\n",
    ] {
        with(text).refuses();
    }
}

#[test]
fn an_unknown_variant_or_version_is_told_with_those_there_are() {
    for (head, message) in [
        ("variant: flatcra\nversion: 1.0.0\n", "flatcra"),
        ("variant: flatcar\nversion: 9.0.0\n", "9.0.0"),
        ("variant: flatcar\n", "version"),
        ("version: 1.0.0\n", "variant"),
        ("", ""),
        ("a text\n", "mapping"),
    ] {
        let fleet = Fleet::new().file("templates/base.bu", head);
        fleet
            .refuses()
            .says(&["error: "])
            .says(&[message])
            .says(&["templates/base.bu, rendered for n1"])
            .mistakes(1);
    }
}

#[test]
fn a_config_that_the_release_can_not_read_is_told() {
    let fleet = with("").fleet("[os]\nversion = \"2345.3.0\"\n");
    fleet
        .refuses()
        .says(&["2345.3.0", "fleet.toml:4:11", "help: "])
        .mistakes(1);
    let fleet = with("")
        .file(
            "templates/new.ign",
            "{\"ignition\": {\"version\": \"3.6.0\"}}",
        )
        .node("n1", "templates = [\"new.ign\"]\n");
    fleet.refuses().says(&["3.6.0", "help: "]);
}

#[test]
fn templates_that_conflict_when_merged_are_told() {
    let fleet = with("storage:\n  links:\n    - path: /etc/x\n      target: /etc/y\n")
        .butane("two.bu", "storage:\n  files:\n    - path: /etc/x/z\n")
        .node("n1", "templates = [\"base.bu\", \"two.bu\"]\n");
    fleet.refuses().says(&["error: ", "link", "n1"]).mistakes(1);
}

#[test]
fn an_ignition_file_is_read_as_strictly() {
    for (text, message, line) in [
        ("{\n\"ignition\": {}\n}", "version", 1),
        ("{\n\"ignition\": {\"version\": \"2.0.0\"}\n}", "version", 1),
        ("{\n\"ignition\": {\"version\": \"3.3.0\"},\n}", "", 3),
        ("[1]", "", 1),
        ("", "", 1),
        (
            "{\n\"ignition\": {\"version\": \"3.3.0\"}, \"storage\": {\"files\": [\n{\"path\": \"x\"}]}}",
            "path",
            3,
        ),
    ] {
        let fleet = Fleet::new()
            .file("templates/x.ign", text)
            .node("n1", "templates = [\"x.ign\"]\n");
        let place = format!("templates/x.ign, rendered for n1, line {line}");
        fleet
            .run(&["render"])
            .code(1)
            .says(&["error: "])
            .says(&[message])
            .says(&[&place])
            .mistakes(1);
    }
}

#[test]
fn equal_mistakes_after_rendering_are_told_once() {
    let mut fleet = with("storage:\n  fils: []\n");
    for node in 2..=6 {
        fleet = fleet.node(&format!("n{node}"), "templates = [\"base.bu\"]\n");
    }
    fleet
        .refuses()
        .says(&[
            "unused key `fils`",
            "templates/base.bu, rendered for n1, line 4",
            "and on 5 more: n2, n3, n4, …",
        ])
        .mistakes(1);
}

#[test]
fn keys_that_no_template_hands_on_are_warned_of() {
    let fleet = with("").fleet("[defaults]\nssh_authorized_keys = [\"ssh-ed25519 AAAA\"]\n");
    fleet.renders().says(&[
        "warning: `ssh_authorized_keys` are set",
        "fleet.toml:4:23",
        "help: ",
    ]);
}

const BOOT: &str = "#!ipxe\nkernel --timeout 9000 {{ boot.mirrors[0] }}/{{ boot.kernel }} initrd={{ boot.initrd }} \
    ignition.config.url=${config-url} {{ boot.kernel_args | join(' ') }} || goto failed\n\
    initrd --timeout 9000 {{ boot.mirrors[0] }}/{{ boot.initrd }} || goto failed\nboot || goto failed\n:failed\nexit 1\n";

#[test]
fn a_boot_script_of_ones_own_is_taken() {
    let fleet = with("").file("templates/boot.ipxe", BOOT);
    fleet.renders().hides("ipxe, rendered");
    assert!(
        fleet
            .read("ipxe/n1.ipxe")
            .contains("flatcar_production_pxe.vmlinuz")
    );
}

#[test]
fn a_boot_script_that_ipxe_would_trip_over_is_refused() {
    for (good, bad, message) in [
        ("#!ipxe\n", "", "does not begin with `#!ipxe`"),
        (":failed", ":faield", "no label `failed`"),
        ("exit 1", "shell", "waits for somebody"),
        ("exit 1", "goto failed", "never ends"),
        ("exit 1", "exit 0", "as if all were well"),
        ("boot ||", "bot ||", "no command `bot`"),
        ("${config-url}", "${config-url", "never closed"),
        ("initrd={{ boot.initrd }} ", "", "has no `initrd=`"),
    ] {
        let script = BOOT.replace(good, bad);
        assert_ne!(script, BOOT);
        let fleet = with("").file("templates/boot.ipxe", script);
        fleet
            .refuses()
            .says(&[message])
            .says(&["templates/boot.ipxe, rendered for n1, line "]);
    }
}

#[test]
fn a_kernel_command_line_that_would_be_cut_is_refused() {
    let long = "a".repeat(2000);
    let fleet = with("").fleet(&format!("[os]\nkernel_args = [\"{long}\"]\n"));
    fleet
        .refuses()
        .says(&["the kernel command line is 2", "help: "]);
}

#[test]
fn a_kernel_argument_that_ipxe_would_read_otherwise_is_refused() {
    for argument in ["a || b", "x#y #z", "${net0/mac", "a && b"] {
        let fleet = with("").fleet(&format!("[os]\nkernel_args = [\"{argument}\"]\n"));
        fleet.run(&["render"]).code(1).says(&["error: ", "help: "]);
    }
}

#[test]
fn a_mount_unit_is_called_as_its_path() {
    let unit = |name: &str| {
        let text = format!(
            "variant: flatcar\nversion: 1.0.0\nsystemd:\n  units:\n    - name: {name}\n      contents: |\n        \
             [Mount]\n        What=/dev/x\n        Where=/var/lib-x\n"
        );
        Fleet::new().file("templates/base.bu", &text)
    };
    unit("secrets.mount").refuses().says(&[
        "systemd refuses the unit `secrets.mount`, for it mounts `/var/lib-x`",
        "call it `var-lib\\x2dx.mount`",
    ]);
    unit("'var-lib\\x2dx.mount'").renders();
}
