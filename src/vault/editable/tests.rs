#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn plaintext(value: &[u8]) -> Plaintext {
    Plaintext::from(Zeroizing::new(value.to_vec()))
}

fn written(value: &str) -> String {
    let text = write("", &[("A", &plaintext(value.as_bytes()))]);
    text.strip_prefix("\nA = ").unwrap().trim_end().to_owned()
}

fn told(text: &str) -> Vec<String> {
    let mistakes = read(text.as_bytes()).map(|_| ()).unwrap_err();
    mistakes.into_iter().map(|it| it.message).collect()
}

#[test]
fn writes_what_is_easy_to_read() {
    for (value, text) in [
        ("plain", r#""plain""#),
        ("", r#""""#),
        ("it's", r#""it's""#),
        (r#"{"a": "\n"}"#, r#"'{"a": "\n"}'"#),
        (r#"it's "x" \"#, r#""it's \"x\" \\""#),
        (
            "tab\tbell\u{7}\u{85}\u{2028}",
            r#""tab\tbell\u0007\u0085\u2028""#,
        ),
        ("ends\r\n", "\"\"\"\nends\\r\n\"\"\""),
        ("key\nof\n", "\"\"\"\nkey\nof\n\"\"\""),
        ("\n", "\"\"\"\n\n\"\"\""),
        ("a\n\"\\b", "'''\na\n\"\\b'''"),
        ("a\n\"b'", "\"\"\"\na\n\\\"b'\"\"\""),
        ("a\n\"'''", "\"\"\"\na\n\\\"'''\"\"\""),
    ] {
        assert_eq!(written(value), text, "for {value:?}");
    }
}

#[test]
fn what_can_t_be_edited_is_named_and_not_in_the_text() {
    let (a, b, c) = (
        plaintext(b"1"),
        plaintext(b"secret\xff"),
        plaintext(b"secret"),
    );
    let text = write("one\ntwo", &[("B", &b), ("A", &a), ("C-\n", &c)]);
    let expected = "# one\n# two\n# B stays as it is: its value is not UTF-8\n\
                    # C-\\n stays as it is: that is no name for a secret\n\nA = \"1\"\n";
    assert_eq!(*text, expected);
}

#[test]
fn tells_every_mistake_by_its_place_alone() {
    let text = "A = \"1\"\nB = canary\n\"canary-x\" = \"\"\nC = 5\nA = \"canary\"\n[canary]\nx = 1\n\u{e9}canary\n";
    let told = told(text);
    let places: Vec<&str> = told
        .iter()
        .map(|it| it.split_once(':').unwrap().0)
        .collect();
    let expected = [(2, 5), (3, 1), (4, 1), (5, 1), (6, 2), (8, 1)];
    let expected =
        expected.map(|(line, column)| format!("line {line}, column {column} of the text"));
    assert_eq!(places, expected, "{told:#?}");
    assert!(!told.concat().contains("canary"), "{told:#?}");
    assert!(
        told[3].ends_with("this name stands here twice"),
        "{told:#?}"
    );
    assert_eq!(
        super::read(b"A = \"1\"\n\xc3\xa9\xff")
            .map(|_| ())
            .unwrap_err()[0]
            .message,
        "line 2, column 2 of the text: this byte is not UTF-8"
    );
}

/// Whatever is broken in a text, nothing of it is in the words.
fn is_silent(text: &str) {
    if let Err(mistakes) = read(text.as_bytes()) {
        let told = format!("{mistakes:?}");
        assert!(!told.contains("canary"), "{told}");
    }
}

proptest! {
    #[test]
    fn every_text_comes_back_as_it_was(value in "(?s)[a\n\r\t\"'\\\\ #\u{0}\u{7f}\u{85}\u{feff}é]{0,12}|.*") {
        let text = write("x", &[("A", &plaintext(value.as_bytes()))]);
        let entries = read(text.as_bytes()).map_err(|told| TestCaseError::fail(format!("{told:?}")))?;
        prop_assert_eq!(entries.len(), 1);
        prop_assert_eq!(entries[0].value.as_str(), value.as_str());
    }

    #[test]
    fn no_broken_text_is_quoted(before in "[A=\"'\n\\[\\]{}., 0-9tuz\\\\]{0,10}", after in "[A=\"'\n\\[\\]{}., 0-9tuz\\\\]{0,10}") {
        is_silent(&format!("{before}canary{after}"));
    }
}
