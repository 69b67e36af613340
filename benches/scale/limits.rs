//! What is promised, on two cores, and whether it is kept.

use std::time::Duration;

use serde::Serialize;

use super::table::Row;

/// What a command may take at most.
enum Limit {
    Wall(Duration),
    /// Times the floor.
    Ratio(f64),
    /// Bytes.
    Peak(u64),
    /// Times what it takes for a tenth of the nodes.
    WallGrows(f64),
    PeakGrows(f64),
}

/// Whether one limit is kept.
#[derive(Serialize)]
pub(crate) struct Verdict {
    pub(crate) what: &'static str,
    pub(crate) at_most: f64,
    pub(crate) is: f64,
    pub(crate) missed: bool,
}

fn limits(row: &Row) -> Vec<Limit> {
    let (name, nodes) = (row.command, row.nodes.unwrap_or_default());
    let mut limits = Vec::new();
    if name.starts_with("start-up") {
        limits.push(Limit::Wall(Duration::from_millis(3)));
    }
    if nodes == 10_000 {
        if name == "plan, nothing changed" {
            limits.push(Limit::Wall(Duration::from_millis(1500)));
            limits.push(Limit::Ratio(5.0));
        }
        if name.starts_with("render") {
            limits.push(Limit::Ratio(3.0));
        }
        limits.push(Limit::Peak(200_000_000));
    }
    if nodes == 100_000 {
        limits.push(Limit::WallGrows(11.0));
        limits.push(Limit::PeakGrows(10.0));
    }
    limits
}

/// A verdict on each limit of a row. Those that can't be judged in this run have none.
pub(crate) fn judge(row: &Row, all: &[Row]) -> Vec<Verdict> {
    let tenth = all.iter().find(|it| {
        let nodes = it.nodes.map(|nodes| nodes * 10);
        it.command == row.command && nodes.is_some() && nodes == row.nodes
    });
    let verdict = |limit| {
        let (what, is, at_most) = match limit {
            Limit::Wall(most) => ("wall_s", row.wall_s, most.as_secs_f64()),
            Limit::Ratio(most) => ("ratio", row.ratio?, most),
            Limit::Peak(most) => ("peak_bytes", float(row.peak_bytes), float(most)),
            Limit::WallGrows(most) => ("wall_growth", row.wall_s / tenth?.wall_s, most),
            Limit::PeakGrows(most) => {
                let tenth = float(tenth?.peak_bytes);
                ("peak_growth", float(row.peak_bytes) / tenth, most)
            }
        };
        Some(Verdict {
            what,
            at_most,
            is,
            missed: is > at_most,
        })
    };
    limits(row).into_iter().filter_map(verdict).collect()
}

#[allow(clippy::cast_precision_loss)] // No machine has so much memory.
pub(crate) fn float(bytes: u64) -> f64 {
    bytes as f64
}
