//! The example's stick in virtual machines: UEFI and BIOS, iPXE, Linux, Ignition and the secrets volume are real. It takes
//! `tools/setup test`, which fetches and builds what is booted.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::fleet::{Fleet, copy};
use crate::image::{demo_key, loaders};
use crate::repository::{has_program, skipped};

/// Where the virtual machine finds the server of `tools/boot`.
const SERVER: &str = "http://10.0.2.100";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The stand-in for Flatcar, where all that a boot takes is there.
fn stand_in() -> Option<PathBuf> {
    let folder = root().join("target/stand-in");
    let missing = [
        (!folder.join("initrd").is_file(), "target/stand-in"),
        (!has_program("qemu-system-x86_64"), "QEMU"),
        (!has_program("nc"), "netcat"),
        (
            !Path::new("/usr/share/OVMF/OVMF_CODE_4M.fd").is_file(),
            "OVMF",
        ),
    ];
    for (is_missing, what) in missing {
        if is_missing {
            skipped(
                "a boot",
                &format!("there is no {what}: run `tools/setup test`"),
            );
            return None;
        }
    }
    Some(folder)
}

/// The example, fetching from the server of `tools/boot`.
struct Example {
    fleet: Fleet,
    image: PathBuf,
    www: PathBuf,
}

impl Example {
    fn new() -> Option<Self> {
        Self::of("")
    }

    /// With further lines at the top of the node's file.
    fn of(lines: &str) -> Option<Self> {
        Self::with(lines, "")
    }

    /// With a further table at the end of the node's file.
    fn with_table(table: &str) -> Option<Self> {
        Self::with("", table)
    }

    fn with(lines: &str, table: &str) -> Option<Self> {
        let (stand_in, loaders) = (stand_in()?, loaders()?);
        let fleet = Fleet::example();
        fleet.replace(
            "fleet.toml",
            "channel = \"stable\"",
            &format!("channel = \"stable\"\nmirrors = [\"{SERVER}/os\"]"),
        );
        fleet.replace(
            "fleet.toml",
            "kernel_args = [",
            "kernel_args = [\"stand-in.show-secrets\", ",
        );
        let node = fleet.read("nodes/node1337.toml");
        fleet.write("nodes/node1337.toml", format!("{lines}{node}\n{table}"));
        fleet.renders();
        let home = fleet.home();
        let (image, www) = (home.join("node1337.img"), home.join("www"));
        let key = demo_key();
        let raw_url = format!("{SERVER}/{{{{ path }}}}");
        let args = [
            "image",
            "node1337",
            "--output",
            image.to_str().unwrap(),
            "--identity",
            key.to_str().unwrap(),
            "--ipxe",
            loaders.to_str().unwrap(),
            "--raw-url",
            &raw_url,
        ];
        fleet.run(&args).code(0);
        let os = www.join("os/stable/amd64-usr/4593.2.5");
        fs::create_dir_all(&os).unwrap();
        symlink(
            stand_in.join("vmlinuz"),
            os.join("flatcar_production_pxe.vmlinuz"),
        )
        .unwrap();
        symlink(
            stand_in.join("initrd"),
            os.join("flatcar_production_pxe_image.cpio.gz"),
        )
        .unwrap();
        copy(&fleet.root().join("ignition"), &www.join("ignition"));
        copy(&fleet.root().join("ipxe"), &www.join("ipxe"));
        Some(Self { fleet, image, www })
    }

    /// Takes the boot script away from the server.
    fn without_script(self) -> Self {
        fs::remove_dir_all(self.www.join("ipxe")).unwrap();
        self
    }

    /// Takes all but the system away from it: the forge is down, and a mirror is not.
    fn without_forge(self) -> Self {
        let example = self.without_script();
        fs::remove_dir_all(example.www.join("ignition")).unwrap();
        example
    }

    /// What the machine and the server say, until it is off or has had so many seconds.
    fn boot(&self, machine: Machine, seconds: u32) -> Vec<String> {
        self.boot_on(machine, &[], seconds)
    }

    /// On a network of another kind; see `tools/boot`.
    fn boot_on(&self, machine: Machine, network: &[&str], seconds: u32) -> Vec<String> {
        let ran = Command::new(root().join("tools/boot"))
            .args(["--firmware", machine.0, "--drive", machine.1])
            .args(network)
            .args([&self.image, &self.www])
            .arg(seconds.to_string())
            .output()
            .unwrap();
        let console = String::from_utf8_lossy(&ran.stdout).into_owned();
        let is_over = matches!(ran.status.code(), Some(0 | 124));
        let errors = String::from_utf8_lossy(&ran.stderr);
        assert!(is_over, "{console}\n{errors}");
        console.lines().map(str::to_owned).collect()
    }
}

/// Firmware, and how the stick is plugged in.
type Machine = (&'static str, &'static str);

/// Nothing takes longer, in seconds.
const LIMIT: u32 = 180;

/// The one line that begins so; the rest of it.
#[track_caller]
fn said<'a>(console: &'a [String], start: &str) -> &'a str {
    let mut lines = console.iter().filter_map(|line| line.strip_prefix(start));
    let first = lines.next();
    first.unwrap_or_else(|| panic!("nothing begins with `{start}`:\n{}", console.join("\n")))
}

/// The one line that has this in it does not come.
#[track_caller]
fn never_said(console: &[String], what: &str) {
    let is_it = |line: &String| line.contains(what);
    assert!(!console.iter().any(is_it), "{}", console.join("\n"));
}

/// The node came up as the fleet has it. From a USB drive the secrets are not read: Debian's kernel for virtual machines
/// drives none.
fn assert_booted(machine: Machine, example: &Example, console: &[String]) {
    let config = example.fleet.read("ignition/node1337.ign");
    let digest = ephemeros::render::rendered::config_digest(&config);
    let (firmware, drive) = machine;
    // UEFI puts the name of the kernel's image first.
    let name = match firmware {
        "uefi" => "flatcar_production_pxe.vmlinuz ",
        _ => "",
    };
    assert_eq!(
        said(console, "stand-in: cmdline: "),
        format!(
            "{name}initrd=flatcar_production_pxe_image.cpio.gz \
             ignition.config.url={SERVER}/ignition/node1337.ign ephemeros.config={digest} \
             flatcar.first_boot=1 stand-in.show-secrets console=tty0 console=ttyS0,115200n8"
        )
    );
    said(console, "server: GET /ignition/node1337.ign 200");
    said(console, "stand-in: ignition accepts the config");
    assert_eq!(said(console, "stand-in: config: "), digest);
    if drive == "usb" {
        return;
    }

    // By the PARTUUID that the config's mount unit has.
    let profile = example
        .fleet
        .run(&["show", "node1337", "--stage", "butane"])
        .stdout;
    let secrets = said(console, "stand-in: secrets: ");
    let (_, partuuid) = secrets.split_once(' ').unwrap();
    assert!(profile.contains(&format!("What=/dev/disk/by-partuuid/{partuuid}")));
    let contents: BTreeMap<&str, String> = console
        .iter()
        .filter_map(|line| line.strip_prefix("stand-in: content ")?.split_once(' '))
        .map(|(path, text)| {
            (
                path,
                String::from_utf8(STANDARD.decode(text).unwrap()).unwrap(),
            )
        })
        .collect();
    let files: Vec<&str> = contents.keys().copied().collect();
    assert_eq!(
        files,
        [
            "heartbeat_env",
            "k3s_env",
            "logexport_env",
            "namecheap_ddns_env"
        ]
    );
    let key = demo_key();
    let get = |name: &str| {
        let args = [
            "secrets",
            "get",
            "node1337",
            name,
            "--identity",
            key.to_str().unwrap(),
        ];
        example.fleet.run(&args).code(0).stdout
    };
    assert_eq!(
        contents["k3s_env"],
        format!(
            "K3S_DATASTORE_ENDPOINT=\"{}\"\nK3S_TOKEN=\"{}\"\n",
            get("K3S_DATASTORE_ENDPOINT"),
            get("K3S_TOKEN")
        )
    );
    said(console, "stand-in: done");
    // Nobody but root reads them.
    for line in console
        .iter()
        .filter_map(|line| line.strip_prefix("stand-in: file "))
    {
        assert!(line.starts_with("700 0:0 "), "{line}");
    }
}

/// By the script in git.
fn boots_by_git(machine: Machine) {
    let Some(example) = Example::new() else {
        return;
    };
    let console = example.boot(machine, LIMIT);
    said(&console, "server: GET /ipxe/node1337.ipxe 200");
    said(&console, "Ephemeros: the stick of node1337");
    never_said(&console, "the copy on this stick");
    assert_booted(machine, &example, &console);
}

/// By the copy on its stick, where git has none.
fn boots_by_its_copy(machine: Machine) {
    let Some(example) = Example::new() else {
        return;
    };
    let example = example.without_script();
    let console = example.boot(machine, LIMIT);
    said(&console, "server: GET /ipxe/node1337.ipxe 404");
    said(&console, "Ephemeros: now the copy on this stick");
    assert_booted(machine, &example, &console);
}

#[test]
fn uefi_boots_the_example_by_the_script_in_git() {
    boots_by_git(("uefi", "virtio"));
}

#[test]
fn uefi_boots_the_example_by_the_copy_on_its_stick() {
    boots_by_its_copy(("uefi", "virtio"));
}

#[test]
fn uefi_boots_the_example_from_usb() {
    boots_by_its_copy(("uefi", "usb"));
}

#[test]
fn uefi_boots_the_example_from_a_drive_with_sectors_of_4096_bytes() {
    let (Some(example), Some(loaders)) = (Example::new(), loaders()) else {
        return;
    };
    let key = demo_key();
    let raw_url = format!("{SERVER}/{{{{ path }}}}");
    fs::remove_file(&example.image).unwrap();
    let args = [
        "image",
        "node1337",
        "--sector-size",
        "4096",
        "--output",
        example.image.to_str().unwrap(),
        "--identity",
        key.to_str().unwrap(),
        "--ipxe",
        loaders.to_str().unwrap(),
        "--raw-url",
        &raw_url,
    ];
    example.fleet.run(&args).code(0);
    let machine = ("uefi", "virtio-4096");
    let console = example.boot(machine, LIMIT);
    said(&console, "server: GET /ipxe/node1337.ipxe 200");
    assert_booted(machine, &example, &console);
}

#[test]
fn a_bios_boots_the_example_by_the_script_in_git() {
    boots_by_git(("bios", "virtio"));
}

#[test]
fn a_bios_boots_the_example_by_the_copy_on_its_stick() {
    boots_by_its_copy(("bios", "virtio"));
}

#[test]
fn a_bios_boots_the_example_from_usb_by_the_script_in_git() {
    boots_by_git(("bios", "usb"));
}

#[test]
fn a_bios_boots_the_example_from_usb_by_the_copy_on_its_stick() {
    boots_by_its_copy(("bios", "usb"));
}

#[test]
fn the_card_that_the_fleet_names_is_used() {
    let mac = "52:54:00:ab:cd:01";
    // The system has no such choice by itself, and the stand-in would take the first.
    let lines = format!(
        "network.mac = \"{}\"\nos.kernel_args = [\"ip=eth1:dhcp\"]\n",
        mac.to_uppercase()
    );
    let Some(example) = Example::of(&lines) else {
        return;
    };
    let console = example.boot_on(("bios", "virtio"), &["--mac", mac], LIMIT);
    said(&console, "Ephemeros: asking for an address by DHCP on net1");
    // The other card has another address, and answers to DHCP.
    never_said(&console, "Configuring (net0");
    said(&console, "server: GET /ipxe/node1337.ipxe 200");
    said(&console, "stand-in: done");
}

#[test]
fn a_static_address_takes_no_dhcp() {
    let lines = "[network]\naddress = \"10.0.2.77/24\"\ngateway = \"10.0.2.2\"\ninterface = \"eth0\"\n\
                 dns = [\"10.0.2.3\"]\n";
    let Some(example) = Example::with_table(lines) else {
        return;
    };
    let console = example.boot(("uefi", "virtio"), LIMIT);
    said(&console, "Ephemeros: taking 10.0.2.77/24 on net0");
    never_said(&console, "Configuring (net");
    said(&console, "server: GET /ipxe/node1337.ipxe 200");
    let cmdline = said(&console, "stand-in: cmdline: ");
    let ip = " ip=10.0.2.77::10.0.2.2:255.255.255.0:node1337.example.com:eth0:none:10.0.2.3 ";
    assert!(cmdline.contains(ip), "{cmdline}");
    assert_eq!(
        said(&console, "stand-in: address: "),
        "10.0.2.77/255.255.255.0 on eth0"
    );
    said(&console, "stand-in: done");
}

#[test]
fn a_node_boots_in_its_vlan() {
    let lines = "[network]\nvlan = 42\ninterface = \"eth0\"\n";
    let Some(example) = Example::with_table(lines) else {
        return;
    };
    let console = example.boot_on(("bios", "virtio"), &["--vlan", "42"], LIMIT);
    said(
        &console,
        "Ephemeros: asking for an address by DHCP on net0-42",
    );
    said(&console, "server: GET /ipxe/node1337.ipxe 200");
    let cmdline = said(&console, "stand-in: cmdline: ");
    assert!(
        cmdline.contains(" vlan=eth0.42:eth0 ip=eth0.42:dhcp "),
        "{cmdline}"
    );
    assert!(said(&console, "stand-in: address: ").ends_with(" on eth0.42"));
    said(&console, "stand-in: done");
}

#[test]
fn uefi_boots_by_the_config_on_its_stick_where_the_forge_is_down() {
    let Some(example) = Example::new() else {
        return;
    };
    let example = example.without_forge();
    let console = example.boot(("uefi", "virtio"), LIMIT);
    said(&console, "server: GET /ipxe/node1337.ipxe 404");
    said(&console, "server: GET /ignition/node1337.ign 404");
    said(
        &console,
        "Ephemeros: now the script and the config on this stick",
    );
    never_said(&console, "ignition.config.url");
    assert_eq!(said(&console, "stand-in: config in the initrd: "), "600");
    said(&console, "stand-in: ignition accepts the config");
    let config = example.fleet.read("ignition/node1337.ign");
    let digest = ephemeros::render::rendered::config_digest(&config);
    assert_eq!(said(&console, "stand-in: config: "), digest);
    said(&console, "stand-in: done");
}

#[test]
fn a_bios_says_that_the_forge_is_down_and_tries_again() {
    let Some(example) = Example::new() else {
        return;
    };
    let console = example.without_forge().boot(("bios", "virtio"), 25);
    said(
        &console,
        "Ephemeros: this machine can't take the config that is on its stick.",
    );
    said(&console, "Ephemeros: trying again in 5 s");
    // Nobody has pressed a key.
    said(&console, "Ephemeros: trying again in 10 s");
    never_said(&console, "stand-in: cmdline");
}

/// As far as its boot scripts go: there is no stand-in for arm64.
#[test]
fn arm64_runs_the_boot_scripts_of_the_example() {
    if !Path::new("/usr/share/AAVMF/AAVMF_CODE.fd").is_file() || !has_program("qemu-system-aarch64")
    {
        let why = "there is no QEMU or firmware for it: run `tools/setup test`";
        skipped("a boot on arm64", why);
        return;
    }
    let lines = "os.arch = \"arm64\"\nos.version = \"4593.2.5\"\n";
    let Some(example) = Example::of(lines) else {
        return;
    };
    let console = example.boot(("arm64", "virtio"), 50);
    said(&console, "Ephemeros: the stick of node1337");
    said(&console, "server: GET /ipxe/node1337.ipxe 200");
    let kernel = "os/stable/arm64-usr/4593.2.5/flatcar_production_pxe.vmlinuz";
    said(&console, &format!("server: GET /{kernel} 404"));
    said(&console, "Ephemeros: now the copy on this stick");
}

/// The boot code ends with one line that says why, and nothing else is started.
#[test]
fn boot_code_that_can_t_go_on_says_why() {
    let Some(example) = Example::new() else {
        return;
    };
    let whole = fs::read(&example.image).unwrap();
    let second: u64 = 1 << 20;
    // The mark of the second part, and where the kernel stands: far behind the end.
    for (at, bytes, why) in [
        (second + 4, [0; 4], "the BIOS boot partition is damaged"),
        (
            second + 8,
            [0, 0, 0, 1],
            "this BIOS can't read the stick, error ",
        ),
    ] {
        fs::write(&example.image, &whole).unwrap();
        let image = File::options().write(true).open(&example.image).unwrap();
        image.write_all_at(&bytes, at).unwrap();
        let console = example.boot(("bios", "virtio"), 15);
        said(&console, &format!("Ephemeros: {why}"));
        let is_started = |line: &String| line.contains("iPXE initialising");
        assert!(!console.iter().any(is_started), "{}", console.join("\n"));
    }
}
