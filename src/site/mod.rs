//! A fleet's files over HTTP: what nodes fetch, and the releases that they boot.

mod committed;
mod content;
mod export;
pub mod http;
mod live;
pub mod mirror;

pub use committed::{Committed, Resolve};
pub use content::{Body, Content, Rendered, Tree, Trouble};
pub use export::{Exported, export};
pub use http::{Access, Inbox, Site, serve};
pub use live::Live;
pub use mirror::{Cache, Catalogue, Mirror};
