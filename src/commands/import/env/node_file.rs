//! The text of a node file.

use std::collections::BTreeMap;
use std::fmt;

use toml_edit::{Array, Value};

use crate::secrets::value::Secret;

/// What stands in it, in this order.
pub(super) struct NodeFile<'a> {
    /// Where the original's variables were.
    pub(super) origin: &'a str,
    pub(super) hostname: Option<&'a str>,
    pub(super) roles: Option<&'a [String]>,
    pub(super) ssh_key: Option<&'a str>,
    pub(super) public: &'a BTreeMap<&'a str, &'a str>,
    pub(super) secrets: &'a BTreeMap<&'a str, Secret>,
}

impl fmt::Display for NodeFile<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.origin.escape_debug();
        writeln!(
            formatter,
            "# Brought over from the original Ephemeros: {origin}"
        )?;
        if let Some(hostname) = self.hostname {
            writeln!(formatter, "hostname = {}", Value::from(hostname))?;
        }
        if let Some(roles) = self.roles {
            let roles: Array = roles.iter().map(String::as_str).collect();
            writeln!(formatter, "roles = {}", Value::from(roles))?;
        }
        if let Some(key) = self.ssh_key {
            let keys: Array = std::iter::once(key).collect();
            writeln!(formatter, "ssh_authorized_keys = {}", Value::from(keys))?;
        }
        if !self.public.is_empty() {
            writeln!(formatter, "\n[env]")?;
        }
        for (name, value) in self.public {
            writeln!(formatter, "{name} = {}", Value::from(*value))?;
        }
        if !self.secrets.is_empty() {
            writeln!(formatter, "\n[secrets]")?;
        }
        for (name, secret) in self.secrets {
            writeln!(formatter, "{name} = \"{secret}\"")?;
        }
        Ok(())
    }
}
