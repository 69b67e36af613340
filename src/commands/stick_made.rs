//! A node's stick in memory: rendered, opened, searched for leaks and laid out, with all mistakes of it at once.

use std::collections::BTreeSet;
use std::thread;

use super::pending::Pending;
use super::stick_inputs::{Inputs, Keys, gather, open_secrets};
use super::stick_loaders::Known;
use super::{Failure, Loaded, fail};
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::ipxe;
use crate::plan::base;
use crate::progress::Progress as _;
use crate::render::leaks::Search;
use crate::render::rendered::Rendered;
use crate::stick::{self, Contents, Disk, Label, Sector};
use crate::ui::Ui;

/// A stick that has no drive yet.
pub(super) struct Made {
    /// Whose it is, and what is on it.
    pub(super) label: Label,
    /// All of it.
    pub(super) disk: Disk,
    /// What stands between it and the machine that boots by it: not rendered, not pushed.
    pub(super) pending: Vec<String>,
}

/// A stick that can be made: all of it was found, and nothing speaks against it.
pub(super) struct Prepared<T> {
    rendered: Rendered,
    inputs: Inputs,
    sector: Sector,
    /// What the caller found out about the place that it is for.
    pub(super) place: T,
}

/// Makes the stick of the node that `pattern` fits, for drives with such sectors. `check` is told the node, and adds
/// what is wrong with the place that the stick is for.
pub(super) fn make<T>(
    loaded: &mut Loaded,
    pattern: &str,
    sector: Sector,
    made_of: &cli::MadeOf,
    ui: &Ui,
    check: impl FnMut(&Loaded, &str, &mut Vec<Diagnostic>) -> Option<T>,
) -> Result<(Made, T), Failure> {
    let (name, rendered) = loaded.render_one(pattern, ui)?;
    let keys = Keys::Needed;
    let one = prepare(loaded, vec![rendered], sector, keys, made_of, ui, check)?.pop();
    let one = one.ok_or_else(|| Failure::problem(format!("no node fits `{name}`"), None))?;
    let mut made = one.make(loaded, ui)?;
    made.pending = pending(loaded, std::slice::from_ref(&one))?;
    Ok((made, one.place))
}

/// Prepares the sticks of rendered nodes, with the mistakes of all of them at once.
pub(super) fn prepare<T>(
    loaded: &Loaded,
    rendered: Vec<Rendered>,
    sector: Sector,
    keys: Keys<'_>,
    made_of: &cli::MadeOf,
    ui: &Ui,
    mut check: impl FnMut(&Loaded, &str, &mut Vec<Diagnostic>) -> Option<T>,
) -> Result<Vec<Prepared<T>>, Failure> {
    let mut mistakes = Vec::new();
    let mut nodes = Vec::new();
    let mut places = Vec::new();
    for one in &rendered {
        nodes.push((loaded.node(&one.node)?, one));
        places.push(check(loaded, &one.node, &mut mistakes));
    }
    let inputs = thread::scope(|scope| {
        let mut known = Known::new(sector, made_of.ipxe.clone());
        if let Some((node, _)) = nodes.first() {
            known.look_ahead(node, scope);
        }
        // They are told last.
        let mut of_secrets = Vec::new();
        let identity = made_of.identity.clone();
        let secrets = open_secrets(&nodes, keys, identity, ui, &mut of_secrets);
        // A value that several nodes inherit is searched for once.
        let values: BTreeSet<(&str, &[u8])> = secrets
            .iter()
            .filter(|_| !matches!(keys, Keys::StandIns(_)))
            .flatten()
            .flatten()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        let mut search = Search::of_all(&loaded.manifest, values)?;
        // What other nodes fetch is public too; their own mistakes are no matter of this stick.
        loaded.render_each(&[], ui, |rendered| Ok(search.look(&rendered)?))?;
        of_secrets.extend(search.end(&[]));
        let inputs = gather(loaded, &nodes, secrets, known, made_of, ui, &mut mistakes);
        mistakes.extend(of_secrets);
        Ok::<_, Failure>(inputs)
    })?;
    let places: Option<Vec<T>> = places.into_iter().collect();
    let (Some(places), Some(inputs)) = (places, inputs) else {
        return Err(fail(ui, mistakes));
    };
    for (rendered, inputs) in rendered.iter().zip(&inputs) {
        mistakes.extend(check_script(rendered, inputs));
    }
    let all = rendered.into_iter().zip(inputs).zip(places);
    let all: Vec<_> = all
        .map(|((rendered, inputs), place)| Prepared {
            rendered,
            inputs,
            sector,
            place,
        })
        .collect();
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, mistakes));
    }
    ui.mistakes(mistakes);
    Ok(all)
}

/// What would be written for a node now, to be compared with what is on a stick; and whether the values of the secrets are
/// in it, for which there may be no key.
pub(super) fn expected(
    loaded: &mut Loaded,
    pattern: &str,
    sector: Sector,
    made_of: &cli::MadeOf,
    ui: &Ui,
) -> Result<(Contents, bool), Failure> {
    let (name, rendered) = loaded.render_one(pattern, ui)?;
    let nodes = [(loaded.node(&name)?, &rendered)];
    let mut mistakes = Vec::new();
    let known = Known::new(sector, made_of.ipxe.clone());
    let identity = made_of.identity.clone();
    let mut of_secrets = Vec::new();
    let secrets = open_secrets(&nodes, Keys::IfThere, identity, ui, &mut of_secrets);
    let inputs = gather(loaded, &nodes, secrets, known, made_of, ui, &mut mistakes);
    mistakes.extend(of_secrets);
    let Some(inputs) = inputs.and_then(|mut all| all.pop()) else {
        return Err(fail(ui, mistakes));
    };
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, mistakes));
    }
    ui.mistakes(mistakes);
    let has_values = inputs.secrets.len() == nodes[0].0.secrets.len();
    let one = Prepared {
        rendered,
        inputs,
        sector,
        place: (),
    };
    let contents = one.contents(loaded);
    Ok((contents.map_err(|mistakes| fail(ui, mistakes))?, has_values))
}

/// What stands between these sticks and the machines that boot by them.
pub(super) fn pending<T>(
    loaded: &Loaded,
    prepared: &[Prepared<T>],
) -> Result<Vec<String>, Failure> {
    let base = base::find(loaded.repo.as_ref(), &loaded.fleet.git, None)?;
    let mut pending = Pending::begin(loaded, &base)?;
    for one in prepared {
        pending.add(std::slice::from_ref(&one.rendered), |_| false);
    }
    Ok(pending.notes(0))
}

impl<T> Prepared<T> {
    /// The stick in memory; what is pending is not looked for.
    pub(super) fn make(&self, loaded: &Loaded, ui: &Ui) -> Result<Made, Failure> {
        let contents = self
            .contents(loaded)
            .map_err(|mistakes| fail(ui, mistakes))?;
        let disk = stick::image(&contents, self.sector, self.inputs.clock)
            .map_err(|error| Failure::problem(error, None))?;
        let label = contents.label();
        Ok(Made {
            label: label.map_err(|error| Failure::problem(error, None))?,
            disk,
            pending: Vec::new(),
        })
    }

    fn contents(&self, loaded: &Loaded) -> Result<Contents, Vec<Diagnostic>> {
        let node = loaded.fleet.node(&self.rendered.node);
        let node = node.ok_or_else(Vec::new)?;
        stick::contents(
            &loaded.fleet,
            node,
            &self.rendered,
            &self.inputs.urls,
            self.inputs.loaders(),
            &self.inputs.secrets,
        )
    }
}

/// Makes sure that each of several sticks can be made, with the mistakes of all of them at once.
pub(super) fn rehearse<T>(
    loaded: &Loaded,
    prepared: &[Prepared<T>],
    ui: &Ui,
) -> Result<(), Failure> {
    let mut mistakes = Vec::new();
    ui.start("checking sticks", prepared.len());
    for one in prepared {
        if ui.stopped() {
            return Err(Failure::Stopped);
        }
        match one.contents(loaded) {
            Err(found) => mistakes.extend(found),
            Ok(contents) => {
                if let Err(error) = stick::image(&contents, one.sector, one.inputs.clock) {
                    let message = format!("the stick of {}: {error}", one.rendered.node);
                    mistakes.push(Diagnostic::error(message).help("put less on it"));
                }
            }
        }
        ui.advance(1);
    }
    if mistakes.is_empty() {
        return Ok(());
    }
    Err(fail(ui, mistakes))
}

/// The body of the boot script, with the URLs that this stick sets: only now is the command line known whole.
fn check_script(rendered: &Rendered, inputs: &Inputs) -> Vec<Diagnostic> {
    let settings = [
        ("node", &rendered.node),
        ("config-url", &inputs.urls.config),
        ("script-url", &inputs.urls.script),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.clone()));
    let found = ipxe::lint(&rendered.script, &settings.into());
    // Its warnings were told when it was rendered.
    found.into_iter().filter(Diagnostic::is_error).collect()
}
