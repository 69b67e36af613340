//! Files are fetched with patience, and only what was asked for is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ephemeros::net::{Client, Digest, Function, NetError, Patience};
use ephemeros::progress::{Progress, Silent};

use crate::web::{Answer, Asked, Web};

/// A moment for everything.
pub(crate) const IMPATIENT: Patience = Patience {
    connect: Duration::from_millis(800),
    silence: Duration::from_millis(800),
    attempts: 3,
    pause: Duration::from_millis(1),
    longest_pause: Duration::from_millis(4),
    longest_wait: Duration::from_secs(5),
};

fn body() -> Vec<u8> {
    (0..400_000_u32).flat_map(u32::to_le_bytes).collect()
}

fn get(url: &str) -> Result<Vec<u8>, NetError> {
    Client::new(IMPATIENT).get(url, 10 << 20, &Silent)
}

fn digest(bytes: &[u8]) -> Digest {
    Digest::of(Function::Sha512, bytes)
}

/// A place to download to.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("kernel")
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("kernel.part")
    }

    fn download(&self, url: &str, expected: &Digest) -> Result<(), NetError> {
        Client::new(IMPATIENT).download(url, &self.file(), expected, "kernel", &Silent)
    }
}

fn ranges(web: &Web) -> Vec<Option<String>> {
    let asked = web.asked().into_iter();
    asked.map(|it| it.headers.get("range").cloned()).collect()
}

#[test]
fn a_file_is_read_up_to_a_limit() {
    let web = Web::start(|asked| Answer::file(asked, &body()));
    assert_eq!(get(&web.url).unwrap(), body());
    let short = Client::new(IMPATIENT).get(&web.url, 1000, &Silent);
    assert!(matches!(short, Err(NetError::TooLong { limit: 1000, .. })));
}

#[test]
fn a_missing_file_is_told_at_once() {
    let web = Web::start(|_| Answer::status(404));
    let url = web.url.replace("//", "//me:secret@");
    let error = get(&format!("{url}/x")).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}/x: the server says 404 Not Found", web.url)
    );
    assert_eq!(web.paths().len(), 1);
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let web = Web::start(|asked| match asked.before {
        0 => Answer::status(503),
        1 => Answer::status(500),
        _ => Answer::whole(b"x"),
    });
    assert_eq!(get(&web.url).unwrap(), b"x");
    let web = Web::start(|_| Answer::status(502));
    let error = get(&web.url).unwrap_err();
    assert!(
        matches!(error, NetError::Status { status: 502, .. }),
        "{error}"
    );
    assert_eq!(web.paths().len(), 3);
}

#[test]
fn a_busy_server_is_left_alone_as_long_as_it_asks() {
    let web = Web::start(|asked| match asked.before {
        0 => Answer::status(429).header("Retry-After", "1"),
        _ => Answer::whole(b"x"),
    });
    let start = Instant::now();
    assert_eq!(get(&web.url).unwrap(), b"x");
    assert!(start.elapsed() >= Duration::from_secs(1));

    let web = Web::start(|_| Answer::status(429).header("Retry-After", "3600"));
    let error = get(&web.url).unwrap_err();
    assert!(
        error.to_string().ends_with("to be asked again in 3600 s"),
        "{error}"
    );
    assert_eq!(web.paths().len(), 1);

    let web =
        Web::start(|_| Answer::status(503).header("Retry-After", "Fri, 31 Dec 2100 23:59:59 GMT"));
    assert!(matches!(get(&web.url), Err(NetError::Busy { .. })));
}

#[test]
fn a_cut_connection_is_gone_on_from() {
    let web = Web::start(|asked| match asked.before {
        0 => Answer::file(asked, &body()).cut_after(1_000_000),
        1 => Answer::file(asked, &body()).cut_after(300_000),
        _ => Answer::file(asked, &body()),
    });
    let place = Place::new();
    place.download(&web.url, &digest(&body())).unwrap();
    assert_eq!(fs::read(place.file()).unwrap(), body());
    assert!(!place.part().exists());
    assert_eq!(
        ranges(&web),
        [
            None,
            Some("bytes=1000000-".to_owned()),
            Some("bytes=1300000-".to_owned())
        ]
    );
    let tag = web.asked()[1].headers["if-range"].clone();
    assert_eq!(tag, "\"1600000\"");

    let found = Client::new(IMPATIENT).digest(&web.url, Function::Sha512, "kernel", &Silent);
    assert_eq!(found.unwrap(), digest(&body()));
}

#[test]
fn a_file_that_changed_meanwhile_is_fetched_from_its_beginning() {
    let web = Web::start(|asked| match asked.before {
        0 => Answer::file(asked, b"the old file").cut_after(5),
        _ => Answer::file(asked, b"a file that is new"),
    });
    assert_eq!(get(&web.url).unwrap(), b"a file that is new");
}

#[test]
fn a_server_without_ranges_begins_again_but_not_for_ever() {
    let web = Web::start(|asked| match asked.before {
        0 => Answer::whole(&body()).cut_after(1000),
        _ => Answer::whole(&body()),
    });
    assert_eq!(get(&web.url).unwrap(), body());
    let web = Web::start(|_| Answer::whole(&body()).cut_after(1000));
    let error = get(&web.url).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the connection was cut, 3 times in a row"),
        "{error}"
    );
    assert!(web.paths().len() < 6);
}

#[test]
fn what_an_earlier_run_left_is_used() {
    let web = Web::start(|asked| Answer::file(asked, &body()));
    let place = Place::new();
    fs::write(place.part(), &body()[..700_000]).unwrap();
    place.download(&web.url, &digest(&body())).unwrap();
    assert_eq!(fs::read(place.file()).unwrap(), body());
    assert_eq!(ranges(&web), [Some("bytes=700000-".to_owned())]);
}

#[test]
fn what_an_earlier_run_left_may_be_of_another_file() {
    for left in [vec![7; 1000], vec![7; 2_000_000]] {
        let web = Web::start(|asked| Answer::file(asked, &body()));
        let place = Place::new();
        fs::write(place.part(), left).unwrap();
        place.download(&web.url, &digest(&body())).unwrap();
        assert_eq!(fs::read(place.file()).unwrap(), body());
    }
}

#[test]
fn other_bytes_than_expected_are_not_kept() {
    let web = Web::start(|asked| Answer::file(asked, b"changed on the way"));
    let place = Place::new();
    fs::write(place.file(), "as it was").unwrap();
    let error = place.download(&web.url, &digest(b"signed")).unwrap_err();
    assert!(matches!(error, NetError::Digest { .. }), "{error}");
    assert_eq!(fs::read(place.file()).unwrap(), b"as it was");
    assert!(!place.part().exists());
}

#[test]
fn two_that_fetch_the_same_file_fetch_it_once() {
    let web = Web::start(|asked| {
        std::thread::sleep(Duration::from_millis(300));
        Answer::file(asked, &body())
    });
    let place = Place::new();
    let expected = digest(&body());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| place.download(&web.url, &expected).unwrap());
        }
    });
    assert_eq!(fs::read(place.file()).unwrap(), body());
    assert_eq!(web.paths().len(), 1);
    assert!(!place.part().exists());
}

#[test]
fn a_redirect_leads_to_another_host_without_the_credentials() {
    let target = Web::start(|asked| Answer::file(asked, b"there"));
    let to = format!(
        "{}/file?key=1",
        target.url.replace("127.0.0.1", "localhost")
    );
    let from = Web::start(move |asked| match asked.path.as_str() {
        "/a" => Answer::redirect("/b"),
        _ => Answer::redirect(&to),
    });
    let url = format!("{}/a", from.url.replace("//", "//me:secret@"));
    assert_eq!(get(&url).unwrap(), b"there");
    let authorized = |asked: &Asked| asked.headers.contains_key("authorization");
    assert_eq!(
        from.asked().iter().map(authorized).collect::<Vec<_>>(),
        [true, false]
    );
    assert!(!authorized(&target.asked()[0]));
    assert_eq!(target.paths(), ["/file?key=1"]);
}

#[test]
fn redirects_in_a_circle_come_to_an_end() {
    let web = Web::start(|_| Answer::redirect("/again"));
    assert!(matches!(get(&web.url), Err(NetError::Redirects { .. })));
}

#[test]
fn nobody_there_is_told_after_some_attempts() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let error = get(&format!("http://127.0.0.1:{port}/x")).unwrap_err();
    assert!(error.to_string().ends_with("3 times in a row"), "{error}");
    assert!(matches!(error, NetError::Unreachable { attempts: 3, .. }));
}

#[test]
fn a_silent_server_is_waited_for_only_so_long() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let start = Instant::now();
    let error = get(&url).unwrap_err();
    assert!(error.to_string().contains("no answer in time"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

/// Stops after a moment, or after the first bytes.
struct Stopping(AtomicBool, Option<Instant>);

impl Progress for Stopping {
    fn start(&self, _: &str, _: usize) {}
    fn advance(&self, steps: usize) {
        self.0.fetch_or(steps > 0, Ordering::SeqCst);
    }
    fn stopped(&self) -> bool {
        let moment = Duration::from_millis(300);
        self.0.load(Ordering::SeqCst) || self.1.is_some_and(|since| since.elapsed() > moment)
    }
}

#[test]
fn a_stop_is_heard_while_nobody_answers() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let patient = Patience {
        connect: Duration::from_mins(1),
        ..IMPATIENT
    };
    let start = Instant::now();
    let stopping = Stopping(AtomicBool::new(false), Some(start));
    let result = Client::new(patient).get(&url, 10, &stopping);
    assert!(matches!(result, Err(NetError::Stopped)));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_stopped_download_can_be_gone_on_with() {
    let web = Web::start(|asked| Answer::file(asked, &body()));
    let place = Place::new();
    let stopping = Stopping(AtomicBool::new(false), None);
    let client = Client::new(IMPATIENT);
    let expected = digest(&body());
    let result = client.download(&web.url, &place.file(), &expected, "kernel", &stopping);
    assert!(matches!(result, Err(NetError::Stopped)));
    let left = fs::metadata(place.part()).unwrap().len();
    assert!(left > 0);
    place.download(&web.url, &expected).unwrap();
    assert_eq!(ranges(&web)[1], Some(format!("bytes={left}-")));
    assert_eq!(fs::read(place.file()).unwrap(), body());
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let web = Web::start(|asked| Answer::file(asked, b"x"));
    let to = Path::new("/nowhere/at/all");
    let error = Client::new(IMPATIENT)
        .download(&web.url, to, &digest(b"x"), "kernel", &Silent)
        .unwrap_err();
    assert!(
        error.to_string().contains("/nowhere/at/all.part"),
        "{error}"
    );
}
