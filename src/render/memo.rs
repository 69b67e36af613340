//! Templates that come to the same text for many nodes, translated once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use crate::fleet::node::Node;
use crate::ignition::Config;

/// How many texts of one template are kept. Nodes come sorted by name, so those that are alike are often neighbours.
const KEPT: usize = 256;

/// The configs that texts came to, by template and text. Those with a mistake are not among them: a mistake names the
/// node that it was found for.
pub(super) struct Memo(BTreeMap<String, Texts>);

type Texts = RwLock<HashMap<String, Arc<Config>>>;

impl Memo {
    /// An empty one, for the templates of these nodes.
    pub(super) fn of(nodes: &[&Node]) -> Self {
        let templates = nodes.iter().flat_map(|node| node.templates.iter());
        Self(templates.map(|it| (it.clone(), Texts::default())).collect())
    }

    /// What a text of a template came to before.
    pub(super) fn find(&self, template: &str, text: &str) -> Option<Arc<Config>> {
        let texts = self.0.get(template)?.read();
        let texts = texts.unwrap_or_else(PoisonError::into_inner);
        texts.get(text).cloned()
    }

    /// Keeps what a text of a template came to.
    pub(super) fn keep(&self, template: &str, text: &str, config: &Arc<Config>) {
        let Some(texts) = self.0.get(template) else {
            return;
        };
        let mut texts = texts.write().unwrap_or_else(PoisonError::into_inner);
        if texts.len() >= KEPT {
            texts.clear();
        }
        texts.insert(text.to_owned(), Arc::clone(config));
    }
}
