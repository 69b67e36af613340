//! When two results are the same, by the README of the corpus.

use std::collections::BTreeSet;

use ephemeros::diagnostic::{Diagnostic, Severity};
use ephemeros::ignition::data_url;
use serde_json::Value;

const LIMIT: usize = 1 << 24;

/// One diagnostic, as far as it is compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    severity: Severity,
    path: String,
    /// Line and column; 0 when there is no place.
    place: (usize, usize),
}

/// The differences between a recorded report and what was found.
pub(crate) fn diagnostics(
    report: &str,
    found: &[Diagnostic],
    flags: &[&str],
    bytes: bool,
) -> Vec<String> {
    let ours = found.iter().map(|one| line_of(one, bytes)).collect();
    lines(report, ours, flags, bytes)
}

/// The differences between a recorded report and one of the same form.
pub(crate) fn reports(wanted: &str, got: &str, flags: &[&str], bytes: bool) -> Vec<String> {
    let ours = got.lines().filter_map(recorded).collect();
    lines(wanted, ours, flags, bytes)
}

fn lines(report: &str, ours: Vec<Line>, flags: &[&str], bytes: bool) -> Vec<String> {
    let has = |flag| flags.contains(&flag);
    if has("yaml-syntax") {
        return Vec::new();
    }
    if has("yaml-type") {
        let wanted: BTreeSet<usize> = report
            .lines()
            .filter_map(|line| {
                line.trim_start()
                    .strip_prefix("line ")?
                    .split(':')
                    .next()?
                    .parse()
                    .ok()
            })
            .collect();
        let got: BTreeSet<usize> = ours
            .iter()
            .filter(|line| line.severity == Severity::Error)
            .map(|line| line.place.0)
            .collect();
        let same = wanted == got || wanted.is_empty();
        return if same {
            vec![]
        } else {
            vec![format!("lines {got:?} instead of {wanted:?}")]
        };
    }
    let wanted: Vec<Line> = report.lines().filter_map(recorded).collect();
    if has("inner-position") {
        let severities = |lines: &[Line]| {
            lines
                .iter()
                .map(|line| line.severity)
                .collect::<BTreeSet<_>>()
        };
        let same = severities(&wanted) == severities(&ours);
        return if same {
            vec![]
        } else {
            vec![format!("{ours:?} instead of {wanted:?}")]
        };
    }
    let mut problems = Vec::new();
    // What has no path is what the reference says in its last line, or a mistake of JSON.
    let mut rest: Vec<Line> = ours
        .into_iter()
        .filter(|line| bytes || !line.path.is_empty())
        .collect();
    for line in wanted {
        match rest.iter().position(|ours| matches(&line, ours)) {
            Some(at) => drop(rest.remove(at)),
            None => problems.push(format!("missing {line:?}")),
        }
    }
    rest.retain(|line| line.place.0 > 0 || !line.path.is_empty());
    problems.extend(rest.iter().map(|line| format!("extra {line:?}")));
    problems
}

fn matches(wanted: &Line, ours: &Line) -> bool {
    const TOLERANCE: usize = 2;
    let placed = wanted.place.0 == 0
        || wanted.place.0 == ours.place.0 && wanted.place.1.abs_diff(ours.place.1) <= TOLERANCE;
    wanted.severity == ours.severity && wanted.path == ours.path && placed
}

fn line_of(diagnostic: &Diagnostic, bytes: bool) -> Line {
    let place = diagnostic.labels.first().map_or((0, 0), |label| {
        let position = label.source.position(label.span.start);
        let text = &label.source.text[..label.span.start];
        let in_bytes = text.len() - text.rfind('\n').map_or(0, |newline| newline + 1) + 1;
        (
            position.line,
            if bytes { in_bytes } else { position.column },
        )
    });
    Line {
        severity: diagnostic.severity,
        path: diagnostic.path.clone().unwrap_or_default(),
        place,
    }
}

/// `SEVERITY at PATH, line L col C: TEXT`, where the path or the place can be missing.
fn recorded(line: &str) -> Option<Line> {
    let (severity, rest) = line.split_once(" at ")?;
    let severity = match severity {
        "error" => Severity::Error,
        "warning" => Severity::Warning,
        _ => return None,
    };
    let head = rest.split_once(": ").map_or(rest, |(head, _)| head);
    let (path, place) = match head.split_once(", line ") {
        Some((path, place)) => (path, place),
        None => head
            .strip_prefix("line ")
            .map_or((head, ""), |place| ("", place)),
    };
    let numbers: Vec<usize> = place
        .split(" col ")
        .filter_map(|number| number.parse().ok())
        .collect();
    Some(Line {
        severity,
        path: path.to_owned(),
        place: numbers
            .first()
            .copied()
            .zip(numbers.get(1).copied())
            .unwrap_or_default(),
    })
}

/// The differences between two configs as JSON.
pub(crate) fn json(wanted: &str, got: &str, flags: &[&str]) -> Vec<String> {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let mut problems = Vec::new();
    compare(
        &parse(wanted),
        &parse(got),
        "$",
        flags.contains(&"gzip-near"),
        &mut problems,
    );
    problems
}

fn compare(wanted: &Value, got: &Value, path: &str, near: bool, problems: &mut Vec<String>) {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            let (mut wanted, mut got) = (wanted.clone(), got.clone());
            if let Some(problem) = compare_contents(&mut wanted, &mut got, near) {
                problems.push(format!("{path}: {problem}"));
            }
            let keys: BTreeSet<&String> = wanted.keys().chain(got.keys()).collect();
            for key in keys {
                match (wanted.get(key), got.get(key)) {
                    (Some(wanted), Some(got)) => {
                        compare(wanted, got, &format!("{path}.{key}"), near, problems);
                    }
                    (Some(wanted), None) => {
                        problems.push(format!("{path}.{key} is missing: {wanted}"));
                    }
                    (None, Some(got)) => problems.push(format!("{path}.{key} is extra: {got}")),
                    (None, None) => {}
                }
            }
        }
        (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => {
            for (index, (wanted, got)) in wanted.iter().zip(got).enumerate() {
                compare(wanted, got, &format!("{path}.{index}"), near, problems);
            }
        }
        _ if wanted == got => {}
        _ => problems.push(format!("{path}: {got} instead of {wanted}")),
    }
}

type Object = serde_json::Map<String, Value>;

/// `data:` URLs are equal when their bytes are; takes them out of both objects.
fn compare_contents(wanted: &mut Object, got: &mut Object, near: bool) -> Option<String> {
    let source = |object: &Object| {
        Some(object.get("source")?.as_str()?.to_owned()).filter(|url| url.starts_with("data:"))
    };
    let (wanted_url, got_url) = (source(wanted)?, source(got)?);
    if wanted_url == got_url {
        return None;
    }
    let packed =
        |object: &Object| object.get("compression").and_then(Value::as_str) == Some("gzip");
    let unpack = |url: &str, packed: bool| {
        let bytes = data_url::decode(url).ok()?;
        if packed {
            data_url::gunzip(&bytes, LIMIT).ok()
        } else {
            Some(bytes)
        }
    };
    let (wanted_bytes, got_bytes) = (
        unpack(&wanted_url, packed(wanted)),
        unpack(&got_url, packed(got)),
    );
    if wanted_bytes.is_none() || wanted_bytes != got_bytes {
        return Some(format!("contents {got_url} instead of {wanted_url}"));
    }
    wanted.remove("source");
    got.remove("source");
    if near {
        wanted.remove("compression");
        got.remove("compression");
    } else if !packed(wanted) && wanted_url.len() != got_url.len() {
        return Some(format!("encoded as {got_url} instead of {wanted_url}"));
    }
    None
}
