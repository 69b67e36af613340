//! `show`: one node at any stage of the way.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;

use super::published::file_url;
use super::{Failure, Outcome, load};
use crate::cli::{self, Stage};
use crate::fleet::document::{Item, Value};
use crate::fleet::node::Node;
use crate::ipxe;
use crate::render::all::templates;
use crate::ui::Ui;

pub(super) fn run(args: &cli::Show, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let loaded = load(start, ui)?;
    let (name, rendered) = loaded.render_one(&args.node, ui)?;
    let node = loaded.node(&name)?;
    let [(path, config), _] = rendered.files();
    let url = || file_url(&loaded, &path, config, args.raw_url.as_deref());
    let text = match args.stage {
        Stage::Profile => profile(node),
        Stage::Butane => templates(&loaded.fleet, node, &loaded.engine()?)
            .iter()
            .map(|source| numbered(&source.name, &source.text))
            .collect(),
        Stage::Ignition => pretty(&rendered.ignition),
        Stage::Ipxe => rendered.script.text.clone(),
        Stage::Cmdline => cmdline(node, &rendered.script.text, &url()?)?,
        Stage::Url => url()? + "\n",
    };
    if ui.json() {
        let stage = format!("{:?}", args.stage).to_lowercase();
        let text = json!({ "format": 1, "node": name, "stage": stage, "text": text });
        ui.result(&format!("{text:#}\n"))?;
    } else {
        ui.text(&text)?;
    }
    Ok(Outcome::Done)
}

/// Every value with the line that set it.
fn profile(node: &Node) -> String {
    let mut lines = Vec::new();
    gather("", &node.profile, &mut lines);
    lines.push((format!("# hostname = {}", node.hostname), String::new()));
    lines.push((
        format!("# roles in force: {}", node.roles.join(", ")),
        String::new(),
    ));
    let width = lines
        .iter()
        .filter(|(_, origin)| !origin.is_empty())
        .map(|(value, _)| value.chars().count())
        .max()
        .unwrap_or(0)
        .min(80);
    lines
        .iter()
        .fold(String::new(), |mut text, (value, origin)| {
            // Writing to a string can't fail.
            let _ = if origin.is_empty() {
                writeln!(text, "{value}")
            } else {
                writeln!(text, "{value:width$}  # {origin}")
            };
            text
        })
}

fn gather(path: &str, item: &Item, lines: &mut Vec<(String, String)>) {
    let origin = |item: &Item| {
        let at = item.source.position(item.span().start);
        format!("{}:{}", item.source.name, at.line)
    };
    match &item.value {
        Value::Table(table) if !table.is_empty() => {
            for (key, child) in table {
                let path = match path {
                    "" => quoted_key(key),
                    path => format!("{path}.{}", quoted_key(key)),
                };
                gather(&path, child, lines);
            }
        }
        Value::Array(items) if items.iter().any(|child| origin(child) != origin(item)) => {
            for child in &**items {
                lines.push((format!("{path} += {}", toml_text(child)), origin(child)));
            }
        }
        _ => lines.push((format!("{path} = {}", toml_text(item)), origin(item))),
    }
}

fn quoted_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else {
        toml::Value::from(key).to_string()
    }
}

fn toml_text(item: &Item) -> String {
    if let Some(text) = item.text() {
        return match text.strip_prefix("age:") {
            Some(fields) => format!("\"age:{}…\"", fields.rsplit_once(':').map_or("", |it| it.0)),
            None => toml::Value::from(text).to_string(),
        };
    }
    match &item.value {
        Value::Written | Value::String(_) => String::new(),
        Value::Integer(integer) => integer.to_string(),
        Value::Float(float) => float.to_string(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Datetime(datetime) => datetime.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(toml_text).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(table) => {
            let entries = table.iter();
            let entries: Vec<String> = entries
                .map(|(key, item)| format!("{} = {}", quoted_key(key), toml_text(item)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// The lines with their numbers, as mistakes show them.
fn numbered(name: &str, text: &str) -> String {
    let width = text.lines().count().to_string().len();
    let mut numbered = format!("{name}\n");
    for (number, line) in text.lines().enumerate() {
        // Writing to a string can't fail.
        let _ = writeln!(numbered, "{:width$} | {line}", number + 1);
    }
    numbered.push('\n');
    numbered
}

fn pretty(json: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(json) {
        Ok(value) => format!("{value:#}\n"),
        Err(_) => json.to_owned(),
    }
}

/// What Linux is told when the script runs and every fetch succeeds.
fn cmdline(node: &Node, script: &str, url: &str) -> Result<String, Failure> {
    let settings = BTreeMap::from([
        ("node".to_owned(), node.name.clone()),
        ("config-url".to_owned(), url.to_owned()),
    ]);
    let script = ipxe::read(script);
    let run = ipxe::run(&script, &settings, &|_| false);
    match run.cmdline() {
        Some(cmdline) => Ok(format!("{cmdline}\n")),
        None => Err(Failure::problem(
            "the boot script starts no kernel",
            Some("see `ephemeros show --stage ipxe`"),
        )),
    }
}
