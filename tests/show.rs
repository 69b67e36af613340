//! `show`: one node at every stage of the way.

use serde_json::Value;

use crate::fleet::{Fleet, SECRET};
use crate::repository::{KNOWN_URL, THREE_LINES};

const STAGES: [&str; 6] = ["profile", "butane", "ignition", "ipxe", "cmdline", "url"];

fn simple() -> Fleet {
    Fleet::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES)
}

#[track_caller]
fn shows(fleet: &Fleet, stage: &str) -> String {
    let run = fleet.run(&["show", "n1", "--stage", stage]).code(0);
    assert_eq!(run.stderr, "");
    run.stdout
}

#[test]
fn every_stage_shows_what_is_rendered() {
    let fleet = simple();
    fleet.renders();
    assert_eq!(shows(&fleet, "ipxe"), fleet.read("ipxe/n1.ipxe"));
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(
        json(&shows(&fleet, "ignition")),
        json(&fleet.read("ignition/n1.ign"))
    );
    let cmdline = shows(&fleet, "cmdline");
    assert_eq!(cmdline.lines().count(), 1);
    let url = "https://raw.githubusercontent.com/acme/fleet/main/ignition/n1.ign";
    assert!(
        cmdline.contains(&format!(" ignition.config.url={url} ")),
        "{cmdline}"
    );
    assert!(cmdline.contains(" ephemeros.config="), "{cmdline}");
    assert!(cmdline.contains("initrd="), "{cmdline}");
    assert!(!cmdline.contains("${"), "{cmdline}");
    assert_eq!(shows(&fleet, "url"), format!("{url}\n"));
}

#[test]
fn a_show_writes_nothing_and_needs_nothing_rendered() {
    let fleet = simple();
    let before = fleet.files();
    for stage in STAGES {
        shows(&fleet, stage);
    }
    assert_eq!(before, fleet.files());
}

#[test]
fn json_holds_the_same_text() {
    let fleet = simple();
    for stage in STAGES {
        let run = fleet
            .run(&["show", "n1", "--stage", stage, "--json"])
            .code(0);
        let told: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(told["format"], 1);
        assert_eq!(told["node"], "n1");
        assert_eq!(told["stage"], stage);
        assert_eq!(told["text"], shows(&fleet, stage));
    }
}

#[test]
fn the_butane_stage_numbers_lines_as_mistakes_do() {
    // A loop, so that the rendered line is not the template's own.
    let looped = "storage:\n  files:\n{% for n in vars.names %}\n    - path: /etc/{{ n }}\n      mode: 0600\n{% endfor %}\n";
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .node(
            "n1",
            "templates = [\"base.bu\"]\n[vars]\nnames = [\"a\", \"b\", \"c\", \"d\"]\n",
        )
        .butane("base.bu", looped);
    let shown = shows(&fleet, "butane");
    assert!(shown.starts_with("templates/base.bu\n"), "{shown}");
    let wrong = looped.replace("/etc/{{ n }}", "{{ 'etc' if n == 'c' else '/etc/' ~ n }}");
    let fleet = fleet.butane("base.bu", &wrong);
    let run = fleet.run(&["render"]).code(1);
    let place = run
        .stderr
        .split("templates/base.bu, rendered for n1, line ")
        .nth(1)
        .unwrap_or_else(|| panic!("{}", run.stderr));
    let number = place.split(',').next().unwrap();
    let line = shown
        .lines()
        .find(|line| line.trim_start().starts_with(&format!("{number} | ")))
        .unwrap();
    assert!(line.ends_with("- path: /etc/c"), "{line}\n{}", run.stderr);
    // And the mistake shows that very line, numbered so.
    let own = line.replace("/etc/c", "etc");
    assert!(
        run.stderr.contains(own.trim_start()),
        "{own}\n{}",
        run.stderr
    );
}

#[test]
fn the_butane_stage_shows_every_template_in_the_order_of_merging() {
    let fleet = simple()
        .fleet(&format!("{KNOWN_URL}[defaults]\ntemplates = [\"z.bu\"]\n"))
        .butane("z.bu", "");
    assert_eq!(
        shows(&fleet, "butane"),
        "templates/z.bu\n1 | variant: flatcar\n2 | version: 1.0.0\n\n\
         templates/base.bu\n 1 | variant: flatcar\n 2 | version: 1.0.0\n 3 | storage:\n 4 |   files:\n \
         5 |     - path: /etc/a\n 6 |       contents:\n 7 |         inline: |\n 8 |           one\n \
         9 |           two\n10 |           three\n\n"
    );
}

#[test]
fn the_profile_names_file_and_line_of_every_value() {
    let fleet = Fleet::new()
        .fleet(&format!(
            "{KNOWN_URL}\
             [vault]\nrecipients = [\"{}\"]\n\
             [defaults]\ntemplates = [\"base.bu\"]\ntags = [\"all\"]\n\
             [defaults.vars]\na = 1\nb = \"fleet\"\n\
             [roles.web]\ntags = [\"web\"]\nvariables = [\"PORT\", \"TOKEN\"]\nenv_file = \"web_env\"\n\
             [roles.web.vars]\nb = \"role\"\n\
             [roles.web.env]\nPORT = \"80\"\n",
            crate::fleet::RECIPIENT
        ))
        .node(
            "n1",
            &format!(
                "roles = [\"web\"]\nhostname = \"first\"\ntags = [\"own\"]\n[vars]\nc = true\n[secrets]\nTOKEN = \"{SECRET}\"\n"
            ),
        )
        .butane("base.bu", "# mounts {{ vault.partuuid }}\n");
    let text = fleet.read("fleet.toml");
    let at = |line: &str| {
        let found = text.lines().position(|there| there == line).unwrap();
        format!("fleet.toml:{}", found + 1)
    };
    let shown = shows(&fleet, "profile");
    let origin = |value: &str| {
        let line = shown
            .lines()
            .find(|line| line.split("  # ").next().unwrap().trim_end() == value)
            .unwrap_or_else(|| panic!("no `{value}` in\n{shown}"));
        line.split("  # ").nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(origin("vars.a = 1"), at("a = 1"));
    assert_eq!(origin("vars.b = \"role\""), at("b = \"role\""));
    assert_eq!(origin("vars.c = true"), "nodes/n1.toml:5");
    assert_eq!(origin("env.PORT = \"80\""), at("PORT = \"80\""));
    assert_eq!(origin("tags += \"all\""), at("tags = [\"all\"]"));
    assert_eq!(origin("tags += \"web\""), at("tags = [\"web\"]"));
    assert_eq!(origin("tags += \"own\""), "nodes/n1.toml:3");
    assert_eq!(origin("hostname = \"first\""), "nodes/n1.toml:2");
    assert!(!shown.contains("\"fleet\""), "{shown}");
    // Of a secret its version is enough.
    let value = "secrets.TOKEN = \"age:7b6369a9:19f0ed8e56733723…\"";
    assert_eq!(origin(value), "nodes/n1.toml:7");
    assert!(shown.contains("# roles in force: web\n"), "{shown}");
}

#[test]
fn a_node_that_is_not_there_is_told_with_the_nearest() {
    let fleet = simple().node("edge-1", "").node("edge-2", "");
    let run = fleet.run(&["show", "edge-l"]).code(1);
    let run = run.says(&["error: no node fits `edge-l`; did you mean `edge-1`?"]);
    assert_eq!(run.stdout, "");
    fleet
        .run(&["show", "edge-*"])
        .code(64)
        .says(&["error: `edge-*` fits 2 nodes\n", "name one\n"]);
    fleet.run(&["show", "*-2"]).code(0);
}

#[test]
fn a_mistake_in_the_node_is_told_instead() {
    let fleet = simple().node("n1", "tmplates = []\n");
    let run = fleet.run(&["show", "n1"]).code(1);
    run.says(&[
        "error: unknown key `tmplates`",
        "nodes/n1.toml:1:1",
        "`templates`",
    ]);
}

#[test]
fn an_unknown_stage_is_wrong_usage_with_the_known_ones() {
    let run = simple().run(&["show", "n1", "--stage", "urll"]).code(64);
    run.says(&["urll", "url"]);
}
