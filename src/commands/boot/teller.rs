//! Who listens to a machine and tells its story, until it ends.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::session::Message;
use super::until::Until;
use crate::boot::console::Lines;
use crate::boot::{Event, Line, Qemu, Story, Verdict, reason};
use crate::cli;
use crate::commands::{Failure, Outcome};
use crate::progress::Progress as _;
use crate::ui::Ui;

/// How often it is looked whether the user wants it to end.
const LOOK: Duration = Duration::from_millis(100);

/// The most of what QEMU has to complain of that is kept, in bytes.
const COMPLAINTS: usize = 16 * 1024;

/// Who tells the story.
pub(super) struct Teller<'a> {
    ui: &'a Ui,
    lines: Lines,
    story: Story,
    until: Option<Until>,
    name: String,
    began: Instant,
    limit: Duration,
    is_attached: bool,
    /// Whether the terminal is taken until the machine is off.
    is_told_late: bool,
    late: Vec<String>,
    complaints: Vec<u8>,
}

/// How a session ended, or that it goes on.
type Ended = Option<Result<Outcome, Failure>>;

impl<'a> Teller<'a> {
    pub(super) fn new(args: &cli::Boot, name: String, story: Story, ui: &'a Ui) -> Self {
        Self {
            ui,
            lines: Lines::default(),
            story,
            until: args.until.as_deref().map(Until::of),
            name,
            began: Instant::now(),
            limit: Duration::from_secs(args.timeout),
            is_attached: false,
            is_told_late: false,
            late: Vec::new(),
            complaints: Vec::new(),
        }
    }

    /// Listens until it is over. `is_attached` is whether the terminal shows the console, `is_taken` whether it is the
    /// machine's.
    pub(super) fn run(
        mut self,
        is_attached: bool,
        is_taken: bool,
        messages: &Receiver<Message>,
        qemu: &mut Qemu,
    ) -> (Self, Result<Outcome, Failure>) {
        self.is_attached = is_attached;
        self.is_told_late = is_taken;
        loop {
            if self.ui.stopped() {
                return (self, Err(Failure::Stopped));
            }
            if self.until.is_some() && self.began.elapsed() > self.limit {
                let ended = self.happened(&Event::Late(self.limit.as_secs()), true);
                return (self, ended.unwrap_or(Err(Failure::Said)));
            }
            let ended = match messages.recv_timeout(LOOK) {
                Ok(message) => self.heed(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => {
                    thread::sleep(LOOK);
                    None
                }
            };
            if let Some(ended) = ended {
                return (self, ended);
            }
            match qemu.ended() {
                Ok(None) => {}
                Ok(Some(status)) => {
                    // What it said last is still on its way.
                    while let Ok(message) = messages.recv_timeout(LOOK) {
                        if let Some(ended) = self.heed(message) {
                            return (self, ended);
                        }
                    }
                    let ended = self.off(status);
                    return (self, ended);
                }
                Err(error) => {
                    return (
                        self,
                        Err(Failure::problem(format!("QEMU is lost: {error}"), None)),
                    );
                }
            }
        }
    }

    fn heed(&mut self, message: Message) -> Ended {
        match message {
            Message::Left => Some(Ok(Outcome::Done)),
            Message::Complaint(piece) => {
                if self.complaints.len() < COMPLAINTS {
                    self.complaints.extend(piece);
                }
                None
            }
            Message::Console(piece) => self.console(&piece),
            Message::Asked {
                path,
                status,
                bytes,
                trouble,
            } => self.happened(
                &Event::Asked {
                    path: &path,
                    status,
                    bytes,
                    trouble: trouble.as_deref(),
                },
                false,
            ),
            Message::Reported(report) => self.happened(&Event::Reported(&report), false),
        }
    }

    fn console(&mut self, piece: &[u8]) -> Ended {
        if self.is_attached
            && let Err(error) = self.ui.stream(piece)
        {
            return Some(Err(error.into()));
        }
        for line in self.lines.take(piece) {
            if self.ui.verbose() && !self.is_told_late {
                self.ui.message("console", &line);
            }
            if self.until.as_ref().is_some_and(|until| until.is_in(&line)) {
                return Some(self.seen(line.trim()));
            }
            if let Some(ended) = self.happened(&Event::Console(&line), false) {
                return Some(ended);
            }
        }
        let begun = self.lines.begun();
        if self.until.as_ref().is_some_and(|until| until.is_in(&begun)) {
            return Some(self.seen(begun.trim()));
        }
        self.happened(&Event::Begun(&begun), false)
    }

    /// The text that was waited for.
    fn seen(&mut self, line: &str) -> Result<Outcome, Failure> {
        self.say("seen", line)?;
        Ok(Outcome::Done)
    }

    fn happened(&mut self, event: &Event, is_over: bool) -> Ended {
        for Line { kind, text } in self.story.tell(event) {
            if let Err(failure) = self.say(kind, &text) {
                return Some(Err(failure));
            }
            if self.until.as_ref().is_some_and(|until| until.is_in(&text)) {
                return Some(Ok(Outcome::Done));
            }
        }
        let judged = self.until.as_ref()?.judge(self.story.verdict()?, is_over)?;
        Some(self.end(judged))
    }

    fn end(&mut self, judged: Result<(), String>) -> Result<Outcome, Failure> {
        let (kind, text) = match self.story.verdict() {
            Some(Verdict::Failed(why)) => ("end", format!("failed: {why}")),
            _ => ("end", "online".to_owned()),
        };
        self.say(kind, &text)?;
        judged.map(|()| Outcome::Done).map_err(|why| {
            Failure::problem(
                format!("{} {why}", self.name),
                Some("`--verbose` shows its console; without `--until` you can log in and look"),
            )
        })
    }

    fn off(&mut self, status: ExitStatus) -> Result<Outcome, Failure> {
        if !status.success() {
            let complaints = String::from_utf8_lossy(&self.complaints);
            let why = match status.signal() {
                Some(signal) => format!("it was ended by signal {signal}"),
                None => reason(&complaints),
            };
            return Err(Failure::problem(
                format!("QEMU failed: {why}"),
                Some("QEMU 7.2 is the oldest that this was tried with"),
            ));
        }
        match self.happened(&Event::Off, true) {
            Some(ended) => ended,
            None => Ok(Outcome::Done),
        }
    }

    fn say(&mut self, kind: &'static str, text: &str) -> Result<(), Failure> {
        let seconds = self.began.elapsed().as_secs_f64();
        let line = if self.ui.json() {
            let tenths = (seconds * 10.0).round() / 10.0;
            format!(
                "{}\n",
                json!({ "format": 1, "seconds": tenths, "event": kind, "text": text })
            )
        } else {
            format!("{seconds:>5.0} s  {text}\n")
        };
        if self.is_told_late {
            self.late.push(line);
            return Ok(());
        }
        Ok(self.ui.text(&line)?)
    }

    /// Where the terminal was the machine's.
    pub(super) fn tell_late(&self) {
        if !self.late.is_empty() {
            self.ui.say("");
        }
        for line in &self.late {
            self.ui.say(line.trim_end());
        }
    }
}
