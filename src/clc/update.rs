//! The sections `update` and `locksmith`, which are one file.

use super::found::Found;
use super::piece::{Map, Piece, Yaml};
use super::read::{Said, Section};
use super::service::quote;
use crate::ignition::rules::url;

const PATH: &str = "/etc/coreos/update.conf";

/// Flatcar's channels.
const GROUPS: [&str; 4] = ["stable", "beta", "alpha", "lts"];

const UPDATE: [(&str, &str); 5] = [
    ("server", "SERVER"),
    ("pcr_policy_server", "PCR_POLICY_SERVER"),
    ("download_user", "DOWNLOAD_USER"),
    ("download_password", "DOWNLOAD_PASSWORD"),
    ("machine_alias", "MACHINE_ALIAS"),
];

const LOCKSMITH: [(&str, &str); 5] = [
    ("group", "LOCKSMITHD_GROUP"),
    ("etcd_endpoints", "LOCKSMITHD_ENDPOINT"),
    ("etcd_cafile", "LOCKSMITHD_ETCD_CAFILE"),
    ("etcd_certfile", "LOCKSMITHD_ETCD_CERTFILE"),
    ("etcd_keyfile", "LOCKSMITHD_ETCD_KEYFILE"),
];

/// The file that `ct` made of both.
pub(super) fn file(root: &mut Section<'_>, found: &mut Found) -> Option<Piece> {
    let mut lines = Vec::new();
    let mut from = None;
    if let Some(mut section) = root.section("update", found) {
        from = Some(section.place());
        update(&mut section, &mut lines, found);
        section.finish(found);
    }
    if let Some(mut section) = root.section("locksmith", found) {
        from = from.or(Some(section.place()));
        locksmith(&mut section, &mut lines, found);
        section.finish(found);
    }
    if lines.is_empty() {
        return None;
    }
    let mut inline = Map::default();
    inline.add("inline", lines.join("\n") + "\n", None);
    let mut map = Map::default();
    map.add("path", PATH.to_owned(), None);
    map.word("overwrite", "true");
    map.add("mode", Yaml::Word("0644".to_owned()), None);
    map.part("contents", (inline, from.clone()));
    Some(Piece {
        value: map.into(),
        from,
    })
}

fn update(section: &mut Section<'_>, lines: &mut Vec<String>, found: &mut Found) {
    let group = section.text("group", found);
    if let Some(said) = &group {
        let name = said.value.to_lowercase();
        if !GROUPS.contains(&name.as_str()) && section.key("server").is_none() {
            found.warning(
                said.at(),
                format!("`{}` is no channel of Flatcar's update server", said.value),
                "name the server that has it with `server`, or write `stable`",
            );
        }
        lines.push(format!("GROUP={name}"));
    }
    for (key, name) in UPDATE {
        let said = section.text(key, found);
        if let Some(said) = said.as_ref().filter(|_| key == "server")
            && url::scheme(&said.value).is_err()
        {
            let message = format!("`{}` is no URL", said.value);
            found.error(
                said.at(),
                message,
                "write for example `https://updates.example.com/v1/update/`",
            );
        }
        lines.extend(said.map(|said| format!("{name}={}", said.value)));
    }
}

fn locksmith(section: &mut Section<'_>, lines: &mut Vec<String>, found: &mut Found) {
    let strategy = section.text("reboot_strategy", found);
    let start = section.text("window_start", found);
    let length = section.text("window_length", found);
    if let Some(said) = &strategy {
        let known = ["reboot", "etcd-lock", "off"];
        if !known.contains(&said.value.to_lowercase().as_str()) {
            found.error(
                said.at(),
                format!("unknown reboot strategy `{}`", said.value),
                "write `reboot`, `etcd-lock` or `off`",
            );
        }
    }
    if let Some(said) = start.as_ref().filter(|said| !is_start(&said.value)) {
        let message = format!("`{}` is no start of a window", said.value);
        found.error(
            said.at(),
            message,
            "write a time, or a day and a time: `Thu 04:00`",
        );
    }
    if let Some(said) = length.as_ref().filter(|said| !is_duration(&said.value)) {
        let message = format!("`{}` is no length of a window", said.value);
        found.error(said.at(), message, "write numbers with units: `1h30m`");
    }
    if let (Some(alone), None) | (None, Some(alone)) = (&start, &length) {
        let message = "a window needs `window_start` and `window_length`";
        found.error(alone.at(), message, "add the other one");
    }
    let windows = [
        ("REBOOT_STRATEGY", strategy),
        ("LOCKSMITHD_REBOOT_WINDOW_START", start),
        ("LOCKSMITHD_REBOOT_WINDOW_LENGTH", length),
    ];
    let rest = LOCKSMITH.map(|(key, name)| (name, section.text(key, found)));
    let line = |(name, said): (&str, Option<Said<String>>)| {
        said.map(|said| format!("{name}={}", quote(&said.value)))
    };
    lines.extend(windows.into_iter().chain(rest).filter_map(line));
}

/// `04:00` or `Thu 04:00`.
fn is_start(text: &str) -> bool {
    let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    let words: Vec<&str> = text.split_whitespace().collect();
    let time = match words[..] {
        [time] => time,
        [day, time] if days.contains(&day.to_lowercase().as_str()) => time,
        _ => return false,
    };
    let Some((hour, minute)) = time.split_once(':') else {
        return false;
    };
    let below = |text: &str, limit: u8| {
        text.bytes().all(|c| c.is_ascii_digit()) && text.parse().is_ok_and(|it: u8| it < limit)
    };
    (1..=2).contains(&hour.len()) && below(hour, 24) && minute.len() == 2 && below(minute, 60)
}

/// Go's durations: `1h30m`, `1.5h`.
fn is_duration(text: &str) -> bool {
    const UNITS: [&str; 7] = ["ns", "us", "µs", "ms", "s", "m", "h"];
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    if text == "0" {
        return true;
    }
    let mut rest = text;
    while !rest.is_empty() {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let Some(end) = rest.find(|c| !is_number(c)) else {
            return false;
        };
        let (number, after) = rest.split_at(end);
        let end = after.find(is_number).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if number.parse::<f64>().is_err() || !UNITS.contains(&unit) {
            return false;
        }
        rest = after;
    }
    !text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_as_locksmith_reads_them() {
        for start in ["4:00", "04:00", "Thu 04:00", "sun 23:59"] {
            assert!(is_start(start), "{start}");
        }
        for start in ["whenever", "24:00", "4:0", "Thursday 04:00", "Thu", ""] {
            assert!(!is_start(start), "{start}");
        }
        for length in ["1h", "1h30m", "1.5h", "0"] {
            assert!(is_duration(length), "{length}");
        }
        for length in ["1 hour", "1", "h", "1d", "", "..h"] {
            assert!(!is_duration(length), "{length}");
        }
    }
}
