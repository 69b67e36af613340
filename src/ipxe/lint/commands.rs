//! Commands that iPXE doesn't have, that few builds have, or that wait for somebody.

use super::Body;
use crate::diagnostic::Diagnostic;
use crate::ipxe::commands::{Kind, kind};
use crate::ipxe::read::{Line, Token};

pub(super) fn check(body: &Body) -> Vec<Diagnostic> {
    body.script
        .commands()
        .filter_map(|(line, command)| check_name(body, line, command.name()?))
        .collect()
}

fn check_name(body: &Body, line: &Line, name: &Token) -> Option<Diagnostic> {
    let text = &name.text;
    // Which command it is shows only when it runs.
    if text.contains("${") {
        return None;
    }
    let diagnostic = match kind(text) {
        Some(Kind::Usual) => return None,
        Some(Kind::Asks) => Diagnostic::error(format!("`{text}` waits for somebody at the keyboard"))
            .help("let the script fail instead: the script on the stick then says what to do, and offers a shell"),
        Some(Kind::Rare) => {
            Diagnostic::warning(format!("`{text}` is not in the iPXE that is usually installed"))
                .help("build iPXE with it for every stick, or do without; where it is missing, it fails")
        }
        Some(Kind::UefiOnly) => Diagnostic::warning(format!(
            "`{text}` is in UEFI builds of iPXE 2.0 and newer, but not in stock BIOS ones"
        ))
        .help("ask `iseq ${platform} efi` first, or make the sticks for `uefi` alone"),
        None => unknown(line, name),
    };
    Some(diagnostic.at(body.source, name.span.clone()))
}

fn unknown(line: &Line, name: &Token) -> Diagnostic {
    let text = &name.text;
    let first = line.commands.first().and_then(|command| command.name());
    if first == Some(name) {
        Diagnostic::error(format!("iPXE has no command `{text}`"))
            .help("iPXE's commands are listed at https://ipxe.org/cmd; they are in lower case")
    } else {
        Diagnostic::error(format!(
            "iPXE has no command `{text}`: a `;`, `&&` or `||` before it ends the command"
        ))
        .help("iPXE splits a line at these three wherever they stand alone: write them without spaces around them")
    }
}

#[cfg(test)]
mod tests {
    use crate::ipxe::lint::testing::found;

    #[test]
    fn unknown_commands_are_errors() {
        assert_eq!(
            found("wget http://m/k || echo no"),
            ["error: iPXE has no command `wget`"]
        );
        assert_eq!(
            found("set motd hello ; world || echo no"),
            ["error: iPXE has no command `world`: a `;`, `&&` or `||` before it ends the command"]
        );
        assert_eq!(
            found("set cmd echo\n${cmd} hello\n:x echo y || goto x"),
            [""; 0]
        );
    }

    #[test]
    fn commands_that_ask_are_errors() {
        assert_eq!(
            found("prompt --timeout 5000 press a key ||"),
            ["error: `prompt` waits for somebody at the keyboard"]
        );
        assert_eq!(found("echo prompt"), [""; 0]);
    }

    #[test]
    fn commands_that_few_builds_have_are_warnings() {
        assert_eq!(
            found("imgverify a b ||"),
            ["warning: `imgverify` is not in the iPXE that is usually installed"]
        );
        assert_eq!(
            found("sha512sum a ||"),
            [
                "warning: `sha512sum` is in UEFI builds of iPXE 2.0 and newer, but not in stock BIOS ones"
            ]
        );
        assert_eq!(found("ntp pool.ntp.org ||\nroute"), [""; 0]);
    }
}
