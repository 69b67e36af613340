//! What a stick needs beside the fleet: URLs, loaders, opened secrets. What is missing is found all at once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::identities::{self, NoKeys};
use super::published::file_url;
use super::{Loaded, stick_loaders};
use crate::cli;
use crate::diagnostic::{Diagnostic, Severity};
use crate::fleet::node::Node;
use crate::render::rendered::Rendered;
use crate::stick::{Clock, Loader, Opened, Sector, Urls};
use crate::ui::Ui;
use crate::vault::open::{OpenError, open};

/// The time of the files on a stick, by the convention of reproducible builds.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// All of it.
pub(super) struct Inputs {
    pub(super) urls: Urls,
    pub(super) loaders: Vec<Loader>,
    pub(super) secrets: Opened,
    pub(super) clock: Clock,
}

/// Finds everything; `None` where something is missing, which is among the mistakes then.
pub(super) fn gather(
    loaded: &Loaded,
    node: &Node,
    rendered: &Rendered,
    sector: Sector,
    args: &cli::MadeOf,
    ui: &Ui,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<Inputs> {
    let urls = find_urls(loaded, rendered, args.raw_url.as_deref(), mistakes);
    let loaders = stick_loaders::find(loaded, node, sector, args.ipxe.clone(), ui, mistakes);
    let secrets = open_secrets(node, args.identity.clone(), ui, mistakes);
    let clock = find_clock(mistakes);
    let (urls, secrets, clock) = (urls?, secrets?, clock?);
    mistakes.extend(stick_loaders::check_network(node, &loaders));
    mistakes.extend(stick_loaders::check_https(
        node,
        &loaders,
        &urls.script,
        &rendered.script.text,
    ));
    for found in loaders.iter().filter(|_| ui.verbose()) {
        ui.say(&format!(
            "loader {}: {}",
            found.path.display(),
            found.loader
        ));
    }
    let loaders = loaders.into_iter().map(|found| Loader {
        target: found.loader.target,
        version: found
            .loader
            .version
            .unwrap_or_else(|| "of no known version".to_owned()),
        features: found.loader.features,
        bytes: found.bytes,
    });
    Some(Inputs {
        urls,
        loaders: loaders.collect(),
        secrets,
        clock,
    })
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

fn open_secrets(
    node: &Node,
    identity: Option<PathBuf>,
    ui: &Ui,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<Opened> {
    if node.secrets.is_empty() {
        return Some(Opened::new());
    }
    let identities = match identities::find(identity, node.secrets.values(), ui) {
        Ok(identities) => identities,
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
    let mut opened = Opened::new();
    let mut failed: BTreeMap<String, (OpenError, Vec<&String>)> = BTreeMap::new();
    for (name, secret) in &node.secrets {
        match open(secret, &identities) {
            Ok(value) => drop(opened.insert(name.clone(), value.into_bytes())),
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
            if let Some(item) = node.profile.find(&["secrets", name]) {
                mistake = mistake.at(&item.source, item.key.clone());
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
