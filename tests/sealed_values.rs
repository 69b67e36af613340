//! What must be encrypted, to whom, and what is never shown.

use crate::fleet::{Fleet, RECIPIENT, SECRET};

const ROLE: &str = "[roles.r]\nvariables = [\"A*\"]\nenv_file = \"r_env\"\n";

fn vault() -> String {
    format!("[vault]\nrecipients = [\"{RECIPIENT}\"]\n{ROLE}")
}

/// A fleet whose node file ends in this.
fn with(secrets: &str) -> Fleet {
    Fleet::new()
        .fleet(&vault())
        .node("n1", &format!("roles = [\"r\"]\n{secrets}"))
}

#[test]
fn a_sealed_value_is_taken() {
    let fleet = with(&format!("secrets.A = \"{SECRET}\"\n"));
    fleet.renders();
    fleet.run(&["check"]).code(0);
    assert!(!fleet.read("ignition/n1.ign").contains("YWdl"));
}

#[test]
fn a_value_that_is_not_encrypted_is_told_and_never_shown() {
    for secrets in [
        "secrets.A = \"hunter2\"\n",
        "secrets = { A = \"hunter2\" }\n",
        "[secrets]\nA = 'hunter2'\n",
        "[secrets]\n\"A\" = \"\"\"\nhunter2\nhunter2\"\"\"\n",
        "[secrets]\nA = '''hunter2\nhunter2\n'''\n",
        "[ secrets ]\nA = \"hunter2\"\n",
        "[\"secrets\"]\nA = \"hunter2\"\n",
        "[secrets] # the secrets\nA = \"hunter2\" # hunter2\n",
        "\"secrets\".A = \"hunter2\"\n",
        "'secrets'.A = \"hunter2\"\n",
        "secrets . A = \"hunter2\"\n",
        "\"\\u0073ecrets\".A = \"hunter2\"\n",
        "secrets = { A = \"\"\"\nhunter2\n\"\"\" }\n",
        "[secrets]\nA = \"\"\"age:\nhunter2\n\"\"\"\n",
        "secrets = {\n  A = \"hunter2\",\n}\n",
        "[secrets]\nA = \"\"\"\n[vars]\nx = \"hunter2\"\n\"\"\"\n",
    ] {
        let run = with(secrets).refuses().hides("hunter2");
        run.says(&["`A`: ", "nodes/n1.toml:", "help: "]).mistakes(1);
    }
    for place in [
        "[defaults.secrets]\n",
        "[roles.r.secrets]\n",
        "[roles.\"r\".secrets]\n",
    ] {
        let fleet = Fleet::new()
            .fleet(&format!("{}{place}A = \"hunter2\"\n", vault()))
            .node("n1", "roles = [\"r\"]\n");
        fleet
            .refuses()
            .hides("hunter2")
            .says(&["`A`: the value is not encrypted", "fleet.toml:9:5"])
            .mistakes(1);
    }
}

#[test]
fn a_syntax_error_in_a_secret_shows_nothing_of_it() {
    for secrets in [
        "secrets.A = \"hunter2\n",
        "secrets.A = hunter2\n",
        "secrets = { A = \"hunter2\" \n",
        "[secrets]\nA = \"hunter2\" hunter2\n",
        "[secrets]\nA = \"\\hunter2\"\n",
        "[secrets]\nA \"hunter2\"\n",
        "[secrets]\nA: hunter2\n",
        "[secrets]\nA = \"\"\"\nhunter2\\q\n\"\"\"\n",
        "[secrets\nA = \"hunter2\n",
        "[secrets]\nA = \"x\"\nA = \"hunter2\"\n",
        "[secrets]\nA = [\n\"hunter2\"\n",
        "[secrets]\nA = 1979-hunter2\n",
    ] {
        with(secrets)
            .refuses()
            .hides("hunter2")
            .says(&["nodes/n1.toml:", "not TOML"]);
    }
}

#[test]
fn a_secret_of_another_type_shows_nothing_of_it() {
    for value in [
        "4711",
        "4711.5",
        "[\"x4711\"]",
        "{ x = \"4711\" }",
        "4711-01-01",
    ] {
        let run = with(&format!("[secrets]\nA = {value}\n"))
            .refuses()
            .hides("4711");
        run.says(&["expected a string", "nodes/n1.toml:3:5"]);
    }
}

#[test]
fn a_key_that_is_misspelt_beside_a_secret_shows_nothing_of_it() {
    with("secret.A = \"hunter2\"\n")
        .refuses()
        .hides("hunter2")
        .says(&["unknown key `secret`", "`secrets`"]);
    with("[secerts]\nA = \"hunter2\"\n")
        .refuses()
        .hides("hunter2")
        .says(&["unknown key `secerts`"]);
}

#[test]
fn a_damaged_value_is_told_without_its_value() {
    let cut = &SECRET[..SECRET.len() - 60];
    for (value, message) in [
        (cut, "cut short"),
        ("age:7b6369a9", "has no "),
        ("age:7b6369a9:19f0ed8e56733723:", ""),
        (
            "age:7B6369A9:19f0ed8e56733723:YWdl",
            "8 lower-case hex digits",
        ),
        ("age:7b6369a9:19f0:YWdl", "16 lower-case hex digits"),
        ("age:7b6369a9:19f0ed8e56733723:YW dl", "base64"),
        (
            "age:7b6369a9:19f0ed8e56733723:aGVsbG8=",
            "does not hold an age file",
        ),
    ] {
        let run = with(&format!("secrets.A = \"{value}\"\n")).refuses();
        run.says(&["`A`: ", message, "nodes/n1.toml:2:13", "help: "])
            .mistakes(1);
    }
}

#[test]
fn secrets_without_a_recipient_are_told() {
    let node = format!("roles = [\"r\"]\nsecrets.A = \"{SECRET}\"\n");
    for vault in ["", "[vault]\nrecipients = []\n"] {
        let fleet = Fleet::new()
            .fleet(&format!("{vault}{ROLE}"))
            .node("n1", &node);
        let run = fleet.refuses();
        run.says(&[
            "there are secrets, and nobody is named who could read them",
            "recipients = [\"age1…\"]",
        ])
        .mistakes(1);
    }
}

#[test]
fn a_recipient_that_is_none_is_told() {
    for (recipient, message) in [
        ("age1qqqq", "mistyped or cut short"),
        ("", "empty"),
        ("me@example.com", "not a recipient"),
        ("ssh-ed25519 AAAA", "`ssh-ed25519` recipient is mistyped"),
        ("ecdsa-sha2-nistp256 AAAA", "can't encrypt to an SSH key"),
    ] {
        for table in ["recipients = [\n", "groups.ops = [\n"] {
            let fleet = Fleet::new().fleet(&format!("[vault]\n{table}  \"{recipient}\",\n]\n"));
            fleet
                .refuses()
                .says(&[message, "fleet.toml:5:3", "help: "])
                .mistakes(1);
        }
    }
}

#[test]
fn a_private_key_among_the_recipients_is_told_and_never_shown() {
    let key = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ";
    let pem = "\"\"\"\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXQQQ\n-----END OPENSSH PRIVATE KEY-----\n\"\"\"";
    for recipients in [
        format!("[\"{key}\"]"),
        format!("[\"{}\"]", key.to_lowercase()),
        format!("[{pem}]"),
    ] {
        let fleet = Fleet::new().fleet(&format!("[vault]\nrecipients = {recipients}\n"));
        fleet
            .refuses()
            .hides("QQQ")
            .hides("qqq")
            .says(&["fleet.toml:4:", "help: "])
            .mistakes(1);
    }
}

#[test]
fn a_private_key_in_a_wrong_place_is_never_shown() {
    let key = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQ";
    for text in [
        format!("naem = \"{key}\"\n"),
        format!("[os]\narch = \"{key}\"\n"),
        format!("[git]\nbranch = {key}\n"),
    ] {
        Fleet::new().fleet(&text).refuses().hides("QQQ");
    }
}

#[test]
fn check_tells_what_is_encrypted_to_others_than_todays_readers() {
    let other = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
    let fleet = with(&format!("secrets.A = \"{SECRET}\"\n")).fleet(&format!(
        "[vault]\nrecipients = [\"{RECIPIENT}\", \"{other}\"]\n{ROLE}"
    ));
    fleet
        .run(&["check"])
        .code(1)
        .says(&[
            "`A` is not encrypted to those who may read it today",
            "nodes/n1.toml:2:13",
            "ephemeros secrets rekey",
        ])
        .hides(&SECRET[40..])
        .mistakes(1);
}

#[test]
fn secrets_that_no_template_mounts_get_a_warning() {
    let fleet = with(&format!(
        "templates = [\"base.bu\"]\nsecrets.A = \"{SECRET}\"\n"
    ));
    let warning = "warning: no template of this node mounts its secrets volume";
    fleet
        .run(&["check"])
        .code(0)
        .says(&[warning, "vault.partuuid"]);
    let fleet = fleet.butane("base.bu", "# {{ vault.partuuid }}\n");
    fleet.run(&["check"]).code(0).hides(warning);
}
