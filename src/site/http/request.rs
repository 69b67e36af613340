//! The head of a request, as far as this server minds it.

use httparse::{EMPTY_HEADER, Error, Status};

/// The longest head, in bytes. iPXE and Ignition send under 1 KiB.
pub(super) const LONGEST: usize = 16 * 1024;

/// The most headers.
const HEADERS: usize = 64;

/// The head of a request.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    /// Whether another request may follow on this connection.
    pub(super) keeps: bool,
    /// Whether it is HTTP/1.0, where that has to be said.
    pub(super) is_old: bool,
    pub(super) range: Option<String>,
    pub(super) if_range: Option<String>,
    pub(super) if_none_match: Option<String>,
    pub(super) body: Length,
    /// Whether the client waits to be told that its body is welcome.
    pub(super) asks_first: bool,
}

/// How long the body of a request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Length {
    /// There is none.
    #[default]
    None,
    /// So many bytes.
    Known(u64),
    /// It comes in chunks.
    Chunked,
    /// Two headers contradict each other, which is how requests are smuggled.
    Unclear,
}

/// Why bytes are no head of a request: the status that says so.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) u16);

impl Request {
    /// Reads a head from the front of the bytes, and says how many it took; `None` as long as it is not complete.
    pub(super) fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, Refused> {
        let mut headers = [EMPTY_HEADER; HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        let taken = match parsed.parse(bytes) {
            Ok(Status::Complete(taken)) if taken <= LONGEST => taken,
            Ok(Status::Partial) if bytes.len() < LONGEST => return Ok(None),
            Ok(_) | Err(Error::TooManyHeaders) => return Err(Refused(431)),
            Err(Error::Version) => return Err(Refused(505)),
            Err(_) => return Err(Refused(400)),
        };
        let is_old = parsed.version == Some(0);
        let mut request = Self {
            method: parsed.method.unwrap_or_default().to_owned(),
            target: parsed.path.unwrap_or_default().to_owned(),
            keeps: !is_old,
            is_old,
            ..Self::default()
        };
        for header in parsed.headers.iter() {
            let value = String::from_utf8_lossy(header.value).trim().to_owned();
            match header.name.to_ascii_lowercase().as_str() {
                "connection" => {
                    for option in value.split(',') {
                        match option.trim().to_ascii_lowercase().as_str() {
                            "close" => request.keeps = false,
                            "keep-alive" if is_old => request.keeps = true,
                            _ => {}
                        }
                    }
                }
                "range" => request.range = Some(value),
                "if-range" => request.if_range = Some(value),
                "if-none-match" => request.if_none_match = Some(value),
                "expect" => request.asks_first = value.eq_ignore_ascii_case("100-continue"),
                "content-length" => {
                    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
                    let length = value.parse().ok().filter(|_| digits);
                    request.body = match (request.body, length) {
                        (Length::None, Some(length)) => Length::Known(length),
                        (Length::Known(known), Some(length)) if known == length => request.body,
                        _ => Length::Unclear,
                    };
                }
                "transfer-encoding" => {
                    request.body = match request.body {
                        Length::None => Length::Chunked,
                        _ => Length::Unclear,
                    };
                }
                _ => {}
            }
        }
        Ok(Some((request, taken)))
    }

    /// Whether a header with tags names this one. A weak tag is another one where a part of a file is asked for.
    pub(super) fn names(header: &str, tag: &str, weakly: bool) -> bool {
        let mut tags = header.split(',').map(str::trim);
        tags.any(|it| {
            let it = if weakly {
                it.strip_prefix("W/").unwrap_or(it)
            } else {
                it
            };
            let it = it.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
            it == Some(tag)
        }) || (weakly && header.trim() == "*")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Request {
        Request::read(text.as_bytes()).unwrap().unwrap().0
    }

    #[test]
    fn a_head_is_read_when_it_is_complete() {
        let text = "GET /a HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\nnext";
        for end in 0..text.len() - 4 {
            assert!(Request::read(&text.as_bytes()[..end]).unwrap().is_none());
        }
        let (request, taken) = Request::read(text.as_bytes()).unwrap().unwrap();
        assert_eq!(&text[taken..], "next");
        assert_eq!(request.range.as_deref(), Some("bytes=0-1"));
        assert!(request.keeps);
    }

    #[test]
    fn a_connection_is_kept_as_the_version_says() {
        assert!(!read("GET / HTTP/1.0\r\n\r\n").keeps);
        assert!(read("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keeps);
        assert!(!read("GET / HTTP/1.1\r\nconnection: x, close\r\n\r\n").keeps);
    }

    #[test]
    fn a_body_has_one_length() {
        let body = |headers: &str| read(&format!("POST / HTTP/1.1\r\n{headers}\r\n")).body;
        assert_eq!(body(""), Length::None);
        assert_eq!(body("Content-Length: 5\r\n"), Length::Known(5));
        assert_eq!(body("Transfer-Encoding: chunked\r\n"), Length::Chunked);
        for unclear in [
            "Content-Length: +5\r\n",
            "Content-Length: 5\r\nContent-Length: 6\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: 99999999999999999999999\r\n",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        ] {
            assert_eq!(body(unclear), Length::Unclear, "{unclear}");
        }
    }

    #[test]
    fn what_is_no_head_is_refused() {
        for (text, status) in [
            ("\u{1}\u{2}\r\n\r\n".to_owned(), 400),
            ("GET /a b HTTP/1.1\r\n\r\n".to_owned(), 505),
            ("GET / HTTP/2.0\r\n\r\n".to_owned(), 505),
            (
                format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(LONGEST)),
                431,
            ),
            (format!("GET /{}", "a".repeat(LONGEST)), 431),
            (
                format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65)),
                431,
            ),
        ] {
            let refused = Request::read(text.as_bytes()).err();
            assert_eq!(refused, Some(Refused(status)), "{text:.40}");
        }
    }

    #[test]
    fn a_tag_is_found_among_others() {
        assert!(Request::names("\"a\", \"b\"", "b", false));
        assert!(!Request::names("W/\"b\"", "b", false));
        assert!(Request::names("W/\"b\"", "b", true));
        assert!(Request::names("*", "b", true));
        assert!(!Request::names("b", "b", true));
    }
}
