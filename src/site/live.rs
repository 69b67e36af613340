//! What nodes would fetch if the working tree were rendered and pushed now. Nothing is written.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::content::{Content, Rendered, Tree, Trouble};
use super::mirror::{Catalogue, catalogue};
use crate::diagnostic::Diagnostic;
use crate::fleet::files::Folder;
use crate::fleet::manifest::Manifest;
use crate::fleet::node::{Fleet, in_repository};
use crate::fleet::read::read;
use crate::progress::{Progress, Silent};
use crate::render::engine::Engine;
use crate::render::rendered::Rendered as Node;
use crate::render::{all, leaks};

/// The working tree, read anew for each request, so that what was saved is what is served.
pub struct Live<'a> {
    /// The fleet's folder.
    pub root: PathBuf,
    /// Its place in the repository; empty at the root.
    pub prefix: String,
    /// What is made of the fleet before it is rendered.
    pub adjust: &'a (dyn Fn(&mut Fleet) + Sync),
}

impl Tree for Live<'_> {
    fn find(&self, path: &str) -> Result<Option<Content>, Trouble> {
        let Some(inside) = inside(&self.prefix, path) else {
            return Ok(None);
        };
        let node = [("ignition/", ".ign"), ("ipxe/", ".ipxe")]
            .into_iter()
            .find_map(|(folder, suffix)| inside.strip_prefix(folder)?.strip_suffix(suffix));
        let Some(node) = node else {
            return Ok(None);
        };
        let rendered = self.render(Some(node), &Silent)?;
        let files = rendered.iter().flat_map(Node::files);
        let found = files.into_iter().find(|(path, _)| path == inside);
        Ok(found.map(|(path, text)| Content::of(&path, text.as_bytes().to_owned())))
    }
}

impl Rendered for Live<'_> {
    fn all(&self, progress: &dyn Progress) -> Result<BTreeMap<String, Vec<u8>>, Trouble> {
        let rendered = self.render(None, progress)?;
        let files = rendered.iter().flat_map(Node::files);
        Ok(files
            .map(|(path, text)| {
                (
                    in_repository(&self.prefix, &path),
                    text.as_bytes().to_owned(),
                )
            })
            .collect())
    }

    fn catalogue(&self) -> Result<Arc<Catalogue>, Trouble> {
        let (manifest, fleet, mistakes) = self.read()?;
        settle(mistakes)?;
        Ok(Arc::new(catalogue(&fleet, &manifest.lock)))
    }
}

impl Live<'_> {
    /// Renders one node, or all of them; a node that there is not comes to nothing.
    ///
    /// # Errors
    /// What `render` would refuse to write.
    fn render(&self, node: Option<&str>, progress: &dyn Progress) -> Result<Vec<Node>, Trouble> {
        let (manifest, fleet, mut mistakes) = self.read()?;
        let engine = Engine::read(
            &Folder(self.root.clone()),
            &[("boot.ipxe", crate::ipxe::BODY)],
        );
        let engine = engine.map_err(Trouble::here)?;
        let nodes = fleet.nodes.iter();
        let nodes: Vec<_> = nodes
            .filter(|it| node.is_none_or(|node| it.name == node))
            .collect();
        let rendered = all::render(&fleet, &nodes, &engine, progress);
        let (rendered, found) = rendered.map_err(Trouble::here)?;
        mistakes.extend(found);
        let leaks = leaks::find(&manifest, &rendered, &mistakes).map_err(Trouble::here)?;
        mistakes.extend(leaks);
        settle(mistakes)?;
        Ok(rendered)
    }

    fn read(&self) -> Result<(Manifest, Fleet, Vec<Diagnostic>), Trouble> {
        let files = Folder(self.root.clone());
        let (found, mistakes) = read(&self.root, &files).map_err(Trouble::here)?;
        let Some((manifest, mut fleet)) = found else {
            return Err(Trouble::mistakes(mistakes));
        };
        fleet.prefix.clone_from(&self.prefix);
        (self.adjust)(&mut fleet);
        Ok((manifest, fleet, mistakes))
    }
}

/// Warnings are for `render` and `check`, which tell them once.
fn settle(mut mistakes: Vec<Diagnostic>) -> Result<(), Trouble> {
    mistakes.retain(Diagnostic::is_error);
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(Trouble::mistakes(mistakes))
    }
}

/// A path of the repository as the fleet has it; `None` where it is not the fleet's.
pub(super) fn inside<'a>(prefix: &str, path: &'a str) -> Option<&'a str> {
    match prefix {
        "" => Some(path),
        prefix => path.strip_prefix(prefix)?.strip_prefix('/'),
    }
}
