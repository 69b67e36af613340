//! From YAML to a config that still has Butane's own fields, by the schema.

use std::sync::Arc;

use super::schema;
use super::variant::Variant;
use crate::diagnostic::Diagnostic;
use crate::ignition::report::{Names, Place, Report};
use crate::ignition::schema::{CONFIG, Field, Kind, Type};
use crate::ignition::value::{Data, Struct, Value};
use crate::source::{Source, Span};
use crate::yaml::node::{Content, Node};
use crate::yaml::scalar::{self, Scalar, resolve};

/// Aliases can make a short text mean a long config; no honest one comes near this many values.
const MAX_VALUES_OF_ALIASES: usize = 200_000;

/// Reads a document.
///
/// # Errors
/// All values of a wrong type; unknown keys are not reported then.
pub(super) fn decode(
    root: &Node,
    variant: &'static Variant,
    source: &Arc<Source>,
) -> Result<(Struct, Vec<Diagnostic>), Vec<Diagnostic>> {
    let report = || Report::new(variant.spec, Names::Yaml, Some(source));
    let mut decoder = Decoder {
        variant,
        warnings: report(),
        errors: report(),
        shown_at: None,
        values_of_aliases: 0,
    };
    let span = root.span.clone().into();
    let config = decoder.structure(root, &CONFIG, &Place::root(Some(span)));
    let errors = decoder.errors.finish();
    if errors.is_empty() {
        Ok((
            config.unwrap_or_else(|| Struct::new(&CONFIG)),
            decoder.warnings.finish(),
        ))
    } else {
        Err(errors)
    }
}

struct Decoder<'s> {
    variant: &'static Variant,
    warnings: Report<'s>,
    errors: Report<'s>,
    /// Inside an alias or a merged mapping, the place that values are reported at.
    shown_at: Option<Span>,
    values_of_aliases: usize,
}

impl Decoder<'_> {
    /// A mapping; `None` for null and for what is no mapping.
    fn structure(&mut self, node: &Node, ty: &'static Type, at: &Place<'_>) -> Option<Struct> {
        let Some(entries) = node.entries() else {
            if !is_null(node) {
                self.wrong_type(node, at, "a mapping");
            }
            return None;
        };
        let mut structure = Struct::new(ty);
        self.entries(&mut structure, entries, &mut Vec::new(), at);
        Some(structure)
    }

    /// `seen` are the fields that have been named, by a null too: what is merged in later does not count.
    fn entries(
        &mut self,
        structure: &mut Struct,
        entries: &[(Node, Node)],
        seen: &mut Vec<&'static str>,
        at: &Place<'_>,
    ) {
        let mut merged = Vec::new();
        for (key, value) in entries {
            if !self.may_go_on(key) {
                return;
            }
            let key_span = self.span_of(key);
            let Some(name) = key.text() else {
                let problem = ("a key must be a text", "a list or mapping can't be a key");
                self.errors.error(&at.key("?", Some(key_span)), problem);
                continue;
            };
            if key.is_merge_key() {
                merged.push(value);
            }
            if let Some(field) = schema::field(structure.ty, self.variant, name) {
                let span = self.span_of(value);
                let place = at.key(name, Some(span));
                if seen.contains(&field.name) {
                    continue;
                }
                seen.push(field.name);
                match self.aliased(value, |decoder, node| decoder.value(node, field, &place)) {
                    Some(value) => structure.put(field, value),
                    None => structure.note_null(field, span),
                }
            } else if self.shown_at.is_none() {
                let known = schema::fields(structure.ty, self.variant).map(|field| field.yaml);
                self.warnings
                    .unknown_key(&at.key(name, Some(key_span)), name, known);
            }
        }
        // What stands in the mapping itself wins over what is merged into it.
        for value in merged {
            self.merge(structure, value, seen, at);
        }
    }

    /// `<<: *other` or `<<: [*one, *other]`: the earlier wins.
    fn merge(
        &mut self,
        structure: &mut Struct,
        node: &Node,
        seen: &mut Vec<&'static str>,
        at: &Place<'_>,
    ) {
        let outer = self.shown_at;
        self.shown_at = outer.or(at.span());
        match &node.target().content {
            Content::Mapping(entries) => self.entries(structure, entries, seen, at),
            Content::Sequence(items) if items.iter().all(|item| item.entries().is_some()) => {
                for item in items {
                    self.merge(structure, item, seen, at);
                }
            }
            _ => self.wrong_type(node, at, "a mapping to merge"),
        }
        self.shown_at = outer;
    }

    /// Reads a node, through the alias where it is one: what is below is reported at the alias.
    fn aliased<T>(
        &mut self,
        node: &Node,
        read: impl FnOnce(&mut Self, &Node) -> Option<T>,
    ) -> Option<T> {
        let outer = self.shown_at;
        if node.is_alias() {
            self.shown_at = outer.or(Some(node.span.clone().into()));
        }
        let value = if self.may_go_on(node) {
            read(self, node)
        } else {
            None
        };
        self.shown_at = outer;
        value
    }

    /// Counts what comes from aliases; says so once when it is too much.
    fn may_go_on(&mut self, node: &Node) -> bool {
        if self.shown_at.is_none() {
            return true;
        }
        self.values_of_aliases += 1;
        if self.values_of_aliases == MAX_VALUES_OF_ALIASES {
            let error = Diagnostic::error("aliases repeat too many values");
            let error = error.help("write out what is needed, without aliases of aliases");
            self.errors.push(Some(node.span.clone()), error);
        }
        self.values_of_aliases < MAX_VALUES_OF_ALIASES
    }

    fn value(&mut self, node: &Node, field: &'static Field, at: &Place<'_>) -> Option<Value> {
        let data = match field.kind {
            Kind::Struct(ty) => {
                if node.is_alias() || is_null(node) {
                    // Butane loses track of the place here and says so, which `--strict` makes an error.
                    let found = if node.is_alias() {
                        "an alias"
                    } else {
                        "nothing"
                    };
                    let warning =
                        Diagnostic::warning(format!("{found} where a mapping is expected"));
                    self.warnings.add(
                        at,
                        warning.help(format!("write the mapping, or remove `{}`", field.yaml)),
                    );
                }
                Data::Struct(self.structure(node, ty, at)?)
            }
            Kind::Structs(ty, _) => self.list(node, at, |decoder, item, at| {
                decoder.structure(item, ty, at).map(Data::Struct)
            })?,
            Kind::Texts(_) => self.list(node, at, |decoder, item, at| {
                decoder.scalar(item, Kind::Text, at)
            })?,
            // Null for a text that must be there is the empty one, and stands where the null does.
            Kind::Text if field.is_required(self.variant.spec) && is_null(node) => {
                Data::Text("".into())
            }
            kind => self.scalar(node, kind, at)?,
        };
        Some(self.placed(data, node))
    }

    /// A list; items that are null are left out, and the others know their index in the YAML.
    fn list(
        &mut self,
        node: &Node,
        at: &Place<'_>,
        read: impl Fn(&mut Self, &Node, &Place<'_>) -> Option<Data>,
    ) -> Option<Data> {
        let Content::Sequence(items) = &node.target().content else {
            if !is_null(node) {
                self.wrong_type(node, at, "a list");
            }
            return None;
        };
        let mut list = Vec::with_capacity(items.len());
        let mut nulls = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let place = at.index(index, Some(self.span_of(item)));
            if let Some(data) = self.aliased(item, |decoder, item| read(decoder, item, &place)) {
                let mut value = self.placed(data, item);
                if list.len() < index {
                    value.origin = Some(place.path(Names::Yaml).into());
                }
                list.push(value);
            } else if is_null(item) {
                nulls.push((index, self.span_of(item)));
            }
        }
        self.warn_of_nulls(&nulls, &list, at);
        Some(Data::List(list))
    }

    /// Butane takes the items by their index afterwards, and complains where it finds a null then.
    fn warn_of_nulls(&mut self, nulls: &[(usize, Span)], list: &[Value], at: &Place<'_>) {
        for (index, span) in nulls {
            if list
                .get(*index)
                .is_some_and(|value| value.as_struct().is_some())
            {
                let warning = Diagnostic::warning("nothing where a mapping is expected");
                self.warnings.add(
                    &at.index(*index, Some(*span)),
                    warning.help("remove the empty item"),
                );
            }
        }
    }

    /// A scalar; `None` for null and for what is of another type.
    fn scalar(&mut self, node: &Node, kind: Kind, at: &Place<'_>) -> Option<Data> {
        let scalar = match resolve(node) {
            Ok(Some(Scalar::Null)) => return None,
            Ok(Some(scalar)) => scalar,
            Ok(None) => {
                self.wrong_type(node, at, name_of(kind));
                return None;
            }
            Err(error) => {
                self.errors
                    .error(at, (error.message, "remove the tag, or change the value"));
                return None;
            }
        };
        let data = match kind {
            Kind::Bool => scalar::as_bool(&scalar).map(Data::Bool),
            Kind::Int => scalar::as_int(&scalar).map(Data::Int),
            Kind::Bytes => Some(Data::Bytes(match scalar {
                Scalar::Binary(bytes) => bytes,
                _ => node.text()?.as_bytes().to_vec(),
            })),
            _ => Some(Data::Text(match scalar {
                Scalar::Binary(bytes) => replace_invalid(&bytes).into(),
                _ => node.text()?.into(),
            })),
        };
        if data.is_none() {
            self.wrong_type(node, at, name_of(kind));
        }
        data
    }

    fn wrong_type(&mut self, node: &Node, at: &Place<'_>, wanted: &str) {
        let error = Diagnostic::error(format!("expected {wanted}, found {}", node.describe()));
        let quoted =
            matches!(&node.content, Content::Scalar { text, plain: false } if !text.contains('\n'));
        let error = if quoted && wanted != name_of(Kind::Text) {
            error.help("remove the quotes: what is quoted is a text")
        } else {
            error
        };
        self.errors.add(at, error);
    }

    fn span_of(&self, node: &Node) -> Span {
        self.shown_at.unwrap_or_else(|| node.span.clone().into())
    }

    fn placed(&self, data: Data, node: &Node) -> Value {
        Value {
            span: Some(self.span_of(node)),
            ..Value::new(data)
        }
    }
}

fn is_null(node: &Node) -> bool {
    matches!(resolve(node), Ok(Some(Scalar::Null)))
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "`true` or `false`",
        Kind::Int => "a whole number",
        _ => "a text",
    }
}

/// JSON can only hold text: each byte that is none becomes the replacement character, as in Go.
pub(super) fn replace_invalid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}
