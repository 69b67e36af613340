//! `boot`: real virtual machines with QEMU's emulation, iPXE, and where a whole node is needed the system that
//! `tools/setup test` builds.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::fleet::{Fleet, LOCK, RECIPIENT, Run, SECRET};
use crate::image::loaders;
use crate::repository::{KNOWN_URL, has_program, skipped};
use crate::serve::{INITRD, KERNEL};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The loaders, where a machine can be started.
fn can_boot() -> Option<PathBuf> {
    if !has_program("qemu-system-x86_64") {
        skipped("boot", "there is no QEMU: run `tools/setup test`");
        return None;
    }
    loaders()
}

/// A folder with a release; of a real system where there is one.
fn releases(fleet: &Fleet, system: Option<&Path>) -> String {
    let folder = fleet.home().join("releases");
    fs::create_dir_all(&folder).unwrap();
    for (name, real) in [(KERNEL, "vmlinuz"), (INITRD, "initrd")] {
        match system {
            Some(system) => drop(fs::copy(system.join(real), folder.join(name)).unwrap()),
            None => fs::write(folder.join(name), "no kernel").unwrap(),
        }
    }
    folder.to_str().unwrap().to_owned()
}

/// The system that a whole node runs, where it was built.
fn system() -> Option<PathBuf> {
    let folder = root().join("target/system");
    let is_there = folder.join("initrd").is_file();
    let has_uefi = Path::new("/usr/share/OVMF/OVMF_CODE_4M.fd").is_file();
    if !is_there || !has_uefi {
        skipped("a boot of a whole node", "run `tools/setup test`");
        return None;
    }
    Some(folder)
}

/// In place of k3s.
const K3S: &str = "#!/bin/sh\nsystemd-notify --ready\nexec sleep infinity\n";

/// The example, where k3s is a script.
fn example(os: &str) -> Fleet {
    let fleet = Fleet::example();
    // Its records are with a service that nobody reaches here.
    fleet.replace(
        "nodes/node1337.toml",
        "\"heartbeat\", \"ddns\"]",
        "\"heartbeat\"]",
    );
    let digest = Sha256::digest(K3S.as_bytes());
    let digest: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let digest = digest.concat();
    let lock = fleet.read("fleet.lock");
    let pinned = lock
        .lines()
        .find(|line| line.starts_with("hash = "))
        .unwrap();
    fleet.replace("fleet.lock", pinned, &format!("hash = \"sha256-{digest}\""));
    let place = Path::new(os).join("artifacts/k3s");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("amd64"), K3S).unwrap();
    fleet
}

fn boot(fleet: &Fleet, what: &str, loaders: &Path, args: &[&str]) -> Run {
    let mut all = vec!["boot", what];
    if !what.contains('/') {
        all.extend(["--ipxe", loaders.to_str().unwrap()]);
    }
    all.extend(args);
    fleet.run(&all)
}

/// The node n1 with a whole system, by a BIOS, until it is online or will not be.
fn brought_up(fleet: &Fleet, os: &str, loaders: &Path, args: &[&str]) -> Run {
    let machine = ["--os", os, "--memory", "1GiB", "--firmware", "bios"];
    let args = [&machine[..], &["--until", "online"], args].concat();
    boot(fleet, "n1", loaders, &args)
}

/// A node without secrets, whose boot script begins with this.
fn with_script(lines: &str) -> Fleet {
    let script = ephemeros::ipxe::BODY.replacen("#!ipxe\n", &format!("#!ipxe\n{lines}"), 1);
    Fleet::new()
        .fleet(KNOWN_URL)
        .butane("base.bu", "")
        .file("templates/boot.ipxe", script)
}

#[test]
fn a_node_of_the_working_tree_comes_online_and_the_story_is_short() {
    let (Some(loaders), Some(system)) = (can_boot(), system()) else {
        return;
    };
    let place = Fleet::empty();
    let os = releases(&place, Some(&system));
    let fleet = example(&os);
    let before = fleet.files();
    let args = [
        "--os",
        &os,
        "--memory",
        "1GiB",
        "--until",
        "online",
        "--timeout",
        "300",
    ];
    let run = boot(&fleet, "node1337", &loaders, &args).code(0);
    let run = run.prints(&[
        "iPXE runs the stick of node1337",
        "fetched its boot script, ipxe/node1337.ipxe",
        "fetched flatcar_production_pxe.vmlinuz, ",
        "fetched its config, ignition/node1337.ign",
        "fetched the artifact k3s",
        "Ignition is done",
        "the node has reported in",
        "  online\n",
    ]);
    assert!(run.stdout.lines().count() <= 20, "{}", run.stdout);
    run.says(&["with stand-ins for its secrets"]);
    assert_eq!(fleet.files(), before, "something was written");
}

#[test]
fn the_node_of_a_new_fleet_comes_online() {
    let (Some(loaders), Some(system)) = (can_boot(), system()) else {
        return;
    };
    let fleet = Fleet::empty();
    let init = fleet.command(&["init", "--node", "n1"]);
    let init = init.env("https_proxy", "http://127.0.0.1:1");
    init.run().code(0);
    // Flatcar asks for an address by itself, what stands in for it does not.
    let network = "storage:\n  files:\n    - path: /etc/systemd/network/50-dhcp.network\n      contents:\n        \
                   inline: \"[Match]\\nName=en*\\n[Network]\\nDHCP=yes\\n\"\n";
    let fleet = fleet.butane("network.bu", network);
    fleet.replace(
        "fleet.toml",
        "\"secrets.bu\"]",
        "\"secrets.bu\", \"network.bu\"]",
    );
    let os = releases(&fleet, Some(&system));
    brought_up(&fleet, &os, &loaders, &[]).code(0);
}

#[test]
fn what_makes_a_node_fail_is_told() {
    let (Some(loaders), Some(system)) = (can_boot(), system()) else {
        return;
    };
    let place = Fleet::empty();
    let os = releases(&place, Some(&system));
    let fleet = Fleet::new().fleet(KNOWN_URL).butane(
        "base.bu",
        "storage:\n  files:\n    - path: /etc/systemd/network/50-dhcp.network\n      contents:\n        \
         inline: \"[Match]\\nName=en*\\n[Network]\\nDHCP=yes\\n\"\n\
         systemd:\n  units:\n    - name: broken.service\n      enabled: true\n      contents: |\n        [Service]\n        \
         Type=oneshot\n        ExecStart=/bin/sh -c 'echo there is no bread; exit 3'\n        [Install]\n        \
         WantedBy=multi-user.target\n",
    );
    let run = brought_up(&fleet, &os, &loaders, &["--json"]).code(1);
    let run = run.says(&["error: n1 did not come online: units failed: broken.service"]);
    let lines = run.stdout.lines();
    let lines: Vec<serde_json::Value> = lines.map(|it| serde_json::from_str(it).unwrap()).collect();
    assert!(
        lines
            .iter()
            .all(|line| line["format"] == 1 && line["seconds"].is_number())
    );
    let failed = lines.iter().find(|line| line["event"] == "failed").unwrap();
    assert_eq!(failed["text"], "broken.service failed: there is no bread");
}

#[test]
fn a_file_that_a_config_names_and_nobody_has_is_told() {
    let (Some(loaders), Some(system)) = (can_boot(), system()) else {
        return;
    };
    let place = Fleet::empty();
    let os = releases(&place, Some(&system));
    let fleet = Fleet::new().fleet(KNOWN_URL).butane(
        "base.bu",
        "storage:\n  files:\n    - path: /opt/a\n      contents:\n        source: http://10.0.2.100/nothing\n",
    );
    brought_up(&fleet, &os, &loaders, &[])
        .code(1)
        .prints(&["asked for a file, nothing, and was answered 404"])
        .says(&[
            "n1 did not come online: Ignition failed: ",
            "http://10.0.2.100/nothing",
        ]);
}

/// Somebody on the loopback of this machine; how often they were called.
fn neighbour() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    thread::spawn(move || {
        for client in listener.incoming() {
            drop(client);
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, calls)
}

#[test]
fn a_machine_reaches_nobody_but_the_local_server_unless_it_may() {
    let Some(loaders) = can_boot() else { return };
    let (port, calls) = neighbour();
    let fleet = with_script(&format!(
        "imgfetch --timeout 3000 http://10.0.2.2:{port}/a ||\n\
         imgfetch --timeout 3000 http://10.0.2.100:{port}/a ||\n\
         imgfetch --timeout 3000 http://10.0.2.100/stand-in/A && echo probe: the server is there ||\n\
         imgfree\n"
    ));
    let os = releases(&fleet, None);
    let args = [
        "--os",
        &os,
        "--firmware",
        "bios",
        "--memory",
        "512MiB",
        "--until",
        "probe: the server is there",
    ];
    boot(&fleet, "n1", &loaders, &args)
        .code(0)
        .prints(&["probe: the server is there"]);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    boot(
        &fleet,
        "n1",
        &loaders,
        &[&args[..], &["--network"]].concat(),
    )
    .code(0);
    assert_eq!(
        calls.load(Ordering::SeqCst),
        1,
        "the probe finds nobody at all"
    );
}

/// The stick of a node as a file.
fn image(fleet: &Fleet, loaders: &Path) -> PathBuf {
    let path = fleet.home().join("n1.img");
    let args = [
        "image",
        "n1",
        "--output",
        path.to_str().unwrap(),
        "--ipxe",
        loaders.to_str().unwrap(),
    ];
    fleet.run(&args).code(0);
    path
}

#[test]
fn a_file_is_booted_as_it_is_and_stays_so() {
    let Some(loaders) = can_boot() else { return };
    let fleet = Fleet::new().fleet("[git]\nraw_url = \"http://10.0.2.100/{{ path }}\"\n");
    let path = image(&fleet, &loaders);
    let before = fs::read(&path).unwrap();
    let args = [
        "--firmware",
        "bios",
        "--memory",
        "512MiB",
        "--until",
        "fetched its boot script",
    ];
    let run = boot(&fleet, path.to_str().unwrap(), &loaders, &args).code(0);
    run.prints(&[
        "iPXE runs the stick of n1",
        "fetched its boot script, ipxe/n1.ipxe",
    ])
    .says(&["as it is"]);
    assert!(fs::read(&path).unwrap() == before, "it was written");
}

#[test]
fn a_stick_without_its_forge_is_given_up() {
    let Some(loaders) = can_boot() else { return };
    let fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", "");
    let path = image(&fleet, &loaders);
    // Another fleet's: nothing is served for it.
    let other = Fleet::empty();
    let args = [
        "--firmware",
        "bios",
        "--memory",
        "512MiB",
        "--until",
        "online",
        "--timeout",
        "120",
    ];
    boot(&other, path.to_str().unwrap(), &loaders, &args)
        .code(1)
        .prints(&[
            "iPXE runs the stick of n1",
            "nothing boots, and iPXE tries again",
        ])
        .says(&["n1 did not come online: the stick finds nothing to boot"]);
}

/// The tool, with a machine that says that it runs.
fn started(fleet: &Fleet, image: &Path) -> Child {
    let args = [
        "boot",
        image.to_str().unwrap(),
        "--firmware",
        "bios",
        "--memory",
        "256MiB",
        "--until",
        "never said",
    ];
    let mut process = fleet.process(&args);
    process
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = process.spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("iPXE runs the stick of n1"), "{line}");
    child
}

/// Whether a machine with this stick runs.
fn runs(image: &Path) -> bool {
    let image = image.to_str().unwrap();
    let all = fs::read_dir("/proc").unwrap().flatten();
    let mut lines = all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| {
        let line = String::from_utf8_lossy(&line).into_owned();
        line.starts_with('/')
            && line.contains("qemu-system")
            && line.contains(image)
            && !line.contains("--child-of")
    })
}

#[test]
fn no_machine_outlives_the_tool_however_that_ends() {
    let Some(loaders) = can_boot() else { return };
    let fleet = Fleet::new().fleet(KNOWN_URL).butane("base.bu", "");
    let path = image(&fleet, &loaders);
    for (signal, code) in [("-INT", Some(130)), ("-KILL", None)] {
        let mut child = started(&fleet, &path);
        assert!(runs(&path));
        let pid = child.id().to_string();
        let status = std::process::Command::new("kill")
            .args([signal, &pid])
            .status();
        assert!(status.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), code);
        let began = Instant::now();
        while runs(&path) {
            assert!(began.elapsed() < Duration::from_secs(5), "{signal}");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn real_secrets_are_named_and_asked_for() {
    let Some(loaders) = can_boot() else { return };
    let fleet = Fleet::new()
        .fleet(&format!(
            "{KNOWN_URL}[vault]\nrecipients = [\"{RECIPIENT}\"]\n[roles.r]\nvariables = [\"TOKEN\"]\nenv_file = \"r_env\"\n"
        ))
        .node("n1", &format!("roles = [\"r\"]\ntemplates = [\"base.bu\"]\n[secrets]\nTOKEN = \"{SECRET}\"\n"))
        .butane("base.bu", "");
    let key = crate::image::demo_key();
    let path = fleet.home().join("n1.img");
    let (path, key) = (path.to_str().unwrap(), key.to_str().unwrap());
    let loaders = loaders.to_str().unwrap();
    fleet
        .run(&[
            "image",
            "n1",
            "--output",
            path,
            "--ipxe",
            loaders,
            "--identity",
            key,
        ])
        .code(0);
    for args in [
        &["boot", path, "--until", "online"][..],
        &[
            "boot",
            "n1",
            "--ipxe",
            loaders,
            "--real-secrets",
            "--identity",
            key,
        ],
    ] {
        let run = fleet.command(args).without_terminal().run();
        run.code(1)
            .says(&["the real secrets of n1: TOKEN", "no terminal to ask at"]);
    }
}

#[test]
fn what_can_t_be_booted_is_said_before_anything_is_started() {
    let Some(loaders) = can_boot() else { return };
    let fleet = Fleet::new()
        .fleet(&format!("{KNOWN_URL}[stick]\nfirmware = [\"uefi\"]\n"))
        .file("fleet.lock", LOCK)
        .butane("base.bu", "");
    let nowhere = fleet.home().join("empty");
    fs::create_dir_all(&nowhere).unwrap();
    let nowhere = nowhere.to_str().unwrap().to_owned();
    for (args, code, says) in [
        (&["--firmware", "coreboot"][..], 64, "coreboot"),
        (
            &["--firmware", "bios"],
            64,
            "the stick of n1 does not boot by a BIOS",
        ),
        (&["--arch", "arm64"], 64, "n1 is a node for amd64"),
        (&["--timeout", "5"], 64, "--until"),
        (&["--identity", "key"], 64, "--real-secrets"),
        (&["--memory", "1MiB"], 64, "so little memory"),
        (&["--memory", "much"], 64, "10GiB"),
        (&["--os", &nowhere], 1, KERNEL),
        (
            &["--os", "no-such-folder"],
            1,
            "can't look into no-such-folder",
        ),
    ] {
        boot(&fleet, "n1", &loaders, args).code(code).says(&[says]);
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    boot(&fleet, "n1", &loaders, &["--ssh-port", &port])
        .code(1)
        .says(&["can't listen at port", "--ssh-port"]);
    fleet.run(&["boot", "n2"]).code(1).says(&["n2"]);
    fleet
        .run(&["boot", "./none.img"])
        .code(1)
        .says(&["can't open `./none.img`"])
        .helps();
    fleet
        .run(&["boot", "./nodes"])
        .code(1)
        .says(&["neither a file nor a drive"]);
    fleet
        .run(&["boot", "./fleet.toml"])
        .code(1)
        .says(&["`./fleet.toml` boots nothing"])
        .helps();
    // Whose secrets are on it can't be told, so they can't be asked for.
    let damaged = image(&fleet, &loaders);
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[3 << 20..4 << 20].fill(0);
    fs::write(&damaged, bytes).unwrap();
    fleet
        .run(&["boot", damaged.to_str().unwrap()])
        .code(1)
        .says(&["`ephemeros.toml` can't be read"])
        .helps();
    fleet
        .run(&["boot", "./fleet.toml", "--real-secrets"])
        .code(64)
        .says(&["takes no `--real-secrets`"]);
    let run = fleet.command(&["boot", "n1"]).env("PATH", "/nowhere").run();
    run.code(1)
        .says(&["there is no `qemu-system-x86_64` on PATH", "install "]);
    fleet.replace("templates/base.bu", "variant", "varriant");
    boot(&fleet, "n1", &loaders, &["--os", &nowhere])
        .code(1)
        .says(&["templates/base.bu"]);
}
