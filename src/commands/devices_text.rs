//! Drives as people read them: those that may be written first, in lines of at most 80 columns.

use super::devices::Row;
use crate::diagnostic::printable;
use crate::stick::{Device, Kind, Never, Signature};

/// The width of a terminal that everybody has.
const WIDTH: usize = 80;

pub(super) fn describe(rows: &[Row]) -> String {
    let (free, rest): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.verdict.is_free());
    let mut text = String::new();
    for (heading, rows) in [("may be written:", free), ("may not be written:", rest)] {
        if rows.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text += heading;
        text.push('\n');
        for row in rows {
            text += &describe_one(row);
            for line in judgement(row) {
                text += &wrapped(6, &line);
            }
        }
    }
    text
}

/// A drive by itself: what it is and what is on it.
pub(super) fn describe_one(row: &Row) -> String {
    let lines = about(row).into_iter().map(|line| wrapped(6, &line));
    wrapped(2, &title(&row.device)) + &lines.collect::<String>()
}

/// `/dev/sdb, 32.0 GB, usb: SanDisk Ultra`
fn title(device: &Device) -> String {
    let names = [&device.vendor, &device.model];
    let names: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
    let mut text = device.path.display().to_string();
    if device.size > 0 {
        text += &format!(", {}", size(device.size));
    }
    text += &format!(", {}", device.transport.name());
    if let Kind::Loop(Some(file)) = &device.kind {
        text += &format!(": `{file}`");
    } else if !names.is_empty() {
        text += &format!(": {}", names.join(" "));
    }
    text
}

fn about(row: &Row) -> Vec<String> {
    let device = &row.device;
    let mut lines = Vec::new();
    if let Some(serial) = &device.serial {
        lines.push(format!("serial {serial}"));
    }
    match &row.stick {
        Some(Ok(label)) => {
            lines.push(format!(
                "now the stick of {} in {}",
                label.node, label.fleet
            ));
        }
        Some(Err(error)) => lines.push(format!("now a stick that is damaged: {error}")),
        None => lines.extend(contents(device)),
    }
    lines
}

fn judgement(row: &Row) -> Vec<String> {
    let device = &row.device;
    let mut lines = Vec::new();
    for never in &row.verdict.refused {
        lines.push(never.to_string());
        // Nobody wants to be told how to free what is built in, and another drive can't be named to a list.
        let is_final = matches!(never, Never::NoDrive(_) | Never::System(_));
        if device.removable && !is_final {
            lines.push(format!("  {}", never.help()));
        }
    }
    // What does not help is not offered.
    let way = if row.verdict.refused.is_empty() {
        "only with --force: "
    } else {
        ""
    };
    let forced = row.verdict.forced.iter();
    lines.extend(forced.map(|force| format!("{way}{force}")));
    lines
}

/// `holds FAT (sdb1 "DATA")`: what would be lost.
fn contents(device: &Device) -> Option<String> {
    let names = |holds: &[Signature]| {
        let names = holds.iter().map(Signature::name);
        names.collect::<Vec<_>>().join(" and ")
    };
    let parts = device.partitions.iter().map(|part| {
        let called = part.label.as_ref().or(part.title.as_ref());
        let called = called.map_or(String::new(), |it| format!(" \"{it}\""));
        let kind = match names(&part.holds).as_str() {
            "" => String::new(),
            kind => format!(" {kind}"),
        };
        format!("{}{kind}{called}", part.name)
    });
    let whole = names(&device.holds);
    // What stands on a whole drive with partitions is most often older than they are.
    let whole = (!whole.is_empty()).then_some(whole);
    let all: Vec<String> = whole.into_iter().chain(parts).collect();
    (!all.is_empty()).then(|| format!("holds {}", all.join(", ")))
}

/// As it is printed on drives: in thousands.
pub(super) fn size(bytes: u64) -> String {
    let (unit, name) = if bytes < 1_000_000_000 {
        (1_000_000, "MB")
    } else if bytes < 1_000_000_000_000 {
        (1_000_000_000, "GB")
    } else {
        (1_000_000_000_000, "TB")
    };
    let tenths = bytes / (unit / 10);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// Lines that begin at a column; what belongs to the first one stands a little further in.
fn wrapped(indent: usize, text: &str) -> String {
    let inner = text.len() - text.trim_start().len();
    let mut lines = vec![" ".repeat(indent + inner)];
    for word in printable(text).split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        let is_first = line.trim_start().is_empty();
        if is_first {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(format!("{}{word}", " ".repeat(indent + inner + 2)));
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::stick::{GUARDS, Number, Partition, Transport, Use, What, judge};

    fn stick() -> Device {
        Device {
            name: "sdb".to_owned(),
            path: "/dev/sdb".into(),
            number: Number(8, 16),
            kind: Kind::Drive,
            sequence: Some(1),
            vendor: Some("SanDisk".to_owned()),
            model: Some("Ultra Fit".to_owned()),
            serial: Some("4C530001230425118064".to_owned()),
            size: 15_993_929_728,
            sector: 512,
            physical_sector: 512,
            removable: true,
            read_only: false,
            transport: Transport::Usb,
            partitions: vec![Partition {
                name: "sdb1".to_owned(),
                size: 15_992_881_152,
                title: None,
                label: Some("HOLIDAY".to_owned()),
                holds: vec![Signature::Alone("FAT")],
            }],
            holds: Vec::new(),
            uses: Vec::new(),
            taken: false,
            unread: Vec::new(),
        }
    }

    fn laptop() -> Device {
        let mounted = |on: &[&str], at: &str| Use {
            through: on.iter().map(|it| (*it).to_owned()).collect(),
            what: What::Mounted(at.to_owned()),
        };
        Device {
            name: "nvme0n1".to_owned(),
            path: "/dev/nvme0n1".into(),
            vendor: None,
            model: Some("Samsung SSD 970 EVO 500GB".to_owned()),
            size: 500_107_862_016,
            removable: false,
            transport: Transport::Nvme,
            partitions: Vec::new(),
            uses: vec![
                mounted(&["nvme0n1p1"], "/boot/efi"),
                mounted(&["nvme0n1p3", "dm-0", "dm-1"], "/"),
            ],
            ..stick()
        }
    }

    fn row(device: Device) -> Row {
        Row {
            verdict: judge(GUARDS, &device),
            stick: None,
            device,
        }
    }

    #[test]
    fn drives_that_may_be_written_come_first_and_the_others_with_their_reasons() {
        let text = describe(&[row(laptop()), row(stick())]);
        assert_eq!(
            text,
            "may be written:\n\
             \x20 /dev/sdb, 15.9 GB, usb: SanDisk Ultra Fit\n\
             \x20     serial 4C530001230425118064\n\
             \x20     holds sdb1 FAT \"HOLIDAY\"\n\
             \n\
             may not be written:\n\
             \x20 /dev/nvme0n1, 500.1 GB, nvme: Samsung SSD 970 EVO 500GB\n\
             \x20     serial 4C530001230425118064\n\
             \x20     the running system is on it: `/boot/efi` (nvme0n1p1), `/` (nvme0n1p3 >\n\
             \x20       dm-0 > dm-1)\n\
             \x20     it is not removable\n\
             \x20     it has 500 GB, more than 256\n"
        );
    }

    #[test]
    fn what_helps_is_told_where_it_does() {
        let mut mounted = stick();
        mounted.uses = laptop().uses;
        mounted.uses[0].what = What::Mounted("/media/a\nb\u{1b}".to_owned());
        mounted.uses.truncate(1);
        let text = describe(&[row(mounted)]);
        assert!(text.contains("unmount it: `umount`"), "{text}");
        assert!(text.contains("`/media/a b\u{fffd}`"), "{text}");
        let mut idle = laptop();
        idle.uses.clear();
        idle.size = 200_000_000_000;
        let text = describe(&[row(idle)]);
        assert!(
            text.contains("      only with --force: it is not removable\n"),
            "{text}"
        );
    }

    #[test]
    fn a_damaged_stick_is_told_from_none() {
        let mut damaged = row(stick());
        damaged.stick = Some(Err("`ephemeros.toml` is damaged".to_owned()));
        let text = describe(&[damaged]);
        assert!(
            text.contains("now a stick that is damaged: `ephemeros.toml` is"),
            "{text}"
        );
    }
}
