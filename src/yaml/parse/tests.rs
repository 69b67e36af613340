#![allow(clippy::unwrap_used)]

use super::*;
use crate::yaml::Content;

fn value<'a>(root: &'a Node, key: &str) -> &'a Node {
    let entries = root.entries().unwrap();
    &entries
        .iter()
        .find(|(found, _)| found.text() == Some(key))
        .unwrap()
        .1
}

fn complaint(text: &str) -> String {
    parse(text).unwrap_err().remove(0).message
}

#[test]
fn spans_are_bytes_though_the_parser_counts_characters() {
    let text = "é: ü\nb: [1, 'é']\n";
    let root = parse(text).unwrap();
    assert_eq!(&text[value(&root, "é").span.clone()], "ü");
    assert_eq!(&text[value(&root, "b").span.clone()], "[1, 'é']");
}

#[test]
fn a_value_begins_at_its_anchor_or_tag() {
    let text = "a: &x\n  b: 1\nc: !!int '2'\nd: *x\n";
    let root = parse(text).unwrap();
    assert_eq!(value(&root, "a").span.start, 3);
    assert!(text[value(&root, "c").span.clone()].starts_with("!!int"));
    assert_eq!(value(&root, "c").tag.as_deref(), Some("!!int"));
    assert_eq!(value(value(&root, "d"), "b").text(), Some("1"));
}

#[test]
fn white_space_of_several_bytes_before_an_anchor_is_no_end_of_a_word() {
    for space in ['\u{2028}', '\u{85}', '\u{3000}'] {
        assert!(parse(&format!("# c{space}a\n  &a 'y'")).is_ok());
        assert!(parse(&format!("# c{space}\n!t")).is_ok());
        assert!(parse(&format!("# c{space}a\n&a\"y\\n\"")).is_err());
    }
}

#[test]
fn every_key_given_twice_is_found() {
    let mistakes = parse("a: 1\nb: {c: 1, 'c': 2}\n\"a\": 3\n").unwrap_err();
    let found = mistakes
        .into_iter()
        .map(|one| (one.span.start, one.earlier));
    assert!(found.eq([(15, Some(9..10)), (23, Some(0..1))]));
    let many: Vec<String> = (0..20).map(|number| format!("k{number}: 1\n")).collect();
    let mistakes = parse(&format!("{}k1: 2\nk1: 3\n", many.concat())).unwrap_err();
    let earlier = mistakes.into_iter().map(|one| one.earlier);
    assert!(earlier.eq([Some(6..8), Some(6..8)]));
}

#[test]
fn refuses_what_yaml_v3_refuses() {
    assert_eq!(complaint(""), "the document is empty");
    assert_eq!(complaint("a: &x [*x]"), "an anchor that contains itself");
    assert_eq!(complaint("a: \"\\/\""), "unknown escape `\\/`");
    assert_eq!(
        complaint("%YAML 1.2\n---\na: 1"),
        "YAML 1.2 is not supported, only 1.1"
    );
    assert_eq!(
        complaint("a: \u{7}"),
        "control character U+0007 is not allowed"
    );
    assert!(parse("%YAML 1.1\n---\na: 1").is_ok());
    assert!(parse(&"[".repeat(100_000)).is_err());
}

#[test]
fn only_the_first_document_is_read() {
    let root = parse("a: 1\n---\n}garbage{").unwrap();
    assert_eq!(value(&root, "a").text(), Some("1"));
}

#[test]
fn takes_the_indentation_that_yaml_v3_takes() {
    for (text, expected) in [
        ("a:\n  b: [x,\n y\n]\n", vec!["x", "y"]),
        ("a:\n  b: [\"x\n  y\n\n\n  é\", z]\n", vec!["x y\n\né", "z"]),
        ("a:\n  b: ['it''s\n  y', z]\n", vec!["it's y", "z"]),
        ("a:\n  b:\t[x,\n z\n ]\n", vec!["x", "z"]),
        ("a:\n  b: [x, # y\n]\n", vec!["x"]),
        ("a:\n  b: ['x # y', # 'z\n# é\nz]\n", vec!["x # y", "z"]),
        ("a:\n  b: ['x' # y\n, z]\n", vec!["x", "z"]),
        ("a:\n  b: [x,\n\ty,\n\t# c\n\tz\n ]\n", vec!["x", "y", "z"]),
        ("a:\n  b: [\"x\n\ty\n\t\n\tz\"]\n", vec!["x y\nz"]),
        ("a:\n  b: [x,# y\n'z'# y\n]\n", vec!["x", "z"]),
        ("a:\n  b: ['x\n\ty']\n", vec!["x y"]),
        ("a:\n  b: [\"x\\\ny\"]\n", vec!["xy"]),
        ("a:\n  b: [\"x \n\\\ny\"]\n", vec!["x y"]),
        ("a:\n  b: [\"x \\\n\n\n\ty\"]\n", vec!["x \n\ny"]),
        ("a:\n  b: [\"x\\\\\ny\"]\n", vec!["x\\ y"]),
        ("a:\n  b: [\"x\\\r\ny\"]\n", vec!["xy"]),
    ] {
        let root = parse(text).unwrap();
        let Content::Sequence(items) = &value(value(&root, "a"), "b").content else {
            panic!("{root:?}");
        };
        let found: Vec<&str> = items.iter().filter_map(Node::text).collect();
        assert_eq!(found, expected, "{text}");
        assert!(text[..items[0].span.start].ends_with('['));
    }
    for text in ["a: [x # y\nz]\n", "a: [x'y' # y\nz]\n", "a: |# x\n"] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_long_chain_of_aliases_is_refused() {
    let links = (1..20_000).map(|number| format!("- &a{number} [*a{}]\n", number - 1));
    let text = "- &a0 [x]\n".to_owned() + &links.collect::<String>();
    assert_eq!(complaint(&text), "aliases lead more than 256 levels deep");
}

#[test]
fn escapes_of_control_characters_are_kept() {
    let root = parse("a: \"x\\x01\\x02\\u0001y\"\n").unwrap();
    let text = root.entries().unwrap()[0].1.text();
    assert_eq!(text, Some("x\u{1}\u{2}\u{1}y"));
}

#[test]
fn only_a_plain_or_tagged_merge_key_merges() {
    for (text, merges) in [
        ("<<: {}", true),
        ("! <<: {}", true),
        ("!!merge <<: {}", true),
        ("!!merge '<<': {}", true),
        ("\"<<\": {}", false),
        ("'<<': {}", false),
        ("! '<<': {}", false),
        ("!!str <<: {}", false),
        ("!!merge a: {}", false),
    ] {
        let key = &parse(text).unwrap().entries().unwrap()[0].0.clone();
        assert_eq!(key.is_merge_key(), merges, "{text}");
    }
}

#[test]
fn a_block_text_ends_where_the_file_does() {
    for (text, expected) in [
        ("a: |\n  b", "b"),
        ("a: |\n  b\n", "b\n"),
        ("a: |\n  b\n ", "b\n"),
        ("a: |\n  b\n  ", "b\n"),
        ("a: |\n  b\n    ", "b\n  "),
        ("a: |\n  b\n  \t", "b\n\t"),
        ("a: |\r\n  b\r\n  ", "b\n"),
        ("a: |1\n  b\n ", " b\n"),
        ("a: |1\n  b\n   ", " b\n  "),
        ("a: |+\n  b\n\n  ", "b\n\n"),
        ("a: |+\n  b\n\n ", "b\n\n"),
        ("a: |+\n  ", ""),
        ("a: |+\n\n  ", "\n"),
        ("a: |1\n  \n", " \n"),
        ("a: |-\n  b\n  ", "b"),
        ("a: >\n  b\n  c\n  ", "b c\n"),
        ("a: >+\n  b\n\n    ", "b\n\n  "),
        ("a: >-\n  b\n    ", "b\n  "),
    ] {
        let root = parse(text).unwrap();
        assert_eq!(value(&root, "a").text(), Some(expected), "{text:?}");
    }
}

#[test]
fn tabs_are_refused_where_yaml_v3_refuses_them() {
    for text in [
        "- path: /a\n@\n  mode: 0644\n",
        "- path: /a\n @\n  mode: 0644\n",
        "-@path: /a\n",
        "- @a\n",
        "- a\n-@\n",
        "@a: 1\n",
        "@\na: 1\n",
        "a: 1\n@# c\nb: 2\n",
        "a:\n@# c\n  b: 2\n",
        "a: 1 # c\n  @\nb: 2\n",
        "a:\n  @b: 1\n",
        "a: 1\n@",
        "a: 'x'\n@\n",
        "a: {b: 1}\n@\n",
        "a: b\n@\n  c\n",
        "a: |\n  b\n@\n",
        "a: |\n  b\n @# c\n",
        "a: |\n  @b\n",
        "a: &x |\n  b\n @# c\n",
        "? a\n:@b\n",
    ] {
        let mistake = parse(&text.replace('@', "\t")).unwrap_err().remove(0);
        assert_eq!(
            mistake.message, "a tab where only spaces may stand",
            "{text}"
        );
        assert_eq!(Some(mistake.span.start), text.find('@'), "{text}");
    }
    for text in [
        "a:@b\n",
        "a: b@# c\n",
        "a: b@\nc: 1\n",
        "a:@\n  b: 1\n",
        "a: &x@\n  b: 1\n",
        "a: b\n  @\nc: 1\n",
        "a: b\n  @c\n",
        "a: [b,@# x\n  @c]\n",
        "a: |\n  b\n  @# c\n",
        "a: |2\n  @b\n",
        "--- a\n---\n@b",
    ] {
        let read = parse(&text.replace('@', "\t"));
        assert!(read.is_ok(), "{text}: {read:?}");
    }
}

#[test]
fn names_of_anchors_are_ascii() {
    for name in ["é", "e.f", "b'c'", "b:"] {
        let message = complaint(&format!("a: &{name} b"));
        assert!(message.contains("names of anchors"), "{message}");
    }
    for text in [
        "a: &e-F_1 b\nc: [*e-F_1]",
        "&a é: b\nc: {d: *a}",
        "- &a 'x'\n- *a",
    ] {
        assert!(parse(text).is_ok(), "{text}");
    }
}

#[test]
fn directives_and_marks_are_as_strict_as_those_of_yaml_v3() {
    for text in ["%FOO x\n---\na: 1", "a: 1\n%FOO: x\n", "a: |\n  b\n%FOO\n"] {
        assert_eq!(
            complaint(text).trim_end_matches(":`").trim_end_matches('`'),
            "unknown directive `%FOO"
        );
    }
    assert_eq!(complaint("# c\n...\na: 1\n"), "the document is empty");
    for text in [
        "a: 'b\n%c'",
        "%TAG ! tag:x,2000:\n---\na: 1",
        "a: 1\n...\n%FOO",
    ] {
        assert!(parse(text).is_ok(), "{text}");
    }
}

#[test]
fn a_byte_order_mark_is_a_character_like_others() {
    for text in [
        "a: '\u{feff}b'",
        "a: \u{feff}b # \u{feff}",
        "a: # \u{feff}\n  \"\u{feff}b\"",
        "a: |-\n  \u{feff}b",
    ] {
        let root = parse(text).unwrap();
        assert_eq!(value(&root, "a").text(), Some("\u{feff}b"), "{text:?}");
    }
    for text in ["a: b\n\u{feff}c: d\n", "\u{feff}a: b", "a: [\n\u{feff}b]"] {
        assert_eq!(complaint(text), "a byte order mark between values");
    }
}

#[test]
fn marks_of_documents_end_quoted_texts() {
    for text in [
        "a: \"b\n---\nc\"",
        "a:\n  b: 'c\nd\n...\ne'",
        "a: \"b\nc\n--- d\"",
    ] {
        assert!(parse(text).is_err(), "{text:?}");
    }
    assert!(parse("a: 'b\nc\n---d'").is_ok());
}

#[test]
fn many_lines_may_be_indented_oddly() {
    let texts = |count: usize| {
        let lines = (0..count).map(|number| format!("k{number}: 'a\nb'\n"));
        lines.collect::<String>()
    };
    assert_eq!(parse(&texts(500)).unwrap().entries().unwrap().len(), 500);
    let mistake = parse(&texts(20_000)).unwrap_err().remove(0);
    assert_eq!(mistake.message, "too many lines with odd indentation");
    assert!(mistake.span.start > 0);
}
