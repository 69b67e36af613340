//! Secrets as they stand in git: encrypted values and the public keys they are encrypted to, and what must not stand there. No
//! private key enters this room.

pub mod leak;
pub mod plugin;
pub mod recipients;
pub mod value;
