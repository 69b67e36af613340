//! Units of systemd.

use super::{path, unit_file};
use crate::ignition::report::{Place, Report};
use crate::ignition::value::Struct;

const INSTALL: &str = "add an `[Install]` section, for example with `WantedBy=multi-user.target`";

pub(crate) fn check(unit: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let name = unit.text("name").unwrap_or_default();
    let known = matches!(
        path::extension(name),
        ".service"
            | ".socket"
            | ".device"
            | ".mount"
            | ".automount"
            | ".swap"
            | ".target"
            | ".path"
            | ".timer"
            | ".snapshot"
            | ".slice"
            | ".scope"
    );
    if !known {
        report.error(
            &at.field(unit, "name"),
            (
                "this is no name of a unit",
                "end it with `.service`, `.timer`, `.mount` or another type of unit",
            ),
        );
    }
    let Some(contents) = unit.text("contents") else {
        return;
    };
    let at = at.field(unit, "contents");
    match unit_file::has_install_section(contents) {
        Err(problem) => report.error(&at, problem),
        Ok(false) if unit.is_true("enabled") && !contents.is_empty() => {
            let message = format!("unit `{name}` is enabled, and nothing will start it");
            report.warn(&at, (message, INSTALL));
        }
        Ok(_) => {}
    }
}

pub(crate) fn check_dropin(dropin: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    if let Some(Err(problem)) = dropin.text("contents").map(unit_file::has_install_section) {
        report.error(&at.field(dropin, "contents"), problem);
    }
    if path::extension(dropin.text("name").unwrap_or_default()) != ".conf" {
        report.error(
            &at.field(dropin, "name"),
            (
                "the name of a drop-in must end with `.conf`",
                "write for example `10-name.conf`",
            ),
        );
    }
}

/// An enabled instance needs the `[Install]` section of its template, where the template is in the config.
pub(crate) fn check_instances(systemd: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let list = at.field(systemd, "units");
    for (index, value) in systemd.list("units").iter().enumerate() {
        let Some(unit) = value.as_struct().filter(|unit| unit.is_true("enabled")) else {
            continue;
        };
        let name = unit.text("name").unwrap_or_default();
        let Some(template) = template_of(name) else {
            continue;
        };
        // Of equal names, which is a mistake of its own, Ignition looks at the last.
        let contents = systemd
            .structs("units")
            .filter(|unit| unit.text("name") == Some(&template))
            .last();
        let contents = contents.and_then(|template| template.filled("contents"));
        if contents.is_some_and(|contents| unit_file::has_install_section(contents) == Ok(false)) {
            let message =
                format!("instance `{name}` is enabled, and nothing in `{template}` will start it");
            let item = list.item(index, value);
            report.warn(&item.field(unit, "contents"), (message, INSTALL));
        }
    }
}

/// `a@.service` for `a@x.service`.
fn template_of(name: &str) -> Option<String> {
    let instance = name.strip_suffix(".service")?;
    let (prefix, instance) = instance.get(1..)?.split_once('@')?;
    let first = &name[..name.len() - ".service".len() - instance.len() - prefix.len() - 1];
    (!instance.is_empty()).then(|| format!("{first}{prefix}@.service"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_template_of_an_instance() {
        assert_eq!(template_of("a@x.service").as_deref(), Some("a@.service"));
        assert_eq!(
            template_of("ab@x@y.service").as_deref(),
            Some("ab@.service")
        );
        for name in [
            "a@.service",
            "@x.service",
            "a.service",
            "a@x.timer",
            "é@x.timer",
            "é",
        ] {
            assert_eq!(template_of(name), None, "{name}");
        }
    }
}
