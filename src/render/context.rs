//! What a template sees of a node and its fleet.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, Serde};
use rayon::prelude::*;
use serde::Serialize;

use super::filters::refuse;
use crate::fleet::node::{Fleet, Node};

/// The names of a node's secrets. Asking for a value is an error: there is none here.
#[derive(Debug)]
struct SecretNames(Vec<String>, String);

impl Object for SecretNames {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let known = self.0.iter().any(|there| there == name);
        known.then(|| {
            Value::from(refuse(
                format!("the value of the secret `{name}` can't be asked for: what is rendered is public"),
                format!(
                    "read it from `{}` when the service runs: `EnvironmentFile=` or a file; \
                     `\"{name}\" in secrets` tells whether it is set",
                    self.1
                ),
            ))
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(Value::from).collect())
    }
}

/// A node, as all nodes see it.
#[derive(Debug, Serialize)]
struct Peer {
    name: String,
    hostname: String,
    roles: Arc<Vec<String>>,
    tags: Arc<Vec<String>>,
    address: Option<String>,
}

impl Peer {
    fn of(node: &Node) -> Self {
        let address = node.network.address.as_deref();
        let address = address.and_then(|address| address.split('/').next());
        Self {
            name: node.name.clone(),
            hostname: node.hostname.clone(),
            roles: Arc::clone(&node.roles),
            tags: Arc::clone(&node.tags),
            address: address.map(str::to_owned),
        }
    }
}

/// All nodes. Most templates don't ask for them, so they are values for templates only when one does.
#[derive(Debug)]
struct Peers {
    peers: Vec<Peer>,
    values: OnceLock<Vec<Value>>,
}

impl Peers {
    fn values(&self) -> &[Value] {
        self.values
            .get_or_init(|| self.peers.iter().map(|it| Value::from(Serde(it))).collect())
    }
}

impl Object for Peers {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.values().get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.peers.len())
    }
}

/// What is the same for all nodes; made once.
pub struct Shared {
    nodes: Value,
    fleet: Value,
}

impl Shared {
    /// Gathers it.
    #[must_use]
    pub fn of(fleet: &Fleet) -> Self {
        let peers = Peers {
            peers: fleet.nodes.par_iter().map(Peer::of).collect(),
            values: OnceLock::new(),
        };
        let about = BTreeMap::from([("name", fleet.name.clone()), ("id", fleet.id.to_string())]);
        Self {
            nodes: Value::from_object(peers),
            fleet: Value::from(Serde(&about)),
        }
    }

    /// The context of one node's templates.
    #[must_use]
    pub fn context(&self, node: &Node) -> BTreeMap<&'static str, Value> {
        let map = |entries: Vec<(&str, Value)>| -> Value { Value::from_pairs(entries) };
        let list = |texts: &[String]| -> Value { texts.iter().map(String::as_str).collect() };
        let release = &node.os.release;
        let artifacts: BTreeMap<String, Value> = node
            .artifacts
            .iter()
            .map(|(name, artifact)| {
                let fields = vec![
                    ("version", Value::from(&artifact.version)),
                    ("url", Value::from(&artifact.url)),
                    ("hash", Value::from(&artifact.hash)),
                ];
                (name.clone(), map(fields))
            })
            .collect();
        let secrets = SecretNames(
            node.secrets.keys().map(str::to_owned).collect(),
            node.vault.mount.to_string(),
        );
        BTreeMap::from([
            (
                "node",
                map(vec![
                    ("name", Value::from(&node.name)),
                    ("hostname", Value::from(&node.hostname)),
                    ("roles", list(&node.roles)),
                    ("tags", list(&node.tags)),
                    ("ssh_authorized_keys", list(&node.ssh_authorized_keys)),
                    ("network", Value::from(Serde(&NetworkView::of(node)))),
                ]),
            ),
            ("nodes", self.nodes.clone()),
            ("fleet", self.fleet.clone()),
            (
                "os",
                map(vec![
                    ("distro", Value::from(release.distro.name())),
                    ("channel", Value::from(&release.channel)),
                    ("version", Value::from(&release.version)),
                    ("arch", Value::from(release.arch.name())),
                    ("kernel_args", Value::from(node.os.kernel_args.clone())),
                ]),
            ),
            ("vars", Value::from(Serde(&node.vars))),
            ("env", Value::from(Serde(&node.env))),
            ("secrets", Value::from_object(secrets)),
            ("artifacts", Value::from(artifacts)),
            (
                "vault",
                map(vec![
                    ("partuuid", Value::from(node.vault.partuuid.to_string())),
                    ("mount", Value::from(&node.vault.mount)),
                ]),
            ),
        ])
    }
}

/// A node's network, without what is not set.
#[derive(Serialize)]
struct NetworkView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interface: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<&'a str>,
    dns: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    vlan: Option<i64>,
}

impl<'a> NetworkView<'a> {
    fn of(node: &'a Node) -> Self {
        let network = &node.network;
        Self {
            mac: network.mac.as_deref(),
            interface: network.interface.as_deref(),
            address: network.address.as_deref(),
            gateway: network.gateway.as_deref(),
            dns: &network.dns,
            vlan: network.vlan,
        }
    }
}
