//! What each command takes on fleets of 10 to 100,000 nodes, beside its floor in the same run: the same files read by `cat`,
//! the same bytes written into as many files, `dd`. It prints a table, writes `target/scale.json`, and fails where a limit is
//! missed.
//!
//! ```sh
//! cargo bench --bench scale                    # all of it
//! cargo bench --bench scale -- 10 1000 plan    # fleets of these sizes, and commands with this word in them
//! cargo bench --bench scale -- --page          # and the table goes into docs/speed.md
//! ```
//!
//! `flash` writes to a loop device, which only root can make.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cases;
mod drive;
mod floor;
#[path = "../../examples/fleet/generate.rs"]
mod generate;
mod limits;
mod measure;
mod site;
mod table;
mod translate;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use tempfile::TempDir;

use cases::{Case, no_sticks, of_fleet, of_none};
use drive::Drive;
use measure::measure;
use site::Site;
use table::{Report, Row};

const SIZES: [u32; 4] = [10, 1_000, 10_000, 100_000];

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Between these lines the page has the table.
const MARKS: [&str; 2] = [
    "<!-- what the command prints -->\n",
    "<!-- until here -->\n",
];

/// What is asked for.
struct Asked {
    sizes: Vec<u32>,
    words: Vec<String>,
    page: bool,
}

impl Asked {
    fn new(arguments: &[String]) -> Result<Self, String> {
        let options = ["--bench", "--page"];
        let words = arguments
            .iter()
            .filter(|it| !options.contains(&it.as_str()));
        let (mut sizes, mut rest) = (Vec::new(), Vec::new());
        for word in words {
            if word.starts_with('-') {
                return Err(format!(
                    "there is no option `{word}`: name sizes, words of commands, or `--page`"
                ));
            }
            match word.replace([',', '_'], "").parse() {
                Ok(0) => return Err("a fleet has at least one node".to_owned()),
                Ok(size) => sizes.push(size),
                Err(_) => rest.push(word.clone()),
            }
        }
        if sizes.is_empty() {
            sizes = SIZES.into();
        }
        Ok(Self {
            sizes,
            words: rest,
            page: arguments.iter().any(|it| it == "--page"),
        })
    }

    fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word))
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(site::GENERATE) => {
            let nodes = arguments[1].parse().expect("a number");
            let made = generate::generate(nodes, 1, Path::new(&arguments[2]), |_| {});
            made.expect("a fleet");
        }
        Some(way) if floor::WAYS.contains(&way) => floor::write(&arguments),
        _ => {
            return match Asked::new(&arguments) {
                Ok(asked) => report(&asked),
                Err(mistake) => {
                    eprintln!("error: {mistake}");
                    ExitCode::from(64)
                }
            };
        }
    }
    ExitCode::SUCCESS
}

fn report(asked: &Asked) -> ExitCode {
    let mut report = measure_all(asked);
    if report.rows.is_empty() && report.translations_a_second.is_none() {
        eprintln!(
            "error: no command's name has one of these words: {}",
            asked.words.join(", ")
        );
        return ExitCode::from(64);
    }
    let judged: Vec<_> = report
        .rows
        .iter()
        .map(|row| limits::judge(row, &report.rows))
        .collect();
    for (row, verdicts) in report.rows.iter_mut().zip(judged) {
        row.limits = verdicts;
    }
    let verdicts = report.rows.iter().flat_map(|row| &row.limits);
    report.missed = verdicts.filter(|it| it.missed).count();

    let json = serde_json::to_string_pretty(&report).expect("it is JSON");
    let path = Path::new(ROOT).join("target/scale.json");
    fs::write(&path, json + "\n").expect("room for the result");
    let text = report.to_markdown();
    println!("{text}");
    if asked.page {
        write_page(&text);
    }
    eprintln!("written to {}", path.display());
    match report.missed {
        0 => ExitCode::SUCCESS,
        missed => {
            eprintln!("error: {missed} missed of what is promised");
            ExitCode::FAILURE
        }
    }
}

fn measure_all(asked: &Asked) -> Report {
    let folder = Path::new(ROOT).join("target");
    let folder = TempDir::new_in(folder).expect("room below target/");
    let drive = Drive::attach(&folder.path().join("drive"));
    let mut report = Report {
        format: 1,
        machine: machine(),
        rows: Vec::new(),
        translations_a_second: None,
        left_out: Vec::new(),
        missed: 0,
    };
    if drive.is_none() {
        let why = "`flash`, since only root can attach a file as a drive";
        report.left_out.push(why.to_owned());
    }
    let mut of_no_fleet = Vec::new();
    for (number, nodes) in asked.sizes.iter().enumerate() {
        eprintln!("making a fleet of {nodes}");
        let site = Site::make(*nodes, folder.path().join(nodes.to_string()));
        if number == 0 {
            let why = no_sticks(&site).map(|why| format!("`image` and `flash`: {why}"));
            report.left_out.extend(why);
            for case in of_none(&site, drive.as_ref()) {
                of_no_fleet.extend(row(asked, None, case));
            }
        }
        for case in of_fleet(&site, drive.as_ref()) {
            report.rows.extend(row(asked, Some(*nodes), case));
        }
        site::remove(&site.folder);
    }
    // Each command with all its sizes.
    let mut names: Vec<&str> = Vec::new();
    for row in &report.rows {
        if !names.contains(&row.command) {
            names.push(row.command);
        }
    }
    report
        .rows
        .sort_by_key(|row| names.iter().position(|it| *it == row.command));
    report.rows.extend(of_no_fleet);
    report.translations_a_second = asked.wants("translate").then(translate::rate);
    report
}

fn row(asked: &Asked, nodes: Option<u32>, mut case: Case<'_>) -> Option<Row> {
    if !asked.wants(case.name) {
        return None;
    }
    eprintln!("  {}", case.name);
    let floor = case.floor.as_mut().map(|(_, work)| work);
    let measured = measure(&mut case.work, floor);
    Some(Row::new(
        case.name,
        nodes,
        case.floor.map(|(what, _)| what),
        &measured,
    ))
}

/// What it was measured on.
fn machine() -> String {
    let line = |path: &str, start: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text
            .lines()
            .find_map(|it| it.strip_prefix(start))
            .unwrap_or_default();
        line.trim_start_matches([' ', '\t', ':']).trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "ephemeros {} with {} threads, {cores} cores of {}, Linux {}.",
        env!("CARGO_PKG_VERSION"),
        site::THREADS,
        line("/proc/cpuinfo", "model name"),
        line("/proc/sys/kernel/osrelease", ""),
    )
}

fn write_page(table: &str) {
    let path = Path::new(ROOT).join("docs/speed.md");
    let text = fs::read_to_string(&path).expect("the page");
    let (before, rest) = text.split_once(MARKS[0]).expect("a mark");
    let (_, after) = rest.split_once(MARKS[1]).expect("a mark");
    let [start, end] = MARKS;
    fs::write(path, format!("{before}{start}{table}{end}{after}")).expect("the page");
}
