//! What another boot script comes to on the machine: another system, another kernel command line, and what else is
//! another line.

use std::collections::BTreeMap;
use std::ops::Range;

use super::change::{self, Change, Kind};
use crate::ignition::Entry;
use crate::ipxe::{self, Boot, End, Script};
use crate::os::{Release, Server};
use crate::render::rendered::{Rendered, config_digest};

/// What the body of the boot script is called.
const SCRIPT: &str = "boot script";

/// What it starts.
const SYSTEM: &str = "operating system";

/// What that is told.
const CMDLINE: &str = "kernel command line";

// Each stands for something that is told elsewhere, or that is no news.
const DIGEST: &str = "<config-digest>";
const CONFIG_URL: &str = "<config-url>";
const SCRIPT_URL: &str = "<script-url>";
const ARGUMENTS: &str = "<kernel command line>";

/// So many servers, at the most.
const SERVERS: usize = 16;

/// Whether it is the boot script by which a thing changes.
pub(super) fn is_of_script(change: &Change) -> bool {
    [SCRIPT, SYSTEM, CMDLINE].contains(&change.subject.as_str())
}

/// What changes by another boot script. `config` and `before` are what nodes fetch now. The script names the config's
/// digest, which differs whenever the config does: that alone is no news.
pub(super) fn changes(config: Option<&str>, before: Option<&str>, node: &Rendered) -> Vec<Change> {
    let mut new = node.script.text.clone();
    let Some(before) = before else {
        return vec![lines(Kind::Added, "", &new)];
    };
    let mut old = before.to_owned();
    if let Some(digest) = config.map(config_digest)
        && old.contains(&digest)
    {
        old = old.replace(&digest, DIGEST);
        new = new.replace(&config_digest(&node.ignition), DIGEST);
    }
    if old == new {
        return Vec::new();
    }
    let meaning = |text| Meaning::of(text, &node.node);
    let (Some(before), Some(after)) = (meaning(&old), meaning(&new)) else {
        return vec![lines(Kind::Changed, &old, &new)];
    };
    let mut changes = change::between(&before.things, &after.things);
    let has_other_servers = before.servers != after.servers;
    let is_told = before.rest == after.rest
        || has_other_servers && skeleton(&before.rest) == skeleton(&after.rest);
    if !is_told {
        changes.insert(0, lines(Kind::Changed, &before.rest, &after.rest));
    }
    changes
}

fn lines(kind: Kind, before: &str, after: &str) -> Change {
    Change {
        subject: SCRIPT.to_owned(),
        kind,
        attributes: Vec::new(),
        diff: change::unified(before, after),
    }
}

/// What a script does, as far as that can be told without the machine.
struct Meaning {
    /// The system and its command line.
    things: BTreeMap<String, Entry>,
    /// How many servers it tries.
    servers: usize,
    /// The script, with what is told by the things replaced by a word for it.
    rest: String,
}

impl Meaning {
    /// `None` where the script starts nothing, asks the machine what to start, or starts with other arguments from another
    /// server.
    fn of(text: &str, node: &str) -> Option<Self> {
        let script = ipxe::read(text);
        let boots = boots(&script, node)?;
        let systems: Option<Vec<System>> = boots.iter().map(System::of).collect();
        let systems = systems?;
        let first = systems.first()?;
        let is_same = |other: &System| {
            (&other.cmdline, &other.kernel, &other.initrds)
                == (&first.cmdline, &first.kernel, &first.initrds)
        };
        if !systems.iter().all(is_same) {
            return None;
        }
        let cmdline = first
            .cmdline
            .iter()
            .fold(String::new(), |all, it| all + it + "\n");
        let cmdline = Entry {
            contents: Some(cmdline.into_bytes()),
            ..Entry::default()
        };
        let things = [
            (
                SYSTEM,
                Entry {
                    attributes: attributes(&systems),
                    contents: None,
                },
            ),
            (CMDLINE, cmdline),
        ];
        Some(Self {
            things: things.map(|(name, entry)| (name.to_owned(), entry)).into(),
            servers: systems.len(),
            rest: rest(text, &script, &boots, &systems),
        })
    }
}

/// What the script starts, server by server: each counts as down once.
fn boots(script: &Script, node: &str) -> Option<Vec<Boot>> {
    let settings = [
        ("node", node),
        ("config-url", CONFIG_URL),
        ("script-url", SCRIPT_URL),
    ];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings = BTreeMap::from(settings);
    let mut boots: Vec<Boot> = Vec::new();
    for failing in 0..SERVERS {
        let run = ipxe::run(script, &settings, &|fetch| fetch < failing);
        if run.guessed {
            return None;
        }
        if let End::Boots(boot) = run.end {
            if !boots.iter().any(|it| it.kernel.url == boot.kernel.url) {
                boots.push(boot);
            }
        } else if run.fetches.len() <= failing {
            // More that fail change nothing.
            break;
        }
    }
    Some(boots)
}

/// A system on one server.
struct System {
    /// The base URL of its files.
    base: String,
    /// What that says.
    located: Option<(Release, Server)>,
    /// The names of its files.
    kernel: String,
    initrds: Vec<String>,
    /// Without what follows from the files.
    cmdline: Vec<String>,
}

impl System {
    /// `None` where its files don't stand beside each other.
    fn of(boot: &Boot) -> Option<Self> {
        let (base, kernel) = boot.kernel.url.rsplit_once('/')?;
        let initrds: Option<Vec<String>> = boot
            .initrds
            .iter()
            .map(|it| Some(it.url.strip_prefix(base)?.strip_prefix('/')?.to_owned()))
            .collect();
        let located = Release::located(base);
        let rootfs = located.as_ref().and_then(|(it, _)| it.files().rootfs);
        let rootfs = rootfs.map(|file| format!("coreos.live.rootfs_url={base}/{file}"));
        let follows = |word: &str| {
            word.is_empty()
                || rootfs.as_deref() == Some(word)
                || word.strip_prefix("ephemeros.config=") == Some(DIGEST)
                || word
                    .strip_prefix("initrd=")
                    .is_some_and(|name| boot.initrds.iter().any(|it| it.name == name))
        };
        let words = boot.kernel.cmdline.split(' ');
        Some(Self {
            base: base.to_owned(),
            located,
            kernel: kernel.to_owned(),
            initrds: initrds?,
            cmdline: words
                .filter(|word| !follows(word))
                .map(str::to_owned)
                .collect(),
        })
    }

    /// The names that its files have by their release, where they have them.
    fn usual_names(&self) -> Option<[(String, &'static str); 2]> {
        let files = self.located.as_ref()?.0.files();
        let is_usual = self.kernel == files.kernel && self.initrds == [files.initrd.as_str()];
        is_usual.then_some([(files.kernel, "<kernel>"), (files.initrd, "<initrd>")])
    }

    fn argument(&self, name: &str) -> Option<&str> {
        self.cmdline.iter().find_map(|it| it.strip_prefix(name))
    }
}

/// What is told of the system: the release by the keys of `[os]`, and what does not follow from it.
fn attributes(systems: &[System]) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    let Some(first) = systems.first() else {
        return attributes;
    };
    let mut add = |name: &str, value: String| {
        attributes.insert(name.to_owned(), value);
    };
    let release = first.located.as_ref().map(|(release, _)| release);
    if let Some(release) = release {
        add("distro", release.distro.to_string());
        add("channel", release.channel.clone());
        add("version", release.version.clone());
        add("arch", release.arch.to_string());
    }
    let servers = systems.iter().map(|system| match &system.located {
        Some((it, Server::Own)) if Some(it) == release => "the distribution's own\n".to_owned(),
        Some((it, Server::Mirror(mirror))) if Some(it) == release => format!("{mirror}\n"),
        _ => format!("{}\n", system.base),
    });
    add("servers", servers.collect());
    if first.usual_names().is_none() {
        add("kernel", first.kernel.clone());
        let initrds = first.initrds.iter().map(|it| format!("{it}\n"));
        add("initrds", initrds.collect());
    }
    attributes
}

/// The script without what is told elsewhere.
fn rest(text: &str, script: &Script, boots: &[Boot], systems: &[System]) -> String {
    let mut rest = text.to_owned();
    let mut told: Vec<Range<usize>> = boots
        .iter()
        .filter_map(|boot| arguments(script, boot))
        .collect();
    told.sort_by_key(|range| std::cmp::Reverse(range.start));
    told.dedup();
    for range in told {
        rest.replace_range(range, ARGUMENTS);
    }
    let mut names: Vec<(String, String)> = Vec::new();
    for (number, system) in systems.iter().enumerate() {
        names.push((system.base.clone(), format!("<server {}>", number + 1)));
        let files = system.usual_names().into_iter().flatten();
        names.extend(files.map(|(file, name)| (file, name.to_owned())));
        for (argument, name) in [
            ("ignition.config.url=", CONFIG_URL),
            ("ephemeros.config=", DIGEST),
        ] {
            let value = system.argument(argument).filter(|value| *value != name);
            names.extend(value.map(|value| (value.to_owned(), name.to_owned())));
        }
    }
    // One may be the beginning of another.
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    for (name, word) in names.iter().filter(|(name, _)| !name.is_empty()) {
        rest = rest.replace(name, word);
    }
    rest.replace(&format!("set config-url {CONFIG_URL}\n"), "")
}

/// Where the kernel's arguments stand.
fn arguments(script: &Script, boot: &Boot) -> Option<Range<usize>> {
    let kernel = &boot.kernel;
    let mut commands = script.commands().map(|(_, command)| command);
    let command = commands.find(|it| it.span().as_ref() == Some(&kernel.span))?;
    let first = command.words.len().checked_sub(kernel.words)?;
    let words = command.words.get(first..)?;
    Some(words.first()?.span.start..words.last()?.span.end)
}

/// The lines of a script in which what is done for one server after the other stands once.
fn skeleton(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(without_numbers).collect();
    let mut length = 1;
    while 2 * length <= lines.len() {
        let mut at = 0;
        while at + 2 * length <= lines.len() {
            if lines[at..at + length] == lines[at + length..at + 2 * length] {
                lines.drain(at..at + length);
            } else {
                at += 1;
            }
        }
        length += 1;
    }
    lines
}

/// Without the numbers of servers and of labels.
fn without_numbers(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for char in line.chars() {
        let is_number =
            char.is_ascii_digit() && (text.ends_with('_') || text.ends_with("<server "));
        if !is_number {
            text.push(char);
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_for_each_server_counts_once() {
        let tries = |numbers: &[u32]| {
            let tries = numbers.iter().map(|it| {
                format!("imgfree\nkernel <server {it}>/k || goto next_{it}\nboot\n:next_{it}\n\n")
            });
            format!("#!ipxe\n\n{}exit 1\n", tries.collect::<String>())
        };
        let one = skeleton(&tries(&[1]));
        assert_eq!(skeleton(&tries(&[1, 2, 10])), one);
        assert_ne!(skeleton(&tries(&[1]).replace("boot", "boot -a")), one);
        let second = tries(&[1, 2]).replace("<server 2>/k", "<server 2>/other");
        assert_ne!(skeleton(&second), one);
        assert_eq!(
            without_numbers("kernel --timeout 20000 x_1"),
            "kernel --timeout 20000 x_"
        );
    }

    #[test]
    fn every_server_is_found_and_a_script_that_asks_the_machine_is_not_gone_through() {
        let found = |text: &str| {
            let boots = boots(&ipxe::read(text), "n1")?;
            Some(
                boots
                    .into_iter()
                    .map(|it| it.kernel.url)
                    .collect::<Vec<_>>(),
            )
        };
        let two = "#!ipxe\nkernel http://a/k x || goto b\ninitrd http://a/i || goto b\nboot ||\n\
                   :b\nimgfree\nkernel http://b/k x || exit 1\ninitrd http://b/i || exit 1\nboot\n";
        assert_eq!(found(two).unwrap(), ["http://a/k", "http://b/k"]);
        assert_eq!(found("#!ipxe\nexit 1\n").unwrap(), [""; 0]);
        let asks = two.replace("#!ipxe\n", "#!ipxe\nisset ${net0/mac} || exit 1\n");
        assert_eq!(found(&asks), None);
    }
}
