#![allow(clippy::unwrap_used)]

use super::*;

fn text(json: &str) -> String {
    match parse(json).unwrap().content {
        Content::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn reads_escapes_and_replaces_lone_surrogates() {
    assert_eq!(text(r#""a\n\u00e9\ud83d\ude00\/""#), "a\né😀/");
    assert_eq!(
        text(r#""\ud83dx\udc00\ud83d\u0041""#),
        "\u{fffd}x\u{fffd}\u{fffd}A"
    );
}

#[test]
fn says_where_the_syntax_breaks() {
    for (json, at) in [
        ("", 0),
        ("{\"a\":}", 5),
        ("[1,]", 3),
        ("01", 1),
        ("{} x", 3),
        ("\"\t\"", 1),
        ("-", 1),
        ("tru", 3),
        ("\"\\u12", 5),
    ] {
        assert_eq!(parse(json).unwrap_err().at, at, "{json}");
    }
    assert!(parse(&"[".repeat(100_000)).is_err());
}
