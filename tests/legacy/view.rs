//! Configs of Ignition 2.3.0 and 3.3.0 as what they mean: nodes by path, units by name, contents as bytes.

use std::collections::BTreeMap;

use ephemeros::ignition::data_url;
use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

const LIMIT: usize = 1 << 24;

fn items<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
    let list = value.pointer(path).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_object)
}

fn text<'a>(object: &'a Object, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What is false, empty or nothing is the same as not being there.
fn strip(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object
                .iter()
                .map(|(key, value)| (key.clone(), strip(value)));
            Value::Object(kept.filter(|(_, value)| !is_nothing(value)).collect())
        }
        Value::Array(list) => list.iter().map(strip).collect(),
        value => value.clone(),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
    }
}

/// What is fetched, or the bytes that are there.
fn resource(value: Option<&Value>, asked_for_gzip: bool) -> Value {
    let none = Object::new();
    let object = value.and_then(Value::as_object).unwrap_or(&none);
    let source = text(object, "source");
    let mut compression = text(object, "compression");
    let mut shown = source.to_owned();
    if source.starts_with("data:") {
        let mut bytes = data_url::decode(source).unwrap();
        if compression == "gzip" && !asked_for_gzip {
            bytes = data_url::gunzip(&bytes, LIMIT).unwrap();
            compression = "";
        }
        shown = format!("bytes {}", bytes.escape_ascii());
    }
    let hash = object.get("verification").and_then(|it| it.get("hash"));
    json!({ "source": shown, "compression": compression, "hash": hash })
}

/// `ct` began it with an empty line or left out the last line end, which nobody reads.
fn is_generated(name: &str) -> bool {
    name == "/etc/coreos/update.conf" || name.starts_with("20-clct-")
}

fn node(object: &Object, kind: &str) -> Object {
    let mut node = object.clone();
    node.remove("filesystem");
    node.remove("path");
    node.insert("kind".to_owned(), kind.into());
    node
}

fn trim_generated(path: &str, contents: Value) -> Value {
    let Some(source) = contents["source"].as_str().filter(|_| is_generated(path)) else {
        return contents;
    };
    let source = source.strip_prefix("bytes ").unwrap_or(source);
    let source = source.trim_start_matches("\\n").trim_end_matches("\\n");
    json!({ "source": format!("bytes {source}") })
}

#[derive(Default)]
struct View {
    nodes: BTreeMap<String, Value>,
    units: BTreeMap<String, Unit>,
    filesystems: Vec<Value>,
    rest: Object,
}

#[derive(Default)]
struct Unit {
    enabled: Option<bool>,
    mask: bool,
    contents: String,
    dropins: BTreeMap<String, String>,
}

impl View {
    fn node(&mut self, path: &str, node: Object) {
        let before = self
            .nodes
            .insert(path.to_owned(), strip(&Value::Object(node)));
        assert!(before.is_none(), "{path} is there twice");
    }

    /// Two of one name are one; of two presets systemd takes the first.
    fn unit(&mut self, unit: &Object) {
        let known = self.units.entry(text(unit, "name").to_owned()).or_default();
        let flag = |key| unit.get(key).and_then(Value::as_bool);
        let enable = flag("enable").filter(|enable| *enable);
        known.enabled = known.enabled.or(enable).or(flag("enabled"));
        known.mask |= flag("mask").unwrap_or_default();
        known.contents.push_str(text(unit, "contents"));
        for dropin in unit
            .get("dropins")
            .map_or(&Value::Null, |it| it)
            .as_array()
            .into_iter()
            .flatten()
        {
            let dropin = dropin.as_object().unwrap();
            let (name, contents) = (text(dropin, "name"), text(dropin, "contents"));
            let contents = if is_generated(name) {
                contents.trim_end_matches('\n')
            } else {
                contents
            };
            known.dropins.insert(name.to_owned(), contents.to_owned());
        }
    }

    fn finish(mut self) -> Value {
        let units: Object = std::mem::take(&mut self.units)
            .into_iter()
            .map(|(name, unit)| {
                let shown = json!({
                    "enabled": unit.enabled, "mask": unit.mask,
                    "contents": unit.contents, "dropins": unit.dropins,
                });
                (name, shown)
            })
            .collect();
        self.rest.insert("nodes".to_owned(), json!(self.nodes));
        self.rest.insert("units".to_owned(), units.into());
        self.rest
            .insert("filesystems".to_owned(), self.filesystems.into());
        Value::Object(self.rest)
    }
}

/// What a config of 2.3.0 means; `invented` says where a file system is mounted for which nobody said it.
pub(super) fn of_old(config: &Value, invented: impl Fn(&str) -> String) -> Value {
    let mut view = View::default();
    let mut prefixes: BTreeMap<&str, String> = BTreeMap::from([("root", String::new())]);
    let nodes = ["files", "directories", "links"];
    let is_used = |name: &str| {
        let mut nodes = nodes
            .iter()
            .flat_map(|kind| items(config, &format!("/storage/{kind}")));
        nodes.any(|node| text(node, "filesystem") == name)
    };
    for filesystem in items(config, "/storage/filesystems") {
        let name = text(filesystem, "name");
        if let Some(Value::String(path)) = filesystem.get("path") {
            prefixes.insert(name, path.strip_prefix("/sysroot").unwrap().to_owned());
            continue;
        }
        let mut mount = filesystem["mount"].as_object().unwrap().clone();
        if let Some(create) = mount.remove("create") {
            mount.insert("wipeFilesystem".to_owned(), create["force"].clone());
            mount.insert("options".to_owned(), create["options"].clone());
        }
        if is_used(name) {
            let path = invented(name);
            mount.insert("path".to_owned(), path.as_str().into());
            prefixes.insert(name, path);
        }
        view.filesystems.push(strip(&mount.into()));
    }
    let path = |node: &Object| {
        format!(
            "{}{}",
            prefixes[text(node, "filesystem")],
            text(node, "path")
        )
    };
    for file in items(config, "/storage/files") {
        let mut new = node(file, "file");
        let appends = new.remove("append").is_some_and(|it| it == true);
        let gzip = file["contents"]["compression"] == "gzip";
        let contents = trim_generated(&path(file), resource(file.get("contents"), gzip));
        if appends {
            new.remove("contents");
            new.insert("append".to_owned(), json!([contents]));
        } else {
            new.insert("contents".to_owned(), contents);
            // Files were overwritten unless one said no.
            new.entry("overwrite").or_insert(true.into());
        }
        view.node(&path(file), new);
    }
    for directory in items(config, "/storage/directories") {
        view.node(&path(directory), node(directory, "directory"));
    }
    for link in items(config, "/storage/links") {
        view.node(&path(link), node(link, "link"));
    }
    for unit in items(config, "/networkd/units") {
        let folder = format!("/etc/systemd/network/{}", text(unit, "name"));
        let mut add = |path: &str, contents: &str| {
            let contents =
                json!({ "source": format!("bytes {}", contents.as_bytes().escape_ascii()) });
            let file =
                json!({ "kind": "file", "mode": 420, "overwrite": true, "contents": contents });
            view.node(path, file.as_object().unwrap().clone());
        };
        add(&folder, text(unit, "contents"));
        let dropins = Value::Object(unit.clone());
        for dropin in items(&dropins, "/dropins") {
            add(
                &format!("{folder}.d/{}", text(dropin, "name")),
                text(dropin, "contents"),
            );
        }
    }
    items(config, "/systemd/units").for_each(|unit| view.unit(unit));
    let users = items(config, "/passwd/users").map(|user| {
        let mut user = user.clone();
        if let Some(Value::Object(create)) = user.remove("create") {
            user.extend(create);
        }
        strip(&user.into())
    });
    view.rest.insert("users".to_owned(), users.collect());
    rest(config, "/ignition/config/append", &mut view.rest);
    view.finish()
}

/// What a config of 3.3.0 means.
pub(super) fn of_new(config: &Value) -> Value {
    let mut view = View::default();
    for filesystem in items(config, "/storage/filesystems") {
        view.filesystems.push(strip(&filesystem.clone().into()));
    }
    for file in items(config, "/storage/files") {
        let mut new = node(file, "file");
        let path = text(file, "path");
        if let Some(appended) = new.get("append").cloned() {
            let appended = appended.as_array().unwrap().iter();
            let appended = appended.map(|it| resource(Some(it), false));
            new.insert("append".to_owned(), appended.collect());
        } else {
            let contents = trim_generated(path, resource(file.get("contents"), false));
            new.insert("contents".to_owned(), contents);
        }
        view.node(path, new);
    }
    for kind in ["directory", "link"] {
        let list = if kind == "link" {
            "links"
        } else {
            "directories"
        };
        for object in items(config, &format!("/storage/{list}")) {
            view.node(text(object, "path"), node(object, kind));
        }
    }
    items(config, "/systemd/units").for_each(|unit| view.unit(unit));
    let users = items(config, "/passwd/users").map(|user| strip(&user.clone().into()));
    view.rest.insert("users".to_owned(), users.collect());
    rest(config, "/ignition/config/merge", &mut view.rest);
    view.finish()
}

/// What has not changed but for names.
fn rest(config: &Value, merge: &str, rest: &mut Object) {
    let references = |path: &str| -> Value {
        items(config, path)
            .map(|it| resource(Some(&it.clone().into()), false))
            .collect()
    };
    let replace = config.pointer("/ignition/config/replace");
    let parts = [
        ("merge", references(merge)),
        (
            "replace",
            replace.map_or(Value::Null, |it| resource(Some(it), false)),
        ),
        (
            "authorities",
            references("/ignition/security/tls/certificateAuthorities"),
        ),
    ];
    rest.extend(parts.map(|(name, value)| (name.to_owned(), value)));
    // A time limit of 0 is none, which is not the default.
    let timeouts = config
        .pointer("/ignition/timeouts")
        .filter(|it| !is_nothing(it));
    rest.insert("timeouts".to_owned(), json!(timeouts));
    for path in ["/passwd/groups", "/storage/disks", "/storage/raid"] {
        let list: Value = items(config, path)
            .map(|it| strip(&it.clone().into()))
            .collect();
        rest.insert(path.to_owned(), list);
    }
}

/// Where two views differ.
pub(super) fn differences(wanted: &Value, got: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(wanted, got, "$", &mut found);
    found
}

fn compare(wanted: &Value, got: &Value, path: &str, found: &mut Vec<String>) {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            let keys: std::collections::BTreeSet<&String> =
                wanted.keys().chain(got.keys()).collect();
            for key in keys {
                let none = &Value::Null;
                let (wanted, got) = (
                    wanted.get(key).unwrap_or(none),
                    got.get(key).unwrap_or(none),
                );
                compare(wanted, got, &format!("{path}.{key}"), found);
            }
        }
        _ if wanted == got => {}
        _ => found.push(format!("{path}: {got} instead of {wanted}")),
    }
}
