//! `${name}` that nobody sets. iPXE puts nothing in its place and goes on.

use std::collections::HashSet;

use super::{Body, PROLOGUE};
use crate::diagnostic::Diagnostic;
use crate::ipxe::expand::references;
use crate::ipxe::read::{Command, Token};
use crate::ipxe::settings::is_builtin;

pub(super) fn check(body: &Body) -> Vec<Diagnostic> {
    let set: Vec<&str> = body
        .script
        .commands()
        .filter_map(|(_, command)| sets(command))
        .collect();
    // `set mirror${n}` may set anything.
    let any = set.iter().any(|name| name.contains("${"));
    let known: HashSet<&str> = set
        .into_iter()
        .chain(PROLOGUE.iter().copied())
        .chain(body.settings.keys().map(String::as_str))
        .collect();
    let mut found = Vec::new();
    for word in body
        .script
        .commands()
        .flat_map(|(_, command)| &command.words)
    {
        let (names, unclosed) = references(&word.text);
        if unclosed {
            found.push(
                Diagnostic::error("this `${` is never closed, so iPXE takes it as it stands")
                    .at(body.source, word.span.clone())
                    .help("write `${name}`; a name can't hold a space"),
            );
        }
        let unset = names
            .iter()
            .filter(|name| !any && !known.contains(name.as_str()) && !is_builtin(name));
        found.extend(unset.map(|name| unknown(body, word, name)));
    }
    found
}

fn unknown(body: &Body, word: &Token, name: &str) -> Diagnostic {
    // A word may be long: mark the reference itself, where it stands in one piece.
    let start = body.source.text[word.span.clone()].find(&format!("${{{name}"));
    let span = start.map_or(word.span.clone(), |start| {
        let start = word.span.start + start;
        start..start + "${".len() + name.len()
    });
    Diagnostic::warning(format!("nothing sets `{name}`, so iPXE puts nothing in its place"))
        .at(body.source, span)
        .help("the stick sets `node`, `config-url` and `script-url`; anything else needs a `set` in this script")
}

/// The setting that a command sets, without its type.
fn sets(command: &Command) -> Option<&str> {
    let name = command.name()?.text.as_str();
    let setting = match name {
        "set" | "inc" | "read" => {
            &command
                .args()
                .iter()
                .find(|arg| !arg.text.starts_with('-'))?
                .text
        }
        "choose" => &command.args().last()?.text,
        _ => {
            let option = command.args().iter().position(|arg| arg.text == "--set")?;
            &command.args().get(option + 1)?.text
        }
    };
    Some(setting.split_once(':').map_or(setting, |(name, _)| name))
}

#[cfg(test)]
mod tests {
    use crate::ipxe::lint::testing::found;

    #[test]
    fn a_setting_that_nothing_sets_is_a_warning() {
        assert_eq!(
            found("echo ${configurl:uristring}"),
            ["warning: nothing sets `configurl`, so iPXE puts nothing in its place"]
        );
    }

    #[test]
    fn what_the_stick_the_script_or_ipxe_sets_is_known() {
        assert_eq!(
            found(
                "set a:int32 1\ninc b\necho ${node} ${script-url} ${a} ${b} ${net0/mac:hexhyp} ${ip} ${175.178} $x"
            ),
            [""; 0]
        );
        assert_eq!(found("set n 0\nset m${n} x\necho ${m${n}} ${m0}"), [""; 0]);
    }

    #[test]
    fn a_reference_must_be_closed() {
        assert_eq!(
            found("echo ${node"),
            ["error: this `${` is never closed, so iPXE takes it as it stands"]
        );
    }
}
