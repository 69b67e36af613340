//! `status`: what a forge serves, against what was committed. The forge is a bare repository on disk, and a server that gives
//! the files of its branch as raw files.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::authority::Authority;
use crate::fleet::{Fleet, Run, Tool};
use crate::repository::THREE_LINES;
use crate::web::{Answer, Web};

/// What is answered for a path, instead of the file.
type Instead = Arc<Mutex<BTreeMap<String, Answer>>>;

/// A fleet that was pushed to a forge.
pub(crate) struct Forge {
    pub(crate) fleet: Fleet,
    pub(crate) web: Web,
    instead: Instead,
}

pub(crate) const CONFIG: &str = "/ignition/n1.ign";
pub(crate) const SCRIPT: &str = "/ipxe/n1.ipxe";

impl Forge {
    pub(crate) fn new() -> Self {
        Self::with(1, "")
    }

    /// With so many nodes, and more in fleet.toml.
    pub(crate) fn with(nodes: usize, more: &str) -> Self {
        let fleet = Fleet::new().butane("base.bu", THREE_LINES);
        let instead = Instead::default();
        let web = Web::start(raw_files(&fleet.origin(), &instead));
        let mut fleet = fleet.fleet(&format!(
            "[git]\nbranch = \"main\"\nraw_url = \"{}/{{{{ path }}}}\"\n{more}",
            web.url
        ));
        for number in 2..=nodes {
            fleet = fleet.node(&format!("n{number}"), "templates = [\"base.bu\"]\n");
        }
        fleet.renders();
        Self {
            fleet: fleet.git().published(),
            web,
            instead,
        }
    }

    /// A change of every config and script, in the working tree.
    pub(crate) fn change(&self, from: &str, to: &str) {
        self.fleet.replace("templates/base.bu", from, to);
        self.fleet.renders();
    }

    pub(crate) fn push(&self) {
        self.fleet.commit();
        self.fleet.git_says(&["push", "--quiet", "origin", "main"]);
    }

    /// Answers for a path as if the forge were another.
    pub(crate) fn says(&self, path: &str, answer: Answer) {
        self.instead.lock().unwrap().insert(path.to_owned(), answer);
    }

    fn tool(&self, args: &[&str]) -> Tool {
        self.fleet.command(&[&["status"], args].concat())
    }

    fn status(&self, args: &[&str]) -> Run {
        self.tool(args).run()
    }

    /// A status that is not good, as JSON; of the first node's config or script.
    #[track_caller]
    fn told(&self, file: &str) -> Value {
        let report = self.json(1);
        report["nodes"][0][file].clone()
    }

    #[track_caller]
    fn json(&self, code: i32) -> Value {
        let run = self.status(&["--json"]).code(code);
        serde_json::from_str(&run.stdout).unwrap()
    }

    fn head(&self) -> String {
        self.fleet.git_says(&["rev-parse", "--short=7", "HEAD"])
    }

    fn digest(&self) -> String {
        digest(&self.fleet.read("ignition/n1.ign"))
    }
}

/// The raw files of a bare repository's branch.
fn raw_files(
    origin: &Path,
    instead: &Instead,
) -> impl Fn(&crate::web::Asked) -> Answer + Send + Sync + 'static {
    let (origin, instead) = (origin.to_owned(), Arc::clone(instead));
    move |asked| {
        if let Some(answer) = instead.lock().unwrap().get(&asked.path) {
            return answer.clone();
        }
        let path = asked.path.split('?').next().unwrap();
        let path = path.trim_start_matches('/');
        let mut git = Command::new("git");
        git.arg("--git-dir").arg(&origin);
        let shown = git.args(["show", &format!("main:{path}")]);
        let shown = shown.output().unwrap();
        if shown.status.success() {
            Answer::whole(&shown.stdout)
        } else {
            Answer::status(404)
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<Vec<_>>().concat()
}

/// The short name of a config, by other means than the tool's.
fn digest(config: &str) -> String {
    use sha2::{Digest as _, Sha256};
    hex(&Sha256::digest(config)[..6])
}

#[test]
fn what_was_pushed_is_served() {
    let forge = Forge::new();
    let run = forge.status(&[]).code(0);
    assert_eq!(
        run.stdout,
        format!(
            "Asked for what origin/main ({}) holds.\n\nas committed\n    n1  config {}\n\nStatus: 1 as committed.\n",
            forge.head(),
            forge.digest()
        )
    );
    assert_eq!(run.stderr, "");
    let mut asked = forge.web.paths();
    asked.sort();
    assert_eq!(asked, [CONFIG, SCRIPT]);
}

#[test]
fn what_is_not_pushed_does_not_count() {
    let forge = Forge::new();
    let before = forge.digest();
    forge.change("two", "zwei");
    forge.status(&[]).code(0).prints(&[&before]);
    forge.fleet.commit();
    forge.status(&[]).code(0).prints(&[&before]);
}

#[test]
fn an_older_commit_is_named() {
    let forge = Forge::new();
    let (head, digest) = (forge.head(), forge.digest());
    let config = forge.fleet.read("ignition/n1.ign");
    let script = forge.fleet.read("ipxe/n1.ipxe");
    forge.change("two", "zwei");
    forge.push();
    // As a cache that is behind.
    forge.says(CONFIG, Answer::whole(config.as_bytes()));
    let run = forge.status(&[]).code(1).prints(&[
        &format!(
            "config: of an older commit: {head} of 2026-01-01\nboot script: as committed\n    n1  config {digest}\n"
        ),
        "the caches of forges take minutes,\n  that of raw.githubusercontent.com about five",
        "\nStatus: 1 of an older commit.\n",
    ]);
    assert_eq!(run.stderr, "");
    forge.says(SCRIPT, Answer::whole(script.as_bytes()));
    forge.status(&[]).code(1).prints(&[&format!(
        "config and boot script: of an older commit: {head} of"
    )]);
    let told = forge.told("config");
    assert_eq!(told["verdict"], "older");
    assert_eq!(
        (&told["commit"], &told["date"]),
        (&head.into(), &"2026-01-01".into())
    );
}

#[test]
fn somebody_elses_push_is_told_from_an_old_file() {
    let forge = Forge::new();
    forge.change("two", "zwei");
    let newer = forge.fleet.read("ignition/n1.ign");
    forge.says(CONFIG, Answer::whole(newer.as_bytes()));
    forge.status(&[]).code(1).prints(&[
        "config: newer than this clone knows: what the working tree holds\n",
        "run `git fetch`",
    ]);
    forge.fleet.commit();
    forge
        .status(&[])
        .code(1)
        .prints(&["config: newer than this clone knows: what HEAD holds\n"]);
    assert_eq!(forge.told("config")["verdict"], "ahead");
    // The other clone of somebody who pushes what this one has never seen.
    let other = Forge::new();
    let clone = other.fleet.cloned();
    let origin = other.fleet.origin();
    clone.git_says(&["remote", "set-url", "origin", origin.to_str().unwrap()]);
    clone.replace("templates/base.bu", "three", "drei");
    clone.renders();
    clone.commit();
    clone.git_says(&["push", "--quiet", "origin", "HEAD:main"]);
    let run = other.status(&[]).code(1);
    run.prints(&[
        "config and boot script: of no commit that is known\n",
        &format!(
            "    n1  config {}  {}{CONFIG}\n",
            digest(&clone.read("ignition/n1.ign")),
            other.web.url
        ),
        "where somebody else has pushed, run `git fetch`",
    ]);
    other.fleet.git_says(&["fetch", "--quiet"]);
    other.status(&[]).code(0);
}

#[test]
fn a_shallow_clone_knows_few_commits() {
    let forge = Forge::new();
    let old = forge.fleet.read("ignition/n1.ign");
    forge.change("two", "zwei");
    forge.push();
    let clone = Fleet::empty();
    let from = format!("file://{}", forge.fleet.origin().display());
    forge.fleet.git_says(&[
        "clone",
        "--quiet",
        "--depth=1",
        &from,
        clone.root().join("in").to_str().unwrap(),
    ]);
    forge.says(CONFIG, Answer::whole(old.as_bytes()));
    let run = clone.run(&["-C", "in", "status"]).code(1);
    run.prints(&[
        "config: of no commit that is known\n",
        "`git fetch --unshallow`",
    ]);
}

#[test]
fn what_the_server_refuses_is_told_with_what_to_do() {
    for (status, verdict, words, help) in [
        (
            404,
            "not-found",
            "not found: 404 Not Found\n",
            "of a private repository forges say the same",
        ),
        (410, "not-found", "not found: 410 Gone\n", "is pushed"),
        (
            401,
            "forbidden",
            "refused: 401 Unauthorized\n",
            "make the repository public",
        ),
        (
            403,
            "forbidden",
            "refused: 403 Forbidden\n",
            "`ephemeros serve` does, and name that with `raw_url`",
        ),
        (
            429,
            "rate-limited",
            "the server says 429 Too Many Requests\n",
            "with `status --jobs 1`",
        ),
        (
            503,
            "server-error",
            "the server says 503 Service Unavailable\n",
            "ask again later",
        ),
    ] {
        let forge = Forge::new();
        forge.says(CONFIG, Answer::status(status));
        let run = forge.status(&[]).code(1);
        let url = format!("    n1  {}{CONFIG}\n", forge.web.url);
        run.prints(&[&format!("config: {words}boot script: "), &url, help]);
        let told = forge.told("config");
        assert_eq!(told["verdict"], verdict);
        assert_eq!(told["status"], status);
        assert!(told["help"].as_str().unwrap().contains(help), "{told}");
        let report = forge.json(1);
        assert_eq!(report["nodes"][0]["digest"], Value::Null);
        assert_eq!(report["nodes"][0]["verdict"], verdict);
    }
}

#[test]
fn a_server_that_wants_to_be_left_alone_is_left_alone() {
    let forge = Forge::with(40, "");
    for number in 1..=40 {
        // The scripts too: a worker that gets one of them has no reason to stop.
        for path in [
            format!("/ignition/n{number}.ign"),
            format!("/ipxe/n{number}.ipxe"),
        ] {
            let answer = Answer::status(429).header("Retry-After", "120");
            forge.says(&path, answer);
        }
    }
    let run = forge.status(&["--jobs", "1"]).code(1);
    run.prints(&["the server says 429 Too Many Requests, to be asked again in 120 s\n"]);
    assert_eq!(forge.web.paths().len(), 1);
    let report = forge.json(1);
    assert_eq!(report["nodes"][0]["config"]["retry_after"], 120);
    let refused = report["summary"]["rate-limited"].as_u64().unwrap();
    let left_alone = report["summary"]["not-asked"].as_u64().unwrap();
    assert!(refused <= 16 && left_alone >= 20, "{report:#}");
    assert!(forge.web.paths().len() <= 1 + 16);
}

#[test]
fn a_server_in_trouble_is_not_waited_for_node_by_node() {
    let forge = Forge::with(60, "");
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let nowhere = format!("http://127.0.0.1:{port}/{{{{ path }}}}");
    let start = Instant::now();
    let run = forge.status(&["--raw-url", &nowhere]).code(1);
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
    run.prints(&[
        "the connection is refused\n",
        "not asked\n",
        "mend what the others say",
    ]);
}

#[test]
fn who_can_not_be_asked_is_told_apart() {
    let forge = Forge::new();
    let told = |url: &str, args: &[&str]| {
        let url = format!("{url}/{{{{ path }}}}");
        forge.status(&[&["--raw-url", &url], args].concat()).code(1)
    };
    let run = told("http://no-such-host.invalid", &[]);
    run.prints(&[
        "config and boot script: the name of the host can't be looked up\n",
        "whether this machine has a network",
    ]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let start = Instant::now();
    told(&silent, &["--timeout", "1"]).prints(&["config and boot script: no answer in time\n"]);
    let took = start.elapsed();
    assert!(
        took >= Duration::from_secs(1) && took < Duration::from_secs(5),
        "{took:?}"
    );
    drop(listener);
    told(&silent, &[]).prints(&["config and boot script: the connection is refused\n"]);
    // Of 34 bytes that were promised 17 came.
    let cut =
        Web::start(|_| Answer::whole(b"{\"ignition\":{\"version\":\"3.3.0\"}}\n").cut_after(17));
    told(&cut.url, &[]).prints(&["config and boot script: the connection was cut\n"]);
}

/// Byte after byte is no answer either: the time is that of the whole file.
#[test]
fn a_server_that_trickles_is_not_waited_for() {
    let forge = Forge::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{{{{ path }}}}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                use std::io::Write as _;
                let mut stream = stream.unwrap();
                let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
                stream.write_all(head.as_bytes()).unwrap();
                while stream.write_all(b" ").is_ok() {
                    std::thread::sleep(Duration::from_millis(100));
                }
            });
        }
    });
    let start = Instant::now();
    let run = forge.status(&["--raw-url", &url, "--timeout", "1"]).code(1);
    run.prints(&["config and boot script: no answer in time\n"]);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn a_certificate_that_nodes_would_not_take_is_told() {
    let forge = Forge::new();
    let authority = Authority::new();
    let serve = |name: &str, days: u32| {
        let raw = raw_files(&forge.fleet.origin(), &forge.instead);
        Web::start_secure(authority.server(name, days), raw)
    };
    let status = |web: &Web, trusted: bool| {
        let url = format!("{}/{{{{ path }}}}", web.url);
        let tool = forge.tool(&["--raw-url", &url]);
        if trusted {
            let file = authority.file();
            tool.env("SSL_CERT_FILE", file.to_str().unwrap()).run()
        } else {
            tool.run()
        }
    };
    let good = serve("localhost", 2);
    status(&good, true).code(0);
    let help = "nodes trust public authorities alone and would fail too";
    status(&good, false).code(1).prints(&[
        "config and boot script: no safe connection: no authority that is known here vouches for its certificate\n",
        help,
    ]);
    let other = serve("elsewhere.example", 2);
    status(&other, true).code(1).prints(&[
        "no safe connection: its certificate is for another name: elsewhere.example\n",
        help,
    ]);
    let expired = serve("localhost", 0);
    std::thread::sleep(Duration::from_millis(1500));
    status(&expired, true)
        .code(1)
        .prints(&["no safe connection: its certificate has expired\n", help]);
}

#[test]
fn what_nodes_can_not_boot_is_told_from_another_version() {
    let page = "\n<!DOCTYPE html><title>Sign in</title>";
    for (file, path, body, words) in [
        (
            "config",
            CONFIG,
            page,
            "config: no Ignition config: a web page, as of a login\n",
        ),
        (
            "script",
            SCRIPT,
            page,
            "boot script: no boot script: a web page, as of a login\n",
        ),
        (
            "config",
            CONFIG,
            "",
            "config: no Ignition config: an empty file\n",
        ),
        (
            "config",
            CONFIG,
            "{\"ignition\":{}}",
            "config: no Ignition config\n",
        ),
        ("script", SCRIPT, "echo\n", "boot script: no boot script\n"),
    ] {
        let forge = Forge::new();
        forge.says(path, Answer::whole(body.as_bytes()));
        forge.status(&[]).code(1).prints(&[words]);
        assert_eq!(forge.told(file)["verdict"], "foreign");
    }
}

#[test]
fn redirects_are_followed_and_named() {
    let forge = Forge::new();
    let raw = Web::start(raw_files(&forge.fleet.origin(), &Instead::default()));
    for path in [CONFIG, SCRIPT] {
        forge.says(
            path,
            Answer::redirect(&format!("{}{path}?key=abc", raw.url)),
        );
    }
    let run = forge.status(&[]).code(0).hides("key=abc");
    run.prints(&[&format!(
        "as committed\n  redirected to {}\n    n1  config ",
        raw.url
    )]);
    let report = forge.json(0);
    assert_eq!(
        report["nodes"][0]["config"]["redirected_to"],
        format!("{}{CONFIG}", raw.url)
    );

    let login = Web::start(|_| Answer::whole(b"<html>who are you?"));
    forge.says(
        CONFIG,
        Answer::redirect(&format!("{}/login?to=x", login.url)),
    );
    let run = forge.status(&[]).code(1);
    run.prints(&[
        "config: no Ignition config: a web page, as of a login\n",
        &format!("  redirected to {}\n", login.url),
        "make the repository public",
    ]);
    // What the login says counts, and where it stands.
    let login = Web::start(|_| Answer::status(403));
    forge.says(
        CONFIG,
        Answer::redirect(&format!("{}/login?to=x", login.url)),
    );
    let run = forge.status(&[]).code(1);
    run.prints(&[
        "config: refused: 403 Forbidden\n",
        &format!("  redirected to {}\n", login.url),
    ]);
    forge.says(CONFIG, Answer::redirect(CONFIG));
    let run = forge.status(&[]).code(1);
    run.prints(&["config: the server sends on and on, 10 times\n"]);
}

#[test]
fn many_nodes_of_one_verdict_are_shown_once() {
    let forge = Forge::with(12, "");
    forge.says("/ignition/n2.ign", Answer::status(404));
    forge.says("/ipxe/n2.ipxe", Answer::status(404));
    let run = forge.status(&[]).code(1);
    // By name: n1, n10, n11, n12, n3.
    assert!(run.stdout.contains("    n6   config"), "{}", run.stdout);
    assert!(!run.stdout.contains("    n7 "), "{}", run.stdout);
    let run = run.prints(&[
        "    and 3 more\n\nconfig and boot script: not found: 404 Not Found\n    n2  http://",
        "Status: 11 as committed, 1 not found.\n",
    ]);
    assert_eq!(run.stdout.matches("as committed\n").count(), 1);
    let all = forge.status(&["--verbose"]).code(1).stdout;
    for number in 1..=12 {
        assert!(all.contains(&format!("    n{number} ")), "{all}");
    }
    forge
        .status(&["n1", "--on", "n3,n12"])
        .code(0)
        .prints(&["Status: 3 as committed."]);
    forge.status(&["n99"]).code(1).says(&["no node fits `n99`"]);
}

#[test]
fn a_script_on_the_stick_is_not_asked_for() {
    let forge = Forge::with(1, "[stick]\nscript = \"stick\"\n");
    forge.status(&[]).code(0);
    assert_eq!(forge.web.paths(), [CONFIG]);
    assert_eq!(forge.json(0)["nodes"][0]["script"], Value::Null);
}

#[test]
fn a_node_that_was_never_pushed_is_told_without_a_question() {
    let forge = Forge::new();
    forge
        .fleet
        .write("nodes/n2.toml", "templates = [\"base.bu\"]\n");
    let run = forge.status(&[]).code(1);
    run.prints(&[
        "config and boot script: not published\n    n2",
        "run `ephemeros render`, commit and push",
        "Status: 1 as committed, 1 not published.\n",
    ]);
    assert_eq!(forge.web.paths().len(), 2);
    forge.status(&["n1"]).code(0);
    Fleet::new()
        .run(&["status"])
        .code(1)
        .says(&["error: nothing was committed yet", "commit and push"]);
}

/// By the commit and the contents that nodes should have, not by those of the working tree.
#[test]
fn urls_that_name_commit_or_contents_are_those_of_what_was_pushed() {
    let forge = Forge::new();
    let config = forge.fleet.read("ignition/n1.ign");
    let commit = forge.fleet.git_says(&["rev-parse", "HEAD"]);
    forge.change("two", "zwei");
    forge.fleet.commit();
    let sha512 = {
        use sha2::{Digest as _, Sha512};
        hex(&Sha512::digest(&config))
    };
    let path = format!("/{commit}/{sha512}/ignition/n1.ign");
    forge.says(&path, Answer::whole(config.as_bytes()));
    let url = format!(
        "{}/{{{{ commit }}}}/{{{{ sha512 }}}}/{{{{ path }}}}",
        forge.web.url
    );
    let run = forge.status(&["--raw-url", &url]).code(1);
    run.prints(&["config: as committed\nboot script: not found"]);
    assert!(forge.web.paths().contains(&path));
    let env = forge.tool(&[]).env("EPHEMEROS_RAW_URL", &url).run().code(1);
    env.prints(&["config: as committed\n"]);
}

#[test]
fn so_many_are_asked_for_at_a_time() {
    let busy = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let forge = Forge::with(12, "");
    let raw = raw_files(&forge.fleet.origin(), &Instead::default());
    let web = {
        let (busy, most) = (Arc::clone(&busy), Arc::clone(&most));
        Web::start(move |asked| {
            most.fetch_max(busy.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(50));
            let answer = raw(asked);
            busy.fetch_sub(1, Ordering::SeqCst);
            answer
        })
    };
    let url = format!("{}/{{{{ path }}}}", web.url);
    forge.status(&["--raw-url", &url, "--jobs", "3"]).code(0);
    assert_eq!(most.load(Ordering::SeqCst), 3);
    for wrong in ["0", "1000", "x"] {
        forge.status(&["--jobs", wrong]).code(64);
        forge
            .status(&["--timeout", &format!("{wrong}0000000")])
            .code(64);
    }
}

#[test]
fn ctrl_c_ends_it_at_once() {
    let forge = Forge::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{{{{ path }}}}", listener.local_addr().unwrap());
    let mut tool = forge
        .fleet
        .process(&["status", "--raw-url", &url, "--timeout", "60"]);
    let mut child = tool
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Once it has asked it waits.
    let _asked = listener.accept().unwrap();
    let start = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn credentials_are_not_told() {
    let forge = Forge::new();
    let url = forge.web.url.replace("//", "//me:secret@") + "/{{ path }}";
    forge.status(&["--raw-url", &url]).code(1).hides("secret");
    let proxied = forge
        .tool(&[])
        .env("http_proxy", "gopher://me:secret@h")
        .run();
    proxied
        .code(1)
        .hides("secret")
        .prints(&["`http_proxy` in the environment names no proxy"]);
}

/// The same one on the kernel's command line, on the screen, in `status`.
#[test]
fn the_digest_by_which_a_node_says_what_it_runs_is_the_one_that_is_served() {
    let forge = Forge::new();
    let digest = forge.digest();
    assert_eq!(forge.json(0)["nodes"][0]["digest"], digest);
    let cmdline = forge
        .fleet
        .run(&["show", "n1", "--stage", "cmdline"])
        .code(0);
    cmdline.prints(&[&format!(" ephemeros.config={digest} ")]);
    let script = forge.fleet.run(&["show", "n1", "--stage", "ipxe"]).code(0);
    script.prints(&[&format!("\necho Ephemeros: this is n1, config {digest}\n")]);
}

#[test]
fn the_json_fits_its_schema() {
    let forge = Forge::with(3, "");
    forge.says("/ignition/n2.ign", Answer::status(404));
    let schema = forge.fleet.run(&["schema", "status"]).code(0);
    let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let mut report = forge.json(1);
    let mistakes: Vec<_> = schema
        .iter_errors(&report)
        .map(|it| it.to_string())
        .collect();
    assert!(mistakes.is_empty(), "{mistakes:?}\n{report:#}");
    assert_eq!(report["format"], 1);
    assert_eq!(
        report["commit"],
        forge.fleet.git_says(&["rev-parse", "HEAD"])
    );
    report["nodes"][0]["verdict"] = "fine".into();
    assert!(!schema.is_valid(&report));
}
