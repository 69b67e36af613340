//! What the fleet's files say, as written: nothing merged, no default filled in.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use semver::{Version, VersionReq};

use super::decode::decode;
use super::document::{self, Item};
use super::file::{FleetFile, NodeFile};
use super::files::{Files, Unreadable};
use super::lock::Lock;
use crate::diagnostic::Diagnostic;

/// A fleet's files, read and typed, each beside the document that it came from.
pub struct Manifest {
    /// The folder that holds `fleet.toml`.
    pub root: PathBuf,
    /// `fleet.toml`.
    pub fleet: FleetFile,
    /// `fleet.toml` with its origins.
    pub document: Item,
    /// `nodes/*.toml` by node name.
    pub nodes: BTreeMap<String, Item>,
    /// `fleet.lock`; empty where there is none.
    pub lock: Lock,
    /// The names in `templates/`.
    pub templates: Vec<String>,
}

/// A part of the files that says something of nodes.
pub struct Layer<'a> {
    /// As the command line names it: a node, `role:NAME` or `defaults`.
    pub place: Cow<'a, str>,
    /// What stands there.
    pub item: &'a Item,
    /// The same, where it is a node file.
    pub node: Option<&'a Item>,
}

impl Manifest {
    /// The defaults, the roles and the node files.
    pub fn layers(&self) -> impl Iterator<Item = Layer<'_>> {
        let shared = |place, item| Layer {
            place,
            item,
            node: None,
        };
        let defaults = self.document.get("defaults").into_iter();
        let defaults = defaults.map(move |item| shared("defaults".into(), item));
        let roles = self.document.get("roles").and_then(Item::table);
        let roles = roles.into_iter().flatten();
        let roles = roles.map(move |(role, item)| shared(format!("role:{role}").into(), item));
        let nodes = self.nodes.iter().map(|(node, item)| Layer {
            place: node.as_str().into(),
            item,
            node: Some(item),
        });
        defaults.chain(roles).chain(nodes)
    }

    /// The text of `fleet.toml` or a node file, by its path.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        let document = if path == "fleet.toml" {
            &self.document
        } else {
            let node = path.strip_prefix("nodes/")?.strip_suffix(".toml")?;
            self.nodes.get(node)?
        };
        Some(&document.source.text)
    }

    /// Reads a fleet. The manifest is there even with mistakes, for as many of them as possible to be
    /// found in one run; it is `None` where nothing else in it can be believed.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn read(
        root: &Path,
        files: &dyn Files,
    ) -> Result<(Option<Self>, Vec<Diagnostic>), Unreadable> {
        Self::read_with(root, files, |_| None)
    }

    /// As [`Manifest::read`]; `known` has node files that were read already, without a mistake, by the node.
    ///
    /// # Errors
    /// A file that can't be read.
    pub fn read_with(
        root: &Path,
        files: &dyn Files,
        known: impl Fn(&str) -> Option<Item> + Sync,
    ) -> Result<(Option<Self>, Vec<Diagnostic>), Unreadable> {
        let (document, mut diagnostics) = document::read(files, "fleet.toml")?;
        if let Err(mistake) = check_requires(&document) {
            return Ok((None, vec![*mistake]));
        }
        let fleet: FleetFile = decode(&document, &mut diagnostics);
        let mut names = Vec::new();
        for file in files.list("nodes")? {
            match file.strip_suffix(".toml") {
                Some(name) if !name.is_empty() => names.push(name.to_owned()),
                _ => diagnostics.push(
                    Diagnostic::error(format!("`nodes/{file}` is no node file"))
                        .help("a node file is `nodes/<node>.toml`: rename it or move it away"),
                ),
            }
        }
        let read: Result<Vec<_>, Unreadable> = names
            .into_par_iter()
            .map(|name| {
                if let Some(item) = known(&name) {
                    return Ok((name, item, Vec::new()));
                }
                let (item, mut mistakes) = document::read(files, &format!("nodes/{name}.toml"))?;
                decode::<NodeFile>(&item, &mut mistakes);
                Ok((name, item, mistakes))
            })
            .collect();
        let mut nodes = BTreeMap::new();
        for (name, item, mistakes) in read? {
            diagnostics.extend(mistakes);
            nodes.insert(name, item);
        }
        let lock = Lock::read(files, &mut diagnostics)?;
        let templates = files.list("templates")?;
        let manifest = Self {
            root: root.to_owned(),
            fleet,
            document,
            nodes,
            lock,
            templates,
        };
        Ok((Some(manifest), diagnostics))
    }
}

/// `requires` comes before anything else, so that an older tool says "upgrade" and not "unknown key".
fn check_requires(document: &Item) -> Result<(), Box<Diagnostic>> {
    let Some(item) = document.get("requires") else {
        return Ok(());
    };
    let Some(text) = item.text() else {
        return Ok(());
    };
    let requires = VersionReq::parse(text).map_err(|error| {
        item.error(format!("`requires` is no version requirement: {error}"))
            .help("write for example `requires = \">=0.1\"`")
    })?;
    let version = Version::parse(env!("CARGO_PKG_VERSION"))
        .map_err(|error| item.error(format!("this build has no version: {error}")))?;
    if requires.matches(&version) {
        return Ok(());
    }
    Err(Box::new(
        item.error(format!(
            "this fleet needs ephemeros {requires}, and this is {version}"
        ))
        .help("upgrade ephemeros: `cargo install --locked ephemeros`"),
    ))
}
