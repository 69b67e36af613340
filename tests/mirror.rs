//! The mirror of `serve`: it fetches once, gives nothing that is not what was pinned, and keeps to its room; and `--export`,
//! which writes the same for another server.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ephemeros::net::{Digest, Function};

use crate::fleet::{Fleet, files_in};
use crate::repository::{KNOWN_URL, THREE_LINES};
use crate::serve::{INITRD, KERNEL, RELEASE, Server};
use crate::web::{Answer, Asked, Web};

/// A file of so many bytes, each another one for another seed.
fn bytes(seed: u8, length: usize) -> Vec<u8> {
    (0..=250)
        .map(|byte| byte ^ seed)
        .cycle()
        .take(length)
        .collect()
}

fn kernel() -> Vec<u8> {
    bytes(1, 300_000)
}

fn initrd() -> Vec<u8> {
    bytes(2, 500_000)
}

fn sha512(bytes: &[u8]) -> String {
    Digest::of(Function::Sha512, bytes).to_string()
}

/// A server that has the release, and an artifact.
fn upstream() -> Web {
    Web::start(answer)
}

fn answer(asked: &Asked) -> Answer {
    let name = asked.path.rsplit('/').next().unwrap();
    match name {
        KERNEL => Answer::file(asked, &kernel()),
        INITRD => Answer::file(asked, &initrd()),
        "k3s" => Answer::file(asked, b"the k3s binary"),
        _ => Answer::status(404),
    }
}

/// A rendered and committed fleet whose releases come from there, with the digests pinned.
fn fleet(upstream: &str) -> Fleet {
    let fleet = Fleet::new()
        .fleet(&format!(
            "{KNOWN_URL}[os]\nmirrors = [\"{upstream}/mirror\"]\n[artifacts.k3s]\nurl.amd64 = \"{upstream}/k3s\"\n"
        ))
        .butane("base.bu", THREE_LINES)
        .file("fleet.lock", lock(&kernel(), upstream));
    fleet.renders();
    fleet.git()
}

fn lock(kernel: &[u8], upstream: &str) -> String {
    format!(
        "format = 1\n\n[[os]]\ndistro = \"flatcar\"\nchannel = \"stable\"\narch = \"amd64\"\nversion = \"4593.2.5\"\n\
         [os.files]\n\"{KERNEL}\" = \"{}\"\n\"{INITRD}\" = \"{}\"\n\n\
         [[artifact]]\nname = \"k3s\"\narch = \"amd64\"\nurl = \"{upstream}/k3s\"\nhash = \"{}\"\n",
        sha512(kernel),
        sha512(&initrd()),
        Digest::of(Function::Sha256, b"the k3s binary"),
    )
}

/// The tool never gets as far as the distribution's own server: a proxy that refuses stands before it.
fn serve(fleet: &Fleet, args: &[&str]) -> Server {
    let refuses = Web::start(|_| Answer::status(403));
    let env = [
        ("http_proxy", refuses.url.as_str()),
        ("https_proxy", refuses.url.as_str()),
        ("no_proxy", "127.0.0.1"),
    ];
    Server::with(fleet, &[&["--cache", "../cache"], args].concat(), &env)
}

fn cached(fleet: &Fleet) -> BTreeMap<PathBuf, Vec<u8>> {
    files_in(&fleet.root().with_file_name("cache"))
}

fn path(file: &str) -> String {
    format!("/os/{RELEASE}/{file}")
}

#[test]
fn a_file_is_fetched_once_for_all_that_ask_and_for_all_time() {
    let upstream = upstream();
    let fleet = fleet(&upstream.url);
    let server = serve(&fleet, &[]);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(server.get(&path(KERNEL)).status(200).body, kernel()));
        }
    });
    let got = server.get(&path(INITRD)).status(200);
    assert_eq!(got.body, initrd());
    assert_eq!(got.header("etag"), format!("\"{}\"", sha512(&initrd())));
    let part = server.ask("GET", &path(INITRD), "Range: bytes=400000-400009\r\n");
    assert_eq!(part.status(206).body, initrd()[400_000..400_010]);
    let k3s = server.get("/artifacts/k3s/amd64").status(200);
    assert_eq!(k3s.body, b"the k3s binary");
    drop(server);
    let server = serve(&fleet, &["--live"]);
    assert_eq!(server.get(&path(KERNEL)).status(200).body, kernel());
    let mut asked = upstream.paths();
    asked.sort();
    let file = |name| format!("/mirror/{RELEASE}/{name}");
    assert_eq!(asked, ["/k3s".to_owned(), file(KERNEL), file(INITRD)]);
}

#[test]
fn only_what_the_fleet_names_is_fetched() {
    let upstream = upstream();
    let fleet = fleet(&upstream.url);
    let server = serve(&fleet, &[]);
    for target in [
        "/os/stable/amd64-usr/4593.2.5/other",
        "/os/stable/amd64-usr/4593.2.4/flatcar_production_pxe.vmlinuz",
        "/os/stable/arm64-usr/4593.2.5/flatcar_production_pxe.vmlinuz",
        "/stable/amd64-usr/4593.2.5/flatcar_production_pxe.vmlinuz",
        "/artifacts/k3s/arm64",
        "/artifacts/other/amd64",
    ] {
        server.get(target).status(404);
    }
    assert!(upstream.asked().is_empty());
}

#[test]
fn what_is_not_what_was_pinned_is_given_to_nobody_and_not_kept() {
    let upstream = Web::start(|asked| match asked.path.rsplit('/').next() {
        Some(KERNEL) => Answer::file(asked, &bytes(9, 300_000)),
        _ => answer(asked),
    });
    let fleet = fleet(&upstream.url);
    let mut server = serve(&fleet, &[]);
    let got = server.get(&path(KERNEL)).status(502);
    assert_eq!(got.text(), "502 Bad Gateway\n");
    server.until(|[_, err]| err.contains("not the bytes that were expected"));
    assert!(cached(&fleet).is_empty(), "{:?}", cached(&fleet).keys());
    // What a mirror can't give is tried again, and it goes on serving.
    server.get(&path(KERNEL)).status(502);
    server.get(&path(INITRD)).status(200);
}

#[test]
fn what_nobody_vouches_for_is_not_fetched() {
    let upstream = upstream();
    let fleet = fleet(&upstream.url);
    fleet.write(
        "fleet.lock",
        crate::fleet::LOCK.to_owned() + &artifact(&upstream),
    );
    let mut server = serve(&fleet, &["--live"]);
    server.get(&path(KERNEL)).status(502);
    server.until(|[_, err]| err.contains("can't tell what flatcar 4593.2.5 must be"));
    assert!(upstream.paths().iter().all(|it| !it.ends_with(KERNEL)));
    let export = [
        "serve", "--live", "--cache", "../cache", "--export", "../out",
    ];
    let export = with_wall(&fleet, &export);
    export.code(1).says(&["can't tell what flatcar"]).helps();
    assert!(!fleet.root().with_file_name("out").exists());
}

/// Runs the tool behind a proxy that refuses.
fn with_wall(fleet: &Fleet, args: &[&str]) -> crate::fleet::Run {
    let refuses = Web::start(|_| Answer::status(403));
    let command = fleet.command(args).env("no_proxy", "127.0.0.1");
    let command = command.env("http_proxy", &refuses.url);
    command.env("https_proxy", &refuses.url).run()
}

#[test]
fn what_is_not_pinned_must_be_what_the_distribution_published() {
    let version = "44.20260707.3.1";
    let names = ["kernel.x86_64", "initramfs.x86_64.img", "rootfs.x86_64.img"];
    let names = names.map(|it| format!("fedora-coreos-{version}-live-{it}"));
    let part = |name: &String| {
        let digest = Digest::of(Function::Sha256, name.as_bytes()).to_string();
        let digest = digest.strip_prefix("sha256-").unwrap();
        serde_json::json!({ "location": format!("https://builds.example/{name}"), "sha256": digest })
    };
    let [kernel, initramfs, rootfs] = names.each_ref().map(part);
    let pxe = serde_json::json!({ "kernel": kernel, "initramfs": initramfs, "rootfs": rootfs });
    let metal = serde_json::json!({ "release": version, "formats": { "pxe": pxe } });
    let stream = serde_json::json!({
        "stream": "stable", "architectures": { "x86_64": { "artifacts": { "metal": metal } } },
    });
    let stream = stream.to_string();
    let tampered = names[2].clone();
    let upstream = Web::start(move |asked| match asked.path.rsplit('/').next().unwrap() {
        "stable.json" => Answer::file(asked, stream.as_bytes()),
        // What is asked for a second time is fetched, and no more looked at.
        name if name == tampered && asked.before > 0 => Answer::file(asked, b"another"),
        name if name.starts_with("fedora") => Answer::file(asked, name.as_bytes()),
        _ => Answer::status(404),
    });
    let fleet = Fleet::new()
        .fleet(&format!(
            "{KNOWN_URL}[vault]\nmount = \"/var/secrets\"\n[os]\ndistro = \"fedora-coreos\"\nversion = \"{version}\"\nmirrors = [\"{}\"]\n",
            upstream.url
        ))
        .node("n1", "templates = []\n");
    let path = |name: &str| format!("/os/prod/streams/stable/builds/{version}/x86_64/{name}");
    let server = serve(&fleet, &["--live"]);
    assert_eq!(server.get(&path(&names[0])).status(200).text(), names[0]);
    assert_eq!(server.get(&path(&names[1])).status(200).text(), names[1]);
    server.get(&path(&names[2])).status(502);
    drop(server);
    // Another run asks nobody, not even what the files must be.
    let asked = upstream.asked().len();
    let server = serve(&fleet, &["--live"]);
    assert_eq!(server.get(&path(&names[0])).status(200).text(), names[0]);
    assert_eq!(upstream.asked().len(), asked);
}

fn artifact(upstream: &Web) -> String {
    lock(&[], &upstream.url)
        .split_once("\n\n[[artifact]]")
        .map_or_else(String::new, |(_, it)| format!("\n[[artifact]]{it}"))
}

#[test]
fn a_connection_that_is_cut_is_gone_on_from_also_by_the_next_run() {
    let is_down = Arc::new(AtomicBool::new(true));
    let down = Arc::clone(&is_down);
    let upstream = Web::start(move |asked| {
        let answer = answer(asked);
        match (asked.path.rsplit('/').next(), asked.before) {
            (Some(KERNEL), 0) => answer.cut_after(100_000),
            (Some(INITRD), 0) => answer.cut_after(200_000),
            (Some(INITRD), _) if down.load(Ordering::SeqCst) => {
                Answer::status(503).header("Retry-After", "60")
            }
            _ => answer,
        }
    });
    let fleet = fleet(&upstream.url);
    let mut server = serve(&fleet, &[]);
    assert_eq!(server.get(&path(KERNEL)).status(200).body, kernel());
    let ranges = |web: &Web| -> Vec<Option<String>> {
        let asked = web.asked().into_iter();
        asked
            .map(|asked| asked.headers.get("range").cloned())
            .collect()
    };
    assert_eq!(ranges(&upstream), [None, Some("bytes=100000-".to_owned())]);
    // Whoever waits too long is told to come again, and the rest is fetched meanwhile.
    let got = server.get(&path(INITRD)).status(503);
    assert_eq!(got.header("retry-after"), "2");
    // Nor does anybody who waits keep it from its end.
    let mut waits = std::net::TcpStream::connect(server.address()).unwrap();
    let request = format!("GET {} HTTP/1.1\r\n\r\n", path(INITRD));
    std::io::Write::write_all(&mut waits, request.as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    assert_eq!(server.end("-INT"), Some(130));
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    is_down.store(false, Ordering::SeqCst);
    let server = serve(&fleet, &[]);
    assert_eq!(server.get(&path(INITRD)).status(200).body, initrd());
    let last = ranges(&upstream).pop().flatten();
    assert_eq!(last.as_deref(), Some("bytes=200000-"));
}

#[test]
fn what_was_used_last_stays_where_there_is_little_room() {
    let upstream = upstream();
    let fleet = fleet(&upstream.url);
    let server = serve(&fleet, &["--cache-size", "600KB"]);
    let other = fleet.root().with_file_name("cache").join("not ours");
    server.get(&path(KERNEL)).status(200);
    fs::write(&other, bytes(3, 700_000)).unwrap();
    server.get("/artifacts/k3s/amd64").status(200);
    server.get(&path(INITRD)).status(200);
    let names = || -> Vec<String> {
        let names = cached(&fleet).into_keys();
        names
            .map(|it| it.display().to_string())
            .filter(|it| it != "not ours")
            .collect()
    };
    let k3s = Digest::of(Function::Sha256, b"the k3s binary").to_string();
    assert_eq!(names(), [k3s, sha512(&initrd())]);
    server.get(&path(KERNEL)).status(200);
    assert!(names().contains(&sha512(&kernel())), "{:?}", names());
    assert!(!names().contains(&sha512(&initrd())), "{:?}", names());
    assert!(other.exists());
}

#[test]
fn a_file_that_is_being_read_is_not_thrown_away() {
    use std::io::{Read as _, Write as _};
    let large = bytes(5, 30_000_000);
    let body = large.clone();
    let upstream = Web::start(move |asked| match asked.path.rsplit('/').next() {
        Some(KERNEL) => Answer::file(asked, &body),
        _ => answer(asked),
    });
    let fleet = fleet(&upstream.url);
    fleet.write("fleet.lock", lock(&large, &upstream.url));
    let server = serve(&fleet, &["--live", "--cache-size", "1MB"]);
    let mut slow = std::net::TcpStream::connect(server.address()).unwrap();
    slow.write_all(
        format!("GET {} HTTP/1.1\r\nConnection: close\r\n\r\n", path(KERNEL)).as_bytes(),
    )
    .unwrap();
    let mut head = [0; 15];
    slow.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    // Another file comes in, and there is no room for both.
    server.get(&path(INITRD)).status(200);
    assert!(cached(&fleet).contains_key(&PathBuf::from(sha512(&large))));
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(&large), "{} bytes", rest.len());
    // Now nobody reads it.
    server.get("/artifacts/k3s/amd64").status(200);
    assert!(!cached(&fleet).contains_key(&PathBuf::from(sha512(&large))));
}

#[test]
fn a_cached_file_that_was_changed_is_fetched_anew() {
    let upstream = upstream();
    let fleet = fleet(&upstream.url);
    serve(&fleet, &[]).get(&path(KERNEL)).status(200);
    let place = fleet.root().with_file_name("cache").join(sha512(&kernel()));
    let mut changed = kernel();
    changed[1000] ^= 1;
    fs::write(&place, changed).unwrap();
    let server = serve(&fleet, &[]);
    assert_eq!(server.get(&path(KERNEL)).status(200).body, kernel());
    assert_eq!(upstream.asked().len(), 2);
}

#[test]
fn a_mirror_that_is_the_server_itself_is_not_asked() {
    let fleet = Fleet::new()
        .fleet(&format!(
            "{KNOWN_URL}[os]\nmirrors = [\"http://localhost:1/os\"]\n"
        ))
        .butane("base.bu", THREE_LINES)
        .file(
            "fleet.lock",
            lock(&kernel(), "")
                .split("\n\n[[artifact]]")
                .next()
                .unwrap(),
        );
    let mut server = serve(&fleet, &["--live"]);
    let port = server.address().rsplit(':').next().unwrap().to_owned();
    fleet.replace("fleet.toml", "localhost:1/", &format!("localhost:{port}/"));
    let began = Instant::now();
    server.get(&path(KERNEL)).status(502);
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );
    server.until(|[out, _]| out.contains(" 502 "));
    assert_eq!(server.out().matches(KERNEL).count(), 1, "{}", server.out());
}

#[test]
fn a_folder_takes_the_place_of_the_network() {
    let upstream = upstream();
    let fleet = fleet(&upstream.url);
    let folder = fleet.root().with_file_name("releases");
    // A release has links of its own: `flatcar_production_pxe.vmlinuz` is one.
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("flatcar_production_image.vmlinuz"), kernel()).unwrap();
    symlink("flatcar_production_image.vmlinuz", folder.join(KERNEL)).unwrap();
    let mut server = serve(&fleet, &["--os", "../releases"]);
    assert_eq!(server.get(&path(KERNEL)).status(200).body, kernel());
    server.get(&path(INITRD)).status(500);
    server.until(|[_, err]| err.contains(INITRD) && err.contains("put the file"));
    // The layout of a mirror comes first.
    fs::create_dir_all(folder.join(RELEASE)).unwrap();
    fs::write(folder.join(RELEASE).join(INITRD), initrd()).unwrap();
    assert_eq!(server.get(&path(INITRD)).status(200).body, initrd());
    fs::write(folder.join(RELEASE).join(INITRD), b"another release").unwrap();
    server.get(&path(INITRD)).status(500);
    server.until(|[_, err]| err.contains("is not the file that fleet.lock pins"));
    assert!(upstream.asked().is_empty());
    // Where nothing is pinned it is the user's word.
    fleet.write(
        "fleet.lock",
        crate::fleet::LOCK.to_owned() + &artifact(&upstream),
    );
    let live = serve(&fleet, &["--live", "--os", "../releases"]);
    let got = live.get(&path(INITRD)).status(200);
    assert_eq!(got.body, b"another release");
}

#[test]
fn a_release_of_fedora_coreos_has_its_own_layout() {
    let fleet = Fleet::new()
        .fleet(&format!("{KNOWN_URL}[vault]\nmount = \"/var/secrets\"\n"))
        .node("n1", "templates = []\n[os]\ndistro = \"fedora-coreos\"\nchannel = \"next\"\nversion = \"44.20260707.1.1\"\narch = \"arm64\"\n");
    let folder = fleet.root().with_file_name("releases");
    fs::create_dir_all(&folder).unwrap();
    let files = [
        "kernel.aarch64",
        "initramfs.aarch64.img",
        "rootfs.aarch64.img",
    ];
    let files = files.map(|it| format!("fedora-coreos-44.20260707.1.1-live-{it}"));
    for file in &files {
        fs::write(folder.join(file), file).unwrap();
    }
    let server = serve(&fleet, &["--live", "--os", "../releases"]);
    for file in &files {
        let path = format!("/os/prod/streams/next/builds/44.20260707.1.1/aarch64/{file}");
        assert_eq!(&server.get(&path).status(200).text(), file);
    }
}

#[test]
fn an_export_is_what_is_served_and_is_gone_on_with() {
    let upstream = upstream();
    let fleet = fleet(&upstream.url);
    let out = fleet.root().with_file_name("out");
    let export = |more: &[&str]| {
        let args = ["serve", "--cache", "../cache", "--export", "../out"];
        fleet.run(&[&args, more].concat())
    };
    let run = export(&[])
        .code(0)
        .prints(&["wrote ../out/ignition/n1.ign\n"]);
    assert_eq!(run.stdout.lines().count(), 5, "{}", run.stdout);
    let expected: BTreeMap<PathBuf, Vec<u8>> = [
        (
            "ignition/n1.ign".to_owned(),
            fleet.read("ignition/n1.ign").into_bytes(),
        ),
        (
            "ipxe/n1.ipxe".to_owned(),
            fleet.read("ipxe/n1.ipxe").into_bytes(),
        ),
        (format!("os/{RELEASE}/{KERNEL}"), kernel()),
        (format!("os/{RELEASE}/{INITRD}"), initrd()),
        ("artifacts/k3s/amd64".to_owned(), b"the k3s binary".to_vec()),
    ]
    .map(|(path, bytes)| (PathBuf::from(path), bytes))
    .into();
    assert!(files_in(&out) == expected, "{:?}", files_in(&out).keys());
    assert_eq!(export(&[]).code(0).stdout, "");
    assert_eq!(upstream.asked().len(), 3);

    // What was damaged, half written or is of nobody any more, without a cache to take it from.
    fs::remove_dir_all(fleet.root().with_file_name("cache")).unwrap();
    fs::write(out.join("ipxe/n1.ipxe"), "old").unwrap();
    fs::write(out.join("os").join(RELEASE).join(KERNEL), "old").unwrap();
    fs::write(
        out.join("os").join(RELEASE).join(".ephemeros-AbCdEf"),
        "half",
    )
    .unwrap();
    fs::write(out.join("ignition/gone.ign"), "{}").unwrap();
    fs::write(out.join("index.html"), "mine").unwrap();
    let run = export(&["--json"]).code(0);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let kernel = format!("os/{RELEASE}/{KERNEL}");
    assert_eq!(json["written"], serde_json::json!(["ipxe/n1.ipxe", kernel]));
    assert_eq!(json["leftover"], serde_json::json!(["ignition/gone.ign"]));
    let mut found = files_in(&out);
    found.remove(&PathBuf::from("index.html"));
    found.remove(&PathBuf::from("ignition/gone.ign"));
    assert!(found == expected, "{:?}", found.keys());
    assert_eq!(upstream.asked().len(), 4);
    export(&[]).code(0).says(&["gone.ign is of no node"]);
}

#[test]
fn an_export_writes_nothing_where_something_is_wrong() {
    let upstream = upstream();
    let fleet = fleet(&upstream.url);
    fleet.replace("templates/base.bu", "storage", "storrage");
    let args = [
        "serve", "--live", "--cache", "../cache", "--export", "../out",
    ];
    fleet.run(&args).code(1).says(&["storrage"]).helps();
    assert!(!fleet.root().with_file_name("out").exists());
    let inside = ["serve", "--cache", "../cache", "--export", "."];
    fleet
        .run(&inside)
        .code(64)
        .says(&["the fleet's own folder"]);
}
