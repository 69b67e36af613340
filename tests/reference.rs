//! `docs/reference.md` is made here, of the comments in `src/cli`.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory as _};
use ephemeros::cli::Cli;
use snapbox::{assert_data_eq, file};

const HEAD: &str = "# Reference of the command line

This page is made of the comments in `src/cli`, which are the help too. `SNAPSHOTS=overwrite cargo test --release reference` writes it.
[README.md](../README.md#commands) has an overview, and the exit codes.

";

#[test]
fn the_reference_says_what_the_help_says() {
    assert_data_eq!(reference(), file!["../docs/reference.md"].raw());
}

#[test]
fn what_is_hidden_is_not_in_the_reference() {
    let page = reference();
    assert!(page.contains("`--unpushed`") && page.contains("`<WHERE>`"));
    for hidden in ["--opened", "--input", "--relay", "VALUE"] {
        assert!(!page.contains(hidden), "{hidden}");
    }
}

fn reference() -> String {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    let mut page = HEAD.to_owned();
    describe(&command, true, &mut page);
    page
}

/// Options that hold for every command are told once, of the first.
fn describe(command: &Command, first: bool, page: &mut String) {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let about = command.get_long_about().or(command.get_about());
    let about = about.map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage();
    writeln!(page, "## {name}\n\n{about}\n\n```text\n{usage}\n```\n").unwrap();
    let shown = |arg: &&Arg| {
        let own = first || !arg.is_global_set();
        own && !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str())
    };
    let arguments: Vec<&Arg> = command.get_arguments().filter(shown).collect();
    if !arguments.is_empty() {
        page.push_str("| argument | meaning |\n| --- | --- |\n");
    }
    for arg in &arguments {
        let (name, meaning) = (called(arg), meaning(arg));
        writeln!(page, "| `{name}` | {meaning} |").unwrap();
    }
    if !arguments.is_empty() {
        page.push('\n');
    }
    for below in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        describe(below, false, page);
    }
    if first {
        page.pop();
    }
}

fn called(arg: &Arg) -> String {
    let name = arg.to_string().replace("...", "…").replace('|', "\\|");
    match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(_)) => format!("-{short}, {name}"),
        _ => name,
    }
}

fn meaning(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help());
    let mut meaning = help.map(ToString::to_string).unwrap_or_default();
    let values = arg.get_possible_values();
    let values = values.iter().filter(|it| !it.is_hide_set());
    let takes_value = arg.get_action().takes_values();
    let values: Vec<String> = values
        .filter(|_| takes_value)
        .map(|it| match it.get_help() {
            Some(help) => format!("`{}` ({help})", it.get_name()),
            None => format!("`{}`", it.get_name()),
        })
        .collect();
    if !values.is_empty() {
        meaning += &format!(": {}", values.join(", "));
    }
    let defaults = arg.get_default_values().iter();
    for default in defaults.filter(|_| takes_value) {
        meaning += &format!("; default: `{}`", default.display());
    }
    meaning.replace('|', "\\|")
}
