//! One node's Ignition config: its public env files, then its templates, merged as Ignition merges.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use memchr::memmem;

use super::memo::Memo;
use crate::butane::{KnownFiles, Options, escape_path, translate};
use crate::diagnostic::{Diagnostic, Severity};
use crate::env_file::write_env_file;
use crate::fleet::node::{Fleet, Node};
use crate::ignition::schema::{CONFIG, FILE, RESOURCE};
use crate::ignition::value::Struct;
use crate::ignition::{self, Config, Spec, data_url, report};
use crate::os::Distro;
use crate::source::Source;

/// Where the public variables of services stand on a node.
const PUBLIC: &str = "/etc/ephemeros";

/// Builds it, as the JSON that a node fetches. `None` where a template has a mistake that leaves nothing to merge.
pub(super) fn build(
    fleet: &Fleet,
    node: &Node,
    templates: &[Arc<Source>],
    memo: &Memo,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<String> {
    let mut config = env_files(node)?;
    let files = fleet.root.join("templates/files");
    let mut whole = templates.len() == node.templates.len();
    for (source, name) in templates.iter().zip(node.templates.iter()) {
        let part = memo.find(name, &source.text).or_else(|| {
            let (mut part, found) = read(source, name, &files, &memo.files);
            if let (Some(part), []) = (&mut part, found.as_slice()) {
                part.settle();
            }
            let part = part.map(Arc::new);
            if let (Some(part), []) = (&part, found.as_slice()) {
                memo.keep(name, &source.text, part);
            }
            mistakes.extend(found);
            part
        });
        match part {
            Some(part) => config = ignition::merge(config, &part),
            None => whole = false,
        }
    }
    if !whole {
        return None;
    }
    // What a template warned of is still there when they are merged.
    let told: BTreeSet<String> = mistakes.iter().map(|it| it.message.clone()).collect();
    let merged = ignition::validate(&config, None).into_iter();
    let new = merged.filter(|mistake| !told.contains(&mistake.message));
    mistakes.extend(new.map(together));
    check_spec(node, &config, mistakes);
    check_mounts(&config, mistakes);
    let json = config.to_json();
    check_keys(node, &json, mistakes);
    Some(json)
}

/// One rendered template as a config; `None` where a mistake leaves none.
fn read(
    source: &Arc<Source>,
    name: &str,
    files: &Path,
    known: &KnownFiles,
) -> (Option<Config>, Vec<Diagnostic>) {
    let (config, found) = if name.ends_with(".ign") {
        let (config, mut found) = Config::parse(source);
        if let Some(config) = &config {
            found.extend(ignition::validate(config, Some(source)));
        }
        (config, found)
    } else {
        let options = Options {
            files_dir: Some(files),
            links_may_leave: false,
            known_files: Some(known),
            ..Options::default()
        };
        let translation = translate(source, &options);
        (translation.config, translation.diagnostics)
    };
    let found = found.into_iter().filter_map(refuse_unknown_key);
    let mut found: Vec<Diagnostic> = found.collect();
    for mistake in &mut found {
        // What a file says of itself is enough to find it, and every mistake has help.
        if mistake.labels.is_empty() {
            mistake.labels = Diagnostic::error("").at(source, 0..0).labels;
        }
        mistake.help.get_or_insert_with(|| help_for(name));
    }
    let sound = !found.iter().any(Diagnostic::is_error);
    (config.filter(|_| sound), found)
}

/// A mistake that stands in no single template.
fn together(mistake: Diagnostic) -> Diagnostic {
    let path = mistake.path.as_deref().unwrap_or("$");
    Diagnostic {
        message: format!("{} (`{path}` in the merged config)", mistake.message),
        ..mistake
    }
    .help("templates of this node don't go together: look for those that name the same path")
}

/// Where a kind of config is described.
fn help_for(name: &str) -> String {
    let page = if name.ends_with(".ign") {
        "https://coreos.github.io/ignition/specs/"
    } else {
        "https://coreos.github.io/butane/specs/"
    };
    format!("what there is, and what it takes: {page}")
}

/// An operating system that can't read its config stops in the initrd, out of reach.
fn check_spec(node: &Node, config: &Config, mistakes: &mut Vec<Diagnostic>) {
    let release = &node.os.release;
    let newest = release.ignition_spec().map(|spec| spec.to_string());
    let can = match &newest {
        Some(newest) => Spec::parse(newest).is_ok_and(|newest| config.spec() <= newest),
        // A version of another form is a build of the user's own.
        None => !release.distro.is_version(&release.version),
    };
    if can {
        return;
    }
    let reads = newest.map_or("no spec 3 at all".to_owned(), |newest| {
        format!("up to {newest}")
    });
    let message = format!(
        "this config is written for Ignition spec {}, and {} {} reads {reads}",
        config.spec(),
        release.distro,
        release.version
    );
    // Which release of Fedora CoreOS brought a spec is estimated from dates.
    let mut mistake = match release.distro {
        Distro::Flatcar => Diagnostic::error(message),
        Distro::FedoraCoreos => Diagnostic::warning(message),
    }
    .help("take an older `version` in the templates' head, or a newer release (`ephemeros lock --update`)");
    let at = ["version", "channel"]
        .iter()
        .find_map(|key| node.profile.find(&["os", key]));
    if let Some(item) = at {
        mistake = mistake.at(&item.source, item.span());
    }
    mistakes.push(mistake);
}

/// Butane lets a misspelt key pass with a warning; here it would reach machines. A merge key (`<<`) has its
/// effect, and what Butane says of it is not true.
fn refuse_unknown_key(mut mistake: Diagnostic) -> Option<Diagnostic> {
    if report::is_unknown_key(&mistake) {
        mistake.severity = Severity::Error;
        return (!mistake.message.contains("`<<`")).then_some(mistake);
    }
    Some(mistake)
}

/// The config that the tool itself adds: a file for each env file with public variables.
fn env_files(node: &Node) -> Option<Config> {
    let mut files = Vec::new();
    for (name, file) in node.env_files.iter() {
        let variables: BTreeMap<&str, &[u8]> = file
            .public
            .iter()
            .filter_map(|name| Some((name.as_str(), node.env.get(name)?.text()?.as_bytes())))
            .collect();
        if variables.is_empty() {
            continue;
        }
        match write_env_file(&variables) {
            Ok(text) => {
                let url = data_url::encode(text.as_bytes(), false).url;
                let file = Struct::new(&FILE)
                    .with("path", format!("{PUBLIC}/{name}"))
                    .with("overwrite", true)
                    .with("contents", Struct::new(&RESOURCE).with("source", url))
                    .with("mode", 0o644_i64);
                files.push(file.into());
            }
            // Told when the fleet was resolved.
            Err(_) => return None,
        }
    }
    let mut root = Struct::new(&CONFIG);
    if !files.is_empty() {
        root.child_mut("storage").set("files", files);
    }
    Some(Config::new(Spec::V3_0, root))
}

/// Keys that no template hands on would be missed at the worst moment.
fn check_keys(node: &Node, json: &str, mistakes: &mut Vec<Diagnostic>) {
    let has = |key: &[u8]| memmem::find(json.as_bytes(), key).is_some();
    let lost = node
        .ssh_authorized_keys
        .iter()
        .any(|key| !serde_json::to_vec(key).is_ok_and(|key| has(&key)));
    if !lost {
        return;
    }
    let mut warning = Diagnostic::warning(
        "`ssh_authorized_keys` are set, and no template of this node gives them to `core`",
    )
    .help("add the template that does, `core.bu` in the example, to its `templates`");
    if let Some(item) = node.profile.get("ssh_authorized_keys") {
        warning = warning.at(&item.source, item.span());
    }
    mistakes.push(warning);
}

/// systemd refuses a mount unit of another name than its path has.
fn check_mounts(config: &Config, mistakes: &mut Vec<Diagnostic>) {
    let systemd = config.root().child("systemd");
    for unit in systemd
        .into_iter()
        .flat_map(|systemd| systemd.structs("units"))
    {
        let name = unit.text("name").unwrap_or_default();
        let contents = unit.text("contents").unwrap_or_default();
        let Some(place) = contents
            .lines()
            .find_map(|line| line.strip_prefix("Where="))
        else {
            continue;
        };
        let right = format!("{}.mount", escape_path(place.trim()));
        if name.ends_with(".mount") && name != right && !place.contains('%') {
            mistakes.push(
                Diagnostic::error(format!(
                    "systemd refuses the unit `{name}`, for it mounts `{}`",
                    place.trim()
                ))
                .help(format!("call it `{right}`")),
            );
        }
    }
}
