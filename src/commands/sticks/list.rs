//! `sticks list`: the sticks of each node, and what `plan` says of them.

use std::path::Path;

use serde_json::json;

use crate::commands::{Failure, Outcome, load, records};
use crate::diagnostic::printable;
use crate::fleet::files::Folder;
use crate::fleet::node::Node;
use crate::plan::base;
use crate::plan::sticks::{StickPlan, Verdict};
use crate::stick::record::{Recorded, State, read_all, short};
use crate::ui::Ui;

/// A stick, with all that is said of it.
struct Row<'a> {
    name: &'a str,
    /// `None` where the fleet has it no more.
    node: Option<&'a Node>,
    stick: &'a Recorded,
    plan: Option<StickPlan>,
}

pub(super) fn run(patterns: &[String], start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let mut loaded = load(start, ui)?;
    let records = if patterns.is_empty() {
        // Those of nodes that are gone, too.
        let files = Folder(loaded.fleet.root.clone());
        let (records, mistakes) = read_all(&files, |_| true)?;
        loaded.diagnostics.extend(mistakes);
        records
    } else {
        loaded.read_records(patterns)?
    };
    let rendered = loaded.render(patterns, ui)?;
    let base = base::find(loaded.repo.as_ref(), &loaded.fleet.git, None)?;
    let before = records::before(&loaded, &base)?;
    let before = records::resolve_before(before.as_ref(), &rendered);
    let mut judged = records::judge(&loaded, before.as_ref(), &rendered, &records);
    let mut rows = Vec::new();
    for (name, record) in &records {
        let mut plans = judged.remove(name).unwrap_or_default().into_iter();
        for stick in &record.sticks {
            rows.push(Row {
                name,
                node: loaded.fleet.node(name),
                stick,
                plan: plans.next(),
            });
        }
    }
    if ui.json() {
        let sticks: Vec<_> = rows.iter().map(Row::to_json).collect();
        let text = json!({ "format": 1, "sticks": sticks });
        ui.result(&format!("{text:#}\n"))?;
        return Ok(Outcome::Done);
    }
    let mut last = None;
    for row in &rows {
        if last != Some(row.name) {
            ui.result(&format!("{}\n", row.name))?;
            last = Some(row.name);
        }
        ui.result(&row.line())?;
    }
    if rows.is_empty() {
        ui.say("no stick is recorded; `ephemeros flash` records those that it writes");
    }
    Ok(Outcome::Done)
}

impl Row<'_> {
    fn line(&self) -> String {
        let stick = self.stick;
        let drive = [&stick.model, &stick.serial];
        let drive: Vec<String> = drive
            .into_iter()
            .flatten()
            .map(|it| printable(it))
            .collect();
        let drive = if drive.is_empty() {
            String::new()
        } else {
            format!("  ({})", drive.join(", "))
        };
        format!(
            "  {}  {:6}  {}  {}{drive}\n",
            short(stick.id),
            stick.state.word(),
            stick.flashed.date(),
            self.told()
        )
    }

    fn told(&self) -> String {
        let Some(plan) = &self.plan else {
            return "the fleet has no such node".to_owned();
        };
        if self.stick.state == State::Lost {
            let good = self.good();
            return if good.is_empty() {
                "no secret on it is still good".to_owned()
            } else {
                format!("still good: {}", good.join(", "))
            };
        }
        let what = match plan.verdict {
            Verdict::Current => return "current".to_owned(),
            Verdict::Reflash => "to re-flash",
            Verdict::ReflashFirst => "to re-flash first",
        };
        let reasons: Vec<String> = plan.reasons.iter().map(ToString::to_string).collect();
        format!("{what}: {}", reasons.join(", "))
    }

    /// The secrets on it that have the same value today.
    fn good(&self) -> Vec<String> {
        let today = self.node.map(Node::versions).unwrap_or_default();
        let carried = self.stick.secrets.iter();
        let good =
            carried.filter(|(name, version)| today.get(name.as_str()) == Some(&version.as_str()));
        good.map(|(name, _)| format!("`{}`", printable(name)))
            .collect()
    }

    fn to_json(&self) -> serde_json::Value {
        let plan = self.plan.as_ref();
        json!({
            "node": self.name,
            "id": self.stick.id,
            "state": self.stick.state,
            "flashed": self.stick.flashed.to_string(),
            "verdict": plan.map(|plan| plan.verdict),
            "reasons": plan.map_or(&[][..], |plan| &plan.reasons[..]),
            "notes": plan.map_or(&[][..], |plan| &plan.notes),
            "secrets": self.stick.secrets,
            "model": self.stick.model,
            "serial": self.stick.serial,
        })
    }
}
