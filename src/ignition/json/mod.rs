//! Ignition's JSON: read as Go's `encoding/json` reads it, written as Butane writes it.

mod decode;
mod parse;
mod write;

pub(crate) use decode::decode;
pub(crate) use write::{compact, pretty};
