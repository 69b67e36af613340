//! File systems. Files named them; now a file is on the one that is mounted over its path.

use super::found::Found;
use super::piece::{Map, Origin, Piece};
use super::read::{Kind, Said, Section};

/// The root of the new system while Ignition runs.
const SYSROOT: &str = "/sysroot";

/// The file systems by the names that files use.
#[derive(Default)]
pub(super) struct Filesystems {
    all: Vec<Filesystem>,
}

struct Filesystem {
    name: String,
    from: Origin,
    /// What is printed of it; one that is only a path needs no entry.
    map: Option<Map>,
    /// Where files on it stand in the new system.
    prefix: Prefix,
    used: bool,
}

enum Prefix {
    Known(String),
    /// Nobody said where it will be mounted.
    Invented(String),
    /// It is outside of the new system.
    Unreachable(String),
}

impl Filesystems {
    /// Reads them; `mounts` are devices with the folders that the config's own units mount them at.
    pub(super) fn read(
        storage: &mut Section<'_>,
        mounts: &[(String, String)],
        found: &mut Found,
    ) -> Self {
        let sections = storage.sections("filesystems", found);
        let all = sections.into_iter();
        Self {
            all: all.filter_map(|it| read(it, mounts, found)).collect(),
        }
    }

    /// The path in the new system of one on a file system; `None` with an error where there is none.
    pub(super) fn locate(
        &mut self,
        filesystem: Option<&Said<String>>,
        path: &str,
        found: &mut Found,
    ) -> Option<String> {
        let name = filesystem.map_or("root", |said| said.value.as_str());
        let Some(system) = self.all.iter_mut().rfind(|it| it.name == name) else {
            if name == "root" {
                return Some(path.to_owned());
            }
            let at = filesystem.map_or(0..0, Said::at);
            found.error(
                at,
                format!("there is no file system `{name}` in this config"),
                "define it under `storage.filesystems`: Ignition takes full paths now, and what another config defines is not known here",
            );
            return None;
        };
        system.used = true;
        match &system.prefix {
            Prefix::Known(prefix) | Prefix::Invented(prefix) => Some(format!("{prefix}{path}")),
            Prefix::Unreachable(there) => {
                let at = filesystem.map_or(0..0, Said::at);
                found.error(
                    at,
                    format!("`{there}` is outside of the new system, and Ignition no longer writes there"),
                    format!("put the file where the system has it: below `{SYSROOT}`"),
                );
                None
            }
        }
    }

    /// What is printed of them.
    pub(super) fn finish(self, found: &mut Found) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for system in self.all {
            let Some(mut map) = system.map else { continue };
            let (path, invented) = match system.prefix {
                Prefix::Known(path) => (path, false),
                Prefix::Invented(path) => (path, true),
                Prefix::Unreachable(_) => continue,
            };
            if system.used && !path.is_empty() {
                if invented {
                    found.warning(
                        system.from.value.clone(),
                        format!(
                            "nothing says where `{}` is mounted: its files go to `{path}`",
                            system.name
                        ),
                        "write the folder where the system will mount it, here and in the paths of its files",
                    );
                }
                let at = map.entries.len().min(1);
                let value = path.into();
                map.entries
                    .insert(at, ("path", Piece { value, from: None }));
            }
            pieces.push(Piece {
                value: map.into(),
                from: Some(system.from),
            });
        }
        pieces
    }
}

fn read(
    mut section: Section<'_>,
    mounts: &[(String, String)],
    found: &mut Found,
) -> Option<Filesystem> {
    let name = section.text("name", found).map(|said| said.value);
    let name = name.unwrap_or_default();
    let path = section.text("path", found);
    let mount = section.section("mount", found);
    let from = section.place();
    let at = section.at();
    section.finish(found);
    let (map, prefix) = match (mount, path) {
        (Some(_), Some(_)) => {
            let message = "a file system has `mount` or `path`, not both";
            found.error(at, message, "remove one of them");
            return None;
        }
        (None, None) => {
            let message = "a file system without `mount` and `path`";
            found.error(
                at,
                message,
                "say which device it is, or where it is mounted",
            );
            return None;
        }
        (None, Some(path)) => (None, prefix_of_path(&path.value)),
        (Some(mount), None) => {
            let map = read_mount(mount, found);
            let prefix = prefix_of_mount(&name, &map, mounts);
            if name == "root" && map.text("label") != Some("ROOT") {
                found.warning(
                    at,
                    "files are written to the system's own root, wherever that is",
                    "label it `ROOT`: by that Flatcar finds its root",
                );
            }
            (Some(map), prefix)
        }
    };
    Some(Filesystem {
        name,
        from,
        map,
        prefix,
        used: false,
    })
}

fn prefix_of_path(path: &str) -> Prefix {
    let path = path.trim_end_matches('/');
    match path.strip_prefix(SYSROOT) {
        Some(inside) if inside.is_empty() || inside.starts_with('/') => {
            Prefix::Known(inside.to_owned())
        }
        _ => Prefix::Unreachable(path.to_owned()),
    }
}

fn prefix_of_mount(name: &str, map: &Map, mounts: &[(String, String)]) -> Prefix {
    if name == "root" {
        return Prefix::Known(String::new());
    }
    let device = map.text("device").unwrap_or_default();
    let unit = mounts.iter().find(|(what, _)| what == device);
    if let Some((_, place)) = unit {
        return Prefix::Known(place.trim_end_matches('/').to_owned());
    }
    // Flatcar has it there.
    let oem = ["/dev/disk/by-label/OEM", "/dev/disk/by-partlabel/OEM"];
    if oem.contains(&device) {
        return Prefix::Known("/oem".to_owned());
    }
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    Prefix::Invented(format!(
        "/mnt/{}",
        name.chars().map(plain).collect::<String>()
    ))
}

fn read_mount(mut mount: Section<'_>, found: &mut Found) -> Map {
    let mut map = Map::default();
    map.put("device", mount.required("device", found));
    let fields = [
        ("format", Kind::Text),
        ("wipe_filesystem", Kind::Bool),
        ("label", Kind::AnyText),
        ("uuid", Kind::AnyText),
        ("options", Kind::Texts),
    ];
    mount.copy(&fields, &mut map, found);
    if let Some(mut create) = mount.section("create", found) {
        let force = create.bool("force", found);
        let wipes = force.as_ref().is_some_and(|said| said.value);
        let mut new = Map::default();
        new.put("wipe_filesystem", force);
        create.copy(&[("options", Kind::Texts)], &mut new, found);
        for (name, piece) in new.entries {
            if map.get(name).is_some() {
                let at = piece.from.map_or_else(|| create.at(), |from| from.value);
                let message = format!("`{name}` is given twice: here and in `mount`");
                found.error(at, message, "remove one of them");
            } else {
                map.entries.push((name, piece));
            }
        }
        if !wipes {
            found.warning(
                create.at(),
                "with `create`, a device that held another file system was an error",
                "an equal one is used as it is now; `wipe_filesystem: true` makes it anew",
            );
        }
        create.finish(found);
    }
    mount.finish(found);
    map
}
