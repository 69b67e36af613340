//! `image` and `inspect`: what is on a stick, read by other people's tools, and every way in which there is none.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use ephemeros::ipxe::loader::{Places, Target, find};
use ephemeros::os::Arch;
use ephemeros::stick::{Part, Sector};

use crate::drives::Attached;
use crate::fleet::{Fleet, RECIPIENT, Run};
use crate::repository::{has_program, skipped};

/// What stands on the stick in one place and nowhere else.
const VALUE: &str = "hunter2-\u{e9}\"'\\ $x`y\nend ";

/// Of an image for most drives.
const SIZE: u64 = Sector::Of512.stick_size();

const URL: &str = "https://git.example/{{ path }}";

pub(crate) const AMD64: Target = Target::Uefi(Arch::Amd64);

/// A folder with real loaders; a test without them is left out.
pub(crate) fn loaders() -> Option<PathBuf> {
    let places = Places {
        variable: std::env::var_os("EPHEMEROS_IPXE_DIR").map(Into::into),
        home: std::env::home_dir(),
        ..Places::default()
    };
    let search = find(&places, &Target::ALL).ok();
    let folder = |target| Some(search.as_ref()?.loader(target)?.path.parent()?.to_owned());
    // The tests name one folder, so one must have both.
    let folder = folder(Target::Bios).filter(|bios| folder(AMD64).as_ref() == Some(bios));
    if folder.is_none() {
        skipped(
            "a test of sticks",
            "there is no iPXE here: run tools/loaders",
        );
    }
    folder
}

pub(crate) fn demo_key() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/identity/demo.age.key")
}

/// A node with a secret in an env file, and one that is a file of its own, in a git repository.
pub(crate) fn fleet() -> Fleet {
    let fleet = Fleet::new()
        .fleet(&format!(
            "[git]\nraw_url = \"{URL}\"\n[vault]\nrecipients = [\"{RECIPIENT}\"]\n\
             [roles.web]\nvariables = [\"TOKEN\"]\nenv_file = \"web_env\"\n[roles.web.files]\n\"tls/node.key\" = \"KEY\"\n"
        ))
        .node("n1", "roles = [\"web\"]\ntemplates = [\"base.bu\"]\n")
        .file(".gitignore", "*.img\n");
    for (name, value) in [("TOKEN", VALUE), ("KEY", "a key\n\0\u{ff}")] {
        let set = fleet.command(&["secrets", "set", "n1", name]);
        set.stdin(value).run().code(0);
    }
    fleet.renders();
    fleet.git()
}

/// The arguments of a run that succeeds, but for the fleet.
fn arguments(output: &Path, loaders: &Path) -> Vec<String> {
    let key = demo_key();
    let paths = [
        "image",
        "n1",
        "--output",
        output.to_str().unwrap(),
        "--ipxe",
        loaders.to_str().unwrap(),
        "--identity",
        key.to_str().unwrap(),
    ];
    paths.map(str::to_owned).into()
}

fn run(fleet: &Fleet, args: &[String]) -> Run {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    fleet.run(&args)
}

/// A place for images, outside the fleet.
pub(crate) fn outside(fleet: &Fleet) -> PathBuf {
    fleet.home()
}

/// Makes an image there.
#[track_caller]
pub(crate) fn image(fleet: &Fleet, name: &str, loaders: &Path) -> PathBuf {
    let path = outside(fleet).join(name);
    run(fleet, &arguments(&path, loaders))
        .code(0)
        .hides("hunter2");
    path
}

/// Runs another tool on an image, which must succeed; what it prints.
#[track_caller]
pub(crate) fn tool(program: &str, args: &[&str]) -> String {
    let ran = Command::new(program)
        .args(args)
        .env("MTOOLS_SKIP_CHECK", "1")
        .env("TZ", "UTC")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{program} {args:?}: {said}{errors}");
    said
}

/// The name by which mtools knows a part of an image.
pub(crate) fn drive(image: &Path, part: Part) -> String {
    drive_of(image, part, Sector::Of512)
}

fn drive_of(image: &Path, part: Part, sector: Sector) -> String {
    format!("{}@@{}", image.display(), part.place(sector).0)
}

pub(crate) fn has_tools(names: &[&str]) -> bool {
    names.iter().all(|name| {
        let there = has_program(name);
        if !there {
            skipped("a look from outside", &format!("there is no {name}"));
        }
        there
    })
}

#[test]
fn other_tools_agree_with_the_image() {
    let Some(loaders) = loaders().filter(|_| has_tools(&["sgdisk", "fsck.fat", "mdir", "mtype"]))
    else {
        return;
    };
    let fleet = fleet();
    let image = image(&fleet, "n1.img", &loaders);
    let path = image.to_str().unwrap();
    let said = tool("sgdisk", &["-v", path]);
    assert!(said.contains("No problems found"), "{said}");
    if has_tools(&["file"]) {
        let said = tool("file", &[path]);
        assert!(said.contains("DOS/MBR boot sector"), "{said}");
    }
    let table = tool("sgdisk", &["-p", path]);
    for (code, name) in [
        ("EF02", "ephemeros-bios"),
        ("EF00", "ephemeros-efi"),
        ("8300", "ephemeros-secrets"),
    ] {
        let line = table.lines().find(|line| line.ends_with(name)).unwrap();
        assert!(line.contains(code), "{line}");
    }
    let guid = tool("sgdisk", &["-i", "3", path]);
    let fleet_id = "6b1e2a54-7c0f-4b7e-9d43-2f1f6a3f1c11".parse().unwrap();
    let partuuid = uuid::Uuid::new_v5(&fleet_id, b"n1").to_string();
    assert!(guid.to_lowercase().contains(&partuuid), "{guid}{partuuid}");

    fsck(&fleet, &image);
    let efi = drive(&image, Part::Efi);
    let list = tool("mdir", &["-/", "-b", "-i", &efi]);
    for file in [
        "::/EFI/BOOT/BOOTX64.EFI",
        "::/autoexec.ipxe",
        "::/ephemeros.toml",
        "::/ignition/n1.ign",
        "::/ipxe/n1.ipxe",
    ] {
        assert!(list.lines().any(|line| line == file), "no {file} in {list}");
    }
    assert!(tool("mlabel", &["-s", "-i", &efi]).contains("EPHEMEROS"));
    assert_eq!(
        tool("mtype", &["-i", &efi, "::/ignition/n1.ign"]),
        fleet.read("ignition/n1.ign")
    );
    let prologue = tool("mtype", &["-i", &efi, "::/autoexec.ipxe"]);
    assert!(prologue.contains("set config-url https://git.example/ignition/n1.ign\n"));
    assert!(prologue.contains("set script-url https://git.example/ipxe/n1.ipxe\n"));
    let secrets = drive(&image, Part::Secrets);
    assert_eq!(
        tool("mtype", &["-i", &secrets, "::/web_env"]),
        "TOKEN=\"hunter2-\u{e9}\\\"'\\\\ \\$x\\`y\nend \"\n"
    );
    assert_eq!(
        tool("mtype", &["-i", &secrets, "::/tls/node.key"]),
        "a key\n\0\u{ff}"
    );
}

/// Has both volumes checked.
#[track_caller]
fn fsck(fleet: &Fleet, image: &Path) {
    fsck_of(fleet, image, Sector::Of512);
}

#[track_caller]
fn fsck_of(fleet: &Fleet, image: &Path, sector: Sector) {
    for part in [Part::Efi, Part::Secrets] {
        let (start, length) = part.place(sector);
        let mut bytes = vec![0; usize::try_from(length).unwrap()];
        let image = File::open(image).unwrap();
        image.read_exact_at(&mut bytes, start).unwrap();
        let volume = outside(fleet).join("volume");
        fs::write(&volume, bytes).unwrap();
        let said = tool("fsck.fat", &["-n", "-v", volume.to_str().unwrap()]);
        let bits = match (part, sector) {
            (Part::Secrets, Sector::Of4096) => "16 bit entries",
            _ => "32 bit entries",
        };
        assert!(said.contains(bits), "{said}");
        let bytes = format!("{} bytes per logical sector", sector.bytes());
        assert!(said.contains(&bytes), "{said}");
        for fault in ["uninitialized", "wrong", "differ", "Bad", "dirty"] {
            assert!(!said.contains(fault), "{said}");
        }
    }
}

#[test]
fn other_tools_agree_with_an_image_for_sectors_of_4096_bytes() {
    let tools = ["sgdisk", "fsck.fat", "mdir", "mtype", "blkid"];
    let Some(loaders) = loaders().filter(|_| has_tools(&tools)) else {
        return;
    };
    let fleet = fleet();
    let path = outside(&fleet).join("n1.img");
    let mut args = arguments(&path, &loaders);
    args.extend(["--sector-size".to_owned(), "4096".to_owned()]);
    let note = "from a drive with sectors of 4096 bytes this stick boots by UEFI only";
    run(&fleet, &args).code(0).says(&[note]).hides("hunter2");
    fsck_of(&fleet, &path, Sector::Of4096);
    let efi = drive_of(&path, Part::Efi, Sector::Of4096);
    assert_eq!(
        tool("mtype", &["-i", &efi, "::/ignition/n1.ign"]),
        fleet.read("ignition/n1.ign")
    );
    let secrets = drive_of(&path, Part::Secrets, Sector::Of4096);
    assert_eq!(
        tool("mtype", &["-i", &secrets, "::/tls/node.key"]),
        "a key\n\0\u{ff}"
    );
    let report = fleet.run(&["inspect", path.to_str().unwrap()]).code(0);
    report
        .prints(&["sectors      4096 bytes\n", "  tls/node.key\n"])
        .hides("ipxe.lkrn");
    // No boot code, no active partition, and nothing for the code to load.
    let mbr = bytes_at(&path, 0, 4096);
    assert!(mbr[..446].iter().chain(&mbr[462..510]).all(|it| *it == 0));
    let (start, length) = Part::Bios.place(Sector::Of4096);
    let bios = bytes_at(&path, start, usize::try_from(length).unwrap());
    assert!(bios.iter().all(|byte| *byte == 0));

    // As the kernel and `sgdisk` see it on such a drive, and on a larger one.
    for size in [1, 2].map(|times| times * Sector::Of4096.stick_size()) {
        let Some(attached) = Attached::new(size, &["--sector-size", "4096"]) else {
            return;
        };
        tool(
            "dd",
            &[
                &format!("if={}", path.display()),
                &format!("of={}", attached.path()),
                "bs=1M",
                "conv=sparse,fsync",
                "status=none",
            ],
        );
        if size != Sector::Of4096.stick_size() {
            let key = demo_key();
            let ways = [
                "--yes",
                "--identity",
                key.to_str().unwrap(),
                "--ipxe",
                loaders.to_str().unwrap(),
                "--unpushed",
            ];
            let args = [&["flash", "n1", attached.path()][..], &ways].concat();
            fleet.run(&args).code(0).says(&[note]).hides("hunter2");
            let other = image(&fleet, "512.img", &loaders);
            let args = ["flash", other.to_str().unwrap(), attached.path(), "--yes"];
            fleet.run(&args).code(1).says(&[
                "512.img` is for drives with sectors of 512 bytes, and this one has 4096",
                "make one for it: `ephemeros image NODE --output FILE --sector-size 4096`",
            ]);
            let args = ["flash", path.to_str().unwrap(), attached.path(), "--yes"];
            fleet.run(&args).code(0);
        }
        let said = tool("sgdisk", &["-v", attached.path()]);
        assert!(said.contains("No problems found"), "{said}");
        let table = tool("sgdisk", &["-p", attached.path()]);
        assert!(
            table.contains("Sector size (logical/physical): 4096/"),
            "{table}"
        );
        assert!(table.contains("ephemeros-secrets"), "{table}");
        for (part, label) in [(Part::Efi, "EPHEMEROS"), (Part::Secrets, "SECRETS")] {
            let at = part.place(Sector::Of4096).0.to_string();
            let said = tool("blkid", &["--probe", "--offset", &at, attached.path()]);
            assert!(said.contains("TYPE=\"vfat\""), "{said}");
            assert!(said.contains(&format!("LABEL=\"{label}\"")), "{said}");
        }
        fleet.run(&["inspect", attached.path()]).code(0);
    }
}

#[test]
fn what_is_for_a_bios_is_not_for_sectors_of_4096_bytes() {
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    let text = fleet.read("nodes/n1.toml");
    fleet.write(
        "nodes/n1.toml",
        format!("stick.firmware = [\"bios\"]\n{text}"),
    );
    let path = outside(&fleet).join("n1.img");
    let mut args = arguments(&path, &loaders);
    args.extend(["--sector-size".to_owned(), "4096".to_owned()]);
    run(&fleet, &args).code(1).says(&[
        "error: this stick is for a BIOS, and none starts from a drive with sectors of 4096 bytes",
        "nodes/n1.toml:1:",
        "= help: take a drive with sectors of 512 bytes, or write `firmware = [\"uefi\"]`",
    ]);
    assert!(!path.exists());
    args.pop();
    args.push("1024".to_owned());
    run(&fleet, &args)
        .code(64)
        .says(&["[possible values: 512, 4096]"]);
}

#[test]
fn many_files_in_deep_folders_are_no_fault_to_fsck() {
    let Some(loaders) = loaders().filter(|_| has_tools(&["fsck.fat", "mdir"])) else {
        return;
    };
    let fleet = fleet();
    let files: String = (0..60)
        .flat_map(|n| {
            let place =
                |folder: &str| format!("\"{folder}a-rather-long-name-{n}.Key\" = \"KEY\"\n");
            [place("tls/deep/er/"), place("tls/"), place("")]
        })
        .collect();
    fleet.replace("fleet.toml", "\"tls/node.key\" = \"KEY\"\n", &files);
    let image = image(&fleet, "n1.img", &loaders);
    fsck(&fleet, &image);
    let list = tool("mdir", &["-/", "-b", "-i", &drive(&image, Part::Secrets)]);
    assert_eq!(
        list.lines().filter(|line| line.ends_with(".Key")).count(),
        180
    );
}

#[test]
fn the_same_inputs_give_the_same_bytes_whatever_was_committed() {
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    let first = fs::read(image(&fleet, "a.img", &loaders)).unwrap();
    fleet.write("README", "hello");
    fleet.commit();
    let second = fs::read(image(&fleet, "b.img", &loaders)).unwrap();
    assert!(first == second);
    // Another name of the clone, and another user's clock, change nothing either.
    let clone = fleet.cloned();
    let third = fs::read(image(&clone, "c.img", &loaders)).unwrap();
    assert!(first == third);
    // A value that is set anew is another one.
    fleet
        .command(&["secrets", "set", "n1", "TOKEN"])
        .stdin("x")
        .run()
        .code(0);
    assert!(first != fs::read(image(&fleet, "a.img", &loaders)).unwrap());
}

#[test]
fn only_its_owner_may_read_it_and_zeros_take_no_room() {
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    let path = image(&fleet, "n1.img", &loaders);
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
    assert_eq!(metadata.len(), SIZE);
    assert!(
        metadata.blocks() * 512 < 8 << 20,
        "{} blocks",
        metadata.blocks()
    );
    // An older one that was open to all is replaced by one that is not.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    image(&fleet, "n1.img", &loaders);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
}

#[test]
fn a_secret_stands_on_its_volume_and_nowhere_else() {
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    let bytes = fs::read(image(&fleet, "n1.img", &loaders)).unwrap();
    let places: Vec<usize> = bytes
        .windows(8)
        .enumerate()
        .filter(|(_, window)| *window == b"hunter2-")
        .map(|(at, _)| at)
        .collect();
    let (start, length) = Part::Secrets.place(Sector::Of512);
    assert_eq!(places.len(), 1);
    assert!((start..start + length).contains(&(places[0] as u64)));
}

#[test]
fn a_place_that_git_would_publish_is_refused() {
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    let before = fleet.files();
    for name in ["n1.bin", "nodes/../n1.bin"] {
        let place = fleet.root().join(name);
        run(&fleet, &arguments(&place, &loaders))
            .code(1)
            .says(&[
                "error: `",
                "is in a git work tree and not ignored",
                ".gitignore",
            ])
            .mistakes(1);
    }
    assert!(before == fleet.files());
    let ignored = fleet.root().join("n1.img");
    run(&fleet, &arguments(&ignored, &loaders)).code(0);
    // By its name from inside the fleet, and by another fleet's repository.
    run(&fleet, &arguments(Path::new("x.img"), &loaders)).code(0);
    let other = Fleet::committed();
    run(&fleet, &arguments(&other.root().join("n1.img"), &loaders))
        .code(1)
        .says(&["not ignored"]);
    // What git tracks it takes, ignored or not.
    fleet.git_says(&["add", "--force", "x.img"]);
    run(&fleet, &arguments(Path::new("x.img"), &loaders))
        .code(1)
        .says(&["not ignored"]);
}

#[test]
fn what_is_no_stick_is_not_overwritten() {
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    let fleet = fleet.link("dangling.img", "nowhere.img");
    let folder = outside(&fleet);
    let photo = folder.join("photo.img");
    fs::write(&photo, "a photo").unwrap();
    for (place, why) in [
        (
            photo.as_path(),
            "is there already, and is no stick: it is not overwritten",
        ),
        (&folder, "is a folder"),
        (Path::new("/dev/null"), "is no regular file"),
        (
            Path::new("nowhere/n1.img"),
            "can't take an image: No such file or directory",
        ),
        (Path::new("/dev/null/n1.img"), "is no folder"),
        (Path::new("-"), "is no name of a file"),
        (Path::new("n1.img/"), "is no name of a file"),
        (
            Path::new("nodes/n9.img"),
            "is in `nodes/`, whose files are the fleet's",
        ),
        (Path::new("dangling.img"), "can't be read: No such file"),
        (Path::new("/proc/self/fd/1"), "can't be read: No such file"),
        (Path::new(".."), "is a folder"),
    ] {
        run(&fleet, &arguments(place, &loaders))
            .code(1)
            .says(&["error: ", why, "= help: "])
            .mistakes(1);
    }
    assert_eq!(fs::read(&photo).unwrap(), b"a photo");
    // What `mktemp` makes is nobody's, and an old stick is replaced.
    fs::write(&photo, "").unwrap();
    image(&fleet, "photo.img", &loaders);
    image(&fleet, "photo.img", &loaders);
    // Through a link, as an editor would.
    std::os::unix::fs::symlink("photo.img", folder.join("link.img")).unwrap();
    image(&fleet, "link.img", &loaders);
    assert!(
        fs::symlink_metadata(folder.join("link.img"))
            .unwrap()
            .is_symlink()
    );
}

#[test]
fn everything_that_is_missing_is_told_at_once_and_no_file_is_left() {
    let fleet = fleet().file("empty/x", "");
    fleet.replace(
        "fleet.toml",
        &format!("raw_url = \"{URL}\""),
        "remote = \"origin\"",
    );
    let empty = fleet.root().join("empty");
    let args = [
        "image",
        "n1",
        "--output",
        "nowhere/n1.img",
        "--ipxe",
        empty.to_str().unwrap(),
        "--identity",
        "nowhere/key",
    ];
    let run = fleet
        .command(&args)
        .env("SOURCE_DATE_EPOCH", "yesterday")
        .run();
    run.code(1)
        .says(&[
            "can't take an image",
            "there is no git remote",
            "holds no iPXE",
            "`SOURCE_DATE_EPOCH` is no number",
            "can't read the identity `nowhere/key`",
        ])
        .mistakes(5);
}

/// Two nodes with a tag, and one without.
fn three() -> Fleet {
    let fleet = fleet();
    let text = fleet.read("nodes/n1.toml");
    for (name, tags) in [("n1", "\"rack\""), ("n2", "\"rack\""), ("n3", "")] {
        fleet.write(
            &format!("nodes/{name}.toml"),
            format!("tags = [{tags}]\n{text}"),
        );
    }
    fleet.renders();
    fleet
}

#[test]
fn the_sticks_of_many_nodes_are_a_file_each() {
    let Some(loaders) = loaders() else { return };
    let fleet = three();
    let single = outside(&fleet).join("single.img");
    let folder = outside(&fleet).join("sticks");
    fs::create_dir(&folder).unwrap();
    let many = |folder: &Path, on: &[&str]| {
        let mut args = arguments(folder, &loaders);
        args.remove(1);
        args.extend(
            on.iter()
                .flat_map(|on| ["--on".to_owned(), (*on).to_owned()]),
        );
        run(&fleet, &args)
    };
    let ran = many(&folder, &["@rack"]).code(0);
    ran.prints(&[
        "sticks/n1.img: the stick of n1, 128 MiB",
        "sticks/n2.img: the stick of n2",
    ])
    .says(&["whoever has these files has the nodes' secrets"])
    .hides("hunter2");
    let names = |folder: &Path| {
        let names = fs::read_dir(folder).unwrap();
        let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(
        names(&folder),
        ["n1.img", "n2.img"].map(str::to_owned).into()
    );
    for node in ["n1", "n2"] {
        let path = folder.join(format!("{node}.img"));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let mut args = arguments(&single, &loaders);
        args[1] = node.to_owned();
        run(&fleet, &args).code(0);
        assert!(
            fs::read(&single).unwrap() == fs::read(&path).unwrap(),
            "{node}"
        );
    }
    // Again, over the old ones, and for programs.
    let mut args = arguments(&folder, &loaders);
    args.remove(1);
    args.extend(["--on", "n*", "--json"].map(str::to_owned));
    let json = run(&fleet, &args).code(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let nodes = json["images"].as_array().unwrap().iter();
    let nodes: Vec<_> = nodes.map(|it| it["node"].as_str().unwrap()).collect();
    assert_eq!(nodes, ["n1", "n2", "n3"]);

    // What is wrong with any of them is told before any is written.
    fs::write(folder.join("n1.img"), "a letter").unwrap();
    fs::remove_file(folder.join("n2.img")).unwrap();
    fs::remove_file(folder.join("n3.img")).unwrap();
    fs::create_dir(folder.join("n3.img")).unwrap();
    many(&folder, &["*"])
        .code(1)
        .says(&[
            "n1.img` is there already, and is no stick",
            "n3.img` is a folder",
        ])
        .mistakes(2);
    assert!(!folder.join("n2.img").exists());
    assert_eq!(fs::read(folder.join("n1.img")).unwrap(), b"a letter");
    // A secret that one of them can't hold is told before, too.
    let fresh = outside(&fleet).join("fresh");
    fs::create_dir(&fresh).unwrap();
    fleet.replace("fleet.toml", "[\"TOKEN\"]", "[\"TOKEN\", \"KEY\"]");
    fleet.replace(
        "fleet.toml",
        "[roles.web.files]\n\"tls/node.key\" = \"KEY\"\n",
        "",
    );
    many(&fresh, &["*"]).code(1).says(&[
        "`web_env` can't hold `KEY`",
        "nodes/n1.toml",
        "nodes/n3.toml",
    ]);
    assert!(names(&fresh).is_empty());

    for (folder, says) in [
        (
            "nowhere",
            "error: `nowhere` can't take the images: No such file",
        ),
        ("fleet.toml", "error: `fleet.toml` is no folder"),
        (".", "is in a git work tree and not ignored"),
        ("nodes", "is in `nodes/`, whose files are the fleet's"),
    ] {
        fleet.write(".gitignore", if folder == "." { "" } else { "*.img" });
        many(Path::new(folder), &["@rack"]).code(1).says(&[says]);
    }
    many(&folder, &["@nobody"]).code(1).says(&["error: "]);
    let output = folder.to_str().unwrap();
    for args in [
        &["image", "-o", output][..],
        &["image", "n1", "--on", "@rack", "-o", output],
        &["image", "--on", "@rack"],
    ] {
        fleet.run(args).code(64).says(&["error: "]);
    }
}

#[test]
fn an_identity_that_does_not_fit_is_told_with_the_secrets_it_was_for() {
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    let key = outside(&fleet).join("other.key");
    fleet
        .run(&["secrets", "keygen", "--output", key.to_str().unwrap()])
        .code(0);
    let output = outside(&fleet).join("n1.img");
    let mut args = arguments(&output, &loaders);
    *args.last_mut().unwrap() = key.to_str().unwrap().to_owned();
    run(&fleet, &args)
        .code(1)
        .says(&[
            "can't open `KEY`, `TOKEN`: no identity fits",
            "nodes/n1.toml:",
            "= help: ",
        ])
        .mistakes(1);
    // None at all.
    args.truncate(args.len() - 2);
    run(&fleet, &args)
        .code(1)
        .says(&["no identity found", "--identity FILE"]);
    assert!(!output.exists());
    // A node without secrets needs none.
    let fleet = Fleet::new().fleet(&format!("[git]\nraw_url = \"{URL}\"\n"));
    run(&fleet, &args).code(0);
}

#[test]
fn a_secret_that_nothing_sets_makes_no_stick() {
    let fleet = fleet();
    let text = fleet.read("nodes/n1.toml");
    let line = text.lines().find(|line| line.starts_with("TOKEN")).unwrap();
    let without = text.replace(line, "");
    fleet.write("nodes/n1.toml", without);
    let output = outside(&fleet).join("n1.img");
    run(&fleet, &arguments(&output, Path::new("nowhere")))
        .code(1)
        .says(&[
            "role `web` needs `TOKEN`, and nothing sets it",
            "secrets set",
        ]);
    assert!(!output.exists());
}

#[test]
fn loaders_that_can_t_work_are_told() {
    let Some(loaders) = loaders() else { return };
    let real = fs::read(find_amd64(&loaders)).unwrap();
    // An iPXE of before 2021 has no such name in it.
    let old = replaced(&real, b"autoexec.ipxe", b"autoexec.ipxx");
    let fleet = fleet()
        .file("old/ipxe.efi", &old)
        .file("new/ipxe.efi", &real)
        .file("new/ipxe.lkrn", kernel(&[b"#!ipxe", b"HTTPS"]));
    let output = outside(&fleet).join("n1.img");
    let mut args = arguments(&output, Path::new("old"));
    run(&fleet, &args).code(1).says(&[
        "error: ",
        "`old`",
        "does not read `autoexec.ipxe`",
        "2021-01-25",
    ]);
    // In a usual place it is passed over, with a note.
    let usual = fleet.home().join(".local/share/ephemeros");
    fs::create_dir_all(usual.join("ipxe")).unwrap();
    fs::write(usual.join("ipxe/a.efi"), &old).unwrap();
    args.drain(4..6);
    let without = run(&fleet, &args).says(&["note: `", "a.efi` is iPXE", "passed over"]);
    if without.code != Some(0) {
        // This machine's own packages have none either.
        without.says(&["there is no iPXE for amd64 UEFI machines", "= help: "]);
    }
    fs::write(usual.join("ipxe/b.efi"), &real).unwrap();
    let without = run(&fleet, &args);
    if without.code != Some(0) {
        without
            .says(&[
                "there is no iPXE for BIOS machines here",
                "= help: ",
                "`firmware = [\"uefi\"]` under `[stick]`",
            ])
            .mistakes(1);
        assert!(!output.exists());
    }
    let bios = kernel(&[b"#!ipxe", b"HTTPS"]);
    fs::write(usual.join("ipxe/c.lkrn"), bios).unwrap();
    run(&fleet, &args).code(0);
    // The fleet's own choice comes first.
    fleet.replace(
        "fleet.toml",
        "[git]",
        "[stick.ipxe]\nbios = \"new/ipxe.lkrn\"\nx86_64_efi = \"old/ipxe.efi\"\n[git]",
    );
    run(&fleet, &args)
        .code(1)
        .says(&["old/ipxe.efi` is iPXE", "does not read"])
        .mistakes(1);
    fleet.replace("fleet.toml", "old/ipxe.efi", "new/ipxe.efi");
    run(&fleet, &args).code(0);
    fleet.replace("fleet.toml", "x86_64_efi", "arm64_efi");
    run(&fleet, &args)
        .code(1)
        .says(&["is for amd64 UEFI machines, and one for arm64 UEFI is needed"]);
}

fn find_amd64(folder: &Path) -> PathBuf {
    let places = Places {
        option: Some(folder.to_owned()),
        ..Places::default()
    };
    let search = find(&places, &[AMD64]).unwrap();
    search.loader(AMD64).unwrap().path.clone()
}

/// What is read as an `ipxe.lkrn` with these texts in it; nothing could boot it.
pub(crate) fn kernel(texts: &[&[u8]]) -> Vec<u8> {
    let mut opened: Vec<u8> = (0..4000_u32)
        .flat_map(|it| (it * it).to_le_bytes())
        .collect();
    opened.extend(texts.iter().flat_map(|text| [text, &b"\0"[..]].concat()));
    let options = lzma_rust2::LzmaOptions {
        lc: 2,
        pb: 0,
        ..lzma_rust2::LzmaOptions::with_preset(3)
    };
    let mut packed = Vec::new();
    let mut writer = lzma_rust2::LzmaWriter::new_no_header(&mut packed, &options, true).unwrap();
    writer.write_all(&opened).unwrap();
    writer.finish().unwrap();
    let mut bytes = vec![0x90; 1024];
    bytes[0x1f1] = 1;
    bytes[0x1f4..0x1f8].fill(0);
    bytes[0x1fe..0x200].copy_from_slice(&[0x55, 0xaa]);
    bytes[0x202..0x208].copy_from_slice(b"HdrS\x07\x02");
    bytes[0x20e..0x210].copy_from_slice(&[0x80, 0]);
    bytes[0x211] = 1;
    bytes[0x280..0x28e].copy_from_slice(b"2.0.0+dfsg-5\0\0");
    bytes.extend(packed);
    bytes
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len() - old.len() {
        if bytes[at..].starts_with(old) {
            bytes[at..at + new.len()].copy_from_slice(new);
        }
    }
    bytes
}

#[test]
fn a_stick_for_no_machine_is_refused() {
    let Some(loaders) = loaders() else { return };
    for (line, says) in [
        (
            "os.arch = \"arm64\"\nos.version = \"4593.2.5\"\nstick.firmware = [\"bios\"]",
            "no arm64 machine has the firmware that this stick is for",
        ),
        ("stick.firmware = []", "no amd64 machine has the firmware"),
    ] {
        let fleet = fleet();
        let text = fleet.read("nodes/n1.toml");
        fleet.write("nodes/n1.toml", format!("{line}\n{text}"));
        let output = outside(&fleet).join("n1.img");
        run(&fleet, &arguments(&output, &loaders))
            .code(1)
            .says(&["error: ", says, "= help: "]);
        assert!(!output.exists());
    }
}

#[test]
fn a_loader_that_can_t_bring_up_the_node_s_network_is_refused() {
    let Some(loaders) = loaders() else { return };
    let address = |ip: &str| format!("network.address = \"{ip}\"\nnetwork.interface = \"eno1\"\n");
    let vlan = "network.vlan = 7\nnetwork.interface = \"eno1\"\n".to_owned();
    let v6: &[&[u8]] = &[b"iflinkwait", b"IPv6", b"gateway6"];
    for (lines, knows, what, key) in [
        (vlan, &[&b"vcreate"[..]][..], "VLANs (`vcreate`)", "vlan"),
        (
            address("10.0.0.7/24"),
            &v6[..1],
            "static addresses (`iflinkwait`)",
            "address",
        ),
        (address("fd00::7/64"), v6, "IPv6", "address"),
    ] {
        let fleet = fleet();
        fleet.replace(
            "fleet.toml",
            "[git]",
            "[stick.ipxe]\nbios = \"own.lkrn\"\n[git]",
        );
        let text = fleet.read("nodes/n1.toml");
        fleet.write("nodes/n1.toml", format!("{lines}{text}"));
        let output = outside(&fleet).join("n1.img");
        let args = arguments(&output, &loaders);
        let texts = |knows: &[&'static [u8]]| [&[&b"#!ipxe"[..], b"HTTPS"], knows].concat();
        // All but the last of what it takes.
        fleet.write("own.lkrn", kernel(&texts(&knows[..knows.len() - 1])));
        run(&fleet, &args)
            .code(1)
            .says(&[
                &format!("own.lkrn` was built without {what}, which `{key}` takes"),
                "nodes/n1.toml:1:",
                "--ipxe DIR",
                &format!("take `{key}` out").replace("take `address` out", "give the machine"),
                "`firmware = [\"uefi\"]`",
            ])
            .mistakes(1);
        assert!(!output.exists());
        fleet.write("own.lkrn", kernel(&texts(knows)));
        run(&fleet, &args).code(0);
    }
}

/// The script that a stick of the fleet has.
fn script_on_stick(fleet: &Fleet, loaders: &Path) -> String {
    let path = outside(fleet).join("script.img");
    run(fleet, &arguments(&path, loaders)).code(0);
    let text = tool(
        "mtype",
        &["-i", &format!("{}@@3M", path.display()), "::autoexec.ipxe"],
    );
    fs::remove_file(path).unwrap();
    text
}

#[test]
fn the_stick_takes_its_own_config_where_its_release_can() {
    let Some(loaders) = loaders().filter(|_| has_tools(&["mtype"])) else {
        return;
    };
    let fleet = fleet();
    let take = "file:/ignition/n1.ign usr/share/oem/config.ign mode=600 mkdir=-1";
    assert!(script_on_stick(&fleet, &loaders).contains(take));
    let text = fleet.read("nodes/n1.toml");
    for line in ["stick.script = \"stick\"", "os.version = \"4459.2.4\""] {
        fleet.write("nodes/n1.toml", format!("{line}\n{text}"));
        assert!(
            !script_on_stick(&fleet, &loaders).contains("file:"),
            "{line}"
        );
    }
}

/// What stands in an image from a place on.
fn bytes_at(image: &Path, at: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    File::open(image)
        .unwrap()
        .read_exact_at(&mut bytes, at)
        .unwrap();
    bytes
}

#[test]
fn a_stick_is_for_the_firmware_that_its_node_has() {
    let Some(loaders) = loaders().filter(|_| has_tools(&["mdir", "mtype"])) else {
        return;
    };
    let search = find(
        &Places {
            option: Some(loaders.clone()),
            ..Places::default()
        },
        &[Target::Bios],
    );
    let bios = search.unwrap().take(Target::Bios).unwrap().bytes;
    for (firmware, arch, has_uefi, has_bios) in [
        ("\"uefi\", \"bios\"", "amd64", true, true),
        ("\"uefi\"", "amd64", true, false),
        ("\"bios\"", "amd64", false, true),
        // No arm64 machine has one.
        ("\"uefi\", \"bios\"", "arm64", true, false),
    ] {
        let fleet = fleet();
        let text = fleet.read("nodes/n1.toml");
        let lines = format!(
            "os.arch = \"{arch}\"\nos.version = \"4593.2.5\"\nstick.firmware = [{firmware}]\n"
        );
        fleet.write("nodes/n1.toml", lines + &text);
        let image = image(&fleet, "n1.img", &loaders);
        let efi = drive(&image, Part::Efi);
        let list = tool("mdir", &["-/", "-b", "-i", &efi]);
        assert_eq!(list.contains("/EFI/BOOT/BOOT"), has_uefi, "{list}");
        let mbr = bytes_at(&image, 0, 512);
        let (start, length) = Part::Bios.place(Sector::Of512);
        let partition = bytes_at(&image, start, usize::try_from(length).unwrap());
        assert_eq!(mbr[..440] != [0; 440], has_bios);
        // Old UEFI takes no GPT from an active entry, and some BIOSes want one.
        assert_eq!((mbr[446], mbr[450]), (0, 0xee));
        assert_eq!(mbr[462], if has_bios { 0x80 } else { 0 });
        assert!(mbr[463..510].iter().all(|byte| *byte == 0));
        assert_eq!(mbr[510..], [0x55, 0xaa]);
        let report = fleet.run(&["inspect", image.to_str().unwrap()]).code(0);
        assert_eq!(report.stdout.contains("ipxe.lkrn, iPXE "), has_bios);
        if has_bios {
            let script = tool("mtype", &["-i", &efi, "::/autoexec.ipxe"]);
            assert_eq!(partition[1024..1024 + bios.len()], bios);
            let at = 1024 + bios.len().div_ceil(512) * 512;
            assert_eq!(partition[at..at + script.len()], *script.as_bytes());
        } else {
            assert!(partition.iter().all(|byte| *byte == 0));
        }
    }
}

#[test]
fn a_bios_loader_without_https_is_refused_where_it_must_fetch_so() {
    let Some(loaders) = loaders() else { return };
    let fleet = fleet().file("plain.lkrn", kernel(&[b"#!ipxe", b"HTTP"]));
    fleet.replace(
        "fleet.toml",
        "[git]",
        "[stick.ipxe]\nbios = \"plain.lkrn\"\n[git]",
    );
    let output = outside(&fleet).join("n1.img");
    let args = arguments(&output, &loaders);
    run(&fleet, &args)
        .code(1)
        .says(&[
            "plain.lkrn` can't fetch `https://git.example/ipxe/n1.ipxe`: it was built without HTTPS",
            "--ipxe DIR",
            "`http://`",
            "`firmware = [\"uefi\"]`",
        ])
        .mistakes(1);
    assert!(!output.exists());
    // By plain HTTP it can.
    let mut http = args.clone();
    http.extend(["--raw-url", "http://10.0.0.2/{{ path }}"].map(str::to_owned));
    run(&fleet, &http).code(0);
    fs::remove_file(&output).unwrap();
    // A script on the stick is not fetched at all.
    let text = fleet.read("nodes/n1.toml");
    fleet.write("nodes/n1.toml", format!("stick.script = \"stick\"\n{text}"));
    run(&fleet, &args).code(0);
    // Its mirrors are; all of Fedora's servers speak HTTPS alone.
    fleet.write(
        "nodes/n1.toml",
        format!("stick.script = \"stick\"\nos.distro = \"fedora-coreos\"\nos.version = \"44.20260707.3.1\"\n{text}"),
    );
    fleet.replace("fleet.toml", "[vault]", "[vault]\nmount = \"/var/secrets\"");
    run(&fleet, &args).code(1).says(&[
        "plain.lkrn` can't fetch `https://builds.coreos.fedoraproject.org/prod/",
        "`mirrors`",
    ]);
    fleet.write("nodes/n1.toml", format!("stick.script = \"stick\"\n{text}"));
    // A loader that has no room.
    let mut large = kernel(&[b"#!ipxe", b"HTTPS"]);
    large.resize(2 << 20, 0);
    fleet.write("plain.lkrn", large);
    run(&fleet, &args).code(1).says(&[
        "the iPXE for BIOS and the boot script take more room than a stick has for them, 2 MiB",
    ]);
}

#[test]
fn a_stick_of_its_own_script_is_told_no_other() {
    let Some(loaders) = loaders().filter(|_| has_tools(&["mtype"])) else {
        return;
    };
    let fleet = fleet();
    let text = fleet.read("nodes/n1.toml");
    fleet.write("nodes/n1.toml", format!("stick.script = \"stick\"\n{text}"));
    let image = image(&fleet, "n1.img", &loaders);
    let prologue = tool(
        "mtype",
        &["-i", &drive(&image, Part::Efi), "::/autoexec.ipxe"],
    );
    assert!(
        !prologue.contains("script-url") && prologue.contains("\nkernel "),
        "{prologue}"
    );
    fleet
        .run(&["inspect", image.to_str().unwrap()])
        .code(0)
        .prints(&["boot script  on the stick"]);
}

#[test]
fn the_time_of_its_files_can_be_set() {
    let Some(loaders) = loaders().filter(|_| has_tools(&["mdir"])) else {
        return;
    };
    let fleet = fleet();
    for (epoch, shown) in [
        ("", "1980-01-01"),
        ("1767225600", "2026-01-01"),
        ("1", "1980-01-01"),
    ] {
        let output = outside(&fleet).join("n1.img");
        let args = arguments(&output, &loaders);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        fleet
            .command(&args)
            .env("SOURCE_DATE_EPOCH", epoch)
            .run()
            .code(0);
        for (part, folder) in [(Part::Efi, "::/EFI/BOOT"), (Part::Secrets, "::/tls")] {
            let list = tool("mdir", &["-i", &drive(&output, part), folder]);
            let dated = list.lines().filter(|line| line.contains(shown)).count();
            assert!(dated >= 3, "{epoch}: {list}");
        }
    }
}

#[test]
fn what_has_no_room_on_the_stick_is_told() {
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    let large = outside(&fleet).join("large");
    fs::write(&large, vec![b'x'; 61 << 20]).unwrap();
    let file = large.to_str().unwrap();
    fleet
        .run(&["secrets", "set", "n1", "KEY", "--file", file])
        .code(0);
    let output = outside(&fleet).join("n1.img");
    run(&fleet, &arguments(&output, &loaders))
        .code(1)
        .says(&["error: the secrets take more room than a stick has for them, 60 MiB"]);
    assert!(!output.exists());
}

#[test]
fn a_full_disk_leaves_no_file() {
    let Some(loaders) = loaders() else { return };
    if !crate::failures::can_mount("a full disk") {
        return;
    }
    let fleet = fleet();
    let tool = env!("CARGO_BIN_EXE_ephemeros");
    let args = arguments(Path::new("/mnt/n1.img"), &loaders).join(" ");
    let script = format!(
        "mount -t tmpfs -o size=1m none /mnt; code=0; '{tool}' {args} || code=$?; ls -A /mnt; exit $code"
    );
    let ran = fleet
        .program("unshare")
        .args(["--mount", "--propagation", "private", "sh", "-c", &script])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "");
    assert!(
        stderr.contains("/mnt/n1.img: No space left on device"),
        "{stderr}"
    );
}

/// Runs `image` as often as a shell loop is quick enough to kill it, and looks for what is left.
#[test]
fn nothing_is_left_of_an_image_that_was_cut_off() {
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    let place = fleet.root().join("n1.img");
    let args = arguments(&place, &loaders);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    for delay in 0..40 {
        let mut child = fleet
            .process(&args)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_micros(700 * delay));
        child.kill().unwrap();
        child.wait().unwrap();
        let left: Vec<_> = fs::read_dir(fleet.root())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with(".ephemeros-"))
            .collect();
        assert_eq!(left, [""; 0]);
        if place.exists() {
            fleet.run(&["inspect", place.to_str().unwrap()]).code(0);
        }
    }
}

#[test]
fn under_sudo_it_belongs_to_who_called_it() {
    let Some(loaders) = loaders() else { return };
    if !crate::repository::is_root("an image under sudo") {
        return;
    }
    let fleet = fleet();
    let path = outside(&fleet).join("n1.img");
    let args = arguments(&path, &loaders);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let sudo = fleet
        .command(&args)
        .env("SUDO_UID", "65534")
        .env("SUDO_GID", "65534");
    sudo.run().code(0);
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!((metadata.uid(), metadata.mode() & 0o777), (65534, 0o600));
}

#[test]
fn a_name_that_is_no_text_is_taken() {
    use std::os::unix::ffi::OsStrExt as _;
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    let name = std::ffi::OsStr::from_bytes(b"\xff\xfe.img");
    let mut args = arguments(Path::new("x"), &loaders);
    args.drain(2..4);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    for json in [false, true] {
        let mut tool = fleet.process(&args);
        tool.arg("--output").arg(fleet.root().join(name));
        if json {
            tool.arg("--json");
        }
        let ran = tool.output().unwrap();
        assert!(
            ran.status.success(),
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
    }
    assert!(fleet.root().join(name).exists());
}

#[test]
fn inspect_tells_whose_stick_it_is() {
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    let image = image(&fleet, "n1.img", &loaders);
    let path = image.to_str().unwrap();
    fleet
        .command(&["inspect", path])
        .folder("/")
        .run()
        .code(0)
        .prints(&[
            "node         n1\n",
            "fleet        test (6b1e2a54-7c0f-4b7e-9d43-2f1f6a3f1c11)\n",
            "stick        an image\n",
            "config       https://git.example/ignition/n1.ign\n",
            "EFI/BOOT/BOOTX64.EFI, iPXE ",
            "secret       TOKEN, version ",
            "  web_env\n",
            "  tls/node.key\n",
        ])
        .hides("hunter2");
    let json = fleet.run(&["inspect", path, "--json"]).code(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["format"], 1);
    assert_eq!(json["node"], "n1");
    assert_eq!(json["faults"].as_array().unwrap().len(), 0);
    assert_eq!(json["secret_files"]["tls/node.key"], 9);
}

#[test]
fn inspect_finds_what_is_not_as_it_was_written() {
    let Some(loaders) = loaders().filter(|_| has_tools(&["mcopy", "mdel"])) else {
        return;
    };
    let fleet = fleet();
    let whole = fs::read(image(&fleet, "whole.img", &loaders)).unwrap();
    let path = outside(&fleet).join("n1.img");
    let name = path.to_str().unwrap();
    let (efi, secrets) = (drive(&path, Part::Efi), drive(&path, Part::Secrets));
    let note = outside(&fleet).join("note");
    fs::write(&note, "#!ipxe\n").unwrap();
    let note = note.to_str().unwrap();
    // As after `dd` to a larger drive.
    fs::write(&path, &whole).unwrap();
    let larger = File::options().write(true).open(&path).unwrap();
    larger.set_len(3 * SIZE).unwrap();
    fleet.run(&["inspect", name]).code(0);
    let damage: &[(&str, &dyn Fn())] = &[
        ("`autoexec.ipxe` is not what was written", &|| {
            tool("mcopy", &["-o", "-i", &efi, note, "::/autoexec.ipxe"]);
        }),
        ("`added.ipxe` was added by somebody", &|| {
            tool("mcopy", &["-i", &efi, note, "::/added.ipxe"]);
        }),
        ("`EFI/BOOT/BOOTX64.EFI` is missing", &|| {
            tool("mdel", &["-i", &efi, "::/EFI/BOOT/BOOTX64.EFI"]);
        }),
        ("the first copy of the partition table is damaged", &|| {
            let file = File::options().write(true).open(&path).unwrap();
            file.write_all_at(b"x", 8000).unwrap();
        }),
        ("the boot code for BIOS is not what was written", &|| {
            let file = File::options().write(true).open(&path).unwrap();
            file.write_all_at(b"x", 400).unwrap();
        }),
        ("the BIOS boot partition is not what was written", &|| {
            let (start, length) = Part::Bios.place(Sector::Of512);
            let file = File::options().write(true).open(&path).unwrap();
            file.write_all_at(b"x", start + length - 1).unwrap();
        }),
        ("`web_env` is missing", &|| {
            tool("mdel", &["-i", &secrets, "::web_env"]);
        }),
        ("`web_env` is not what was written", &|| {
            tool("mcopy", &["-o", "-i", &secrets, note, "::/web_env"]);
        }),
        ("`evil` was added by somebody", &|| {
            tool("mcopy", &["-i", &secrets, note, "::/evil"]);
        }),
        ("the backup copy of the partition table is damaged", &|| {
            let file = File::options().write(true).open(&path).unwrap();
            file.set_len(SIZE - 4096).unwrap();
        }),
        ("the first copy of the partition table is damaged", &|| {
            let file = File::options().write(true).open(&path).unwrap();
            file.write_all_at(&[0; 64], 512).unwrap();
        }),
        ("the secrets volume can't be read", &|| {
            let file = File::options().write(true).open(&path).unwrap();
            file.write_all_at(&[0; 512], Part::Secrets.place(Sector::Of512).0)
                .unwrap();
        }),
    ];
    for (says, damage) in damage {
        fs::write(&path, &whole).unwrap();
        damage();
        fleet
            .run(&["inspect", name])
            .code(1)
            .prints(&["node         n1\n"])
            .says(&["error: ", says, "this stick is not as it was written"]);
    }
    fs::write(&path, &whole).unwrap();
    let label = tool("mtype", &["-i", &efi, "::/ephemeros.toml"]);
    for (text, says) in [
        (
            label.replace("format = 1", "format = 2"),
            "has format 2, and this version",
        ),
        (
            label.replace("node = ", "nod = "),
            "`ephemeros.toml` is damaged: missing field",
        ),
        (
            label.replace("node = \"n1", "node = \"n1\\u001b[31m"),
            "`ephemeros.toml` is damaged: a name in it is none",
        ),
    ] {
        fs::write(note, text).unwrap();
        tool("mcopy", &["-o", "-i", &efi, note, "::/ephemeros.toml"]);
        fleet
            .run(&["inspect", name])
            .code(1)
            .says(&["error: ", says]);
    }
}

#[test]
fn inspect_compares_a_stick_with_what_would_be_written_now() {
    let Some(loaders) = loaders().filter(|_| has_tools(&["mcopy", "mtype"])) else {
        return;
    };
    let fleet = fleet();
    let image = image(&fleet, "n1.img", &loaders);
    let path = image.to_str().unwrap();
    let key = demo_key();
    let (key, loaders) = (key.to_str().unwrap(), loaders.to_str().unwrap());
    let plain = ["inspect", path, "--node", "n1", "--ipxe", loaders];
    let keyed = [&plain[..], &["--identity", key]].concat();
    let exact = [&keyed[..], &["--detailed-exitcode"]].concat();
    fleet
        .run(&exact)
        .code(0)
        .prints(&["it is what would be written now\n"])
        .hides("hunter2");
    fleet
        .run(&[&plain[..], &["--detailed-exitcode"]].concat())
        .code(0)
        .prints(&[
            "it is what would be written now, the values of the secrets by their versions alone",
        ]);
    fleet
        .run(&["inspect", path, "--detailed-exitcode"])
        .code(64);

    // The same length and other bytes: that it is damaged is seen without a key, and with one where.
    let volume = drive(&image, Part::Secrets);
    let note = outside(&fleet).join("note");
    let text = tool("mtype", &["-i", &volume, "::/web_env"]);
    fs::write(&note, text.replace("hunter2", "hunter3")).unwrap();
    tool(
        "mcopy",
        &["-o", "-i", &volume, note.to_str().unwrap(), "::/web_env"],
    );
    fleet
        .run(&plain)
        .code(1)
        .prints(&["it is what would be written now"]);
    fleet
        .run(&exact)
        .code(1)
        .prints(&[
            "it is not what would be written now:\n",
            "the file `web_env` holds another value of `TOKEN`\n",
        ])
        .hides("hunter");
    fs::write(&note, "a key\n\0\u{1}x").unwrap();
    tool(
        "mcopy",
        &[
            "-o",
            "-i",
            &volume,
            note.to_str().unwrap(),
            "::/tls/node.key",
        ],
    );
    fleet
        .run(&keyed)
        .code(1)
        .prints(&["the file `tls/node.key` holds another value of `KEY`\n"]);
}

#[test]
fn inspect_names_each_difference_from_what_would_be_written_now() {
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    let image = image(&fleet, "n1.img", &loaders);
    let path = image.to_str().unwrap();
    let key = demo_key();
    let (key, loaders) = (key.to_str().unwrap(), loaders.to_str().unwrap());
    let plain = ["inspect", path, "--node", "n1", "--ipxe", loaders];
    let keyed = [&plain[..], &["--identity", key]].concat();
    let exact = [&keyed[..], &["--detailed-exitcode"]].concat();
    let set = fleet.command(&["secrets", "set", "n1", "TOKEN"]);
    set.stdin("hunter4").run().code(0);
    fleet.replace("fleet.toml", "https://git.example/", "https://new.example/");
    fleet.write(
        "templates/base.bu",
        fleet.read("templates/base.bu") + "# new\n",
    );
    let says = [
        "the node fetches its config from https://git.example/ignition/n1.ign, and now that is https://new.example/",
        "the node finds its boot script from https://git.example/",
        "the secret `TOKEN` has another value now\n",
    ];
    for args in [&plain[..], &keyed, &exact] {
        let code = if args.len() == exact.len() { 2 } else { 0 };
        fleet.run(args).code(code).prints(&says).hides("hunter");
    }
    let json = fleet.run(&[&keyed[..], &["--json"]].concat()).code(0);
    let json: serde_json::Value = serde_json::from_str(&json.hides("hunter").stdout).unwrap();
    assert_eq!(json["differences"].as_array().unwrap().len(), 4, "{json}");
    assert_eq!(json["values_compared"], true);
    assert_eq!(json["commit"], "0".repeat(40));

    // A secret more, and a file for it.
    fleet.replace(
        "fleet.toml",
        "\"tls/node.key\" = \"KEY\"\n",
        "\"tls/other.key\" = \"KEY\"\n",
    );
    fleet.run(&plain).code(0).prints(&[
        "the file `tls/node.key` would not be on the secrets volume any more\n",
        "the file `tls/other.key` is not on the secrets volume\n",
    ]);
    let text = fleet.read("nodes/n1.toml");
    fleet.write("nodes/n2.toml", text);
    let other = ["inspect", path, "--node", "n2", "--ipxe", loaders];
    fleet
        .run(&other)
        .code(0)
        .prints(&["it is the stick of n1 in test (", "and not of n2 in test ("]);
    fleet
        .run(&["inspect", path, "--node", "n9"])
        .code(1)
        .says(&["error: "]);
}

#[test]
fn who_may_not_read_a_drive_is_told_to_be_root() {
    let Some(attached) = Attached::new(Sector::Of512.stick_size(), &[]) else {
        return;
    };
    if !has_program("setpriv") {
        return skipped("a user who may read no drive", "there is no setpriv");
    }
    let fleet = Fleet::new();
    let path = attached.path();
    let run = fleet.command_as_nobody(&["inspect", path]).run().code(1);
    run.says(&[
        &format!("error: can't open `{path}`: Permission denied"),
        &format!("read it as root: `sudo ephemeros inspect {path}`"),
    ]);
}

#[test]
fn inspect_says_what_is_no_stick() {
    let fleet = Fleet::new().file("text", "text").file("empty", "");
    for (path, says) in [
        ("text", "there is no stick of ephemeros on it"),
        ("empty", "there is no stick of ephemeros on it"),
        ("/dev/null", "is neither a file nor a drive"),
        ("/dev/stdin", "is neither a file nor a drive"),
        ("templates", "is neither a file nor a drive"),
        ("nowhere", "can't open `nowhere`: No such file"),
    ] {
        fleet
            .run(&["inspect", path])
            .code(1)
            .says(&["error: ", says]);
    }
    let mut noise = vec![0; 1 << 20];
    for (at, byte) in noise.iter_mut().enumerate() {
        *byte = u8::try_from(at * at % 251).unwrap();
    }
    noise[512..520].copy_from_slice(b"EFI PART");
    let fleet = fleet.file("noise", noise);
    fleet.run(&["inspect", "noise"]).code(1).says(&["error: "]);
}

#[test]
fn check_refuses_a_stick_that_git_tracks_whatever_its_name() {
    let Some(loaders) = loaders() else { return };
    let fleet = fleet();
    fleet.run(&["check"]).code(0);
    let image = image(&fleet, "n1.img", &loaders);
    let place = fleet.root().join("docs/photo.jpg");
    fs::create_dir(place.parent().unwrap()).unwrap();
    fs::copy(&image, &place).unwrap();
    // Git does not know it yet.
    fleet.run(&["check"]).code(0);
    let refused = |fleet: &Fleet| {
        fleet
            .run(&["check"])
            .code(1)
            .says(&[
                "error: git tracks `docs/photo.jpg`, which is a stick",
                "git rm --cached docs/photo.jpg",
            ])
            .mistakes(1);
    };
    fleet.git_says(&["add", "docs/photo.jpg"]);
    refused(&fleet);
    fleet.commit();
    refused(&fleet);
    // On disk it is another file by now; the next commit does not have that yet.
    fs::write(&place, "a photo").unwrap();
    refused(&fleet);
    fleet.commit();
    fleet.run(&["check"]).code(0);
    // And the other way round.
    fs::copy(&image, &place).unwrap();
    refused(&fleet);
    fleet.git_says(&["rm", "--quiet", "--cached", "docs/photo.jpg"]);
    fleet.run(&["check"]).code(0);
}

#[test]
fn names_that_fat_can_t_tell_apart_are_refused_before() {
    for (files, says) in [
        (
            "\"a\" = \"KEY\"\n\"A\" = \"TOKEN\"",
            "`a` and `A` can't both",
        ),
        (
            "\"tls\" = \"KEY\"\n\"tls/node.key\" = \"TOKEN\"",
            "`tls/node.key` and `tls` can't both",
        ),
        (
            "\"web_env/x\" = \"KEY\"",
            "`web_env/x` and `web_env` can't both",
        ),
    ] {
        let fleet = fleet();
        fleet.replace("fleet.toml", "\"tls/node.key\" = \"KEY\"", files);
        fleet.run(&["check"]).code(1).says(&[says]);
    }
}

#[test]
fn a_url_that_ipxe_would_change_is_refused() {
    let fleet = fleet();
    fleet.replace(
        "fleet.toml",
        URL,
        "https://git.example/${net0/mac}/{{ path }}",
    );
    fleet
        .run(&["check"])
        .code(1)
        .says(&["`${`, which iPXE would fill in"]);
}

const SYSTEMD: &str = "/lib/systemd/systemd";

/// What `sd/stick.service` leaves in `sd/out` when systemd, as the first process of a namespace of its own, starts it.
fn start_in_systemd(fleet: &Fleet) -> String {
    let folder = fleet.root().join("sd");
    let unit = fleet
        .read("sd/stick.service")
        .replace("%E", folder.to_str().unwrap());
    fleet.write("sd/stick.service", unit);
    let script = format!(
        "mount -t tmpfs none /run; umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
         exec env -i PATH=$PATH container=test SYSTEMD_UNIT_PATH={} {} --system --unit=stick.service",
        folder.display(),
        SYSTEMD
    );
    let mut child = fleet
        .program("unshare")
        .args([
            "--fork",
            "--kill-child=KILL",
            "--pid",
            "--mount",
            "--cgroup",
            "--net",
            "--uts",
            "--ipc",
            "--mount-proc",
        ])
        .args(["sh", "-c", &script])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let out = folder.join("out");
    for _ in 0..300 {
        if out.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    // As process 1 it heeds no other signal.
    child.kill().unwrap();
    child.wait().unwrap();
    String::from_utf8(fs::read(&out).expect("systemd started the service")).unwrap()
}

/// systemd itself starts a service with env files from a stick.
#[test]
fn systemd_reads_back_what_was_set() {
    let Some(loaders) = loaders().filter(|_| has_tools(&["mtype", "unshare"])) else {
        return;
    };
    if !Path::new(SYSTEMD).exists() || !crate::failures::can_mount("the real systemd") {
        skipped(
            "the real systemd",
            "there is none here, or no namespace for it",
        );
        return;
    }
    let ascii = || (1..=127_u8).map(char::from);
    let pairs: String = ascii()
        .flat_map(|one| ascii().flat_map(move |other| [one, other]))
        .collect();
    let two_bytes: String = ('\u{80}'..='\u{7ff}').collect();
    // Every first byte and every second one that there is.
    let longer = ('\u{800}'..=char::MAX)
        .filter(|it| u32::from(*it) % 64 == 5 && u32::from(*it) / 64 % 7 == 0);
    let longer: String = longer.collect();
    let values: BTreeMap<&str, &str> = [
        ("T_PAIRS", pairs.as_str()),
        ("T_TWO_BYTES", &two_bytes),
        ("T_LONGER", &longer),
        ("T_PLAIN", "plain"),
        ("T_QUOTES", "a \"b\" 'c' `d` \\e \\"),
        ("T_DOLLAR", "$HOME ${HOME} $$ %n %%"),
        ("T_LINES", "one\n\ttwo\r\n\n three \n"),
        ("T_COMMENT", "# no; comment"),
        ("T_UNICODE", "\u{e4}\u{20ac}\u{1f600}\u{feff}"),
        ("T_BLANKS", "  both ends  "),
    ]
    .into();
    let fleet = fleet();
    fleet.replace("fleet.toml", "[\"TOKEN\"]", "[\"TOKEN\", \"T_*\"]");
    for (name, value) in &values {
        // One final line end is not part of a value that is piped in.
        let value = format!("{value}\n");
        fleet
            .command(&["secrets", "set", "n1", name])
            .stdin(value)
            .run()
            .code(0);
    }
    let image = image(&fleet, "n1.img", &loaders);
    let env = tool(
        "mtype",
        &["-i", &drive(&image, Part::Secrets), "::/web_env"],
    );
    // Each character at both ends of a value.
    let ends: BTreeMap<String, String> = ascii()
        .map(|it| (format!("E_{:02X}", u32::from(it)), format!("{it}x{it}")))
        .collect();
    let file = ends
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let file = ephemeros::env_file::write_env_file(&file.collect()).unwrap();
    let fleet = fleet.file("sd/env", env).file("sd/ends", file.as_bytes()).file(
        "sd/stick.service",
        "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nEnvironmentFile=%E/env\nEnvironmentFile=%E/ends\n\
         ExecStart=/bin/sh -c 'env -0 >%E/out.new && mv %E/out.new %E/out'\n",
    );
    let out = start_in_systemd(&fleet);
    let read: BTreeMap<&str, &str> = out
        .split('\0')
        .filter_map(|entry| entry.split_once('='))
        .collect();
    let ends = ends
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in values.into_iter().chain(ends) {
        assert!(
            read.get(name) == Some(&value),
            "{name}: {:?}",
            read.get(name)
        );
    }
    assert_eq!(read["TOKEN"], VALUE);
}
