//! What would go wrong with a boot script's body. One file of rules each, with the cases that break and that
//! keep them.

mod boots;
mod commands;
mod ends;
mod fetches;
mod labels;
mod quotes;
mod runs;
mod settings;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::read::{Script, read};
use crate::diagnostic::Diagnostic;
use crate::source::Source;

use runs::Runs;

pub use boots::MAX_CMDLINE;

/// What the script on the stick has set before it chains to the body.
const PROLOGUE: &[&str] = &["node", "config-url", "script-url"];

/// What every rule looks at.
struct Body<'a> {
    source: &'a Arc<Source>,
    script: Script,
    settings: &'a BTreeMap<String, String>,
    runs: Runs,
}

/// Checks a rendered body. `settings` are those with which the body starts, as far as they are known: `node`,
/// `config-url`, `script-url`. The result is in the order of the text.
#[must_use]
pub fn lint(source: &Arc<Source>, settings: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let script = read(&source.text);
    if !script.has_magic {
        // Nothing below is true of a file that iPXE doesn't take for a script.
        return vec![words::no_magic(source)];
    }
    let runs = Runs::of(&script, settings);
    let body = Body {
        source,
        script,
        settings,
        runs,
    };
    let rules = [
        words::check,
        commands::check,
        labels::check,
        quotes::check,
        settings::check,
        fetches::check,
        boots::check,
    ];
    let mut found: Vec<Diagnostic> = rules.iter().flat_map(|rule| rule(&body)).collect();
    if !found.iter().any(Diagnostic::is_error) {
        // A command that isn't read as it was meant leads elsewhere; that would only be an echo.
        found.extend(ends::check(&body));
    }
    found.sort_by_key(|one| one.labels.first().map(|label| label.span.start));
    found
}

#[cfg(test)]
mod testing {
    use super::{Diagnostic, Source, lint};

    /// What lint says of a body that would boot but for the lines put into it, without the labels' places.
    pub(super) fn found(lines: &str) -> Vec<String> {
        messages(&format!(
            "#!ipxe\n{lines}\nkernel --timeout 9000 http://m/vmlinuz initrd=i.img u=${{config-url}} || exit 1\n\
             initrd --timeout 9000 http://m/i.img || exit 1\nboot\n"
        ))
    }

    /// What lint says of a whole body: `error: message`, in order.
    pub(super) fn messages(text: &str) -> Vec<String> {
        let settings = [("config-url".to_owned(), "https://g/n1.ign".to_owned())].into();
        let source = Source::file("boot.ipxe", text);
        let found = lint(&source, &settings);
        for one in &found {
            assert!(one.help.is_some(), "no help: {}", one.message);
            assert!(source.text.get(one.labels[0].span.clone()).is_some());
        }
        found.iter().map(said).collect()
    }

    fn said(one: &Diagnostic) -> String {
        let severity = if one.is_error() { "error" } else { "warning" };
        format!("{severity}: {}", one.message)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::messages;

    #[test]
    fn flatcars_own_recipe_lacks_nothing_but_a_time_limit() {
        let recipe = "#!ipxe\n\
            set base-url http://stable.release.flatcar-linux.net/amd64-usr/current\n\
            kernel ${base-url}/flatcar_production_pxe.vmlinuz initrd=flatcar_production_pxe_image.cpio.gz \
            flatcar.first_boot=1 ignition.config.url=https://example.com/pxe-config.ign\n\
            initrd ${base-url}/flatcar_production_pxe_image.cpio.gz\n\
            boot\n";
        assert_eq!(
            messages(recipe),
            [
                "warning: `kernel` waits for ever when the server stops answering",
                "warning: `initrd` waits for ever when the server stops answering",
            ]
        );
    }

    #[test]
    fn a_loop_over_mirrors_is_fine() {
        let text = "#!ipxe\n\
            set mirror0 http://a\nset mirror1 http://b\nset n:int8 0\n\
            :next\nset base ${mirror${n}}\nisset ${base} || goto failed\ninc n\nimgfree\n\
            kernel --timeout 9000 ${base}/k initrd=i || goto next\n\
            initrd --timeout 9000 ${base}/i || goto next\n\
            boot || goto next\n\
            :failed\necho \"it's over\"; # really\nexit 1\n";
        assert_eq!(messages(text), [""; 0]);
    }

    #[test]
    fn any_bytes_are_survived() {
        for text in [
            "",
            "#!ipxe",
            "#!ipxe\n",
            "#!ipxe\n:\n",
            "#!ipxe\n|| && ;",
            "#!ipxe\nkernel",
        ] {
            let _ = messages(text);
        }
        let _ = messages("#!ipxe\nkernel --name\nkernel \"é 'ü ${${ }\u{1}\u{0}\\\n\\");
    }
}
