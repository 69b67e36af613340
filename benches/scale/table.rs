//! What was measured, as Markdown for people and as JSON for programs.

use serde::Serialize;

use super::limits::{Verdict, float};
use super::measure::{Measured, own_peak};

/// A command on a fleet.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) command: &'static str,
    /// `None` where it reads no fleet.
    pub(crate) nodes: Option<u32>,
    pub(crate) runs: usize,
    pub(crate) wall_s: f64,
    pub(crate) cpu_s: f64,
    pub(crate) peak_bytes: u64,
    /// Whether it had less, which can't be measured.
    pub(crate) peak_is_a_bound: bool,
    pub(crate) floor: Option<Floor>,
    pub(crate) ratio: Option<f64>,
    pub(crate) limits: Vec<Verdict>,
}

#[derive(Serialize)]
pub(crate) struct Floor {
    pub(crate) what: &'static str,
    pub(crate) wall_s: f64,
    pub(crate) cpu_s: f64,
}

/// All of it.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) format: u32,
    pub(crate) machine: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) translations_a_second: Option<f64>,
    pub(crate) left_out: Vec<String>,
    /// How many limits.
    pub(crate) missed: usize,
}

impl Row {
    pub(crate) fn new(
        command: &'static str,
        nodes: Option<u32>,
        floor: Option<&'static str>,
        measured: &Measured,
    ) -> Self {
        let used = measured.used;
        Self {
            command,
            nodes,
            runs: measured.rounds,
            wall_s: used.wall.as_secs_f64(),
            cpu_s: used.cpu.as_secs_f64(),
            peak_bytes: used.peak,
            peak_is_a_bound: used.peak <= own_peak(),
            floor: floor.zip(measured.floor).map(|(what, used)| Floor {
                what,
                wall_s: used.wall.as_secs_f64(),
                cpu_s: used.cpu.as_secs_f64(),
            }),
            ratio: measured.ratio,
            limits: Vec::new(),
        }
    }

    fn to_markdown(&self) -> String {
        let nodes = self.nodes.map(number).unwrap_or_default();
        let each = self.nodes.filter(|nodes| *nodes >= 1000);
        let each = each.map(|nodes| time(self.wall_s / f64::from(nodes)));
        let least = if self.peak_is_a_bound { "< " } else { "" };
        let floor = self.floor.as_ref();
        let floor = floor.map(|it| format!("{}: {}", it.what, time(it.wall_s)));
        let ratio = self.ratio.map(|it| format!("{it:.1}"));
        format!(
            "| {} | {nodes} | {} | {} | {} | {least}{:.0} MB | {} | {} | {} |\n",
            self.command,
            time(self.wall_s),
            each.unwrap_or_default(),
            time(self.cpu_s),
            float(self.peak_bytes) / 1e6,
            floor.unwrap_or_default(),
            ratio.unwrap_or_default(),
            verdicts(&self.limits),
        )
    }
}

fn verdicts(limits: &[Verdict]) -> String {
    let told = limits.iter().map(|it| {
        let text = match it.what {
            "wall_s" => format!("at most {}", time(it.at_most)),
            "ratio" => format!("at most {} times the floor", it.at_most),
            "peak_bytes" => format!("at most {:.0} MB", it.at_most / 1e6),
            what => {
                let what = if what == "wall_growth" {
                    "time"
                } else {
                    "memory"
                };
                format!(
                    "{what} {:.1} times that of a tenth, at most {}",
                    it.is, it.at_most
                )
            }
        };
        if it.missed {
            format!("**missed**: {text}")
        } else {
            format!("kept: {text}")
        }
    });
    told.collect::<Vec<_>>().join("; ")
}

impl Report {
    pub(crate) fn to_markdown(&self) -> String {
        let mut text = format!(
            "{}\n\n| command | nodes | time | a node | CPU | memory | floor | ratio | limits |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n",
            self.machine
        );
        for row in &self.rows {
            text += &row.to_markdown();
        }
        if let Some(rate) = self.translations_a_second {
            let length = super::translate::length();
            text += &format!(
                "\nIn one process a config of {length} bytes is translated {rate:.0} times in a second of one core's time.\n"
            );
        }
        for left_out in &self.left_out {
            text += &format!("\nLeft out: {left_out}\n");
        }
        text
    }
}

/// In three digits.
fn time(seconds: f64) -> String {
    let (value, unit) = match seconds {
        it if it < 1e-3 => (it * 1e6, "µs"),
        it if it < 1.0 => (it * 1e3, "ms"),
        it => (it, "s"),
    };
    let digits = match value {
        it if it < 10.0 => 2,
        it if it < 100.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

fn number(nodes: u32) -> String {
    match nodes {
        0..1000 => nodes.to_string(),
        _ => format!("{},{:03}", nodes / 1000, nodes % 1000),
    }
}
