//! `plan --markdown`: what a forge shows of it, whatever the fleet's files hold, and that it takes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use snapbox::{assert_data_eq, str};

use crate::fleet::Fleet;
use crate::repository::{KNOWN_URL, THREE_LINES};

/// What GitHub takes of a comment, and some room.
const LIMIT: usize = 60_000;

fn markdown(fleet: &Fleet, args: &[&str]) -> String {
    let text = fleet.plans(&[&["--markdown"], args].concat());
    assert!(text.len() <= LIMIT, "{} bytes", text.len());
    text
}

/// The blocks of code, and all else, as `CommonMark` tells them apart.
fn blocks_and_rest(text: &str) -> (Vec<String>, String) {
    let mut blocks: Vec<String> = Vec::new();
    let mut rest = String::new();
    let mut fence = None;
    for line in text.lines() {
        // After more spaces it is no fence.
        let inner = match line.trim_start_matches(' ') {
            inner if line.len() - inner.len() <= 3 => inner,
            _ => line,
        };
        let ticks = inner.len() - inner.trim_start_matches('`').len();
        match fence {
            None if ticks >= 3 => {
                fence = Some(ticks);
                blocks.push(String::new());
            }
            None => writeln!(rest, "{line}").unwrap(),
            Some(open) if ticks >= open && inner[ticks..].trim().is_empty() => fence = None,
            Some(_) => writeln!(blocks.last_mut().unwrap(), "{line}").unwrap(),
        }
    }
    assert_eq!(fence, None, "a block has no end:\n{text}");
    (blocks, rest)
}

/// Fails where something outside of blocks could be taken for more than text.
#[track_caller]
fn assert_inert(rest: &str) {
    let tags = ["details", "summary", "code"];
    let tags = tags
        .iter()
        .flat_map(|tag| [format!("<{tag}>"), format!("</{tag}>")]);
    let bare = tags.fold(rest.to_owned(), |text, tag| text.replace(&tag, ""));
    let mut depth = 0_i32;
    for piece in rest.split('<') {
        depth += i32::from(piece.starts_with("code>")) - i32::from(piece.starts_with("/code>"));
        assert!((0..=1).contains(&depth), "{rest}");
    }
    for line in bare.lines() {
        let mut text = line.to_owned();
        // Characters by their number are characters.
        while let Some(at) = text.find("&#") {
            let end = at + text[at..].find(';').unwrap();
            assert!(
                text[at + 2..end].bytes().all(|byte| byte.is_ascii_digit()),
                "{line}"
            );
            text.replace_range(at..=end, "");
        }
        for active in [
            '<', '>', '`', '@', '#', '[', ']', '&', '\\', '_', '\u{202e}', '\u{1b}', '\u{200b}',
        ] {
            assert!(!text.contains(active), "{active:?} in {line}");
        }
        assert!(!text.contains("://") && !text.contains("www."), "{line}");
        if text.starts_with('|') {
            assert_eq!(text.matches('|').count(), 5, "{line}");
        } else {
            assert!(!text.contains('|'), "{line}");
        }
    }
}

#[test]
fn costs_come_first_and_each_change_is_folded() {
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .butane("base.bu", THREE_LINES)
        .node("n2", "templates = [\"base.bu\"]\n")
        .node("n3", "");
    fleet.renders();
    let fleet = fleet.git();
    fleet.replace("templates/base.bu", "two", "zwei");
    let fleet = fleet
        .without("nodes/n3.toml")
        .node("n4", "templates = [\"base.bu\"]\n");
    let text = markdown(&fleet, &[]);
    let head = fleet.git_says(&["rev-parse", "--short=7", "HEAD"]);
    assert_data_eq!(
        text.replace(&head, "HASH"),
        str![[r"
**Plan: 2 to reboot, 1 to flash for the first time, 1 removed.** Compared with <code>HEAD (HASH)</code>.

| | nodes | why | until the stick is written |
| --- | --- | --- | --- |
| removed | <code>n3</code> |  | once that is pushed its URLs answer 404: Ignition fails, and Flatcar restarts the machine after 300 s, again and again; a stick that can boot by its own copy does so, with the config of its day |
| to flash for the first time | <code>n4</code> |  |  |
| to reboot | <code>n1</code>, <code>n2</code> |  |  |

<details><summary>new: <code>n4</code></summary>

```diff
file /etc/a
ignition spec
boot script
```

</details>

<details><summary>changed: <code>file /etc/a</code> on <code>n1</code>, <code>n2</code></summary>

```diff
@@ -1,3 +1,3 @@
 one
-two
+zwei
 three
```

</details>

- note: 8 files are not rendered yet: run <code>ephemeros render</code>

"]]
    );
    assert_inert(&blocks_and_rest(&text).1);
}

#[test]
fn nothing_changes() {
    let fleet = Fleet::committed();
    let text = markdown(&fleet, &[]);
    assert!(
        text.starts_with("**Plan: 1 unchanged.** Compared with <code>HEAD ("),
        "{text}"
    );
    assert!(
        text.contains("\nNo changes: it is all there already.\n"),
        "{text}"
    );
    assert!(!text.contains("<details>") && !text.contains('|'), "{text}");
}

/// What somebody might write to be taken for more than text.
const HOSTILE: &str = "</code></summary></details><img src=x onerror=alert(1)> | @ada #12 `x` ```` ~~~ \
    https://evil.example www.evil.example [a](b) ![c](d) &lt; \\| *a* _b_ \u{202e}txt.\u{202c}\u{200b}\u{1b}[31m";

#[test]
fn no_text_of_the_fleet_is_more_than_text() {
    let escaped = HOSTILE.replace('\\', "\\\\").replace('\u{1b}', "\\e");
    // In the second file, what could end a block does not change.
    let file = |path: &str, lines: &str| {
        format!(
            "storage:\n  files:\n    - path: \"/etc/{path}\"\n      contents:\n        inline: \"{lines}\"\n    \
             - path: /etc/same\n      contents:\n        inline: \"```\\n@{}\\n````\\n<b>\\n\"\n",
            lines.len()
        )
    };
    let fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .butane("base.bu", &file("a", "one"));
    fleet.renders();
    let fleet = fleet.git();
    let lines = format!("{escaped}\\n```\\n````````\\n</details>\\n~~~\\n{escaped}");
    let fleet = fleet.butane("base.bu", &file(&escaped.replace('/', "\u{2215}"), &lines));
    let branch = "a|b@ada#1<b>`x`";
    fleet.git_says(&["branch", branch]);
    let text = markdown(&fleet, &["--against", branch]);
    let (blocks, rest) = blocks_and_rest(&text);
    assert_inert(&rest);
    let all = blocks.concat();
    assert!(all.contains("\n ````\n <b>\n"), "{text}");
    assert!(
        all.contains("+````````\n") && all.contains("+</details>\n"),
        "{text}"
    );
    assert!(
        all.contains("<U+202E>txt.<U+202C><U+200B><U+001B>[31m"),
        "{text}"
    );
    assert_eq!(rest.matches("<details>").count(), blocks.len(), "{text}");
    // And people can still read it.
    assert!(rest.contains("<code>a&#124;b&#64;ada&#35;1"), "{text}");
}

/// So many nodes with a file of several lines each, all rendered and committed.
fn many(nodes: usize) -> Fleet {
    let lines = |word: &str| {
        (0..8).fold(String::new(), |mut text, line| {
            writeln!(text, "          {word} {line} of {{{{ node.name }}}}").unwrap();
            text
        })
    };
    let template = format!(
        "storage:\n  files:\n    - path: /etc/a\n      contents:\n        inline: |\n{}{}",
        lines("old"),
        lines("same")
    );
    let mut fleet = Fleet::new()
        .fleet(KNOWN_URL)
        .butane("base.bu", &template)
        .without("nodes/n1.toml");
    for number in 1..=nodes {
        fleet = fleet.node(&format!("edge-{number:03}"), "templates = [\"base.bu\"]\n");
    }
    fleet.renders();
    fleet.git()
}

#[test]
fn five_hundred_changes_of_their_own_say_what_was_left_out() {
    let fleet = many(500);
    let template = fleet.read("templates/base.bu").replace("old", "new");
    fleet.write("templates/base.bu", template);
    // One of them costs more, and so it is shown whatever is left out.
    fleet.write(
        "nodes/edge-499.toml",
        "templates = [\"base.bu\"]\n[network]\nmac = \"52:54:00:12:34:56\"\n",
    );
    let text = markdown(&fleet, &[]);
    let (blocks, rest) = blocks_and_rest(&text);
    assert_inert(&rest);
    assert!(
        text.starts_with("**Plan: 499 to reboot, 1 to re-flash.** "),
        "{text}"
    );
    let first = text.split("<details>").nth(1).unwrap();
    assert!(
        first.contains("<code>edge-499</code>") && first.contains("+new 0 of edge-499\n"),
        "{text}"
    );
    // Each change is folded, or named, or counted, and which of them that is, is said.
    let folded = rest.matches("<details>").count();
    assert_eq!(folded, blocks.len());
    let named = rest
        .lines()
        .filter(|it| it.starts_with("- changed: "))
        .count();
    let counted: usize = rest
        .lines()
        .find_map(|line| line.strip_prefix("- and ")?.split(' ').next()?.parse().ok())
        .unwrap_or(0);
    assert_eq!(
        folded + named + counted,
        500,
        "{folded}, {named}, {counted}"
    );
    assert!(folded > 20 && named > 20, "{folded}, {named}, {counted}");
    let without = named + counted;
    let told = format!(
        "\nLeft out, to stay below what a forge takes: the contents of {without} changes. <code>ephemeros plan</code> shows them.\n"
    );
    assert!(rest.contains(&told), "{told}\n{rest}");
    if counted > 0 {
        let told = format!("- and {counted} changes more, on {counted} nodes\n");
        assert!(rest.contains(&told), "{told}\n{rest}");
    }
    // No node is named twice.
    let names: Vec<&str> = rest
        .lines()
        .filter(|line| line.contains("changed: "))
        .filter_map(|line| line.split(" on <code>").nth(1)?.split('<').next())
        .collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), folded + named);
    // The room is used.
    assert!(text.len() > LIMIT - 2000, "{}", text.len());
}

#[test]
fn one_change_of_five_hundred_nodes_is_one() {
    let fleet = many(500);
    let template = fleet.read("templates/base.bu")
        + "    - path: /etc/b\n      contents:\n        inline: b\n";
    fleet.write("templates/base.bu", template);
    let text = markdown(&fleet, &[]);
    let (blocks, rest) = blocks_and_rest(&text);
    assert_inert(&rest);
    assert_eq!(blocks.len(), 1);
    assert!(
        rest.contains("<summary>added: <code>file /etc/b</code> on <code>edge-001</code>, "),
        "{rest}"
    );
    assert!(
        rest.contains("<code>edge-008</code> and 492 more</summary>\n"),
        "{rest}"
    );
    assert!(blocks[0].contains("edge-008, edge-009, "), "{}", blocks[0]);
    assert!(blocks[0].contains(", edge-500\n"), "{}", blocks[0]);
    assert!(!text.contains("Left out"), "{text}");
}

#[test]
fn a_change_that_is_too_large_by_itself_is_left_out() {
    let fleet = Fleet::committed();
    let huge = "x".repeat(100_000);
    fleet.replace(
        "templates/base.bu",
        "two",
        &format!("{huge}\n          drei"),
    );
    let text = markdown(&fleet, &[]);
    assert!(text.contains("the contents of 1 change."), "{}", text.len());
    assert!(
        text.contains("\n- changed: <code>file /etc/a</code> on <code>n1</code>\n"),
        "{text}"
    );
    // What shows it is the same plan.
    let text = markdown(&fleet, &["--against", "HEAD", "--on", "n*"]);
    let command = "<code>ephemeros plan --against HEAD --on 'n&#42;'</code> shows them.";
    assert!(text.contains(command), "{text}");
    // A command line can be longer than all that a forge takes.
    let names = vec!["n1"; 20_000].join(",");
    let text = markdown(&fleet, &["--on", &names]);
    assert!(
        text.contains(". The same command without <code>--markdown</code> shows them.\n"),
        "{text}"
    );
}

#[test]
fn a_result_has_one_form() {
    let fleet = Fleet::committed();
    for args in [
        ["plan", "--markdown", "--json"],
        ["--json", "plan", "--markdown"],
    ] {
        let run = fleet
            .run(&args)
            .code(64)
            .says(&["`--markdown` and `--json` are two forms"]);
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn a_mistake_leaves_no_markdown() {
    let fleet = Fleet::committed();
    fleet.replace("templates/base.bu", "storage", "storrage");
    let run = fleet
        .run(&["plan", "--markdown"])
        .code(1)
        .says(&["error: "]);
    assert_eq!(run.stdout, "");
}
