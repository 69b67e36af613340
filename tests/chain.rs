//! The example's node1337 as a whole, from the fleet in git to the node that does its work: firmware, iPXE, Linux, Ignition,
//! systemd and all that the node's units start are real, and so are the ways in and out. It takes `tools/setup test`, which
//! builds the system that is booted; where Flatcar has k3s, this has a script that tells how it was started.

mod machine;
mod servers;
mod site;
mod unhappy;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use machine::Machine;
use site::{Example, secret};

/// An environment as the kernel has it.
fn variables(bytes: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let entries = text.split('\0').filter_map(|entry| entry.split_once('='));
    entries
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn uefi_brings_up_the_example_and_a_reboot_applies_a_change() {
    comes_up("uefi");
}

#[test]
fn a_bios_brings_up_the_example_and_a_reboot_applies_a_change() {
    comes_up("bios");
}

fn comes_up(firmware: &str) {
    let Some(example) = Example::new() else {
        return;
    };
    let stick = example.stick("node1337");
    // Another node's stick is in the machine, too.
    let other = example.image("node1338");
    let written = stick.digest();
    let node = example.boot(firmware, &[stick.path(), &other]);
    assert_fetched(&example, &node);
    assert_k3s(&example, &node);
    assert_logs(&example, &node);
    assert_secrets(&node);
    assert_services(&example, &node);
    assert_heartbeat(&example, &node);
    assert_ddns(&example, &node);
    assert_timers(&node);
    assert_mounts(&example, &node);
    assert_nothing_failed(&node);
    assert_applies(&example, &node);
    assert_eq!(stick.digest(), written);
}

/// By the script and the config that git has, where the URL that was derived says.
fn assert_fetched(example: &Example, node: &Machine) {
    node.says("stand-in: ignition is done, and the system starts", 120);
    let raw = "/acme/fleet/raw/branch/main";
    for path in ["ipxe/node1337.ipxe", "ignition/node1337.ign"] {
        let asked = example.servers.requests(&format!("{raw}/{path}"));
        let asked: Vec<_> = asked.iter().map(|it| (&*it.method, it.status)).collect();
        assert_eq!(asked, [("GET", 200)], "{path}");
    }
    node.never_said("the copy on this stick");
    let cmdline = node.says("stand-in: cmdline: ", 1);
    for argument in [
        format!(" ignition.config.url=http://10.0.2.100{raw}/ignition/node1337.ign "),
        format!(" ephemeros.config={} ", example.digest()),
        " flatcar.first_boot=1 console=tty0 console=ttyS0,115200n8".to_owned(),
    ] {
        assert!(cmdline.contains(&argument), "{argument} in {cmdline}");
    }
}

fn assert_k3s(example: &Example, node: &Machine) {
    let started = node.wait("k3s", 120, || example.servers.requests("/started/").pop());
    assert_eq!(started.path, "/started/k3s?server");
    let environment = variables(&started.body);
    let is_its = |name: &&String| name.starts_with("K3S_");
    let names: Vec<_> = environment.keys().filter(is_its).collect();
    assert_eq!(names, ["K3S_DATASTORE_ENDPOINT", "K3S_TOKEN"]);
    for name in names {
        assert_eq!(environment[name], secret(name));
    }
    assert_eq!(node.run("hostname"), "node1337.example.com");
    node.wait("k3s that is up", 30, || {
        let (_, state) = node.try_run("systemctl is-active k3s.service");
        (state == "active\n").then_some(())
    });
    let pinned = node.run("sha256sum /opt/bin/k3s | cut -d ' ' -f 1");
    assert!(
        example
            .fleet
            .read("fleet.lock")
            .contains(&format!("sha256-{pinned}"))
    );
}

/// The journal is with the log service from the boot on, and goes on to arrive.
fn assert_logs(example: &Example, node: &Machine) {
    let line = |what: &'static str| {
        let those = move |line: &String| line.contains(what);
        move || example.servers.log().into_iter().find(those)
    };
    let started = node.wait("log of k3s", 30, line("Started k3s.service"));
    assert!(started.contains(" node1337.example.com "), "{started}");
    // The kernel says all of its command line, and one line this alone.
    let running = format!("]: ephemeros.config={}", example.digest());
    node.wait("line with the config", 30, || {
        let mut lines = example.servers.log().into_iter();
        lines.find(|line| line.ends_with(&running))
    });
    node.run("echo a line of today | systemd-cat --identifier=chain");
    node.wait("new line in the log", 30, line(": a line of today"));
}

/// The secrets volume of this node's own stick is mounted, and nobody but root reads it.
fn assert_secrets(node: &Machine) {
    let fleet_id = "52955519-6dfb-47bd-8e9c-87e4f2f1fd7c".parse().unwrap();
    let partuuid = uuid::Uuid::new_v5(&fleet_id, b"node1337").to_string();
    assert_eq!(
        node.run("findmnt --noheadings --output PARTUUID /secrets"),
        partuuid
    );
    let options = node.run("findmnt --noheadings --output FSTYPE,OPTIONS /secrets");
    for option in [
        "vfat ",
        " ro,",
        ",nosuid,",
        ",nodev,",
        ",noexec,",
        ",fmask=0077,",
        ",dmask=0077,",
    ] {
        assert!(options.contains(option), "{option} in {options}");
    }
    let (code, said) = node.try_run("touch /secrets/new 2>&1");
    assert_eq!(code, Some(1));
    assert!(said.contains("Read-only file system"), "{said}");
    assert_eq!(
        node.run("cd /secrets && find . | sort | xargs stat --format '%a %U:%G %n'"),
        "700 root:root .\n\
         700 root:root ./heartbeat_env\n\
         700 root:root ./k3s_env\n\
         700 root:root ./logexport_env\n\
         700 root:root ./namecheap_ddns_env"
    );
    let (code, said) = node.log_in(&["cat", "/secrets/k3s_env", "2>&1"], "");
    assert_eq!(code, Some(1));
    assert!(said.contains("Permission denied"), "{said}");
}

/// Each env file is to systemd what was set, and nothing else; the logs' service runs by it.
fn assert_services(example: &Example, node: &Machine) {
    let empty = node.run(&environment("/dev/null"));
    let nothing = variables(&STANDARD.decode(empty).unwrap());
    for (file, expected) in [
        (
            "/secrets/heartbeat_env",
            &[("HEARTBEAT_URL", secret("HEARTBEAT_URL"))][..],
        ),
        (
            "/secrets/k3s_env",
            &[
                ("K3S_DATASTORE_ENDPOINT", secret("K3S_DATASTORE_ENDPOINT")),
                ("K3S_TOKEN", secret("K3S_TOKEN")),
            ],
        ),
        ("/secrets/logexport_env", &[("LOGEXPORT_PORT", "6514")]),
        (
            "/secrets/namecheap_ddns_env",
            &[("NAMECHEAP_DDNS_PASS", secret("NAMECHEAP_DDNS_PASS"))],
        ),
        (
            "/etc/ephemeros/logexport_env",
            &[("LOGEXPORT_HOST", "logs.example.net")],
        ),
        (
            "/etc/ephemeros/namecheap_ddns_env",
            &[("NAMECHEAP_DDNS_INTERFACE", "uplink")],
        ),
    ] {
        let read = node.run(&environment(file));
        let mut read = variables(&STANDARD.decode(read).unwrap());
        read.retain(|name, _| !nothing.contains_key(name));
        let read: Vec<_> = read
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        assert_eq!(read, expected, "{file}");
    }
    let pid = node.run("systemctl show --property=MainPID --value logexport.service");
    let environment = node.run(&format!("base64 -w 0 /proc/{pid}/environ"));
    let environment = variables(&STANDARD.decode(environment).unwrap());
    assert_eq!(environment["LOGEXPORT_HOST"], "logs.example.net");
    assert_eq!(environment["LOGEXPORT_PORT"], "6514");
    assert!(!example.servers.log().is_empty());
}

/// Prints the environment that systemd makes of an env file.
fn environment(file: &str) -> String {
    format!(
        "systemd-run --quiet --wait --pipe --property=EnvironmentFile={file} env -0 </dev/null | base64 -w 0"
    )
}

fn assert_timers(node: &Machine) {
    for (timer, first, next) in [
        ("heartbeat.timer", "1min", "5min"),
        ("host_ddns.timer", "1min", "10min"),
        ("primary_ddns.timer", "2min", "5min"),
    ] {
        let show = format!(
            "systemctl show {timer} --property=ActiveState,TimersMonotonic,NextElapseUSecMonotonic"
        );
        // While its service runs a timer waits for nothing.
        let said = node.wait(timer, 30, || {
            let (_, said) = node.try_run(&show);
            (!said.contains("NextElapseUSecMonotonic=infinity")).then_some(said)
        });
        for what in [
            "ActiveState=active".to_owned(),
            format!("{{ OnBootUSec={first} ;"),
            format!("{{ OnUnitActiveUSec={next} ;"),
        ] {
            assert!(said.contains(&what), "{timer}: no {what} in {said}");
        }
    }
}

/// Nobody but its timer has started it.
fn assert_heartbeat(example: &Example, node: &Machine) {
    let beat = node.wait("heartbeat", 120, || {
        example.servers.requests("/beat/").pop()
    });
    let url = format!("http://10.0.2.100{}", beat.path);
    assert_eq!((&*beat.method, &*url), ("HEAD", secret("HEARTBEAT_URL")));
    assert_eq!(beat.agent, format!("ephemeros/{}", example.digest()));
}

/// The record of the node's own name, by the address that the bond has got.
fn assert_ddns(example: &Example, node: &Machine) {
    let update = node.wait("DNS record", 60, || {
        example.servers.requests("/update?").pop()
    });
    let (_, query) = update.path.split_once('?').unwrap();
    let fields: Vec<_> = query
        .split('&')
        .map(|field| field.split_once('=').unwrap())
        .map(|(name, value)| (name, decoded(value)))
        .collect();
    assert_eq!(
        fields,
        [
            ("host", "node1337".to_owned()),
            ("domain", "example.com".to_owned()),
            ("ip", "10.0.2.15".to_owned()),
            ("password", secret("NAMECHEAP_DDNS_PASS").to_owned()),
        ]
    );
    let bond = node.run("cat /proc/net/bonding/uplink");
    assert!(
        bond.contains("Mode: IEEE 802.3ad") && bond.contains("Slave Interface: eno1"),
        "{bond}"
    );
}

/// As forms are encoded.
fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend(piece[2..].bytes());
    }
    String::from_utf8(bytes).unwrap()
}

/// Whatever needs the secrets brings their volume along, and does its work with it.
fn assert_mounts(example: &Example, node: &Machine) {
    for unit in ["heartbeat", "k3s", "logexport", "host_ddns", "primary_ddns"] {
        example.servers.forget();
        node.run("systemctl stop secrets.mount && ! mountpoint --quiet /secrets");
        let (code, said) = node.try_run(&format!("systemctl start {unit}.service 2>&1"));
        assert_eq!(code, Some(0), "{unit}.service without its secrets: {said}");
        node.run("mountpoint --quiet /secrets");
        let path = match unit {
            "heartbeat" => "/beat/",
            "k3s" => "/started/",
            "host_ddns" => "/update?host=node1337&",
            "primary_ddns" => "/update?host=primary&",
            _ => continue,
        };
        node.wait(unit, 30, || example.servers.requests(path).pop());
    }
}

fn assert_nothing_failed(node: &Machine) {
    node.wait("system that runs", 60, || {
        let (_, state) = node.try_run("systemctl is-system-running");
        (state != "starting\n").then_some(())
    });
    assert_eq!(node.run("systemctl --failed --no-legend --plain"), "");
    assert_eq!(node.run("systemctl is-system-running"), "running");
}

/// The same stick, the next boot, another config.
fn assert_applies(example: &Example, node: &Machine) {
    let before = (
        example.digest(),
        node.run("cat /proc/sys/kernel/random/boot_id"),
    );
    example.change(
        "templates/heartbeat.bu",
        "OnUnitActiveSec=5min",
        "OnUnitActiveSec=4min",
    );
    example.servers.forget();
    node.run("systemctl reboot");
    node.wait("k3s after the reboot", 120, || {
        example.servers.requests("/started/").pop()
    });
    let after = (
        example.digest(),
        node.run("cat /proc/sys/kernel/random/boot_id"),
    );
    assert!(
        before.0 != after.0 && before.1 != after.1,
        "{before:?} {after:?}"
    );
    let cmdline = node.run("cat /proc/cmdline");
    assert!(
        cmdline.contains(&format!(" ephemeros.config={} ", after.0)),
        "{cmdline}"
    );
    let beat = node.wait("heartbeat after the reboot", 120, || {
        example.servers.requests("/beat/").pop()
    });
    assert_eq!(beat.agent, format!("ephemeros/{}", after.0));
    let timer = node.run("systemctl show heartbeat.timer --property=TimersMonotonic");
    assert!(timer.contains("{ OnUnitActiveUSec=4min ;"), "{timer}");
}
