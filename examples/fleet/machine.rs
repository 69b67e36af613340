//! One machine of the fleet: what it is, where it stands, and the files that say so.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use ephemeros::secrets::recipients::Recipients;
use ephemeros::secrets::value::Secret;
use ephemeros::vault::plugin::Plugins;
use ephemeros::vault::seal::{SealError, seal};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, context};

use super::random::Random;

/// What a machine is for: the name, how many of a hundred are of it, and two roles, each with the secret that it needs.
type Kind = (&'static str, usize, [(&'static str, &'static str); 2]);

const KINDS: [Kind; 4] = [
    ("agent", 60, [K3S, LOGEXPORT]),
    ("edge", 30, [DDNS, LOGEXPORT]),
    ("server", 5, [K3S, DDNS]),
    ("mirror", 5, [MIRROR, LOGEXPORT]),
];
const K3S: (&str, &str) = ("k3s", "K3S_TOKEN");
const LOGEXPORT: (&str, &str) = ("logexport", "LOGEXPORT_TOKEN");
const DDNS: (&str, &str) = ("ddns", "DDNS_PASSWORD");
const MIRROR: (&str, &str) = ("mirror", "REGISTRY_HTTP_SECRET");

/// What every machine has besides.
const ROLES: [&str; 2] = ["heartbeat", "metrics"];
const SECRETS: [&str; 3] = ["HEARTBEAT_URL", "METRICS_PASSWORD", "METRICS_TLS_KEY"];

const SITES: [&str; 8] = ["ams", "fra", "iad", "lhr", "nrt", "ord", "sin", "syd"];

/// A file of the fleet: its path, and its text.
pub(crate) type File = (String, String);

/// Makes machines, one by one and in any order.
pub(crate) struct Maker {
    seed: u64,
    readers: Recipients,
    templates: Environment<'static>,
}

/// A machine that can't be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    #[error(transparent)]
    Template(#[from] minijinja::Error),
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl Maker {
    pub(crate) fn new(seed: u64, readers: Recipients) -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        let mut syntax = SyntaxConfig::builder();
        syntax
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true);
        templates.set_syntax(syntax.build()?);
        for (name, text) in [
            ("node.toml", include_str!("skeleton/machine/node.toml")),
            ("own.bu", include_str!("skeleton/machine/own.bu")),
            ("notice", include_str!("skeleton/machine/notice")),
        ] {
            templates.add_template(name, text)?;
        }
        Ok(Self {
            seed,
            readers,
            templates,
        })
    }

    /// The files of one machine: its node file, and for one in ten a template or a file of its own. They depend on the
    /// seed and the number alone, not on how many machines there are.
    pub(crate) fn make(&self, number: u32) -> Result<Vec<File>, MakeError> {
        let mut random = Random::new(self.seed, number.into());
        let &(kind, _, parts) = kind(number, &mut random);
        let site = random.below(SITES.len());
        let name = format!("{}-{number:06}", SITES[site]);
        let slot = 1 + random.below(42);

        let mut files = Vec::new();
        let mut templates = Vec::new();
        let notice = number % 20 == 10;
        if notice {
            let text = self.templates.get_template("notice")?.render(context! {
                name => &name,
                month => random.pick(&["March", "June", "September", "December"]),
                year => 2027 + random.below(3),
                owner => random.pick(&["storage", "research", "builds", "video"]),
            })?;
            files.push((format!("templates/files/notices/{name}"), text));
        } else if number.is_multiple_of(20) {
            let text = self.templates.get_template("own.bu")?.render(context! {
                disk => random.pick(&["/dev/sda", "/dev/sdb", "/dev/nvme0n1"]),
                format => random.pick(&["ext4", "xfs"]),
                slot,
            })?;
            files.push((format!("templates/{name}.bu"), text));
            templates.push(format!("{name}.bu"));
        }
        let uplink = random.below(8);
        let bonded = uplink == 0;
        if bonded {
            templates.push("bond.bu".to_owned());
        }
        let (address, router) = addresses(site, number);
        let roles = parts.iter().map(|(role, _)| *role).chain(ROLES);
        let secrets = parts.iter().map(|(_, secret)| *secret).chain(SECRETS);
        let secrets: Result<BTreeMap<_, _>, SealError> = secrets
            .map(|name| Ok((name, self.seal(name, &mut random)?.to_string())))
            .collect();
        let text = self.templates.get_template("node.toml")?.render(context! {
            name => &name,
            kind,
            site => SITES[site],
            rack => 1 + random.below(40),
            slot,
            notice,
            bonded,
            templates,
            roles => roles.collect::<Vec<_>>(),
            mac => mac(number),
            card => random.pick(&["eno1", "enp1s0", "enp3s0f0"]),
            address => matches!(uplink, 1 | 2).then(|| address.to_string()),
            router => router.to_string(),
            arm64 => random.below(6) == 0,
            secrets => secrets?,
        })?;
        files.push((format!("nodes/{name}.toml"), text));
        Ok(files)
    }

    /// What a service would be handed, encrypted; all of it made up.
    fn seal(&self, name: &str, random: &mut Random) -> Result<Secret, SealError> {
        let plain = match name {
            "HEARTBEAT_URL" => format!("https://heartbeat.example.net/ping/{}", random.hex()),
            "METRICS_TLS_KEY" => (0..16).map(|_| random.hex() + "\n").collect(),
            _ => random.hex(),
        };
        seal(plain.as_bytes(), &self.readers, &Plugins::default())
    }
}

/// The first few are one of each, so that small fleets have every role.
fn kind(number: u32, random: &mut Random) -> &'static Kind {
    let mut percent = random.below(100);
    let drawn = KINDS.iter().find(|(_, share, _)| {
        let found = percent < *share;
        percent = percent.saturating_sub(*share);
        found
    });
    KINDS.get(number as usize).or(drawn).unwrap_or(&KINDS[0])
}

/// Locally administered, from the machine's number.
fn mac(number: u32) -> String {
    let [a, b, c, d] = number.to_be_bytes();
    format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

/// A machine's address and its router's. Each site is a `/12` below `10.0.0.0/8`, the first addresses kept for routers.
fn addresses(site: usize, number: u32) -> (Ipv4Addr, Ipv4Addr) {
    let [.., site] = site.to_be_bytes();
    let network = u32::from(Ipv4Addr::new(10, site << 4, 0, 0));
    ((network + 0x100 + number).into(), (network + 1).into())
}
