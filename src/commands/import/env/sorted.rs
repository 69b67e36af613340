//! What becomes of each variable: a secret, a public one, or nothing, where the fleet has it already.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::found::{Found, SSH_KEY, Variable};
use crate::commands::ssh_key;
use crate::diagnostic::{Diagnostic, Severity};
use crate::env_file;
use crate::fleet::document::Item;
use crate::fleet::fitting::{default_roles, inherited, roles_for};
use crate::fleet::manifest::Manifest;
use crate::fleet::variables::{is_in_env_file, is_taken, taken_by_nobody};
use crate::nearest::nearest;

/// The variable whose empty value had a meaning.
const DATASTORE: &str = "K3S_DATASTORE_ENDPOINT";

/// The variables, sorted. Not `Debug`: secrets are in it.
#[derive(Default)]
pub(super) struct Sorted<'a> {
    /// `None` where neither the node nor the defaults have any.
    pub(super) roles: Option<Vec<String>>,
    pub(super) ssh_key: Option<String>,
    pub(super) public: BTreeMap<&'a str, &'a str>,
    pub(super) secrets: BTreeMap<&'a str, &'a [u8]>,
    pub(super) left_out: Vec<&'a str>,
    /// What is to be said of them.
    pub(super) notes: Vec<String>,
}

pub(super) fn sort<'a>(
    manifest: &Manifest,
    found: &'a Found,
    public: &[String],
    mistakes: &mut Vec<Diagnostic>,
) -> Sorted<'a> {
    let (empty, set): (Vec<_>, Vec<_>) = found
        .variables
        .iter()
        .partition(|(_, variable)| variable.value.is_empty());
    check_asked(found, public, mistakes);
    let names: BTreeSet<&str> = set.iter().map(|(name, _)| name.as_str()).collect();
    let roles = roles_for(manifest, &names);
    let profile = inherited(manifest, &roles);
    let mut sorted = Sorted::default();
    for (name, variable) in set {
        let is_public = public.contains(name);
        if let Err(mistake) = check(manifest, found, name, variable, is_public) {
            mistakes.push(*mistake);
            continue;
        }
        let text = std::str::from_utf8(&variable.value).ok();
        let secret_there = profile.find(&["secrets", name]);
        let there = profile.find(&["env", name]).and_then(Item::text);
        match (is_public, secret_there, text) {
            (_, None, Some(text)) if there == Some(text) => sorted.leave_out(
                name,
                "fleet.toml has it already, public and with the same value",
            ),
            (true, Some(secret), _) => mistakes.push(
                found
                    .error(
                        variable,
                        format!(
                            "`{name}` can't be public: a secret of that name would hold over it"
                        ),
                    )
                    .label(&secret.source, secret.key(), "the secret")
                    .help(format!(
                        "leave out `--public {name}`, or remove that secret"
                    )),
            ),
            (true, None, Some(text)) => {
                sorted.public.insert(name, text);
            }
            (..) => {
                if secret_there.is_some() {
                    sorted.notes.push(format!(
                        "{name} stands in for the secret of that name in fleet.toml, on this node"
                    ));
                } else if there.is_some() {
                    sorted.notes.push(format!(
                        "{name} is public in fleet.toml, with another value: `--public {name}` would leave it so"
                    ));
                }
                sorted.secrets.insert(name, &variable.value);
            }
        }
    }
    for (name, variable) in empty {
        let set_there = ["secrets", "env"]
            .iter()
            .find_map(|table| profile.find(&[table, name]));
        if let Some(item) = set_there.filter(|item| item.text() != Some("")) {
            let warning = Diagnostic::warning(format!(
                "`{name}` is empty here, and the node would get that of fleet.toml"
            ));
            mistakes.push(
                found
                    .at(variable, warning)
                    .label(&item.source, item.key(), "this one")
                    .help("move that one to the nodes that need it"),
            );
        }
        sorted.leave_out(
            name,
            match name.as_str() {
                DATASTORE => "it is empty, and without it k3s uses its own SQLite",
                _ => "it is empty",
            },
        );
    }
    sorted.take_key(found, &profile, mistakes);
    if !roles.is_empty() || !default_roles(manifest).is_empty() {
        sorted.roles = Some(roles);
    }
    sorted
}

impl<'a> Sorted<'a> {
    fn leave_out(&mut self, name: &'a str, why: &str) {
        self.left_out.push(name);
        self.notes.push(format!("{name} is left out: {why}"));
    }

    fn take_key(&mut self, found: &Found, profile: &Item, mistakes: &mut Vec<Diagnostic>) {
        let Some(variable) = &found.ssh_key else {
            return;
        };
        let key = match ssh_key::read(Path::new(OsStr::from_bytes(&variable.value))) {
            Ok(key) => key,
            Err(error) => {
                let mistake = found.error(variable, error.to_string());
                mistakes.push(mistake.help(error.help()));
                return;
            }
        };
        let there = profile.get("ssh_authorized_keys");
        let mut there = there.map_or(&[][..], Item::array).iter();
        if there.any(|item| item.text().is_some_and(|it| ssh_key::is_same(it, &key))) {
            self.leave_out(SSH_KEY, "fleet.toml gives the node that key already");
        } else {
            self.ssh_key = Some(key);
        }
    }
}

/// Every `--public` names a variable that is there.
fn check_asked(found: &Found, public: &[String], mistakes: &mut Vec<Diagnostic>) {
    for name in public {
        if found.variables.contains_key(name) {
            continue;
        }
        let known = found.variables.keys().map(String::as_str);
        let help = match nearest(name, known) {
            Some(near) => format!("a variable with a similar name is there: `{near}`"),
            None => "name a variable that is there and goes to a stick".to_owned(),
        };
        mistakes.push(
            Diagnostic::error(format!(
                "`--public {name}`: there is no such variable in {}",
                found.origin
            ))
            .help(help),
        );
    }
}

/// Whether a role takes a variable, and its env file can hold it.
fn check(
    manifest: &Manifest,
    found: &Found,
    name: &str,
    variable: &Variable,
    is_public: bool,
) -> Result<(), Box<Diagnostic>> {
    if !is_taken(manifest, name) {
        let mistake = Diagnostic {
            severity: Severity::Error,
            ..taken_by_nobody(manifest, name)
        };
        return Err(Box::new(found.at(variable, mistake)));
    }
    let is_in_file = is_public || is_in_env_file(manifest, name);
    match env_file::check_variable(name, &variable.value) {
        Err(error) if is_in_file => {
            let message = format!("an env file can't hold `{name}`: {error}");
            let mistake = found.error(variable, message);
            Err(Box::new(mistake.help(error.help())))
        }
        _ => Ok(()),
    }
}
