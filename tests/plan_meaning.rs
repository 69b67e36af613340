//! `plan` in the machine's terms: what another boot script boots, and what becomes of a node before its stick is written.

use serde_json::{Value, json};

use crate::fleet::{Fleet, LOCK, RECIPIENT};
use crate::repository::{KNOWN_URL, THREE_LINES};
use crate::sticks::{ONE, flash};

const NODE: &str = "templates = [\"base.bu\"]\n";

/// What a plan says between its first line and what it costs.
#[track_caller]
fn changes(fleet: &Fleet) -> String {
    let plan = fleet.plans(&[]);
    let (_, rest) = plan.split_once("\n\n").unwrap();
    let (changes, _) = rest.rsplit_once("\n\n").unwrap();
    changes.to_owned()
}

fn json(fleet: &Fleet) -> Value {
    serde_json::from_str(&fleet.plans(&["--json"])).unwrap()
}

#[test]
fn another_release_is_one_line() {
    let fleet = Fleet::committed();
    let fleet = fleet.file("fleet.lock", LOCK.replace("4593.2.5", "4593.2.6"));
    assert_eq!(
        changes(&fleet),
        "~ operating system  on n1\n    version: 4593.2.5 -> 4593.2.6"
    );
    assert_eq!(
        json(&fleet)["nodes"][0]["changes"],
        json!([{
            "subject": "operating system",
            "kind": "changed",
            "attributes": [{ "name": "version", "before": "4593.2.5", "after": "4593.2.6" }],
            "diff": "",
        }])
    );
}

#[test]
fn another_channel_is_no_other_server() {
    let lock = LOCK.to_owned()
        + "\n[[os]]\ndistro = \"flatcar\"\nchannel = \"beta\"\narch = \"arm64\"\nversion = \"4600.1.0\"\n";
    let fleet = Fleet::committed().file("fleet.lock", lock);
    let fleet = fleet.fleet(&format!(
        "{KNOWN_URL}[os]\nchannel = \"beta\"\narch = \"arm64\"\n"
    ));
    assert_eq!(
        changes(&fleet),
        "~ operating system  on n1\n    arch: amd64 -> arm64\n    channel: stable -> beta\n    version: 4593.2.5 -> 4600.1.0"
    );
}

#[test]
fn another_distribution_is_told_with_its_arguments() {
    let fleet = Fleet::committed();
    let os = "[os]\ndistro = \"fedora-coreos\"\nversion = \"44.20260707.3.1\"\n";
    let fleet = fleet.fleet(&format!("{KNOWN_URL}{os}[vault]\nmount = \"/var/secrets\"\n")).file(
        "templates/base.bu",
        "variant: fcos\nversion: 1.4.0\nstorage:\n  files:\n    - path: /etc/a\n      contents:\n        inline: |\n          one\n          two\n          three\n",
    );
    let told = changes(&fleet);
    for text in [
        "    distro: flatcar -> fedora-coreos\n",
        "    version: 4593.2.5 -> 44.20260707.3.1",
        "\n    -flatcar.first_boot=1\n    +ignition.firstboot\n",
    ] {
        assert!(told.contains(text), "{text}\n{told}");
    }
    for implied in ["rootfs", "initrd", "live-kernel", "vmlinuz", "servers"] {
        let script = told.contains("~ boot script");
        assert!(script || !told.contains(implied), "{implied}\n{told}");
    }
}

#[test]
fn kernel_arguments_are_a_list_in_its_order() {
    let fleet = Fleet::new().fleet(&format!(
        "{KNOWN_URL}[os]\nkernel_args = [\"a=1\", \"b\", \"c\"]\n"
    ));
    let fleet = fleet.butane("base.bu", THREE_LINES);
    fleet.renders();
    let fleet = fleet.git();
    fleet.replace(
        "fleet.toml",
        "\"a=1\", \"b\", \"c\"",
        "\"b\", \"a=1\", \"c\", \"quiet\"",
    );
    assert_eq!(
        changes(&fleet),
        "~ kernel command line  on n1\n    \
         @@ -1,5 +1,6 @@\n     \
         ignition.config.url=https://raw.githubusercontent.com/acme/fleet/main/ignition/n1.ign\n     \
         flatcar.first_boot=1\n    \
         +b\n     \
         a=1\n    \
         -b\n     \
         c\n    \
         +quiet"
    );
}

#[test]
fn mirrors_are_told_in_the_order_in_which_they_are_tried() {
    let os = |mirrors: &str| format!("{KNOWN_URL}[os]\nmirrors = [{mirrors}]\n");
    let fleet = Fleet::committed().fleet(&os("\"http://10.0.0.2/flatcar\""));
    let servers = "~ operating system  on n1\n    servers:\n      @@ -1 +1,2 @@\n      +http://10.0.0.2/flatcar\n       the distribution's own";
    assert_eq!(changes(&fleet), servers);
    fleet.renders();
    fleet.commit();
    let fleet = fleet.fleet(&os("\"https://b.example\", \"http://10.0.0.2/flatcar\""));
    let told = changes(&fleet);
    assert!(
        told.contains("\n      +https://b.example\n       http://10.0.0.2/flatcar\n"),
        "{told}"
    );
    assert!(!told.contains("boot script"), "{told}");
}

#[test]
fn a_url_that_the_fleet_fixes_is_an_argument_of_the_kernel() {
    let fleet = Fleet::committed();
    fleet.replace("fleet.toml", "acme/fleet", "acme/moved");
    let told = changes(&fleet);
    assert!(told.starts_with("~ kernel command line  on n1\n"), "{told}");
    for side in [
        "-ignition.config.url=https://raw.githubusercontent.com/acme/fleet/",
        "+ignition.config.url=https://raw.githubusercontent.com/acme/moved/",
    ] {
        assert!(told.contains(side), "{told}");
    }
    assert!(!told.contains("boot script"), "{told}");
}

#[test]
fn a_url_that_the_fleet_begins_to_fix_is_told_once() {
    let fleet = Fleet::new()
        .fleet("[git]\nbranch = \"main\"\n")
        .butane("base.bu", THREE_LINES);
    fleet.renders();
    let fleet = fleet.git().fleet(KNOWN_URL);
    assert_eq!(
        changes(&fleet),
        "~ kernel command line  on n1\n    \
         @@ -1,2 +1,2 @@\n    \
         -ignition.config.url=<config-url>\n    \
         +ignition.config.url=https://raw.githubusercontent.com/acme/fleet/main/ignition/n1.ign\n     \
         flatcar.first_boot=1"
    );
}

/// A boot script of the fleet's own.
const OWN: &str = "#!ipxe\necho hello\nkernel http://boot.example/sys/1.0/linux initrd=initrd.img ignition.config.url=${config-url} ro || exit 1\n\
    initrd http://boot.example/sys/1.0/initrd.img || exit 1\nboot || exit 1\nexit 1\n";

#[test]
fn what_is_told_of_the_system_is_told_once() {
    let fleet = Fleet::committed().file("templates/boot.ipxe", OWN);
    fleet.renders();
    fleet.commit();
    let own = OWN
        .replace("sys/1.0", "sys/1.1")
        .replace(" ro ", " ro quiet ")
        .replace("echo hello", "echo hello again");
    let fleet = fleet.file("templates/boot.ipxe", own);
    assert_eq!(
        changes(&fleet),
        "~ boot script  on n1\n    \
         @@ -1,4 +1,4 @@\n     \
         #!ipxe\n    \
         -echo hello\n    \
         +echo hello again\n     \
         kernel <server 1>/linux <kernel command line> || exit 1\n     \
         initrd <server 1>/initrd.img || exit 1\n\
         \n\
         ~ kernel command line  on n1\n    \
         @@ -1,2 +1,3 @@\n     \
         ignition.config.url=<config-url>\n     \
         ro\n    \
         +quiet\n\
         \n\
         ~ operating system  on n1\n    \
         servers:\n      \
         @@ -1 +1 @@\n      \
         -http://boot.example/sys/1.0\n      \
         +http://boot.example/sys/1.1"
    );
}

#[test]
fn a_script_that_asks_the_machine_is_shown_line_by_line() {
    let asks = |line: &str| {
        OWN.replace(
            "echo hello\n",
            &format!("iseq ${{net0/mac}} 52:54:00:00:00:01 && {line} ||\n"),
        )
    };
    let fleet = Fleet::committed().file("templates/boot.ipxe", asks("goto one") + ":one\n");
    fleet.renders();
    fleet.commit();
    let fleet = fleet.file(
        "templates/boot.ipxe",
        asks("goto one").replace("1.0", "1.1") + ":one\n",
    );
    let told = changes(&fleet);
    assert!(told.starts_with("~ boot script  on n1\n"), "{told}");
    assert!(
        told.contains("-initrd http://boot.example/sys/1.0/initrd.img || exit 1\n"),
        "{told}"
    );
    assert!(!told.contains("operating system"), "{told}");
}

#[test]
fn a_script_that_starts_nothing_is_shown_line_by_line() {
    let fleet = Fleet::committed();
    fleet.write("ipxe/n1.ipxe", "#!ipxe\nexit 1\n");
    fleet.commit();
    let told = changes(&fleet);
    assert!(told.starts_with("~ boot script  on n1\n"), "{told}");
    assert!(told.contains("\n    +boot || goto next_1\n"), "{told}");
}

#[test]
fn a_script_on_the_stick_costs_a_flash_whatever_part_of_it_changes() {
    let fleet = |text: &str| format!("{KNOWN_URL}[stick]\nscript = \"stick\"\n{text}");
    let one = Fleet::new()
        .fleet(&fleet(""))
        .butane("base.bu", THREE_LINES);
    one.renders();
    let one = one.git();
    let release = one
        .duplicate()
        .file("fleet.lock", LOCK.replace("2.5", "2.6"));
    let mirror = one
        .duplicate()
        .fleet(&fleet("[os]\nmirrors = [\"http://a.b\"]\n"));
    let args = one
        .duplicate()
        .fleet(&fleet("[os]\nkernel_args = [\"x\"]\n"));
    for fleet in [release, mirror, args] {
        let node = &json(&fleet)["nodes"][0];
        assert_eq!(node["cost"], "reflash", "{node}");
        assert_eq!(node["reasons"], json!(["the boot script"]));
        assert_eq!(
            node["meanwhile"],
            json!([
                "until then it boots by the old script: system, mirrors and kernel arguments of its day"
            ])
        );
    }
}

#[test]
fn modes_and_owners_are_those_of_people() {
    let file = |more: &str| {
        format!(
            "storage:\n  files:\n    - path: /etc/a\n      contents: {{inline: a}}\n{more}  directories:\n    - path: /etc/d\n      group: {{name: core}}\n"
        )
    };
    let fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", &file(""));
    fleet.renders();
    let fleet = fleet.git();
    let fleet = fleet.butane(
        "base.bu",
        &file("      mode: 0600\n      user: {name: core}\n      group: {id: 500}\n"),
    );
    assert_eq!(
        changes(&fleet),
        "~ file /etc/a  on n1\n    group: the default -> 500\n    mode: the default -> 0600\n    owner: the default -> core"
    );
}

/// A service that can't do without its secrets, and one that can.
const UNITS: &str = "systemd:\n  units:\n    - name: web.service\n      contents: |\n        [Service]\n        ExecStart=/bin/true\n        EnvironmentFile=/secrets/web_env\n    - name: ping.service\n      contents: |\n        [Service]\n        ExecStart=/bin/cat /secrets/tls/key\n        EnvironmentFile=-/secrets/web_env\n    - name: secrets.mount\n      contents: |\n        [Mount]\n        What=/dev/disk/by-partuuid/{{ vault.partuuid }}\n        Where={{ vault.mount }}\n";

const ROLES: &str = "[roles.web]\nvariables = [\"TOKEN\", \"USER\"]\nenv_file = \"web_env\"\non_missing = \"skip\"\n[roles.web.files]\n\"tls/key\" = \"KEY\"\n";

/// A pushed fleet with these secrets on its one node.
fn with_secrets(names: &[&str]) -> Fleet {
    let fleet = Fleet::new()
        .fleet(&format!(
            "{KNOWN_URL}[vault]\nrecipients = [\"{RECIPIENT}\"]\n{ROLES}"
        ))
        .butane("base.bu", UNITS)
        .node("n1", &format!("roles = [\"web\"]\n{NODE}"));
    for name in names {
        set(&fleet, name);
    }
    fleet.renders();
    fleet.git()
}

fn set(fleet: &Fleet, name: &str) {
    let set = fleet.command(&["secrets", "set", "n1", name]);
    set.stdin("hunter2").run().code(0);
}

fn meanwhile(fleet: &Fleet) -> (String, Vec<String>) {
    let node = &json(fleet)["nodes"][0];
    let sentences = node["meanwhile"].as_array().unwrap().iter();
    (
        node["cost"].as_str().unwrap().to_owned(),
        sentences
            .map(|it| it.as_str().unwrap().to_owned())
            .collect(),
    )
}

#[test]
fn a_secret_of_another_value_leaves_the_node_with_the_old_one() {
    let fleet = with_secrets(&["TOKEN", "USER", "KEY"]);
    set(&fleet, "TOKEN");
    let told = ["until then it runs with the old value of `TOKEN`".to_owned()];
    assert_eq!(meanwhile(&fleet), ("reflash".to_owned(), told.to_vec()));
    let plan = fleet.plans(&[]);
    assert!(
        plan.contains(&format!(
            "\n    `TOKEN` has another value\n    {}\n",
            told[0]
        )),
        "{plan}"
    );
    // By the record as by the base.
    fleet.git_says(&["checkout", "--quiet", "nodes"]);
    let fleet = fleet.remote("origin", "https://github.com/acme/fleet");
    flash(&fleet, "n1", ONE, None);
    set(&fleet, "TOKEN");
    assert_eq!(meanwhile(&fleet), ("reflash".to_owned(), told.to_vec()));
    assert!(fleet.plans(&[]).contains("\n    stick 11110000\n"));
}

#[test]
fn what_a_config_needs_and_a_stick_lacks_is_told_with_the_units_that_fail() {
    let fleet = with_secrets(&[]);
    for name in ["TOKEN", "USER", "KEY"] {
        set(&fleet, name);
    }
    let (cost, told) = meanwhile(&fleet);
    assert_eq!(cost, "reflash-first");
    assert_eq!(
        told,
        [
            "booted before that it has no `/secrets/tls/key`: `ping.service` does not find it",
            "booted before that it has no `/secrets/web_env`: `web.service` fails; `ping.service` does not find it",
        ]
    );
}

#[test]
fn a_variable_that_is_missing_in_its_file_stops_no_unit() {
    let fleet = with_secrets(&["TOKEN", "KEY"]);
    fleet.replace("fleet.toml", "\"TOKEN\", \"USER\"", "\"TOKEN\"");
    fleet.renders();
    fleet.commit();
    fleet.replace("fleet.toml", "\"TOKEN\"", "\"TOKEN\", \"USER\"");
    set(&fleet, "USER");
    let told = "booted before that it has no `USER` in `/secrets/web_env`: `ping.service`, `web.service` run without";
    assert_eq!(
        meanwhile(&fleet),
        ("reflash-first".to_owned(), vec![told.to_owned()])
    );
}

#[test]
fn a_new_volume_is_told_as_what_it_does() {
    let fleet = with_secrets(&["TOKEN", "USER", "KEY"]);
    fleet.replace(
        "fleet.toml",
        "6b1e2a54-7c0f-4b7e-9d43-2f1f6a3f1c11",
        "6b1e2a54-7c0f-4b7e-9d43-2f1f6a3f1c12",
    );
    let told = "booted before that it finds no volume for `/secrets`: the mount fails after 90 s, and what needs it";
    assert_eq!(
        meanwhile(&fleet),
        ("reflash-first".to_owned(), vec![told.to_owned()])
    );
}

#[test]
fn a_removed_node_is_told_what_awaits_it() {
    let fleet = Fleet::committed().node("n2", NODE).without("nodes/n1.toml");
    let (cost, told) = meanwhile(&fleet);
    assert_eq!(cost, "removed");
    assert!(
        told[0].contains("404") && told[0].contains("300 s"),
        "{told:?}"
    );
    let plan = fleet.plans(&[]);
    assert!(plan.contains(&format!("\n    {}\n", told[0])), "{plan}");
}

#[test]
fn a_clean_clone_without_a_key_says_all_of_it() {
    let origin = with_secrets(&["TOKEN", "USER", "KEY"]);
    let origin = origin.published();
    flash(&origin, "n1", ONE, None);
    origin.commit();
    origin.git_says(&["push", "--quiet"]);
    set(&origin, "TOKEN");
    origin.replace("templates/base.bu", "/bin/true", "/bin/false");
    let lock = LOCK.replace("4593.2.5", "4593.2.6");
    origin.write("fleet.lock", lock);
    let toml = origin.read("fleet.toml") + "[os]\nkernel_args = [\"quiet\"]\n";
    origin.write("fleet.toml", toml);
    origin.git_says(&["switch", "--quiet", "--create", "change"]);
    origin.commit();
    let clone = origin.cloned();
    clone.git_says(&[
        "remote",
        "set-url",
        "origin",
        origin.origin().to_str().unwrap(),
    ]);
    clone.git_says(&["fetch", "--quiet", "origin"]);
    let home = std::fs::read_dir(clone.home()).unwrap().count();
    assert_eq!(home, 0, "the home is empty");
    let version = |fleet: &Fleet| {
        let list = fleet.run(&["secrets", "list", "--json"]).code(0);
        let list: Value = serde_json::from_str(&list.stdout).unwrap();
        let secrets = list["secrets"].as_array().unwrap().clone();
        let token = secrets
            .into_iter()
            .find(|it| it["name"] == "TOKEN")
            .unwrap();
        token["version"].as_str().unwrap().to_owned()
    };
    for form in [&[][..], &["--markdown"], &["--json"], &["-v"]] {
        let run = clone.run(&[&["plan"], form].concat()).code(0);
        let run = run.prints(&[
            "origin/main",
            "web.service",
            "-ExecStart=/bin/true",
            "+ExecStart=/bin/false",
            "4593.2.6",
            "+quiet",
            "TOKEN",
            "has another value",
            "until then it runs with the old value of",
        ]);
        let run = run.hides("age:").hides(&version(&clone)).hides("hunter2");
        if form != ["--json"] {
            let run = run.prints(&["Plan: 1 to re-flash.", "11110000"]);
            assert!(
                run.stderr.is_empty() || run.stderr.starts_with("note: "),
                "{}",
                run.stderr
            );
        }
    }
}
