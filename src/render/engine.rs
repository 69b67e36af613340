//! The template engine: minijinja, strict. What is undefined, or can't be printed, is a mistake with its
//! place; no message holds a variable's value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, OutputSpanKind, State, UndefinedBehavior,
    Value,
};
use rayon::prelude::*;

use super::filters;
use super::mistake;
use crate::diagnostic::{Diagnostic, Label};
use crate::fleet::files::{Files, Unreadable};
use crate::source::Source;

/// What one rendering may cost, in instructions of the engine: an endless loop ends in well under a second.
const FUEL: u64 = 10_000_000;

/// The templates of a fleet, ready to be rendered by many threads.
pub struct Engine {
    environment: Environment<'static>,
    sources: BTreeMap<String, Arc<Source>>,
    not_text: BTreeSet<String>,
}

impl Engine {
    /// Reads `templates/`; `builtin` are texts that stand in where the folder has none of that name.
    pub fn read(files: &dyn Files, builtin: &[(&str, &str)]) -> Result<Self, Unreadable> {
        let mut sources = BTreeMap::new();
        let mut not_text = BTreeSet::new();
        for (name, text) in builtin {
            let shown = format!("built-in {name}");
            sources.insert((*name).to_owned(), Source::file(shown, *text));
        }
        let read: Result<Vec<_>, Unreadable> = files
            .list("templates")?
            .into_par_iter()
            .map(|name| {
                let path = format!("templates/{name}");
                let bytes = files.read(&path)?;
                Ok((name, path, bytes))
            })
            .collect();
        for (name, path, bytes) in read? {
            match String::from_utf8(bytes) {
                Ok(text) => {
                    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
                    sources.insert(name, Source::file(path, text));
                }
                Err(_) => drop(not_text.insert(name)),
            }
        }
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_debug(true);
        environment.set_fuel(Some(FUEL));
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_formatter(format);
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .keep_trailing_newline(true)
                .build()
                // Only delimiters of one's own can be wrong.
                .unwrap_or_default(),
        );
        filters::add(&mut environment);
        let texts: BTreeMap<String, String> = sources
            .iter()
            .map(|(name, source)| (name.clone(), source.text.clone()))
            .collect();
        environment.set_loader(move |name| Ok(texts.get(name).cloned()));
        Ok(Self {
            environment,
            sources,
            not_text,
        })
    }

    /// The names of all templates.
    pub(super) fn templates(&self) -> impl Iterator<Item = &str> {
        self.sources.keys().map(String::as_str)
    }

    /// Renders one template for one node.
    ///
    /// # Errors
    /// The first mistake in it; the engine stops there.
    pub fn render(
        &self,
        name: &str,
        context: &Value,
        node: &str,
    ) -> Result<Arc<Source>, Box<Diagnostic>> {
        if self.not_text.contains(name) {
            let mistake = Diagnostic::error(format!("`templates/{name}` is not UTF-8 text"));
            return Err(Box::new(mistake.help("save the file as UTF-8")));
        }
        let rendered = self
            .environment
            .get_template(name)
            .and_then(|template| template.render(context));
        match rendered {
            Ok(text) => {
                let shown = self.sources.get(name).map_or(name, |source| &source.name);
                Ok(Source::rendered(shown, text, node))
            }
            Err(error) => Err(Box::new(mistake::describe(&error, &self.sources, context))),
        }
    }

    /// Adds the template's own place to mistakes in what was made from it.
    pub fn trace(&self, name: &str, context: &Value, mistakes: &mut [Diagnostic]) {
        let Ok((_, spans)) = self
            .environment
            .get_template(name)
            .and_then(|template| template.render_with_spans(context))
        else {
            return;
        };
        for mistake in mistakes {
            let Some(label) = mistake.labels.first() else {
                continue;
            };
            let at = label.span.clone();
            let Some(span) = spans
                .iter()
                .find(|it| it.output_range().contains(&at.start))
            else {
                continue;
            };
            let Some(source) = self.sources.get(span.name()) else {
                continue;
            };
            let origin = span.source_range();
            let origin = match span.kind() {
                // Byte for byte what the template holds.
                OutputSpanKind::Raw => {
                    let start = origin.start + (at.start - span.output_range().start);
                    start..(start + at.len()).min(origin.end)
                }
                _ => origin,
            };
            mistake.labels.push(Label {
                source: Arc::clone(source),
                span: origin,
                text: "comes from here".to_owned(),
            });
        }
    }

    /// The mistakes of syntax in a template, without rendering it. What is no text is none.
    #[must_use]
    pub fn check(&self, name: &str) -> Option<Diagnostic> {
        if self.not_text.contains(name) {
            return None;
        }
        let error = self.environment.get_template(name).err()?;
        Some(mistake::describe(&error, &self.sources, &Value::UNDEFINED))
    }
}

/// Prints what has one obvious form, and refuses the rest.
fn format(output: &mut Output, _: &mut State, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Bool | ValueKind::Number | ValueKind::String => {
            let written = match (value.kind(), value.as_str()) {
                (ValueKind::Bool, _) => output.write_str(&value.is_true().to_string()),
                (_, Some(text)) => output.write_str(text),
                (_, None) => output.write_str(&value.to_string()),
            };
            written.map_err(|_| Error::from(ErrorKind::WriteFailure))
        }
        // An error in the clothes of a value: a secret that was asked for through a filter.
        ValueKind::Invalid => Err(Value::from_iter([value.clone()])
            .try_iter()?
            .checked()
            .find_map(Result::err)
            .unwrap_or_else(|| Error::from(ErrorKind::InvalidOperation))),
        kind => Err(filters::refuse(
            format!("{} can't be printed as it is", mistake::article(kind)),
            "print one of its parts, or all of it with `| tojson`",
        )),
    }
}
