//! The operating systems that a node can boot: where a release stands, what its files are called and
//! what it can read. Plain values in, plain values out; only `published` asks the network.

mod fedora_coreos;
mod flatcar;
mod located;
mod mount;
mod published;
mod release;
mod signature;
mod unpublished;
mod verdict;

pub use located::Server;
pub use published::{Servers, read_flatcar_key};
pub use release::{Arch, Distro, Files, Release, Spec};
pub use signature::SigningKey;
pub use unpublished::Unpublished;
pub use verdict::{Date, KeyError, SignatureError, Validity};
