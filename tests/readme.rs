//! The documents say what is so: what they show is run, the tables of commands and URLs hold, links lead somewhere.

use std::fs;
use std::path::Path;

use snapbox::{IntoData as _, assert_data_eq};

use crate::conformance::DELIBERATE;
use crate::fleet::{Fleet, HEAD};
use crate::image::loaders;

/// Stands between the output of two commands.
const MARK: &str = "\u{1}next\u{1}";

/// A command as the page shows it, and what it prints; `…` stands for anything in a line.
#[derive(Debug, PartialEq)]
struct Shown {
    command: String,
    output: String,
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The commands of all `console` blocks. A line with `$ ` begins one, and takes its here-document along.
fn commands(page: &str) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    let mut inside = false;
    let mut until: Option<String> = None;
    for line in page.lines() {
        if until.is_none() && line.starts_with("```") {
            inside = line == "```console";
        } else if inside {
            let starts = line.strip_prefix("$ ").filter(|_| until.is_none());
            if let Some(command) = starts {
                until = command
                    .split_once("<<")
                    .map(|(_, word)| word.trim_matches('\'').to_owned());
                shown.push(Shown {
                    command: format!("{command}\n"),
                    output: String::new(),
                });
                continue;
            }
            let last = shown.last_mut().expect("a block begins with a command");
            let text = match &until {
                Some(_) => &mut last.command,
                None => &mut last.output,
            };
            text.push_str(line);
            text.push('\n');
            until = until.filter(|word| word != line);
        }
    }
    if loaders().is_none() {
        shown.retain(|it| !it.command.contains(".img "));
    }
    shown
}

/// Runs them in one shell, in an empty folder; what each of them prints, both streams together.
fn run(shown: &[Shown]) -> Vec<String> {
    let fleet = Fleet::new();
    let tool = Path::new(env!("CARGO_BIN_EXE_ephemeros"));
    let mut path = tool.parent().expect("a folder").as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let script = shown.iter().fold("exec 2>&1\n".to_owned(), |script, it| {
        format!("{script}{}printf '%s\\n' '{MARK}'\n", it.command)
    });
    let mut bash = fleet.program("bash");
    bash.args(["--noprofile", "--norc", "-c", &script])
        .current_dir(fleet.home())
        .env("PATH", path)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(std::process::Stdio::null());
    if let Some(loaders) = loaders() {
        bash.env("EPHEMEROS_IPXE_DIR", loaders);
    }
    for who in ["AUTHOR", "COMMITTER"] {
        bash.env(format!("GIT_{who}_NAME"), "Test")
            .env(format!("GIT_{who}_EMAIL"), "test@example.com")
            .env(format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z");
    }
    let ran = bash.output().expect("there is a bash");
    let printed = String::from_utf8(ran.stdout).expect("it prints text");
    let end = format!("{MARK}\n");
    printed.split_terminator(&end).map(str::to_owned).collect()
}

/// Commands and output again as on the page.
fn page<'a>(shown: impl Iterator<Item = (&'a Shown, &'a str)>) -> String {
    let parts = shown.map(|(it, output)| format!("$ {}{}\n\n", it.command, output.trim_end()));
    parts.collect::<Vec<_>>().concat()
}

/// What is shown, with what was printed in place of each `…`.
fn fill_in(shown: &str, printed: &str) -> String {
    let mut printed = printed.lines();
    let filled = shown.lines().flat_map(|line| {
        let there = printed.next().filter(|there| fits(line, there));
        [there.unwrap_or(line), "\n"]
    });
    filled.collect()
}

fn fits(shown: &str, line: &str) -> bool {
    let Some((before, after)) = shown.split_once('…') else {
        return shown == line;
    };
    let ends = |rest: &str| {
        let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
        ends.any(|at| fits(after, &rest[at..]))
    };
    line.strip_prefix(before).is_some_and(ends)
}

#[track_caller]
fn assert_prints(shown: &[Shown]) {
    let printed = run(shown);
    let printed = printed.iter().map(String::as_str);
    let printed = printed.chain(std::iter::repeat(""));
    let expected = page(shown.iter().map(|it| (it, it.output.as_str())));
    let actual = page(shown.iter().zip(printed));
    assert_data_eq!(&actual, fill_in(&expected, &actual).raw());
}

#[test]
fn the_walk_prints_what_the_readme_shows() {
    let walk = commands(&read("README.md"));
    assert!(walk.len() > 15, "{} commands", walk.len());
    assert_prints(&walk);
}

#[test]
fn the_pages_under_docs_go_on_from_its_end() {
    for path in [
        "docs/fleet.md",
        "docs/templates.md",
        "docs/plan.md",
        "docs/render.md",
        "docs/butane.md",
        "docs/import.md",
        "docs/secrets.md",
        "docs/serve.md",
    ] {
        let mut shown = commands(&read("README.md"));
        let walk = shown.len();
        shown.extend(commands(&read(path)));
        assert!(shown.len() > walk, "{path} shows no command");
        assert_prints(&shown);
    }
}

#[test]
fn commands_are_found_with_their_here_documents_and_output() {
    let page = "```sh\n$ no\n```\n```console\n$ cat > a <<'END'\n$ no\n```\nEND\n$ b | c\nd …\n\ne\n```\nf\n";
    let shown = |command: &str, output: &str| Shown {
        command: command.to_owned(),
        output: output.to_owned(),
    };
    assert_eq!(
        commands(page),
        [
            shown("cat > a <<'END'\n$ no\n```\nEND\n", ""),
            shown("b | c\n", "d …\n\ne\n")
        ]
    );
    let run = run(&[
        shown("x=1; echo a >&2; false\n", ""),
        shown("cat <<END\n$x\nEND\n", ""),
        shown("printf b\n", ""),
    ]);
    assert_eq!(run, ["a\n", "1\n", "b"]);
}

#[test]
fn an_ellipsis_stands_for_anything_in_a_line() {
    assert!(fits("a … c", "a b c") && fits("…", "") && fits("a…", "a") && fits("…b…", "abc"));
    assert!(!fits("a … c", "a c") && !fits("a…", "b") && !fits("…a", "ab") && !fits("a", "ab"));
    assert_eq!(fill_in("a…\nb\n…\n", "ax\nc\n"), "ax\nb\n…\n");
}

/// The names under `Commands:` in a help text.
fn in_help(help: &str) -> Vec<&str> {
    let lines = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with("  "));
    lines
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

#[test]
fn the_readme_has_every_command_and_no_other() {
    let fleet = Fleet::new();
    let help = |args: &[&str]| fleet.run(&[args, &["--help"]].concat()).code(0).stdout;
    let top = help(&[]);
    let mut expected: Vec<String> = Vec::new();
    for name in in_help(&top) {
        match in_help(&help(&[name])).as_slice() {
            [] => expected.push(name.to_owned()),
            below => expected.extend(below.iter().map(|it| format!("{name} {it}"))),
        }
    }
    let readme = read("README.md");
    let table = readme
        .lines()
        .skip_while(|line| !line.starts_with("| command |"))
        .skip(2)
        .map_while(|line| line.strip_prefix("| `"));
    let rows: Vec<String> = table
        .map(|row| {
            let lower = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
            let name = row.split(['`', ' ']).take_while(lower);
            name.collect::<Vec<_>>().join(" ").trim_end().to_owned()
        })
        .collect();
    assert_eq!(rows, expected);
}

/// A row is name, `[git] forge` where it is needed, remote, URL.
#[test]
fn every_url_in_the_table_is_the_one_that_is_made() {
    let page = read("docs/urls.md");
    let cell = |cell: &str| cell.trim().trim_matches('`').replace("\\|", "|");
    let mut rows = 0;
    let is_row = |line: &&str| line.contains("ignition/node1.ign");
    for row in page.lines().filter(is_row) {
        let row = row.trim_start_matches("| ");
        let cells: Vec<String> = row.trim_end_matches(" |").split(" | ").map(cell).collect();
        let [_, forge, remote, url] = &cells[..] else {
            panic!("{row}")
        };
        let forge = match forge.as_str() {
            "" => String::new(),
            forge => format!("forge = \"{forge}\"\n"),
        };
        let text = format!("{HEAD}[git]\nbranch = \"main\"\n{forge}");
        let fleet = Fleet::new()
            .without("nodes/n1.toml")
            .file("fleet.toml", text)
            .node("node1", "templates = [\"base.bu\"]\n")
            .git()
            .remote("origin", remote);
        let shown = fleet.run(&["show", "node1", "--stage", "url"]).code(0);
        assert_eq!(shown.stdout.trim_end(), url, "{remote}");
        rows += 1;
    }
    assert!(rows > 15, "{rows} rows");
}

#[test]
fn every_deliberate_difference_from_butane_is_told() {
    let page = read("docs/butane.md");
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with("| case |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let known = DELIBERATE.map(|(case, why)| format!("| `{case}` | {why} |"));
    assert_eq!(rows.collect::<Vec<_>>(), known);
}

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).expect("docs/ can be listed");
    let mut pages: Vec<_> = docs.map(|entry| entry.expect("an entry").path()).collect();
    pages.extend([root.join("README.md"), root.join("CHANGELOG.md")]);
    let mut links = 0;
    for page in pages {
        let text = fs::read_to_string(&page).expect("it is text");
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|it| it.split(')').next());
        for target in targets.filter(|target| !target.contains("://")) {
            let file = target.split('#').next().unwrap_or_default();
            let there = page.with_file_name(file);
            assert!(there.exists(), "{}: {target}", page.display());
            links += 1;
        }
    }
    assert!(links > 5, "{links} links");
}
