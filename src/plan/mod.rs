//! What a change will do to which machine.

pub mod base;
pub mod change;
pub mod compare;
pub mod cost;
pub mod document;
pub mod groups;
mod meanwhile;
pub mod pipeline;
mod script;
pub mod sticks;
pub mod why;
