//! A mistake of the user: what is wrong, where, and what to do. Mistakes are collected, never thrown.

use std::ops::Range;
use std::sync::Arc;

use crate::source::Source;

mod raw;
mod report;

pub use report::{Folded, fold, printable};

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
