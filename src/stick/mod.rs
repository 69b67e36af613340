//! The stick of a node: what is on it, how that is laid out, and reading one back.

mod bios;
mod boot_code;
mod clock;
mod compare;
mod contents;
mod device;
mod direct;
mod disk;
mod exclusive;
mod fat;
mod file;
mod fit;
mod gpt;
mod guard;
mod image;
mod inspect;
mod ioctl;
mod label;
mod layout;
mod prologue;
mod reason;
pub mod record;
mod seal;
mod stamp;

pub use clock::Clock;
pub use compare::{differences, secret_differences};
pub use contents::{Contents, Loader, Opened, Urls, contents, loader_place, secret_names};
pub use device::{
    Device, Kind, Node, Number, Partition, Roots, Signature, Transport, Use, What, device, devices,
};
pub use direct::Direct;
pub use disk::Disk;
pub use exclusive::{Fingerprint, changes, open_exclusively};
pub use file::{SaveError, save};
pub use fit::fit;
pub use gpt::{Place, places};
pub use guard::{GUARDS, Guard, Verdict, judge};
pub use image::{ImageError, image};
pub use inspect::{Found, NoStick, holds_stick, inspect, read_label};
pub use ioctl::reread_partitions;
pub use label::{Boot, Identity, Label, LabelError, digest};
pub use layout::{Part, Sector};
pub use prologue::prologue_digest;
pub use reason::{NeedsForce, Never};
pub use stamp::{Drive, Extent, StampError, ToWrite, may_boot, stamp, still_to_write, to_write};
