#![allow(clippy::unwrap_used)]

use super::*;
use crate::secrets::recipients::Recipients;

fn secret() -> Secret {
    Secret::new(&Recipients::default(), [7; 8], b"sealed".to_vec())
}

fn set(owner: Owner<'_>, text: &str) -> Result<String, EditError> {
    let change = Change::Set {
        name: "N".to_owned(),
        secret: secret(),
        expires: None,
    };
    apply(&Source::file("f.toml", text), owner, &[change])
}

/// `before` becomes `after`, where `$` stands for the secret; the result is TOML that holds it.
fn check(owner: Owner<'_>, before: &str, after: &str) {
    let value = format!("\"{}\"", secret());
    let edited = set(owner, before).unwrap();
    assert_eq!(edited.replace(&value, "$"), after, "from {before:?}");
    let document = Document::parse(edited.as_str()).unwrap();
    let mut item = document.as_item();
    for part in owner.path("secrets") {
        item = &item[part];
    }
    assert_eq!(item["N"].as_str(), Some(secret().to_string().as_str()));
}

#[test]
fn sets_a_secret_of_a_node() {
    for (before, after) in [
        ("", "[secrets]\nN = $\n"),
        (
            "hostname = \"a\"\n",
            "hostname = \"a\"\n\n[secrets]\nN = $\n",
        ),
        ("a = 1\n\n", "a = 1\n\n[secrets]\nN = $\n"),
        ("# why\n", "# why\n\n[secrets]\nN = $\n"),
        (
            "[env]\nA = \"1\" # x",
            "[env]\nA = \"1\" # x\n\n[secrets]\nN = $",
        ),
        ("[secrets]\n", "[secrets]\nN = $\n"),
        ("[secrets]", "[secrets]\nN = $"),
        (
            "[secrets] # x\n# y\n\n[env]\nA = \"1\"\n",
            "[secrets] # x\nN = $\n# y\n\n[env]\nA = \"1\"\n",
        ),
        (
            "[secrets]\n  A = 'a' # x\n\n[env]\n",
            "[secrets]\n  A = 'a' # x\n  N = $\n\n[env]\n",
        ),
        (
            "[secrets]\nA = 'a'\nN  =  'old'# x\nB = 'b'",
            "[secrets]\nA = 'a'\nN  =  $# x\nB = 'b'",
        ),
        (
            "[secrets]\nN = \"\"\"\nold\n\"\"\"\nB = 'b'\n",
            "[secrets]\nN = $\nB = 'b'\n",
        ),
        ("[secrets]\n\"N\" = 5\n", "[secrets]\n\"N\" = $\n"),
        ("secrets = {}\n", "secrets = { N = $ }\n"),
        ("secrets = { }\n", "secrets = { N = $ }\n"),
        ("secrets = {A='a'} # x\n", "secrets = {A='a', N = $} # x\n"),
        (
            "secrets = { N = 'a', B = 'b' }\n",
            "secrets = { N = $, B = 'b' }\n",
        ),
        (
            "secrets = {\n  A = 'a', # x\n}\n",
            "secrets = {\n  A = 'a', N = $, # x\n}\n",
        ),
        (
            "a = 1\nsecrets.A = 'a' # x\nb = 1\n",
            "a = 1\nsecrets.A = 'a' # x\nsecrets.N = $\nb = 1\n",
        ),
        ("secrets.N = 'a'\n", "secrets.N = $\n"),
        (
            "[secrets]\nA = 'a'\n[secrets.x]\nb = 1\n[[secrets.y]]\n",
            "[secrets]\nA = 'a'\nN = $\n[secrets.x]\nb = 1\n[[secrets.y]]\n",
        ),
        ("\u{feff}a = 1\n", "\u{feff}a = 1\n\n[secrets]\nN = $\n"),
        ("ä = 'ö' # ü", "ä = 'ö' # ü\n\n[secrets]\nN = $"),
    ] {
        let before = before.replace("ä = ", "\"ä\" = ");
        let after = after.replace("ä = ", "\"ä\" = ");
        check(Owner::Node, &before, &after);
        let crlf = |text: &str| text.replace('\n', "\r\n");
        if before.contains('\n') {
            check(Owner::Node, &crlf(&before), &crlf(&after));
        }
    }
}

#[test]
fn sets_a_secret_of_a_role_beside_what_the_role_has() {
    for (before, after) in [
        (
            "[roles.k3s]\nenv_file = 'k'\n\n[roles.b]\n",
            "[roles.k3s]\nenv_file = 'k'\n\n[roles.k3s.secrets]\nN = $\n\n[roles.b]\n",
        ),
        (
            "[roles.k3s]\na = 1\n[roles.k3s.files]\nf = 'F'\n# mine\n\n# of b\n[roles.b]\n",
            "[roles.k3s]\na = 1\n[roles.k3s.files]\nf = 'F'\n# mine\n\n[roles.k3s.secrets]\nN = $\n\n# of b\n[roles.b]\n",
        ),
        (
            "[roles.k3s]\n# of b\n[roles.b]\n",
            "[roles.k3s]\n\n[roles.k3s.secrets]\nN = $\n# of b\n[roles.b]\n",
        ),
        (
            "[roles.k3s.env]\nA = 'a'",
            "[roles.k3s.env]\nA = 'a'\n\n[roles.k3s.secrets]\nN = $",
        ),
        (
            "[roles.k3s.secrets]\nA = 'a'\n[roles.b.secrets]\nN = 'b'\n",
            "[roles.k3s.secrets]\nA = 'a'\nN = $\n[roles.b.secrets]\nN = 'b'\n",
        ),
        (
            "[roles]\nk3s = { env_file = 'k' }\n",
            "[roles]\nk3s = { env_file = 'k', secrets.N = $ }\n",
        ),
        ("[roles]\nk3s = {}\n", "[roles]\nk3s = { secrets.N = $ }\n"),
        (
            "[roles]\nk3s = { secrets.A = 'a', x = 1 }\n",
            "[roles]\nk3s = { secrets.A = 'a', secrets.N = $, x = 1 }\n",
        ),
        (
            "[roles]\nk3s = { secrets = { A = 'a' }, x = 1 }\n",
            "[roles]\nk3s = { secrets = { A = 'a', N = $ }, x = 1 }\n",
        ),
        (
            "[roles]\nk3s = { secrets = {}, x = 1 }\n",
            "[roles]\nk3s = { secrets = { N = $ }, x = 1 }\n",
        ),
        (
            "roles = { k3s = { x = 1 } }\n",
            "roles = { k3s = { x = 1, secrets.N = $ } }\n",
        ),
        (
            "[roles]\n\tk3s.env_file = 'k'\n\tb.x = 1\n",
            "[roles]\n\tk3s.env_file = 'k'\n\tk3s.secrets.N = $\n\tb.x = 1\n",
        ),
        (
            "roles.k3s.secrets.A = 'a'\nroles.k3s.x = 1\n",
            "roles.k3s.secrets.A = 'a'\nroles.k3s.secrets.N = $\nroles.k3s.x = 1\n",
        ),
        (
            "[roles.k3s]\nsecrets.A = 'a'\nx = 1\n[roles.k3s.files]\n",
            "[roles.k3s]\nsecrets.A = 'a'\nsecrets.N = $\nx = 1\n[roles.k3s.files]\n",
        ),
        (
            "[roles.k3s]\nsecrets = { A = 'a' }\n",
            "[roles.k3s]\nsecrets = { A = 'a', N = $ }\n",
        ),
        (
            "[roles.k3s.secrets.x]\na = 1\n",
            "[roles.k3s.secrets.x]\na = 1\n\n[roles.k3s.secrets]\nN = $\n",
        ),
        (
            "[roles.k3s]\n[[roles.k3s.x]]\na = [\n1 ]\n[z]\n",
            "[roles.k3s]\n[[roles.k3s.x]]\na = [\n1 ]\n\n[roles.k3s.secrets]\nN = $\n[z]\n",
        ),
    ] {
        check(Owner::Role("k3s"), before, after);
    }
    check(
        Owner::Role("a b.c"),
        "[roles.\"a b.c\"]\n",
        "[roles.\"a b.c\"]\n\n[roles.\"a b.c\".secrets]\nN = $\n",
    );
}

#[test]
fn sets_a_secret_of_all_nodes() {
    for (before, after) in [
        (
            "[defaults]\nroles = ['a']\n\n[roles.a]\n",
            "[defaults]\nroles = ['a']\n\n[defaults.secrets]\nN = $\n\n[roles.a]\n",
        ),
        ("name = 'x'\n", "name = 'x'\n\n[defaults.secrets]\nN = $\n"),
        (
            "defaults.tags = []\n[roles.a]\n",
            "defaults.tags = []\ndefaults.secrets.N = $\n[roles.a]\n",
        ),
    ] {
        check(Owner::Defaults, before, after);
    }
}

#[test]
fn setting_twice_is_setting_once() {
    let once = set(Owner::Node, "a = 1\n").unwrap();
    assert_eq!(set(Owner::Node, &once).unwrap(), once);
}

#[test]
fn a_role_that_is_not_there_is_an_error_with_the_nearest_name() {
    let nearest_to = |role, text| match set(Owner::Role(role), text) {
        Err(EditError::NoRole {
            role: asked,
            nearest,
        }) if asked == role => nearest,
        other => panic!("{other:?}"),
    };
    let text = "[roles.k3s]\n[roles.logexport]\n";
    assert_eq!(nearest_to("k3z", text), Some("k3s".into()));
    assert_eq!(nearest_to("heartbeat", text), None);
    assert_eq!(nearest_to("roles", "[rolez]\n"), None);
    assert_eq!(nearest_to("k3s", ""), None);
}

#[test]
fn a_file_that_is_wrong_is_shown_and_not_edited() {
    for (owner, text, at, message) in [
        (Owner::Node, "a = 1\nb = = 2\n", 10..11, "not valid TOML: "),
        (
            Owner::Node,
            "secrets = 'x'\n",
            10..13,
            "`secrets` is not a table",
        ),
        (
            Owner::Node,
            "[[secrets]]\n",
            0..11,
            "`secrets` is not a table",
        ),
        (
            Owner::Role("a"),
            "[roles]\na = 1\n",
            12..13,
            "`a` is not a table",
        ),
        (Owner::Node, "[secrets.N]\n", 0..11, "`N` is a table"),
        (Owner::Node, "secrets.N.x = 1\n", 8..9, "`N` is a table"),
        (
            Owner::Node,
            "secrets = { N.x = 1 }\n",
            12..13,
            "`N` is a table",
        ),
    ] {
        let Err(EditError::Mistake(mistake)) = set(owner, text) else {
            panic!("no mistake in {text:?}");
        };
        assert!(mistake.message.starts_with(message), "{}", mistake.message);
        assert_eq!(mistake.labels[0].span, at, "in {text:?}");
    }
}
