//! The example's stick in a virtual machine: UEFI, iPXE, Linux, Ignition and the secrets volume are real. It takes
//! `tools/setup test`, which fetches and builds what is booted.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
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
        let (stand_in, loaders) = (stand_in()?, loaders()?);
        let fleet = Fleet::empty();
        for path in ["fleet.toml", "fleet.lock"] {
            fleet.write(path, fs::read(root().join(path)).unwrap());
        }
        for path in ["nodes", "templates"] {
            copy(&root().join(path), &fleet.root().join(path));
        }
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

    /// What the machine and the server say, until it is off.
    fn boot(&self) -> Vec<String> {
        let ran = Command::new(root().join("tools/boot"))
            .args([&self.image, &self.www])
            .output()
            .unwrap();
        let console = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(
            ran.status.success() && console.contains("\nstand-in: done"),
            "{console}\n{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        console.lines().map(str::to_owned).collect()
    }
}

/// The one line that begins so; the rest of it.
#[track_caller]
fn said<'a>(console: &'a [String], start: &str) -> &'a str {
    let mut lines = console.iter().filter_map(|line| line.strip_prefix(start));
    let first = lines.next();
    first.unwrap_or_else(|| panic!("nothing begins with `{start}`:\n{}", console.join("\n")))
}

/// The node came up as the fleet has it.
fn assert_booted(example: &Example, console: &[String]) {
    let config = example.fleet.read("ignition/node1337.ign");
    let digest = ephemeros::render::rendered::config_digest(&config);
    // Firmware puts the name of the kernel's image first.
    assert_eq!(
        said(console, "stand-in: cmdline: "),
        format!(
            "flatcar_production_pxe.vmlinuz initrd=flatcar_production_pxe_image.cpio.gz \
             ignition.config.url={SERVER}/ignition/node1337.ign ephemeros.config={digest} \
             flatcar.first_boot=1 stand-in.show-secrets console=tty0 console=ttyS0,115200n8"
        )
    );
    said(console, "server: GET /ignition/node1337.ign 200");
    said(console, "stand-in: ignition accepts the config");
    assert_eq!(said(console, "stand-in: config: "), digest);

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
    // Nobody but root reads them.
    for line in console
        .iter()
        .filter_map(|line| line.strip_prefix("stand-in: file "))
    {
        assert!(line.starts_with("700 0:0 "), "{line}");
    }
}

#[test]
fn the_example_boots_by_the_script_in_git() {
    let Some(example) = Example::new() else {
        return;
    };
    let console = example.boot();
    said(&console, "server: GET /ipxe/node1337.ipxe 200");
    said(&console, "Ephemeros: the stick of node1337");
    assert!(
        !console
            .iter()
            .any(|line| line.contains("the copy on this stick"))
    );
    assert_booted(&example, &console);
}

#[test]
fn the_example_boots_by_the_copy_on_its_stick_where_git_has_none() {
    let Some(example) = Example::new() else {
        return;
    };
    fs::remove_dir_all(example.www.join("ipxe")).unwrap();
    let console = example.boot();
    said(&console, "server: GET /ipxe/node1337.ipxe 404");
    said(&console, "Ephemeros: now the copy on this stick");
    assert_booted(&example, &console);
}
