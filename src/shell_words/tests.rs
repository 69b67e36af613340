use super::*;

/// Each command's words.
fn words(script: &str) -> Vec<Vec<String>> {
    let (commands, mistakes) = read(script);
    assert_eq!(mistakes, [], "{script}");
    let text = |word: Word| String::from_utf8_lossy(&word.value).into_owned();
    let command = |words: Vec<Word>| words.into_iter().map(text).collect();
    commands.into_iter().map(command).collect()
}

fn one(script: &str) -> String {
    let mut commands = words(script);
    assert_eq!((commands.len(), commands[0].len()), (1, 1), "{script}");
    commands.remove(0).remove(0)
}

fn mistakes(script: &str) -> Vec<(MistakeKind, usize)> {
    let (_, mistakes) = read(script);
    mistakes
        .into_iter()
        .map(|it| (it.kind, it.span.start))
        .collect()
}

// Each of these was read by bash 5.2, and came back as the value.
#[test]
fn quotes_are_read_as_bash_reads_them() {
    for (script, value) in [
        (r"pa\ ss\'\\x", r"pa ss'\x"),
        ("''", ""),
        (r"'a\b $x `c`'", r"a\b $x `c`"),
        (r#""a\b\\c\"d\$e\`f 'g'""#, r#"a\b\c"d$e`f 'g'"#),
        ("\"a\\\nb\"", "ab"),
        ("a'b'\"c\"$'d'\\e", "abcde"),
        (
            r"$'\a\b\e\E\f\n\r\t\v\\\'\?'",
            "\x07\x08\x1b\x1b\x0c\n\r\t\x0b\\'?",
        ),
        ("$'\\\"'", "\""),
        (r"$'\1\12\1234\303\251\x41\x4g'", "\x01\nS4\u{e9}A\x04g"),
        (r"$'\501'", "A"),
        (r"$'\u41\u00e9\u20acA\U1F600'", "A\u{e9}\u{20ac}A\u{1f600}"),
        (r"$'\q\xz\uz'", r"\q\xz\uz"),
        ("a$", "a$"),
        ("\"a$ $\"", "a$ $"),
        ("a#b", "a#b"),
        ("a~b=c", "a~b=c"),
        ("a\\\nb", "ab"),
        ("\\~", "~"),
        ("'\u{e9}'\u{e9}\\\u{e9}", "\u{e9}\u{e9}\u{e9}"),
        ("?*[!]}^%,", "?*[!]}^%,"),
    ] {
        assert_eq!(one(script), value, "{script}");
    }
}

#[test]
fn commands_end_with_their_lines() {
    assert_eq!(words(""), Vec::<Vec<String>>::new());
    let script = "#!/bin/sh\n\n env \\\n\tA=1 \\\r\n  B=2 # rest\r\nc\r\n# d\ne f\\";
    let expected = [&["env", "A=1", "B=2"][..], &["c"], &["e", "f"]];
    assert_eq!(words(script), expected);
    assert_eq!(words("a\r"), [["a"]]);
    assert_eq!(words("a \\\n"), [["a"]]);
}

#[test]
fn every_line_tells_what_bash_would_do_there() {
    use MistakeKind::{Escape, Expansion, Operator, Unclosed};
    for (script, kind, at) in [
        ("A=$B", Expansion, 2),
        ("A=${B}", Expansion, 2),
        ("A=\"x$(b)\"", Expansion, 4),
        ("A=$((1))", Expansion, 2),
        ("A=$1", Expansion, 2),
        ("A=$$", Expansion, 2),
        ("A=$\"b\"", Expansion, 2),
        ("A=`b`", Expansion, 2),
        ("A=\"`b`\"", Expansion, 3),
        ("A=~/b", Expansion, 2),
        ("A=b:~/b", Expansion, 4),
        ("~/b", Expansion, 0),
        ("A={b,c}", Expansion, 2),
        ("A=1; b", Operator, 3),
        ("A=a&b", Operator, 3),
        ("a | b", Operator, 2),
        ("a > b", Operator, 2),
        ("a <b", Operator, 2),
        ("A=(b)", Operator, 2),
        ("A='b", Unclosed, 2),
        ("A=\"b\n", Unclosed, 2),
        ("A=$'b\\'", Unclosed, 2),
        ("A=$'b\\", Unclosed, 2),
        (r"A=$'\ud800'", Escape, 4),
        (r"A=$'\ca'", Escape, 4),
    ] {
        assert_eq!(mistakes(script), [(kind, at)], "{script}");
        assert!(!kind.help().is_empty());
    }
    let script = "env A=$b C=$d \\\n  E=`f` \\\n  G=1\nh; i\nJ=1\n";
    let found: Vec<_> = mistakes(script).into_iter().map(|(_, at)| at).collect();
    assert_eq!(found, [6, 20, 33]);
    let (commands, _) = read(script);
    assert_eq!(commands.len(), 1);
    assert_eq!(&script[commands[0][0].span.clone()], "J=1");
}

#[test]
fn a_long_value_is_whole() {
    let long = "x\u{e9}".repeat(10_000);
    assert_eq!(one(&long), long);
    assert_eq!(one(&format!("'{long}'")), long);
}
