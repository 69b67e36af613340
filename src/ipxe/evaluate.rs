//! Goes through a script as iPXE would, far enough to say what it would start. Whether a fetch succeeds is for
//! the caller to say; every other command that iPXE has succeeds.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::commands;
use super::expand::{Endless, Value, expand};
use super::image::{Image, Images, image_args, image_name};
use super::read::{Command, Line, Script, When};
use super::settings;

mod run;

pub use run::{End, Fetch, Run};

/// A script with a loop stays far below; iPXE itself has no limit.
const MAX_LINES: usize = 10_000;

/// Runs a script with the settings that stand when it starts. `fails` says by its number, from 0, whether a
/// fetch fails.
#[must_use]
pub fn run(
    script: &Script,
    settings: &BTreeMap<String, String>,
    fails: &dyn Fn(usize) -> bool,
) -> Run {
    go(script, settings, fails, true)
}

/// As [`run`]; only `aloud` is what it says kept, and its commands.
pub(super) fn go(
    script: &Script,
    settings: &BTreeMap<String, String>,
    fails: &dyn Fn(usize) -> bool,
    aloud: bool,
) -> Run {
    let mut machine = Machine {
        script,
        settings: settings.clone(),
        fails,
        aloud,
        images: Images::default(),
        fetches: Vec::new(),
        screen: Vec::new(),
        commands: Vec::new(),
        guessed: false,
    };
    let (end, span) = machine.run();
    Run {
        end,
        span,
        fetches: machine.fetches,
        screen: machine.screen,
        commands: machine.commands,
        guessed: machine.guessed,
    }
}

/// What a command, and so a line, came to.
enum Step {
    Succeeded,
    Failed,
    Goto(usize),
    Ended(End),
}

impl From<bool> for Step {
    fn from(succeeded: bool) -> Self {
        if succeeded {
            Self::Succeeded
        } else {
            Self::Failed
        }
    }
}

impl From<Endless> for Step {
    fn from(_: Endless) -> Self {
        Self::Ended(End::Endless)
    }
}

struct Machine<'a> {
    script: &'a Script,
    settings: BTreeMap<String, String>,
    fails: &'a dyn Fn(usize) -> bool,
    /// Whether what it says and its commands are kept.
    aloud: bool,
    images: Images,
    fetches: Vec<Fetch>,
    screen: Vec<String>,
    commands: Vec<String>,
    guessed: bool,
}

impl Machine<'_> {
    fn run(&mut self) -> (End, Range<usize>) {
        if !self.script.has_magic {
            return (End::Fails, 0..0);
        }
        let mut at = 0;
        for _ in 0..MAX_LINES {
            let Some(line) = self.script.lines.get(at) else {
                return match &self.script.dangling {
                    Some(span) => (End::Fails, span.clone()),
                    None => (End::Succeeds, self.end_of_script()),
                };
            };
            let (step, span) = self.line(line);
            match step {
                Step::Succeeded => at += 1,
                Step::Goto(line) => at = line,
                Step::Failed => return (End::Fails, span),
                Step::Ended(end) => return (end, span),
            }
        }
        (End::Endless, self.end_of_script())
    }

    fn end_of_script(&self) -> Range<usize> {
        let end = self.script.lines.last().map_or(0, |line| line.span.end);
        end..end
    }

    /// The commands of a line; the result is that of the last one that ran.
    fn line(&mut self, line: &Line) -> (Step, Range<usize>) {
        let mut last = Step::Succeeded;
        let mut span = line.span.clone();
        for command in &line.commands {
            let runs = match command.when {
                When::Always => true,
                When::Succeeded => matches!(last, Step::Succeeded),
                When::Failed => matches!(last, Step::Failed),
            };
            if !runs {
                continue;
            }
            span = command.span().unwrap_or_else(|| line.span.clone());
            last = self.command(command, &span).unwrap_or_else(Step::from);
            if matches!(last, Step::Goto(_) | Step::Ended(_)) {
                break;
            }
        }
        (last, span)
    }

    fn command(&mut self, command: &Command, span: &Range<usize>) -> Result<Step, Endless> {
        let words = self.expand(command)?;
        let Some((name, args)) = words.split_first() else {
            return Ok(Step::Succeeded);
        };
        if self.aloud {
            self.commands.push(words.join(" "));
        }
        Ok(match (&**name, args) {
            ("echo", text) => {
                if self.aloud {
                    self.screen.push(text.join(" "));
                }
                Step::Succeeded
            }
            ("set" | "clear", [name, value @ ..]) => {
                self.settings.insert(name_of(name), value.join(" "));
                Step::Succeeded
            }
            ("inc", [name, by @ ..]) => self.increment(name, by.first()).into(),
            ("isset", [value]) => (!value.is_empty()).into(),
            ("iseq", [one, other]) => (one == other).into(),
            ("goto", [label]) => match self.script.find_label(label) {
                Some(line) => Step::Goto(line),
                None => Step::Failed,
            },
            ("exit", []) => Step::Ended(End::Succeeds),
            ("exit", [code]) => match code.parse() {
                Ok(0_u32) => Step::Ended(End::Succeeds),
                Ok(_) => Step::Ended(End::Fails),
                Err(_) => Step::Failed,
            },
            // Nobody is there to press a key.
            ("prompt", [option, ..]) if option.starts_with("--") => Step::Failed,
            ("imgfree", names) => self.images.free(names).into(),
            ("boot" | "imgexec", args) => self.boot(args, span),
            ("chain", args) => match self.acquire(args, true, span) {
                Some(_) => Step::Ended(End::Leaves(name.to_string())),
                None => Step::Failed,
            },
            ("reboot" | "poweroff" | "autoboot" | "sanboot" | "shell", _) => {
                Step::Ended(End::Leaves(name.to_string()))
            }
            ("imgargs", args) => {
                let image = self.acquire(args, true, span);
                if let (Some(image), [_]) = (image, args) {
                    self.images.set_args(image, &[], span);
                }
                image.is_some().into()
            }
            (name, args) if commands::fetches(name) => {
                let is_kernel = commands::is_kernel(name);
                let image = self.acquire(args, is_kernel, span);
                if is_kernel && image.is_some() {
                    self.images.select(image);
                }
                image.is_some().into()
            }
            ("set" | "clear" | "inc" | "isset" | "iseq" | "goto" | "exit", _) => Step::Failed,
            (name, _) => commands::kind(name).is_some().into(),
        })
    }

    fn expand<'c>(&mut self, command: &'c Command) -> Result<Vec<Cow<'c, str>>, Endless> {
        let condition = command
            .name()
            .is_some_and(|name| matches!(name.text.as_str(), "iseq" | "isset"));
        let mut words = Vec::with_capacity(command.words.len());
        for word in &command.words {
            words.push(expand(&word.text, |name| {
                if let Some(value) = self.settings.get(name) {
                    Value::Known(value)
                } else if settings::is_builtin(name) {
                    self.guessed |= condition;
                    Value::OfTheMachine
                } else {
                    Value::Unset
                }
            })?);
        }
        Ok(words)
    }

    fn increment(&mut self, name: &str, by: Option<&Cow<'_, str>>) -> bool {
        let Ok(by) = by.map_or(Ok(1), |by| by.parse::<u32>()) else {
            return false;
        };
        let value = self.settings.entry(name_of(name)).or_default();
        *value = value.parse().unwrap_or(0_u32).wrapping_add(by).to_string();
        true
    }

    /// Finds an image by its name, where the command looks for one, or fetches it; the result is its index.
    fn acquire(
        &mut self,
        args: &[Cow<'_, str>],
        by_name: bool,
        span: &Range<usize>,
    ) -> Option<usize> {
        let options = image_args(args)?;
        let (url, cmdline) = options.rest.split_first()?;
        let image = match self.images.find(url).filter(|_| by_name) {
            Some(image) => image,
            None => self.fetch(url, options.name, span)?,
        };
        if !cmdline.is_empty() {
            self.images.set_args(image, cmdline, span);
        }
        Some(image)
    }

    fn fetch(&mut self, url: &str, name: Option<&str>, span: &Range<usize>) -> Option<usize> {
        let succeeded = !url.is_empty() && !(self.fails)(self.fetches.len());
        self.fetches.push(Fetch {
            url: url.to_owned(),
            succeeded,
        });
        succeeded.then(|| {
            self.images.add(Image {
                name: name.unwrap_or(image_name(url)).to_owned(),
                url: url.to_owned(),
                cmdline: String::new(),
                span: span.clone(),
                words: 0,
            })
        })
    }

    fn boot(&mut self, args: &[Cow<'_, str>], span: &Range<usize>) -> Step {
        let Some(options) = image_args(args) else {
            return Step::Failed;
        };
        if !options.rest.is_empty() {
            let image = self.acquire(args, true, span);
            self.images.select(image);
        }
        match self.images.boot() {
            Some(boot) => Step::Ended(End::Boots(boot)),
            None => Step::Failed,
        }
    }
}

/// A setting's name without its type.
fn name_of(name: &str) -> String {
    let (name, _) = name.split_once(':').unwrap_or((name, ""));
    name.to_owned()
}

#[cfg(test)]
mod tests;
