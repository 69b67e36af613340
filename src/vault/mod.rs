//! The only room with private keys: finds them, opens secrets with them, seals new ones, and old ones anew; and the only
//! one where values stand in plain text, in files too, as long as somebody edits them.

pub mod ask;
pub mod dumps;
pub mod editable;
pub mod identity;
pub mod keygen;
pub mod memory;
pub mod open;
pub mod plugin;
pub mod rekey;
pub mod seal;
pub mod unlock;
