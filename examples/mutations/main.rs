//! Reads many mutated configs, and ends with an error at the first panic, at an input that takes over ten seconds, or
//! when the process needs more than 256 MiB:
//!
//! ```sh
//! cargo run --release --example mutations -- 10000000 [FIRST [DIR]]
//! ```
//!
//! A third of them each are Butane, Ignition and `data:` URLs. FIRST continues a run. The seeds are the `.bu` and
//! `.ign` files below DIR, by default those of the project's own tests.

#![allow(clippy::print_stderr, clippy::print_stdout)]

mod checks;
mod mutant;

use std::collections::HashMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use rayon::prelude::*;

/// What one input may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the process may take, in KiB.
const MEMORY: u64 = 256 << 10;

/// How many inputs pass between two words to the user.
const STEP: u64 = 100_000;

/// What each thread is at, and since when.
static RUNNING: Mutex<Option<HashMap<ThreadId, (u64, Instant)>>> = Mutex::new(None);

struct Seeds {
    butane: Vec<Vec<u8>>,
    ignition: Vec<Vec<u8>>,
    files_dir: PathBuf,
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let mut number = |default| {
        args.next()
            .and_then(|arg| arg.parse().ok())
            .unwrap_or(default)
    };
    let (count, first) = (number(100_000), number(0));
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/own");
    let seeds = Seeds::below(&args.next().map_or(own, PathBuf::from));
    println!(
        "{} Butane and {} Ignition seeds",
        seeds.butane.len(),
        seeds.ignition.len()
    );
    thread::spawn(watch);
    let start = Instant::now();
    let mut done = 0;
    while done < count {
        let step = STEP.min(count - done);
        let range = first + done..first + done + step;
        let failed: Vec<u64> = range
            .into_par_iter()
            .filter(|number| !passes(&seeds, *number))
            .collect();
        if let Some(number) = failed.first() {
            eprintln!("input {number} fails: again with `-- 1 {number}`");
            return ExitCode::FAILURE;
        }
        done += step;
        let peak = peak_memory();
        println!(
            "{done} inputs, {} s, {} MiB",
            start.elapsed().as_secs(),
            peak >> 10
        );
        if peak > MEMORY {
            eprintln!("that is more memory than {} MiB", MEMORY >> 10);
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn passes(seeds: &Seeds, number: u64) -> bool {
    note(Some(number));
    let passed = catch_unwind(AssertUnwindSafe(|| seeds.check(number))).is_ok();
    note(None);
    passed
}

impl Seeds {
    fn below(folder: &Path) -> Self {
        let mut seeds = Self {
            butane: Vec::new(),
            ignition: Vec::new(),
            files_dir: folder.join("butane/files"),
        };
        let mut folders = vec![folder.to_owned()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder).expect("the folder of seeds can be listed");
            for entry in entries {
                let path = entry.expect("an entry").path();
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files.sort();
        for path in files {
            let into = match path.extension().and_then(|extension| extension.to_str()) {
                Some("bu") => &mut seeds.butane,
                Some("ign") => &mut seeds.ignition,
                _ => continue,
            };
            into.push(fs::read(&path).expect("a seed can be read"));
        }
        assert!(
            !seeds.butane.is_empty() && !seeds.ignition.is_empty(),
            "there are no seeds"
        );
        seeds
    }

    fn check(&self, number: u64) {
        let (kind, number) = (number % 3, number / 3);
        let seeds = if kind == 1 {
            &self.ignition
        } else {
            &self.butane
        };
        let pick = |number: u64| {
            let at = number % seeds.len() as u64;
            &seeds[usize::try_from(at).unwrap_or(0)]
        };
        // First each seed as it is.
        let is_first = number < seeds.len() as u64;
        let variant = if is_first { 0 } else { number };
        let other = pick(number.wrapping_mul(31) + 7);
        let mutant = mutant::mutant(pick(number), other, variant);
        match kind {
            0 => checks::check_butane(&mutant, &self.files_dir),
            1 => checks::check_ignition(&mutant),
            _ => checks::check_data_url(&mutant),
        }
    }
}

fn note(number: Option<u64>) {
    if let Ok(mut running) = RUNNING.lock() {
        let running = running.get_or_insert_default();
        match number {
            Some(number) => drop(running.insert(thread::current().id(), (number, Instant::now()))),
            None => drop(running.remove(&thread::current().id())),
        }
    }
}

/// Ends the process where an input takes too long.
fn watch() {
    loop {
        thread::sleep(Duration::from_secs(1));
        let slow = RUNNING.lock().ok().and_then(|running| {
            let running = running.as_ref()?;
            running
                .values()
                .find(|(_, since)| since.elapsed() > PATIENCE)
                .copied()
        });
        if let Some((number, _)) = slow {
            eprintln!("input {number} takes over {} s", PATIENCE.as_secs());
            std::process::exit(1);
        }
    }
}

/// The most memory that the process has had, in KiB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let words = line.and_then(|line| line.split_whitespace().next());
    words.and_then(|word| word.parse().ok()).unwrap_or(0)
}
