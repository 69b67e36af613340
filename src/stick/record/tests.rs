#![allow(clippy::unwrap_used)]

use super::*;

const DIGEST: &str = "sha256-0000000000000000000000000000000000000000000000000000000000000000";

fn stick(number: u128) -> Recorded {
    let mut label = Label::new(
        "n1",
        "home",
        Uuid::from_u128(7),
        "https://h/ignition/n1.ign",
    );
    label.stick = Uuid::from_u128(number);
    label.script_url = Some("https://h/ipxe/n1.ipxe".into());
    label.prologue = DIGEST.into();
    for path in ["ipxe/n1.ipxe", "ignition/n1.ign", "EFI/BOOT/BOOTX64.EFI"] {
        label.files.insert(path.into(), DIGEST.into());
    }
    label
        .secrets
        .insert("TOKEN".into(), "9c1e5b2270aa41f3".into());
    label
        .secret_names
        .insert("tls/a key".into(), vec!["TOKEN".into()]);
    label
        .loaders
        .insert("EFI/BOOT/BOOTX64.EFI".into(), "2.0.0".into());
    Recorded::of(&label, Sector::Of512, Moment::of(1_795_651_034), None)
}

fn source(text: &str) -> Arc<Source> {
    Source::file("sticks/n1.toml", text)
}

/// The record after its text was read again, which must not change it.
fn written(record: &Record) -> String {
    let text = record.text();
    let again = Record::read(&source(&text)).unwrap();
    assert_eq!(again.sticks(), record.sticks(), "{text}");
    assert_eq!(again.text(), text);
    text
}

fn states(record: &Record) -> Vec<(u128, State)> {
    let sticks = record.sticks().iter();
    sticks.map(|it| (it.id.as_u128(), it.state)).collect()
}

const TEXT: &str = r#"format = 1

[[stick]]
id = "00000000-0000-0000-0000-000000000001"
state = "active"
flashed = 2026-11-25T23:57:14Z
fleet_id = "00000000-0000-0000-0000-000000000007"
config_url = "https://h/ignition/n1.ign"
script_url = "https://h/ipxe/n1.ipxe"
sector = 512
prologue = "sha256-0000000000000000000000000000000000000000000000000000000000000000"
body = "sha256-0000000000000000000000000000000000000000000000000000000000000000"
config = "sha256-0000000000000000000000000000000000000000000000000000000000000000"

[stick.secrets]
TOKEN = "9c1e5b2270aa41f3"

[stick.secret_files]
"tls/a key" = ["TOKEN"]

[stick.loaders]
"EFI/BOOT/BOOTX64.EFI" = { version = "2.0.0", digest = "sha256-0000000000000000000000000000000000000000000000000000000000000000" }
"#;

#[test]
fn a_stick_is_written_as_the_documentation_has_it() {
    let mut record = Record::empty();
    assert!(record.is_blank());
    assert_eq!(written(&record), "format = 1\n");
    record.add(stick(1), None);
    assert!(!record.is_blank());
    assert_eq!(written(&record), TEXT);
    record.forget(Uuid::from_u128(1));
    assert!(record.is_blank());
}

#[test]
fn model_and_serial_stand_there_only_when_they_are_given() {
    let mut with = stick(1);
    with.model = Some("Ultra \"Fit\"".into());
    with.serial = Some("4C53".into());
    let mut record = Record::empty();
    record.add(with, None);
    let text = written(&record);
    assert!(
        text.contains("model = 'Ultra \"Fit\"'\nserial = \"4C53\"\n"),
        "{text}"
    );
    record.add(stick(1), None);
    assert_eq!(written(&record), TEXT);
}

#[test]
fn of_the_sticks_of_a_node_one_is_active() {
    let (one, two, three) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3));
    let mut record = Record::empty();
    record.add(stick(1), None);
    record.add(stick(2), None);
    assert_eq!(states(&record), [(1, State::Spare), (2, State::Active)]);
    // The drive of the first is written anew.
    record.add(stick(3), Some(one));
    assert_eq!(states(&record), [(2, State::Spare), (3, State::Active)]);
    // A spare one that is brought up to date is a spare one still.
    record.add(stick(2), Some(two));
    assert_eq!(states(&record), [(2, State::Spare), (3, State::Active)]);
    assert!(record.set_state(two, State::Lost));
    record.add(stick(2), None);
    assert_eq!(states(&record), [(2, State::Active), (3, State::Spare)]);
    assert!(record.set_state(three, State::Active));
    assert_eq!(states(&record), [(2, State::Spare), (3, State::Active)]);
    assert!(!record.set_state(one, State::Lost) && !record.forget(one));
    written(&record);
}

#[test]
fn what_people_wrote_beside_it_is_kept() {
    let noted = TEXT
        .replace("format = 1\n", "# ours\nformat = 1 # the first\n")
        .replace("[[stick]]", "# in rack 3\n[[stick]] # blue")
        .replace(
            "state = \"active\"",
            "# since May\n  state  = \"active\" # on",
        )
        .replace("TOKEN = \"9c", "# the old one\nTOKEN = \"9c")
        + "# the end\n";
    let mut record = Record::read(&source(&noted)).unwrap();
    assert_eq!(record.text(), noted);
    record.add(stick(1), None);
    assert_eq!(record.text(), noted);
    record.add(stick(2), None);
    let text = written(&record);
    for kept in [
        "# ours\nformat = 1 # the first\n\n# in rack 3\n[[stick]] # blue\n",
        "# since May\n  state  = \"spare\" # on\n",
        "# the old one\nTOKEN",
        "# the end\n",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    let mut other = stick(1);
    other.secrets = BTreeMap::from([("NEW".into(), "00000000000000ff".into())]);
    other.script_url = None;
    record.add(other, None);
    let text = written(&record);
    assert!(text.contains("NEW = \"00000000000000ff\"\n"), "{text}");
    assert!(!text.contains("\nTOKEN = \"9c1e5b2270aa41f3\"\n\n[stick.secret_files]\n\"tls/a key\" = [\"TOKEN\"]\n\n[stick.loaders]\n\"EFI/BOOT/BOOTX64.EFI\" = { version = \"2.0.0\" }"), "{text}");
    assert!(text.contains("# in rack 3"), "{text}");
}

#[test]
fn tables_may_be_written_inline() {
    let text = TEXT
        .replace("[stick.secrets]\nTOKEN", "secrets.TOKEN")
        .replace("[stick.secret_files]\n\"tls", "secret_files.\"tls");
    let (head, _) = text.split_once("\n[stick.loaders]").unwrap();
    let mut record = Record::read(&source(&format!("{head}\n"))).unwrap();
    record.add(stick(1), None);
    written(&record);
    let line = "format = 1\nstick = [{ id = \"00000000-0000-0000-0000-000000000001\", state = \"lost\", flashed = \
                2026-11-25T23:57:14Z, fleet_id = \"00000000-0000-0000-0000-000000000007\", config_url = \"u\", body = \"D\", config = \"D\" }]\n";
    let mut record = Record::read(&source(&line.replace('D', DIGEST))).unwrap();
    record.add(stick(2), None);
    assert_eq!(states(&record), [(1, State::Lost), (2, State::Active)]);
    written(&record);
    let mut record = Record::read(&source("format = 1\nstick = []\n")).unwrap();
    record.add(stick(1), None);
    written(&record);
}

fn mistakes(text: &str) -> Vec<(String, usize)> {
    let mistakes = read(&source(text)).unwrap_err();
    let mut told: Vec<_> = mistakes
        .iter()
        .map(|it| {
            let at = &it.labels[0];
            (it.message.clone(), at.source.position(at.span.start).line)
        })
        .collect();
    told.sort_by_key(|(_, line)| *line);
    told
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let wrong = TEXT
        .replace(
            "id = \"00000000-0000-0000-0000-000000000001\"",
            "id = \"1\"",
        )
        .replace("\"active\"", "\"actve\"")
        .replace("flashed = 2026-11-25T23:57:14Z", "flashed = 2026-11-25")
        .replace("script_url", "scripturl")
        .replace("512", "513")
        .replace("prologue = \"sha256-", "prologue = \"sha512-")
        .replace("9c1e5b2270aa41f3", "hunter2");
    let told = mistakes(&wrong);
    let told: Vec<_> = told.iter().map(|(m, line)| (m.as_str(), *line)).collect();
    assert_eq!(
        told,
        [
            ("this is no UUID", 4),
            ("unknown value `actve`", 5),
            ("this is no moment", 6),
            ("unknown key `scripturl`", 9),
            ("no drive has such sectors", 10),
            ("this is no digest", 11),
            ("this is no version of a value", 16),
        ]
    );
    for mistake in read(&source(&wrong)).unwrap_err() {
        let shown = mistake.labels[0].source.shown();
        let is_hidden = !shown.contains("hunter2");
        assert_eq!(is_hidden, mistake.message.contains("version"), "{shown}");
    }
    let text = "format = 1\n[[stick]]\nstate = \"lost\"\n";
    let told: Vec<String> = mistakes(text).into_iter().map(|(m, _)| m).collect();
    assert_eq!(told.len(), NEEDED_BUT_STATE, "{told:?}");
    assert_eq!(told[0], "this stick has no `id`");
    let twice = format!("{TEXT}{}", TEXT.replace("format = 1\n", ""));
    assert_eq!(
        mistakes(&twice),
        [("this stick is recorded twice".into(), 25)]
    );
}

/// What `every_mistake_is_told_with_its_place` leaves out.
const NEEDED_BUT_STATE: usize = 6;

#[test]
fn a_newer_format_is_named_whatever_else_is_in_it() {
    assert_eq!(
        mistakes("format = 2\nstick = 1\nx = 2\n"),
        [(
            "this tool reads `sticks/n1.toml` up to format 1".to_owned(),
            1
        )]
    );
    for text in ["", "format = 0\n", "format = -1\n"] {
        assert_eq!(
            mistakes(text)[0].0,
            "`sticks/n1.toml` does not say its format"
        );
    }
    assert_eq!(
        mistakes("format = \"1\"\n")[0].0,
        "expected an integer, found a string"
    );
}
