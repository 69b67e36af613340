//! Files, directories and links.

use super::path;
use crate::ignition::report::{Place, Report};
use crate::ignition::spec::Spec;
use crate::ignition::value::Struct;

const MODE_LIMIT: i64 = 0o7777;
pub(crate) const SPECIAL_BITS: i64 = 0o7000;

pub(crate) fn check_directory(directory: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    check_path(directory, at, report);
    check_mode(directory, at, report);
}

pub(crate) fn check_file(file: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    check_path(file, at, report);
    check_mode(file, at, report);
    let has_source = file
        .child("contents")
        .is_some_and(|contents| contents.get("source").is_some());
    if file.is_true("overwrite") && !has_source {
        let message = (
            "`overwrite` without contents would empty the file",
            "give it contents, or remove `overwrite`",
        );
        report.error(&at.field(file, "overwrite"), message);
    }
}

pub(crate) fn check_link(link: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    check_path(link, at, report);
}

pub(crate) fn check_owner(owner: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    if owner.get("id").is_some() && owner.filled("name").is_some() {
        report.error(at, ("both an id and a name", "keep one of them"));
    }
}

fn check_path(node: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    if let Err(message) = path::check(node.text("path").unwrap_or_default()) {
        report.error(&at.field(node, "path"), message);
    }
}

fn check_mode(node: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let Some(mode) = node.int("mode") else {
        return;
    };
    let at = at.field(node, "mode");
    if !(0..=MODE_LIMIT).contains(&mode) {
        report.error(
            &at,
            ("this is no file mode", "use octal from 0000 to 07777"),
        );
    }
    if mode & SPECIAL_BITS != 0 && report.spec < Spec::V3_6 {
        let message = (
            "setuid, setgid and sticky bits have no effect in specs before 3.6.0",
            "set them by a unit at boot, or use a version that knows them",
        );
        report.warn(&at, message);
    }
}
