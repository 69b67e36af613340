//! What of a fleet is public: all of its files, and what stands in them unencrypted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::document::{Item, Value};
use super::files::Unreadable;
use super::manifest::Manifest;
use crate::source::Source;

/// More than any config could carry, in bytes.
const LARGEST: u64 = 64 << 20;

/// A public file that people wrote.
pub enum Input {
    /// A text.
    Text(Arc<Source>),
    /// Something else: its path, and its bytes.
    Binary(String, Vec<u8>),
    /// A file that is larger than any config could carry, by its path.
    TooLarge(String),
}

impl Input {
    /// Its path in the fleet.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Text(source) => &source.name,
            Self::Binary(path, _) | Self::TooLarge(path) => path,
        }
    }

    /// What is in it.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(source) => source.text.as_bytes(),
            Self::Binary(_, bytes) => bytes,
            Self::TooLarge(_) => &[],
        }
    }
}

/// The files that people wrote: `fleet.toml`, the node files and all in `templates/`.
pub fn inputs(manifest: &Manifest) -> Result<Vec<Input>, Unreadable> {
    let documents = std::iter::once(&manifest.document).chain(manifest.nodes.values());
    let mut inputs: Vec<Input> = documents
        .map(|document| Input::Text(Arc::clone(&document.source)))
        .collect();
    let mut folders = vec![PathBuf::from("templates")];
    while let Some(folder) = folders.pop() {
        for (path, is_folder) in entries(&manifest.root, &folder)? {
            if is_folder {
                folders.push(path);
            } else {
                inputs.extend(read(&manifest.root, &path));
            }
        }
    }
    Ok(inputs)
}

/// What is in a folder, sorted; links are followed only to files, so that there is no circle.
fn entries(root: &Path, folder: &Path) -> Result<Vec<(PathBuf, bool)>, Unreadable> {
    let path = root.join(folder);
    let unreadable = |cause| Unreadable {
        path: path.clone(),
        cause,
    };
    let mut found = Vec::new();
    match fs::read_dir(&path) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(unreadable)?;
                let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
                found.push((folder.join(entry.file_name()), is_folder));
            }
        }
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
        Err(cause) => return Err(unreadable(cause)),
    }
    found.sort();
    Ok(found)
}

/// One file; `None` where it is none, or can't be read: git could not read it either, and who needs it will say so.
fn read(root: &Path, path: &Path) -> Option<Input> {
    let place = root.join(path);
    let metadata = fs::metadata(&place).ok()?;
    let name = path.to_string_lossy().into_owned();
    if !metadata.is_file() {
        return None;
    }
    if metadata.len() > LARGEST {
        return Some(Input::TooLarge(name));
    }
    Some(match String::from_utf8(fs::read(place).ok()?) {
        Ok(text) => Input::Text(Source::file(name, text)),
        Err(error) => Input::Binary(name, error.into_bytes()),
    })
}

/// Every text that stands unencrypted in `fleet.toml` and the node files, with the first place of it.
#[must_use]
pub fn texts(manifest: &Manifest) -> BTreeMap<&str, &Item> {
    let mut texts = BTreeMap::new();
    let documents = std::iter::once(&manifest.document).chain(manifest.nodes.values());
    for document in documents {
        collect(document, &mut texts);
    }
    texts
}

fn collect<'a>(item: &'a Item, texts: &mut BTreeMap<&'a str, &'a Item>) {
    if let Some(text) = item.text() {
        texts.entry(text).or_insert(item);
    }
    match &item.value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Table(table) => {
            let public = table.iter().filter(|(key, _)| *key != "secrets");
            public.for_each(|(_, item)| collect(item, texts));
        }
        _ => {}
    }
}
