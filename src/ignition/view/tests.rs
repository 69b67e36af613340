#![allow(clippy::unwrap_used)]

use super::*;
use crate::source::Source;

fn view_of(sections: &str) -> BTreeMap<String, Entry> {
    let json = format!("{{\"ignition\":{{\"version\":\"3.4.0\"}},{sections}}}");
    let (config, found) = Config::parse(&Source::file("a.ign", json));
    assert_eq!(found, []);
    view(&config.unwrap())
}

#[test]
fn the_same_contents_are_the_same_however_they_are_encoded() {
    let file = |source: &str| {
        view_of(&format!(
            "\"storage\":{{\"files\":[{{\"path\":\"/a\",\"mode\":420,\"contents\":{{\"source\":\"{source}\"}}}}]}}"
        ))
    };
    let plain = file("data:,hello");
    assert_eq!(plain, file("data:;base64,aGVsbG8="));
    let entry = &plain["file /a"];
    assert_eq!(entry.contents.as_deref(), Some(&b"hello"[..]));
    assert_eq!(entry.attributes["mode"], "0644");
    assert_eq!(entry.attributes.len(), 1);
    let remote = file("https://example.com/");
    assert_eq!(
        remote["file /a"].attributes["contents.source"],
        "https://example.com/"
    );
    assert_eq!(remote["file /a"].contents, None);
}

#[test]
fn parts_of_things_are_named_after_both() {
    let view = view_of(
        r#""systemd":{"units":[{"name":"a.service","dropins":[{"name":"x.conf","contents":"[A]"}]}]},
        "storage":{"disks":[{"device":"/dev/a","partitions":[{"label":"l"},{"number":2}]}]}"#,
    );
    let names: Vec<&str> = view.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "disk /dev/a",
            "drop-in x.conf of a.service",
            "ignition spec",
            "partition 2 of /dev/a",
            "partition l of /dev/a",
            "unit a.service"
        ]
    );
}

#[test]
fn order_is_kept_where_it_has_a_meaning() {
    let [one, two] = [r#"["a","b"]"#, r#"["b","a"]"#]
        .map(|list| view_of(&format!("\"kernelArguments\":{{\"shouldExist\":{list}}}")));
    assert_ne!(one, two);
    let [one, two] = [
        r#"{"name":"a"},{"name":"b"}"#,
        r#"{"name":"b"},{"name":"a"}"#,
    ]
    .map(|list| view_of(&format!("\"passwd\":{{\"users\":[{list}]}}")));
    assert_ne!(one, two);
}

#[test]
fn things_of_one_name_are_both_there() {
    let view = view_of(r#""storage":{"files":[{"path":"/a"},{"path":"/a","mode":1}]}"#);
    assert!(view.contains_key("file /a") && view.contains_key("file /a (2)"));
}
