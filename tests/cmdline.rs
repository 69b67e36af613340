//! What the kernel is told, for hostile names, keys and URLs: the stick's whole script is read as iPXE reads it, and what comes
//! out is what was written, or the value was refused.

use std::collections::BTreeMap;

use ephemeros::ipxe::{Network, Prologue, read, run};
use proptest::prelude::*;

use crate::fleet::{Fleet, Run};

/// The command line of a node whose only kernel argument is this one, by the copy of its script on its stick.
fn cmdline(fleet: &Fleet, config_url: &str) -> Option<String> {
    let prologue = Prologue {
        node: "n1",
        config_url,
        script_url: None,
        body: &fleet.read("ipxe/n1.ipxe"),
        network: Network::default(),
        time_server: None,
        own_config: None,
    };
    let text = prologue.write();
    let run = run(&read(&text), &BTreeMap::new(), &|_| false);
    run.cmdline().map(str::to_owned)
}

fn expected(fleet: &Fleet, config_url: &str, args: &str) -> String {
    let digest = ephemeros::render::rendered::config_digest(&fleet.read("ignition/n1.ign"));
    format!(
        "initrd=flatcar_production_pxe_image.cpio.gz ignition.config.url={config_url} ephemeros.config={digest} \
         flatcar.first_boot=1 {args}"
    )
}

const URL: &str = "https://git.example/ignition/n1.ign";

/// A fleet with this kernel argument, and what `render` says of it.
fn rendered(argument: &str) -> (Fleet, Run) {
    let argument = toml_edit::value(argument);
    let fleet = Fleet::new()
        // A warning that it has no URL would hide others.
        .fleet(&format!(
            "[git]\nraw_url = \"https://git.example/{{{{ path }}}}\"\n[os]\nkernel_args = [{argument}]\n"
        ))
        .node("n1", "");
    let run = fleet.run(&["render"]);
    (fleet, run)
}

/// It reaches the kernel as it is, and nothing is said of it.
#[track_caller]
fn arrives(argument: &str) {
    let (fleet, run) = rendered(argument);
    let run = run.code(0);
    assert!(!run.stderr.contains("warning: "), "{}", run.stderr);
    assert_eq!(cmdline(&fleet, URL), Some(expected(&fleet, URL, argument)));
}

#[test]
fn what_the_kernel_can_be_told_arrives() {
    for argument in [
        "a#b",
        "a;b",
        "a||b",
        "a&&b",
        "$a",
        "a$",
        "$$",
        "{}",
        "a}",
        "a\\b",
        "\\",
        "%20",
        "a=%s%n",
        "é=ü",
        ":label",
        "goto",
        "exit",
        "--timeout",
        "initrd",
        "a=:",
        "a=b=c",
        "=",
        "module.option=\"a b\"",
        "sshkey=\"ssh-ed25519 AAAA me@desk\"",
        "sshkey=\"ssh-ed25519 AAAA o'neil;\"",
        "sshkey=\"ssh-rsa AA+/== a,b:c\"",
        "dyndbg=\"file a.c +p\"",
        "`reboot`",
        "$(reboot)",
        "{{ node.name }}",
        "{% raw %}",
    ] {
        arrives(argument);
    }
    arrives(&format!("a={}", "x".repeat(1700)));
}

#[test]
fn what_ipxe_would_make_something_else_of_is_refused() {
    let long = "x".repeat(2000);
    for argument in [
        "#",
        "#a",
        "a #b",
        "||",
        "a || exit",
        "&&",
        "a && b",
        ";",
        "a ; reboot",
        "${",
        "${node",
        "a\nb",
        "a\tb",
        "a\\\nb",
        "\r",
        "\u{1b}[2J",
        "||a",
        "a||",
        "&&a",
        "sshkey=\"a #b\"",
        "sshkey=\"a || b\"",
        &long,
    ] {
        let (fleet, run) = rendered(argument);
        run.code(1).says(&["error: ", "help: "]);
        assert!(!fleet.root().join("ipxe").exists(), "{argument:?}");
    }
}

#[test]
fn what_ipxe_fills_in_or_joins_is_told() {
    for (argument, says) in [
        ("a=${nothing}", "nothing sets `nothing`"),
        ("a=\"b  c\"", "a single one"),
        ("a='b c'", "neither iPXE nor Linux knows `'` as a quote"),
        ("a=\"b", "never closed"),
    ] {
        let (_, run) = rendered(argument);
        run.code(0).says(&["warning: ", says]);
    }
    // What the machine knows is filled in there.
    arrives("mac=${net0/mac}");
}

#[test]
fn hostile_urls_arrive_or_are_refused() {
    let fleet = Fleet::new().node("n1", "");
    fleet.run(&["render"]).code(0);
    let shown =
        |template: &str| fleet.run(&["show", "n1", "--stage", "url", "--raw-url", template]);
    let long = format!("https://git.example/{}/{{{{ path }}}}", "x".repeat(500));
    for template in [
        "https://git.example/a#b/{{ path }}",
        "https://git.example/#{{ path }}",
        "https://git.example/a;b/{{ path }}",
        "https://git.example/a||b&&c/{{ path }}",
        "https://git.example/$a$/{{ path }}",
        "https://git.example/a\"b'c/{{ path }}",
        "https://git.example/%20/{{ path }}?a=b&c=d;e",
        "https://git.example/{{ path }}?#",
        &long,
    ] {
        let run = shown(template).code(0);
        let url = run.stdout.trim_end();
        assert_eq!(url, template.replace("{{ path }}", "ignition/n1.ign"));
        let line = cmdline(&fleet, url).unwrap();
        assert!(
            line.contains(&format!(" ignition.config.url={url} ephemeros.config=")),
            "{line}"
        );
    }
    for template in [
        "https://git.example/a b/{{ path }}",
        "https://git.example/a #b/{{ path }}",
        "https://git.example/ || /{{ path }}",
        "https://git.example/${node}/{{ path }}",
        "https://git.example/{{ path }}\\",
        "https://git.example\\{{ path }}",
        "https://git.example/\n{{ path }}",
        "https://git.example/é/{{ path }}",
        "file:///{{ path }}",
    ] {
        shown(template)
            .code(1)
            .says(&["error: `raw_url` is of no use: it "]);
    }
}

#[test]
fn hostile_hostnames_are_refused() {
    for hostname in [
        "a b",
        "a#b",
        "#a",
        "a;b",
        "a||b",
        "${node}",
        "a\"b",
        "a'b",
        "a\\b",
        "a\\",
        "a:b",
        "a\nb",
        "-a",
        "a-",
        "a_b",
        "é",
        "",
        "a..b",
        &"a".repeat(65),
    ] {
        let hostname = toml_edit::value(hostname);
        let text = format!(
            "hostname = {hostname}\n[network]\naddress = \"10.0.0.7/24\"\ninterface = \"eth0\"\n"
        );
        let fleet = Fleet::new().node("n1", &text);
        fleet
            .run(&["render"])
            .code(1)
            .says(&["error: ", "nodes/n1.toml:1:12", "help: "]);
    }
    let long = format!("{0}.{0}", "a".repeat(31));
    let fleet = Fleet::new().node(
        "n1",
        &format!(
            "hostname = \"{long}\"\n[network]\naddress = \"10.0.0.7/24\"\ninterface = \"eth0\"\n"
        ),
    );
    fleet.run(&["render"]).code(0);
    let ip = format!("ip=10.0.0.7:::255.255.255.0:{long}:eth0:none");
    assert_eq!(cmdline(&fleet, URL), Some(expected(&fleet, URL, &ip)));
}

/// Between arguments one space is as good as two; between quotes it is not.
fn joined(text: &str) -> String {
    let mut quoted = false;
    let mut joined = String::new();
    for char in text.chars() {
        quoted ^= char == '"';
        if char != ' ' || quoted || !(joined.is_empty() || joined.ends_with(' ')) {
            joined.push(char);
        }
    }
    joined.trim_end().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Of whatever these characters make, nothing else comes out without a word.
    #[test]
    fn no_argument_becomes_another_unseen(argument in r#"[ab \\#;|&${}"'=:\t-]{1,12}"#) {
        let (fleet, run) = rendered(&argument);
        if run.code == Some(0) && !run.stderr.contains("warning: ") {
            let expected = expected(&fleet, URL, &joined(&argument));
            prop_assert_eq!(cmdline(&fleet, URL), Some(expected.trim_end().to_owned()));
        } else {
            prop_assert!(run.stderr.contains("help: "), "{}", run.stderr);
        }
    }
}
