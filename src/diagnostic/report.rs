//! Mistakes as they are shown: equal ones once, for people and for programs.

use std::collections::HashMap;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Label, Severity};
use crate::source::Source;

/// A diagnostic with the further nodes that have the same.
#[derive(Clone, Debug)]
pub struct Folded {
    /// The first of the equal ones.
    pub diagnostic: Diagnostic,
    /// The nodes of the others, in the order found.
    pub more: Vec<String>,
}

/// Puts equal mistakes of several nodes together; the order of first appearance stays.
#[must_use]
pub fn fold(diagnostics: Vec<Diagnostic>) -> Vec<Folded> {
    let mut folded: Vec<Folded> = Vec::new();
    let mut seen: HashMap<_, usize> = HashMap::new();
    for diagnostic in diagnostics {
        let place = diagnostic.labels.first().map(|label| {
            // Each node has a rendered text of its own; what a person wrote is one text for all.
            let line = label.source.line_at(label.span.start);
            let offset = label.source.rendered_for.is_none();
            (
                label.source.name.clone(),
                line,
                offset.then_some(label.span.start),
            )
        });
        let key = (
            diagnostic.severity,
            diagnostic.message.clone(),
            diagnostic.help.clone(),
            place,
        );
        match seen.get(&key) {
            Some(&at) => folded[at].more.extend(diagnostic.node),
            None => {
                seen.insert(key, folded.len());
                folded.push(Folded {
                    diagnostic,
                    more: Vec::new(),
                });
            }
        }
    }
    for one in &mut folded {
        let first = one.diagnostic.node.clone();
        one.more.dedup();
        one.more.retain(|node| Some(node) != first.as_ref());
    }
    folded
}

/// How many further nodes are named before the rest is counted.
const NAMED_NODES: usize = 3;

impl Folded {
    /// The report as people read it: the message, the place with its line, what to do.
    #[must_use]
    pub fn to_text(&self, styled: bool) -> String {
        let Diagnostic {
            severity,
            message,
            labels,
            help,
            ..
        } = &self.diagnostic;
        let level = match severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let shown: Vec<String> = labels.iter().map(|label| label.source.shown()).collect();
        let message = without_keys(message);
        let mut group = Group::with_title(level.primary_title(message.as_str()));
        for (index, (label, text)) in labels.iter().zip(&shown).enumerate() {
            let kind = if index == 0 {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let mut mark = kind.span(within(&label.span, text));
            if !label.text.is_empty() {
                mark = mark.label(label.text.as_str());
            }
            group = group.element(
                Snippet::source(text.as_str())
                    .path(origin(&label.source))
                    .annotation(mark),
            );
        }
        if let Some(nodes) = self.nodes() {
            group = group.element(Level::NOTE.message(printable(&nodes)));
        }
        if let Some(help) = help {
            group = group.element(Level::HELP.message(printable(help)));
        }
        let renderer = if styled {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut text = renderer.decor_style(DecorStyle::Ascii).render(&[group]);
        for label in labels {
            text = spell_out_position(label, &text);
        }
        // Those of ASCII are not in it, but for the escapes of its own colours.
        text.replace(|c| ('\u{80}'..='\u{9f}').contains(&c), "\u{fffd}")
    }

    /// The report as programs read it. Lines and columns count from 1, columns characters.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let one = &self.diagnostic;
        let places: Vec<_> = one
            .labels
            .iter()
            .map(|label| {
                let at = label.source.position(label.span.start);
                serde_json::json!({
                    "file": label.source.name,
                    "rendered_for": label.source.rendered_for,
                    "line": at.line,
                    "column": at.column,
                    "text": label.text,
                })
            })
            .collect();
        let nodes: Vec<&String> = one.node.iter().chain(&self.more).collect();
        serde_json::json!({
            "severity": match one.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            "message": one.message,
            "places": places,
            "path": one.path,
            "help": one.help,
            "nodes": nodes,
        })
    }

    fn nodes(&self) -> Option<String> {
        let rendered = self
            .diagnostic
            .labels
            .first()
            .is_some_and(|label| label.source.rendered_for.is_some());
        let first = self.diagnostic.node.as_deref();
        let named = self.more.iter().take(NAMED_NODES).cloned();
        match (first, self.more.len()) {
            (None, _) => None,
            (Some(_), 0) if rendered => None,
            (Some(node), 0) => Some(format!("for {node}")),
            (Some(_), more) if rendered => {
                let list = named.collect::<Vec<_>>().join(", ");
                Some(format!("and on {more} more: {list}{}", ellipsis(more)))
            }
            (Some(node), more) => {
                let list = named.collect::<Vec<_>>().join(", ");
                Some(format!(
                    "for {node}, and on {more} more: {list}{}",
                    ellipsis(more)
                ))
            }
        }
    }
}

/// How a private key begins that somebody has pasted where a name should be.
const PRIVATE_KEY: &str = "AGE-SECRET-KEY-";

fn without_keys(message: &str) -> String {
    let mut shown = String::new();
    let mut rest = message;
    while let Some(at) = rest.to_ascii_uppercase().find(PRIVATE_KEY) {
        let key = &rest[at..];
        let end = key.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        shown += &rest[..at];
        shown += "***";
        rest = &key[end.unwrap_or(key.len())..];
    }
    shown + rest
}

fn ellipsis(more: usize) -> &'static str {
    if more > NAMED_NODES { ", …" } else { "" }
}

fn origin(source: &Source) -> String {
    printable(&match &source.rendered_for {
        Some(node) => format!("{}, rendered for {node}", source.name),
        None => source.name.clone(),
    })
}

/// A text without what a terminal would obey: control characters, and those that turn the order of others around, so that
/// a reader sees another text.
#[must_use]
pub fn printable(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let obeyed = |c: char| turns(c) || c.is_control() && !matches!(c, '\t' | '\n');
    text.replace(obeyed, "\u{fffd}")
}

/// A rendered text is no file that an editor could open at `:5:3`, so its place is said in words.
fn spell_out_position(label: &Label, text: &str) -> String {
    if label.source.rendered_for.is_none() {
        return text.to_owned();
    }
    let origin = format!("{}:", origin(&label.source));
    let spelled = text.split('\n').map(|line| {
        let place = line
            .split_once(&origin)
            .and_then(|(before, place)| Some((before, place.split_once(':')?)));
        match place {
            Some((before, (row, column))) if line.contains("--> ") || line.contains("::: ") => {
                let origin = origin.trim_end_matches(':');
                format!("{before}{origin}, line {row}, column {column}")
            }
            _ => line.to_owned(),
        }
    });
    spelled.collect::<Vec<_>>().join("\n")
}

/// A span cut to the text: what reports the end of a file may point past it.
fn within(span: &Range<usize>, text: &str) -> Range<usize> {
    let start = text.floor_char_boundary(span.start);
    let end = text.ceil_char_boundary(span.end.min(text.len())).max(start);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(diagnostics: Vec<Diagnostic>) -> String {
        fold(diagnostics)
            .iter()
            .map(|one| one.to_text(false))
            .collect::<Vec<_>>()
            .join("\n")
            + "\n"
    }

    #[test]
    fn nothing_turns_a_text_around_or_is_obeyed() {
        assert_eq!(
            printable("a\u{202e}b\u{2067}c\u{1b}[2J\r\u{85}\n\t\u{e9}"),
            "a\u{fffd}b\u{fffd}c\u{fffd}[2J\u{fffd}\u{fffd}\n\t\u{e9}"
        );
    }

    #[test]
    fn shows_file_line_column_the_line_and_help() {
        let source = Source::file("nodes/n1.toml", "hostname = \"a\"\nroles = [\"k3z\"]\n");
        let text = plain(vec![
            Diagnostic::error("unknown role `k3z`")
                .label(&source, 24..29, "not defined in fleet.toml")
                .help("a role with a similar name exists: `k3s`"),
        ]);
        assert_eq!(
            text,
            "error: unknown role `k3z`
 --> nodes/n1.toml:2:10
  |
2 | roles = [\"k3z\"]
  |          ^^^^^ not defined in fleet.toml
  |
  = help: a role with a similar name exists: `k3s`
"
        );
    }

    #[test]
    fn equal_mistakes_of_many_nodes_are_one() {
        let of = |node: &str, text: &str| {
            let source = Source::rendered("templates/k3s.bu", text, node);
            Diagnostic::error("unused key `pth`")
                .at(&source, text.find("pth").unwrap()..text.len())
                .node(node)
        };
        let text = plain(vec![
            of("n1", "a: 1\npth: x"),
            of("n2", "a: 123\npth: x"),
            of("n3", "pth: y"),
        ]);
        assert_eq!(
            text,
            "error: unused key `pth`
 --> templates/k3s.bu, rendered for n1, line 2, column 1
  |
2 | pth: x
  | ^^^^^^
  |
  = note: and on 1 more: n2
error: unused key `pth`
 --> templates/k3s.bu, rendered for n3, line 1, column 1
  |
1 | pth: y
  | ^^^^^^
"
        );
    }
}
