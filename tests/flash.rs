//! `flash` on files that are attached as drives: what stands on them afterwards, what is asked, and what is refused. It takes
//! root.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use ephemeros::stick::{Part, Sector};
use serde_json::Value;

use crate::dialogue::dialogue_meanwhile;
use crate::drives::{Attached, MIB};
use crate::fleet::{Fleet, Run, Tool};
use crate::image::{demo_key, drive, fleet, has_tools, loaders, outside, tool};
use crate::repository::{has_program, skipped};

/// A fleet that was pushed, and a drive that is its own.
struct Desk {
    fleet: Fleet,
    drive: Attached,
    loaders: PathBuf,
}

impl Desk {
    fn new(size: u64) -> Option<Self> {
        let loaders = loaders()?;
        let drive = Attached::new(size, &[])?;
        // Something was on it before.
        fs::write(drive.file(), vec![0xa5; usize::try_from(size).unwrap()]).unwrap();
        Some(Self {
            fleet: fleet().published(),
            drive,
            loaders,
        })
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let key = demo_key();
        let first = ["flash", "n1", self.drive.path(), "--ipxe"];
        let rest = [
            self.loaders.to_str().unwrap(),
            "--identity",
            key.to_str().unwrap(),
        ];
        let all = [&first, &rest[..], more].concat();
        all.into_iter().map(str::to_owned).collect()
    }

    fn command(&self, more: &[&str]) -> Tool {
        let args = self.arguments(more);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        self.fleet.command(&args).without_terminal()
    }

    fn flash(&self, more: &[&str]) -> Run {
        self.command(&[&["--yes"], more].concat()).run()
    }

    /// As [`Desk::flash`], which must succeed; what it says in JSON.
    #[track_caller]
    fn flashed(&self, more: &[&str]) -> Value {
        let run = self.flash(&[&["--json"], more].concat()).code(0);
        let run = run.hides("hunter2");
        serde_json::from_str(&run.stdout).unwrap()
    }

    fn bytes(&self) -> Vec<u8> {
        Command::new("sync").status().unwrap();
        fs::read(self.drive.file()).unwrap()
    }

    /// Nothing is wrong with the stick, and it is the node's.
    #[track_caller]
    fn inspects(&self) -> Run {
        let run = self.fleet.run(&["inspect", self.drive.path()]).code(0);
        run.prints(&["node         n1\n"])
    }

    /// On a terminal. What stands in `between` is run before the answer.
    fn dialogue(&self, between: &str, typed: &str, more: &[&str]) -> (i32, String) {
        let args = self.arguments(more);
        let mut command = vec![env!("CARGO_BIN_EXE_ephemeros")];
        command.extend(args.iter().map(String::as_str));
        let asked = ("type its size, as it stands above: ", typed, true);
        dialogue_meanwhile(&self.fleet, between, &[asked], &command)
    }

    fn set(&self, name: &str, value: &str) {
        let set = self.fleet.command(&["secrets", "set", "n1", name]);
        set.stdin(value).run().code(0);
    }
}

/// The id and the commit of the stick, in its label, as something that is the same on all sticks.
fn unnamed(bytes: &[u8]) -> Vec<u8> {
    let lines = regex::bytes::Regex::new("\nstick = \"([0-9a-f-]{36})\"\n").unwrap();
    let found = lines.captures(bytes).unwrap().get(1).unwrap();
    let mut bytes = bytes.to_vec();
    bytes[found.range()].fill(b'0');
    bytes
}

/// Where two drives differ, by the part that it is in.
fn differences(one: &[u8], other: &[u8]) -> BTreeMap<String, u64> {
    let name = |page: u64| {
        let parts = Part::ALL
            .iter()
            .find(|part| part.range(Sector::Of512).contains(&page));
        parts.map_or("outside", |part| part.name()).to_owned()
    };
    let mut found = BTreeMap::new();
    for (number, (one, other)) in (0..).zip(one.chunks(4096).zip(other.chunks(4096))) {
        if one != other {
            *found.entry(name(number * 4096)).or_default() += 1;
        }
    }
    found
}

#[test]
fn other_tools_agree_with_a_stick_after_updates_too() {
    let Some(desk) = Desk::new(300 * MIB) else {
        return;
    };
    if !has_tools(&["sgdisk", "fsck.fat", "mdir", "mtype", "file"]) {
        return;
    }
    let agree = |token: &str| {
        let path = desk.drive.file();
        let shown = path.to_str().unwrap();
        let said = tool("sgdisk", &["-v", shown]);
        assert!(said.contains("No problems found"), "{said}");
        let said = tool("file", &[shown]);
        assert!(said.contains("DOS/MBR boot sector"), "{said}");
        let image = desk.bytes();
        for part in [Part::Efi, Part::Secrets] {
            let copy = outside(&desk.fleet).join(part.name());
            let range = part.range(Sector::Of512);
            let [start, end] = [range.start, range.end].map(|it| usize::try_from(it).unwrap());
            fs::write(&copy, &image[start..end]).unwrap();
            tool("fsck.fat", &["-n", copy.to_str().unwrap()]);
        }
        let said = tool("mtype", &["-i", &drive(&path, Part::Secrets), "::web_env"]);
        assert!(said.contains(token), "{said}");
        tool(
            "mdir",
            &["-i", &drive(&path, Part::Efi), "::EFI/BOOT/BOOTX64.EFI"],
        );
        // Nothing of what was there before could be taken for a file system.
        assert_eq!(
            image[image.len() - 1024 * 1024..][..512 * 1024],
            vec![0; 512 * 1024]
        );
        desk.inspects();
    };
    desk.flashed(&[]);
    agree("hunter2");
    desk.set("TOKEN", "another value");
    desk.flashed(&["--update"]);
    agree("another value");
    desk.set("TOKEN", &"long ".repeat(3000));
    desk.flashed(&["--update"]);
    agree("long long");
}

#[test]
fn two_sticks_of_the_same_differ_in_their_id_only() {
    let Some(desk) = Desk::new(150 * MIB) else {
        return;
    };
    let first = desk.flashed(&[]);
    let one = desk.bytes();
    let second = desk.flashed(&[]);
    let other = desk.bytes();
    assert_ne!(first["stick"], second["stick"]);
    assert_ne!(one, other);
    assert!(
        unnamed(&one) == unnamed(&other),
        "{:?}",
        differences(&one, &other)
    );
    let head = desk.fleet.git_says(&["rev-parse", "HEAD"]);
    assert_eq!(first["commit"], head.trim());
}

#[test]
fn an_update_writes_what_differs_and_ends_where_a_new_stick_would() {
    let Some(desk) = Desk::new(150 * MIB) else {
        return;
    };
    let first = desk.flashed(&[]);
    let before = desk.bytes();
    let nothing = desk.flashed(&["--update"]);
    assert_eq!(nothing["written"], 0);
    assert!(before == desk.bytes());
    desk.set("TOKEN", "another value");
    let dry = desk.flashed(&["--update", "--dry-run"]);
    assert!(before == desk.bytes());
    let updated = desk.flashed(&["--update"]);
    assert_eq!(updated["stick"], first["stick"]);
    assert_eq!(
        (&dry["written"], &dry["to_write"]),
        (&0.into(), &updated["written"])
    );
    let after = desk.bytes();
    let differing = differences(&before, &after);
    // The env file with its directory; and the label, which names the value's version, with the commit.
    assert!(differing["ephemeros-secrets"] <= 2, "{differing:?}");
    assert!(differing["ephemeros-efi"] <= 2, "{differing:?}");
    assert_eq!(differing.len(), 2, "{differing:?}");
    // That, and both tables.
    assert!(updated["written"].as_u64().unwrap() < 3 * MIB, "{updated}");
    desk.flashed(&[]);
    assert!(unnamed(&desk.bytes()) == unnamed(&after));
}

#[test]
fn a_stick_from_a_file_needs_neither_fleet_nor_key() {
    let Some(desk) = Desk::new(150 * MIB) else {
        return;
    };
    let image = outside(&desk.fleet).join("n1.img");
    let shown = image.to_str().unwrap();
    let mut args = desk.arguments(&["--output", shown]);
    args.splice(..3, ["image", "n1"].map(str::to_owned));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    desk.fleet.run(&args).code(0);
    desk.flashed(&["--unpushed"]);
    let whole = desk.bytes();
    // Elsewhere, where no fleet is.
    let elsewhere = tempfile::TempDir::new().unwrap();
    let flash = |more: &[&str]| {
        let args = [&["flash", shown, desk.drive.path(), "--yes"], more].concat();
        desk.fleet.command(&args).folder(&elsewhere).run()
    };
    flash(&[]).code(0).prints(&["is the stick of n1 now: "]);
    let from_file = desk.bytes();
    let plain = |bytes: &[u8]| {
        let mut bytes = unnamed(bytes);
        let commit = regex::bytes::Regex::new("\ncommit = \"([0-9a-f]{40})\"\n").unwrap();
        let range = commit.captures(&bytes).unwrap().get(1).unwrap().range();
        bytes[range].fill(b'0');
        // The seal is of the commit, too.
        let mark = b"ephemeros sha256";
        let seals = |bytes: &[u8]| bytes.windows(16).position(|it| it == mark);
        while let Some(at) = seals(&bytes) {
            bytes[at..at + 48].fill(0);
        }
        bytes
    };
    let (one, other) = (plain(&whole), plain(&from_file));
    // What no file system needs is as it was on the drive, and zeros as in the file.
    let pages = one.chunks(4096).zip(other.chunks(4096));
    let is_unneeded =
        |(one, other): (&[u8], &[u8])| one == other || *one == [0xa5; 4096] && *other == [0; 4096];
    let parts = differences(&one, &other);
    assert!(pages.into_iter().all(is_unneeded), "{parts:?}");
    flash(&["--update"])
        .code(0)
        .prints(&["nothing was written"]);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    // A file that is not whole any more.
    let mut bytes = fs::read(&image).unwrap();
    let at = bytes.windows(7).position(|it| it == b"#!ipxe\n").unwrap();
    bytes[at + 20] ^= 1;
    fs::write(&image, bytes).unwrap();
    flash(&[])
        .code(1)
        .says(&["n1.img` is not as it was written: "]);
    fs::write(&image, "no stick").unwrap();
    flash(&[])
        .code(1)
        .says(&["there is no stick of ephemeros on it"]);
    flash(&["--unpushed", "--commit"])
        .code(64)
        .says(&["takes no `--unpushed`, no `--commit`"]);
    assert!(from_file == desk.bytes());
}

#[test]
fn nothing_is_written_until_the_drive_is_named_by_what_stands_on_it() {
    let Some(desk) = Desk::new(150 * MIB) else {
        return;
    };
    let before = desk.bytes();
    desk.command(&[])
        .run()
        .code(1)
        .says(&["there is no terminal to ask at", "--yes"]);
    for typed in ["\n", "y\n", "yes\n", "157.2 GB\n", "57.2 MB\n"] {
        let (code, screen) = desk.dialogue("", typed, &[]);
        assert_eq!(code, 1, "{screen}");
        assert!(screen.contains("157.2 MB, virtual"), "{screen}");
        assert!(screen.contains("nothing was written"), "{screen}");
    }
    assert!(before == desk.bytes());
    let (code, screen) = desk.dialogue("", "157.2mb\n", &[]);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("it can be pulled"), "{screen}");
    desk.inspects();
    desk.set("TOKEN", "another value");
    let (code, screen) = desk.dialogue("", "157.2 MB\n", &["--update"]);
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("to update the stick on "), "{screen}");
}

#[test]
fn a_drive_that_changed_while_the_user_was_asked_is_left_alone() {
    let Some(desk) = Desk::new(150 * MIB) else {
        return;
    };
    // At the question another size is behind the name.
    let (file, drive) = (desk.drive.file(), desk.drive.path());
    let between = format!(
        "truncate -s 200M '{}'; losetup --set-capacity '{drive}'",
        file.display()
    );
    let (code, screen) = desk.dialogue(&between, "157.2 MB\n", &[]);
    assert_eq!(code, 1, "{screen}");
    let wanted = "it is not what it was when you were asked: its size was 157286400";
    assert!(screen.contains(wanted), "{screen}");
    let bytes = desk.bytes();
    assert!(bytes[..150 << 20].iter().all(|byte| *byte == 0xa5));
}

#[test]
fn what_may_not_be_written_is_refused_with_every_reason() {
    let Some(mut desk) = Desk::new(150 * MIB) else {
        return;
    };
    let drive = desk.drive.path().to_owned();
    let refused = |desk: &Desk, path: &str, wanted: &[&str]| {
        // The kernel may write to what is swap.
        let written = || desk.bytes().split_off(21 << 20);
        let before = written();
        for force in [&["--force"][..], &[]] {
            let args = [&["flash", "n1", path, "--yes"], force].concat();
            desk.fleet.run(&args).code(1).says(wanted);
        }
        assert!(before == written());
    };
    refused(&desk, "/dev/null", &["is a character device and no drive"]);
    refused(&desk, "/dev/nowhere", &["there is no `/dev/nowhere`"]);
    let file = desk.drive.file();
    refused(&desk, file.to_str().unwrap(), &["is a file and no drive"]);
    let part = desk.drive.partition(1, MIB, 20 * MIB);
    refused(
        &desk,
        &part,
        &["is a partition", &format!("the whole drive: `{drive}`")],
    );
    if has_program("mkswap") {
        tool("mkswap", &[&part]);
        desk.drive.using(&["swapon", &part], &["swapoff", &part]);
        refused(&desk, &drive, &["it is used as swap"]);
    }
    let small = Attached::new(100 * MIB, &[]).unwrap();
    refused(
        &desk,
        small.path(),
        &["it has 100 of the 128 MiB that a stick takes"],
    );
    let locked = Attached::new(150 * MIB, &["--read-only"]).unwrap();
    refused(&desk, locked.path(), &["it is read-only"]);
    if is_large_possible() {
        let large = Attached::new(300 << 30, &[]).unwrap();
        let args = ["flash", "n1", large.path(), "--yes", "--dry-run"];
        let refused = desk.fleet.run(&args).code(1);
        refused.says(&["it has 322 GB, more than 256", "`--force` takes it"]);
        let mut args = desk.arguments(&["--force", "--dry-run"]);
        large.path().clone_into(&mut args[2]);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let forced = desk.fleet.run(&args).code(0);
        forced.says(&["overridden by --force: it has 322 GB, more than 256"]);
    }
}

/// Whether there can be such a large file with nothing in it.
fn is_large_possible() -> bool {
    let file = tempfile::tempfile().unwrap();
    let possible = file.set_len(300 << 30).is_ok();
    if !possible {
        skipped("a large drive", "no file can be that large here");
    }
    possible
}

#[test]
fn an_update_is_one_of_the_same_stick() {
    let Some(desk) = Desk::new(150 * MIB) else {
        return;
    };
    let before = desk.bytes();
    let refused = desk.flash(&["--update"]).code(1);
    refused.says(&[
        "holds no stick that could be updated",
        "leave `--update` out",
    ]);
    assert!(before == desk.bytes());
    desk.flashed(&[]);
    desk.fleet
        .write("nodes/n2.toml", "templates = [\"base.bu\"]\n");
    let mut args = desk.arguments(&["--update", "--yes", "--unpushed"]);
    "n2".clone_into(&mut args[1]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let refused = desk.fleet.run(&args).code(1);
    refused.says(&["holds the stick of n1 in ", "and none of n2"]);
    desk.inspects();
}

#[test]
fn a_stick_is_not_made_for_what_its_node_can_not_fetch() {
    let Some(desk) = Desk::new(150 * MIB) else {
        return;
    };
    let template = "variant: flatcar\nversion: 1.0.0\nstorage:\n  files:\n    - path: /etc/new\n";
    desk.fleet.write("templates/base.bu", template);
    let before = desk.bytes();
    let refused = desk.flash(&[]).code(1);
    refused.says(&[
        "n1 would not fetch what its stick is for: ",
        "ephemeros render",
        "--unpushed",
    ]);
    assert!(before == desk.bytes());
    let flashed = desk.flashed(&["--unpushed"]);
    assert_eq!(flashed["commit"], "0".repeat(40));
}

#[test]
fn sticks_are_recorded_and_the_record_is_committed() {
    let Some(desk) = Desk::new(150 * MIB) else {
        return;
    };
    assert_eq!(
        desk.flashed(&[])["recorded"],
        Value::from(Vec::<Value>::new())
    );
    assert!(!desk.fleet.root().join("sticks").exists());
    let first = desk.flashed(&["--record", "--commit"]);
    assert_eq!(first["recorded"][0], "sticks/n1.toml");
    let ids = || {
        let record: toml::Table = desk.fleet.read("sticks/n1.toml").parse().unwrap();
        let sticks = record["stick"].as_array().unwrap().clone();
        let of = |stick: &toml::Value, key: &str| stick[key].as_str().unwrap().to_owned();
        sticks
            .iter()
            .map(|it| (of(it, "id"), of(it, "state")))
            .collect::<Vec<_>>()
    };
    let id = first["stick"].as_str().unwrap().to_owned();
    assert_eq!(ids(), [(id.clone(), "active".to_owned())]);
    let log = desk
        .fleet
        .git_says(&["log", "-1", "--format=%s", "--name-only"]);
    assert_eq!(log.trim(), "Record the stick of n1\n\nsticks/n1.toml");
    assert_eq!(desk.fleet.git_says(&["status", "--short"]), "");
    let record = desk.fleet.read("sticks/n1.toml");
    assert!(!record.contains("hunter2"), "{record}");
    // The same drive once more is another stick, in place of the first.
    let second = desk.flashed(&["--record"]);
    let second = second["stick"].as_str().unwrap().to_owned();
    assert_eq!(ids(), [(second.clone(), "active".to_owned())]);
    // Another drive is one more, and the first is spare.
    let other = Attached::new(150 * MIB, &[]).unwrap();
    let mut args = desk.arguments(&["--record", "--yes"]);
    other.path().clone_into(&mut args[2]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let run = desk.fleet.run(&args).code(0);
    run.says(&[
        "never have two of them in one machine",
        "recorded in sticks/n1.toml: commit it",
    ]);
    let now = ids();
    assert_eq!(now.len(), 2);
    assert_eq!(now[0], (second, "spare".to_owned()));
    assert_eq!(now[1].1, "active");
    // A mistake in the record is found before anything is written.
    let before = desk.bytes();
    desk.fleet
        .write("sticks/n1.toml", "format = 1\n[[stick]]\nid = 7\n");
    desk.flash(&["--record"])
        .code(1)
        .says(&["sticks/n1.toml:3:6"]);
    assert!(before == desk.bytes());
}

#[test]
fn what_can_not_be_recorded_or_committed_is_known_first_or_told_apart() {
    let Some(desk) = Desk::new(150 * MIB) else {
        return;
    };
    let before = desk.bytes();
    desk.fleet.write("sticks", "a file in place of the folder");
    let run = desk.flash(&["--record"]).code(1);
    run.says(&["could not be recorded", "nothing was written to the drive"]);
    desk.flash(&["--commit"])
        .code(1)
        .says(&["loop devices are not recorded", "add `--record`"]);
    assert!(before == desk.bytes());
    fs::remove_file(desk.fleet.root().join("sticks")).unwrap();
    let hook = desk.fleet.root().join(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho not today >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let run = desk.flash(&["--record", "--commit"]).code(1);
    run.says(&[
        "is written and recorded, and that is not committed: ",
        "not today",
        "by hand",
    ]);
    assert!(
        desk.fleet
            .read("sticks/n1.toml")
            .contains("state = \"active\"")
    );
    desk.inspects();
}

#[test]
fn a_record_is_brought_up_to_date_though_nothing_is_to_be_written() {
    let Some(desk) = Desk::new(150 * MIB) else {
        return;
    };
    let first = desk.flashed(&["--record"]);
    let id = first["stick"].as_str().unwrap();
    desk.fleet.run(&["sticks", "lost", id]).code(0);
    desk.set("TOKEN", "another value");
    desk.fleet.commit();
    desk.flashed(&["--update"]);
    let old = desk.fleet.read("sticks/n1.toml");
    let again = desk.flashed(&["--update", "--record"]);
    assert_eq!(
        (&again["written"], &again["recorded"][0]),
        (&0.into(), &"sticks/n1.toml".into())
    );
    let new = desk.fleet.read("sticks/n1.toml");
    assert!(old != new && new.contains("state = \"active\""), "{new}");
    assert_eq!(
        desk.flashed(&["--update", "--record"])["recorded"],
        Value::from(Vec::<Value>::new())
    );
}

#[test]
fn a_stick_names_no_commit_in_which_its_secrets_are_not() {
    let Some(desk) = Desk::new(150 * MIB) else {
        return;
    };
    desk.set("TOKEN", "another value");
    assert_eq!(desk.flashed(&[])["commit"], "0".repeat(40));
    desk.fleet.commit();
    let head = desk.fleet.git_says(&["rev-parse", "HEAD"]);
    assert_eq!(desk.flashed(&[])["commit"], head.trim());
}

#[test]
fn nothing_runs_as_root_for_a_user_who_is_not_known() {
    let Some(desk) = Desk::new(150 * MIB) else {
        return;
    };
    let before = desk.bytes();
    for uid in ["54321", "x"] {
        let sudo = desk.command(&["--yes"]).env("SUDO_UID", uid);
        sudo.run()
            .code(1)
            .says(&["not in `/etc/passwd`", "SUDO_HOME"]);
    }
    assert!(before == desk.bytes());
}

#[test]
fn control_c_leaves_a_stick_that_does_not_boot() {
    let Some(desk) = Desk::new(150 * MIB) else {
        return;
    };
    let mut stopped = 0;
    for number in 0..10 {
        desk.flashed(&[]);
        let mut process = desk.command(&["--yes"]).process();
        let mut child = process.stdin(std::process::Stdio::null()).spawn().unwrap();
        // It writes as soon as the boot sector is gone.
        while !desk.drive.is_off() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(5 * number));
        let pid = rustix::process::Pid::from_child(&child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        match child.wait().unwrap().code() {
            Some(130) if desk.drive.is_off() => stopped += 1,
            // It had written all, and was about to end.
            Some(0 | 130) | None => drop(desk.inspects()),
            code => panic!("{code:?}"),
        }
    }
    assert!(stopped > 0, "no run was stopped while it wrote");
}
