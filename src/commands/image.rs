//! `image`: a node's stick as a file.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::stick_inputs::{Inputs, gather};
use super::{Failure, Outcome, destination, fail, leaks, load, plan};
use crate::cli;
use crate::diagnostic::Diagnostic;
use crate::invoker::Invoker;
use crate::ipxe;
use crate::plan::base;
use crate::render::rendered::Rendered;
use crate::stick::{self, Disk};
use crate::ui::{Orderly, Ui};

pub(super) fn run(args: &cli::Image, start: &Path, ui: &Ui) -> Result<Outcome, Failure> {
    let mut loaded = load(start, ui)?;
    let (name, rendered) = loaded.render_one(&args.node, ui)?;
    let node = loaded.node(&name)?;
    let mut mistakes = Vec::new();
    let path = destination::check(&args.output, &name, &loaded.fleet.root, &mut mistakes);
    let inputs = gather(&loaded, node, &rendered, args, ui, &mut mistakes);
    let (Some(path), Some(inputs)) = (path, inputs) else {
        return Err(fail(ui, mistakes));
    };
    mistakes.extend(check_script(&rendered, &inputs));
    // What other nodes fetch is public too; their own mistakes are no matter of this stick.
    let (all, _) = loaded.try_render(&[], ui)?;
    let values = inputs
        .secrets
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()));
    let leaks = leaks::find(&loaded, &all, values, &[])?;
    mistakes.extend(leaks);
    if mistakes.iter().any(Diagnostic::is_error) {
        return Err(fail(ui, mistakes));
    }
    ui.mistakes(mistakes);
    let has_secrets = !node.secrets.is_empty();
    let loaders = inputs.loaders.iter();
    let loaders: BTreeMap<&str, String> = loaders
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
    let disk =
        stick::image(&contents, inputs.clock).map_err(|error| Failure::problem(error, None))?;
    {
        let _orderly = Orderly::begin();
        stick::save(&disk, &path, Invoker::detect().as_ref(), ui)?;
    }
    let base = base::find(loaded.repo.as_ref(), &loaded.fleet.git, None)?;
    let notes = plan::pending(&loaded, &base, &[rendered], 0)?;
    if ui.json() {
        let text = json!({
            "format": 1,
            "node": name,
            "file": path.display().to_string(),
            "size": disk.size(),
            "used": used(&disk),
            "loaders": loaders,
            "notes": notes,
        });
        ui.result(&format!("{text:#}\n"))?;
        return Ok(Outcome::Done);
    }
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    ui.text(&format!(
        "wrote {}: the stick of {name}, {} MiB, which take {} MiB on disk\n",
        args.output.display(),
        mib(disk.size()),
        mib(used(&disk))
    ))?;
    if has_secrets {
        ui.say("whoever has this file has the node's secrets: only you may read it");
    }
    for note in notes {
        ui.say(&format!("note: {note}"));
    }
    Ok(Outcome::Done)
}

fn used(disk: &Disk) -> u64 {
    disk.used().map(|(_, bytes)| bytes.len() as u64).sum()
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
