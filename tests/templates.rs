//! The language of templates: what is undefined, refused or endless, and what they see.

use snapbox::{assert_data_eq, str};

use crate::fleet::{Fleet, RECIPIENT, SECRET};

const NODE: &str = "templates = [\"base.bu\"]\n";

/// A fleet whose template has this in line 3.
fn with(text: &str) -> Fleet {
    let vault = format!(
        "[vault]\nrecipients = [\"{RECIPIENT}\"]\n[roles.r]\nvariables = [\"*\"]\nenv_file = \"r_env\"\n\
            [git]\nraw_url = \"https://example.com/{{{{ path }}}}\"\n"
    );
    Fleet::new()
        .fleet(&vault)
        .node(
            "n1",
            &format!("{NODE}roles = [\"r\"]\nenv.PUBLIC = \"v4lue\"\nsecrets.TOKEN = \"{SECRET}\"\n\
                vars = {{ word = \"v4lue\", list = [\"v4lue\"], table = {{ inner = \"v4lue\" }} }}\n"),
        )
        .butane("base.bu", &format!("{text}\n"))
}

#[test]
fn an_undefined_variable_is_told_with_line_column_and_nearest_name() {
    assert_data_eq!(
        with("# {{ vars.wrod }}").refuses().stderr,
        str![[r"
error: `vars.wrod` is undefined
 --> templates/base.bu:3:6
  |
3 | # {{ vars.wrod }}
  |      ^^^^^^^^^
  |
  = note: for n1
  = help: a similar name exists: `word`

error: 1 mistake; nothing was written

"]]
    );
}

#[test]
fn each_part_of_a_name_is_looked_for() {
    for (expression, message, help) in [
        ("vras.word", "`vras` is undefined", "exists: `vars`"),
        (
            "vars.table.iner",
            "`vars.table.iner` is undefined",
            "exists: `inner`",
        ),
        (
            "vars.tabel.inner",
            "`vars.tabel` is undefined",
            "exists: `table`",
        ),
        (
            "vars.zebra",
            "`vars.zebra` is undefined",
            "set `zebra` under `[vars]`",
        ),
        (
            "env.PUBLICK",
            "`env.PUBLICK` is undefined",
            "exists: `PUBLIC`",
        ),
        ("env.ZEBRA", "`env.ZEBRA` is undefined", "under `[env]`"),
        (
            "artifacts.k3s.url",
            "`artifacts.k3s` is undefined",
            "add `[artifacts.k3s]`",
        ),
        ("node.nmae", "`node.nmae` is undefined", "exists: `name`"),
        (
            "os.distribution",
            "`os.distribution` is undefined",
            "what there is: ",
        ),
        (
            "fleet.domain",
            "`fleet.domain` is undefined",
            "what there is: ",
        ),
        (
            "vault.recipients",
            "`vault.recipients` is undefined",
            "what there is: ",
        ),
    ] {
        let run = with(&format!("# {{{{ {expression} }}}}"))
            .refuses()
            .hides("v4lue");
        run.says(&[message, "templates/base.bu:3:6", help])
            .mistakes(1);
    }
}

#[test]
fn a_part_of_a_local_name_is_not_looked_for_outside() {
    for text in [
        "{% for peer in nodes %}\n# {{ peer.nmae }}\n{% endfor %}",
        "{% set peer = node %}\n# {{ peer.nmae }}",
    ] {
        with(text)
            .refuses()
            .says(&["undefined", "templates/base.bu:4:6", "help: "])
            .hides("`peer` is undefined")
            .mistakes(1);
    }
}

#[test]
fn the_value_of_a_secret_can_not_be_asked_for() {
    for expression in [
        "secrets.TOKEN",
        "secrets[\"TOKEN\"]",
        "secrets.TOKEN | upper",
        "secrets.TOKEN ~ \"x\"",
        "secrets.TOKEN | default(\"x\")",
        "secrets | attr(\"TOKEN\")",
        "\"%s\" | format(secrets.TOKEN)",
        "[secrets.TOKEN] | tojson",
    ] {
        let run = with(&format!("# {{{{ {expression} }}}}"))
            .refuses()
            .hides(&SECRET[4..20]);
        run.says(&[
            "the value of the secret `TOKEN` can't be asked for",
            "templates/base.bu:3:",
            "from `/secrets`",
        ])
        .mistakes(1);
    }
}

#[test]
fn a_secret_that_is_not_there_is_undefined() {
    with("# {{ secrets.TOKNE }}").refuses().says(&[
        "`secrets.TOKNE` is undefined",
        "templates/base.bu:3:6",
        "help: ",
    ]);
}

#[test]
fn the_names_of_secrets_are_a_set() {
    let fleet = with("").printing(
        "\"{{ 'TOKEN' in secrets }} {{ 'OTHER' in secrets }} {{ secrets | join(',') }}\"",
    );
    assert_eq!(fleet.printed(), "true false TOKEN");
}

#[test]
fn what_has_no_obvious_form_is_not_printed() {
    for (expression, message) in [
        ("vars.list", "a list can't be printed"),
        ("vars.table", "a table can't be printed"),
        ("vars", "a table can't be printed"),
        ("secrets", "can't be printed"),
        ("none", "`none` can't be printed"),
        ("nodes", "a list can't be printed"),
    ] {
        let run = with(&format!("# {{{{ {expression} }}}}"))
            .refuses()
            .hides("v4lue");
        run.says(&[message, "templates/base.bu:3:", "| tojson"])
            .mistakes(1);
    }
}

#[test]
fn what_the_language_has_not_is_told_without_values() {
    for (text, message) in [
        ("{{ vars.word | uper }}", "uper"),
        ("{{ shout(vars.word) }}", "shout"),
        ("{{ vars.word is loud }}", "loud"),
        ("{{ vars.word.shout() }}", "shout"),
        ("{{ vars.word | round }}", "operation"),
        ("{{ vars.word + 1 }}", "operation"),
        ("{{ vars.word | int }}", "operation"),
        ("{{ 1 // 0 }}", ""),
        ("{{ vars.word | sha256(1) }}", ""),
        ("{{ vars.word | quote_systemd(comand=true) }}", "comand"),
        ("{{ range(vars.word) }}", ""),
        ("{{ vars.word | fromjson }}", ""),
        ("{{ vars.list[vars.word] }}", "undefined"),
        ("{{ raise(vars.word) }}", ""),
    ] {
        let run = with(&format!("# {text}")).refuses().hides("v4lue");
        run.says(&[message])
            .says(&["templates/base.bu:3:", "help: "])
            .mistakes(1);
    }
}

#[test]
fn a_broken_template_is_told_with_its_place() {
    for (text, line) in [
        ("{{ vars.word }", 3),
        ("{{ vars. }}", 3),
        ("{% if vars.word %}\n# never closed", 4),
        ("{% endif %}", 3),
        ("{% for x vars.list %}{% endfor %}", 3),
        ("# fine\n{% fi %}", 4),
        ("{# never closed", 3),
        ("{{ \"open }}", 3),
        ("{{ 1..2 }}", 3),
    ] {
        let run = with(text).refuses().hides("v4lue");
        run.says(&["error: ", &format!("templates/base.bu:{line}:"), "help: "])
            .mistakes(1);
    }
}

#[test]
fn an_endless_template_ends() {
    for text in [
        "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% include \"base.bu\" %}",
        "{{ \"x\" * 9999999999 }}",
        "{{ range(9999999999) | list | length }}",
    ] {
        with(text)
            .refuses()
            .says(&["templates/base.bu:3:", "help: "])
            .mistakes(1);
    }
}

#[test]
fn including_what_is_not_there_is_told() {
    for text in [
        "{% include \"header.inc\" %}",
        "{% import \"header.inc\" as h %}",
        "{% extends \"header.inc\" %}",
    ] {
        with(text)
            .refuses()
            .says(&["no such template", "templates/base.bu:3:", "by their names"])
            .mistakes(1);
    }
    with("{% include \"../fleet.toml\" %}")
        .refuses()
        .says(&["no such template"]);
}

#[test]
fn a_mistake_in_an_included_file_is_told_there() {
    let fleet = with("{% include \"inc\" %}").file("templates/inc", "# one\n# {{ vars.wrod }}\n");
    fleet
        .refuses()
        .says(&[
            "`vars.wrod` is undefined",
            "templates/inc:2:6",
            "exists: `word`",
        ])
        .mistakes(1);
}

#[test]
fn mistakes_of_several_files_are_told_in_one_run() {
    let fleet = with("# {{ vars.one }}")
        .node(
            "n1",
            "templates = [\"base.bu\", \"two.bu\", \"three.bu\"]\nhostnmae = \"x\"\n",
        )
        .butane("two.bu", "# {{ vars.two }}\n")
        .butane("three.bu", "storage:\n  fils: []\n")
        .file("templates/boot.ipxe", "#!ipxe\n# {{ vars.boot }}\n");
    fleet
        .refuses()
        .says(&[
            "unknown key `hostnmae`",
            "`vars.one` is undefined",
            "`vars.two` is undefined",
        ])
        .says(&["fils"])
        .says(&["`vars.boot` is undefined", "templates/boot.ipxe:2:"]);
}

#[test]
fn one_mistake_in_a_template_of_many_nodes_is_told_once() {
    let mut fleet = with("# {{ vars.zebra }}");
    for node in 2..=6 {
        fleet = fleet.node(&format!("n{node}"), NODE);
    }
    fleet
        .refuses()
        .says(&[
            "`vars.zebra` is undefined",
            "for n1, and on 5 more: n2, n3, n4, …",
        ])
        .mistakes(1);
}

#[test]
fn templates_see_what_design_says() {
    let fleet = with("")
        .node("n2", "hostname = \"n2.example.com\"\ntags = [\"t\"]\n[network]\ninterface = \"e\"\naddress = \"10.0.0.2/24\"\n")
        .printing(
            "\"{{ node.name }} {{ nodes | map(attribute='hostname') | join(',') }} {{ fleet.name }} {{ os.distro }} \
             {{ os.version }} {{ os.arch }} {{ env.PUBLIC }} {{ vault.mount }} {{ vault.partuuid | length }}\"",
        );
    assert_eq!(
        fleet.printed(),
        "n1 n1,n2.example.com test flatcar 4593.2.5 amd64 v4lue /secrets 36"
    );
}

#[test]
fn filters_do_what_they_are_named_for() {
    for (expression, expected) in [
        ("'a b' | urlencode", "a%20b"),
        ("'ab' | b64encode", "YWI="),
        (
            "'' | sha256",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        ("('' | sha512)[:8]", "cf83e135"),
        ("vars.list | tojson", "[\"v4lue\"]"),
        ("1 + 1", "2"),
    ] {
        let fleet = with("").printing(&format!(
            "{{{{ ({expression}) | tojson if ({expression}) is string else ({expression}) }}}}"
        ));
        assert_eq!(fleet.printed(), expected);
    }
}

#[test]
fn check_reads_templates_that_no_node_uses() {
    let fleet = with("").butane("unused.bu", "{% if %}\n");
    fleet
        .run(&["check"])
        .code(1)
        .says(&["templates/unused.bu:3:"])
        .mistakes(1);
}
