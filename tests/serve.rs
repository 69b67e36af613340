//! `serve`: what nodes fetch over HTTP, from git and from the working tree, by a server that nobody can hold up or lead
//! astray.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ephemeros::progress::Progress;
use ephemeros::site::{Access, Inbox, Site, serve};

use crate::fleet::Fleet;
use crate::repository::{KNOWN_URL, THREE_LINES};

/// The release of a fleet, and the names of its files.
pub(crate) const RELEASE: &str = "stable/amd64-usr/4593.2.5";
pub(crate) const KERNEL: &str = "flatcar_production_pxe.vmlinuz";
pub(crate) const INITRD: &str = "flatcar_production_pxe_image.cpio.gz";

/// A server of the tool's, on a free port.
pub(crate) struct Server {
    child: Child,
    address: String,
    /// Its standard output and standard error so far.
    said: Arc<Mutex<[String; 2]>>,
}

impl Server {
    pub(crate) fn start(fleet: &Fleet, args: &[&str]) -> Self {
        Self::with(fleet, args, &[])
    }

    pub(crate) fn with(fleet: &Fleet, args: &[&str], env: &[(&str, &str)]) -> Self {
        let all = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        let mut process = fleet.process(&all);
        process.envs(env.iter().copied());
        process.stdin(Stdio::null());
        let mut child = process
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said: Arc<Mutex<[String; 2]>> = Arc::default();
        let read = |from: Box<dyn std::io::Read + Send>, place: usize| {
            let said = Arc::clone(&said);
            thread::spawn(move || {
                for line in BufReader::new(from).lines().map_while(Result::ok) {
                    said.lock().unwrap()[place] += &format!("{line}\n");
                }
            });
        };
        read(Box::new(child.stdout.take().unwrap()), 0);
        read(Box::new(child.stderr.take().unwrap()), 1);
        let mut server = Self {
            child,
            address: String::new(),
            said,
        };
        server.until(|[out, _]| out.contains('\n'));
        let first = server.out();
        let url = first.lines().next().unwrap().split("http://").nth(1);
        url.unwrap()
            .split('/')
            .next()
            .unwrap()
            .clone_into(&mut server.address);
        server
    }

    pub(crate) fn out(&self) -> String {
        self.said.lock().unwrap()[0].clone()
    }

    pub(crate) fn err(&self) -> String {
        self.said.lock().unwrap()[1].clone()
    }

    /// Waits until it has said something.
    #[track_caller]
    pub(crate) fn until(&mut self, is_said: impl Fn(&[String; 2]) -> bool) {
        let began = Instant::now();
        while !is_said(&self.said.lock().unwrap()) {
            let gone = self.child.try_wait().unwrap();
            let late = began.elapsed() > Duration::from_secs(20);
            assert!(gone.is_none() && !late, "{gone:?} {:?}", self.said);
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    fn connect(&self) -> TcpStream {
        connect(&self.address)
    }

    /// Sends bytes, and reads one answer.
    #[track_caller]
    fn raw(&self, bytes: impl AsRef<[u8]>) -> Got {
        raw(&self.address, bytes.as_ref())
    }

    #[track_caller]
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &str) -> Got {
        self.raw(format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"
        ))
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Got {
        self.ask("GET", path, "")
    }

    /// Sends it a signal, and waits for its end: its exit code.
    pub(crate) fn end(&mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        let status = std::process::Command::new("kill")
            .args([signal, &id])
            .status();
        assert!(status.unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    let timeout = Some(Duration::from_secs(20));
    stream.set_read_timeout(timeout).unwrap();
    stream
}

#[track_caller]
fn raw(address: &str, bytes: &[u8]) -> Got {
    let mut stream = connect(address);
    stream.write_all(bytes).unwrap();
    if bytes.starts_with(b"HEAD") {
        return Got::head(&mut stream);
    }
    Got::read(&mut stream)
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    /// Reads one answer and no more.
    #[track_caller]
    fn read(stream: &mut TcpStream) -> Self {
        let mut got = Self::head(stream);
        let length = got.headers.get("content-length");
        let length = length.map_or(0, |length| length.parse().unwrap());
        stream.take(length).read_to_end(&mut got.body).unwrap();
        assert_eq!(got.body.len() as u64, length, "cut off");
        got
    }

    #[track_caller]
    fn head(stream: &mut TcpStream) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                end => panic!("{end:?} after {}", String::from_utf8_lossy(&head)),
            }
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        Self {
            status: status.parse().unwrap(),
            headers,
            body: Vec::new(),
        }
    }

    #[track_caller]
    pub(crate) fn status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

#[test]
fn a_commit_is_served_as_a_forge_would() {
    let fleet = Fleet::committed();
    let config = fleet.read("ignition/n1.ign");
    let mut server = Server::start(&fleet, &[]);
    let got = server.get("/ignition/n1.ign").status(200);
    assert_eq!(got.text(), config);
    assert_eq!(
        got.header("content-type"),
        "application/vnd.coreos.ignition+json"
    );
    assert_eq!(got.header("accept-ranges"), "bytes");
    let tag = got.header("etag").to_owned();
    assert_eq!(tag.trim_matches('"').len(), 40);
    let script = server.get("/ipxe/n1.ipxe?at=main").status(200);
    assert!(script.text().starts_with("#!ipxe\n"));
    let head = server
        .raw("HEAD /ignition/n1.ign HTTP/1.1\r\n\r\n")
        .status(200);
    assert_eq!(head.header("content-length"), config.len().to_string());
    let same = server.ask(
        "GET",
        "/ignition/n1.ign",
        &format!("If-None-Match: {tag}\r\n"),
    );
    assert_eq!(same.status(304).body, b"");
    assert!(server.out().starts_with("serving HEAD ("));
    let line = format!(" 127.0.0.1 GET /ignition/n1.ign 200 {}\n", config.len());
    server.until(|[out, _]| out.contains(&line));
    server.until(|[out, _]| out.contains(" 127.0.0.1 HEAD /ignition/n1.ign 200 0\n"));
    let raw_url = format!("raw_url = \"http://{}/{{{{ path }}}}\"", server.address);
    assert!(server.err().contains(&raw_url), "{}", server.err());
}

#[test]
fn a_branch_that_moves_is_followed_and_the_working_tree_is_not_looked_at() {
    let fleet = Fleet::committed();
    let server = Server::start(&fleet, &["--from-git", "main"]);
    let before = server.get("/ignition/n1.ign").text();
    fleet.replace("templates/base.bu", "two", "zwei");
    fleet.renders();
    assert_eq!(server.get("/ignition/n1.ign").text(), before);
    fleet.git_says(&["commit", "--quiet", "--all", "--message=zwei"]);
    let after = server.get("/ignition/n1.ign").status(200).text();
    assert_eq!(after, fleet.read("ignition/n1.ign"));
    assert_ne!(after, before);
}

#[test]
fn what_nodes_fetch_is_the_branch_of_the_remote() {
    let fleet = Fleet::committed().published();
    let published = fleet.read("ignition/n1.ign");
    fleet.replace("templates/base.bu", "two", "zwei");
    fleet.renders();
    fleet.git_says(&["commit", "--quiet", "--all", "--message=zwei"]);
    let server = Server::start(&fleet, &[]);
    assert!(
        server.out().starts_with("serving origin/main ("),
        "{}",
        server.out()
    );
    assert_eq!(server.get("/ignition/n1.ign").text(), published);
    let head = Server::start(&fleet, &["--from-git", "HEAD"]);
    assert_ne!(head.get("/ignition/n1.ign").text(), published);
}

#[test]
fn a_fleet_in_a_folder_of_its_repository_has_the_paths_of_the_repository() {
    let fleet = Fleet::committed();
    let inner = fleet.root().join("sites/north");
    fs::create_dir_all(&inner).unwrap();
    for name in [
        "fleet.toml",
        "fleet.lock",
        "nodes",
        "templates",
        "ignition",
        "ipxe",
    ] {
        fs::rename(fleet.root().join(name), inner.join(name)).unwrap();
    }
    fleet.git_says(&["add", "--all"]);
    fleet.git_says(&["commit", "--quiet", "--message=moved"]);
    let config = fleet.read("sites/north/ignition/n1.ign");
    for more in [&[][..], &["--live"]] {
        let server = Server::start(&fleet, &[&["-C", "sites/north"], more].concat());
        let got = server.get("/sites/north/ignition/n1.ign").status(200);
        assert_eq!(got.text(), config);
        server.get("/ignition/n1.ign").status(404);
        server.get("/sites/northern/ignition/n1.ign").status(404);
    }
}

#[test]
fn the_working_tree_is_rendered_at_each_request_and_nothing_is_written() {
    let fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES);
    let mut server = Server::start(&fleet, &["--live"]);
    let files = fleet.files();
    let got = server.get("/ignition/n1.ign").status(200);
    assert!(got.text().contains("two"), "{}", got.text());
    fleet.replace("templates/base.bu", "two", "zwei");
    let text = server.get("/ignition/n1.ign").status(200).text();
    assert!(text.contains("zwei"), "{text}");
    server.get("/ipxe/n1.ipxe").status(200);
    server.get("/ignition/n2.ign").status(404);
    server.get("/ignition/sub/n1.ign").status(404);
    server.get("/fleet.toml").status(404);

    fleet.replace("templates/base.bu", "storage", "storrage");
    let broken = server.get("/ignition/n1.ign").status(500);
    assert_eq!(broken.text(), "500 Internal Server Error\n");
    server.get("/ignition/n1.ign").status(500);
    server.until(|[_, err]| err.contains("storrage"));
    let told = server.err().matches("error: ").count();
    fleet.replace("templates/base.bu", "storrage", "storage");
    server.get("/ignition/n1.ign").status(200);
    assert_eq!(server.err().matches("error: ").count(), told, "told twice");
    fleet.replace("templates/base.bu", "zwei", "two");
    assert_eq!(fleet.files(), files, "it wrote something");
}

#[test]
fn what_render_would_refuse_for_a_secret_is_not_served() {
    let fleet = Fleet::new().fleet(KNOWN_URL).butane(
        "base.bu",
        "storage:\n  files:\n    - path: /etc/a\n      contents:\n        inline: |\n          -----BEGIN OPENSSH PRIVATE KEY-----\n          b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n",
    );
    fleet.run(&["render"]).code(1);
    let server = Server::start(&fleet, &["--live"]);
    let got = server.get("/ignition/n1.ign").status(500);
    assert!(!got.text().contains("OPENSSH"));
}

#[test]
fn nothing_outside_is_served() {
    let fleet = Fleet::committed();
    // A link in the commit leads out; git serves what it says, as a forge does, and not what it leads to.
    symlink("../fleet.toml", fleet.root().join("ignition/link.ign")).unwrap();
    fleet.git_says(&["add", "--all"]);
    fleet.git_says(&["commit", "--quiet", "--message=link"]);
    let releases = fleet.root().with_file_name("os");
    fs::create_dir_all(&releases).unwrap();
    fs::write(fleet.root().with_file_name("outside"), "outside").unwrap();
    symlink("../outside", releases.join(KERNEL)).unwrap();
    fs::create_dir(releases.join(INITRD)).unwrap();
    for more in [&[][..], &["--live"]] {
        let server = Server::start(&fleet, &[&["--os", "../os"], more].concat());
        for target in [
            "/../fleet.toml",
            "/ignition/../fleet.toml",
            "/ignition/../../outside",
            "/%2e%2e/outside",
            "/ignition/%2E%2e/fleet.toml",
            "/ignition%2f..%2ffleet.toml",
            "/ignition/..%5cfleet.toml",
            "/ignition\\..\\fleet.toml",
            "/ignition/n1.ign%00",
            "/ignition/n1.ign/",
            "//etc/passwd",
            "/%2fetc/passwd",
            "etc/passwd",
            "/./ignition/n1.ign",
            "/ignition//n1.ign",
            "http://host/../etc/passwd",
            "/%",
            "*",
        ] {
            let got = server.ask("GET", target, "");
            assert_eq!(got.status, 400, "{target}: {}", got.text());
        }
        for target in [
            "/",
            "/fleet.toml",
            "/nodes/n1.toml",
            "/.git/config",
            "/ignition",
            "/ignition/N1.ign",
            "/os",
            "/os/stable/amd64-usr/4593.2.5",
            "/os/stable/amd64-usr/4593.2.5/version.txt",
            "/os/outside",
            "/artifacts/k3s/amd64",
            "/etc/passwd",
            "/...",
        ] {
            assert_eq!(server.get(target).status, 404, "{target}");
        }
        let link = server.get("/ignition/link.ign");
        assert!(
            link.status == 404 || link.text() == "../fleet.toml",
            "{link:?}"
        );
        for file in [KERNEL, INITRD] {
            let got = server.get(&format!("/os/{RELEASE}/{file}")).status(500);
            assert!(!got.text().contains("outside"));
        }
        server.get("/ignition/n1.ign").status(200);
    }
}

#[test]
fn wrong_requests_are_answered_by_what_is_wrong() {
    let fleet = Fleet::committed();
    let server = Server::start(&fleet, &[]);
    let long = "a".repeat(20_000);
    let many = "A: b\r\n".repeat(100);
    for (request, status) in [
        (
            "POST /ignition/n1.ign HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
            405,
        ),
        ("PUT /ignition/n1.ign HTTP/1.1\r\n\r\n".to_owned(), 405),
        ("DELETE / HTTP/1.1\r\n\r\n".to_owned(), 405),
        ("get /ignition/n1.ign HTTP/1.1\r\n\r\n".to_owned(), 405),
        ("GET /nothing HTTP/1.1\r\n\r\n".to_owned(), 404),
        ("GET /ignition/n1.ign HTTP/2.0\r\n\r\n".to_owned(), 505),
        ("GET /ignition/n1.ign\r\n\r\n".to_owned(), 400),
        ("\u{16}\u{3}\u{1}\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nA b\r\n\r\n".to_owned(), 400),
        (format!("GET /{long} HTTP/1.1\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nA: {long}\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\n{many}\r\n"), 431),
    ] {
        let got = server.raw(&request);
        assert_eq!(got.status, status, "{request:.60}");
    }
    assert_eq!(server.ask("POST", "/", "").header("allow"), "GET, HEAD");
    server.get("/ignition/n1.ign").status(200);
}

#[test]
fn a_part_of_a_file_is_given_where_it_is_asked_for() {
    let fleet = Fleet::committed();
    let config = fleet.read("ignition/n1.ign").into_bytes();
    let length = config.len();
    let server = Server::start(&fleet, &[]);
    let ask = |range: &str| server.ask("GET", "/ignition/n1.ign", &format!("Range: {range}\r\n"));
    let got = ask("bytes=2-5").status(206);
    assert_eq!(got.body, config[2..6]);
    assert_eq!(got.header("content-range"), format!("bytes 2-5/{length}"));
    assert_eq!(ask("bytes=7-").status(206).body, config[7..]);
    assert_eq!(ask("bytes=-3").status(206).body, config[length - 3..]);
    assert_eq!(ask("bytes=0-999999").status(206).body, config);
    assert_eq!(ask("bytes=0-1,4-5").status(200).body, config);
    assert_eq!(ask("lines=1-2").status(200).body, config);
    let outside = ask(&format!("bytes={length}-")).status(416);
    assert_eq!(outside.header("content-range"), format!("bytes */{length}"));
    let tag = server.get("/ignition/n1.ign").header("etag").to_owned();
    let with = |tag: &str| {
        let headers = format!("Range: bytes=1-2\r\nIf-Range: {tag}\r\n");
        server.ask("GET", "/ignition/n1.ign", &headers).status
    };
    assert_eq!(with(&tag), 206);
    assert_eq!(with("\"another\""), 200);
    assert_eq!(with(&format!("W/{tag}")), 200);
}

#[test]
fn a_connection_serves_many_requests() {
    let fleet = Fleet::committed();
    let config = fleet.read("ignition/n1.ign");
    let server = Server::start(&fleet, &[]);
    let mut stream = server.connect();
    for _ in 0..3 {
        // iPXE says so, though HTTP/1.1 means it anyway.
        let request = "GET /ignition/n1.ign HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(Got::read(&mut stream).text(), config);
    }
    // Two at once are answered one after the other.
    let two = "GET /nothing HTTP/1.1\r\n\r\nGET /ignition/n1.ign HTTP/1.1\r\n\r\n";
    stream.write_all(two.as_bytes()).unwrap();
    Got::read(&mut stream).status(404);
    assert_eq!(Got::read(&mut stream).status(200).text(), config);
    let last = "HEAD /ignition/n1.ign HTTP/1.1\r\nConnection: close\r\n\r\n";
    stream.write_all(last.as_bytes()).unwrap();
    let mut rest = String::new();
    stream.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("Connection: close\r\n\r\n"), "{rest}");
    let old = server.raw("GET /ignition/n1.ign HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(old.header("connection"), "keep-alive");
    // The body of a request that needs none is not taken for the next one.
    let smuggled = "GET /ignition/n1.ign HTTP/1.1\r\nContent-Length: 41\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: somebody\r\n\r\n";
    let mut stream = server.connect();
    stream.write_all(smuggled.as_bytes()).unwrap();
    Got::read(&mut stream).status(200);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"");
    assert!(!server.out().contains("smuggled"));
}

#[test]
fn silent_and_slow_clients_hold_nobody_up() {
    let fleet = Fleet::committed();
    let mut server = Server::start(&fleet, &[]);
    // More than there are places, and a few that have said half of something.
    let silent: Vec<TcpStream> = (0..300).map(|_| server.connect()).collect();
    for mut stream in silent.iter().take(20) {
        let _ = stream.write_all(b"GET /ignition/n1.ign HT");
    }
    let began = Instant::now();
    server.get("/ignition/n1.ign").status(200);
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    // It ends though they hold on.
    let began = Instant::now();
    assert_eq!(server.end("-INT"), Some(130));
    assert!(began.elapsed() < Duration::from_secs(5));
    drop(silent);
}

#[test]
fn the_server_ends_as_it_is_told() {
    let fleet = Fleet::committed();
    assert_eq!(Server::start(&fleet, &[]).end("-INT"), Some(130));
    assert_eq!(Server::start(&fleet, &[]).end("-TERM"), Some(143));
    // Nobody reads its log any more.
    let mut process = fleet.process(&["serve", "--listen", "127.0.0.1:0"]);
    let mut child = process
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut first).unwrap();
    drop(out);
    let address = first
        .split("http://")
        .nth(1)
        .unwrap()
        .trim()
        .trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn json_is_a_line_a_request() {
    let fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", THREE_LINES);
    let mut server = Server::start(&fleet, &["--live", "--json"]);
    server.get("/ignition/n1.ign").status(200);
    fleet.replace("templates/base.bu", "storage", "storrage");
    server.get("/ignition/n1.ign").status(500);
    server.until(|[out, _]| out.lines().count() == 3);
    let lines: Vec<serde_json::Value> = server
        .out()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.iter().all(|line| line["format"] == 1));
    assert_eq!(lines[0]["url"], format!("http://{}/", server.address));
    assert_eq!(lines[1]["status"], 200);
    assert_eq!(lines[1]["complete"], true);
    assert_eq!(lines[2]["target"], "/ignition/n1.ign");
    assert!(
        lines[2]["mistakes"][0]["message"]
            .as_str()
            .unwrap()
            .contains("storrage")
    );
}

#[test]
fn what_can_t_be_served_is_said_at_once() {
    let fleet = Fleet::committed();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fleet.run(&["serve", "--listen", &address]).code(1).says(&[
        "error: can't listen at",
        &address,
        "in use",
        "--listen",
    ]);
    let foreign = fleet.run(&["serve", "--listen", "192.0.2.1:0"]);
    foreign
        .code(1)
        .says(&["can't listen at 192.0.2.1:0"])
        .helps();
    for wrong in ["nowhere at all", "1.2.3.4.5:99999", ":x", ""] {
        let run = fleet.run(&["serve", "--listen", wrong]);
        run.code(64).says(&["is no address"]);
    }
    let run = fleet.run(&["serve", "--from-git", "mian"]);
    run.code(1).says(&["unknown revision `mian`", "main"]);
    fleet
        .run(&["serve", "--from-git", "HEAD", "--live"])
        .code(64);
    fleet.run(&["serve", "--cache-size", "much"]).code(64);
    fleet
        .run(&["serve", "--os", "no-such-folder"])
        .code(1)
        .says(&["can't look into no-such-folder"])
        .helps();
    let without = Fleet::new().fleet(KNOWN_URL);
    without
        .run(&["serve"])
        .code(1)
        .says(&["no git repository", "--live"]);
}

/// Serves what a test made, and gives it the address; what was posted, and the log.
fn in_process(site: &Site, test: impl FnOnce(&str)) -> Vec<(u16, u64)> {
    struct Until(AtomicBool);
    impl Progress for Until {
        fn start(&self, _: &str, _: usize) {}
        fn advance(&self, _: usize) {}
        fn stopped(&self) -> bool {
            self.0.load(Ordering::SeqCst)
        }
    }
    struct End<'a>(&'a Until);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.0.store(true, Ordering::SeqCst);
        }
    }
    let until = Until(AtomicBool::new(false));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let log = Mutex::new(Vec::new());
    let on_access = |access: &Access| log.lock().unwrap().push((access.status, access.bytes));
    thread::scope(|scope| {
        let server = scope.spawn(|| serve(&listener, site, &on_access, &until));
        let end = End(&until);
        test(&address);
        drop(end);
        server.join().unwrap().unwrap();
    });
    log.into_inner().unwrap()
}

#[test]
fn a_site_takes_what_is_posted_to_its_one_place_for_it() {
    let posted = Mutex::new(Vec::new());
    let take = |body: &[u8]| posted.lock().unwrap().push(body.to_owned());
    let files: BTreeMap<String, Vec<u8>> = [("a/b.ign".to_owned(), b"{}".to_vec())].into();
    let site = Site {
        trees: vec![&files],
        inboxes: vec![Inbox {
            path: "report".to_owned(),
            limit: 10,
            take: &take,
        }],
    };
    let log = in_process(&site, |address| {
        let post = |path: &str, headers: &str, body: &str| {
            let text = format!("POST {path} HTTP/1.1\r\n{headers}\r\n{body}");
            raw(address, text.as_bytes()).status
        };
        assert_eq!(post("/report", "Content-Length: 5\r\n", "hello"), 204);
        assert_eq!(post("/report", "Content-Length: 0\r\n", ""), 204);
        assert_eq!(
            post("/report", "Content-Length: 11\r\n", "hello world"),
            413
        );
        assert_eq!(post("/report", "Content-Length: 99999999999\r\n", ""), 413);
        assert_eq!(post("/report", "", ""), 411);
        assert_eq!(
            post("/report", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
            411
        );
        assert_eq!(post("/report", "Content-Length: 5, 6\r\n", "hello"), 400);
        assert_eq!(post("/other", "Content-Length: 5\r\n", "hello"), 405);
        assert_eq!(raw(address, b"GET /report HTTP/1.1\r\n\r\n").status, 405);
        assert_eq!(raw(address, b"GET /a/b.ign HTTP/1.1\r\n\r\n").text(), "{}");
        // As curl does with a long body: it waits to be told that it is welcome.
        let mut stream = connect(address);
        let head = "POST /report HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        assert_eq!(Got::read(&mut stream).status, 100);
        stream.write_all(b"bye").unwrap();
        assert_eq!(Got::read(&mut stream).status, 204);
    });
    assert_eq!(*posted.lock().unwrap(), [&b"hello"[..], b"", b"bye"]);
    assert!(log.contains(&(200, 2)), "{log:?}");
}

#[test]
fn a_folder_can_take_what_is_posted_and_have_files_too() {
    let posted = Mutex::new(Vec::new());
    let take = |body: &[u8]| posted.lock().unwrap().push(body.to_owned());
    let files: BTreeMap<String, Vec<u8>> = [("calls/a".to_owned(), b"{}".to_vec())].into();
    let site = Site {
        trees: vec![&files],
        inboxes: vec![Inbox {
            path: "calls/".to_owned(),
            limit: 10,
            take: &take,
        }],
    };
    in_process(&site, |address| {
        let post = |path: &str| {
            let text = format!("POST {path} HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi");
            raw(address, text.as_bytes()).status
        };
        assert_eq!(post("/calls/a"), 204);
        assert_eq!(post("/calls/b/c"), 204);
        assert_eq!(post("/calls"), 405);
        assert_eq!(raw(address, b"GET /calls/a HTTP/1.1\r\n\r\n").text(), "{}");
        assert_eq!(raw(address, b"GET /calls/b HTTP/1.1\r\n\r\n").status, 405);
    });
    assert_eq!(*posted.lock().unwrap(), [b"hi", b"hi"]);
}

#[test]
fn a_client_that_takes_nothing_does_not_keep_the_server_from_its_end() {
    let files: BTreeMap<String, Vec<u8>> = [("a".to_owned(), vec![7; 50 << 20])].into();
    let site = Site {
        trees: vec![&files],
        inboxes: Vec::new(),
    };
    let mut held = None;
    let began = Instant::now();
    let log = in_process(&site, |address| {
        let mut stream = connect(address);
        stream.write_all(b"GET /a HTTP/1.1\r\n\r\n").unwrap();
        let mut first = [0; 15];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK");
        held = Some(stream);
    });
    assert!(began.elapsed() < Duration::from_secs(10));
    assert_eq!(log.len(), 1);
    drop(held);
}
