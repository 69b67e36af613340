//! A config as what a person recognises in it: files, units, users. Made for showing what differs between two configs.
//!
//! Nothing is lost: configs of equal views do the same to a machine. What has no name of its own goes in by its path
//! in the schema.

use std::collections::BTreeMap;

use super::Config;
use super::data_url;
use super::schema::{Field, Kind, Presence, Union};
use super::spec::Spec;
use super::value::{Data, Struct, Value};

/// One thing of a config.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Its settings by name; modes are octal, lists have a line for each item.
    pub attributes: BTreeMap<String, String>,
    /// The contents of a file, unit or drop-in, decoded; `None` when they are fetched, or when there are none.
    pub contents: Option<Vec<u8>>,
}

/// More than any boot could take; larger contents are shown as their URL.
const CONTENTS_LIMIT: usize = 64 << 20;

/// Things that have a name, by their type in the schema.
const NAMES: [(&str, &str); 12] = [
    ("Directory", "directory"),
    ("Disk", "disk"),
    ("Dropin", "drop-in"),
    ("File", "file"),
    ("Filesystem", "filesystem"),
    ("Link", "link"),
    ("Luks", "luks"),
    ("Partition", "partition"),
    ("PasswdGroup", "group"),
    ("PasswdUser", "user"),
    ("Raid", "raid"),
    ("Unit", "unit"),
];

/// What is in a config, by a name such as `file /etc/hostname` or `drop-in 10-x.conf of k3s.service`.
#[must_use]
pub fn view(config: &Config) -> BTreeMap<String, Entry> {
    let mut view = View {
        spec: config.spec(),
        entries: BTreeMap::new(),
    };
    view.section(config.root(), "");
    view.entries
}

struct View {
    spec: Spec,
    entries: BTreeMap<String, Entry>,
}

impl View {
    /// A struct that is no thing of its own: each struct below it is a section again.
    fn section(&mut self, section: &Struct, path: &str) {
        let mut own = Entry::default();
        for (field, value) in section.fields() {
            let path = join(path, field.name);
            match (&value.data, field.kind) {
                (Data::Struct(structure), _) if structure.ty.name == "Resource" => {
                    self.resource(&path, structure);
                }
                (Data::Struct(structure), _) => self.section(structure, &path),
                (Data::List(items), Kind::Structs(ty, _)) => match name_of(ty.name) {
                    Some(kind) => self.things(kind, items, ""),
                    None => self.unnamed(&path, items),
                },
                // The order is that of the kernel's command line.
                (Data::List(items), _)
                    if section.ty.name == "KernelArguments" && !items.is_empty() =>
                {
                    let name = match field.name {
                        "shouldNotExist" => "removed kernel arguments",
                        _ => "kernel arguments",
                    };
                    let entry = Entry {
                        contents: Some(lines(items).into_bytes()),
                        ..Entry::default()
                    };
                    self.add(name, entry);
                }
                _ => self.attribute(&mut own, field, value, field.name),
            }
        }
        if !own.attributes.is_empty() {
            // Of `ignition` itself only the version is left.
            self.add(
                if path == "ignition" {
                    "ignition spec"
                } else {
                    path
                },
                own,
            );
        }
    }

    /// Files, units and so on.
    fn things(&mut self, kind: &str, items: &[Value], parent: &str) {
        let mut unnumbered = 0;
        for thing in items.iter().filter_map(Value::as_struct) {
            let key = label(thing);
            let mut entry = Entry::default();
            if takes_next_number(thing) {
                unnumbered += 1;
                entry
                    .attributes
                    .insert("order".to_owned(), unnumbered.to_string());
            }
            for (field, value) in thing.fields() {
                match (field.kind, &value.data) {
                    (Kind::Structs(ty, Union::ByKey), Data::List(items))
                        if name_of(ty.name).is_some() =>
                    {
                        self.things(name_of(ty.name).unwrap_or_default(), items, &key);
                    }
                    (Kind::Struct(_), Data::Struct(resource)) if field.name == "contents" => {
                        self.contents(&mut entry, resource, "contents");
                    }
                    (_, Data::Text(text)) if field.name == "contents" => {
                        entry.contents = Some(text.as_bytes().to_vec());
                    }
                    _ if field.name == thing.ty.key && kind != "partition" => {}
                    _ => self.attribute(&mut entry, field, value, field.name),
                }
            }
            if matches!(kind, "directory" | "file" | "link") {
                own(&mut entry);
            }
            let name = if parent.is_empty() {
                format!("{kind} {key}")
            } else {
                format!("{kind} {key} of {parent}")
            };
            self.add(&name, entry);
        }
    }

    /// Child configs and certificates, by their place in the list.
    fn unnamed(&mut self, path: &str, items: &[Value]) {
        for (index, item) in items.iter().filter_map(Value::as_struct).enumerate() {
            self.resource(&format!("{path} {}", index + 1), item);
        }
    }

    fn resource(&mut self, name: &str, resource: &Struct) {
        let mut entry = Entry::default();
        self.contents(&mut entry, resource, "");
        if entry != Entry::default() {
            self.add(name, entry);
        }
    }

    /// The contents of a resource where they stand in the config, everything else as attributes.
    fn contents(&self, entry: &mut Entry, resource: &Struct, path: &str) {
        let decoded = decode(resource);
        for (field, value) in resource.fields() {
            if decoded.is_none() || !matches!(field.name, "source" | "compression") {
                self.attribute(entry, field, value, &join(path, field.name));
            }
        }
        entry.contents = decoded;
    }

    /// One setting, or those of what is below it.
    fn attribute(&self, entry: &mut Entry, field: &Field, value: &Value, path: &str) {
        let text = match &value.data {
            Data::Int(0) if self.is_absence(field) => return,
            Data::Bool(value) => value.to_string(),
            Data::Int(mode) if field.name == "mode" && *mode >= 0 => format!("0{mode:03o}"),
            Data::Int(value) => value.to_string(),
            Data::Text(text) if text.is_empty() && self.is_absence(field) => return,
            Data::Text(text) => text.to_string(),
            Data::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Data::Struct(structure) => return self.nested(entry, structure, path),
            Data::List(items) if items.iter().any(|item| item.as_struct().is_some()) => {
                for (index, item) in items.iter().filter_map(Value::as_struct).enumerate() {
                    let path = format!("{path}.{index}");
                    let before = entry.attributes.len();
                    self.nested(entry, item, &path);
                    if entry.attributes.len() == before {
                        // An item without fields is still an item.
                        entry.attributes.insert(path, String::new());
                    }
                }
                return;
            }
            Data::List(items) if items.is_empty() => return,
            Data::List(items) => lines(items),
        };
        entry.attributes.insert(path.to_owned(), text);
    }

    /// Whether zero or the empty text of a field is the same as none.
    fn is_absence(&self, field: &Field) -> bool {
        field.presence == Presence::NotZero || field.is_required(self.spec)
    }

    fn nested(&self, entry: &mut Entry, structure: &Struct, path: &str) {
        let text = decode(structure).and_then(|bytes| String::from_utf8(bytes).ok());
        for (field, value) in structure.fields() {
            if text.is_none() || !matches!(field.name, "source" | "compression") {
                self.attribute(entry, field, value, &join(path, field.name));
            }
        }
        if let Some(text) = text {
            entry.attributes.insert(join(path, "contents"), text);
        }
    }

    /// Two things of one name are a mistake, and still both there.
    fn add(&mut self, name: &str, entry: Entry) {
        let mut free = name.to_owned();
        let mut number = 2;
        while self.entries.contains_key(&free) {
            free = format!("{name} ({number})");
            number += 1;
        }
        self.entries.insert(free, entry);
    }
}

fn name_of(ty: &str) -> Option<&'static str> {
    NAMES
        .iter()
        .find(|(name, _)| *name == ty)
        .map(|(_, shown)| *shown)
}

fn label(thing: &Struct) -> String {
    match (thing.int(thing.ty.key).unwrap_or(0), thing.text("label")) {
        _ if thing.ty.name != "Partition" => {
            thing.text(thing.ty.key).unwrap_or_default().to_owned()
        }
        (0, label) => label.unwrap_or_default().to_owned(),
        (number, _) => number.to_string(),
    }
}

/// Says whose a file is in one attribute for the user and one for the group, each by its name or its number.
fn own(entry: &mut Entry) {
    for (path, name) in [("user", "owner"), ("group", "group")] {
        let of = |part: &str| format!("{path}.{part}");
        let parts = [of("name"), of("id")].map(|part| entry.attributes.remove(&part));
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if !parts.is_empty() {
            entry.attributes.insert(name.to_owned(), parts.join(", "));
        }
    }
}

/// Whether it gets the next free number, so that the order in its list matters.
fn takes_next_number(thing: &Struct) -> bool {
    match thing.ty.name {
        "PasswdUser" => thing.get("uid").is_none(),
        "PasswdGroup" => thing.get("gid").is_none(),
        "Partition" => thing.int("number").unwrap_or(0) == 0,
        _ => false,
    }
}

/// The bytes of a `data:` URL, uncompressed.
fn decode(resource: &Struct) -> Option<Vec<u8>> {
    let bytes = data_url::decode(resource.text("source")?).ok()?;
    match resource.text("compression").unwrap_or_default() {
        "" => Some(bytes),
        "gzip" => data_url::gunzip(&bytes, CONTENTS_LIMIT).ok(),
        _ => None,
    }
}

/// A line for each item; what would break lines is escaped.
fn lines(items: &[Value]) -> String {
    let escaped = |item: &Value| {
        item.as_text()
            .unwrap_or_default()
            .replace('\\', "\\\\")
            .replace('\n', "\\n")
    };
    items.iter().map(|item| escaped(item) + "\n").collect()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

#[cfg(test)]
mod tests;
