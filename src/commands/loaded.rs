//! A fleet that a command works on.

use std::path::Path;

use super::{Failure, fail, find_root, published};
use crate::diagnostic::Diagnostic;
use crate::fleet::files::{Files, Folder, Unreadable};
use crate::fleet::lock::Lock;
use crate::fleet::manifest::Manifest;
use crate::fleet::node::{Fleet, Node};
use crate::fleet::read::resolve_after;
use crate::fleet::select::{NoSuchNode, select};
use crate::git::{self, repo::Repo};
use crate::invoker::Invoker;
use crate::progress::Progress as _;
use crate::render::all;
use crate::render::engine::Engine;
use crate::render::rendered::Rendered;
use crate::ui::Ui;

/// A fleet that was read and resolved, with the mistakes found so far.
pub(super) struct Loaded {
    pub(super) manifest: Manifest,
    pub(super) fleet: Fleet,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) repo: Option<Repo>,
}

/// Reads and resolves the fleet that holds `start`.
pub(super) fn load(start: &Path, ui: &Ui) -> Result<Loaded, Failure> {
    let root = find_root(start)?;
    load_from(&root, &Folder(root.clone()), ui)
}

/// As [`load`], with other files.
pub(super) fn load_from(root: &Path, files: &dyn Files, ui: &Ui) -> Result<Loaded, Failure> {
    let (manifest, diagnostics) = read(root, files, ui)?;
    resolved(root, manifest, diagnostics)
}

/// As [`load`], for who is about to write the pins: those that there are come beside it, and none is missed.
pub(super) fn load_without_pins(start: &Path, ui: &Ui) -> Result<(Loaded, Lock), Failure> {
    let root = find_root(start)?;
    let (mut manifest, diagnostics) = read(&root, &Folder(root.clone()), ui)?;
    let pins = std::mem::replace(&mut manifest.lock, Lock::to_fill());
    Ok((resolved(&root, manifest, diagnostics)?, pins))
}

fn read(root: &Path, files: &dyn Files, ui: &Ui) -> Result<(Manifest, Vec<Diagnostic>), Failure> {
    ui.start("reading", 0);
    match Manifest::read(root, files)? {
        (Some(manifest), diagnostics) => Ok((manifest, diagnostics)),
        (None, diagnostics) => Err(fail(ui, diagnostics)),
    }
}

fn resolved(
    root: &Path,
    manifest: Manifest,
    diagnostics: Vec<Diagnostic>,
) -> Result<Loaded, Failure> {
    let (mut fleet, diagnostics) = resolve_after(&manifest, diagnostics);
    let repo = git::repo::open(root, Invoker::detect().as_ref())?;
    if let Some(repo) = &repo {
        repo.prefix().clone_into(&mut fleet.prefix);
    }
    Ok(Loaded {
        manifest,
        fleet,
        diagnostics,
        repo,
    })
}

/// Shows the warnings; with an error in anything, all is shown and it fails.
pub(super) fn settle(mistakes: Vec<Diagnostic>, ui: &Ui) -> Result<(), Failure> {
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, mistakes));
    }
    ui.mistakes(mistakes);
    Ok(())
}

impl Loaded {
    /// The nodes that the patterns name.
    pub(super) fn select(&self, patterns: &[String]) -> Result<Vec<&Node>, Vec<NoSuchNode>> {
        select(&self.fleet, patterns)
    }

    /// The node of that name.
    pub(super) fn node(&self, name: &str) -> Result<&Node, Failure> {
        let node = self.fleet.node(name);
        node.ok_or_else(|| Failure::problem(format!("no node fits `{name}`"), None))
    }

    /// Renders nodes. The warnings are shown; with an error in anything, all is shown and it fails.
    pub(super) fn render(&self, patterns: &[String], ui: &Ui) -> Result<Vec<Rendered>, Failure> {
        let (rendered, mistakes) = self.try_render(patterns, ui)?;
        settle(mistakes, ui)?;
        Ok(rendered)
    }

    /// Renders those nodes that can be; the rest is among the mistakes, with all that were found before.
    pub(super) fn try_render(
        &self,
        patterns: &[String],
        ui: &Ui,
    ) -> Result<(Vec<Rendered>, Vec<Diagnostic>), Failure> {
        let mut all = Vec::new();
        let diagnostics = self.render_each(patterns, ui, |rendered| {
            all.extend(rendered);
            Ok(())
        })?;
        Ok((all, diagnostics))
    }

    /// As [`Loaded::try_render`]; `each` gets the nodes, some at a time.
    pub(super) fn render_each(
        &self,
        patterns: &[String],
        ui: &Ui,
        each: impl FnMut(Vec<Rendered>) -> Result<(), Failure>,
    ) -> Result<Vec<Diagnostic>, Failure> {
        let engine = self.engine()?;
        let mut diagnostics = self.diagnostics.clone();
        // A node with a mistake is not in the fleet: that nobody fits then says nothing new.
        let faulty = diagnostics.iter().any(Diagnostic::is_error);
        let nodes = match self.select(patterns) {
            Ok(nodes) => nodes,
            Err(_) if faulty => Vec::new(),
            Err(unmatched) => return Err(unmatched.into()),
        };
        let mistakes = all::render_each(&self.fleet, &nodes, &engine, ui, each)?;
        diagnostics.extend(mistakes);
        if !diagnostics.iter().any(Diagnostic::is_error) {
            let asked: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
            diagnostics.retain(|it| it.node.as_deref().is_none_or(|node| asked.contains(&node)));
        }
        Ok(diagnostics)
    }

    /// Renders the one node that a name or pattern fits; the result is its name, too.
    pub(super) fn render_one(&self, pattern: &str, ui: &Ui) -> Result<(String, Rendered), Failure> {
        let patterns = [pattern.to_owned()];
        if let Ok(nodes) = self.select(&patterns)
            && nodes.len() > 1
        {
            return Err(Failure::Usage {
                message: format!("`{pattern}` fits {} nodes", nodes.len()),
                help: "name one".to_owned(),
            });
        }
        // With a mistake in the node, rendering it tells what is wrong.
        let rendered = self.render(&patterns, ui)?.pop();
        let rendered =
            rendered.ok_or_else(|| Failure::problem(format!("no node fits `{pattern}`"), None))?;
        Ok((rendered.node.clone(), rendered))
    }

    /// Warns where nodes can't be told where to fetch.
    pub(super) fn warn_of_url(&mut self) {
        // An error may be about it, and tells where it stands.
        if !self.diagnostics.iter().any(Diagnostic::is_error) {
            let warning = published::warning(&self.fleet, self.repo.as_ref());
            self.diagnostics.extend(warning);
        }
    }

    pub(super) fn engine(&self) -> Result<Engine, Unreadable> {
        let files = Folder(self.fleet.root.clone());
        Engine::read(&files, &[("boot.ipxe", crate::ipxe::BODY)])
    }
}
