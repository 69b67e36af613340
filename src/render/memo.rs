//! Templates that come to the same text for many nodes, translated once.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

use crate::butane::KnownFiles;
use crate::ignition::Config;

/// How many texts of one template are kept. Nodes come sorted by name, so those that are alike are often neighbours.
const KEPT: usize = 64;

/// The configs that texts came to, by template and text. Those with a mistake are not among them: a mistake names the
/// node that it was found for.
pub(super) struct Memo {
    templates: BTreeMap<String, Texts>,
    /// What is read from `templates/files` for one node is taken for all.
    pub(super) files: KnownFiles,
}

/// The texts of one template.
#[derive(Default)]
struct Texts {
    known: RwLock<HashMap<String, Arc<Config>>>,
    /// Whether one of them has come again.
    shared: AtomicBool,
    /// Whether none of as many as are kept has: each node has its own then, and to keep more would be in vain.
    alone: AtomicBool,
}

impl Memo {
    /// An empty one, for these templates.
    pub(super) fn of<'a>(templates: impl Iterator<Item = &'a str>) -> Self {
        Self {
            templates: templates
                .map(|it| (it.to_owned(), Texts::default()))
                .collect(),
            files: KnownFiles::default(),
        }
    }

    /// What a text of a template came to before.
    pub(super) fn find(&self, template: &str, text: &str) -> Option<Arc<Config>> {
        let texts = self
            .templates
            .get(template)
            .filter(|it| !it.alone.load(Relaxed))?;
        let known = texts.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(text).cloned()?;
        texts.shared.store(true, Relaxed);
        Some(found)
    }

    /// Keeps what a text of a template came to.
    pub(super) fn keep(&self, template: &str, text: &str, config: &Arc<Config>) {
        let texts = self.templates.get(template);
        let Some(texts) = texts.filter(|it| !it.alone.load(Relaxed)) else {
            return;
        };
        let mut known = texts.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            *known = HashMap::new();
            if !texts.shared.swap(false, Relaxed) {
                texts.alone.store(true, Relaxed);
                return;
            }
        }
        known.insert(text.to_owned(), Arc::clone(config));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ignition::Spec;
    use crate::ignition::schema::CONFIG;
    use crate::ignition::value::Struct;

    #[test]
    fn texts_are_kept_for_as_long_as_some_come_again() {
        let memo = Memo::of(["a.bu"].into_iter());
        let config = Arc::new(Config::new(Spec::V3_0, Struct::new(&CONFIG)));
        let keep = |texts: std::ops::Range<usize>| {
            texts.for_each(|it| memo.keep("a.bu", &it.to_string(), &config));
        };
        let is_kept = |text: &str| memo.find("a.bu", text).is_some();
        keep(0..KEPT);
        assert!(is_kept("0") && !is_kept("other"));
        keep(KEPT..2 * KEPT);
        assert!(!is_kept("0"));
        keep(0..1);
        assert!(!is_kept("0"));
    }
}
