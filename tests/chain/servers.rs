//! All that a node of the example talks to, on ports of this machine: the forge, the mirror, the heartbeat's and the DNS
//! provider's server, and the log service.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

/// Takes TLS off what comes to a port of its own, and brings the rest to another. Python has TLS, and these tests have not.
const WITHOUT_TLS: &str = r#"
import socket, ssl, sys, threading

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])

def carry(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass

def serve(client):
    try:
        with context.wrap_socket(client, server_side=True) as inside:
            with socket.create_connection(("127.0.0.1", int(sys.argv[3]))) as plain:
                up = threading.Thread(target=carry, args=(inside, plain))
                up.start()
                carry(plain, inside)
                up.join()
    except OSError:
        pass

with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"#;

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// With the query.
    pub(super) path: String,
    /// What the client calls itself.
    pub(super) agent: String,
    pub(super) body: Vec<u8>,
    /// What it was answered with.
    pub(super) status: u16,
}

/// What is served, and where it stands.
#[derive(Default)]
pub(super) struct Site {
    /// The bare repository of `acme/fleet`.
    pub(super) forge: PathBuf,
    /// What is not there though it is: paths that begin so.
    pub(super) down: Vec<String>,
    /// Files, by their paths; they come before the forge's.
    pub(super) files: Vec<(String, PathBuf)>,
}

impl Site {
    /// The file at a path, as a forge like Gitea has it; kernel, initrd and programs; what the DNS provider and the
    /// heartbeat's server say.
    fn answer(&self, path: &str) -> Option<Vec<u8>> {
        if self.down.iter().any(|down| path.starts_with(down)) {
            return None;
        }
        if let Some((_, file)) = self.files.iter().find(|(name, _)| name == path) {
            return Some(fs::read(file).unwrap());
        }
        if path.starts_with("/update?") {
            return Some("<ErrCount>0</ErrCount>".into());
        }
        if path.starts_with("/beat/") || path.starts_with("/started/") {
            return Some(Vec::new());
        }
        let path = path.strip_prefix("/acme/fleet/raw/branch/main/")?;
        let git = Command::new("git")
            .arg("--git-dir")
            .arg(&self.forge)
            .args(["show", &format!("main:{path}")])
            .stderr(Stdio::null())
            .output()
            .unwrap();
        git.status.success().then_some(git.stdout)
    }
}

/// The servers, until this is dropped.
pub(super) struct Servers {
    pub(super) site: Arc<Mutex<Site>>,
    requests: Arc<Mutex<Vec<Request>>>,
    log: Arc<Mutex<Vec<String>>>,
    /// Ports of this machine: HTTP, HTTPS, and the log service's.
    pub(super) http: u16,
    pub(super) https: u16,
    pub(super) logs: u16,
    tls: Vec<Child>,
}

impl Servers {
    /// With a certificate and its private key in a folder.
    pub(super) fn start(site: Site, folder: &Path) -> Self {
        let site = Arc::new(Mutex::new(site));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::new(Mutex::new(Vec::new()));
        let http = listen({
            let (site, requests) = (Arc::clone(&site), Arc::clone(&requests));
            move |client| serve(client, &site, &requests)
        });
        let plain_logs = listen({
            let log = Arc::clone(&log);
            move |client| {
                for line in BufReader::new(client).split(b'\n') {
                    let line = String::from_utf8_lossy(&line?).into_owned();
                    log.lock().unwrap().push(line);
                }
                Ok(())
            }
        });
        let mut tls = Vec::new();
        let mut with_tls = |port| {
            let (child, port) = with_tls(folder, port);
            tls.push(child);
            port
        };
        let (https, logs) = (with_tls(http), with_tls(plain_logs));
        Self {
            site,
            requests,
            log,
            http,
            https,
            logs,
            tls,
        }
    }

    /// The requests until now, for paths that begin so.
    pub(super) fn requests(&self, start: &str) -> Vec<Request> {
        let all = self.requests.lock().unwrap();
        let those = all.iter().filter(|it| it.path.starts_with(start));
        those.cloned().collect()
    }

    /// The lines that the log service got.
    pub(super) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Begins to count anew.
    pub(super) fn forget(&self) {
        self.requests.lock().unwrap().clear();
        self.log.lock().unwrap().clear();
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in &mut self.tls {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A port of its own, and what becomes of who comes there. It ends with the process.
fn listen(serve: impl Fn(TcpStream) -> io::Result<()> + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let serve = serve.clone();
            // Who hangs up meanwhile has his reasons.
            thread::spawn(move || client.and_then(serve));
        }
    });
    port
}

fn with_tls(folder: &Path, plain: u16) -> (Child, u16) {
    let mut child = Command::new("python3")
        .args(["-c", WITHOUT_TLS])
        .args([folder.join("cert.pem"), folder.join("key.pem")])
        .arg(plain.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    said.read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

fn serve(client: TcpStream, site: &Mutex<Site>, requests: &Mutex<Vec<Request>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Ok(());
    };
    let (mut length, mut agent) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        match header.trim().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap_or_default();
            }
            Some((name, value)) if name.eq_ignore_ascii_case("user-agent") => {
                value.clone_into(&mut agent);
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let answer = site.lock().unwrap().answer(&path);
    let status = if answer.is_some() { 200 } else { 404 };
    let is_head = method == "HEAD";
    requests.lock().unwrap().push(Request {
        method,
        path,
        agent,
        body,
        status,
    });
    let answer = answer.unwrap_or_default();
    let mut client = client;
    write!(
        client,
        "HTTP/1.1 {status} It\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        answer.len()
    )?;
    if !is_head {
        client.write_all(&answer)?;
    }
    client.flush()
}

/// A certificate for the hosts that the example talks to by TLS, which vouches for itself.
pub(super) fn certificate(folder: &Path, hosts: &[&str]) -> String {
    let names: Vec<String> = hosts.iter().map(|host| format!("DNS:{host}")).collect();
    let names = format!("subjectAltName={}", names.join(","));
    let ran = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args([
            "-subj",
            "/CN=chain",
            "-days",
            "2",
            "-addext",
            &names,
            "-keyout",
        ])
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"))
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let mut text = String::new();
    let mut file = File::open(folder.join("cert.pem")).unwrap();
    file.read_to_string(&mut text).unwrap();
    text
}
