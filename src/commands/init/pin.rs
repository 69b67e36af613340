//! The release that a new fleet begins with.

use std::time::{Duration, Instant};

use crate::commands::{Failure, lock};
use crate::fleet::lock::OsPin;
use crate::net::{Client, NetError, Patience};
use crate::os::{Arch, Distro, Unpublished};
use crate::progress::Progress;
use crate::ui::Ui;

/// Flatcar's stable release when this version of the tool was made.
const KNOWN: &str = "4593.2.5";

/// What the new `fleet.toml` says.
const CHANNEL: &str = "stable";

/// How long a server may take for one answer, and for all of them: who begins without a network does not wait long.
const ONE: Duration = Duration::from_secs(3);
const ALL: Duration = Duration::from_secs(10);

/// The newest release with its digests; the known one, and why, where nobody says.
pub(super) fn find(ui: &Ui) -> Result<(OsPin, Option<String>), Failure> {
    let client = Client::new(Patience {
        connect: ONE,
        silence: ONE,
        attempts: 1,
        ..Patience::default()
    });
    let channel = lock::Channel {
        distro: Distro::Flatcar,
        name: CHANNEL.to_owned(),
        arch: Arch::Amd64,
    };
    let until = Until(Instant::now() + ALL, ui);
    match lock::newest(&channel, &client, &until) {
        Ok(pin) => Ok((pin, None)),
        Err(_) if ui.stopped() => Err(Failure::Stopped),
        Err(error) => {
            let why = match error {
                Unpublished::Net(NetError::Stopped) => {
                    format!("no answer in {} seconds", ALL.as_secs())
                }
                error => error.to_string(),
            };
            let known = OsPin {
                distro: channel.distro,
                channel: channel.name,
                arch: channel.arch,
                version: KNOWN.to_owned(),
                ..OsPin::default()
            };
            // Each server's word stands on a line of its own.
            let why: Vec<&str> = why.split_whitespace().collect();
            Ok((known, Some(why.join(" "))))
        }
    }
}

/// Work that ends at a time.
struct Until<'a>(Instant, &'a Ui);

impl Progress for Until<'_> {
    fn start(&self, _: &str, _: usize) {}
    fn advance(&self, _: usize) {}
    fn stopped(&self) -> bool {
        Instant::now() > self.0 || self.1.stopped()
    }
}
