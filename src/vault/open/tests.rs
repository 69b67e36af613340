#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::*;
use crate::secrets::recipients::{Recipient, Recipients};
use crate::vault::identity::{Places, find_identities};
use crate::vault::keygen::generate_identity;
use crate::vault::plugin::Plugins;
use crate::vault::seal::{self, SealError};

fn seal(plaintext: &[u8], recipients: &Recipients) -> Result<Secret, SealError> {
    seal::seal(plaintext, recipients, &Plugins::default())
}

struct Desk {
    folder: TempDir,
    mine: Recipient,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mine = generate_identity(&folder.path().join("identity")).unwrap();
        Self { folder, mine }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn identities(&self, name: &str) -> Identities {
        let places = Places {
            option: Some(self.path(name)),
            ..Places::default()
        };
        find_identities(&places).unwrap()
    }

    /// A new SSH key; `None`, loudly, where there is no `ssh-keygen`.
    fn ssh(&self, kind: &str) -> Option<Recipient> {
        let key = self.path(kind);
        let arguments = ["-q", "-C", "me@desk", "-N", "", "-t", kind, "-f"];
        run(Command::new("ssh-keygen").args(arguments).arg(&key), b"")?;
        let public = fs::read_to_string(key.with_added_extension("pub")).unwrap();
        Some(public.parse().unwrap())
    }
}

fn to(recipients: &[&Recipient]) -> Recipients {
    recipients
        .iter()
        .map(|&recipient| recipient.clone())
        .collect()
}

/// What the command prints; `None`, loudly, where it is not installed.
#[allow(clippy::print_stderr)]
fn run(command: &mut Command, input: &[u8]) -> Option<Vec<u8>> {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        eprintln!(
            "SKIPPED: {} is not installed",
            command.get_program().display()
        );
        return None;
    };
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}");
    Some(output.stdout)
}

fn opened(secret: &Secret, identities: &Identities) -> Vec<u8> {
    open(secret, identities)
        .map(|plain| plain.as_bytes().to_vec())
        .unwrap()
}

#[test]
fn opens_what_was_sealed() {
    let desk = Desk::new();
    let long = vec![7; 200_000];
    for plaintext in [&b""[..], b"hunter2", b"\0\xff\n", &long] {
        let secret = seal(plaintext, &to(&[&desk.mine])).unwrap();
        let read_back = secret.to_string().parse().unwrap();
        assert_eq!(opened(&read_back, &desk.identities("identity")), plaintext);
    }
}

#[test]
fn each_seal_is_a_new_version_for_the_same_recipients() {
    let desk = Desk::new();
    let recipients = to(&[&desk.mine]);
    let one = seal(b"x", &recipients).unwrap();
    let two = seal(b"x", &recipients).unwrap();
    assert_ne!(one.version(), two.version());
    assert_eq!(one.recipients_digest(), recipients.digest());
    assert_eq!(two.recipients_digest(), recipients.digest());
}

#[test]
fn every_recipient_can_open_alone() {
    let desk = Desk::new();
    let (Some(ed25519), Some(rsa)) = (desk.ssh("ed25519"), desk.ssh("rsa")) else {
        return;
    };
    let secret = seal(b"hunter2", &to(&[&desk.mine, &ed25519, &rsa])).unwrap();
    for name in ["identity", "ed25519", "rsa"] {
        assert_eq!(opened(&secret, &desk.identities(name)), b"hunter2");
    }
}

#[test]
fn without_recipients_nothing_is_sealed() {
    let error = seal(b"x", &Recipients::default()).unwrap_err();
    assert!(matches!(error, SealError::NoRecipients));
}

#[test]
fn the_wrong_key_says_what_fits_and_what_was_tried() {
    let (desk, other) = (Desk::new(), Desk::new());
    let secret = seal(b"x", &to(&[&desk.mine, &Desk::new().mine])).unwrap();
    let Err(error) = open(&secret, &other.identities("identity")) else {
        panic!("opened with a wrong key");
    };
    let tried = other.path("identity");
    assert_eq!(
        error.to_string(),
        format!(
            "no identity fits: the value is encrypted to 2 X25519; tried `{}`",
            tried.display()
        )
    );
}

#[test]
fn counts_keys_by_kind() {
    let kinds = ["ssh-ed25519", "X25519", "ssh-ed25519"];
    assert_eq!(count(kinds.into_iter()), "1 X25519, 2 ssh-ed25519");
}

#[test]
fn damage_at_any_byte_is_noticed() {
    let desk = Desk::new();
    let identities = desk.identities("identity");
    let recipients = to(&[&desk.mine]);
    let sealed = seal(b"hunter2", &recipients).unwrap().sealed().to_vec();
    for at in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[at] ^= 1;
        assert!(open(&Secret::new(&recipients, [0; 8], damaged), &identities).is_err());
        let cut = sealed[..at].to_vec();
        assert!(open(&Secret::new(&recipients, [0; 8], cut), &identities).is_err());
    }
    let last = sealed.len() - 1;
    let mut damaged = sealed;
    damaged[last] ^= 1;
    let error = open(&Secret::new(&recipients, [0; 8], damaged), &identities).err();
    assert!(matches!(error, Some(OpenError::Damaged)));
}

fn age(arguments: &[&str], file: &Path, input: &[u8]) -> Option<Vec<u8>> {
    run(Command::new("age").args(arguments).arg(file), input)
}

#[test]
fn the_age_program_opens_what_was_sealed_here() {
    let desk = Desk::new();
    let Some(ed25519) = desk.ssh("ed25519") else {
        return;
    };
    let secret = seal(b"hunter2", &to(&[&desk.mine, &ed25519])).unwrap();
    for name in ["identity", "ed25519"] {
        let opened = age(&["-d", "-i"], &desk.path(name), secret.sealed());
        assert!(opened.is_none_or(|plain| plain == b"hunter2"));
    }
}

#[test]
fn opens_what_the_age_program_sealed() {
    let desk = Desk::new();
    let Some(ed25519) = desk.ssh("ed25519") else {
        return;
    };
    let recipients = to(&[&desk.mine, &ed25519]);
    let list = desk.path("recipients");
    let lines: Vec<String> = recipients.iter().map(ToString::to_string).collect();
    fs::write(&list, lines.join("\n")).unwrap();
    let Some(sealed) = age(&["-R"], &list, b"hunter2") else {
        return;
    };
    let secret = Secret::new(&recipients, [0; 8], sealed).to_string();
    let secret = secret.parse().unwrap();
    for name in ["identity", "ed25519"] {
        assert_eq!(opened(&secret, &desk.identities(name)), b"hunter2");
    }
}
