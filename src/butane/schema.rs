//! What Butane's YAML has beyond Ignition's config. All other names are in Ignition's schema.

use super::variant::Variant;
use crate::ignition::schema::{
    self, CONFIG, DROPIN, Field, Kind, REFERENCE, RESOURCE, TANG, Type, UNIT, USER, Union, same,
};
use crate::ignition::spec::Spec;

/// Fields that a type has in Butane only.
struct Sugar {
    of: &'static Type,
    fields: &'static [Field],
}

static SUGAR: [Sugar; 8] = [
    Sugar {
        of: &CONFIG,
        fields: &[
            same("variant", Kind::Text),
            same("version", Kind::Text),
            same(BOOT_DEVICE, Kind::Struct(&BOOT_DEVICE_TYPE)).since(Spec::V3_2),
            same(GRUB, Kind::Struct(&GRUB_TYPE)).since(Spec::V3_4),
        ],
    },
    Sugar {
        of: &RESOURCE,
        fields: &[
            same("inline", Kind::Bytes),
            same("local", Kind::Text).since(Spec::V3_1),
        ],
    },
    Sugar {
        of: &REFERENCE,
        fields: &[
            same("inline", Kind::Bytes).since(Spec::V3_1),
            same("local", Kind::Text).since(Spec::V3_1),
        ],
    },
    Sugar {
        of: &USER,
        fields: &[
            same("ssh_authorized_keys_local", Kind::Texts(Union::Concatenate)).since(Spec::V3_4),
        ],
    },
    Sugar {
        of: &UNIT,
        fields: &[same("contents_local", Kind::Text).since(Spec::V3_4)],
    },
    Sugar {
        of: &DROPIN,
        fields: &[same("contents_local", Kind::Text).since(Spec::V3_4)],
    },
    Sugar {
        of: &schema::FILESYSTEM,
        fields: &[same("with_mount_unit", Kind::Bool).since(Spec::V3_1)],
    },
    Sugar {
        of: &schema::STORAGE,
        fields: &[same("trees", Kind::Structs(&TREE, Union::Concatenate)).since(Spec::V3_1)],
    },
];

/// The section for the disk that the machine boots from.
pub(super) const BOOT_DEVICE: &str = "boot_device";
/// The section for the boot loader.
pub(super) const GRUB: &str = "grub";

/// A directory of local files.
pub(super) static TREE: Type = Type::plain(
    "Tree",
    &[
        same("group", Kind::Struct(&schema::OWNER)).since(Spec::V3_6),
        same("local", Kind::Text),
        same("path", Kind::Text),
        same("user", Kind::Struct(&schema::OWNER)).since(Spec::V3_6),
        same("dir_mode", Kind::Int).since(Spec::V3_6),
        same("file_mode", Kind::Int).since(Spec::V3_6),
    ],
);

static BOOT_DEVICE_TYPE: Type = Type::plain(
    "BootDevice",
    &[
        same("layout", Kind::Text),
        same("luks", Kind::Struct(&BOOT_LUKS)),
        same("mirror", Kind::Struct(&BOOT_MIRROR)),
    ],
);

static BOOT_LUKS: Type = Type::plain(
    "BootDeviceLuks",
    &[
        same("cex", Kind::Struct(&schema::CEX)).since(Spec::V3_5),
        same("device", Kind::Text).since(Spec::V3_5),
        same("discard", Kind::Bool).since(Spec::V3_4),
        same("tang", Kind::Structs(&TANG, Union::Concatenate)),
        same("threshold", Kind::Int),
        same("tpm2", Kind::Bool),
    ],
);

static BOOT_MIRROR: Type = Type::plain(
    "BootDeviceMirror",
    &[same("devices", Kind::Texts(Union::Concatenate))],
);

static GRUB_TYPE: Type = Type::plain(
    "Grub",
    &[same("users", Kind::Structs(&GRUB_USER, Union::Concatenate))],
);

static GRUB_USER: Type = Type::plain(
    "GrubUser",
    &[same("name", Kind::Text), same("password_hash", Kind::Text)],
);

/// The fields that a struct may have in the YAML of a variant.
pub(super) fn fields(
    ty: &'static Type,
    variant: &'static Variant,
) -> impl Iterator<Item = &'static Field> {
    all(ty).filter(|field| is_known(field, variant))
}

/// One of them, by its name in YAML.
pub(super) fn field(
    ty: &'static Type,
    variant: &'static Variant,
    name: &str,
) -> Option<&'static Field> {
    all(ty).find(|field| field.yaml == name && is_known(field, variant))
}

/// Those of all variants.
fn all(ty: &'static Type) -> impl Iterator<Item = &'static Field> {
    let sugar = SUGAR.iter().filter(move |sugar| ty.is(sugar.of));
    ty.fields.iter().chain(sugar.flat_map(|sugar| sugar.fields))
}

fn is_known(field: &Field, variant: &Variant) -> bool {
    field.since <= variant.spec
        && !field.yaml.is_empty()
        && (variant.boot_device || !matches!(field.name, BOOT_DEVICE | GRUB))
}
