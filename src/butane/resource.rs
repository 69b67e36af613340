//! Contents that stand in the config or in local files become `data:` URLs and texts.

use std::sync::Arc;

use super::Options;
use super::files::{Files, no_directory};
use crate::ignition::data_url;
use crate::ignition::report::{Names, Place, Report};
use crate::ignition::schema::{DROPIN, REFERENCE, RESOURCE, UNIT, USER};
use crate::ignition::spec::Spec;
use crate::ignition::value::{Data, Struct, Value};
use crate::source::Span;

/// Replaces Butane's own fields by Ignition's, in a struct and all below it.
pub(super) struct Contents<'a> {
    pub(super) files: Files<'a>,
    pub(super) options: &'a Options<'a>,
}

impl Contents<'_> {
    pub(super) fn translate(
        &self,
        structure: &mut Struct,
        at: &Place<'_>,
        report: &mut Report<'_>,
    ) {
        let is = |ty| structure.ty.is(ty);
        if is(&RESOURCE) || is(&REFERENCE) {
            self.resource(structure, at, report);
        } else if is(&USER) {
            self.ssh_keys(structure, at, report);
        } else if is(&UNIT) || is(&DROPIN) {
            self.unit(structure, at, report);
        }
        // A place borrows the values it passes, so it is made from what does not change: names and spans.
        for (field, value) in structure.fields_mut() {
            let (span, origin) = (value.span, value.origin.clone());
            self.below(value, &at.keyed(field, span, origin.as_deref()), report);
        }
    }

    fn below(&self, value: &mut Value, at: &Place<'_>, report: &mut Report<'_>) {
        match &mut value.data {
            Data::Struct(structure) => self.translate(structure, at, report),
            Data::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    let (span, origin) = (item.span, item.origin.clone());
                    let place = at.index(index, span);
                    self.below(item, &place.from(origin.as_deref()), report);
                }
            }
            _ => {}
        }
    }

    fn resource(&self, resource: &mut Struct, at: &Place<'_>, report: &mut Report<'_>) {
        let (contents, written) = match (resource.take("inline"), resource.take("local")) {
            (Some(inline), _) => match inline.data {
                Data::Bytes(ref bytes) => (Arc::from(&bytes[..]), inline),
                _ => return,
            },
            (None, Some(local)) => {
                let path = local.as_text().unwrap_or_default();
                match self.files.read(path) {
                    Ok(bytes) => (bytes, local),
                    Err(refusal) => return report.error(&at.key("local", local.span), refusal),
                }
            }
            (None, None) => return,
        };
        self.set_contents(resource, &contents, written.span, report.spec);
    }

    /// Sets source and compression; what the user calls gzip is not compressed again.
    pub(super) fn set_contents(
        &self,
        resource: &mut Struct,
        contents: &[u8],
        span: Option<Span>,
        spec: Spec,
    ) {
        let url = if spec < Spec::V3_1 {
            data_url::encode_percent(contents)
        } else {
            let automatic = self.options.compress && resource.filled("compression").is_none();
            let encoded = data_url::encode(contents, automatic);
            if encoded.compressed {
                resource.set("compression", "gzip");
            } else if resource.get("compression").is_none() {
                resource.set("compression", "");
            }
            encoded.url
        };
        resource.set("source", Value { span, ..url.into() });
    }

    fn unit(&self, unit: &mut Struct, at: &Place<'_>, report: &mut Report<'_>) {
        let Some(local) = unit.take("contents_local") else {
            return;
        };
        let path = local.as_text().unwrap_or_default();
        if path.is_empty() {
            return;
        }
        let place = at.key("contents_local", local.span);
        match self.files.read(path) {
            Ok(contents) => unit.set("contents", text(&contents, &place)),
            Err(refusal) => report.error(&place, refusal),
        }
    }

    /// Each line of a key file is a key; blank and comment lines too, as Butane has it, only empty ones are not.
    fn ssh_keys(&self, user: &mut Struct, at: &Place<'_>, report: &mut Report<'_>) {
        let Some(local) = user.take("ssh_authorized_keys_local") else {
            return;
        };
        let list = at.key("ssh_authorized_keys_local", local.span);
        if !self.files.exist() && !local.items().is_empty() {
            return report.error(&list, no_directory());
        }
        for (index, item) in local.items().iter().enumerate() {
            let place = list.item(index, item);
            match self.files.read(item.as_text().unwrap_or_default()) {
                Ok(contents) => {
                    let lines = contents.split(|byte| *byte == b'\n');
                    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
                    let keys = lines
                        .filter(|line| !line.is_empty())
                        .map(|line| text(line, &place));
                    user.list_mut("sshAuthorizedKeys").extend(keys);
                }
                Err(refusal) => report.error(&place, refusal),
            }
        }
    }
}

/// Text from a local file, reported at the place that names the file.
fn text(bytes: &[u8], place: &Place<'_>) -> Value {
    Value {
        data: Data::Text(super::decode::replace_invalid(bytes).into()),
        span: place.span(),
        origin: Some(place.path(Names::Yaml).into()),
    }
}
