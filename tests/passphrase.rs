//! Identities with a passphrase, made by age's and OpenSSH's own tools, and asked for at a terminal.

use std::fs;
use std::path::{Path, PathBuf};

use crate::dialogue::{dialogue, tool};
use crate::fleet::{Fleet, RECIPIENT};
use crate::repository::{has_program, skipped};
use crate::secrets::{demo, fleet, ran, set};

fn lacks(programs: &[&str]) -> bool {
    let absent = programs.iter().find(|name| !has_program(name));
    if let Some(absent) = absent {
        skipped(
            "identities with a passphrase",
            &format!("there is no `{absent}`"),
        );
    }
    absent.is_some()
}

/// The demo key, encrypted by age.
fn by_age(fleet: &Fleet, armor: bool) -> PathBuf {
    let path = fleet.home().join(if armor { "armored" } else { "binary" });
    let key = demo();
    let mut command = vec!["age", "-p", "-o", path.to_str().unwrap()];
    command.extend(armor.then_some("-a"));
    command.push(key.to_str().unwrap());
    let steps = [
        ("nter passphrase", "correct horse\n"),
        ("onfirm passphrase", "correct horse\n"),
    ];
    let (code, screen) = dialogue(fleet, &steps, &command);
    assert_eq!(code, 0, "{screen}");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    path
}

/// A new key of OpenSSH's, and its public half.
fn by_ssh(fleet: &Fleet, path: &Path, kind: &str) -> String {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let args = [
        "-q",
        "-t",
        kind,
        "-N",
        "correct horse",
        "-C",
        "me@desk",
        "-f",
    ];
    ran(fleet.program("ssh-keygen").args(args).arg(path));
    let public = fs::read_to_string(path.with_added_extension("pub")).unwrap();
    public.trim().to_owned()
}

#[test]
fn identities_that_age_encrypted_are_opened_with_their_passphrase() {
    if lacks(&["python3", "age"]) {
        return;
    }
    let fleet = fleet();
    set(&fleet, "defaults", "TOKEN", "the value").code(0);
    for armor in [false, true] {
        let path = by_age(&fleet, armor);
        let path = path.to_str().unwrap();
        let begin = fs::read(path).unwrap();
        assert_eq!(begin.starts_with(b"-----BEGIN AGE"), armor);
        let args = ["secrets", "get", "n1", "TOKEN", "-i", path];
        let prompt = format!("passphrase of {path}: ");
        let (code, screen) = tool(&fleet, &[(&prompt, "correct horse\n")], &args);
        assert_eq!(code, 0, "{screen}");
        assert!(screen.ends_with("the value\r\n"), "{screen}");
        // Where there is no terminal nobody is asked, whatever comes in.
        let run = fleet.command(&args).without_terminal();
        let run = run.stdin("correct horse\n");
        let run = run
            .env("EPHEMEROS_PASSPHRASE", "correct horse")
            .run()
            .code(1);
        let run = run.says(&[
            "is protected by a passphrase, and there is no terminal to ask for it",
            "--identity FILE",
        ]);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn ssh_keys_with_a_passphrase_are_asked_for_once_and_only_where_they_are_named() {
    if lacks(&["python3", "ssh-keygen"]) {
        return;
    }
    let fleet = fleet();
    let home = fleet.home();
    let ed25519 = by_ssh(&fleet, &home.join(".ssh/id_ed25519"), "ed25519");
    let rsa = by_ssh(&fleet, &home.join(".ssh/id_rsa"), "rsa");
    let to = |fleet: &Fleet, recipient: &str| {
        let text = fleet.read("fleet.toml");
        let line = text
            .lines()
            .find(|line| line.starts_with("recipients"))
            .unwrap();
        fleet.replace(
            "fleet.toml",
            line,
            &format!("recipients = [\"{recipient}\"]"),
        );
    };
    for (recipient, name) in [(&ed25519, "id_ed25519"), (&rsa, "id_rsa")] {
        to(&fleet, recipient);
        for place in ["defaults", "role:web", "n1", "n2"] {
            set(&fleet, place, "TOKEN", "the value").code(0);
        }
        let prompt = format!("/.ssh/{name}: ");
        let get = ["secrets", "get", "n1", "TOKEN"];
        let (code, screen) = tool(&fleet, &[(&prompt, "correct horse\n")], &get);
        assert_eq!(code, 0, "{screen}");
        assert_eq!(screen.matches("passphrase").count(), 1, "{screen}");
    }
    // Four values of one key, one question.
    to(&fleet, RECIPIENT);
    let (code, screen) = tool(
        &fleet,
        &[("/.ssh/id_rsa: ", "correct horse\n")],
        &["secrets", "rekey"],
    );
    assert_eq!(code, 0, "{screen}");
    assert_eq!(screen.matches("passphrase").count(), 1, "{screen}");
    assert!(screen.contains("4 values in 3 files"), "{screen}");
    // Now neither is named, and a key without a passphrase opens it: nobody is asked.
    let run = fleet.run(&["secrets", "get", "n1", "TOKEN"]).code(1);
    run.says(&[
        "no identity fits",
        "whose passphrase was not asked for, is not for it",
    ]);
    fs::create_dir_all(home.join(".config/ephemeros")).unwrap();
    fs::copy(demo(), home.join(".config/ephemeros/identity")).unwrap();
    to(&fleet, &format!("{RECIPIENT}\", \"{ed25519}"));
    set(&fleet, "n1", "TOKEN", "for both").code(0);
    let run = fleet.run(&["secrets", "get", "n1", "TOKEN"]).code(0);
    assert_eq!(run.stdout, "for both");
}

#[test]
fn three_wrong_passphrases_are_the_end_and_change_nothing() {
    if lacks(&["python3", "ssh-keygen"]) {
        return;
    }
    let fleet = fleet();
    let key = fleet.home().join("key");
    let public = by_ssh(&fleet, &key, "ed25519");
    fleet.replace("fleet.toml", RECIPIENT, &public);
    set(&fleet, "defaults", "TOKEN", "the value").code(0);
    fleet.replace("fleet.toml", &public, RECIPIENT);
    let before = fleet.files();
    let args = ["secrets", "rekey", "-i", key.to_str().unwrap()];
    let (first, again) = ("passphrase of ", "wrong passphrase; passphrase of ");
    let wrong = [
        (first, "hunter2\n"),
        (again, "hunter3\n"),
        (again, "hunter4\n"),
    ];
    let (code, screen) = tool(&fleet, &wrong, &args);
    assert_eq!(code, 1, "{screen}");
    assert!(
        screen.contains(": wrong passphrase for the identity `"),
        "{screen}"
    );
    assert!(screen.contains("/key`, 3 times"), "{screen}");
    // Ctrl-C at the question ends it.
    let (code, screen) = tool(&fleet, &[(first, "hunt\u{3}")], &args);
    assert_eq!(code, 130, "{screen}");
    assert!(before == fleet.files());
    let right = [(first, "hunter2\n"), (again, "correct horse\n")];
    let (code, screen) = tool(&fleet, &right, &args);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("rekeyed 1 value in fleet.toml"), "{screen}");
    fleet.run(&["check"]).code(0);
}

#[test]
fn a_passphrase_is_asked_for_at_the_terminal_whatever_standard_input_is() {
    if lacks(&["python3", "ssh-keygen"]) {
        return;
    }
    let fleet = fleet();
    let key = fleet.home().join("key");
    let public = by_ssh(&fleet, &key, "ed25519");
    fleet.replace("fleet.toml", RECIPIENT, &public);
    set(&fleet, "defaults", "TOKEN", "the value").code(0);
    let (tool, key) = (env!("CARGO_BIN_EXE_ephemeros"), key.to_str().unwrap());
    let prompt = format!("passphrase of {key}: ");
    for (line, typed, code, end) in [
        // The prompt is for the user, not for the file that takes the messages.
        (
            "< /dev/null 2> /dev/null",
            "correct horse\n",
            0,
            "\nthe value\r\n",
        ),
        ("< /dev/null", "correct horse\n", 0, "\nthe value\r\n"),
        ("< fleet.toml | cat", "correct horse\n", 0, "\nthe value"),
        ("<&-", "correct horse\n", 0, "\nthe value\r\n"),
        ("< /dev/null", "hunt\u{3}", 130, "\n"),
    ] {
        let command = format!("exec '{tool}' secrets get n1 TOKEN -i {key} {line}");
        let steps = [(&*prompt, typed)];
        let (ended, screen) = dialogue(&fleet, &steps, &["sh", "-c", &command]);
        assert_eq!(ended, code, "{line}: {screen}");
        assert!(screen.ends_with(end), "{line}: {screen}");
        assert!(!screen.contains(typed.trim()), "{line}: {screen}");
    }
    fleet.replace("fleet.toml", &public, RECIPIENT);
    let before = fleet.files();
    let rekey = ["secrets", "rekey", "-i", key];
    // Without a terminal it is an error, and nothing changes.
    let run = fleet.command(&rekey).without_terminal().run().code(1);
    run.says(&["there is no terminal to ask for it", "run it at a terminal"]);
    assert!(before == fleet.files());
    let command = format!("exec '{tool}' secrets rekey -i {key} < /dev/null");
    let steps = [(&*prompt, "correct horse\n")];
    let (code, screen) = dialogue(&fleet, &steps, &["sh", "-c", &command]);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("rekeyed 1 value in fleet.toml"), "{screen}");
}

#[test]
fn the_next_identity_is_tried_after_three_wrong_passphrases() {
    if lacks(&["python3", "ssh-keygen"]) {
        return;
    }
    let fleet = fleet();
    let home = fleet.home();
    let ed25519 = by_ssh(&fleet, &home.join(".ssh/id_ed25519"), "ed25519");
    let rsa = by_ssh(&fleet, &home.join(".ssh/id_rsa"), "rsa");
    fleet.replace("fleet.toml", RECIPIENT, &format!("{ed25519}\", \"{rsa}"));
    set(&fleet, "defaults", "TOKEN", "the value").code(0);
    let wrong = ["a", "b", "c"].map(|it| format!("hunter-{it}\n"));
    let ask = |name: &'static str, typed: &[&'static str]| {
        let typed = typed.iter().map(|it| (name, *it));
        typed.collect::<Vec<_>>()
    };
    let [a, b, c] = wrong.map(|it| &*it.leak());
    let first = ask("/.ssh/id_ed25519: ", &[a, b, c]);
    let get = ["secrets", "get", "n1", "TOKEN"];
    let right = [&first[..], &ask("/.ssh/id_rsa: ", &["correct horse\n"])].concat();
    let (code, screen) = tool(&fleet, &right, &get);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.ends_with("\nthe value\r\n"), "{screen}");
    assert!(!screen.contains("3 times"), "{screen}");
    let none = [&first[..], &ask("/.ssh/id_rsa: ", &[a, b, c])].concat();
    let (code, screen) = tool(&fleet, &none, &get);
    assert_eq!(code, 1, "{screen}");
    for name in ["id_ed25519", "id_rsa"] {
        let told = format!("/.ssh/{name}`, 3 times");
        assert!(screen.contains(&told), "{screen}");
    }
}
