//! The example as a fleet that somebody has pushed, with secrets of its own, and a network that is all on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ephemeros::render::rendered::config_digest;
use sha2::{Digest as _, Sha256};

use super::machine::{Machine, SERVER};
use super::servers::{Servers, Site, certificate};
use crate::drives::{Attached, MIB};
use crate::fleet::Fleet;
use crate::image::{demo_key, loaders};
use crate::repository::{has_program, skipped};

/// What the values hold: all that a shell, systemd or a URL could take for something else.
pub(super) const SECRETS: [(&str, &str, &str); 5] = [
    (
        "role:k3s",
        "K3S_TOKEN",
        "K10 \"q\" 'a' \\ \\n $HOME ${HOME} `id` %n %% # ; = \u{e9}\n# second line\n\ttab \\",
    ),
    (
        "node1337",
        "K3S_DATASTORE_ENDPOINT",
        "postgres://k3s:p%40ss'w\"or\\d$@db.example.net:5432/k3s?x=`y`&z=$$ ",
    ),
    (
        "node1337",
        "HEARTBEAT_URL",
        "http://10.0.2.100/beat/it's?n=$HOME&done=100%25",
    ),
    ("role:logexport", "LOGEXPORT_PORT", "6514"),
    (
        "role:ddns",
        "NAMECHEAP_DDNS_PASS",
        " a&b=c \"d\" 'e' \\f $g %h +\u{e9} ",
    ),
];

pub(super) fn secret(name: &str) -> &'static str {
    SECRETS.iter().find(|(_, it, _)| *it == name).unwrap().2
}

/// The hosts that the example names, which here are one.
const HOSTS: [&str; 2] = ["logs.example.net", "dynamicdns.park-your-domain.com"];

/// In place of k3s: it tells with which arguments and in which environment it was started.
const K3S: &str = r#"#!/bin/sh
case ${0##*/} in
    kubectl) echo "node/${3##*/} condition met" && exit ;;
esac
cat /proc/$$/environ >/run/environment
wget --quiet --output-document=/dev/null --post-file=/run/environment "http://10.0.2.100/started/k3s?$*" || exit
systemd-notify --ready
exec sleep infinity
"#;

/// The stand-in with a system, where all that a boot takes is there.
fn stand_in() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/system");
    let mut missing = Vec::new();
    if !folder.join("initrd").is_file() {
        missing.push("target/system");
    }
    if !Path::new("/usr/share/OVMF/OVMF_CODE_4M.fd").is_file() {
        missing.push("OVMF");
    }
    for program in [
        "qemu-system-x86_64",
        "nc",
        "python3",
        "openssl",
        "ssh",
        "ssh-keygen",
    ] {
        if !has_program(program) {
            missing.push(program);
        }
    }
    if missing.is_empty() {
        return Some(folder);
    }
    let why = format!(
        "there is no {}: run `tools/setup test`",
        missing.join(", no ")
    );
    skipped("a boot of a whole node", &why);
    None
}

pub(super) struct Example {
    pub(super) fleet: Fleet,
    pub(super) servers: Servers,
    folder: PathBuf,
    loaders: PathBuf,
}

impl Example {
    /// Rendered and pushed. `None` where something is missing that a boot takes, which is said.
    pub(super) fn new() -> Option<Self> {
        Self::with(|_| {})
    }

    /// With something changed in the fleet.
    pub(super) fn with(change: impl Fn(&Fleet)) -> Option<Self> {
        let (stand_in, loaders) = (stand_in()?, loaders()?);
        let fleet = Fleet::example();
        let folder = fleet.home();
        let k3s = folder.join("k3s");
        fs::write(&k3s, K3S).unwrap();
        turn(&fleet, &folder);
        change(&fleet);
        fleet.renders();
        let fleet = fleet.git();
        let origin = fleet.origin();
        let bare = origin.to_str().unwrap();
        fleet.git_says(&["init", "--quiet", "--bare", "--initial-branch=main", bare]);
        // The URL is derived from this; what is pushed goes where the forge has it.
        let url = format!("http://{SERVER}/acme/fleet.git");
        fleet.git_says(&["remote", "add", "origin", &url]);
        fleet.git_says(&["remote", "set-url", "--push", "origin", bare]);
        let os = "/os/stable/amd64-usr/4593.2.5/flatcar_production_pxe";
        let site = Site {
            forge: origin,
            down: Vec::new(),
            files: vec![
                (format!("{os}.vmlinuz"), stand_in.join("vmlinuz")),
                (format!("{os}_image.cpio.gz"), stand_in.join("initrd")),
                ("/k3s".to_owned(), k3s),
            ],
        };
        let servers = Servers::start(site, &folder);
        let example = Self {
            fleet,
            servers,
            folder,
            loaders,
        };
        example.push();
        Some(example)
    }

    fn push(&self) {
        self.fleet
            .git_says(&["push", "--quiet", "--set-upstream", "origin", "main"]);
    }

    /// Changes the fleet as somebody does: edited, rendered, committed, pushed.
    pub(super) fn change(&self, path: &str, old: &str, new: &str) {
        self.fleet.replace(path, old, new);
        self.fleet.renders();
        self.fleet.commit();
        self.push();
    }

    /// What the tool is told of keys and loaders.
    fn run(&self, args: &[&str]) {
        let key = demo_key();
        let ways = [
            "--identity",
            key.to_str().unwrap(),
            "--ipxe",
            self.loaders.to_str().unwrap(),
        ];
        let mut run = self.fleet.run(&[args, &ways].concat()).code(0);
        for (_, _, value) in SECRETS {
            run = run.hides(value);
        }
    }

    /// The stick of a node on a drive; as a file where there can be no drive, which is said.
    pub(super) fn stick(&self, node: &str) -> Stick {
        let Some(drive) = Attached::new(256 * MIB, &[]) else {
            return Stick::File(self.image(node));
        };
        self.run(&["flash", node, drive.path(), "--yes"]);
        Stick::Drive(drive)
    }

    /// The stick of a node as a file.
    pub(super) fn image(&self, node: &str) -> PathBuf {
        let path = self.folder.join(format!("{node}.img"));
        self.run(&["image", node, "--output", path.to_str().unwrap()]);
        path
    }

    pub(super) fn boot(&self, firmware: &str, sticks: &[&Path]) -> Machine {
        Machine::start(firmware, sticks, &self.servers, &self.folder)
    }

    /// Takes something from the servers.
    pub(super) fn down(&self, start: &str) {
        self.servers.site.lock().unwrap().down = vec![start.to_owned()];
    }

    /// All is there again.
    pub(super) fn up(&self) {
        self.servers.site.lock().unwrap().down.clear();
    }

    /// Puts something else where the forge has a file.
    pub(super) fn serves(&self, path: &str, text: &str) {
        let file = self.folder.join("instead");
        fs::write(&file, text).unwrap();
        let mut site = self.servers.site.lock().unwrap();
        site.files.insert(0, (path.to_owned(), file));
    }

    /// The digest of node1337's config, as its kernel command line has it.
    pub(super) fn digest(&self) -> String {
        config_digest(&self.fleet.read("ignition/node1337.ign"))
    }
}

/// A node's stick, as long as it is plugged in.
pub(super) enum Stick {
    Drive(Attached),
    File(PathBuf),
}

impl Stick {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Drive(drive) => Path::new(drive.path()),
            Self::File(path) => path,
        }
    }

    pub(super) fn digest(&self) -> String {
        hex(&fs::read(self.path()).unwrap())
    }
}

fn hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let mut text = String::new();
    for byte in digest {
        text += &format!("{byte:02x}");
    }
    text
}

/// Turns the example to this machine: where things are, who may log in, and what its secrets are. The rest is as it stands.
fn turn(fleet: &Fleet, folder: &Path) {
    let key = folder.join("ssh");
    let ran = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "chain", "-f"])
        .arg(&key)
        .status();
    assert!(ran.unwrap().success());
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    let text = fleet.read("fleet.toml");
    let line = |start: &str| {
        text.lines()
            .find(|line| line.trim().starts_with(start))
            .unwrap()
    };
    fleet.replace(
        "fleet.toml",
        line("\"ssh-ed25519"),
        &format!("{:?},", public.trim()),
    );
    fleet.replace(
        "fleet.toml",
        "branch = \"main\"",
        "branch = \"main\"\nforge = \"gitea\"",
    );
    let mirrors = format!("channel = \"stable\"\nmirrors = [\"http://{SERVER}/os\"]");
    fleet.replace("fleet.toml", "channel = \"stable\"", &mirrors);
    let url = format!("http://{SERVER}/k3s");
    fleet.replace(
        "fleet.toml",
        line("url.amd64"),
        &format!("url.amd64 = \"{url}\""),
    );
    let lock = fleet.read("fleet.lock");
    let value = |start: &str| lock.lines().find(|line| line.starts_with(start)).unwrap();
    let (pinned, hash) = (value("url = "), value("hash = "));
    fleet.replace("fleet.lock", pinned, &format!("url = \"{url}\""));
    fleet.replace(
        "fleet.lock",
        hash,
        &format!("hash = \"sha256-{}\"", hex(K3S.as_bytes())),
    );

    for (place, name, value) in SECRETS {
        let set = fleet.command(&["secrets", "set", place, name]);
        set.stdin(value).run().code(0);
    }
    // What DNS and a certificate authority do elsewhere.
    let certificate = certificate(folder, &HOSTS);
    let hosts = format!("127.0.0.1 localhost\n{SERVER} {}\n", HOSTS.join(" "));
    let files = [
        ("/etc/hosts", hosts),
        ("/etc/ssl/certs/ca-certificates.crt", certificate),
    ];
    let files = files.map(|(path, text)| {
        format!("    - path: {path}\n      mode: 0644\n      overwrite: true\n      contents:\n        inline: {text:?}\n")
    });
    let template = format!(
        "variant: flatcar\nversion: 1.0.0\nstorage:\n  files:\n{}",
        files.concat()
    );
    fleet.write("templates/local.bu", template);
    fleet.replace(
        "nodes/node1337.toml",
        "[\"bond.bu\"]",
        "[\"bond.bu\", \"local.bu\"]",
    );
}
