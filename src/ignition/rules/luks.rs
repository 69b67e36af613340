//! Encrypted volumes and what unlocks them.

use serde_json::value::RawValue;

use super::{path, url};
use crate::ignition::report::{Place, Report};
use crate::ignition::spec::Spec;
use crate::ignition::value::Struct;

const LABEL_LIMIT: usize = 47;

pub(crate) fn check(luks: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    if luks.text("name").unwrap_or_default().contains('/') {
        report.error(
            &at.field(luks, "name"),
            (
                "the name of a volume can't have a slash",
                "write the name alone; it will be `/dev/mapper/NAME`",
            ),
        );
    }
    if luks
        .text("label")
        .is_some_and(|label| label.len() > LABEL_LIMIT)
    {
        report.error(
            &at.field(luks, "label"),
            ("the label is longer than 47 bytes", "shorten it"),
        );
    }
    let device = luks.filled("device").map_or(
        Err((
            "no device",
            "set `device`, best to a name below `/dev/disk/by-id`",
        )),
        path::check,
    );
    if let Err(message) = device {
        report.error(&at.field(luks, "device"), message);
    }
    let key_file = luks
        .child("keyFile")
        .and_then(|key_file| key_file.text("source"));
    if key_file.is_some_and(|source| url::check(source, report.spec).is_err()) {
        report.error(
            &at.field(luks, "keys"),
            (
                "the key file can't be fetched from there",
                "see the complaint on its source",
            ),
        );
    }
    if luks.child("cex").is_some_and(|cex| cex.is_true("enabled")) {
        let at = at.field(luks, "cex");
        if luks.child("clevis").is_some_and(is_present) {
            report.error(
                &at,
                ("CEX and clevis exclude each other", "choose one of them"),
            );
        }
        if key_file.is_some_and(|source| !source.is_empty()) {
            report.error(
                &at,
                (
                    "CEX and a key file exclude each other",
                    "choose one of them",
                ),
            );
        }
    }
}

/// Whether clevis unlocks the volume.
#[must_use]
pub fn is_present(clevis: &Struct) -> bool {
    has_pins(clevis) || custom_pin(clevis).is_some()
}

fn custom_pin(clevis: &Struct) -> Option<&str> {
    clevis.child("custom")?.filled("pin")
}

fn has_pins(clevis: &Struct) -> bool {
    !clevis.list("tang").is_empty()
        || clevis.is_true("tpm2")
        || clevis.int("threshold").unwrap_or(0) != 0
}

pub(crate) fn check_clevis(clevis: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    // Spec 3.2 asks only whether it stands there.
    let has_custom = match report.spec {
        Spec::V3_2 => clevis.child("custom").is_some(),
        _ => custom_pin(clevis).is_some(),
    };
    if has_custom && has_pins(clevis) {
        report.error(
            at,
            (
                "a custom pin excludes `tpm2`, `tang` and `threshold`",
                "write all of it in the custom configuration, or nothing",
            ),
        );
    }
}

pub(crate) fn check_custom(custom: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let pin = custom.filled("pin");
    let config = custom.filled("config");
    if pin.is_none() && config.is_none() && !custom.is_true("needsNetwork") {
        return;
    }
    let message = match pin {
        None => Some((
            "a custom configuration without its pin",
            "set `pin` to the name of the clevis pin",
        )),
        Some("tpm2" | "tang" | "sss") => None,
        Some(_) if report.spec >= Spec::V3_6 => None,
        Some(_) => Some(("unknown clevis pin", "use `tpm2`, `tang` or `sss`")),
    };
    if let Some(message) = message {
        report.error(&at.field(custom, "pin"), message);
    }
    if config.is_none() {
        report.error(
            &at.field(custom, "config"),
            ("a custom pin without its configuration", "set `config`"),
        );
    }
}

pub(crate) fn check_tang(tang: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let message = match url::scheme(tang.text("url").unwrap_or_default()) {
        Ok("http" | "https") => None,
        Ok(_) => Some((
            "Ignition can't fetch from a URL of this scheme",
            "use `https`, `http`, `tftp`, `s3`, `data`, or what newer specs add: `gs` (3.2), `arn` (3.4)",
        )),
        Err(message) => Some(message),
    };
    if let Some(message) = message {
        report.error(&at.field(tang, "url"), message);
    }
    if tang.filled("thumbprint").is_none() {
        report.error(
            &at.field(tang, "thumbprint"),
            (
                "a Tang server without the thumbprint of its key",
                "set `thumbprint`; `tang-show-keys` on the server prints it",
            ),
        );
    }
    let advertisement = tang.filled("advertisement");
    if advertisement.is_some_and(|text| serde_json::from_str::<&RawValue>(text).is_err()) {
        report.error(
            &at.field(tang, "advertisement"),
            (
                "the advertisement is no JSON",
                "paste what the server gives at `/adv`",
            ),
        );
    }
}
