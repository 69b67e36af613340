//! A mistake of the user: what is wrong, where, and what to do. Mistakes are collected, never thrown.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::source::Source;

/// How bad it is. Errors stop a command, warnings don't.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The command fails.
    Error,
    /// The command goes on.
    Warning,
}

/// A place in a source, with a few words on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The text that holds the place.
    pub source: Arc<Source>,
    /// Bytes of the source.
    pub span: Range<usize>,
    /// Stands beside the marks; may be empty.
    pub text: String,
}

/// One mistake. It never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Lower case, names in backticks, no final stop.
    pub message: String,
    /// Where it is, the cause first.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// The place inside a YAML or JSON document, as Butane writes it: `$.storage.files.0.mode`.
    pub path: Option<String>,
    /// The node it was found for. Equal mistakes of many nodes are shown once.
    pub node: Option<String>,
}

impl Diagnostic {
    /// A mistake that stops the command.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message)
    }

    /// Something to look at that stops nothing.
    #[must_use]
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message)
    }

    /// A diagnostic of a severity that is known only at run time.
    #[must_use]
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self {
            severity,
            message: message.into(),
            labels: Vec::new(),
            help: None,
            path: None,
            node: None,
        }
    }

    /// Adds a place; the first is the cause.
    #[must_use]
    pub fn at(self, source: &Arc<Source>, span: Range<usize>) -> Self {
        self.label(source, span, "")
    }

    /// Adds a place with a few words on it.
    #[must_use]
    pub fn label(
        mut self,
        source: &Arc<Source>,
        span: Range<usize>,
        text: impl Into<String>,
    ) -> Self {
        self.labels.push(Label {
            source: Arc::clone(source),
            span,
            text: text.into(),
        });
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says where inside a YAML or JSON document.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Says which node it was found for.
    #[must_use]
    pub fn node(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// Whether it stops the command.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

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
            group = group.element(Level::NOTE.message(nodes));
        }
        if let Some(help) = help {
            group = group.element(Level::HELP.message(help.as_str()));
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
        text
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

fn ellipsis(more: usize) -> &'static str {
    if more > NAMED_NODES { ", …" } else { "" }
}

fn origin(source: &Source) -> String {
    match &source.rendered_for {
        Some(node) => format!("{}, rendered for {node}", source.name),
        None => source.name.clone(),
    }
}

/// A rendered text is no file that an editor could open at `:5:3`, so its place is said in words.
fn spell_out_position(label: &Label, text: &str) -> String {
    if label.source.rendered_for.is_none() {
        return text.to_owned();
    }
    let origin = origin(&label.source);
    let at = label.source.position(label.span.start);
    text.replace(
        &format!("{origin}:{}:{}", at.line, at.column),
        &format!("{origin}, line {}, column {}", at.line, at.column),
    )
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
