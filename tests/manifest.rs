//! Mistakes in `fleet.toml` and node files as such: syntax, keys, types, names.

use snapbox::{assert_data_eq, str};

use crate::fleet::{Fleet, HEAD, LOCK};

#[test]
fn a_minimal_fleet_renders() {
    let fleet = Fleet::new();
    fleet
        .renders()
        .prints(&["wrote ignition/n1.ign\nwrote ipxe/n1.ipxe\n"]);
    fleet.run(&["check"]).code(0).prints(&["1 node"]);
}

#[test]
fn an_older_tool_says_upgrade_and_nothing_else() {
    let fleet = Fleet::new()
        .fleet("requires = \">=7.2\"\nnmae = 1\n[git]\nno such syntax\n")
        .node("n1", "what = [");
    assert_data_eq!(
        fleet.refuses().stderr,
        str![[r#"
error: this fleet needs ephemeros >=7.2, and this is 0.1.0
 --> fleet.toml:3:12
  |
3 | requires = ">=7.2"
  |            ^^^^^^^
  |
  = help: upgrade ephemeros: `cargo install --locked ephemeros`

error: 1 mistake; nothing was written

"#]]
    );
}

#[test]
fn requirements_that_hold_are_passed() {
    for requires in [">=0.1", "*", ">=0.1, <99"] {
        Fleet::new()
            .fleet(&format!("requires = \"{requires}\"\n"))
            .renders();
    }
}

#[test]
fn a_requirement_that_is_none_is_told() {
    for requires in ["\"soon\"", "\"\"", "\">= \"", "7"] {
        let fleet = Fleet::new().fleet(&format!("requires = {requires}\n"));
        fleet
            .refuses()
            .says(&["fleet.toml:3:12", "help: "])
            .mistakes(1);
    }
}

#[test]
fn all_syntax_errors_of_all_files_are_told_at_once() {
    let fleet = Fleet::new()
        .fleet("[git]\nbranch = main\nbranch = \"b\"\n[os\n")
        .node("n1", "templates = [\"base.bu\"]\ntags = [\"a\" \"b\"]\n");
    fleet
        .refuses()
        .says(&["fleet.toml:4:10", "4 | branch = main", "not TOML"])
        .says(&["fleet.toml:5:1", "5 | branch = \"b\""])
        .says(&["fleet.toml:6:", "6 | [os"])
        .says(&["nodes/n1.toml:2:", "2 | tags = [\"a\" \"b\"]"]);
}

#[test]
fn an_unknown_key_is_told_with_the_nearest_one_at_every_level() {
    for (toml, near) in [
        ("nmae = 1\n", "name"),
        ("[git]\nbrunch = 1\n", "branch"),
        ("[os]\nchanel = 1\n", "channel"),
        ("[network]\ninterfaces = 1\n", "interface"),
        ("[stick]\nscripts = 1\n", "script"),
        ("[stick.ipxe]\nx86_64_uefi = 1\n", "x86_64_efi"),
        ("[vault]\nrecipient = 1\n", "recipients"),
        ("[defaults]\ntemplate = 1\n", "templates"),
        ("[defaults.os]\nkernel_arg = 1\n", "kernel_args"),
        ("[roles.a]\nvariable = 1\n", "variables"),
        ("[roles.a.network]\ngatway = 1\n", "gateway"),
        ("[artifacts.k3s]\nversoin = 1\n", "version"),
    ] {
        let line = toml.lines().count() + 2;
        let place = format!("fleet.toml:{line}:1");
        let help = format!("a key with a similar name exists: `{near}`");
        let fleet = Fleet::new().fleet(toml);
        fleet
            .refuses()
            .says(&["unknown key `", &place, &help])
            .mistakes(1);
    }
    for (toml, near) in [
        ("hostnmae = 1\n", "hostname"),
        ("[os]\nverison = 1\n", "version"),
        ("network = { adress = 1 }\n", "address"),
        ("stick.ipxe.bio = 1\n", "bios"),
    ] {
        let help = format!("a key with a similar name exists: `{near}`");
        let fleet = Fleet::new().node("n1", toml);
        fleet
            .refuses()
            .says(&["unknown key `", "nodes/n1.toml:", &help])
            .mistakes(1);
    }
}

#[test]
fn an_unknown_key_that_resembles_none_is_told_with_all_of_them() {
    let fleet = Fleet::new().fleet("[git]\nzebra = 1\n");
    fleet.refuses().says(&[
        "unknown key `zebra`",
        "keys known here are `branch`, `publish`",
    ]);
}

#[test]
fn a_key_in_the_wrong_place_is_unknown_there() {
    for (toml, key) in [
        ("hostname = \"x\"\n", "hostname"),
        ("[defaults]\nreaders = []\n", "readers"),
        ("[roles.a]\nroles = []\n", "roles"),
        ("[env]\nA = \"b\"\n", "env"),
    ] {
        let fleet = Fleet::new().fleet(toml);
        fleet
            .refuses()
            .says(&[&format!("unknown key `{key}`"), "help: "])
            .mistakes(1);
    }
    let fleet = Fleet::new().node("n1", "templates = [\"base.bu\"]\nvariables = []\n");
    fleet
        .refuses()
        .says(&["unknown key `variables`", "nodes/n1.toml:2:1"])
        .mistakes(1);
}

#[test]
fn a_wrong_type_is_told_where_it_stands() {
    for (toml, message) in [
        ("[git]\nbranch = 1\n", "expected a string, found an integer"),
        (
            "[git]\nbranch = [\"a\"]\n",
            "expected a string, found an array",
        ),
        (
            "[os]\nkernel_args = \"quiet\"\n",
            "expected an array, found a string",
        ),
        (
            "[os]\nmirrors = [1]\n",
            "expected a string, found an integer",
        ),
        (
            "[network]\nvlan = \"42\"\n",
            "expected an integer, found a string",
        ),
        (
            "[network]\nvlan = 4.2\n",
            "expected an integer, found a float",
        ),
        (
            "[stick]\nrecord_serial = \"yes\"\n",
            "expected true or false, found a string",
        ),
        ("[defaults]\nenv = []\n", "expected a table, found an array"),
        ("[roles]\na = \"b\"\n", "expected a table, found a string"),
        (
            "[roles.a.env]\nPORT = 6514\n",
            "expected a string, found an integer",
        ),
        (
            "[roles.a.env]\nON = true\n",
            "expected a string, found a boolean",
        ),
        (
            "[roles.a.env]\nDAY = 2026-01-01\n",
            "expected a string, found a date",
        ),
        ("[os]\narch = 64\n", "expected a string, found an integer"),
    ] {
        let fleet = Fleet::new().fleet(toml);
        let line = toml.lines().last().unwrap();
        let run = fleet
            .refuses()
            .says(&[message, "fleet.toml:4:", &format!("4 | {line}")]);
        run.mistakes(1);
    }
}

#[test]
fn a_wrong_type_is_not_told_again_for_what_it_holds() {
    for (toml, place) in [
        ("hostname = 7\n", "nodes/n1.toml:1:12"),
        ("network.mac = 7\n", "nodes/n1.toml:1:15"),
        ("network.vlan = \"42\"\n", "nodes/n1.toml:1:16"),
        ("os.version = 7\n", "nodes/n1.toml:1:14"),
    ] {
        let fleet = Fleet::new().node("n1", toml);
        fleet.refuses().says(&["expected ", place]).mistakes(1);
    }
    for (toml, place) in [
        (
            "name = 7\nid = \"6b1e2a54-7c0f-4b7e-9d43-2f1f6a3f1c11\"\n",
            "fleet.toml:1:8",
        ),
        ("name = \"x\"\nid = 7\n", "fleet.toml:2:6"),
    ] {
        let fleet = Fleet::new().file("fleet.toml", toml);
        fleet
            .refuses()
            .says(&["expected a string", place])
            .mistakes(1);
    }
}

#[test]
fn a_wrong_type_of_a_whole_table_is_told() {
    for toml in [
        "git = 1\n",
        "os = \"flatcar\"\n",
        "defaults = []\n",
        "roles = 1\n",
    ] {
        let fleet = Fleet::new().fleet(toml);
        fleet
            .refuses()
            .says(&["expected a table, found ", "fleet.toml:3:"])
            .mistakes(1);
    }
}

#[test]
fn an_unknown_value_is_told_with_those_there_are() {
    for (toml, help) in [
        ("[os]\ndistro = \"flatcat\"\n", "`flatcar`, `fedora-coreos`"),
        ("[os]\narch = \"x86_64\"\n", "`amd64`, `arm64`"),
        ("[stick]\nscript = \"usb\"\n", "`git`, `stick`"),
        (
            "[stick]\nfirmware = [\"uefi\", \"efi\"]\n",
            "`uefi`, `bios`",
        ),
        ("[roles.a]\non_missing = \"ignore\"\n", "`error`, `skip`"),
    ] {
        let fleet = Fleet::new().fleet(toml);
        let run = fleet
            .refuses()
            .says(&["unknown value `", "fleet.toml:4:", help]);
        run.mistakes(1);
    }
}

#[test]
fn a_fleet_needs_a_name_and_an_id() {
    let fleet = Fleet::new().file("fleet.toml", "");
    fleet
        .refuses()
        .says(&["the fleet has no name", "add `name"])
        .says(&["the fleet has no `id`", "uuidgen"])
        .mistakes(2);
    let fleet = Fleet::new().file("fleet.toml", "name = \"x\"\nid = \"x\"\n");
    fleet
        .refuses()
        .says(&["`id` is no UUID", "fleet.toml:2:6"])
        .mistakes(1);
}

#[test]
fn a_node_is_named_by_a_dns_label() {
    for name in ["Node", "n_1", "-n", "n-", "a.b", &"n".repeat(64)] {
        let fleet = Fleet::new().node(name, "");
        let place = format!("nodes/{name}.toml");
        fleet
            .refuses()
            .says(&["can't be a node's name", &place, "rename the file"])
            .mistakes(1);
    }
}

#[test]
fn a_stray_file_among_the_nodes_is_told() {
    for name in ["n2.tml", "README", "n2.toml.orig", ".toml"] {
        let fleet = Fleet::new().file(&format!("nodes/{name}"), "");
        if name.starts_with('.') {
            fleet.renders();
        } else {
            let message = format!("`nodes/{name}` is no node file");
            fleet.refuses().says(&[&message, "help: "]).mistakes(1);
        }
    }
}

#[test]
fn bytes_that_are_no_utf8_are_told_with_their_place() {
    let text = [HEAD.as_bytes(), b"# caf\xe9\n"].concat();
    let fleet = Fleet::new().file("fleet.toml", text);
    fleet
        .refuses()
        .says(&["this byte is not UTF-8", "fleet.toml:3:6", "UTF-8"])
        .mistakes(1);
    let fleet = Fleet::new().file("nodes/n1.toml", b"tags = [\"\xff\"]\n");
    fleet
        .refuses()
        .says(&["this byte is not UTF-8", "nodes/n1.toml:1:10"])
        .mistakes(1);
    let fleet = Fleet::new().file("fleet.lock", [LOCK.as_bytes(), b"\xc3\n"].concat());
    fleet
        .refuses()
        .says(&["this byte is not UTF-8", "fleet.lock:8:1"])
        .mistakes(1);
    let fleet = Fleet::new().file("templates/base.bu", b"# \xff\n");
    fleet
        .refuses()
        .says(&["`templates/base.bu` is not UTF-8"])
        .mistakes(1);
}

#[test]
fn two_nodes_of_one_host_name_are_told_with_both_places() {
    let fleet = Fleet::new()
        .node("n1", "hostname = \"a.example.com\"\n")
        .node("n2", "hostname = \"a.example.com\"\n");
    fleet
        .refuses()
        .says(&[
            "have the same host name `a.example.com`",
            "nodes/n2.toml:1:12",
            "nodes/n1.toml:1:12",
        ])
        .mistakes(1);
    // A node without one is called by its name; and case does not tell machines apart.
    for hostname in ["n2", "N2"] {
        let node = format!("hostname = \"{hostname}\"\n");
        let fleet = Fleet::new().node("n1", &node).node("n2", "");
        fleet
            .refuses()
            .says(&["the same host name", "nodes/n1.toml:1:12"])
            .mistakes(1);
    }
}

#[test]
fn a_host_name_that_is_none_is_told() {
    let label = "a".repeat(64);
    for hostname in ["a b", "a..b", "", "a_b", "-a", "a.", &label] {
        let fleet = Fleet::new().node("n1", &format!("hostname = \"{hostname}\"\n"));
        fleet
            .refuses()
            .says(&["can't be a host name", "nodes/n1.toml:1:12"])
            .mistakes(1);
    }
}

#[test]
fn an_unknown_role_is_told_with_the_nearest_one() {
    let roles = "[roles.k3s]\n[defaults]\nroles = [\"k8s\"]\n";
    let fleet = Fleet::new()
        .fleet(roles)
        .node("n1", "roles = [\"k3z\"]\n")
        .node("n2", "");
    fleet
        .refuses()
        .says(&[
            "unknown role `k3z`",
            "nodes/n1.toml:1:10",
            "for n1",
            "exists: `k3s`",
        ])
        .says(&[
            "unknown role `k8s`",
            "fleet.toml:5:10",
            "for n2",
            "exists: `k3s`",
        ])
        .mistakes(2);
    let fleet = Fleet::new().node("n1", "roles = [\"zebra\"]\n");
    fleet
        .refuses()
        .says(&["unknown role `zebra`", "add `[roles.zebra]`"])
        .mistakes(1);
}

#[test]
fn an_unknown_template_is_told_with_the_nearest_one() {
    let fleet = Fleet::new().node("n1", "templates = [\"bsae.bu\", \"x.txt\", \"zebra.bu\"]\n");
    fleet
        .file("templates/x.txt", "")
        .refuses()
        .says(&[
            "there is no template `bsae.bu`",
            "nodes/n1.toml:1:14",
            "exists: `base.bu`",
        ])
        .says(&[
            "`x.txt` is neither Butane nor Ignition",
            "nodes/n1.toml:1:25",
            "`.bu`",
        ])
        .says(&[
            "there is no template `zebra.bu`",
            "create `templates/zebra.bu`",
        ])
        .mistakes(3);
}

#[test]
fn an_unknown_group_of_readers_is_told_with_the_nearest_one() {
    let vault = format!(
        "[vault]\nrecipients = [\"{0}\"]\ngroups.ops = [\"{0}\"]\n",
        crate::fleet::RECIPIENT
    );
    let fleet = Fleet::new()
        .fleet(&vault)
        .node("n1", "readers = [\"opps\", \"zebra\"]\n");
    fleet
        .refuses()
        .says(&[
            "unknown group `opps`",
            "nodes/n1.toml:1:12",
            "exists: `ops`",
        ])
        .says(&["unknown group `zebra`", "under `[vault.groups]`"])
        .mistakes(2);
}

#[test]
fn equal_mistakes_of_many_nodes_are_told_once() {
    let mut fleet = Fleet::new().fleet("[roles.a]\n[defaults]\nroles = [\"b\"]\n");
    for node in 1..=9 {
        fleet = fleet.node(&format!("n{node}"), "");
    }
    fleet
        .refuses()
        .says(&["unknown role `b`", "for n1, and on 8 more: n2, n3, n4, …"])
        .mistakes(1);
}

#[test]
fn a_folder_without_a_fleet_is_told() {
    let fleet = Fleet::new().without("fleet.toml");
    for command in ["render", "check", "plan"] {
        fleet
            .run(&[command])
            .code(1)
            .says(&["there is no fleet.toml in ", "-C DIR"]);
    }
}

#[test]
fn a_fleet_is_found_from_below_and_by_its_name() {
    let fleet = Fleet::new();
    fleet
        .command(&["check"])
        .folder(fleet.root().join("templates"))
        .run()
        .code(0);
    let root = fleet.root();
    let args = ["-C", root.to_str().unwrap(), "check"];
    fleet.command(&args).folder("/").run().code(0);
}

#[test]
fn wrong_usage_is_64() {
    let fleet = Fleet::new();
    for args in [
        &["rendr"][..],
        &["render", "--chek"],
        &["show"],
        &["show", "n1", "--stage", "x"],
        &[],
    ] {
        fleet.run(args).code(64);
    }
}

#[test]
fn a_link_to_the_fleet_file_and_windows_line_ends_do_no_harm() {
    let fleet = Fleet::new()
        .file(
            "real.toml",
            format!("\u{feff}{}", HEAD.replace('\n', "\r\n")),
        )
        .without("fleet.toml")
        .link("fleet.toml", "real.toml");
    fleet.renders();
}
