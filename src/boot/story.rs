//! What a node did on its way, in few lines, from what its console and the local server's log say.

use std::collections::{BTreeMap, BTreeSet};

use super::ignition_log::{IgnitionLog, News};
use super::reporter::Report;
use super::stand_in::FOLDER;

mod reports;
#[cfg(test)]
mod tests;

/// The most lines.
const MOST: usize = 18;

/// How often iPXE may begin anew, and a file may be refused, before that is the end: the local server does not come back
/// by itself.
const TRIES: usize = 2;

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A line on the console.
    Console(&'a str),
    /// The beginning of one, which may wait for an answer.
    Begun(&'a str),
    /// The local server was asked for a file.
    Asked {
        /// Its path.
        path: &'a str,
        /// What was answered.
        status: u16,
        /// How much of it was sent.
        bytes: u64,
        /// Why it could not be given.
        trouble: Option<&'a str>,
    },
    /// The node has told how it is.
    Reported(&'a Report),
    /// The machine is off.
    Off,
    /// The time is up: so many seconds.
    Late(u64),
}

/// A line of the story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is about, for programs.
    pub kind: &'static str,
    /// What is told.
    pub text: String,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The node does all that it was told to.
    Online,
    /// It does not, and why.
    Failed(String),
}

/// The story as far as it is known.
#[derive(Default)]
pub struct Story {
    script: String,
    config: String,
    reports: bool,
    ignition: IgnitionLog,
    told: BTreeSet<String>,
    count: usize,
    tries: usize,
    refused: BTreeMap<String, usize>,
    /// What iPXE said last of something that it could not get.
    ipxe: String,
    /// What is going on, for the case that it never ends.
    now: String,
    waits: BTreeMap<String, usize>,
    verdict: Option<Verdict>,
}

impl Story {
    /// Of a node whose script and config have these paths on the local server. `reports` is whether it will tell by itself
    /// how it is.
    #[must_use]
    pub fn new(script: &str, config: &str, reports: bool) -> Self {
        Self {
            script: script.to_owned(),
            config: config.to_owned(),
            reports,
            now: "the firmware has started nothing".to_owned(),
            ..Self::default()
        }
    }

    /// How it ended; `None` as long as that is open.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Takes in what happened; the lines are what is new.
    pub fn tell(&mut self, event: &Event) -> Vec<Line> {
        let mut lines = match event {
            Event::Console(line) => self.console(line),
            Event::Begun(line) => self.login(line),
            Event::Asked {
                path,
                status,
                bytes,
                trouble,
            } => self.asked(path, *status, *bytes, *trouble),
            Event::Reported(report) => self.reported(report),
            Event::Off => {
                self.fail("the machine has switched itself off".to_owned());
                Vec::new()
            }
            Event::Late(seconds) => {
                let now = &self.now;
                self.fail(format!("not within {seconds} s: {now}"));
                Vec::new()
            }
        };
        lines.retain(|line| {
            let is_new = self.told.insert(line.text.clone());
            self.count += usize::from(is_new);
            is_new && self.count <= MOST
        });
        lines
    }

    /// The first reason is the one that counts.
    fn fail(&mut self, why: String) {
        self.verdict.get_or_insert(Verdict::Failed(why));
    }

    fn line(&mut self, kind: &'static str, text: impl Into<String>) -> Vec<Line> {
        let text = text.into();
        self.now.clone_from(&text);
        vec![Line { kind, text }]
    }

    fn console(&mut self, line: &str) -> Vec<Line> {
        if let Some(said) = line.trim_start().strip_prefix("Ephemeros: ") {
            return self.script_said(said);
        }
        if line.contains("ipxe.org/") {
            line.trim().clone_into(&mut self.ipxe);
        }
        if line.contains("] Linux version ") {
            return self.line("linux", "Linux starts");
        }
        if let Some((_, why)) = line.split_once("Kernel panic - not syncing: ") {
            let text = format!("the kernel has given up: {why}");
            self.fail(text.clone());
            return self.line("panic", text);
        }
        if let Some(news) = self.ignition.take(line) {
            return self.ignition_said(news);
        }
        if let Some((before, system)) = line.split_once("Welcome to ")
            && before.len() < 16
        {
            let system = system.trim().trim_end_matches('!');
            let line = self.line("system", format!("the system starts: {system}"));
            if self.reports {
                "the system does not report in: is its network up?".clone_into(&mut self.now);
            }
            return line;
        }
        let lower = line.to_ascii_lowercase();
        if lower.contains("emergency mode") || lower.contains("emergency shell") {
            self.fail("the system has stopped in its emergency mode".to_owned());
            return self.line("emergency", "the system is in its emergency mode");
        }
        self.login(line)
    }

    /// Without reports this is all that can be known.
    fn login(&mut self, line: &str) -> Vec<Line> {
        if self.reports || self.verdict.is_some() || !line.trim_end().ends_with(" login:") {
            return Vec::new();
        }
        self.verdict = Some(Verdict::Online);
        self.line("login", "the system asks who wants to log in")
    }

    fn script_said(&mut self, said: &str) -> Vec<Line> {
        if let Some(node) = said.strip_prefix("the stick of ") {
            return self.line("stick", format!("iPXE runs the stick of {node}"));
        }
        if said.starts_with("trying again in ") {
            self.tries += 1;
            let why = match self.ipxe.as_str() {
                "" => String::new(),
                last => format!(" ({last})"),
            };
            if self.tries == TRIES {
                self.fail(format!("the stick finds nothing to boot{why}"));
            }
            return self.line("again", format!("nothing boots, and iPXE tries again{why}"));
        }
        let is_worth = [
            "now the ",
            "no card ",
            "the card ",
            "it can't be had.",
            "nothing that it names",
            "no server gave",
        ];
        if is_worth.iter().any(|start| said.starts_with(start)) {
            return self.line("ipxe", format!("iPXE: {said}"));
        }
        Vec::new()
    }

    fn ignition_said(&mut self, news: News) -> Vec<Line> {
        match news {
            News::Done => self.line("ignition", "Ignition is done"),
            News::Waits(what) => self.line("ignition-waits", format!("Ignition waits: {what}")),
            News::InVain(why) => {
                self.fail(why);
                Vec::new()
            }
            News::Failed(why) => {
                let text = format!("Ignition failed: {why}");
                self.fail(text.clone());
                self.line("ignition-failed", text)
            }
        }
    }

    fn asked(&mut self, path: &str, status: u16, bytes: u64, trouble: Option<&str>) -> Vec<Line> {
        if let Some(why) = trouble {
            // One that comes soon is no trouble.
            if status == 503 {
                return Vec::new();
            }
            let times = self.refused.entry(path.to_owned()).or_default();
            *times += 1;
            let text = format!("the local server can't give {path}: {why}");
            if *times > TRIES {
                self.fail(text.clone());
            }
            return self.line("refused", text);
        }
        if status >= 400 {
            let what = match path {
                _ if path == self.script => "its boot script",
                _ if path == self.config => "its config",
                _ => "a file",
            };
            let text = format!("asked for {what}, {path}, and was answered {status}");
            return self.line("missing", text);
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        if path == self.script {
            return self.line("script", format!("fetched its boot script, {path}"));
        }
        if path == self.config {
            return self.line("config", format!("fetched its config, {path}"));
        }
        if let Some(rest) = path
            .strip_prefix(FOLDER)
            .and_then(|it| it.strip_prefix('/'))
        {
            let name = rest.split('/').next().unwrap_or(rest);
            if name.to_ascii_lowercase().contains("heartbeat") {
                return self.line("heartbeat", format!("heartbeat received at {name}"));
            }
            return self.line("call", format!("called {name}"));
        }
        if path.starts_with("os/") {
            let mib = bytes.div_ceil(1 << 20);
            return self.line("os", format!("fetched {name}, {mib} MiB"));
        }
        if let Some(rest) = path.strip_prefix("artifacts/") {
            let name = rest.split('/').next().unwrap_or(rest);
            return self.line("artifact", format!("fetched the artifact {name}"));
        }
        Vec::new()
    }
}
