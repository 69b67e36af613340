//! The only room with private keys: finds them, opens secrets with them and seals new ones.

pub mod identity;
pub mod keygen;
pub mod open;
pub mod seal;
