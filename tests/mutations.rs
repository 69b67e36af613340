//! Texts that are nearly configs must never make a parser panic, and what comes out must hold together.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::conformance::corpus::Corpus;
use ephemeros::butane::{Options, translate};
use ephemeros::diagnostic::Diagnostic;
use ephemeros::ignition::{self, Config};
use ephemeros::source::Source;
use ephemeros::yaml;

/// Small enough for every run; `EPHEMEROS_MUTATIONS` asks for more.
const MUTATIONS: u64 = 3;

#[test]
fn mutated_butane_never_panics() {
    let Some(corpus) = Corpus::find() else {
        return;
    };
    let files_dir = corpus.files_dir();
    for (seed, path) in (1..).zip(corpus.files("butane", "bu")) {
        for bytes in mutations(&fs::read(path).unwrap(), seed) {
            if let Ok(text) = yaml::text::decode(&bytes) {
                check_butane(&text, &files_dir);
            }
        }
    }
}

#[test]
fn mutated_ignition_never_panics() {
    let Some(corpus) = Corpus::find() else {
        return;
    };
    let mut seeds = corpus.files("merge", "ign");
    seeds.extend(corpus.files("butane", "ign"));
    for (seed, path) in (1..).zip(seeds) {
        for bytes in mutations(&fs::read(path).unwrap(), seed) {
            check_ignition(&String::from_utf8_lossy(&bytes));
        }
    }
}

fn check_butane(text: &str, files_dir: &Path) {
    let source = Source::file("a.bu", text);
    let options = Options {
        files_dir: Some(files_dir),
        ..Options::default()
    };
    let translation = translate(&source, &options);
    check_places(&translation.diagnostics, &source);
    let failed = translation.diagnostics.iter().any(Diagnostic::is_error);
    assert_eq!(failed, translation.config.is_none(), "{text}");
    if let Some(config) = translation.config {
        check_config(&config);
        assert!(
            ignition::validate(&config, None)
                .iter()
                .all(|one| !one.is_error()),
            "{text}"
        );
    }
}

fn check_ignition(text: &str) {
    let source = Source::file("a.ign", text);
    let (config, found) = Config::parse(&source);
    check_places(&found, &source);
    if let Some(config) = config {
        check_places(&ignition::validate(&config, Some(&source)), &source);
        check_config(&config);
    }
}

/// What is written reads back as the same, and merging it over itself is a config again.
fn check_config(config: &Config) {
    let written = config.to_json();
    let (again, found) = Config::parse(&Source::file("b.ign", written.as_str()));
    assert_eq!(found, [], "{written}");
    let again = again.unwrap();
    assert_eq!(again.to_json(), written);
    assert_eq!(ignition::view(&again), ignition::view(config), "{written}");
    let _ = ignition::merge(config, &again).to_json_pretty();
}

fn check_places(found: &[Diagnostic], source: &Arc<Source>) {
    for label in found.iter().flat_map(|one| &one.labels) {
        if Arc::ptr_eq(&label.source, source) {
            assert!(
                source.text.get(label.span.clone()).is_some(),
                "{:?} in {:?}",
                label.span,
                source.text
            );
        }
    }
}

/// The text itself, and the text with a few bytes changed, cut or repeated; the same ones in every run.
fn mutations(bytes: &[u8], seed: u64) -> Vec<Vec<u8>> {
    const TOKENS: [&[u8]; 16] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b": ",
        b"- ",
        b"\n",
        b"&a ",
        b"*a",
        b"<<: ",
        b"|\n",
        b"\"",
        b"!!binary ",
        b"\xc3\xa9",
        b"null",
        b"0",
    ];
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    let many = std::env::var("EPHEMEROS_MUTATIONS")
        .ok()
        .and_then(|count| count.parse().ok());
    let mut all = vec![bytes.to_vec()];
    for _ in 0..many.unwrap_or(MUTATIONS) {
        let mut mutant = bytes.to_vec();
        for _ in 0..=random(3) {
            let at = random(mutant.len() + 1);
            let end = (at + random(12)).min(mutant.len());
            match random(4) {
                0 => drop(mutant.drain(at..end)),
                1 => {
                    let copy = mutant[at..end].to_vec();
                    let to = random(mutant.len() + 1);
                    mutant.splice(to..to, copy);
                }
                2 => drop(mutant.splice(at..end, TOKENS[random(TOKENS.len())].iter().copied())),
                _ => {
                    let line = mutant[at..]
                        .iter()
                        .position(|byte| *byte == b'\n')
                        .map_or(mutant.len(), |end| at + end);
                    mutant.drain(at..line);
                }
            }
        }
        all.push(mutant);
    }
    all
}
