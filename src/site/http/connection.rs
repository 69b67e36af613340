//! One client's connection: requests in, answers out, and no client that holds anything up.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::request::{Refused, Request};
use crate::progress::Progress;

/// How often a connection that waits looks whether it still may.
const SLICE: Duration = Duration::from_millis(200);

/// How long a client may say nothing between requests.
const IDLE: Duration = Duration::from_secs(30);

/// How long the head of a request may take, and a body.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a client may take no byte of an answer.
const STALLED: Duration = Duration::from_secs(30);

/// How much of a file is read at once.
const CHUNK: usize = 128 * 1024;

/// A connection, and what was read of it ahead.
pub(super) struct Connection<'a> {
    stream: TcpStream,
    ahead: Vec<u8>,
    progress: &'a dyn Progress,
    /// Whether others wait for this one's place.
    is_crowded: &'a AtomicBool,
}

/// What came instead of a request.
pub(super) enum Instead {
    /// The client has gone, or has to go.
    Nothing,
    /// Something that is answered by a status and the end.
    Refused(Refused),
}

impl<'a> Connection<'a> {
    pub(super) fn new(
        stream: TcpStream,
        progress: &'a dyn Progress,
        is_crowded: &'a AtomicBool,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SLICE))?;
        stream.set_write_timeout(Some(SLICE))?;
        Ok(Self {
            stream,
            ahead: Vec::new(),
            progress,
            is_crowded,
        })
    }

    /// The next request.
    pub(super) fn request(&mut self) -> Result<Request, Instead> {
        let began = Instant::now();
        loop {
            match Request::read(&self.ahead) {
                Ok(Some((request, taken))) => {
                    self.ahead.drain(..taken);
                    return Ok(request);
                }
                Ok(None) => {}
                Err(refused) => return Err(Instead::Refused(refused)),
            }
            let is_idle = self.ahead.is_empty();
            match self.read_more() {
                Ok(0) => return Err(Instead::Nothing),
                Ok(_) => {}
                Err(error) if is_wait(&error) => {
                    let crowded = self.is_crowded.load(Ordering::Relaxed);
                    let may_wait = if is_idle { IDLE } else { PATIENCE };
                    if self.progress.stopped() || (is_idle && crowded) {
                        return Err(Instead::Nothing);
                    }
                    if began.elapsed() > may_wait {
                        return Err(if is_idle {
                            Instead::Nothing
                        } else {
                            Instead::Refused(Refused(408))
                        });
                    }
                }
                Err(_) => return Err(Instead::Nothing),
            }
            // Whoever sends a byte now and then is as late as one who sends none.
            if !is_idle && began.elapsed() > IDLE {
                return Err(Instead::Refused(Refused(408)));
            }
        }
    }

    /// The body of a request, of so many bytes.
    pub(super) fn body(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let began = Instant::now();
        while self.ahead.len() < length {
            match self.read_more() {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Err(error) if !is_wait(&error) => return Err(error),
                _ if self.progress.stopped() || began.elapsed() > PATIENCE => {
                    return Err(ErrorKind::TimedOut.into());
                }
                _ => {}
            }
        }
        let rest = self.ahead.split_off(length);
        Ok(std::mem::replace(&mut self.ahead, rest))
    }

    fn read_more(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 4096];
        let read = self.stream.read(&mut chunk)?;
        self.ahead.extend_from_slice(&chunk[..read]);
        Ok(read)
    }

    /// Sends bytes, all of them.
    pub(super) fn send(&self, mut bytes: &[u8]) -> io::Result<()> {
        let mut moved = Instant::now();
        while !bytes.is_empty() {
            match (&self.stream).write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(sent) => {
                    bytes = &bytes[sent..];
                    moved = Instant::now();
                }
                Err(error) if is_wait(&error) => {
                    if self.progress.stopped() || moved.elapsed() > STALLED {
                        return Err(ErrorKind::TimedOut.into());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends a part of a file, and counts what was sent.
    pub(super) fn send_file(
        &self,
        file: &File,
        mut from: u64,
        to: u64,
        sent: &mut u64,
    ) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        while from < to {
            if self.progress.stopped() {
                return Err(ErrorKind::Interrupted.into());
            }
            let wanted = usize::try_from(to - from).unwrap_or(CHUNK).min(CHUNK);
            let read = file.read_at(&mut chunk[..wanted], from)?;
            if read == 0 {
                // What was promised can't be kept, and the client must see that.
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.send(&chunk[..read])?;
            from += read as u64;
            *sent += read as u64;
        }
        Ok(())
    }

    /// Ends it so that the last answer arrives: the system drops what a client has not read yet where that has sent more
    /// than was read.
    pub(super) fn close(mut self) {
        if self.stream.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let (began, mut chunk) = (Instant::now(), [0; 4096]);
        while began.elapsed() < Duration::from_secs(1) {
            match self.stream.read(&mut chunk) {
                Ok(1..) => {}
                _ => return,
            }
        }
    }
}

fn is_wait(error: &io::Error) -> bool {
    let kind = error.kind();
    [
        ErrorKind::WouldBlock,
        ErrorKind::TimedOut,
        ErrorKind::Interrupted,
    ]
    .contains(&kind)
}
