//! A plan as JSON, and the schema of that, made of the same types.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::Value;

use super::compare::{NodePlan, Plan};
use super::cost::Cost;

/// What changes by a plan, as `ephemeros --json plan` prints it.
#[derive(Serialize, JsonSchema)]
pub struct Document<'a> {
    /// The version of this form. A change that breaks readers raises it; further keys don't.
    #[schemars(schema_with = "format")]
    pub format: u32,
    /// What was compared with, for people.
    pub base: &'a str,
    /// Every node that was asked for, by name, the unchanged ones too; and those that the base has and the fleet has not.
    pub nodes: &'a [NodePlan],
    /// How many nodes there are of each cost, without those of which there is none.
    pub summary: BTreeMap<Cost, usize>,
    /// What stands between the fleet's files and the nodes, and what was taken for granted; for people.
    pub notes: &'a [String],
}

/// The one that there is.
const FORMAT: u32 = 1;

impl<'a> Document<'a> {
    /// A plan with the notes on it.
    #[must_use]
    pub fn new(plan: &'a Plan, notes: &'a [String]) -> Self {
        Self {
            format: FORMAT,
            base: &plan.base,
            nodes: &plan.nodes,
            summary: plan.summary(),
            notes,
        }
    }
}

fn format(_: &mut schemars::SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "integer", "const": FORMAT })
}

/// The schema of [`Document`].
#[must_use]
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let settings = settings.with_transform(schemars::transform::RecursiveTransform(join_lines));
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<Document<'_>>();
    schema.insert(
        "title".to_owned(),
        "a plan, as `ephemeros --json plan` prints it".into(),
    );
    schema.to_value()
}

/// The comments in the code have line ends where the code has them.
fn join_lines(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace('\n', " ");
    }
}
