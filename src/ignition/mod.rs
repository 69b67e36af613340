//! Ignition configs of spec 3.0.0 to 3.6.0: read, check, merge, write.

use std::borrow::Cow;
use std::sync::Arc;

pub mod data_url;
mod json;
mod merge;
pub mod report;
pub mod rules;
pub mod schema;
pub mod spec;
mod structure;
mod upgrade;
mod validate;
pub mod value;
mod view;

use crate::diagnostic::Diagnostic;
use crate::source::Source;
pub(crate) use merge::merge_structs;
use report::{Names, Place, Report};
pub use spec::Spec;
pub(crate) use validate::visit_children;
use value::Struct;
pub use view::{Entry, view};

/// A config that fits its spec's types. Whether it makes sense is for [`validate`] to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    spec: Spec,
    root: Struct,
}

impl Config {
    /// A config from its tree.
    pub(crate) fn new(spec: Spec, root: Struct) -> Self {
        let mut config = Self { spec, root };
        config
            .root
            .child_mut("ignition")
            .set("version", spec.to_string());
        config
    }

    /// Reads JSON. Unknown keys are warnings; with an error there is no config.
    #[must_use]
    pub fn parse(source: &Arc<Source>) -> (Option<Self>, Vec<Diagnostic>) {
        let (config, diagnostics) = json::decode(source);
        (config.map(|(root, spec)| Self { spec, root }), diagnostics)
    }

    /// The spec it is written for.
    #[must_use]
    pub fn spec(&self) -> Spec {
        self.spec
    }

    /// The version of the spec, as in `ignition.version`.
    #[must_use]
    pub fn spec_version(&self) -> String {
        self.spec.to_string()
    }

    /// Its fields.
    #[must_use]
    pub fn root(&self) -> &Struct {
        &self.root
    }

    /// Notes that [`validate`] finds nothing in it: after a merge it looks only at what the merge has changed. Places are
    /// forgotten.
    pub(crate) fn settle(&mut self) {
        self.root.settle();
    }

    /// One line of JSON and a newline, byte for byte as Butane prints it.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::compact(&self.root, self.spec)
    }

    /// JSON for people, as `butane --pretty` prints it.
    #[must_use]
    pub fn to_json_pretty(&self) -> String {
        json::pretty(&self.root, self.spec)
    }
}

/// Merges a child over a parent, as Ignition does with `ignition.config.merge`. The result has the newer spec of both.
#[must_use]
pub fn merge(parent: Config, child: &Config) -> Config {
    let spec = parent.spec.max(child.spec);
    let child = if child.spec == spec {
        Cow::Borrowed(&child.root)
    } else {
        Cow::Owned(upgraded(child.clone(), spec))
    };
    let mut root = merge_structs(upgraded(parent, spec), &child, spec);
    // Places in two texts are of no use in a merged config.
    root.forget_places();
    Config::new(spec, root)
}

/// The fields of a config, as a newer spec has them.
fn upgraded(mut config: Config, spec: Spec) -> Struct {
    if config.spec != spec {
        upgrade::upgrade(&mut config.root, config.spec, spec);
    }
    config.root
}

/// Checks what must hold beyond the types. Without a source, as for a config that came out of a merge, diagnostics
/// have a path and no place.
#[must_use]
pub fn validate(config: &Config, source: Option<&Arc<Source>>) -> Vec<Diagnostic> {
    validate_in(config, Names::Json, source)
}

/// As [`validate`], with paths in the names of Ignition or of Butane.
pub(crate) fn validate_in(
    config: &Config,
    names: Names,
    source: Option<&Arc<Source>>,
) -> Vec<Diagnostic> {
    let mut report = Report::new(config.spec, names, source);
    let span = source.map(|source| (0..source.text.len()).into());
    validate::walk(&config.root, &Place::root(span), &mut report);
    report.finish()
}

#[cfg(test)]
mod tests;
