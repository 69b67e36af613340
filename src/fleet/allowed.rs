//! `[[vault.allow]]`: what looks like a secret and may be public, each with a reason.

use std::sync::atomic::{AtomicBool, Ordering};

use super::document::Item;
use super::manifest::Manifest;
use super::select::glob;
use crate::diagnostic::{Diagnostic, Severity};

/// All that is allowed, and what of it was needed.
pub struct Allowed<'a> {
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    file: &'a str,
    name: &'a str,
    item: &'a Item,
    is_used: AtomicBool,
}

impl<'a> Allowed<'a> {
    /// Reads the entries; one that lacks something allows nothing.
    #[must_use]
    pub fn read(manifest: &'a Manifest, mistakes: &mut Vec<Diagnostic>) -> Self {
        let written = manifest.document.find(&["vault", "allow"]);
        let items = written.map_or(&[][..], Item::array);
        let mut entries = Vec::new();
        for (entry, item) in manifest.fleet.vault.allow.iter().zip(items) {
            let keys = [
                ("file", &entry.file),
                ("name", &entry.name),
                ("reason", &entry.reason),
            ];
            let lacks =
                |text: &Option<String>| text.as_deref().is_none_or(|it| it.trim().is_empty());
            let missing: Vec<String> = keys
                .iter()
                .filter(|(_, text)| lacks(text))
                .map(|(key, _)| format!("`{key}`"))
                .collect();
            if !missing.is_empty() {
                mistakes.push(
                    item.key_error(format!(
                        "an entry of `vault.allow` lacks {}",
                        missing.join(" and ")
                    ))
                    .help("say which `file` may hold what `name`, and for what `reason`"),
                );
            }
            if let (true, Some(file), Some(name)) = (missing.is_empty(), &entry.file, &entry.name) {
                entries.push(Entry {
                    file,
                    name,
                    item,
                    is_used: AtomicBool::new(false),
                });
            }
        }
        Self { entries }
    }

    /// Whether a file may hold this.
    #[must_use]
    pub fn allows(&self, file: &str, name: &str) -> bool {
        let mut allows = false;
        for entry in &self.entries {
            if entry.name == name && glob(entry.file, file) {
                entry.is_used.store(true, Ordering::Relaxed);
                allows = true;
            }
        }
        allows
    }

    /// Entries that allowed nothing: what they were for is gone, and they would hide what comes. `may_be` says of a name
    /// whether something of it could be there that was not looked for.
    pub fn unused(&self, may_be: impl Fn(&str) -> bool) -> impl Iterator<Item = Diagnostic> {
        let unused = move |it: &&Entry<'_>| !it.is_used.load(Ordering::Relaxed) && !may_be(it.name);
        self.entries.iter().filter(unused).map(|entry| Diagnostic {
            severity: Severity::Warning,
            ..entry
                .item
                .error(format!(
                    "there is nothing to allow: `{}` holds no `{}` that looks like a secret",
                    entry.file, entry.name
                ))
                .help("take the entry out of `vault.allow`")
        })
    }
}
