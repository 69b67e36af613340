//! iPXE scripts: the built-in boot script, and other people's read as iPXE reads them. Nothing here knows
//! of fleets.

mod builtin;
mod commands;
mod evaluate;
mod expand;
mod image;
mod lint;
mod read;
mod settings;

pub use builtin::BODY;
pub use evaluate::{End, Fetch, Run, run};
pub use image::{Boot, Image};
pub use lint::{MAX_CMDLINE, lint};
pub use read::{Command, Line, Script, Token, When, read};
