//! How the script ends: it starts something when all goes well, and says so when nothing does.

use std::ops::Range;

use super::Body;
use crate::diagnostic::Diagnostic;
use crate::ipxe::evaluate::{End, Run};

pub(super) fn check(body: &Body) -> Vec<Diagnostic> {
    let endless = body.runs.all().find(|run| run.end == End::Endless);
    if let Some(run) = endless {
        return vec![never_ends(body, run.span.clone())];
    }
    let found = [
        never_boots(body, &body.runs.good),
        never_fails(body, &body.runs.bad),
    ];
    found.into_iter().flatten().collect()
}

fn never_boots(body: &Body, run: &Run) -> Option<Diagnostic> {
    let message = match run.end {
        // The machine may know better than a guess.
        _ if run.guessed => return None,
        End::Fails => "the script fails here even when everything can be fetched",
        End::Succeeds => "the script ends here without starting anything",
        End::Boots(_) | End::Leaves(_) | End::Endless => return None,
    };
    Some(
        Diagnostic::error(message)
            .at(body.source, run.span.clone())
            .help("fetch a `kernel` and an `initrd`, then `boot`"),
    )
}

fn never_fails(body: &Body, run: &Run) -> Option<Diagnostic> {
    let at = |diagnostic: Diagnostic| diagnostic.at(body.source, run.span.clone());
    match &run.end {
        // Without any fetch it is no different from when all is well.
        _ if run.fetches.is_empty() => None,
        End::Succeeds => Some(
            at(Diagnostic::error("the script ends as if all were well when nothing can be fetched"))
                .help("end with `exit 1`, so that the script on the stick can take over"),
        ),
        End::Leaves(command) if matches!(command.as_str(), "reboot" | "poweroff") => Some(
            at(Diagnostic::warning(format!("the script ends in `{command}` when nothing can be fetched")))
                .help("end with `exit 1` instead: the script on the stick tries again, and says what is wrong"),
        ),
        _ => None,
    }
}

fn never_ends(body: &Body, span: Range<usize>) -> Diagnostic {
    Diagnostic::error("the script never ends when a fetch fails, or a setting refers to itself")
        .at(body.source, span)
        .help(
            "count the tries, and end with `exit 1`: the script on the stick tries again by itself",
        )
}

#[cfg(test)]
mod tests {
    use crate::ipxe::lint::testing::{found, messages};

    #[test]
    fn a_script_that_starts_nothing_is_found() {
        assert_eq!(
            messages("#!ipxe\necho hello\n"),
            ["error: the script ends here without starting anything"]
        );
        assert_eq!(
            messages("#!ipxe\nboot\n"),
            ["error: the script fails here even when everything can be fetched"]
        );
        // Whether this boots depends on the card.
        assert_eq!(
            found("iseq ${net0/mac} 52:54:00:12:34:56 || exit 1"),
            [""; 0]
        );
    }

    #[test]
    fn failure_must_be_told() {
        let text = |end: &str| {
            format!(
                "#!ipxe\nkernel --timeout 9000 http://m/k initrd=i.img || goto failed\n\
                 initrd --timeout 9000 http://m/i.img || goto failed\nboot\n:failed\n{end}\n"
            )
        };
        assert_eq!(
            messages(&text("exit")),
            ["error: the script ends as if all were well when nothing can be fetched"]
        );
        assert_eq!(
            messages(&text("reboot")),
            ["warning: the script ends in `reboot` when nothing can be fetched"]
        );
        assert_eq!(messages(&text("exit 1")), [""; 0]);
    }

    #[test]
    fn trying_for_ever_is_found() {
        let text = "#!ipxe\n:retry\nkernel --timeout 9000 http://m/k initrd=i.img || goto retry\n\
            initrd --timeout 9000 http://m/i.img || goto retry\nboot\n";
        assert_eq!(
            messages(text),
            ["error: the script never ends when a fetch fails, or a setting refers to itself"]
        );
    }
}
