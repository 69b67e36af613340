//! A stick that somebody named by its id, or by the beginning of it.

use uuid::Uuid;

use super::Failure;
use crate::stick::record::short;

/// A stick that may be meant.
pub(super) struct Candidate<'a> {
    pub(super) id: Uuid,
    pub(super) node: &'a str,
    /// `active`, `spare`, `lost`; or `forgotten`.
    pub(super) state: &'a str,
}

/// The fewest digits that name a stick.
const FEWEST: usize = 4;

/// How many sticks are told apart in a message.
const TOLD: usize = 8;

/// Which of them is meant.
pub(super) fn pick(id: &str, all: &[Candidate<'_>]) -> Result<usize, Failure> {
    let digits = id.replace('-', "").to_lowercase();
    let is_id = (FEWEST..=32).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id {
        return Err(Failure::Usage {
            message: format!("`{id}` is no id of a stick"),
            help: format!(
                "write it whole, or at least {FEWEST} of its first digits; `ephemeros sticks list` has them"
            ),
        });
    }
    let fits = |at: &usize| all[*at].id.simple().to_string().starts_with(&digits);
    let fitting: Vec<usize> = (0..all.len()).filter(fits).collect();
    match fitting.as_slice() {
        [one] => Ok(*one),
        [] => Err(Failure::problem(
            format!("no stick with the id `{id}` is recorded"),
            Some(&if all.is_empty() {
                "no stick is recorded at all; `ephemeros flash` records those that it writes"
                    .to_owned()
            } else {
                format!("there are {}", told(all.iter(), short))
            }),
        )),
        several => Err(Failure::problem(
            format!("`{id}` fits {} sticks", several.len()),
            Some(&format!(
                "write more of it: {}",
                told(several.iter().map(|at| &all[*at]), |id| id.to_string())
            )),
        )),
    }
}

fn told<'a>(
    sticks: impl ExactSizeIterator<Item = &'a Candidate<'a>>,
    id: impl Fn(Uuid) -> String,
) -> String {
    let more = match sticks.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let listed = sticks.take(TOLD);
    let listed: Vec<String> = listed
        .map(|it| format!("{} of {} ({})", id(it.id), it.node, it.state))
        .collect();
    listed.join(", ") + &more
}
