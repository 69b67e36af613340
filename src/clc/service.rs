//! What `ct` made of the sections for services: drop-ins for units that the system brings along.

use semver::Version;

use super::dynamic;
use super::etcd;
use super::flannel;
use super::found::Found;
use super::piece::{Map, Origin, Piece};
use super::read::{Said, Section};

/// A drop-in for a unit of the system.
pub(super) struct Service {
    pub(super) unit: &'static str,
    pub(super) enabled: bool,
    pub(super) from: Origin,
    dropin: &'static str,
    contents: String,
}

impl Service {
    pub(super) fn new(
        unit: &'static str,
        dropin: &'static str,
        contents: String,
        from: Origin,
    ) -> Self {
        Self {
            unit,
            enabled: true,
            from,
            dropin,
            contents,
        }
    }

    pub(super) fn into_dropin(self) -> Piece {
        let mut map = Map::default();
        map.add("name", self.dropin.to_owned(), None);
        map.add("contents", self.contents, Some(self.from.clone()));
        Piece {
            value: map.into(),
            from: Some(self.from),
        }
    }
}

/// All of a config.
pub(super) fn all(
    root: &mut Section<'_>,
    platform: Option<&str>,
    found: &mut Found,
) -> Vec<Service> {
    let mut services = metadata(root, platform);
    services.extend(docker(root, found));
    services.extend(etcd::service(root, platform, found));
    services.extend(flannel::service(root, platform, found));
    services
}

/// On two platforms the metadata service must be told where it runs.
fn metadata(root: &Section<'_>, platform: Option<&str>) -> Vec<Service> {
    let told = ["openstack-metadata", "cloudstack-configdrive"];
    let Some(platform) = platform.filter(|it| told.contains(it)) else {
        return Vec::new();
    };
    let contents =
        format!("[Service]\nEnvironment=COREOS_METADATA_OPT_PROVIDER=--provider={platform}\n");
    let service = |unit, enabled| Service {
        enabled,
        ..Service::new(
            unit,
            "20-clct-provider-override.conf",
            contents.clone(),
            root.place(),
        )
    };
    vec![
        service("coreos-metadata.service", false),
        service("coreos-metadata-sshkeys@.service", true),
    ]
}

/// `docker:`
fn docker(root: &mut Section<'_>, found: &mut Found) -> Option<Service> {
    let mut section = root.section("docker", found)?;
    let flags = section.texts("flags", found).map(|said| said.value);
    let flags: Vec<String> = flags
        .unwrap_or_default()
        .into_iter()
        .map(|said| said.value)
        .collect();
    let from = section.place();
    section.finish(found);
    let contents = format!(
        "[Service]\nEnvironment=\"DOCKER_OPTS={}\"\n",
        flags.join(" ")
    );
    Some(Service::new(
        "docker.service",
        "20-clct-docker.conf",
        contents,
        from,
    ))
}

/// The type of an option.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Int,
    Bool,
}

/// An option of a program, as the section has it.
pub(super) struct Flag {
    pub(super) key: &'static str,
    pub(super) ty: Type,
    /// The versions that have it, a bit each.
    pub(super) versions: u8,
}

/// An argument for a command, and where it was said.
pub(super) type Argument = Said<String>;

/// The version of a program that a section names.
pub(super) fn version(section: &mut Section<'_>, found: &mut Found) -> Option<Said<Version>> {
    let said = section.text("version", found)?;
    let Ok(version) = said.value.parse::<Version>() else {
        let message = format!("`{}` is no version", said.value);
        found.error(said.at(), message, "write three numbers: `3.3.10`");
        return None;
    };
    Some(said.map(|_| version))
}

/// Reads the options that a version has, in the order of the table.
pub(super) fn arguments(
    section: &mut Section<'_>,
    flags: &[Flag],
    bit: u8,
    found: &mut Found,
) -> Vec<Argument> {
    let mut arguments = Vec::new();
    for flag in flags.iter().filter(|flag| flag.versions & bit > 0) {
        let value = match flag.ty {
            Type::Text => section
                .any_text(flag.key, found)
                .map(|said| said.map(|text| quote(&text))),
            Type::Int => section
                .int(flag.key, found)
                .map(|said| said.map(|number| number.to_string())),
            Type::Bool => section
                .bool(flag.key, found)
                .map(|said| said.map(|value| value.to_string())),
        };
        let name = match flag.key {
            "interface" => "iface".to_owned(),
            key => key.replace('_', "-"),
        };
        arguments.extend(value.map(|said| said.map(|value| format!("--{name}={value}"))));
    }
    for flag in flags.iter().filter(|flag| flag.versions & bit == 0) {
        let there = section.key(flag.key).map(|key| key.span.clone());
        let asked = section.is_asked(flag.key);
        if let (Some(at), false) = (there, asked) {
            section.ignore(flag.key);
            let message = format!("this version has no option `{}`", flag.key);
            found.warning(
                at,
                message,
                "remove it: ct did nothing with it, and it is not brought over",
            );
        }
    }
    arguments
}

/// The text of a drop-in that starts a command with other arguments.
pub(super) fn dropin(
    command: &str,
    mut arguments: Vec<Argument>,
    image_tag: Option<(&str, &Version)>,
    platform: Option<&str>,
    found: &mut Found,
) -> Option<String> {
    let mut text = String::new();
    if dynamic::is_in(&arguments) {
        dynamic::fill_in(&mut arguments, platform, found)?;
        text.push_str(
            "[Unit]\nRequires=coreos-metadata.service\nAfter=coreos-metadata.service\n\n",
        );
        text.push_str("[Service]\nEnvironmentFile=/run/metadata/coreos\n");
    } else {
        text.push_str("[Service]\n");
    }
    if let Some((name, version)) = image_tag {
        text.push_str(&format!("Environment=\"{name}=v{version}\"\n"));
    }
    text.push_str("ExecStart=\nExecStart=");
    text.push_str(command);
    for argument in arguments {
        text.push_str(" \\\n  ");
        text.push_str(&argument.value);
    }
    text.push('\n');
    Some(text)
}

/// A text in double quotes, as Go writes it with `%q`.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c if c.is_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
