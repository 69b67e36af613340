//! One question to one server, asked on a thread of its own, so that Ctrl-C is heard while nobody answers.

use std::io::{self, Read as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use ureq::http::{HeaderMap, Request};
use ureq::{Agent, Body, Proxy};

use super::address::Address;
use crate::progress::{Progress, Stopped};

/// How soon Ctrl-C is heard.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// A piece of a body.
const PIECE: usize = 128 << 10;

/// How many pieces may wait to be taken.
const AHEAD: usize = 4;

/// A piece of a file to ask for: from where on, and only if the file is still this one.
pub(super) struct Rest {
    pub(super) offset: u64,
    pub(super) validator: Option<String>,
}

/// The first part of an answer.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
}

impl Head {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

enum Piece {
    Head(Head),
    Bytes(Vec<u8>),
    End,
    Failed(ureq::Error),
}

/// An answer that is still coming in.
pub(super) struct Answer<'a> {
    pub(super) head: Head,
    pieces: Receiver<Piece>,
    progress: &'a dyn Progress,
}

/// Why there is no more.
pub(super) enum Broken {
    Stopped,
    Failed(ureq::Error),
}

impl From<Stopped> for Broken {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// Asks, and waits for the head of the answer. Redirects are not followed here.
pub(super) fn ask<'a>(
    agent: &Agent,
    address: &Address,
    proxy: Option<Proxy>,
    rest: Option<&Rest>,
    progress: &'a dyn Progress,
) -> Result<Answer<'a>, Broken> {
    let mut request = Request::get(address.uri.clone()).header("accept-encoding", "identity");
    if let Some(rest) = rest {
        request = request.header("range", format!("bytes={}-", rest.offset));
        if let Some(validator) = &rest.validator {
            request = request.header("if-range", validator);
        }
    }
    let request = request
        .body(())
        .map_err(|error| Broken::Failed(error.into()))?;
    let (sender, pieces) = sync_channel(AHEAD);
    let agent = agent.clone();
    std::thread::spawn(move || {
        let request = agent.configure_request(request).proxy(proxy).build();
        let end = match agent.run(request) {
            Ok(response) => {
                let (head, body) = response.into_parts();
                let head = Head {
                    status: head.status.as_u16(),
                    headers: head.headers,
                };
                pass_on(&sender, head, body)
            }
            Err(error) => Piece::Failed(error),
        };
        // Where nobody takes it, it was stopped.
        let _ = sender.send(end);
    });
    match next(&pieces, progress)? {
        Piece::Head(head) => Ok(Answer {
            head,
            pieces,
            progress,
        }),
        Piece::Failed(error) => Err(Broken::Failed(error)),
        Piece::Bytes(_) | Piece::End => Err(cut_off()),
    }
}

fn pass_on(sender: &SyncSender<Piece>, head: Head, mut body: Body) -> Piece {
    let gone = || Piece::End;
    if sender.send(Piece::Head(head)).is_err() {
        return gone();
    }
    let mut reader = body.as_reader();
    loop {
        let mut bytes = vec![0; PIECE];
        match reader.read(&mut bytes) {
            Ok(0) => return Piece::End,
            Ok(length) => {
                bytes.truncate(length);
                if sender.send(Piece::Bytes(bytes)).is_err() {
                    return gone();
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Piece::Failed(error.into()),
        }
    }
}

impl Answer<'_> {
    /// The next bytes of the body; `None` after the last.
    pub(super) fn next(&self) -> Result<Option<Vec<u8>>, Broken> {
        match next(&self.pieces, self.progress)? {
            Piece::Bytes(bytes) => Ok(Some(bytes)),
            Piece::End => Ok(None),
            Piece::Failed(error) => Err(Broken::Failed(error)),
            Piece::Head(_) => Err(cut_off()),
        }
    }
}

fn next(pieces: &Receiver<Piece>, progress: &dyn Progress) -> Result<Piece, Broken> {
    loop {
        if progress.stopped() {
            return Err(Broken::Stopped);
        }
        match pieces.recv_timeout(TICK) {
            Ok(piece) => return Ok(piece),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(cut_off()),
        }
    }
}

fn cut_off() -> Broken {
    let error = io::Error::from(io::ErrorKind::UnexpectedEof);
    Broken::Failed(error.into())
}
