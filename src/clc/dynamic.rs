//! Dynamic data: `{PRIVATE_IPV4}` and its like, which a service finds out while the machine boots.

use super::found::Found;
use super::service::Argument;

/// What the platforms know.
type Names = &'static [(&'static str, &'static str)];

const KNOWN: [(&str, Names); 9] = [
    (
        "azure",
        &[
            ("PRIVATE_IPV4", "COREOS_AZURE_IPV4_DYNAMIC"),
            ("PUBLIC_IPV4", "COREOS_AZURE_IPV4_VIRTUAL"),
        ],
    ),
    (
        "cloudstack-configdrive",
        &[("HOSTNAME", "CLOUDSTACK_LOCAL_HOSTNAME")],
    ),
    (
        "custom",
        &[
            ("HOSTNAME", "COREOS_CUSTOM_HOSTNAME"),
            ("PRIVATE_IPV4", "COREOS_CUSTOM_PRIVATE_IPV4"),
            ("PUBLIC_IPV4", "COREOS_CUSTOM_PUBLIC_IPV4"),
            ("PRIVATE_IPV6", "COREOS_CUSTOM_PRIVATE_IPV6"),
            ("PUBLIC_IPV6", "COREOS_CUSTOM_PUBLIC_IPV6"),
        ],
    ),
    (
        "digitalocean",
        &[
            ("HOSTNAME", "COREOS_DIGITALOCEAN_HOSTNAME"),
            ("PRIVATE_IPV4", "COREOS_DIGITALOCEAN_IPV4_PRIVATE_0"),
            ("PUBLIC_IPV4", "COREOS_DIGITALOCEAN_IPV4_PUBLIC_0"),
            ("PRIVATE_IPV6", "COREOS_DIGITALOCEAN_IPV6_PRIVATE_0"),
            ("PUBLIC_IPV6", "COREOS_DIGITALOCEAN_IPV6_PUBLIC_0"),
        ],
    ),
    (
        "ec2",
        &[
            ("HOSTNAME", "COREOS_EC2_HOSTNAME"),
            ("PRIVATE_IPV4", "COREOS_EC2_IPV4_LOCAL"),
            ("PUBLIC_IPV4", "COREOS_EC2_IPV4_PUBLIC"),
        ],
    ),
    (
        "gce",
        &[
            ("HOSTNAME", "COREOS_GCE_HOSTNAME"),
            ("PRIVATE_IPV4", "COREOS_GCE_IP_LOCAL_0"),
            ("PUBLIC_IPV4", "COREOS_GCE_IP_EXTERNAL_0"),
        ],
    ),
    (
        "openstack-metadata",
        &[
            ("HOSTNAME", "COREOS_OPENSTACK_HOSTNAME"),
            ("PRIVATE_IPV4", "COREOS_OPENSTACK_IPV4_LOCAL"),
            ("PUBLIC_IPV4", "COREOS_OPENSTACK_IPV4_PUBLIC"),
        ],
    ),
    (
        "packet",
        &[
            ("HOSTNAME", "COREOS_PACKET_HOSTNAME"),
            ("PRIVATE_IPV4", "COREOS_PACKET_IPV4_PRIVATE_0"),
            ("PUBLIC_IPV4", "COREOS_PACKET_IPV4_PUBLIC_0"),
            ("PUBLIC_IPV6", "COREOS_PACKET_IPV6_PUBLIC_0"),
        ],
    ),
    (
        "vagrant-virtualbox",
        &[
            ("HOSTNAME", "COREOS_VAGRANT_VIRTUALBOX_HOSTNAME"),
            ("PRIVATE_IPV4", "COREOS_VAGRANT_VIRTUALBOX_PRIVATE_IPV4"),
        ],
    ),
];

/// The platforms that `ct` knew.
pub const PLATFORMS: [&str; 9] = {
    let mut names = [""; 9];
    let mut index = 0;
    while index < names.len() {
        names[index] = KNOWN[index].0;
        index += 1;
    }
    names
};

/// Whether some argument has a brace, which is what `ct` looks for.
pub(super) fn is_in(arguments: &[Argument]) -> bool {
    arguments.iter().any(|it| it.value.contains(['{', '}']))
}

/// Puts the variables of a platform in place of the names; `None` with errors.
pub(super) fn fill_in(
    arguments: &mut [Argument],
    platform: Option<&str>,
    found: &mut Found,
) -> Option<()> {
    let mut whole = Some(());
    for argument in arguments {
        if !argument.value.contains(['{', '}']) {
            continue;
        }
        match filled_in(&argument.value, platform) {
            Ok(text) => argument.value = text,
            Err((message, help)) => {
                found.error(argument.at(), message, help);
                whole = None;
            }
        }
    }
    whole
}

/// What is wrong, and what to do.
type Refusal = (String, String);

fn filled_in(text: &str, platform: Option<&str>) -> Result<String, Refusal> {
    let named = |names: &[&str]| names.join("`, `");
    let Some(platform) = platform else {
        return Err((
            "what stands in braces depends on the platform, and none is named".to_owned(),
            format!(
                "name it with `--platform`: `{}`; or write the value here",
                named(&PLATFORMS)
            ),
        ));
    };
    let Some((_, names)) = KNOWN.iter().find(|(name, _)| *name == platform) else {
        let message = format!("unknown platform `{platform}`");
        return Err((message, format!("name one of `{}`", named(&PLATFORMS))));
    };
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        let Some((_, variable)) = names.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = names.iter().map(|(known, _)| *known).collect();
            return Err((
                format!("the platform `{platform}` does not know `{{{name}}}`"),
                format!("write the value here; it knows `{}`", named(&known)),
            ));
        };
        filled.push_str(&format!("{before}${{{variable}}}"));
        rest = after;
    }
    Ok(filled + rest)
}
