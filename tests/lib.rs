//! All tests of the tool as a whole, in one binary.
#![allow(clippy::unwrap_used)]

mod boot;
mod cases;
mod conformance;
mod failures;
mod fleet;
mod house;
mod image;
mod import;
mod leaks;
mod legacy;
mod loader;
mod local_files;
mod manifest;
mod mutations;
mod node_settings;
mod passphrase;
mod plan;
mod profile;
mod readme;
mod rekey;
mod render;
mod repository;
mod sealed_values;
mod secrets;
mod secrets_edit;
mod secrets_expires;
mod secrets_rm;
mod show;
mod templates;
mod terminal;
mod translation;
mod transpile;
mod url;
mod variables;
mod yaml;
