//! What must hold in the YAML before it is translated.

use std::sync::Arc;

use super::schema::{BOOT_DEVICE, GRUB, TREE};
use super::{boot_device, fcos, grub};
use crate::diagnostic::Diagnostic;
use crate::ignition::report::{Place, Report};
use crate::ignition::schema::{DIRECTORY, DROPIN, FILE, FILESYSTEM, REFERENCE, RESOURCE, UNIT};
use crate::ignition::spec::Spec;
use crate::ignition::value::{Data, Struct};
use crate::ignition::{self, Config, visit_children};
use crate::source::Source;

/// Checks a struct and all below it.
pub(super) fn walk(structure: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let is = |ty| structure.ty.is(ty);
    if is(&RESOURCE) || is(&REFERENCE) {
        check_resource(structure, at, report);
    } else if is(&FILE) || is(&DIRECTORY) {
        check_mode(structure, is(&DIRECTORY), at, report);
    } else if is(&FILESYSTEM) {
        check_mount_unit(structure, at, report);
    } else if is(&TREE) && structure.filled("local").is_none() {
        report.error(
            at,
            (
                "a tree without `local`",
                "set it to a directory of local files",
            ),
        );
    } else if (is(&UNIT) || is(&DROPIN))
        && structure.get("contents").is_some()
        && structure.get("contents_local").is_some()
    {
        let message = ("both `contents` and `contents_local`", "keep one of them");
        report.error(&at.field(structure, "contents_local"), message);
    }
    visit_children(structure, at, report, walk);
}

/// Checks that hold for Fedora `CoreOS` only.
pub(super) fn check_fcos(config: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    type Check = fn(&Struct, &Place<'_>, &mut Report<'_>);
    fcos::check_source(config, at, report);
    let sections: [(&str, Check); 2] = [(BOOT_DEVICE, boot_device::check), (GRUB, grub::check)];
    for (name, check) in sections {
        if let Some(section) = config.child(name) {
            check(section, &at.field(config, name), report);
        }
    }
}

fn check_resource(resource: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    // Of the fields that contradict each other Butane names one, and not always the same.
    let order = if report.spec < Spec::V3_1 {
        ["inline", "source", "local"]
    } else {
        ["source", "inline", "local"]
    };
    let mut set = order
        .into_iter()
        .filter(|name| resource.get(name).is_some());
    if let (Some(name), Some(_)) = (set.next(), set.next()) {
        let message = (
            "more than one of `inline`, `local` and `source`",
            "keep one of them",
        );
        report.error(&at.field(resource, name), message);
    } else if let Some(Data::Bytes(config)) = resource.get("inline").map(|inline| &inline.data)
        && resource.ty.is(&REFERENCE)
        && at
            .path(ignition::report::Names::Yaml)
            .starts_with("$.ignition.config")
    {
        check_child(config, resource, at, report);
    }
}

/// A child config is checked when it is of the spec that comes out.
fn check_child(config: &[u8], resource: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let source = Source::file("child config", String::from_utf8_lossy(config));
    let (child, mut found) = Config::parse(&source);
    match child {
        Some(child) if child.spec() != report.spec => {
            let message = format!(
                "the child config is of spec {} and is not checked",
                child.spec()
            );
            let help = "check it by itself with `validate`";
            return report.warn(&at.key("version", None), (message, help));
        }
        Some(child) => found.extend(ignition::validate(&child, None)),
        None => {}
    }
    let at = at.field(resource, "inline");
    for inner in found {
        let within = inner
            .path
            .as_deref()
            .map_or_else(|| line_in(&inner, &source), |path| format!("at `{path}`"));
        let message = format!("in the child config {within}: {}", inner.message);
        report.add(
            &at,
            Diagnostic {
                help: inner.help,
                ..Diagnostic::new(inner.severity, message)
            },
        );
    }
}

fn line_in(inner: &Diagnostic, source: &Arc<Source>) -> String {
    let offset = inner.labels.first().map_or(0, |label| label.span.start);
    format!("in line {}", source.position(offset).line)
}

fn check_mount_unit(filesystem: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    if !filesystem.is_true("with_mount_unit") {
        return;
    }
    let format = filesystem.filled("format");
    if format.is_none() {
        report.error(
            &at.field(filesystem, "format"),
            ("a mount unit needs the format", "set `format`"),
        );
    }
    let swap_without_path = format == Some("swap") && report.spec >= Spec::V3_3;
    let path_needed = format.is_some() || report.spec < Spec::V3_3;
    if filesystem.filled("path").is_none() && path_needed && !swap_without_path {
        let message = (
            "a mount unit needs the path",
            "set `path` to where it is mounted",
        );
        report.error(&at.field(filesystem, "path"), message);
    }
}

fn check_mode(node: &Struct, directory: bool, at: &Place<'_>, report: &mut Report<'_>) {
    let Some(mode) = node.int("mode") else {
        return;
    };
    // Butane looks no further.
    let as_octal = i64::from_str_radix(&mode.to_string(), 8).ok();
    let as_octal = as_octal.filter(|_| (0..=7777).contains(&mode));
    if as_octal.is_some_and(|octal| !is_usual(mode, directory) && is_usual(octal, directory)) {
        let warning =
            Diagnostic::warning("unreasonable mode would be reasonable if specified in octal");
        let place = at.field(node, "mode");
        report.add(
            &place,
            warning.help(format!("modes are octal: write `0{mode}`")),
        );
    }
}

/// Whether anybody would give a file or directory these permissions, by the reasoning of Butane.
fn is_usual(mode: i64, directory: bool) -> bool {
    if mode == 0 {
        return true;
    }
    let (mut read, mut write, mut execute) = (false, false, false);
    for permissions in [mode & 7, mode >> 3 & 7, mode >> 6 & 7] {
        let [r, w, x] = [4, 2, 1].map(|bit| permissions & bit != 0);
        let narrower = !r && read || !w && write || !x && execute;
        let newly_executable = x && read && !execute;
        let unreadable = (w || x) && !r;
        if narrower || newly_executable || unreadable {
            return false;
        }
        (read, write, execute) = (read || r, write || w, execute || x);
    }
    let has = |bits: i64| mode & bits != 0;
    read && if directory {
        execute && !has(0o4000) && (!has(0o3000) || write)
    } else {
        !has(0o1000) && (!has(0o6000) || execute && !has(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_usual_modes() {
        for mode in [0, 0o644, 0o600, 0o755, 0o444, 0o4755, 0o2750] {
            assert!(is_usual(mode, false), "{mode:o}");
        }
        for mode in [644, 755, 0o1644, 0o4644, 0o200, 0o4757] {
            assert!(!is_usual(mode, false), "{mode:o}");
        }
        for mode in [0o755, 0o700, 0o1777, 0o2775] {
            assert!(is_usual(mode, true), "{mode:o}");
        }
        for mode in [0o644, 0o4755, 0o1555] {
            assert!(!is_usual(mode, true), "{mode:o}");
        }
    }
}
