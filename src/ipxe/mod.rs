//! iPXE: the built-in boot script, other people's scripts read as iPXE reads them, and what its binaries can do.
//! Nothing here knows of fleets.

mod builtin;
mod commands;
mod evaluate;
mod expand;
mod image;
mod lint;
pub mod loader;
mod prologue;
mod read;
mod settings;

pub use builtin::BODY;
pub use evaluate::{End, Fetch, Run, run};
pub use image::{Boot, Image};
pub use lint::{MAX_CMDLINE, lint};
pub use prologue::{Address, Network, OwnConfig, Prologue};
pub use read::{Command, Line, Script, Token, When, read};
