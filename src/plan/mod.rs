//! What a change will do to which machine.

pub mod base;
pub mod change;
pub mod compare;
pub mod cost;
pub mod sticks;
