//! The way to boot by the config on the stick, where no server has it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::TIMEOUT;
use crate::ipxe::evaluate::{End, run};
use crate::ipxe::image::{Boot, Image};
use crate::ipxe::read::read;

/// A config on the stick, and how the system takes it.
#[derive(Clone, Copy, Debug)]
pub struct OwnConfig<'a> {
    /// Its path on the stick.
    pub file: &'a str,
    /// Where the initrd has to have it.
    pub place: &'a str,
}

/// The kernel's arguments that name a config. They beat one in the initrd.
const NAMES_CONFIG: [&str; 3] = [
    "ignition.config.url=",
    "flatcar.config.url=",
    "coreos.config.url=",
];

/// So many servers, at the most.
const SERVERS: usize = 16;

impl OwnConfig<'_> {
    /// Takes it into memory, before the network comes up: an iPXE that drives the USB controller itself takes the stick
    /// away from the firmware, and those of Debian 13 do that only then. 2.0 does it earlier.
    pub(super) fn fetch(&self, own: &str) -> String {
        let Self { file, place } = self;
        format!(
            "set {own}_config:int16 0\n\
             iseq ${{platform}} efi && imgfetch --name {own}_config --timeout {TIMEOUT} file:/{file} {place} mode=600 \
             mkdir=-1 && set {own}_config:int16 1 ||\n"
        )
    }
}

/// What a body starts, server by server, but for the config: it is in memory already, as a file of the initrd. Nothing where
/// that can't be told, since the body asks the machine.
pub(super) fn boots(body: &str, settings: &BTreeMap<String, String>, own: &str) -> String {
    let script = read(body);
    let mut boots: Vec<Boot> = Vec::new();
    for failing in 0..SERVERS {
        let run = run(&script, settings, &|fetch| fetch < failing);
        if run.guessed {
            return String::new();
        }
        let End::Boots(mut boot) = run.end else {
            continue;
        };
        let kernel = &mut boot.kernel;
        let args = kernel.cmdline.split(' ').filter(|arg| {
            let names_config = NAMES_CONFIG.iter().any(|name| arg.starts_with(name));
            !arg.is_empty() && !names_config
        });
        kernel.cmdline = args.collect::<Vec<&str>>().join(" ");
        if !boots.iter().any(|it| it.kernel.url == boot.kernel.url) {
            boots.push(boot);
        }
    }
    let texts = boots.iter().enumerate().filter_map(|(number, boot)| {
        let text = write(boot, &format!("{own}_server{number}"));
        is_same(&text, boot).then_some(text)
    });
    texts.collect()
}

/// Fetches and starts it, or goes on below.
fn write(boot: &Boot, next: &str) -> String {
    let Boot { kernel, initrds } = boot;
    let mut text = format!(
        "echo Ephemeros: fetching {}\n{}",
        kernel.url,
        fetch("kernel", kernel, next)
    );
    for initrd in initrds {
        text += &fetch("initrd", initrd, next);
    }
    // `write!` to a text never fails.
    let _ = writeln!(text, "boot ||\n:{next}");
    // What has come before it failed must not get into the next try's initrd.
    for image in [kernel].into_iter().chain(initrds) {
        let _ = writeln!(text, "imgfree {} ||", image.name);
    }
    text
}

fn fetch(command: &str, image: &Image, next: &str) -> String {
    let Image {
        name, url, cmdline, ..
    } = image;
    format!("{command} --name {name} --timeout {TIMEOUT} {url} {cmdline} || goto {next}\n")
}

/// Whether iPXE reads it as it was meant: some words can't be written as they are.
fn is_same(text: &str, boot: &Boot) -> bool {
    let what = |image: &Image| (image.name.clone(), image.url.clone(), image.cmdline.clone());
    let run = run(&read(&format!("#!ipxe\n{text}")), &BTreeMap::new(), &|_| {
        false
    });
    let End::Boots(read) = run.end else {
        return false;
    };
    let all = |boot: &Boot| -> Vec<_> { boot.initrds.iter().map(what).collect() };
    what(&read.kernel) == what(&boot.kernel) && all(&read) == all(boot)
}
