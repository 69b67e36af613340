//! Variables of services: who takes them, who needs them, and what is public.

use crate::fleet::{Fleet, RECIPIENT, SECRET};

/// A fleet with these roles and this node, and somebody to encrypt to.
fn fleet(roles: &str, node: &str) -> Fleet {
    Fleet::new()
        .fleet(&format!("[vault]\nrecipients = [\"{RECIPIENT}\"]\n{roles}"))
        .node("n1", &format!("templates = [\"base.bu\"]\n{node}"))
}

const R: &str = "[roles.r]\nvariables = [\"A\"]\nenv_file = \"r_env\"\n";
const S: &str = "[roles.s]\nvariables = [\"A\", \"B\"]\nenv_file = \"s_env\"\n";

#[test]
fn public_variables_become_an_env_file() {
    let fleet = fleet(R, "roles = [\"r\"]\nenv.A = \"it's $HOME\"\n");
    let config = fleet.ignition("n1");
    let file = &config["storage"]["files"][0];
    assert_eq!(file["path"], "/etc/ephemeros/r_env");
    assert_eq!(file["mode"], 0o644);
    assert_eq!(file["overwrite"], true);
    assert_eq!(
        fleet.contents("n1", "/etc/ephemeros/r_env"),
        "A=\"it's \\$HOME\"\n"
    );
}

#[test]
fn a_variable_that_nobody_takes_is_told_with_the_role_that_would() {
    fleet(R, "env.A = \"v4lue\"\n")
        .refuses()
        .says(&[
            "no role of this node takes `A`",
            "nodes/n1.toml:2:5",
            "role `r` takes it: add it",
        ])
        .hides("no digest")
        .mistakes(1);
    fleet(R, &format!("secrets.A = \"{SECRET}\"\n"))
        .refuses()
        .says(&[
            "no role of this node takes `A`",
            "nodes/n1.toml:2:9",
            "role `r` takes it",
        ])
        .mistakes(1);
}

#[test]
fn a_misspelt_variable_is_told_with_the_nearest_one() {
    let roles =
        "[roles.r]\nvariables = [\"HEARTBEAT_URL\"]\nenv_file = \"r_env\"\non_missing = \"skip\"\n";
    fleet(roles, "roles = [\"r\"]\nenv.HEARTBAET_URL = \"v4lue\"\n")
        .refuses()
        .says(&[
            "no role of this node takes `HEARTBAET_URL`",
            "nodes/n1.toml:3:5",
            "is taken: `HEARTBEAT_URL`",
        ]);
    fleet(R, "env.ZEBRA = \"v4lue\"\n")
        .refuses()
        .says(&[
            "no role of this node takes `ZEBRA`",
            "name it in the `variables` of a role that the node has",
        ])
        .mistakes(1);
}

#[test]
fn a_variable_that_two_roles_take_is_told() {
    fleet(
        &format!("{R}{S}"),
        "roles = [\"r\", \"s\"]\nenv = { A = \"1\", B = \"2\" }\n",
    )
    .refuses()
    .says(&[
        "the roles `r` and `s` both take `A`",
        "nodes/n1.toml:3:9",
        "one role only",
    ])
    .mistakes(1);
    // A prefix takes as well.
    let prefix = "[roles.s]\nvariables = [\"A*\"]\nenv_file = \"s_env\"\n";
    fleet(
        &format!("{R}{prefix}"),
        "roles = [\"r\", \"s\"]\nenv.A = \"1\"\n",
    )
    .refuses()
    .says(&["both take `A`"])
    .mistakes(1);
}

#[test]
fn a_prefix_takes_all_that_begin_with_it() {
    let roles = "[roles.r]\nvariables = [\"K3S_*\"]\nenv_file = \"r_env\"\n";
    let fleet = fleet(
        roles,
        "roles = [\"r\"]\nenv = { K3S_B = \"2\", K3S_A = \"1\" }\n",
    );
    assert_eq!(
        fleet.contents("n1", "/etc/ephemeros/r_env"),
        "K3S_A=\"1\"\nK3S_B=\"2\"\n"
    );
}

#[test]
fn a_missing_variable_fails_closed() {
    fleet(R, "roles = [\"r\"]\n")
        .refuses()
        .says(&[
            "role `r` needs `A`, and nothing sets it",
            "fleet.toml:6:14",
            "6 | variables = [\"A\"]",
            "for n1",
        ])
        .says(&["ephemeros secrets set", "on_missing"])
        .mistakes(1);
    // An empty one is none.
    fleet(R, "roles = [\"r\"]\nenv.A = \"\"\n")
        .refuses()
        .says(&["role `r` needs `A`"]);
}

#[test]
fn a_role_that_may_be_skipped_is_left_out_with_its_templates() {
    let roles = "[roles.r]\nvariables = [\"A\", \"B\"]\nenv_file = \"r_env\"\non_missing = \"skip\"\n\
        templates = [\"r.bu\"]\nvars.x = 1\n";
    let fleet = fleet(roles, "roles = [\"r\"]\nenv.B = \"1\"\n")
        .butane("r.bu", "storage:\n  directories: [{path: /srv/r}]\n");
    fleet.renders().says(&[
        "warning: role `r` is left out for want of `A`",
        "fleet.toml:6:14",
        "for n1",
        "help: ",
    ]);
    assert!(!fleet.read("ignition/n1.ign").contains("/srv/r"));
    let profile = fleet.run(&["show", "n1"]).code(0).stdout;
    assert!(
        profile.contains("# roles in force: \n") && !profile.contains("vars.x"),
        "{profile}"
    );
    let whole = fleet.node("n1", "roles = [\"r\"]\nenv = { A = \"1\", B = \"1\" }\n");
    whole.renders().hides("left out");
    assert!(whole.read("ignition/n1.ign").contains("/srv/r"));
}

#[test]
fn a_variable_that_is_public_and_secret_is_warned_of() {
    let node = format!("roles = [\"r\"]\nenv.A = \"v4lue\"\nsecrets.A = \"{SECRET}\"\n");
    fleet(R, &node).renders().says(&[
        "warning: `A` is set both as public and as secret",
        "nodes/n1.toml:3:5",
        "nodes/n1.toml:4:9",
    ]);
}

#[test]
fn a_variable_is_named_as_a_shell_would_and_holds_what_an_env_file_can() {
    let roles = "[roles.r]\nvariables = [\"A*\"]\nenv_file = \"r_env\"\n";
    fleet(roles, "roles = [\"r\"]\nenv.\"A-B\" = \"v4lue\"\n")
        .refuses()
        .says(&[
            "can't be the name of a variable",
            "nodes/n1.toml:3:5",
            "letters, digits and `_`",
        ])
        .mistakes(1);
    fleet(roles, "roles = [\"r\"]\nenv.AB = \"v4lue\\u0000\"\n")
        .refuses()
        .says(&["an env file can't hold this value", "nodes/n1.toml:3:10"])
        .mistakes(1);
}

#[test]
fn what_a_role_says_of_itself_is_checked_once() {
    for (role, message, place) in [
        (
            "variables = [\"A\"]\n",
            "no env file to put them in",
            "fleet.toml:6:1",
        ),
        (
            "env_file = \"../x\"\n",
            "can't be the name of an env file",
            "fleet.toml:6:12",
        ),
        (
            "env_file = \"\"\n",
            "can't be the name of an env file",
            "fleet.toml:6:12",
        ),
        (
            "variables = [\"a b\"]\nenv_file = \"e\"\n",
            "can't be the name of a variable",
            "fleet.toml:6:14",
        ),
        (
            "variables = [\"*A\"]\nenv_file = \"e\"\n",
            "can't be the name of a variable",
            "fleet.toml:6:14",
        ),
        (
            "files.\"/tls/key\" = \"A\"\n",
            "can't be a file on the secrets volume",
            "fleet.toml:6:7",
        ),
        (
            "files.\"../key\" = \"A\"\n",
            "can't be a file on the secrets volume",
            "fleet.toml:6:7",
        ),
        (
            "files.key = \"A B\"\n",
            "can't be the name of a secret",
            "fleet.toml:6:13",
        ),
    ] {
        let fleet = fleet(&format!("[roles.r]\n{role}"), "").node("n2", "");
        fleet.refuses().says(&[message, place]).mistakes(1);
    }
}

#[test]
fn a_file_that_is_no_secret_yet_is_missed() {
    let roles = "[roles.r.files]\n\"tls/node.key\" = \"NODE_KEY\"\n";
    fleet(roles, "roles = [\"r\"]\n")
        .refuses()
        .says(&["role `r` needs `NODE_KEY`", "fleet.toml:6:18"])
        .mistakes(1);
    fleet(roles, "roles = [\"r\"]\nenv.NODE_KEY = \"public\"\n")
        .refuses()
        .says(&["role `r` needs `NODE_KEY`"]);
    fleet(
        roles,
        &format!("roles = [\"r\"]\nsecrets.NODE_KEY = \"{SECRET}\"\n"),
    )
    .renders();
}

#[test]
fn what_the_defaults_set_may_lie_idle_on_nodes_without_the_role() {
    let roles = format!("{R}[defaults]\nenv.A = \"1\"\ntemplates = [\"base.bu\"]\n");
    let fleet = fleet(&roles, "roles = [\"r\"]\n").node("n2", "");
    fleet.renders().hides("takes");
    assert!(fleet.read("ignition/n1.ign").contains("r_env"));
    assert!(!fleet.read("ignition/n2.ign").contains("r_env"));
}

#[test]
fn an_env_file_and_a_secret_file_of_one_name_are_told() {
    let roles = format!("{R}files.r_env = \"K\"\n");
    let node = format!("roles = [\"r\"]\nenv.A = \"1\"\nsecrets.K = \"{SECRET}\"\n");
    fleet(&roles, &node)
        .refuses()
        .says(&["`r_env` is both an env file and a secret file"])
        .mistakes(1);
}

#[test]
fn two_roles_that_put_different_secrets_into_one_file_are_told() {
    let roles = "[roles.r.files]\nkey = \"A\"\n[roles.s.files]\nkey = \"B\"\n";
    let node =
        format!("roles = [\"r\", \"s\"]\nsecrets.A = \"{SECRET}\"\nsecrets.B = \"{SECRET}\"\n");
    fleet(roles, &node).refuses().says(&[
        "another role of this node puts another secret into `key`",
        "fleet.toml:8:1",
    ]);
    let same = roles.replace("\"B\"", "\"A\"");
    let node = format!("roles = [\"r\", \"s\"]\nsecrets.A = \"{SECRET}\"\n");
    fleet(&same, &node).renders();
}
