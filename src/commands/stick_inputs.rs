//! What a stick needs beside the fleet: URLs, loaders, opened secrets. What is missing is found all at once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::Loaded;
use super::identities::{self, NoKeys};
use super::published::file_url;
use super::stick_loaders::{self, Known};
use crate::cli;
use crate::diagnostic::{Diagnostic, Severity};
use crate::fleet::node::Node;
use crate::ipxe::loader::Found;
use crate::render::rendered::Rendered;
use crate::secrets::value::Secret;
use crate::stick::{Clock, Loader, Opened, Urls};
use crate::ui::Ui;
use crate::vault::identity::Identities;
use crate::vault::open::{OpenError, open};

/// The time of the files on a stick, by the convention of reproducible builds.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Whether private keys are needed.
#[derive(Clone, Copy)]
pub(super) enum Keys<'a> {
    /// It is a mistake when none opens the secrets.
    Needed,
    /// Where none is named and none is found, no secret is opened.
    IfThere,
    /// None is looked for, and these are the values.
    StandIns(&'a dyn Fn(&Node) -> Opened),
}

/// All of it.
pub(super) struct Inputs {
    pub(super) urls: Urls,
    pub(super) loaders: Rc<Vec<Found>>,
    pub(super) secrets: Opened,
    pub(super) clock: Clock,
}

impl Inputs {
    /// The loaders as a stick has them.
    pub(super) fn loaders(&self) -> Vec<Loader> {
        let loaders = self.loaders.iter().map(|found| Loader {
            target: found.loader.target,
            version: match &found.loader.version {
                Some(version) => version.clone(),
                None => "of no known version".to_owned(),
            },
            features: found.loader.features.clone(),
            bytes: found.bytes.clone(),
        });
        loaders.collect()
    }
}

/// Finds everything else for some nodes whose secrets were opened, in their order; `None` where something is missing,
/// which is among the mistakes then. What they share is looked for and said once.
pub(super) fn gather(
    loaded: &Loaded,
    nodes: &[(&Node, &Rendered)],
    secrets: Option<Vec<Opened>>,
    mut known: Known<'_>,
    args: &cli::MadeOf,
    ui: &Ui,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<Vec<Inputs>> {
    let mut found = Vec::new();
    for (node, rendered) in nodes {
        let urls = find_urls(loaded, rendered, args.raw_url.as_deref(), mistakes);
        let loaders = known.find(loaded, node, ui, mistakes);
        mistakes.extend(stick_loaders::check_network(node, &loaders));
        if let Some(urls) = &urls {
            let body = &rendered.script.text;
            mistakes.extend(stick_loaders::check_https(
                node,
                &loaders,
                &urls.script,
                body,
            ));
        }
        found.push((urls, loaders));
    }
    let clock = find_clock(mistakes)?;
    let all = found.into_iter().zip(secrets?);
    let all = all.map(|((urls, loaders), secrets)| {
        Some(Inputs {
            urls: urls?,
            loaders,
            secrets,
            clock,
        })
    });
    all.collect()
}

fn find_urls(
    loaded: &Loaded,
    rendered: &Rendered,
    raw_url: Option<&str>,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<Urls> {
    let urls = rendered
        .files()
        .map(|(path, text)| file_url(loaded, &path, text, raw_url));
    match urls {
        [Ok(config), Ok(script)] => Some(Urls { config, script }),
        // Both fail for the same reason.
        [Err(refused), _] | [_, Err(refused)] => {
            mistakes.push(refused.diagnostic(Severity::Error));
            None
        }
    }
}

/// Opens the secrets of each node; `None` where one stays closed, which is among the mistakes then.
pub(super) fn open_secrets(
    nodes: &[(&Node, &Rendered)],
    keys: Keys<'_>,
    identity: Option<PathBuf>,
    ui: &Ui,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<Vec<Opened>> {
    let none = || nodes.iter().map(|_| Opened::new()).collect();
    if let Keys::StandIns(values) = keys {
        return Some(nodes.iter().map(|(node, _)| values(node)).collect());
    }
    let is_needed = matches!(keys, Keys::Needed) || identity.is_some();
    let sealed: Vec<BTreeMap<&str, Secret>> = nodes.iter().map(|(node, _)| node.sealed()).collect();
    let secrets = sealed.iter().flat_map(BTreeMap::values);
    if secrets.clone().next().is_none() {
        return Some(none());
    }
    let identities = match identities::find(identity, secrets, ui) {
        Ok(identities) => identities,
        Err(_) if !is_needed => return Some(none()),
        Err(NoKeys::Absent(error)) => {
            mistakes.push(
                Diagnostic::error(error.to_string())
                    .help("the stick carries secrets, which only a private key opens: name it with `--identity FILE`"),
            );
            return None;
        }
        Err(NoKeys::Closed(error)) => {
            mistakes.push(Diagnostic::error(error.to_string()).help(error.help()));
            return None;
        }
    };
    mistakes.extend(identities.warnings().to_vec());
    let nodes = nodes.iter().zip(&sealed);
    let opened = nodes.map(|((node, _), sealed)| open_node(node, sealed, &identities, mistakes));
    // All of them are tried.
    opened.collect::<Vec<_>>().into_iter().collect()
}

fn open_node(
    node: &Node,
    sealed: &BTreeMap<&str, Secret>,
    identities: &Identities,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<Opened> {
    let mut opened = Opened::new();
    let mut failed: BTreeMap<String, (OpenError, Vec<&str>)> = BTreeMap::new();
    for (name, secret) in sealed {
        match open(secret, identities) {
            Ok(value) => drop(opened.insert((*name).to_owned(), value.into_bytes())),
            Err(error) => {
                let failed = failed.entry(error.to_string());
                failed.or_insert((error, Vec::new())).1.push(name);
            }
        }
    }
    let is_whole = failed.is_empty();
    for (why, names) in failed.into_values() {
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let mut mistake = Diagnostic::error(format!("can't open {}: {why}", quoted.join(", ")));
        for name in names {
            if let Some(item) = node.secrets.get(name) {
                mistake = mistake.at(&item.source, item.key());
            }
        }
        let other = "name an identity that can with `--identity FILE`, or set the values anew";
        mistakes.push(mistake.help(why.help().unwrap_or(other)));
    }
    is_whole.then_some(opened)
}

fn find_clock(mistakes: &mut Vec<Diagnostic>) -> Option<Clock> {
    let Some(text) = std::env::var_os(EPOCH).filter(|text| !text.is_empty()) else {
        return Some(Clock::START);
    };
    let seconds = text.to_str().and_then(|text| text.parse().ok());
    if seconds.is_none() {
        mistakes.push(
            Diagnostic::error(format!("`{EPOCH}` is no number of seconds since 1970"))
                .help("write for example `SOURCE_DATE_EPOCH=1767225600`, or unset it"),
        );
    }
    seconds.map(Clock::at)
}
