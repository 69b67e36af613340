//! Files of the world, by HTTP: fetched with patience, continued where they were cut off, and taken only when they
//! are what was asked for. It knows nothing of what is in them.

mod address;
mod authorities;
mod client;
mod digest;
mod download;
mod error;
mod exchange;
mod failure;
mod patience;
mod proxy;
mod sink;

pub use address::without_credentials;
pub use client::{Client, Traced};
pub use digest::{Digest, Function};
pub use error::{NetError, Unanswered, status_text};
pub use patience::Patience;
