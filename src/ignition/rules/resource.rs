//! What is fetched: files, configs, certificates; and by what proxy.

use super::url;
use crate::ignition::report::{Place, Report};
use crate::ignition::schema::REFERENCE;
use crate::ignition::spec::Spec;
use crate::ignition::value::Struct;

pub(crate) fn check(resource: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    if !matches!(resource.text("compression"), None | Some("" | "gzip")) {
        report.error(
            &at.field(resource, "compression"),
            ("unknown compression", "use `gzip`, or remove it"),
        );
    }
    let source = resource.text("source");
    let hash = resource
        .child("verification")
        .filter(|verification| verification.get("hash").is_some());
    // A config or certificate of 3.0 may have a hash and no source.
    let lenient = report.spec < Spec::V3_1 && resource.ty.is(&REFERENCE);
    if let (None, Some(verification), false) = (source, hash, lenient) {
        let at = at.field(resource, "verification");
        report.error(
            &at.field(verification, "hash"),
            (
                "a hash, and nothing to check with it",
                "set the source, or remove the verification",
            ),
        );
    }
    if let Some(Err(message)) = source.map(|source| url::check(source, report.spec)) {
        report.error(&at.field(resource, "source"), message);
    }
    if !resource.list("httpHeaders").is_empty() {
        let message = match source.map(url::scheme) {
            Some(Ok("http" | "https")) => return,
            Some(Ok(_)) => (
                "headers on a source that is not fetched over HTTP",
                "remove them, or fetch by `https`",
            ),
            Some(Err(_)) | None => (
                "this is no URL",
                "write `https://HOST/PATH`, with other characters percent-encoded",
            ),
        };
        report.error(&at.field(resource, "httpHeaders"), message);
    }
}

pub(crate) fn check_config(config: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    // In 3.0 an entry without a source is left out.
    if report.spec < Spec::V3_1 {
        return;
    }
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
        let checked = source.map_or(
            Err(("nothing to fetch", "set the source, or remove the entry")),
            |source| url::check(source, report.spec),
        );
        let place = at.item(index, item);
        match (checked, item.as_struct()) {
            (Ok(()), _) => {}
            // In 3.0 the source itself is a required field, and an invalid one is reported there alone.
            (Err(message), Some(resource)) if report.spec < Spec::V3_1 => {
                if source.is_none() {
                    report.error(&place.field(resource, "source"), message);
                }
            }
            (Err(message), _) => report.error(&place, message),
        }
    }
}

pub(crate) fn check_header(header: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    if header.filled("name").is_none() {
        report.error(
            &at.field(header, "name"),
            ("a header without a name", "set `name`"),
        );
    }
    if header.text("value") == Some("") {
        report.error(
            &at.field(header, "value"),
            (
                "a header with an empty value",
                "set the value; without `value` the header is removed",
            ),
        );
    }
}

pub(crate) fn check_verification(verification: &Struct, at: &Place<'_>, report: &mut Report<'_>) {
    let Some(hash) = verification.text("hash") else {
        return;
    };
    let message = match hash.split_once('-') {
        None => (
            "this is no hash",
            "write `sha512-` and the digest in hexadecimal digits",
        ),
        Some(("sha512", sum)) if sum.len() == 128 => return,
        Some(("sha256", sum)) if sum.len() == 64 && report.spec >= Spec::V3_1 => return,
        Some(("sha512", _)) => (
            "the digest has not the length of its function",
            "sha512 has 128 hexadecimal digits, sha256 has 64",
        ),
        Some(("sha256", _)) if report.spec >= Spec::V3_1 => (
            "the digest has not the length of its function",
            "sha512 has 128 hexadecimal digits, sha256 has 64",
        ),
        Some(_) => (
            "unknown hash function",
            "use `sha512`, or `sha256` from spec 3.1",
        ),
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
                    (
                        "HTTPS would go through a proxy in plain text",
                        "use a proxy with `https`",
                    ),
                );
            }
            None | Some(Ok("http" | "https")) => {}
            Some(Ok(_)) => report.error(
                &at,
                (
                    "a proxy must be reached by `http` or `https`",
                    "begin the URL with one of them",
                ),
            ),
            Some(Err(message)) => report.error(&at, message),
        }
    }
}
