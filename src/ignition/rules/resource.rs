//! What is fetched: files, configs, certificates; and by what proxy.

use super::url;
use crate::ignition::report::{Place, Report};
use crate::ignition::spec::Spec;
use crate::ignition::value::Struct;

pub(crate) fn check(resource: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    if !matches!(resource.text("compression"), None | Some("" | "gzip")) {
        report.error(
            &at.field(resource, "compression"),
            "invalid compression method, only `gzip` is known",
        );
    }
    let source = resource.text("source");
    let hash = resource
        .child("verification")
        .filter(|verification| verification.get("hash").is_some());
    if let (None, Some(verification)) = (source, hash) {
        let at = at.field(resource, "verification");
        report.error(
            &at.field(verification, "hash"),
            "source must be specified if verification is specified",
        );
    }
    if let Some(Err(message)) = source.map(|source| url::check(source, report.spec)) {
        report.error(&at.field(resource, "source"), message);
    }
    if !resource.list("httpHeaders").is_empty() {
        let message = match source.map(url::scheme) {
            Some(Ok("http" | "https")) => return,
            Some(Ok(_)) => "cannot use HTTP headers with this source scheme",
            Some(Err(_)) | None => "unable to parse url",
        };
        report.error(&at.field(resource, "httpHeaders"), message);
    }
}

pub(crate) fn check_config(config: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    require_sources(config, "merge", at, report);
}

pub(crate) fn check_tls(tls: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    require_sources(tls, "certificateAuthorities", at, report);
}

fn require_sources(parent: &Struct, list: &str, at: &Place<'_>, report: &mut Report<'_>) {
    let at = at.field(parent, list);
    for (index, item) in parent.list(list).iter().enumerate() {
        let source = item
            .as_struct()
            .and_then(|resource| resource.filled("source"));
        let checked = source.map_or(Err("source is required"), |source| {
            url::check(source, report.spec)
        });
        if let Err(message) = checked {
            report.error(&at.item(index, item), message);
        }
    }
}

pub(crate) fn check_header(header: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    if header.filled("name").is_none() {
        report.error(&at.field(header, "name"), "HTTP header name can't be empty");
    }
    if header.text("value") == Some("") {
        report.error(
            &at.field(header, "value"),
            "HTTP header value can't be empty",
        );
    }
}

pub(crate) fn check_verification(verification: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let Some(hash) = verification.text("hash") else {
        return;
    };
    let message = match hash.split_once('-') {
        None => "malformed hash, expected `sha512-` and hexadecimal digits",
        Some(("sha512", sum)) if sum.len() == 128 => return,
        Some(("sha256", sum)) if sum.len() == 64 && report.spec >= Spec::V3_1 => return,
        Some(("sha512", _)) => "incorrect size for hash sum",
        Some(("sha256", _)) if report.spec >= Spec::V3_1 => "incorrect size for hash sum",
        Some(_) => "unrecognized hash function",
    };
    report.error(&at.field(verification, "hash"), message);
}

pub(crate) fn check_proxy(proxy: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    for (name, secure) in [("httpProxy", false), ("httpsProxy", true)] {
        let at = at.field(proxy, name);
        match proxy.text(name).map(url::scheme) {
            Some(Ok("http")) if secure => {
                report.warn(
                    &at,
                    "insecure plaintext HTTP proxy specified for HTTPS resources",
                );
            }
            None | Some(Ok("http" | "https")) => {}
            Some(Ok(_)) => report.error(&at, "proxies must be http(s)"),
            Some(Err(message)) => report.error(&at, message),
        }
    }
}
