//! A node in a virtual machine: QEMU and all that it is told, the local server's part, and the story of a boot.

pub mod console;
pub mod firmware;
mod ignition_log;
mod lan;
mod machine;
mod qemu;
mod relay;
pub mod reporter;
mod served;
pub mod stand_in;
mod story;

pub use lan::Lan;
pub use machine::{Accelerator, Card, Display, Machine};
pub use qemu::{Console, NoKvm, Qemu, become_program, reason, try_kvm};
pub use relay::relay;
pub use reporter::Report;
pub use served::{Reporting, StandIns};
pub use story::{Event, Line, Story, Verdict};
