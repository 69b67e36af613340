//! What a request is answered.

use std::io;
use std::time::SystemTime;

use super::connection::Connection;
use super::range::{Part, part};
use super::request::{Length, Request};
use super::target;
use super::{Inbox, Site};
use crate::site::content::{Body, Content, Trouble};

/// An answer, ready to be sent.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(&'static str, String)>,
    body: Sent,
    /// Why it is not what was asked for.
    pub(super) trouble: Option<Trouble>,
    /// Whether the connection can't go on after it.
    pub(super) ends: bool,
}

/// The body of an answer.
enum Sent {
    Text(String),
    Part(Content, u64, u64),
}

impl Answer {
    /// A status, with itself in words for people.
    pub(super) fn plain(status: u16) -> Self {
        let text = match status {
            204 | 304 => String::new(),
            _ => format!("{status} {}\n", reason(status)),
        };
        Self {
            status,
            headers: vec![("Content-Type", "text/plain; charset=utf-8".to_owned())],
            body: Sent::Text(text),
            trouble: None,
            ends: false,
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The connection ends after it.
    pub(super) fn last(self) -> Self {
        Self { ends: true, ..self }
    }
}

/// What a request is answered, without sending it.
pub(super) fn answer(site: &Site, request: &Request, connection: &mut Connection) -> Answer {
    let is_read = matches!(request.method.as_str(), "GET" | "HEAD");
    let path = target::path(&request.target);
    let inbox = path
        .as_ref()
        .ok()
        .and_then(|path| site.inboxes.iter().find(|inbox| inbox.takes(path)));
    if let ("POST", Some(inbox)) = (request.method.as_str(), inbox) {
        return take(inbox, request, connection);
    }
    if !is_read {
        // Its body, if there is one, would be read as the next request.
        return Answer::plain(405).with("Allow", "GET, HEAD").last();
    }
    let Ok(path) = path else {
        return Answer::plain(400);
    };
    let found = site
        .trees
        .iter()
        .find_map(|tree| tree.find(&path).transpose());
    let answer = match found {
        Some(Ok(content)) => give(content, request),
        Some(Err(trouble)) => {
            let answer = Answer::plain(trouble.status);
            let answer = match trouble.status {
                // iPXE comes again by itself where it is told when.
                503 => answer.with("Retry-After", "2"),
                _ => answer,
            };
            Answer {
                trouble: Some(trouble),
                ..answer
            }
        }
        None if inbox.is_some() => Answer::plain(405).with("Allow", "POST"),
        None => Answer::plain(404),
    };
    match request.body {
        Length::None | Length::Known(0) => answer,
        _ => answer.last(),
    }
}

/// Takes in what a client posts.
fn take(inbox: &Inbox, request: &Request, connection: &mut Connection) -> Answer {
    let length = match request.body {
        Length::Known(length) => length,
        Length::None | Length::Chunked => return Answer::plain(411).last(),
        Length::Unclear => return Answer::plain(400).last(),
    };
    let length = match usize::try_from(length) {
        Ok(length) if length <= inbox.limit => length,
        _ => return Answer::plain(413).last(),
    };
    let welcome = if request.asks_first {
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    } else {
        Ok(())
    };
    match welcome.and_then(|()| connection.body(length)) {
        Ok(body) => {
            (inbox.take)(&body);
            Answer::plain(204)
        }
        Err(_) => Answer::plain(408).last(),
    }
}

/// Gives a file, or the part that was asked for.
fn give(content: Content, request: &Request) -> Answer {
    let length = match &content.body {
        Body::Bytes(bytes) => bytes.len() as u64,
        Body::File(file) => match file.metadata() {
            Ok(metadata) => metadata.len(),
            Err(error) => {
                return Answer {
                    trouble: Some(Trouble::here(error)),
                    ..Answer::plain(500)
                };
            }
        },
    };
    let tag = format!("\"{}\"", content.tag);
    let none_match = request.if_none_match.as_deref();
    if none_match.is_some_and(|header| Request::names(header, &content.tag, true)) {
        return Answer {
            headers: Vec::new(),
            ..Answer::plain(304)
        }
        .with("ETag", tag);
    }
    let same = request.if_range.as_deref();
    let same = same.is_none_or(|header| Request::names(header, &content.tag, false));
    let range = request.range.as_deref().filter(|_| same);
    let (status, from, to) = match range.map_or(Part::Whole, |range| part(range, length)) {
        Part::Whole => (200, 0, length),
        Part::Bytes(from, to) => (206, from, to),
        Part::Outside => {
            return Answer::plain(416).with("Content-Range", format!("bytes */{length}"));
        }
    };
    let mut answer = Answer {
        status,
        headers: Vec::new(),
        trouble: None,
        ends: false,
        body: Sent::Text(String::new()),
    }
    .with("Content-Type", content.kind)
    .with("ETag", tag)
    .with("Accept-Ranges", "bytes")
    // What stands between must not answer with the config of yesterday.
    .with("Cache-Control", "no-cache");
    if status == 206 {
        let last = to - 1;
        answer = answer.with("Content-Range", format!("bytes {from}-{last}/{length}"));
    }
    answer.body = Sent::Part(content, from, to);
    answer
}

impl Answer {
    /// Sends it. The result counts the bytes of the body that were sent, also where not all were.
    pub(super) fn send(
        &self,
        connection: &Connection,
        request: &Request,
        keeps: bool,
    ) -> (u64, io::Result<()>) {
        let length = match &self.body {
            Sent::Text(text) => text.len() as u64,
            Sent::Part(_, from, to) => to - from,
        };
        let date = httpdate::fmt_http_date(SystemTime::now());
        let (status, reason) = (self.status, reason(self.status));
        let mut head = format!("HTTP/1.1 {status} {reason}\r\nDate: {date}\r\n");
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        // These two have no body by definition.
        if ![204, 304].contains(&self.status) {
            head.push_str(&format!("Content-Length: {length}\r\n"));
        }
        match (keeps, request.is_old) {
            (false, _) => head.push_str("Connection: close\r\n"),
            (true, true) => head.push_str("Connection: keep-alive\r\n"),
            (true, false) => {}
        }
        head.push_str("\r\n");
        let mut head = head.into_bytes();
        if request.method == "HEAD" {
            return (0, connection.send(&head));
        }
        let small = match &self.body {
            Sent::Text(text) => text.as_bytes(),
            Sent::Part(content, from, to) => match &content.body {
                Body::Bytes(bytes) => {
                    let place = |at: u64| usize::try_from(at).unwrap_or(bytes.len());
                    &bytes[place(*from)..place(*to)]
                }
                Body::File(file) => {
                    let mut sent = 0;
                    let result = connection
                        .send(&head)
                        .and_then(|()| connection.send_file(file, *from, *to, &mut sent));
                    return (sent, result);
                }
            },
        };
        head.extend_from_slice(small);
        match connection.send(&head) {
            Ok(()) => (length, Ok(())),
            Err(error) => (0, Err(error)),
        }
    }
}

/// The status in words.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        304 => "Not Modified",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        411 => "Length Required",
        413 => "Content Too Large",
        416 => "Range Not Satisfiable",
        431 => "Request Header Fields Too Large",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Internal Server Error",
    }
}
