//! `sticks active`, `spare`, `lost` and `forget`. They ask for no more of the fleet than its records: who lost a stick
//! has no time for mistakes elsewhere.

use std::path::Path;

use serde_json::json;

use crate::commands::stick_id::{Candidate, pick};
use crate::commands::{Failure, Outcome, count, fail, find_root, lock, records};
use crate::fleet::files::Folder;
use crate::stick::record::{Record, State, read_all, short};
use crate::ui::Ui;
use crate::write::Batch;

/// Puts a stick into a state; without one it is forgotten.
pub(super) fn run(
    command: &str,
    id: &str,
    state: Option<State>,
    start: &Path,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    let _lock = lock(start, &format!("sticks {command}"))?;
    let root = find_root(start)?;
    let (records, mistakes) = read_all(&Folder(root.clone()), |_| true)?;
    if !mistakes.is_empty() {
        return Err(fail(ui, mistakes));
    }
    let all = records.iter().flat_map(|(node, file)| {
        let sticks = file.sticks.iter();
        sticks.map(move |stick| (node, file, stick))
    });
    let all: Vec<_> = all.collect();
    let candidates = all.iter().map(|(node, _, stick)| Candidate {
        id: stick.id,
        node,
        state: stick.state.word(),
    });
    let (node, file, stick) = all[pick(id, &candidates.collect::<Vec<_>>())?];
    let mut record = Record::read(&file.source).map_err(|mistakes| fail(ui, mistakes))?;
    let active = |record: &Record| {
        let mut sticks = record.sticks().iter();
        sticks.find(|it| it.state == State::Active).map(|it| it.id)
    };
    let before = active(&record);
    match state {
        Some(state) => record.set_state(stick.id, state),
        None => record.forget(stick.id),
    };
    if state != Some(stick.state) {
        let mut batch = Batch::new();
        records::stage(&mut batch, &root, node, &record)?;
        batch.commit()?;
    }
    if ui.json() {
        let text = json!({
            "format": 1,
            "node": node,
            "id": stick.id,
            "before": stick.state,
            "state": state,
        });
        ui.result(&format!("{text:#}\n"))?;
    }
    let name = short(stick.id);
    ui.say(&match state {
        None => {
            format!("forgot the stick {name} of {node}; what it carried stands in git's history")
        }
        Some(state) if state == stick.state => {
            format!("the stick {name} of {node} was {} before", state.word())
        }
        Some(state) => format!("the stick {name} of {node} is {} now", state.word()),
    });
    match (before, active(&record)) {
        (Some(before), Some(now)) if before != now && state == Some(State::Active) => {
            ui.say(&format!("{}, which was active, is spare", short(before)));
        }
        (_, None) if !record.sticks().is_empty() => ui.say(&format!(
            "{node} has no active stick: `ephemeros sticks active ID` says which it is"
        )),
        _ => {}
    }
    if state == Some(State::Lost) && !stick.secrets.is_empty() {
        ui.say(&format!(
            "who has it has {}: `ephemeros secrets exposed --stick {name}` says which to set anew",
            count(stick.secrets.len(), "secret")
        ));
    }
    Ok(Outcome::Done)
}
