//! From a JSON tree to a config, by the schema.

use std::sync::Arc;

use super::parse::{Content, Entry, Node, SyntaxError, parse};
use crate::diagnostic::Diagnostic;
use crate::ignition::report::{Names, Place, Problem, Report};
use crate::ignition::schema::{CONFIG, Field, Kind, Type};
use crate::ignition::spec::{Spec, VersionError};
use crate::ignition::value::{Data, Struct, Value};
use crate::source::{Source, Span};

/// Reads a config; `None` for its struct when there is an error.
pub(crate) fn decode(source: &Arc<Source>) -> (Option<(Struct, Spec)>, Vec<Diagnostic>) {
    let fail = |diagnostic| (None, vec![diagnostic]);
    if source.text.is_empty() {
        return fail(
            Diagnostic::error("not a config, the text is empty").help(
                "the least that a config can be is `{\"ignition\": {\"version\": \"3.4.0\"}}`",
            ),
        );
    }
    let root = match parse(&source.text) {
        Ok(root) => root,
        Err(error) => return fail(syntax(source, &error)),
    };
    let spec = match version(&root) {
        Ok(spec) => spec,
        Err(BadVersion::Type(node, wanted)) => return fail(wrong_type(source, node, wanted)),
        Err(BadVersion::Version(error)) => return fail(bad_version(error)),
    };
    let mut decoder = Decoder {
        report: Report::new(spec, Names::Json, Some(source)),
        error: None,
        shown_at: None,
    };
    let place = Place::root(Some(root.span.clone().into()));
    let config = decoder.structure(&root, &CONFIG, &place);
    match decoder.error {
        Some((node, wanted)) => fail(wrong_type(source, node, wanted)),
        None => (Some((config, spec)), decoder.report.finish()),
    }
}

/// Why the version can't be read.
enum BadVersion<'n> {
    Type(&'n Node<'n>, &'static str),
    Version(VersionError),
}

/// The version is read before anything else: it decides what is known.
fn version<'n>(root: &'n Node<'n>) -> Result<Spec, BadVersion<'n>> {
    // A repeated key is merged into the first, so there may be more than one of each.
    let mut found = vec![root];
    for key in ["ignition", "version"] {
        let mut values = Vec::new();
        for node in found {
            match &node.content {
                Content::Object(entries) => {
                    let matching = entries
                        .iter()
                        .filter(|entry| entry.key.eq_ignore_ascii_case(key));
                    values.extend(matching.map(|entry| &entry.value));
                }
                Content::Null => {}
                _ => return Err(BadVersion::Type(node, "an object")),
            }
        }
        found = values;
    }
    let mut version = Err(BadVersion::Version(VersionError::Malformed));
    for node in found {
        match &node.content {
            Content::Text(text) => version = Spec::parse(text).map_err(BadVersion::Version),
            Content::Null => {}
            _ => return Err(BadVersion::Type(node, "a text")),
        }
    }
    version
}

fn bad_version(error: VersionError) -> Diagnostic {
    let message = match error {
        VersionError::Malformed => "`ignition.version` is missing or no version",
        VersionError::Unsupported => "`ignition.version` is not supported",
    };
    Diagnostic::error(message).help("versions from \"3.0.0\" to \"3.6.0\" are supported")
}

fn syntax(source: &Arc<Source>, error: &SyntaxError) -> Diagnostic {
    let rest = &source.text[error.at..];
    let width = rest.chars().next().map_or(0, char::len_utf8);
    Diagnostic::error(&error.message)
        .at(source, error.at..error.at + width)
        .help("look at the commas, quotes and brackets here and just before; JSON has no comments")
}

fn wrong_type(source: &Arc<Source>, node: &Node<'_>, wanted: &str) -> Diagnostic {
    let found = match &node.content {
        Content::Null => "null",
        Content::Bool(_) => "a boolean",
        Content::Number(_) => "a number",
        Content::Text(_) => "a text",
        Content::Array(_) => "a list",
        Content::Object(_) => "an object",
    };
    // Go says where a value ends, and of a list or an object where it begins.
    let span = match &node.content {
        Content::Array(_) | Content::Object(_) => node.span.start - 1..node.span.start,
        _ => node.span.end - 1..node.span.end,
    };
    Diagnostic::error(format!("expected {wanted}, found {found}"))
        .at(source, span)
        .help(format!("write {wanted}, or remove the key"))
}

/// Ignition loses track of the place here and says so.
const NULL: Problem = (
    "null where an object is expected",
    "write the object, or remove the key",
);

struct Decoder<'n, 's> {
    report: Report<'s>,
    /// The first value of a wrong type; Go reports no other.
    error: Option<(&'n Node<'n>, &'static str)>,
    /// Below a key in the wrong case, the object that values are reported at.
    shown_at: Option<Span>,
}

impl<'n> Decoder<'n, '_> {
    fn structure(&mut self, node: &'n Node<'n>, ty: &'static Type, at: &Place<'_>) -> Struct {
        let mut structure = Struct::new(ty);
        match &node.content {
            Content::Object(entries) => self.fields(&mut structure, entries, at),
            Content::Null => self.report.warn(at, NULL),
            _ => self.fail(node, "an object"),
        }
        structure
    }

    /// Keys match in any case, as in Go; another case than the schema's is reported nevertheless.
    fn fields(&mut self, structure: &mut Struct, entries: &'n [Entry<'n>], at: &Place<'_>) {
        for entry in entries {
            let spec = self.report.spec;
            let mut known = structure
                .ty
                .fields
                .iter()
                .filter(|field| field.since <= spec);
            let exact = known.clone().find(|field| field.name == entry.key);
            let field =
                exact.or_else(|| known.find(|field| field.name.eq_ignore_ascii_case(&entry.key)));
            let outer = self.shown_at;
            if exact.is_none() && outer.is_none() {
                let place = at.key(&entry.key, Some(entry.key_span.clone().into()));
                let names = structure
                    .ty
                    .fields
                    .iter()
                    .filter(|field| field.since <= spec)
                    .map(|field| field.name);
                self.report.unknown_key(&place, &entry.key, names);
                self.shown_at = at.span();
            }
            if let Some(field) = field {
                let place = at.key(field.name, Some(self.span_of(&entry.value)));
                if let Some(value) =
                    self.value(&entry.value, field, structure.take(field.name), &place)
                {
                    structure.put(field, value);
                } else if matches!(entry.value.content, Content::Null) {
                    structure.note_null(field, self.span_of(&entry.value));
                }
            }
            self.shown_at = outer;
        }
    }

    /// A repeated key is merged into the value that it had.
    fn value(
        &mut self,
        node: &'n Node<'n>,
        field: &'static Field,
        old: Option<Value>,
        at: &Place<'_>,
    ) -> Option<Value> {
        let data = match (field.kind, &node.content) {
            (Kind::Struct(ty), Content::Object(entries)) => {
                let old = old.and_then(|old| match old.data {
                    Data::Struct(structure) => Some(structure),
                    _ => None,
                });
                let mut structure = old.unwrap_or_else(|| Struct::new(ty));
                self.fields(&mut structure, entries, at);
                Data::Struct(structure)
            }
            (Kind::Struct(_), Content::Null) => {
                self.report.warn(at, NULL);
                return old;
            }
            (Kind::Struct(_), _) => return self.fail_value(node, "an object"),
            (Kind::Texts(_) | Kind::Structs(..), Content::Null) => return None,
            (Kind::Texts(_), Content::Array(items)) => Data::List(
                items
                    .iter()
                    .filter_map(|item| self.text_item(item))
                    .collect(),
            ),
            (Kind::Structs(ty, _), Content::Array(items)) => Data::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| {
                        let place = at.index(index, Some(self.span_of(item)));
                        let data = Data::Struct(self.structure(item, ty, &place));
                        self.placed(data, item)
                    })
                    .collect(),
            ),
            (Kind::Texts(_) | Kind::Structs(..), _) => return self.fail_value(node, "a list"),
            (_, Content::Null) => return old,
            (Kind::Bool, Content::Bool(value)) => Data::Bool(*value),
            (Kind::Bool, _) => return self.fail_value(node, "a boolean"),
            (Kind::Int, Content::Number(digits)) => match digits.parse() {
                Ok(value) => Data::Int(value),
                Err(_) => return self.fail_value(node, "a whole number of 64 bits"),
            },
            (Kind::Int, _) => return self.fail_value(node, "a whole number"),
            (Kind::Text | Kind::Bytes, Content::Text(text)) => Data::Text(text.as_str().into()),
            (Kind::Text | Kind::Bytes, _) => return self.fail_value(node, "a text"),
        };
        Some(self.placed(data, node))
    }

    /// A null in a list of texts is the empty text.
    fn text_item(&mut self, node: &'n Node<'n>) -> Option<Value> {
        let text = match &node.content {
            Content::Text(text) => text.clone(),
            Content::Null => String::new(),
            _ => return self.fail_value(node, "a text"),
        };
        Some(self.placed(Data::Text(text.into()), node))
    }

    fn fail_value(&mut self, node: &'n Node<'n>, wanted: &'static str) -> Option<Value> {
        self.fail(node, wanted);
        None
    }

    fn span_of(&self, node: &Node<'_>) -> Span {
        self.shown_at.unwrap_or_else(|| node.span.clone().into())
    }

    fn placed(&self, data: Data, node: &Node<'_>) -> Value {
        Value {
            span: Some(self.span_of(node)),
            ..Value::new(data)
        }
    }

    fn fail(&mut self, node: &'n Node<'n>, wanted: &'static str) {
        self.error.get_or_insert((node, wanted));
    }
}
