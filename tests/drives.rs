//! The guards on real drives of this machine: files that are attached as loop devices. It takes root.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use ephemeros::stick::{
    Device, GUARDS, NeedsForce, Never, Part, Roots, Sector, device, judge, open_exclusively,
};
use rustix::fs::{Mode, OFlags};
use serde_json::Value;
use tempfile::TempDir;

use crate::fleet::Fleet;
use crate::image::loaders;
use crate::repository::{has_program, skipped};

pub(crate) const MIB: u64 = 1 << 20;

/// A file that is attached as a drive until this is dropped, whatever becomes of the test.
pub(crate) struct Attached {
    folder: TempDir,
    path: PathBuf,
    /// What is in use of it, and how that ends.
    in_use: Vec<Vec<String>>,
    /// Whether the drive is this test's to detach.
    is_ours: bool,
}

impl Attached {
    /// `None` where none can be, which is said.
    pub(crate) fn new(size: u64, flags: &[&str]) -> Option<Self> {
        let what = "a test on a real drive";
        if !rustix::process::geteuid().is_root() {
            skipped(what, "run the tests as root");
            return None;
        }
        let folder = TempDir::new().unwrap();
        let file = File::create(folder.path().join("drive")).unwrap();
        file.set_len(size).unwrap();
        let args = [flags, &["--find", "--show"]].concat();
        let ran = Command::new("losetup")
            .args(args)
            .arg(folder.path().join("drive"))
            .output();
        match ran {
            Ok(ran) if ran.status.success() => Some(Self {
                path: String::from_utf8(ran.stdout).unwrap().trim().into(),
                folder,
                in_use: Vec::new(),
                is_ours: true,
            }),
            Ok(ran) => {
                skipped(what, &String::from_utf8_lossy(&ran.stderr));
                None
            }
            Err(error) => {
                skipped(what, &format!("losetup: {error}"));
                None
            }
        }
    }

    pub(crate) fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    /// The file behind it.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("drive")
    }

    /// Whether it has nothing that a BIOS could start.
    pub(crate) fn is_off(&self) -> bool {
        let mut first = [0; 512];
        let mut file = File::open(self.file()).unwrap();
        file.read_exact(&mut first).unwrap();
        first == [0; 512]
    }

    /// Takes it into use; it ends before the drive goes.
    pub(crate) fn using(&mut self, begin: &[&str], end: &[&str]) {
        run(begin);
        let end = end.iter().map(|word| (*word).to_owned()).collect();
        self.in_use.push(end);
    }

    /// Tells the kernel of a partition, which it may be unable to find by itself.
    pub(crate) fn partition(&mut self, number: u32, start: u64, length: u64) -> String {
        let (path, number) = (self.path().to_owned(), number.to_string());
        let [start, length] = [start, length].map(|bytes| (bytes / 512).to_string());
        let add = ["addpart", &path, &number, &start, &length];
        self.using(&add, &["delpart", &path, &number]);
        format!("{path}p{number}")
    }

    pub(crate) fn device(&self) -> Device {
        device(&Roots::default(), &self.path).unwrap()
    }

    #[track_caller]
    fn refuses(&self, reasons: &[&str]) {
        let device = self.device();
        let refused = judge(GUARDS, &device).refused;
        let codes: Vec<&str> = refused.iter().map(Never::code).collect();
        assert_eq!(codes, reasons, "{refused:?}");
        let opened = open_exclusively(&Roots::default(), &device);
        let opened = opened.err().unwrap_or_default();
        let codes: Vec<&str> = opened.iter().map(Never::code).collect();
        assert_eq!(codes, reasons, "opened: {opened:?}");
    }

    /// Puts another file in its place, as somebody does who exchanges two sticks. False where another program took the
    /// place meanwhile.
    fn exchange(&mut self, size: u64) -> bool {
        let other = self.folder.path().join("other");
        File::create(&other).unwrap().set_len(size).unwrap();
        run(&["losetup", "--detach", self.path()]);
        let ran = Command::new("losetup").arg(&self.path).arg(other).status();
        self.is_ours = ran.unwrap().success();
        self.is_ours
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let detach = ["losetup", "--detach", self.path()].map(str::to_owned);
        self.in_use.reverse();
        let detach = self.is_ours.then(|| detach.to_vec());
        for words in self.in_use.iter().chain(&detach) {
            let _ = Command::new(&words[0]).args(&words[1..]).status();
        }
    }
}

#[track_caller]
fn run(words: &[&str]) {
    let ran = Command::new(words[0]).args(&words[1..]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{words:?}: {said}");
}

#[test]
fn a_free_drive_is_opened_once_and_written() {
    let Some(drive) = Attached::new(128 * MIB, &[]) else {
        return;
    };
    let device = drive.device();
    assert!(judge(GUARDS, &device).is_free(), "{device:?}");
    assert_eq!((device.size, device.sector), (128 * MIB, 512));
    let mut file = open_exclusively(&Roots::default(), &device).unwrap();
    file.write_all(&[7; 4096]).unwrap();
    file.sync_all().unwrap();
    let second = open_exclusively(&Roots::default(), &device).unwrap_err();
    assert_eq!(second, [Never::Taken]);
    drive.refuses(&["taken"]);
    drop(file);
    let mut written = [0; 4096];
    File::open(drive.folder.path().join("drive"))
        .unwrap()
        .read_exact(&mut written)
        .unwrap();
    assert_eq!(written, [7; 4096]);
    drop(open_exclusively(&Roots::default(), &device).unwrap());
}

#[test]
fn a_mounted_drive_is_not_opened() {
    let Some(mut drive) = Attached::new(128 * MIB, &[]) else {
        return;
    };
    run(&["mkfs.ext4", "-q", drive.path()]);
    assert!(judge(GUARDS, &drive.device()).is_free());
    let at = drive.folder.path().join("at").display().to_string();
    fs::create_dir(&at).unwrap();
    let path = drive.path().to_owned();
    drive.using(&["mount", &path, &at], &["umount", &at]);
    drive.refuses(&["mounted"]);
    let Never::Mounted(places) = &judge(GUARDS, &drive.device()).refused[0] else {
        panic!("not mounted");
    };
    assert!(places[0].contains(&at), "{places:?}");
}

#[test]
fn a_drive_that_is_swapped_to_is_not_opened() {
    let Some(mut drive) = Attached::new(128 * MIB, &[]) else {
        return;
    };
    let path = drive.path().to_owned();
    run(&["mkswap", "--quiet", &path]);
    assert!(judge(GUARDS, &drive.device()).is_free());
    assert_eq!(drive.device().holds[0].name(), "swap");
    drive.using(&["swapon", &path], &["swapoff", &path]);
    drive.refuses(&["swap"]);
}

#[test]
fn a_file_that_is_swapped_to_holds_its_drive() {
    let Some(mut drive) = Attached::new(256 * MIB, &[]) else {
        return;
    };
    run(&["mkfs.ext4", "-q", drive.path()]);
    let at = drive.folder.path().join("a b").display().to_string();
    fs::create_dir(&at).unwrap();
    let path = drive.path().to_owned();
    drive.using(&["mount", &path, &at], &["umount", &at]);
    let file = format!("{at}/swap");
    fs::write(&file, vec![0; usize::try_from(32 * MIB).unwrap()]).unwrap();
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    run(&["mkswap", "--quiet", &file]);
    drive.using(&["swapon", &file], &["swapoff", &file]);
    drive.refuses(&["mounted", "swap"]);
}

#[test]
fn a_drive_that_another_program_has_is_not_opened() {
    let Some(drive) = Attached::new(128 * MIB, &[]) else {
        return;
    };
    let flags = OFlags::RDONLY | OFlags::EXCL | OFlags::CLOEXEC;
    let held = rustix::fs::open(&drive.path, flags, Mode::empty()).unwrap();
    drive.refuses(&["taken"]);
    drop(held);
    // Another test that is just starting a process holds every file for a moment.
    let is_free = |_| {
        thread::sleep(Duration::from_millis(20));
        judge(GUARDS, &drive.device()).is_free()
    };
    assert!((0..50).any(is_free));
}

#[test]
fn a_read_only_drive_is_not_opened() {
    let Some(drive) = Attached::new(128 * MIB, &["--read-only"]) else {
        return;
    };
    drive.refuses(&["read-only"]);
}

#[test]
fn a_drive_that_is_too_small_is_not_opened() {
    let Some(drive) = Attached::new(127 * MIB, &[]) else {
        return;
    };
    drive.refuses(&["too-small"]);
}

#[test]
fn large_sectors_take_a_larger_drive() {
    let Some(small) = Attached::new(256 * MIB, &["--sector-size", "4096"]) else {
        return;
    };
    small.refuses(&["too-small"]);
    let Some(large) = Attached::new(512 * MIB, &["--sector-size", "4096"]) else {
        return;
    };
    let device = large.device();
    assert_eq!(device.sector, 4096);
    open_exclusively(&Roots::default(), &device).unwrap();
}

#[test]
fn a_partition_is_no_drive_and_holds_its_own() {
    let Some(mut drive) = Attached::new(128 * MIB, &[]) else {
        return;
    };
    let part = drive.partition(1, MIB, 64 * MIB);
    let never = device(&Roots::default(), Path::new(&part)).unwrap_err();
    assert_eq!(never.code(), "partition");
    assert!(never.help().contains(drive.path()), "{}", never.help());
    run(&["mkfs.ext4", "-q", &part]);
    let found = drive.device();
    assert!(judge(GUARDS, &found).is_free(), "{found:?}");
    assert_eq!(found.partitions[0].holds[0].name(), "ext4");
    let at = drive.folder.path().join("at").display().to_string();
    fs::create_dir(&at).unwrap();
    drive.using(&["mount", &part, &at], &["umount", &at]);
    drive.refuses(&["mounted"]);
}

#[test]
fn a_drive_that_was_exchanged_since_the_question_is_not_opened() {
    let (mut left, mut tries) = (vec![128 * MIB, 129 * MIB], 0);
    while let Some(size) = left.pop() {
        let Some(mut drive) = Attached::new(128 * MIB, &[]) else {
            return;
        };
        let asked = drive.device();
        if !drive.exchange(size) {
            tries += 1;
            assert!(tries < 20, "somebody else takes every loop device");
            left.push(size);
            continue;
        }
        let never = open_exclusively(&Roots::default(), &asked).unwrap_err();
        assert!(never.iter().all(|it| it.code() == "changed"), "{never:?}");
        let said = never.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(said[0].contains("taken out"), "{said:?}");
        assert_eq!(said.len(), if size == asked.size { 1 } else { 2 });
        // Asked anew, it is fine.
        open_exclusively(&Roots::default(), &drive.device()).unwrap();
    }
}

#[test]
fn what_has_come_to_a_drive_since_the_question_was_not_asked_about() {
    let Some(drive) = Attached::new(128 * MIB, &[]) else {
        return;
    };
    let label = b"LABELONE\x01\0\0\0\0\0\0\0\0\0\0\0\x20\0\0\0LVM2 001";
    let asked = drive.device();
    let mut file = File::options().write(true).open(&drive.path).unwrap();
    file.write_all(label).unwrap();
    file.sync_all().unwrap();
    drop(file);
    let never = open_exclusively(&Roots::default(), &asked).unwrap_err();
    assert_eq!(never.len(), 1, "{never:?}");
    assert_eq!(never[0].code(), "changed");
    let asked = drive.device();
    let codes = judge(GUARDS, &asked).forced;
    assert_eq!(
        codes.iter().map(NeedsForce::code).collect::<Vec<_>>(),
        ["part"]
    );
    // Whoever calls it has asked about that.
    open_exclusively(&Roots::default(), &asked).unwrap();
}

#[test]
fn a_number_that_is_not_the_drives_is_not_opened() {
    let (Some(one), Some(other)) = (Attached::new(128 * MIB, &[]), Attached::new(128 * MIB, &[]))
    else {
        return;
    };
    let mut asked = one.device();
    asked.path.clone_from(&other.path);
    let never = open_exclusively(&Roots::default(), &asked).unwrap_err();
    assert_eq!(never, [Never::Changed("its name is another's".to_owned())]);
}

fn listed(fleet: &Fleet, path: &str) -> Value {
    let json = fleet.run(&["devices", "--all", "--json"]).code(0).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["format"], 1);
    let all = json["devices"].as_array().unwrap();
    let mut found = all.iter().filter(|it| it["path"] == path);
    found.next().cloned().unwrap_or_else(|| panic!("no {path}"))
}

#[test]
fn the_command_tells_whose_stick_it_is_and_why_it_is_not_free() {
    let fleet = Fleet::new().fleet(crate::repository::KNOWN_URL).git();
    let Some(loaders) = loaders() else { return };
    let Some(mut drive) = Attached::new(128 * MIB, &[]) else {
        return;
    };
    let image = fleet.home().join("n1.img").display().to_string();
    let loaders = loaders.to_str().unwrap();
    fleet.renders();
    fleet
        .run(&["image", "n1", "-o", &image, "--ipxe", loaders])
        .code(0);
    let path = drive.path().to_owned();
    let blank = listed(&fleet, &path);
    assert_eq!(blank["stick"], Value::Null);
    assert_eq!(
        (&blank["writable"], &blank["kind"]),
        (&true.into(), &"loop".into())
    );
    fs::copy(&image, &path).unwrap();
    let [bios, secrets] = [(1, Part::Bios), (3, Part::Secrets)].map(|(number, part)| {
        let (start, length) = part.place(Sector::Of512);
        drive.partition(number, start, length)
    });
    let stick = listed(&fleet, &path);
    assert_eq!(stick["stick"]["node"], "n1");
    assert_eq!(stick["partitions"][1]["name"], secrets[5..]);
    assert_eq!(stick["partitions"][1]["holds"][0], "FAT");
    let text = fleet.run(&["devices", "--all"]).code(0).stdout;
    let about = text
        .split(&format!("  {path}, 134.2 MB, virtual: `"))
        .nth(1);
    let about = about.unwrap_or_else(|| panic!("{text}"));
    assert!(about.contains("now the stick of n1 in test\n"), "{text}");
    // What is attached to a file is no drive that people look for.
    fleet.run(&["devices"]).code(0).hides(&format!("{path},"));
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
    run(&["mkswap", "--quiet", &bios]);
    drive.using(&["swapon", &bios], &["swapoff", &bios]);
    let held = listed(&fleet, &path);
    assert_eq!(held["writable"], false);
    assert_eq!(held["refused"][0]["reason"], "swap");
    assert_eq!(held["uses"][0]["through"][0], bios[5..]);
}

#[test]
fn who_may_read_no_drive_is_told_that_none_is_known_to_be_free() {
    let Some(drive) = Attached::new(128 * MIB, &[]) else {
        return;
    };
    if !has_program("setpriv") {
        return skipped("a user who may read no drive", "there is no setpriv");
    }
    let fleet = Fleet::new();
    let run = fleet.command_as_nobody(&["devices", "--all", "--json"]);
    let json: Value = serde_json::from_str(&run.run().code(0).stdout).unwrap();
    let all = json["devices"].as_array().unwrap();
    let own = all.iter().find(|it| it["path"] == drive.path()).unwrap();
    assert_eq!(own["writable"], false);
    assert_eq!(own["refused"][0]["reason"], "unread");
    let run = fleet.command_as_nobody(&["devices", "--all"]).run().code(0);
    run.says(&["can't be read by you: `sudo ephemeros devices` knows more"]);
}

#[test]
fn a_file_that_is_in_use_by_another_way_is_no_free_drive() {
    let Some(mut drive) = Attached::new(128 * MIB, &[]) else {
        return;
    };
    let file = drive.file();
    // A second loop device over the same file, by another name of it, and that one mounted.
    let link = file.with_file_name("link");
    fs::hard_link(&file, &link).unwrap();
    let attach = Command::new("losetup")
        .args(["--find", "--show"])
        .arg(&link)
        .output();
    let other = String::from_utf8(attach.unwrap().stdout)
        .unwrap()
        .trim()
        .to_owned();
    drive
        .in_use
        .push(["losetup", "--detach", &other].map(str::to_owned).to_vec());
    drive.refuses(&["held"]);
    if has_program("mkfs.ext4") {
        run(&["mkfs.ext4", "-q", &other]);
        let at = file.with_file_name("mnt");
        fs::create_dir(&at).unwrap();
        let at = at.to_str().unwrap();
        drive.using(&["mount", &other, at], &["umount", at]);
        drive.refuses(&["mounted", "held"]);
    }
}

#[test]
fn a_file_that_is_swapped_to_is_no_free_drive() {
    let Some(mut drive) = Attached::new(128 * MIB, &[]) else {
        return;
    };
    let file = drive.file();
    let path = file.to_str().unwrap().to_owned();
    fs::write(&file, vec![0; 128 << 20]).unwrap();
    if !has_program("mkswap") {
        return skipped("a swap file", "there is no mkswap");
    }
    run(&["chmod", "600", &path]);
    run(&["mkswap", &path]);
    let swapped = Command::new("swapon").arg(&path).status();
    if !swapped.unwrap().success() {
        return skipped("a swap file", "this file system takes none");
    }
    drive.in_use.push(vec!["swapoff".to_owned(), path]);
    let refused = judge(GUARDS, &drive.device()).refused;
    assert!(refused.iter().any(|it| it.code() == "swap"), "{refused:?}");
}

#[test]
fn a_loop_over_a_drive_is_known_by_whatever_name() {
    let Some(below) = Attached::new(128 * MIB, &[]) else {
        return;
    };
    let Device { number, .. } = below.device();
    let node = below.file().with_file_name("node");
    let node = node.to_str().unwrap();
    run(&[
        "mknod",
        node,
        "b",
        &number.0.to_string(),
        &number.1.to_string(),
    ]);
    let attach = Command::new("losetup")
        .args(["--find", "--show", node])
        .output();
    let above = String::from_utf8(attach.unwrap().stdout)
        .unwrap()
        .trim()
        .to_owned();
    let told = |path: &str| {
        let device = device(&Roots::default(), Path::new(path)).unwrap();
        judge(GUARDS, &device)
            .refused
            .iter()
            .map(Never::code)
            .collect::<Vec<_>>()
    };
    let (of_above, of_below) = (told(&above), told(below.path()));
    fs::remove_file(node).unwrap();
    let of_gone = told(&above);
    run(&["losetup", "--detach", &above]);
    assert_eq!((of_above, of_below), (vec!["no-drive"], vec!["held"]));
    assert_eq!(of_gone, ["no-drive"]);
}
