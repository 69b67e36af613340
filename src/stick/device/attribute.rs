//! What stands in the files of sysfs and udev.

use std::fs;
use std::path::Path;
use std::str::FromStr;

/// A text that a device gives of itself; it may hold anything, and is shown.
pub(super) fn clean(text: &str) -> String {
    let misleads = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.trim_matches([' ', '\n', '\0'])
        .replace(misleads, "\u{fffd}")
}

/// An attribute; `None` where there is none, or an empty one.
pub(super) fn attribute(folder: &Path, path: &str) -> Option<String> {
    let bytes = fs::read(folder.join(path)).ok()?;
    Some(clean(&String::from_utf8_lossy(&bytes))).filter(|it| !it.is_empty())
}

/// An attribute without which nothing can be said of a drive.
pub(super) fn needed<T: FromStr + Default>(
    folder: &Path,
    path: &str,
    unread: &mut Vec<String>,
) -> T {
    match attribute(folder, path).and_then(|it| it.parse().ok()) {
        Some(value) => value,
        None => {
            unread.push(format!("`{}`", folder.join(path).display()));
            T::default()
        }
    }
}

/// The serial number in page 80h of SCSI's vital product data: four bytes, then text.
pub(super) fn vital_product_data(folder: &Path) -> Option<String> {
    let page = fs::read(folder.join("device/vpd_pg80")).ok()?;
    let text = String::from_utf8_lossy(page.get(4..)?).into_owned();
    Some(clean(&text)).filter(|it| !it.is_empty())
}

/// The value in a file of lines `NAME=value`.
pub(super) fn pair(file: &Path, name: &str) -> Option<String> {
    let text = fs::read(file).ok()?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut values = text.lines().filter_map(|line| line.strip_prefix(name));
    values.next().map(clean).filter(|it| !it.is_empty())
}
