//! Quotes. iPXE passes them on like any other character. Linux honours `"` in its command line, so there
//! they are right; everywhere else they become part of a value, a URL or a comparison.

use super::Body;
use super::words::says;
use crate::diagnostic::Diagnostic;
use crate::ipxe::commands;
use crate::ipxe::image::image_args;
use crate::ipxe::read::{Command, Token};

pub(super) fn check(body: &Body) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (_, command) in body.script.commands() {
        if says(command.name()) {
            continue;
        }
        let (plain, kernel_args) = split(command);
        found.extend(plain.iter().filter_map(|word| literal(body, word)));
        found.extend(for_linux(body, kernel_args));
    }
    found
}

/// The words that iPXE itself makes use of, and those that may go to Linux.
fn split(command: &Command) -> (&[Token], &[Token]) {
    let name = command.name().map_or("", |name| name.text.as_str());
    let own = match name {
        "set" | "imgargs" => 2,
        _ if commands::is_kernel(name) || matches!(name, "boot" | "imgexec" | "chain") => {
            let texts: Vec<&str> = command.args().iter().map(|arg| arg.text.as_str()).collect();
            let rest = image_args(&texts).map_or(0, |args| args.rest.len());
            (command.words.len() + 1).saturating_sub(rest)
        }
        _ => command.words.len(),
    };
    command.words.split_at(own.min(command.words.len()))
}

fn literal(body: &Body, word: &Token) -> Option<Diagnostic> {
    let quote = [word.text.chars().next()?, word.text.chars().last()?]
        .into_iter()
        .find(|char| matches!(char, '"' | '\''))?;
    Some(
        Diagnostic::warning(format!(
            "iPXE knows no quotes: `{quote}` becomes part of the word"
        ))
        .at(body.source, word.span.clone())
        .help("leave the quotes out; an empty or spaced value needs none"),
    )
}

fn for_linux(body: &Body, words: &[Token]) -> Option<Diagnostic> {
    let (first, last) = (words.first()?, words.last()?);
    let all = first.span.start..last.span.end;
    if is_wrapped(first, last) {
        return Some(
            Diagnostic::warning("iPXE knows no quotes: these become part of the value")
                .at(body.source, all)
                .help("leave the quotes out; a value may hold spaces without them"),
        );
    }
    let mut open: Option<&Token> = None;
    for (index, word) in words.iter().enumerate() {
        let before = open;
        for quote in word.text.chars().filter(|char| matches!(char, '"' | '\'')) {
            match (quote, open) {
                ('"', None) => open = Some(word),
                ('"', Some(_)) => open = None,
                ('\'', None) => return Some(single(body, word)),
                _ => {}
            }
        }
        let previous = index.checked_sub(1).and_then(|index| words.get(index));
        if let (Some(start), Some(previous)) = (before, previous) {
            let gap = previous.span.end..word.span.start;
            if body.source.text[gap.clone()] != *" " {
                return Some(
                    Diagnostic::warning("iPXE turns this space between quotes into a single one")
                        .label(body.source, gap, "")
                        .label(body.source, start.span.clone(), "the quotes open here")
                        .help("write a single space, or a form of the value that has none"),
                );
            }
        }
    }
    open.map(|word| {
        Diagnostic::warning("this quote is never closed, so Linux takes the rest for one argument")
            .at(body.source, word.span.clone())
            .help("close it in the same command")
    })
}

/// `"a b"` as a whole, which nobody means for Linux.
fn is_wrapped(first: &Token, last: &Token) -> bool {
    ['"', '\''].into_iter().any(|quote| {
        let long_enough = first != last || first.text.len() > 1;
        first.text.starts_with(quote) && last.text.ends_with(quote) && long_enough
    })
}

fn single(body: &Body, word: &Token) -> Diagnostic {
    Diagnostic::warning("neither iPXE nor Linux knows `'` as a quote")
        .at(body.source, word.span.clone())
        .help("Linux takes `\"`: write `name=\"a value\"`")
}

#[cfg(test)]
mod tests {
    use crate::ipxe::lint::testing::found;

    fn with_args(args: &str) -> Vec<String> {
        found(&format!("kernel --timeout 9000 http://m/k {args}\nimgfree"))
    }

    #[test]
    fn linux_may_have_its_double_quotes() {
        assert_eq!(
            with_args(r#"sshkey="ssh-ed25519 AAAA me@desk" ip=::::"n'1":eno1"#),
            [""; 0]
        );
        assert_eq!(found(r#"set args sshkey="ssh-rsa AAAA o'neil""#), [""; 0]);
        assert_eq!(found("echo \"it's\" 'fine'"), [""; 0]);
    }

    #[test]
    fn quotes_in_what_ipxe_itself_reads_are_found() {
        let literal =
            |quote| format!("warning: iPXE knows no quotes: `{quote}` becomes part of the word");
        assert_eq!(found(r#"isset "${config-url}" || exit 1"#), [literal('"')]);
        assert_eq!(found("iseq ${node} 'n1' ||"), [literal('\'')]);
        assert_eq!(
            found(r#"set motd "hello there""#),
            ["warning: iPXE knows no quotes: these become part of the value"]
        );
    }

    #[test]
    fn quotes_that_linux_reads_otherwise_are_found() {
        assert_eq!(
            with_args("a='b c'"),
            ["warning: neither iPXE nor Linux knows `'` as a quote"]
        );
        assert_eq!(
            with_args("a=\"b  c\""),
            ["warning: iPXE turns this space between quotes into a single one"]
        );
        assert_eq!(
            with_args("a=\"b c"),
            ["warning: this quote is never closed, so Linux takes the rest for one argument"]
        );
    }
}
