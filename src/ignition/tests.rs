#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn config(version: &str, sections: &str) -> Config {
    let json = format!("{{\"ignition\":{{\"version\":\"{version}\"}},{sections}}}");
    let (config, found) = Config::parse(&Source::file("a.ign", json));
    assert_eq!(found, []);
    config.unwrap()
}

fn files(list: &str) -> String {
    format!("\"storage\":{{\"files\":[{list}]}}")
}

#[test]
fn a_merge_takes_the_newer_spec() {
    let (old, new) = (config("3.1.0", &files("")), config("3.4.0", &files("")));
    assert_eq!(merge(old.clone(), &new).spec_version(), "3.4.0");
    assert_eq!(
        merge(new, &old).to_json(),
        "{\"ignition\":{\"version\":\"3.4.0\"}}\n"
    );
}

#[test]
fn an_older_config_means_in_a_merge_what_it_meant() {
    let setuid = &files(r#"{"path":"/a","mode":2541}"#);
    let merged =
        |old: &str, new: &str| merge(config(old, setuid), &config(new, &files(""))).to_json();
    assert!(merged("3.5.0", "3.6.0").contains("\"mode\":493"));
    assert!(merged("3.6.0", "3.5.0").contains("\"mode\":2541"));
    assert!(merged("3.4.0", "3.5.0").contains("\"mode\":2541"));
    let link = |fields: &str| format!("\"storage\":{{\"links\":[{{\"path\":\"/l\"{fields}}}]}}");
    let parent = config("3.3.0", &link(",\"target\":\"/t\""));
    let merged = |child: &str| merge(parent.clone(), &config(child, &link(""))).to_json();
    assert!(merged("3.2.0").contains("\"target\":\"\""));
    assert!(merged("3.3.0").contains("\"target\":\"/t\""));
}

#[test]
fn entries_of_one_key_become_one_in_the_place_of_the_parent() {
    let parent = config(
        "3.4.0",
        &files(r#"{"path":"/a","mode":1,"overwrite":true},{"path":"/b"}"#),
    );
    let child = config("3.4.0", &files(r#"{"path":"/c"},{"path":"/a","mode":2}"#));
    let expected = config(
        "3.4.0",
        &files(r#"{"path":"/a","mode":2,"overwrite":true},{"path":"/b"},{"path":"/c"}"#),
    );
    assert_eq!(merge(parent.clone(), &child).to_json(), expected.to_json());
}

#[test]
fn an_entry_displaces_that_of_another_kind() {
    let parent = config("3.4.0", &files(r#"{"path":"/a"}"#));
    let child = config("3.4.0", r#""storage":{"directories":[{"path":"/a"}]}"#);
    assert_eq!(merge(parent.clone(), &child).to_json(), child.to_json());
}

#[test]
fn a_merged_config_is_checked_by_path_alone() {
    let parent = config("3.4.0", &files(r#"{"path":"a"}"#));
    let found = validate(&merge(parent.clone(), &config("3.4.0", &files(""))), None);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path.as_deref(), Some("$.storage.files.0.path"));
    assert_eq!(found[0].labels, []);
}

#[test]
fn places_are_those_of_the_json() {
    let json =
        "{\"ignition\": {\"version\": \"3.4.0\"},\n \"storage\": {\"files\": [{\"path\": \"é\"}]}}";
    let source = Source::file("a.ign", json);
    let config = Config::parse(&source).0.unwrap();
    let found = validate(&config, Some(&source));
    assert_eq!(&json[found[0].labels[0].span.clone()], "\"é\"");
}

#[test]
fn the_same_path_in_two_lists_is_a_duplicate() {
    let config = config(
        "3.4.0",
        r#""storage":{"files":[{"path":"/a"}],"directories":[{"path":"/a"}]}"#,
    );
    let found = validate(&config, None);
    assert_eq!(found[0].path.as_deref(), Some("$.storage.files.0"));
}

#[test]
fn what_go_refuses_is_refused() {
    for json in [
        "",
        "{}",
        "null",
        "[]",
        "{\"ignition\":{\"version\":\"2.3.0\"}}",
        "{\"ignition\":{\"version\":3}}",
        "{",
    ] {
        let (config, found) = Config::parse(&Source::file("a.ign", json));
        assert!(config.is_none() && found[0].is_error(), "{json}");
    }
}

#[test]
fn unknown_keys_are_warnings_with_help() {
    let json = "{\"ignition\":{\"version\":\"3.4.0\"},\"storage\":{\"filesystem\":[]}}";
    let (config, found) = Config::parse(&Source::file("a.ign", json));
    assert!(config.is_some());
    assert_eq!(found[0].path.as_deref(), Some("$.storage.filesystem"));
    assert_eq!(
        found[0].help.as_deref(),
        Some("did you mean `filesystems`?")
    );
}

#[test]
fn in_spec_3_2_a_custom_pin_that_only_stands_there_excludes_others() {
    for (version, refused) in [("3.2.0", true), ("3.3.0", false)] {
        let luks = r#""storage":{"luks":[{"name":"a","device":"/dev/a","clevis":{"custom":{},"tpm2":true}}]}"#;
        let found = validate(&config(version, luks), None);
        assert_eq!(found.iter().any(Diagnostic::is_error), refused, "{found:?}");
    }
}

/// A config of few names, so that some collide, with mistakes in some of its parts.
fn any_config() -> impl Strategy<Value = Config> {
    let version = prop::sample::select(vec!["3.0.0", "3.2.0", "3.3.0", "3.6.0"]);
    let path = prop::sample::select(vec![
        "/a",
        "/a/b",
        "/c",
        "d",
        "/etc/systemd/system/u.service",
    ]);
    let node = (path, 0..8_u8).prop_map(|(path, way)| match way {
        0 => json!({ "path": path }),
        1 => json!({ "path": path, "mode": 0o4755 }),
        2 => json!({ "path": path, "overwrite": true }),
        3 => json!({ "path": path, "contents": { "verification": { "hash": "md5-" } } }),
        4 => json!({ "path": path, "contents": { "source": "gs://a/b" } }),
        5 => json!({ "path": path, "user": { "id": 1 } }),
        6 => json!({ "path": path, "user": { "name": "a" } }),
        _ => json!({ "path": path, "overwrite": true, "contents": { "source": "data:,x" } }),
    });
    let contents = prop::sample::select(vec!["[Service]\nA=b\n", "[Install]\nA=b\n", "[", ""]);
    let name = prop::sample::select(vec!["u.service", "u@.service", "u@1.service", "u"]);
    let unit = (name, prop::option::of(contents), any::<bool>()).prop_map(
        |(name, contents, enabled)| json!({ "name": name, "contents": contents, "enabled": enabled }),
    );
    let nodes = || prop::collection::vec(node.clone(), 0..3);
    let link = |mut link: serde_json::Value| {
        link["hard"] = true.into();
        link
    };
    let units = prop::collection::vec(unit, 0..3);
    let storage = (nodes(), nodes(), nodes()).prop_map(move |(files, directories, links)| {
        let links: Vec<_> = links.into_iter().map(link).collect();
        json!({ "files": files, "directories": directories, "links": links })
    });
    // One that no other config has is taken as a whole.
    let storage = prop::option::of(storage);
    (version, storage, units).prop_map(move |(version, storage, units)| {
        let config = json!({
            "ignition": { "version": version },
            "storage": storage,
            "systemd": { "units": units },
        });
        let (config, found) = Config::parse(&Source::file("a.ign", config.to_string()));
        assert!(!found.iter().any(Diagnostic::is_error), "{found:?}");
        config.unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_was_sound_before_a_merge_is_as_good_as_checked_again(
        parts in prop::collection::vec(any_config(), 2..5),
    ) {
        let all = |parts: Vec<Config>| {
            let mut parts = parts.into_iter();
            let first = parts.next().unwrap();
            parts.fold(first, |parent, child| merge(parent, &child))
        };
        let mut settled = parts.clone();
        for part in &mut settled {
            if validate(part, None).is_empty() {
                part.settle();
            }
        }
        let (checked, settled) = (all(parts), all(settled));
        prop_assert_eq!(validate(&settled, None), validate(&checked, None));
        prop_assert_eq!(settled, checked);
    }
}
