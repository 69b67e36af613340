//! The only room with private keys: finds them, opens secrets with them, seals new ones, and old ones anew.

pub mod identity;
pub mod keygen;
pub mod open;
pub mod rekey;
pub mod seal;
pub mod unlock;
