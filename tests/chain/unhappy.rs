//! What a machine does where a part of the chain is missing. Before Ignition runs, the script on the stick goes on by itself;
//! from then on Ignition is the one that says what is wrong.

use std::fs;

use super::machine::Machine;
use super::site::{Example, secret};
use crate::image::{has_tools, tool};

const CONFIG: &str = "/acme/fleet/raw/branch/main/ignition/node1337.ign";

/// The node does its work: k3s has its secrets.
fn works(example: &Example, node: &Machine) {
    let started = node.wait("k3s", 150, || example.servers.requests("/started/").pop());
    let token = format!("K3S_TOKEN={}\0", secret("K3S_TOKEN"));
    assert!(String::from_utf8_lossy(&started.body).contains(&token));
}

#[test]
fn a_bios_waits_for_the_forge_and_goes_on_when_it_is_back() {
    let Some(example) = Example::new() else {
        return;
    };
    let stick = example.image("node1337");
    example.down("/acme/");
    let node = example.boot("bios", &[&stick]);
    node.says("Ephemeros: trying again in 5 s", 60);
    assert_eq!(example.servers.requests(CONFIG)[0].status, 404);
    example.up();
    node.says("stand-in: ignition is done, and the system starts", 120);
    assert_eq!(example.servers.requests(CONFIG).pop().unwrap().status, 200);
}

#[test]
fn uefi_brings_up_the_node_by_the_config_on_its_stick_while_the_forge_is_down() {
    let Some(example) = Example::new() else {
        return;
    };
    let stick = example.image("node1337");
    example.down("/acme/");
    let node = example.boot("uefi", &[&stick]);
    works(&example, &node);
    node.says("Ephemeros: now the script and the config on this stick", 1);
    node.says("stand-in: config in the initrd: 600", 1);
    let asked = example.servers.requests("/acme/");
    assert!(!asked.is_empty() && asked.iter().all(|it| it.status == 404));
}

/// What Ignition says, on a machine that then goes no further.
#[track_caller]
fn ignition_says(example: &Example, stage: &str, lines: &[&str]) {
    let stick = example.image("node1337");
    let node = example.boot("bios", &[&stick]);
    let end = format!("stand-in: fails: Ignition, in its stage {stage}");
    node.says(&end, 90);
    for line in lines {
        node.says(line, 1);
    }
    node.never_said("the system starts");
    assert!(example.servers.requests("/started/").is_empty());
}

#[test]
fn ignition_says_that_there_is_no_config() {
    let Some(example) = Example::new() else {
        return;
    };
    example.down(CONFIG);
    ignition_says(
        &example,
        "fetch",
        &[
            &format!("ignition[1]: GET http://10.0.2.100{CONFIG}: attempt #1"),
            "ignition[1]: GET result: Not Found",
            "ignition[1]: Ignition failed: resource not found",
        ],
    );
}

#[test]
fn ignition_says_what_is_wrong_with_a_config() {
    let Some(example) = Example::new() else {
        return;
    };
    // As after a forge that sends half of it.
    let whole = example.fleet.read("ignition/node1337.ign");
    example.serves(CONFIG, &whole[..whole.len() / 2]);
    ignition_says(
        &example,
        "fetch",
        &[
            "ignition[1]: GET result: OK",
            "ignition[1]: error at line 0 col 0: unexpected end of JSON input",
            "ignition[1]: Ignition failed: config is not valid",
        ],
    );
}

#[test]
fn ignition_takes_no_program_that_is_not_the_pinned_one() {
    let Some(example) = Example::new() else {
        return;
    };
    example.serves("/k3s", "#!/bin/sh\n");
    ignition_says(
        &example,
        "files",
        &[
            "GET http://10.0.2.100/k3s: attempt #1",
            "ignition[1]: Ignition failed: failed to create files: ",
            "hash verification failed",
        ],
    );
}

/// As after the stick was pulled. Whoever looks can log in.
#[test]
fn a_node_without_its_secrets_takes_ssh_and_starts_nothing_that_needs_them() {
    if !has_tools(&["sgdisk"]) {
        return;
    }
    let example = Example::with(|fleet| {
        // 90 s otherwise.
        let text = "variant: flatcar\nversion: 1.0.0\nstorage:\n  files:\n    - path: /etc/systemd/system.conf.d/wait.conf\n\
                    \x20     contents:\n        inline: |\n          [Manager]\n          DefaultDeviceTimeoutSec=15s\n";
        fleet.write("templates/wait.bu", text);
        fleet.replace(
            "nodes/node1337.toml",
            "\"local.bu\"",
            "\"local.bu\", \"wait.bu\"",
        );
    });
    let Some(example) = example else { return };
    let stick = example.image("node1337");
    tool("sgdisk", &["--delete=3", stick.to_str().unwrap()]);
    let node = example.boot("bios", &[&stick]);
    let works = || (node.try_run("true").0 == Some(0)).then_some(());
    node.wait("login", 120, works);
    // Once it asks for a login, systemd says no more on the console.
    let journal = |what: &'static str| {
        node.wait(what, 90, || {
            let look = format!("journalctl --boot --quiet --grep '{what}' | tail -n 1");
            Some(node.try_run(&look).1).filter(|said| !said.is_empty())
        })
    };
    journal("Timed out waiting for device .*partuuid");
    journal("Dependency failed for secrets.mount - Secrets of node1337");
    journal("Dependency failed for k3s.service - Kubernetes server");
    assert_eq!(node.run("hostname"), "node1337.example.com");
    node.run("! mountpoint --quiet /secrets");
    let (code, _) = node.try_run("systemctl start heartbeat.service");
    assert_eq!(code, Some(1));
    for path in ["/started/", "/beat/", "/update?"] {
        assert!(example.servers.requests(path).is_empty(), "{path}");
    }
}

/// It takes one of them, and which one is not said. Their values are the same here.
#[test]
fn a_machine_with_two_sticks_of_one_node_boots() {
    let Some(example) = Example::new() else {
        return;
    };
    let stick = example.image("node1337");
    let second = stick.with_extension("second");
    fs::copy(&stick, &second).unwrap();
    let node = example.boot("bios", &[&stick, &second]);
    works(&example, &node);
    let from = node.run("findmnt --noheadings --output SOURCE /secrets");
    assert!(["/dev/vda3", "/dev/vdb3"].contains(&&*from), "{from}");
}
