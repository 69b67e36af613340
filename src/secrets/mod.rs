//! Secrets as they stand in git: encrypted values and the public keys they are encrypted to. No private key enters this room.

pub mod recipients;
pub mod value;
