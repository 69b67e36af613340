//! The section `flannel`.

use semver::Version;

use super::found::Found;
use super::read::Section;
use super::service::{self, Flag, Service, Type, quote};

const V0_5: u8 = 1;
const V0_6: u8 = 2;
const V0_7: u8 = 4;
const ALL: u8 = 7;

const fn text(key: &'static str, versions: u8) -> Flag {
    Flag {
        key,
        ty: Type::Text,
        versions,
    }
}

const FLAGS: [Flag; 12] = [
    text("etcd_username", V0_6 | V0_7),
    text("etcd_password", V0_6 | V0_7),
    text("etcd_endpoints", ALL),
    text("etcd_cafile", ALL),
    text("etcd_certfile", ALL),
    text("etcd_keyfile", ALL),
    text("etcd_prefix", ALL),
    text("ip_masq", ALL),
    text("subnet_file", ALL),
    text("interface", ALL),
    text("public_ip", ALL),
    Flag {
        key: "kube_subnet_mgr",
        ty: Type::Bool,
        versions: V0_7,
    },
];

/// What `ct` made of it.
pub(super) fn service(
    root: &mut Section<'_>,
    platform: Option<&str>,
    found: &mut Found,
) -> Option<Service> {
    let mut section = root.section("flannel", found)?;
    let version = service::version(&mut section, found);
    let bit = match &version {
        Some(said) => {
            let bit = options_of(&said.value);
            if bit == 0 {
                let message = format!("ct did not know flannel {}", said.value);
                found.error(said.at(), message, "write a version from `0.5.0`");
            } else if said.value.major == 0 && said.value.minor > 7 {
                found.warning(
                    said.at(),
                    format!(
                        "of flannel {} only the options of 0.7 are known",
                        said.value
                    ),
                    "add further options to the drop-in by hand",
                );
            }
            bit
        }
        None => V0_6,
    };
    let mut arguments = service::arguments(&mut section, &FLAGS, bit, found);
    // What was empty or false was no option.
    arguments.retain(|it| !it.value.ends_with("=\"\"") && !it.value.ends_with("=false"));
    let network = section.text("network_config", found);
    let pre = network.map(|network| {
        let is_mapping = serde_json::from_str::<serde_json::Value>(&network.value)
            .is_ok_and(|value| value.is_object());
        if !is_mapping {
            let message = "`network_config` is no JSON object";
            found.error(
                network.at(),
                message,
                "write it as `'{\"Network\": \"10.2.0.0/16\"}'`",
            );
        }
        let option = |flag: &str, name: &str| {
            let start = format!("--{flag}=");
            let value = arguments
                .iter()
                .find_map(|it| it.value.strip_prefix(&start));
            value.map_or(String::new(), |value| format!(" --{name}={value}"))
        };
        format!(
            "ExecStartPre=/usr/bin/etcdctl{}{}{}{} set /coreos.com/network/config {}\n",
            option("etcd-endpoints", "endpoints"),
            option("etcd-cafile", "ca-file"),
            option("etcd-certfile", "cert-file"),
            option("etcd-keyfile", "key-file"),
            quote(&network.value)
        )
    });
    let from = section.place();
    section.finish(found);
    let tag = version
        .as_ref()
        .map(|said| ("FLANNEL_IMAGE_TAG", &said.value));
    let command = "/usr/lib/coreos/flannel-wrapper $FLANNEL_OPTS";
    let mut contents = service::dropin(command, arguments, tag, platform, found)?;
    contents.extend(pre);
    Some(Service::new(
        "flanneld.service",
        "20-clct-flannel.conf",
        contents,
        from,
    ))
}

fn options_of(version: &Version) -> u8 {
    match (version.major, version.minor) {
        (0, 5) => V0_5,
        (0, 6) => V0_6,
        (0, 7..) => V0_7,
        _ => 0,
    }
}
