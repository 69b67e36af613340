//! The record of a stick that was written.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::super::{Failure, Loaded, fail, lock_file, records};
use super::Target;
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::fleet::node::Node;
use crate::git::cli::Program;
use crate::git::cli::commit::commit;
use crate::progress::Silent;
use crate::stick::record::{Moment, Record, Recorded, State, record_path};
use crate::stick::{Kind, Label};
use crate::ui::Ui;
use crate::write::{Batch, Lock, WriteError};

/// Who makes many sticks makes some at once, so one waits for the other.
const PATIENCE: Duration = Duration::from_secs(20);

const LOOK: Duration = Duration::from_millis(100);

/// Where a stick is to be recorded.
pub(super) struct Recorder {
    root: PathBuf,
    fleet_id: Uuid,
    /// Whether model and serial number are to stand there.
    with_drive: bool,
}

/// The records that change, by node.
type Changed = Vec<(String, Record)>;

impl Recorder {
    /// `None` where no record is kept.
    pub(super) fn new(
        args: &cli::Flash,
        target: &Target,
        node: &Node,
        loaded: &Loaded,
        mistakes: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let is_file = matches!(target.device.kind, Kind::Loop(_));
        let is_recorded = args.record || !is_file;
        if args.commit && (!is_recorded || loaded.repo.is_none()) {
            let (why, help) = if is_recorded {
                ("there is no git repository", "leave `--commit` out")
            } else {
                ("loop devices are not recorded", "add `--record`")
            };
            let message = format!("`--commit` has nothing to commit: {why}");
            mistakes.push(Diagnostic::error(message).help(help));
        }
        if args.dry_run || !is_recorded {
            return None;
        }
        if let Err(found) = records::open(&loaded.fleet.root, &node.name) {
            mistakes.extend(found);
        }
        Some(Self {
            root: loaded.fleet.root.clone(),
            fleet_id: loaded.fleet.id,
            with_drive: node.stick.record_serial,
        })
    }

    /// Goes through all of [`Recorder::note`] but the end, so that what is in its way is known before a drive is written.
    pub(super) fn rehearse(
        &self,
        target: &Target,
        label: &Label,
        before: Option<&Label>,
        ui: &Ui,
    ) -> Result<(), Failure> {
        let changed = self.changed(target, label, before, ui)?;
        self.stage(&changed).map(drop).map_err(|error| {
            Failure::problem(
                format!(
                    "the stick could not be recorded: {error}; nothing was written to the drive"
                ),
                Some("see that you may write there"),
            )
        })
    }

    /// Notes the stick, in place of the one that the drive was before. Gives the files that it wrote: none where all of
    /// it is noted already.
    pub(super) fn note(
        &self,
        target: &Target,
        label: &Label,
        before: Option<&Label>,
        ui: &Ui,
    ) -> Result<Vec<String>, Failure> {
        let done = self.lock().and_then(|_lock| {
            let changed = self.changed(target, label, before, ui)?;
            self.stage(&changed)?.commit()?;
            Ok(changed)
        });
        let changed = done.map_err(|failure| match failure {
            Failure::Problem { message, .. } => Failure::problem(
                format!("the stick is not recorded: {message}"),
                Some("it is written and good: the same command with `--update` records it"),
            ),
            other => other,
        })?;
        for (node, record) in &changed {
            let others = record.sticks().iter().filter(|it| it.state != State::Lost);
            if others.count() > 1 && *node == label.node {
                ui.say(&format!(
                    "note: {node} has more than one stick now, and this is the active one: never have two of them in one machine"
                ));
            }
        }
        Ok(changed.iter().map(|(node, _)| record_path(node)).collect())
    }

    /// Commits what was noted.
    pub(super) fn commit(&self, label: &Label, files: &[String]) -> Result<(), Failure> {
        let message = format!("Record the stick of {}", label.node);
        let program = Program::new(&self.root, &Silent);
        let done = commit(&program, files, &message).map(drop);
        done.map_err(|error| {
            Failure::problem(
                format!("the stick is written and recorded, and that is not committed: {error}"),
                Some(&format!(
                    "commit it by hand: `git add {0} && git commit {0}`",
                    files.join(" ")
                )),
            )
        })
    }

    /// The stick that a drive was is no more, and another one is not there yet.
    pub(super) fn forget(&self, before: &Label, ui: &Ui) -> Result<(), Failure> {
        if before.fleet_id != self.fleet_id {
            return Ok(());
        }
        let _lock = self.lock()?;
        let mut record = records::open(&self.root, &before.node).map_err(|it| fail(ui, it))?;
        if record.forget(before.stick) {
            self.stage(&vec![(before.node.clone(), record)])?.commit()?;
        }
        Ok(())
    }

    fn lock(&self) -> Result<Lock, Failure> {
        let file = lock_file(&self.root)?;
        let since = Instant::now();
        loop {
            match Lock::take(&file, "flash") {
                Err(WriteError::Locked { .. }) if since.elapsed() < PATIENCE => {
                    std::thread::sleep(LOOK);
                }
                done => return Ok(done?),
            }
        }
    }

    fn changed(
        &self,
        target: &Target,
        label: &Label,
        before: Option<&Label>,
        ui: &Ui,
    ) -> Result<Changed, Failure> {
        let fail = |mistakes| fail(ui, mistakes);
        let mut record = records::open(&self.root, &label.node).map_err(fail)?;
        let device = &target.device;
        let drive = || (device.model.clone(), device.serial.clone());
        let drive = self.with_drive.then(drive);
        let stick = Recorded::of(label, target.sector(), Moment::now(), drive);
        let is_noted = record.sticks().iter().any(|it| {
            let (flashed, state) = (it.flashed, it.state);
            let same = Recorded {
                state,
                flashed,
                ..stick.clone()
            };
            *it == same && state != State::Lost
        });
        let before = before.filter(|it| it.fleet_id == self.fleet_id && it.stick != label.stick);
        if is_noted && before.is_none() {
            return Ok(Vec::new());
        }
        let mut changed = Vec::new();
        if let Some(other) = before.filter(|it| it.node != label.node)
            && let Ok(mut record) = records::open(&self.root, &other.node)
            && record.forget(other.stick)
        {
            changed.push((other.node.clone(), record));
        }
        record.add(stick, before.map(|it| it.stick));
        changed.push((label.node.clone(), record));
        Ok(changed)
    }

    fn stage(&self, changed: &Changed) -> Result<Batch, WriteError> {
        let mut batch = Batch::new();
        for (node, record) in changed {
            records::stage(&mut batch, &self.root, node, record)?;
        }
        Ok(batch)
    }
}
