//! A web server on the loopback that answers as a test tells it to, and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// By lower-case names.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// How often this path was asked for before.
    pub(crate) before: usize,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The connection ends after so many bytes of the body.
    cut: Option<usize>,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// A file, or the part of it that is asked for.
    pub(crate) fn file(asked: &Asked, body: &[u8]) -> Self {
        let tag = format!("\"{}\"", body.len());
        let range = asked.headers.get("range").filter(|_| {
            let wanted = asked.headers.get("if-range");
            wanted.is_none_or(|wanted| *wanted == tag)
        });
        let start = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        let answer = match start.map(|start| start.parse::<usize>().unwrap()) {
            None => Self::whole(body),
            Some(start) if start >= body.len() => Self::status(416),
            Some(start) => {
                let range = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
                let mut answer = Self::status(206).header("Content-Range", &range);
                answer.body = body[start..].to_vec();
                answer
            }
        };
        answer.header("ETag", &tag)
    }

    /// A file, from a server that knows no ranges.
    pub(crate) fn whole(body: &[u8]) -> Self {
        Self {
            status: 200,
            body: body.to_vec(),
            ..Self::default()
        }
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::status(302).header("Location", to)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn cut_after(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }
}

/// The server. Its threads end with the process.
pub(crate) struct Web {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Web {
    pub(crate) fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_with(None, answer)
    }

    /// By HTTPS, as `localhost`.
    pub(crate) fn start_secure(
        tls: ServerConfig,
        answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(Some(Arc::new(tls)), answer)
    }

    fn start_with(
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let url = match tls {
            Some(_) => format!("https://localhost:{}", address.port()),
            None => format!("http://{address}"),
        };
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let seen = Arc::clone(&asked);
        let answer = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer, tls) = (Arc::clone(&seen), Arc::clone(&answer), tls.clone());
                thread::spawn(move || {
                    let stream = stream.unwrap();
                    let socket = stream.try_clone().unwrap();
                    // A client that goes away is no failure of the server.
                    let _ = match tls {
                        Some(tls) => {
                            let tls = ServerConnection::new(tls).unwrap();
                            serve(StreamOwned::new(tls, stream), &seen, &*answer)
                        }
                        None => serve(stream, &seen, &*answer),
                    };
                    let _ = socket.shutdown(Shutdown::Both);
                });
            }
        });
        Self { url, asked }
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The paths of it.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }
}

fn serve(
    stream: impl Read + Write,
    seen: &Mutex<Vec<Asked>>,
    answer: &dyn Fn(&Asked) -> Answer,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    if stream.read_line(&mut first)? == 0 {
        return Ok(());
    }
    let mut words = first.split(' ').map(str::to_owned);
    let method = words.next().unwrap_or_default();
    let path = words.next().unwrap_or_default();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length");
    let length = length.map_or(0, |length: &String| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let asked = {
        let mut seen = seen.lock().unwrap();
        let before = seen.iter().filter(|it| it.path == path).count();
        seen.push(Asked {
            method,
            path,
            headers,
            body,
            before,
        });
        seen.last().unwrap().clone()
    };
    let answer = answer(&asked);
    let mut head = format!("HTTP/1.1 {} x\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!(
        "Content-Length: {}\r\nConnection: close\r\n\r\n",
        answer.body.len()
    ));
    let out = stream.get_mut();
    out.write_all(head.as_bytes())?;
    let end = answer.cut.unwrap_or(answer.body.len());
    out.write_all(&answer.body[..end.min(answer.body.len())])?;
    out.flush()
}
