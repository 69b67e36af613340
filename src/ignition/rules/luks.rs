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
            "device names cannot contain slashes",
        );
    }
    if luks
        .text("label")
        .is_some_and(|label| label.len() > LABEL_LIMIT)
    {
        report.error(
            &at.field(luks, "label"),
            "luks device labels cannot be longer than 47 characters",
        );
    }
    let device = luks
        .filled("device")
        .map_or(Err("disk device is required"), path::check);
    if let Err(message) = device {
        report.error(&at.field(luks, "device"), message);
    }
    let key_file = luks
        .child("keyFile")
        .and_then(|key_file| key_file.text("source"));
    if key_file.is_some_and(|source| url::check(source, report.spec).is_err()) {
        report.error(&at.field(luks, "keys"), "invalid key-file source");
    }
    if luks.child("cex").is_some_and(|cex| cex.is_true("enabled")) {
        let at = at.field(luks, "cex");
        if luks.child("clevis").is_some_and(is_present) {
            report.error(&at, "cannot use cex with clevis");
        }
        if key_file.is_some_and(|source| !source.is_empty()) {
            report.error(&at, "cannot use key file with cex");
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
    if custom_pin(clevis).is_some() && has_pins(clevis) {
        report.error(
            at,
            "cannot use custom clevis config with tpm2, tang, or threshold",
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
        None => Some("missing required custom clevis pin"),
        Some("tpm2" | "tang" | "sss") => None,
        Some(_) if report.spec >= Spec::V3_6 => None,
        Some(_) => Some("unsupported clevis pin"),
    };
    if let Some(message) = message {
        report.error(&at.field(custom, "pin"), message);
    }
    if config.is_none() {
        report.error(
            &at.field(custom, "config"),
            "missing required custom clevis config",
        );
    }
}

pub(crate) fn check_tang(tang: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let message = match url::scheme(tang.text("url").unwrap_or_default()) {
        Ok("http" | "https") => None,
        Ok(_) => Some("invalid url scheme"),
        Err(message) => Some(message),
    };
    if let Some(message) = message {
        report.error(&at.field(tang, "url"), message);
    }
    if tang.filled("thumbprint").is_none() {
        report.error(&at.field(tang, "thumbprint"), "thumbprint is required");
    }
    let advertisement = tang.filled("advertisement");
    if advertisement.is_some_and(|text| serde_json::from_str::<&RawValue>(text).is_err()) {
        report.error(
            &at.field(tang, "advertisement"),
            "advertisement is not valid JSON",
        );
    }
}
