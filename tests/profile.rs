//! How a node's layers come together, and which nodes a command is about.

use snapbox::{assert_data_eq, str};

use crate::fleet::{Fleet, RECIPIENT, SECRET};

/// `show n1 --stage profile`, which must succeed.
#[track_caller]
fn profile(fleet: &Fleet) -> String {
    fleet
        .run(&["show", "n1", "--stage", "profile"])
        .code(0)
        .stdout
}

#[test]
fn a_later_layer_wins_and_says_so() {
    let fleet = Fleet::new()
        .fleet(
            r#"
[os]
kernel_args = ["fleet"]
[defaults]
templates = ["base.bu"]
tags = ["a"]
vars = { x = "defaults", y = "defaults", z = "defaults", list = [1, 2] }
[roles.one]
vars = { y = "one", z = "one" }
os.kernel_args = ["one", "fleet"]
[roles.two]
templates = ["two.bu"]
tags = ["a", "b"]
vars.z = "two"
"#,
        )
        .butane("two.bu", "")
        .node("n1", "roles = [\"two\", \"one\"]\nvars.x = \"node\"\nvars.list = [3]\nos.kernel_args = [\"node\"]\n");
    assert_data_eq!(
        profile(&fleet),
        str![[r#"
os.kernel_args += "fleet"  # fleet.toml:5
os.kernel_args += "one"    # fleet.toml:12
os.kernel_args += "node"   # nodes/n1.toml:4
roles = ["two", "one"]     # nodes/n1.toml:1
tags += "a"                # fleet.toml:8
tags += "b"                # fleet.toml:15
templates += "base.bu"     # fleet.toml:7
templates += "two.bu"      # fleet.toml:14
vars.list = [3]            # nodes/n1.toml:3
vars.x = "node"            # nodes/n1.toml:2
vars.y = "one"             # fleet.toml:11
vars.z = "one"             # fleet.toml:11
# hostname = n1
# roles in force: two, one

"#]]
    );
}

#[test]
fn the_order_of_a_nodes_roles_decides() {
    let roles = "[roles.one]\nvars.x = \"one\"\n[roles.two]\nvars.x = \"two\"\n";
    for (listed, expected) in [("\"one\", \"two\"", "two"), ("\"two\", \"one\"", "one")] {
        let fleet = Fleet::new()
            .fleet(roles)
            .node(
                "n1",
                &format!("templates = [\"base.bu\"]\nroles = [{listed}]\n"),
            )
            .printing("\"{{ vars.x }}\"");
        assert_eq!(fleet.printed(), expected);
    }
}

#[test]
fn a_nodes_roles_replace_those_of_the_defaults() {
    let fleet = Fleet::new()
        .fleet("[defaults]\nroles = [\"one\"]\n[roles.one]\n[roles.two]\n")
        .node("n1", "templates = [\"base.bu\"]\nroles = [\"two\"]\n")
        .node("n2", "")
        .printing("{% for node in nodes %}{{ node.roles | join }};{% endfor %}");
    assert_eq!(fleet.printed(), "two;one;");
}

#[test]
fn arrays_append_without_repeats_and_others_are_replaced() {
    let fleet = Fleet::new()
        .fleet("[defaults]\nssh_authorized_keys = [\"k1\", \"k2\"]\nnetwork.dns = [\"192.0.2.1\"]\n")
        .node(
            "n1",
            "templates = [\"base.bu\"]\nssh_authorized_keys = [\"k2\", \"k3\"]\nnetwork.dns = [\"192.0.2.2\"]\n",
        )
        .printing("{{ (node.ssh_authorized_keys | join(' ')) ~ ' ' ~ (node.network.dns | join(' ')) }}");
    assert_eq!(fleet.printed(), "k1 k2 k3 192.0.2.2");
}

#[test]
fn templates_are_merged_in_the_order_of_the_layers() {
    let file = |text: &str| {
        format!(
            "storage:\n  files:\n    - path: /etc/printed\n      overwrite: true\n      contents:\n        inline: {text}\n"
        )
    };
    let fleet = Fleet::new()
        .fleet("[defaults]\ntemplates = [\"a.bu\"]\n[roles.r]\ntemplates = [\"b.bu\"]\n")
        .node("n1", "roles = [\"r\"]\ntemplates = [\"c.bu\", \"a.bu\"]\n")
        .butane("a.bu", &file("a"))
        .butane("b.bu", &file("b"))
        .butane("c.bu", &file("c"));
    assert_eq!(fleet.printed(), "c");
}

#[test]
fn a_profile_shows_no_ciphertext_and_no_template_a_value() {
    let vault = format!(
        "[vault]\nrecipients = [\"{RECIPIENT}\"]\n[roles.r]\nvariables = [\"A\"]\nenv_file = \"r_env\"\n"
    );
    let fleet = Fleet::new().fleet(&vault).node(
        "n1",
        &format!("roles = [\"r\"]\nsecrets.A = \"{SECRET}\"\n"),
    );
    let text = profile(&fleet);
    assert!(
        text.contains("secrets.A = \"age:7b6369a9:19f0ed8e56733723…\""),
        "{text}"
    );
    assert!(!text.contains("YWdl"), "{text}");
}

#[test]
fn nodes_are_named_by_patterns_and_tags() {
    let fleet = Fleet::new()
        .node("edge-1", "tags = [\"lab\"]\n")
        .node("edge-2", "tags = [\"lab\", \"spare\"]\n")
        .node("n1", "");
    for (pattern, named) in [
        ("n1", "n1"),
        ("n?", "n1"),
        ("@spare", "edge-2"),
        ("@s*", "edge-2"),
        ("*-1", "edge-1"),
    ] {
        let run = fleet.run(&["show", pattern]).code(0);
        run.prints(&[&format!("# hostname = {named}\n")]);
    }
    fleet
        .run(&["show", "edge-*"])
        .code(64)
        .says(&["`edge-*` fits 2 nodes"]);
    fleet
        .run(&["show", "@lab,n1"])
        .code(64)
        .says(&["fits 3 nodes"]);
    fleet
        .run(&["show", "egde-1"])
        .code(1)
        .says(&["no node fits `egde-1`", "did you mean `edge-1`?"]);
    fleet
        .run(&["show", "@sparse"])
        .code(1)
        .says(&["no node fits `@sparse`", "did you mean `@spare`?"]);
    fleet
        .run(&["show", "zebra"])
        .code(1)
        .says(&["no node fits `zebra`", "; there is edge-"]);
}

#[test]
fn asking_for_a_node_with_a_mistake_tells_the_mistake() {
    let fleet = Fleet::new().node("n1", "hostnmae = \"x\"\nroles = [\"none\"]\n");
    fleet
        .run(&["show", "n1"])
        .code(1)
        .says(&["unknown key `hostnmae`", "unknown role `none`"])
        .mistakes(2);
}
