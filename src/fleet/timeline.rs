//! What became of each value: where it stood, from which commit on, and which commit ended it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::document::Item;
use super::readerships::Readerships;
use super::written::{SealedTo, Secrets, Spot, Written, secrets, secrets_by_line};
use crate::git::ObjectId;
use crate::git::history::{Change, History};
use crate::source::Source;

/// The files of the fleet, over all of its commits. Commits are named by where they stand in the history.
#[derive(Default)]
pub struct Timeline {
    /// The values, by version.
    pub lives: HashMap<String, Life>,
    /// Where there was plain text: its first commit.
    pub plain: BTreeMap<Spot, usize>,
    /// Who could read what.
    pub readerships: Readerships,
    /// Files that no version of the tool could read whole, each with the first commit that holds it so.
    pub broken: BTreeMap<String, usize>,
    /// The versions that HEAD has.
    pub head: HashSet<String>,
}

/// One version of a value.
#[derive(Default)]
pub struct Life {
    /// Who it was ever encrypted to.
    pub sealed_to: BTreeSet<SealedTo>,
    /// The first commit that has it.
    pub first: Option<usize>,
    /// The first one among those that what is checked out comes from.
    pub first_of_head: Option<usize>,
    /// Where it stood, and what ended it there.
    pub spots: BTreeMap<Spot, Option<End>>,
}

/// What ended a value at a spot. The greatest says it best: one of HEAD's own commits, one that no parent was before, the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// Whether what is checked out comes from it.
    pub of_head: bool,
    /// Whether all parents have the value; else one of them had ended it already.
    pub is_first: bool,
    /// The commit.
    pub commit: usize,
    /// Whether another value stands there since.
    pub is_replaced: bool,
}

/// One version of one file.
struct File {
    secrets: Secrets,
    is_whole: bool,
}

/// What is gone with a commit, and whether another value came in its place.
type Gone = HashMap<(String, Spot), bool>;

/// Whether a path is one of the files that may hold values.
#[must_use]
pub fn may_hold(path: &str) -> bool {
    let node = path.strip_prefix("nodes/");
    path == "fleet.toml" || node.is_some_and(|it| it.ends_with(".toml") && !it.contains('/'))
}

/// Reads the files of all commits, each version once. `advance` is told of each commit, and says whether to go on; a file
/// that can't be read counts as broken.
pub fn read<E>(
    history: &History,
    head: &BTreeMap<String, ObjectId>,
    blob: impl Fn(ObjectId) -> Result<Vec<u8>, E>,
    mut advance: impl FnMut() -> bool,
) -> Option<Timeline> {
    let mut timeline = Timeline::default();
    let mut files = Files {
        blob,
        known: HashMap::new(),
        readerships: Readerships::default(),
    };
    for (at, commit) in history.commits.iter().enumerate() {
        if !advance() {
            return None;
        }
        let changes = commit.changes.iter();
        let of_parents: Vec<Gone> = changes
            .map(|changes| timeline.take(at, commit.of_head, changes, &mut files))
            .collect();
        for (gone, is_replaced) in of_parents.iter().flatten() {
            let end = End {
                of_head: commit.of_head,
                is_first: of_parents.iter().all(|it| it.contains_key(gone)),
                commit: at,
                is_replaced: *is_replaced,
            };
            let (version, spot) = gone.clone();
            let life = timeline.lives.entry(version).or_default();
            let last = life.spots.entry(spot).or_default();
            *last = (*last).max(Some(end));
        }
    }
    for (path, id) in head.iter().filter(|(path, _)| may_hold(path)) {
        let file = files.read(path, *id);
        let versions = file.secrets.values.iter().map(|it| it.version.clone());
        timeline.head.extend(versions);
    }
    timeline.readerships = files.readerships;
    Some(timeline)
}

impl Timeline {
    /// Takes in what a commit changed against one parent; what is gone with it, and whether something else came.
    fn take<E>(
        &mut self,
        at: usize,
        of_head: bool,
        changes: &[Change],
        files: &mut Files<impl Fn(ObjectId) -> Result<Vec<u8>, E>>,
    ) -> Gone {
        let mut gone = Gone::new();
        for change in changes.iter().filter(|it| may_hold(&it.path)) {
            let after = change.after.map(|id| files.read(&change.path, id));
            if let Some(after) = &after {
                self.see(at, of_head, &change.path, after);
            }
            let Some(before) = change.before.map(|id| files.read(&change.path, id)) else {
                continue;
            };
            let values = after.as_ref().map_or(&[][..], |it| &it.secrets.values);
            for value in &before.secrets.values {
                let here = values.iter().filter(|it| it.spot == value.spot);
                let versions: Vec<&String> = here.map(|it| &it.version).collect();
                if !versions.contains(&&value.version) {
                    let key = (value.version.clone(), value.spot.clone());
                    gone.insert(key, !versions.is_empty());
                }
            }
        }
        gone
    }

    fn see(&mut self, at: usize, of_head: bool, path: &str, file: &File) {
        for value in &file.secrets.values {
            let life = self.live(value);
            life.first.get_or_insert(at);
            if of_head {
                life.first_of_head.get_or_insert(at);
            }
        }
        for spot in &file.secrets.plain {
            self.plain.entry(spot.clone()).or_insert(at);
        }
        if !file.is_whole {
            self.broken.entry(path.to_owned()).or_insert(at);
        }
    }

    fn live(&mut self, value: &Written) -> &mut Life {
        let life = self.lives.entry(value.version.clone()).or_default();
        life.sealed_to.insert(value.sealed_to.clone());
        life.spots.entry(value.spot.clone()).or_default();
        life
    }

    /// Takes in a file as it stands, committed or not; what it holds.
    pub fn see_today(&mut self, document: &Item) -> Secrets {
        let found = secrets(document);
        for value in &found.values {
            self.live(value);
        }
        self.readerships.see(document);
        found
    }
}

/// Versions of files, each read once. Where it stands is a part of what a file says.
struct Files<R> {
    blob: R,
    known: HashMap<(String, ObjectId), Rc<File>>,
    readerships: Readerships,
}

impl<E, R: Fn(ObjectId) -> Result<Vec<u8>, E>> Files<R> {
    fn read(&mut self, path: &str, id: ObjectId) -> Rc<File> {
        let key = (path.to_owned(), id);
        if let Some(file) = self.known.get(&key) {
            return Rc::clone(file);
        }
        let file = Rc::new(match (self.blob)(id) {
            Ok(bytes) => self.parse(path, bytes),
            Err(_) => File {
                secrets: Secrets::default(),
                is_whole: false,
            },
        });
        self.known.insert(key, Rc::clone(&file));
        file
    }

    fn parse(&mut self, path: &str, bytes: Vec<u8>) -> File {
        let text = String::from_utf8(bytes);
        let is_text = text.is_ok();
        let text = text.unwrap_or_else(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
        let source = Source::file(path, text);
        let (document, mistakes) = Item::parse(&source);
        self.readerships.see(&document);
        let mut found = secrets(&document);
        let is_whole = is_text && mistakes.is_empty();
        if !is_whole {
            for value in secrets_by_line(&source) {
                if !found.values.iter().any(|it| it.version == value.version) {
                    found.values.push(value);
                }
            }
        }
        File {
            secrets: found,
            is_whole,
        }
    }
}
