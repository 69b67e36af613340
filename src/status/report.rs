//! What `status` found, in the form of its JSON.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;

use super::served::{Expected, Served};
use super::verdict::{Kind, Verdict};

/// The version of the form.
const FORMAT: u32 = 1;

fn format(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "const": FORMAT })
}

/// What nodes are served, against what they should be
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// The version of this form: a change that breaks readers raises it
    #[schemars(schema_with = "format")]
    pub format: u32,
    /// Whose files nodes should be served, as people know it: `origin/main (1a2b3c4)`
    pub base: String,
    /// The commit that holds them
    pub commit: String,
    /// Every node that was asked for, by name
    pub nodes: Vec<NodeStatus>,
    /// Verdicts that occur, and how many nodes have them
    pub summary: BTreeMap<Kind, usize>,
}

/// The JSON Schema of a report.
#[must_use]
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let mut schema = generator.into_root_schema_for::<Report>();
    schema.insert(
        "title".to_owned(),
        "a status, as `ephemeros --json status` prints it".into(),
    );
    schema.to_value()
}

/// What one node is served
#[derive(Debug, Serialize, JsonSchema)]
pub struct NodeStatus {
    /// Its name
    pub node: String,
    /// The worse one of its files
    pub verdict: Kind,
    /// The short name of the config that is served, which a node that boots it has in `ephemeros.config=`
    pub digest: Option<String>,
    /// Its Ignition config
    pub config: FileStatus,
    /// Its boot script; null where that stands on the stick
    pub script: Option<FileStatus>,
}

/// What is served for one file
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileStatus {
    /// Where nodes fetch it; null where it is not published and nobody can know
    pub url: Option<String>,
    /// Where redirects led to
    pub redirected_to: Option<String>,
    /// What is served there
    pub verdict: Kind,
    /// The same in words
    pub message: String,
    /// What to do
    pub help: Option<&'static str>,
    /// Of `older`, the newest commit that holds what is served
    pub commit: Option<String>,
    /// Of `older`, when that was made, in UTC
    pub date: Option<String>,
    /// The HTTP status, where it says that there is no file
    pub status: Option<u16>,
    /// How many seconds the server wants to be left alone
    pub retry_after: Option<u64>,
    /// All of the verdict.
    #[serde(skip)]
    pub of: Verdict,
}

impl FileStatus {
    /// Of a file, by what was served and what is said of that.
    #[must_use]
    pub fn new(file: &Expected, served: Option<&Served>, verdict: Verdict) -> Self {
        let holder = match &verdict {
            Verdict::Older(holder) => Some(holder),
            _ => None,
        };
        Self {
            url: file.url.clone(),
            redirected_to: served.and_then(|it| it.led_to.clone()),
            verdict: verdict.kind(),
            message: verdict.to_string(),
            help: verdict.help(),
            commit: holder.map(|it| it.short_id.clone()),
            date: holder.map(|it| it.date.clone()),
            status: verdict.status(),
            retry_after: verdict.retry_after(),
            of: verdict,
        }
    }
}

impl NodeStatus {
    /// Of a node, by its files.
    #[must_use]
    pub fn new(
        node: &str,
        digest: Option<String>,
        config: FileStatus,
        script: Option<FileStatus>,
    ) -> Self {
        let worst = script.as_ref().map(|it| it.verdict);
        Self {
            node: node.to_owned(),
            verdict: worst.map_or(config.verdict, |it| it.max(config.verdict)),
            digest,
            config,
            script,
        }
    }
}

impl Report {
    /// Of the nodes.
    #[must_use]
    pub fn new(base: String, commit: String, nodes: Vec<NodeStatus>) -> Self {
        let mut summary = BTreeMap::new();
        for node in &nodes {
            *summary.entry(node.verdict).or_default() += 1;
        }
        Self {
            format: FORMAT,
            base,
            commit,
            nodes,
            summary,
        }
    }

    /// Whether every node is served what was committed.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.summary.keys().all(|kind| *kind == Kind::Committed)
    }
}
