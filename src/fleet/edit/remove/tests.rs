#![allow(clippy::unwrap_used)]

use super::super::{Change, Owner, apply};
use super::*;
use crate::secrets::recipients::Recipients;
use crate::secrets::value::Secret;

fn remove(owner: Owner<'_>, text: &str) -> Result<String, EditError> {
    remove_entry(&Source::file("f.toml", text), owner, "secrets", "N")
}

/// What a text means, less the secret and the tables that hold nothing.
fn meaning(text: &str, owner: Owner<'_>) -> toml::Table {
    let mut document: toml::Table = toml::from_str(text).unwrap();
    let mut table = &mut document;
    for part in owner.path("secrets") {
        let Some(toml::Value::Table(below)) = table.get_mut(part) else {
            return document;
        };
        table = below;
    }
    table.remove("N");
    if table.is_empty() {
        let mut table = &mut document;
        for part in &owner.path("secrets")[..owner.path("secrets").len() - 1] {
            table = table[*part].as_table_mut().unwrap();
        }
        table.remove("secrets");
    }
    if document
        .get("defaults")
        .and_then(toml::Value::as_table)
        .is_some_and(toml::Table::is_empty)
    {
        document.remove("defaults");
    }
    document
}

#[track_caller]
fn check(owner: Owner<'_>, before: &str, after: &str) {
    let crlf = |text: &str| text.replace('\n', "\r\n");
    for (before, after) in [
        (before.to_owned(), after.to_owned()),
        (crlf(before), crlf(after)),
    ] {
        let edited = remove(owner, &before).unwrap();
        assert_eq!(edited, after, "from {before:?}");
        assert_eq!(
            meaning(&edited, owner),
            meaning(&before, owner),
            "from {before:?}"
        );
    }
}

#[test]
fn takes_a_line_and_leaves_the_others() {
    for (before, after) in [
        (
            "[secrets]\nA = 'a'\nN = 'n'\nB = 'b'\n",
            "[secrets]\nA = 'a'\nB = 'b'\n",
        ),
        (
            "[secrets] # x\n# why A\nA = 'a' # a\n# why N\n  \"N\"  =  'n' # n\n# why B\nB = 'b'\n",
            "[secrets] # x\n# why A\nA = 'a' # a\n# why N\n# why B\nB = 'b'\n",
        ),
        (
            "[secrets]\nN = \"\"\"\n[x]\n\"\"\"\nB = 'b'",
            "[secrets]\nB = 'b'",
        ),
        ("[secrets]\nB = 'b'\nN = 'n'", "[secrets]\nB = 'b'"),
        (
            "a = 1\nsecrets.A = 'a'\nsecrets . N = 'n' # x\nb = 1\n",
            "a = 1\nsecrets.A = 'a'\nb = 1\n",
        ),
        ("a = 1\nsecrets.N = 'n'\nb = 1\n", "a = 1\nb = 1\n"),
    ] {
        check(Owner::Node, before, after);
    }
}

#[test]
fn an_emptied_table_goes_where_it_stood_alone() {
    for (before, after) in [
        ("[secrets]\nN = 'n'\n", ""),
        ("[secrets]\nN = 'n'", ""),
        ("a = 1\n\n[secrets]\nN = 'n' # x\n", "a = 1\n"),
        (
            "a = 1\n\n[secrets]\n\nN = 'n'\n\n[vars]\nb = 1\n",
            "a = 1\n\n[vars]\nb = 1\n",
        ),
        ("[secrets]\nN = 'n'\n\n[vars]\nb = 1\n", "[vars]\nb = 1\n"),
        (
            "a = 1\n[secrets]\nN = 'n'\n[vars]\nb = 1\n",
            "a = 1\n[vars]\nb = 1\n",
        ),
        (
            "a = 1\n\n[secrets]\nN = 'n'\n# of vars\n[vars]\n",
            "a = 1\n# of vars\n[vars]\n",
        ),
        ("secrets = { N = 'n' } # x\na = 1\n", "a = 1\n"),
        ("a = 1\nsecrets = {N='n'}", "a = 1"),
    ] {
        check(Owner::Node, before, after);
    }
}

#[test]
fn an_emptied_table_stays_where_somebody_wrote_to_it() {
    for (before, after) in [
        ("# mine\n[secrets]\nN = 'n'\n", "# mine\n[secrets]\n"),
        ("[secrets] # mine\nN = 'n'\n", "[secrets] # mine\n"),
        ("[secrets]\n# mine\nN = 'n'\n", "[secrets]\n# mine\n"),
        (
            "[secrets]\nN = 'n'\n# mine\n\n[vars]\n",
            "[secrets]\n# mine\n\n[vars]\n",
        ),
    ] {
        check(Owner::Node, before, after);
    }
    // The role is written nowhere else.
    for (before, after) in [
        ("[roles.k3s.secrets]\nN = 'n'\n", "[roles.k3s.secrets]\n"),
        (
            "[roles]\nk3s.secrets = { N = 'n' }\n",
            "[roles]\nk3s.secrets = { }\n",
        ),
    ] {
        assert_eq!(remove(Owner::Role("k3s"), before).unwrap(), after);
    }
}

#[test]
fn takes_an_entry_of_an_inline_table_with_its_comma() {
    for (before, after) in [
        (
            "secrets = { N = 'n', B = 'b' }\n",
            "secrets = { B = 'b' }\n",
        ),
        ("secrets = {A='a', N='n'} # x\n", "secrets = {A='a'} # x\n"),
        (
            "secrets = { A = 'a' , N = 'n' , B = 'b' }\n",
            "secrets = { A = 'a' , B = 'b' }\n",
        ),
        (
            "secrets = {\n  A = 'a', # x\n  N = 'n', # y\n  B = 'b',\n}\n",
            "secrets = {\n  A = 'a', # x\n  B = 'b',\n}\n",
        ),
        (
            "secrets = {\n  A = 'a', N = 'n', # x\n}\n",
            "secrets = {\n  A = 'a', # x\n}\n",
        ),
        (
            "secrets = {\n  A = 'a',\n  N = 'n'\n}\n",
            "secrets = {\n  A = 'a'\n}\n",
        ),
    ] {
        check(Owner::Node, before, after);
    }
    for (before, after) in [
        (
            "[roles]\nk3s = { x = 1, secrets.N = 'n' }\n",
            "[roles]\nk3s = { x = 1 }\n",
        ),
        (
            "[roles]\nk3s = { secrets.A = 'a', secrets.N = 'n', x = 1 }\n",
            "[roles]\nk3s = { secrets.A = 'a', x = 1 }\n",
        ),
        (
            "[roles]\nk3s = { secrets = { N = 'n' }, x = 1 }\n",
            "[roles]\nk3s = { x = 1 }\n",
        ),
        (
            "[roles]\nk3s = { x = 1, secrets = { N = 'n' } }\n",
            "[roles]\nk3s = { x = 1 }\n",
        ),
        (
            "roles.k3s = { x = ',', 'secrets' . \"N\" = 'n' }\n",
            "roles.k3s = { x = ',' }\n",
        ),
    ] {
        check(Owner::Role("k3s"), before, after);
    }
    check(
        Owner::Role("a\",.b"),
        "roles = { \"a\\\",.b\".x = 1, \"a\\\",.b\".secrets.N = 'n' }\n",
        "roles = { \"a\\\",.b\".x = 1 }\n",
    );
}

#[test]
fn what_was_set_and_removed_was_never_there() {
    let secret = Secret::new(&Recipients::default(), [7; 8], b"sealed".to_vec());
    let change = Change::Set {
        name: "N".to_owned(),
        secret,
        expires: None,
    };
    for (owner, texts) in [
        (
            Owner::Node,
            &[
                "",
                "hostname = \"a\"\n",
                "hostname = \"a\"",
                "# why\n",
                "[env]\nA = \"1\" # x",
                "[env]\nA = \"1\" # x\n\n# of vars\n[vars]\n",
                "[secrets]\n  A = 'a' # x\n\n[env]\n",
                "[secrets] # x\n# y\n\n[env]\nA = \"1\"\n",
                "secrets = {A='a'} # x\n",
                "secrets = {\n  A = 'a', # x\n}\n",
                "a = 1\nsecrets.A = 'a' # x\nb = 1\n",
            ][..],
        ),
        (
            Owner::Role("k3s"),
            &[
                "[roles.k3s]\nenv_file = 'k'\n\n[roles.b]\n",
                "[roles.k3s]\n# of b\n[roles.b]\n",
                "[roles.k3s.env]\nA = 'a'",
                "[roles]\nk3s = { env_file = 'k' }\n",
                "[roles]\n\tk3s.env_file = 'k'\n\tb.x = 1\n",
            ],
        ),
        (
            Owner::Defaults,
            &["name = 'x'\n", "[defaults]\nroles = ['a']\n\n[roles.a]\n"],
        ),
    ] {
        for text in texts {
            let crlf = text.replace('\n', "\r\n");
            for text in [*text, &crlf] {
                let source = Source::file("f.toml", text);
                let set = apply(&source, owner, std::slice::from_ref(&change)).unwrap();
                assert_ne!(set, text);
                assert_eq!(remove(owner, &set).unwrap(), text, "by way of {set:?}");
            }
        }
    }
}

#[test]
fn what_is_not_there_is_an_error_with_the_nearest_name() {
    let near = |text| match remove_entry(
        &Source::file("f.toml", text),
        Owner::Node,
        "secrets",
        "TOKNE",
    ) {
        Err(EditError::NoSecret { name, nearest }) if name == "TOKNE" => nearest,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        near("[secrets]\nTOKEN = 'x'\nA = 'a'\n"),
        Some("TOKEN".into())
    );
    assert_eq!(near("[secrets]\nA = 'a'\n"), None);
    assert_eq!(near("TOKEN = 1\n"), None);
    let error = remove(Owner::Role("a"), "[roles.b]\n").unwrap_err();
    assert!(matches!(error, EditError::NoRole { .. }));
}

#[test]
fn what_would_take_more_with_it_is_refused() {
    for (owner, text, message) in [
        (Owner::Node, "[secrets.N]\n", "`N` is a table"),
        (Owner::Node, "a = = 1\n", "not valid TOML: "),
        (
            Owner::Role("a"),
            "roles.a.secrets.N = 'n'\n",
            "`N` is all that is written of this role",
        ),
    ] {
        let Err(EditError::Mistake(mistake)) = remove(owner, text) else {
            panic!("no mistake in {text:?}");
        };
        assert!(mistake.message.starts_with(message), "{}", mistake.message);
    }
}
