//! The section `ignition`, and how a fetched thing is verified.

use super::found::Found;
use super::piece::{Map, Part, Piece};
use super::read::{Kind, Section};

/// `ignition:`
pub(super) fn translate(root: &mut Section<'_>, found: &mut Found) -> Part {
    let mut map = Map::default();
    let Some(mut section) = root.section("ignition", found) else {
        return (map, None);
    };
    if let Some(mut config) = section.section("config", found) {
        let mut new = Map::default();
        let from = config.origin("append");
        let mut merge = Vec::new();
        for reference in config.sections("append", found) {
            merge.push(config_reference(reference, found));
        }
        new.list("merge", merge, from);
        if let Some(reference) = config.section("replace", found) {
            let piece = config_reference(reference, found);
            new.add("replace", piece.value, piece.from);
        }
        map.part("config", (new, Some(config.place())));
        config.finish(found);
    }
    if let Some(mut timeouts) = section.section("timeouts", found) {
        let mut new = Map::default();
        let fields = [
            ("http_response_headers", Kind::Int),
            ("http_total", Kind::Int),
        ];
        timeouts.copy(&fields, &mut new, found);
        map.part("timeouts", (new, Some(timeouts.place())));
        timeouts.finish(found);
    }
    if let Some(mut security) = section.section("security", found) {
        let tls = tls(&mut security, found);
        let mut new = Map::default();
        new.part("tls", tls);
        map.part("security", (new, Some(security.place())));
        security.finish(found);
    }
    let from = section.place();
    section.finish(found);
    (map, Some(from))
}

fn tls(security: &mut Section<'_>, found: &mut Found) -> Part {
    let mut map = Map::default();
    let Some(mut tls) = security.section("tls", found) else {
        return (map, None);
    };
    let from = tls.origin("certificate_authorities");
    let authorities = tls.sections("certificate_authorities", found);
    let authorities = authorities.into_iter().map(|it| reference(it, found));
    map.list("certificate_authorities", authorities.collect(), from);
    let from = tls.place();
    tls.finish(found);
    (map, Some(from))
}

/// What it names was read as spec 2, and will be read as spec 3.
fn config_reference(section: Section<'_>, found: &mut Found) -> Piece {
    let piece = reference(section, found);
    if let Some(from) = &piece.from {
        found.warning(
            from.value.clone(),
            "what is fetched here must be an Ignition config of spec 3 now",
            "bring that config over, too: Ignition does not mix the specs",
        );
    }
    piece
}

fn reference(mut section: Section<'_>, found: &mut Found) -> Piece {
    let mut map = Map::default();
    map.put("source", section.required("source", found));
    map.part("verification", verification(&mut section, found));
    let from = Some(section.place());
    section.finish(found);
    Piece {
        value: map.into(),
        from,
    }
}

/// `verification:`, whose hash is one text now.
pub(super) fn verification(section: &mut Section<'_>, found: &mut Found) -> Part {
    let mut map = Map::default();
    let Some(mut verification) = section.section("verification", found) else {
        return (map, None);
    };
    if let Some(mut hash) = verification.section("hash", found) {
        let function = hash.required("function", found);
        let sum = hash.required("sum", found);
        if let (Some(function), Some(sum)) = (function, sum) {
            if function.value == "sha512" {
                let text = format!("sha512-{}", sum.value);
                map.add("hash", text, Some(sum.from));
            } else {
                found.error(
                    function.at(),
                    format!("unknown hash function `{}`", function.value),
                    "write `sha512` and the sum that it gives",
                );
            }
        }
        hash.finish(found);
    }
    let from = verification.place();
    verification.finish(found);
    (map, Some(from))
}
