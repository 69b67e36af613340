//! All nodes, in parallel: templates to Butane to one Ignition config and one boot script each.

use std::sync::Arc;

use memchr::memmem;
use minijinja::Value;
use rayon::prelude::*;

use super::context::Shared;
use super::engine::Engine;
use super::memo::Memo;
use super::rendered::Rendered;
use super::{config, script};
use crate::diagnostic::Diagnostic;
use crate::fleet::node::{Fleet, Node};
use crate::progress::{Progress, Stopped};
use crate::source::Source;

/// How many nodes are rendered before somebody looks at them: so many that both ends keep all cores busy.
const AT_ONCE: usize = 512;

/// Renders the nodes, some at a time: `each` gets them in order, and a large fleet is never held whole. Those with a mistake
/// are left out.
///
/// # Errors
/// The user stopped it, or what `each` says.
pub fn render_each<E: From<Stopped>>(
    fleet: &Fleet,
    nodes: &[&Node],
    engine: &Engine,
    progress: &dyn Progress,
    mut each: impl FnMut(Vec<Rendered>) -> Result<(), E>,
) -> Result<Vec<Diagnostic>, E> {
    let shared = Shared::of(fleet);
    let memo = Memo::of(engine.templates());
    let mut diagnostics = Vec::new();
    progress.start("rendering", nodes.len());
    for some in nodes.chunks(AT_ONCE) {
        let done: Result<Vec<_>, Stopped> = some
            .par_iter()
            .map(|node| {
                if progress.stopped() {
                    return Err(Stopped);
                }
                let rendered = render_node(fleet, node, engine, &shared, &memo);
                progress.advance(1);
                Ok(rendered)
            })
            .collect();
        let mut rendered = Vec::with_capacity(some.len());
        for (node, mistakes) in done? {
            rendered.extend(node);
            diagnostics.extend(mistakes);
        }
        each(rendered)?;
    }
    Ok(diagnostics)
}

/// As [`render_each`], all of them at once.
///
/// # Errors
/// The user stopped it.
pub fn render(
    fleet: &Fleet,
    nodes: &[&Node],
    engine: &Engine,
    progress: &dyn Progress,
) -> Result<(Vec<Rendered>, Vec<Diagnostic>), Stopped> {
    let mut all = Vec::with_capacity(nodes.len());
    let diagnostics = render_each(fleet, nodes, engine, progress, |rendered| {
        all.extend(rendered);
        Ok::<_, Stopped>(())
    })?;
    Ok((all, diagnostics))
}

/// The templates of a node, rendered, in the order in which they are merged; without those that have a mistake.
#[must_use]
pub fn templates(fleet: &Fleet, node: &Node, engine: &Engine) -> Vec<Arc<Source>> {
    let seen = Value::from_pairs(Shared::of(fleet).context(node));
    let templates = node.templates.iter();
    templates
        .filter_map(|template| engine.render(template, &seen, &node.name).ok())
        .collect()
}

fn render_node(
    fleet: &Fleet,
    node: &Node,
    engine: &Engine,
    shared: &Shared,
    memo: &Memo,
) -> (Option<Rendered>, Vec<Diagnostic>) {
    let mut mistakes = Vec::new();
    let mut context = shared.context(node);
    let seen = Value::from_pairs(context.clone());
    let mut templates = Vec::new();
    for template in node.templates.iter() {
        match engine.render(template, &seen, &node.name) {
            Ok(text) => templates.push(text),
            Err(mistake) => mistakes.push(*mistake),
        }
    }
    mistakes.extend(unmounted(node, &templates));
    let ignition = config::build(fleet, node, &templates, memo, &mut mistakes);
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
            ignition,
            script,
        }),
        _ => None,
    };
    (rendered, mistakes)
}

/// Secrets that no template mounts lie on the stick for nobody.
fn unmounted(node: &Node, templates: &[Arc<Source>]) -> Option<Diagnostic> {
    // A template with a mistake may be the one that does.
    let is_whole = templates.len() == node.templates.len() && !templates.is_empty();
    if node.secrets.is_empty() || !is_whole {
        return None;
    }
    let partition = node.vault.partuuid.to_string();
    let partition = memmem::Finder::new(&partition);
    let mut texts = templates.iter().map(|text| text.text.as_bytes());
    let is_mounted = texts.any(|text| partition.find(text).is_some());
    (!is_mounted).then(|| {
        Diagnostic::warning("no template of this node mounts its secrets volume").help(
            "add a mount unit with `What=/dev/disk/by-partuuid/{{ vault.partuuid }}` and `Where={{ vault.mount }}`",
        )
    })
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
