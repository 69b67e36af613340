//! How the text falls into words: the first line, `\` at the end, `#` among arguments, `||` that is glued to a word.

use std::sync::Arc;

use super::Body;
use crate::diagnostic::Diagnostic;
use crate::ipxe::read::{Line, Token, is_space};
use crate::source::Source;

pub(super) fn no_magic(source: &Arc<Source>) -> Diagnostic {
    let first_line = source.text.find('\n').unwrap_or(source.text.len());
    Diagnostic::error("iPXE takes this for no script: it does not begin with `#!ipxe`")
        .at(source, 0..first_line)
        .help("make `#!ipxe` the whole first line, with nothing before it")
}

pub(super) fn check(body: &Body) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Some(span) = &body.script.dangling {
        found.push(
            Diagnostic::error("a `\\` at the end of the file joins nothing, and iPXE fails there")
                .at(body.source, span.clone())
                .help("remove the `\\`, or write the line that it announces"),
        );
    }
    for line in &body.script.lines {
        found.extend(lost_arguments(body, line));
        let words = line.commands.iter().filter(|command| !says(command.name()));
        for word in words.flat_map(|command| &command.words) {
            found.extend(glued_operator(body, word));
        }
    }
    found
}

/// Whether a command only shows its arguments, so that it doesn't matter what they are.
pub(super) fn says(name: Option<&Token>) -> bool {
    name.is_some_and(|name| matches!(name.text.as_str(), "echo" | "prompt" | "item" | "menu"))
}

fn lost_arguments(body: &Body, line: &Line) -> Option<Diagnostic> {
    let comment = line.comment.as_ref()?;
    let name = &line.commands.last()?.name()?.text;
    let takes_arguments = matches!(
        name.as_str(),
        "kernel" | "imgselect" | "imgargs" | "initrd" | "imgfetch" | "module" | "set"
    );
    // `command # why` is how people comment; `#3` among arguments is not.
    if !takes_arguments || comment.text == "#" {
        return None;
    }
    let end = body.source.text[..line.span.end]
        .trim_end_matches(is_space)
        .len();
    let lost = comment.span.start..end.max(comment.span.end);
    Some(
        Diagnostic::error(format!(
            "`{}` begins with `#`, so iPXE ignores it and the rest of the line",
            comment.text
        ))
        .at(body.source, lost)
        .help("iPXE has no way to write such a word: reword it, or put a comment on a line of its own"),
    )
}

fn glued_operator(body: &Body, word: &Token) -> Option<Diagnostic> {
    let text = word.text.as_str();
    let operator = ["||", "&&"]
        .into_iter()
        .find(|operator| text.starts_with(operator) || text.ends_with(operator))?;
    Some(
        Diagnostic::error(format!("`{text}` is one word to iPXE, not `{operator}`"))
            .at(body.source, word.span.clone())
            .help(format!("put a space on both sides of `{operator}`")),
    )
}

#[cfg(test)]
mod tests {
    use crate::ipxe::lint::testing::{found, messages};

    #[test]
    fn a_file_without_the_first_line_is_no_script() {
        let expected = ["error: iPXE takes this for no script: it does not begin with `#!ipxe`"];
        assert_eq!(messages("echo hello\n"), expected);
        assert_eq!(messages("\n#!ipxe\nboot\n"), expected);
    }

    #[test]
    fn a_backslash_at_the_end_of_the_file_is_found() {
        let text = "#!ipxe\nkernel --timeout 9 http://m/k a\nboot\n#\\";
        assert!(messages(text)[0].starts_with("warning: `--timeout 9`"));
        assert!(messages(text)[1].starts_with("error: a `\\` at the end of the file"));
    }

    #[test]
    fn arguments_behind_a_hash_are_lost() {
        assert_eq!(
            found("kernel --timeout 9000 http://m/k a #1 b"),
            ["error: `#1` begins with `#`, so iPXE ignores it and the rest of the line"]
        );
        assert_eq!(
            found("set channel irc#flatcar # with a comment\necho ${channel} #1"),
            [""; 0]
        );
    }

    #[test]
    fn operators_need_spaces() {
        assert_eq!(
            found("isset ${config-url} ||exit 1"),
            ["error: `||exit` is one word to iPXE, not `||`"]
        );
        assert_eq!(
            found("isset ${config-url} || exit 1\necho wait||see\nset u http://a/?b&&c"),
            [""; 0]
        );
    }
}
