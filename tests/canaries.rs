//! No command shows or writes a secret. Canaries stand in every secret of a fleet; each command that there is runs, well
//! and badly, and all that it prints and writes is searched for them in every encoding.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use clap::CommandFactory as _;
use ephemeros::cli::Cli;
use ephemeros::stick::{Part, Sector};
use regex::bytes::{RegexSet, RegexSetBuilder};

use crate::fleet::{Fleet, Tool};
use crate::image::loaders;
use crate::repository::{KNOWN_URL, has_program, is_root};
use crate::serve::{INITRD, KERNEL};
use crate::sticks::{ONE, flash};
use crate::web::{Answer, Web};

/// Values that stand nowhere else: in a variable, in a file of their own, in one that somebody forgot to encrypt, in one
/// that is set, in the environment that is imported.
const CANARIES: [&str; 5] = [
    "canary/one \"9c1e5b\" & 2270aa41f3?",
    "canary two\n-----BEGIN X-----\nqzBw7kTnJ4mXv8sLd2fRy6h\n-----END X-----\n",
    "canary_three_kR7vQ2xW9z",
    "canary four=\u{fc}\\'$x",
    "canary-five-hT3jN8bV1c",
];

/// A run of the tool: what the command is called, its arguments behind that, and how it ends.
struct Case {
    command: &'static str,
    args: Vec<String>,
    code: i32,
    stdin: &'static str,
    env: Vec<(&'static str, String)>,
    /// What is made of the fleet before.
    prepare: fn(&Fleet),
    /// What it is asked to print.
    prints: Option<&'static str>,
}

fn case(command: &'static str, args: &[&str], code: i32) -> Case {
    Case {
        command,
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        code,
        stdin: "",
        env: Vec::new(),
        prepare: |_| {},
        prints: None,
    }
}

impl Case {
    fn stdin(self, stdin: &'static str) -> Self {
        Self { stdin, ..self }
    }

    fn env(mut self, name: &'static str, value: &str) -> Self {
        self.env.push((name, value.to_owned()));
        self
    }

    fn with(self, prepare: fn(&Fleet)) -> Self {
        Self { prepare, ..self }
    }

    fn prints(self, canary: &'static str) -> Self {
        Self {
            prints: Some(canary),
            ..self
        }
    }

    fn tool(&self, fleet: &Fleet, flag: Option<&str>) -> Tool {
        let words = self.command.split(' ').map(str::to_owned);
        let all: Vec<String> = words
            .chain(flag.map(str::to_owned))
            .chain(self.args.iter().cloned())
            .collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let mut tool = fleet.command(&all).stdin(self.stdin);
        for (name, value) in &self.env {
            tool = tool.env(name, value);
        }
        tool
    }
}

/// A fleet with a canary in each secret, its identity in the home of its user, and a stick of the first node.
fn fleet() -> Fleet {
    let fleet = Fleet::new().file(".gitignore", "*.img\n");
    let made = fleet.run(&["secrets", "keygen"]).code(0);
    let recipient = made.stdout.trim();
    let fleet = fleet
        .fleet(&format!(
            "{KNOWN_URL}\n[vault]\nrecipients = [{recipient:?}]\n\n[roles.web]\nvariables = [\"TOKEN\", \"X_*\"]\n\
             env_file = \"web_env\"\n[roles.web.files]\n\"tls/node.key\" = \"KEY\"\n[roles.k3s]\nvariables = [\"K3S_*\"]\n\
             env_file = \"k3s_env\"\n"
        ))
        .node("n1", "roles = [\"web\"]\ntemplates = [\"base.bu\"]\n")
        .node("n2", "templates = [\"base.bu\"]\n")
        .file("id.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH7R74GRQtVDWNUPY406oYXwQJUagVco5aWUWdZbbOm0 me\n");
    for (name, canary) in [("TOKEN", CANARIES[0]), ("KEY", CANARIES[1])] {
        fleet
            .command(&["secrets", "set", "n1", name])
            .stdin(canary)
            .run()
            .code(0);
    }
    fleet.renders();
    fleet.git()
}

/// The second node has to be rendered anew.
fn change_and_commit(fleet: &Fleet) {
    fleet.write("nodes/n2.toml", "templates = []\n");
    fleet.commit();
}

/// A bare repository that has nothing yet.
fn add_a_forge(fleet: &Fleet) {
    change_and_commit(fleet);
    let origin = fleet.origin();
    let origin = origin.to_str().unwrap();
    fleet.git_says(&["init", "--quiet", "--bare", origin]);
    fleet.git_says(&["remote", "add", "origin", origin]);
}

/// A value of the second node that nobody encrypted.
fn forget_to_encrypt(fleet: &Fleet) {
    fleet.write(
        "nodes/n2.toml",
        format!("roles = [\"web\"]\n[secrets]\nTOKEN = {:?}\n", CANARIES[2]),
    );
}

/// The same in a file that is no TOML, in the line that the message is about.
fn break_a_line(fleet: &Fleet) {
    fleet.write(
        "nodes/n2.toml",
        format!("[secrets]\nTOKEN = \"{}\nKEY = \n", CANARIES[2]),
    );
}

/// Values that were encrypted to others.
fn lose_the_key(fleet: &Fleet) {
    fs::remove_file(fleet.home().join(".config/ephemeros/identity")).unwrap();
    fleet.run(&["secrets", "keygen"]).code(0);
}

fn change_the_recipients(fleet: &Fleet) {
    let other = "age1tzha5pml89m07twagpf3jesrtedseakqmz7hmprhhhe4jquedgdqqm7qsh";
    fleet.replace(
        "fleet.toml",
        "recipients = [",
        &format!("recipients = [\"{other}\", "),
    );
}

/// Then there is nothing that the network could be asked for.
fn name_a_release(fleet: &Fleet) {
    fleet.replace(
        "fleet.toml",
        "[vault]",
        "[os]\nversion = \"4593.2.5\"\n\n[vault]",
    );
}

fn leak_the_value(fleet: &Fleet) {
    let canary = serde_json::to_string(CANARIES[0]).unwrap();
    let text = format!(
        "variant: flatcar\nversion: 1.0.0\nstorage:\n  files:\n    - path: /etc/x\n      contents:\n        inline: {canary}\n"
    );
    fleet.write("templates/base.bu", text);
}

/// The beginning of the id of the stick that is recorded.
const STICK: &str = "1111";

fn record_a_stick(fleet: &Fleet) {
    flash(fleet, "n1", ONE, None);
}

/// A value where its version belongs, and once more on a line that is no TOML.
fn paste_into_the_record(fleet: &Fleet) {
    record_a_stick(fleet);
    let text = fleet.read("sticks/n1.toml");
    let pasted = format!(
        "[stick.secrets]\nX_A = {:?}\nX_B = \"{}\n",
        CANARIES[2], CANARIES[2]
    );
    fleet.write("sticks/n1.toml", text.replace("[stick.secrets]\n", &pasted));
}

/// Where the releases of a case are found.
const RELEASES: &str = "../releases";

fn put_releases(fleet: &Fleet) {
    let folder = fleet.root().with_file_name("releases");
    fs::create_dir_all(&folder).unwrap();
    for name in [KERNEL, INITRD] {
        fs::write(folder.join(name), name).unwrap();
    }
}

fn make_a_stick(fleet: &Fleet) {
    let loaders = loaders().unwrap();
    let args = [
        "image",
        "n1",
        "-o",
        "../n1.img",
        "--ipxe",
        loaders.to_str().unwrap(),
    ];
    fleet.run(&args).code(0);
}

/// Where the identity is, from the fleet's folder.
const IDENTITY: &str = "../home/.config/ephemeros/identity";

/// Editors that write down what they can see of the tool: one that changes a value, one that leaves mistakes, one that
/// fails and leaves a copy beside.
fn add_editors(fleet: &Fleet) {
    let script = "#!/bin/sh\nenv > \"$HOME/seen\"; tr '\\0' '\\n' < /proc/$PPID/cmdline >> \"$HOME/seen\"; echo \"$@\" >> \"$HOME/seen\"\n";
    let canary = CANARIES[2];
    let scripts = [
        (
            "editor",
            format!("{script}sed -i 's/^TOKEN = .*/TOKEN = \"another value\"/' \"$1\"\n"),
        ),
        (
            "breaker",
            format!(
                "{script}printf 'TOKEN = \"{canary}\\nX_A = 5\\nbad-name = \"{canary}\"\\n' > \"$1\"\n"
            ),
        ),
        ("failer", format!("{script}cp \"$1\" \"$1.swp\"; exit 3\n")),
    ];
    for (name, script) in &scripts {
        let path = fleet.home().join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn cases_of_secrets() -> Vec<Case> {
    let editor = |name: &str| format!("\"$HOME/{name}\"");
    vec![
        case("secrets keygen", &["-o", "other-identity"], 0),
        case("secrets keygen", &[], 1),
        case("secrets set", &["n1", "X_NEW"], 0).stdin(CANARIES[3]),
        case(
            "secrets set",
            &["n1", "TOKEN", "--expires", "2999-01-01"],
            0,
        )
        .stdin(CANARIES[3]),
        case("secrets set", &["n3", "X_NEW"], 1).stdin(CANARIES[3]),
        case("secrets set", &["n1", "bad-name"], 1).stdin(CANARIES[3]),
        case("secrets set", &["n1", "X_NUL"], 1).stdin("canary four=\u{fc}\\'$x\0"),
        case("secrets set", &["n2", "TOKEN"], 1)
            .stdin(CANARIES[3])
            .with(break_a_line),
        case("secrets set", &["n1", "TOKEN", CANARIES[4]], 64),
        case("secrets get", &["n1", "TOKEN"], 0).prints(CANARIES[0]),
        case("secrets get", &["n1", "TOKEN"], 1).with(lose_the_key),
        case("secrets get", &["n1", "TOKNE"], 1),
        case("secrets rm", &["n1", "TOKEN"], 0),
        case("secrets rm", &["n1", "TOKNE"], 1),
        case("secrets list", &[], 0),
        case("secrets list", &["--age"], 0),
        case("secrets list", &[], 1).with(forget_to_encrypt),
        case("secrets rekey", &[], 0).with(change_the_recipients),
        case("secrets rekey", &["--dry-run"], 0).with(change_the_recipients),
        case("secrets rekey", &[], 1).with(|fleet| {
            change_the_recipients(fleet);
            lose_the_key(fleet);
        }),
        case("secrets exposed", &["--node", "n1"], 0),
        case("secrets exposed", &["--node", "n2"], 0).with(forget_to_encrypt),
        case("secrets exposed", &["--node", "n3"], 1),
        case("secrets exposed", &["--stick", STICK], 0).with(record_a_stick),
        case("secrets exposed", &["--stick", STICK], 1).with(paste_into_the_record),
        case("secrets edit", &["n1"], 0).env("EDITOR", &editor("editor")),
        case("secrets edit", &["n1"], 1).env("EDITOR", &editor("breaker")),
        case("secrets edit", &["n1"], 1).env("EDITOR", &editor("failer")),
        case("secrets edit", &["n1"], 1)
            .env("EDITOR", &editor("editor"))
            .with(lose_the_key),
    ]
}

/// Where the drive of a case is found.
const DRIVE: &str = "../drive";

/// Makes a drive of a file beside the fleet.
fn attach_a_drive(fleet: &Fleet) {
    let file = fleet.root().with_file_name("drive.img");
    fs::File::create(&file).unwrap().set_len(130 << 20).unwrap();
    let attach = Command::new("losetup")
        .args(["--find", "--show"])
        .arg(&file)
        .output();
    let path = String::from_utf8(attach.unwrap().stdout).unwrap();
    symlink(path.trim(), fleet.root().with_file_name("drive")).unwrap();
}

/// Takes it away again, where there is one.
fn detach_the_drive(fleet: &Fleet) {
    if let Ok(path) = fleet.root().with_file_name("drive").canonicalize() {
        let detach = Command::new("losetup").arg("--detach").arg(path).status();
        assert!(detach.unwrap().success());
    }
}

fn cases_of_the_record() -> Vec<Case> {
    vec![
        case("sticks list", &[], 0).with(record_a_stick),
        case("sticks list", &[], 1).with(break_a_line),
        case("sticks active", &[STICK], 0).with(record_a_stick),
        case("sticks active", &[STICK], 1),
        case("sticks spare", &[STICK], 0).with(record_a_stick),
        case("plan", &[], 0).with(record_a_stick),
        case("plan", &[], 1).with(paste_into_the_record),
        case("check", &[], 1).with(paste_into_the_record),
        case("sticks spare", &[STICK], 1).with(paste_into_the_record),
        case("sticks lost", &[STICK], 0).with(record_a_stick),
        case("sticks lost", &["no"], 64).with(record_a_stick),
        case("sticks forget", &[STICK], 0).with(record_a_stick),
        case("sticks forget", &[STICK], 1),
    ]
}

fn cases_of_render() -> Vec<Case> {
    vec![
        case("render", &[], 0),
        case("render", &[], 1).with(forget_to_encrypt),
        case("render", &[], 1).with(break_a_line),
        case("render", &["--check"], 1).with(leak_the_value),
        case("render", &["--commit"], 0).with(change_and_commit),
        case("render", &["--commit"], 1).with(leak_the_value),
        case("render", &["--commit"], 1).with(forget_to_encrypt),
        case("render", &["--push"], 0).with(add_a_forge),
        case("render", &["--push"], 1).with(change_and_commit),
    ]
}

fn cases_of_the_site() -> Vec<Case> {
    let export = ["--live", "--os", RELEASES, "--export", "../site"];
    vec![
        case("serve", &export, 0).with(put_releases),
        case("serve", &export, 1).with(leak_the_value),
        case("serve", &export, 1).with(forget_to_encrypt),
        case("serve", &export, 1).with(break_a_line),
    ]
}

fn cases_of_boot() -> Vec<Case> {
    // What is left out is said by `loaders`, and by the tests of `boot`.
    let Some(loaders) = loaders().filter(|_| has_program("qemu-system-x86_64")) else {
        return vec![case("boot", &["--help"], 0), case("boot", &[], 64)];
    };
    let boot = [
        "n1",
        "--ipxe",
        loaders.to_str().unwrap(),
        "--os",
        RELEASES,
        "--firmware",
        "bios",
        "--memory",
        "256MiB",
        "--until",
        "iPXE runs the stick of n1",
    ];
    vec![
        case("boot", &boot, 0).with(put_releases),
        case("boot", &boot, 1),
        case("boot", &boot, 1).with(leak_the_value),
        case("boot", &boot, 1).with(forget_to_encrypt),
    ]
}

/// Serves the fleet's files where nodes fetch them.
fn serve_the_files(fleet: &Fleet) {
    let root = fleet.root();
    let web = Web::start(move |asked| match fs::read(root.join(&asked.path[1..])) {
        Ok(bytes) => Answer::whole(&bytes),
        Err(_) => Answer::status(404),
    });
    let raw_url = format!("raw_url = \"{}/{{{{ path }}}}\"", web.url);
    fleet.replace(
        "fleet.toml",
        "url = \"https://github.com/acme/fleet\"",
        &raw_url,
    );
    fleet.renders();
    fleet.commit();
}

fn cases_of_what_is_served() -> Vec<Case> {
    // A proxy that is none is asked nothing.
    let proxy = format!("gopher://me:{}@h", CANARIES[4]);
    vec![
        case("status", &[], 0).with(serve_the_files),
        case("status", &[], 1).env("https_proxy", &proxy),
        case("status", &[], 1).with(forget_to_encrypt),
        case("plan", &["--live"], 0).with(serve_the_files),
        case("plan", &["--live"], 1).env("https_proxy", &proxy),
    ]
}

fn cases_of_papers() -> Vec<Case> {
    vec![
        case("completions", &["bash"], 0),
        case("completions", &["cmd"], 64),
        case("man", &[], 0),
        case("man", &["../pages"], 0),
        case("man", &["fleet.toml"], 1),
        case("schema", &["fleet"], 0),
        case("schema", &["node"], 0),
        case("schema", &["status"], 0),
        case("schema", &["plan"], 0),
        case("schema", &["lock"], 64),
    ]
}

fn cases_of_init() -> Vec<Case> {
    vec![
        case("init", &["../new"], 0).env("https_proxy", "http://127.0.0.1:1"),
        case("init", &[], 1),
    ]
}

fn cases_of_plan() -> Vec<Case> {
    vec![
        case("plan", &[], 0),
        case("plan", &["--markdown"], 0).with(record_a_stick),
        case("plan", &["--max-change", "0"], 1).with(|fleet| {
            fleet.replace(
                "fleet.toml",
                "[vault]",
                "[os]\nkernel_args = [\"x\"]\n\n[vault]",
            );
        }),
        case("plan", &["--fetch"], 1).with(|fleet| {
            let url = format!("http://me:{}@127.0.0.1:9/fleet.git", CANARIES[4]);
            fleet.git_says(&["remote", "add", "origin", &url]);
        }),
        case("plan", &[], 1).with(forget_to_encrypt),
        case("plan", &[], 1).with(break_a_line),
    ]
}

/// All cases. Each command has one that ends well and one that does not.
fn cases() -> Vec<Case> {
    let mut cases = cases_of_secrets();
    cases.extend(cases_of_render());
    cases.extend(cases_of_the_record());
    cases.extend(cases_of_the_site());
    cases.extend(cases_of_boot());
    cases.extend(cases_of_what_is_served());
    cases.extend(cases_of_papers());
    cases.extend(cases_of_init());
    cases.extend(cases_of_plan());
    cases.extend([
        case("show", &["n1"], 0),
        case("show", &["n1", "--stage", "ignition"], 0),
        case("show", &["n1", "--stage", "butane"], 0),
        case("show", &["n2"], 1).with(forget_to_encrypt),
        case("check", &[], 0),
        case("check", &["--identity", IDENTITY], 0),
        case("check", &["--identity", IDENTITY], 1).with(leak_the_value),
        case("check", &[], 1).with(forget_to_encrypt),
        case("check", &[], 1).with(break_a_line),
        case("lock", &[], 0).with(name_a_release),
        case("lock", &[], 1).with(forget_to_encrypt),
        case("lock", &[], 1).with(break_a_line),
        case("lock", &["--key", "key.asc"], 1).with(|fleet| fleet.write("key.asc", CANARIES[1])),
        case("lock", &[], 1).env("https_proxy", &format!("gopher://me:{}@h", CANARIES[4])),
        case("import env", &["new"], 0)
            .env("K3S_TOKEN", CANARIES[4])
            .env("SSH_KEY_PATH", "id.pub"),
        case("import env", &["n1"], 1).env("K3S_TOKEN", CANARIES[4]),
        case("import env", &["new"], 1)
            .env("K3S_TOKEN", CANARIES[4])
            .env("SSH_KEY_PATH", IDENTITY),
        case("import env", &["new", "--from", "-"], 1)
            .stdin("K3S_TOKEN=canary-five-hT3jN8bV1c; rm\n"),
        case("devices", &[], 0),
        case("devices", &["--all"], 0),
        case("devices", &["sdb"], 64),
        case("import clc", &["old.yml"], 0).with(|fleet| fleet.write("old.yml", "{}\n")),
        case("import clc", &["old.yml"], 1).with(|fleet| fleet.write("old.yml", "a: [\n")),
        case("transpile", &["templates/base.bu"], 0),
        case("transpile", &["nodes/n1.toml"], 1),
        case("validate", &["ignition/n1.ign"], 0),
        case("validate", &["nodes/n1.toml"], 1),
        case("merge", &["ignition/n1.ign", "ignition/n2.ign"], 0),
        case("merge", &["ignition/n1.ign", "nodes/n1.toml"], 1),
    ]);
    match loaders() {
        Some(loaders) => {
            let loaders = loaders.to_str().unwrap();
            let image = ["n1", "-o", "n1.img", "--ipxe", loaders];
            let flash = [
                "n1",
                DRIVE,
                "--yes",
                "--record",
                "--unpushed",
                "--ipxe",
                loaders,
            ];
            cases.extend([
                case("image", &image, 0),
                case("image", &image, 1).with(lose_the_key),
                case("image", &image, 1).with(leak_the_value),
                case("image", &image, 1).with(forget_to_encrypt),
                case("inspect", &["../n1.img"], 0).with(make_a_stick),
                case("inspect", &["../n1.img"], 1).with(|fleet| {
                    make_a_stick(fleet);
                    let file = fleet.root().with_file_name("n1.img");
                    let file = fs::OpenOptions::new().write(true).open(file).unwrap();
                    file.set_len(64 << 20).unwrap();
                }),
            ]);
            cases.extend(if is_root("flash and its secrets") {
                vec![
                    case("flash", &flash, 0).with(attach_a_drive),
                    case("flash", &[&flash[..], &["--update"]].concat(), 1).with(attach_a_drive),
                    case("flash", &flash, 1).with(|fleet| {
                        attach_a_drive(fleet);
                        leak_the_value(fleet);
                    }),
                ]
            } else {
                vec![case("flash", &["--help"], 0), case("flash", &["n1"], 64)]
            });
        }
        // What is left out is said by `loaders`.
        None => cases.extend(
            ["image", "flash", "inspect"]
                .into_iter()
                .flat_map(|command| {
                    [
                        case(command, &["--help"], 0),
                        case(command, &["--none"], 64),
                    ]
                }),
        ),
    }
    cases
}

/// Every form in which a value could leak.
fn encodings(canary: &str) -> Vec<Vec<u8>> {
    let bytes = canary.as_bytes();
    let each = |form: fn(u8) -> String| {
        bytes
            .iter()
            .map(|&byte| form(byte))
            .collect::<Vec<_>>()
            .concat()
    };
    let json = serde_json::to_string(canary).unwrap();
    let mut forms = vec![
        canary.to_owned(),
        json[1..json.len() - 1].to_owned(),
        format!("{canary:?}").trim_matches('"').to_owned(),
        format!("{bytes:?}").trim_matches(['[', ']']).to_owned(),
        each(|byte| format!("{byte:02x}")),
        each(|byte| format!("{byte:02X}")),
        each(|byte| format!("%{byte:02X}")),
    ];
    for unreserved in ["-._~", "-._~!*'()", "-._~/", "*-._"] {
        let encoded = |byte: &u8| match byte {
            _ if byte.is_ascii_alphanumeric() || unreserved.as_bytes().contains(byte) => {
                char::from(*byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        };
        let form: Vec<String> = bytes.iter().map(encoded).collect();
        forms.push(form.concat());
        forms.push(form.concat().replace("%20", "+"));
    }
    for before in 0..3_usize {
        for engine in [&STANDARD, &URL_SAFE] {
            let text = engine.encode([&[0; 3][..before], bytes].concat());
            // The digits at both ends hold bits of what stands beside the value.
            let from = before * 8_usize.div_ceil(6);
            let until = (before + bytes.len()) * 8 / 6;
            forms.push(text[from..until].to_owned());
        }
    }
    // Of a value with several lines, a line is a leak.
    forms.extend(canary.lines().map(str::to_owned));
    forms.retain(|form| form.len() >= 8 && !form.starts_with("-----"));
    forms.into_iter().map(String::into_bytes).collect()
}

/// Finds every form of some values.
struct Search(RegexSet);

impl Search {
    fn new(canaries: &[&str]) -> Self {
        let forms = canaries.iter().flat_map(|canary| encodings(canary));
        let literal = |form: Vec<u8>| -> String {
            let bytes = form.iter().map(|byte| format!("\\x{byte:02x}"));
            bytes.collect::<Vec<_>>().concat()
        };
        let set = RegexSetBuilder::new(forms.map(literal))
            .unicode(false)
            .build();
        Self(set.unwrap())
    }

    /// What a text holds of them.
    fn found(&self, text: &[u8]) -> Vec<&str> {
        let found = self.0.matches(text).into_iter();
        found
            .map(|index| self.0.patterns()[index].as_str())
            .collect()
    }
}

/// All files around the fleet, with what git keeps; of a stick all but the volume that is made for secrets.
fn written(fleet: &Fleet) -> BTreeMap<PathBuf, Vec<u8>> {
    let above = fleet.root().parent().unwrap().to_owned();
    let mut files = BTreeMap::new();
    let mut folders = vec![above, PathBuf::from("/dev/shm")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file()
                && !path.ends_with(".config/ephemeros/identity")
                && !path.ends_with("other-identity")
            {
                let mut bytes = fs::read(&path).unwrap_or_default();
                if path.extension().is_some_and(|it| it == "img") {
                    let (start, length) = Part::Secrets.place(Sector::Of512);
                    let [start, end] =
                        [start, start + length].map(|it| usize::try_from(it).unwrap());
                    if bytes.len() >= end {
                        bytes[start..end].fill(0);
                    }
                }
                files.insert(path, bytes);
            }
        }
    }
    files
}

fn leaves(command: &clap::Command, name: &str, all: &mut BTreeSet<String>) {
    let mut inner = command
        .get_subcommands()
        .filter(|it| it.get_name() != "help")
        .peekable();
    if inner.peek().is_none() {
        all.insert(name.trim().to_owned());
    }
    for command in inner {
        leaves(command, &format!("{name} {}", command.get_name()), all);
    }
}

#[test]
fn no_command_shows_or_writes_a_secret() {
    let whole = fleet();
    add_editors(&whole);
    let all_cases = cases();
    let mut commands = BTreeSet::new();
    leaves(&Cli::command(), "", &mut commands);
    for ends_well in [true, false] {
        let tried = all_cases.iter().filter(|it| (it.code == 0) == ends_well);
        let tried: BTreeSet<String> = tried.map(|it| it.command.to_owned()).collect();
        assert_eq!(
            tried, commands,
            "every command has a case that ends well, and one that does not"
        );
    }
    let key = fs::read_to_string(whole.home().join(".config/ephemeros/identity")).unwrap();
    let key = key.lines().find(|line| line.starts_with("AGE-")).unwrap();
    let search = Search::new(&CANARIES.into_iter().chain([key]).collect::<Vec<_>>());
    for case in &all_cases {
        for flag in [None, Some("--json"), Some("--verbose")] {
            let fleet = whole.duplicate();
            (case.prepare)(&fleet);
            let forgotten = written(&fleet);
            let run = case.tool(&fleet, flag).run();
            detach_the_drive(&fleet);
            let what = format!(
                "{} {:?} {flag:?}\n{}{}",
                case.command, case.args, run.stdout, run.stderr
            );
            // Which is a mistake in the command line, and one more way to fail.
            let is_twofold = flag == Some("--json") && case.args.contains(&"--markdown".to_owned());
            let code = if is_twofold { 64 } else { case.code };
            assert_eq!(run.code, Some(code), "{what}");
            let mut said = run.stdout.clone();
            if let Some(canary) = case.prints {
                assert!(said.contains(canary), "{what}");
                said = said.replace(canary, "");
            }
            for (place, text) in [
                ("stdout", said.as_bytes()),
                ("stderr", run.stderr.as_bytes()),
            ] {
                assert_eq!(search.found(text), [""; 0], "on {place} of {what}");
            }
            for (path, bytes) in written(&fleet) {
                // What was there before was put there by this test.
                if forgotten.get(&path) != Some(&bytes) {
                    assert_eq!(
                        search.found(&bytes),
                        [""; 0],
                        "{} by {what}",
                        path.display()
                    );
                }
            }
        }
    }
}

#[test]
fn a_canary_is_seen_in_every_encoding() {
    for canary in CANARIES {
        let search = Search::new(&[canary]);
        for (number, form) in encodings(canary).into_iter().enumerate() {
            let text = [b"before\n", form.as_slice(), b"\nafter"].concat();
            assert!(!search.found(&text).is_empty(), "{number} of {canary:?}");
        }
        for before in ["", "a", "ab"] {
            let text = STANDARD.encode(format!("{before}{canary}zz"));
            assert!(
                !search.found(text.as_bytes()).is_empty(),
                "{before}{canary:?}"
            );
        }
        assert_eq!(search.found(b"nothing to see"), [""; 0]);
    }
}
