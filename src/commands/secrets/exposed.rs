//! `secrets exposed`: what a key or a stick could ever read, so that it can be shut out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::exposed_sticks::{self, OnStick};
use super::exposed_text;
use super::past::Past;
use crate::cli;
use crate::commands::{Failure, Outcome, fail, find_root};
use crate::diagnostic::Diagnostic;
use crate::fleet::files::Folder;
use crate::fleet::keys::keys;
use crate::fleet::manifest::Manifest;
use crate::fleet::node::Fleet;
use crate::fleet::readerships::Certainty;
use crate::fleet::resolve::resolve;
use crate::fleet::timeline::{End, Timeline};
use crate::fleet::uses::{Use, uses};
use crate::fleet::written::{Spot, Written};
use crate::git;
use crate::git::history::{Commit, History, Tips};
use crate::invoker::Invoker;
use crate::secrets::recipients::Recipient;
use crate::stick::record::read_all;
use crate::ui::Ui;

/// All that is told.
pub(super) struct Report<'a> {
    /// What stood in plain text, which everybody could read.
    pub(super) plain: Vec<Plain<'a>>,
    /// The values, those to rotate first.
    pub(super) values: Vec<Value<'a>>,
    /// Whether no node has a mistake today, so that all sticks are known.
    pub(super) has_all_nodes: bool,
    /// What could not be found out.
    pub(super) notes: Vec<String>,
    /// Whose exposure it is.
    pub(super) of: Vec<String>,
    /// The sticks that are recorded, by the versions on them.
    pub(super) on_sticks: BTreeMap<&'a str, Vec<OnStick<'a>>>,
}

/// Plain text under `secrets`.
pub(super) struct Plain<'a> {
    pub(super) spot: Spot,
    /// The first commit that has it; `None` where none does yet.
    pub(super) since: Option<&'a Commit>,
    pub(super) stands: bool,
}

/// A value that could be read.
pub(super) struct Value<'a> {
    pub(super) spot: Spot,
    pub(super) version: String,
    pub(super) certainty: Certainty,
    /// By which of those that were asked for.
    pub(super) by: BTreeSet<&'a str>,
    pub(super) state: State<'a>,
}

/// What has become of a value.
pub(super) enum State<'a> {
    /// It is the value today.
    Current { line: usize, uses: Vec<Use<'a>> },
    /// It was another one's predecessor, or taken out: not committed yet.
    Uncommitted { is_replaced: bool },
    /// A commit did that.
    Ended {
        commit: &'a Commit,
        is_replaced: bool,
    },
    /// It stands where something else is checked out.
    Elsewhere,
}

impl Value<'_> {
    pub(super) fn is_current(&self) -> bool {
        matches!(self.state, State::Current { .. })
    }
}

pub(super) fn run(args: &cli::Exposed, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let root = find_root(start)?;
    let (manifest, mistakes) = Manifest::read(&root, &Folder(root.clone()))?;
    let is_sound = !mistakes.iter().any(Diagnostic::is_error);
    let Some(manifest) = manifest.filter(|_| is_sound) else {
        return Err(fail(ui, mistakes));
    };
    let (records, broken) = read_all(&Folder(root.clone()), |_| true)?;
    if !broken.is_empty() {
        return Err(fail(ui, broken));
    }
    let (fleet, mistakes) = resolve(&manifest);
    let repo = git::repo::open(&root, Invoker::detect().as_ref())?;
    let past = Past::read(repo.as_ref(), Tips::All, ui)?;
    let mut timeline = past.timeline(ui)?;
    let documents = || {
        [&manifest.document]
            .into_iter()
            .chain(manifest.nodes.values())
    };
    let mut today = Vec::new();
    let mut plain_today = BTreeSet::new();
    for document in documents() {
        let found = timeline.see_today(document);
        today.extend(found.values);
        plain_today.extend(found.plain);
    }

    let mut exposed = Exposed::default();
    let mut notes = past.notes(&timeline, &mistakes);
    let recipients = of_recipients(args, &timeline, &mut exposed)?;
    for node in &args.node {
        past.of_node(&manifest, node, &mut exposed, &mut notes)?;
    }
    exposed_sticks::add(
        &args.stick,
        &records,
        repo.as_ref(),
        &timeline,
        &mut exposed,
        &mut notes,
    )?;
    ui.mistakes(still_there(&manifest, &recipients));
    let line = |file: &str, offset: usize| {
        let found = documents().find(|it| it.source.name == file);
        found.map_or(0, |it| it.source.position(offset).line)
    };
    let of = args.recipient.iter().chain(&args.node).chain(&args.stick);
    let report = Report {
        plain: plain(&timeline, &past.history, &plain_today),
        values: values(&timeline, &past.history, &fleet, &today, &exposed, &line),
        has_all_nodes: fleet.nodes.len() == manifest.nodes.len(),
        notes,
        of: of.cloned().collect(),
        on_sticks: exposed_sticks::by_version(&records),
    };
    exposed_text::tell(&report, ui)?;
    Ok(Outcome::Done)
}

/// The versions that could be read, how surely, and by which of those that were asked for.
#[derive(Default)]
pub(super) struct Exposed<'a>(BTreeMap<String, (Certainty, BTreeSet<&'a str>)>);

impl<'a> Exposed<'a> {
    pub(super) fn add(
        &mut self,
        versions: impl IntoIterator<Item = String>,
        how: Certainty,
        by: &'a str,
    ) {
        for version in versions {
            let (known, names) = self.0.entry(version).or_insert((how, BTreeSet::new()));
            *known = (*known).max(how);
            names.insert(by);
        }
    }
}

/// The keys that were asked for, each with what it was called.
fn of_recipients<'a>(
    args: &'a cli::Exposed,
    timeline: &Timeline,
    exposed: &mut Exposed<'a>,
) -> Result<Vec<(&'a str, Vec<Recipient>)>, Failure> {
    let mut recipients = Vec::new();
    if args.recipient.is_empty() {
        return Ok(recipients);
    }
    let sets = timeline.readerships.sets();
    for text in &args.recipient {
        let keys = timeline.readerships.find(text).map_err(|error| {
            Failure::problem(format!("`--recipient`: {error}"), Some(&error.help()))
        })?;
        for (version, life) in &timeline.lives {
            let how = life.sealed_to.iter();
            if let Some(how) = how.filter_map(|it| sets.could_read(it, &keys)).max() {
                exposed.add([version.clone()], how, text);
            }
        }
        recipients.push((text.as_str(), keys));
    }
    Ok(recipients)
}

/// A warning for each of those that can still read what is set from now on.
fn still_there(manifest: &Manifest, recipients: &[(&str, Vec<Recipient>)]) -> Vec<Diagnostic> {
    let known = keys(&manifest.document);
    let warning = |(text, wanted): &(&str, Vec<Recipient>)| {
        let mut places = known
            .iter()
            .filter(|it| wanted.contains(&it.recipient))
            .peekable();
        places.peek()?;
        let text = exposed_text::shown(text);
        let warning =
            Diagnostic::warning(format!("`{text}` can read what you set from now on, too"));
        let warning = places.fold(warning, |warning, key| {
            warning.at(&key.item.source, key.item.span())
        });
        Some(warning.help("first take it out here, and run `ephemeros secrets rekey`"))
    };
    recipients.iter().filter_map(warning).collect()
}

fn plain<'a>(timeline: &Timeline, history: &'a History, today: &BTreeSet<Spot>) -> Vec<Plain<'a>> {
    let mut spots: BTreeSet<Spot> = timeline.plain.keys().cloned().collect();
    spots.extend(today.iter().cloned());
    let plain = spots.into_iter().map(|spot| Plain {
        since: timeline.plain.get(&spot).map(|at| &history.commits[*at]),
        stands: today.contains(&spot),
        spot,
    });
    plain.collect()
}

/// One for each spot of a value of today, and one for each older value.
fn values<'a>(
    timeline: &Timeline,
    history: &'a History,
    fleet: &'a Fleet,
    today: &[Written],
    exposed: &Exposed<'a>,
    line: &dyn Fn(&str, usize) -> usize,
) -> Vec<Value<'a>> {
    let uses = uses(fleet);
    let taken: BTreeSet<&Spot> = today.iter().map(|it| &it.spot).collect();
    let mut standing: BTreeMap<&str, Vec<&Written>> = BTreeMap::new();
    for value in today {
        standing.entry(&value.version).or_default().push(value);
    }
    let mut values = Vec::new();
    for (version, (certainty, by)) in &exposed.0 {
        let mut add = |spot: &Spot, state| {
            values.push(Value {
                spot: spot.clone(),
                version: version.clone(),
                certainty: *certainty,
                by: by.clone(),
                state,
            });
        };
        if let Some(standing) = standing.get(version.as_str()) {
            for value in standing {
                let (key, text) = value.offsets;
                let used = uses.get(&(value.spot.file.as_str(), text));
                let state = State::Current {
                    line: line(&value.spot.file, key),
                    uses: used.cloned().unwrap_or_default(),
                };
                add(&value.spot, state);
            }
            continue;
        }
        let Some(life) = timeline.lives.get(version) else {
            continue;
        };
        let last = life.spots.iter().max_by_key(|(_, end)| **end);
        let Some((spot, end)) = last else { continue };
        if timeline.head.contains(version) {
            // Where it stands in HEAD nothing has ended it.
            let open = life.spots.iter().find(|(_, end)| end.is_none());
            let (spot, _) = open.unwrap_or((spot, end));
            let is_replaced = taken.contains(spot);
            add(spot, State::Uncommitted { is_replaced });
        } else {
            add(
                spot,
                end.map_or(State::Elsewhere, |end| ended(end, history)),
            );
        }
    }
    // A version that ended long ago is of less interest than one that ended now.
    values.sort_by_cached_key(|value| {
        let recent = match &value.state {
            State::Ended { commit, .. } => -commit.time,
            _ => i64::MIN,
        };
        (
            !value.is_current(),
            value.spot.name.clone(),
            value.spot.file.clone(),
            value.spot.place.clone(),
            recent,
            value.version.clone(),
        )
    });
    values
}

fn ended(end: End, history: &History) -> State<'_> {
    State::Ended {
        commit: &history.commits[end.commit],
        is_replaced: end.is_replaced,
    }
}
