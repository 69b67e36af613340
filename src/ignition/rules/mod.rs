//! What must hold in a config beyond its types, one file for each part of it. The schema says which rule is for which struct.

pub mod config;
pub mod disk;
pub mod filesystem;
pub mod luks;
pub mod node;
pub mod path;
pub mod resource;
pub mod storage;
pub mod unit;
pub mod unit_file;
pub mod url;
