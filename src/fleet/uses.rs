//! Which nodes have a value that is written somewhere, and as which file of the stick.

use std::collections::HashMap;

use super::node::{Fleet, Node};

/// One node's use of a value.
#[derive(Clone, Copy)]
pub struct Use<'a> {
    /// The node.
    pub node: &'a Node,
    /// The name that it has the value by.
    pub name: &'a str,
}

impl<'a> Use<'a> {
    /// The files on the secrets volume that hold it: env files, and those that are the value.
    pub fn files(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let (node, name) = (self.node, self.name);
        let env_files = node.env_files.iter();
        let env_files = env_files.filter(move |(_, file)| file.secret.contains(name));
        let secret_files = node.secret_files.iter();
        let secret_files = secret_files.filter(move |(_, of)| *of == name);
        let env_files = env_files.map(|(file, _)| file.as_str());
        env_files.chain(secret_files.map(|(file, _)| file.as_str()))
    }
}

/// The uses of all values, by the file that a value is written in and the byte that it begins at. Nodes come in their order.
#[must_use]
pub fn uses(fleet: &Fleet) -> HashMap<(&str, usize), Vec<Use<'_>>> {
    let mut uses: HashMap<(&str, usize), Vec<Use<'_>>> = HashMap::new();
    for node in &fleet.nodes {
        for (name, item) in &node.secrets {
            let key = (item.source.name.as_str(), item.span().start);
            uses.entry(key).or_default().push(Use { node, name });
        }
    }
    uses
}
