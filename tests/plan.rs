//! `plan`: what it compares with, what it shows of a change, and what it says beside.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use crate::fleet::{Fleet, RECIPIENT, SECRET};
use crate::repository::{KNOWN_URL, THREE_LINES};

const NO_CHANGES: &str = "No changes: it is all there already.\n";

/// The `name` of a plan's base: the first line, without the commit.
fn base(plan: &str) -> &str {
    let line = plan.lines().next().unwrap();
    let name = line.strip_prefix("Compared with ").unwrap();
    name.split(" (").next().unwrap()
}

fn json(fleet: &Fleet, args: &[&str]) -> Value {
    let text = fleet.plans(&[&["--json"], args].concat());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

/// A fleet whose one node fetches this config now, and that has these storage files to come to.
fn fetching(config: &str, butane: &str) -> Fleet {
    let fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", butane);
    fleet.renders();
    fleet.file("ignition/n1.ign", config).git()
}

#[test]
fn without_git_everything_is_new() {
    let fleet = Fleet::new().fleet(KNOWN_URL);
    let plan = fleet.plans(&[]);
    assert_eq!(base(&plan), "nothing: there is no git repository.");
    assert!(plan.contains("+ node n1\n"), "{plan}");
    assert!(plan.ends_with("Plan: 1 to flash for the first time.\n"));
}

#[test]
fn before_the_first_commit_everything_is_new() {
    let fleet = Fleet::new().fleet(KNOWN_URL);
    fleet.git_says(&["init", "--quiet"]);
    let plan = fleet.plans(&[]);
    assert_eq!(base(&plan), "nothing: there is no commit yet.");
    assert!(plan.ends_with("Plan: 1 to flash for the first time.\n"));
}

#[test]
fn without_a_remote_the_base_is_head() {
    let fleet = Fleet::committed();
    let plan = fleet.plans(&[]);
    let head = fleet.git_says(&["rev-parse", "--short=7", "HEAD"]);
    assert_eq!(
        plan,
        format!("Compared with HEAD ({head}).\n\n{NO_CHANGES}Plan: 1 unchanged.\n")
    );
}

#[test]
fn with_a_remote_the_base_is_what_was_pushed() {
    let fleet = Fleet::committed().published();
    fleet.replace("templates/base.bu", "two", "zwei");
    fleet.renders();
    fleet.commit();
    let plan = fleet.plans(&[]);
    assert_eq!(base(&plan), "origin/main");
    assert!(plan.contains("\n    -two\n    +zwei\n"), "{plan}");
    fleet.git_says(&["push", "--quiet"]);
    let plan = fleet.plans(&[]);
    assert_eq!(base(&plan), "origin/main");
    assert!(plan.contains(NO_CHANGES), "{plan}");
}

#[test]
fn the_base_is_the_branch_that_nodes_fetch_from() {
    let fleet = Fleet::committed().published();
    fleet.git_says(&["push", "--quiet", "origin", "main:live", "main:side/way"]);
    fleet.replace("templates/base.bu", "two", "zwei");
    fleet.renders();
    fleet.commit();
    fleet.git_says(&["push", "--quiet"]);
    assert_eq!(base(&fleet.plans(&[])), "origin/main");
    for branch in ["live", "side/way"] {
        let fleet_toml = format!("{KNOWN_URL}publish = \"{branch}\"\n");
        let published = fleet.cloned().fleet(&fleet_toml);
        // A clone of the clone knows only what its own remote has.
        published.git_says(&[
            "remote",
            "set-url",
            "origin",
            fleet.origin().to_str().unwrap(),
        ]);
        published.git_says(&["fetch", "--quiet", "origin"]);
        let plan = published.plans(&[]);
        assert_eq!(base(&plan), format!("origin/{branch}"));
        assert!(plan.contains("-two\n    +zwei\n"), "{plan}");
    }
}

#[test]
fn the_base_is_the_remote_that_the_fleet_names() {
    let fleet = Fleet::committed().published();
    fleet.git_says(&["remote", "rename", "origin", "forge"]);
    let fleet = fleet.remote("origin", "https://github.com/me/fork");
    assert_eq!(base(&fleet.plans(&[])), "HEAD");
    let named = KNOWN_URL.replace("[git]\n", "[git]\nremote = \"forge\"\n");
    assert_eq!(base(&fleet.fleet(&named).plans(&[])), "forge/main");
}

#[test]
fn a_remote_that_was_never_pushed_to_is_said_so() {
    let fleet = Fleet::committed().remote("origin", "git@github.com:acme/fleet");
    let run = fleet.run(&["plan"]).code(0);
    let base = run.stdout.lines().next().unwrap();
    assert!(base.contains("origin/main is not known here"), "{base}");
    run.says(&["note: 2 files are committed and not pushed: run `git push`"]);
}

#[test]
fn a_detached_head_does_not_change_the_base() {
    let fleet = Fleet::committed().published();
    fleet.git_says(&["checkout", "--quiet", "--detach"]);
    assert_eq!(base(&fleet.plans(&[])), "origin/main");
}

#[test]
fn against_names_another_revision() {
    let fleet = Fleet::committed().published();
    fleet.git_says(&["tag", "first"]);
    fleet.replace("templates/base.bu", "two", "zwei");
    fleet.renders();
    fleet.commit();
    fleet.git_says(&["push", "--quiet"]);
    let first = fleet.git_says(&["rev-parse", "first"]);
    for revision in ["first", "HEAD~1", "main^", &first, &first[..8]] {
        let plan = fleet.plans(&["--against", revision]);
        assert_eq!(base(&plan), revision);
        assert!(plan.contains("\n    -two\n    +zwei\n"), "{plan}");
    }
    let plan = fleet.plans(&["--against", "HEAD"]);
    assert!(plan.contains(NO_CHANGES), "{plan}");
}

#[test]
fn against_an_older_revision_does_not_make_pushed_files_unpushed() {
    let fleet = Fleet::committed().published();
    fleet.replace("templates/base.bu", "two", "zwei");
    fleet.renders();
    fleet.commit();
    fleet.git_says(&["push", "--quiet"]);
    fleet
        .run(&["plan", "--against", "HEAD~1"])
        .code(0)
        .hides("not pushed");
}

#[test]
fn against_an_unknown_revision_is_refused_with_what_to_do() {
    let fleet = Fleet::committed();
    fleet.git_says(&["tag", "release-7"]);
    let run = fleet.run(&["plan", "--against", "release-8"]).code(1);
    let run = run.says(&[
        "error: unknown revision `release-8`\n",
        "  a similar name exists: `release-7`\n",
    ]);
    assert_eq!(run.stdout, "");
    fleet
        .run(&["plan", "--against", "0123456789"])
        .code(1)
        .says(&["error: unknown revision `0123456789`\n", "git fetch"]);
    for revision in [
        "HEAD:fleet.toml",
        "HEAD:nodes",
        "",
        "HEAD..HEAD",
        "-x",
        "@{u}",
    ] {
        let args = format!("--against={revision}");
        let run = fleet.run(&["plan", &args]).code(1);
        let run = run.says(&["error: "]).hides("panicked");
        assert!(run.stderr.lines().count() > 1, "no help: {}", run.stderr);
    }
}

#[test]
fn against_needs_a_repository() {
    let fleet = Fleet::new().fleet(KNOWN_URL);
    let run = fleet.run(&["plan", "--against", "v1"]).code(1);
    run.says(&["error: ", "git"]);
}

#[test]
fn a_changed_line_of_a_template_is_shown_once_with_the_nodes_that_have_it_and_nothing_else() {
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .butane("base.bu", THREE_LINES)
        .butane("other.bu", &THREE_LINES.replace("/etc/a", "/etc/b"))
        .node("n2", "templates = [\"base.bu\", \"other.bu\"]\n")
        .node("n3", "templates = [\"base.bu\"]\nhostname = \"third\"\n")
        .node("n4", "templates = [\"other.bu\"]\n");
    fleet.renders();
    let fleet = fleet.git();
    fleet.replace("templates/base.bu", "two", "zwei");
    let plan = fleet.plans(&[]);
    let (first, rest) = plan.split_once('\n').unwrap();
    assert!(first.starts_with("Compared with HEAD ("), "{first}");
    assert_data_eq!(
        rest,
        str![[r"

~ file /etc/a  on n1, n2, n3
    @@ -1,3 +1,3 @@
     one
    -two
    +zwei
     three

n1, n2, n3: after a push, a reboot applies it
Plan: 3 to reboot, 1 unchanged.

"]]
    );
}

#[test]
fn equal_changes_of_many_nodes_name_a_few_and_count_the_rest() {
    let mut fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES);
    for number in 2..=20 {
        fleet = fleet.node(&format!("n{number}"), "templates = [\"base.bu\"]\n");
    }
    fleet.renders();
    let fleet = fleet.git();
    fleet.replace("templates/base.bu", "two", "zwei");
    let plan = fleet.plans(&[]);
    assert_eq!(plan.matches("-two").count(), 1, "{plan}");
    assert!(
        plan.contains("~ file /etc/a  on n1, n10, n11, n12, n13, n14, n15, n16 and 12 more\n"),
        "{plan}"
    );
    let plan = fleet.plans(&["-v"]);
    assert!(
        plan.contains(", n16, n17, n18, n19, n2, n20, n3, n4, n5, n6, n7, n8, n9\n"),
        "{plan}"
    );
}

#[test]
fn every_kind_of_thing_is_named_as_a_person_knows_it() {
    let before = "
passwd:
  users:
    - name: core
      groups: [docker, wheel]
      ssh_authorized_keys: [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH7R74GRQtVDWNUPY406oYXwQJUagVco5aWUWdZbbOm0 a\"]
storage:
  files:
    - path: /etc/mode
      mode: 0600
      contents: {inline: same}
    - path: /etc/text
      contents: {inline: \"a\\nb\\n\"}
    - path: /etc/binary
      contents: {source: \"data:;base64,AAH/\"}
    - path: /etc/gone
      contents: {inline: gone}
    - path: /etc/fetched
      contents: {source: \"https://example.com/1\"}
  directories:
    - path: /etc/folder
      mode: 0700
  links:
    - path: /etc/link
      target: /etc/text
systemd:
  units:
    - name: a.service
      enabled: true
      contents: \"[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n\"
    - name: b.service
      dropins:
        - name: 10-x.conf
          contents: \"[Service]\\nNice=1\\n\"
    - name: c.service
      mask: false
";
    let after = before
        .replace("docker, wheel", "docker, sudo")
        .replace("0600", "0644")
        .replace("a\\nb", "a\\nB")
        .replace("AAH/", "AAL/")
        .replace("0700", "0755")
        .replace("target: /etc/text", "target: /etc/mode")
        .replace("bin/true", "bin/false")
        .replace("Nice=1", "Nice=2")
        .replace("mask: false", "mask: true")
        .replace("com/1", "com/2")
        .replace(
            "    - path: /etc/gone\n      contents: {inline: gone}\n",
            "    - path: /etc/new\n      contents: {inline: new}\n",
        );
    let fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", before);
    fleet.renders();
    let fleet = fleet.git().butane("base.bu", &after);
    let plan = fleet.plans(&[]);
    for text in [
        "\n~ user core  on n1\n",
        "\n~ file /etc/mode  on n1\n    mode: 0600 -> 0644\n\n",
        "\n~ file /etc/text  on n1\n    @@ -1,2 +1,2 @@\n     a\n    -b\n    +B\n",
        "\n~ file /etc/binary  on n1\n    binary: 3 bytes -> 3 bytes",
        "\n- file /etc/gone  on n1\n",
        "\n+ file /etc/new  on n1\n",
        "\n    contents.source: https://example.com/1 -> https://example.com/2\n",
        "\n~ directory /etc/folder  on n1\n    mode: 0700 -> 0755\n",
        "\n~ link /etc/link  on n1\n    target: /etc/text -> /etc/mode\n",
        "\n~ unit a.service  on n1\n    @@ -1,4 +1,4 @@\n     [Service]\n    -ExecStart=/bin/true\n    +ExecStart=/bin/false\n",
        "\n~ drop-in 10-x.conf of b.service  on n1\n    @@ -1,2 +1,2 @@\n     [Service]\n    -Nice=1\n    +Nice=2\n",
        "\n~ unit c.service  on n1\n    mask: false -> true\n",
    ] {
        assert!(plan.contains(text), "{text}\n\n{plan}");
    }
    assert!(!plan.contains("data:"), "{plan}");
    assert!(!plan.contains("boot script"), "{plan}");
}

#[test]
fn a_changed_list_is_shown_item_by_item() {
    let user =
        |groups: &str| format!("passwd:\n  users:\n    - name: core\n      groups: [{groups}]\n");
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .butane("base.bu", &user("docker, wheel"));
    fleet.renders();
    let fleet = fleet.git().butane("base.bu", &user("docker, sudo"));
    let plan = fleet.plans(&[]);
    // Each line of a plan belongs to what stands above it.
    let after = plan.split("~ user core").nth(1).unwrap();
    let block = after.split("\n\n").next().unwrap();
    assert!(block.contains("wheel") && block.contains("sudo"), "{plan}");
    for line in block.lines().skip(1) {
        assert!(line.starts_with("    "), "`{line}` in\n{plan}");
    }
}

#[test]
fn base64_and_gzip_are_shown_as_the_text_that_they_hold() {
    let old = format!(
        r#"{{"ignition":{{"version":"3.3.0"}},"storage":{{"files":[{{"path":"/etc/a","contents":{{"compression":"gzip","source":"data:;base64,{}"}}}}]}}}}"#,
        base64(&gzip("one\n2\nthree\n"))
    );
    let plan = fetching(&old, THREE_LINES).plans(&[]);
    assert!(
        plan.contains(
            "~ file /etc/a  on n1\n    @@ -1,3 +1,3 @@\n     one\n    -2\n    +two\n     three\n\n"
        ),
        "{plan}"
    );
}

#[test]
fn equal_contents_in_another_encoding_are_no_new_contents() {
    for source in [
        format!("data:;base64,{}", base64(b"one\ntwo\nthree\n")),
        "data:text/plain;charset=utf-8,one%0atwo%0athree%0a".to_owned(),
    ] {
        let old = format!(
            r#"{{"ignition":{{"version":"3.3.0"}},"storage":{{"files":[{{"path":"/etc/a","contents":{{"source":"{source}"}}}}]}}}}"#
        );
        let plan = fetching(&old, THREE_LINES).plans(&[]);
        assert!(!plan.contains("file /etc/a"), "{plan}");
        assert!(!plan.contains("data:"), "{plan}");
        assert!(plan.contains("Plan: 1 to reboot."), "{plan}");
    }
}

#[test]
fn a_script_that_names_another_config_is_shown_as_it_is() {
    // As after a commit of `ignition/` without `ipxe/`.
    let fleet = Fleet::committed();
    let old = fleet.read("ipxe/n1.ipxe");
    fleet.replace("templates/base.bu", "two", "zwei");
    fleet.renders();
    let new = fleet.read("ipxe/n1.ipxe");
    fleet.git_says(&["add", "ignition", "templates"]);
    fleet.git_says(&["commit", "--quiet", "--message=half"]);
    let plan = fleet.plans(&[]);
    let digest = |script: &str| {
        let after = script.split("ephemeros.config=").nth(1).unwrap();
        after[..12].to_owned()
    };
    for text in [
        format!("-ephemeros.config={}", digest(&old)),
        format!("+ephemeros.config={}", digest(&new)),
    ] {
        assert!(plan.contains(&text), "{text}\n\n{plan}");
    }
}

#[test]
fn a_changed_boot_script_is_shown_and_its_digest_alone_is_not() {
    let fleet = Fleet::committed();
    fleet.write(
        "fleet.toml",
        fleet.read("fleet.toml") + "[os]\nkernel_args = [\"quiet\"]\n",
    );
    let plan = fleet.plans(&[]);
    assert!(plan.contains("~ kernel command line  on n1\n"), "{plan}");
    assert!(plan.contains("\n    +quiet\n"), "{plan}");
    assert!(!plan.contains("boot script"), "{plan}");
    assert!(!plan.contains("file /etc/a"), "{plan}");
    fleet.renders();
    fleet.commit();
    fleet.replace("templates/base.bu", "two", "zwei");
    let plan = fleet.plans(&[]);
    assert!(plan.contains("file /etc/a"), "{plan}");
    assert!(!plan.contains("boot script"), "{plan}");
}

#[test]
fn a_new_node_and_a_removed_one_are_named() {
    let fleet = Fleet::committed()
        .node("n2", "templates = [\"base.bu\"]\n")
        .without("nodes/n1.toml");
    let plan = fleet.plans(&[]);
    assert!(plan.contains("\n+ node n2\n"), "{plan}");
    assert!(
        plan.contains("\nn1: a machine that still runs it fails at its next boot\n"),
        "{plan}"
    );
    let summary = "Plan: 1 to flash for the first time, 1 removed.\n";
    assert!(plan.ends_with(summary), "{plan}");
    let plan = json(&fleet, &[]);
    let cost = |at: usize| plan["nodes"][at]["cost"].clone();
    assert_eq!((cost(0), cost(1)), (json!("removed"), json!("first-flash")));
    // Who asks for some nodes hears nothing of others.
    let plan = fleet.plans(&["n2"]);
    assert!(!plan.contains("n1"), "{plan}");
}

#[test]
fn files_that_are_no_node_s_are_no_removed_nodes() {
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .file("ignition/README.md", "by hand\n")
        .file("ignition/Not_A_Node.ign", "{}")
        .file("ignition/old/n7.ign", "{}")
        .file("ignition/.hidden.ign", "{}");
    fleet.renders();
    let plan = fleet.git().plans(&[]);
    assert!(
        plan.ends_with(&format!("{NO_CHANGES}Plan: 1 unchanged.\n")),
        "{plan}"
    );
}

#[test]
fn a_base_that_holds_nonsense_is_compared_all_the_same() {
    let config = |source: &str| {
        format!(
            r#"{{"ignition":{{"version":"3.3.0"}},"storage":{{"files":[{{"path":"/etc/a","contents":{{"compression":"gzip","source":"{source}"}}}}]}}}}"#
        )
        .into_bytes()
    };
    let deep = "[".repeat(200_000).into_bytes();
    let cases: Vec<Vec<u8>> = vec![
        b"no JSON".to_vec(),
        Vec::new(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"{\"ignition\":{}}".to_vec(),
        b"{\"ignition\":{\"version\":\"99.0.0\"}}".to_vec(),
        b"\xff\xfe\x00\x80".to_vec(),
        b"{\"ignition\":{\"version\":\"3.3.0\"},\"storage\":{\"files\":[null,7,{}]}}".to_vec(),
        deep,
        config("data:;base64,%%%"),
        config("data:;base64,AAAA"),
        config("data:"),
        config("data:,%e2%28%ff"),
        config("data:,%"),
        config("data:,\u{e9}\u{1f600}%c3"),
        config(&format!("data:;base64,{}", &base64(&gzip("one\n"))[..8])),
    ];
    for old in cases {
        let name = String::from_utf8_lossy(&old[..old.len().min(200)]).into_owned();
        let fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES);
        fleet.renders();
        let fleet = fleet.file("ignition/n1.ign", &old).git();
        let run = fleet.run(&["plan"]);
        assert_eq!(run.code, Some(0), "{name}\n{}", run.stderr);
        assert!(
            run.stdout.contains("Plan: 1 to reboot."),
            "{name}\n{}",
            run.stdout
        );
        assert!(run.stdout.contains("n1"), "{name}");
        json(&fleet, &[]);
    }
}

#[test]
fn a_folder_or_a_link_where_a_file_was_is_no_panic() {
    let fleet = Fleet::committed()
        .without("ignition/n1.ign")
        .file("ignition/n1.ign/inside", "x")
        .without("ipxe/n1.ipxe")
        .link("ipxe/n1.ipxe", "/nowhere");
    fleet.commit();
    fleet
        .run(&["plan"])
        .code(0)
        .prints(&["on n1", "Plan: 1 to "]);
}

#[test]
fn what_stands_between_disk_and_nodes_is_said_on_standard_error() {
    let fleet = Fleet::committed().published();
    let notes = |fleet: &Fleet| {
        let stderr = fleet.run(&["plan"]).code(0).stderr;
        let said = json(fleet, &[])["notes"].clone();
        let of = |line: &str| line.strip_prefix("note: ").map(str::to_owned);
        let lines: Vec<String> = stderr.lines().filter_map(of).collect();
        assert_eq!(said, json!(lines));
        lines
    };
    assert!(notes(&fleet).is_empty());
    fleet.replace("templates/base.bu", "two", "zwei");
    assert_eq!(
        notes(&fleet),
        ["2 files are not rendered yet: run `ephemeros render`"]
    );
    fleet.renders();
    assert_eq!(
        notes(&fleet),
        ["2 files are rendered and not committed: run `git commit`"]
    );
    fleet.git_says(&["add", "ignition", "templates"]);
    fleet.git_says(&["commit", "--quiet", "--message=half"]);
    assert_eq!(
        notes(&fleet),
        [
            "1 file is rendered and not committed: run `git commit`",
            "1 file is committed and not pushed: run `git push`"
        ]
    );
    fleet.commit();
    assert_eq!(
        notes(&fleet),
        ["2 files are committed and not pushed: run `git push`"]
    );
    fleet.git_says(&["push", "--quiet"]);
    assert!(notes(&fleet).is_empty());
}

#[test]
fn a_removed_node_whose_files_are_left_is_not_rendered_yet() {
    let fleet = Fleet::committed()
        .node("n2", "templates = [\"base.bu\"]\n")
        .without("nodes/n1.toml");
    fleet.renders();
    fleet.commit();
    let fleet = fleet.node("n1", "templates = [\"base.bu\"]\n");
    fleet.renders();
    fleet.commit();
    let fleet = fleet.without("nodes/n2.toml");
    fleet
        .run(&["plan"])
        .code(0)
        .says(&["2 files are not rendered yet: run `ephemeros render`"]);
}

#[test]
fn json_holds_all_of_it_and_nothing_else_is_printed() {
    let fleet = Fleet::new().butane("base.bu", THREE_LINES).node("n2", "");
    fleet.renders();
    let fleet = fleet.git();
    fleet.replace("templates/base.bu", "two", "zwei");
    // The warning of a fleet without a remote goes elsewhere.
    let run = fleet.run(&["plan", "--json"]).code(0).says(&["warning: "]);
    let plan: Value = serde_json::from_str(&run.stdout).unwrap();
    let head = fleet.git_says(&["rev-parse", "--short=7", "HEAD"]);
    assert_eq!(plan["format"], 1);
    assert_eq!(plan["base"], format!("HEAD ({head})"));
    assert_eq!(plan["summary"], json!({ "nothing": 1, "reboot": 1 }));
    assert_eq!(plan["notes"].as_array().unwrap().len(), 1);
    let nodes = plan["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 2);
    assert_eq!(nodes[0]["node"], "n1");
    assert_eq!(nodes[0]["cost"], "reboot");
    assert_eq!(nodes[1]["cost"], "nothing");
    assert_eq!(
        nodes[0]["changes"],
        json!([{
            "subject": "file /etc/a",
            "kind": "changed",
            "attributes": [],
            "diff": "@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n three\n",
        }])
    );
}

#[test]
fn the_detailed_exit_code_is_2_with_changes_0_without_and_1_with_mistakes() {
    let fleet = Fleet::committed();
    let args = ["plan", "--detailed-exitcode"];
    fleet.run(&args).code(0);
    fleet.replace("templates/base.bu", "two", "zwei");
    fleet.run(&args).code(2);
    fleet
        .run(&["plan", "--detailed-exitcode", "--json"])
        .code(2);
    fleet.run(&["plan"]).code(0);
    fleet.replace("templates/base.bu", "storage", "storrage");
    fleet.run(&args).code(1);
    fleet
        .run(&["plan", "--detailed-exitcode", "--against", "no"])
        .code(1);
}

#[test]
fn more_changes_than_are_allowed_fail_once_the_plan_was_printed() {
    let node = "templates = [\"base.bu\"]\n";
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .butane("base.bu", THREE_LINES)
        .node("n2", node)
        .node("n3", "");
    fleet.renders();
    let fleet = fleet.git();
    fleet.run(&["plan", "--max-change", "0"]).code(0);
    // One changes, one comes, one goes, one stays.
    fleet.replace("nodes/n2.toml", node, "hostname = \"other\"\n");
    let fleet = fleet.node("n4", node).without("nodes/n3.toml");
    let plan = fleet.plans(&["--max-change", "3"]);
    let says = "error: 3 nodes would change, and `--max-change` allows 2\n  ";
    for form in [
        &[][..],
        &["--detailed-exitcode"],
        &["--markdown"],
        &["--json"],
    ] {
        let args = [&["plan", "--max-change", "2"], form].concat();
        let run = fleet.run(&args).code(1).says(&[says]);
        // It is the same plan, in each form.
        assert_eq!(run.stdout, fleet.run(&[&["plan"], form].concat()).stdout);
    }
    assert!(
        plan.ends_with(
            "Plan: 1 to reboot, 1 to flash for the first time, 1 removed, 1 unchanged.\n"
        )
    );
    let both = ["plan", "--max-change", "3", "--detailed-exitcode"];
    fleet.run(&both).code(2);
    fleet.run(&["plan", "--max-change", "0", "n1"]).code(0);
    for no_number in ["few", "-1"] {
        let run = fleet.run(&["plan", "--max-change", no_number]).code(64);
        run.says(&[&format!(
            "invalid value '{no_number}' for '--max-change <NODES>'"
        )]);
    }
}

#[test]
fn a_conflict_that_git_has_left_is_one_mistake() {
    let fleet = Fleet::new();
    let text = fleet.read("fleet.toml");
    let ours =
        "<<<<<<< HEAD\n[git]\nbranch = \"a\"\n=======\n[git]\nbranch = \"b\"\n>>>>>>> other\n";
    fleet.write("fleet.toml", format!("{text}{ours}"));
    let line = text.lines().count() + 1;
    fleet.run(&["plan"]).code(1).mistakes(1).helps().says(&[
        "error: git has left a conflict here\n",
        &format!("--> fleet.toml:{line}:1\n"),
    ]);
}

fn tagged() -> Fleet {
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .butane("base.bu", THREE_LINES)
        .without("nodes/n1.toml")
        .node("edge-1", "templates = [\"base.bu\"]\ntags = [\"north\"]\n")
        .node(
            "edge-2",
            "templates = [\"base.bu\"]\ntags = [\"south\", \"lab\"]\n",
        )
        .node("core-1", "templates = [\"base.bu\"]\ntags = [\"north\"]\n");
    fleet.renders();
    fleet.git()
}

#[test]
fn names_patterns_and_tags_choose_nodes() {
    let fleet = tagged();
    let chosen = |args: &[&str]| -> Vec<String> {
        let plan = json(&fleet, args);
        let nodes = plan["nodes"].as_array().unwrap().iter();
        nodes
            .map(|node| node["node"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(chosen(&[]), ["core-1", "edge-1", "edge-2"]);
    assert_eq!(chosen(&["edge-1"]), ["edge-1"]);
    assert_eq!(chosen(&["edge-*"]), ["edge-1", "edge-2"]);
    assert_eq!(chosen(&["*-1"]), ["core-1", "edge-1"]);
    assert_eq!(chosen(&["edge-?"]), ["edge-1", "edge-2"]);
    assert_eq!(chosen(&["--on", "@north"]), ["core-1", "edge-1"]);
    assert_eq!(
        chosen(&["--on", "@north,edge-2"]),
        ["core-1", "edge-1", "edge-2"]
    );
    assert_eq!(
        chosen(&["--on", "@l*", "--on", "core-1"]),
        ["core-1", "edge-2"]
    );
    assert_eq!(
        chosen(&["edge-1", "edge-1", "edge-*"]),
        ["edge-1", "edge-2"]
    );
}

#[test]
fn a_node_that_is_not_there_is_told_with_the_nearest() {
    let fleet = tagged();
    for (pattern, says) in [
        (
            "edge-3",
            "error: no node fits `edge-3`; did you mean `edge-",
        ),
        (
            "@nroth",
            "error: no node fits `@nroth`; did you mean `@north`?",
        ),
        ("zzz", "error: no node fits `zzz`; "),
        ("edge-1,nope-*", "error: no node fits `nope-*`; "),
        (
            "Edge-1",
            "error: no node fits `Edge-1`; did you mean `edge-1`?",
        ),
    ] {
        let run = fleet.run(&["plan", "--on", pattern]).code(1).says(&[says]);
        assert_eq!(run.stdout, "");
    }
    fleet
        .run(&["plan", "aaa", "bbb"])
        .code(1)
        .says(&["no node fits `aaa`", "no node fits `bbb`"]);
}

#[test]
fn quiet_leaves_the_result_alone() {
    let fleet = Fleet::new().butane("base.bu", THREE_LINES);
    let loud = fleet.run(&["plan"]).code(0).says(&["warning: ", "note: "]);
    assert!(!loud.stdout.contains("warning") && !loud.stdout.contains("note:"));
    let quiet = fleet.run(&["plan", "-q"]).code(0);
    assert_eq!(quiet.stdout, loud.stdout);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn a_mistake_leaves_no_plan_on_standard_output() {
    let fleet = Fleet::committed();
    fleet.replace("templates/base.bu", "storage", "storrage");
    for args in [&["plan"][..], &["plan", "-q"]] {
        let run = fleet.run(args).code(1).says(&["error: "]);
        assert_eq!(run.stdout, "");
    }
    // Who reads JSON reads the mistakes so, too.
    let run = fleet.run(&["plan", "--json"]).code(1);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told["format"], 1);
    assert_eq!(told["mistakes"][0]["message"], "unused key `storrage`");
    assert_eq!(told["mistakes"][0]["nodes"], json!(["n1"]));
    assert!(told.get("nodes").is_none(), "{told}");
}

#[test]
fn a_plan_writes_nothing() {
    let fleet = Fleet::committed();
    fleet.replace("templates/base.bu", "two", "zwei");
    let before = (fleet.files(), fleet.git_says(&["status", "--porcelain"]));
    fleet.plans(&[]);
    fleet.plans(&["--json"]);
    assert_eq!(
        before,
        (fleet.files(), fleet.git_says(&["status", "--porcelain"]))
    );
}

#[test]
fn a_fleet_in_a_subfolder_is_compared_with_that_folder() {
    let outer = Fleet::committed();
    outer.git_says(&["rm", "-r", "--quiet", "--cached", "."]);
    std::fs::create_dir_all(outer.root().join("sites/north")).unwrap();
    for part in [
        "fleet.toml",
        "fleet.lock",
        "nodes",
        "templates",
        "ignition",
        "ipxe",
    ] {
        let to = outer.root().join("sites/north").join(part);
        std::fs::rename(outer.root().join(part), to).unwrap();
    }
    outer.run(&["-C", "sites/north", "render"]).code(0);
    outer.commit();
    let plan = |args: &[&str]| outer.run(&[args, &["plan"]].concat()).code(0).stdout;
    let told = plan(&["-C", "sites/north"]);
    assert!(told.contains(NO_CHANGES), "{told}");
    assert_eq!(told, plan(&["-C", "sites/north/nodes"]));
    outer.replace("sites/north/templates/base.bu", "two", "zwei");
    let told = plan(&["-C", "sites/north"]);
    assert!(told.contains("-two\n    +zwei\n"), "{told}");
    outer
        .run(&["plan"])
        .code(1)
        .says(&["there is no fleet.toml in ", "-C DIR"]);
}

#[test]
fn a_repository_whose_objects_are_gone_is_no_new_one() {
    let fleet = Fleet::committed();
    std::fs::remove_dir_all(fleet.root().join(".git/objects")).unwrap();
    std::fs::create_dir(fleet.root().join(".git/objects")).unwrap();
    let run = fleet.run(&["plan"]).code(1);
    assert_eq!(run.stdout, "");
    run.says(&["can't read the git repository"]);
}

#[test]
fn a_role_with_secret_files_that_goes_needs_no_flash_first() {
    let roles = format!(
        "{KNOWN_URL}\n[vault]\nrecipients = [\"{RECIPIENT}\"]\n[roles.web.files]\n\"tls/key\" = \"KEY\"\n"
    );
    let with =
        format!("templates = [\"base.bu\"]\nroles = [\"web\"]\nsecrets.KEY = \"{SECRET}\"\n");
    let without = "templates = [\"base.bu\"]\n";
    let fleet = Fleet::new().fleet(&roles).node("n1", &with);
    fleet.renders();
    let fleet = fleet.git().node("n1", without);
    let plan = fleet.plans(&[]);
    assert!(
        plan.contains("which secrets are files of their own"),
        "{plan}"
    );
    assert!(plan.contains("1 to re-flash"), "{plan}");
    assert!(!plan.contains("first"), "{plan}");
    fleet.renders();
    fleet.git_says(&["add", "-A"]);
    fleet.git_says(&["commit", "-qm", "without"]);
    let plan = fleet.node("n1", &with).plans(&[]);
    assert!(plan.contains("1 to re-flash first"), "{plan}");
}

#[test]
fn a_url_that_names_a_commit_moves_with_each() {
    let of = |url: &str| format!("[git]\nbranch = \"main\"\nraw_url = \"{url}\"\n");
    let fleet = Fleet::new().fleet(&of("https://c.x/{{ commit }}/{{ path }}"));
    fleet.renders();
    let fleet = fleet.git();
    let moved = fleet.fleet(&of("https://d.y/{{ commit }}/{{ path }}"));
    let plan = moved.plans(&[]);
    assert!(plan.contains("where nodes fetch from"), "{plan}");
    let fleet = moved.fleet(&of("https://c.x/{{ commit }}/{{ path }}"));
    assert!(fleet.plans(&[]).contains("1 unchanged"));
    let fleet = fleet.file(
        "templates/base.bu",
        "variant: flatcar\nversion: 1.1.0\nkernel_arguments: {should_exist: [a]}\n",
    );
    let plan = fleet.plans(&[]);
    assert!(plan.contains("its URL names a commit"), "{plan}");
}
