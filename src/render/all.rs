//! All nodes, in parallel: templates to Butane to one Ignition config and one boot script each.

use std::sync::Arc;

use minijinja::Value;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::context::Shared;
use super::engine::Engine;
use super::filters::hex;
use super::{config, script};
use crate::diagnostic::Diagnostic;
use crate::fleet::node::{Fleet, Node};
use crate::progress::{Progress, Stopped};
use crate::source::Source;

/// What one node fetches, and what it was made from.
pub struct Rendered {
    /// The node's name.
    pub node: String,
    /// Its templates, rendered, in the order in which they are merged.
    pub templates: Vec<Arc<Source>>,
    /// Its Ignition config: one line of JSON.
    pub ignition: String,
    /// The body of its boot script.
    pub script: Arc<Source>,
}

impl Rendered {
    /// Its files: path in the fleet, and text. The config comes first.
    #[must_use]
    pub fn files(&self) -> [(String, &str); 2] {
        [
            (ignition_path(&self.node), &self.ignition),
            (script_path(&self.node), &self.script.text),
        ]
    }
}

/// Where a node's config stands in the fleet.
#[must_use]
pub fn ignition_path(node: &str) -> String {
    format!("ignition/{node}.ign")
}

/// Where the body of a node's boot script stands in the fleet.
#[must_use]
pub fn script_path(node: &str) -> String {
    format!("ipxe/{node}.ipxe")
}

/// The short name of a config, by which a node says what it runs: 12 hex digits of its SHA-256.
#[must_use]
pub fn config_digest(ignition: &str) -> String {
    let mut digits = hex(&Sha256::digest(ignition));
    digits.truncate(12);
    digits
}

/// Renders the nodes. Those with a mistake are missing from the result.
///
/// # Errors
/// The user stopped it.
pub fn render(
    fleet: &Fleet,
    nodes: &[&Node],
    engine: &Engine,
    progress: &dyn Progress,
) -> Result<(Vec<Rendered>, Vec<Diagnostic>), Stopped> {
    let shared = Shared::of(fleet);
    progress.start("rendering", nodes.len());
    let done: Result<Vec<_>, Stopped> = nodes
        .par_iter()
        .map(|node| {
            if progress.stopped() {
                return Err(Stopped);
            }
            let rendered = render_node(fleet, node, engine, &shared);
            progress.advance(1);
            Ok(rendered)
        })
        .collect();
    let mut rendered = Vec::with_capacity(nodes.len());
    let mut diagnostics = Vec::new();
    for (node, mistakes) in done? {
        rendered.extend(node);
        diagnostics.extend(mistakes);
    }
    Ok((rendered, diagnostics))
}

fn render_node(
    fleet: &Fleet,
    node: &Node,
    engine: &Engine,
    shared: &Shared,
) -> (Option<Rendered>, Vec<Diagnostic>) {
    let mut mistakes = Vec::new();
    let mut context = shared.context(node);
    let seen = Value::from_pairs(context.clone());
    let mut templates = Vec::new();
    for template in &node.templates {
        match engine.render(template, &seen, &node.name) {
            Ok(text) => templates.push(text),
            Err(mistake) => mistakes.push(*mistake),
        }
    }
    let ignition = config::build(fleet, node, &templates, &mut mistakes).map(|it| it.to_json());
    for (name, text) in node.templates.iter().zip(&templates) {
        trace(engine, name, text, &seen, &mut mistakes);
    }
    let config = ignition.as_deref().unwrap_or_default();
    script::extend_context(&mut context, fleet, node, config, &mut mistakes);
    let seen = Value::from_pairs(context);
    let script = match engine.render(script::TEMPLATE, &seen, &node.name) {
        Ok(script) => {
            let mut found = script::check(&script, node);
            trace(engine, script::TEMPLATE, &script, &seen, &mut found);
            mistakes.extend(found);
            Some(script)
        }
        Err(mistake) => {
            mistakes.push(*mistake);
            None
        }
    };
    for mistake in &mut mistakes {
        mistake.node = Some(node.name.clone());
    }
    let sound = !mistakes.iter().any(Diagnostic::is_error);
    let rendered = match (ignition, script) {
        (Some(ignition), Some(script)) if sound => Some(Rendered {
            node: node.name.clone(),
            templates,
            ignition,
            script,
        }),
        _ => None,
    };
    (rendered, mistakes)
}

/// Finds the template's own lines for the mistakes in one rendered text. That costs a second rendering, so
/// it waits until there is one.
fn trace(
    engine: &Engine,
    template: &str,
    text: &Arc<Source>,
    context: &Value,
    mistakes: &mut [Diagnostic],
) {
    let is_here = |it: &Diagnostic| {
        it.labels
            .first()
            .is_some_and(|at| Arc::ptr_eq(&at.source, text))
    };
    mistakes.sort_by_key(|mistake| !is_here(mistake));
    let count = mistakes.iter().filter(|mistake| is_here(mistake)).count();
    if count > 0 {
        engine.trace(template, context, &mut mistakes[..count]);
    }
}
