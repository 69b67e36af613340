//! Texts that are nearly configs must never make a parser panic, and what comes out must hold together. The long run is
//! `cargo run --release --example mutations`.

use std::fs;
use std::path::PathBuf;

use crate::conformance::corpus::Corpus;

#[path = "../examples/mutations/checks.rs"]
mod checks;
#[path = "../examples/mutations/mutant.rs"]
mod mutant;

/// How many of each seed.
const MUTANTS: u64 = 3;

fn each(files: impl Iterator<Item = PathBuf>, check: &dyn Fn(&[u8])) {
    let mut other = Vec::new();
    for (file, path) in (0..).zip(files) {
        let seed = fs::read(path).unwrap();
        for number in 0..=MUTANTS {
            check(&mutant::mutant(&seed, &other, number * (file + 1)));
        }
        other = seed;
    }
}

#[test]
fn mutated_butane_never_panics() {
    for corpus in Corpus::both() {
        let files_dir = corpus.files_dir();
        let files = corpus.files("butane", "bu");
        each(files.into_iter(), &|bytes| {
            checks::check_butane(bytes, &files_dir);
        });
    }
}

#[test]
fn mutated_ignition_never_panics() {
    let mut files = Corpus::own().files("butane", "ign");
    if let Some(corpus) = Corpus::find() {
        files.extend(corpus.files("merge", "ign"));
        files.extend(corpus.files("butane", "ign"));
    }
    each(files.into_iter(), &checks::check_ignition);
}

#[test]
fn mutated_contents_and_urls_never_panic() {
    let files = Corpus::own().files("butane", "bu");
    each(files.into_iter(), &checks::check_data_url);
}
