//! What is measured: each command, made ready, beside its floor.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::drive::Drive;
use super::floor::{Read, WRITE, WRITE_AND_SYNC, WRITE_BESIDE, Write, dd};
use super::measure::Work;
use super::site::{Site, remove, tool};

/// Above this only `plan` and `render`.
const MOST_FOR_ALL: u32 = 10_000;

pub(crate) struct Case<'a> {
    pub(crate) name: &'static str,
    pub(crate) work: Work<'a>,
    pub(crate) floor: Option<(&'static str, Work<'a>)>,
}

/// One whose floor has a name.
fn case<'a>(name: &'static str, work: Work<'a>, what: &'static str, floor: Work<'a>) -> Case<'a> {
    Case {
        name,
        work,
        floor: Some((what, floor)),
    }
}

const INPUTS: [&str; 4] = ["fleet.toml", "fleet.lock", "nodes", "templates"];
const RENDERED: [&str; 2] = ["ignition", "ipxe"];

/// Those of a fleet, in an order in which each leaves what the next one needs.
pub(crate) fn of_fleet<'a>(site: &'a Site, drive: Option<&'a Drive>) -> Vec<Case<'a>> {
    let mut cases = plans(site);
    cases.extend(renders(site));
    if site.nodes <= MOST_FOR_ALL {
        cases.extend(reads(site));
        cases.extend(sticks(site, drive));
        cases.push(rekey(site));
    }
    cases
}

fn plans(site: &Site) -> Vec<Case<'_>> {
    let all = site.files(&[&INPUTS[..], &RENDERED].concat());
    let plan = |name, ready: Box<dyn FnMut()>| {
        let read = Read::new(site.at("all"), &all);
        let work = Work::new(|| site.tool(&["plan", "--quiet"])).before(ready);
        case(name, work, "cat", Work::new(move || read.command()))
    };
    let once = |change: fn(&Site, bool)| {
        let mut is_done = false;
        Box::new(move || {
            if !std::mem::replace(&mut is_done, true) {
                site.change_some(false);
                site.change_all(false);
                change(site, true);
            }
        })
    };
    vec![
        plan("plan, nothing changed", Box::new(|| {})),
        plan("plan, 1 % changed", once(Site::change_some)),
        plan("plan, 100 % changed", once(Site::change_all)),
    ]
}

fn renders(site: &Site) -> Vec<Case<'_>> {
    let files = site.files(&RENDERED);
    let floor = |way| Write::new(&site.at("write"), &site.root(), &files, way);
    let (into_none, over_old) = (floor(WRITE), floor(WRITE_BESIDE));
    let to = into_none.to.clone();
    let turn = Cell::new(false);
    let render = || Work::new(|| site.tool(&["render", "--quiet"]));
    vec![
        case(
            "render, nothing there",
            render().before(|| {
                site.change_all(false);
                site.remove_rendered();
            }),
            "write",
            Work::new(move || into_none.command()).before(move || remove(&to)),
        ),
        case(
            "render, 100 % changed",
            render().before(move || {
                turn.set(!turn.get());
                site.change_all(turn.get());
                rustix::fs::sync();
            }),
            "write beside",
            Work::new(move || over_old.command()).before(rustix::fs::sync),
        ),
    ]
}

fn reads(site: &Site) -> Vec<Case<'_>> {
    let inputs = site.files(&INPUTS);
    let read = |name, arguments: Vec<String>| {
        let read = Read::new(site.at("inputs"), &inputs);
        let work = Work::new(move || {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            site.tool(&arguments)
        });
        case(name, work, "cat", Work::new(move || read.command()))
    };
    let words = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect();
    vec![
        read("check", words(&["check", "--quiet"])),
        read("show of one node", words(&["show", &node(site)])),
    ]
}

/// The first one's name.
fn node(site: &Site) -> String {
    let first = &site.files(&["nodes"])[0];
    let name = first.file_stem().expect("a file");
    name.to_str().expect("a label").to_owned()
}

fn rekey(site: &Site) -> Case<'_> {
    let write = Write::new(
        &site.at("nodes"),
        &site.root(),
        &site.files(&["nodes"]),
        WRITE_AND_SYNC,
    );
    let turn = Cell::new(false);
    let rekey = || site.tool(&["secrets", "rekey", "--quiet", "-i", "../key"]);
    let work = Work::new(rekey).before(move || {
        turn.set(!turn.get());
        site.change_all(false);
        site.change_readers(turn.get());
        rustix::fs::sync();
    });
    let floor = Work::new(move || write.command()).before(rustix::fs::sync);
    case("secrets rekey", work, "write and sync", floor)
}

/// Why no stick can be made here.
pub(crate) fn no_sticks(site: &Site) -> Option<String> {
    let mut image = image(site, "n.img");
    let ran = image.stdin(Stdio::null()).output().expect("it starts");
    (!ran.status.success()).then(|| String::from_utf8_lossy(&ran.stderr).trim().to_owned())
}

fn image(site: &Site, file: &str) -> Command {
    let (node, file) = (node(site), format!("../{file}"));
    let mut image = site.tool(&["image", &node, "--quiet", "-o", &file, "-i", "../key"]);
    image.env("HOME", std::env::var_os("HOME").unwrap_or_default());
    image
}

fn sticks<'a>(site: &'a Site, drive: Option<&'a Drive>) -> Vec<Case<'a>> {
    if no_sticks(site).is_some() {
        return Vec::new();
    }
    let (from, to, made) = (site.at("n.img"), site.at("copy.img"), site.at("new.img"));
    let copy = Work::new(move || {
        let mut dd = dd(&from, &to);
        dd.arg("conv=sparse");
        dd
    });
    let image = Work::new(|| image(site, "new.img")).before(move || drop(fs::remove_file(&made)));
    let mut cases = vec![case("image", image, "dd", copy)];
    if let Some(drive) = drive {
        let target = vec![node(site), drive.0.clone()];
        cases.extend(flash("flash", "flash, dry run", site, target, drive));
    }
    cases
}

/// Those of no fleet. `site` is any one, with `n.img`.
pub(crate) fn of_none<'a>(site: &'a Site, drive: Option<&'a Drive>) -> Vec<Case<'a>> {
    const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/scale/machine.bu");
    let program = |name: &'static str, arguments: &'static [&str]| {
        Work::new(move || {
            let mut command = Command::new(name);
            command.args(arguments);
            command
        })
    };
    let mut cases = vec![
        case(
            "start-up (`--version`)",
            Work::new(|| tool(&["--version"])),
            "true",
            program("true", &[]),
        ),
        case(
            "transpile of 6 KB",
            Work::new(|| tool(&["transpile", CONFIG])),
            "cat",
            program("cat", &[CONFIG]),
        ),
    ];
    if let Some(drive) = drive.filter(|_| site.at("n.img").exists()) {
        let target = vec!["../n.img".to_owned(), drive.0.clone()];
        let names = ("flash of a file", "flash of a file, dry run");
        cases.extend(flash(names.0, names.1, site, target, drive));
    }
    cases
}

/// Beside `dd` of as many bytes with `conv=fsync` and reading them back. A dry run is all but the writing: the stick is made.
fn flash<'a>(
    name: &'static str,
    dry: &'static str,
    site: &'a Site,
    target: Vec<String>,
    drive: &'a Drive,
) -> Vec<Case<'a>> {
    let flash = move |more: &[&str]| {
        let mut command = site.tool(&["flash", "--yes", "--quiet"]);
        if !target[0].contains('/') {
            command.args(["--unpushed", "-i", "../key"]);
        }
        command.args(&target).args(more);
        command
    };
    let said = flash(&["--dry-run", "--json"]).output().expect("it starts");
    let said: serde_json::Value = serde_json::from_slice(&said.stdout).expect("it says it");
    let bytes = said["to_write"].as_u64().expect("how many bytes");
    // What is on the drive after a flash is as good as any.
    super::measure::run(flash(&[]));
    let (content, device) = (site.at("content"), PathBuf::from(&drive.0));
    super::measure::run(copy(&device, &content, bytes, "count_bytes"));
    let floor = || {
        let (content, device) = (content.clone(), device.clone());
        Work::row(move || {
            let mut write = copy(&content, &device, bytes, "count_bytes");
            write.arg("conv=fsync");
            let null = Path::new("/dev/null");
            vec![write, copy(&device, null, bytes, "direct,count_bytes")]
        })
    };
    let again = flash.clone();
    vec![
        case(name, Work::new(move || flash(&[])), "dd", floor()),
        case(dry, Work::new(move || again(&["--dry-run"])), "dd", floor()),
    ]
}

/// So many bytes.
fn copy(from: &Path, to: &Path, bytes: u64, flags: &str) -> Command {
    let mut dd = dd(from, to);
    dd.args([format!("count={bytes}"), format!("iflag={flags}")]);
    dd
}
