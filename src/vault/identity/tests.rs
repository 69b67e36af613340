#![allow(clippy::unwrap_used)]

use std::fs;

use age::secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;

const ED25519_LOCKED: &str = "-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDe3dLHkG
jhQRILantKTq3oAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAICg+6vH3vZCju54q
5e/uO19tVCE951bpQBqLBApaH4mTAAAAkOasozErDly5aGeesRXG1RsWaTYCyA6GWQUnUU
svlYiV2ItdaBg1oS/E9B0hmHo3RiooTVtuuIsdM8COqo0EO+k4xcij1Il3E2kwmOOzmFpL
GgEL+4P40OYouEf2JdMbwKArzmrca1cY8CqSymQuEvvZrGC+r8Q5CBGmac1hUhu9kD83xx
PU7WZvruV9xglWTg==
-----END OPENSSH PRIVATE KEY-----
";

const OLD_PEM: &str = "-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,93DA88B8F1F1B4C5D1C5D1C5D1C5D1C5

AAAA
-----END RSA PRIVATE KEY-----
";

/// `age-plugin-foobar`'s, without data.
const PLUGIN: &str = "AGE-PLUGIN-FOOBAR-1QVHULF";

fn key() -> String {
    age::x25519::Identity::generate()
        .to_string()
        .expose_secret()
        .to_owned()
}

fn home() -> (TempDir, Places) {
    let folder = tempfile::tempdir().unwrap();
    let places = Places {
        home: Some(folder.path().to_owned()),
        ..Places::default()
    };
    (folder, places)
}

fn write(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn flaw(text: &[u8]) -> Option<Flaw> {
    parse(text).err()
}

#[test]
fn reads_several_keys_with_comments_and_any_line_end() {
    let text = format!("\n# one\r\n{}\r\n\r\n  # two\n  {}  ", key(), key());
    let Ok(Parsed::Keys(keys)) = parse(text.as_bytes()) else {
        panic!("no keys in {} lines", text.lines().count());
    };
    assert_eq!(keys.len(), 2);
}

#[test]
fn keys_of_plugins_are_kept_apart_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{PLUGIN}\n{}\n{PLUGIN}\n", key());
    let places = Places {
        option: Some(write(&folder, "identity", &text)),
        ..Places::default()
    };
    let found = find_identities(&places).unwrap();
    assert_eq!(found.keys().count(), 1);
    let of_plugins = found.of_plugins();
    assert_eq!(of_plugins.len(), 1);
    assert_eq!(of_plugins["foobar"].len(), 2);
}

#[test]
fn says_what_is_wrong_with_a_file() {
    let damaged = key().replace("AGE-SECRET-KEY-1", "AGE-SECRET-KEY-1Q");
    for (text, expected) in [
        ("", Flaw::Empty),
        ("# only\n", Flaw::Empty),
        ("\n\nhunter2\n", Flaw::Line(3)),
        (&format!("# a\n{damaged}"), Flaw::Line(2)),
        (&format!("{}\nAGE-PLUGIN-YUBIKEY-1QQ", key()), Flaw::Line(2)),
        (&format!("{PLUGIN}x"), Flaw::Line(1)),
        (&PLUGIN.to_lowercase(), Flaw::Line(1)),
        ("AGE-PLUGIN-1QQQQQQ", Flaw::Line(1)),
        ("AGE-PLUGIN--1QQQQQQ", Flaw::PluginName(1)),
        ("\nAGE-PLUGIN-../../BIN/SH-1QQQQQQ", Flaw::PluginName(2)),
        ("AGE-PLUGIN-A\u{1b}B-1QQQQQQ", Flaw::PluginName(1)),
        ("age1qqq", Flaw::Public),
        ("ssh-ed25519 AAAA me@desk", Flaw::Public),
        ("-----BEGIN AGE ENCRYPTED FILE-----\nx", Flaw::Damaged),
        ("age-encryption.org/v1\n-> scrypt", Flaw::Damaged),
        (
            &ED25519_LOCKED.replace("czI1Ni1jdH", "czI1Ni1jdX"),
            Flaw::SshCipher,
        ),
        (OLD_PEM, Flaw::SshCipher),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\n", Flaw::Pem),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
            Flaw::Pem,
        ),
    ] {
        assert_eq!(flaw(text.as_bytes()), Some(expected), "for {text:?}");
    }
    assert_eq!(flaw(b"\xff\xfe"), Some(Flaw::NotText));
    assert_eq!(flaw(&vec![b'#'; (1 << 20) + 1]), Some(Flaw::TooLong));
}

#[test]
fn a_named_file_is_the_only_place_and_must_be_good() {
    let (folder, mut places) = home();
    write(&folder, ".config/ephemeros/identity", &key());
    let one = write(&folder, "one", &key());
    let two = write(&folder, "two", &key());
    places.variable = Some(one.clone());
    assert_eq!(find_identities(&places).unwrap().read[0].0, one);
    places.option = Some(two.clone());
    let found = find_identities(&places).unwrap();
    assert_eq!((found.read.len(), &found.read[0].0), (1, &two));
    fs::remove_file(&two).unwrap();
    let Err(error) = find_identities(&places) else {
        panic!("found a file that is not there");
    };
    let message = format!("can't read the identity `{}`: ", two.display());
    assert!(error.to_string().starts_with(&message), "{error}");
}

#[test]
fn an_empty_variable_is_none() {
    let (folder, mut places) = home();
    let own = write(&folder, ".config/ephemeros/identity", &key());
    places.variable = Some(PathBuf::new());
    assert_eq!(find_identities(&places).unwrap().read[0].0, own);
    assert_eq!(places.own(), Some(own));
}

#[test]
fn takes_every_good_key_of_the_usual_places() {
    let (folder, places) = home();
    let own = write(&folder, ".config/ephemeros/identity", &key());
    let locked = write(&folder, ".ssh/id_ed25519", ED25519_LOCKED);
    let found = find_identities(&places).unwrap();
    assert_eq!(found.keys().count(), 1);
    assert_eq!(
        found.to_string(),
        format!(
            "`{}`; the identity `{}`, whose passphrase was not asked for, is not for it",
            own.display(),
            locked.display()
        )
    );
}

#[test]
fn without_any_it_lists_the_places_and_says_keygen() {
    let (folder, places) = home();
    let Err(error) = find_identities(&places) else {
        panic!("found a key in an empty home");
    };
    let message = error.to_string();
    for place in IN_HOME {
        let path = folder.path().join(place);
        assert!(message.contains(&path.display().to_string()), "{message}");
    }
    assert!(message.contains("`ephemeros secrets keygen`"), "{message}");
    assert!(find_identities(&Places::default()).is_err());
}

#[test]
fn warns_of_a_file_that_others_can_read() {
    let (folder, places) = home();
    let path = write(&folder, ".config/ephemeros/identity", &key());
    assert!(find_identities(&places).unwrap().warnings().is_empty());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let warnings = find_identities(&places).unwrap().warnings().to_vec();
    assert_eq!(
        warnings,
        [Diagnostic::warning(format!(
            "the identity `{}` is open to other users (mode 0640)",
            path.display()
        ))
        .help(format!("close it: `chmod 600 {}`", path.display()))]
    );
}

#[test]
fn no_message_holds_text_of_the_file() {
    for text in ["hunter2", "AGE-SECRET-KEY-1HUNTER2", "-----BEGIN HUNTER2"] {
        let message = flaw(text.as_bytes()).unwrap().to_string().to_lowercase();
        assert!(!message.contains("hunter2"), "{message}");
    }
}
