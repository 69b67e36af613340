//! Disks, filesystems, files.

use super::Union::{ByKey, Concatenate};
use super::config::RESOURCE;
use super::{Field, Kind, Presence, Type, field, keyed, many, one, same, structure};
use crate::ignition::rules;
use crate::ignition::spec::Spec;
use Kind::{Bool, Int, Text, Texts};

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
