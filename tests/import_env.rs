//! `import env`: a node of the original Ephemeros comes over, from its variables, with nothing of them shown.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use ephemeros::shell_words;
use serde_json::{Value, json};

use crate::fleet::{Fleet, RECIPIENT, Run};
use crate::secrets::{get, vault};

/// A piece of every value that no output may hold.
const CANARY: &str = "canary7";

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH7R74GRQtVDWNUPY406oYXwQJUagVco5aWUWdZbbOm0 me@desk";

/// What every node needs that has secrets and keys.
const BASE: &str = "passwd:
  users:
    - name: core
      ssh_authorized_keys: {{ node.ssh_authorized_keys | tojson }}
systemd:
  units:
    - name: secrets.mount
      contents: |
        [Mount]
        What=/dev/disk/by-partuuid/{{ vault.partuuid }}
        Where={{ vault.mount }}
";

const ROLES: &str = r#"
[defaults]
templates = ["base.bu"]

[defaults.secrets]
HEARTBEAT_URL = "SECRET"

[roles.k3s]
variables = ["K3S_*"]
env_file = "k3s_env"

[roles.export]
variables = ["LOGEXPORT_HOST", "LOGEXPORT_PORT"]
env_file = "export_env"
on_missing = "skip"

[roles.export.env]
LOGEXPORT_HOST = "logs.example.net"

[roles.beat]
variables = ["HEARTBEAT_URL"]
env_file = "beat_env"
"#;

fn fleet() -> Fleet {
    let roles = ROLES.replace("SECRET", crate::fleet::SECRET);
    Fleet::new()
        .fleet(&(vault(&[RECIPIENT]) + &roles))
        .butane("base.bu", BASE)
        .file("key.pub", format!("{KEY}\n"))
}

/// Imports a script; neither value nor line of it is shown, whatever becomes of it.
#[track_caller]
fn import(fleet: &Fleet, script: impl AsRef<[u8]>, args: &[&str]) -> Run {
    let args = [&["import", "env", "--from", "-"], args].concat();
    let run = fleet.command(&args).stdin(script).run();
    run.hides(CANARY)
}

/// As [`import`], and it must fail and write nothing.
#[track_caller]
fn refuses(fleet: &Fleet, script: impl AsRef<[u8]>, args: &[&str], says: &[&str]) {
    let before = fleet.files();
    let run = import(fleet, script, args).code(1).says(says).helps();
    assert_eq!(run.stdout, "");
    assert!(fleet.files() == before, "it wrote something");
}

/// The file of a node with its encrypted values taken out.
#[track_caller]
fn without_values(fleet: &Fleet, node: &str) -> String {
    let text = fleet.read(&format!("nodes/{node}.toml"));
    assert!(!text.contains(CANARY), "{text}");
    let lines = text.lines().map(|line| match line.split_once("\"age:") {
        Some((name, _)) => format!("{name}…\n"),
        None => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn the_variables_of_the_environment_become_a_node_file() {
    let fleet = fleet();
    let url = format!("postgres://u:{CANARY} \"'\\$@host/db");
    let run = fleet
        .command(&["import", "env"])
        .env("NODE_HOSTNAME", "Node7.example.com")
        .env("SSH_KEY_PATH", "key.pub")
        .env("K3S_DATASTORE_ENDPOINT", &url)
        .env("K3S_TOKEN", CANARY)
        .env("LOGEXPORT_PORT", CANARY)
        .env("LOGEXPORT_HOST", "logs.example.net")
        .env("OTHER", CANARY)
        .run()
        .code(0)
        .hides(CANARY);
    assert_eq!(run.stdout, "wrote nodes/node7.toml\n");
    assert_eq!(
        run.stderr,
        "encrypted: K3S_DATASTORE_ENDPOINT, K3S_TOKEN, LOGEXPORT_PORT\n\
         note: LOGEXPORT_HOST is left out: fleet.toml has it already, public and with the same value\n\
         look at it, and run `ephemeros check`\n"
    );
    let expected = format!(
        "# Brought over from the original Ephemeros: the environment\n\
         hostname = \"Node7.example.com\"\n\
         roles = [\"k3s\", \"export\"]\n\
         ssh_authorized_keys = [\"{KEY}\"]\n\
         \n[secrets]\n\
         K3S_DATASTORE_ENDPOINT = …\nK3S_TOKEN = …\nLOGEXPORT_PORT = …\n"
    );
    assert_eq!(without_values(&fleet, "node7"), expected);
    assert_eq!(
        get(&fleet, "node7", "K3S_DATASTORE_ENDPOINT"),
        url.as_bytes()
    );
    assert_eq!(get(&fleet, "node7", "LOGEXPORT_PORT"), CANARY.as_bytes());
    fleet.run(&["check"]).code(0).hides("node7");
    fleet.renders();
}

#[test]
fn json_tells_what_became_of_each() {
    let fleet = fleet();
    let script = format!(
        "K3S_A={CANARY} K3S_B=2 LOGEXPORT_HOST=logs.example.net K3S_C= SSH_KEY_PATH=key.pub"
    );
    let run = import(&fleet, &script, &["n7", "--json", "--public", "K3S_B"]).code(0);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        told,
        json!({
            "format": 1, "node": "n7", "file": "nodes/n7.toml", "roles": ["k3s", "export"],
            "encrypted": ["K3S_A"], "public": ["K3S_B"], "left_out": ["LOGEXPORT_HOST", "K3S_C"],
        })
    );
    let run = import(&fleet, &script, &["n7", "--json"]).code(1);
    run.says(&["`nodes/n7.toml` is there already"]);
}

/// What the original left on a stick, made by bash.
fn reproduce_sh(values: &BTreeMap<String, String>, locale: &str) -> Vec<u8> {
    let script = r#"printf '#!/bin/bash\n# @ https://github.com/OWNER/ephemeros/tree/COMMIT (with uncommitted changes)\nenv \\\n'
        for name in "${!K3S_@}" "${!HEARTBEAT_@}"; do printf '  %s=%q \\\n' "$name" "${!name}"; done
        printf '  ./build_pxe_stick.sh\n'"#;
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-c", script])
        .envs(values)
        .env("LC_ALL", locale)
        .output()
        .unwrap();
    assert!(output.status.success());
    output.stdout
}

#[test]
fn what_bash_quoted_is_read_back_byte_for_byte() {
    let mut values = BTreeMap::new();
    let ascii: String = (1..=127).map(char::from).collect();
    for (at, text) in ascii.chars().map(String::from).enumerate() {
        values.insert(format!("K3S_{at}"), text.clone());
        values.insert(
            format!("K3S_{at}_ENDS"),
            format!("{text}a{text}{text}:{text}"),
        );
        values.insert(format!("K3S_{at}_WIDE"), format!("\u{e9}{text}\u{1f600}"));
    }
    values.insert("K3S_ALL".to_owned(), ascii);
    values.insert(
        "K3S_LINES".to_owned(),
        "a\n b\r\n\\\n'\u{1b}[0m\u{20ac}".to_owned(),
    );
    values.insert("K3S_EMPTY".to_owned(), String::new());
    for locale in ["C.UTF-8", "C"] {
        let script = reproduce_sh(&values, locale);
        let script = String::from_utf8(script).unwrap();
        let (commands, mistakes) = shell_words::read(&script);
        assert_eq!(mistakes, []);
        assert_eq!(commands.len(), 1);
        let read: BTreeMap<String, String> = commands[0][1..]
            .iter()
            .filter_map(|word| {
                let (name, value) = std::str::from_utf8(&word.value).unwrap().split_once('=')?;
                Some((name.to_owned(), value.to_owned()))
            })
            .collect();
        assert_eq!(read.len(), values.len());
        for (name, value) in &values {
            assert_eq!(read.get(name), Some(value), "{name} in {locale}");
        }
        // And the whole way.
        let fleet = fleet();
        let args = ["import", "env", "n7", "--from", "reproduce.sh"];
        let fleet = fleet.file("reproduce.sh", &script);
        fleet.run(&args).code(0);
        let text = fleet.read("nodes/n7.toml");
        assert!(
            text.starts_with("# Brought over from the original Ephemeros: reproduce.sh\nroles = ")
        );
        for name in [
            "K3S_ALL",
            "K3S_LINES",
            "K3S_9",
            "K3S_125_WIDE",
            "K3S_31_ENDS",
        ] {
            assert_eq!(
                get(&fleet, "n7", name),
                values[name].as_bytes(),
                "{name} in {locale}"
            );
        }
    }
}

#[test]
fn what_people_quoted_is_read_as_bash_reads_it() {
    for word in [
        r"pa\ ss\'\\\x",
        r#""a\b\\c\"d\$e\`f 'g' $ \"$""#,
        "'a\\b \"$x\" `c`\n'd",
        r"$'\a\b\e\E\f\n\r\t\v\\\'\?\q\xz\x4g\u20ac\1234\501\U1F600'",
        "a'b'\"c\"$'d'\\e\\\nf",
        "\"a\\\nb\nc\"",
        "a$ ",
        "a#b~c=~d%?*[]^!,}",
        "https://a.example/?b=c:1",
    ] {
        // Where `=~` would be expanded, only bash's own rule for an assignment counts.
        let word = word.replace("=~", "=");
        let script = format!("K3S_A={word}\n");
        let bash = Command::new("bash")
            .args(["--noprofile", "--norc", "-c"])
            .arg(format!("{script}printf %s \"$K3S_A\""))
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        let (commands, mistakes) = shell_words::read(&script);
        assert_eq!(mistakes, [], "{word}");
        let expected = [b"K3S_A=", bash.stdout.as_slice()].concat();
        assert_eq!(*commands[0][0].value, expected, "{word}");
    }
}

#[test]
fn a_script_may_be_written_by_hand() {
    for script in [
        "#!/bin/bash\r\n\r\nenv \\\r\n\tK3S_A='x y' \\\r\n  NODE_HOSTNAME=n7.example.com\r\n./build_pxe_stick.sh\r\n",
        "export NODE_HOSTNAME=n7.example.com # the node\nexport K3S_A=\"x y\"",
        "K3S_A=old\nK3S_A=x\\ y NODE_HOSTNAME=n7.example.com\n",
        "sudo NODE_HOSTNAME=n7.example.com K3S_A=$'x\\x20y' ../build_pxe_stick.sh /dev/sdX --force\n",
        "sudo env NODE_HOSTNAME=n7.example.com \\\nK3S_A='x y' \\",
    ] {
        let fleet = fleet();
        // What the shell has is not mixed in.
        let run = fleet
            .command(&["import", "env", "--from", "-"])
            .env("K3S_STRAY", CANARY)
            .env("NODE_HOSTNAME", CANARY)
            .stdin(script)
            .run();
        run.code(0).says(&["encrypted: K3S_A\n"]).hides("STRAY");
        assert_eq!(get(&fleet, "n7", "K3S_A"), b"x y", "{script}");
    }
}

#[test]
fn every_mistake_of_a_script_is_told_with_its_place() {
    let fleet = fleet();
    let script = format!(
        "# {CANARY}\nenv \\\n  K3S_A=$HOME/{CANARY} \\\n  K3S_B=\u{e9}{CANARY}\"$(cat x)\" \\\n  ./build_pxe_stick.sh\n\
         set -e {CANARY}\nK3S_C={CANARY} {CANARY}\nK3S_D=`{CANARY}`\nK3S_E={CANARY}; rm\nK3S_F='{CANARY}\n"
    );
    refuses(
        &fleet,
        script,
        &["n7"],
        &[
            "error: bash would expand this",
            "<stdin>:3:9",
            "help: write what it comes to",
            "error: bash would expand this",
            "<stdin>:4:18",
            "error: this is neither `NAME=value` nor `./build_pxe_stick.sh`",
            "<stdin>:6:1",
            "<stdin>:7:15",
            "help: a space in a value needs quotes",
            "error: bash would expand this",
            "<stdin>:8:7",
            "error: bash would not take this",
            "<stdin>:9:14",
            "error: this quote is not closed",
            "<stdin>:10:7",
            "7 mistakes",
        ],
    );
    refuses(&fleet, b"K3S_A=\xff", &["n7"], &["`<stdin>` is no text"]);
    refuses(
        &fleet,
        "",
        &["n7"],
        &["no variable of the original Ephemeros is in standard input"],
    );
    let long = format!("K3S_A={}", "x".repeat(1 << 20));
    refuses(&fleet, long, &["n7"], &["can't read `<stdin>`", "too long"]);
    for from in ["none.sh", "nodes", ".."] {
        let run = fleet.run(&["import", "env", "n7", "--from", from]).code(1);
        run.says(&[&format!("can't read `{from}`"), "reproduce.sh"]);
    }
}

#[test]
fn what_no_role_and_no_env_file_takes_is_told_at_once() {
    let fleet = fleet();
    let long = "x".repeat(140_000);
    let script = format!(
        "LOGEXPORT_HSOT={CANARY}\nHEARTBEAT_X={CANARY}\nK3S_NUL=$'{CANARY}\\0'\nK3S_BYTE=$'{CANARY}\\377'\nK3S_LONG={CANARY}{long}\n\
         NODE_HOSTNAME=n7.{CANARY}-\nUNKNOWN={CANARY}\n"
    );
    let without_name = script.replace("NODE_HOSTNAME", "K3S_FINE");
    refuses(
        &fleet,
        &script,
        &[],
        &[
            "warning: `UNKNOWN` is left out",
            "<stdin>:7:1",
            "error: `NODE_HOSTNAME` can't be a host name",
            "<stdin>:6:1",
        ],
    );
    refuses(
        &fleet,
        &without_name,
        &["n7", "--public", "K3S_FNIE"],
        &[
            "error: `--public K3S_FNIE`: there is no such variable",
            "`K3S_FINE`",
            "error: no role takes `HEARTBEAT_X`",
            "<stdin>:2:1",
            "error: an env file can't hold `K3S_BYTE`: its value is not UTF-8",
            "<stdin>:4:1",
            "error: an env file can't hold `K3S_LONG`",
            "<stdin>:5:1",
            "error: an env file can't hold `K3S_NUL`: its value holds a NUL byte",
            "<stdin>:3:1",
            "error: no role takes `LOGEXPORT_HSOT`",
            "<stdin>:1:1",
            "`LOGEXPORT_HOST`",
            "6 mistakes",
        ],
    );
    let mut process = fleet.command(&["import", "env", "n7"]).process();
    let value = [CANARY.as_bytes(), b"\xff"].concat();
    let output = process
        .env("K3S_BYTE", OsStr::from_bytes(&value))
        .env("K3S_A.B", CANARY)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("`K3S_BYTE`: its value is not UTF-8"),
        "{said}"
    );
    assert!(said.contains("`K3S_A.B`: the name must be"), "{said}");
    assert!(
        !said.contains(CANARY) && said.contains("2 mistakes"),
        "{said}"
    );
}

#[test]
fn the_node_is_named_or_its_host_name_tells() {
    let fleet = fleet();
    let run = import(&fleet, "K3S_A=1 NODE_HOSTNAME=", &[]).code(64);
    run.says(&["which node is it?", "`ephemeros import env NODE`"]);
    let run = import(&fleet, "K3S_A=1", &["Node.x"]).code(64);
    run.says(&["`Node.x` can't be a node's name"]);
    import(&fleet, "K3S_A=1 NODE_HOSTNAME=n8", &[]).code(0);
    let expected = "# Brought over from the original Ephemeros: standard input\nroles = [\"k3s\"]\n\n[secrets]\nK3S_A = …\n";
    assert_eq!(without_values(&fleet, "n8"), expected);
    import(&fleet, "K3S_A=1 NODE_HOSTNAME=a.b", &["n9"]).code(0);
    assert!(
        fleet
            .read("nodes/n9.toml")
            .contains("\nhostname = \"a.b\"\nroles")
    );
    // Two machines would answer to one name.
    let script = format!("K3S_A={CANARY} NODE_HOSTNAME=A.b");
    refuses(&fleet, script, &["n10"], &["have the same host name"]);
}

#[test]
fn a_file_that_is_there_is_not_touched() {
    let fleet = fleet();
    let script = format!("K3S_A={CANARY} NODE_HOSTNAME=n1");
    let says = "`nodes/n1.toml` is there already: it is not overwritten";
    refuses(&fleet, &script, &[], &[says]);
    let fleet = fleet.link("nodes/n8.toml", "nowhere");
    refuses(&fleet, &script, &["n8"], &["n8.toml"]);
    assert!(!fleet.root().join("nodes/nowhere").exists());
}

#[test]
fn what_the_fleet_has_stays_there() {
    let fleet = fleet();
    let beat = format!("HEARTBEAT_URL=https://{CANARY}");
    let run = import(&fleet, &beat, &["n7"]).code(0);
    run.says(&["note: HEARTBEAT_URL stands in for the secret of that name in fleet.toml"]);
    refuses(
        &fleet,
        &beat,
        &["n8", "--public", "HEARTBEAT_URL"],
        &[
            "error: `HEARTBEAT_URL` can't be public: a secret of that name would hold over it",
            "<stdin>:1:1",
            "fleet.toml:",
            "leave out `--public HEARTBEAT_URL`",
        ],
    );
    // A public value over a public one is public only where that is said.
    let export = "LOGEXPORT_HOST=other.example.net LOGEXPORT_PORT=1";
    let run = import(&fleet, export, &["n8"]).code(0).says(&[
        "encrypted: LOGEXPORT_HOST, LOGEXPORT_PORT\n",
        "note: LOGEXPORT_HOST is public in fleet.toml, with another value: `--public LOGEXPORT_HOST`",
        "warning: `LOGEXPORT_HOST` is set both as public and as secret",
    ]);
    run.hides("other.example");
    let args = ["n9", "--public", "LOGEXPORT_HOST"];
    let run = import(&fleet, export, &args).code(0);
    let said = "encrypted: LOGEXPORT_PORT\npublic: LOGEXPORT_HOST\nlook at it, and run `ephemeros check`\n";
    assert_eq!(run.stderr, said);
    let text = fleet.read("nodes/n9.toml");
    assert!(
        text.contains("\n\n[env]\nLOGEXPORT_HOST = \"other.example.net\"\n\n[secrets]\n"),
        "{text}"
    );
    fleet.run(&["check"]).code(0);
}

#[test]
fn an_empty_value_is_none() {
    let fleet = fleet();
    let script = "K3S_A=1 K3S_DATASTORE_ENDPOINT= K3S_B='' SSH_KEY_PATH=";
    let run = import(&fleet, script, &["n7"]).code(0);
    run.says(&[
        "encrypted: K3S_A\n",
        "note: K3S_B is left out: it is empty\n",
        "note: K3S_DATASTORE_ENDPOINT is left out: it is empty, and without it k3s uses its own SQLite\n",
    ]);
    let text = fleet.read("fleet.toml") + "[roles.k3s.env]\nK3S_B = \"b\"\n";
    let fleet = fleet.file("fleet.toml", text);
    let run = import(&fleet, script, &["n8"]).code(0);
    run.says(&[
        "warning: `K3S_B` is empty here, and the node would get that of fleet.toml",
        "<stdin>:1:33",
        "fleet.toml:",
    ]);
}

#[test]
fn roles_follow_from_variables_and_must_hold() {
    let roles = ROLES.replace("SECRET", crate::fleet::SECRET)
        + "\n[roles.base]\n[roles.other]\nvariables = [\"OTHER\"]\nenv_file = \"other_env\"\n\
           [roles.needy]\nvariables = [\"HEARTBEAT_ID\", \"HEARTBEAT_KEY\"]\nenv_file = \"needy_env\"\n\
           [roles.twin]\nvariables = [\"K3S_TWIN\"]\nenv_file = \"twin_env\"\n";
    let roles = roles.replace(
        "[defaults]\n",
        "[defaults]\nroles = [\"other\", \"base\"]\n",
    );
    let fleet = fleet()
        .fleet(&(vault(&[RECIPIENT]) + &roles))
        .node("n1", "roles = []\n");
    // Of the defaults' roles that one is left that needs nothing; a role that may be left out is warned of.
    let text = fleet.read("fleet.toml").replace("LOGEXPORT_HOST = ", "# ");
    let fleet = fleet.file("fleet.toml", text);
    let run = import(&fleet, "LOGEXPORT_PORT=1 K3S_A=2", &["n7"]).code(0);
    run.says(&[
        "warning: role `export` is left out for want of `LOGEXPORT_HOST`",
        "note: for n7",
    ]);
    assert!(
        fleet
            .read("nodes/n7.toml")
            .contains("\nroles = [\"base\", \"k3s\", \"export\"]\n")
    );
    import(&fleet, "NODE_HOSTNAME=a.b", &["n8"]).code(0);
    assert!(
        fleet
            .read("nodes/n8.toml")
            .ends_with("hostname = \"a.b\"\nroles = [\"base\"]\n")
    );
    fleet.run(&["check"]).code(0);
    refuses(
        &fleet,
        format!("HEARTBEAT_ID={CANARY}"),
        &["n9"],
        &[
            "error: role `needy` needs `HEARTBEAT_KEY`, and nothing sets it",
            "fleet.toml:",
            "for n9",
        ],
    );
    refuses(
        &fleet,
        format!("K3S_TWIN={CANARY}"),
        &["n9", "--public", "K3S_TWIN"],
        &[
            "error: the roles `k3s` and `twin` both take `K3S_TWIN` into an env file",
            "for n9",
        ],
    );
}

#[test]
fn what_check_would_refuse_is_not_written() {
    let token = format!("ghp_16C7e42F292c6912E7710c838347A{CANARY}");
    let fleet = fleet();
    refuses(
        &fleet,
        format!("K3S_A={token}"),
        &["n7", "--public", "K3S_A"],
        &[
            "error: what looks like a GitHub token stands in a public file",
            "for n7",
        ],
    );
    // The mistakes of others are theirs.
    let fleet = fleet.node("n2", "roles = [\"none\"]\n");
    import(&fleet, format!("K3S_A={token}"), &["n7"])
        .code(0)
        .hides("none");
    let fleet = fleet.butane("base.bu", "storage: {{ vars.missing }}\n");
    refuses(
        &fleet,
        "K3S_A=1",
        &["n8"],
        &["error: ", "base.bu:3", "for n8"],
    );
}

#[test]
fn without_recipients_there_is_no_secret() {
    let roles = ROLES.replace("SECRET", crate::fleet::SECRET);
    let roles = roles.replace("[defaults.secrets]\nHEARTBEAT_URL", "# ");
    let fleet = fleet().fleet(&(vault(&[]) + &roles));
    let before = fleet.files();
    let run = import(&fleet, format!("K3S_A={CANARY}"), &["n7"]).code(1);
    run.says(&["there are no recipients to encrypt to"]);
    assert!(before == fleet.files());
    import(&fleet, "K3S_A=1", &["n7", "--public", "K3S_A"]).code(0);
}

#[test]
fn the_public_key_comes_over_and_no_private_one() {
    let private =
        "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary7\n-----END OPENSSH PRIVATE KEY-----\n";
    let fleet = fleet()
        .file("key", private)
        .file("age", "AGE-SECRET-KEY-1CANARY7canary7\n")
        .file("other", format!("{CANARY}\n"))
        .file("two.pub", format!("{KEY}\n{KEY}{CANARY}\n"))
        .file("bytes", b"\xff");
    for (path, says) in [
        ("key", "error: `SSH_KEY_PATH` names a private key"),
        ("age", "error: `SSH_KEY_PATH` names a private key"),
        (
            "other",
            "error: the file that `SSH_KEY_PATH` names is no SSH public key",
        ),
        (
            "two.pub",
            "error: the file that `SSH_KEY_PATH` names is no SSH public key",
        ),
        (
            "bytes",
            "error: the file that `SSH_KEY_PATH` names is no SSH public key",
        ),
        (
            "canary7",
            "error: the file that `SSH_KEY_PATH` names can't be read: ",
        ),
        (
            "nodes",
            "error: the file that `SSH_KEY_PATH` names can't be read: ",
        ),
    ] {
        let script = format!("K3S_A=1\nSSH_KEY_PATH={path}\n");
        refuses(&fleet, script, &["n7"], &[says, "<stdin>:2:1"]);
    }
    let script = "K3S_A=1\nSSH_KEY_PATH='~/.ssh/id_rsa.pub'\n";
    refuses(
        &fleet,
        script,
        &["n7"],
        &["can't be read", "`~` is not expanded here"],
    );
    // From the working directory, which need not be the fleet's.
    let root = fleet.root();
    let run = fleet
        .command(&["import", "env", "n7", "-C", root.to_str().unwrap()])
        .folder(root.join("nodes"))
        .env("SSH_KEY_PATH", "../key.pub")
        .run();
    run.code(0);
    let expected = format!(
        "# Brought over from the original Ephemeros: the environment\nssh_authorized_keys = [\"{KEY}\"]\n"
    );
    assert_eq!(fleet.read("nodes/n7.toml"), expected);
    let defaults = format!(
        "[defaults]\nssh_authorized_keys = [\"{}\"]\n",
        KEY.replace("me@desk", "us")
    );
    let text = fleet.read("fleet.toml").replace("[defaults]\n", &defaults);
    let fleet = fleet.file("fleet.toml", text);
    let run = import(&fleet, "K3S_A=1\nSSH_KEY_PATH=key.pub\n", &["n8"]).code(0);
    run.says(&["note: SSH_KEY_PATH is left out: fleet.toml gives the node that key already"]);
    assert!(!fleet.read("nodes/n8.toml").contains("ssh_authorized_keys"));
}

#[test]
fn the_example_takes_a_whole_node_of_the_original() {
    let fleet = Fleet::example()
        .file("id_rsa.pub", format!("{KEY}\n"))
        .git();
    let run = fleet
        .command(&[
            "import",
            "env",
            "--public",
            "NAMECHEAP_DDNS_INTERFACE",
            "--public",
            "LOGEXPORT_HOST",
        ])
        .env(
            "SSH_KEY_PATH",
            fleet.root().join("id_rsa.pub").to_str().unwrap(),
        )
        .env("NODE_HOSTNAME", "node1341.example.com")
        .env("LOGEXPORT_HOST", "syslog.example.net")
        .env("LOGEXPORT_PORT", "canary7")
        .env("HEARTBEAT_URL", "https://hc.example.com/canary7")
        .env("NAMECHEAP_DDNS_PASS", "canary7")
        .env("NAMECHEAP_DDNS_INTERFACE", "eth0")
        .env(
            "K3S_DATASTORE_ENDPOINT",
            "postgres://user:canary7@db.example.com/k3s",
        )
        .env("K3S_TOKEN", "canary7")
        .run();
    run.code(0).hides(CANARY);
    let run = fleet
        .run(&["check"])
        .code(0)
        .prints(&["5 nodes, no mistakes\n"]);
    run.hides("node1341");
    let text = without_values(&fleet, "node1341");
    assert!(
        text.contains("hostname = \"node1341.example.com\"\nroles = [\"k3s\", \"logexport\", \"heartbeat\", \"ddns\"]\n\n[env]\nLOGEXPORT_HOST = \"syslog.example.net\"\nNAMECHEAP_DDNS_INTERFACE = \"eth0\"\n"),
        "{text}"
    );
    assert_eq!(
        get(&fleet, "node1341", "HEARTBEAT_URL"),
        b"https://hc.example.com/canary7"
    );
}

#[test]
fn two_imports_differ_only_in_what_is_encrypted() {
    let fleet = fleet();
    let script = "K3S_B=1 K3S_A=2 HEARTBEAT_URL=3";
    import(&fleet, script, &["n7"]).code(0);
    import(&fleet, script, &["n8"]).code(0);
    assert_eq!(without_values(&fleet, "n7"), without_values(&fleet, "n8"));
    assert_ne!(fleet.read("nodes/n7.toml"), fleet.read("nodes/n8.toml"));
}

#[test]
fn two_writers_do_not_meet() {
    let fleet = fleet();
    let path = fleet.root().join(".ephemeros.lock");
    let _lock = ephemeros::write::Lock::take(&path, "render").unwrap();
    let run = import(&fleet, "K3S_A=1", &["n7"]).code(1);
    run.says(&["error: another command is writing this fleet: `ephemeros render`"]);
}
