//! Releases and their pins, artifacts, mount path, network: what can be wrong with a node before anything is rendered.

use crate::fleet::{Fleet, LOCK};

const ARTIFACT: &str =
    "[artifacts.k3s]\nversion = \"v1\"\nurl.amd64 = \"https://example.com/{{ version }}/k3s\"\n";

fn pin(url: &str, hash: &str) -> String {
    format!(
        "{LOCK}\n[[artifact]]\nname = \"k3s\"\narch = \"amd64\"\nurl = \"{url}\"\nhash = \"{hash}\"\n"
    )
}

fn sha256() -> String {
    format!("sha256-{}", "0a".repeat(32))
}

#[test]
fn current_needs_a_pin() {
    for (os, place) in [
        ("[os]\nversion = \"current\"\n", "fleet.toml:4:11"),
        ("[os]\nchannel = \"beta\"\n", "fleet.toml:4:11"),
        (
            "[os]\narch = \"arm64\"\n",
            "fleet.lock has no release for flatcar stable on arm64",
        ),
        ("", "fleet.lock has no release for flatcar stable on amd64"),
    ] {
        let lock = if os.contains("beta") || os.contains("arm64") {
            LOCK
        } else {
            "format = 1\n"
        };
        let fleet = Fleet::new().fleet(os).file("fleet.lock", lock);
        let run = fleet.refuses().says(&["fleet.lock has no release for "]);
        run.says(&[place])
            .says(&["run `ephemeros lock`"])
            .mistakes(1);
    }
    let fleet = Fleet::new().without("fleet.lock");
    fleet
        .refuses()
        .says(&["fleet.lock has no release", "run `ephemeros lock`"])
        .mistakes(1);
    let fleet = Fleet::new()
        .without("fleet.lock")
        .fleet("[os]\nversion = \"4593.2.5\"\n");
    fleet.renders();
}

#[test]
fn the_pin_of_a_channel_and_an_architecture_is_taken() {
    let lock = format!(
        "{LOCK}\n[[os]]\ndistro = \"flatcar\"\nchannel = \"beta\"\narch = \"arm64\"\nversion = \"4600.1.0\"\n"
    );
    let fleet = Fleet::new().file("fleet.lock", lock).node(
        "n2",
        "templates = [\"base.bu\"]\nos = { channel = \"beta\", arch = \"arm64\" }\n",
    );
    fleet.renders();
    assert!(fleet.read("ipxe/n1.ipxe").contains("/4593.2.5/"));
    assert!(fleet.read("ipxe/n2.ipxe").contains("/4600.1.0/"));
}

#[test]
fn an_artifact_needs_a_pin_that_fits() {
    Fleet::new()
        .fleet(ARTIFACT)
        .refuses()
        .says(&[
            "fleet.lock has no digest for `k3s` on amd64",
            "fleet.toml:5:13",
            "run `ephemeros lock`",
        ])
        .mistakes(1);
    Fleet::new()
        .fleet(ARTIFACT)
        .file("fleet.lock", pin("https://example.com/v0/k3s", &sha256()))
        .refuses()
        .says(&[
            "fleet.lock pins another URL for `k3s` on amd64",
            "fleet.toml:5:13",
            "run `ephemeros lock`",
        ])
        .mistakes(1);
    Fleet::new()
        .fleet(ARTIFACT)
        .file("fleet.lock", pin("https://example.com/v1/k3s", &sha256()))
        .printing("\"{{ artifacts.k3s.url }} {{ artifacts.k3s.hash }}\"")
        .renders();
}

#[test]
fn a_pin_that_pins_nothing_is_told() {
    for hash in ["", "md5-00", "sha256-0a", &"0a".repeat(32)] {
        let fleet = Fleet::new()
            .fleet(ARTIFACT)
            .file("fleet.lock", pin("https://example.com/v1/k3s", hash));
        fleet
            .refuses()
            .says(&["this is no digest", "fleet.lock:13:8", "`sha256-`"])
            .mistakes(1);
    }
}

#[test]
fn an_artifacts_url_is_filled_in_strictly() {
    let fleet = Fleet::new().fleet(&ARTIFACT.replace("{{ version }}", "{{ verzion }}"));
    fleet.refuses().says(&[
        "this URL can't be filled in",
        "fleet.toml:5:13",
        "`{{ version }}`",
    ]);
    let fleet = Fleet::new().fleet(&ARTIFACT.replace("amd64", "x86_64"));
    fleet
        .refuses()
        .says(&[
            "unknown architecture `x86_64`",
            "fleet.toml:5:5",
            "`amd64`, `arm64`",
        ])
        .mistakes(1);
}

#[test]
fn a_lock_of_a_newer_format_is_refused_by_name() {
    let fleet = Fleet::new().file("fleet.lock", "format = 2\n[new]\nthings = 1\n");
    let run = fleet.refuses().says(&[
        "`fleet.lock` up to format 1",
        "fleet.lock:1:10",
        "upgrade ephemeros",
    ]);
    run.mistakes(1);
}

#[test]
fn a_lock_is_read_as_strictly_as_the_rest() {
    for (lock, message) in [
        ("", "does not say its format"),
        ("format = \"1\"\n", "expected an integer"),
        ("format = 1\n[[os]]\ndistro = \"x\"\n", "unknown value `x`"),
        ("format = 1\noss = 1\n", "unknown key `oss`"),
        ("format = 1\n[[os]\n", "not TOML"),
    ] {
        let fleet = Fleet::new()
            .file("fleet.lock", lock)
            .fleet("[os]\nversion = \"4593.2.5\"\n");
        fleet
            .refuses()
            .says(&[message])
            .says(&["fleet.lock:"])
            .mistakes(1);
    }
}

#[test]
fn a_release_that_no_url_can_hold_is_told() {
    for (os, place) in [
        ("version = \"4593 2\"\n", "fleet.toml:4:11"),
        ("version = \"../1\"\n", "fleet.toml:4:11"),
        ("version = \"\"\n", "fleet.toml:4:11"),
    ] {
        let fleet = Fleet::new().fleet(&format!("[os]\n{os}"));
        fleet
            .refuses()
            .says(&["can't be part of a release's URL", place])
            .mistakes(1);
    }
    for mirror in ["ftp://x/y", "http://a b/", "x", ""] {
        let fleet =
            Fleet::new().fleet(&format!("[os]\nmirrors = [\"http://ok/\", \"{mirror}\"]\n"));
        fleet
            .refuses()
            .says(&["no base URL of a mirror", "fleet.toml:4:26"])
            .mistakes(1);
    }
    let fleet = Fleet::new().fleet("[os]\nkernel_args = [\"a\\nb\"]\n");
    fleet
        .refuses()
        .says(&["can't hold a control character", "fleet.toml:4:16"])
        .mistakes(1);
}

#[test]
fn a_mount_path_that_is_none_is_told() {
    for mount in ["secrets", "/", "", "/a b", "/a/../b", "/a/", "//a"] {
        let fleet = Fleet::new().fleet(&format!("[vault]\nmount = \"{mount}\"\n"));
        fleet
            .refuses()
            .says(&["can't be a mount path", "fleet.toml:4:9", "`/secrets`"])
            .mistakes(1);
    }
}

#[test]
fn a_mount_path_that_an_operating_system_lacks_is_told() {
    let fcos = "os = { distro = \"fedora-coreos\", version = \"44.20260707.3.1\" }\n";
    Fleet::new()
        .fleet("[vault]\nmount = \"/secrets\"\n")
        .node("n1", fcos)
        .refuses()
        .says(&[
            "fedora-coreos can't mount the secrets volume at `/secrets`",
            "fleet.toml:4:9",
            "`mount = \"/var/secrets\"`",
        ])
        .mistakes(1);
    Fleet::new()
        .node("n1", fcos)
        .refuses()
        .says(&[
            "can't mount the secrets volume",
            "nodes/n1.toml:1:17",
            "/var/secrets",
        ])
        .mistakes(1);
    let fleet = Fleet::new().fleet("[vault]\nmount = \"/usr/secrets\"\n");
    fleet
        .refuses()
        .says(&["flatcar can't mount the secrets volume at `/usr/secrets`"])
        .mistakes(1);
    Fleet::new()
        .fleet("[vault]\nmount = \"/var/secrets\"\n")
        .node("n1", fcos)
        .renders();
}

#[test]
fn what_a_network_card_can_not_be_is_told() {
    for (network, message, column) in [
        ("mac = \"52:54:00:12:34\"\n", "no MAC address", 7),
        ("mac = \"52-54-00-12-34-56\"\n", "no MAC address", 7),
        (
            "interface = \"a b\"\n",
            "can't be the name of a network card",
            13,
        ),
        (
            "interface = \"much-too-long-a-name\"\n",
            "can't be the name of a network card",
            13,
        ),
        (
            "address = \"10.0.0.7\"\ninterface = \"e\"\n",
            "no address with its prefix length",
            11,
        ),
        (
            "address = \"10.0.0.7/33\"\ninterface = \"e\"\n",
            "no address with its prefix length",
            11,
        ),
        ("address = \"10.0.0.7/24\"\n", "needs the card's name", 11),
        ("gateway = \"10.0.0.1\"\n", "without a static address", 11),
        ("dns = [\"one\"]\n", "no IP address", 8),
        ("vlan = 7\n", "needs the card's name", 8),
        (
            "gateway = \"fd00::1\"\naddress = \"10.0.0.7/24\"\ninterface = \"e\"\n",
            "not both of IPv4 or both of IPv6",
            11,
        ),
        ("vlan = 4095\ninterface = \"e\"\n", "1 to 4094", 8),
        ("vlan = 0\ninterface = \"e\"\n", "1 to 4094", 8),
        ("vlan = -1\ninterface = \"e\"\n", "1 to 4094", 8),
    ] {
        let fleet = Fleet::new().node("n1", &format!("[network]\n{network}"));
        fleet
            .refuses()
            .says(&[message, &format!("nodes/n1.toml:2:{column}"), "help: "])
            .mistakes(1);
    }
    let fleet = Fleet::new().node(
        "n1",
        "[network]\ngateway = \"x\"\naddress = \"1.2.3.4/8\"\ninterface = \"e\"\n",
    );
    fleet
        .refuses()
        .says(&["no IP address", "nodes/n1.toml:2:11"])
        .mistakes(1);
}

#[test]
fn a_static_address_reaches_the_kernel() {
    let network = "[network]\ninterface = \"eno1\"\naddress = \"10.0.0.7/24\"\ngateway = \"10.0.0.1\"\ndns = [\"10.0.0.2\"]\n";
    let fleet = Fleet::new().node("n1", &format!("hostname = \"a.example.com\"\n{network}"));
    let args = [
        "show",
        "n1",
        "--stage",
        "cmdline",
        "--raw-url",
        "http://h/{{ path }}",
    ];
    let run = fleet.run(&args).code(0);
    run.prints(&[
        "ip=10.0.0.7::10.0.0.1:255.255.255.0:a.example.com:eno1:none:10.0.0.2",
        "ignition.config.url=http://h/ignition/n1.ign",
    ]);
}

#[test]
fn a_network_reaches_the_initrd_in_dracut_s_words() {
    for (network, expected) in [
        (
            "vlan = 7\ninterface = \"eno1\"\n",
            "vlan=eno1.7:eno1 ip=eno1.7:dhcp",
        ),
        (
            "vlan = 7\ninterface = \"eno1\"\naddress = \"10.0.0.7/20\"\n",
            "vlan=eno1.7:eno1 ip=10.0.0.7:::255.255.240.0:n1:eno1.7:none",
        ),
        (
            "interface = \"eno1\"\naddress = \"fd00::7/64\"\ngateway = \"fd00::1\"\ndns = [\"fd00::2\"]\n",
            "ip=[fd00::7]::[fd00::1]:64:n1:eno1:none:[fd00::2]",
        ),
        // `ip=` has room for two.
        (
            "interface = \"eno1\"\naddress = \"10.0.0.7/32\"\ndns = [\"10.0.0.1\", \"10.0.0.2\", \"10.0.0.3\", \"fd00::4\"]\n",
            "ip=10.0.0.7:::255.255.255.255:n1:eno1:none:10.0.0.1:10.0.0.2 nameserver=10.0.0.3 nameserver=[fd00::4]",
        ),
        ("mac = \"52:54:00:AB:CD:01\"\n", ""),
    ] {
        let fleet = Fleet::new().node("n1", &format!("[network]\n{network}"));
        let args = [
            "show",
            "n1",
            "--stage",
            "cmdline",
            "--raw-url",
            "http://h/{{ path }}",
        ];
        let run = fleet.run(&args).code(0);
        let line = run.stdout.trim_end();
        let (_, args) = line.split_once(" flatcar.first_boot=1").unwrap();
        assert_eq!(args.trim_start(), expected);
    }
}
