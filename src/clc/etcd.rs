//! The section `etcd`.

use semver::Version;

use super::found::Found;
use super::read::{Said, Section};
use super::service::{self, Flag, Service, Type};

const V2: u8 = 1;
const V3_0: u8 = 2;
const V3_1: u8 = 4;
const V3_2: u8 = 8;
const V3_3: u8 = 16;
const V3: u8 = V3_0 | V3_1 | V3_2 | V3_3;
const ALL: u8 = V2 | V3;

const fn flag(key: &'static str, ty: Type, versions: u8) -> Flag {
    Flag { key, ty, versions }
}

const fn text(key: &'static str, versions: u8) -> Flag {
    flag(key, Type::Text, versions)
}

const fn int(key: &'static str, versions: u8) -> Flag {
    flag(key, Type::Int, versions)
}

const fn bool(key: &'static str, versions: u8) -> Flag {
    flag(key, Type::Bool, versions)
}

/// In the order in which `ct` wrote them.
const FLAGS: [Flag; 63] = [
    text("name", ALL),
    text("data_dir", ALL),
    text("wal_dir", ALL),
    int("snapshot_count", ALL),
    int("heartbeat_interval", ALL),
    int("election_timeout", ALL),
    bool("enable_pprof", ALL),
    bool("enable_v2", V3_2 | V3_3),
    text("listen_peer_urls", ALL),
    text("listen_client_urls", ALL),
    int("max_snapshots", ALL),
    int("max_wals", ALL),
    text("cors", ALL),
    int("quota_backend_bytes", V3_3),
    int("max_txn_ops", V3_3),
    int("max_request_bytes", V3_3),
    text("grpc_keepalive_min_time", V3_3),
    text("grpc_keepalive_interval", V3_3),
    text("grpc_keepalive_timeout", V3_3),
    text("initial_advertise_peer_urls", ALL),
    text("initial_cluster", ALL),
    text("initial_cluster_state", ALL),
    text("initial_cluster_token", ALL),
    text("advertise_client_urls", ALL),
    text("discovery", ALL),
    text("discovery_srv", ALL),
    text("discovery_fallback", ALL),
    text("discovery_proxy", ALL),
    bool("strict_reconfig_check", ALL),
    int("auto_compaction_retention", V3_0 | V3_1 | V3_2),
    text("auto_compaction_retention", V3_3),
    text("auto_compaction_mode", V3_3),
    text("proxy", ALL),
    int("proxy_failure_wait", ALL),
    int("proxy_refresh_interval", ALL),
    int("proxy_dial_timeout", ALL),
    int("proxy_write_timeout", ALL),
    int("proxy_read_timeout", ALL),
    text("ca_file", ALL),
    text("cert_file", ALL),
    text("key_file", ALL),
    bool("client_cert_auth", ALL),
    text("client_crl_file", V3_3),
    text("trusted_ca_file", ALL),
    bool("auto_tls", V3),
    text("peer_ca_file", ALL),
    text("peer_cert_file", ALL),
    text("peer_key_file", ALL),
    bool("peer_client_cert_auth", ALL),
    text("peer_crl_file", V3_3),
    text("peer_trusted_ca_file", ALL),
    bool("peer_auto_tls", V3),
    text("peer_cert_allowed_cn", V3_3),
    text("auth_token", V3_2 | V3_3),
    bool("debug", ALL),
    text("log_package_levels", ALL),
    bool("force_new_cluster", ALL),
    text("metrics", V3_1 | V3_2 | V3_3),
    text("log_output", V3_1 | V3_2 | V3_3),
    text("listen_metrics_urls", V3_3),
    bool("experimental_initial_corrupt_check", V3_3),
    text("experimental_corrupt_check_time", V3_3),
    text("experimental_enable_v2v3", V3_3),
];

/// What `ct` made of it.
pub(super) fn service(
    root: &mut Section<'_>,
    platform: Option<&str>,
    found: &mut Found,
) -> Option<Service> {
    let mut section = root.section("etcd", found)?;
    let version = service::version(&mut section, found);
    let bit = match &version {
        Some(said) => options_of(said, found),
        None => V3_0,
    };
    let arguments = service::arguments(&mut section, &FLAGS, bit, found);
    let from = section.place();
    section.finish(found);
    let tag = version.as_ref().map(|said| ("ETCD_IMAGE_TAG", &said.value));
    let command = "/usr/lib/coreos/etcd-wrapper $ETCD_OPTS";
    let contents = service::dropin(command, arguments, tag, platform, found)?;
    Some(Service::new(
        "etcd-member.service",
        "20-clct-etcd-member.conf",
        contents,
        from,
    ))
}

/// Of both major versions.
const NEWEST: u64 = 3;

fn options_of(said: &Said<Version>, found: &mut Found) -> u8 {
    let version = &said.value;
    let bit = match (version.major, version.minor) {
        (2, 3..) => V2,
        (3, 0) => V3_0,
        (3, 1) => V3_1,
        (3, 2) => V3_2,
        (3, 3..) => V3_3,
        _ => {
            let message = format!("ct did not know etcd {version}");
            found.error(said.at(), message, "write a version from `2.3.0`, below 4");
            return ALL;
        }
    };
    if version.minor > NEWEST {
        found.warning(
            said.at(),
            format!(
                "of etcd {version} only the options of {}.{NEWEST} are known",
                version.major
            ),
            "add further options to the drop-in by hand",
        );
    }
    bit
}
