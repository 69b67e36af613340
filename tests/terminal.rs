//! Manners: exit codes, closed pipes, colour, and nothing that a terminal would obey.

use std::io::Read as _;
use std::process::Stdio;

use clap::CommandFactory as _;

use crate::fleet::Fleet;
use crate::repository::{KNOWN_URL, THREE_LINES, has_program, skipped};

/// Every command by its words, down to the last: `["secrets", "set"]`.
fn commands() -> Vec<Vec<String>> {
    fn below(command: &clap::Command, words: &[String], all: &mut Vec<Vec<String>>) {
        all.push(words.to_vec());
        for sub in command.get_subcommands() {
            below(sub, &[words, &[sub.get_name().to_owned()]].concat(), all);
        }
    }
    let mut all = Vec::new();
    below(&ephemeros::cli::Cli::command(), &[], &mut all);
    all
}

fn with<'a>(words: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    words
        .iter()
        .map(String::as_str)
        .chain(more.iter().copied())
        .collect()
}

#[test]
fn wrong_usage_is_64_in_every_command() {
    let fleet = Fleet::new().fleet(KNOWN_URL);
    assert!(commands().len() > 9, "{:?}", commands());
    for words in commands() {
        for more in [
            &["--no-such-option"][..],
            &["--color", "sometimes"],
            &["-q", "-v"],
            &["--json=yes"],
            &["a", "b", "c", "d", "--no-such"],
        ] {
            let run = fleet.run(&with(&words, more)).code(64).says(&["error: "]);
            assert_eq!(run.stdout, "", "{words:?}");
        }
    }
    for words in [
        &[][..],
        &["no-such-command"],
        &["secrets"],
        &["secrets", "no-such-command"],
        &["show"],
        &["secrets", "set"],
        &["secrets", "set", "n1"],
        &["secrets", "get", "n1"],
        &["render", "n1"],
        &["check", "n1"],
        &["plan", "--against"],
        &["show", "n1", "n2"],
        &["-C"],
    ] {
        let run = fleet.run(words).code(64);
        assert_eq!(run.stdout, "", "{words:?}");
        assert!(!run.stderr.is_empty());
    }
}

#[test]
fn help_and_version_are_results() {
    let fleet = Fleet::new();
    for words in commands() {
        for option in ["--help", "-h"] {
            let run = fleet.run(&with(&words, &[option])).code(0);
            assert!(run.stdout.contains("Usage: ephemeros"), "{words:?}");
            assert_eq!(run.stderr, "");
        }
    }
    let version = fleet.run(&["--version"]).code(0).stdout;
    assert_eq!(
        version,
        format!("ephemeros {}\n", env!("CARGO_PKG_VERSION"))
    );
    fleet.run(&["help", "plan"]).code(0).prints(&["Usage: "]);
}

#[test]
fn help_needs_no_fleet() {
    let fleet = Fleet::new();
    fleet.command(&["plan", "--help"]).folder("/").run().code(0);
}

/// A fleet whose results are longer than a pipe holds.
fn long() -> Fleet {
    let lines = "          0123456789\n".repeat(20_000);
    let butane = format!(
        "storage:\n  files:\n    - path: /etc/a\n      contents:\n        inline: |\n{lines}"
    );
    let mut fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", &butane);
    fleet = fleet.node("n2", "templates = [\"base.bu\"]\n");
    fleet
}

#[test]
fn a_closed_pipe_is_the_end_and_no_failure() {
    let fleet = long();
    for args in [
        &["plan", "-v"][..],
        &["plan", "--json"],
        &["show", "n1", "--stage", "butane"],
        &["show", "n1", "--stage", "ignition"],
        &["show", "n1", "--stage", "ignition", "--json"],
    ] {
        let mut tool = fleet.process(args);
        let mut child = tool
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = [0; 16];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{args:?}\n{stderr}");
        assert!(
            !stderr.contains("error") && !stderr.contains("panicked"),
            "{stderr}"
        );
    }
}

#[test]
fn results_that_nobody_reads_from_the_beginning_are_no_failure() {
    let fleet = Fleet::committed();
    for args in [
        &["plan"][..],
        &["render", "--check", "--json"],
        &["show", "n1"],
        &["check"],
        &["--help"],
        &["plan", "--help"],
        &["--version"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut tool = fleet.process(args);
        let output = tool.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{args:?}\n{stderr}");
        assert!(!stderr.contains("error"), "{stderr}");
    }
}

#[test]
fn a_reader_that_goes_away_does_not_change_the_verdict() {
    let fleet = changed();
    for (args, code, says) in [
        (&["plan", "--detailed-exitcode"][..], 2, ""),
        (
            &["plan", "--max-change", "0"],
            1,
            "error: 1 node would change",
        ),
        (&["render", "--check"], 1, "error: "),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut tool = fleet.process(args);
        let output = tool.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{stderr}");
        assert!(stderr.contains(says), "{stderr}");
    }
}

#[test]
fn a_render_writes_all_files_though_nobody_reads_what_it_lists() {
    let fleet = Fleet::new().fleet(KNOWN_URL).node("n2", "");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut tool = fleet.process(&["render"]);
    let output = tool.stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    fleet.run(&["render", "--check"]).code(0);
}

#[test]
fn closed_standard_streams_are_no_failure() {
    let fleet = Fleet::committed();
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        let mut shell = fleet.program("sh");
        let tool = env!("CARGO_BIN_EXE_ephemeros");
        let status = shell
            .args(["-c", &format!("'{tool}' plan {closed}")])
            .output();
        assert_eq!(status.unwrap().status.code(), Some(0), "{closed}");
    }
}

fn changed() -> Fleet {
    let fleet = Fleet::new().butane("base.bu", THREE_LINES);
    fleet.renders();
    let fleet = fleet.git();
    fleet.replace("templates/base.bu", "two", "zwei");
    fleet
}

#[test]
fn there_is_colour_only_where_it_is_asked_for() {
    let fleet = changed();
    let escapes = |args: &[&str], env: (&str, &str)| {
        let run = fleet.command(args).env(env.0, env.1).run();
        (run.stdout.contains('\x1b'), run.stderr.contains('\x1b'))
    };
    let none = ("X", "");
    // This is no terminal.
    assert_eq!(escapes(&["plan"], none), (false, false));
    assert_eq!(escapes(&["plan", "--color", "auto"], none), (false, false));
    assert_eq!(escapes(&["plan", "--color", "never"], none), (false, false));
    assert_eq!(escapes(&["plan", "--color", "always"], none), (true, true));
    // Who asks for it by an option means it.
    assert_eq!(
        escapes(&["plan", "--color=always"], ("NO_COLOR", "1")),
        (true, true)
    );
    assert!(!escapes(&["plan", "--color=always", "--json"], none).0);
    let plain = fleet.run(&["plan"]).stdout;
    let coloured = fleet.run(&["plan", "--color=always"]).stdout;
    assert_ne!(plain, coloured);
    assert_eq!(plain, unstyled(&coloured));
}

/// Without the escapes that set colours.
fn unstyled(text: &str) -> String {
    let mut plain = String::new();
    for (index, part) in text.split("\x1b[").enumerate() {
        match part.split_once('m') {
            Some((_, rest)) if index > 0 => plain.push_str(rest),
            _ => plain.push_str(part),
        }
    }
    plain
}

/// What the tool prints on a terminal.
fn on_a_terminal(fleet: &Fleet, env: &[(&str, &str)], args: &[&str]) -> Option<String> {
    if !has_program("python3") {
        skipped("a terminal", "there is no `python3`");
        return None;
    }
    let script =
        "import pty, sys, os\nsys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    let mut python = fleet.program("python3");
    python.args(["-c", script, env!("CARGO_BIN_EXE_ephemeros")]);
    for (name, value) in [&[("TERM", "xterm-256color")], env].concat() {
        python.env(name, value);
    }
    let output = python.args(args).stdin(Stdio::null()).output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_terminal_gets_colour_unless_the_user_wants_none() {
    let fleet = changed();
    let plan = |env: &[(&str, &str)], args: &[&str]| {
        on_a_terminal(&fleet, env, &[&["plan"], args].concat())
    };
    let Some(coloured) = plan(&[], &[]) else {
        return;
    };
    assert!(coloured.contains("\x1b["), "{coloured}");
    for (env, args) in [
        (&[("NO_COLOR", "1")][..], &[][..]),
        (&[("TERM", "dumb")], &[]),
        (&[], &["--color=never"]),
    ] {
        let plain = plan(env, args).unwrap();
        assert!(plain.contains("zwei"), "{plain}");
        assert!(!plain.contains('\x1b'), "{env:?} {args:?}\n{plain}");
    }
    // An empty one is none: https://no-color.org
    assert!(plan(&[("NO_COLOR", "")], &[]).unwrap().contains('\x1b'));
}

/// A text holds nothing that moves the cursor, colours or rings: not even the control characters past ASCII.
#[track_caller]
fn obedient_to_nothing(what: &str, text: &str) {
    let bad = text
        .chars()
        .find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
    assert_eq!(bad, None, "{what}\n{}", text.escape_debug());
}

/// `\e[31m`, a bell, a carriage return, and CSI as one character.
const CONTROLS: &str = "\\e[31m\\a\\r\\u009b2J";

#[test]
fn control_characters_of_a_config_do_not_reach_the_terminal() {
    let butane = |word: &str| {
        format!(
            "passwd:\n  users:\n    - name: ada\n      gecos: \"{word}{CONTROLS}\"\n\
             storage:\n  files:\n    - path: \"/etc/a{CONTROLS}\"\n      contents:\n        inline: \"{word}{CONTROLS}\\n\"\n  \
             links:\n    - path: /etc/l\n      target: \"/etc/{word}{CONTROLS}\"\n"
        )
    };
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .butane("base.bu", &butane("one"));
    for args in [&["plan"][..], &["plan", "-v"]] {
        let run = fleet.run(args).code(0);
        obedient_to_nothing("a new node", &run.stdout);
        obedient_to_nothing("a new node", &run.stderr);
    }
    fleet.renders();
    let fleet = fleet.git().butane("base.bu", &butane("two"));
    let run = fleet.run(&["plan"]).code(0);
    for part in ["file /etc/a", "link /etc/l", "user ada"] {
        assert!(run.stdout.contains(part), "{}", run.stdout);
    }
    obedient_to_nothing("changes", &run.stdout);
    let fleet = fleet.butane("base.bu", "");
    obedient_to_nothing("removed things", &fleet.plans(&[]));
}

#[test]
fn control_characters_of_a_rendered_text_do_not_reach_the_terminal() {
    // YAML takes U+0085, and a boot script what its lint does not know.
    let fleet = Fleet::new().fleet(KNOWN_URL).node(
        "n1",
        "templates = [\"base.bu\"]\n[vars]\nword = \"\\u001b[31m\\u009b2J\"\n",
    );
    let fleet = fleet.butane("base.bu", "# {{ vars.word }}\nstorage: {filse: 1}\n");
    for args in [&["plan"][..], &["show", "n1", "--stage", "butane"]] {
        let run = fleet.run(args).code(1);
        assert_eq!(run.stdout, "");
        obedient_to_nothing("standard error", &run.stderr);
    }
    let fleet = fleet.butane("base.bu", "");
    for stage in ["profile", "butane", "ignition", "ipxe", "cmdline"] {
        let args = ["show", "n1", "--stage", stage];
        // What goes elsewhere than to a terminal is not changed.
        let Some(seen) = on_a_terminal(&fleet, &[("NO_COLOR", "1")], &args) else {
            return;
        };
        assert!(seen.lines().count() > 0, "{stage}");
        obedient_to_nothing(stage, &seen.replace("\r\n", "\n"));
    }
}

#[test]
fn control_characters_of_names_and_arguments_do_not_reach_the_terminal() {
    let name = "\x1b[31m\x07\u{9b}2J";
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .file(&format!("ignition/{name}.ign"), "{}");
    fleet.renders();
    let fleet = fleet.git();
    fleet.git_says(&["branch", "side"]);
    for args in [
        &["plan"][..],
        &["plan", name],
        &["plan", "--on", name],
        &["plan", "--against", name],
        &["plan", "--against", &format!("HEAD^{{/{name}}}")],
        &["show", name],
        &["show", "n1", "--stage", "url", "--raw-url", name],
        &["secrets", "set", name, "A"],
        &["secrets", "rm", name, "A"],
        &["secrets", "rm", "n1", name],
        &["secrets", "set", "n1", name],
        &["secrets", "get", "n1", name],
        &["secrets", "set", "n1", "A", "--file", name],
        &["-C", name, "plan"],
        &["render", "--check"],
    ] {
        let run = fleet.run(args);
        obedient_to_nothing("standard output", &run.stdout);
        obedient_to_nothing("standard error", &run.stderr);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    }
    for path in [format!("nodes/{name}.toml"), format!("templates/{name}.bu")] {
        let fleet = Fleet::new().fleet(KNOWN_URL).file(&path, "[");
        for args in [&["plan"][..], &["check"]] {
            let run = fleet.run(args);
            obedient_to_nothing("standard output", &run.stdout);
            obedient_to_nothing("standard error", &run.stderr);
        }
    }
}

#[test]
fn verbose_and_quiet_change_no_result() {
    let fleet = changed();
    let plain = fleet.run(&["plan"]).code(0).stdout;
    for option in ["-q", "--quiet", "-v", "--verbose"] {
        assert_eq!(
            fleet.run(&["plan", option]).code(0).stdout,
            plain,
            "{option}"
        );
    }
    let quiet = fleet.run(&["-q", "render"]).code(0);
    assert_eq!(quiet.stderr, "");
    assert_eq!(quiet.stdout, "wrote ignition/n1.ign\nwrote ipxe/n1.ipxe\n");
    // What is wrong is said all the same.
    fleet.replace("templates/base.bu", "storage", "storrage");
    fleet.run(&["-q", "plan"]).code(1).says(&["error: "]);
}
