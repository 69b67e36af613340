//! Secrets in what is public: in the files that people write, and in what is rendered from them.

use std::collections::HashMap;

use rayon::prelude::*;

use super::rendered::{Rendered, ignition_path, script_path};
use crate::diagnostic::Diagnostic;
use crate::fleet::allowed::Allowed;
use crate::fleet::public::Input;
use crate::ignition::Config;
use crate::ignition::view;
use crate::secrets::leak::{Finding, Guard};
use crate::source::Source;

/// A text of a config that many nodes may share, and that is looked at once, in bytes.
const LONG: usize = 256;

/// Stands in for long data, for what is around it.
const DATA: &str = "data:,long-data";

/// Looks for secrets, and remembers what it found in the files that people wrote.
pub struct Exposure<'a> {
    guard: Guard<'a>,
    allowed: Allowed<'a>,
    found: Vec<Finding>,
}

impl<'a> Exposure<'a> {
    /// Nothing was looked at yet.
    #[must_use]
    pub fn new(guard: Guard<'a>, allowed: Allowed<'a>) -> Self {
        Self {
            guard,
            allowed,
            found: Vec::new(),
        }
    }

    /// What may be public.
    #[must_use]
    pub fn allowed(&self) -> &Allowed<'a> {
        &self.allowed
    }

    /// Looks at the files that people wrote.
    pub fn check_inputs(&mut self, inputs: &[Input]) -> Vec<Diagnostic> {
        let findings: Vec<Vec<Finding>> = inputs
            .par_iter()
            .map(|input| self.guard.find(input.bytes()))
            .collect();
        let mut mistakes = Vec::new();
        for (input, findings) in inputs.iter().zip(findings) {
            let spans = || findings.iter().map(|it| it.span.clone());
            let source = match input {
                Input::Text(source) => Some(source.hiding_too(spans())),
                Input::Binary(..) => None,
                Input::TooLarge(path) => {
                    let message = format!("`{path}` is too large to be looked through for secrets");
                    mistakes.push(
                        Diagnostic::error(message).help("move it away: no config could carry it"),
                    );
                    None
                }
            };
            for finding in &findings {
                if self.allowed.allows(input.path(), &finding.name) {
                    continue;
                }
                let mistake = match &source {
                    Some(source) => {
                        Diagnostic::error(format!("{} stands in a public file", finding.what))
                            .at(source, finding.span.clone())
                    }
                    None => {
                        Diagnostic::error(format!("{} stands in `{}`", finding.what, input.path()))
                    }
                };
                mistakes.push(mistake.help(help(input.path(), finding)));
            }
            self.found.extend(findings);
        }
        mistakes
    }

    /// Looks at what nodes will fetch. What stands in a file that people wrote was told there.
    #[must_use]
    pub fn check_rendered(&self, rendered: &[Rendered]) -> Vec<Diagnostic> {
        let configs: Vec<(String, Vec<&str>)> = rendered
            .par_iter()
            .map(|node| split(&node.ignition))
            .collect();
        let mut texts: HashMap<&str, usize> = HashMap::new();
        for text in configs.iter().flat_map(|(_, long)| long) {
            let next = texts.len();
            texts.entry(text).or_insert(next);
        }
        let mut long: Vec<&str> = vec![""; texts.len()];
        for (text, index) in &texts {
            long[*index] = text;
        }
        let long: Vec<Vec<Finding>> = long
            .par_iter()
            .map(|text| self.guard.find(text.as_bytes()))
            .collect();
        let mistakes: Vec<Vec<Diagnostic>> = rendered
            .par_iter()
            .zip(configs)
            .map(|(node, (short, texts_of_node))| {
                let mut findings = self.guard.find(short.as_bytes());
                let of_long = texts_of_node.iter().flat_map(|text| &long[texts[text]]);
                findings.extend(of_long.cloned());
                let config = findings
                    .into_iter()
                    .map(|it| (ignition_path(&node.node), it));
                let script = self.guard.find(node.script.text.as_bytes());
                let script = script.into_iter().map(|it| (script_path(&node.node), it));
                config
                    .chain(script)
                    .filter_map(|(path, finding)| self.describe(node, &path, &finding))
                    .collect()
            })
            .collect();
        mistakes.into_iter().flatten().collect()
    }

    fn describe(&self, node: &Rendered, path: &str, finding: &Finding) -> Option<Diagnostic> {
        if self.found.iter().any(|it| it.is_same(finding))
            || self.allowed.allows(path, &finding.name)
        {
            return None;
        }
        let message = if path.ends_with(".ipxe") {
            format!("the rendered boot script holds {}", finding.what)
        } else {
            let thing = self.place(node, finding);
            let thing = thing.map_or(String::new(), |thing| format!(", in `{thing}`"));
            format!("the rendered config holds {}{thing}", finding.what)
        };
        let mistake = Diagnostic::error(message).node(&node.node);
        let (folder, file) = path.split_once('/').unwrap_or_default();
        let ending = file.rsplit('.').next().unwrap_or_default();
        Some(mistake.help(help(&format!("{folder}/*.{ending}"), finding)))
    }

    /// The file, unit or whatever holds it.
    fn place(&self, node: &Rendered, finding: &Finding) -> Option<String> {
        let source = Source::rendered("the config", &node.ignition, &node.node);
        let (config, _) = Config::parse(&source);
        let holds = |text: &[u8]| self.guard.find(text).iter().any(|it| it.is_same(finding));
        let (name, _) = view(&config?).into_iter().find(|(_, entry)| {
            entry.contents.iter().any(|it| holds(it))
                || entry.attributes.values().any(|it| holds(it.as_bytes()))
        })?;
        Some(name)
    }
}

/// The long texts of a config, and the config without them.
fn split(json: &str) -> (String, Vec<&str>) {
    let mut short = String::with_capacity(json.len().min(4096));
    let mut long = Vec::new();
    let mut rest = json;
    while let Some(quote) = rest.find('"') {
        let (before, text) = rest.split_at(quote + 1);
        short.push_str(before);
        let end = end_of_text(text);
        let (text, after) = text.split_at(end);
        if text.len() >= LONG {
            // Some rules ask what stands around such a text, and whether it is data.
            if text.starts_with("data:") {
                short.push_str(DATA);
            }
            long.push(text);
        } else {
            short.push_str(text);
        }
        let (quote, after) = after.split_at(after.len().min(1));
        short.push_str(quote);
        rest = after;
    }
    short.push_str(rest);
    (short, long)
}

/// Where the quote stands that ends a text in JSON.
fn end_of_text(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    });
    end.unwrap_or(text.len())
}

fn help(file: &str, finding: &Finding) -> String {
    let name = &finding.name;
    let instead = if finding.is_value {
        "take it out, and read it from the secrets volume; set another value with `ephemeros secrets set` if it was pushed"
    } else {
        "encrypt it with `ephemeros secrets set`, and read it from the secrets volume; if it was pushed, change it"
    };
    let [file, name] = [file, name].map(|text| toml::Value::from(text).to_string());
    format!(
        "{instead}\nif it may be public, say so in fleet.toml:\n[[vault.allow]]\nfile = {file}\nname = {name}\nreason = \"…\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_off_long_texts() {
        let text = "\\\"\\\\".repeat(LONG);
        let json = format!(r#"{{"a":"{text}","b\"":"{text}","c":[1,"d"]}}"#);
        let (short, long) = split(&json);
        let key = format!(
            r#"{{"keyFile":{{"source":"data:;base64,{}"}}}}"#,
            "A".repeat(LONG)
        );
        assert_eq!(split(&key).0, r#"{"keyFile":{"source":"data:,long-data"}}"#);
        assert_eq!(short, r#"{"a":"","b\"":"","c":[1,"d"]}"#);
        assert_eq!(long, [&text, &text]);
    }
}
