//! Where a check stands in a config, and what it has found.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use super::schema::Field;
use super::spec::Spec;
use super::value::{Struct, Value};
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use crate::source::{Source, Span};

/// A place in a config: a chain of steps from the root. Its path is only made when something is found there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
    origin: Option<&'a str>,
    span: Option<Span>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key { json: &'a str, yaml: &'a str },
    Index(usize),
}

impl<'a> Place<'a> {
    /// The root of a config.
    #[must_use]
    pub fn root(span: Option<Span>) -> Self {
        Self {
            parent: None,
            step: Step::Root,
            origin: None,
            span,
        }
    }

    /// A key that has the same name in JSON and YAML, or is in neither schema.
    #[must_use]
    pub fn key(&'a self, name: &'a str, span: Option<Span>) -> Self {
        self.step(
            Step::Key {
                json: name,
                yaml: name,
            },
            span,
        )
    }

    /// An item of a list that has no value yet.
    #[must_use]
    pub fn index(&'a self, index: usize, span: Option<Span>) -> Self {
        self.step(Step::Index(index), span)
    }

    /// An item of a list.
    #[must_use]
    pub fn item(&'a self, index: usize, item: &'a Value) -> Self {
        self.step(Step::Index(index), item.span).of(item)
    }

    /// A field of the struct that stands at this place; one that is absent is placed at the struct, or at the null
    /// in its stead.
    #[must_use]
    pub fn field(&'a self, structure: &'a Struct, name: &'a str) -> Self {
        let yaml = structure.ty.field(name).map_or(name, |field| field.yaml);
        let step = Step::Key { json: name, yaml };
        match structure.get(name) {
            Some(value) => self.step(step, value.span).of(value),
            None => self.step(step, structure.null(name)),
        }
    }

    /// A field of a struct that is being changed.
    #[must_use]
    pub fn keyed(
        &'a self,
        field: &'static Field,
        span: Option<Span>,
        origin: Option<&'a str>,
    ) -> Self {
        let step = Step::Key {
            json: field.name,
            yaml: field.yaml,
        };
        self.step(step, span).from(origin)
    }

    /// The same place, reported by another path.
    #[must_use]
    pub fn from(self, origin: Option<&'a str>) -> Self {
        Self { origin, ..self }
    }

    /// The bytes that are marked for it.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    fn step(&'a self, step: Step<'a>, span: Option<Span>) -> Self {
        Self {
            parent: Some(self),
            step,
            origin: None,
            span: span.or(self.span),
        }
    }

    fn of(mut self, value: &'a Value) -> Self {
        self.origin = value.origin.as_deref();
        self
    }

    /// The path as Ignition or Butane writes it: `$.storage.files.0`.
    #[must_use]
    pub fn path(&self, names: Names) -> String {
        let mut path = match (self.origin, self.parent) {
            (Some(origin), _) => return origin.to_owned(),
            (None, Some(parent)) => parent.path(names),
            (None, None) => "$".to_owned(),
        };
        // Writing to a `String` can't fail.
        let _ = match self.step {
            Step::Root => Ok(()),
            Step::Index(index) => write!(path, ".{index}"),
            Step::Key { json, yaml } => {
                write!(path, ".{}", if names == Names::Json { json } else { yaml })
            }
        };
        path
    }
}

/// In whose names paths are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// Ignition's.
    Json,
    /// Butane's.
    Yaml,
}

/// What is wrong, and what to do.
pub type Problem = (&'static str, &'static str);

/// What has been found so far.
#[derive(Debug)]
pub struct Report<'s> {
    /// The spec whose rules hold.
    pub spec: Spec,
    names: Names,
    source: Option<&'s Arc<Source>>,
    found: Vec<Diagnostic>,
}

impl<'s> Report<'s> {
    /// Nothing found yet. Without a source, diagnostics have a path only.
    #[must_use]
    pub fn new(spec: Spec, names: Names, source: Option<&'s Arc<Source>>) -> Self {
        Self {
            spec,
            names,
            source,
            found: Vec::new(),
        }
    }

    /// Adds an error.
    pub fn error<M: Into<String>>(&mut self, place: &Place<'_>, (message, help): (M, &str)) {
        self.add(place, Diagnostic::error(message).help(help));
    }

    /// Adds a warning.
    pub fn warn<M: Into<String>>(&mut self, place: &Place<'_>, (message, help): (M, &str)) {
        self.add(place, Diagnostic::warning(message).help(help));
    }

    /// Adds a warning of a key that the schema lacks, with the known key that is nearest.
    pub fn unknown_key<'n>(
        &mut self,
        place: &Place<'_>,
        key: &str,
        known: impl Iterator<Item = &'n str>,
    ) {
        let warning = Diagnostic::warning(format!("{UNKNOWN_KEY} `{key}`"));
        self.add(
            place,
            match nearest(key, known) {
                Some(name) => warning.help(format!("did you mean `{name}`?")),
                None => warning.help("remove it: it has no effect"),
            },
        );
    }

    /// Adds a diagnostic at a place.
    pub fn add(&mut self, place: &Place<'_>, diagnostic: Diagnostic) {
        let diagnostic = diagnostic.path(place.path(self.names));
        self.push(place.span.map(Range::from), diagnostic);
    }

    /// Adds a diagnostic with no path in the config.
    pub fn push(&mut self, span: Option<Range<usize>>, diagnostic: Diagnostic) {
        self.found.push(match (self.source, span) {
            (Some(source), Some(span)) => diagnostic.at(source, first_line(source, span)),
            _ => diagnostic,
        });
    }

    /// Whether an error is among what was found.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(Diagnostic::is_error)
    }

    /// All that was found.
    #[must_use]
    pub fn finish(self) -> Vec<Diagnostic> {
        self.found
    }
}

/// A block is marked at its first line only.
fn first_line(source: &Source, span: Range<usize>) -> Range<usize> {
    let Some(text) = source.text.get(span.clone()) else {
        return span;
    };
    let length = text.find(['\n', '\r']).unwrap_or(text.len());
    span.start..span.start + length
}

/// How the message of an unknown key begins, in Butane's words.
const UNKNOWN_KEY: &str = "unused key";

/// Whether a diagnostic is about a key that the schema lacks.
#[must_use]
pub fn is_unknown_key(diagnostic: &Diagnostic) -> bool {
    diagnostic.message.starts_with(UNKNOWN_KEY)
}
