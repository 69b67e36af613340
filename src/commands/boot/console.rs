//! The machine's console, in the user's terminal and for the story.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The key that leaves the console: Ctrl-], as in telnet.
const LEAVE: u8 = 0x1d;

/// How often it is looked whether the machine still runs, in nanoseconds.
const LOOK: i64 = 100_000_000;

/// Hands over what comes, until there is no more.
pub(super) fn listen(mut from: impl Read, take: impl Fn(&[u8])) {
    let mut piece = [0; 4096];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return,
            Ok(length) => take(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Hands what is typed over to the machine, until that is off; whether the user has left before.
pub(super) fn speak(mut to: impl Write, is_over: &AtomicBool) -> bool {
    let Ok(stdin) = io::stdin().as_fd().try_clone_to_owned() else {
        return false;
    };
    // Not the buffered one, which would wait for a whole line.
    let mut stdin = File::from(stdin);
    let mut piece = [0; 256];
    let patience = Timespec {
        tv_sec: 0,
        tv_nsec: LOOK,
    };
    while !is_over.load(Ordering::Relaxed) {
        let mut waiting = [PollFd::new(&stdin, PollFlags::IN)];
        if !matches!(poll(&mut waiting, Some(&patience)), Ok(1..)) {
            continue;
        }
        let Ok(length @ 1..) = stdin.read(&mut piece) else {
            return false;
        };
        let typed = &piece[..length];
        if typed.contains(&LEAVE) {
            return true;
        }
        if to.write_all(typed).and_then(|()| to.flush()).is_err() {
            return false;
        }
    }
    false
}
