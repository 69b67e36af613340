//! Time limits. A server that takes a connection and then says nothing holds iPXE for ever, unless
//! `--timeout` is given: milliseconds without any progress (`src/core/monojob.c` in iPXE).

use super::Body;
use crate::diagnostic::Diagnostic;
use crate::ipxe::commands;
use crate::ipxe::image::image_args;
use crate::ipxe::read::Command;

/// Nobody means less; who writes `--timeout 30` means seconds.
const MIN_TIMEOUT_MS: u64 = 1000;

pub(super) fn check(body: &Body) -> Vec<Diagnostic> {
    let commands = body.script.commands();
    commands
        .filter_map(|(_, command)| time_limit(body, command))
        .collect()
}

fn time_limit(body: &Body, command: &Command) -> Option<Diagnostic> {
    let name = command.name()?;
    if !commands::fetches(&name.text) {
        return None;
    }
    let args: Vec<&str> = command.args().iter().map(|arg| arg.text.as_str()).collect();
    let Some(args) = image_args(&args) else {
        return Some(
            Diagnostic::error(format!(
                "`{}` has no such option, or it lacks its value",
                name.text
            ))
            .at(body.source, command.span()?)
            .help("iPXE takes `--name`, `--timeout` and `--autofree` there, before the URL"),
        );
    };
    let local = args
        .rest
        .first()
        .is_none_or(|url| url.starts_with("file:") || !url.contains([':', '$']));
    match args.timeout.map(str::parse::<u64>) {
        None | Some(Ok(0)) if !local => Some(
            Diagnostic::warning(format!(
                "`{}` waits for ever when the server stops answering",
                name.text
            ))
            .at(body.source, name.span.clone())
            .help(format!(
                "write `{} --timeout 20000`: milliseconds without any progress",
                name.text
            )),
        ),
        Some(Ok(1..MIN_TIMEOUT_MS)) => Some(
            Diagnostic::warning(format!(
                "`--timeout {}` is less than a second",
                args.timeout?
            ))
            .at(body.source, name.span.clone())
            .help("`--timeout` is in milliseconds"),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::ipxe::lint::testing::found;

    #[test]
    fn a_fetch_without_a_limit_is_a_warning() {
        let expected = ["warning: `initrd` waits for ever when the server stops answering"];
        assert_eq!(found("initrd http://m/a || exit 1"), expected);
        assert_eq!(found("initrd --timeout 0 http://m/a || exit 1"), expected);
        assert_eq!(
            found("initrd -t20000 http://m/a || exit 1\ninitrd file:/a || exit 1"),
            [""; 0]
        );
    }

    #[test]
    fn a_limit_in_seconds_is_a_warning() {
        assert_eq!(
            found("initrd --timeout 30 http://m/a || exit 1"),
            ["warning: `--timeout 30` is less than a second"]
        );
    }

    #[test]
    fn options_that_there_are_not_are_errors() {
        assert_eq!(
            found("initrd --time 3000 http://m/a || echo no"),
            ["error: `initrd` has no such option, or it lacks its value"]
        );
    }
}
