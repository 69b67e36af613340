//! A fleet's files over HTTP: what nodes fetch, and the releases that they boot.

mod committed;
mod content;
pub mod http;
mod live;

pub use committed::{Committed, Resolve};
pub use content::{Body, Content, Tree, Trouble};
pub use http::{Access, Inbox, Site, serve};
pub use live::Live;
