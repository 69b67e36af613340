//! A small server of HTTP/1.1: GET and HEAD, single ranges, kept connections; a thread for each, and bounds for all that a
//! client can make it hold.
//!
//! It is our own since `tiny_http` has no bound on heads and on connections, and waits without end for silent clients.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use self::answer::{Answer, answer};
use self::connection::{Connection, Instead};
use self::request::Request;
use super::content::{Tree, Trouble};
use crate::progress::Progress;

mod answer;
mod connection;
mod range;
mod request;
mod target;

/// The most connections at once. More wait until one is free; those that ask nothing are let go for them.
const MOST: usize = 256;

/// How often the server looks whether it is to end.
const SLICE: Duration = Duration::from_millis(100);

/// What is served.
pub struct Site<'a> {
    /// The files. The first tree that knows a path gives it.
    pub trees: Vec<&'a dyn Tree>,
    /// Where clients may post something.
    pub inboxes: Vec<Inbox<'a>>,
}

/// A path that takes what is posted to it, or below it.
pub struct Inbox<'a> {
    /// The path, without a slash in front. With one at its end it is a folder.
    pub path: String,
    /// The most bytes that are taken at once.
    pub limit: usize,
    /// Who gets them. It is called by many threads, and should return at once.
    pub take: &'a (dyn Fn(&[u8]) + Sync),
}

impl Inbox<'_> {
    fn takes(&self, path: &str) -> bool {
        if self.path.ends_with('/') {
            path.starts_with(&self.path)
        } else {
            path == self.path
        }
    }
}

/// A request that was answered.
pub struct Access<'a> {
    /// Who asked.
    pub who: SocketAddr,
    /// The method; empty where what came was no request.
    pub method: &'a str,
    /// What was asked for, as the client wrote it.
    pub target: &'a str,
    /// The status that it was answered.
    pub status: u16,
    /// How much of a body was sent.
    pub bytes: u64,
    /// Whether all of the answer was sent.
    pub complete: bool,
    /// How long it took.
    pub took: Duration,
    /// Why it could not be given what it asked for.
    pub trouble: Option<&'a Trouble>,
}

/// Serves until the work is stopped: what is small is sent to its end then, and the rest is cut off. `on_access` is called
/// by many threads.
///
/// # Errors
/// The system takes no more connections from the listener.
pub fn serve(
    listener: &TcpListener,
    site: &Site,
    on_access: &(dyn Fn(&Access) + Sync),
    progress: &dyn Progress,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let open = AtomicUsize::new(0);
    let is_crowded = AtomicBool::new(false);
    thread::scope(|scope| {
        while !progress.stopped() {
            let crowded = open.load(Ordering::SeqCst) >= MOST;
            is_crowded.store(crowded, Ordering::Relaxed);
            if crowded {
                thread::sleep(SLICE);
                continue;
            }
            let (stream, who) = match listener.accept() {
                Ok(accepted) => accepted,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => {
                        wait(listener);
                        continue;
                    }
                    ErrorKind::ConnectionAborted
                    | ErrorKind::ConnectionReset
                    | ErrorKind::Interrupted => continue,
                    _ if is_short(&error) => {
                        thread::sleep(SLICE);
                        continue;
                    }
                    _ => return Err(error),
                },
            };
            open.fetch_add(1, Ordering::SeqCst);
            let place = Place(&open);
            let is_crowded = &is_crowded;
            let started = thread::Builder::new().spawn_scoped(scope, move || {
                let _place = place;
                talk(stream, who, site, on_access, progress, is_crowded);
            });
            if started.is_err() {
                thread::sleep(SLICE);
            }
        }
        Ok(())
    })
}

/// A connection that counts.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn wait(listener: &TcpListener) {
    let timeout = Timespec::try_from(SLICE).ok();
    // Where it can't be waited for, the next look shows why.
    let _ = poll(
        &mut [PollFd::new(listener, PollFlags::IN)],
        timeout.as_ref(),
    );
}

/// Whether the system has no more of what a connection takes, which passes.
fn is_short(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let short = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|errno| short.contains(&errno))
}

/// All requests of one connection.
fn talk(
    stream: TcpStream,
    who: SocketAddr,
    site: &Site,
    on_access: &(dyn Fn(&Access) + Sync),
    progress: &dyn Progress,
    is_crowded: &AtomicBool,
) {
    let Ok(mut connection) = Connection::new(stream, progress, is_crowded) else {
        return;
    };
    loop {
        let (request, answer, began) = match connection.request() {
            Ok(request) => {
                let began = Instant::now();
                let answer = answer(site, &request, &mut connection);
                (request, answer, began)
            }
            Err(Instead::Nothing) => return,
            Err(Instead::Refused(refused)) => {
                let answer = Answer::plain(refused.0).last();
                (Request::default(), answer, Instant::now())
            }
        };
        let keeps = request.keeps && !answer.ends && !progress.stopped();
        let (bytes, result) = answer.send(&connection, &request, keeps);
        on_access(&Access {
            who,
            method: &request.method,
            target: &request.target,
            status: answer.status,
            bytes,
            complete: result.is_ok(),
            took: began.elapsed(),
            trouble: answer.trouble.as_ref(),
        });
        if result.is_err() {
            return;
        }
        if !keeps {
            // The client sees the end when the file is free again.
            drop(answer);
            return connection.close();
        }
    }
}
