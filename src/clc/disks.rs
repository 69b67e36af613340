//! Disks with their partitions, and arrays.

use super::found::Found;
use super::piece::{Map, Piece};
use super::read::{Kind, Said, Section};

/// Names that `ct` had for types of partitions.
const TYPES: [(&str, &str); 4] = [
    (
        "linux_filesystem_data",
        "0fc63daf-8483-4772-8e79-3d69d8477de4",
    ),
    (
        "raid_containing_root",
        "be9067b9-ea49-4f15-b4f6-f36f8c9e1818",
    ),
    ("raid_partition", "a19d880f-05fc-4d3b-a006-743f0f84911e"),
    ("swap_partition", "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"),
];

const MEBIBYTE: u128 = 1 << 20;

/// `storage.disks`
pub(super) fn disks(storage: &mut Section<'_>, found: &mut Found) -> Vec<Piece> {
    let disks = storage.sections("disks", found);
    disks.into_iter().map(|it| disk(it, found)).collect()
}

fn disk(mut section: Section<'_>, found: &mut Found) -> Piece {
    let mut map = Map::default();
    map.put("device", section.required("device", found));
    section.copy(&[("wipe_table", Kind::Bool)], &mut map, found);
    let from = section.origin("partitions");
    let partitions = section.sections("partitions", found);
    let partitions = partitions.into_iter().map(|it| partition(it, found));
    map.list("partitions", partitions.collect(), from);
    let from = Some(section.place());
    section.finish(found);
    Piece {
        value: map.into(),
        from,
    }
}

fn partition(mut section: Section<'_>, found: &mut Found) -> Piece {
    let mut map = Map::default();
    section.copy(
        &[("label", Kind::AnyText), ("number", Kind::Int)],
        &mut map,
        found,
    );
    let size = section.text("size", found);
    map.put("size_mib", size.and_then(|it| mebibytes(it, found)));
    let start = section.text("start", found);
    map.put("start_mib", start.and_then(|it| mebibytes(it, found)));
    let kind = section.text("type_guid", found);
    map.put("type_guid", kind.map(|it| it.map(guid_of_type)));
    section.copy(&[("guid", Kind::Text)], &mut map, found);
    let from = Some(section.place());
    section.finish(found);
    Piece {
        value: map.into(),
        from,
    }
}

fn guid_of_type(name: String) -> String {
    match TYPES.iter().find(|(known, _)| *known == name) {
        Some((_, guid)) => (*guid).to_owned(),
        None => name,
    }
}

/// `512MiB` and its like as `ct` read them: `MB` is the same as `MiB`.
fn mebibytes(said: Said<String>, found: &mut Found) -> Option<Said<i64>> {
    let help = "write a number of `MiB`, `GiB` or `TiB`: `512MiB`";
    let number = bytes(&said.value).map(|bytes| (bytes % MEBIBYTE, bytes / MEBIBYTE));
    let message = match number {
        Some((0, whole)) => match i64::try_from(whole) {
            Ok(number) => return Some(said.map(|_| number)),
            Err(_) => format!("`{}` is no size of a disk", said.value),
        },
        Some(_) => format!("`{}` is no whole number of MiB", said.value),
        None => format!("`{}` is no size", said.value),
    };
    found.error(said.at(), message, help);
    None
}

fn bytes(text: &str) -> Option<u128> {
    if text == "0" {
        return Some(0);
    }
    let mut sum = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let unit = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        sum += multiply(number, unit_size(unit)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

/// The bytes of `B`, `KB`, `KiB` and so on.
fn unit_size(unit: &str) -> Option<u128> {
    let prefix = unit.strip_suffix("iB").or(unit.strip_suffix('B'))?;
    let power = match prefix {
        "" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        "E" => 6,
        _ => return None,
    };
    Some(1 << (10 * power))
}

fn multiply(number: &str, unit: u128) -> Option<u128> {
    const LONGEST: usize = 12;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if number.len() > LONGEST || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = |text: &str| match text {
        "" => Some(0),
        text => text.parse::<u128>().ok(),
    };
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    Some(digits(whole)? * unit + digits(fraction)? * unit / scale)
}

/// `storage.raid`
pub(super) fn raid(storage: &mut Section<'_>, found: &mut Found) -> Vec<Piece> {
    let fields = [
        ("level", Kind::Text),
        ("devices", Kind::Texts),
        ("spares", Kind::Int),
        ("options", Kind::Texts),
    ];
    let mut arrays = Vec::new();
    for mut section in storage.sections("raid", found) {
        let mut map = Map::default();
        map.put("name", section.required("name", found));
        section.copy(&fields, &mut map, found);
        let from = Some(section.place());
        section.finish(found);
        arrays.push(Piece {
            value: map.into(),
            from,
        });
    }
    arrays
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_ct() {
        assert_eq!(bytes("10MB"), bytes("10MiB"));
        assert_eq!(bytes("1.5GiB"), Some(1536 * MEBIBYTE));
        assert_eq!(bytes("1GiB512MiB"), Some(1536 * MEBIBYTE));
        assert_eq!(bytes("0"), Some(0));
        for none in ["100", "", "MiB", "-1MiB", "1m", "1MiB ", "1..5MiB"] {
            assert_eq!(bytes(none), None, "{none}");
        }
    }
}
