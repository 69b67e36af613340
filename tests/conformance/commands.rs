//! The same corpus held against the commands: the built program with its flags, streams and exit codes.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::corpus::{ButaneCase, Corpus, Tally};
use super::{compare, deliberate};
use crate::fleet::{Fleet, Run};
use crate::repository::skipped;

/// Of the whole corpus every so many-th case is run, and each that has a flag.
const STEP: usize = 7;

#[test]
fn transpile_is_butane() {
    let own = Corpus::own();
    run_butane(&own, own.butane());
    if let Some(all) = Corpus::find() {
        let cases = all.butane().into_iter().enumerate();
        let sample = cases.filter(|(index, case)| index % STEP == 0 || case.is_flagged());
        run_butane(&all, sample.map(|(_, case)| case).collect());
    }
}

fn run_butane(corpus: &Corpus, cases: Vec<ButaneCase>) {
    let mut tally = Tally::default();
    let nowhere = Fleet::empty();
    let files = corpus.files_dir();
    for case in cases {
        if deliberate(&case.name).is_none() {
            let problems = transpile_case(&nowhere, &case, &files);
            tally.add(&case.variant, &case.name, &problems);
        }
    }
    tally.finish();
}

fn transpile_case(nowhere: &Fleet, case: &ButaneCase, files: &Path) -> Vec<String> {
    let files = files.to_str().unwrap();
    let run = |strict: &[&str]| {
        let files: &[&str] = if case.has_files() {
            &["-d", files]
        } else {
            &[]
        };
        let args = [&["transpile", "--raw-errors"], files, strict].concat();
        nowhere.command(&args).stdin(case.input()).run()
    };
    let (lax, strict) = (run(&[]), run(&["--strict"]));
    let flags = case.flags();
    let report = case.report();
    let mut problems = compare::reports(&report, &lax.stderr, &flags, false);
    let codes = match case.outcome.as_str() {
        "ok" => [0, 0],
        "warn" => [0, 1],
        _ => [1, 1],
    };
    for (run, code) in [&lax, &strict].into_iter().zip(codes) {
        if run.code != Some(code) {
            problems.push(format!("exit code {:?} instead of {code}", run.code));
        }
        let prints = !run.stdout.is_empty();
        if prints != (code == 0) {
            problems.push(format!("exit code {code}, and printed: {prints}"));
        }
    }
    if case.outcome == "error" {
        let last = lax.stderr.lines().last().unwrap_or_default();
        if !last.starts_with("Error translating config: ") {
            problems.push(format!("the last line is: {last}"));
        }
    } else {
        problems.extend(compare::json(&case.config(), &lax.stdout, &flags));
        problems.extend(bytes(&case.config(), &lax.stdout, &flags));
    }
    if case.outcome == "warn" {
        let last = "Config produced warnings and --strict was specified\n";
        if strict.stderr != format!("{}{last}", lax.stderr) {
            problems.push(format!("strict says {}", strict.stderr));
        }
    }
    problems
}

/// Where nothing is compressed, nor nearly, each byte is the same, but for the replacement character, which Go
/// escapes where it replaces.
fn bytes(wanted: &str, got: &str, flags: &[&str]) -> Option<String> {
    let plain = |text: &str| text.replace("\\ufffd", "\u{fffd}");
    let packed = wanted.contains(";base64,H4sI") || flags.contains(&"gzip-near");
    let same = packed || plain(wanted) == plain(got);
    (!same).then(|| format!("{got} instead of {wanted}"))
}

#[test]
fn validate_is_ignition_validate() {
    let Some(corpus) = Corpus::find() else {
        return;
    };
    let mut tally = Tally::default();
    let nowhere = Fleet::empty();
    for row in corpus.rows("validate/INDEX.tsv") {
        let base = corpus.root.join("validate").join(&row[0]);
        let config = fs::read(base.with_extension("ign")).unwrap();
        let verdict = fs::read_to_string(base.with_extension("verdict")).unwrap();
        let run = nowhere.command(&["validate", "--json"]).stdin(config).run();
        let mut problems = Vec::new();
        let code = i32::from(verdict.starts_with("exit 1"));
        if run.code != Some(code) {
            problems.push(format!("exit code {:?} instead of {code}", run.code));
        }
        // What has no place there has one here.
        if verdict.contains(" at ") || code == 0 {
            problems.extend(compare::reports(&verdict, &raw(&run), &[], true));
        }
        tally.add("validate", &row[0], &problems);
    }
    tally.finish();
}

/// The mistakes in the JSON, as a raw report.
fn raw(run: &Run) -> String {
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    let mistakes = json["mistakes"].as_array().unwrap().iter();
    let lines = mistakes.map(|one| {
        let text = |key: &str| one[key].as_str().unwrap_or_default();
        let at = &one["places"][0];
        let place = format!("line {} col {}", at["line"], at["column"]);
        match text("path") {
            "" => format!("{} at {place}: {}\n", text("severity"), text("message")),
            path => format!(
                "{} at {path}, {place}: {}\n",
                text("severity"),
                text("message")
            ),
        }
    });
    lines.collect()
}

#[test]
fn merge_is_what_ignition_does() {
    let Some(corpus) = Corpus::find() else {
        return;
    };
    let mut tally = Tally::default();
    let nowhere = Fleet::empty();
    for row in corpus.rows("merge/INDEX.tsv") {
        let folder = corpus.root.join("merge").join(&row[0]).join(&row[1]);
        let run = nowhere
            .command(&["merge", "parent.ign", "child.ign"])
            .folder(&folder)
            .run();
        // The cases were recorded from the merge alone; at boot Ignition refuses configs that are invalid, by
        // themselves or merged.
        let is_valid = |name: &str| {
            let alone = nowhere.command(&["validate", name]).folder(&folder).run();
            alone.code == Some(0)
        };
        let (kind, problems) = if ["parent.ign", "child.ign", "merged.ign"]
            .into_iter()
            .all(is_valid)
        {
            let wanted = fs::read_to_string(folder.join("merged.ign")).unwrap();
            let problems = match run.code {
                Some(0) => compare::json(&wanted, &run.stdout, &[]),
                _ => vec![run.stderr],
            };
            ("merged", problems)
        } else {
            let refused = run.code == Some(1) && run.stdout.is_empty();
            let problems = (!refused).then(|| format!("{:?}", run.code));
            ("refused", problems.into_iter().collect())
        };
        tally.add(&format!("{kind} {}", row[0]), &row[1], &problems);
    }
    tally.finish();
}

/// Cases of rules that the packaged `ignition-validate` is too old for.
const NEWER_RULES: [&str; 1] = ["file-systemd-conflict-3-3"];

/// The packaged `ignition-validate` knows specs up to 3.3.0.
#[test]
fn validate_agrees_with_the_installed_ignition_validate() {
    const PROGRAM: &str = "/usr/bin/ignition-validate";
    if !Path::new(PROGRAM).is_file() {
        return skipped("validate against ignition-validate", "it is not installed");
    }
    let nowhere = Fleet::empty();
    let mut tally = Tally::default();
    for corpus in Corpus::both() {
        let mut files = corpus.files("butane", "ign");
        if corpus.root != Corpus::own().root {
            files = files.into_iter().step_by(STEP).collect();
            let rows = corpus.rows("validate/INDEX.tsv").into_iter();
            files.extend(rows.map(|row| {
                corpus
                    .root
                    .join("validate")
                    .join(&row[0])
                    .with_extension("ign")
            }));
        }
        for path in files.iter().filter(|path| is_old(path)) {
            let name = path.file_stem().unwrap().to_string_lossy();
            if NEWER_RULES.contains(&&*name) {
                continue;
            }
            let theirs = Command::new(PROGRAM)
                .arg(path)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .unwrap();
            let ours = nowhere.command(&["validate", path.to_str().unwrap()]).run();
            let mut problems = Vec::new();
            if ours.code != theirs.code() {
                problems.push(format!(
                    "{:?} instead of {theirs}: {}",
                    ours.code, ours.stderr
                ));
            }
            tally.add("ignition-validate", &path.display().to_string(), &problems);
        }
    }
    tally.finish();
}

/// Whether it is of a spec that the packaged program knows.
fn is_old(path: &Path) -> bool {
    let text = fs::read(path).unwrap();
    let config: Value = serde_json::from_slice(&text).unwrap_or_default();
    let version = config["ignition"]["version"].as_str().unwrap_or_default();
    ["3.0.0", "3.1.0", "3.2.0", "3.3.0"].contains(&version)
}
