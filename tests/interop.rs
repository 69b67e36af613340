//! Values made here are opened by the programs of age, `age` and `rage`, and theirs are read here.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ephemeros::secrets::recipients::{Recipient, Recipients};

use crate::dialogue::{dialogue, tool};
use crate::fleet::{Fleet, RECIPIENT};
use crate::repository::{has_program, skipped};
use crate::secrets::{demo, ran, sealed, vault};

const PROGRAMS: [&str; 2] = ["age", "rage"];

const PASSPHRASE: &str = "correct horse";

/// `rage` asks through a window where there can be one.
const NO_PINENTRY: &str = "PINENTRY_PROGRAM=none";

/// A text, what is none, exactly one piece of an age file, and several.
fn values() -> [Vec<u8>; 4] {
    let long = (0..200_000_u32).map(|at| u8::try_from(at % 251).unwrap());
    let mut long: Vec<u8> = long.collect();
    let piece = long[..64 * 1024].to_vec();
    long.push(b'\n');
    [b"the value".to_vec(), b"\0\xff\n".to_vec(), piece, long]
}

fn lacks(programs: &[&str]) -> bool {
    let absent = programs.iter().find(|name| !has_program(name));
    if let Some(absent) = absent {
        skipped(
            "age's own programs",
            &format!("there is no `{absent}`: run `tools/setup test`"),
        );
    }
    absent.is_some()
}

fn fleet(recipient: &str) -> Fleet {
    let role = "[roles.files.files]\nx = \"X\"\n[defaults]\ntemplates = [\"base.bu\"]\nroles = [\"files\"]\n";
    Fleet::new()
        .fleet(&(vault(&[recipient]) + role))
        .node("n1", "")
}

/// A key without a passphrase, or with one: its file, and its public half.
fn ssh(fleet: &Fleet, kind: &str, passphrase: &str) -> (PathBuf, String) {
    let path = fleet.home().join(kind);
    let args = ["-q", "-t", kind, "-C", "me@desk", "-N", passphrase, "-f"];
    ran(fleet.program("ssh-keygen").args(args).arg(&path));
    let public = fs::read_to_string(path.with_added_extension("pub")).unwrap();
    (path, public.trim().to_owned())
}

/// What a program of age makes of it.
#[track_caller]
pub(crate) fn piped(mut command: Command, input: &[u8]) -> Vec<u8> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{command:?}");
        output.stdout
    })
}

/// A value as it stands in a file, around an age file that another program made.
pub(crate) fn around(file: &[u8], recipient: &str) -> String {
    let recipients = [recipient.parse::<Recipient>().unwrap()];
    let digest = Recipients::from_iter(recipients).digest();
    format!("age:{digest}:0123456789abcdef:{}", STANDARD.encode(file))
}

/// The age file in a value as it stands in a file.
pub(crate) fn age_file(text: &str) -> Vec<u8> {
    let field = text.splitn(4, ':').nth(3).unwrap();
    STANDARD.decode(field).unwrap()
}

/// Both ways, with a key that nobody is asked for.
fn goes_both_ways(fleet: &Fleet, program: &str, recipient: &str, identity: &Path) {
    let identity = identity.to_str().unwrap();
    let path = fleet.home().join("value");
    for value in values() {
        fs::write(&path, &value).unwrap();
        let set = [
            "secrets",
            "set",
            "n1",
            "X",
            "--file",
            path.to_str().unwrap(),
        ];
        fleet.run(&set).code(0);
        let file = age_file(&sealed(fleet, "nodes/n1.toml", "X"));
        let mut opening = fleet.program(program);
        opening.args(["-d", "-i", identity]);
        assert!(piped(opening, &file) == value, "{program} {recipient}");

        let mut sealing = fleet.program(program);
        sealing.args(["-r", recipient]);
        let theirs = around(&piped(sealing, &value), recipient);
        fleet.write("nodes/n1.toml", format!("[secrets]\nX = \"{theirs}\"\n"));
        fleet.run(&["check"]).code(0);
        let get = ["secrets", "get", "n1", "X", "-i", identity];
        let ours = fleet.process(&get).output().unwrap();
        let stderr = String::from_utf8_lossy(&ours.stderr);
        assert!(ours.status.success(), "{program} {recipient}: {stderr}");
        assert!(ours.stdout == value, "{program} {recipient}");
    }
}

#[test]
fn values_of_age_keys_go_both_ways() {
    for program in PROGRAMS {
        if !lacks(&[program]) {
            goes_both_ways(&fleet(RECIPIENT), program, RECIPIENT, &demo());
        }
    }
}

#[test]
fn values_of_ssh_keys_go_both_ways() {
    for program in PROGRAMS {
        for kind in ["ed25519", "rsa"] {
            if lacks(&[program, "ssh-keygen"]) {
                continue;
            }
            let made = Fleet::empty();
            let (identity, recipient) = ssh(&made, kind, "");
            goes_both_ways(&fleet(&recipient), program, &recipient, &identity);
        }
    }
}

#[test]
fn identities_with_a_passphrase_open_in_both() {
    for program in PROGRAMS {
        if lacks(&[program, "ssh-keygen", "python3"]) {
            continue;
        }
        let made = Fleet::empty();
        let (ed25519, to_ed25519) = ssh(&made, "ed25519", PASSPHRASE);
        let (rsa, to_rsa) = ssh(&made, "rsa", PASSPHRASE);
        let age = encrypted(&made, program, &demo());
        for (identity, recipient) in [(ed25519, &*to_ed25519), (rsa, &to_rsa), (age, RECIPIENT)] {
            opens_with_passphrase(program, recipient, &identity);
        }
    }
}

/// `age -p`.
pub(crate) fn encrypted(fleet: &Fleet, program: &str, key: &Path) -> PathBuf {
    let path = fleet.home().join("encrypted");
    let command = [
        "env",
        NO_PINENTRY,
        program,
        "-p",
        "-o",
        path.to_str().unwrap(),
        key.to_str().unwrap(),
    ];
    let steps = [
        ("passphrase", "correct horse\n"),
        ("onfirm", "correct horse\n"),
    ];
    let (code, screen) = dialogue(fleet, &steps, &command);
    assert_eq!(code, 0, "{screen}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// Theirs is opened here, and ours there.
fn opens_with_passphrase(program: &str, recipient: &str, identity: &Path) {
    let fleet = fleet(recipient);
    let identity = identity.to_str().unwrap();
    let mut sealing = fleet.program(program);
    sealing.args(["-r", recipient]);
    let theirs = around(&piped(sealing, b"the value"), recipient);
    fleet.write("nodes/n1.toml", format!("[secrets]\nX = \"{theirs}\"\n"));
    let steps = [("passphrase", "correct horse\n")];
    let get = ["secrets", "get", "n1", "X", "-i", identity];
    let (code, screen) = tool(&fleet, &steps, &get);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.ends_with("\nthe value\r\n"), "{screen}");

    let set = fleet.command(&["secrets", "set", "n1", "X"]);
    set.stdin("the value").run().code(0);
    let file = age_file(&sealed(&fleet, "nodes/n1.toml", "X"));
    let path = fleet.home().join("sealed");
    fs::write(&path, file).unwrap();
    let path = path.to_str().unwrap();
    let command = ["env", NO_PINENTRY, program, "-d", "-i", identity, path];
    let (code, screen) = dialogue(&fleet, &steps, &command);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.ends_with("the value"), "{screen}");
}
