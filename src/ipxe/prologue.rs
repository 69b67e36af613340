//! The script on the stick: it brings up the network and hands over to the body in git, or, where git fails, to the
//! copy of the body that follows in the same file. Its first form: DHCP on every card.
//!
//! The copy is no file of its own: an iPXE that drives the USB controller itself, as 2.0 does, has taken the stick
//! away from the firmware by then, and `file:` finds nothing (seen with Debian's 2.0.0 and a drive behind xHCI). A
//! BIOS loader gets one file at all.

use super::read::{Line, Script, When, read};

/// What the script is told.
#[derive(Clone, Copy, Debug)]
pub struct Prologue<'a> {
    /// The node's name.
    pub node: &'a str,
    /// Where the node's config is.
    pub config_url: &'a str,
    /// Where the body is in git; `None` where only the copy counts.
    pub script_url: Option<&'a str>,
    /// The body.
    pub body: &'a str,
}

/// How long a server may say nothing, in milliseconds.
const TIMEOUT: u32 = 20_000;

/// How long it waits before it tries again: at first, how much longer each time, and at the most. In seconds.
const WAIT: (u32, u32, u32) = (5, 5, 60);

impl Prologue<'_> {
    /// The text without the copy of the body, which may be an old one: by this two sticks are compared.
    #[must_use]
    pub fn write_alone(&self) -> String {
        Prologue { body: "", ..*self }.write()
    }

    /// The text of `autoexec.ipxe`.
    #[must_use]
    pub fn write(&self) -> String {
        let Self {
            node,
            config_url,
            script_url,
            body,
        } = self;
        let (first, longer, longest) = WAIT;
        let own = own_names(body);
        let (set_url, hand_over) = match script_url {
            Some(url) => (
                format!("set script-url {url}\n"),
                format!(
                    "echo Ephemeros: fetching the boot script from ${{script-url}}\n\
                     chain --autofree --timeout {TIMEOUT} ${{script-url}} ||\n\
                     echo Ephemeros: it can't be had, or nothing that it names can be.\n\
                     echo Ephemeros: Is its server up, and is everything pushed?\n\
                     echo Ephemeros: now the copy on this stick\n"
                ),
            ),
            None => (
                String::new(),
                "echo Ephemeros: starting the boot script on this stick\n".to_owned(),
            ),
        };
        let copy = inline(body, &format!("{own}_failed"));
        format!(
            "#!ipxe\n\
             \n\
             # Made by ephemeros for this stick. It fetches the boot script, which says what to boot.\n\
             set node {node}\n\
             set config-url {config_url}\n\
             {set_url}\
             set {own}_wait:int16 {first}\n\
             \n\
             echo\n\
             echo Ephemeros: the stick of ${{node}}\n\
             :{own}_start\n\
             echo Ephemeros: asking for an address by DHCP, on every card\n\
             dhcp || goto {own}_no_network\n\
             {hand_over}\
             goto {own}_copy\n\
             \n\
             :{own}_no_network\n\
             echo Ephemeros: no card got an address.\n\
             echo Ephemeros: Is a cable plugged in, and does anything answer DHCP there?\n\
             goto {own}_again\n\
             \n\
             :{own}_failed\n\
             echo Ephemeros: nothing booted\n\
             :{own}_again\n\
             echo Ephemeros: trying again in ${{{own}_wait}} s\n\
             sleep ${{{own}_wait}}\n\
             iseq ${{{own}_wait}} {longest} || inc {own}_wait {longer}\n\
             goto {own}_start\n\
             \n\
             # The boot script as it was when this stick was made. Its ends lead back up.\n\
             :{own}_copy\n\
             {copy}\
             goto {own}_failed\n"
        )
    }
}

/// What the names of our labels and settings begin with: nothing that stands in the body.
fn own_names(body: &str) -> String {
    let mut own = "stick".to_owned();
    while body.contains(&format!("{own}_")) {
        own.push('_');
    }
    own
}

/// A script as a part of another one: wherever it would end, it goes on at a label.
fn inline(text: &str, end: &str) -> String {
    let script = read(text);
    let lines = script.lines.iter();
    lines.map(|line| inline_line(&script, line, end)).collect()
}

fn inline_line(script: &Script, line: &Line, end: &str) -> String {
    let mut words = Vec::new();
    if let Some(label) = &line.label {
        words.push(format!(":{}", label.text));
    }
    for (number, command) in line.commands.iter().enumerate() {
        if number > 0 {
            words.push(separator(command.when).to_owned());
        }
        match command.name() {
            Some(name) if name.text == "exit" => words.push(format!("goto {end}")),
            _ => words.extend(command.words.iter().map(|word| word.text.clone())),
        }
    }
    if may_fail(script, line) {
        words.push(format!("|| goto {end}"));
    }
    if words.is_empty() {
        return String::new();
    }
    words.join(" ") + "\n"
}

/// Whether a line can fail, which would end the whole script.
fn may_fail(script: &Script, line: &Line) -> bool {
    let Some(last) = line.commands.last() else {
        return false;
    };
    let Some(name) = last.name() else {
        // An empty command succeeds.
        return false;
    };
    let leaves = match name.text.as_str() {
        "exit" => true,
        "goto" => matches!(last.args(), [label] if script.find_label(&label.text).is_some()),
        _ => false,
    };
    let is_alone = line.commands.len() == 1;
    let is_safe = leaves || name.text == "echo";
    !(is_alone && is_safe || last.when == When::Failed && leaves)
}

fn separator(when: When) -> &'static str {
    match when {
        When::Always => ";",
        When::Succeeded => "&&",
        When::Failed => "||",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::diagnostic::fold;
    use crate::ipxe::builtin::tests::flatcar;
    use crate::ipxe::{End, Run, lint, run};
    use crate::source::Source;

    const IN_GIT: Option<&str> = Some("https://git.example/ipxe/n1.ipxe");

    fn prologue(script_url: Option<&str>, body: &str) -> String {
        let prologue = Prologue {
            node: "n1",
            config_url: "https://git.example/ignition/n1.ign",
            script_url,
            body,
        };
        prologue.write()
    }

    fn ran(text: &str, fails: &dyn Fn(usize) -> bool) -> Run {
        run(&read(text), &BTreeMap::new(), fails)
    }

    fn fetched(run: &Run) -> Vec<&str> {
        run.fetches.iter().map(|fetch| fetch.url.as_str()).collect()
    }

    #[test]
    fn hands_over_to_git() {
        let run = ran(&prologue(IN_GIT, &flatcar(None)), &|_| false);
        assert_eq!(run.end, End::Leaves("chain".into()));
        assert_eq!(fetched(&run), ["https://git.example/ipxe/n1.ipxe"]);
    }

    #[test]
    fn boots_by_its_copy_where_git_fails() {
        let run = ran(&prologue(IN_GIT, &flatcar(None)), &|fetch| fetch == 0);
        let cmdline = run.cmdline().unwrap_or_default();
        assert!(cmdline.contains("ignition.config.url=https://git.example/ignition/n1.ign "));
        assert!(cmdline.contains(" sshkey=\"ssh-ed25519 AAAA me\""));
        assert_eq!(run.fetches.len(), 3);
    }

    #[test]
    fn never_asks_git_where_the_script_stands_on_the_stick() {
        let run = ran(&prologue(None, &flatcar(None)), &|_| false);
        assert!(matches!(run.end, End::Boots(_)));
        assert_eq!(
            fetched(&run)[0],
            "http://10.0.0.2/flatcar/flatcar_production_pxe.vmlinuz"
        );
    }

    #[test]
    fn tries_again_for_ever_and_ever_more_slowly() {
        let text = prologue(IN_GIT, &flatcar(None));
        let run = ran(&text, &|_| true);
        assert_eq!(run.end, End::Endless);
        let waits: Vec<&str> = run
            .screen
            .iter()
            .filter_map(|line| line.strip_prefix("Ephemeros: trying again in "))
            .take(14)
            .collect();
        assert_eq!(waits[..3], ["5 s", "10 s", "15 s"]);
        assert_eq!(waits[11..], ["60 s", "60 s", "60 s"]);
        // What can be had at last is taken.
        let run = ran(&text, &|fetch| fetch < 9);
        assert_eq!(run.end, End::Leaves("chain".into()));
    }

    #[test]
    fn no_end_of_the_body_ends_the_stick() {
        for body in [
            "#!ipxe\nexit 1\n",
            "#!ipxe\nexit\n",
            "#!ipxe\necho a && exit 0 || exit 1\n",
            "#!ipxe\nisset ${no} && exit\n",
            "#!ipxe\nisset ${no} && echo a\n",
            "#!ipxe\nisset ${no} ; isset ${no} || exit\n",
            "#!ipxe\nisset ${no} || goto nowhere\n",
            "#!ipxe\nset x y ; iseq ${x} z # no comment\nset wrong way\n",
            "#!ipxe\n:a goto b\n:b isset ${nothing}\n",
            "#!ipxe\ngoto nowhere\n",
            "#!ipxe\n",
        ] {
            let run = ran(&prologue(None, body), &|_| false);
            assert_eq!(run.end, End::Endless, "{body}");
            assert!(
                run.screen
                    .contains(&"Ephemeros: trying again in 10 s".to_owned())
            );
        }
        let run = ran(
            &prologue(None, "#!ipxe\nisset ${no} ||\nkernel a\nboot\n"),
            &|_| false,
        );
        assert!(matches!(run.end, End::Boots(_)));
    }

    #[test]
    fn labels_of_the_body_stay_its_own() {
        let body = "#!ipxe\ngoto stick_start\n:stick_start\nkernel k\nboot\n";
        let run = ran(&prologue(None, body), &|_| false);
        assert!(matches!(run.end, End::Boots(_)), "{:?}", run.end);
    }

    #[test]
    fn lint_finds_nothing_in_it_but_that_it_never_gives_up() {
        for script_url in [IN_GIT, None] {
            let text = prologue(script_url, &flatcar(None));
            let source = Source::file("autoexec.ipxe", text);
            let found = fold(lint(&source, &BTreeMap::new()));
            let found: Vec<&str> = found
                .iter()
                .map(|it| it.diagnostic.message.as_str())
                .collect();
            assert_eq!(
                found,
                ["the script never ends when a fetch fails, or a setting refers to itself"]
            );
        }
    }
}
