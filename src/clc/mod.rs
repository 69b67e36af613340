//! Container Linux Configs: the YAML that `ct` made Ignition 2.3.0 of, brought over to Butane.
//!
//! Each section of the old config is read with its places, becomes pieces of the new one, and these are printed as YAML
//! that people go on editing. Whatever can't be brought over is said at its line. Source of the old format: the types of
//! `container-linux-config-transpiler` and its `doc/configuration.md`; what changed since: `migrating-configs.md` of
//! Ignition.

mod comments;
mod disks;
mod dynamic;
mod etcd;
mod filesystems;
mod flannel;
mod foreign;
mod found;
mod ignition;
mod networkd;
mod nodes;
mod passwd;
mod piece;
mod print;
mod read;
mod scalar;
mod service;
mod systemd;
mod template;
mod typed;
mod update;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Label};
use crate::source::Source;
use crate::yaml;
use comments::Comments;
use filesystems::Filesystems;
use found::{Found, first_line};
use piece::{Map, Part};
use read::Section;

pub use dynamic::PLATFORMS;

/// How to bring a config over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Where local files are.
    pub files_dir: Option<&'a Path>,
    /// Whose metadata `{PRIVATE_IPV4}` and its like come from: one of [`PLATFORMS`].
    pub platform: Option<&'a str>,
}

/// What came out.
#[derive(Debug)]
pub struct Import {
    /// The Butane config; `None` when a diagnostic is an error.
    pub butane: Option<Butane>,
    /// In the order of the file.
    pub diagnostics: Vec<Diagnostic>,
}

/// A config that was brought over.
#[derive(Debug)]
pub struct Butane {
    /// The config as Butane reads it.
    pub text: String,
    /// The config as a template: rendered, it is [`Butane::text`] byte for byte.
    pub template: String,
    /// The local files that it names.
    pub local_files: Vec<String>,
    /// Where parts of the text come from; the inner after the outer.
    places: Vec<(Range<usize>, Range<usize>)>,
    source: Arc<Source>,
}

impl Butane {
    /// Moves diagnostics from the text to the places in the old config that it was made from.
    pub fn trace(&self, diagnostics: &mut [Diagnostic]) {
        for diagnostic in diagnostics {
            // The path is one in the new config, which nobody has seen yet.
            diagnostic.path = None;
            for label in &mut diagnostic.labels {
                let found = self.origin(label.span.start);
                *label = Label {
                    source: Arc::clone(&self.source),
                    span: found,
                    text: std::mem::take(&mut label.text),
                };
            }
        }
    }

    fn origin(&self, offset: usize) -> Range<usize> {
        let around = self.places.iter().filter(|(to, _)| to.contains(&offset));
        // Of those around it the innermost is the shortest.
        let innermost = around.min_by_key(|(to, _)| to.len());
        let from = innermost.map_or(0..0, |(_, from)| from.clone());
        first_line(&self.source, from)
    }
}

/// Brings a Container Linux Config over to Butane.
#[must_use]
pub fn import(source: &Arc<Source>, options: &Options<'_>) -> Import {
    let mut found = Found::new(source);
    let butane = run(source, options, &mut found);
    let mut diagnostics = found.diagnostics;
    diagnostics.sort_by_key(|it| it.labels.first().map_or(0, |label| label.span.start));
    Import {
        butane: butane.filter(|_| !diagnostics.iter().any(Diagnostic::is_error)),
        diagnostics,
    }
}

fn run(source: &Arc<Source>, options: &Options<'_>, found: &mut Found) -> Option<Butane> {
    if foreign::is_cloud_config(source, found) {
        return None;
    }
    let document = match yaml::parse(&source.text) {
        Ok(document) => document,
        Err(mistakes) => {
            for mistake in mistakes {
                found.syntax(mistake);
            }
            return None;
        }
    };
    let mut root = Section::root(&document, found)?;
    if foreign::is_other_config(&root, found) {
        return None;
    }
    foreign::warn_of_more(source, &document, found);
    let mut local_files = Vec::new();
    let map = sections(&mut root, options, &mut local_files, found);
    root.finish(found);
    let comments = Comments::find(&source.text, &document);
    let (text, places) = print::print(&map, comments, &source.text);
    Some(Butane {
        template: template::escape(&text),
        text,
        local_files,
        places,
        source: Arc::clone(source),
    })
}

/// The new config, its keys in the order that Butane's documentation has.
fn sections(
    root: &mut Section<'_>,
    options: &Options<'_>,
    local_files: &mut Vec<String>,
    found: &mut Found,
) -> Map {
    let mut map = Map::default();
    map.word("variant", "flatcar");
    map.word("version", "1.0.0");
    map.part("ignition", ignition::translate(root, found));
    map.part("passwd", passwd::translate(root, found));

    let mut units = systemd::Units::read(root, found);
    units.add_services(root, options.platform, found);

    let (storage, at) = storage(root, &units, options, local_files, found);
    map.part("storage", (storage, at));
    let (units, at) = units.finish();
    let mut systemd = Map::default();
    systemd.list("units", units, None);
    map.part("systemd", (systemd, at));
    map
}

fn storage(
    root: &mut Section<'_>,
    units: &systemd::Units,
    options: &Options<'_>,
    local_files: &mut Vec<String>,
    found: &mut Found,
) -> Part {
    let mut map = Map::default();
    let mut nodes = nodes::Nodes {
        files_dir: options.files_dir,
        local_files,
        filesystems: Filesystems::default(),
    };
    let mut at = None;
    let mut origins = Default::default();
    let (mut directories, mut files, mut links) = Default::default();
    if let Some(mut section) = root.section("storage", found) {
        at = Some(section.place());
        map.list(
            "disks",
            disks::disks(&mut section, found),
            section.origin("disks"),
        );
        map.list(
            "raid",
            disks::raid(&mut section, found),
            section.origin("raid"),
        );
        nodes.filesystems = Filesystems::read(&mut section, &units.mounts(), found);
        directories = nodes.directories(&mut section, found);
        files = nodes.files(&mut section, found);
        links = nodes.links(&mut section, found);
        origins = ["filesystems", "directories", "files", "links"].map(|name| section.origin(name));
        section.finish(found);
    }
    files.extend(networkd::files(root, found));
    files.extend(update::file(root, found));
    let [of_filesystems, of_directories, of_files, of_links] = origins;
    map.list(
        "filesystems",
        nodes.filesystems.finish(found),
        of_filesystems,
    );
    map.list("directories", directories, of_directories);
    map.list("files", files, of_files);
    map.list("links", links, of_links);
    (map, at)
}
