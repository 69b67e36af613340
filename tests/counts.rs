//! What commands take, counted and not timed: instructions, allocations, bytes written, on a fleet of 100 nodes with one
//! thread. `tests/counts.toml` has the numbers; a rise of more than a twentieth fails, and `docs/speed.md` says how one is
//! accepted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rayon::prelude::*;
use regex::Regex;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde::Deserialize;

use crate::fleet::Fleet;
use crate::repository::{has_program, skipped};

#[path = "../examples/fleet/generate.rs"]
mod generate;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/counts.toml");

const NODES: u32 = 100;

/// So much is no rise: a twentieth, and a hundred, since some numbers are small.
const RISE: f64 = 1.05;
const FEW: u64 = 100;

/// `COUNTS=overwrite` writes the file. With a rise in it, `WHY` must say why.
const OVERWRITE: &str = "COUNTS";
const WHY: &str = "WHY";

/// What was counted, by what and in which command.
type Counts = BTreeMap<String, BTreeMap<String, u64>>;

/// The committed file.
#[derive(Deserialize)]
struct Committed {
    /// Where the numbers hold.
    with: Vec<String>,
    counts: Counts,
    #[serde(default)]
    risen: Vec<Risen>,
}

/// A rise that was accepted.
#[derive(Deserialize)]
struct Risen {
    what: String,
    from: u64,
    to: u64,
    why: String,
}

/// A command, and the fleet that it runs in.
struct Case {
    name: &'static str,
    args: &'static [&'static str],
    ready: fn(&Fleet),
}

const CASES: &[Case] = &[
    Case {
        name: "start-up",
        args: &["--version"],
        ready: |_| {},
    },
    Case {
        name: "transpile",
        args: &["transpile", "machine.bu"],
        ready: |fleet| {
            let config = include_bytes!("../benches/scale/machine.bu");
            fleet.write("machine.bu", config);
        },
    },
    Case {
        name: "plan, nothing changed",
        args: &["plan", "--quiet"],
        ready: |_| {},
    },
    Case {
        name: "plan, all changed",
        args: &["plan", "--quiet"],
        ready: |fleet| fleet.replace("fleet.toml", "262144", "262145"),
    },
    Case {
        name: "render",
        args: &["render", "--quiet"],
        ready: |fleet| {
            for folder in ["ignition", "ipxe"] {
                fs::remove_dir_all(fleet.root().join(folder)).unwrap();
            }
        },
    },
    Case {
        name: "check",
        args: &["check", "--quiet"],
        ready: |_| {},
    },
];

/// What the numbers depend on, besides this repository.
fn surroundings() -> Vec<String> {
    let says = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output();
        let output = output.map(|it| it.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output).trim().to_owned()
    };
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let wide = if cpu.contains(" avx2 ") {
        "AVX2"
    } else {
        "no AVX2"
    };
    let build = match option_env!("CARGO_INCREMENTAL") {
        _ if cfg!(debug_assertions) => "debug",
        Some("1") => "release, incremental",
        _ => "release",
    };
    vec![
        says("rustc", &["--version"]),
        says("getconf", &["GNU_LIBC_VERSION"]),
        says("valgrind", &["--version"]),
        format!("{}, {wide}", std::env::consts::ARCH),
        build.to_owned(),
    ]
}

fn count(case: &Case, from: &Fleet) -> BTreeMap<String, u64> {
    let fleet = || {
        let fleet = from.duplicate();
        (case.ready)(&fleet);
        fleet
    };
    let [fleet, profiled] = [fleet(), fleet()];
    let profile = profiled.root().with_file_name("profile");
    let mut command = profiled.program("valgrind");
    command
        .args(["--tool=callgrind", "--compress-strings=no"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(env!("CARGO_BIN_EXE_ephemeros"));
    let ran = one_thread(&mut command).args(case.args).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}: {said}", case.name);
    let profile = fs::read_to_string(profile).unwrap();
    let counts = [
        ("instructions", instructions(&profile)),
        ("allocations", allocations(&profile)),
        (
            "written",
            written(one_thread(&mut fleet.process(case.args))),
        ),
    ];
    counts
        .map(|(what, number)| (what.to_owned(), number))
        .into()
}

/// Of a profile by callgrind, whose form is in its manual's chapter "Callgrind Format Specification".
fn instructions(profile: &str) -> u64 {
    let total = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "));
    total.expect("a total").parse().unwrap()
}

/// How often memory was asked for, by Rust and by C, whoever hands it out.
fn allocations(profile: &str) -> u64 {
    let name = r"^(mi_)?(malloc|calloc|zalloc|realloc|memalign|posix_memalign|aligned_alloc)(_aligned)?('\d+)?$";
    let name = Regex::new(name).unwrap();
    let (mut by, mut what, mut all) = ("", "", 0);
    for line in profile.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            by = name;
        } else if let Some(name) = line.strip_prefix("cfn=") {
            what = name;
        } else if let Some(rest) = line.strip_prefix("calls=")
            && name.is_match(what)
            && !name.is_match(by)
        {
            let times = rest.split(' ').next().unwrap_or_default();
            all += times.parse::<u64>().unwrap();
        }
    }
    all
}

fn one_thread(command: &mut Command) -> &mut Command {
    command.env("RAYON_NUM_THREADS", "1").stdin(Stdio::null())
}

/// How many bytes a command writes, to files and to who reads its result.
fn written(command: &mut Command) -> u64 {
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    // The numbers stay as long as nobody has asked how it ended.
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(Pid::from_child(&child)), ended).unwrap();
    let io = fs::read_to_string(format!("/proc/{}/io", child.id())).unwrap();
    assert!(child.wait().unwrap().success(), "{command:?}");
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    line.unwrap_or_else(|| panic!("{io}")).parse().unwrap()
}

/// What has risen, from and to which number.
fn risen(before: &Counts, after: &Counts) -> Vec<(String, u64, u64)> {
    let mut risen = Vec::new();
    for (command, counts) in after {
        for (what, to) in counts {
            let before = before.get(command).and_then(|it| it.get(what));
            if let Some(from) = before
                && ratio(to.saturating_sub(FEW), *from) > RISE
            {
                risen.push((format!("{what} of {command}"), *from, *to));
            }
        }
    }
    risen
}

#[allow(clippy::cast_precision_loss)] // Far below what could be lost.
fn ratio(to: u64, from: u64) -> f64 {
    to as f64 / from as f64
}

fn to_toml(with: &[String], counts: &Counts, risen: &[Risen]) -> String {
    let mut text = "# What commands take on a fleet of 100 nodes with one thread: see docs/speed.md. `make counts` writes this file.\n\n".to_owned();
    let with = with.iter().map(|it| format!("    {it:?},\n"));
    let _ = writeln!(text, "with = [\n{}]", with.collect::<String>());
    for (command, counts) in counts {
        let _ = writeln!(text, "\n[counts.{command:?}]");
        for (what, number) in counts {
            let _ = writeln!(text, "{what} = {number}");
        }
    }
    for Risen {
        what,
        from,
        to,
        why,
    } in risen
    {
        let _ = writeln!(
            text,
            "\n[[risen]]\nwhat = {what:?}\nfrom = {from}\nto = {to}\nwhy = {}",
            toml::Value::from(why.as_str())
        );
    }
    text
}

/// Whoever runs it must see it, in the log of CI too.
fn tell(what: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{what}");
}

#[test]
fn no_command_takes_much_more_than_it_did() {
    if !has_program("valgrind") {
        return skipped(
            "the counts",
            "there is no `valgrind`: run `tools/setup test`",
        );
    }
    let with = surroundings();
    let text = fs::read_to_string(FILE).unwrap_or_default();
    let committed = toml::from_str::<Committed>(&text);
    let overwrites = std::env::var_os(OVERWRITE).is_some_and(|it| it == "overwrite");
    let is_here = committed.as_ref().is_ok_and(|it| it.with == with);
    if !overwrites && !is_here {
        let there = committed.map_or_else(|error| error.to_string(), |it| it.with.join(", "));
        let here = with.join(", ");
        return tell(&format!(
            "NOT COMPARED: the counts in tests/counts.toml are of {there}; here is {here}"
        ));
    }
    let fleet = Fleet::empty();
    let root = fleet.root();
    generate::generate(NODES, 1, &root, |_| {}).unwrap();
    let counts: Counts = CASES
        .par_iter()
        .map(|case| (case.name.to_owned(), count(case, &fleet)))
        .collect();
    let before = match &committed {
        Ok(committed) if is_here => &committed.counts,
        _ => &Counts::new(),
    };
    let risen = risen(before, &counts);
    let told: Vec<String> = risen
        .iter()
        .map(|(what, from, to)| {
            let percent = (ratio(*to, *from) - 1.0) * 100.0;
            format!("{what}: {from} became {to}, {percent:.1} % more")
        })
        .collect();
    let told = told.join("\n");
    let why = std::env::var(WHY).unwrap_or_default();
    assert!(
        risen.is_empty() || (overwrites && !why.trim().is_empty()),
        "{told}\nwhere that is worth it: `make counts WHY='…'`, and commit tests/counts.toml"
    );
    if overwrites {
        let risen = risen.into_iter().map(|(what, from, to)| Risen {
            what,
            from,
            to,
            why: why.trim().to_owned(),
        });
        let all = committed.into_iter().flat_map(|it| it.risen).chain(risen);
        let all: Vec<Risen> = all.collect();
        fs::write(Path::new(FILE), to_toml(&with, &counts, &all)).unwrap();
    }
}

#[test]
fn a_rise_of_more_than_a_twentieth_is_one() {
    let counts =
        |number| Counts::from([("plan".to_owned(), [("written".to_owned(), number)].into())]);
    assert_eq!(risen(&counts(10_000), &counts(10_600)), []);
    assert_eq!(risen(&counts(10_000), &counts(10)), []);
    assert_eq!(risen(&counts(20), &counts(120)), []);
    let rise = ("written of plan".to_owned(), 10_000, 10_601);
    assert_eq!(risen(&counts(10_000), &counts(10_601)), [rise]);
    // What is new has nothing to rise from.
    assert_eq!(risen(&Counts::new(), &counts(10_601)), []);
}

#[test]
fn allocations_are_counted_where_they_are_asked_for() {
    let profile = "fn=main\n1 2\ncfn=malloc\ncalls=3 0\n1 90\ncfn=free\ncalls=5 0\n1 9\n\n\
        fn=malloc\ncfn=malloc'2\ncalls=1 0\n1 9\n\n\
        fn=grow\ncfn=mi_realloc_aligned\ncalls=4 0\n1 9\ntotals: 12\n";
    assert_eq!(allocations(profile), 7);
    assert_eq!(instructions(profile), 12);
}

#[test]
fn what_is_written_can_be_read_and_says_why_it_rose() {
    let counts = Counts::from([("plan, all".to_owned(), [("written".to_owned(), 7)].into())]);
    let risen = Risen {
        what: "written of plan".to_owned(),
        from: 1,
        to: 7,
        why: "it tells \"more\"".to_owned(),
    };
    let with = ["rustc 1".to_owned()];
    let text = to_toml(&with, &counts, &[risen]);
    let read: Committed = toml::from_str(&text).unwrap();
    assert_eq!((read.with, read.counts), (with.to_vec(), counts));
    assert_eq!(read.risen[0].why, "it tells \"more\"");
    let committed = toml::from_str::<Committed>(&fs::read_to_string(FILE).unwrap());
    let committed = committed.unwrap();
    assert!(
        CASES
            .iter()
            .all(|it| committed.counts.contains_key(it.name))
    );
    assert!(
        committed
            .risen
            .iter()
            .all(|it| it.to > it.from && !it.what.is_empty())
    );
}
