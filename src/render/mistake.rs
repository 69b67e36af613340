//! What went wrong in a template, in words that hold no variable's value.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use super::filters::Refusal;
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use crate::source::Source;

/// The engine's error as a diagnostic.
pub(super) fn describe(
    error: &Error,
    sources: &BTreeMap<String, Arc<Source>>,
    context: &Value,
) -> Diagnostic {
    // An error in an included template or a macro comes wrapped in one of the template that uses it.
    let innermost = causes(error).last().unwrap_or(error);
    let source = innermost.name().and_then(|name| sources.get(name));
    let span = match (source, innermost.range()) {
        (Some(source), Some(range)) if range.end <= source.text.len() => range,
        (Some(source), _) => line_span(source, innermost.line().unwrap_or(1)),
        (None, _) => 0..0,
    };
    let span = source.map_or(span.clone(), |source| whole_name(&source.text, span));
    let expression = source.map_or("", |source| source.text.get(span.clone()).unwrap_or(""));
    let is_local = |name: &str| source.is_some_and(|source| binds(&source.text, name));
    let (message, help) = explain(innermost, expression, context, &is_local);
    let mut diagnostic = Diagnostic::error(message).help(help);
    if let Some(source) = source {
        diagnostic = diagnostic.at(source, span);
    }
    diagnostic
}

fn causes(error: &Error) -> impl Iterator<Item = &Error> {
    std::iter::successors(Some(error), |error| {
        std::error::Error::source(*error)?.downcast_ref::<Error>()
    })
}

/// The engine marks only the end of a longer path: `.b.c` of `a.b.c`.
fn whole_name(text: &str, span: Range<usize>) -> Range<usize> {
    if !text[span.start..].starts_with('.') {
        return span;
    }
    let other = |c: char| !c.is_alphanumeric() && c != '_' && c != '.';
    let before = text[..span.start].trim_end_matches(|c| !other(c));
    before.len()..span.end
}

/// Whether a statement of the template may bind a name: such a name is not looked for outside.
fn binds(text: &str, name: &str) -> bool {
    let other = |c: char| !c.is_alphanumeric() && c != '_';
    let statements = text.split("{%").skip(1);
    statements
        .filter_map(|rest| rest.split("%}").next())
        .filter(|statement| {
            let word = statement
                .trim_start_matches(['-', '+', ' '])
                .split(other)
                .next();
            ["for", "set", "with", "macro", "import", "from", "call"]
                .contains(&word.unwrap_or_default())
        })
        .any(|statement| statement.split(other).any(|word| word == name))
}

fn explain(
    error: &Error,
    expression: &str,
    context: &Value,
    is_local: &dyn Fn(&str) -> bool,
) -> (String, String) {
    let refusal =
        std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<Refusal>());
    if let Some(refusal) = refusal {
        return (refusal.message.clone(), refusal.help.clone());
    }
    // Only these details are about the template alone; those of other kinds may quote a value.
    let detail = match error.kind() {
        ErrorKind::SyntaxError
        | ErrorKind::InvalidDelimiter
        | ErrorKind::UnknownFilter
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownTest
        | ErrorKind::UnknownMethod
        | ErrorKind::MissingArgument
        | ErrorKind::TooManyArguments => error.detail(),
        _ => None,
    };
    let help = "see https://docs.rs/minijinja for the language of templates".to_owned();
    match (error.kind(), detail) {
        (ErrorKind::UndefinedError, _) => undefined(expression, context, is_local),
        (ErrorKind::TemplateNotFound | ErrorKind::BadInclude, _) => (
            "there is no such template to include".to_owned(),
            "a template includes files of `templates/` by their names".to_owned(),
        ),
        (ErrorKind::OutOfFuel, _) => (
            "this template does not come to an end".to_owned(),
            "look for a loop over too much, or a macro that calls itself".to_owned(),
        ),
        (kind, Some(detail)) => (format!("{kind}: {detail}"), help),
        (kind, None) => (kind.to_string(), help),
    }
}

/// Says which part of `a.b.c` is not there, and what is.
fn undefined(
    expression: &str,
    context: &Value,
    is_local: &dyn Fn(&str) -> bool,
) -> (String, String) {
    let path: Vec<&str> = expression.trim().split('.').collect();
    let is_path = path
        .iter()
        .all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_'));
    if !is_path {
        return (
            "this is undefined".to_owned(),
            "test it with `is defined`, or give it a value with `| default(…)`".to_owned(),
        );
    }
    if let [name, _, ..] = path.as_slice()
        && is_local(name)
    {
        return (
            format!("`{}` is undefined here", path.join(".")),
            "test it with `is defined`, or give it a value with `| default(…)`".to_owned(),
        );
    }
    let mut parent = context.clone();
    for (depth, part) in path.iter().enumerate() {
        let child = parent.get_attr(part).unwrap_or_default();
        if child.is_undefined() {
            let name = path[..=depth].join(".");
            return (
                format!("`{name}` is undefined"),
                hint(&path[..=depth], &parent),
            );
        }
        parent = child;
    }
    (
        format!("`{}` is undefined here", path.join(".")),
        "test it with `is defined`, or give it a value with `| default(…)`".to_owned(),
    )
}

fn hint(path: &[&str], parent: &Value) -> String {
    let name = path.last().copied().unwrap_or_default();
    let known: Vec<String> = parent
        .try_iter()
        .map(|keys| {
            keys.filter_map(|key| key.as_str().map(str::to_owned))
                .collect()
        })
        .unwrap_or_default();
    if let Some(near) = nearest(name, known.iter().map(String::as_str)) {
        return format!("a similar name exists: `{near}`");
    }
    match path {
        ["vars", ..] => format!("set `{name}` under `[vars]` of the node, a role or the defaults"),
        ["env", _] => format!("set `{name}` under `[env]` of the node, a role or the defaults"),
        ["artifacts", _] => {
            format!("add `[artifacts.{name}]` to fleet.toml, with a URL for this architecture")
        }
        _ if known.is_empty() => "test it with `is defined`".to_owned(),
        _ => format!("what there is: `{}`", known.join("`, `")),
    }
}

fn line_span(source: &Source, line: usize) -> std::ops::Range<usize> {
    let start: usize = source
        .text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let length = source.text[start..].lines().next().map_or(0, str::len);
    start..start + length
}

/// A kind of value with its article.
pub(super) fn article(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::None => "`none`",
        ValueKind::Map => "a table",
        ValueKind::Seq | ValueKind::Iterable => "a list",
        ValueKind::Bytes => "a string of bytes",
        _ => "this",
    }
}
