//! What a node's own reports add to its story.

use std::collections::BTreeSet;

use super::{Line, Story, Verdict};
use crate::boot::reporter::Report;

/// How many units and mistakes of one kind are told one by one.
const FEW: usize = 4;

/// How many reports in a row may wait for a device: there are none but those that are there from the start.
const WAITS: usize = 6;

impl Story {
    pub(super) fn reported(&mut self, report: &Report) -> Vec<Line> {
        let mut lines = Vec::new();
        for (unit, log) in report.failed.iter().take(FEW) {
            let own = log.iter().rev().find(|line| !is_systemd(line));
            let ends = |line: &&String| line.contains("Main process exited");
            let last = own.or_else(|| log.iter().rev().find(ends)).or(log.last());
            let why = last.map_or_else(String::new, |line| format!(": {line}"));
            lines.extend(self.line("failed", format!("{unit} failed{why}")));
        }
        for lost in report.lost.iter().take(FEW) {
            lines.extend(self.line("lost", format!("systemd: {lost}")));
        }
        if !report.is_settled() {
            return [lines, self.starting(report)].concat();
        }
        if self.verdict.is_some() {
            return lines;
        }
        let units: Vec<&str> = report.failed.keys().map(String::as_str).collect();
        if !units.is_empty() {
            self.fail(format!("units failed: {}", units.join(", ")));
        } else if let Some(first) = report.lost.first() {
            self.fail(format!("units did not start: {first}"));
        } else if report.state == "running" {
            self.verdict = Some(Verdict::Online);
        } else {
            self.fail(format!("systemd says that the system is {}", report.state));
        }
        lines
    }

    fn starting(&mut self, report: &Report) -> Vec<Line> {
        if !self.told.contains(IN) {
            return self.line("report", IN);
        }
        let is_device = |unit: &&String| unit.ends_with(".device");
        let devices: BTreeSet<&String> = report.jobs.iter().filter(is_device).collect();
        self.waits.retain(|unit, _| devices.contains(unit));
        for device in devices {
            let times = self.waits.entry(device.clone()).or_default();
            *times += 1;
            if *times == WAITS {
                let device = unescape(device.trim_end_matches(".device"));
                self.fail(format!(
                    "the system waits for /{device}, which is not there"
                ));
            }
        }
        if !report.jobs.is_empty() {
            self.now = format!("systemd still starts {}", report.jobs.join(", "));
        }
        Vec::new()
    }
}

/// What is told when a node reports for the first time.
const IN: &str = "the node has reported in";

/// Whether a line of a unit's log is systemd's own, which says that it failed and not why.
fn is_systemd(line: &str) -> bool {
    [
        "Main process exited",
        "Failed with result",
        "Failed to start",
        "Starting ",
        "Scheduled restart",
        "Start request repeated",
        "Consumed ",
    ]
    .iter()
    .any(|it| line.contains(it))
}

/// A path that is a unit's name, see systemd.unit(5).
fn unescape(name: &str) -> String {
    let mut parts = name.replace('-', "/");
    while let Some(at) = parts.find("\\x") {
        let code = parts.get(at + 2..at + 4);
        let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) else {
            return parts;
        };
        parts.replace_range(at..at + 4, &char::from(byte).to_string());
    }
    parts
}
