//! The record of a stick that was written.

use std::path::PathBuf;

use uuid::Uuid;

use super::super::{Failure, lock, records};
use super::Target;
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::fleet::node::{Fleet, Node};
use crate::git;
use crate::stick::record::{Moment, Recorded, State, record_path};
use crate::stick::{Kind, Label};
use crate::ui::Ui;
use crate::write::Batch;

/// Where a stick is to be recorded.
pub(super) struct Recorder {
    root: PathBuf,
    fleet_id: Uuid,
    /// Whether model and serial number are to stand there.
    with_drive: bool,
}

impl Recorder {
    /// Reads the record, so that a mistake in it is known before anything is written. `None` where none is kept.
    pub(super) fn new(
        args: &cli::Flash,
        target: &Target,
        node: &Node,
        fleet: &Fleet,
        mistakes: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let is_file = matches!(target.device.kind, Kind::Loop(_));
        if args.dry_run || is_file && !args.record {
            return None;
        }
        if let Err(found) = records::open(&fleet.root, &node.name) {
            mistakes.extend(found);
        }
        Some(Self {
            root: fleet.root.clone(),
            fleet_id: fleet.id,
            with_drive: node.stick.record_serial,
        })
    }

    /// Notes the stick, in place of the one that the drive was before. Where nothing had to be written and it is noted
    /// already, there is nothing to do. Gives the files that it wrote.
    pub(super) fn note(
        &self,
        args: &cli::Flash,
        target: &Target,
        label: &Label,
        before: Option<&Label>,
        was_there: bool,
        ui: &Ui,
    ) -> Result<Vec<String>, Failure> {
        let kept = format!(
            "the stick is written and good; `ephemeros flash {} {} --update` records it",
            label.node,
            target.device.path.display()
        );
        self.try_note(args, target, label, before, was_there, ui)
            .map_err(|failure| match failure {
                Failure::Problem { message, .. } => {
                    Failure::problem(format!("the stick is not recorded: {message}"), Some(&kept))
                }
                other => {
                    ui.say(&kept);
                    other
                }
            })
    }

    fn try_note(
        &self,
        args: &cli::Flash,
        target: &Target,
        label: &Label,
        before: Option<&Label>,
        was_there: bool,
        ui: &Ui,
    ) -> Result<Vec<String>, Failure> {
        let lock = lock(&self.root, "flash")?;
        let fail = |mistakes| super::super::fail(ui, mistakes);
        let mut record = records::open(&self.root, &label.node).map_err(fail)?;
        if was_there && record.sticks().iter().any(|it| it.id == label.stick) {
            return Ok(Vec::new());
        }
        let device = &target.device;
        let drive = self
            .with_drive
            .then(|| (device.model.clone(), device.serial.clone()));
        let before = before.filter(|it| it.fleet_id == self.fleet_id && it.stick != label.stick);
        let mut files = Vec::new();
        if let Some(other) = before.filter(|it| it.node != label.node)
            && let Ok(mut record) = records::open(&self.root, &other.node)
            && record.forget(other.stick)
        {
            files.push((other.node.clone(), record));
        }
        let stick = Recorded::of(label, target.sector(), Moment::now(), drive);
        record.add(stick, before.map(|it| it.stick));
        let others = record.sticks().iter().filter(|it| it.state != State::Lost);
        if others.count() > 1 {
            ui.say(&format!(
                "note: {} has more than one stick now, and this is the active one: never have two of them in one machine",
                label.node
            ));
        }
        files.push((label.node.clone(), record));
        let mut batch = Batch::new();
        for (node, record) in &files {
            records::stage(&mut batch, &self.root, node, record)?;
        }
        batch.commit()?;
        let paths: Vec<String> = files.iter().map(|(node, _)| record_path(node)).collect();
        drop(lock);
        if args.commit {
            let message = format!("Record the stick of {}", label.node);
            git::cli::commit(&self.root, &paths, &message).map_err(|error| {
                Failure::problem(error, Some("the record is written: commit it by hand"))
            })?;
        }
        Ok(paths)
    }
}
