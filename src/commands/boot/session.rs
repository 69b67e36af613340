//! A machine from power-on to its end: what it says and asks for becomes a story.

use std::io::{self, IsTerminal as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, Scope};

use super::console::{listen, speak};
use super::hardware::Hardware;
use super::teller::Teller;
use crate::boot::{Console, Display, Qemu, Report, Story, reporter};
use crate::cli;
use crate::commands::{Failure, Outcome};
use crate::progress::Endable;
use crate::site::{self, Access, Inbox, Site, Tree};
use crate::ui::{Orderly, Raw, Ui};

/// All that a machine takes.
pub(super) struct Session<'a> {
    pub(super) args: &'a cli::Boot,
    pub(super) hardware: Hardware,
    /// Who it is, for messages.
    pub(super) name: String,
    pub(super) story: Story,
    /// What the local server gives.
    pub(super) served: Option<Served<'a>>,
    pub(super) ui: &'a Ui,
}

/// The local server.
pub(super) struct Served<'a> {
    pub(super) listener: TcpListener,
    pub(super) trees: Vec<&'a dyn Tree>,
    /// The path that takes reports.
    pub(super) reports: String,
    /// The folder that takes what is posted to secret URLs.
    pub(super) calls: String,
}

/// What happens.
pub(super) enum Message {
    Console(Vec<u8>),
    Complaint(Vec<u8>),
    Asked {
        path: String,
        status: u16,
        bytes: u64,
        trouble: Option<String>,
    },
    Reported(Report),
    Left,
}

impl Session<'_> {
    pub(super) fn run(mut self) -> Result<Outcome, Failure> {
        // The machine and the server are ended, and the terminal is put back.
        let _orderly = Orderly::begin();
        let accelerator = self.hardware.accelerator(self.ui)?;
        let relay = format!("/proc/{}/exe boot --relay", std::process::id());
        let args = self.hardware.machine.args(accelerator, &relay);
        let (sender, messages) = channel();
        let served = self.served.take();
        // The server ends with the machine.
        let over = Endable::new(self.ui);
        thread::scope(|scope| {
            let _over = Ends(&over.is_over);
            if let Some(served) = &served {
                let (over, sender) = (&over, sender.clone());
                scope.spawn(move || served.run(&sender, over));
            }
            let console = match self.hardware.machine.display {
                Display::Curses => Console::Beside,
                Display::None | Display::Gtk => Console::Pipes,
            };
            let qemu = Qemu::start(&self.hardware.program, &args, console);
            let mut qemu = qemu.map_err(|error| {
                Failure::problem(format!("QEMU can't be started: {error}"), None)
            })?;
            let is_attached = self.is_attached();
            self.say_ways_in(is_attached && io::stdin().is_terminal());
            let raw = if is_attached { Raw::on()? } else { None };
            attach(
                scope,
                &mut qemu,
                console,
                raw.is_some(),
                &sender,
                &over.is_over,
            );
            drop(sender);
            let is_taken = is_attached || console == Console::Beside;
            let teller = Teller::new(self.args, self.name, self.story, self.ui);
            let (teller, ended) = teller.run(is_attached, is_taken, &messages, &mut qemu);
            drop(qemu);
            drop(raw);
            teller.tell_late();
            ended
        })
    }

    fn say_ways_in(&self, is_typed: bool) {
        if let Some(port) = self.args.ssh_port {
            self.ui.say(&format!(
                "`ssh -p {port} core@localhost` leads to the machine"
            ));
        }
        if is_typed {
            self.ui.say("Ctrl-] leaves its console and switches it off");
        }
    }

    /// Whether the terminal is the machine's console.
    fn is_attached(&self) -> bool {
        let is_without_screen = self.hardware.machine.display == Display::None;
        self.args.until.is_none() && is_without_screen && !self.ui.json()
    }
}

/// Ends the threads, whatever ends this one.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Served<'_> {
    fn run(&self, sender: &Sender<Message>, over: &Endable) {
        let report = |bytes: &[u8]| {
            let _ = sender.send(Message::Reported(Report::read(bytes)));
        };
        let ignore = |_: &[u8]| {};
        let site = Site {
            trees: self.trees.clone(),
            inboxes: vec![
                Inbox {
                    path: self.reports.clone(),
                    limit: reporter::LIMIT,
                    take: &report,
                },
                Inbox {
                    path: format!("{}/", self.calls),
                    limit: reporter::LIMIT,
                    take: &ignore,
                },
            ],
        };
        let on_access = |access: &Access| {
            let path = access.target.trim_start_matches('/');
            let path = path.split(['?', '#']).next().unwrap_or(path).to_owned();
            // A file that is cut off is asked for again; and of reports there is more to tell.
            if !access.complete || path == self.reports {
                return;
            }
            let _ = sender.send(Message::Asked {
                path,
                status: access.status,
                bytes: access.bytes,
                trouble: access
                    .trouble
                    .map(|trouble| match trouble.mistakes.first() {
                        Some(first) => format!("{}: {}", trouble.message, first.message),
                        None => trouble.message.clone(),
                    }),
            });
        };
        // Where it can't take connections any more the machine tells so.
        let _ = site::serve(&self.listener, &site, &on_access, over);
    }
}

/// Leads the pipes of the machine to where they belong.
fn attach<'scope>(
    scope: &'scope Scope<'scope, '_>,
    qemu: &mut Qemu,
    console: Console,
    is_typed: bool,
    sender: &Sender<Message>,
    is_over: &'scope AtomicBool,
) {
    let child = qemu.child();
    if let Some(out) = child.stdout.take() {
        let sender = sender.clone();
        scope.spawn(move || {
            listen(out, |piece| {
                let _ = sender.send(Message::Console(piece.to_vec()));
            });
        });
    }
    if let Some(err) = child.stderr.take() {
        let sender = sender.clone();
        scope.spawn(move || {
            listen(err, |piece| {
                let _ = sender.send(match console {
                    Console::Beside => Message::Console(piece.to_vec()),
                    Console::Pipes => Message::Complaint(piece.to_vec()),
                });
            });
        });
    }
    if let Some(typed) = child.stdin.take()
        && is_typed
    {
        let sender = sender.clone();
        scope.spawn(move || {
            if speak(typed, is_over) {
                let _ = sender.send(Message::Left);
            }
        });
    }
}
