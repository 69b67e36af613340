//! Directories of local files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::files::{describe, no_directory};
use super::resource::Contents;
use crate::ignition::report::{Names, Place, Problem, Report};
use crate::ignition::rules::path;
use crate::ignition::schema::{DIRECTORY, FILE, LINK, Type};
use crate::ignition::value::{Struct, Value};

const LISTS: [&str; 3] = ["directories", "files", "links"];
const EXISTS: Problem = (
    "the tree has a path that the config has already",
    "remove one of them",
);

/// Adds the files, links and directories of all trees to the storage.
pub(super) fn expand(
    storage: &mut Struct,
    trees: &Value,
    contents: &Contents<'_>,
    report: &mut Report<'_>,
) {
    let root = Place::root(None);
    let at = root.key("storage", None);
    let list = at.key("trees", trees.span);
    for (index, value) in trees.items().iter().enumerate() {
        let Some(tree) = value.as_struct() else {
            continue;
        };
        let at = list.item(index, value);
        if !contents.files.exist() {
            // Every further tree would say the same.
            return report.error(&at, no_directory());
        }
        let local = tree.text("local").unwrap_or_default();
        let mut walk = Walk {
            storage,
            tree,
            contents,
            report,
            at: &at,
            origin: at.path(Names::Yaml),
        };
        match contents.files.locate(local) {
            Ok(directory) => walk.begin(&directory, local),
            Err(refusal) => walk.error(refusal),
        }
    }
}

/// One tree on its way into the storage.
struct Walk<'a, 'r> {
    storage: &'a mut Struct,
    tree: &'a Struct,
    contents: &'a Contents<'a>,
    report: &'a mut Report<'r>,
    at: &'a Place<'a>,
    origin: String,
}

impl Walk<'_, '_> {
    fn error<M: Into<String>>(&mut self, problem: (M, &str)) {
        self.report.error(self.at, problem);
    }

    fn begin(&mut self, directory: &Path, local: &str) {
        if let Err(refusal) = self.contents.files.check_links(directory, local) {
            return self.error(refusal);
        }
        match directory.metadata() {
            Err(error) => self.error(describe(local, &error)),
            Ok(metadata) if !metadata.is_dir() => {
                self.error((
                    format!("the tree `{local}` is no directory"),
                    "for a single file use `files` with `contents.local`",
                ));
            }
            Ok(_) => {
                let target = self.tree.filled("path").unwrap_or("/").to_owned();
                self.node(directory, &path::clean(&target), local);
            }
        }
    }

    /// One file, link or directory and what is below it, by the name it has on this machine.
    fn node(&mut self, file: &Path, target: &str, shown: &str) {
        let metadata = match file.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) => return self.error(describe(shown, &error)),
        };
        if metadata.is_dir() {
            self.directory(target);
            self.children(file, target, shown);
        } else if metadata.is_symlink() {
            self.link(file, target, shown);
        } else if metadata.is_file() {
            let executable = metadata.permissions().mode() & 0o111 != 0;
            self.file(file, target, shown, executable);
        } else {
            self.error((
                format!("`{shown}` is no file, directory or link"),
                "keep devices, sockets and pipes out of trees",
            ));
        }
    }

    fn children(&mut self, directory: &Path, target: &str, shown: &str) {
        let entries = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.error(describe(shown, &error)),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                self.error((
                    format!("a file name in `{shown}` is not UTF-8"),
                    "rename the file",
                ));
                continue;
            };
            self.node(
                &entry.path(),
                &path::join(target, name),
                &format!("{shown}/{name}"),
            );
        }
    }

    fn directory(&mut self, target: &str) {
        let described = ["user", "group", "dir_mode"]
            .iter()
            .any(|name| self.tree.get(name).is_some_and(|value| !value.is_blank()));
        if !described {
            return;
        }
        if LISTS.iter().any(|list| self.find(list, target).is_some()) {
            return self.error(EXISTS);
        }
        let mode = self.tree.int("dir_mode").unwrap_or(0o755);
        let directory = self.owned(&DIRECTORY, target).with("mode", mode);
        self.add("directories", directory);
    }

    fn file(&mut self, file: &Path, target: &str, shown: &str, executable: bool) {
        let bytes = match self.contents.files.read_at(file, shown) {
            Ok(bytes) => bytes,
            Err(refusal) => return self.error(refusal),
        };
        let default_mode = if executable { 0o755 } else { 0o644 };
        let mode = self.tree.int("file_mode").unwrap_or(default_mode);
        let new = self.owned(&FILE, target);
        let (contents, spec, span) = (self.contents, self.report.spec, self.at.span());
        let origin = self.origin.clone();
        let Some(node) = self.node_for("files", new, target) else {
            return self.error(EXISTS);
        };
        if node
            .child("contents")
            .is_some_and(|contents| contents.filled("source").is_some())
        {
            return self.error(EXISTS);
        }
        contents.set_contents(node.child_mut("contents"), &bytes, span, spec);
        if node.get("mode").is_none() {
            node.set("mode", Value::from(mode).made_from(&origin, span));
        }
    }

    fn link(&mut self, file: &Path, target: &str, shown: &str) {
        let points_to = match fs::read_link(file) {
            Ok(points_to) => points_to.to_string_lossy().into_owned(),
            Err(error) => return self.error(describe(shown, &error)),
        };
        let new = self.owned(&LINK, target);
        match self.node_for("links", new, target) {
            Some(link) if link.filled("target").is_none() => link.set("target", points_to),
            _ => self.error(EXISTS),
        }
    }

    /// The entry of a path in a list, added when there is none; `None` when another list has the path.
    fn node_for(&mut self, list: &str, new: Struct, target: &str) -> Option<&mut Struct> {
        let index = match self.find(list, target) {
            Some(index) => index,
            None if LISTS.iter().any(|other| self.find(other, target).is_some()) => {
                return None;
            }
            None => self.add(list, new),
        };
        self.storage.list_mut(list).get_mut(index)?.as_struct_mut()
    }

    fn find(&self, list: &str, target: &str) -> Option<usize> {
        let mut nodes = self.storage.list(list).iter();
        nodes.position(|node| node.as_struct().and_then(|node| node.text("path")) == Some(target))
    }

    fn add(&mut self, list: &str, node: Struct) -> usize {
        let value = Value::from(node).made_from(&self.origin, self.at.span());
        let items = self.storage.list_mut(list);
        items.push(value);
        items.len() - 1
    }

    /// A new entry with the owner that the tree gives.
    fn owned(&self, ty: &'static Type, target: &str) -> Struct {
        let mut node = Struct::new(ty).with("path", target);
        for owner in ["user", "group"] {
            if let Some(owner_of_tree) = self.tree.get(owner) {
                node.set(owner, owner_of_tree.clone());
            }
        }
        node
    }
}
