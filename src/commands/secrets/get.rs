//! `secrets get`: decrypts one value of one node.

use std::path::{Path, PathBuf};

use super::load_sound;
use crate::commands::{Failure, Outcome, identities};
use crate::nearest::nearest;
use crate::ui::Ui;
use crate::vault::open;

pub(super) fn run(
    node: &str,
    name: &str,
    identity: Option<PathBuf>,
    start: &Path,
    ui: &Ui,
) -> Result<Outcome, Failure> {
    let loaded = load_sound(start, ui)?;
    let nodes = loaded.select(&[node.to_owned()])?;
    let [node] = nodes.as_slice() else {
        return Err(Failure::Usage {
            message: format!("`{node}` fits {} nodes", nodes.len()),
            help: "name one".to_owned(),
        });
    };
    let secret = node.secret(name).ok_or_else(|| {
        let help = match nearest(name, node.secrets.keys()) {
            Some(near) => format!("a secret with a similar name exists: `{near}`"),
            None => "`ephemeros secrets list` names them".to_owned(),
        };
        Failure::problem(format!("{} has no secret `{name}`", node.name), Some(&help))
    })?;
    let identities = identities::find(identity, [&secret], ui)?;
    ui.mistakes(identities.warnings().to_vec());
    let value = open::open(&secret, &identities).map_err(|error| {
        let other = "name an identity that can with `--identity`, or set the value anew";
        let help = error.help().unwrap_or(other);
        Failure::problem(format!("can't open `{name}`: {error}"), Some(help))
    })?;
    ui.secret(value.as_bytes())?;
    Ok(Outcome::Done)
}
