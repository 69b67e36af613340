//! `fleet.lock` pins only what a distribution published as a whole, and signed; a failure changes nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ephemeros::net::{Client, Digest, Function};
use ephemeros::os::{
    Arch, Distro, Release, Servers, SignatureError, SigningKey, Unpublished, read_flatcar_key,
};
use ephemeros::progress::Silent;
use serde_json::json;

use crate::authority::Authority;
use crate::fleet::{Fleet, Run};
use crate::gpg::Gpg;
use crate::net::IMPATIENT;
use crate::web::{Answer, Asked, Web};

const KERNEL: &str = "flatcar_production_pxe.vmlinuz";
const INITRD: &str = "flatcar_production_pxe_image.cpio.gz";

/// The files of a server, by path. A test may change them while it is served.
type Files = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

fn answer(files: &Files, asked: &Asked) -> Answer {
    match files.lock().unwrap().get(&asked.path) {
        Some(bytes) => Answer::file(asked, bytes),
        None => Answer::status(404),
    }
}

fn serve(files: &Files) -> Web {
    let files = Arc::clone(files);
    Web::start(move |asked| answer(&files, asked))
}

/// A proxy that lets nothing out, and remembers where to.
fn wall() -> Web {
    Web::start(|_| Answer::status(403))
}

fn sha512(bytes: &[u8]) -> String {
    let digest = Digest::of(Function::Sha512, bytes).to_string();
    digest.trim_start_matches("sha512-").to_owned()
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Digest::of(Function::Sha256, bytes).to_string();
    digest.trim_start_matches("sha256-").to_owned()
}

/// A small Flatcar, signed by a made-up key.
struct Flatcar {
    gpg: Gpg,
    files: Files,
}

const FOLDER: &str = "/stable/amd64-usr/4593.2.6";

impl Flatcar {
    fn new() -> Self {
        let gpg = Gpg::on("20230101");
        gpg.subkey("20230101", "ed25519", "2y");
        let made = Self {
            gpg,
            files: Files::default(),
        };
        made.put(
            "/stable/amd64-usr/current/version.txt",
            b"FLATCAR_VERSION=4593.2.6\n",
        );
        made.put(
            &format!("{FOLDER}/version.txt"),
            b"FLATCAR_BUILD=4593\nFLATCAR_VERSION=4593.2.6\n",
        );
        for file in [KERNEL, INITRD] {
            let bytes = format!("this is {file}").repeat(1000);
            made.put(&format!("{FOLDER}/{file}"), bytes.as_bytes());
            let list = format!(
                "# MD5 HASH\n00  {file}\n# SHA1 HASH\n00  {file}\n# SHA512 HASH\n{}  {file}\n",
                sha512(bytes.as_bytes())
            );
            made.sign("20240601", file, &list);
        }
        made
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        self.files
            .lock()
            .unwrap()
            .insert(path.to_owned(), bytes.to_vec());
    }

    fn remove(&self, file: &str) {
        let path = format!("{FOLDER}/{file}");
        assert!(self.files.lock().unwrap().remove(&path).is_some(), "{path}");
    }

    /// Puts a list of digests, and its signature beside it.
    fn sign(&self, day: &str, file: &str, list: &str) {
        self.put(&format!("{FOLDER}/{file}.DIGESTS"), list.as_bytes());
        let signature = self.gpg.sign(day, list.as_bytes());
        self.put(&format!("{FOLDER}/{file}.DIGESTS.sig"), &signature);
    }

    fn list(&self, file: &str) -> String {
        let files = self.files.lock().unwrap();
        String::from_utf8(files[&format!("{FOLDER}/{file}.DIGESTS")].clone()).unwrap()
    }

    fn key(&self) -> SigningKey {
        SigningKey::read(&self.gpg.export(), &self.gpg.primary).unwrap()
    }

    /// What `lock` does with a channel, by the mirrors at these URLs.
    fn resolve(
        &self,
        mirrors: &[&str],
    ) -> Result<(Release, BTreeMap<String, Digest>), Unpublished> {
        let proxy = wall();
        let address = proxy.url.clone();
        let environment = move |name: &str| (name == "https_proxy").then(|| address.clone());
        let client = Client::in_environment(IMPATIENT, Box::new(environment));
        let mirrors: Vec<String> = mirrors.iter().map(|it| (*it).to_owned()).collect();
        let servers = Servers {
            client: &client,
            mirrors: &mirrors,
            progress: &Silent,
        };
        let release = servers.newest(Distro::Flatcar, "stable", Arch::Amd64)?;
        let files = servers.flatcar_files(&release, &self.key())?;
        // The distribution's own server was not asked for what a mirror has.
        assert!(proxy.paths().is_empty(), "{:?}", proxy.paths());
        Ok((release, files))
    }

    fn fails(&self) -> Unpublished {
        self.resolve(&[&serve(&self.files).url]).unwrap_err()
    }

    fn succeeds(&self, mirrors: &[&str]) {
        let (release, files) = self.resolve(mirrors).unwrap();
        assert_eq!(release.version, "4593.2.6");
        let found: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(found, [KERNEL, INITRD]);
        for (file, digest) in files {
            assert!(
                self.list(&file)
                    .contains(&digest.to_string()["sha512-".len()..])
            );
        }
    }
}

#[test]
fn a_release_is_pinned_by_its_signed_digests() {
    let flatcar = Flatcar::new();
    let web = serve(&flatcar.files);
    flatcar.succeeds(&[&web.url]);
}

#[test]
fn the_signature_may_be_in_the_list() {
    let flatcar = Flatcar::new();
    for file in [KERNEL, INITRD] {
        let list = flatcar.list(file);
        let signed = flatcar
            .gpg
            .run("20240601", &["--clear-sign"], list.as_bytes());
        flatcar.put(&format!("{FOLDER}/{file}.DIGESTS.asc"), &signed);
        flatcar.remove(&format!("{file}.DIGESTS.sig"));
    }
    flatcar.succeeds(&[&serve(&flatcar.files).url]);
}

#[test]
fn a_list_that_was_changed_is_refused() {
    let flatcar = Flatcar::new();
    let list = flatcar
        .list(INITRD)
        .replace("SHA512 HASH\n", "SHA512 HASH\n0");
    flatcar.put(&format!("{FOLDER}/{INITRD}.DIGESTS"), list.as_bytes());
    let error = flatcar.fails();
    assert!(
        matches!(&error, Unpublished::Unsigned { cause: SignatureError::Wrong, url }
            if url.ends_with("cpio.gz.DIGESTS.sig")),
        "{error}"
    );
}

#[test]
fn a_list_that_somebody_else_signed_is_refused() {
    let (flatcar, other) = (Flatcar::new(), Flatcar::new());
    let signature = other.gpg.sign("20240601", flatcar.list(KERNEL).as_bytes());
    flatcar.put(&format!("{FOLDER}/{KERNEL}.DIGESTS.sig"), &signature);
    let error = flatcar.fails();
    assert!(error.to_string().contains("does not hold"), "{error}");
}

#[test]
fn a_list_that_was_signed_by_an_expired_key_is_refused() {
    let flatcar = Flatcar::new();
    let subkey = flatcar.gpg.subkey("20230601", "ed25519", "2y");
    flatcar.sign("20240601", KERNEL, &flatcar.list(KERNEL));
    let args = [
        "--quick-set-expire",
        &flatcar.gpg.primary,
        "20240101T120000",
        &subkey,
    ];
    flatcar.gpg.run("20240801", &args, b"");
    let error = flatcar.fails();
    assert!(
        error
            .to_string()
            .ends_with("until 01 Jan 2024 12:00:00 GMT"),
        "{error}"
    );
}

#[test]
fn a_list_without_the_file_is_refused() {
    let flatcar = Flatcar::new();
    flatcar.sign("20240601", KERNEL, &flatcar.list(INITRD));
    let error = flatcar.fails();
    assert!(
        error
            .to_string()
            .ends_with("it has no SHA-512 of flatcar_production_pxe.vmlinuz"),
        "{error}"
    );
}

#[test]
fn a_release_that_is_half_published_is_refused() {
    for file in [
        KERNEL.to_owned(),
        INITRD.to_owned(),
        format!("{INITRD}.DIGESTS"),
        "version.txt".into(),
    ] {
        let flatcar = Flatcar::new();
        flatcar.remove(&file);
        let error = flatcar.fails();
        assert!(
            matches!(error, Unpublished::InPart { .. }),
            "{file}: {error}"
        );
        let told = error.to_string();
        assert!(
            told.starts_with("4593.2.6 is not published as a whole:\n"),
            "{told}"
        );
        assert!(
            told.contains(&format!("{file}: the server says 404 Not Found")),
            "{told}"
        );
        assert!(error.help().unwrap().contains("try again in an hour"));
    }
}

#[test]
fn a_channel_that_is_ahead_of_its_files_is_told() {
    let flatcar = Flatcar::new();
    flatcar.put(
        "/stable/amd64-usr/current/version.txt",
        b"FLATCAR_VERSION=4593.2.7\n",
    );
    assert!(
        flatcar
            .fails()
            .to_string()
            .starts_with("4593.2.7 is not published as a whole")
    );
}

#[test]
fn a_folder_of_another_release_is_refused() {
    let flatcar = Flatcar::new();
    flatcar.put(
        &format!("{FOLDER}/version.txt"),
        b"FLATCAR_VERSION=4593.2.5\n",
    );
    let error = flatcar.fails();
    assert!(
        error
            .to_string()
            .ends_with("it is of 4593.2.5, not of 4593.2.6"),
        "{error}"
    );
}

#[test]
fn a_channel_that_names_no_release_is_told() {
    for text in [
        "<html>",
        "FLATCAR_VERSION=4593.2",
        "FLATCAR_VERSION=../../x",
    ] {
        let flatcar = Flatcar::new();
        flatcar.put("/stable/amd64-usr/current/version.txt", text.as_bytes());
        let error = flatcar.fails();
        assert!(matches!(error, Unpublished::Unreadable { .. }), "{error}");
    }
}

#[test]
fn a_mirror_may_send_to_another_host() {
    let flatcar = Flatcar::new();
    let target = serve(&flatcar.files);
    let to = target.url.replace("127.0.0.1", "localhost");
    let mirror = Web::start(move |asked| Answer::redirect(&format!("{to}{}", asked.path)));
    flatcar.succeeds(&[&mirror.url]);
    assert_eq!(mirror.paths(), target.paths());
}

#[test]
fn a_mirror_may_be_busy_or_cut_off() {
    let flatcar = Flatcar::new();
    let files = Arc::clone(&flatcar.files);
    let mirror = Web::start(move |asked| match asked.before {
        0 => Answer::status(429).header("Retry-After", "0"),
        1 => answer(&files, asked).cut_after(10),
        _ => answer(&files, asked),
    });
    flatcar.succeeds(&[&mirror.url]);
    let ranges = mirror
        .asked()
        .into_iter()
        .filter(|it| it.headers.contains_key("range"));
    assert!(ranges.count() > 5);
}

#[test]
fn the_next_mirror_is_asked_then_the_distribution() {
    let flatcar = Flatcar::new();
    let (empty, full) = (serve(&Files::default()), serve(&flatcar.files));
    flatcar.succeeds(&[&empty.url, &full.url]);

    let proxy = wall();
    let address = proxy.url.clone();
    let environment = move |name: &str| (name == "https_proxy").then(|| address.clone());
    let client = Client::in_environment(IMPATIENT, Box::new(environment));
    let servers = Servers {
        client: &client,
        mirrors: std::slice::from_ref(&empty.url),
        progress: &Silent,
    };
    let error = servers
        .newest(Distro::Flatcar, "beta", Arch::Arm64)
        .unwrap_err();
    let told = error.to_string();
    let mirror = format!(
        "{}/beta/arm64-usr/current/version.txt: the server says 404",
        empty.url
    );
    assert!(told.contains(&mirror), "{told}");
    let own = "https://beta.release.flatcar-linux.net/arm64-usr/current/version.txt";
    assert!(told.contains(own), "{told}");
    assert_eq!(proxy.paths(), ["beta.release.flatcar-linux.net:443"]);
}

#[test]
fn a_made_up_key_is_not_flatcars() {
    let gpg = Gpg::on("20230101");
    let error = read_flatcar_key(&gpg.export(), "key.asc").err().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "key.asc: this is the key {}, not F88CFEDEFF29A5B4D9523864E25D9AED0593B34A",
            gpg.primary
        )
    );
}

/// A fleet on Fedora CoreOS with a mirror, and an artifact.
struct Fedora {
    files: Files,
    web: Web,
    wall: Web,
}

const OLD: &str = "44.20260707.3.1";
const NEW: &str = "44.20260721.3.0";

impl Fedora {
    fn new() -> Self {
        let files = Files::default();
        let web = serve(&files);
        let made = Self {
            files,
            web,
            wall: wall(),
        };
        made.publish(OLD);
        made.offer(OLD);
        made.put("/k3s-v1", b"k3s, the first");
        made.put("/k3s-v2", b"k3s, the second");
        made
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        self.files
            .lock()
            .unwrap()
            .insert(path.to_owned(), bytes.to_vec());
    }

    fn pxe(version: &str) -> serde_json::Value {
        let part = |part: &str| {
            json!({
                "location": format!("https://builds.example/prod/streams/stable/builds/{version}/x86_64/{}", file(version, part)),
                "sha256": sha256(file(version, part).as_bytes()),
            })
        };
        json!({ "kernel": part("kernel"), "initramfs": part("initramfs"), "rootfs": part("rootfs") })
    }

    /// Puts a release's files.
    fn publish(&self, version: &str) {
        let folder = format!("/prod/streams/stable/builds/{version}");
        for part in ["kernel", "initramfs", "rootfs"] {
            let file = file(version, part);
            self.put(&format!("{folder}/x86_64/{file}"), file.as_bytes());
        }
        let metal = json!({ "artifacts": { "pxe": Self::pxe(version), "iso": {} } });
        let release = json!({
            "release": version,
            "architectures": { "x86_64": { "media": { "metal": metal, "aws": null } } },
        });
        self.put(
            &format!("{folder}/release.json"),
            release.to_string().as_bytes(),
        );
    }

    /// Makes it the one that the stream offers.
    fn offer(&self, version: &str) {
        let metal = json!({ "release": version, "formats": { "pxe": Self::pxe(version) } });
        let stream = json!({
            "stream": "stable",
            "architectures": { "x86_64": { "artifacts": { "metal": metal } } },
        });
        self.put("/streams/stable.json", stream.to_string().as_bytes());
    }

    /// What `fleet.toml` says.
    fn toml(&self, artifact: &str) -> String {
        format!(
            "vault.mount = \"/var/secrets\"\n\n[os]\ndistro = \"fedora-coreos\"\nmirrors = [\"{url}\"]\n\n[artifacts.k3s]\nversion = \"{artifact}\"\n\
             url.amd64 = \"{url}/k3s-{{{{ version }}}}\"\n",
            url = self.web.url
        )
    }

    fn fleet(&self) -> Fleet {
        Fleet::new().without("fleet.lock").fleet(&self.toml("v1"))
    }

    fn run(&self, fleet: &Fleet, args: &[&str]) -> Run {
        fleet.command(args).env("https_proxy", &self.wall.url).run()
    }

    /// What is to stand in `fleet.lock`.
    fn lock(&self, version: &str, artifact: &str, bytes: &[u8]) -> String {
        let digest = |part: &str| sha256(file(version, part).as_bytes());
        format!(
            "format = 1\n\n[[os]]\ndistro = \"fedora-coreos\"\nchannel = \"stable\"\narch = \"amd64\"\nversion = \"{version}\"\n\n\
             [os.files]\n\"{}\" = \"sha256-{}\"\n\"{}\" = \"sha256-{}\"\n\"{}\" = \"sha256-{}\"\n\n\
             [[artifact]]\nname = \"k3s\"\narch = \"amd64\"\nurl = \"{}/k3s-{artifact}\"\nhash = \"sha512-{}\"\n",
            file(version, "initramfs"),
            digest("initramfs"),
            file(version, "kernel"),
            digest("kernel"),
            file(version, "rootfs"),
            digest("rootfs"),
            self.web.url,
            sha512(bytes),
        )
    }
}

fn file(version: &str, part: &str) -> String {
    let end = if part == "kernel" { "" } else { ".img" };
    format!("fedora-coreos-{version}-live-{part}.x86_64{end}")
}

#[test]
fn what_is_missing_is_pinned_and_then_stands() {
    let fedora = Fedora::new();
    let fleet = fedora.fleet();
    fedora.run(&fleet, &["lock"]).code(0).prints(&[
        &format!("fedora-coreos stable on amd64: {OLD}\n"),
        &format!("k3s on amd64: {}/k3s-v1\n", fedora.web.url),
    ]);
    let written = fleet.read("fleet.lock");
    assert_eq!(written, fedora.lock(OLD, "v1", b"k3s, the first"));
    fedora.publish(NEW);
    fedora.offer(NEW);
    let asked = fedora.web.paths().len();
    fedora
        .run(&fleet, &["lock"])
        .code(0)
        .says(&["fleet.lock pins everything"]);
    assert_eq!(fedora.web.paths().len(), asked);
    assert_eq!(fleet.read("fleet.lock"), written);
    assert!(fedora.wall.paths().is_empty());
    fedora.run(&fleet, &["check"]).code(0);
}

#[test]
fn an_update_moves_every_pin_and_can_be_looked_at_first() {
    let fedora = Fedora::new();
    let fleet = fedora.fleet();
    fedora.run(&fleet, &["lock"]).code(0);
    let before = fleet.read("fleet.lock");
    fedora
        .run(&fleet, &["lock", "--update"])
        .code(0)
        .says(&["pins what is published now"]);
    assert_eq!(fleet.read("fleet.lock"), before);

    fedora.publish(NEW);
    fedora.offer(NEW);
    fedora.put("/k3s-v1", b"k3s, replaced");
    let changes = [
        format!("fedora-coreos stable on amd64: {OLD} -> {NEW}\n"),
        format!(
            "k3s on amd64: another file at the same URL, {}/k3s-v1\n",
            fedora.web.url
        ),
    ];
    let changes: Vec<&str> = changes.iter().map(String::as_str).collect();
    let dry = fedora
        .run(&fleet, &["lock", "--update", "--dry-run"])
        .code(0);
    dry.prints(&changes)
        .says(&["2 pins would change; nothing was written"]);
    assert_eq!(fleet.read("fleet.lock"), before);
    let json = fedora
        .run(&fleet, &["lock", "--update", "-n", "--json"])
        .code(0)
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["format"], 1);
    assert_eq!(json["written"], false);
    assert_eq!(json["changes"][0]["kind"], "os");
    assert_eq!(json["changes"][0]["from"]["version"], OLD);
    assert_eq!(json["changes"][0]["to"]["version"], NEW);
    assert_eq!(
        json["changes"][1]["to"]["hash"],
        format!("sha512-{}", sha512(b"k3s, replaced"))
    );

    fedora
        .run(&fleet, &["lock", "--update"])
        .code(0)
        .prints(&changes);
    assert_eq!(
        fleet.read("fleet.lock"),
        fedora.lock(NEW, "v1", b"k3s, replaced")
    );

    fedora.offer(OLD);
    fedora
        .run(&fleet, &["lock", "--update"])
        .code(0)
        .prints(&[", which is older\n"]);
}

#[test]
fn an_artifact_with_another_url_is_pinned_anew() {
    let fedora = Fedora::new();
    let fleet = fedora.fleet();
    fedora.run(&fleet, &["lock"]).code(0);
    let fleet = fleet.fleet(&fedora.toml("v2"));
    fedora
        .run(&fleet, &["check"])
        .code(1)
        .says(&["pins another URL", "run `ephemeros lock`"]);
    fedora
        .run(&fleet, &["lock"])
        .code(0)
        .prints(&["/k3s-v1 -> ", "/k3s-v2\n"]);
    assert_eq!(
        fleet.read("fleet.lock"),
        fedora.lock(OLD, "v2", b"k3s, the second")
    );
    fedora.run(&fleet, &["check"]).code(0);
}

#[test]
fn a_release_that_is_no_longer_the_newest_gets_its_digests() {
    let fedora = Fedora::new();
    fedora.publish(NEW);
    fedora.offer(NEW);
    let fleet = fedora.fleet().file(
        "fleet.lock",
        format!("format = 1\n[[os]]\ndistro = \"fedora-coreos\"\nchannel = \"stable\"\narch = \"amd64\"\nversion = \"{OLD}\"\n"),
    );
    fedora
        .run(&fleet, &["lock"])
        .code(0)
        .prints(&[&format!("digests of {OLD}\n")]);
    assert_eq!(
        fleet.read("fleet.lock"),
        fedora.lock(OLD, "v1", b"k3s, the first")
    );
}

#[test]
fn a_pin_that_pins_nothing_is_made_anew() {
    let fedora = Fedora::new();
    let fleet = fedora.fleet();
    fedora.run(&fleet, &["lock"]).code(0);
    let good = fleet.read("fleet.lock");
    for (from, to) in [
        ("sha256-", "md5-"),
        ("sha512-", "sha512"),
        ("hash = ", "# hash = "),
    ] {
        let fleet = fedora.fleet().file("fleet.lock", good.replace(from, to));
        fedora
            .run(&fleet, &["check"])
            .code(1)
            .says(&["ephemeros lock"]);
        fedora.run(&fleet, &["lock"]).code(0);
        assert_eq!(fleet.read("fleet.lock"), good, "{from}");
    }
}

#[test]
fn pins_that_nobody_wants_stand_until_an_update() {
    let fedora = Fedora::new();
    let unused =
        "\n[[artifact]]\nname = \"a\"\narch = \"amd64\"\nurl = \"https://h/a\"\nhash = \"sha256-";
    let unused = format!("{unused}{}\"\n", sha256(b"a"));
    let fleet = fedora
        .fleet()
        .file("fleet.lock", format!("format = 1\n{unused}"));
    fedora
        .run(&fleet, &["lock"])
        .code(0)
        .hides("no longer used");
    assert!(fleet.read("fleet.lock").contains(&unused));
    fedora
        .run(&fleet, &["lock", "--update"])
        .code(0)
        .prints(&["a on amd64: https://h/a is no longer used\n"]);
    assert_eq!(
        fleet.read("fleet.lock"),
        fedora.lock(OLD, "v1", b"k3s, the first")
    );
}

#[test]
fn every_failure_is_told_and_nothing_is_written() {
    let fedora = Fedora::new();
    let extra = format!(
        "[artifacts.gone]\nurl.amd64 = \"{}/gone\"\n",
        fedora.web.url
    );
    let fleet = fedora
        .fleet()
        .fleet(&(fedora.toml("v3") + &extra))
        .file("fleet.lock", "format = 1\n");
    fedora.files.lock().unwrap().remove(&format!(
        "/prod/streams/stable/builds/{OLD}/x86_64/{}",
        file(OLD, "rootfs")
    ));
    let before = fleet.files();
    fedora.run(&fleet, &["lock"]).code(1).says(&[
        &format!("error: fedora-coreos stable on amd64: {OLD} is not published as a whole:"),
        "rootfs.x86_64.img: the server says 404 Not Found",
        "https://builds.coreos.fedoraproject.org/prod/streams/stable/builds/",
        "error: gone on amd64: ",
        "/gone: the server says 404 Not Found",
        "error: k3s on amd64: ",
        "/k3s-v3: the server says 404 Not Found",
        "error: 3 things not pinned; nothing was written",
    ]);
    assert_eq!(fleet.files(), before);
}

#[test]
fn a_made_up_key_stops_the_command() {
    let flatcar = Flatcar::new();
    let web = serve(&flatcar.files);
    let fleet = Fleet::new()
        .without("fleet.lock")
        .fleet(&format!("[os]\nmirrors = [\"{}\"]\n", web.url))
        .file("key.asc", flatcar.gpg.export());
    let wall = wall();
    let run = |args: &[&str]| fleet.command(args).env("https_proxy", &wall.url).run();
    run(&["lock", "--key", "key.asc"]).code(1).says(&[
        "flatcar stable on amd64: key.asc: this is the key ",
        ", not F88CFEDEFF29A5B4D9523864E25D9AED0593B34A",
        "nothing was written",
    ]);
    assert!(wall.paths().is_empty());
    run(&["lock"])
        .code(1)
        .says(&["https://www.flatcar.org/security/image-signing-key/"]);
    assert_eq!(wall.paths(), ["www.flatcar.org:443"]);
    run(&["lock", "--key", "none.asc"])
        .code(1)
        .says(&["can't read none.asc", "`--key`"]);
    assert!(!fleet.root().join("fleet.lock").exists());
}

#[test]
fn a_fleet_with_mistakes_is_not_looked_up() {
    let fedora = Fedora::new();
    let fleet = fedora
        .fleet()
        .node("n1", "templates = [\"base.bu\"]\nhostnam = \"x\"\n");
    fedora
        .run(&fleet, &["lock"])
        .code(1)
        .says(&["hostnam", "nothing was written"]);
    let fleet = fedora
        .fleet()
        .fleet(&fedora.toml("v1").replace("http://", "http://me:secret@"));
    fedora.run(&fleet, &["lock"]).code(1).mistakes(2).says(&[
        "an artifact's URL is public, and this one holds credentials",
        "a mirror's URL is public, and this one holds credentials",
    ]);
    assert!(fedora.web.paths().is_empty());
}

#[test]
fn a_newer_lock_file_is_left_alone() {
    let fedora = Fedora::new();
    let fleet = fedora.fleet().file("fleet.lock", "format = 2\n");
    fedora
        .run(&fleet, &["lock"])
        .code(1)
        .says(&["up to format 1", "upgrade ephemeros"]);
    assert_eq!(fleet.read("fleet.lock"), "format = 2\n");
}

#[test]
fn a_large_artifact_is_read_on_from_where_it_broke() {
    let bytes: Vec<u8> = (0..500_000_u32).flat_map(u32::to_le_bytes).collect();
    let served = bytes.clone();
    let web = Web::start(move |asked| match asked.before {
        0 => Answer::file(asked, &served).cut_after(1_500_000),
        _ => Answer::file(asked, &served),
    });
    let text = format!("[artifacts.big]\nurl.arm64 = \"{}/big\"\n", web.url);
    let fleet = Fleet::new().fleet(&text);
    // The release is pinned already, but without digests, so it is made exact for this test.
    let fleet = fleet.fleet(&format!("os.version = \"4593.2.5\"\n{text}"));
    fleet.run(&["lock"]).code(0);
    assert!(
        fleet
            .read("fleet.lock")
            .contains(&format!("hash = \"sha512-{}\"", sha512(&bytes)))
    );
    let range = web.asked()[1].headers.get("range").cloned();
    assert_eq!(range.as_deref(), Some("bytes=1500000-"));
}

#[test]
fn https_is_believed_by_the_machines_authorities_and_not_left() {
    let authority = Authority::new();
    let plain = Web::start(|asked| Answer::file(asked, b"plain"));
    let to = plain.url.clone();
    let web = Web::start_secure(authority.server("localhost", 2), move |asked| {
        match asked.path.as_str() {
            "/leave" => Answer::redirect(&to),
            _ => Answer::file(asked, b"safe"),
        }
    });
    let fleet = |path: &str| {
        Fleet::new().fleet(&format!(
            "os.version = \"4593.2.5\"\n[artifacts.a]\nurl.amd64 = \"{}/{path}\"\n",
            web.url
        ))
    };
    let safe = fleet("a");
    safe.run(&["lock"])
        .code(1)
        .says(&["no safe connection: ", "`SSL_CERT_FILE`"]);
    let trusting = |fleet: &Fleet| {
        fleet
            .command(&["lock"])
            .env("SSL_CERT_FILE", &authority.file().display().to_string())
            .run()
    };
    trusting(&safe).code(0);
    assert!(safe.read("fleet.lock").contains(&sha512(b"safe")));
    trusting(&fleet("leave"))
        .code(1)
        .says(&["which is not HTTPS"]);
    assert!(plain.paths().is_empty());
}

#[test]
fn the_lock_file_serves_to_render() {
    let fedora = Fedora::new();
    let fleet = fedora.fleet().butane("base.bu", "").file(
        "templates/base.bu",
        "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/k3s\n      contents:\n        inline: \"{{ artifacts.k3s.hash }}\"\n",
    );
    fedora
        .run(&fleet, &["render"])
        .code(1)
        .says(&["fleet.lock has no release for"]);
    fedora.run(&fleet, &["lock"]).code(0);
    fedora.run(&fleet, &["render"]).code(0);
    assert!(
        fleet
            .read("ipxe/n1.ipxe")
            .contains(&format!("builds/{OLD}/x86_64"))
    );
    assert!(
        fleet
            .contents("n1", "/etc/k3s")
            .contains(&sha512(b"k3s, the first"))
    );
}
