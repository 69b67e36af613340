//! Ignition's config as data: every field of every spec version, once.
//!
//! Reading, writing, merging, the search for duplicates and the walk of validation all follow these tables.
//! Fields stand in the order of Ignition's Go structs, which is the order of the JSON that Butane prints. Source:
//! `config/v3_*/types/schema.go` and the configuration specifications in `docs/` of coreos/ignition.

mod config;
mod storage;

pub use config::{CONFIG, DROPIN, REFERENCE, RESOURCE, UNIT, USER};
pub use storage::{
    CEX, CLEVIS, DIRECTORY, DISK, FILE, FILESYSTEM, LINK, LUKS, OWNER, PARTITION, RAID, STORAGE,
    TANG,
};

use super::report::{Place, Report};
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
    /// Whether it is the same type.
    #[must_use]
    pub fn is(&self, other: &Type) -> bool {
        std::ptr::eq(self, other)
    }

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

const fn one(ty: &'static Type) -> Kind {
    Kind::Struct(ty)
}

const fn many(ty: &'static Type) -> Kind {
    Kind::Structs(ty, Union::ByKey)
}
