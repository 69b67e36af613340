//! A node's stick in memory: rendered, opened, searched for leaks and laid out, with all mistakes of it at once.

use std::collections::BTreeMap;

use super::stick_inputs::{Inputs, gather};
use super::{Failure, Loaded, fail, leaks, plan};
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::ipxe;
use crate::plan::base;
use crate::render::rendered::Rendered;
use crate::stick::{self, Disk, Sector};
use crate::ui::Ui;

/// A stick that has no drive yet.
pub(super) struct Made {
    /// The node's name.
    pub(super) node: String,
    /// All of it.
    pub(super) disk: Disk,
    /// iPXE's version at each loader's place.
    pub(super) loaders: BTreeMap<&'static str, String>,
    /// Whether it carries secrets.
    pub(super) has_secrets: bool,
    /// What stands between it and the machine that boots by it: not rendered, not pushed.
    pub(super) pending: Vec<String>,
}

/// Makes the stick of the node that `pattern` fits, for drives with such sectors. `check` is told the node, and adds what is wrong with the place that
/// the stick is for.
pub(super) fn make<T>(
    loaded: &mut Loaded,
    pattern: &str,
    sector: Sector,
    made_of: &cli::MadeOf,
    ui: &Ui,
    check: impl FnOnce(&Loaded, &str, &mut Vec<Diagnostic>) -> Option<T>,
) -> Result<(Made, T), Failure> {
    let (name, rendered) = loaded.render_one(pattern, ui)?;
    let node = loaded.node(&name)?;
    let mut mistakes = Vec::new();
    let checked = check(loaded, &name, &mut mistakes);
    let inputs = gather(loaded, node, &rendered, sector, made_of, ui, &mut mistakes);
    let (Some(checked), Some(inputs)) = (checked, inputs) else {
        return Err(fail(ui, mistakes));
    };
    mistakes.extend(check_script(&rendered, &inputs));
    // What other nodes fetch is public too; their own mistakes are no matter of this stick.
    let (all, _) = loaded.try_render(&[], ui)?;
    let values = inputs
        .secrets
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()));
    let leaks = leaks::find(loaded, &all, values, &[])?;
    mistakes.extend(leaks);
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, mistakes));
    }
    ui.mistakes(mistakes);
    let loaders = inputs.loaders.iter();
    let loaders = loaders
        .map(|loader| (loader.place(), loader.version.clone()))
        .collect();
    let contents = stick::contents(
        &loaded.fleet,
        node,
        &rendered,
        &inputs.urls,
        inputs.loaders,
        &inputs.secrets,
    )
    .map_err(|mistakes| fail(ui, mistakes))?;
    let disk = stick::image(&contents, sector, inputs.clock)
        .map_err(|error| Failure::problem(error, None))?;
    let base = base::find(loaded.repo.as_ref(), &loaded.fleet.git, None)?;
    let made = Made {
        has_secrets: !node.secrets.is_empty(),
        node: name,
        disk,
        loaders,
        pending: plan::pending(loaded, &base, &[rendered], 0)?,
    };
    Ok((made, checked))
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
