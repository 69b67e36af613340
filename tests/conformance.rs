//! Compares with the reference tools by the corpus of recorded cases. The rules of comparison are in its README.

#![allow(clippy::unwrap_used)]

mod commands;
mod compare;
pub(crate) mod corpus;

use std::fs;
use std::path::Path;

use corpus::{ButaneCase, Corpus, Tally};
use ephemeros::butane::{Options, translate};
use ephemeros::ignition::{self, Config, Spec};
use ephemeros::source::Source;
use ephemeros::yaml;

/// Where the reference is wrong and this tool is not.
pub(crate) const DELIBERATE: [(&str, &str); 4] = [
    (
        "yaml-null-list-item-shifts-index",
        "an item after an empty one is reported where it stands",
    ),
    (
        "yaml-null-list-item-unknown-key",
        "an item after an empty one is reported where it stands",
    ),
    ("boot-mirror-one", "one mistake is reported once"),
    (
        "boot-luks-tang-no-thumbprint",
        "the place is in `boot_device`, which the reference loses",
    ),
];

#[test]
fn butane_translates_as_the_reference_does() {
    for corpus in Corpus::both() {
        let mut tally = Tally::default();
        let files_dir = corpus.files_dir();
        for case in corpus.butane() {
            let files_dir = case.has_files().then_some(files_dir.as_path());
            let problems = butane_case(&case, files_dir);
            match deliberate(&case.name) {
                Some(reason) => assert!(
                    !problems.is_empty(),
                    "{} agrees now, and should not: {reason}",
                    case.name
                ),
                None => tally.add(&case.variant, &case.name, &problems),
            }
        }
        tally.finish();
    }
}

/// Why a case differs from the reference, if it does so on purpose.
pub(crate) fn deliberate(case: &str) -> Option<&'static str> {
    let mut known = DELIBERATE.iter();
    known
        .find(|(name, _)| *name == case)
        .map(|(_, reason)| *reason)
}

fn butane_case(case: &ButaneCase, files_dir: Option<&Path>) -> Vec<String> {
    let Ok(text) = yaml::text::decode(&case.input()) else {
        return if case.outcome == "error" {
            vec![]
        } else {
            vec!["not read as text".to_owned()]
        };
    };
    let source = Source::file("case.bu", text);
    let translation = translate(
        &source,
        &Options {
            files_dir,
            ..Options::default()
        },
    );
    let flags = case.flags();
    let mut problems =
        compare::diagnostics(&case.report(), &translation.diagnostics, &flags, false);
    match (&translation.config, case.outcome.as_str()) {
        (None, "error") => {}
        (None, _) => problems.push("failed".to_owned()),
        (Some(_), "error") => problems.push("did not fail".to_owned()),
        (Some(config), _) => {
            problems.extend(compare::json(&case.config(), &config.to_json(), &flags));
        }
    }
    problems
}

#[test]
fn configs_merge_as_ignition_merges_them() {
    let Some(corpus) = Corpus::find() else {
        return;
    };
    let mut tally = Tally::default();
    for row in corpus.rows("merge/INDEX.tsv") {
        let [spec, case, ..] = &row[..] else {
            panic!("{row:?}");
        };
        let base = corpus.root.join("merge").join(spec).join(case);
        let config = |name: &str| {
            let text = fs::read_to_string(base.join(name)).unwrap();
            Config::parse(&Source::file(name, text)).0
        };
        let problems = match (config("parent.ign"), config("child.ign")) {
            (Some(parent), Some(child)) => {
                let expected = fs::read_to_string(base.join("merged.ign")).unwrap();
                compare::json(&expected, &ignition::merge(parent, &child).to_json(), &[])
            }
            _ => vec!["not read".to_owned()],
        };
        tally.add(spec, case, &problems);
    }
    tally.finish();
}

#[test]
fn configs_are_judged_as_ignition_validate_judges_them() {
    let Some(corpus) = Corpus::find() else {
        return;
    };
    let mut tally = Tally::default();
    for row in corpus.rows("validate/INDEX.tsv") {
        let [case, outcome, ..] = &row[..] else {
            panic!("{row:?}");
        };
        let base = corpus.root.join("validate").join(case);
        let bytes = fs::read(base.with_extension("ign")).unwrap();
        let verdict = fs::read_to_string(base.with_extension("verdict")).unwrap();
        let source = Source::file("case.ign", String::from_utf8_lossy(&bytes));
        let (config, mut found) = Config::parse(&source);
        if let Some(config) = &config {
            found.extend(ignition::validate(config, Some(&source)));
        }
        let failed = found
            .iter()
            .any(ephemeros::diagnostic::Diagnostic::is_error);
        let mut problems = compare::diagnostics(&verdict, &found, &[], true);
        if failed != (outcome == "invalid") {
            problems.push(format!(
                "judged {}",
                if failed { "invalid" } else { "valid" }
            ));
        }
        tally.add("validate", case, &problems);
    }
    tally.finish();
}

#[test]
fn what_is_written_reads_back_as_the_same() {
    let Some(corpus) = Corpus::find() else {
        return;
    };
    let mut tally = Tally::default();
    for path in corpus.files("butane", "ign") {
        let text = fs::read_to_string(&path).unwrap();
        let (config, found) = Config::parse(&Source::file("case.ign", text.as_str()));
        let written = config.as_ref().map(Config::to_json);
        let mut problems: Vec<String> = found.into_iter().map(|one| one.message).collect();
        // Go escapes the replacement character where it replaces, and only there.
        let text = text.replace("\\ufffd", "\u{fffd}");
        if written.as_ref() != Some(&text) {
            problems.push(format!("{text} became {written:?}"));
        }
        let newest = config.is_some_and(|config| config.spec() > Spec::V3_6);
        assert!(!newest);
        tally.add("butane/**/*.ign", &path.display().to_string(), &problems);
    }
    tally.finish();
}
