//! The fleet: from the files that people write to complete nodes.

pub mod allowed;
pub mod date;
pub mod decode;
pub mod document;
pub mod edit;
pub mod expiry;
pub mod file;
pub mod files;
pub mod lock;
pub mod manifest;
mod merge;
pub mod names;
mod network;
pub mod node;
mod pins;
pub mod public;
pub mod publish;
mod redact;
pub mod resolve;
mod roles;
pub mod root;
pub mod select;
pub mod variables;
pub mod volume;
pub mod wanting;
