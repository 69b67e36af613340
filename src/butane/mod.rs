//! Butane: YAML that people write, translated to an Ignition config.
//!
//! The stages, each of which stops the translation when it finds an error: types, the checks of the source, local
//! files and trees, what the variant can't do, Ignition's own rules. Warnings of all stages that were reached stay.

mod boot_device;
mod checks;
mod decode;
mod fcos;
mod files;
mod grub;
mod limits;
mod mount_unit;
mod resource;
mod schema;
mod tree;
pub mod variant;

pub(crate) use mount_unit::escape_path;
use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::ignition::report::{Names, Place, Report};
use crate::ignition::schema::{CONFIG, STORAGE};
use crate::ignition::value::{Data, Struct, Value};
use crate::ignition::{self, Config, validate_in};
use crate::source::Source;
use crate::yaml;
use crate::yaml::node::Node;
use files::Files;
pub use files::Known as KnownFiles;
use resource::Contents;
use variant::Variant;

/// How to translate.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Where local files are; without it a config can't name any.
    pub files_dir: Option<&'a Path>,
    /// Compress contents where that makes the config shorter.
    pub compress: bool,
    /// Follow links in `files_dir` that lead out of it, as Butane does.
    pub links_may_leave: bool,
    /// The files in `files_dir` that translations with the same options have read, each of them once.
    pub known_files: Option<&'a KnownFiles>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            files_dir: None,
            compress: true,
            links_may_leave: true,
            known_files: None,
        }
    }
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Translation {
    /// The config; `None` when a diagnostic is an error.
    pub config: Option<Config>,
    /// In the order of the stages.
    pub diagnostics: Vec<Diagnostic>,
}

/// Translates a Butane config.
#[must_use]
pub fn translate(source: &Arc<Source>, options: &Options<'_>) -> Translation {
    let mut diagnostics = Vec::new();
    let config = run(source, options, &mut diagnostics);
    Translation {
        config: config.filter(|_| !diagnostics.iter().any(Diagnostic::is_error)),
        diagnostics,
    }
}

/// `None` as soon as a stage finds an error.
fn run(source: &Arc<Source>, options: &Options<'_>, found: &mut Vec<Diagnostic>) -> Option<Config> {
    let document = yaml::parse(&source.text)
        .map_err(|mistakes| {
            found.extend(mistakes.into_iter().map(|mistake| syntax(source, mistake)));
        })
        .ok()?;
    let variant = header(&document, source)
        .map_err(|errors| found.extend(errors))
        .ok()?;
    let (mut root, warnings) = decode::decode(&document, variant, source)
        .map_err(|errors| found.extend(errors))
        .ok()?;
    found.extend(warnings);
    root.take("variant");
    root.take("version");
    let report = || Report::new(variant.spec, Names::Yaml, Some(source));
    let span = document.span.clone().into();

    let mut checked = report();
    let place = Place::root(Some(span));
    checks::walk(&root, &place, &mut checked);
    if variant.is_fcos() {
        checks::check_fcos(&root, &place, &mut checked);
    }
    pass(checked, found)?;

    let mut translated = report();
    let mut sections = [schema::BOOT_DEVICE, schema::GRUB].map(|name| root.take(name));
    let contents = Contents {
        files: Files::new(options),
        options,
    };
    let mut root = desugar(root, variant, &contents, &mut translated);
    if variant.is_fcos() && !translated.has_errors() {
        let [boot_device, grub] = sections
            .each_mut()
            .map(|section| section.as_mut().and_then(Value::as_struct_mut));
        if let Some(generated) = boot_device.and_then(|section| boot_device::generate(section)) {
            root = merge_over(generated, root, variant);
        }
        fcos::check_result(&root, &mut translated);
        if let Some(generated) =
            grub.and_then(|section| grub::generate(section, &contents, variant.spec))
        {
            root = merge_over(generated, root, variant);
        }
    }
    pass(translated, found)?;

    let mut limited = report();
    limits::check(&root, variant.limits, &mut limited);
    pass(limited, found)?;

    let config = Config::new(variant.spec, root);
    found.extend(validate_in(&config, Names::Yaml, Some(source)));
    Some(config)
}

/// Keeps what a stage found; `None` when an error is among it.
fn pass(report: Report<'_>, found: &mut Vec<Diagnostic>) -> Option<()> {
    let failed = report.has_errors();
    found.extend(report.finish());
    (!failed).then_some(())
}

fn syntax(source: &Arc<Source>, mistake: yaml::parse::Mistake) -> Diagnostic {
    let diagnostic = Diagnostic::error(mistake.message).at(source, mistake.span);
    match mistake.earlier {
        Some(earlier) => diagnostic
            .label(source, earlier, "first given here")
            .help("remove one of them"),
        None => diagnostic.help("look at the indentation, quotes and colons here and just above"),
    }
}

/// What the document says of itself decides how the rest is read.
///
/// # Errors
/// The one thing that is wrong with it.
fn header(document: &Node, source: &Arc<Source>) -> Result<&'static Variant, Vec<Diagnostic>> {
    let fail = |error: Diagnostic, span| vec![error.at(source, span)];
    let Some(entries) = document.entries() else {
        let error = Diagnostic::error("a config must be a mapping");
        return Err(fail(error, document.span.clone()));
    };
    let mut texts = [("", None), ("", None)];
    for (name, text) in ["variant", "version"].into_iter().zip(&mut texts) {
        let Some((_, value)) = entries.iter().find(|(key, _)| key.text() == Some(name)) else {
            continue;
        };
        let Some(found) = value.text() else {
            let error = Diagnostic::error(format!("`{name}` must be a text"));
            return Err(fail(error, value.span.clone()));
        };
        let null = matches!(
            yaml::scalar::resolve(value),
            Ok(Some(yaml::scalar::Scalar::Null))
        );
        *text = (if null { "" } else { found }, Some(value.span.clone()));
    }
    let [(name, name_at), (version, version_at)] = texts;
    variant::find(name, version).map_err(|unknown| {
        let at = if name.is_empty() { name_at } else { version_at };
        let error = Diagnostic::error(unknown.message).help(unknown.help);
        let start = document.span.start;
        fail(error, at.unwrap_or(start..start))
    })
}

/// Replaces everything that Ignition does not know. What is generated is merged below what the user wrote.
fn desugar(
    mut root: Struct,
    variant: &'static Variant,
    contents: &Contents<'_>,
    report: &mut Report<'_>,
) -> Struct {
    contents.translate(&mut root, &Place::root(None), report);
    let trees = root
        .get_mut("storage")
        .and_then(Value::as_struct_mut)
        .and_then(|storage| storage.take("trees"));
    let units = mount_unit::take(&mut root, variant.spec);
    if !units.is_empty() {
        let mut generated = Struct::new(&CONFIG);
        generated.child_mut("systemd").set("units", units);
        root = merge_over(generated, root, variant);
    }
    if let Some(trees) = trees {
        let mut storage = match root.take("storage").map(|storage| storage.data) {
            Some(Data::Struct(storage)) => storage,
            _ => Struct::new(&STORAGE),
        };
        tree::expand(&mut storage, &trees, contents, report);
        root.set("storage", storage);
    }
    root
}

/// Merges the user's config over what was generated; the user's entries keep the paths that they have in the YAML.
fn merge_over(generated: Struct, mut user: Struct, variant: &'static Variant) -> Struct {
    remember_indexes(&mut user, &Place::root(None));
    ignition::merge_structs(generated, &user, variant.spec)
}

/// Notes at each item of a list where it stands now.
fn remember_indexes(structure: &mut Struct, at: &Place<'_>) {
    for (field, value) in structure.fields_mut() {
        let at = at.keyed(field, None, None);
        if let Some(structure) = value.as_struct_mut() {
            remember_indexes(structure, &at);
        }
        for (index, item) in value.items_mut().iter_mut().enumerate() {
            let here = at.index(index, None);
            let origin = item
                .origin
                .get_or_insert_with(|| here.path(Names::Yaml).into())
                .clone();
            if let Some(structure) = item.as_struct_mut() {
                remember_indexes(structure, &here.from(Some(&origin)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
