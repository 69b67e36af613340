//! The root, and all sections but storage.

use super::Union::ByKey;
use super::storage::STORAGE;
use super::{Kind, Type, field, keyed, many, one, same, structure};
use crate::ignition::rules;
use crate::ignition::spec::Spec;
use Kind::{Bool, Int, Text, Texts};

/// The root.
pub static CONFIG: Type = structure(
    "Config",
    &[
        same("ignition", one(&IGNITION)),
        field(
            "kernelArguments",
            "kernel_arguments",
            one(&KERNEL_ARGUMENTS),
        )
        .since(Spec::V3_3),
        same("passwd", one(&PASSWD)),
        same("storage", one(&STORAGE)),
        same("systemd", one(&SYSTEMD)),
    ],
    Some(rules::config::check),
);

static IGNITION: Type = structure(
    "Ignition",
    &[
        same("config", one(&IGNITION_CONFIG)),
        same("proxy", one(&PROXY)).since(Spec::V3_1),
        same("security", one(&SECURITY)),
        same("timeouts", one(&TIMEOUTS)),
        field("version", "", Text).required(),
    ],
    None,
);

static IGNITION_CONFIG: Type = structure(
    "IgnitionConfig",
    &[
        same("merge", many(&REFERENCE)),
        same("replace", one(&REFERENCE)),
    ],
    Some(rules::resource::check_config),
);

static PROXY: Type = structure(
    "Proxy",
    &[
        field("httpProxy", "http_proxy", Text),
        field("httpsProxy", "https_proxy", Text),
        field("noProxy", "no_proxy", Texts(ByKey)),
    ],
    Some(rules::resource::check_proxy),
);

static SECURITY: Type = structure("Security", &[same("tls", one(&TLS))], None);

static TLS: Type = structure(
    "TLS",
    &[field(
        "certificateAuthorities",
        "certificate_authorities",
        many(&REFERENCE),
    )],
    Some(rules::resource::check_tls),
);

static TIMEOUTS: Type = structure(
    "Timeouts",
    &[
        field("httpResponseHeaders", "http_response_headers", Int),
        field("httpTotal", "http_total", Int),
    ],
    None,
);

/// Something to fetch.
pub static RESOURCE: Type = keyed(
    "source",
    "Resource",
    &[
        same("compression", Text),
        field("httpHeaders", "http_headers", many(&HEADER)).since(Spec::V3_1),
        same("source", Text),
        same("verification", one(&VERIFICATION)),
    ],
    Some(rules::resource::check),
);

/// A config or a certificate to fetch: 3.0 could not decompress these.
pub static REFERENCE: Type = keyed(
    "source",
    "Resource",
    &[
        same("compression", Text).since(Spec::V3_1),
        field("httpHeaders", "http_headers", many(&HEADER)).since(Spec::V3_1),
        same("source", Text),
        same("verification", one(&VERIFICATION)),
    ],
    Some(rules::resource::check),
);

static HEADER: Type = keyed(
    "name",
    "HTTPHeader",
    &[same("name", Text).required(), same("value", Text)],
    Some(rules::resource::check_header),
);

static VERIFICATION: Type = structure(
    "Verification",
    &[same("hash", Text)],
    Some(rules::resource::check_verification),
);

static KERNEL_ARGUMENTS: Type = structure(
    "KernelArguments",
    &[
        field("shouldExist", "should_exist", Texts(ByKey)).space("argument"),
        field("shouldNotExist", "should_not_exist", Texts(ByKey)).space("argument"),
    ],
    None,
);

static PASSWD: Type = structure(
    "Passwd",
    &[same("groups", many(&GROUP)), same("users", many(&USER))],
    None,
);

static GROUP: Type = keyed(
    "name",
    "PasswdGroup",
    &[
        same("gid", Int),
        same("name", Text).required(),
        field("passwordHash", "password_hash", Text),
        field("shouldExist", "should_exist", Bool).since(Spec::V3_2),
        same("system", Bool),
    ],
    None,
);

/// A user of the machine.
pub static USER: Type = keyed(
    "name",
    "PasswdUser",
    &[
        same("gecos", Text),
        same("groups", Texts(ByKey)),
        field("homeDir", "home_dir", Text),
        same("name", Text).required(),
        field("noCreateHome", "no_create_home", Bool),
        field("noLogInit", "no_log_init", Bool),
        field("noUserGroup", "no_user_group", Bool),
        field("passwordHash", "password_hash", Text),
        field("primaryGroup", "primary_group", Text),
        field("sshAuthorizedKeys", "ssh_authorized_keys", Texts(ByKey)),
        same("shell", Text),
        field("shouldExist", "should_exist", Bool).since(Spec::V3_2),
        same("system", Bool),
        same("uid", Int),
    ],
    None,
);

static SYSTEMD: Type = structure(
    "Systemd",
    &[same("units", many(&UNIT))],
    Some(rules::unit::check_instances),
);

/// A unit of systemd.
pub static UNIT: Type = keyed(
    "name",
    "Unit",
    &[
        same("contents", Text),
        same("dropins", many(&DROPIN)),
        same("enabled", Bool),
        same("mask", Bool),
        same("name", Text).required(),
    ],
    Some(rules::unit::check),
);

/// A part of a unit.
pub static DROPIN: Type = keyed(
    "name",
    "Dropin",
    &[same("contents", Text), same("name", Text).required()],
    Some(rules::unit::check_dropin),
);
