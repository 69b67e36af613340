//! Units: those of the section `systemd`, and those that `ct` made of the sections for services.

use super::found::Found;
use super::piece::{Map, Origin, Piece};
use super::read::{Kind, Section};
use super::service::{self, Service};

/// All units of the new config.
pub(super) struct Units {
    list: Vec<Unit>,
    from: Option<Origin>,
}

struct Unit {
    name: String,
    /// Name, contents and `mask`.
    map: Map,
    enabled: Option<(bool, Option<Origin>)>,
    dropins: Vec<Piece>,
    from: Origin,
}

impl Units {
    /// `systemd:`
    pub(super) fn read(root: &mut Section<'_>, found: &mut Found) -> Self {
        let mut list = Vec::new();
        let Some(mut section) = root.section("systemd", found) else {
            return Self { list, from: None };
        };
        for unit in section.sections("units", found) {
            list.extend(read(unit, found));
        }
        let from = Some(section.place());
        section.finish(found);
        Self { list, from }
    }

    /// Adds what `ct` made of `etcd`, `flannel` and `docker`. Two units of one name are one now.
    pub(super) fn add_services(
        &mut self,
        root: &mut Section<'_>,
        platform: Option<&str>,
        found: &mut Found,
    ) {
        for service in service::all(root, platform, found) {
            let known = self.list.iter_mut().find(|unit| unit.name == service.unit);
            match known {
                Some(unit) => unit.add(service, found),
                None => self.list.push(Unit::new(service)),
            }
        }
    }

    /// Devices with the folders that units mount them at.
    pub(super) fn mounts(&self) -> Vec<(String, String)> {
        let mounts = self.list.iter().filter(|it| it.name.ends_with(".mount"));
        mounts
            .filter_map(|unit| {
                let contents = unit.map.text("contents")?;
                let setting = |name: &str| {
                    let mut lines = contents.lines();
                    lines.find_map(|line| {
                        let (key, value) = line.split_once('=')?;
                        (key.trim() == name).then(|| value.trim().to_owned())
                    })
                };
                Some((setting("What")?, setting("Where")?))
            })
            .collect()
    }

    /// What is printed of them, and where they come from.
    pub(super) fn finish(self) -> (Vec<Piece>, Option<Origin>) {
        let pieces = self.list.into_iter().map(Unit::finish).collect();
        (pieces, self.from)
    }
}

fn read(mut section: Section<'_>, found: &mut Found) -> Option<Unit> {
    let mut map = Map::default();
    let name = section.required("name", found);
    let text = name.as_ref().map(|said| said.value.clone());
    map.put("name", name);
    let enabled = read_enabled(&mut section, found);
    section.copy(
        &[("mask", Kind::Bool), ("contents", Kind::Text)],
        &mut map,
        found,
    );
    let mut dropins = Vec::new();
    for mut dropin in section.sections("dropins", found) {
        let mut map = Map::default();
        map.put("name", dropin.required("name", found));
        dropin.copy(&[("contents", Kind::Text)], &mut map, found);
        let from = Some(dropin.place());
        dropin.finish(found);
        dropins.push(Piece {
            value: map.into(),
            from,
        });
    }
    let from = section.place();
    section.finish(found);
    Some(Unit {
        name: text?,
        map,
        enabled,
        dropins,
        from,
    })
}

/// `enable`, which could only say yes, and `enabled`. Both together were two lines for systemd, which takes the first.
fn read_enabled(section: &mut Section<'_>, found: &mut Found) -> Option<(bool, Option<Origin>)> {
    let enable = section.bool("enable", found).filter(|said| said.value);
    let enabled = section.bool("enabled", found);
    match (enable, enabled) {
        (Some(enable), Some(enabled)) if !enabled.value => {
            found.warning(
                enabled.at(),
                "`enable` and `enabled` disagree: the unit was enabled, and still is",
                "remove `enable: true` where it should not be",
            );
            Some((true, Some(enable.from)))
        }
        (_, Some(said)) | (Some(said), None) => Some((said.value, Some(said.from))),
        (None, None) => None,
    }
}

impl Unit {
    fn new(service: Service) -> Self {
        let mut map = Map::default();
        map.add("name", service.unit.to_owned(), None);
        Self {
            name: service.unit.to_owned(),
            map,
            enabled: service.enabled.then_some((true, None)),
            from: service.from.clone(),
            dropins: vec![service.into_dropin()],
        }
    }

    fn add(&mut self, service: Service, found: &mut Found) {
        if service.enabled {
            if let Some((false, Some(from))) = &self.enabled {
                found.warning(
                    from.value.clone(),
                    format!(
                        "a section of its own enabled `{}`, and still does",
                        self.name
                    ),
                    "remove that section, or this line",
                );
            }
            self.enabled = match self.enabled.take() {
                Some((true, from)) => Some((true, from)),
                _ => Some((true, None)),
            };
        }
        self.dropins.insert(0, service.into_dropin());
    }

    fn finish(self) -> Piece {
        let mut map = Map::default();
        let mut rest = self.map.entries.into_iter();
        map.entries.extend(rest.next());
        if let Some((enabled, from)) = self.enabled {
            map.add("enabled", enabled, from);
        }
        map.entries.extend(rest);
        map.list("dropins", self.dropins, None);
        Piece {
            value: map.into(),
            from: Some(self.from),
        }
    }
}
