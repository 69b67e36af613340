//! `sticks/<node>.toml`: the sticks that were made for a node, and what stands on each. It holds no secret, and no
//! digest of one: a value is named by its version.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml_edit::DocumentMut;
use uuid::Uuid;

use super::label::Label;
use super::layout::Sector;
use crate::diagnostic::Diagnostic;
use crate::render::rendered::{ignition_path, script_path};
use crate::source::Source;
pub use all::{Sticks, read_all, source};
pub use moment::{Moment, NoMoment};
pub use read::read;

mod all;
mod edit;
mod moment;
mod read;

/// The format that this version writes and the newest that it reads.
const FORMAT: i64 = 1;

/// The folder of the records in a fleet.
pub const FOLDER: &str = "sticks";

/// Where the record of a node's sticks stands in the fleet.
#[must_use]
pub fn record_path(node: &str) -> String {
    format!("{FOLDER}/{node}.toml")
}

/// The beginning of a stick's id, as people write it.
#[must_use]
pub fn short(id: Uuid) -> String {
    id.simple().to_string().chars().take(8).collect()
}

/// What has become of a stick.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The machine boots from it.
    #[default]
    Active,
    /// It lies ready for when the active one breaks.
    Spare,
    /// Nobody knows who has it.
    Lost,
}

impl State {
    /// Its name in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Spare => "spare",
            Self::Lost => "lost",
        }
    }
}

/// One stick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Which stick of all.
    pub id: Uuid,
    /// What has become of it.
    pub state: State,
    /// When it was written.
    pub flashed: Moment,
    /// The fleet's `id`, from which its secrets volume has its own.
    pub fleet_id: Uuid,
    /// Where the node fetches its config.
    pub config_url: String,
    /// Where it fetches the body of its boot script; `None` where that stands on the stick.
    pub script_url: Option<String>,
    /// The drive's sectors, in bytes.
    pub sector: u64,
    /// The digest of its script as [`super::prologue_digest`] has it; empty where an older version did not say.
    pub prologue: String,
    /// The digest of the body that it has a copy of.
    pub body: String,
    /// The digest of the config that it has a copy of.
    pub config: String,
    /// The secrets that it carries: name, and the version of the value.
    pub secrets: BTreeMap<String, String>,
    /// Which of them stand in which file of the secrets volume.
    pub secret_files: BTreeMap<String, Vec<String>>,
    /// What boots it, by its place on the stick.
    pub loaders: BTreeMap<String, LoaderOn>,
    /// The drive's model, where the fleet wants it recorded.
    pub model: Option<String>,
    /// The drive's serial number, likewise.
    pub serial: Option<String>,
}

/// An iPXE on a stick.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LoaderOn {
    /// iPXE's version.
    pub version: String,
    /// The binary's digest; empty where an older version did not say.
    pub digest: String,
}

impl Recorded {
    /// What a label says of its stick, which is the active one. `sector` is what the drive has, `drive` its model and
    /// serial number, where the fleet wants them recorded.
    #[must_use]
    pub fn of(
        label: &Label,
        sector: Sector,
        flashed: Moment,
        drive: Option<(Option<String>, Option<String>)>,
    ) -> Self {
        let (model, serial) = drive.unwrap_or_default();
        let digest = |path: &str| label.files.get(path).cloned();
        let of_bios = label.bios.as_ref().map(|bios| bios.loader.clone());
        let loaders = label.loaders.iter().map(|(place, version)| {
            let digest = digest(place).or_else(|| of_bios.clone());
            let loader = LoaderOn {
                version: version.clone(),
                digest: digest.unwrap_or_default(),
            };
            (place.clone(), loader)
        });
        Self {
            id: label.stick,
            state: State::Active,
            flashed,
            fleet_id: label.fleet_id,
            config_url: label.config_url.clone(),
            script_url: label.script_url.clone(),
            sector: sector.bytes(),
            prologue: label.prologue.clone(),
            body: digest(&script_path(&label.node)).unwrap_or_default(),
            config: digest(&ignition_path(&label.node)).unwrap_or_default(),
            secrets: label.secrets.clone(),
            secret_files: label.secret_names.clone(),
            loaders: loaders.collect(),
            model,
            serial,
        }
    }
}

/// The sticks of one node, and the file that says so.
#[derive(Clone, Debug)]
pub struct Record {
    document: DocumentMut,
    /// In the order of the file.
    sticks: Vec<Recorded>,
}

impl Record {
    /// One without a stick, for a node that has no file yet.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            document: edit::empty(),
            sticks: Vec::new(),
        }
    }

    /// Reads a file to change it. Where nothing is to be changed, [`read`] takes less time.
    ///
    /// # Errors
    /// All mistakes in it.
    pub fn read(source: &Arc<Source>) -> Result<Self, Vec<Diagnostic>> {
        let sticks = read(source)?;
        let document = edit::document(source).map_err(|mistake| vec![*mistake])?;
        Ok(Self { document, sticks })
    }

    /// The sticks, in the order of the file.
    #[must_use]
    pub fn sticks(&self) -> &[Recorded] {
        &self.sticks
    }

    /// The file. What people wrote into it beside the sticks is kept.
    #[must_use]
    pub fn text(&self) -> String {
        self.document.to_string()
    }

    /// Whether nothing would be lost without the file.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.text() == Self::empty().text()
    }

    /// Notes a stick that was written. One that has its `id` already, for it was only brought up to date, stays what it
    /// is, but is not lost any more. `replaces` is the stick that its drive was before. Of the sticks of a node only
    /// one is active: the one before becomes spare.
    pub fn add(&mut self, mut stick: Recorded, replaces: Option<Uuid>) {
        let known = self.place(stick.id);
        if let Some(known) = known {
            stick.state = match self.sticks[known].state {
                State::Lost => State::Active,
                state => state,
            };
        }
        if let Some(gone) = replaces.filter(|gone| *gone != stick.id) {
            self.forget(gone);
        }
        if stick.state == State::Active {
            self.retire();
        }
        match self.place(stick.id) {
            Some(place) => {
                edit::replace(&mut self.document, place, &stick);
                self.sticks[place] = stick;
            }
            None => {
                edit::append(&mut self.document, &stick);
                self.sticks.push(stick);
            }
        }
    }

    /// Says what has become of a stick; whether there is such a one. Where it is the active one now, the one before
    /// becomes spare.
    pub fn set_state(&mut self, id: Uuid, state: State) -> bool {
        let Some(place) = self.place(id) else {
            return false;
        };
        if state == State::Active {
            self.retire();
        }
        self.put_state(place, state);
        true
    }

    /// Takes a stick out; whether there was such a one.
    pub fn forget(&mut self, id: Uuid) -> bool {
        let Some(place) = self.place(id) else {
            return false;
        };
        edit::remove(&mut self.document, place);
        self.sticks.remove(place);
        true
    }

    fn place(&self, id: Uuid) -> Option<usize> {
        self.sticks.iter().position(|stick| stick.id == id)
    }

    /// What was active becomes spare.
    fn retire(&mut self) {
        for place in 0..self.sticks.len() {
            if self.sticks[place].state == State::Active {
                self.put_state(place, State::Spare);
            }
        }
    }

    fn put_state(&mut self, place: usize, state: State) {
        edit::set_state(&mut self.document, place, state);
        self.sticks[place].state = state;
    }
}

#[cfg(test)]
mod tests;
