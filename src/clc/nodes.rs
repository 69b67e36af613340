//! Files, directories and links.

use std::path::{Component, Path};

use super::filesystems::Filesystems;
use super::found::Found;
use super::ignition::verification;
use super::piece::{Map, Piece, Yaml};
use super::read::{Kind, Said, Section};

/// What they need to know.
pub(super) struct Nodes<'a> {
    pub(super) files_dir: Option<&'a Path>,
    /// The local files that the new config names.
    pub(super) local_files: &'a mut Vec<String>,
    pub(super) filesystems: Filesystems,
}

/// The mode as people write it, where there was none `ct`'s.
fn put_mode(section: &mut Section<'_>, map: &mut Map, default: i64, found: &mut Found) {
    let mode = section.int("mode", found);
    let word = |mode: i64| Yaml::Word(format!("0{mode:o}"));
    match mode {
        Some(said) if said.value < 0 => {
            let message = format!("`{}` is no mode", said.value);
            found.error(said.at(), message, "write it in octal: `0644`");
        }
        Some(said) => map.add("mode", word(said.value), Some(said.from)),
        None => map.add("mode", word(default), None),
    }
}

fn put_owner(section: &mut Section<'_>, map: &mut Map, found: &mut Found) {
    for name in ["user", "group"] {
        if let Some(mut owner) = section.section(name, found) {
            let mut new = Map::default();
            let fields = [("id", Kind::Int), ("name", Kind::Text)];
            owner.copy(&fields, &mut new, found);
            map.part(name, (new, Some(owner.place())));
            owner.finish(found);
        }
    }
}

impl Nodes<'_> {
    /// The path of an entry, in the new system.
    fn put_path(&mut self, section: &mut Section<'_>, map: &mut Map, found: &mut Found) {
        let filesystem = section.text("filesystem", found);
        let Some(path) = section.required("path", found) else {
            return;
        };
        if !path.value.starts_with('/') {
            found.error(
                path.at(),
                format!("the path `{}` is not absolute", path.value),
                "begin it with `/`",
            );
            return;
        }
        let located = self
            .filesystems
            .locate(filesystem.as_ref(), &path.value, found);
        map.put("path", located.map(|located| path.map(|_| located)));
    }

    /// `storage.files`
    pub(super) fn files(&mut self, storage: &mut Section<'_>, found: &mut Found) -> Vec<Piece> {
        let sections = storage.sections("files", found);
        let files = sections.into_iter();
        files.map(|section| self.file(section, found)).collect()
    }

    fn file(&mut self, mut section: Section<'_>, found: &mut Found) -> Piece {
        let mut map = Map::default();
        self.put_path(&mut section, &mut map, found);
        let append = section.bool("append", found);
        let appends = append.as_ref().is_some_and(|said| said.value);
        match section.bool("overwrite", found) {
            Some(said) if said.value && appends => found.error(
                said.at(),
                "a file is appended to or overwritten, not both",
                "remove one of them",
            ),
            Some(said) => map.put("overwrite", Some(said)),
            // It was so by default, and is not any more.
            None if !appends => map.word("overwrite", "true"),
            None => {}
        }
        put_mode(&mut section, &mut map, 0o644, found);
        put_owner(&mut section, &mut map, found);
        let from = section.origin("contents");
        let contents = self.contents(&mut section, found);
        if appends {
            let piece = Piece {
                value: contents.into(),
                from,
            };
            map.list("append", vec![piece], append.map(|said| said.from));
        } else {
            map.part("contents", (contents, from));
        }
        let from = Some(section.place());
        section.finish(found);
        Piece {
            value: map.into(),
            from,
        }
    }

    fn contents(&mut self, file: &mut Section<'_>, found: &mut Found) -> Map {
        let mut map = Map::default();
        if let Some(mut section) = file.section("contents", found) {
            let inline = section.bytes("inline", found);
            let inline = inline.filter(|said| !said.value.is_empty());
            let local = section.text("local", found);
            let remote = section.section("remote", found);
            let mut given = Map::default();
            if let Some(mut remote) = remote {
                given.put("source", remote.text("url", found));
                given.put("compression", remote.text("compression", found));
                given.part("verification", verification(&mut remote, found));
                remote.finish(found);
            }
            let is_remote = given.get("source").is_some();
            let count = [inline.is_some(), local.is_some(), is_remote];
            if count.into_iter().filter(|given| *given).count() > 1 {
                found.error(
                    section.at(),
                    "contents have one of `inline`, `local` and `remote.url`",
                    "remove the others",
                );
            }
            map.put("inline", inline);
            if let Some(local) = local {
                self.put_local(local, &mut map, found);
            }
            map.entries.extend(given.entries);
            section.finish(found);
        }
        if !["inline", "local", "source"]
            .iter()
            .any(|key| map.get(key).is_some())
        {
            // A file without contents was made empty; Ignition would leave one that is there as it is.
            map.add("inline", String::new(), None);
        }
        map
    }

    /// A local file is named on; one that Butane could not read is written into the config.
    fn put_local(&mut self, said: Said<String>, map: &mut Map, found: &mut Found) {
        let Some(folder) = self.files_dir else {
            let message = format!("the local file `{}` can't be looked for", said.value);
            found.error(
                said.at(),
                message,
                "name the folder with local files: `-d DIR`",
            );
            return;
        };
        let path = folder.join(said.value.trim_start_matches('/'));
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("can't read `{}`: {error}", path.display());
                found.error(said.at(), message, "check the name, and the folder of `-d`");
                return;
            }
        };
        if leaves(&said.value) {
            found.warning(
                said.at(),
                format!("`{}` is outside of the folder with local files", said.value),
                "its contents stand in the config now: Butane reads no file from there",
            );
            map.put("inline", Some(said.map(|_| bytes)));
            return;
        }
        self.local_files.push(said.value.clone());
        map.put("local", Some(said));
    }

    /// `storage.directories`
    pub(super) fn directories(
        &mut self,
        storage: &mut Section<'_>,
        found: &mut Found,
    ) -> Vec<Piece> {
        let mut directories = Vec::new();
        for mut section in storage.sections("directories", found) {
            let mut map = Map::default();
            self.put_path(&mut section, &mut map, found);
            section.copy(&[("overwrite", Kind::Bool)], &mut map, found);
            put_mode(&mut section, &mut map, 0o755, found);
            put_owner(&mut section, &mut map, found);
            let from = Some(section.place());
            section.finish(found);
            directories.push(Piece {
                value: map.into(),
                from,
            });
        }
        directories
    }

    /// `storage.links`
    pub(super) fn links(&mut self, storage: &mut Section<'_>, found: &mut Found) -> Vec<Piece> {
        let mut links = Vec::new();
        for mut section in storage.sections("links", found) {
            let mut map = Map::default();
            self.put_path(&mut section, &mut map, found);
            section.copy(&[("overwrite", Kind::Bool)], &mut map, found);
            map.put("target", section.required("target", found));
            section.copy(&[("hard", Kind::Bool)], &mut map, found);
            put_owner(&mut section, &mut map, found);
            let from = Some(section.place());
            section.finish(found);
            links.push(Piece {
                value: map.into(),
                from,
            });
        }
        links
    }
}

/// Whether a path leads out of the folder that it is in.
fn leaves(path: &str) -> bool {
    let mut depth = 0_usize;
    for part in Path::new(path).components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::ParentDir if depth == 0 => return true,
            Component::ParentDir => depth -= 1,
            _ => {}
        }
    }
    false
}
