//! Ignition's config as data: every field of every spec version, once.
//!
//! Reading, writing, merging, the search for duplicates and the walk of validation all follow these tables.
//! Fields stand in the order of Ignition's Go structs, which is the order of the JSON that Butane prints. Source:
//! `config/v3_*/types/schema.go` and the configuration specifications in `docs/` of coreos/ignition.

use super::report::{Place, Report};
use super::rules;
use super::spec::Spec;
use super::value::Struct;

/// A struct of the config.
#[derive(Debug)]
pub struct Type {
    /// For people and for the code.
    pub name: &'static str,
    /// In Go's order.
    pub fields: &'static [Field],
    /// What tells an item of a list from the others.
    pub key: &'static str,
    /// What must hold beyond the types.
    pub check: Option<Check>,
}

/// A rule on one struct.
pub type Check = fn(&Struct, &Place<'_>, &mut Report<'_>);

/// A field of a struct.
#[derive(Debug)]
pub struct Field {
    /// In Ignition's JSON.
    pub name: &'static str,
    /// In Butane's YAML; empty where it can't be written there.
    pub yaml: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// The first spec that has it.
    pub since: Spec,
    /// What an absent or empty value means.
    pub presence: Presence,
    /// Lists of one name space may not share keys; empty for a list on its own.
    pub space: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A text.
    Text,
    /// A text in YAML that may be any bytes.
    Bytes,
    /// Fields.
    Struct(&'static Type),
    /// Texts.
    Texts(Union),
    /// Structs.
    Structs(&'static Type, Union),
}

/// How two lists become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Union {
    /// Items of the same key are one; the same key twice in one config is a mistake.
    ByKey,
    /// One after the other, and items may repeat.
    Concatenate,
}

/// What an absent or empty value means: how Ignition declares the field in Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Absent differs from empty (a pointer).
    Optional,
    /// Absent is the empty text, which is written.
    Required,
    /// `Required` in specs before this one, since then `Optional`.
    RequiredBefore(Spec),
    /// The zero value is absent (`omitempty`).
    NotZero,
    /// A struct that in specs before this one stays when it is empty.
    KeptBefore(Spec),
}

impl Type {
    /// A struct without a key and without rules.
    #[must_use]
    pub const fn plain(name: &'static str, fields: &'static [Field]) -> Self {
        structure(name, fields, None)
    }

    /// A field by its name in JSON.
    #[must_use]
    pub fn field(&'static self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    /// Whether an absent value is the empty text.
    #[must_use]
    pub fn is_required(&self, spec: Spec) -> bool {
        match self.presence {
            Presence::Required => true,
            Presence::RequiredBefore(since) => spec < since,
            _ => false,
        }
    }

    /// Whether the struct stays when it is empty.
    #[must_use]
    pub fn is_kept(&self, spec: Spec) -> bool {
        matches!(self.presence, Presence::KeptBefore(since) if spec < since)
    }

    /// The first spec that has it.
    #[must_use]
    pub const fn since(mut self, spec: Spec) -> Self {
        self.since = spec;
        self
    }

    const fn presence(mut self, presence: Presence) -> Self {
        self.presence = presence;
        self
    }

    const fn required(self) -> Self {
        self.presence(Presence::Required)
    }

    const fn space(mut self, space: &'static str) -> Self {
        self.space = space;
        self
    }
}

impl Kind {
    /// The type of the struct, or of the structs in the list.
    #[must_use]
    pub fn structure(self) -> Option<&'static Type> {
        match self {
            Self::Struct(ty) | Self::Structs(ty, _) => Some(ty),
            _ => None,
        }
    }
}

/// A field that every spec has.
#[must_use]
pub const fn field(name: &'static str, yaml: &'static str, kind: Kind) -> Field {
    Field {
        name,
        yaml,
        kind,
        since: Spec::V3_0,
        presence: Presence::Optional,
        space: "",
    }
}

/// A field of one name in JSON and in YAML.
#[must_use]
pub const fn same(name: &'static str, kind: Kind) -> Field {
    field(name, name, kind)
}

const fn structure(name: &'static str, fields: &'static [Field], check: Option<Check>) -> Type {
    keyed("", name, fields, check)
}

const fn keyed(
    key: &'static str,
    name: &'static str,
    fields: &'static [Field],
    check: Option<Check>,
) -> Type {
    Type {
        name,
        fields,
        key,
        check,
    }
}

use Kind::{Bool, Int, Text, Texts};
use Union::{ByKey, Concatenate};

const fn one(ty: &'static Type) -> Kind {
    Kind::Struct(ty)
}

const fn many(ty: &'static Type) -> Kind {
    Kind::Structs(ty, ByKey)
}

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

/// Disks and what is on them.
pub static STORAGE: Type = structure(
    "Storage",
    &[
        same("directories", many(&DIRECTORY)).space("node"),
        same("disks", many(&DISK)),
        same("files", many(&FILE)).space("node"),
        same("filesystems", many(&FILESYSTEM)),
        same("links", many(&LINK)).space("node"),
        same("luks", many(&LUKS)).since(Spec::V3_2),
        same("raid", many(&RAID)),
    ],
    Some(rules::storage::check),
);

const GROUP_OF_NODE: Field = same("group", one(&OWNER));
const OVERWRITE: Field = same("overwrite", Bool);
const PATH: Field = same("path", Text).required();
const USER_OF_NODE: Field = same("user", one(&OWNER));

/// A user or group by number or name.
pub static OWNER: Type = structure(
    "NodeUser",
    &[same("id", Int), same("name", Text)],
    Some(rules::node::check_owner),
);

/// A directory.
pub static DIRECTORY: Type = keyed(
    "path",
    "Directory",
    &[
        GROUP_OF_NODE,
        OVERWRITE,
        PATH,
        USER_OF_NODE,
        same("mode", Int),
    ],
    Some(rules::node::check_directory),
);

/// A file.
pub static FILE: Type = keyed(
    "path",
    "File",
    &[
        GROUP_OF_NODE,
        OVERWRITE,
        PATH,
        USER_OF_NODE,
        same("append", Kind::Structs(&RESOURCE, Concatenate)),
        same("contents", one(&RESOURCE)),
        same("mode", Int),
    ],
    Some(rules::node::check_file),
);

/// A link.
pub static LINK: Type = keyed(
    "path",
    "Link",
    &[
        GROUP_OF_NODE,
        OVERWRITE,
        PATH,
        USER_OF_NODE,
        same("hard", Bool),
        same("target", Text).presence(Presence::RequiredBefore(Spec::V3_3)),
    ],
    Some(rules::node::check_link),
);

/// A disk.
pub static DISK: Type = keyed(
    "device",
    "Disk",
    &[
        same("device", Text).required(),
        same("partitions", many(&PARTITION)),
        field("wipeTable", "wipe_table", Bool),
    ],
    Some(rules::disk::check),
);

/// A partition; its key is its number, or its label where that is 0.
pub static PARTITION: Type = keyed(
    "number",
    "Partition",
    &[
        same("guid", Text),
        same("label", Text),
        same("number", Int).presence(Presence::NotZero),
        same("resize", Bool).since(Spec::V3_2),
        field("shouldExist", "should_exist", Bool),
        field("sizeMiB", "size_mib", Int),
        field("startMiB", "start_mib", Int),
        field("typeGuid", "type_guid", Text),
        field("wipePartitionEntry", "wipe_partition_entry", Bool),
    ],
    Some(rules::disk::check_partition),
);

/// A filesystem.
pub static FILESYSTEM: Type = keyed(
    "device",
    "Filesystem",
    &[
        same("device", Text).required(),
        same("format", Text),
        same("label", Text),
        field("mountOptions", "mount_options", Texts(Concatenate)).since(Spec::V3_1),
        same("options", Texts(Concatenate)),
        same("path", Text),
        same("uuid", Text),
        field("wipeFilesystem", "wipe_filesystem", Bool),
    ],
    Some(rules::filesystem::check),
);

/// An encrypted volume.
pub static LUKS: Type = keyed(
    "name",
    "Luks",
    &[
        same("cex", one(&CEX)).since(Spec::V3_5),
        same("clevis", one(&CLEVIS)).presence(Presence::KeptBefore(Spec::V3_3)),
        same("device", Text),
        same("discard", Bool).since(Spec::V3_4),
        field("keyFile", "key_file", one(&RESOURCE)),
        same("label", Text),
        same("name", Text).required(),
        field("openOptions", "open_options", Texts(ByKey)).since(Spec::V3_4),
        same("options", Texts(Concatenate)),
        same("uuid", Text),
        field("wipeVolume", "wipe_volume", Bool),
    ],
    Some(rules::luks::check),
);

/// Keys in a card of IBM Z.
pub static CEX: Type = structure("Cex", &[same("enabled", Bool)], None);

/// What unlocks a volume.
pub static CLEVIS: Type = structure(
    "Clevis",
    &[
        same("custom", one(&CUSTOM)).presence(Presence::KeptBefore(Spec::V3_3)),
        same("tang", many(&TANG)),
        same("threshold", Int),
        same("tpm2", Bool),
    ],
    Some(rules::luks::check_clevis),
);

static CUSTOM: Type = structure(
    "ClevisCustom",
    &[
        same("config", Text),
        field("needsNetwork", "needs_network", Bool),
        same("pin", Text),
    ],
    Some(rules::luks::check_custom),
);

/// A server that helps to unlock a volume.
pub static TANG: Type = keyed(
    "url",
    "Tang",
    &[
        same("advertisement", Text).since(Spec::V3_4),
        same("thumbprint", Text),
        same("url", Text).presence(Presence::NotZero),
    ],
    Some(rules::luks::check_tang),
);

/// A RAID array.
pub static RAID: Type = keyed(
    "name",
    "Raid",
    &[
        same("devices", Texts(ByKey)),
        same("level", Text).presence(Presence::RequiredBefore(Spec::V3_3)),
        same("name", Text).required(),
        same("options", Texts(Concatenate)),
        same("spares", Int),
    ],
    Some(rules::disk::check_raid),
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
