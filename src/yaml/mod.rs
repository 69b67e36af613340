//! YAML as Go's yaml.v3 reads it, because that is what Butane configs are written for: YAML 1.2 with habits of 1.1.
//!
//! A document becomes a tree of [`Node`]s that know their place in the text. What a scalar means depends on what is
//! asked for (`yes` is a text or a boolean), so nodes keep the text and [`scalar`] interprets it.

mod duplicates;
mod layout;
pub mod node;
pub mod parse;
mod quirks;
pub mod scalar;
pub mod text;

pub use node::{Content, Node};
pub use parse::parse;
