//! The operating systems that a node can boot: where a release stands, what its files are called and
//! what it can read. Plain values in, plain values out; no network.

mod fedora_coreos;
mod flatcar;
mod mount;
mod release;

pub use release::{Arch, Distro, Files, Release, Spec};
