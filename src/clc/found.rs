//! What is said of the old config, each at its line.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Source;
use crate::yaml::Node;
use crate::yaml::parse::Mistake;

/// What was found on the way.
pub(super) struct Found {
    source: Arc<Source>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Found {
    pub(super) fn new(source: &Arc<Source>) -> Self {
        Self {
            source: Arc::clone(source),
            diagnostics: Vec::new(),
        }
    }

    pub(super) fn error(
        &mut self,
        at: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Error, at, message.into(), help.into());
    }

    pub(super) fn warning(
        &mut self,
        at: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Warning, at, message.into(), help.into());
    }

    fn add(&mut self, severity: Severity, at: Range<usize>, message: String, help: String) {
        let at = first_line(&self.source, at);
        let diagnostic = Diagnostic::new(severity, message).at(&self.source, at);
        self.diagnostics.push(diagnostic.help(help));
    }

    pub(super) fn syntax(&mut self, mistake: Mistake) {
        let diagnostic = Diagnostic::error(mistake.message).at(&self.source, mistake.span);
        self.diagnostics.push(match mistake.earlier {
            Some(earlier) => diagnostic
                .label(&self.source, earlier, "first given here")
                .help("remove one of them"),
            None if self.source.text.trim().is_empty() => {
                diagnostic.help("name a file that holds a Container Linux Config")
            }
            None => {
                diagnostic.help("look at the indentation, quotes and colons here and just above")
            }
        });
    }

    pub(super) fn wrong_type(&mut self, node: &Node, name: &str, wanted: &str) {
        self.error(
            node.span.clone(),
            format!("`{name}` must be {wanted}, and is {}", node.describe()),
            format!("write {wanted}"),
        );
    }
}

/// Of what goes over many lines the first is enough to find it.
pub(super) fn first_line(source: &Source, at: Range<usize>) -> Range<usize> {
    let text = source.text.get(at.clone()).unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    at.start..at.start + line.trim_end().len()
}
