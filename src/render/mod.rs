//! From templates to what a node fetches.

pub mod all;
mod config;
pub mod context;
pub mod engine;
pub mod exposure;
mod filters;
pub mod leaks;
mod memo;
mod mistake;
pub mod rendered;
mod script;

pub(crate) use filters::hex;
