//! Container Linux Configs brought over, against what `ct` made of them. The recorded cases are those of the corpus.

mod view;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use ephemeros::diagnostic::{Diagnostic, Severity};
use ephemeros::source::Source;
use ephemeros::{butane, clc};
use minijinja::syntax::SyntaxConfig;
use serde_json::Value;

use crate::conformance::corpus::{Corpus, Tally};

/// What `ct` warned of and the new config says outright.
const SETTLED: [&str; 3] = [
    // The mode is written.
    "mode unspecified for",
    // Its fields stand where they belong.
    "the create object has been deprecated",
    "Configuration is empty",
];

/// Where the outcome is another one on purpose.
const DELIBERATE: [(&str, &str, &str); 7] = [
    (
        "cloud-config",
        "error",
        "ct made an empty config of it; it is another format",
    ),
    (
        "empty",
        "error",
        "there is nothing to bring over; it is rather the wrong file",
    ),
    (
        "filesystems-undefined-name",
        "error",
        "a file needs a full path now, and without the file system there is none",
    ),
    (
        "directories-links",
        "warn",
        "`mount` says no folder, and now one is needed; a hard link's owner is its target's",
    ),
    (
        "files-local-escape",
        "warn",
        "Butane reads no file from outside, so it is written in",
    ),
    (
        "ignition-section",
        "warn",
        "the configs that it names must be of spec 3 now, and nobody can see whether they are",
    ),
    (
        "service-and-unit",
        "warn",
        "the section and the unit disagree on `enabled`; ct put out both",
    ),
];

/// The config of a case, brought over and translated, with all that was said.
struct Imported {
    butane: Option<clc::Butane>,
    config: Option<Value>,
    diagnostics: Vec<Diagnostic>,
}

fn import(source: &Arc<Source>, files_dir: &Path, platform: Option<&str>) -> Imported {
    let options = clc::Options {
        files_dir: Some(files_dir),
        platform,
    };
    let import = clc::import(source, &options);
    let mut diagnostics = import.diagnostics;
    let mut config = None;
    if let Some(butane) = &import.butane {
        let text = Source::file("imported.bu", butane.text.as_str());
        let options = butane::Options {
            files_dir: Some(files_dir),
            ..butane::Options::default()
        };
        let translation = butane::translate(&text, &options);
        let mut found = translation.diagnostics;
        butane.trace(&mut found);
        diagnostics.extend(found);
        config = translation.config;
    }
    Imported {
        butane: import.butane,
        config: config.map(|config| serde_json::from_str(&config.to_json()).unwrap()),
        diagnostics,
    }
}

/// As the fleet's engine renders it.
fn render(template: &str) -> String {
    let mut environment = minijinja::Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true);
    environment.set_syntax(syntax.build().unwrap());
    environment.render_str(template, ()).unwrap()
}

#[test]
fn configs_come_over_with_the_meaning_that_ct_gave_them() {
    let Some(corpus) = Corpus::find() else {
        return;
    };
    let files_dir = corpus.files_dir();
    let mut tally = Tally::default();
    let rows = corpus.rows("legacy/INDEX.tsv");
    assert_eq!(rows.len(), 76);
    for row in rows {
        let [case, outcome, _exit, _strict, arguments, ..] = &row[..] else {
            panic!("{row:?}");
        };
        let base = corpus.root.join("legacy").join(case);
        let platform = arguments.strip_prefix("-platform ");
        tally.add(
            "legacy",
            case,
            &problems(case, outcome, &base, &files_dir, platform),
        );
    }
    tally.finish();
}

fn problems(
    case: &str,
    outcome: &str,
    base: &Path,
    files_dir: &Path,
    platform: Option<&str>,
) -> Vec<String> {
    let read = |ending: &str| fs::read_to_string(base.with_extension(ending));
    let source = Source::file("ignition.yml", read("clc.yml").unwrap());
    let imported = import(&source, files_dir, platform);
    let report = read("report").unwrap_or_default();
    let mut problems = outcome_problems(case, outcome, &report, &imported);
    problems.extend(help_problems(&imported.diagnostics));
    if let Some(butane) = &imported.butane
        && render(&butane.template) != butane.text
    {
        problems.push("the template renders to another text".to_owned());
    }
    if let (Some(config), Ok(old)) = (&imported.config, read("ign")) {
        let old = serde_json::from_str(&old).unwrap();
        let invented = |name: &str| {
            let path = format!("/mnt/{name}");
            let said = imported.diagnostics.iter();
            let mut said = said.filter(|it| it.message.contains(&format!("`{path}`")));
            assert!(said.next().is_some(), "{case}: nobody said {path}");
            path
        };
        let (wanted, got) = (view::of_old(&old, invented), view::of_new(config));
        problems.extend(view::differences(&wanted, &got));
    }
    problems
}

/// The outcome, and the lines of errors and warnings, are those of `ct`.
fn outcome_problems(case: &str, outcome: &str, report: &str, imported: &Imported) -> Vec<String> {
    let entries = entries(report);
    let is_settled = |text: &str| SETTLED.iter().any(|settled| text.starts_with(settled));
    let warnings = entries
        .iter()
        .filter(|(severity, _, text)| *severity == Severity::Warning && !is_settled(text));
    let same = match outcome {
        "error" => "error",
        _ if warnings.clone().count() > 0 => "warn",
        _ => "ok",
    };
    let has = |severity| {
        imported
            .diagnostics
            .iter()
            .any(|it| it.severity == severity)
    };
    let ours = match imported.config {
        None => "error",
        Some(_) if has(Severity::Warning) => "warn",
        Some(_) => "ok",
    };
    let deliberate = DELIBERATE.iter().find(|(name, ..)| *name == case);
    let wanted = deliberate.map_or(same, |(_, wanted, _)| wanted);
    if let Some((_, wanted, reason)) = deliberate {
        assert_ne!(same, *wanted, "{case} is no difference: {reason}");
    }
    let mut problems = Vec::new();
    if ours != wanted {
        let said: Vec<&str> = imported
            .diagnostics
            .iter()
            .map(|it| it.message.as_str())
            .collect();
        problems.push(format!("{ours} instead of {wanted}: {said:?}"));
    }
    if deliberate.is_some() {
        return problems;
    }
    let lines = |severity: Severity| {
        let found = imported.diagnostics.iter();
        let found = found.filter(move |it| it.severity == severity);
        found
            .filter_map(|it| it.labels.first())
            .map(|label| label.source.position(label.span.start).line)
    };
    for (severity, line, text) in &entries {
        // Sometimes ct names the key above.
        let near = |found: usize| found.abs_diff(*line) <= 1;
        let is_met = *line == 0 || is_settled(text) || lines(*severity).any(near);
        // An error hides what comes later.
        if !is_met && (*severity == Severity::Error || outcome != "error") {
            problems.push(format!("nothing said at line {line}: {text}"));
        }
    }
    problems
}

/// Severity, line (0 where there is none) and text of what `ct` said.
fn entries(report: &str) -> Vec<(Severity, usize, &str)> {
    let mut entries = Vec::new();
    let mut lines = report.lines();
    while let Some(line) = lines.next() {
        let severity = match line.split([' ', ':']).next() {
            Some("warning") => Severity::Warning,
            Some("error") => Severity::Error,
            _ => continue,
        };
        match line.split_once(" at line ") {
            Some((_, place)) => {
                let number = place.split(',').next().unwrap_or_default();
                entries.push((
                    severity,
                    number.parse().unwrap(),
                    lines.next().unwrap_or_default(),
                ));
            }
            None => entries.push((severity, 0, line.split_once(": ").map_or("", |it| it.1))),
        }
    }
    entries
}

fn help_problems(diagnostics: &[Diagnostic]) -> Vec<String> {
    let mut problems = Vec::new();
    for one in diagnostics {
        let placed = one
            .labels
            .first()
            .is_some_and(|it| it.source.name == "ignition.yml");
        if one.help.is_none() || !placed {
            problems.push(format!("no help or place: {}", one.message));
        }
    }
    problems
}

#[test]
fn a_difference_in_meaning_is_seen() {
    let old = serde_json::json!({
        "storage": { "files": [
            { "filesystem": "root", "path": "/a", "mode": 420, "contents": { "source": "data:,x" } },
        ] },
        "systemd": { "units": [{ "name": "a.service", "enable": true }] },
    });
    let new = |overwrite: bool, enabled: bool| {
        serde_json::json!({
            "storage": { "files": [{
                "path": "/a", "overwrite": overwrite, "mode": 420,
                "contents": { "source": "data:;base64,eA==", "compression": "" },
            }] },
            "systemd": { "units": [{ "name": "a.service", "enabled": enabled }] },
        })
    };
    let wanted = view::of_old(&old, str::to_owned);
    let told = |new: &Value| view::differences(&wanted, &view::of_new(new)).len();
    assert_eq!(told(&new(true, true)), 0);
    assert_eq!(told(&new(false, true)), 1);
    assert_eq!(told(&new(true, false)), 1);
}
