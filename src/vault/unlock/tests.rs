#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write as _;
use std::sync::Mutex;

use age::armor::{ArmoredWriter, Format};
use tempfile::TempDir;

use super::*;
use crate::secrets::recipients::Recipient;
use crate::vault::identity::{Places, find_identities};
use crate::vault::keygen::generate_identity;
use crate::vault::open::open;
use crate::vault::seal::seal;

/// `ssh-keygen -t ed25519`, with the passphrase `passphrase`.
const SSH: &str = "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABAd652Y5R
DWttZZ3uy+EnTXAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIJzdIx5T83Ddgw/+
bzRCV+z1fmSLR8lSaaJNpb746jCgAAAAkODr85NjMgTC2UjODdTNb+d3Tq5GyCmH25Kzdp
dqGGjPxTF2FuEU3QbJ0ks+vXfUecwTBqQMwDCGTkPKSLp9OeWaQ8RDUEDMqXmiBEtWNoaP
Zxwk1ZixbSwXmipZNCyjM4j05x3Jjz1e7XQ1spX07yofW/h+ujLrpqPljffzwyq8hxY5yC
fObXj0uUaNXi6Zgw==
-----END OPENSSH PRIVATE KEY-----
";

/// Its public half.
const SSH_PUBLIC: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJzdIx5T83Ddgw/+bzRCV+z1fmSLR8lSaaJNpb746jCg";

/// Answers in their order, and who was asked.
#[derive(Default)]
struct Script {
    answers: Mutex<Vec<&'static [u8]>>,
    asked: Mutex<Vec<(String, bool)>>,
}

impl Script {
    fn new(answers: &[&'static [u8]]) -> Arc<Self> {
        let mut answers = answers.to_vec();
        answers.reverse();
        Arc::new(Self {
            answers: Mutex::new(answers),
            ..Self::default()
        })
    }

    fn asked(&self) -> Vec<(String, bool)> {
        self.asked.lock().unwrap().clone()
    }
}

impl Ask for Script {
    fn passphrase(&self, path: &Path, again: bool) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        self.asked.lock().unwrap().push((name, again));
        let answer = self.answers.lock().unwrap().pop();
        Ok(answer.map(|answer| Zeroizing::new(answer.to_vec())))
    }
}

fn by(script: &Arc<Script>) -> Arc<dyn Ask> {
    Arc::<Script>::clone(script)
}

struct Home {
    folder: TempDir,
    places: Places,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let places = Places {
            home: Some(folder.path().to_owned()),
            ..Places::default()
        };
        Self { folder, places }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A new key without a passphrase: its text, and its public half.
    fn key(&self) -> (Vec<u8>, Recipient) {
        let path = self.folder.path().join("new");
        let recipient = generate_identity(&path).unwrap();
        let text = fs::read(&path).unwrap();
        fs::remove_file(path).unwrap();
        (text, recipient)
    }

    fn find(&self) -> Identities {
        find_identities(&self.places).unwrap()
    }
}

fn locked(text: &[u8], format: Format) -> Vec<u8> {
    let mut recipient = age::scrypt::Recipient::new("correct horse".into());
    recipient.set_work_factor(4);
    let keys = std::iter::once(&recipient as &dyn age::Recipient);
    let mut bytes = Vec::new();
    let armor = ArmoredWriter::wrap_output(&mut bytes, format).unwrap();
    let encryptor = age::Encryptor::with_recipients(keys).unwrap();
    let mut writer = encryptor.wrap_output(armor).unwrap();
    writer.write_all(text).unwrap();
    writer.finish().unwrap().finish().unwrap();
    bytes
}

fn value(recipients: &[&Recipient]) -> Secret {
    let recipients = recipients.iter().map(|&it| it.clone()).collect();
    seal(b"value", &recipients, &Plugins::default()).unwrap()
}

fn ssh() -> Recipient {
    SSH_PUBLIC.parse().unwrap()
}

#[test]
fn age_files_with_and_without_armor_and_ssh_keys_are_opened_once() {
    for format in [Format::Binary, Format::AsciiArmor] {
        let home = Home::new();
        let (text, recipient) = home.key();
        let is_armored = matches!(format, Format::AsciiArmor);
        let mut bytes = locked(&text, format);
        if is_armored {
            bytes.extend(b"\n\n");
        }
        home.write(".config/ephemeros/identity", bytes);
        home.write(".ssh/id_ed25519", SSH);
        let mut identities = home.find();
        let ask = Script::new(&[b"correct horse", b"passphrase"]);
        let values = [value(&[&recipient]), value(&[&recipient]), value(&[&ssh()])];
        identities.unlock_for(&values, &by(&ask)).unwrap();
        identities.unlock_for(&values, &by(&ask)).unwrap();
        let asked = [
            ("identity".to_owned(), false),
            ("id_ed25519".to_owned(), false),
        ];
        assert_eq!(ask.asked(), asked);
        for value in &values {
            assert_eq!(open(value, &identities).ok().unwrap().as_bytes(), b"value");
        }
    }
}

#[test]
fn nobody_is_asked_for_what_is_not_needed_or_can_t_fit() {
    let home = Home::new();
    let (text, recipient) = home.key();
    let (other, of_other) = home.key();
    home.write(".config/ephemeros/identity", text);
    home.write(".ssh/id_ed25519", SSH);
    home.write(".ssh/id_rsa", locked(&other, Format::Binary));
    let asked = |values: &[Secret]| {
        let ask = Script::new(&[]);
        let failed = home.find().unlock_for(values, &by(&ask)).is_err();
        assert_eq!(failed, !ask.asked().is_empty());
        ask.asked()
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    assert!(asked(&[]).is_empty());
    // A key without a passphrase opens it.
    assert!(asked(&[value(&[&recipient, &ssh(), &of_other])]).is_empty());
    assert_eq!(asked(&[value(&[&ssh()])]), ["id_ed25519"]);
    // The ssh key is not named in it; the age file may be for it.
    assert_eq!(asked(&[value(&[&of_other])]), ["id_rsa"]);
    let another =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN";
    assert!(asked(&[value(&[&another.parse().unwrap()])]).is_empty());
}

#[test]
fn a_wrong_passphrase_may_be_typed_again_twice() {
    for (file, right) in [(SSH.as_bytes().to_vec(), &b"passphrase"[..]), {
        let home = Home::new();
        let (text, _) = home.key();
        (locked(&text, Format::Binary), b"correct horse")
    }] {
        let home = Home::new();
        home.write(".ssh/id_ed25519", &file);
        let (_, recipient) = home.key();
        let value = value(&[&recipient, &ssh()]);
        let ask = Script::new(&[b"wrong", b"\xff", right]);
        home.find().unlock_for([&value], &by(&ask)).unwrap();
        let again: Vec<bool> = ask.asked().iter().map(|(_, again)| *again).collect();
        assert_eq!(again, [false, true, true]);
        let ask = Script::new(&[b"hunter2", b"", b"hunter2", right]);
        let error = home.find().unlock_for([&value], &by(&ask)).unwrap_err();
        let message = error.to_string();
        assert!(matches!(error, UnlockError::Wrong(_)), "{message}");
        assert!(message.ends_with("id_ed25519`, 3 times") && !message.contains("hunter2"));
        let error = home
            .find()
            .unlock_for([&value], &by(&Script::new(&[])))
            .unwrap_err();
        assert!(matches!(error, UnlockError::NoTerminal(_)));
    }
}

#[test]
fn one_that_is_not_opened_is_not_the_end() {
    let home = Home::new();
    let (text, recipient) = home.key();
    home.write(".config/ephemeros/identity", locked(&text, Format::Binary));
    home.write(".ssh/id_ed25519", SSH);
    let secret = value(&[&recipient, &ssh()]);
    let wrong: &[&[u8]] = &[b"1", b"2", b"3"];
    let ask = Script::new(&[wrong, &[b"passphrase"]].concat());
    let mut identities = home.find();
    identities.unlock_for([&secret], &by(&ask)).unwrap();
    assert!(open(&secret, &identities).is_ok());
    assert_eq!(ask.asked().len(), 4);
    // All reasons, where none does.
    let ask = Script::new(&[wrong, &[b"4", b"5"]].concat());
    let error = home.find().unlock_for([&secret], &by(&ask)).unwrap_err();
    let told = error.to_string();
    assert!(
        told.starts_with("wrong passphrase for the identity `"),
        "{told}"
    );
    assert!(
        told.contains("/identity`, 3 times; the identity `"),
        "{told}"
    );
    assert!(
        told.contains("/id_ed25519` is protected by a passphrase"),
        "{told}"
    );
    // What failed is none of those that the value could be for.
    let only_ssh = value(&[&ssh()]);
    let ask = Script::new(&[wrong].concat());
    let error = home.find().unlock_for([&only_ssh], &by(&ask)).unwrap_err();
    assert!(matches!(error, UnlockError::Wrong(path) if path.ends_with("id_ed25519")));
}

#[test]
fn what_a_passphrase_opens_must_be_keys() {
    let home = Home::new();
    let (_, recipient) = home.key();
    let value = value(&[&recipient]);
    let mut damaged = locked(b"AGE-SECRET-KEY-1", Format::Binary);
    *damaged.last_mut().unwrap() ^= 1;
    for (file, flaw) in [
        (locked(b"# a\nhunter2", Format::Binary), Flaw::Line(2)),
        (locked(b"", Format::AsciiArmor), Flaw::Empty),
        (locked(b"\xff", Format::Binary), Flaw::NotText),
        (damaged, Flaw::Damaged),
    ] {
        home.write(".config/ephemeros/identity", file);
        let ask = Script::new(&[b"correct horse"]);
        let error = home.find().unlock_for([&value], &by(&ask)).unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
        let UnlockError::Unusable(IdentityError::Unusable { flaw: found, .. }) = error else {
            panic!("{error}");
        };
        assert_eq!(found, flaw);
    }
    let sealed = value.sealed().to_vec();
    home.write(".config/ephemeros/identity", sealed);
    let Err(error) = find_identities(&home.places) else {
        panic!("took an age file that is for keys");
    };
    assert!(
        error.to_string().contains(&Flaw::ForKeys.to_string()),
        "{error}"
    );
}
