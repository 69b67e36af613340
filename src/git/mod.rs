//! What the tool knows of git: the repository, its remotes, its trees, and how forges serve files.
//!
//! Everything here but [`cli`] only reads, and stays on this machine; nothing knows of fleets.

pub mod cli;
pub mod error;
pub mod forge;
pub mod history;
pub mod past;
pub mod remote;
pub mod repo;
mod settings;
pub mod state;
pub mod tree;

#[cfg(test)]
mod sandbox;

/// A commit's or a blob's id: 20 bytes, shown as 40 hex digits.
pub use git2::Oid as ObjectId;

pub use error::Error;
