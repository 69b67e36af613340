use std::collections::BTreeMap;

use super::*;
use crate::diagnostic::fold;
use crate::ipxe::builtin::tests::flatcar;
use crate::ipxe::{End, Run, lint, read, run};
use crate::source::Source;

const IN_GIT: Option<&str> = Some("https://git.example/ipxe/n1.ipxe");

fn stick<'a>(script_url: Option<&'a str>, body: &'a str) -> Prologue<'a> {
    Prologue {
        node: "n1",
        config_url: "https://git.example/ignition/n1.ign",
        script_url,
        body,
        network: Network::default(),
        time_server: None,
        own_config: None,
    }
}

fn prologue(script_url: Option<&str>, body: &str) -> String {
    stick(script_url, body).write()
}

/// Runs it on a machine that has these settings, and by its MAC address one card.
fn ran_on(settings: &[(&str, &str)], text: &str, fails: &dyn Fn(usize) -> bool) -> Run {
    // An empty one is unset.
    let mut known: BTreeMap<String, String> = (0..40)
        .map(|number| (format!("net{number}/mac"), String::new()))
        .collect();
    known.insert("net3/mac".to_owned(), MAC.to_owned());
    known.insert("42".to_owned(), String::new());
    known.extend(
        settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    run(&read(text), &known, fails)
}

const MAC: &str = "52:54:00:12:34:56";

fn ran(text: &str, fails: &dyn Fn(usize) -> bool) -> Run {
    ran_on(&[], text, fails)
}

fn fetched(run: &Run) -> Vec<&str> {
    run.fetches.iter().map(|fetch| fetch.url.as_str()).collect()
}

#[test]
fn hands_over_to_git() {
    let run = ran(&prologue(IN_GIT, &flatcar(None)), &|_| false);
    assert_eq!(run.end, End::Leaves("chain".into()));
    assert_eq!(fetched(&run), ["https://git.example/ipxe/n1.ipxe"]);
}

#[test]
fn boots_by_its_copy_where_git_fails() {
    let run = ran(&prologue(IN_GIT, &flatcar(None)), &|fetch| fetch == 0);
    let cmdline = run.cmdline().unwrap_or_default();
    assert!(cmdline.contains("ignition.config.url=https://git.example/ignition/n1.ign "));
    assert!(cmdline.contains(" sshkey=\"ssh-ed25519 AAAA me\""));
    assert_eq!(run.fetches.len(), 4);
}

#[test]
fn never_asks_git_where_the_script_stands_on_the_stick() {
    let run = ran(&prologue(None, &flatcar(None)), &|_| false);
    assert!(matches!(run.end, End::Boots(_)));
    assert_eq!(
        fetched(&run)[0],
        "http://10.0.0.2/flatcar/flatcar_production_pxe.vmlinuz"
    );
}

#[test]
fn tries_again_for_ever_and_ever_more_slowly() {
    let text = prologue(IN_GIT, &flatcar(None));
    let run = ran(&text, &|_| true);
    assert_eq!(run.end, End::Endless);
    let waits: Vec<&str> = run
        .screen
        .iter()
        .filter_map(|line| line.strip_prefix("Ephemeros: trying again in "))
        .take(14)
        .collect();
    assert_eq!(waits[..3], ["5 s", "10 s", "15 s"]);
    assert_eq!(waits[11..], ["60 s", "60 s", "60 s"]);
    // What can be had at last is taken.
    let run = ran(&text, &|fetch| fetch < 8);
    assert_eq!(run.end, End::Leaves("chain".into()));
}

#[test]
fn no_end_of_the_body_ends_the_stick() {
    for body in [
        "#!ipxe\nexit 1\n",
        "#!ipxe\nexit\n",
        "#!ipxe\necho a && exit 0 || exit 1\n",
        "#!ipxe\nisset ${no} && exit\n",
        "#!ipxe\nisset ${no} && echo a\n",
        "#!ipxe\nisset ${no} ; isset ${no} || exit\n",
        "#!ipxe\nisset ${no} || goto nowhere\n",
        "#!ipxe\nset x y ; iseq ${x} z # no comment\nset wrong way\n",
        "#!ipxe\n:a goto b\n:b isset ${nothing}\n",
        "#!ipxe\ngoto nowhere\n",
        "#!ipxe\n",
    ] {
        let run = ran(&prologue(None, body), &|_| false);
        assert_eq!(run.end, End::Endless, "{body}");
        assert!(
            run.screen
                .contains(&"Ephemeros: trying again in 10 s".to_owned())
        );
    }
    let run = ran(
        &prologue(None, "#!ipxe\nisset ${no} ||\nkernel a\nboot\n"),
        &|_| false,
    );
    assert!(matches!(run.end, End::Boots(_)));
}

#[test]
fn labels_of_the_body_stay_its_own() {
    let body = "#!ipxe\ngoto stick_start\n:stick_start\nkernel k\nboot\n";
    let run = ran(&prologue(None, body), &|_| false);
    assert!(matches!(run.end, End::Boots(_)), "{:?}", run.end);
}

#[test]
fn lint_finds_nothing_in_it_but_that_somebody_may_press_a_key() {
    for script_url in [IN_GIT, None] {
        let text = prologue(script_url, &flatcar(None));
        let source = Source::file("autoexec.ipxe", text);
        let found = fold(lint(&source, &BTreeMap::new()));
        let found: Vec<&str> = found
            .iter()
            .map(|it| it.diagnostic.message.as_str())
            .collect();
        assert_eq!(
            found,
            [
                "`prompt` waits for somebody at the keyboard",
                "`shell` waits for somebody at the keyboard",
            ]
        );
    }
}

/// What it does on a machine whose only card, number 3, has the address [`MAC`].
fn on_network(network: Network) -> Run {
    let body = flatcar(None);
    let stick = Prologue {
        network,
        ..stick(IN_GIT, &body)
    };
    ran(&stick.write(), &|_| false)
}

fn v4(gateway: Option<&str>) -> Address {
    Address {
        ip: "10.0.0.7".parse().unwrap(),
        prefix: 20,
        gateway: gateway.map(|it| it.parse().unwrap()),
    }
}

/// Those that bring up the network, in order.
fn commands(run: &Run) -> Vec<&str> {
    let is_one = |line: &&String| {
        ["dhcp", "vcreate", "iflinkwait", "set net", "set dns"]
            .iter()
            .any(|it| line.starts_with(it))
    };
    run.commands
        .iter()
        .filter(is_one)
        .map(String::as_str)
        .collect()
}

#[test]
fn the_card_with_the_address_is_used() {
    let run = on_network(Network {
        mac: Some(MAC.to_owned()),
        ..Network::default()
    });
    assert_eq!(commands(&run), ["dhcp net3"]);
    assert_eq!(run.end, End::Leaves("chain".into()));
}

#[test]
fn without_the_card_it_says_so_and_tries_again() {
    let run = on_network(Network {
        mac: Some("00:00:5e:00:53:40".to_owned()),
        ..Network::default()
    });
    assert_eq!(run.end, End::Endless);
    assert!(commands(&run).is_empty());
    let says = |what: &str| run.screen.iter().any(|line| line.contains(what));
    assert!(says("no card here has the address 00:00:5e:00:53:40"));
    assert!(!says("got no address"));
    assert!(run.commands.contains(&"ifstat".to_owned()));
    assert!(says("trying again in 10 s"));
}

#[test]
fn a_vlan_is_made_on_the_card() {
    let vlan = |mac: Option<&str>, address| {
        let run = on_network(Network {
            mac: mac.map(str::to_owned),
            vlan: Some(42),
            address,
            dns: Vec::new(),
        });
        assert_eq!(run.end, End::Leaves("chain".into()));
        commands(&run).join("\n")
    };
    let by_dhcp = "vcreate --tag 42 net3\ndhcp net3-42";
    assert_eq!(vlan(Some(MAC), None), by_dhcp);
    // Each card in turn.
    assert_eq!(vlan(None, None), by_dhcp);
    assert_eq!(
        vlan(Some(MAC), Some(v4(None))),
        "vcreate --tag 42 net3\niflinkwait --timeout 15000 net3-42\nset net3-42/ip 10.0.0.7\nset net3-42/netmask 255.255.240.0"
    );
}

#[test]
fn a_static_address_is_set_without_any_dhcp() {
    let run = on_network(Network {
        address: Some(v4(Some("10.0.0.1"))),
        dns: ["10.0.0.2", "fd00::2", "10.0.0.3"]
            .map(|it| it.parse().unwrap())
            .into(),
        ..Network::default()
    });
    assert_eq!(
        commands(&run),
        [
            "set dns 10.0.0.2",
            "set dns6 fd00::2",
            "iflinkwait --timeout 15000 net3",
            "set net3/ip 10.0.0.7",
            "set net3/netmask 255.255.240.0",
            "set net3/gateway 10.0.0.1",
        ]
    );
    let run = on_network(Network {
        address: Some(Address {
            ip: "fd00::7".parse().unwrap(),
            prefix: 64,
            gateway: Some("fd00::1".parse().unwrap()),
        }),
        ..Network::default()
    });
    assert_eq!(
        commands(&run)[1..],
        [
            "set net3/ip6 fd00::7",
            "set net3/len6 64",
            "set net3/gateway6 fd00::1"
        ]
    );
}

#[test]
fn masks_are_of_every_length() {
    for (prefix, mask) in [
        (0, "0.0.0.0"),
        (1, "128.0.0.0"),
        (31, "255.255.255.254"),
        (32, "255.255.255.255"),
    ] {
        let run = on_network(Network {
            address: Some(Address { prefix, ..v4(None) }),
            ..Network::default()
        });
        let set = format!("set net3/netmask {mask}");
        assert!(commands(&run).contains(&set.as_str()), "{prefix}");
    }
}

#[test]
fn the_clock_is_set_where_https_needs_it() {
    let body = flatcar(None);
    let asked = |script_url, time_server, by_dhcp| {
        let stick = Prologue {
            time_server,
            ..stick(script_url, &body)
        };
        let run = ran_on(&[("42", by_dhcp)], &stick.write(), &|_| false);
        let asked = run.commands.iter().find(|line| line.starts_with("ntp"));
        asked.cloned().unwrap_or_default()
    };
    assert_eq!(asked(IN_GIT, Some("time.example"), ""), "ntp time.example");
    assert_eq!(
        asked(IN_GIT, Some("time.example"), "10.0.0.9"),
        "ntp 10.0.0.9"
    );
    assert_eq!(asked(IN_GIT, None, ""), "");
    let plain = Some("http://git.example/n1.ipxe");
    assert_eq!(asked(plain, Some("time.example"), ""), "");
}

const EFI: (&str, &str) = ("platform", "efi");
const OWN: OwnConfig = OwnConfig {
    file: "ignition/n1.ign",
    place: "usr/share/oem/config.ign",
};

/// With the forge down: the fetches of these numbers fail.
fn without_forge(config_url: &str, settings: &[(&str, &str)], failing: &[usize]) -> Run {
    let body = flatcar(None);
    let stick = Prologue {
        config_url,
        own_config: Some(OWN),
        ..stick(IN_GIT, &body)
    };
    ran_on(settings, &stick.write(), &|fetch| failing.contains(&fetch))
}

const HTTP: &str = "http://git.example/n1.ign";

#[test]
fn boots_by_its_own_config_where_the_forge_has_neither() {
    // The file on the stick, script, config, and of the first server kernel or initrd.
    for failing in [&[1, 2][..], &[1, 2, 3], &[1, 2, 4]] {
        let run = without_forge(HTTP, &[EFI], failing);
        let server = match failing {
            [_, _] => "http://10.0.0.2/",
            _ => "http://stable.example/",
        };
        let End::Boots(boot) = run.end else {
            panic!("does not boot: {:?}", run.screen)
        };
        assert!(boot.kernel.url.starts_with(server));
        assert_eq!(
            boot.kernel.cmdline,
            "initrd=flatcar_production_pxe_image.cpio.gz ephemeros.config=0123456789ab flatcar.first_boot=1 \
             console=ttyS0,115200n8 sshkey=\"ssh-ed25519 AAAA me\""
        );
        let initrds: Vec<_> = boot
            .initrds
            .iter()
            .map(|it| (&*it.url, &*it.cmdline))
            .collect();
        assert_eq!(initrds.len(), 2);
        assert_eq!(
            initrds[0],
            (
                "file:/ignition/n1.ign",
                "usr/share/oem/config.ign mode=600 mkdir=-1"
            )
        );
        assert!(initrds[1].0.starts_with(server));
    }
}

#[test]
fn no_other_boot_has_the_config_of_the_stick_in_its_initrd() {
    // By the script in git it is gone before; a body that frees nothing shows whether it is by the copy.
    let body = "#!ipxe\nkernel http://m/k initrd=i u=${config-url}\ninitrd http://m/i\nboot\n";
    let stick = Prologue {
        own_config: Some(OWN),
        ..stick(IN_GIT, body)
    };
    let run = ran_on(&[EFI], &stick.write(), &|fetch| fetch == 1);
    let End::Boots(boot) = run.end else {
        panic!("does not boot: {:?}", run.screen)
    };
    assert_eq!(boot.initrds.len(), 1);
    assert_eq!(
        boot.kernel.cmdline,
        "initrd=i u=https://git.example/ignition/n1.ign"
    );
    let run = ran_on(&[EFI], &stick.write(), &|_| false);
    assert!(run.commands.contains(&"imgfree stick_config".to_owned()));
}

#[test]
fn where_it_can_t_take_its_own_config_it_says_so_and_tries_again() {
    for (settings, failing) in [
        (&[("platform", "pcbios")][..], &[0, 1][..]),
        (&[EFI], &[0, 1, 2]),
    ] {
        let run = without_forge(HTTP, settings, failing);
        let said = "Ephemeros: this machine can't take the config that is on its stick.";
        assert!(run.screen.contains(&said.to_owned()), "{:?}", run.screen);
        assert!(
            run.screen
                .contains(&"Ephemeros: trying again in 5 s".to_owned())
        );
        // The next round finds the forge.
        assert_eq!(run.end, End::Leaves("chain".into()));
    }
    // Linux may trust more than iPXE does.
    let run = without_forge("https://git.example/n1.ign", &[EFI], &[0, 1, 2]);
    assert!(
        run.cmdline()
            .is_some_and(|it| it.contains("url=https://git.example/n1.ign"))
    );
}

#[test]
fn a_body_that_asks_the_machine_or_can_t_be_written_out_has_no_second_form() {
    let kernel = |arg: &str| format!("kernel http://m/k initrd=i {arg}\ninitrd http://m/i\nboot\n");
    assert!(has_second_form(&kernel("a=${net0/mac}")));
    assert!(!has_second_form(&format!(
        "iseq ${{net0/mac}} x && exit 1 ||\n{}",
        kernel("a")
    )));
    for arg in ["${none}#x", "${none}||", "${none}; b"] {
        assert!(!has_second_form(&kernel(arg)), "{arg}");
    }
    assert!(!has_second_form("exit 1\n"));
}

fn has_second_form(body: &str) -> bool {
    let body = format!("#!ipxe\n{body}");
    let stick = Prologue {
        own_config: Some(OWN),
        ..stick(IN_GIT, &body)
    };
    stick.write().contains("file:")
}
